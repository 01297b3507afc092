/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers with 128-bit significands, for the transcendentals, and the tables they use.
 *
 * A wide number is a FINITE or ZERO fp_num whose sig:ext all count.  Each operation
 * truncates: its relative error is below 2^-126.  Fixed-point values are u128 with
 * 127 or 128 fraction bits as said.
 */
#ifndef REPRISE_FP_WIDE_H
#define REPRISE_FP_WIDE_H

#include "fp/core.h"

struct fp_word128 {
    uint64_t hi, lo;
};

extern const struct fp_word128 fp_inverse_factorial[36]; /* 2^127 / n! */
extern const struct fp_word128 fp_inverse_odd[28];       /* 2^127 / (2k + 1) */
extern const struct fp_word128 fp_atan_16th[17];         /* 2^127 * atan(i / 16) */
extern const struct fp_word128 fp_ln2, fp_log2_e, fp_pi, fp_log2_10, fp_log10_2;

static inline u128 word128(struct fp_word128 w) { return (u128)w.hi << 64 | w.lo; }
static inline u128 wide_sig(const struct fp_num *n) { return (u128)n->sig << 64 | n->ext; }

/* A constant with its exponent. */
static inline struct fp_num wide_const(struct fp_word128 w, int32_t exp)
{
    return (struct fp_num){ .sig = w.hi, .ext = w.lo, .exp = exp, .cls = FPC_FINITE };
}

/* The high 128 bits of a product. */
u128 mul_high128(u128 a, u128 b);
/* floor(a * 2^127 / b) for a < 2b. */
u128 div_fraction128(u128 a, u128 b);

void wide_mul(struct fp_num *r, const struct fp_num *a, const struct fp_num *b);
void wide_div(struct fp_num *r, const struct fp_num *a, const struct fp_num *b);
void wide_add(struct fp_num *r, const struct fp_num *a, const struct fp_num *b);

/* A wide number below 1 as fixed point with 128 fraction bits. */
u128 wide_to_fixed(const struct fp_num *n);
/* Fixed point with 127 fraction bits as a wide number. */
void wide_from_fixed(struct fp_num *r, bool sign, u128 v);

/* The sum of c[first], c[first + step], ... (n terms) times rising powers of u (fraction 128), signs alternating
 * or not.  Fraction 127. */
u128 wide_series(const struct fp_word128 *c, unsigned first, unsigned step, unsigned n, u128 u, bool alternating);

/* Moves n by less than its last bit counts: towards or away from zero.  For results that are never exact. */
void wide_nudge(struct fp_num *n, bool up);

#endif
