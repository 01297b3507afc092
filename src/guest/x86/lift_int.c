/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arithmetic, logic and data movement. */
#include "guest/x86/lift_int.h"

static ir_ref alu(struct x86_lift *L, unsigned op, ir_ref x, ir_ref y, unsigned size)
{
    struct ir_block *b = L->b;
    ir_ref r, carry;
    switch (op) {
    case ALU_ADD:
        return irb_bin(b, IR_ADD, x, y);
    case ALU_ADC:
    case ALU_SBB:
        carry = x86_as(L, x86_carry(L), size);
        r = irb_bin(b, op == ALU_ADC ? IR_ADD : IR_SUB, x, y);
        return irb_bin(b, op == ALU_ADC ? IR_ADD : IR_SUB, r, carry);
    case ALU_SUB:
    case ALU_CMP:
        return irb_bin(b, IR_SUB, x, y);
    case ALU_OR:
        return irb_bin(b, IR_OR, x, y);
    case ALU_XOR:
        return irb_bin(b, IR_XOR, x, y);
    default:
        return irb_bin(b, IR_AND, x, y);
    }
}

static void alu_flags(struct x86_lift *L, unsigned op, ir_ref x, ir_ref y, ir_ref r, ir_ref carry, unsigned size)
{
    switch (op) {
    case ALU_ADD:
        x86_set_cc(L, x86_cc_of(CC_ADDB, size), r, y, IR_NONE);
        break;
    case ALU_ADC:
        x86_set_cc(L, x86_cc_of(CC_ADCB, size), r, y, carry);
        break;
    case ALU_SBB:
        x86_set_cc(L, x86_cc_of(CC_SBBB, size), r, y, carry);
        break;
    case ALU_SUB:
    case ALU_CMP:
        x86_set_cc(L, x86_cc_of(CC_SUBB, size), IR_NONE, y, x);
        break;
    default:
        x86_set_cc(L, x86_cc_of(CC_LOGICB, size), r, IR_NONE, IR_NONE);
    }
}

/* ADD OR ADC SBB AND SUB XOR CMP TEST: op0 = op0 <aux> op1. */
void lift_alu(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned op = I->row->aux, size = I->op[0].size;
    bool store = op != ALU_CMP && op != ALU_TEST;
    ir_ref linear = IR_NONE, carry = IR_NONE;
    ir_ref x = store ? x86_rd_rmw(L, I, 0, &linear) : x86_rd(L, I, 0);
    ir_ref y = x86_rd(L, I, 1), r;
    if (op == ALU_ADC || op == ALU_SBB) {
        carry = x86_carry(L);
        if (!linear)
            x86_cc_ends(L);
        r = irb_bin(L->b, op == ALU_ADC ? IR_ADD : IR_SUB, x, y);
        r = irb_bin(L->b, op == ALU_ADC ? IR_ADD : IR_SUB, r, x86_as(L, carry, size));
    } else {
        if (!linear)
            x86_cc_ends(L);
        r = alu(L, op, x, y, size);
    }
    if (store)
        x86_wr_rmw(L, I, 0, linear, r);
    alu_flags(L, op, x, y, r, carry, size);
}

/* INC (aux 0) and DEC (1): the carry flag stays. */
void lift_incdec(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref linear, x = x86_rd_rmw(L, I, 0, &linear);
    ir_ref r = irb_bini(L->b, I->row->aux ? IR_SUB : IR_ADD, x, 1);
    x86_wr_rmw(L, I, 0, linear, r);
    x86_set_cc_inc(L, I->row->aux, I->op[0].size, r);
}

void lift_not(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref linear, x = x86_rd_rmw(L, I, 0, &linear);
    x86_wr_rmw(L, I, 0, linear, irb_un(L->b, IR_NOT, x));
}

void lift_neg(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref linear, x = x86_rd_rmw(L, I, 0, &linear);
    if (!linear)
        x86_cc_ends(L);
    ir_ref r = irb_un(L->b, IR_NEG, x);
    x86_wr_rmw(L, I, 0, linear, r);
    x86_set_cc(L, x86_cc_of(CC_SUBB, I->op[0].size), IR_NONE, x, irb_const(L->b, I->op[0].size == 8 ? IR_X : IR_W, 0));
}

