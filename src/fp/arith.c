/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addition, multiplication, division, square root and the fused multiply-add of unpacked numbers. */
#include "fp/core.h"

/* ---- addition ------------------------------------------------------------------------ */

/* The sum of two finite numbers given with 128-bit significands whose bit 126 is the leading one. */
static void add_wide(const struct fp_env *e, struct fp_num *r, bool sx, int32_t ex, u128 x, bool sy, int32_t ey, u128 y)
{
    if (ex < ey || (ex == ey && x < y)) {
        int32_t t = ex;
        ex = ey;
        ey = t;
        u128 w = x;
        x = y;
        y = w;
        bool s = sx;
        sx = sy;
        sy = s;
    }
    y = fp_shift_jam(y, (uint32_t)(ex - ey));
    u128 sum = sx == sy ? x + y : x - y;
    fp_set_wide(r, sx, ex + 1, sum);
    if (r->cls == FPC_ZERO)
        r->sign = e->rounding == FP_DOWN;
}

void fp_add(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b, bool subtract)
{
    if (unlikely(fp_nan2(e, r, a, b)))
        return;
    bool bs = b->sign ^ subtract;
    if (unlikely(a->cls == FPC_INF && b->cls == FPC_INF && a->sign != bs)) {
        fp_set_invalid(e, r);
        return;
    }
    if (unlikely(fp_denormals(e, r, a, b)))
        return;
    if (likely(a->cls == FPC_FINITE && b->cls == FPC_FINITE)) {
        add_wide(e, r, a->sign, a->exp, (u128)a->sig << 63, bs, b->exp, (u128)b->sig << 63);
    } else if (a->cls == FPC_ZERO && b->cls == FPC_ZERO) {
        fp_set_zero(r, a->sign == bs ? bs : e->rounding == FP_DOWN);
    } else if (a->cls == FPC_INF || b->cls == FPC_ZERO) {
        *r = *a;
    } else {
        *r = *b;
        r->sign = bs;
    }
}

/* ---- multiplication ------------------------------------------------------------------- */

void fp_mul(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b)
{
    if (unlikely(fp_nan2(e, r, a, b)))
        return;
    bool sign = a->sign ^ b->sign;
    bool inf = a->cls == FPC_INF || b->cls == FPC_INF, zero = a->cls == FPC_ZERO || b->cls == FPC_ZERO;
    if (unlikely(inf && zero))
        fp_set_invalid(e, r);
    else if (unlikely(fp_denormals(e, r, a, b)))
        return;
    else if (unlikely(inf))
        fp_set_inf(r, sign);
    else if (zero)
        fp_set_zero(r, sign);
    else
        fp_set_wide(r, sign, a->exp + b->exp + 1, (u128)a->sig * b->sig);
}

/*
 * The product is exact in 128 bits.  The addend moves against it: where the two are close
 * enough to cancel, no bit is lost (f64 products have 22 zero bits at the low end),
 * and where they are not, the sticky bit is far below the rounding position.
 */
void fp_muladd(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b,
               const struct fp_num *c)
{
    bool inf = a->cls == FPC_INF || b->cls == FPC_INF, zero = a->cls == FPC_ZERO || b->cls == FPC_ZERO;
    bool sign = a->sign ^ b->sign;
    if (unlikely(fp_is_nan(a) || fp_is_nan(b) || fp_is_nan(c))) {
        struct fp_num ab;
        if (inf && zero && e->nan_rule == FP_NAN_ARM && c->cls == FPC_QNAN) {
            fp_set_invalid(e, r);               /* ARM: the default NaN */
        } else if (fp_nan2(e, &ab, a, b)) {
            if (c->cls == FPC_SNAN)
                fp_raise(e, FP_INVALID);
            bool c_first = e->nan_rule == FP_NAN_ARM && c->cls == FPC_SNAN && a->cls != FPC_SNAN && b->cls != FPC_SNAN;
            if (!c_first || !fp_nan1(e, r, c))
                *r = ab;
        } else {
            fp_nan1(e, r, c);
        }
        return;
    }
    if (unlikely((inf && zero) || (inf && c->cls == FPC_INF && sign != c->sign))) {
        fp_set_invalid(e, r);
        return;
    }
    if (unlikely(fp_denormals(e, r, a, b) || fp_denormals(e, r, c, c)))
        return;
    if (inf || c->cls == FPC_INF) {
        fp_set_inf(r, inf ? sign : c->sign);
    } else if (zero) {
        if (c->cls == FPC_ZERO)
            fp_set_zero(r, sign == c->sign ? sign : e->rounding == FP_DOWN);
        else
            *r = *c;
    } else {
        u128 p = (u128)a->sig * b->sig;
        int32_t exp = a->exp + b->exp + 1;
        if (c->cls == FPC_ZERO) {
            fp_set_wide(r, sign, exp, p);
            return;
        }
        bool high = p >> 127;
        add_wide(e, r, sign, exp - !high, high ? p >> 1 : p, c->sign, c->exp, (u128)c->sig << 63);
    }
}

