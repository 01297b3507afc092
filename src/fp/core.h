/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The common core of all widths: a number is unpacked, an operation makes an
 * exact result (or one with a sticky tail), and fp_round() brings it to a format.
 *
 * Invariants
 *  1. A FINITE number is (sig:ext) / 2^127 * 2^exp with bit 63 of sig set; operands have
 *     ext == 0.  Bits below ext are ORed into its bit 0, which never decides a tie wrongly
 *     because every rounding position lies at or above bit 63 of ext.
 *  2. A NaN's sig is its significand moved to the left, integer bit set: a payload
 *     keeps its place when a width changes.
 */
#ifndef REPRISE_FP_CORE_H
#define REPRISE_FP_CORE_H

#include "fp/fp.h"

__extension__ typedef unsigned __int128 u128;

enum fp_class { FPC_ZERO, FPC_FINITE, FPC_INF, FPC_QNAN, FPC_SNAN, FPC_UNSUPPORTED };

struct fp_num {
    uint64_t sig, ext;
    int32_t exp;
    uint8_t cls;        /* enum fp_class */
    bool sign;
    bool denormal;      /* the operand was denormal */
};

struct fp_format {
    uint8_t precision;  /* bits of significand, integer bit included */
    int16_t emin, emax;
    int16_t bias_adjust;/* exponent bias of unmasked overflow and underflow; 0: none is delivered */
};

extern const struct fp_format fp_format_f16, fp_format_f32, fp_format_f64, fp_format_f80;
/* The format that x87 arithmetic rounds to under the precision control. */
const struct fp_format *fp_format_x87(const struct fp_env *e);

static inline void fp_raise(struct fp_env *e, unsigned x) { e->raised |= (uint8_t)x; }
static inline bool fp_masked(const struct fp_env *e, unsigned x) { return e->masks & x; }

static inline bool fp_is_nan(const struct fp_num *n) { return n->cls >= FPC_QNAN; }

/* ---- unpacking and packing --------------------------------------------------- */

/* An interchange format of p significand bits and w exponent bits. */
static inline void fp_unpack_ieee(uint64_t v, unsigned p, unsigned w, bool daz, struct fp_num *n)
{
    unsigned biased = (unsigned)(v >> (p - 1) & mask64(w)), ones = (unsigned)mask64(w);
    uint64_t frac = v << (64 - p) & (UINT64_MAX >> 1);
    n->ext = 0;
    n->sign = v >> (p - 1 + w) & 1;
    n->denormal = false;
    n->sig = frac | UINT64_C(1) << 63;
    n->exp = (int32_t)biased - (int32_t)(ones >> 1);
    n->cls = FPC_FINITE;
    if (unlikely(biased == ones)) {
        n->cls = !frac ? FPC_INF : frac >> 62 ? FPC_QNAN : FPC_SNAN;
    } else if (unlikely(biased == 0)) {
        if (!frac || daz) {
            n->cls = FPC_ZERO;
            return;
        }
        unsigned shift = (unsigned)__builtin_clzll(frac);
        n->sig = frac << shift;
        n->exp = 1 - (int32_t)(ones >> 1) - (int32_t)shift;
        n->denormal = true;
    }
}

static inline uint64_t fp_pack_ieee(const struct fp_num *n, unsigned p, unsigned w)
{
    uint64_t ones = mask64(w), sign = (uint64_t)n->sign << (p - 1 + w);
    uint64_t frac = n->sig >> (64 - p) & mask64(p - 1);
    switch (n->cls) {
    case FPC_ZERO:
        return sign;
    case FPC_FINITE:
        return sign | (n->sig >> 63 ? (uint64_t)(n->exp + (int32_t)(ones >> 1)) << (p - 1) : 0) | frac;
    case FPC_INF:
        return sign | ones << (p - 1);
    default:
        return sign | ones << (p - 1) | UINT64_C(1) << (p - 2) | frac;
    }
}

void fp_unpack_f80(struct f80 v, struct fp_num *n);
struct f80 fp_pack_f80(const struct fp_num *n);

/* ---- results ------------------------------------------------------------------- */

