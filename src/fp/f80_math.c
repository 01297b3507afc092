/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x87's exact operations beyond IEEE 754: scale, extract, partial remainder, packed BCD, constants. */
#include "fp/wide.h"

/* ---- FSCALE, FXTRACT (SDM vol. 2) ----------------------------------------------------- */

f80 f80_scale(struct fp_env *e, f80 x, f80 y)
{
    struct fp_num a, b;
    fp_unpack_f80(x, &a);
    fp_unpack_f80(y, &b);
    if (fp_nan2(e, &a, &a, &b))
        return fp_pack_f80(&a);
    if (b.cls == FPC_INF && a.cls == (b.sign ? FPC_INF : FPC_ZERO)) {
        fp_set_invalid(e, &a);
        return fp_pack_f80(&a);
    }
    if (fp_denormals(e, &a, &a, &b))
        return fp_pack_f80(&a);
    if (b.cls == FPC_INF && a.cls != FPC_INF && a.cls != FPC_ZERO) {
        if (b.sign)
            fp_set_zero(&a, a.sign);
        else
            fp_set_inf(&a, a.sign);
    } else if (b.cls == FPC_FINITE && b.exp >= 0) {
        /* Beyond 2^17 every finite number is out of range, biased or not. */
        int32_t n = b.exp > 16 ? 1 << 17 : (int32_t)(b.sig >> (63 - b.exp));
        a.exp += b.sign ? -n : n;
    }
    fp_round(e, &a, &fp_format_f80);
    return fp_pack_f80(&a);
}

f80 f80_extract(struct fp_env *e, f80 x, f80 *exponent)
{
    struct fp_num a, n;
    fp_unpack_f80(x, &a);
    if (fp_nan1(e, &a, &a) || fp_denormals(e, &a, &a, &a)) {
        n = a;
    } else if (a.cls == FPC_ZERO) {
        fp_raise(e, FP_DIVZERO);
        fp_set_inf(&n, true);
    } else if (a.cls == FPC_INF) {
        fp_set_inf(&n, false);
    } else {
        fp_from_int(&n, (uint64_t)(a.exp < 0 ? -a.exp : a.exp), a.exp < 0);
        a.exp = 0;
    }
    *exponent = fp_pack_f80(&n);
    return fp_pack_f80(&a);
}

/* ---- FPREM, FPREM1 ---------------------------------------------------------------------- */

/*
 * a - b * 2^scale * Q, with Q = a / (b * 2^scale) truncated or, if nearest, rounded to even.
 * The exponents differ by less than 64 after scaling, so that Q fits 64 bits.
 */
static uint64_t reduce(struct fp_num *a, const struct fp_num *b, int32_t scale, bool nearest)
{
    int32_t exp_b = b->exp + scale, d = a->exp - exp_b;
    u128 den = b->sig, num = a->sig;
    int32_t exp = exp_b;            /* of bit 63 of the remainder */
    if (d >= 0) {
        num <<= d;
    } else {                        /* FPREM1 with a between b/2 and b (or below: no reduction) */
        den <<= 1;
        exp = a->exp;
    }
    u128 q = num / den, rem = num - q * den;
    bool sign = a->sign;
    if (nearest && (2 * rem > den || (2 * rem == den && (q & 1)))) {
        rem = den - rem;
        q++;
        sign = !sign;
    }
    if (rem == 0)
        fp_set_zero(a, a->sign);
    else
        fp_set_wide(a, sign, exp + 1, rem << 63);
    return (uint64_t)q;
}

f80 f80_rem(struct fp_env *e, f80 x, f80 y, bool nearest, uint64_t *quotient, bool *partial)
{
    struct fp_num a, b;
    fp_unpack_f80(x, &a);
    fp_unpack_f80(y, &b);
    *quotient = 0;
    *partial = false;
    if (fp_nan2(e, &a, &a, &b))
        return fp_pack_f80(&a);
    if (a.cls == FPC_INF || b.cls == FPC_ZERO) {
        fp_set_invalid(e, &a);
        return fp_pack_f80(&a);
    }
    if (fp_denormals(e, &a, &a, &b))
        return fp_pack_f80(&a);
    if (a.cls == FPC_FINITE && b.cls == FPC_FINITE) {
        int32_t d = a.exp - b.exp;
        if (d >= 64) {
            /* The SDM lets the implementation choose how far, 32 to 63 bits: so that D becomes a multiple of 32. */
            int32_t n = 32 + d % 32;
            *partial = true;
            reduce(&a, &b, d - n, false);
        } else if (d >= (nearest ? -1 : 0)) {
            *quotient = reduce(&a, &b, 0, nearest);
        }
    }
    fp_round(e, &a, &fp_format_f80);
    return fp_pack_f80(&a);
}

/* ---- packed BCD (SDM vol. 1, 4.7) --------------------------------------------------------- */

f80 f80_from_bcd(const uint8_t *bcd)
{
    uint64_t v = 0;
    for (int i = 8; i >= 0; i--)
        v = v * 100 + (uint64_t)(bcd[i] >> 4) * 10 + (bcd[i] & 15);
    struct fp_num n;
    fp_from_int(&n, v, bcd[9] >> 7);
    return fp_pack_f80(&n);
}

void f80_to_bcd(struct fp_env *e, f80 x, uint8_t *bcd)
{
    static const uint8_t indefinite[10] = { 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff };
    struct fp_num n;
    struct fp_env own = *e;
    fp_unpack_f80(x, &n);
    bool sign = n.sign;
    n.sign = false;
    if (own.rounding == FP_DOWN || own.rounding == FP_UP)
        own.rounding = sign == (own.rounding == FP_DOWN) ? FP_UP : FP_DOWN;
    own.raised = 0;
    uint64_t v = fp_to_int(&own, &n, (enum fp_rounding)own.rounding, 64, false);
    if (own.raised & FP_INVALID || v >= UINT64_C(1000000000000000000)) {
        fp_raise(e, FP_INVALID);
        memcpy(bcd, indefinite, sizeof indefinite);
        return;
    }
    fp_raise(e, own.raised);
    for (int i = 0; i < 9; i++, v /= 100)
        bcd[i] = (uint8_t)(v / 10 % 10 << 4 | v % 10);
    bcd[9] = (uint8_t)(sign << 7);
}

/* ---- FLDPI and the like ---------------------------------------------------------------------- */

/* Rounded by RC, without exceptions (SDM vol. 1, 8.3.8). */
f80 f80_constant(const struct fp_env *e, enum fp_constant which)
{
    struct fp_env own = { .rounding = e->rounding, .masks = FP_ALL };
    struct fp_num n = { .cls = FPC_ZERO };
    switch (which) {
    case FP_CONST_1:
        fp_from_int(&n, 1, false);
        break;
    case FP_CONST_L2T:
        n = wide_const(fp_log2_10, 1);
        break;
    case FP_CONST_L2E:
        n = wide_const(fp_log2_e, 0);
        break;
    case FP_CONST_PI:
        n = wide_const(fp_pi, 1);
        break;
    case FP_CONST_LG2:
        n = wide_const(fp_log10_2, -2);
        break;
    case FP_CONST_LN2:
        n = wide_const(fp_ln2, -1);
        break;
    case FP_CONST_0:
        break;
    }
    fp_round(&own, &n, &fp_format_f80);
    return fp_pack_f80(&n);
}
