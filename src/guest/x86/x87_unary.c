/* SPDX-License-Identifier: GPL-2.0-or-later */
/* D9 E0..FF: operations on the top of the stack (SDM vol. 1, 8.3.5 to 8.3.9). */
#include "guest/x86/x87_impl.h"

static bool takes_two(unsigned op)
{
    return op == X87_FYL2X || op == X87_FPATAN || op == X87_FPREM || op == X87_FPREM1 || op == X87_FYL2XP1 ||
           op == X87_FSCALE;
}

static bool pushes(unsigned op) { return op == X87_FPTAN || op == X87_FSINCOS || op == X87_FXTRACT; }

/* ---- ones with their own rules for empty registers ------------------------------------ */

/* Class of ST(0) as C3 C2 C0, and its sign as C1 (SDM vol. 2, FXAM). */
static void fxam(struct x86_x87 *x)
{
    f80 v = x87_get(x, 0);
    unsigned exp = v.se & 0x7fff, cc;
    bool integer = v.mant >> 63;
    if (x87_empty(x, 0))
        cc = SW_C3 | SW_C0;
    else if (exp == 0)
        cc = v.mant ? SW_C3 | SW_C2 : SW_C3;
    else if (!integer)
        cc = 0;
    else if (exp == 0x7fff)
        cc = v.mant << 1 ? SW_C0 : SW_C2 | SW_C0;
    else
        cc = SW_C2;
    x87_set_cc(x, cc | (v.se >> 15 ? SW_C1 : 0));
}

static void ftst(struct x86_cpu *c)
{
    struct x86_x87 *x = &c->s.x87;
    struct fp_env *e = x87_begin(c);
    enum fp_relation r = FP_UNORDERED;
    if (x87_empty(x, 0)) {
        x87_stack_fault(c, false);
    } else {
        r = f80_compare(e, x87_get(x, 0), (f80){ 0, 0 }, false);
        x87_end(c, X87_BEFORE);
    }
    x87_set_cc(x, r == FP_LESS ? SW_C0 : r == FP_EQUAL ? SW_C3 : r == FP_GREATER ? 0 : SW_C0 | SW_C2 | SW_C3);
}

static void change_sign(struct x86_cpu *c, unsigned op)
{
    struct x86_x87 *x = &c->s.x87;
    x87_begin(c);
    f80 v = x87_get(x, 0);
    v.se = op == X87_FCHS ? v.se ^ 0x8000 : v.se & 0x7fff;
    if (!x87_empty(x, 0))
        x87_set(x, 0, v);
    else if (x87_stack_fault(c, false))
        x87_set(x, 0, x87_indefinite());
}

/* ---- the others -------------------------------------------------------------------------- */

/* Operations with one result, in ST(0) or, popping, in what was ST(1). */
static f80 one_result(struct x86_cpu *c, unsigned op, f80 a, f80 b)
{
    struct fp_env *e = &c->s.x87_env;
    switch (op) {
    case X87_F2XM1:
        return f80_2xm1(e, a);
    case X87_FYL2X:
        return f80_yl2x(e, a, b);
    case X87_FYL2XP1:
        return f80_yl2xp1(e, a, b);
    case X87_FPATAN:
        return f80_atan2(e, b, a);
    case X87_FSQRT:
        return f80_sqrt(e, a);
    case X87_FRNDINT:
        return f80_round(e, a, (enum fp_rounding)e->rounding, true);
    default:
        return f80_scale(e, a, b);
    }
}

/* FPREM, FPREM1: the quotient's low bits in C0 C3 C1, C2 while the reduction is partial. */
static void remainder_of(struct x86_cpu *c, unsigned op)
{
    struct x86_x87 *x = &c->s.x87;
    uint64_t q;
    bool partial;
    f80 r = f80_rem(&c->s.x87_env, x87_get(x, 0), x87_get(x, 1), op == X87_FPREM1, &q, &partial);
    if (!x87_end(c, X87_BEFORE))
        return;
    x87_set(x, 0, r);
    if ((r.se & 0x7fff) == 0x7fff)    /* a NaN: there is no quotient */
        return;
    x87_set_cc(x, partial ? SW_C2 : (q & 4 ? SW_C0 : 0) | (q & 2 ? SW_C3 : 0) | (q & 1 ? SW_C1 : 0));
}

