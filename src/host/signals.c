/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals that ask us to stop.  They are blocked everywhere and taken by one
 * thread, which may therefore lock and post like any other: a quit is an
 * ordinary recorded request.
 */
#include "host/host.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>


static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct input_port *target;   /* lock */
static atomic_bool quitting;
static atomic_int first_signal;

static void stop_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

static void die(int sig)
{
    host_terminal_restore();
    _exit(128 + sig);
}

/* Returns false when there is nobody to ask. */
static bool ask(void)
{
    pthread_mutex_lock(&lock);
    bool asked = target != NULL;
    atomic_store(&quitting, true);
    if (asked)
        input_post_request(target, REQUEST_QUIT);
    pthread_mutex_unlock(&lock);
    return asked;
}

static void *take_signals(void *opaque)
{
    sigset_t set;
    int sig;
    (void)opaque;
    stop_set(&set);
    while (sigwait(&set, &sig) == 0) {
        if (atomic_load(&first_signal))
            die(sig);
        atomic_store(&first_signal, sig);
        if (!ask())
            die(sig);
    }
    return NULL;
}

bool host_signals_start(struct error *err)
{
    sigset_t set;
    pthread_t thread;
    stop_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);    /* a file that may not grow is an error of write() */
    int e = pthread_create(&thread, NULL, take_signals, NULL);
    if (e)
        return error_set(err, "cannot start a thread: %s", strerror(e));
    pthread_detach(thread);
    return true;
}

void host_signals_set_port(struct input_port *port)
{
    pthread_mutex_lock(&lock);
    target = port;
    pthread_mutex_unlock(&lock);
}

void host_quit(void) { ask(); }
bool host_quitting(void) { return atomic_load(&quitting); }
int host_quit_signal(void) { return atomic_load(&first_signal); }
