/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 128-bit arithmetic for the transcendentals. */
#include "fp/wide.h"

u128 mul_high128(u128 a, u128 b)
{
    uint64_t ah = (uint64_t)(a >> 64), al = (uint64_t)a, bh = (uint64_t)(b >> 64), bl = (uint64_t)b;
    u128 low = (u128)al * bl, m1 = (u128)ah * bl, m2 = (u128)al * bh;
    u128 mid = (low >> 64) + (uint64_t)m1 + (uint64_t)m2;
    return (u128)ah * bh + (m1 >> 64) + (m2 >> 64) + (mid >> 64);
}

/* One digit of 64 bits: floor(n * 2^64 / d) for n < d, bit 127 of d set; *n becomes the remainder. */
static uint64_t digit(u128 *n, u128 d)
{
    uint64_t dh = (uint64_t)(d >> 64), dl = (uint64_t)d;
    uint64_t nh = (uint64_t)(*n >> 64);
    /* Estimate by the high word of d: at most two too large (Knuth, The Art of Computer Programming, 4.3.1 D). */
    u128 q = nh >= dh ? UINT64_MAX : *n / dh;
    u128 rest = *n - q * dh;               /* of n / dh; the real remainder is rest * 2^64 - q * dl */
    u128 take = q * dl;
    while (!(rest >> 64) && take > rest << 64) {
        q--;
        rest += dh;
        take -= dl;
    }
    *n = (rest << 64) - take;
    return (uint64_t)q;
}

u128 div_fraction128(u128 a, u128 b)
{
    unsigned shift = (unsigned)__builtin_clzll((uint64_t)(b >> 64));
    b <<= shift;
    a <<= shift;
    /* a / 2 < b: 128 digits of (a/2) / b; the bit that falls off a is below the last place. */
    a >>= 1;
    u128 q = (u128)digit(&a, b) << 64;
    return q | digit(&a, b);
}

void wide_mul(struct fp_num *r, const struct fp_num *a, const struct fp_num *b)
{
    bool sign = a->sign ^ b->sign;
    if (a->cls == FPC_ZERO || b->cls == FPC_ZERO)
        fp_set_zero(r, sign);
    else
        fp_set_wide(r, sign, a->exp + b->exp + 1, mul_high128(wide_sig(a), wide_sig(b)));
}

void wide_div(struct fp_num *r, const struct fp_num *a, const struct fp_num *b)
{
    bool sign = a->sign ^ b->sign;
    if (a->cls == FPC_ZERO)
        fp_set_zero(r, sign);
    else
        fp_set_wide(r, sign, a->exp - b->exp, div_fraction128(wide_sig(a), wide_sig(b)));
}

void wide_add(struct fp_num *r, const struct fp_num *a, const struct fp_num *b)
{
    if (a->cls == FPC_ZERO || b->cls == FPC_ZERO) {
        *r = a->cls == FPC_ZERO ? *b : *a;
        return;
    }
    if (a->exp < b->exp || (a->exp == b->exp && wide_sig(a) < wide_sig(b))) {
        const struct fp_num *t = a;
        a = b;
        b = t;
    }
    uint32_t d = (uint32_t)(a->exp - b->exp);
    u128 x = wide_sig(a) >> 1, y = fp_shift_jam(wide_sig(b), d + 1);
    fp_set_wide(r, a->sign, a->exp + 1, a->sign == b->sign ? x + y : x - y);
}

u128 wide_to_fixed(const struct fp_num *n)
{
    if (n->cls == FPC_ZERO || n->exp < -128)
        return 0;
    return wide_sig(n) >> (-1 - n->exp);
}

void wide_from_fixed(struct fp_num *r, bool sign, u128 v) { fp_set_wide(r, sign, 0, v); }

u128 wide_series(const struct fp_word128 *c, unsigned first, unsigned step, unsigned n, u128 u, bool alternating)
{
    u128 sum = 0;
    while (n-- > 0) {
        u128 term = mul_high128(sum, u);
        sum = word128(c[first + n * step]);
        sum = alternating ? sum - term : sum + term;
    }
    return sum;
}

void wide_nudge(struct fp_num *n, bool up)
{
    if (up) {
        n->ext |= 1;
        return;
    }
    u128 v = wide_sig(n) - 1;
    bool borrow = !(v >> 127);       /* was a power of two */
    n->sig = borrow ? UINT64_MAX : (uint64_t)(v >> 64);
    n->ext = borrow ? UINT64_MAX : (uint64_t)v;
    n->exp -= borrow;
}
