/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic, compares and square roots in the common case: normal numbers in
 * registers that are not empty, a normal result, and no unmasked exception
 * (fp/fast.h; inexact is the only one there can be).  One function for each
 * operation and format, so that nothing is left to ask when it runs.  Whatever
 * else there is goes to the general function before anything is changed.
 */
#include "guest/x86/x87_fast.h"

/* Operand b, which is not ST(0), in physical register p or in memory. */
static inline bool other(const struct x86_x87 *x, enum x87_format format, unsigned p, uint64_t raw, struct fp_normal *b)
{
    return format == X87_REG ? x87_normal_in(x, p, b) : x87_normal_memory(format, raw, b);
}

/* Rounds under the precision control. */
static inline bool round_result(const struct x86_cpu *c, struct fp_env *e, struct fp_wide_normal *r)
{
    if (likely(c->s.x87_env.precision == 3))
        return fp_fast_round(e, r, 0, X87_MAX_EXP);
    return fp_fast_round(e, r, 64u - fp_format_x87(&c->s.x87_env)->precision, X87_MAX_EXP);
}

/* Into a register that is not empty. */
static inline void replace(struct x86_x87 *x, unsigned p, const struct fp_wide_normal *r)
{
    x->st[p].mant = r->sig;
    x->st[p].se = (uint64_t)r->sign << 15 | (uint64_t)r->exp;
}

static inline unsigned index_of(const struct x86_x87 *x, uint64_t desc)
{
    return (x->top + (unsigned)(desc >> X87_INDEX_SHIFT)) & 7;
}

typedef bool operation(struct fp_wide_normal *r, struct fp_normal a, struct fp_normal b, int32_t bias);

static inline __attribute__((always_inline)) uint64_t arith(struct vcpu *v, uint64_t desc, uint64_t raw,
                                                            enum x87_format format, operation *compute, bool reversed)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    unsigned top = x->top, p = format == X87_REG ? index_of(x, desc) : top;
    struct fp_normal a, b;
    struct fp_wide_normal r;
    struct fp_env e = x87_fast_env(c);
    if (unlikely(!x87_normal_in(x, top, &a)) || unlikely(!other(x, format, p, raw, &b)) ||
        unlikely(!(reversed ? compute(&r, b, a, X87_BIAS) : compute(&r, a, b, X87_BIAS))) ||
        unlikely(!round_result(c, &e, &r)) || unlikely(!x87_fast_end(c, &e)))
        return x86_helper_x87_arith.f2(v, desc, raw);
    replace(x, desc & X87_TO_INDEX ? p : top, &r);
    if (desc & X87_POP)
        x87_pop(x);
    return 0;
}

static inline __attribute__((always_inline)) uint64_t compare(struct vcpu *v, uint64_t desc, uint64_t raw,
                                                              enum x87_format format)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    struct fp_normal a, b;
    if (unlikely(!x87_normal_in(x, x->top, &a)) || unlikely(!other(x, format, index_of(x, desc), raw, &b)))
        return x86_helper_x87_compare.f2(v, desc, raw);
    enum fp_relation r = fp_fast_compare(a, b);
    c->s.x87_env.raised = 0;
    x87_set_cc(x, r == FP_LESS ? SW_C0 : r == FP_EQUAL ? SW_C3 : 0);
    x87_pops(x, (unsigned)desc);
    return 0;
}

static uint64_t do_sqrt(struct vcpu *v, uint64_t op)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    struct fp_normal a;
    struct fp_wide_normal r;
    struct fp_env e = x87_fast_env(c);
    if (unlikely(!x87_normal_in(x, x->top, &a)) || unlikely(!fp_fast_sqrt(&r, a, X87_BIAS)) ||
        unlikely(!round_result(c, &e, &r)) || unlikely(!x87_fast_end(c, &e)))
        return x86_helper_x87_unary.f1(v, op);
    replace(x, x->top, &r);
    return 0;
}

/* ---- the tables ------------------------------------------------------------------ */

#define ARITH(name, format, compute, reversed)                                           \
    static uint64_t do_##name##_##format(struct vcpu *v, uint64_t desc, uint64_t raw)    \
    {                                                                                    \
        return arith(v, desc, raw, X87_##format, compute, reversed);                     \
    }
#define OF_FORMAT(format)                                                                \
    ARITH(add, format, fp_fast_add, false)                                               \
    ARITH(mul, format, fp_fast_mul, false)                                               \
    ARITH(sub, format, fp_fast_sub, false)                                               \
    ARITH(subr, format, fp_fast_sub, true)                                               \
    ARITH(div, format, fp_fast_div, false)                                               \
    ARITH(divr, format, fp_fast_div, true)                                               \
    static uint64_t do_compare_##format(struct vcpu *v, uint64_t desc, uint64_t raw)     \
    {                                                                                    \
        return compare(v, desc, raw, X87_##format);                                      \
    }
OF_FORMAT(REG)
OF_FORMAT(M32)
OF_FORMAT(M64)

enum { STATE = HELPER_READS | HELPER_WRITES };
#define HELPER(name, format) \
    { "x87_" #name "_" #format, 2, STATE, IR_VOID, { IR_X, IR_X }, { .f2 = do_##name##_##format }, X87_PART }
/* By modrm.reg of D8; 2 and 3 are the compares. */
#define HELPERS(format) \
    { HELPER(add, format), HELPER(mul, format), HELPER(compare, format), HELPER(compare, format), \
      HELPER(sub, format), HELPER(subr, format), HELPER(div, format), HELPER(divr, format) }

static const struct ir_helper of_format[][8] = {
    [X87_REG] = HELPERS(REG), [X87_M32] = HELPERS(M32), [X87_M64] = HELPERS(M64),
};
static const struct ir_helper helper_sqrt = { "x87_sqrt", 1, STATE, IR_VOID, { IR_X }, { .f1 = do_sqrt }, X87_PART };

const struct ir_helper *x87_arith_helper(enum x87_format format, unsigned op)
{
    return format < ARRAY_LEN(of_format) ? &of_format[format][op] : &x86_helper_x87_arith;
}

const struct ir_helper *x87_compare_helper(enum x87_format format)
{
    return format < ARRAY_LEN(of_format) ? &of_format[format][2] : &x86_helper_x87_compare;
}

const struct ir_helper *x87_unary_helper(unsigned op) { return op == X87_FSQRT ? &helper_sqrt : &x86_helper_x87_unary; }
