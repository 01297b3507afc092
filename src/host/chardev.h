/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back ends of character devices (dev/chardev.h).
 *
 * Output is written in order and completely while the peer lives; without a
 * peer (no client, nobody on the pty) it is dropped.  A peer that does not
 * read stops the guest, until the user asks to quit.  Input is posted by one
 * thread for each device, which waits while the guest is not taking it.
 *
 * close() ends the thread before it returns, so it must be called before the
 * input port goes.
 */
#ifndef REPRISE_HOST_CHARDEV_H
#define REPRISE_HOST_CHARDEV_H

#include "base/error.h"
#include "dev/chardev.h"
#include "host/host.h"

enum chardev_kind {
    CHARDEV_NULL,
    CHARDEV_STDIO,
    CHARDEV_FILE,
    CHARDEV_PTY,
    CHARDEV_PIPE,
    CHARDEV_TCP,
    CHARDEV_UNIX,
};

/* What -chardev and -serial say. */
struct chardev_spec {
    enum chardev_kind kind;
    const char *id;
    const char *path;      /* file, pipe, unix */
    const char *host;      /* tcp; NULL: all addresses (server) or localhost (client) */
    const char *port;      /* tcp: number or service name */
    bool server, wait;     /* tcp, unix */
    unsigned reconnect;    /* tcp and unix clients: seconds from one attempt to the next; 0: there is one only */
    bool append;           /* file: keep what is there */
    bool signals;          /* stdio: Ctrl-C raises SIGINT instead of going to the guest */
    bool monitor;          /* stdio with escapes: a monitor will be attached beside the device, then reading begins */
    bool escapes;          /* stdio: Ctrl-A commands even when stdin is no terminal (mon:stdio, mux=on) */
};

/* spec's strings live as long as the device. */
struct chardev *host_chardev_new(const struct chardev_spec *spec, struct error *err);

/* One constructor for each kind. */
struct chardev *chardev_null_new(const struct chardev_spec *spec, struct error *err);
struct chardev *chardev_stdio_new(const struct chardev_spec *spec, struct error *err);
struct chardev *chardev_file_new(const struct chardev_spec *spec, struct error *err);
struct chardev *chardev_pty_new(const struct chardev_spec *spec, struct error *err);
struct chardev *chardev_pipe_new(const struct chardev_spec *spec, struct error *err);
struct chardev *chardev_socket_new(const struct chardev_spec *spec, struct error *err);

/*
 * The second front of a stdio device whose spec said `monitor`: Ctrl-A c switches what is typed from one to the other,
 * which begins with a Return there; both write to the terminal.  Owned by the device.
 */
struct chardev *chardev_stdio_monitor(struct chardev *c);

/* Back ends: received data goes to c's front.  False when the thread is to end. */
bool chardev_received(const struct host_thread *t, struct chardev *c, struct input_source *source, const void *data,
                      size_t len);

/*
 * Writes everything to fd, waiting for slow peers; false when the peer is gone
 * (or the user asked to quit while the peer did not read).
 */
bool host_write_all(int fd, const void *data, size_t len);

#endif
