/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three ports by which a guest talks to its emulator: isa-debug-exit, isa-debugcon, pvpanic
 * (QEMU's docs/specs/pvpanic.rst; the other two are known by use alone).  None of them has state.
 */
#ifndef REPRISE_DEV_ISA_DEBUG_H
#define REPRISE_DEV_ISA_DEBUG_H

#include "dev/chardev.h"
#include "mem/space.h"

struct isa_debug;

/* A write of v to [base, base + size), size 1 to 4, asks to end with status v << 1 | 1: never 0. */
struct isa_debug *debug_exit_new(struct space *io, uint16_t base, uint16_t size,
                                 void (*ask)(void *opaque, int status), void *opaque);

/* Bytes written to base come out of the chardev; reads give readback, by which guests find the port. */
struct isa_debug *debugcon_new(struct space *io, uint16_t base, uint8_t readback, struct chardev *chardev);

/* What a guest may report; reads give those that the device knows. */
enum { PVPANIC_PANICKED = 1, PVPANIC_CRASH_LOADED = 2, PVPANIC_EVENTS = 3 };
struct isa_debug *pvpanic_new(struct space *io, uint16_t base, uint8_t events,
                              void (*report)(void *opaque, uint8_t events), void *opaque);

void isa_debug_free(struct isa_debug *d);   /* NULL is allowed */

#endif
