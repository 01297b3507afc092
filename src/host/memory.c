/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory from the host: an anonymous mapping without reservation, so
 * that a guest of 8 GiB costs only what it touches, rounded to the chunks that mem/ram.c asks for at once.
 */
#include "host/host.h"

#include <errno.h>
#include <sys/mman.h>


static void *map(void *opaque, uint64_t size, struct error *err)
{
    (void)opaque;
    void *p = size > SIZE_MAX ? MAP_FAILED
                              : mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        error_set(err, "cannot get %llu MiB of guest memory from the host: %s", (unsigned long long)(size >> 20),
                  strerror(errno));
        return NULL;
    }
    return p;
}

static void unmap(void *opaque, void *p, uint64_t size)
{
    (void)opaque;
    munmap(p, (size_t)size);
}

void host_prepare(void *opaque, void *p, uint64_t size)
{
    (void)opaque;
    (void)madvise(p, (size_t)size, MADV_POPULATE_WRITE);
}

const struct host_memory host_memory = { .alloc = map, .free = unmap, .prepare = host_prepare };
