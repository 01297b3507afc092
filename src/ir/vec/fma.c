/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fused multiply and add, lane by lane: one rounding, one set of exceptions. */
#include "ir/vec/functions.h"

#define UNUSED ((void)a, (void)b, (void)c, (void)imm)

/* The other sign; a NaN operand keeps its own (SDM vol. 1, 14.5.1). */
static f32 f32_negate(f32 v) { return (v & 0x7fffffff) > 0x7f800000 ? v : v ^ 0x80000000; }

static f64 f64_negate(f64 v)
{
    const f64 sign = UINT64_C(1) << 63;
    return (v & ~sign) > UINT64_C(0x7ff0000000000000) ? v : v ^ sign;
}

#define FUSE(T, x, y, z, negative_product, negative_addend) \
    T##_muladd(env, (negative_product) ? T##_negate(x) : (x), y, (negative_addend) ? T##_negate(z) : (z))

/* The first n lanes; the others are a's. */
#define EACH(NAME, field, T, n, total, negative_product, negative_addend)                                       \
    FVEC(NAME)                                                                                                  \
    {                                                                                                           \
        UNUSED;                                                                                                 \
        for (unsigned i = 0; i < (n); i++)                                                                      \
            r->field[i] = FUSE(T, a->field[i], b->field[i], c->field[i], negative_product, negative_addend);    \
        for (unsigned i = (n); i < (total); i++)                                                                \
            r->field[i] = a->field[i];                                                                          \
        fvec_settle(env);                                                                                       \
    }
#define WIDTHS(NAME, negative_product, negative_addend)                  \
    EACH(NAME##_W4, w, f32, 4, 4, negative_product, negative_addend)     \
    EACH(NAME##_W1, w, f32, 1, 4, negative_product, negative_addend)     \
    EACH(NAME##_D2, d, f64, 2, 2, negative_product, negative_addend)     \
    EACH(NAME##_D1, d, f64, 1, 2, negative_product, negative_addend)

WIDTHS(MADD, false, false)
WIDTHS(MSUB, false, true)
WIDTHS(NMADD, true, false)
WIDTHS(NMSUB, true, true)
EACH(MADDSUB_W4, w, f32, 4, 4, false, !(i & 1))
EACH(MADDSUB_D2, d, f64, 2, 2, false, !(i & 1))
EACH(MSUBADD_W4, w, f32, 4, 4, false, i & 1)
EACH(MSUBADD_D2, d, f64, 2, 2, false, i & 1)
