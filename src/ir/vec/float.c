/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floating-point arithmetic, compares and approximations, lane by lane. */
#include "ir/vec/functions.h"

#define UNUSED ((void)a, (void)b, (void)c, (void)imm)

/* expr of x (a's lane), y (b's lane) and i; the lanes from n on are a's. */
#define EACH(NAME, field, T, n, total, expr)     \
    FVEC(NAME)                                   \
    {                                            \
        UNUSED;                                  \
        for (unsigned i = 0; i < (n); i++) {     \
            T x = a->field[i], y = b->field[i];  \
            (void)x;                             \
            r->field[i] = (expr);                \
        }                                        \
        for (unsigned i = (n); i < (total); i++) \
            r->field[i] = a->field[i];           \
        fvec_settle(env);                        \
    }
#define WIDTHS(NAME, expr32, expr64)      \
    EACH(NAME##_W4, w, f32, 4, 4, expr32) \
    EACH(NAME##_W1, w, f32, 1, 4, expr32) \
    EACH(NAME##_D2, d, f64, 2, 2, expr64) \
    EACH(NAME##_D1, d, f64, 1, 2, expr64)

WIDTHS(ADD, f32_add(env, x, y), f64_add(env, x, y))
WIDTHS(SUB, f32_sub(env, x, y), f64_sub(env, x, y))
WIDTHS(MUL, f32_mul(env, x, y), f64_mul(env, x, y))
WIDTHS(DIV, f32_div(env, x, y), f64_div(env, x, y))
WIDTHS(MIN, f32_min_sse(env, x, y), f64_min_sse(env, x, y))
WIDTHS(MAX, f32_max_sse(env, x, y), f64_max_sse(env, x, y))
WIDTHS(SQRT, f32_sqrt(env, y), f64_sqrt(env, y))

WIDTHS(ROUND, f32_round(env, y, fvec_rounding(env, imm), !(imm & 8)),
       f64_round(env, y, fvec_rounding(env, imm), !(imm & 8)))

/* ---- compares --------------------------------------------------------------------------------- */

/* Quiet NaNs are invalid for the LT and LE kinds of the first sixteen, and for the others of the second. */
static bool is_quiet(uint64_t predicate)
{
    return ((predicate & 3) == 0 || (predicate & 3) == 3) != (predicate >> 4 & 1);
}

/* Which relations make predicate (modulo 16) true (SDM vol. 2, CMPPS, table 3-1). */
static bool holds(enum fp_relation r, uint64_t predicate)
{
    enum { L = 1, E = 2, G = 4, U = 8 };
    static const uint8_t sets[16] = { E,     L,     L | E,         U, L | G | U, E | G | U, G | U, L | E | G,
                                      E | U, L | U, L | E | U,     0, L | G,     E | G,     G,     L | E | G | U };
    unsigned relation = r == FP_LESS ? L : r == FP_EQUAL ? E : r == FP_GREATER ? G : U;
    return sets[predicate & 15] & relation;
}

WIDTHS(CMP, holds(f32_compare(env, x, y, is_quiet(imm)), imm) ? UINT32_MAX : 0,
       holds(f64_compare(env, x, y, is_quiet(imm)), imm) ? UINT64_MAX : 0)

static uint64_t relation(enum fp_relation r)
{
    return r == FP_LESS ? FVEC_LESS : r == FP_EQUAL ? FVEC_EQUAL : r == FP_GREATER ? FVEC_GREATER : FVEC_UNORDERED;
}

#define COMPARE(NAME, field, T, quiet)                                         \
    FVEC(NAME)                                                                 \
    {                                                                          \
        UNUSED;                                                                \
        r->d[0] = relation(T##_compare(env, a->field[0], b->field[0], quiet)); \
        r->d[1] = 0;                                                           \
    }
COMPARE(COMI_W, w, f32, false)
COMPARE(COMI_D, d, f64, false)
COMPARE(UCOMI_W, w, f32, true)
COMPARE(UCOMI_D, d, f64, true)

/* ---- across lanes ------------------------------------------------------------------------------- */

#define PAIRS(NAME, field, T, n, fn)                                   \
    FVEC(NAME)                                                         \
    {                                                                  \
        UNUSED;                                                        \
        for (unsigned i = 0; i < (n); i++) {                           \
            const union v128 *from = i < (n) / 2 ? a : b;              \
            unsigned k = 2 * i % (n);                                  \
            r->field[i] = fn(env, from->field[k], from->field[k + 1]); \
        }                                                              \
        fvec_settle(env);                                              \
    }
PAIRS(HADD_W4, w, f32, 4, f32_add)
PAIRS(HADD_D2, d, f64, 2, f64_add)
PAIRS(HSUB_W4, w, f32, 4, f32_sub)
PAIRS(HSUB_D2, d, f64, 2, f64_sub)

EACH(ADDSUB_W4, w, f32, 4, 4, i & 1 ? f32_add(env, x, y) : f32_sub(env, x, y))
EACH(ADDSUB_D2, d, f64, 2, 2, i & 1 ? f64_add(env, x, y) : f64_sub(env, x, y))

/*
 * DPPS, DPPD: imm bits 4..: which products, bits 0..: which lanes get the sum.  Each step's exceptions are
 * settled before the next step is begun (SDM vol. 2).
 */
struct steps {
    struct fp_env *env;
    uint8_t before; /* raised by the steps before */
};

/* The step is done; false: it stops the instruction. */
static bool next_step(struct steps *s)
{
    fvec_settle(s->env);
    s->before |= s->env->raised;
    s->env->raised = 0;
    return !(s->before & ~s->env->masks & FP_ALL);
}

FVEC(DOT_W4)
{
    struct steps s = { .env = env };
    f32 t[4] = { 0 };
    UNUSED;
    for (unsigned i = 0; i < 4; i++)
        if (imm >> (4 + i) & 1)
            t[i] = f32_mul(env, a->w[i], b->w[i]);
    if (next_step(&s)) {
        t[0] = f32_add(env, t[0], t[1]);
        t[2] = f32_add(env, t[2], t[3]);
        if (next_step(&s))
            t[0] = f32_add(env, t[0], t[2]);
    }
    next_step(&s);
    env->raised = s.before;
    for (unsigned i = 0; i < 4; i++)
        r->w[i] = imm >> i & 1 ? t[0] : 0;
}

FVEC(DOT_D2)
{
    struct steps s = { .env = env };
    f64 t[2] = { 0 };
    UNUSED;
    for (unsigned i = 0; i < 2; i++)
        if (imm >> (4 + i) & 1)
            t[i] = f64_mul(env, a->d[i], b->d[i]);
    if (next_step(&s))
        t[0] = f64_add(env, t[0], t[1]);
    next_step(&s);
    env->raised = s.before;
    for (unsigned i = 0; i < 2; i++)
        r->d[i] = imm >> i & 1 ? t[0] : 0;
}

/* ---- approximations -------------------------------------------------------------------------------- */

#define APPROXIMATE(NAME, n, fn)                       \
    VEC(NAME)                                          \
    {                                                  \
        UNUSED;                                        \
        for (unsigned i = 0; i < 4; i++)               \
            r->w[i] = i < (n) ? fn(b->w[i]) : a->w[i]; \
    }
APPROXIMATE(RCP_W4, 4, f32_recip_approx)
APPROXIMATE(RCP_W1, 1, f32_recip_approx)
APPROXIMATE(RSQRT_W4, 4, f32_rsqrt_approx)
APPROXIMATE(RSQRT_W1, 1, f32_rsqrt_approx)