/* ---- movement --------------------------------------------------------------------------------- */

void lift_mov(struct x86_lift *L, const struct x86_insn *I) { x86_wr(L, I, 0, x86_rd(L, I, 1)); }

/* MOVZX (aux 0), MOVSX (1). */
void lift_movx(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned from = I->op[1].size;
    ir_ref v = x86_rd(L, I, 1);
    if (from == 4)
        v = I->row->aux ? irb_un(L->b, IR_SEXT, v) : v;
    else if (I->row->aux)
        v = irb_sextract(L->b, irb_cast(L->b, v, I->op[0].size == 8 ? IR_X : IR_W), 0, 8 * from);
    x86_wr(L, I, 0, x86_as(L, v, I->op[0].size));
}

/* MOVSXD; without REX.W it is a plain move. */
void lift_movsxd(struct x86_lift *L, const struct x86_insn *I)
{
    if (I->osz != 8) {
        struct x86_insn J = *I;
        J.op[1].size = I->osz;
        x86_wr(L, &J, 0, x86_rd(L, &J, 1));
        return;
    }
    x86_wr(L, I, 0, irb_un(L->b, IR_SEXT, x86_rd(L, I, 1)));
}

void lift_lea(struct x86_lift *L, const struct x86_insn *I)
{
    x86_wr_reg(L, I->op[0].reg, I->op[0].size, x86_as(L, x86_ea(L, I), I->op[0].size));
}

void lift_xchg(struct x86_lift *L, const struct x86_insn *I)
{
    if (I->row->map == MAP_1 && I->opcode == 0x90 && I->op[0].reg == R_AX)
        return;                     /* NOP: no zero extension either */
    ir_ref linear, x = x86_rd_rmw(L, I, 0, &linear), y = x86_rd(L, I, 1);
    x86_wr_rmw(L, I, 0, linear, y);
    x86_wr_reg(L, I->op[1].reg, I->op[1].size, x);
}

void lift_xadd(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref linear, x = x86_rd_rmw(L, I, 0, &linear), y = x86_rd(L, I, 1);
    ir_ref r = irb_bin(L->b, IR_ADD, x, y);
    if (linear) {
        x86_st(L, linear, I->op[0].size, r);
        x86_wr_reg(L, I->op[1].reg, I->op[1].size, x);
    } else {
        x86_wr_reg(L, I->op[1].reg, I->op[1].size, x);
        x86_wr_reg(L, I->op[0].reg, I->op[0].size, r);
    }
    x86_set_cc(L, x86_cc_of(CC_ADDB, I->op[0].size), r, y, IR_NONE);
}

/*
 * CMPXCHG: compares the accumulator with op0; equal: op0 = op1, else the
 * accumulator = op0.  The destination is always written.
 */
void lift_cmpxchg(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned size = I->op[0].size;
    ir_ref linear, x = x86_rd_rmw(L, I, 0, &linear), y = x86_rd(L, I, 1);
    ir_ref acc = x86_rd_reg(L, R_AX, size);
    ir_ref equal = irb_setcond(b, IR_EQ, acc, x);
    ir_ref old_rax = irb_get(b, 8, X86_OFF_GPR(R_AX));
    if (!linear && size == 4) {
        /* A destination register that is not exchanged keeps its upper half too. */
        ir_ref old = irb_get(b, 8, X86_OFF_GPR(I->op[0].reg));
        irb_put(b, 8, X86_OFF_GPR(I->op[0].reg), irb_select(b, equal, irb_cast(b, y, IR_X), old));
    } else {
        x86_wr_rmw(L, I, 0, linear, irb_select(b, equal, y, x));
    }
    if (!linear && I->op[0].reg == R_AX) {
        /* Always equal: done. */
    } else if (size == 4) {
        irb_put(b, 8, X86_OFF_GPR(R_AX), irb_select(b, equal, old_rax, irb_cast(b, x, IR_X)));
    } else {
        x86_wr_reg(L, R_AX, size, irb_select(b, equal, acc, x));
    }
    x86_set_cc(L, x86_cc_of(CC_SUBB, size), IR_NONE, x, acc);
}

