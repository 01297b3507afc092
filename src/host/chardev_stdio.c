/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal (or pipe) we were started on.  Ctrl-A starts a command, as in
 * other emulators: x quits, b sends a break, h helps, c is kept for the
 * monitor, Ctrl-A sends itself.  End of file on stdin ends input and nothing else.
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
    struct host_thread thread;
    struct input_source *source;
    bool escapes, escaped;         /* escaped: the last key was Ctrl-A; reader thread */
};

static void say(const char *text) { (void)host_write_all(STDERR_FILENO, text, strlen(text)); }

/* The key after Ctrl-A.  Returns true when it goes to the guest. */
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
        say("\r\nreprise: there is no monitor yet\r\n");
        return false;
    case 'h':
    case '?':
        say("\r\nCtrl-A h   this help\r\n"
            "Ctrl-A x   quit\r\n"
            "Ctrl-A b   send a break to the guest\r\n"
            "Ctrl-A c   (the monitor, which there is not yet)\r\n"
            "Ctrl-A Ctrl-A   send Ctrl-A to the guest\r\n");
        return false;
    default:
        return false;
    }
}

/* Takes the commands out of data; returns what is left for the guest. */
static size_t filter(struct stdio_chardev *s, char *data, size_t len)
{
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        if (s->escaped) {
            s->escaped = false;
            if (!command(s, data[i]))
                continue;
        } else if (data[i] == CTRL_A) {
            s->escaped = true;
            continue;
        }
        data[out++] = data[i];
    }
    return out;
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
        size_t len = s->escapes ? filter(s, data, (size_t)n) : (size_t)n;
        if (len && !host_thread_post(&s->thread, s->source, data, len))
            return;
    }
}

static void stdio_write(struct chardev *c, const void *data, size_t len)
{
    (void)host_write_all(STDOUT_FILENO, data, len);
}

static void stdio_attach(struct chardev *c, struct input_source *source)
{
    struct stdio_chardev *s = (struct stdio_chardev *)c;
    struct error err;
    s->source = source;
    if (!host_thread_start(&s->thread, run, s, &err))
        panic("standard input: %s", err.text);
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

struct chardev *chardev_stdio_new(const struct chardev_spec *spec, struct error *err)
{
    struct stdio_chardev *s = NEW(struct stdio_chardev);
    bool terminal = isatty(STDIN_FILENO);
    s->c = (struct chardev){ .ops = &ops, .id = alloc_string(spec->id) };
    s->escapes = terminal || spec->escapes;
    if (terminal)
        host_terminal_raw(STDIN_FILENO, spec->signals);
    return &s->c;
}
