/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named pipes made with mkfifo: PATH.in for what the guest receives and
 * PATH.out for what it sends, or one PATH for both.  They are opened in both
 * directions, so a peer may come and go; what nobody reads stays in the pipe,
 * and a full pipe stops the guest until somebody does.
 */
#include "host/chardev.h"
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

struct pipe_chardev {
    struct chardev c;   /* first */
    struct host_thread thread;
    struct input_source *source;
    int in_fd, out_fd;
};

static void run(void *opaque)
{
    struct pipe_chardev *p = opaque;
    char data[4096];
    while (host_thread_poll(&p->thread, p->in_fd, POLLIN)) {
        ssize_t n = read(p->in_fd, data, sizeof data);
        if (n > 0 && !chardev_received(&p->thread, &p->c, p->source, data, (size_t)n))
            return;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return;
    }
}

static void pipe_write(struct chardev *c, const void *data, size_t len)
{
    (void)host_write_all(((struct pipe_chardev *)c)->out_fd, data, len);
}

static void pipe_attach(struct chardev *c, struct input_source *source)
{
    struct pipe_chardev *p = (struct pipe_chardev *)c;
    struct error err;
    p->source = source;
    /* On one pipe for both directions we would read our own output back when there is no peer, as a loop plug does. */
    if (!host_thread_start(&p->thread, run, p, &err))
        panic("pipe: %s", err.text);
}

static void pipe_flush(struct chardev *c) {}

static void pipe_close(struct chardev *c)
{
    struct pipe_chardev *p = (struct pipe_chardev *)c;
    host_thread_stop(&p->thread);
    if (p->out_fd != p->in_fd)
        close(p->out_fd);
    close(p->in_fd);
    free((char *)c->id);
    free(p);
}

static const struct chardev_ops ops = { pipe_write, pipe_attach, pipe_flush, pipe_close };

/* -1 and err unless path can be opened and is a FIFO. */
static int open_fifo(const char *path, struct error *err)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        error_set(err, "cannot open the pipe '%s': %s", path, strerror(errno));
    } else if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)) {
        error_set(err, "'%s' is not a pipe (make one with mkfifo)", path);
        close(fd);
        fd = -1;
    }
    return fd;
}

struct chardev *chardev_pipe_new(const struct chardev_spec *spec, struct error *err)
{
    char *in = alloc_format("%s.in", spec->path), *out = alloc_format("%s.out", spec->path);
    bool two = host_file_exists(in) || host_file_exists(out);
    int in_fd = open_fifo(two ? in : spec->path, err);
    int out_fd = in_fd < 0 || !two ? in_fd : open_fifo(out, err);
    free(in);
    free(out);
    if (out_fd < 0) {
        if (in_fd >= 0)
            close(in_fd);
        return NULL;
    }
    struct pipe_chardev *p = NEW(struct pipe_chardev);
    p->c = (struct chardev){ .ops = &ops, .id = alloc_string(spec->id) };
    p->in_fd = in_fd;
    p->out_fd = out_fd;
    return &p->c;
}
