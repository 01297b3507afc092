/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MMX: 64-bit operands in the lower half of the vector operations.
 *
 * lift.c has asked for a pending x87 exception.  TOP and the tags are set once nothing
 * can fault any more (x86_mmx_begin), the register last; MASKMOVQ, whose store may, does it before.
 */
#include "guest/x86/lift_simd.h"
#include "ir/vec/vec.h"

void x86_mmx_begin(struct x86_lift *L)
{
    irb_put(L->b, 1, X86_OFF(x87.top), irb_w(L->b, 0));
    irb_put(L->b, 1, X86_OFF(x87.empty), irb_w(L->b, 0));
}

/* EMMS. */
void lift_mmx_empty(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    irb_put(L->b, 1, X86_OFF(x87.top), irb_w(L->b, 0));
    irb_put(L->b, 1, X86_OFF(x87.empty), irb_w(L->b, 0xff));
}

static ir_ref widen(struct x86_lift *L, ir_ref low)
{
    return irb_vfrom64(L->b, low, irb_x(L->b, 0));
}

/* The low (or high) half of v becomes operand 0. */
static void finish(struct x86_lift *L, const struct x86_insn *I, ir_ref v, enum ir_op half)
{
    ir_ref x = irb_un(L->b, half, v);
    x86_mmx_begin(L);
    x86_wr_mmx(L, I, 0, x);
}

/* op0 = op0 <aux> op1, lane by lane. */
void lift_mmx2(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = widen(L, x86_rd_mmx(L, I, 1)), a = widen(L, x86_rd_mmx(L, I, 0));
    finish(L, I, irb_vec(L->b, I->row->aux, a, b, IR_NONE, 0), IR_VLO);
}

/* Packs and horizontal sums take op0's lanes, then op1's: both are in one vector. */
void lift_mmx2_pair(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = x86_rd_mmx(L, I, 1), both = irb_vfrom64(L->b, x86_rd_mmx(L, I, 0), b);
    finish(L, I, irb_vec(L->b, I->row->aux, both, both, IR_NONE, 0), IR_VLO);
}

/* Unpacking the whole of both: the upper half of what the 128-bit "low" unpack gives. */
void lift_mmx2_high(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = widen(L, x86_rd_mmx(L, I, 1)), a = widen(L, x86_rd_mmx(L, I, 0));
    finish(L, I, irb_vec(L->b, I->row->aux, a, b, IR_NONE, 0), IR_VHI);
}

/* op0 = <aux>(op1), imm8. */
void lift_mmx1_imm(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref a = widen(L, x86_rd_mmx(L, I, 1));
    finish(L, I, irb_vec(L->b, I->row->aux, a, IR_NONE, IR_NONE, I->op[2].imm & 0xff), IR_VLO);
}

void lift_mmx_shift(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref a = widen(L, x86_rd_mmx(L, I, 0));
    finish(L, I, irb_vec(L->b, I->row->aux, a, IR_NONE, IR_NONE, I->op[1].imm & 0xff), IR_VLO);
}

/* Only three bits of an index count. */
void lift_mmx_pshufb(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref index = irb_bini(L->b, IR_AND, x86_rd_mmx(L, I, 1), UINT64_C(0x8787878787878787));
    ir_ref a = widen(L, x86_rd_mmx(L, I, 0));
    finish(L, I, irb_vec(L->b, I->row->aux, a, widen(L, index), IR_NONE, 0), IR_VLO);
}

void lift_mmx_align(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = x86_rd_mmx(L, I, 1), both = irb_vfrom64(L->b, b, x86_rd_mmx(L, I, 0));
    finish(L, I, irb_vec(L->b, I->row->aux, both, IR_NONE, IR_NONE, I->op[2].imm & 0xff), IR_VLO);
}

/* ---- moves ------------------------------------------------------------------------------------- */

void lift_mmx_mov(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = x86_rd_mmx(L, I, 1);
    if (I->op[0].kind == OPK_MMX)
        x86_mmx_begin(L);
    x86_wr_mmx(L, I, 0, v);
    if (I->op[0].kind != OPK_MMX)
        x86_mmx_begin(L);
}

/* MOVD, MOVQ between general and MMX registers. */
void lift_mmx_movd(struct x86_lift *L, const struct x86_insn *I)
{
    if (I->op[0].kind == OPK_MMX) {
        ir_ref v = irb_cast(L->b, x86_rd(L, I, 1), IR_X);
        x86_mmx_begin(L);
        x86_wr_mmx(L, I, 0, v);
        return;
    }
    ir_ref v = x86_rd_mmx(L, I, 1);
    x86_wr(L, I, 0, I->op[0].size == 8 ? v : irb_cast(L->b, v, IR_W));
    x86_mmx_begin(L);
}

void lift_movq2dq(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = widen(L, x86_rd_mmx(L, I, 1));
    x86_mmx_begin(L);
    x86_wrv(L, I, 0, v);
}

void lift_movdq2q(struct x86_lift *L, const struct x86_insn *I)
{
    finish(L, I, x86_rdv(L, I, 1), IR_VLO);
}

void lift_mmx_insert(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = widen(L, irb_cast(L->b, x86_rd(L, I, 1), IR_X)), a = widen(L, x86_rd_mmx(L, I, 0));
    finish(L, I, irb_vec(L->b, I->row->aux, a, b, IR_NONE, I->op[2].imm & 3), IR_VLO);
}

/* PEXTRW, PMOVMSKB: to a general register. */
void lift_mmx_extract(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref a = widen(L, x86_rd_mmx(L, I, 1));
    ir_ref x = irb_un(L->b, IR_VLO, irb_vec(L->b, I->row->aux, a, IR_NONE, IR_NONE, I->op[2].imm & 3));
    x86_mmx_begin(L);
    irb_put(L->b, 8, X86_OFF_GPR(I->op[0].reg), x);
}

void lift_mmx_maskmov(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref data = widen(L, x86_rd_mmx(L, I, 0)), mask = widen(L, x86_rd_mmx(L, I, 1));
    x86_mmx_begin(L);
    x86_mask_store(L, I, data, mask, 8);
}
