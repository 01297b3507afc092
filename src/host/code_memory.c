/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for translated code: one file in memory, mapped twice, once to be
 * written and once to be run, so that nothing is ever both.
 */
#include "host/host.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static bool alloc(void *opaque, size_t size, struct code_memory *out, struct error *err)
{
    (void)opaque;
    int fd = memfd_create("reprise-code", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
        error_set(err, "cannot make memory for code: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    void *w = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    void *x = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    int why = errno;
    close(fd);
    if (w != MAP_FAILED && x != MAP_FAILED) {
        *out = (struct code_memory){ .write = w, .exec = x, .size = size };
        return true;
    }
    if (w != MAP_FAILED)
        munmap(w, size);
    if (x != MAP_FAILED)
        munmap(x, size);
    return error_set(err, "the host allows no memory to run code in: %s", strerror(why));
}

static void release(void *opaque, struct code_memory *m)
{
    (void)opaque;
    munmap(m->write, m->size);
    munmap((void *)(uintptr_t)m->exec, m->size);
}

const struct host_code host_code = { .alloc = alloc, .free = release };
