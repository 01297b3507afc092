/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A character device between a guest device (front) and the host (back).
 *
 * The front: creates an input source of kind INPUT_BYTES for what it receives, and
 * writes what the guest sends.  The back (host/chardev_*.c) posts received bytes to that source
 * from its own thread and shows what is written.  Output is never logged: in
 * replay it is shown again.
 */
#ifndef REPRISE_DEV_CHARDEV_H
#define REPRISE_DEV_CHARDEV_H

#include "sim/input.h"

struct chardev;
struct chardev_ops {
    /* Guest output; simulation thread; must not block for long, keeps order and loses nothing while the peer lives. */
    void (*write)(struct chardev *c, const void *data, size_t len);
    /* Starts delivering host input into source (NULL: discard).  Called once, at wiring. */
    void (*attach)(struct chardev *c, struct input_source *source);
    /* Output is complete (the run ends): flush. */
    void (*flush)(struct chardev *c);
    void (*close)(struct chardev *c);   /* frees c */
};

struct chardev {
    const struct chardev_ops *ops;
    const char *id;
    /* A byte posted here is a break on the line.  Set by a front that knows breaks before it calls attach(). */
    struct input_source *line_break;
    /*
     * Gets what is received instead of a source, on the back's thread, and must be quick.  Set, before it calls
     * attach(c, NULL), by a front that is no part of the guest: nothing of it is logged.
     */
    void (*receive)(void *opaque, const void *data, size_t len);
    void *receive_opaque;
};

static inline void chardev_write(struct chardev *c, const void *data, size_t len)
{
    if (c)
        c->ops->write(c, data, len);
}

#endif
