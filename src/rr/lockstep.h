/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two machines that ought to go the same way, side by side: the first position
 * at which their states differ, and the first field.
 *
 * Nothing is stored between positions.  Both run through the interval in a few
 * dozen strides, comparing hashes; the stride in which they part is run again
 * from the start with finer strides, until the stride is one position.
 */
#ifndef REPRISE_RR_LOCKSTEP_H
#define REPRISE_RR_LOCKSTEP_H

#include "board/machine.h"

struct lockstep_side {
    /* A machine at position 0; called again for every refinement.  NULL: err. */
    struct machine *(*start)(void *opaque, struct error *err);
    void (*stop)(void *opaque, struct machine *m);
    void *opaque;
};

struct lockstep_difference {
    uint64_t position;      /* the first at which the states differ */
    uint64_t pc;            /* of the instruction that was executed on the way there (first side) */
    char field[80];         /* "cpu0.gpr[3]"; "memory" if all described fields agree */
    uint64_t value[2];      /* of the field */
    unsigned more;          /* further fields that differ */
};

enum lockstep_outcome { LOCKSTEP_EQUAL, LOCKSTEP_DIFFERENT, LOCKSTEP_FAILED };

/* Searches positions [from, to]; from is believed to be equal.  LOCKSTEP_FAILED: err. */
enum lockstep_outcome lockstep_search(const struct lockstep_side side[2], uint64_t from, uint64_t to,
                                      struct lockstep_difference *difference, struct error *err);

#endif
