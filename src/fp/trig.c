/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FSIN, FCOS, FSINCOS, FPTAN, FPATAN.  The argument is reduced exactly by the 66-bit pi that the
 * processors use (SDM vol. 1, 8.3.8); the rest is computed to about 2^-120 and rounded once.
 */
#include "fp/wide.h"

static f80 finish(struct fp_env *e, struct fp_num *n)
{
    fp_round(e, n, &fp_format_f80);
    return fp_pack_f80(n);
}

/* Below this, the second term of each series lies under the last bit of a wide number. */
enum { TINY_EXP = -60 };

/* ---- reduction ------------------------------------------------------------------------- */

/* a becomes r with a = r + n pi/2, |r| <= pi/4; returns n mod 4.  a is finite and below 2^63. */
static unsigned reduce(struct fp_num *a)
{
    if (a->exp < -1)
        return 0;
    const u128 half_pi = (u128)3 << 64 | UINT64_C(0x243f6a8885a308d3);      /* units of 2^-65 */
    u128 x = (u128)a->sig << (a->exp + 2);
    u128 n = x / half_pi, rest = x - n * half_pi;
    bool negative = 2 * rest > half_pi;
    if (negative) {
        rest = half_pi - rest;
        n++;
    }
    unsigned quadrant = (unsigned)n & 3;
    quadrant = a->sign ? (4 - quadrant) & 3 : quadrant;
    fp_set_wide(a, a->sign ^ negative, 62, rest);
    return quadrant;
}

static void sine(struct fp_num *out, const struct fp_num *r)
{
    struct fp_num u, s;
    if (r->exp < TINY_EXP) {
        *out = *r;
        wide_nudge(out, false);
        return;
    }
    wide_mul(&u, r, r);
    wide_from_fixed(&s, false, wide_series(fp_inverse_factorial, 1, 2, 17, wide_to_fixed(&u), true));
    wide_mul(out, r, &s);
    wide_nudge(out, true);
}

static void cosine(struct fp_num *out, const struct fp_num *r)
{
    struct fp_num u;
    if (r->exp < TINY_EXP) {
        *out = (struct fp_num){ .cls = FPC_FINITE, .sig = UINT64_C(1) << 63 };
        wide_nudge(out, false);
        return;
    }
    wide_mul(&u, r, r);
    wide_from_fixed(out, false, wide_series(fp_inverse_factorial, 0, 2, 18, wide_to_fixed(&u), true));
    wide_nudge(out, true);
}

static void sine_at(struct fp_num *out, const struct fp_num *r, unsigned quadrant)
{
    if (quadrant & 1)
        cosine(out, r);
    else
        sine(out, r);
    out->sign ^= quadrant >> 1 & 1;
}

/* What the functions share: true if a holds the reduced argument and *quadrant its place; else *r is the result
 * (special true), or the operand is out of range (special false). */
static bool begin(struct fp_env *e, f80 x, struct fp_num *a, unsigned *quadrant, f80 *r, bool *special)
{
    fp_unpack_f80(x, a);
    *special = true;
    if (!fp_nan1(e, a, a)) {
        if (a->cls == FPC_INF) {
            fp_set_invalid(e, a);
        } else if (a->cls == FPC_FINITE && !fp_denormals(e, a, a, a)) {
            *special = false;
            if (a->exp >= 63)
                return false;
            *quadrant = reduce(a);
            return true;
        }
    }
    *r = fp_pack_f80(a);
    return false;
}

static f80 one(void) { return (f80){ UINT64_C(1) << 63, 0x3fff }; }
static bool is_zero(f80 v) { return !(v.se & 0x7fff) && !v.mant; }

bool f80_sin(struct fp_env *e, f80 x, f80 *r)
{
    struct fp_num a, s;
    unsigned quadrant;
    bool special;
    if (!begin(e, x, &a, &quadrant, r, &special))
        return special;
    sine_at(&s, &a, quadrant);
    *r = finish(e, &s);
    return true;
}

bool f80_cos(struct fp_env *e, f80 x, f80 *r)
{
    struct fp_num a, s;
    unsigned quadrant;
    bool special;
    if (!begin(e, x, &a, &quadrant, r, &special)) {
        if (special && is_zero(*r))
            *r = one();
        return special;
    }
    sine_at(&s, &a, (quadrant + 1) & 3);
    *r = finish(e, &s);
    return true;
}

bool f80_sincos(struct fp_env *e, f80 x, f80 *sin, f80 *cos)
{
    struct fp_num a, s;
    unsigned quadrant;
    bool special;
    if (!begin(e, x, &a, &quadrant, sin, &special)) {
        if (special)
            *cos = is_zero(*sin) ? one() : *sin;
        return special;
    }
    sine_at(&s, &a, quadrant);
    *sin = finish(e, &s);
    sine_at(&s, &a, (quadrant + 1) & 3);
    *cos = finish(e, &s);
    return true;
}

