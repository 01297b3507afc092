/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random operands with a taste for the edges of a format. */
#ifndef REPRISE_TESTS_FP_RANDOM_H
#define REPRISE_TESTS_FP_RANDOM_H

#include "fp/fp.h"

struct rng {
    uint64_t s;
};

static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = (r->s += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline unsigned rng_below(struct rng *r, unsigned n) { return (unsigned)((rng_next(r) >> 32) * n >> 32); }

/* A fraction of w bits: random, few bits, runs of ones and zeros, or near an end. */
static inline uint64_t rng_fraction(struct rng *r, unsigned w)
{
    uint64_t v = rng_next(r) & mask64(w);
    switch (rng_below(r, 8)) {
    case 0:
        return 0;
    case 1:
        return mask64(w) - rng_below(r, 4);
    case 2:
        return v & rng_next(r) & rng_next(r) & rng_next(r);
    case 3:
        return (v << rng_below(r, w)) & mask64(w);
    case 4:
        return (mask64(w) >> rng_below(r, w)) & mask64(w);
    case 5:
        return rng_below(r, 4);
    default:
        return v;
    }
}

/* An exponent field of w bits: mostly around the bias, sometimes at the ends. */
static inline unsigned rng_exponent(struct rng *r, unsigned w)
{
    unsigned ones = (unsigned)mask64(w), bias = ones >> 1;
    switch (rng_below(r, 10)) {
    case 0:
        return 0;
    case 1:
        return ones;
    case 2:
        return ones - 1 - rng_below(r, 4);
    case 3:
        return 1 + rng_below(r, w == 15 ? 70 : 4);
    case 4:
        return (unsigned)rng_next(r) & ones;
    case 5:
        return (bias / 2 + rng_below(r, 40)) & ones;
    default:
        return bias + rng_below(r, 64) - 32;
    }
}

static inline uint64_t rng_ieee(struct rng *r, unsigned p, unsigned w)
{
    uint64_t sign = rng_next(r) & 1;
    return sign << (p - 1 + w) | (uint64_t)rng_exponent(r, w) << (p - 1) | rng_fraction(r, p - 1);
}

static inline f80 rng_f80(struct rng *r)
{
    f80 v = { rng_fraction(r, 63) | UINT64_C(1) << 63, (uint16_t)(rng_exponent(r, 15) | (rng_next(r) & 1) << 15) };
    if (!(v.se & 0x7fff) && rng_below(r, 4))
        v.mant &= UINT64_MAX >> (1 + rng_below(r, 63));
    if (rng_below(r, 64) == 0)
        v.mant ^= UINT64_C(1) << 63;
    return v;
}

#endif
