/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completions (QEMU's bottom halves) and work done on other threads.
 *
 * The simulation thread submits work; a pool thread runs it; its completion
 * callback then runs on the simulation thread.  A *replayable* completion
 * touches the guest: the recorder logs (source number, position) when it is
 * flushed, and the replayer waits for the host's work to be finished and runs
 * the callback exactly there.  A non-replayable one (image metadata,
 * snapshots) runs whenever it is ready and must leave no trace in the guest.
 *
 * Invariant: requests are numbered in submission order, which is
 * deterministic; the log names them by that number.
 */
#ifndef REPRISE_SIM_COMPLETION_H
#define REPRISE_SIM_COMPLETION_H

#include "sim/input.h"

enum completion_kind { COMPLETION_REPLAYABLE, COMPLETION_INTERNAL };

/* Runs `done` at the next flush (a bottom half). */
void completion_schedule(struct input_port *port, enum completion_kind kind, void (*done)(void *opaque),
                         void *opaque);

/* Runs work(opaque) on a pool thread, then done(opaque, result) at a flush on the simulation thread. */
void completion_submit(struct input_port *port, enum completion_kind kind, int (*work)(void *opaque),
                       void (*done)(void *opaque, int result), void *opaque);

/* The pool: declared here, implemented by host/ (threads are the OS's). */
struct work_pool {
    /* Queues run(arg) for some other thread; any order. */
    void (*run)(void *opaque, void (*run)(void *arg), void *arg);
    void *opaque;
};
void input_set_work_pool(struct input_port *port, const struct work_pool *pool);

#endif
