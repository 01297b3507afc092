/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SSE integer operations and moves. */
#include "guest/x86/lift_simd.h"

#include "guest/x86/simd.h"
#include "guest/x86/x87.h"
#include "ir/vec/vec.h"

/* op0 = op0 <aux> op1. */
void lift_v2(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = x86_rdv(L, I, 1), a = x86_rdv(L, I, 0);
    x86_wrv(L, I, 0, irb_vec(L->b, I->row->aux, a, b, IR_NONE, 0));
}

/* op0 = op0 <aux> op1, imm8. */
void lift_v2_imm(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = x86_rdv(L, I, 1), a = x86_rdv(L, I, 0);
    x86_wrv(L, I, 0, irb_vec(L->b, I->row->aux, a, b, IR_NONE, I->op[2].imm & 0xff));
}

/* op0 = <aux>(op[n], imm8): PSHUFD and the shift groups (whose source is op0). */
void lift_v1_imm(struct x86_lift *L, const struct x86_insn *I)
{
    bool shift = I->op[1].kind == OPK_IMM;
    ir_ref a = x86_rdv(L, I, shift ? 0 : 1);
    uint64_t imm = I->op[shift ? 1 : 2].imm & 0xff;
    x86_wrv(L, I, 0, irb_vec(L->b, I->row->aux, a, IR_NONE, IR_NONE, imm));
}

void lift_vmov(struct x86_lift *L, const struct x86_insn *I) { x86_wrv(L, I, 0, x86_rdv(L, I, 1)); }

/* MOVSS, MOVSD: a register source keeps the destination's upper part, a memory source clears it. */
void lift_vmov_scalar(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = x86_rdv(L, I, 1);
    if (I->op[0].kind == OPK_XMM && I->op[1].kind == OPK_XMM)
        v = irb_vec(L->b, I->row->aux, x86_rdv(L, I, 0), v, IR_NONE, 0);
    x86_wrv(L, I, 0, v);
}

/* MOVLPS/MOVHPS family, by aux: bit 0 the destination's half, bit 1 the source's, for register or memory. */
void lift_vmov_half(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned to = I->row->aux & 1, from = I->row->aux >> 1 & 1;
    ir_ref half;
    if (I->op[1].kind == OPK_MEM)
        half = x86_ld(L, x86_linear(L, I, 8, false), 8, false);
    else
        half = irb_un(b, from ? IR_VHI : IR_VLO, x86_rdv(L, I, 1));
    if (I->op[0].kind == OPK_MEM) {
        x86_st(L, x86_linear(L, I, 8, true), 8, half);
        return;
    }
    ir_ref old = x86_rdv(L, I, 0);
    x86_wrv(L, I, 0, to ? irb_vfrom64(b, irb_un(b, IR_VLO, old), half) : irb_vfrom64(b, half, irb_un(b, IR_VHI, old)));
}

/* MOVD, MOVQ between general and XMM registers. */
void lift_movd(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    if (I->op[0].kind == OPK_XMM) {
        ir_ref v = irb_cast(b, x86_rd(L, I, 1), IR_X);
        x86_wrv(L, I, 0, irb_vfrom64(b, v, irb_x(b, 0)));
        return;
    }
    ir_ref v = irb_un(b, IR_VLO, x86_rdv(L, I, 1));
    x86_wr(L, I, 0, I->op[0].size == 8 ? v : irb_cast(b, v, IR_W));
}

/* MOVQ xmm/m64, xmm: a register destination's upper half is cleared. */
void lift_movq_store(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = irb_vfrom64(L->b, irb_un(L->b, IR_VLO, x86_rdv(L, I, 1)), irb_x(L->b, 0));
    x86_wrv(L, I, 0, v);
}

/* PMOVMSKB, MOVMSKPS, MOVMSKPD: aux is the mask operation. */
void lift_vmask(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref m = irb_vec(L->b, I->row->aux, x86_rdv(L, I, 1), IR_NONE, IR_NONE, 0);
    irb_put(L->b, 8, X86_OFF_GPR(I->op[0].reg), irb_un(L->b, IR_VLO, m));
}

/* ---- MXCSR ------------------------------------------------------------------------------------ */

static uint64_t do_ldmxcsr(struct vcpu *v, uint64_t value)
{
    if (value & ~(uint64_t)MXCSR_MASK)
        x86_raise(v, EXC_GP, true, 0);
    else
        x86_set_mxcsr(x86_of(v), (uint32_t)value);
    return 0;
}

static uint64_t do_stmxcsr(struct vcpu *v) { return x86_get_mxcsr(x86_of(v)); }

static const struct ir_helper helper_ldmxcsr = { "ldmxcsr", 1, HELPER_MAY_EXIT | HELPER_WRITES | HELPER_FP, IR_VOID,
                                                 { IR_W }, { .f1 = do_ldmxcsr } };
static const struct ir_helper helper_stmxcsr = { "stmxcsr", 0, HELPER_READS | HELPER_FP, IR_W, { 0 },
                                                 { .f0 = do_stmxcsr } };

void lift_ldmxcsr(struct x86_lift *L, const struct x86_insn *I)
{
    irb_call(L->b, &helper_ldmxcsr, x86_rd(L, I, 0), IR_NONE, IR_NONE, IR_NONE);
}

void lift_stmxcsr(struct x86_lift *L, const struct x86_insn *I)
{
    x86_wr(L, I, 0, irb_call(L->b, &helper_stmxcsr, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
}

void x86_fp_trap(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    c->s.sse_env.flags |= c->s.sse_env.raised;
    c->s.sse_env.raised = 0;
    x86_raise(v, c->s.cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD, false, 0);
}
