/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "host/host.h"

static void *pages_alloc(void *opaque, uint64_t size, struct error *err)
{
    (void)opaque;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        error_set(err, "the host has no room for %llu bytes: %s", (unsigned long long)size, strerror(errno));
        return NULL;
    }
    return p;
}

static void pages_free(void *opaque, void *p, uint64_t size)
{
    (void)opaque;
    munmap(p, size);
}

const struct host_memory host_pages = { pages_alloc, pages_free, NULL };
