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
    uint8_t code[15];       /* the bytes there, as far as they are in RAM */
    unsigned n_code;
    char field[80];         /* "cpu0.gpr[3]"; "memory" if all described fields agree */
    uint64_t value[2];      /* of the field */
    unsigned more;          /* further fields that differ */
};

enum lockstep_outcome { LOCKSTEP_EQUAL, LOCKSTEP_DIFFERENT, LOCKSTEP_FAILED };

/* Searches positions [from, to]; from is believed to be equal.  LOCKSTEP_FAILED: err. */
enum lockstep_outcome lockstep_search(const struct lockstep_side side[2], uint64_t from, uint64_t to,
                                      struct lockstep_difference *difference, struct error *err);

/* A walk over the whole of two runs. */
struct lockstep_walk {
    uint64_t every;                              /* positions between two comparisons, at least 1 */
    /* Both are equal at this position.  False: stop here (LOCKSTEP_FAILED). */
    bool (*progress)(void *opaque, uint64_t position, struct error *err);
    /* Both have ended, and are equal.  False: not as they should (LOCKSTEP_FAILED). */
    bool (*ended)(void *opaque, enum machine_stop why, struct error *err);
    void *opaque;
};

/* From position 0 to the end of both; where they differ, the first position of that is searched. */
enum lockstep_outcome lockstep_follow(const struct lockstep_side side[2], const struct lockstep_walk *walk,
                                      struct lockstep_difference *difference, struct error *err);

#endif
