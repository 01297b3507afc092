/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz programs share: options, numbers, mutations. */
#ifndef REPRISE_TESTS_FUZZ_H
#define REPRISE_TESTS_FUZZ_H

#include <stdint.h>

#include "base/alloc.h"

struct fuzz_options {
    uint64_t times, seed, first;    /* turns [first, first + times) of this seed */
    const char *input, *output;     /* both or none */
};
/* -n TIMES, -s SEED or -r (a random one, printed), -f FIRST, -i INPUT -o OUTPUT; exits on anything else. */
struct fuzz_options fuzz_parse(const char *program, int argc, char **argv);

/* A turn of more than so many seconds, each begun by fuzz_turn(), ends the program, which names it. */
void fuzz_turn(const char *program, uint64_t turn, unsigned seconds);

struct fuzz_random {
    uint64_t state;
};
uint64_t fuzz_next(struct fuzz_random *r);
uint64_t fuzz_below(struct fuzz_random *r, uint64_t n);

/* Cuts, flips, inserts, repeats, swaps: one to four of them. */
void fuzz_bytes(struct fuzz_random *r, const uint8_t *data, size_t size, struct buf *out);
/*
 * A mutated log.  Half of them are mutated within a frame or the header and sealed again with right
 * checksums, so that they reach what lies behind the checks.
 */
void fuzz_log_mutation(uint64_t seed, const uint8_t *data, size_t size, struct buf *out);

#endif
