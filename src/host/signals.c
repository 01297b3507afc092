/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals are taken by a thread of their own, so that the request needs no signal-safe path. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "host/host.h"

static void *waiter(void *arg)
{
    sigset_t set;
    int sig;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    for (unsigned n = 0;; n++) {
        if (sigwait(&set, &sig))
            continue;
        if (n)
            exit(128 + sig);
        input_post_request(arg, REQUEST_QUIT);
    }
    return NULL;
}

void host_signals_to(struct input_port *port)
{
    pthread_t thread;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (pthread_create(&thread, NULL, waiter, port))
        panic("no thread for signals");
    pthread_detach(thread);
}
