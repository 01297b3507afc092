/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for translated code: the same pages mapped twice, once to be written
 * and once to be run, so that nothing is ever both.  Shared anonymous memory, not a file in
 * memory: perf looks into a JIT's map (-perfmap) for anonymous memory only.
 */
#include "host/host.h"

#include <errno.h>
#include <sys/mman.h>

enum { HOST_PAGE = 4096 };

static bool refuse(const char *what, void *w, void *x, size_t size, size_t data_size, struct error *err)
{
    error_set(err, "the host allows no memory %s: %s", what, strerror(errno));
    if (x != MAP_FAILED)
        munmap(x, size + data_size);
    if (w != MAP_FAILED)
        munmap(w, size);
    return false;
}

static bool alloc(void *opaque, size_t size, size_t data_size, struct code_memory *out, struct error *err)
{
    (void)opaque;
    size = align_up(size, HOST_PAGE);
    data_size = align_up(data_size, HOST_PAGE);
    void *w = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    void *x = mmap(NULL, size + data_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (w == MAP_FAILED || x == MAP_FAILED)
        return refuse("for code", w, x, size, data_size, err);
    /* Of size 0: a second mapping of the same pages. */
    if (mremap(w, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, x) == MAP_FAILED || mprotect(x, size, PROT_READ | PROT_EXEC))
        return refuse("to run code in", w, x, size, data_size, err);
    *out = (struct code_memory){ .write = w, .exec = x, .data = (char *)x + size, .size = size,
                                 .data_size = data_size };
    return true;
}

static void release(void *opaque, struct code_memory *m)
{
    (void)opaque;
    munmap(m->write, m->size);
    munmap((void *)(uintptr_t)m->exec, m->size + m->data_size);
}

static void written(void *opaque, const struct code_memory *m)
{
    (void)opaque;
    madvise(m->write, m->size, MADV_DONTNEED);         /* shared pages keep their contents */
}

const struct host_code host_code = { .alloc = alloc, .free = release, .written = written, .prepare = host_prepare };
