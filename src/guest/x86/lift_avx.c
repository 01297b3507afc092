/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AVX and AVX2: operands, moves, and the operations that treat each half alike. */
#include "guest/x86/lift_avx.h"

#include "guest/x86/lift_simd.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"

/* ---- operands ------------------------------------------------------------------------------ */

void x86_check_aligned(struct x86_lift *L, ir_ref linear, unsigned size)
{
    x86_trap_if(L, IR_NE, irb_bini(L->b, IR_AND, linear, size - 1), irb_x(L->b, 0), EXC_GP);
}

static ir_ref second_half(struct x86_lift *L, ir_ref linear)
{
    ir_ref a = irb_bini(L->b, IR_ADD, linear, 16);
    return lift_64(L) ? a : irb_bini(L->b, IR_AND, a, UINT32_MAX);
}

/* Under alignment checking 32 bytes need be aligned to 16 only, as on AMD's (SDM vol. 1, 14.9 leaves it open). */
static void check_access32(struct x86_lift *L, ir_ref linear, bool write)
{
    x86_check_access(L, linear, 16, write);
    if (L->flags & MODE_DEBUG)
        x86_check_access(L, second_half(L, linear), 16, write);
}

struct ymm x86_rdy(struct x86_lift *L, const struct x86_insn *I, unsigned n)
{
    const struct x86_operand *o = &I->op[n];
    if (o->size != 32)
        return (struct ymm){ x86_rdv(L, I, n), IR_NONE };
    if (o->kind == OPK_XMM) {
        ir_ref lo = irb_getv(L->b, X86_OFF_XMM(o->reg));
        return (struct ymm){ lo, irb_getv(L->b, ymm_high(o->reg)) };
    }
    ir_ref linear = x86_linear(L, I, 32, false);
    check_access32(L, linear, false);
    ir_ref lo = irb_ldv(L->b, L->mmu, linear);
    return (struct ymm){ lo, irb_ldv(L->b, L->mmu, second_half(L, linear)) };
}

static uint64_t do_probe_write(struct vcpu *v, uint64_t linear, uint64_t size)
{
    vcpu_probe(v, linear, (unsigned)size, ACCESS_WRITE, x86_data_mode(x86_of(v)));
    return 0;
}

static const struct ir_helper helper_probe_write = { "probe_write", 2, HELPER_MAY_EXIT | HELPER_MEMORY, IR_VOID,
                                                     { IR_X, IR_X }, { .f2 = do_probe_write } };

void x86_probe_write(struct x86_lift *L, ir_ref linear, unsigned size)
{
    x86_check_access(L, linear, size < 16 ? size : 16, true);
    irb_call(L->b, &helper_probe_write, linear, irb_x(L->b, size), IR_NONE, IR_NONE);
}

/* The second half must not fault when the first is stored: only a store across pages can. */
static void store32(struct x86_lift *L, ir_ref linear, struct ymm v)
{
    struct ir_block *b = L->b;
    unsigned within = irb_label_new(b);
    check_access32(L, linear, true);
    irb_brcond(b, IR_LEU, irb_bini(b, IR_AND, linear, PAGE_SIZE - 1), irb_x(b, PAGE_SIZE - 32), within);
    x86_probe_write(L, linear, 32);
    irb_label(b, within);
    irb_stv(b, L->mmu, linear, v.lo);
    irb_stv(b, L->mmu, second_half(L, linear), v.hi);
}

void x86_clear_high(struct x86_lift *L, unsigned reg)
{
    irb_putv(L->b, ymm_high(reg), irb_vec(L->b, VEC_ZERO, IR_NONE, IR_NONE, IR_NONE, 0));
}

