/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IEEE 754 and x87 arithmetic in software, bit-exact on every host.
 *
 * Numbers are passed as bit patterns.  Every operation takes the environment,
 * ORs the exceptions it raises into env->raised, and returns the result for
 * masked exceptions (unmasked ones are the caller's: it looks at raised & ~masks).
 * Exception bits are x86's: MXCSR bits 0..5 and the x87 status word bits 0..5
 * (Intel SDM vol. 1, 10.2.3 and 8.1.3).
 */
#ifndef REPRISE_FP_FP_H
#define REPRISE_FP_FP_H

#include "base/bits.h"

typedef uint16_t f16;
typedef uint32_t f32;
typedef uint64_t f64;
/* x87 double extended: explicit integer bit in mant's bit 63; se = sign and 15-bit exponent. */
struct f80 {
    uint64_t mant;
    uint16_t se;
};

enum fp_exception {
    FP_INVALID = 1,
    FP_DENORMAL = 2,     /* an operand was denormal */
    FP_DIVZERO = 4,
    FP_OVERFLOW = 8,
    FP_UNDERFLOW = 16,
    FP_INEXACT = 32,
    FP_ALL = 63,
    /* Not an exception.  Under FP_NAN_X87 only: the result was rounded up in magnitude (x87's C1). */
    FP_ROUNDED_UP = 128,
};

/* In x86's RC encoding. */
enum fp_rounding { FP_NEAREST_EVEN = 0, FP_DOWN = 1, FP_UP = 2, FP_TO_ZERO = 3 };

enum fp_nan_rule {
    FP_NAN_SSE,   /* first operand if it is a NaN, else the second; quieted */
    FP_NAN_X87,   /* the NaN with the larger significand (SDM vol. 1, table 4-7) */
    FP_NAN_ARM,   /* signalling first, then operand order; optional default NaN */
    FP_NAN_DEFAULT,
};

/* Eight bytes; part of guest state, so every field is a plain integer. */
struct fp_env {
    uint8_t rounding;    /* enum fp_rounding */
    uint8_t masks;       /* 1: masked (default response), by FP_* bits */
    uint8_t flags;       /* sticky exceptions; the caller ORs raised into it */
    uint8_t raised;      /* exceptions of the operations since the caller cleared it */
    uint8_t daz;         /* 1: denormal operands count as zero (no FP_DENORMAL) */
    uint8_t ftz;         /* 1: tiny results become zero when underflow is masked */
    uint8_t nan_rule;    /* enum fp_nan_rule */
    uint8_t precision;   /* f80 arithmetic rounds to: 0 = 24, 2 = 53, 3 = 64 bits (x87 PC) */
};

/*
 * Unmasked responses: with underflow unmasked, tiny results raise FP_UNDERFLOW
 * even when exact.  For x87 (f80 functions) an unmasked overflow/underflow
 * delivers the result with its exponent biased by 24576 (SDM vol. 1, 8.5.4 and 8.5.5).
 */

/* Outcomes of compares. */
enum fp_relation { FP_LESS = -1, FP_EQUAL = 0, FP_GREATER = 1, FP_UNORDERED = 2 };

#define FP_DECLARE_BINARY(T)                                                             \
    T T##_add(struct fp_env *e, T a, T b);                                               \
    T T##_sub(struct fp_env *e, T a, T b);                                               \
    T T##_mul(struct fp_env *e, T a, T b);                                               \
    T T##_div(struct fp_env *e, T a, T b);                                               \
    T T##_sqrt(struct fp_env *e, T a);                                                   \
    /* Round to an integral value in rounding mode rm; inexact raises FP_INEXACT if report. */ \
    T T##_round(struct fp_env *e, T a, enum fp_rounding rm, bool report);                \
    /* quiet: only signalling NaNs raise FP_INVALID. */                                  \
    enum fp_relation T##_compare(struct fp_env *e, T a, T b, bool quiet);                \
    /* Out of range or NaN: FP_INVALID and the "integer indefinite" (only the top bit set). */ \
    int32_t T##_to_i32(struct fp_env *e, T a, enum fp_rounding rm);                      \
    int64_t T##_to_i64(struct fp_env *e, T a, enum fp_rounding rm);                      \
    uint32_t T##_to_u32(struct fp_env *e, T a, enum fp_rounding rm);                     \
    uint64_t T##_to_u64(struct fp_env *e, T a, enum fp_rounding rm);                     \
    T T##_from_i32(struct fp_env *e, int32_t a);                                         \
    T T##_from_i64(struct fp_env *e, int64_t a);                                         \
    T T##_from_u64(struct fp_env *e, uint64_t a);

typedef struct f80 f80;
FP_DECLARE_BINARY(f32)
FP_DECLARE_BINARY(f64)
FP_DECLARE_BINARY(f80)

/* a * b + c with one rounding. */
f32 f32_muladd(struct fp_env *e, f32 a, f32 b, f32 c);
f64 f64_muladd(struct fp_env *e, f64 a, f64 b, f64 c);

/* SSE MIN/MAX: the second operand if either is a NaN (FP_INVALID) or both are zero (SDM: MINPS). */
f32 f32_min_sse(struct fp_env *e, f32 a, f32 b);
f32 f32_max_sse(struct fp_env *e, f32 a, f32 b);
f64 f64_min_sse(struct fp_env *e, f64 a, f64 b);
f64 f64_max_sse(struct fp_env *e, f64 a, f64 b);

f64 f32_to_f64(struct fp_env *e, f32 a);
f32 f64_to_f32(struct fp_env *e, f64 a);
f80 f32_to_f80(struct fp_env *e, f32 a);
f80 f64_to_f80(struct fp_env *e, f64 a);
f32 f80_to_f32(struct fp_env *e, f80 a);
f64 f80_to_f64(struct fp_env *e, f80 a);
f32 f16_to_f32(struct fp_env *e, f16 a);
f16 f32_to_f16(struct fp_env *e, f32 a, enum fp_rounding rm);

int16_t f80_to_i16(struct fp_env *e, f80 a, enum fp_rounding rm);

/* ---- x87 ----------------------------------------------------------------------------- */

/* x * 2^trunc(y).  Massive overflow and underflow as in the SDM (vol. 1, 8.5.4, 8.5.5). */
f80 f80_scale(struct fp_env *e, f80 x, f80 y);
/* FXTRACT: the significand as a number in [1, 2), and the unbiased exponent. */
f80 f80_extract(struct fp_env *e, f80 x, f80 *exponent);
/* FPREM (truncating) and FPREM1 (nearest): *partial when the reduction is not complete; else *quotient's
 * low three bits are those of the quotient. */
f80 f80_rem(struct fp_env *e, f80 x, f80 y, bool nearest, uint64_t *quotient, bool *partial);
/* Ten bytes of packed BCD. */
f80 f80_from_bcd(const uint8_t *bcd);
void f80_to_bcd(struct fp_env *e, f80 x, uint8_t *bcd);

enum fp_constant { FP_CONST_1, FP_CONST_L2T, FP_CONST_L2E, FP_CONST_PI, FP_CONST_LG2, FP_CONST_LN2, FP_CONST_0 };
f80 f80_constant(const struct fp_env *e, enum fp_constant which);  /* in the order of D9 E8..EE */

/*
 * Transcendentals, defined by us: the mathematical result (of the argument reduced with a
 * 66-bit pi) to far more than 64 bits, rounded once.  False: |x| >= 2^63, nothing done (C2).
 */
f80 f80_2xm1(struct fp_env *e, f80 x);
f80 f80_yl2x(struct fp_env *e, f80 x, f80 y);     /* y * log2(x) */
f80 f80_yl2xp1(struct fp_env *e, f80 x, f80 y);   /* y * log2(x + 1) */
f80 f80_atan2(struct fp_env *e, f80 y, f80 x);
bool f80_sin(struct fp_env *e, f80 x, f80 *r);
bool f80_cos(struct fp_env *e, f80 x, f80 *r);
bool f80_tan(struct fp_env *e, f80 x, f80 *r);
bool f80_sincos(struct fp_env *e, f80 x, f80 *sin, f80 *cos);

/* ---- approximations -------------------------------------------------------------------- */

/* RCPPS, RSQRTPS: our own approximation, relative error below 1.5 * 2^-12 (SDM); raise nothing. */
f32 f32_recip_approx(f32 a);
f32 f32_rsqrt_approx(f32 a);

#endif
