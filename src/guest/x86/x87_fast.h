/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The common case of x87 instructions: between fp/fast.h and the registers.
 *
 * An operation reads its operands, computes under x87_fast_env(), and is decided
 * when x87_fast_end() says so; up to there nothing is changed, and the general functions can begin anew.
 */
#ifndef REPRISE_GUEST_X86_X87_FAST_H
#define REPRISE_GUEST_X86_X87_FAST_H

#include "fp/fast.h"
#include "guest/x86/x87_impl.h"

enum { X87_BIAS = 16383, X87_MAX_EXP = 2 * X87_BIAS };

/* What physical register p holds.  False: nothing, or no normal number. */
static inline bool x87_normal_in(const struct x86_x87 *x, unsigned p, struct fp_normal *n)
{
    f80 v = { x->st[p].mant, (uint16_t)x->st[p].se };
    return likely(!(x->empty >> p & 1)) && likely(fp_normal_f80(v, n));
}

/* A number in memory, m32 or m64, as one of the extended format.  False: it is not normal. */
static inline bool x87_normal_memory(enum x87_format format, uint64_t raw, struct fp_normal *n)
{
    bool normal = format == X87_M32 ? fp_normal_ieee(raw, 24, 8, n) : fp_normal_ieee(raw, 53, 11, n);
    n->exp += X87_BIAS - (format == X87_M32 ? 127 : 1023);
    return normal;
}

static inline struct fp_env x87_fast_env(const struct x86_cpu *c)
{
    return (struct fp_env){ .rounding = c->s.x87_env.rounding, .nan_rule = FP_NAN_X87 };
}

/* What x87_begin() and x87_end() do.  False: inexact is unmasked, and nothing was done. */
static inline bool x87_fast_end(struct x86_cpu *c, const struct fp_env *e)
{
    struct x86_x87 *x = &c->s.x87;
    if (unlikely(e->raised & FP_INEXACT & ~x->cw))
        return false;
    c->s.x87_env.raised = e->raised;
    x->sw = (uint16_t)((x->sw & ~SW_C1) | (e->raised & FP_INEXACT) | (e->raised & FP_ROUNDED_UP ? SW_C1 : 0));
    return true;
}

/* The helpers of FADD and its like (op: modrm.reg of D8), FCOM, and D9 E0..FF. */
const struct ir_helper *x87_arith_helper(enum x87_format format, unsigned op);
const struct ir_helper *x87_compare_helper(enum x87_format format);
const struct ir_helper *x87_unary_helper(unsigned op);

#endif
