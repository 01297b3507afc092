/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output into a file; there is no input. */
#include "host/chardev.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "host/host.h"

struct file_chardev {
    struct chardev c;   /* first */
    struct host_output out;
    bool failed;        /* said so once */
};

static void file_write(struct chardev *c, const void *data, size_t len)
{
    struct file_chardev *f = (struct file_chardev *)c;
    host_output_start(&f->out);
    if (!f->failed && !host_write_all(f->out.fd, data, len)) {
        f->failed = true;
        fprintf(stderr, "reprise: cannot write '%s' any more: %s\n", f->out.path, strerror(errno));
    }
}

static void file_attach(struct chardev *c, struct input_source *source) {}

/* The guest may have written nothing: then the file is empty. */
static void file_flush(struct chardev *c) { host_output_start(&((struct file_chardev *)c)->out); }

static void file_close(struct chardev *c)
{
    struct file_chardev *f = (struct file_chardev *)c;
    host_output_close(&f->out);
    free((char *)c->id);
    free(f);
}

static const struct chardev_ops ops = { file_write, file_attach, file_flush, file_close };

struct chardev *chardev_file_new(const struct chardev_spec *spec, struct error *err)
{
    struct file_chardev *f = NEW(struct file_chardev);
    if (!host_output_open(&f->out, spec->path, spec->append, err)) {
        free(f);
        return NULL;
    }
    f->c = (struct chardev){ .ops = &ops, .id = alloc_string(spec->id) };
    return &f->c;
}
