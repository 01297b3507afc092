/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory to write code in and to run it from: two mappings of the same pages, neither writable and executable. */
#ifndef REPRISE_TESTS_X64_EXEC_MEMORY_H
#define REPRISE_TESTS_X64_EXEC_MEMORY_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/x64/asm.h"

struct exec_memory {
    uint8_t *write, *run;
    size_t size;
};

static inline struct exec_memory exec_memory_new(size_t size)
{
    struct exec_memory m = { .size = size };
    int fd = memfd_create("code", 0);
    if (fd >= 0 && ftruncate(fd, (off_t)size) == 0) {
        m.write = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        m.run = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    }
    if (fd < 0 || m.write == MAP_FAILED || m.run == MAP_FAILED || !m.write) {
        perror("memory for code");
        exit(1);
    }
    close(fd);
    return m;
}

static inline struct x64_asm exec_memory_asm(const struct exec_memory *m)
{
    struct x64_asm a;
    x64_init(&a, m->write, m->size);
    a.exec_delta = m->run - m->write;
    return a;
}

#endif
