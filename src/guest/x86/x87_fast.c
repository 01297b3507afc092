/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic, compares and square roots in the common case: normal numbers in
 * registers that are not empty, a normal result, and no unmasked exception (fp/fast.h; inexact is the only
 * one there can be).  One function for each operation and format, so that nothing is left to ask when it runs.
 * Whatever else there is goes to the general function before anything is changed, and comes to the same.
 */
#include "guest/x86/x87_fast.h"

/* The operand that is not ST(0). */
static inline bool other(const struct x86_x87 *x, enum x87_format format, unsigned desc, uint64_t raw, struct fp_normal *b)
{
    if (format == X87_REG) {
        unsigned i = desc >> X87_INDEX_SHIFT & 7;
        return fp_normal_f80(x87_get(x, i), b) & !x87_empty(x, i);
    }
    return x87_normal_memory(format, raw, b);
}

/* Rounds under the precision control. */
static inline bool round_result(struct x86_cpu *c, struct fp_env *e, struct fp_wide_normal *r)
{
    unsigned precision = c->s.x87_env.precision;
    if (unlikely(precision != 3))
        return fp_fast_round(e, r, 64u - fp_format_x87(&c->s.x87_env)->precision, X87_MAX_EXP);
    return fp_fast_round(e, r, 0, X87_MAX_EXP);
}

static inline void set_result(struct x86_x87 *x, unsigned desc, const struct fp_wide_normal *r)
{
    x87_set(x, desc & X87_TO_INDEX ? desc >> X87_INDEX_SHIFT & 7 : 0,
            (f80){ r->sig, (uint16_t)(r->sign << 15 | r->exp) });
}

typedef bool operation(struct fp_wide_normal *r, struct fp_normal a, struct fp_normal b, int32_t bias);

static inline __attribute__((always_inline)) uint64_t arith(struct vcpu *v, uint64_t desc64, uint64_t raw,
                                                            enum x87_format format, operation *compute, bool reversed)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    unsigned desc = (unsigned)desc64;
    struct fp_normal a, b;
    struct fp_wide_normal r;
    struct fp_env e = x87_fast_env(c);
    bool normal = fp_normal_f80(x87_get(x, 0), &a) & !x87_empty(x, 0) & other(x, format, desc, raw, &b);
    if (unlikely(!normal) || unlikely(!(reversed ? compute(&r, b, a, X87_BIAS) : compute(&r, a, b, X87_BIAS))) ||
        unlikely(!round_result(c, &e, &r)) || unlikely(!x87_fast_end(c, &e)))
        return x86_helper_x87_arith.f2(v, desc, raw);
    set_result(x, desc, &r);
    if (desc & X87_POP)
        x87_pop(x);
    return 0;
}

static inline __attribute__((always_inline)) uint64_t compare(struct vcpu *v, uint64_t desc64, uint64_t raw,
                                                              enum x87_format format)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    unsigned desc = (unsigned)desc64;
    struct fp_normal a, b;
    if (unlikely(!(fp_normal_f80(x87_get(x, 0), &a) & !x87_empty(x, 0) & other(x, format, desc, raw, &b))))
        return x86_helper_x87_compare.f2(v, desc, raw);
    enum fp_relation r = fp_fast_compare(a, b);
    c->s.x87_env.raised = 0;
    x87_set_cc(x, r == FP_LESS ? SW_C0 : r == FP_EQUAL ? SW_C3 : 0);
    x87_pops(x, desc);
    return 0;
}

static uint64_t do_sqrt(struct vcpu *v, uint64_t op)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    struct fp_normal a;
    struct fp_wide_normal r;
    struct fp_env e = x87_fast_env(c);
    if (unlikely(!(fp_normal_f80(x87_get(x, 0), &a) & !x87_empty(x, 0))) || unlikely(!fp_fast_sqrt(&r, a, X87_BIAS)) ||
        unlikely(!round_result(c, &e, &r)) || unlikely(!x87_fast_end(c, &e)))
        return x86_helper_x87_unary.f1(v, op);
    set_result(x, 0, &r);
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

#define HELPER(name, format) \
    { "x87_" #name "_" #format, 2, HELPER_READS | HELPER_WRITES, IR_VOID, { IR_X, IR_X }, { .f2 = do_##name##_##format }, X87_PART }
/* By modrm.reg of D8; 2 and 3 are the compares. */
#define HELPERS(format)                                                                  \
    { HELPER(add, format), HELPER(mul, format), HELPER(compare, format), HELPER(compare, format), HELPER(sub, format),   \
      HELPER(subr, format), HELPER(div, format), HELPER(divr, format) }

static const struct ir_helper of_format[][8] = { [X87_REG] = HELPERS(REG), [X87_M32] = HELPERS(M32), [X87_M64] = HELPERS(M64) };
static const struct ir_helper helper_sqrt = { "x87_sqrt", 1, HELPER_READS | HELPER_WRITES, IR_VOID, { IR_X },
                                              { .f1 = do_sqrt }, X87_PART };

const struct ir_helper *x87_arith_helper(enum x87_format format, unsigned op)
{
    return format < ARRAY_LEN(of_format) ? &of_format[format][op] : &x86_helper_x87_arith;
}

const struct ir_helper *x87_compare_helper(enum x87_format format)
{
    return format < ARRAY_LEN(of_format) ? &of_format[format][2] : &x86_helper_x87_compare;
}

const struct ir_helper *x87_unary_helper(unsigned op) { return op == X87_FSQRT ? &helper_sqrt : &x86_helper_x87_unary; }
