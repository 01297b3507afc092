/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single precision, the half-precision conversions, and the approximations. */
#include "fp/width.h"

static inline void f32_unpack(const struct fp_env *e, f32 v, struct fp_num *n) { fp_unpack_ieee(v, 24, 8, e->daz, n); }

static inline f32 f32_pack(const struct fp_num *n) { return (f32)fp_pack_ieee(n, 24, 8); }

static inline f32 f32_finish(struct fp_env *e, struct fp_num *n)
{
    fp_round(e, n, &fp_format_f32);
    return f32_pack(n);
}

enum { f32_BIAS = 127 };

static inline bool f32_normal(f32 v, struct fp_normal *n) { return fp_normal_ieee(v, 24, 8, n); }

static inline bool f32_fast_finish(struct fp_env *e, struct fp_wide_normal *n, f32 *r)
{
    uint64_t v;
    bool done = fp_fast_ieee(e, n, 24, 8, &v);
    *r = (f32)v;
    return done;
}

/* MIN and MAX pass an operand through; one that counts as zero becomes zero. */
static inline f32 flush(const struct fp_env *e, f32 v, const struct fp_num *n)
{
    return n->cls == FPC_ZERO && e->daz ? (f32)((uint64_t)n->sign << 31) : v;
}

FP_DEFINE_IEEE(f32)

/* ---- other widths ------------------------------------------------------------------- */

f64 f32_to_f64(struct fp_env *e, f32 v)
{
    struct fp_num n;
    f32_unpack(e, v, &n);
    if (!fp_nan1(e, &n, &n))
        fp_denormals(e, &n, &n, &n);
    return fp_pack_ieee(&n, 53, 11);
}

f80 f32_to_f80(struct fp_env *e, f32 v)
{
    struct fp_num n;
    f32_unpack(e, v, &n);
    if (!fp_nan1(e, &n, &n))
        fp_denormals(e, &n, &n, &n);
    return fp_pack_f80(&n);
}

/* VCVTPH2PS ignores DAZ and raises nothing for denormals (SDM vol. 2). */
f32 f16_to_f32(struct fp_env *e, f16 v)
{
    struct fp_num n;
    fp_unpack_ieee(v, 11, 5, false, &n);
    fp_nan1(e, &n, &n);
    return f32_pack(&n);
}

/* VCVTPS2PH ignores FTZ. */
f16 f32_to_f16(struct fp_env *e, f32 v, enum fp_rounding rm)
{
    struct fp_env own = *e;
    struct fp_num n;
    own.rounding = (uint8_t)rm;
    own.ftz = 0;
    f32_unpack(&own, v, &n);
    if (!fp_nan1(&own, &n, &n) && !fp_denormals(&own, &n, &n, &n))
        fp_round(&own, &n, &fp_format_f16);
    e->raised = own.raised;
    return (f16)fp_pack_ieee(&n, 11, 5);
}

/* ---- approximations ----------------------------------------------------------------- */

/*
 * RCPPS and RSQRTPS are ours to define within 1.5 * 2^-12 (SDM vol. 2): the quotient
 * correctly rounded to nearest, denormals as zero on both sides, then all but
 * 12 bits of fraction cut off (below 2^-12 + 2^-23).  A host can compute the same with
 * its own division, square root and a mask.
 */
static const struct fp_env approx_env = { .masks = FP_ALL, .daz = 1, .ftz = 1, .nan_rule = FP_NAN_SSE };

static f32 cut(f32 v) { return (v & 0x7fffffff) > 0x7f800000 ? v : v & ~(f32)0x7ff; }

f32 f32_recip_approx(f32 a)
{
    struct fp_env e = approx_env;
    return cut(f32_div(&e, 0x3f800000, a));
}

f32 f32_rsqrt_approx(f32 a)
{
    struct fp_env e = approx_env;
    return cut(f32_div(&e, 0x3f800000, f32_sqrt(&e, a)));
}
