/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for translated code: the same pages mapped twice, once to be written
 * and once to be run, so that nothing is ever both.  Shared anonymous memory, not a file in
 * memory: perf looks into a JIT's map (-perfmap) for anonymous memory only.
 */
#include "host/host.h"

#include <errno.h>
#include <sys/mman.h>

static bool alloc(void *opaque, size_t size, struct code_memory *out, struct error *err)
{
    (void)opaque;
    void *w = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w == MAP_FAILED)
        return error_set(err, "the host allows no memory for code: %s", strerror(errno));
    void *x = mremap(w, 0, size, MREMAP_MAYMOVE);      /* of size 0: a second mapping of the same pages */
    if (x != MAP_FAILED && mprotect(x, size, PROT_READ | PROT_EXEC) == 0) {
        *out = (struct code_memory){ .write = w, .exec = x, .size = size };
        return true;
    }
    error_set(err, "the host allows no memory to run code in: %s", strerror(errno));
    if (x != MAP_FAILED)
        munmap(x, size);
    munmap(w, size);
    return false;
}

static void release(void *opaque, struct code_memory *m)
{
    (void)opaque;
    munmap(m->write, m->size);
    munmap((void *)(uintptr_t)m->exec, m->size);
}

const struct host_code host_code = { .alloc = alloc, .free = release };
