/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x87 arithmetic and compares between ST(0) and a register or memory operand (SDM vol. 1, 8.3.5, 8.3.6). */
#include "guest/x86/x87_impl.h"

/* An operand from memory, brought to the extended format unchanged: signalling NaNs stay so, denormals are noted. */
struct operand {
    f80 v;
    bool denormal;
};

/* p significand bits, w exponent bits. */
static struct operand widen(uint64_t raw, unsigned p, unsigned w)
{
    uint64_t frac = raw & mask64(p - 1);
    unsigned exp = (unsigned)(raw >> (p - 1) & mask64(w)), ones = (unsigned)mask64(w),
             sign = (unsigned)(raw >> (p - 1 + w));
    struct operand o = { .v.se = (uint16_t)(sign << 15) };
    if (exp == 0 && frac == 0)
        return o;
    o.v.mant = frac << (64 - p);
    unsigned biased = exp == ones ? 0x7fff : exp + 16383 - (ones >> 1);
    if (exp == 0) {
        unsigned shift = (unsigned)__builtin_clzll(o.v.mant);
        o.denormal = true;
        o.v.mant <<= shift;
        biased = 16383 - (ones >> 1) + 1 - shift;
    } else {
        o.v.mant |= UINT64_C(1) << 63;
    }
    o.v.se |= (uint16_t)biased;
    return o;
}

static struct operand operand(struct x86_cpu *c, unsigned desc, uint64_t raw)
{
    struct x86_x87 *x = &c->s.x87;
    switch ((enum x87_format)(desc >> X87_FORMAT_SHIFT & 15)) {
    case X87_REG:
        return (struct operand){ .v = x87_get(x, desc >> X87_INDEX_SHIFT & 7) };
    case X87_M32:
        return widen(raw, 24, 8);
    case X87_M64:
        return widen(raw, 53, 11);
    default: {
        struct fp_env exact = { .masks = FP_ALL, .precision = 3, .nan_rule = FP_NAN_X87 };
        return (struct operand){ .v = f80_from_i64(&exact, (int64_t)raw) };
    }
    }
}

static bool operand_empty(struct x86_cpu *c, unsigned desc)
{
    bool reg = (desc >> X87_FORMAT_SHIFT & 15) == X87_REG;
    return x87_empty(&c->s.x87, 0) || (reg && x87_empty(&c->s.x87, desc >> X87_INDEX_SHIFT & 7));
}

static bool is_nan(f80 v) { return (v.se & 0x7fff) == 0x7fff && v.mant << 1; }

/* A denormal in memory counts unless something of higher priority happened (SDM vol. 1, 8.7.2). */
static void note_denormal(struct fp_env *e, const struct operand *b, f80 a)
{
    if (!b->denormal || e->raised & (FP_INVALID | FP_DIVZERO) || is_nan(a))
        return;
    e->raised = e->masks & FP_DENORMAL ? e->raised | FP_DENORMAL : FP_DENORMAL;
}

/* ---- arithmetic ------------------------------------------------------------------ */

/* op is modrm.reg of D8: a is ST(0), b the other operand. */
static f80 compute(struct fp_env *e, unsigned op, f80 a, f80 b)
{
    switch (op) {
    case 0:
        return f80_add(e, a, b);
    case 1:
        return f80_mul(e, a, b);
    case 4:
        return f80_sub(e, a, b);
    case 5:
        return f80_sub(e, b, a);
    case 6:
        return f80_div(e, a, b);
    default:
        return f80_div(e, b, a);
    }
}

static uint64_t do_arith(struct vcpu *v, uint64_t desc64, uint64_t raw)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    unsigned desc = (unsigned)desc64, to = desc & X87_TO_INDEX ? desc >> X87_INDEX_SHIFT & 7 : 0;
    struct fp_env *e = x87_begin(c);
    f80 r = x87_indefinite();
    if (operand_empty(c, desc)) {
        if (!x87_stack_fault(c, false))
            return 0;
    } else {
        struct operand b = operand(c, desc, raw);
        f80 a = x87_get(x, 0);
        r = compute(e, desc & X87_OP_MASK, a, b.v);
        note_denormal(e, &b, a);
        if (!x87_end(c, X87_BEFORE))
            return 0;
    }
    x87_set(x, to, r);
    x87_pops(x, desc);
    return 0;
}

/* ---- compares ------------------------------------------------------------------- */

static enum fp_relation relation(struct x86_cpu *c, unsigned desc, uint64_t raw, bool *done)
{
    struct fp_env *e = &c->s.x87_env;
    e->raised = 0;
    if (operand_empty(c, desc)) {
        *done = x87_stack_fault(c, false);
        return FP_UNORDERED;
    }
    struct operand b = operand(c, desc, raw);
    f80 a = x87_get(&c->s.x87, 0);
    enum fp_relation r = f80_compare(e, a, b.v, desc & X87_QUIET);
    note_denormal(e, &b, a);
    *done = x87_end(c, X87_BEFORE);
    return r;
}

/* The condition codes tell the outcome even when an unmasked exception keeps it from popping. */
static uint64_t do_compare(struct vcpu *v, uint64_t desc, uint64_t raw)
{
    struct x86_cpu *c = x86_of(v);
    bool done;
    enum fp_relation r = relation(c, (unsigned)desc, raw, &done);
    x87_set_cc(&c->s.x87, r == FP_LESS ? SW_C0 : r == FP_EQUAL ? SW_C3 : r == FP_GREATER ? 0 : SW_C0 | SW_C2 | SW_C3);
    if (done)
        x87_pops(&c->s.x87, (unsigned)desc);
    return 0;
}

/* FCOMI and its like: returns the arithmetic flags. */
static uint64_t do_compare_flags(struct vcpu *v, uint64_t desc)
{
    struct x86_cpu *c = x86_of(v);
    bool done;
    enum fp_relation r = relation(c, (unsigned)desc, 0, &done);
    if (done)
        x87_pops(&c->s.x87, (unsigned)desc);
    return r == FP_LESS      ? FLAG_CF
           : r == FP_EQUAL   ? FLAG_ZF
           : r == FP_GREATER ? 0
                             : FLAG_CF | FLAG_ZF | FLAG_PF;
}

enum { STATE = HELPER_READS | HELPER_WRITES };
const struct ir_helper x86_helper_x87_arith = { "x87_arith", 2, STATE, IR_VOID, { IR_X, IR_X },
                                                { .f2 = do_arith }, X87_PART };
const struct ir_helper x86_helper_x87_compare = { "x87_compare", 2, STATE, IR_VOID, { IR_X, IR_X },
                                                  { .f2 = do_compare }, X87_PART };
const struct ir_helper x86_helper_x87_compare_flags = { "x87_compare_flags", 1, STATE, IR_W, { IR_X },
                                                        { .f1 = do_compare_flags }, X87_PART };
