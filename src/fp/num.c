/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacked numbers: the extended format, NaN rules, denormal operands, compares. */
#include "fp/core.h"

/* SDM vol. 1, 4.2.2 and table 8-3: unnormals, pseudo-infinities and pseudo-NaNs are unsupported;
 * a pseudo-denormal counts as a denormal. */
void fp_unpack_f80(struct f80 v, struct fp_num *n)
{
    unsigned biased = v.se & 0x7fff;
    bool integer = v.mant >> 63;
    *n = (struct fp_num){ .sig = v.mant, .exp = (int32_t)biased - 16383, .sign = v.se >> 15, .cls = FPC_FINITE };
    if (biased == 0) {
        if (v.mant == 0) {
            n->cls = FPC_ZERO;
            return;
        }
        unsigned shift = (unsigned)__builtin_clzll(v.mant);
        n->sig = v.mant << shift;
        n->exp = -16382 - (int32_t)shift;
        n->denormal = true;
    } else if (!integer) {
        n->cls = FPC_UNSUPPORTED;
    } else if (biased == 0x7fff) {
        n->cls = !(v.mant << 1) ? FPC_INF : v.mant >> 62 & 1 ? FPC_QNAN : FPC_SNAN;
    }
}

struct f80 fp_pack_f80(const struct fp_num *n)
{
    uint16_t sign = (uint16_t)(n->sign << 15);
    switch (n->cls) {
    case FPC_ZERO:
        return (struct f80){ 0, sign };
    case FPC_FINITE:
        return (struct f80){ n->sig, (uint16_t)(sign | (n->sig >> 63 ? n->exp + 16383 : 0)) };
    case FPC_INF:
        return (struct f80){ UINT64_C(1) << 63, sign | 0x7fff };
    default:
        return (struct f80){ n->sig | UINT64_C(3) << 62, sign | 0x7fff };
    }
}

/* x86's indefinite is negative (SDM vol. 1, 4.8.3.7), ARM's default NaN positive. */
void fp_set_default_nan(const struct fp_env *e, struct fp_num *r)
{
    bool sign = e->nan_rule == FP_NAN_SSE || e->nan_rule == FP_NAN_X87;
    *r = (struct fp_num){ .cls = FPC_QNAN, .sign = sign, .sig = UINT64_C(3) << 62 };
}

void fp_set_invalid(struct fp_env *e, struct fp_num *r)
{
    fp_raise(e, FP_INVALID);
    fp_set_default_nan(e, r);
}

void fp_set_wide(struct fp_num *r, bool sign, int32_t exp, u128 v)
{
    uint64_t hi = (uint64_t)(v >> 64), lo = (uint64_t)v;
    *r = (struct fp_num){ .cls = FPC_FINITE, .sign = sign };
    if (hi == 0) {
        if (lo == 0) {
            r->cls = FPC_ZERO;
            return;
        }
        hi = lo;
        lo = 0;
        exp -= 64;
    }
    unsigned shift = (unsigned)__builtin_clzll(hi);
    r->sig = shift ? hi << shift | lo >> (64 - shift) : hi;
    r->ext = lo << shift;
    r->exp = exp - (int32_t)shift;
}

/* ---- NaNs ------------------------------------------------------------------------ */

/* SDM vol. 1, table 4-7: a quiet NaN before a signalling one, then the larger significand, then the positive one. */
static const struct fp_num *pick_x87(const struct fp_num *a, const struct fp_num *b)
{
    if (!fp_is_nan(a) || !fp_is_nan(b))
        return fp_is_nan(a) ? a : b;
    if (a->cls != b->cls)
        return a->cls == FPC_QNAN ? a : b;
    if (a->sig != b->sig)
        return a->sig > b->sig ? a : b;
    return a->sign ? b : a;
}

static const struct fp_num *pick_arm(const struct fp_num *a, const struct fp_num *b)
{
    if (a->cls == FPC_SNAN || b->cls == FPC_SNAN)
        return a->cls == FPC_SNAN ? a : b;
    return fp_is_nan(a) ? a : b;
}

static void propagate(const struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b)
{
    struct fp_num pick;
    switch (e->nan_rule) {
    case FP_NAN_SSE:
        pick = fp_is_nan(a) ? *a : *b;
        break;
    case FP_NAN_X87:
        pick = *pick_x87(a, b);
        break;
    case FP_NAN_ARM:
        pick = *pick_arm(a, b);
        break;
    default:
        fp_set_default_nan(e, r);
        return;
    }
    pick.cls = FPC_QNAN;
    pick.sig |= UINT64_C(3) << 62;
    *r = pick;
}

bool fp_nan2(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b)
{
    if (likely(a->cls < FPC_QNAN && b->cls < FPC_QNAN))
        return false;
    if (a->cls == FPC_UNSUPPORTED || b->cls == FPC_UNSUPPORTED) {
        fp_set_invalid(e, r);
        return true;
    }
    if (a->cls == FPC_SNAN || b->cls == FPC_SNAN)
        fp_raise(e, FP_INVALID);
    propagate(e, r, a, b);
    return true;
}

bool fp_nan1(struct fp_env *e, struct fp_num *r, const struct fp_num *a) { return fp_nan2(e, r, a, a); }

bool fp_denormals(struct fp_env *e, struct fp_num *r, const struct fp_num *a, const struct fp_num *b)
{
    if (likely(!a->denormal && !b->denormal))
        return false;
    fp_raise(e, FP_DENORMAL);
    if (fp_masked(e, FP_DENORMAL))
        return false;
    fp_set_default_nan(e, r);
    return true;
}

/* ---- order ------------------------------------------------------------------------ */

static int magnitude_order(const struct fp_num *a, const struct fp_num *b)
{
    /* ZERO < FINITE < INF as the enum has them. */
    if (a->cls != b->cls)
        return a->cls < b->cls ? -1 : 1;
    if (a->cls != FPC_FINITE)
        return 0;
    if (a->exp != b->exp)
        return a->exp < b->exp ? -1 : 1;
    return a->sig == b->sig ? 0 : a->sig < b->sig ? -1 : 1;
}

enum fp_relation fp_order(const struct fp_num *a, const struct fp_num *b)
{
    if (a->cls == FPC_ZERO && b->cls == FPC_ZERO)
        return FP_EQUAL;
    if (a->sign != b->sign)
        return a->sign ? FP_LESS : FP_GREATER;
    int m = magnitude_order(a, b);
    return (enum fp_relation)(a->sign ? -m : m);
}

enum fp_relation fp_compare(struct fp_env *e, const struct fp_num *a, const struct fp_num *b, bool quiet)
{
    if (unlikely(fp_is_nan(a) || fp_is_nan(b))) {
        if (!quiet || a->cls > FPC_QNAN || b->cls > FPC_QNAN)
            fp_raise(e, FP_INVALID);
        return FP_UNORDERED;
    }
    if (a->denormal || b->denormal)
        fp_raise(e, FP_DENORMAL);
    return fp_order(a, b);
}

/* SDM vol. 2, MAXPS and MINPS: the second operand unless the first wins. */
bool fp_max_is_first(struct fp_env *e, const struct fp_num *a, const struct fp_num *b, bool min)
{
    enum fp_relation r = fp_compare(e, a, b, false);
    return r == (min ? FP_LESS : FP_GREATER);
}
