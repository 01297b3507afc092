/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x87 control state, exceptions, the register stack; MXCSR. */
#include "guest/x86/x87_impl.h"

#include "guest/x86/lift_x87.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"

void x86_x87_update_env(struct x86_cpu *c)
{
    struct x86_x87 *x = &c->s.x87;
    c->s.x87_env = (struct fp_env){ .rounding = x->cw >> 10 & 3, .masks = x->cw & 63, .nan_rule = FP_NAN_X87,
                                    .precision = x->cw >> 8 & 3 };
    bool error = x->sw & ~x->cw & 63;
    x->sw = (uint16_t)((x->sw & ~(SW_ES | SW_B)) | (error ? SW_ES | SW_B : 0));
}

bool x87_end(struct x86_cpu *c, unsigned blocking)
{
    struct x86_x87 *x = &c->s.x87;
    unsigned raised = c->s.x87_env.raised, unmasked = raised & ~x->cw & FP_ALL;
    x->sw |= (uint16_t)(raised & FP_ALL);
    if (raised & FP_ROUNDED_UP && raised & FP_INEXACT)
        x->sw |= SW_C1;
    if (unlikely(unmasked))
        x->sw |= SW_ES | SW_B;
    return !(unmasked & blocking);
}

bool x87_stack_fault(struct x86_cpu *c, bool overflow)
{
    struct x86_x87 *x = &c->s.x87;
    x->sw = (uint16_t)((x->sw & ~SW_C1) | FP_INVALID | SW_SF | (overflow ? SW_C1 : 0));
    if (x->cw & FP_INVALID)
        return true;
    x->sw |= SW_ES | SW_B;
    return false;
}

bool x87_push(struct x86_cpu *c, f80 v)
{
    struct x86_x87 *x = &c->s.x87;
    if (!x87_empty(x, 7)) {
        if (!x87_stack_fault(c, true))
            return false;
        v = x87_indefinite();
    }
    x->top = (x->top - 1) & 7;
    x87_set(x, 0, v);
    return true;
}

void x86_x87_init(struct x86_cpu *c)
{
    struct x86_x87 *x = &c->s.x87;
    x->cw = 0x37f;
    x->sw = 0;
    x->top = 0;
    x->empty = 0xff;
    x->fop = x->fcs = x->fds = 0;
    x->fip = x->fdp = 0;
    x86_x87_update_env(c);
}

void x86_x87_reset(struct x86_cpu *c)
{
    c->s.x87 = (struct x86_x87){ .cw = 0x40 };
    x86_x87_update_env(c);
}

uint32_t x86_get_mxcsr(const struct x86_cpu *c)
{
    const struct fp_env *e = &c->s.sse_env;
    return e->flags | (uint32_t)e->daz << 6 | (uint32_t)e->masks << 7 | (uint32_t)e->rounding << 13 |
           (uint32_t)e->ftz << 15;
}

void x86_set_mxcsr(struct x86_cpu *c, uint32_t v)
{
    c->s.sse_env = (struct fp_env){ .flags = v & 63, .daz = v >> 6 & 1, .masks = v >> 7 & 63, .rounding = v >> 13 & 3,
                                    .ftz = v >> 15 & 1, .nan_rule = FP_NAN_SSE };
}

static uint64_t do_x87_pending(struct vcpu *v, uint64_t unused)
{
    struct x86_cpu *c = x86_of(v);
    (void)unused;
    if (c->s.cr0 & CR0_NE)
        x86_raise(v, EXC_MF, false, 0);
    else if (c->ferr)
        c->ferr(c->ferr_opaque, true);
    return 0;
}

static const struct ir_helper helper_x87_pending = { "x87_pending", 1, HELPER_MAY_EXIT, IR_VOID, { IR_X },
                                                     { .f1 = do_x87_pending } };

void x86_x87_wait(struct x86_lift *L)
{
    ir_ref es = irb_bini(L->b, IR_AND, irb_get(L->b, 2, X86_OFF(x87.sw)), SW_ES);
    irb_trap_if(L->b, IR_NE, es, irb_w(L->b, 0), &helper_x87_pending, irb_x(L->b, 0));
}

/* ---- control instructions -------------------------------------------------------------------------- */

static uint64_t do_fninit(struct vcpu *v)
{
    x86_x87_init(x86_of(v));
    return 0;
}

static uint64_t do_fnclex(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    c->s.x87.sw &= 0x7f00;
    x86_x87_update_env(c);
    if (c->ferr)
        c->ferr(c->ferr_opaque, false);
    return 0;
}

static uint64_t do_fldcw(struct vcpu *v, uint64_t cw)
{
    struct x86_cpu *c = x86_of(v);
    c->s.x87.cw = (uint16_t)((cw & 0x1f3f) | 0x40);
    x86_x87_update_env(c);
    return 0;
}

static uint64_t do_fnstsw(struct vcpu *v)
{
    const struct x86_x87 *x = &x86_of(v)->s.x87;
    return (uint64_t)(x->sw | x->top << 11);
}

static const struct ir_helper helper_fninit = { "fninit", 0, HELPER_WRITES, IR_VOID, { 0 }, { .f0 = do_fninit } };
static const struct ir_helper helper_fnclex = { "fnclex", 0, HELPER_WRITES, IR_VOID, { 0 }, { .f0 = do_fnclex } };
static const struct ir_helper helper_fldcw = { "fldcw", 1, HELPER_WRITES, IR_VOID, { IR_W }, { .f1 = do_fldcw },
                                               X87_PART };
static const struct ir_helper helper_fnstsw = { "fnstsw", 0, HELPER_READS, IR_W, { 0 }, { .f0 = do_fnstsw }, X87_PART };

static void call0(struct x86_lift *L, const struct ir_helper *h)
{
    irb_call(L->b, h, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

void lift_fninit(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    call0(L, &helper_fninit);
}

void lift_fnclex(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    call0(L, &helper_fnclex);
}

void lift_fldcw(struct x86_lift *L, const struct x86_insn *I)
{
    x86_x87_wait(L);
    irb_call(L->b, &helper_fldcw, x86_rd(L, I, 0), IR_NONE, IR_NONE, IR_NONE);
}

void lift_fnstcw(struct x86_lift *L, const struct x86_insn *I) { x86_wr(L, I, 0, irb_get(L->b, 2, X86_OFF(x87.cw))); }

void lift_fnstsw(struct x86_lift *L, const struct x86_insn *I)
{
    x86_wr(L, I, 0, irb_call(L->b, &helper_fnstsw, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
}

/* FWAIT waits only with MP for TS (SDM vol. 2, WAIT). */
void lift_fwait(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    if ((L->flags & (MODE_MP | MODE_TS)) == (MODE_MP | MODE_TS))
        x86_lift_fault(L, EXC_NM, false, 0);
    else
        x86_x87_wait(L);
}

/* aux 1: FNENI, FNDISI and FNSETPM, which do not wait. */
void lift_fnop(struct x86_lift *L, const struct x86_insn *I)
{
    if (!I->row->aux)
        x86_x87_wait(L);
}