/* FSIN, FCOS, FPTAN, FSINCOS: C2 tells an operand beyond 2^63, which stays. */
static void trigonometric(struct x86_cpu *c, unsigned op)
{
    struct x86_x87 *x = &c->s.x87;
    struct fp_env *e = &c->s.x87_env;
    f80 a = x87_get(x, 0), r = a, second = { UINT64_C(1) << 63, 0x3fff };
    bool inside = op == X87_FSIN    ? f80_sin(e, a, &r)
                  : op == X87_FCOS  ? f80_cos(e, a, &r)
                  : op == X87_FPTAN ? f80_tan(e, a, &r)
                                    : f80_sincos(e, a, &r, &second);
    x->sw &= (uint16_t)~SW_C2;
    if (!inside)
        x->sw |= SW_C2;
    if (!x87_end(c, X87_BEFORE) || !inside)
        return;
    if (op == X87_FPTAN && e->raised & FP_INVALID)
        second = r;
    bool nan = (r.se & 0x7fff) == 0x7fff;
    x87_set(x, 0, r);
    if (pushes(op)) {
        uint16_t c1 = x->sw & SW_C1;
        x87_push(c, op == X87_FPTAN && nan ? r : second);
        x->sw |= c1;
    }
}

static void extract(struct x86_cpu *c)
{
    struct x86_x87 *x = &c->s.x87;
    f80 exponent, significand = f80_extract(&c->s.x87_env, x87_get(x, 0), &exponent);
    if (!x87_end(c, X87_BEFORE))
        return;
    x87_set(x, 0, exponent);
    x87_push(c, significand);
}

/* Over whatever is there: the stack fault has been told. */
static void push_indefinite(struct x86_x87 *x)
{
    x->top = (x->top - 1) & 7;
    x87_set(x, 0, x87_indefinite());
}

static void operate(struct x86_cpu *c, unsigned op)
{
    struct x86_x87 *x = &c->s.x87;
    bool pop = op == X87_FYL2X || op == X87_FYL2XP1 || op == X87_FPATAN;
    x87_begin(c);
    if (op == X87_FPREM || op == X87_FPREM1)
        x->sw &= (uint16_t)~SW_C2;
    if (x87_empty(x, 0) || (takes_two(op) && x87_empty(x, 1))) {
        if (!x87_stack_fault(c, false))
            return;
        x87_set(x, pop ? 1 : 0, x87_indefinite());
        if (pop)
            x87_pop(x);
        else if (pushes(op))
            push_indefinite(x);
    } else if (pushes(op) && !x87_empty(x, 7)) {
        if (x87_stack_fault(c, true)) {
            x87_set(x, 0, x87_indefinite());
            push_indefinite(x);
        }
    } else if (op == X87_FPREM || op == X87_FPREM1) {
        remainder_of(c, op);
    } else if (op == X87_FSIN || op == X87_FCOS || op == X87_FPTAN || op == X87_FSINCOS) {
        trigonometric(c, op);
    } else if (op == X87_FXTRACT) {
        extract(c);
    } else {
        f80 r = one_result(c, op, x87_get(x, 0), x87_get(x, 1));
        if (!x87_end(c, X87_BEFORE))
            return;
        x87_set(x, pop ? 1 : 0, r);
        if (pop)
            x87_pop(x);
    }
}

static uint64_t do_unary(struct vcpu *v, uint64_t op64)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    unsigned op = (unsigned)op64;
    if (op == X87_FCHS || op == X87_FABS) {
        change_sign(c, op);
    } else if (op == X87_FTST) {
        ftst(c);
    } else if (op == X87_FXAM) {
        fxam(x);
    } else if (op >= X87_CONSTANTS && op < X87_F2XM1) {
        x87_begin(c);
        x87_push(c, f80_constant(&c->s.x87_env, (enum fp_constant)(op - X87_CONSTANTS)));
    } else if (op == X87_FDECSTP || op == X87_FINCSTP) {
        x->top = (x->top + (op == X87_FINCSTP ? 1 : 7)) & 7;
        x->sw &= (uint16_t)~SW_C1;
    } else {
        operate(c, op);
    }
    return 0;
}

const struct ir_helper x86_helper_x87_unary = { "x87_unary", 1, HELPER_READS | HELPER_WRITES, IR_VOID, { IR_X },
                                                { .f1 = do_unary }, X87_PART };
