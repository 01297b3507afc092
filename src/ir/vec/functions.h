/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internal to ir/vec/: the reference functions' prototypes. */
#ifndef REPRISE_IR_VEC_FUNCTIONS_H
#define REPRISE_IR_VEC_FUNCTIONS_H

#include "ir/vec/vec.h"

#define X(NAME, n) vec_fn vec_##NAME;
VEC_OPS(X)
#undef X
#define X(NAME, n) fvec_fn fvec_##NAME;
FVEC_OPS(X)
#undef X

/* r is no operand (vec.h), which is what lets a compiler use the host's vectors. */
#define VEC(NAME)                                                                                                   \
    void vec_##NAME(union v128 *restrict r, const union v128 *a, const union v128 *b, const union v128 *c, uint64_t imm)

#define FVEC(NAME)                                                                                                   \
    void fvec_##NAME(struct fp_env *env, union v128 *r, const union v128 *a, const union v128 *b, const union v128 *c, \
                     uint64_t imm)

/* Every lane has been done: an unmasked pre-computation exception of any keeps all from being completed. */
static inline void fvec_settle(struct fp_env *env)
{
    enum { BEFORE = FP_INVALID | FP_DENORMAL | FP_DIVZERO };
    if (unlikely(env->raised & ~env->masks & BEFORE))
        env->raised &= BEFORE;
}

/* ROUND's immediate: its own rounding, or with bit 2 the environment's. */
static inline enum fp_rounding fvec_rounding(const struct fp_env *env, uint64_t imm)
{
    return (enum fp_rounding)(imm & 4 ? env->rounding : imm & 3);
}

/* Runs expr for every lane i of r; x and y are the operands' lanes. */
#define LANES(field, n, T, expr)                                  \
    do {                                                          \
        (void)c;                                                  \
        (void)imm;                                                \
        for (unsigned i = 0; i < (n); i++) {                      \
            T x = (T)a->field[i], y = (T)b->field[i];             \
            (void)y;                                              \
            r->field[i] = (expr);                                 \
        }                                                         \
    } while (0)

/* The same with one operand. */
#define LANES1(field, n, T, expr)                                 \
    do {                                                          \
        (void)b;                                                  \
        (void)c;                                                  \
        (void)imm;                                                \
        for (unsigned i = 0; i < (n); i++) {                      \
            T x = (T)a->field[i];                                 \
            r->field[i] = (expr);                                 \
        }                                                         \
    } while (0)

#endif