/* ---- division --------------------------------------------------------------------------- */

void fp_div(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b)
{
    if (unlikely(fp_nan2(e, r, a, b)))
        return;
    bool sign = a->sign ^ b->sign;
    if (unlikely(a->cls == b->cls && a->cls != FPC_FINITE)) {
        fp_set_invalid(e, r);                   /* 0/0, inf/inf */
        return;
    }
    if (unlikely(b->cls == FPC_ZERO && a->cls == FPC_FINITE)) {
        fp_raise(e, FP_DIVZERO);
        fp_set_inf(r, sign);
        return;
    }
    if (unlikely(fp_denormals(e, r, a, b)))
        return;
    if (unlikely(a->cls == FPC_INF || b->cls == FPC_ZERO)) {
        fp_set_inf(r, sign);
    } else if (unlikely(a->cls == FPC_ZERO || b->cls == FPC_INF)) {
        fp_set_zero(r, sign);
    } else {
        bool less = a->sig < b->sig;
        struct fp_num q = { .cls = FPC_FINITE, .sign = sign, .exp = a->exp - b->exp - less };
        q.sig = fp_quotient((u128)a->sig << (less ? 64 : 63), b->sig, &q.ext);
        *r = q;
    }
}

/* ---- square root -------------------------------------------------------------------------- */

/*
 * Zimmermann's recursion: half the digits of a root come from the upper half of the number, the
 * others from one division.  All take a number with its top or second bit set, and give the remainder too.
 */

/* A line through both ends of the root is within 6 %, one step of Newton's within half a unit, from above. */
static uint32_t root16(uint32_t v, uint32_t *rem)
{
    uint32_t guess = 86 + (v * 171 >> 16), root = (guess + v / guess) / 2;
    root -= root * root > v;
    *rem = v - root * root;
    return root;
}

static uint32_t root32(uint32_t v, uint32_t *rem)
{
    uint32_t rest, high = root16(v >> 16, &rest);
    uint32_t n = rest << 8 | (v >> 8 & 0xff), q = n / (2 * high), u = n % (2 * high);
    uint32_t s = (high << 8) + q;
    int32_t r = (int32_t)(u << 8 | (v & 0xff)) - (int32_t)(q * q);
    if (r < 0) {
        r += (int32_t)(2 * s - 1);
        s--;
    }
    *rem = (uint32_t)r;
    return s;
}

static uint32_t root64(uint64_t v, uint64_t *rem)
{
    uint32_t rest, high = root32((uint32_t)(v >> 32), &rest);
    uint64_t n = (uint64_t)rest << 16 | (uint16_t)(v >> 16);
    uint64_t q = n / (2 * high), u = n % (2 * high);
    uint64_t s = ((uint64_t)high << 16) + q;
    int64_t r = (int64_t)(u << 16 | (uint16_t)v) - (int64_t)(q * q);
    if (r < 0) {
        r += (int64_t)(2 * s - 1);
        s--;
    }
    *rem = (uint64_t)r;
    return (uint32_t)s;
}

uint64_t fp_root(u128 v, uint64_t *ext)
{
    uint64_t rest;
    uint64_t root = root64((uint64_t)(v >> 64), &rest);
    u128 n = (u128)rest << 32 | (uint32_t)((uint64_t)v >> 32);
    uint64_t u, q = fp_divide(n, 2 * root, &u);
    u128 s = ((u128)root << 32) + q;
    u128 left = (u128)u << 32 | (uint32_t)v, square = (u128)q * q;
    if (left < square) {
        left += 2 * s - 1;
        s--;
    }
    u128 rem = left - square;
    /* Half an ulp above s is reached when the remainder exceeds s. */
    *ext = rem == 0 ? 0 : rem > s ? UINT64_C(3) << 62 : 1;
    return (uint64_t)s;
}

void fp_sqrt(struct fp_env *e, struct fp_num *r, const struct fp_num *a)
{
    if (fp_nan1(e, r, a))
        return;
    if (a->cls == FPC_ZERO) {
        *r = *a;
        return;
    }
    if (a->sign) {
        fp_set_invalid(e, r);
        return;
    }
    if (fp_denormals(e, r, a, a))
        return;
    if (a->cls == FPC_INF) {
        *r = *a;
        return;
    }
    bool odd = a->exp & 1;
    struct fp_num root = { .cls = FPC_FINITE, .exp = (a->exp - odd) / 2 };
    root.sig = fp_root((u128)a->sig << (odd ? 64 : 63), &root.ext);
    *r = root;
}
