/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Double extended precision: arithmetic under the precision control, and conversions. */
#include "fp/width.h"

static inline void f80_unpack(const struct fp_env *e, f80 v, struct fp_num *n)
{
    (void)e;
    fp_unpack_f80(v, n);
}

static f80 f80_finish(struct fp_env *e, struct fp_num *n)
{
    fp_round(e, n, fp_format_x87(e));
    return fp_pack_f80(n);
}

static f80 f80_exact(struct fp_env *e, const struct fp_num *n)
{
    (void)e;
    return fp_pack_f80(n);
}

enum { f80_BIAS = 16383 };

static inline bool f80_normal(f80 v, struct fp_normal *n) { return fp_normal_f80(v, n); }

static inline bool f80_fast_finish(struct fp_env *e, struct fp_wide_normal *n, f80 *r)
{
    unsigned drop = likely(e->precision == 3) ? 0 : 64u - fp_format_x87(e)->precision;
    if (!fp_fast_round(e, n, drop, 2 * f80_BIAS))
        return false;
    *r = (f80){ n->sig, (uint16_t)(n->sign << 15 | n->exp) };
    return true;
}

FP_DEFINE_WIDTH(f80)
FP_DEFINE_FROM_INT(f80, f80_exact)

int16_t f80_to_i16(struct fp_env *e, f80 v, enum fp_rounding rm)
{
    struct fp_num n;
    fp_unpack_f80(v, &n);
    return (int16_t)fp_to_int(e, &n, rm, 16, true);
}

f80 f80_round(struct fp_env *e, f80 v, enum fp_rounding rm, bool report)
{
    struct fp_num n;
    fp_unpack_f80(v, &n);
    if (!fp_nan1(e, &n, &n) && !fp_denormals(e, &n, &n, &n))
        fp_round_integral(e, &n, rm, report);
    return fp_pack_f80(&n);
}

/* FST to memory: a denormal source raises nothing of its own (SDM vol. 2, FST). */
f32 f80_to_f32(struct fp_env *e, f80 v)
{
    struct fp_num n;
    struct fp_normal m;
    uint64_t r;
    if (likely(f80_normal(v, &m)) && likely(fp_fast_narrow(e, m, f80_BIAS, 24, 8, &r)))
        return (f32)r;
    fp_unpack_f80(v, &n);
    if (!fp_nan1(e, &n, &n))
        fp_round(e, &n, &fp_format_f32);
    return (f32)fp_pack_ieee(&n, 24, 8);
}

f64 f80_to_f64(struct fp_env *e, f80 v)
{
    struct fp_num n;
    struct fp_normal m;
    uint64_t r;
    if (likely(f80_normal(v, &m)) && likely(fp_fast_narrow(e, m, f80_BIAS, 53, 11, &r)))
        return r;
    fp_unpack_f80(v, &n);
    if (!fp_nan1(e, &n, &n))
        fp_round(e, &n, &fp_format_f64);
    return fp_pack_ieee(&n, 53, 11);
}
