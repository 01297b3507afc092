/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that wait for the outside world and feed what comes to an input source. */
#include "host/host.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>


static void *enter(void *opaque)
{
    struct host_thread *t = opaque;
    t->run(t->opaque);
    return NULL;
}

bool host_thread_start(struct host_thread *t, void (*run)(void *opaque), void *opaque, struct error *err)
{
    t->run = run;
    t->opaque = opaque;
    t->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (t->stop_fd < 0)
        return error_set(err, "cannot make an event descriptor: %s", strerror(errno));
    int e = pthread_create(&t->thread, NULL, enter, t);
    if (e) {
        close(t->stop_fd);
        return error_set(err, "cannot start a thread: %s", strerror(e));
    }
    t->running = true;
    return true;
}

void host_thread_stop(struct host_thread *t)
{
    uint64_t one = 1;
    if (!t->running)
        return;
    (void)!write(t->stop_fd, &one, sizeof one);
    pthread_join(t->thread, NULL);
    close(t->stop_fd);
    t->running = false;
}

bool host_thread_poll(const struct host_thread *t, int fd, short events)
{
    struct pollfd p[2] = { { .fd = t->stop_fd, .events = POLLIN }, { .fd = fd, .events = events } };
    while (poll(p, 2, -1) < 0 && errno == EINTR)
        ;
    return !p[0].revents;
}

bool host_thread_sleep(const struct host_thread *t, int ms)
{
    struct pollfd p = { .fd = t->stop_fd, .events = POLLIN };
    return poll(&p, 1, ms) != 1;
}

bool host_thread_post(const struct host_thread *t, struct input_source *source, const void *data, size_t len)
{
    /* The guest empties a full queue at its own pace, tens of bytes a millisecond at best. */
    enum { RETRY_MS = 2 };
    const char *p = data;
    if (!source)
        return true;
    for (;;) {
        size_t n = input_post(source, p, len);
        p += n;
        len -= n;
        if (!len)
            return true;
        if (!host_thread_sleep(t, RETRY_MS))
            return false;
    }
}
