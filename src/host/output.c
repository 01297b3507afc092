/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that a run writes.  Opening one finds out whether it can be written;
 * what was in it goes when the run starts, not before, so that a run that
 * fails to start leaves every file as it was and none behind.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

bool host_output_open(struct host_output *o, const char *path, bool append, struct error *err)
{
    *o = (struct host_output){ .append = append, .created = !host_file_exists(path) };
    /* O_NONBLOCK: a FIFO that nobody reads is an error, not a reason to wait. */
    o->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | (append ? O_APPEND : 0), 0666);
    if (o->fd < 0)
        return error_set(err, "cannot open '%s' for output: %s", path, strerror(errno));
    fcntl(o->fd, F_SETFL, fcntl(o->fd, F_GETFL) & ~O_NONBLOCK);
    o->path = alloc_string(path);
    return true;
}

void host_output_start(struct host_output *o)
{
    if (!o->started && !o->append)
        (void)!ftruncate(o->fd, 0);   /* no regular file: nothing to take away */
    o->started = true;
}

void host_output_close(struct host_output *o)
{
    if (!o->path)
        return;
    if (o->created && !o->started)
        unlink(o->path);
    close(o->fd);
    free(o->path);
    o->path = NULL;
}

/* The place where path would be made: its folder's real name and its own. */
static bool future_name(const char *path, char out[PATH_MAX])
{
    char *copy = alloc_string(path), *copy2 = alloc_string(path), folder[PATH_MAX];
    bool ok = realpath(dirname(copy), folder) &&
              snprintf(out, PATH_MAX, "%s/%s", folder, basename(copy2)) < PATH_MAX;
    free(copy);
    free(copy2);
    return ok;
}

bool host_same_file(const char *a, const char *b)
{
    struct stat x, y;
    char m[PATH_MAX], n[PATH_MAX];
    bool has_a = stat(a, &x) == 0, has_b = stat(b, &y) == 0;
    if (has_a && has_b)
        return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    return !has_a && !has_b && future_name(a, m) && future_name(b, n) && !strcmp(m, n);
}
