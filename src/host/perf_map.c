/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /tmp/perf-PID.map: names for code that a JIT made, where Linux's perf looks for them
 * (linux/tools/perf/Documentation/jit-interface.txt): a line "START SIZE name" each, in hexadecimal.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"

struct host_perf_map {
    FILE *file;
    char path[64];
};

/* A map that is there is of an earlier process with our number; nobody else's file is written through a link. */
struct host_perf_map *host_perf_map_new(struct error *err)
{
    struct host_perf_map m = { 0 };
    snprintf(m.path, sizeof m.path, "/tmp/perf-%d.map", (int)getpid());
    unlink(m.path);
    int fd = open(m.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 || !(m.file = fdopen(fd, "w"))) {
        error_set(err, "-perfmap: cannot write '%s': %s", m.path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct host_perf_map *out = NEW(struct host_perf_map);
    *out = m;
    return out;
}

void host_perf_map_add(struct host_perf_map *m, uint64_t address, size_t size, const char *name)
{
    fprintf(m->file, "%llx %zx %s\n", (unsigned long long)address, size, name);
}

void host_perf_map_close(struct host_perf_map *m, bool keep)
{
    if (!m)
        return;
    fclose(m->file);
    if (!keep)
        unlink(m->path);
    free(m);
}
