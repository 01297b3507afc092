/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal (or pipe) we were started on.  Ctrl-A starts a command, as in
 * other emulators: x quits, b sends a break, h helps, c switches to the
 * monitor and back, Ctrl-A sends itself.  End of file on stdin ends input and nothing else.
 */
#include "host/chardev.h"
#include "host/host.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"

enum { CTRL_A = 1 };

struct stdio_chardev {
    struct chardev c;              /* first */
    struct chardev monitor;        /* the second front */
    bool has_monitor;              /* it is there, and reading begins when it is attached */
    struct host_thread thread;
    struct input_source *source;
    bool escapes, escaped;         /* escaped: the last key was Ctrl-A; reader thread */
    bool to_monitor;               /* what is typed goes there; reader thread */
};

static void say(const char *text) { (void)host_write_all(STDERR_FILENO, text, strlen(text)); }

static void switch_front(struct stdio_chardev *s)
{
    if (!s->has_monitor) {
        say("\r\nreprise: there is no monitor here; -serial mon:stdio has one\r\n");
        return;
    }
    s->to_monitor = !s->to_monitor;
    if (s->to_monitor)
        s->monitor.receive(s->monitor.receive_opaque, "\r", 1);
    else
        say("\r\n");
}

/* The key after Ctrl-A.  Returns true when it goes to the front. */
static bool command(struct stdio_chardev *s, int key)
{
    switch (key) {
    case CTRL_A:
        return true;
    case 'x':
        say("\r\nreprise: quit\r\n");
        host_quit();
        return false;
    case 'b':
        if (s->c.line_break)
            (void)host_thread_post(&s->thread, s->c.line_break, "", 1);
        return false;
    case 'c':
        switch_front(s);
        return false;
    case 'h':
    case '?':
        say("\r\nCtrl-A h   this help\r\n"
            "Ctrl-A x   quit\r\n"
            "Ctrl-A b   send a break to the guest\r\n"
            "Ctrl-A c   switch between the guest and the monitor\r\n"
            "Ctrl-A Ctrl-A   send Ctrl-A to the guest\r\n");
        return false;
    default:
        return false;
    }
}

/* False when the thread is to end. */
static bool deliver(struct stdio_chardev *s, const char *data, size_t len)
{
    if (!len)
        return true;
    if (!s->to_monitor)
        return chardev_received(&s->thread, &s->c, s->source, data, len);
    s->monitor.receive(s->monitor.receive_opaque, data, len);
    return true;
}

/* Delivers data without the commands in it, which are obeyed at their places. */
static bool filter(struct stdio_chardev *s, const char *data, size_t len)
{
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        if (!s->escaped && data[i] != CTRL_A)
            continue;
        if (!s->escaped) {
            s->escaped = true;
            if (!deliver(s, data + start, i - start))
                return false;
            start = i + 1;
            continue;
        }
        s->escaped = false;
        start = command(s, data[i]) ? i : i + 1;
    }
    return deliver(s, data + start, len - start);
}

static void run(void *opaque)
{
    struct stdio_chardev *s = opaque;
    char data[4096];
    while (host_thread_poll(&s->thread, STDIN_FILENO, POLLIN)) {
        ssize_t n = read(STDIN_FILENO, data, sizeof data);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return;
        if (!(s->escapes ? filter(s, data, (size_t)n) : deliver(s, data, (size_t)n)))
            return;
    }
}

static void stdio_write(struct chardev *c, const void *data, size_t len)
{
    (void)host_write_all(STDOUT_FILENO, data, len);
}

static void start_reading(struct stdio_chardev *s)
{
    struct error err;
    if (!host_thread_start(&s->thread, run, s, &err))
        panic("standard input: %s", err.text);
}

static void stdio_attach(struct chardev *c, struct input_source *source)
{
    struct stdio_chardev *s = (struct stdio_chardev *)c;
    s->source = source;
    if (!s->has_monitor)
        start_reading(s);
}

static void stdio_flush(struct chardev *c) {}

static void stdio_close(struct chardev *c)
{
    struct stdio_chardev *s = (struct stdio_chardev *)c;
    host_thread_stop(&s->thread);
    host_terminal_restore();
    free((char *)c->id);
    free(s);
}

static const struct chardev_ops ops = { stdio_write, stdio_attach, stdio_flush, stdio_close };

/* The guest's devices were wired before. */
static void monitor_attach(struct chardev *c, struct input_source *source)
{
    start_reading((struct stdio_chardev *)((char *)c - offsetof(struct stdio_chardev, monitor)));
}

static const struct chardev_ops monitor_ops = { stdio_write, monitor_attach, stdio_flush, stdio_flush };

struct chardev *chardev_stdio_monitor(struct chardev *c)
{
    struct stdio_chardev *s = (struct stdio_chardev *)c;
    require(c->ops == &ops && s->has_monitor);
    return &s->monitor;
}

struct chardev *chardev_stdio_new(const struct chardev_spec *spec, struct error *err)
{
    struct stdio_chardev *s = NEW(struct stdio_chardev);
    bool terminal = isatty(STDIN_FILENO);
    s->c = (struct chardev){ .ops = &ops, .id = alloc_string(spec->id) };
    s->monitor = (struct chardev){ .ops = &monitor_ops, .id = s->c.id };
    s->has_monitor = spec->monitor;
    s->escapes = terminal || spec->escapes;
    if (terminal)
        host_terminal_raw(STDIN_FILENO, spec->signals);
    return &s->c;
}