static inline void fp_set_zero(struct fp_num *r, bool sign) { *r = (struct fp_num){ .cls = FPC_ZERO, .sign = sign }; }
static inline void fp_set_inf(struct fp_num *r, bool sign)
{
    *r = (struct fp_num){ .cls = FPC_INF, .sign = sign, .sig = UINT64_C(1) << 63 };
}
/* The default NaN ("real indefinite"); fp_set_invalid raises FP_INVALID with it. */
void fp_set_default_nan(const struct fp_env *e, struct fp_num *r);
void fp_set_invalid(struct fp_env *e, struct fp_num *r);
/* sig:ext = v, shifted so that its top bit is bit 127; exp is the exponent bit 127 stood for.  v may be 0. */
void fp_set_wide(struct fp_num *r, bool sign, int32_t exp, u128 v);

/* ---- operands ------------------------------------------------------------------ */

/* Handles NaN and unsupported operands: true if r is the result. */
bool fp_nan1(struct fp_env *e, struct fp_num *r, const struct fp_num *a);
bool fp_nan2(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b);
/* Raises FP_DENORMAL; true if it is unmasked, so that the operation stops and r is of no interest. */
bool fp_denormals(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b);

/* ---- operations: r may be a or b ------------------------------------------------- */

void fp_add(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b, bool subtract);
void fp_mul(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b);
void fp_div(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b);
void fp_sqrt(struct fp_env *e, struct fp_num *r, const struct fp_num *a);
void fp_muladd(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b,
               const struct fp_num *c);
enum fp_relation fp_compare(struct fp_env *e, const struct fp_num *a, const struct fp_num *b, bool quiet);
/* The order of two numbers that are not NaNs. */
enum fp_relation fp_order(const struct fp_num *a, const struct fp_num *b);
bool fp_max_is_first(struct fp_env *e, const struct fp_num *a, const struct fp_num *b, bool min);

/* x / y, which must be below 2^64, and the remainder. */
static inline uint64_t fp_divide(u128 x, uint64_t y, uint64_t *rem)
{
#if defined(__x86_64__) && defined(__GNUC__)
    uint64_t q;
    __asm__("divq %[y]" : "=a"(q), "=d"(*rem) : [y] "r"(y), "a"((uint64_t)x), "d"((uint64_t)(x >> 64)) : "cc");
    return q;
#else
    *rem = (uint64_t)(x % y);
    return (uint64_t)(x / y);
#endif
}

/*
 * sig of the quotient of x, a significand with zeros behind it, and y; *ext is its ext.  A quotient cannot end in
 * exactly half: an odd 65-bit factor would have to divide x.
 */
static inline uint64_t fp_quotient(u128 x, uint64_t y, uint64_t *ext)
{
    uint64_t rem, q = fp_divide(x, y, &rem);
    *ext = rem == 0 ? 0 : rem >= y - rem ? UINT64_C(3) << 62 : 1;
    return q;
}

/* sig and *ext of the root of v, which has bit 127 or 126 set. */
uint64_t fp_root(u128 v, uint64_t *ext);

/* ---- rounding -------------------------------------------------------------------- */

/* Rounds a result to the format, raising overflow, underflow, inexact.  NaNs, zeros, infinities stay. */
void fp_round(struct fp_env *e, struct fp_num *n, const struct fp_format *f);
/* Rounds to an integral value. */
void fp_round_integral(struct fp_env *e, struct fp_num *n, enum fp_rounding rm, bool report);
/* The magnitude and sign as a two's complement integer of that many bits, or invalid and the indefinite. */
uint64_t fp_to_int(struct fp_env *e, const struct fp_num *n, enum fp_rounding rm, unsigned bits, bool is_signed);
void fp_from_int(struct fp_num *r, uint64_t magnitude, bool sign);

/* v >> n with the lost bits ORed into bit 0. */
static inline u128 fp_shift_jam(u128 v, uint32_t n)
{
    if (n == 0)
        return v;
    if (n >= 128)
        return v != 0;
    return v >> n | ((v << (128 - n)) != 0);
}

#endif