static ir_ref get64(struct x86_lift *L, unsigned reg) { return irb_get(L->b, 8, X86_OFF_GPR(reg)); }

/* The operand lies in one page: once its first half has been read for writing, nothing more can fault. */
static void cmpxchg16b(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    ir_ref at = x86_linear(L, I, 16, true), high = irb_bini(b, IR_ADD, at, 8);
    x86_trap_if(L, IR_NE, irb_bini(b, IR_AND, at, 15), irb_x(b, 0), EXC_GP);
    ir_ref low_is = x86_ld(L, at, 8, true), high_is = x86_ld(L, high, 8, true);
    ir_ref rax = get64(L, R_AX), rdx = get64(L, R_DX);
    ir_ref difference = irb_bin(b, IR_OR, irb_bin(b, IR_XOR, low_is, rax), irb_bin(b, IR_XOR, high_is, rdx));
    ir_ref equal = irb_setcondi(b, IR_EQ, difference, 0);
    x86_st(L, at, 8, irb_select(b, equal, get64(L, R_BX), low_is));
    x86_st(L, high, 8, irb_select(b, equal, get64(L, R_CX), high_is));
    irb_put(b, 8, X86_OFF_GPR(R_AX), low_is);
    irb_put(b, 8, X86_OFF_GPR(R_DX), high_is);
    x86_set_zero(L, equal);
}

/* CMPXCHG8B, CMPXCHG16B: only ZF changes. */
void lift_cmpxchg8b(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    if (I->osz == 8) {
        cmpxchg16b(L, I);
        return;
    }
    ir_ref linear = x86_linear(L, I, 8, true);
    ir_ref old = x86_ld(L, linear, 8, true);
    ir_ref want = irb_deposit(b, irb_get(b, 8, X86_OFF_GPR(R_AX)), irb_get(b, 8, X86_OFF_GPR(R_DX)), 32, 32);
    ir_ref new = irb_deposit(b, irb_get(b, 8, X86_OFF_GPR(R_BX)), irb_get(b, 8, X86_OFF_GPR(R_CX)), 32, 32);
    ir_ref equal = irb_setcond(b, IR_EQ, old, want);
    ir_ref rax = irb_get(b, 8, X86_OFF_GPR(R_AX)), rdx = irb_get(b, 8, X86_OFF_GPR(R_DX));
    x86_st(L, linear, 8, irb_select(b, equal, new, old));
    irb_put(b, 8, X86_OFF_GPR(R_AX), irb_select(b, equal, rax, irb_extract(b, old, 0, 32)));
    irb_put(b, 8, X86_OFF_GPR(R_DX), irb_select(b, equal, rdx, irb_extract(b, old, 32, 32)));
    x86_set_zero(L, equal);
}

/* ---- the stack -------------------------------------------------------------------------------------- */

void lift_push(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v;
    if (I->op[0].kind == OPK_IMM)
        v = irb_const(L->b, I->osz == 8 ? IR_X : IR_W, I->op[0].imm & mask64(8u * I->osz));
    else
        v = x86_rd(L, I, 0);
    x86_set_sp(L, x86_push(L, I->osz, v));
}

/* POP to memory computes its address with the new stack pointer (SDM vol. 2, POP). */
void lift_pop(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref sp, v = x86_pop(L, I->osz, &sp);
    if (I->op[0].kind == OPK_REG) {
        x86_set_sp(L, sp);
        x86_wr_reg(L, I->op[0].reg, I->osz, v);
        return;
    }
    ir_ref old = irb_get(L->b, 8, X86_OFF_GPR(R_SP));
    ir_ref linear;
    if (I->base == R_SP) {
        /* [rsp + disp] sees the incremented value. */
        ir_ref a = irb_bini(L->b, IR_ADD, old, I->osz + (uint64_t)I->disp);
        if (I->index >= 0)
            a = irb_bin(L->b, IR_ADD, a, irb_bini(L->b, IR_SHL, irb_get(L->b, 8, X86_OFF_GPR(I->index)), I->scale));
        if (I->asz != 8)
            a = irb_bini(L->b, IR_AND, a, mask64(8u * I->asz));
        linear = x86_linear_seg(L, I->seg, a, I->osz, true);
    } else {
        linear = x86_linear(L, I, I->osz, true);
    }
    x86_st(L, linear, I->osz, v);
    x86_set_sp(L, sp);
}

