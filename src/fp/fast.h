/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The common case of arithmetic, compares, narrowing and conversion to
 * integers: normal numbers, and a result that is normal or an integer well
 * within its type.  It raises nothing but inexact, so nothing of the
 * environment matters but rounding and precision, and numbers need no
 * unpacking.  What it does not decide (false) is untouched, for the general
 * functions, which give the same where both can.
 *
 * What numbers decide (which is larger, whether to round up) is random to a
 * branch predictor, and a wrong guess costs more than an addition: such things
 * are computed, not branched on.
 */
#ifndef REPRISE_FP_FAST_H
#define REPRISE_FP_FAST_H

#include "fp/core.h"

/* Significand with bit 63 set, biased exponent. */
struct fp_normal {
    uint64_t sig;
    int32_t exp;
    bool sign;
};
/* (sig:ext) / 2^127 * 2^exp, as in core.h; exp is biased. */
struct fp_wide_normal {
    uint64_t sig, ext;
    int32_t exp;
    bool sign;
};

/* p significand bits, w exponent bits; false: not a normal number. */
static inline bool fp_normal_ieee(uint64_t v, unsigned p, unsigned w, struct fp_normal *n)
{
    unsigned exp = (unsigned)(v >> (p - 1) & mask64(w));
    *n = (struct fp_normal){ v << (64 - p) | UINT64_C(1) << 63, (int32_t)exp, v >> (p - 1 + w) & 1 };
    return exp - 1 < mask64(w) - 1;
}

static inline bool fp_normal_f80(struct f80 v, struct fp_normal *n)
{
    unsigned exp = v.se & 0x7fff;
    *n = (struct fp_normal){ v.mant, (int32_t)exp, v.se >> 15 };
    return exp - 1 < 0x7ffe && v.mant >> 63;
}

/* hi:lo to the left, by 0 to 63 bits. */
static inline void fp_shift_left(struct fp_wide_normal *r, uint64_t hi, uint64_t lo, unsigned by)
{
    r->sig = hi << by | lo >> 1 >> (63 - by);
    r->ext = lo << by;
}

static inline bool fp_fast_add(struct fp_wide_normal *r, struct fp_normal a, struct fp_normal b, int32_t bias)
{
    (void)bias;
    uint64_t swap = (a.exp < b.exp) | ((a.exp == b.exp) & (a.sig < b.sig)), minus = a.sign ^ b.sign;
    uint64_t other = (a.sig ^ b.sig) & (0 - swap), large = a.sig ^ other, small = b.sig ^ other;
    int32_t exp = a.exp ^ ((a.exp ^ b.exp) & -(int32_t)swap);
    uint32_t d = (uint32_t)(2 * exp - a.exp - b.exp);
    uint64_t y = small >> (d & 63), ext = small << 1 << (63 - (d & 63));
    if (unlikely(d >= 64)) {
        ext = d == 64 ? small : d < 128 ? y | 1 : 1;      /* below one half, but for 64 */
        y = 0;
    }
    /* large:0 plus y:ext, or that negated; a carry out is of an addition, and with it ext is even. */
    uint64_t lo = (ext ^ (0 - minus)) + minus, sum = large + (y ^ (0 - minus)) + (minus & !ext);
    uint64_t carry = (sum < large) & !minus, hi = sum >> carry | carry << 63;
    lo = lo >> carry | (sum & carry) << 63;
    if (unlikely(hi == 0))
        return false; /* the sign of 0 depends; and cancellation this far is rare */
    unsigned shift = (unsigned)__builtin_clzll(hi);
    fp_shift_left(r, hi, lo, shift);
    r->exp = exp + (int32_t)carry - (int32_t)shift;
    r->sign = a.sign ^ (swap & minus);
    return true;
}

static inline bool fp_fast_sub(struct fp_wide_normal *r, struct fp_normal a, struct fp_normal b, int32_t bias)
{
    b.sign = !b.sign;
    return fp_fast_add(r, a, b, bias);
}

static inline bool fp_fast_mul(struct fp_wide_normal *r, struct fp_normal a, struct fp_normal b, int32_t bias)
{
    u128 p = (u128)a.sig * b.sig;
    unsigned shift = !(p >> 127);
    fp_shift_left(r, (uint64_t)(p >> 64), (uint64_t)p, shift);
    r->exp = a.exp + b.exp + 1 - bias - (int32_t)shift;
    r->sign = a.sign != b.sign;
    return true;
}

