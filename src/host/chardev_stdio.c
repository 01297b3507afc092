/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character devices on standard input and output, on a file, and on nothing. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/host.h"

enum { ESCAPE = 1 };    /* Ctrl-A */

struct fd_chardev {
    struct chardev c;
    int out;
    bool own_out;
    struct input_port *port;
    struct input_source *source;
    bool escaped;
};

static struct termios saved_tty;
static bool tty_changed;

static void restore_tty(void)
{
    if (tty_changed)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved_tty);
}

static void raw_tty(void)
{
    struct termios t;
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved_tty))
        return;
    t = saved_tty;
    t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    tty_changed = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
    atexit(restore_tty);
}

static void fd_write(struct chardev *c, const void *data, size_t len)
{
    struct fd_chardev *f = (struct fd_chardev *)c;
    const char *p = data;
    while (len && f->out >= 0) {
        ssize_t n = write(f->out, p, len);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0) {
            f->out = -1;         /* the reader is gone: the guest goes on without it */
            break;
        }
        p += n;
        len -= (size_t)n;
    }
}

/* Ctrl-A x quits, Ctrl-A Ctrl-A sends one; other keys behind Ctrl-A are dropped with it. */
static size_t filter(struct fd_chardev *f, unsigned char *data, size_t len)
{
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        if (f->escaped) {
            f->escaped = false;
            if (data[i] == 'x')
                input_post_request(f->port, REQUEST_QUIT);
            if (data[i] != ESCAPE)
                continue;
        } else if (data[i] == ESCAPE && isatty(STDIN_FILENO)) {
            f->escaped = true;
            continue;
        }
        data[out++] = data[i];
    }
    return out;
}

static void *reader(void *arg)
{
    struct fd_chardev *f = arg;
    unsigned char data[4096];
    ssize_t n;
    while ((n = read(STDIN_FILENO, data, sizeof data)) > 0 || (n < 0 && errno == EINTR)) {
        size_t len = n > 0 ? filter(f, data, (size_t)n) : 0;
        for (size_t done = 0; done < len;) {
            done += input_post(f->source, data + done, len - done);
            if (done < len)
                usleep(2000);    /* the guest is not reading: try again */
        }
    }
    return NULL;
}

static void stdio_attach(struct chardev *c, struct input_source *source)
{
    struct fd_chardev *f = (struct fd_chardev *)c;
    pthread_t thread;
    f->source = source;
    if (!source)
        return;
    raw_tty();
    if (pthread_create(&thread, NULL, reader, f))
        panic("no thread for standard input");
    pthread_detach(thread);
}

static void no_attach(struct chardev *c, struct input_source *source)
{
    (void)c;
    (void)source;
}

static void no_flush(struct chardev *c) { (void)c; }

/* The reader thread may still be in read(): a stdio device lives as long as the process. */
static void stdio_close(struct chardev *c)
{
    (void)c;
    restore_tty();
}

static void file_close(struct chardev *c)
{
    struct fd_chardev *f = (struct fd_chardev *)c;
    if (f->own_out && f->out >= 0)
        close(f->out);
    free(f);
}

static const struct chardev_ops stdio_ops = { fd_write, stdio_attach, no_flush, stdio_close };
static const struct chardev_ops file_ops = { fd_write, no_attach, no_flush, file_close };

struct chardev *host_chardev_stdio(struct input_port *port)
{
    struct fd_chardev *f = NEW(struct fd_chardev);
    *f = (struct fd_chardev){ .c = { &stdio_ops, "stdio" }, .out = STDOUT_FILENO, .port = port };
    return &f->c;
}

struct chardev *host_chardev_null(void)
{
    struct fd_chardev *f = NEW(struct fd_chardev);
    *f = (struct fd_chardev){ .c = { &file_ops, "null" }, .out = -1 };
    return &f->c;
}

struct chardev *host_chardev_file(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        error_set(err, "serial output file '%s' cannot be written: %s", path, strerror(errno));
        return NULL;
    }
    struct fd_chardev *f = NEW(struct fd_chardev);
    *f = (struct fd_chardev){ .c = { &file_ops, "file" }, .out = fd, .own_out = true };
    return &f->c;
}
