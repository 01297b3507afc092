/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host clocks, entropy, and the simulation thread's bed: wait() sleeps until
 * notify().  A notification is never lost: the eventfd keeps it until the next
 * wait takes it.
 */
#include "host/host.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

struct host_clock {
    struct sim_host sim;
    int wake_fd;
    uint64_t zone_ns;   /* added to UTC, modulo 2^64 */
};

static uint64_t read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t host_monotonic_ns(void) { return read_clock(CLOCK_MONOTONIC); }
uint64_t host_seconds_since_1970(void) { return read_clock(CLOCK_REALTIME_COARSE) / NS_PER_SEC; }

static uint64_t clock_ns(void *opaque, enum sim_clock clock)
{
    struct host_clock *c = opaque;
    return clock == SIM_CLOCK_HOST ? read_clock(CLOCK_REALTIME) + c->zone_ns
                               : read_clock(CLOCK_MONOTONIC);
}

static void wait_notified(void *opaque, uint64_t timeout_ns)
{
    struct host_clock *c = opaque;
    struct pollfd p = { .fd = c->wake_fd, .events = POLLIN };
    struct timespec ts = { .tv_sec = (time_t)(timeout_ns / NS_PER_SEC), .tv_nsec = (long)(timeout_ns % NS_PER_SEC) };
    if (ppoll(&p, 1, timeout_ns == NO_DEADLINE ? NULL : &ts, NULL) == 1) {
        uint64_t n;
        (void)!read(c->wake_fd, &n, sizeof n);
    }
}

static void notify(void *opaque)
{
    struct host_clock *c = opaque;
    uint64_t one = 1;
    (void)!write(c->wake_fd, &one, sizeof one);
}

static void entropy(void *opaque, void *out, size_t len)
{
    (void)opaque;
    for (size_t done = 0; done < len;) {
        ssize_t n = getrandom((char *)out + done, len - done, 0);
        if (n < 0 && errno != EINTR)
            panic("the host gives no random bytes: %s", strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
}

struct host_clock *host_clock_new(bool local_time, struct error *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        error_set(err, "cannot make an event descriptor: %s", strerror(errno));
        return NULL;
    }
    struct host_clock *c = NEW(struct host_clock);
    c->wake_fd = fd;
    if (local_time) {
        time_t now = time(NULL);
        struct tm tm;
        localtime_r(&now, &tm);
        c->zone_ns = (uint64_t)((int64_t)tm.tm_gmtoff * (int64_t)NS_PER_SEC);
    }
    c->sim = (struct sim_host){ .clock_ns = clock_ns, .wait = wait_notified, .notify = notify, .random = entropy,
                                .opaque = c };
    return c;
}

void host_clock_free(struct host_clock *c)
{
    if (c) {
        close(c->wake_fd);
        free(c);
    }
}

const struct sim_host *host_clock_sim(const struct host_clock *c) { return &c->sim; }