void x86_wry(struct x86_lift *L, const struct x86_insn *I, unsigned n, struct ymm v)
{
    const struct x86_operand *o = &I->op[n];
    if (o->kind != OPK_XMM) {
        if (v.hi)
            store32(L, x86_linear(L, I, 32, true), v);
        else
            x86_wrv(L, I, n, v.lo);
        return;
    }
    irb_putv(L->b, X86_OFF_XMM(o->reg), v.lo);
    if (v.hi)
        irb_putv(L->b, ymm_high(o->reg), v.hi);
    else
        x86_clear_high(L, o->reg);
}

/* ---- each half alike ------------------------------------------------------------------------------ */

static uint64_t immediate(const struct x86_insn *I, unsigned n)
{
    return I->op[n].kind == OPK_IMM ? I->op[n].imm & 0xff : 0;
}

static struct ymm both(struct x86_lift *L, const struct x86_insn *I, struct ymm x, struct ymm y, uint64_t imm)
{
    struct ymm r = { irb_vec(L->b, vex_op(I), x.lo, y.lo, IR_NONE, imm), IR_NONE };
    if (x.hi)
        r.hi = irb_vec(L->b, vex_op(I), x.hi, y.hi, IR_NONE, imm >> vex_extra(I));
    return r;
}

void lift_vex2(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm y = x86_rdy(L, I, 2), x = x86_rdy(L, I, 1);
    x86_wry(L, I, 0, both(L, I, x, y, immediate(I, 3)));
}

void lift_vex1(struct x86_lift *L, const struct x86_insn *I)
{
    x86_wry(L, I, 0, both(L, I, x86_rdy(L, I, 1), (struct ymm){ IR_NONE, IR_NONE }, immediate(I, 2)));
}

void lift_vex_dup(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm x = x86_rdy(L, I, 1);
    x86_wry(L, I, 0, both(L, I, x, x, immediate(I, 2)));
}

void lift_vex_shift(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref count = x86_rdv(L, I, 2);
    x86_wry(L, I, 0, both(L, I, x86_rdy(L, I, 1), (struct ymm){ count, count }, 0));
}

void lift_vex_blendv(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm y = x86_rdy(L, I, 2), x = x86_rdy(L, I, 1), mask = x86_rdy(L, I, 3);
    struct ymm r = { irb_vec(L->b, vex_op(I), x.lo, y.lo, mask.lo, 0), IR_NONE };
    if (x.hi)
        r.hi = irb_vec(L->b, vex_op(I), x.hi, y.hi, mask.hi, 0);
    x86_wry(L, I, 0, r);
}

/* VPTEST, VTESTPS, VTESTPD: a flag is set when it is for both halves. */
void lift_vex_test(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm y = x86_rdy(L, I, 1), x = x86_rdy(L, I, 0);
    struct ymm r = both(L, I, x, y, 0);
    ir_ref flags = irb_un(L->b, IR_VLO, r.lo);
    if (r.hi)
        flags = irb_bin(L->b, IR_AND, flags, irb_un(L->b, IR_VLO, r.hi));
    x86_set_cc_eflags(L, irb_cast(L->b, flags, IR_W));
}

/* VPMOVMSKB, VMOVMSKPS, VMOVMSKPD: extra is the number of lanes in a half. */
void lift_vex_mask(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm r = both(L, I, x86_rdy(L, I, 1), (struct ymm){ IR_NONE, IR_NONE }, 0);
    ir_ref bits = irb_un(L->b, IR_VLO, r.lo);
    if (r.hi)
        bits = irb_bin(L->b, IR_OR, bits, irb_bini(L->b, IR_SHL, irb_un(L->b, IR_VLO, r.hi), vex_extra(I)));
    irb_put(L->b, 8, X86_OFF_GPR(I->op[0].reg), bits);
}

/* ---- moves ------------------------------------------------------------------------------------------- */

