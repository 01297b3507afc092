/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A new pseudo terminal, whose name is printed.  While nobody has it open,
 * output is dropped: the master then reports POLLHUP, from the first moment
 * on because we open and close the other side once ourselves.
 */
#include "host/chardev.h"
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"

struct pty_chardev {
    struct chardev c;   /* first */
    struct host_thread thread;
    struct input_source *source;
    int fd;
};

static bool connected(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

static void run(void *opaque)
{
    enum { LOOK_MS = 50 };   /* POLLHUP stays: look for a new peer now and then */
    struct pty_chardev *p = opaque;
    char data[4096];
    for (;;) {
        if (!connected(p->fd)) {
            if (!host_thread_sleep(&p->thread, LOOK_MS))
                return;
            continue;
        }
        if (!host_thread_poll(&p->thread, p->fd, POLLIN))
            return;
        ssize_t n = read(p->fd, data, sizeof data);
        if (n > 0 && !chardev_received(&p->thread, &p->c, p->source, data, (size_t)n))
            return;
    }
}

static void pty_write(struct chardev *c, const void *data, size_t len)
{
    struct pty_chardev *p = (struct pty_chardev *)c;
    if (connected(p->fd))
        (void)host_write_all(p->fd, data, len);
}

static void pty_attach(struct chardev *c, struct input_source *source)
{
    struct pty_chardev *p = (struct pty_chardev *)c;
    struct error err;
    p->source = source;
    if (!host_thread_start(&p->thread, run, p, &err))
        panic("pty: %s", err.text);
}

static void pty_flush(struct chardev *c) {}

static void pty_close(struct chardev *c)
{
    struct pty_chardev *p = (struct pty_chardev *)c;
    host_thread_stop(&p->thread);
    close(p->fd);
    free((char *)c->id);
    free(p);
}

static const struct chardev_ops ops = { pty_write, pty_attach, pty_flush, pty_close };

/* Opens the other side once: sets raw mode there, and leaves the master in its "nobody there" state. */
static bool prepare(const char *name)
{
    struct termios t;
    int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = tcgetattr(fd, &t) == 0;
    cfmakeraw(&t);
    ok = ok && tcsetattr(fd, TCSANOW, &t) == 0;
    close(fd);
    return ok;
}

struct chardev *chardev_pty_new(const struct chardev_spec *spec, struct error *err)
{
    char name[64];
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, name, sizeof name) || !prepare(name) ||
        fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        error_set(err, "cannot make a pseudo terminal: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct pty_chardev *p = NEW(struct pty_chardev);
    p->c = (struct chardev){ .ops = &ops, .id = alloc_string(spec->id) };
    p->fd = fd;
    fprintf(stderr, "char device redirected to %s (label %s)\n", name, spec->id);
    return &p->c;
}