static inline bool fp_fast_div(struct fp_wide_normal *r, struct fp_normal a, struct fp_normal b, int32_t bias)
{
    bool less = a.sig < b.sig;
    r->sig = fp_quotient((u128)a.sig << (less ? 64 : 63), b.sig, &r->ext);
    r->exp = a.exp - b.exp + bias - less;
    r->sign = a.sign != b.sign;
    return true;
}

static inline bool fp_fast_sqrt(struct fp_wide_normal *r, struct fp_normal a, int32_t bias)
{
    bool odd = (a.exp - bias) & 1;
    if (unlikely(a.sign))
        return false;
    r->sig = fp_root((u128)a.sig << (odd ? 64 : 63), &r->ext);
    r->exp = (a.exp - bias - odd) / 2 + bias;
    r->sign = false;
    return true;
}

static inline enum fp_relation fp_fast_compare(struct fp_normal a, struct fp_normal b)
{
    if (a.sign != b.sign)
        return a.sign ? FP_LESS : FP_GREATER;
    if (a.exp == b.exp && a.sig == b.sig)
        return FP_EQUAL;
    return (a.exp < b.exp || (a.exp == b.exp && a.sig < b.sig)) != a.sign ? FP_LESS : FP_GREATER;
}

static inline bool fp_fast_rounds_up(unsigned rounding, bool sign, bool odd, uint64_t rest)
{
    const uint64_t half = UINT64_C(1) << 63;
    if (likely(rounding == FP_NEAREST_EVEN))
        return rest > half - odd;
    return rest && (rounding == FP_UP ? !sign : rounding == FP_DOWN ? sign : false);
}

static inline void fp_fast_report(struct fp_env *e, bool inexact, bool up)
{
    unsigned c1 = up & (e->nan_rule == FP_NAN_X87);   /* what is rounded up is inexact */
    e->raised = (uint8_t)(e->raised | inexact * FP_INEXACT | c1 * FP_ROUNDED_UP);
}

/* n, with an exponent biased by `bias`, as a signed integer of that many bits.  False: it may not be one. */
static inline bool fp_fast_to_int(struct fp_env *e, struct fp_normal n, int32_t bias, unsigned rounding, unsigned bits,
                                  uint64_t *r)
{
    int32_t exp = n.exp - bias;
    if (unlikely(exp < 0 || exp >= (int32_t)bits - 2))
        return false;
    uint64_t q = n.sig >> (63 - exp), rest = n.sig << 1 << exp;
    bool up = fp_fast_rounds_up(rounding, n.sign, q & 1, rest);
    fp_fast_report(e, rest, up);
    q += up;
    *r = n.sign ? 0 - q : q;
    return true;
}

/*
 * Rounds away the low `drop` bits (0..63) of r->sig, and r->ext.  False: the result is not a normal number with a
 * biased exponent up to max_exp, and nothing has been raised.
 */
static inline bool fp_fast_round(struct fp_env *e, struct fp_wide_normal *r, unsigned drop, int32_t max_exp)
{
    uint64_t rest = drop ? r->sig << (64 - drop) | (r->ext != 0) : r->ext, q = r->sig >> drop;
    bool up = fp_fast_rounds_up(e->rounding, r->sign, q & 1, rest);
    uint64_t sig = (q + up) << drop;
    bool carry = up && sig == 0;
    int32_t exp = r->exp + carry;
    if (unlikely(exp < 1 || exp > max_exp))
        return false;
    r->sig = carry ? UINT64_C(1) << 63 : sig;
    r->exp = exp;
    fp_fast_report(e, rest, up);
    return true;
}

/* Rounds to an interchange format, as above. */
static inline bool fp_fast_ieee(struct fp_env *e, struct fp_wide_normal *n, unsigned p, unsigned w, uint64_t *r)
{
    if (!fp_fast_round(e, n, 64 - p, (int32_t)mask64(w) - 1))
        return false;
    *r = (uint64_t)n->sign << (p - 1 + w) | (uint64_t)n->exp << (p - 1) | (n->sig << 1) >> (65 - p);
    return true;
}

/* n, with an exponent biased by `bias`, to an interchange format. */
static inline bool fp_fast_narrow(struct fp_env *e, struct fp_normal n, int32_t bias, unsigned p, unsigned w,
                                  uint64_t *r)
{
    struct fp_wide_normal wide = { n.sig, 0, n.exp - bias + ((int32_t)mask64(w) >> 1), n.sign };
    return fp_fast_ieee(e, &wide, p, w, r);
}

#endif