bool f80_tan(struct fp_env *e, f80 x, f80 *r)
{
    struct fp_num a, s, c;
    unsigned quadrant;
    bool special;
    if (!begin(e, x, &a, &quadrant, r, &special))
        return special;
    if (a.exp < TINY_EXP && !(quadrant & 1)) {
        wide_nudge(&a, true);
    } else {
        sine_at(&s, &a, quadrant);
        sine_at(&c, &a, (quadrant + 1) & 3);
        wide_div(&a, &s, &c);
        wide_nudge(&a, true);
    }
    *r = finish(e, &a);
    return true;
}

/* ---- arc tangent -------------------------------------------------------------------------- */

/* t (1 - t^2/3 + t^4/5 ...) for |t| <= 1/32 */
static void atan_small(struct fp_num *t)
{
    struct fp_num u, s;
    if (t->cls == FPC_ZERO)
        return;
    if (t->exp < TINY_EXP) {
        wide_nudge(t, false);
        return;
    }
    wide_mul(&u, t, t);
    wide_from_fixed(&s, false, wide_series(fp_inverse_odd, 0, 1, 14, wide_to_fixed(&u), true));
    wide_mul(t, t, &s);
}

/* atan q for 0 < q <= 1, from the nearest sixteenth: atan q = atan c + atan((q - c) / (1 + q c)). */
static void atan_unit(struct fp_num *q)
{
    if (q->exp == 0) {
        wide_from_fixed(q, false, word128(fp_atan_16th[16]));
        return;
    }
    u128 v = wide_to_fixed(q);
    unsigned i = (unsigned)((v >> 124) + (v >> 123 & 1));
    if (i == 0) {
        atan_small(q);
        return;
    }
    u128 c = (u128)i << 124;               /* 0 for i == 16: 1 in fixed point */
    bool below = i == 16 || v < c;
    struct fp_num num, den, base;
    fp_set_wide(&num, below, -1, below ? c - v : v - c);
    fp_set_wide(&den, false, 0, ((u128)1 << 127) + (v >> 5) * i);
    wide_div(&num, &num, &den);
    atan_small(&num);
    wide_from_fixed(&base, false, word128(fp_atan_16th[i]));
    wide_add(q, &base, &num);
}

/* Quarter turns as wide numbers: n pi/4, n = 1..4. */
static struct fp_num eighths(unsigned n)
{
    static const int8_t exp[5] = { 0, -1, 0, 1, 1 };
    struct fp_num r = wide_const(fp_pi, exp[n]);
    if (n == 3) {                          /* pi/2 + pi/4 */
        struct fp_num a = wide_const(fp_pi, 0), b = wide_const(fp_pi, -1);
        wide_add(&r, &a, &b);
    }
    return r;
}

static f80 angle(struct fp_env *e, unsigned n, bool sign)
{
    if (n == 0)
        return (f80){ 0, (uint16_t)(sign << 15) };
    struct fp_num r = eighths(n);
    r.sign = sign;
    return finish(e, &r);
}

f80 f80_atan2(struct fp_env *e, f80 y, f80 x)
{
    struct fp_num a, b, q;
    fp_unpack_f80(y, &a);
    fp_unpack_f80(x, &b);
    if (fp_nan2(e, &q, &a, &b) || fp_denormals(e, &q, &a, &b))
        return fp_pack_f80(&q);
    bool sign = a.sign, left = b.sign;
    if (a.cls == FPC_INF && b.cls == FPC_INF)
        return angle(e, left ? 3 : 1, sign);
    if (a.cls == FPC_ZERO || b.cls == FPC_INF)
        return angle(e, left ? 4 : 0, sign);
    if (a.cls == FPC_INF || b.cls == FPC_ZERO)
        return angle(e, 2, sign);
    a.sign = b.sign = false;
    bool steep = fp_order(&a, &b) == FP_GREATER;
    wide_div(&q, steep ? &b : &a, steep ? &a : &b);
    atan_unit(&q);
    if (steep) {                           /* pi/2 - atan(x/y) */
        struct fp_num half = eighths(2);
        q.sign = !q.sign;
        wide_add(&q, &half, &q);
    }
    if (left) {
        struct fp_num pi = eighths(4);
        q.sign = !q.sign;
        wide_add(&q, &pi, &q);
    }
    q.sign = sign;
    wide_nudge(&q, true);
    return finish(e, &q);
}
