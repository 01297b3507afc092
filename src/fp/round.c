/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rounding to a format or to an integer, and what overflow and underflow deliver. */
#include "fp/core.h"

const struct fp_format fp_format_f16 = { 11, -14, 15, 0 };
const struct fp_format fp_format_f32 = { 24, -126, 127, 0 };
const struct fp_format fp_format_f64 = { 53, -1022, 1023, 0 };
const struct fp_format fp_format_f80 = { 64, -16382, 16383, 24576 };
static const struct fp_format fp_format_x87_24 = { 24, -16382, 16383, 24576 };
static const struct fp_format fp_format_x87_53 = { 53, -16382, 16383, 24576 };

/* SDM vol. 1, 8.1.5.2; the reserved code 1 counts as 64 bits. */
const struct fp_format *fp_format_x87(const struct fp_env *e)
{
    return e->precision == 0 ? &fp_format_x87_24 : e->precision == 2 ? &fp_format_x87_53 : &fp_format_f80;
}

struct rounded {
    uint64_t q;       /* sig >> shift, rounded */
    bool inexact, up; /* up: the magnitude was rounded up */
    bool carry;       /* q is 2^64 (given as 0) */
};

/* The integer part of sig:ext / 2^(64 + shift), 0 <= shift, rounded by its fraction. */
static struct rounded round_shift(uint64_t sig, uint64_t ext, uint32_t shift, unsigned rm, bool sign)
{
    uint64_t q = 0, rem;
    bool sticky = false;
    if (shift == 0) {
        q = sig;
        rem = ext;
    } else if (shift < 64) {
        q = sig >> shift;
        rem = sig << (64 - shift);
        sticky = ext != 0;
    } else if (shift == 64) {
        rem = sig;
        sticky = ext != 0;
    } else {
        rem = shift < 128 ? sig >> (shift - 64) : 0;
        sticky = true;        /* sig is not 0, and bit 63 is set: something is always lost or below */
        if (shift < 128 && !(sig << (128 - shift)) && !ext)
            sticky = false;
    }
    const uint64_t half = UINT64_C(1) << 63;
    bool inexact = rem || sticky, up;
    switch (rm) {
    case FP_NEAREST_EVEN:
        up = rem > half || (rem == half && (sticky || (q & 1)));
        break;
    case FP_DOWN:
        up = inexact && sign;
        break;
    case FP_UP:
        up = inexact && !sign;
        break;
    default:
        up = false;
        break;
    }
    q += up;
    return (struct rounded){ q, inexact, up, up && q == 0 };
}

/* Status of the last rounding, for x87's C1. */
static void report(struct fp_env *e, bool inexact, bool up)
{
    if (inexact)
        fp_raise(e, FP_INEXACT);
    if (up && e->nan_rule == FP_NAN_X87)
        fp_raise(e, FP_ROUNDED_UP);
}

/* An x87 store that overflows or underflows unmasked does not take place, and says nothing of a rounding. */
static bool not_stored(const struct fp_env *e, const struct fp_format *f)
{
    return e->nan_rule == FP_NAN_X87 && !f->bias_adjust;
}

static void overflow(struct fp_env *e, struct fp_num *n, const struct fp_format *f, bool inexact, bool up)
{
    fp_raise(e, FP_OVERFLOW);
    if (!fp_masked(e, FP_OVERFLOW)) {
        n->exp -= f->bias_adjust;
        if (f->bias_adjust && n->exp > f->emax) {   /* FSCALE can go beyond (SDM vol. 1, 8.5.4) */
            fp_set_inf(n, n->sign);
            inexact = up = true;
        }
        if (!not_stored(e, f))
            report(e, inexact, up);
        return;
    }
    unsigned rm = e->rounding;
    if (rm == FP_NEAREST_EVEN || rm == (n->sign ? FP_DOWN : FP_UP)) {
        fp_set_inf(n, n->sign);
        report(e, true, true);
    } else {
        n->exp = f->emax;
        n->sig = UINT64_MAX << (64 - f->precision);
        report(e, true, false);
    }
}

