/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AVX and AVX2 operations that move lanes between the halves. */
#include "guest/x86/lift_avx.h"

static ir_ref zero(struct x86_lift *L) { return irb_vec(L->b, VEC_ZERO, IR_NONE, IR_NONE, IR_NONE, 0); }

/* VPMOVSXxx, VPMOVZXxx: the high half's lanes follow the low half's in the source. */
void lift_vex_extend(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    ir_ref v = x86_rdv(L, I, 1);
    struct ymm r = { irb_vec(b, vex_op(I), v, IR_NONE, IR_NONE, 0), IR_NONE };
    if (vex_256(I, 0)) {
        ir_ref upper = irb_vec(b, VEC_SHR_BYTES, v, IR_NONE, IR_NONE, I->op[1].size / 2);
        r.hi = irb_vec(b, vex_op(I), upper, IR_NONE, IR_NONE, 0);
    }
    x86_wry(L, I, 0, r);
}

/* aux: a BCAST, or VEC_OP_COUNT for all 128 bits. */
void lift_vex_broadcast(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = x86_rdv(L, I, 1);
    if (vex_op(I) != VEC_OP_COUNT)
        v = irb_vec(L->b, vex_op(I), v, IR_NONE, IR_NONE, 0);
    x86_wry(L, I, 0, (struct ymm){ v, vex_256(I, 0) ? v : IR_NONE });
}

void lift_vex_insert128(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = x86_rdv(L, I, 2);
    struct ymm r = x86_rdy(L, I, 1);
    if (I->op[3].imm & 1)
        r.hi = v;
    else
        r.lo = v;
    x86_wry(L, I, 0, r);
}

void lift_vex_extract128(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm v = x86_rdy(L, I, 1);
    x86_wry(L, I, 0, (struct ymm){ I->op[2].imm & 1 ? v.hi : v.lo, IR_NONE });
}

/* VPERM2F128, VPERM2I128: four bits of the immediate choose each half. */
void lift_vex_perm128(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm y = x86_rdy(L, I, 2), x = x86_rdy(L, I, 1);
    const ir_ref from[4] = { x.lo, x.hi, y.lo, y.hi };
    uint64_t imm = I->op[3].imm;
    struct ymm r = { imm & 8 ? zero(L) : from[imm & 3], imm & 0x80 ? zero(L) : from[imm >> 4 & 3] };
    x86_wry(L, I, 0, r);
}

/* VPERMQ, VPERMPD: two bits of the immediate choose each 64-bit lane. */
void lift_vex_permq(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm v = x86_rdy(L, I, 1);
    ir_ref half[2], from[2] = { v.lo, v.hi };
    for (unsigned h = 0; h < 2; h++) {
        unsigned imm = I->op[2].imm >> 4 * h & 15, lanes = (imm & 1) | (imm >> 1 & 2);
        half[h] = irb_vec(L->b, VEC_SHUFFLE2_D, from[imm >> 1 & 1], from[imm >> 3], IR_NONE, lanes);
    }
    x86_wry(L, I, 0, (struct ymm){ half[0], half[1] });
}

/* VPERMD, VPERMPS: op1 chooses each lane of op2 by three bits, the highest of which chooses the half. */
void lift_vex_permd(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    struct ymm v = x86_rdy(L, I, 2), index = x86_rdy(L, I, 1);
    ir_ref half[2], by[2] = { index.lo, index.hi };
    for (unsigned h = 0; h < 2; h++) {
        ir_ref low = irb_vec(b, VEC_PERM_W, v.lo, by[h], IR_NONE, 0);
        ir_ref high = irb_vec(b, VEC_PERM_W, v.hi, by[h], IR_NONE, 0);
        ir_ref upper = irb_vec(b, VEC_SHLI_W, by[h], IR_NONE, IR_NONE, 29);
        half[h] = irb_vec(b, VEC_BLENDV_W, low, high, upper, 0);
    }
    x86_wry(L, I, 0, (struct ymm){ half[0], half[1] });
}
