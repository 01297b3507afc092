/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floating point of AVX, FMA and F16C.  The two halves of a 256-bit operation are the parts of
 * one FVEC (ir/ops.h), so that an unmasked exception of either keeps both from being written.
 */
#include "guest/x86/lift_avx.h"

static const struct ymm none = { IR_NONE, IR_NONE };

static struct ymm both(struct x86_lift *L, unsigned op, struct ymm x, struct ymm y, struct ymm z, uint64_t imm)
{
    struct ir_block *b = L->b;
    struct ymm r = none;
    if (!x.hi) {
        r.lo = irb_fvec(b, op, x.lo, y.lo, z.lo, imm);
    } else {
        r.lo = irb_fvec_part(b, IR_FVEC_FIRST, op, x.lo, y.lo, z.lo, imm);
        r.hi = irb_fvec_part(b, IR_FVEC_LAST, op, x.hi, y.hi, z.hi, imm);
    }
    return r;
}

void lift_vex_fvec2(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm y = x86_rdy(L, I, 2), x = x86_rdy(L, I, 1);
    x86_wry(L, I, 0, both(L, vex_op(I), x, y, none, I->op[3].imm & 0xff));
}

void lift_vex_fvec1(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm x = x86_rdy(L, I, 1);
    x86_wry(L, I, 0, both(L, vex_op(I), x, x, none, I->op[2].imm & 0xff));
}

/* VCMPPS and its kin know 32 predicates. */
void lift_vex_fcmp(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm y = x86_rdy(L, I, 2), x = x86_rdy(L, I, 1);
    x86_wry(L, I, 0, both(L, vex_op(I), x, y, none, I->op[3].imm & 0x1f));
}

/* VCVTPS2PD, VCVTDQ2PD, VCVTPH2PS: the source has half as many bytes. */
void lift_vex_widen(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm v = { x86_rdv(L, I, 1), IR_NONE };
    if (vex_256(I, 0))
        v.hi = irb_vec(L->b, VEC_SHR_BYTES, v.lo, IR_NONE, IR_NONE, 8);
    x86_wry(L, I, 0, both(L, vex_op(I), v, v, none, 0));
}

/* VCVTPD2PS, VCVTPD2DQ, VCVTPS2PH: the results of both halves fill one.  A page fault comes before their exceptions. */
void lift_vex_narrow(struct x86_lift *L, const struct x86_insn *I)
{
    const struct x86_operand *to = &I->op[0];
    if (to->kind == OPK_MEM)
        x86_probe_write(L, x86_linear(L, I, to->size, true), to->size);
    struct ymm v = x86_rdy(L, I, 1), r = both(L, vex_op(I), v, v, none, I->op[2].imm & 0xff);
    if (r.hi)
        r.lo = irb_vec(L->b, VEC_UNPACKLO_D, r.lo, r.hi, IR_NONE, 0);
    x86_wry(L, I, 0, (struct ymm){ r.lo, IR_NONE });
}

/*
 * VDPPS of 256 bits, whose steps (products, sums of two, sums of four) each settle the exceptions of both
 * halves (SDM vol. 2, DPPS).  A product that is not wanted is 0 * 0.
 */
void lift_vex_dot(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    struct ymm y = x86_rdy(L, I, 2), x = x86_rdy(L, I, 1);
    ir_ref zero = irb_vec(b, VEC_ZERO, IR_NONE, IR_NONE, IR_NONE, 0), *in[4] = { &x.lo, &x.hi, &y.lo, &y.hi };
    for (unsigned k = 0; k < 4; k++)
        *in[k] = irb_vec(b, VEC_BLEND_W, zero, *in[k], IR_NONE, I->op[3].imm >> 4 & 15);
    struct ymm r = both(L, FVEC_MUL_W4, x, y, none, 0);
    r = both(L, FVEC_HADD_W4, r, r, none, 0);
    r = both(L, FVEC_HADD_W4, r, r, none, 0);
    r.lo = irb_vec(b, VEC_BLEND_W, zero, r.lo, IR_NONE, I->op[3].imm & 15);
    r.hi = irb_vec(b, VEC_BLEND_W, zero, r.hi, IR_NONE, I->op[3].imm & 15);
    x86_wry(L, I, 0, r);
}

/* VCVTSI2SS, VCVTSI2SD: aux is the operation for 32 bits. */
void lift_vex_int_to_float(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned op = vex_op(I);
    if (I->op[2].size == 8)
        op = op == FVEC_CVT_I32F32_1 ? FVEC_CVT_I64F32_1 : FVEC_CVT_I64F64_1;
    ir_ref v = irb_vfrom64(b, irb_cast(b, x86_rd(L, I, 2), IR_X), irb_x(b, 0));
    x86_wry(L, I, 0, (struct ymm){ irb_fvec(b, op, x86_rdv(L, I, 1), v, IR_NONE, 0), IR_NONE });
}

/*
 * VFMADD132PS and its kin: extra is the form.  Its first two digits are the factors' operands, counted
 * from 1, the last is the addend's; a scalar operation leaves the destination's other lanes.
 */
void lift_vex_fma(struct x86_lift *L, const struct x86_insn *I)
{
    static const uint8_t operand[3][3] = { { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 } };
    const uint8_t *from = operand[vex_extra(I) == 132 ? 0 : vex_extra(I) == 213 ? 1 : 2];
    struct ymm v[3];
    for (unsigned n = 3; n-- > 0;)
        v[n] = x86_rdy(L, I, n);
    struct ymm r = both(L, vex_op(I), v[from[0]], v[from[1]], v[from[2]], 0);
    if (I->op[2].code == OP_Wd)
        r.lo = irb_vec(L->b, VEC_MERGE_W, v[0].lo, r.lo, IR_NONE, 0);
    else if (I->op[2].code == OP_Wq)
        r.lo = irb_vec(L->b, VEC_MERGE_D, v[0].lo, r.lo, IR_NONE, 0);
    x86_wry(L, I, 0, r);
}