/* n is tiny; r is it rounded as if the exponent had no bound (inexact, up; n still unrounded). */
static void underflow(struct fp_env *e, struct fp_num *n, const struct fp_format *f, const struct rounded *r)
{
    unsigned drop = 64u - f->precision;
    if (!fp_masked(e, FP_UNDERFLOW)) {
        fp_raise(e, FP_UNDERFLOW);
        n->sig = r->carry ? UINT64_C(1) << 63 : r->q << drop;
        n->exp += r->carry + f->bias_adjust;
        bool gone = f->bias_adjust && n->exp < f->emin;
        if (gone)
            fp_set_zero(n, n->sign);
        if (!not_stored(e, f))
            report(e, r->inexact || gone, r->up && !gone);
        return;
    }
    if (e->ftz) {
        fp_raise(e, FP_UNDERFLOW | FP_INEXACT);
        fp_set_zero(n, n->sign);
        return;
    }
    struct rounded d = round_shift(n->sig, n->ext, drop + (uint32_t)(f->emin - n->exp), e->rounding, n->sign);
    report(e, d.inexact, d.up);
    if (d.inexact)
        fp_raise(e, FP_UNDERFLOW);
    if (d.q == 0) {
        fp_set_zero(n, n->sign);
        return;
    }
    n->sig = d.q << drop;      /* bit 63 clear: denormal */
    n->exp = f->emin;
}

void fp_round(struct fp_env *e, struct fp_num *n, const struct fp_format *f)
{
    if (unlikely(n->cls != FPC_FINITE))
        return;
    unsigned drop = 64u - f->precision;
    struct rounded r = round_shift(n->sig, n->ext, drop, e->rounding, n->sign);
    /* With all bits of q carried out, q << drop is 0 and the number is the next power of two. */
    uint64_t sig = r.q << drop;
    r.carry = r.up && sig == 0;
    if (unlikely(n->exp + r.carry < f->emin)) {
        underflow(e, n, f, &r);
        return;
    }
    n->sig = r.carry ? UINT64_C(1) << 63 : sig;
    n->ext = 0;
    n->exp += r.carry;
    if (unlikely(n->exp > f->emax)) {
        overflow(e, n, f, r.inexact, r.up);
        return;
    }
    report(e, r.inexact, r.up);
}

void fp_round_integral(struct fp_env *e, struct fp_num *n, enum fp_rounding rm, bool tell)
{
    if (n->cls != FPC_FINITE || n->exp >= 63)
        return;
    struct rounded r = round_shift(n->sig, 0, (uint32_t)(63 - n->exp), rm, n->sign);
    if (tell)
        report(e, r.inexact, r.up);
    fp_from_int(n, r.q, n->sign);
}

uint64_t fp_to_int(struct fp_env *e, const struct fp_num *n, enum fp_rounding rm, unsigned bits, bool is_signed)
{
    if (n->cls == FPC_ZERO)
        return 0;
    uint64_t top = UINT64_C(1) << (bits - 1);
    if (n->cls == FPC_FINITE && n->exp <= 63) {
        struct rounded r = round_shift(n->sig, 0, (uint32_t)(63 - n->exp), rm, n->sign);
        uint64_t limit = is_signed ? (n->sign ? top : top - 1) : (n->sign ? 0 : mask64(bits));
        if (!r.carry && r.q <= limit) {
            report(e, r.inexact, r.up);
            return (n->sign ? 0 - r.q : r.q) & mask64(bits);
        }
    }
    fp_raise(e, FP_INVALID);
    return top;
}

void fp_from_int(struct fp_num *r, uint64_t magnitude, bool sign)
{
    fp_set_wide(r, sign, 63, (u128)magnitude << 64);
}