void lift_pusha(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned size = I->osz;
    uint64_t wrap = L->flags & MODE_SS32 ? UINT32_MAX : 0xffff;
    ir_ref sp = irb_get(b, 8, X86_OFF_GPR(R_SP)), at = IR_NONE;
    for (unsigned i = 0; i < 8; i++) {
        at = irb_bini(b, IR_AND, irb_bini(b, IR_SUB, sp, size * (i + 1)), wrap);
        x86_st(L, x86_linear_seg(L, SEG_SS, at, size, true), size, x86_rd_reg(L, i, size));
    }
    x86_set_sp(L, at);
}

void lift_popa(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned size = I->osz;
    uint64_t wrap = L->flags & MODE_SS32 ? UINT32_MAX : 0xffff;
    ir_ref sp = irb_get(b, 8, X86_OFF_GPR(R_SP)), v[8];
    for (unsigned i = 0; i < 8; i++) {
        ir_ref at = irb_bini(b, IR_AND, irb_bini(b, IR_ADD, sp, size * i), wrap);
        v[7 - i] = x86_ld(L, x86_linear_seg(L, SEG_SS, at, size, false), size, false);
    }
    x86_set_sp(L, irb_bini(b, IR_AND, irb_bini(b, IR_ADD, sp, size * 8), wrap));
    for (unsigned i = 0; i < 8; i++)
        if (i != R_SP)
            x86_wr_reg(L, i, size, v[i]);
}

/*
 * ENTER imm16, imm8: the display of up to 31 frame pointers is copied (SDM vol. 2, ENTER).  It may read what it has
 * written, so it cannot start again half-way: a block of its own.
 */
void lift_enter(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned size = I->osz, level = I->imm2 & 31, stack = lift_64(L) ? 8 : L->flags & MODE_SS32 ? 4 : 2;
    uint64_t wrap = mask64(8 * stack);
    if (level > 1 && x86_begins_later(L))
        return;
    L->io |= level > 1;
    ir_ref bp = irb_get(b, 8, X86_OFF_GPR(R_BP)), sp = irb_get(b, 8, X86_OFF_GPR(R_SP));
    ir_ref at = irb_bini(b, IR_AND, irb_bini(b, IR_SUB, sp, size), wrap), frame = at;
    x86_st(L, x86_linear_seg(L, SEG_SS, at, size, true), size, x86_rd_reg(L, R_BP, size));
    for (unsigned i = 1; i < level; i++) {
        ir_ref from = irb_bini(b, IR_AND, irb_bini(b, IR_SUB, bp, size * i), wrap);
        ir_ref v = x86_ld(L, x86_linear_seg(L, SEG_SS, from, size, false), size, false);
        at = irb_bini(b, IR_AND, irb_bini(b, IR_SUB, at, size), wrap);
        x86_st(L, x86_linear_seg(L, SEG_SS, at, size, true), size, v);
    }
    if (level) {
        at = irb_bini(b, IR_AND, irb_bini(b, IR_SUB, at, size), wrap);
        x86_st(L, x86_linear_seg(L, SEG_SS, at, size, true), size, x86_as(L, frame, size));
    }
    at = irb_bini(b, IR_AND, irb_bini(b, IR_SUB, at, I->op[0].imm), wrap);
    /* A page fault of the new frame belongs to this instruction. */
    x86_ld(L, x86_linear_seg(L, SEG_SS, at, size, true), size, true);
    x86_set_sp(L, at);
    x86_wr_reg(L, R_BP, size, x86_as(L, frame, size));
}

