/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The human monitor: a prompt beside the guest, with QEMU's command names.
 *
 * Invariants
 *  1. Commands run on the simulation thread between two runs (a visit, sim/input.h), so they see one
 *     machine state.  They only look: what changes the guest is asked for through the input port, which logs it.
 *  2. In replay, or when the machine has stopped, commands that change the guest refuse.
 */
#ifndef REPRISE_DEBUG_MONITOR_H
#define REPRISE_DEBUG_MONITOR_H

#include "board/machine.h"

struct monitor_config {
    struct machine *machine;       /* borrowed, and so is all the rest */
    struct input_port *port;
    struct chardev *chardev;       /* its front becomes the monitor */
    const char *version;           /* "reprise 0.1.0" */
    const char *fixed;             /* why the guest cannot be changed: "this is a replay"; NULL: it can */
    void (*quit)(void *opaque);    /* the user wants to end the program */
    void *opaque;
};

struct monitor;

/* While wiring, when the machine is there. */
struct monitor *monitor_new(const struct monitor_config *config);

/* The machine has stopped, and stays: from now on it is fixed, and this is why. */
void monitor_stopped(struct monitor *m, const char *why);

/* Once the chardev is closed and the port does not poll any more.  No-op for NULL. */
void monitor_free(struct monitor *m);

#endif
