/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <sys/random.h>
#include <time.h>

#include "host/host.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wakeup;
static bool notified, ready;

static uint64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

static uint64_t clock_ns(void *opaque, enum sim_clock clock)
{
    (void)opaque;
    return read_clock(clock == SIM_CLOCK_HOST ? CLOCK_REALTIME : CLOCK_MONOTONIC);
}

static void wait_for(void *opaque, uint64_t timeout_ns)
{
    (void)opaque;
    pthread_mutex_lock(&lock);
    if (timeout_ns == NO_DEADLINE) {
        while (!notified)
            pthread_cond_wait(&wakeup, &lock);
    } else {
        uint64_t until = read_clock(CLOCK_MONOTONIC) + timeout_ns;
        struct timespec t = { .tv_sec = (time_t)(until / NS_PER_SEC), .tv_nsec = (long)(until % NS_PER_SEC) };
        while (!notified && pthread_cond_timedwait(&wakeup, &lock, &t) != ETIMEDOUT)
            ;
    }
    notified = false;
    pthread_mutex_unlock(&lock);
}

static void notify(void *opaque)
{
    (void)opaque;
    pthread_mutex_lock(&lock);
    notified = true;
    pthread_cond_signal(&wakeup);
    pthread_mutex_unlock(&lock);
}

static void entropy(void *opaque, void *out, size_t len)
{
    (void)opaque;
    for (size_t done = 0; done < len;) {
        ssize_t n = getrandom((char *)out + done, len - done, 0);
        if (n < 0 && errno != EINTR)
            panic("getrandom failed: %d", errno);
        done += n > 0 ? (size_t)n : 0;
    }
}

static const struct sim_host host = { clock_ns, wait_for, notify, entropy, NULL };

const struct sim_host *host_sim(void)
{
    pthread_mutex_lock(&lock);
    if (!ready) {
        pthread_condattr_t attr;
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&wakeup, &attr);
        pthread_condattr_destroy(&attr);
        ready = true;
    }
    pthread_mutex_unlock(&lock);
    return &host;
}