void lift_leave(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned stack = lift_64(L) ? 8 : L->flags & MODE_SS32 ? 4 : 2;
    ir_ref bp = irb_bini(b, IR_AND, irb_get(b, 8, X86_OFF_GPR(R_BP)), mask64(8 * stack));
    ir_ref v = x86_ld(L, x86_linear_seg(L, SEG_SS, bp, I->osz, false), I->osz, false);
    x86_set_sp(L, irb_bini(b, IR_AND, irb_bini(b, IR_ADD, bp, I->osz), mask64(8 * stack)));
    x86_wr_reg(L, R_BP, I->osz, v);
}

/* ---- small ones --------------------------------------------------------------------------------------- */

/* CBW CWDE CDQE. */
void lift_cbw(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->osz;
    ir_ref v = x86_rd_reg(L, R_AX, size / 2);
    v = size == 8 ? irb_un(L->b, IR_SEXT, v) : irb_sextract(L->b, v, 0, 4 * size);
    x86_wr_reg(L, R_AX, size, v);
}

/* CWD CDQ CQO. */
void lift_cwd(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->osz;
    ir_ref v = x86_rd_reg(L, R_AX, size);
    if (size == 2)
        v = irb_sextract(L->b, v, 0, 16);
    x86_wr_reg(L, R_DX, size, irb_bini(L->b, IR_SAR, v, size == 8 ? 63 : 31));
}

/* BSWAP of a 16-bit register is undefined; it gives 0 as CPUs do. */
void lift_bswap(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->op[0].size;
    ir_ref v = x86_rd(L, I, 0);
    x86_wr(L, I, 0, size == 2 ? irb_w(L->b, 0) : irb_un(L->b, IR_BSWAP, v));
}

void lift_setcc(struct x86_lift *L, const struct x86_insn *I) { x86_wr(L, I, 0, x86_cond(L, I->opcode & 15)); }

/* CMOVcc: the source is read, and a 32-bit destination zero-extended, whatever the condition. */
void lift_cmov(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = x86_rd(L, I, 1);
    ir_ref old = x86_rd_reg(L, I->op[0].reg, I->op[0].size);
    x86_wr(L, I, 0, irb_select(L->b, x86_cond(L, I->opcode & 15), v, old));
}

void lift_nop(struct x86_lift *L, const struct x86_insn *I)
{
    (void)L;
    (void)I;
}

void lift_xlat(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    ir_ref al = irb_cast(b, x86_rd_reg(L, R_AX, 1), IR_X);
    ir_ref a = irb_bin(b, IR_ADD, irb_get(b, 8, X86_OFF_GPR(R_BX)), al);
    if (I->asz != 8)
        a = irb_bini(b, IR_AND, a, mask64(8u * I->asz));
    x86_wr_reg(L, R_AX, 1, x86_ld(L, x86_linear_seg(L, I->seg, a, 1, false), 1, false));
}

void lift_lahf(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    ir_ref f = irb_bini(L->b, IR_AND, x86_get_cc_eflags(L), 0xd5);
    x86_wr_reg(L, 16, 1, irb_bini(L->b, IR_OR, f, 2));
}

void lift_sahf(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    ir_ref of = irb_bini(L->b, IR_SHL, x86_overflow(L), 11);
    ir_ref f = irb_bini(L->b, IR_AND, x86_rd_reg(L, 16, 1), 0xd5);
    x86_set_cc_eflags(L, irb_bin(L->b, IR_OR, f, of));
}

/* CLC STC CMC CLD STD, by opcode. */
void lift_flagop(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    if (I->opcode >= 0xfc) {
        ir_ref f = irb_get(b, 8, X86_OFF(rflags));
        f = I->opcode == 0xfc ? irb_bini(b, IR_AND, f, ~(uint64_t)FLAG_DF) : irb_bini(b, IR_OR, f, FLAG_DF);
        irb_put(b, 8, X86_OFF(rflags), f);
        return;
    }
    x86_set_carry(L, I->opcode == 0xf5 ? irb_bini(b, IR_XOR, x86_carry(L), 1) : irb_w(b, I->opcode == 0xf9));
}

void lift_salc(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    x86_wr_reg(L, R_AX, 1, irb_un(L->b, IR_NEG, x86_carry(L)));
}
