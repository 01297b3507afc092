/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP and Unix sockets, one peer at a time.  A server takes the next client
 * when one has gone; a client connects before the machine starts, and, if the
 * user said reconnect=, tries again whenever its peer is not there.
 *
 * peer_fd is set and cleared by the thread and used by the writer, under lock;
 * a peer that went is shut down at once and closed by the thread.
 */
#include "host/chardev.h"
#include "host/host.h"
#include "host/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"

struct socket_chardev {
    struct chardev c;   /* first */
    struct chardev_spec spec;
    struct host_thread thread;
    struct input_source *source;
    int listen_fd;      /* -1: client */
    char *unlink_path;  /* unix server: removed at the end */
    pthread_mutex_t lock;
    int peer_fd;        /* -1: none */
};

static void set_peer(struct socket_chardev *s, int fd)
{
    pthread_mutex_lock(&s->lock);
    int old = s->peer_fd;
    s->peer_fd = fd;
    pthread_mutex_unlock(&s->lock);
    if (old >= 0)
        close(old);
}

/* Reads the peer to its end; false when the thread is to end. */
static bool serve(struct socket_chardev *s, int fd)
{
    char data[4096];
    while (host_thread_poll(&s->thread, fd, POLLIN)) {
        ssize_t n = read(fd, data, sizeof data);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n <= 0)
            return true;
        if (!chardev_received(&s->thread, &s->c, s->source, data, (size_t)n))
            return false;
    }
    return false;
}

static bool told_to_end(void *opaque) { return !host_thread_sleep(opaque, 0); }

/* Waits for the next peer.  -1: none came, or the thread is to end. */
static int next_peer(struct socket_chardev *s)
{
    struct sockets_patience patience = { told_to_end, &s->thread };
    if (s->listen_fd >= 0)
        return host_thread_poll(&s->thread, s->listen_fd, POLLIN) ? sockets_accept(s->listen_fd) : -1;
    return s->spec.reconnect && host_thread_sleep(&s->thread, (int)s->spec.reconnect * 1000)
               ? sockets_open(&s->spec, &patience, NULL)
               : -1;
}

static void run(void *opaque)
{
    struct socket_chardev *s = opaque;
    for (;;) {
        /* Only this thread changes peer_fd, so it may read it without the lock. */
        if (s->peer_fd >= 0) {
            if (!serve(s, s->peer_fd))
                return;
            set_peer(s, -1);
        }
        int fd = next_peer(s);
        if (fd >= 0)
            set_peer(s, fd);
        else if (told_to_end(&s->thread) || (s->listen_fd < 0 && !s->spec.reconnect))
            return;
    }
}

static void socket_write(struct chardev *c, const void *data, size_t len)
{
    struct socket_chardev *s = (struct socket_chardev *)c;
    pthread_mutex_lock(&s->lock);
    if (s->peer_fd >= 0 && !host_write_all(s->peer_fd, data, len))
        shutdown(s->peer_fd, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
}

static void socket_attach(struct chardev *c, struct input_source *source)
{
    struct socket_chardev *s = (struct socket_chardev *)c;
    struct error err;
    s->source = source;
    if (!host_thread_start(&s->thread, run, s, &err))
        panic("socket: %s", err.text);
}

static void socket_flush(struct chardev *c) {}

static void socket_close(struct chardev *c)
{
    struct socket_chardev *s = (struct socket_chardev *)c;
    host_thread_stop(&s->thread);
    if (s->peer_fd >= 0)
        close(s->peer_fd);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->unlink_path)
        unlink(s->unlink_path);
    pthread_mutex_destroy(&s->lock);
    free(s->unlink_path);
    free((char *)c->id);
    free(s);
}

static const struct chardev_ops ops = { socket_write, socket_attach, socket_flush, socket_close };

/* wait=on: the machine starts when the first client is there. */
static bool wait_for_client(struct socket_chardev *s, struct error *err)
{
    enum { TICK_MS = 200 };
    struct pollfd p = { .fd = s->listen_fd, .events = POLLIN };
    fprintf(stderr, "waiting for a connection to %s\n", s->c.id);
    while (s->peer_fd < 0) {
        if (host_quitting())
            return error_set(err, "chardev %s: nobody connected", s->c.id);
        if (poll(&p, 1, TICK_MS) == 1)
            s->peer_fd = sockets_accept(s->listen_fd);
    }
    return true;
}

static bool user_gave_up(void *opaque) { return host_quitting(); }

struct chardev *chardev_socket_new(const struct chardev_spec *spec, struct error *err)
{
    struct socket_chardev *s = NEW(struct socket_chardev);
    s->c = (struct chardev){ .ops = &ops, .id = alloc_string(spec->id) };
    s->listen_fd = s->peer_fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    s->spec = *spec;
    int fd = sockets_open(spec, &(struct sockets_patience){ user_gave_up, NULL }, err);
    if (spec->server) {
        s->listen_fd = fd;
        if (fd >= 0 && spec->kind == CHARDEV_UNIX)
            s->unlink_path = alloc_string(spec->path);
    } else {
        s->peer_fd = fd;
    }
    if ((fd < 0 && !spec->reconnect) || (spec->server && spec->wait && !wait_for_client(s, err))) {
        socket_close(&s->c);
        return NULL;
    }
    return &s->c;
}
