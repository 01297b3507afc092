/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internal to the x87: the register stack, exceptions, and what its helpers share.
 *
 * An operation is x87_begin(), arithmetic on c->s.x87_env, x87_end(), and, if that
 * says so, its results.  Stack faults go through x87_stack_fault() instead.
 * (Intel SDM vol. 1, chapter 8.)
 */
#ifndef REPRISE_GUEST_X86_X87_IMPL_H
#define REPRISE_GUEST_X86_X87_IMPL_H

#include "guest/x86/x87.h"

enum { /* status word; exceptions are FP_* at bits 0..5 */
    SW_SF = 1 << 6, SW_ES = 1 << 7, SW_C0 = 1 << 8, SW_C1 = 1 << 9, SW_C2 = 1 << 10, SW_C3 = 1 << 14, SW_B = 1 << 15,
};
/* Exceptions found before a result exists: unmasked, they leave the destination alone. */
enum { X87_BEFORE = FP_INVALID | FP_DENORMAL | FP_DIVZERO };

/* Formats of memory operands. */
enum x87_format { X87_REG, X87_M32, X87_M64, X87_I16, X87_I32, X87_I64 };

/* What a helper is told, in one constant. */
enum {
    X87_OP_MASK = 7,            /* arithmetic: modrm.reg, compares: X87_QUIET */
    X87_FORMAT_SHIFT = 4,
    X87_INDEX_SHIFT = 8,        /* i of ST(i) */
    X87_TO_INDEX = 1 << 12,     /* the result goes to ST(i) */
    X87_POP = 1 << 13,
    X87_POP2 = 1 << 14,
    X87_TRUNCATE = 1 << 15,     /* FISTTP */
    X87_QUIET = 1,              /* FUCOM */
};

static inline struct x86_x87 *x87_of(struct vcpu *v) { return &x86_of(v)->s.x87; }

static inline unsigned x87_phys(const struct x86_x87 *x, unsigned i) { return (x->top + i) & 7; }
static inline bool x87_empty(const struct x86_x87 *x, unsigned i) { return x->empty >> x87_phys(x, i) & 1; }

static inline f80 x87_get(const struct x86_x87 *x, unsigned i)
{
    return (f80){ x->st[x87_phys(x, i)].mant, (uint16_t)x->st[x87_phys(x, i)].se };
}

static inline void x87_set(struct x86_x87 *x, unsigned i, f80 v)
{
    unsigned p = x87_phys(x, i);
    x->st[p].mant = v.mant;
    x->st[p].se = v.se;
    x->empty &= (uint8_t) ~(1u << p);
}

static inline void x87_pop(struct x86_x87 *x)
{
    x->empty |= (uint8_t)(1u << x->top);
    x->top = (x->top + 1) & 7;
}

static inline void x87_pops(struct x86_x87 *x, unsigned desc)
{
    if (desc & (X87_POP | X87_POP2))
        x87_pop(x);
    if (desc & X87_POP2)
        x87_pop(x);
}

static inline f80 x87_indefinite(void) { return (f80){ UINT64_C(0xc000000000000000), 0xffff }; }

static inline struct fp_env *x87_begin(struct x86_cpu *c)
{
    c->s.x87.sw &= (uint16_t)~SW_C1;
    c->s.x87_env.raised = 0;
    return &c->s.x87_env;
}

/* Collects the exceptions.  False: one of `blocking` is unmasked, and nothing is to be written. */
bool x87_end(struct x86_cpu *c, unsigned blocking);

/* IE and SF, C1 telling overflow (SDM vol. 1, 8.5.1.1).  True: masked, go on with the indefinite. */
bool x87_stack_fault(struct x86_cpu *c, bool overflow);

/* A push: false if nothing was pushed. */
bool x87_push(struct x86_cpu *c, f80 v);

/* The environment (FNSTENV's words) and its tag word. */
uint16_t x87_tag_word(const struct x86_x87 *x);

static inline void x87_set_cc(struct x86_x87 *x, unsigned cc)
{
    x->sw = (uint16_t)((x->sw & ~(SW_C0 | SW_C1 | SW_C2 | SW_C3)) | cc);
}

/* What helpers of the stack alone see (ir_helper.part): registers, control and status, TOP and tags. */
#define X87_PART { X86_OFF(x87.st), X86_OFF(x87.fop) }

/* Helpers for lift_x87.c. */
extern const struct ir_helper x86_helper_x87_arith, x86_helper_x87_compare, x86_helper_x87_compare_flags,
    x86_helper_x87_unary, x86_helper_x87_load_m32, x86_helper_x87_load_m64, x86_helper_x87_load_int,
    x86_helper_x87_load80, x86_helper_x87_store_m32, x86_helper_x87_store_m64, x86_helper_x87_store_i16,
    x86_helper_x87_store_i32, x86_helper_x87_store_i64, x86_helper_x87_store80, x86_helper_x87_fld_st,
    x86_helper_x87_fst_st, x86_helper_x87_fxch, x86_helper_x87_cmov, x86_helper_x87_free, x86_helper_x87_store_env,
    x86_helper_x87_load_env;

/* D9 E0..FF by their low five bits, except compares and constants of their own helpers. */
enum x87_unary {
    X87_FCHS = 0x00, X87_FABS = 0x01, X87_FTST = 0x04, X87_FXAM = 0x05, X87_CONSTANTS = 0x08, X87_F2XM1 = 0x10,
    X87_FYL2X, X87_FPTAN, X87_FPATAN, X87_FXTRACT, X87_FPREM1, X87_FDECSTP, X87_FINCSTP, X87_FPREM, X87_FYL2XP1,
    X87_FSQRT, X87_FSINCOS, X87_FRNDINT, X87_FSCALE, X87_FSIN, X87_FCOS,
};

#endif
