/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt wires: a device drives a line, somebody listens.  A wire is plain
 * wiring (not state): the listener keeps the level in its own state.
 */
#ifndef REPRISE_DEV_IRQ_H
#define REPRISE_DEV_IRQ_H

#include "base/bits.h"

struct irq {
    void (*set)(void *opaque, unsigned n, bool level);
    void *opaque;
    unsigned n;
};

/* An unconnected wire is allowed. */
static inline void irq_set(const struct irq *w, bool level)
{
    if (w && w->set)
        w->set(w->opaque, w->n, level);
}

static inline void irq_pulse(const struct irq *w)
{
    irq_set(w, true);
    irq_set(w, false);
}

#endif
