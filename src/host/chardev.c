/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the character back ends share, and the null device. */
#include "host/chardev.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/host.h"

bool host_write_all(int fd, const void *data, size_t len)
{
    /* A pipe that can be written takes this much without blocking, so descriptors need not be non-blocking. */
    enum { CHUNK = PIPE_BUF, TICK_MS = 100 };   /* tick: how often a blocked writer looks whether the user gave up */
    const char *p = data;
    while (len) {
        struct pollfd out = { .fd = fd, .events = POLLOUT };
        if (poll(&out, 1, TICK_MS) == 0) {
            if (host_quitting())
                return false;
            continue;
        }
        ssize_t n = write(fd, p, len < CHUNK ? len : CHUNK);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            return false;
        }
    }
    return true;
}

bool chardev_received(const struct host_thread *t, struct chardev *c, struct input_source *source, const void *data,
                      size_t len)
{
    if (!c->receive)
        return host_thread_post(t, source, data, len);
    c->receive(c->receive_opaque, data, len);
    return true;
}

static void null_write(struct chardev *c, const void *data, size_t len) {}
static void null_attach(struct chardev *c, struct input_source *source) {}
static void null_flush(struct chardev *c) {}

static void null_close(struct chardev *c)
{
    free((char *)c->id);
    free(c);
}

static const struct chardev_ops null_ops = { null_write, null_attach, null_flush, null_close };

struct chardev *chardev_null_new(const struct chardev_spec *spec, struct error *err)
{
    struct chardev *c = NEW(struct chardev);
    *c = (struct chardev){ .ops = &null_ops, .id = alloc_string(spec->id) };
    return c;
}

struct chardev *host_chardev_new(const struct chardev_spec *spec, struct error *err)
{
    static struct chardev *(*const make[])(const struct chardev_spec *, struct error *) = {
        [CHARDEV_NULL] = chardev_null_new, [CHARDEV_STDIO] = chardev_stdio_new, [CHARDEV_FILE] = chardev_file_new,
        [CHARDEV_PTY] = chardev_pty_new,   [CHARDEV_PIPE] = chardev_pipe_new,   [CHARDEV_TCP] = chardev_socket_new,
        [CHARDEV_UNIX] = chardev_socket_new,
    };
    return make[spec->kind](spec, err);
}