void lift_vex_mov(struct x86_lift *L, const struct x86_insn *I)
{
    const struct x86_operand *to = &I->op[0], *from = &I->op[1];
    if (vex_extra(I) && (to->kind == OPK_MEM || from->kind == OPK_MEM)) {
        bool store = to->kind == OPK_MEM;
        unsigned size = store ? to->size : from->size;
        x86_check_aligned(L, x86_linear(L, I, size, store), size);
    }
    x86_wry(L, I, 0, x86_rdy(L, I, 1));
}

/* VMOVLPS and its kin to a register, by aux: bit 0 the half that op2 goes to, bit 1 the half of op2 if that is one. */
void lift_vex_mov_half(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    ir_ref v = x86_rdv(L, I, 2), old = x86_rdv(L, I, 1);
    ir_ref half = irb_un(b, vex_op(I) & 2 && I->op[2].kind == OPK_XMM ? IR_VHI : IR_VLO, v);
    ir_ref r = vex_op(I) & 1 ? irb_vfrom64(b, irb_un(b, IR_VLO, old), half) :
                               irb_vfrom64(b, half, irb_un(b, IR_VHI, old));
    x86_wry(L, I, 0, (struct ymm){ r, IR_NONE });
}

/* VMOVSLDUP, VMOVSHDUP: extra is SHUFFLE_W's immediate. */
void lift_vex_movdup(struct x86_lift *L, const struct x86_insn *I)
{
    struct ymm x = x86_rdy(L, I, 1), r = { IR_NONE, IR_NONE };
    r.lo = irb_vec(L->b, VEC_SHUFFLE_W, x.lo, IR_NONE, IR_NONE, vex_extra(I));
    if (x.hi)
        r.hi = irb_vec(L->b, VEC_SHUFFLE_W, x.hi, IR_NONE, IR_NONE, vex_extra(I));
    x86_wry(L, I, 0, r);
}

/* VMOVD, VMOVQ from a general register or memory. */
void lift_vex_movd(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = irb_cast(L->b, x86_rd(L, I, 1), IR_X);
    x86_wry(L, I, 0, (struct ymm){ irb_vfrom64(L->b, v, irb_x(L->b, 0)), IR_NONE });
}

void lift_vex_movq(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = irb_un(L->b, IR_VLO, x86_rdv(L, I, 1));
    x86_wry(L, I, 0, (struct ymm){ irb_vfrom64(L->b, v, irb_x(L->b, 0)), IR_NONE });
}

/* VPINSRx: aux is the operation. */
void lift_vex_pinsr(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    ir_ref v = irb_vfrom64(b, irb_cast(b, x86_rd(L, I, 2), IR_X), irb_x(b, 0));
    x86_wry(L, I, 0, (struct ymm){ irb_vec(b, vex_op(I), x86_rdv(L, I, 1), v, IR_NONE, immediate(I, 3)), IR_NONE });
}

/* From memory there is no lane to choose. */
void lift_vex_insertps(struct x86_lift *L, const struct x86_insn *I)
{
    uint64_t imm = immediate(I, 3) & (I->op[2].kind == OPK_MEM ? 0x3f : 0xff);
    ir_ref y = x86_rdv(L, I, 2), x = x86_rdv(L, I, 1);
    x86_wry(L, I, 0, (struct ymm){ irb_vec(L->b, VEC_INSERTPS, x, y, IR_NONE, imm), IR_NONE });
}

/* VPCMPxSTRM write XMM0. */
void lift_vex_pcmpstr(struct x86_lift *L, const struct x86_insn *I)
{
    lift_pcmpstr(L, I);
    if (I->row->aux & 2)
        x86_clear_high(L, 0);
}

/* VZEROUPPER, VZEROALL (VEX.L). */
void lift_vzero(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref zero = irb_vec(L->b, VEC_ZERO, IR_NONE, IR_NONE, IR_NONE, 0);
    for (unsigned i = 0; i < (lift_64(L) ? 16 : 8); i++) {
        irb_putv(L->b, ymm_high(i), zero);
        if (I->vex_l)
            irb_putv(L->b, X86_OFF_XMM(i), zero);
    }
}
