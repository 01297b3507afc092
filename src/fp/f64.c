/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Double precision. */
#include "fp/width.h"

static inline void f64_unpack(const struct fp_env *e, f64 v, struct fp_num *n) { fp_unpack_ieee(v, 53, 11, e->daz, n); }

static inline f64 f64_pack(const struct fp_num *n) { return (f64)fp_pack_ieee(n, 53, 11); }

static inline f64 f64_finish(struct fp_env *e, struct fp_num *n)
{
    fp_round(e, n, &fp_format_f64);
    return f64_pack(n);
}

enum { f64_BIAS = 1023 };

static inline bool f64_normal(f64 v, struct fp_normal *n) { return fp_normal_ieee(v, 53, 11, n); }

static inline bool f64_fast_finish(struct fp_env *e, struct fp_wide_normal *n, f64 *r)
{
    uint64_t v;
    bool done = fp_fast_ieee(e, n, 53, 11, &v);
    *r = (f64)v;
    return done;
}

/* MIN and MAX pass an operand through; one that counts as zero becomes zero. */
static inline f64 flush(const struct fp_env *e, f64 v, const struct fp_num *n)
{
    return n->cls == FPC_ZERO && e->daz ? (f64)((uint64_t)n->sign << 63) : v;
}

FP_DEFINE_IEEE(f64)

/* ---- other widths ------------------------------------------------------------------- */

f32 f64_to_f32(struct fp_env *e, f64 v)
{
    struct fp_num n;
    struct fp_normal m;
    uint64_t r;
    if (likely(f64_normal(v, &m)) && likely(fp_fast_narrow(e, m, f64_BIAS, 24, 8, &r)))
        return (f32)r;
    f64_unpack(e, v, &n);
    if (!fp_nan1(e, &n, &n) && !fp_denormals(e, &n, &n, &n))
        fp_round(e, &n, &fp_format_f32);
    return (f32)fp_pack_ieee(&n, 24, 8);
}

f80 f64_to_f80(struct fp_env *e, f64 v)
{
    struct fp_num n;
    f64_unpack(e, v, &n);
    if (!fp_nan1(e, &n, &n))
        fp_denormals(e, &n, &n, &n);
    return fp_pack_f80(&n);
}
