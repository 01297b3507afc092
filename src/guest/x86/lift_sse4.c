/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lane operations of SSE .. SSE4.2 that need more than two vectors and an immediate; masked stores. */
#include "guest/x86/lift_simd.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"
#include "ir/vec/vec.h"

/* op0 = <aux>(op1). */
void lift_v1(struct x86_lift *L, const struct x86_insn *I)
{
    x86_wrv(L, I, 0, irb_vec(L->b, I->row->aux, x86_rdv(L, I, 1), IR_NONE, IR_NONE, 0));
}

/* BLENDVPS and its kin: XMM0 is the mask. */
void lift_blendv(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = x86_rdv(L, I, 1), a = x86_rdv(L, I, 0);
    x86_wrv(L, I, 0, irb_vec(L->b, I->row->aux, a, b, irb_getv(L->b, X86_OFF_XMM(0)), 0));
}

void lift_ptest(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref b = x86_rdv(L, I, 1), a = x86_rdv(L, I, 0);
    ir_ref flags = irb_un(L->b, IR_VLO, irb_vec(L->b, VEC_TEST, a, b, IR_NONE, 0));
    x86_set_cc_eflags(L, irb_cast(L->b, flags, IR_W));
}

/* MOVDDUP: the low half of both operands of the unpack. */
void lift_movddup(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = x86_rdv(L, I, 1);
    x86_wrv(L, I, 0, irb_vec(L->b, VEC_UNPACKLO_D, v, v, IR_NONE, 0));
}

/* MOVSLDUP, MOVSHDUP: aux is SHUFFLE_W's immediate. */
void lift_movdup(struct x86_lift *L, const struct x86_insn *I)
{
    x86_wrv(L, I, 0, irb_vec(L->b, VEC_SHUFFLE_W, x86_rdv(L, I, 1), IR_NONE, IR_NONE, I->row->aux));
}

/* ---- single lanes ---------------------------------------------------------------------------------- */

/* PINSRx: aux is the operation; INSERT_W stands for PINSRQ too. */
void lift_pinsr(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned op = I->op[1].size == 8 ? VEC_INSERT_D : I->row->aux;
    ir_ref v = irb_vfrom64(b, irb_cast(b, x86_rd(L, I, 1), IR_X), irb_x(b, 0));
    x86_wrv(L, I, 0, irb_vec(b, op, x86_rdv(L, I, 0), v, IR_NONE, I->op[2].imm & 0xff));
}

/* PEXTRx, EXTRACTPS: a register destination is written whole. */
void lift_pextr(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned op = I->op[0].size == 8 ? VEC_EXTRACT_D : I->row->aux;
    ir_ref v = irb_vec(L->b, op, x86_rdv(L, I, 1), IR_NONE, IR_NONE, I->op[2].imm & 0xff);
    ir_ref x = irb_un(L->b, IR_VLO, v);
    x86_wr(L, I, 0, I->op[0].size == 8 ? x : irb_cast(L->b, x, IR_W));
}

/* From memory INSERTPS has no lane to choose. */
void lift_insertps(struct x86_lift *L, const struct x86_insn *I)
{
    uint64_t imm = I->op[2].imm & (I->op[1].kind == OPK_MEM ? 0x3f : 0xff);
    ir_ref b = x86_rdv(L, I, 1), a = x86_rdv(L, I, 0);
    x86_wrv(L, I, 0, irb_vec(L->b, VEC_INSERTPS, a, b, IR_NONE, imm));
}

/* ---- strings ---------------------------------------------------------------------------------------- */

/* The explicit lengths: EAX and EDX, or RAX and RDX with REX.W. */
static ir_ref lengths(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref n[2];
    for (unsigned i = 0; i < 2; i++) {
        n[i] = x86_rd_reg(L, i ? R_DX : R_AX, I->osz == 8 ? 8 : 4);
        if (I->osz != 8)
            n[i] = irb_un(L->b, IR_SEXT, n[i]);
    }
    return irb_vfrom64(L->b, n[0], n[1]);
}

/* The lowest (imm bit 6: highest) lane in the mask; the number of lanes if there is none. */
static ir_ref first_lane(struct x86_lift *L, ir_ref mask, uint64_t imm)
{
    struct ir_block *b = L->b;
    unsigned n = imm & 1 ? 8 : 16;
    if (!(imm & 0x40))
        return irb_un(b, IR_CTZ, irb_bini(b, IR_OR, mask, 1u << n));
    ir_ref top = irb_bin(b, IR_SUB, irb_w(b, 31), irb_un(b, IR_CLZ, mask));
    return irb_select(b, mask, top, irb_w(b, n));
}

