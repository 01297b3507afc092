/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SSE floating point: operands to and from the IR's FVEC operations. */
#include "guest/x86/lift_simd.h"
#include "ir/vec/vec.h"

/* op0 = op0 <aux> op1, with op2's immediate if there is one. */
void lift_fvec(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = x86_rdv(L, I, 1), a = x86_rdv(L, I, 0);
    x86_wrv(L, I, 0, irb_fvec(L->b, I->row->aux, a, b, IR_NONE, I->op[2].imm & 0xff));
}

/* CMPPS: the legacy encodings look at three bits of the predicate. */
void lift_fcmp(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = x86_rdv(L, I, 1), a = x86_rdv(L, I, 0);
    x86_wrv(L, I, 0, irb_fvec(L->b, I->row->aux, a, b, IR_NONE, I->op[2].imm & 7));
}

void lift_fcomi(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = x86_rdv(L, I, 1), a = x86_rdv(L, I, 0);
    ir_ref flags = irb_un(L->b, IR_VLO, irb_fvec(L->b, I->row->aux, a, b, IR_NONE, 0));
    x86_set_cc_eflags(L, irb_cast(L->b, flags, IR_W));
}

/* CVTSI2SS, CVTSI2SD: aux is the operation for 32 bits. */
void lift_int_to_float(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned op = I->row->aux;
    if (I->op[1].size == 8)
        op = op == FVEC_CVT_I32F32_1 ? FVEC_CVT_I64F32_1 : FVEC_CVT_I64F64_1;
    ir_ref v = irb_vfrom64(b, irb_cast(b, x86_rd(L, I, 1), IR_X), irb_x(b, 0));
    x86_wrv(L, I, 0, irb_fvec(b, op, x86_rdv(L, I, 0), v, IR_NONE, 0));
}

static unsigned to_int64(unsigned op)
{
    switch (op) {
    case FVEC_CVT_F32I32_1:
        return FVEC_CVT_F32I64_1;
    case FVEC_CVT_F64I32_1:
        return FVEC_CVT_F64I64_1;
    case FVEC_CVTT_F32I32_1:
        return FVEC_CVTT_F32I64_1;
    default:
        return FVEC_CVTT_F64I64_1;
    }
}

/* CVTSS2SI and its kin: aux is the operation for 32 bits. */
void lift_float_to_int(struct x86_lift *L, const struct x86_insn *I)
{
    bool wide = I->op[0].size == 8;
    unsigned op = wide ? to_int64(I->row->aux) : I->row->aux;
    ir_ref v = x86_rdv(L, I, 1);
    ir_ref n = irb_un(L->b, IR_VLO, irb_fvec(L->b, op, v, v, IR_NONE, 0));
    x86_wr(L, I, 0, wide ? n : irb_cast(L->b, n, IR_W));
}

/* ---- to and from MMX registers: the MMX state begins before the conversion, even if that traps ------- */

/* CVTPI2PS, CVTPI2PD. */
void lift_mmx_to_float(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = irb_vfrom64(L->b, x86_rd_mmx(L, I, 1), irb_x(L->b, 0));
    x86_mmx_begin(L);
    x86_wrv(L, I, 0, irb_fvec(L->b, I->row->aux, x86_rdv(L, I, 0), v, IR_NONE, 0));
}

/* CVTPS2PI, CVTPD2PI and the truncating ones. */
void lift_float_to_mmx(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = x86_rdv(L, I, 1);
    x86_mmx_begin(L);
    x86_wr_mmx(L, I, 0, irb_un(L->b, IR_VLO, irb_fvec(L->b, I->row->aux, v, v, IR_NONE, 0)));
}
