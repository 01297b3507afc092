/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output into a file; there is no input. */
#include "host/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"

struct file_chardev {
    struct chardev c;   /* first */
    int fd;
    bool failed;        /* said so once */
    char *path;
};

static void file_write(struct chardev *c, const void *data, size_t len)
{
    struct file_chardev *f = (struct file_chardev *)c;
    if (!f->failed && !host_write_all(f->fd, data, len)) {
        f->failed = true;
        fprintf(stderr, "reprise: cannot write '%s' any more: %s\n", f->path, strerror(errno));
    }
}

static void file_attach(struct chardev *c, struct input_source *source) {}
static void file_flush(struct chardev *c) {}

static void file_close(struct chardev *c)
{
    struct file_chardev *f = (struct file_chardev *)c;
    close(f->fd);
    free(f->path);
    free((char *)c->id);
    free(f);
}

static const struct chardev_ops ops = { file_write, file_attach, file_flush, file_close };

struct chardev *chardev_file_new(const struct chardev_spec *spec, struct error *err)
{
    int fd = open(spec->path, O_WRONLY | O_CREAT | O_CLOEXEC | (spec->append ? O_APPEND : O_TRUNC), 0666);
    if (fd < 0) {
        error_set(err, "cannot open '%s' for output: %s", spec->path, strerror(errno));
        return NULL;
    }
    struct file_chardev *f = NEW(struct file_chardev);
    f->c = (struct chardev){ .ops = &ops, .id = alloc_string(spec->id) };
    f->fd = fd;
    f->path = alloc_string(spec->path);
    return &f->c;
}
