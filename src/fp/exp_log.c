/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * F2XM1, FYL2X, FYL2XP1.  Defined by us as the exact result computed to about 2^-120 and
 * rounded once; special cases as in the SDM's tables (vol. 2).
 */
#include "fp/wide.h"

static f80 finish(struct fp_env *e, struct fp_num *n)
{
    fp_round(e, n, &fp_format_f80);
    return fp_pack_f80(n);
}

/* ---- 2^x - 1 --------------------------------------------------------------------------- */

f80 f80_2xm1(struct fp_env *e, f80 x)
{
    struct fp_num a, ln2 = wide_const(fp_ln2, -1), s;
    fp_unpack_f80(x, &a);
    if (fp_nan1(e, &a, &a) || fp_denormals(e, &a, &a, &a))
        return fp_pack_f80(&a);
    if (a.cls == FPC_INF && a.sign)
        return fp_pack_f80(&(struct fp_num){ .cls = FPC_FINITE, .sign = true, .sig = UINT64_C(1) << 63 });
    if (a.cls != FPC_FINITE)
        return x;
    if (a.exp >= 0) {
        if (a.exp > 0 || a.sig << 1) {
            fp_raise(e, FP_INEXACT);        /* out of the operand's range: unchanged */
            return x;
        }
        a.exp -= a.sign;                    /* 1 and -1/2 */
        return fp_pack_f80(&a);
    }
    /* y = x ln 2; e^y - 1 = y (1 + y/2! + y^2/3! ...) */
    wide_mul(&a, &a, &ln2);
    wide_from_fixed(&s, false, wide_series(fp_inverse_factorial, 1, 1, 34, wide_to_fixed(&a), a.sign));
    wide_mul(&a, &a, &s);
    wide_nudge(&a, true);
    return finish(e, &a);
}

/* ---- logarithms -------------------------------------------------------------------------- */

/* log2 of (1 + z) / (1 - z) for |z| < 0.172: 2 log2(e) (z + z^3/3 + z^5/5 ...) */
static void log2_ratio(struct fp_num *r, const struct fp_num *z)
{
    struct fp_num u, s, factor = wide_const(fp_log2_e, 1);
    wide_mul(&u, z, z);
    wide_from_fixed(&s, false, wide_series(fp_inverse_odd, 0, 1, 27, wide_to_fixed(&u), false));
    wide_mul(&s, &s, z);
    wide_mul(r, &s, &factor);
}

/* log2 of a positive number that is not a power of two. */
static void log2_wide(struct fp_num *r, const struct fp_num *x)
{
    const struct fp_num one = { .cls = FPC_FINITE, .sig = UINT64_C(1) << 63 };
    struct fp_num m = *x, minus_one = one, num, den, z, n;
    /* m between sqrt(1/2) and sqrt(2), so that log2 m never cancels with n. */
    bool high = m.sig > UINT64_C(0xb504f333f9de6484);
    int32_t exponent = m.exp + high;
    m.exp = -(int32_t)high;
    minus_one.sign = true;
    wide_add(&num, &m, &minus_one);
    wide_add(&den, &m, &one);
    wide_div(&z, &num, &den);
    log2_ratio(&z, &z);
    fp_from_int(&n, (uint64_t)(exponent < 0 ? -exponent : exponent), exponent < 0);
    wide_add(r, &n, &z);
}

/* y times a logarithm that is not exact. */
static f80 times(struct fp_env *e, const struct fp_num *y, const struct fp_num *log)
{
    struct fp_num r;
    wide_mul(&r, y, log);
    wide_nudge(&r, true);
    return finish(e, &r);
}

static f80 invalid(struct fp_env *e)
{
    struct fp_num r;
    fp_set_invalid(e, &r);
    return fp_pack_f80(&r);
}

static f80 infinity(bool sign)
{
    struct fp_num r;
    fp_set_inf(&r, sign);
    return fp_pack_f80(&r);
}

static f80 zero(bool sign) { return (f80){ 0, (uint16_t)(sign << 15) }; }

static bool is_one(const struct fp_num *a) { return a->cls == FPC_FINITE && a->exp == 0 && !(a->sig << 1); }

f80 f80_yl2x(struct fp_env *e, f80 x, f80 y)
{
    struct fp_num a, b, log;
    fp_unpack_f80(x, &a);
    fp_unpack_f80(y, &b);
    if (fp_nan2(e, &log, &a, &b))
        return fp_pack_f80(&log);
    if ((a.sign && a.cls != FPC_ZERO) || (b.cls == FPC_ZERO && a.cls != FPC_FINITE) || (b.cls == FPC_INF && is_one(&a)))
        return invalid(e);
    if (a.cls == FPC_ZERO) {
        if (b.cls == FPC_FINITE)
            fp_raise(e, FP_DIVZERO);
        else if (fp_denormals(e, &log, &a, &b))
            return fp_pack_f80(&log);
        return infinity(!b.sign);
    }
    if (fp_denormals(e, &log, &a, &b))
        return fp_pack_f80(&log);
    bool below_one = a.cls == FPC_FINITE && a.exp < 0;
    if (a.cls == FPC_INF || b.cls == FPC_INF)
        return infinity(b.sign ^ below_one);
    if (b.cls == FPC_ZERO)
        return zero(b.sign ^ below_one);
    if (a.sig << 1) {
        log2_wide(&log, &a);
        return times(e, &b, &log);
    }
    /* A power of two: the logarithm is an integer. */
    if (a.exp == 0)
        return zero(b.sign);
    fp_from_int(&log, (uint64_t)(a.exp < 0 ? -a.exp : a.exp), a.exp < 0);
    wide_mul(&log, &log, &b);
    return finish(e, &log);
}

/* The operand's range is |x| < 1 - sqrt(1/2); beyond it we go on with the same function down to -1. */
f80 f80_yl2xp1(struct fp_env *e, f80 x, f80 y)
{
    const struct fp_num one = { .cls = FPC_FINITE, .sig = UINT64_C(1) << 63 };
    struct fp_num a, b, log, sum, two = one;
    fp_unpack_f80(x, &a);
    fp_unpack_f80(y, &b);
    if (fp_nan2(e, &log, &a, &b))
        return fp_pack_f80(&log);
    if ((a.cls == FPC_ZERO && b.cls == FPC_INF) || (a.cls == FPC_INF && (a.sign || b.cls == FPC_ZERO)))
        return invalid(e);
    if (fp_denormals(e, &log, &a, &b))
        return fp_pack_f80(&log);
    if (a.cls == FPC_INF || b.cls == FPC_INF)
        return infinity(a.sign ^ b.sign);
    if (a.cls == FPC_ZERO || b.cls == FPC_ZERO)
        return zero(a.sign ^ b.sign);
    if (a.sign && a.exp >= 0) {
        fp_raise(e, FP_INEXACT);           /* no logarithm: unchanged */
        return x;
    }
    wide_add(&sum, &one, &a);
    if (a.exp < -2 || (a.exp == -2 && a.sig < UINT64_C(0x95f619980c4336f7))) {
        two.exp = 1;
        wide_add(&sum, &two, &a);
        wide_div(&a, &a, &sum);
        log2_ratio(&log, &a);
    } else if (sum.sig << 1 || sum.ext) {
        log2_wide(&log, &sum);
    } else {
        fp_from_int(&log, (uint64_t)(sum.exp < 0 ? -sum.exp : sum.exp), sum.exp < 0);
        wide_mul(&log, &log, &b);
        return finish(e, &log);
    }
    return times(e, &b, &log);
}