/* PCMPxSTRx: aux bit 0: explicit lengths; bit 1: the mask to XMM0 rather than an index to ECX. */
void lift_pcmpstr(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    bool explicit = I->row->aux & 1, to_mask = I->row->aux & 2;
    uint64_t imm = I->op[2].imm & 0xff;
    ir_ref y = x86_rdv(L, I, 1), x = x86_rdv(L, I, 0), len = explicit ? lengths(L, I) : IR_NONE;
    ir_ref r = irb_vec(b, explicit ? VEC_CMPESTR : VEC_CMPISTR, x, y, len, imm);
    ir_ref mask = irb_un(b, IR_VLO, r);
    if (!to_mask) {
        x86_wr_reg(L, R_CX, 4, first_lane(L, irb_cast(b, mask, IR_W), imm));
    } else {
        ir_ref v = irb_vfrom64(b, mask, irb_x(b, 0));
        if (imm & 0x40)
            v = irb_vec(b, imm & 1 ? VEC_EXPAND_H : VEC_EXPAND_B, v, IR_NONE, IR_NONE, 0);
        irb_putv(b, X86_OFF_XMM(0), v);
    }
    x86_set_cc_eflags(L, irb_cast(b, irb_un(b, IR_VHI, r), IR_W));
}

/* ---- masked stores ------------------------------------------------------------------------------------ */

/* Stores the chosen bytes.  The whole operand must be accessible: AMD asks so, the SDM leaves it open. */
static uint64_t mask_store(struct vcpu *v, uint64_t linear, uint64_t mask, uint64_t low, uint64_t high, unsigned size)
{
    unsigned mode = x86_data_mode(x86_of(v));
    uint8_t bytes[16];
    if (!vcpu_probe(v, linear, size, ACCESS_WRITE, mode))
        return 0;
    store_le(bytes, 8, low);
    store_le(bytes + 8, 8, high);
    for (unsigned i = 0; i < size; i++) {
        unsigned from = i;
        while (i < size && mask >> i & 1)
            i++;
        if (i > from && !vcpu_store_bytes(v, linear + from, bytes + from, i - from, mode))
            return 0;
    }
    return 0;
}

static uint64_t do_mask_store8(struct vcpu *v, uint64_t linear, uint64_t mask, uint64_t data)
{
    return mask_store(v, linear, mask, data, 0, 8);
}

static uint64_t do_mask_store16(struct vcpu *v, uint64_t linear, uint64_t mask, uint64_t low, uint64_t high)
{
    return mask_store(v, linear, mask, low, high, 16);
}

static const struct ir_helper helper_mask_store8 = {
    "mask_store8", 3, HELPER_MAY_EXIT | HELPER_MEMORY, IR_VOID, { IR_X, IR_X, IR_X }, { .f3 = do_mask_store8 }
};
static const struct ir_helper helper_mask_store16 = {
    "mask_store16", 4, HELPER_MAY_EXIT | HELPER_MEMORY, IR_VOID, { IR_X, IR_X, IR_X, IR_X }, { .f4 = do_mask_store16 }
};

void x86_mask_store(struct x86_lift *L, const struct x86_insn *I, ir_ref data, ir_ref mask, unsigned size)
{
    struct ir_block *b = L->b;
    ir_ref di = x86_rd_reg(L, R_DI, I->asz);
    ir_ref linear = x86_linear_seg(L, I->seg, irb_cast(b, di, IR_X), size, true);
    x86_check_access(L, linear, 8, true);
    if (size == 16)
        x86_check_access(L, irb_bini(b, IR_ADD, linear, 8), 8, true);
    ir_ref bits = irb_un(b, IR_VLO, irb_vec(b, VEC_MASK_B, mask, IR_NONE, IR_NONE, 0));
    ir_ref low = irb_un(b, IR_VLO, data);
    if (size == 8)
        irb_call(b, &helper_mask_store8, linear, bits, low, IR_NONE);
    else
        irb_call(b, &helper_mask_store16, linear, bits, low, irb_un(b, IR_VHI, data));
}

void lift_maskmov(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref data = x86_rdv(L, I, 0);
    x86_mask_store(L, I, data, x86_rdv(L, I, 1), 16);
}
