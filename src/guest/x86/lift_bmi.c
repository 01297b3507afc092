/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BMI1, BMI2 and ADX, but for TZCNT and LZCNT, which lift_bits.c has beside BSF and BSR. */
#include "guest/x86/lift_int.h"

void lift_andn(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref r = irb_bin(L->b, IR_ANDN, x86_rd(L, I, 2), x86_rd(L, I, 1));
    x86_wr(L, I, 0, r);
    x86_set_cc(L, x86_cc_of(CC_LOGICB, I->op[0].size), r, IR_NONE, IR_NONE);
}

static uint64_t do_bextr(struct vcpu *v, uint64_t x, uint64_t control)
{
    (void)v;
    unsigned start = control & 0xff, len = control >> 8 & 0xff;
    return start > 63 ? 0 : x >> start & mask64(len);
}

static uint64_t do_bzhi(struct vcpu *v, uint64_t x, uint64_t n)
{
    (void)v;
    return x & mask64(n & 0xff);
}

static uint64_t do_pdep(struct vcpu *v, uint64_t x, uint64_t mask)
{
    uint64_t r = 0;
    (void)v;
    for (; mask; mask &= mask - 1, x >>= 1)
        if (x & 1)
            r |= mask & -mask;
    return r;
}

static uint64_t do_pext(struct vcpu *v, uint64_t x, uint64_t mask)
{
    uint64_t r = 0;
    (void)v;
    for (unsigned k = 0; mask; mask &= mask - 1, k++)
        if (x & mask & -mask)
            r |= UINT64_C(1) << k;
    return r;
}

#define PURE2(name) \
    static const struct ir_helper helper_##name = { #name, 2, HELPER_PURE, IR_X, { IR_X, IR_X }, { .f2 = do_##name } }
PURE2(bextr);
PURE2(bzhi);
PURE2(pdep);
PURE2(pext);

static ir_ref rdx(struct x86_lift *L, const struct x86_insn *I, unsigned n)
{
    return irb_cast(L->b, x86_rd(L, I, n), IR_X);
}

void lift_bextr(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref r = irb_call(L->b, &helper_bextr, rdx(L, I, 1), rdx(L, I, 2), IR_NONE, IR_NONE);
    x86_wr(L, I, 0, x86_as(L, r, I->op[0].size));
    x86_set_cc(L, x86_cc_of(CC_LOGICB, I->op[0].size), r, IR_NONE, IR_NONE);
}

/* BLSR /1, BLSMSK /2, BLSI /3: op0 is VEX.vvvv. */
void lift_bls(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned size = I->op[0].size;
    ir_ref x = x86_rd(L, I, 1), less = irb_bini(b, IR_SUB, x, 1), r;
    if (I->row->reg == 3)
        r = irb_bin(b, IR_AND, x, irb_un(b, IR_NEG, x));
    else
        r = irb_bin(b, I->row->reg == 1 ? IR_AND : IR_XOR, x, less);
    x86_wr(L, I, 0, r);
    ir_ref cf = irb_setcondi(b, I->row->reg == 3 ? IR_NE : IR_EQ, x, 0);
    x86_set_cc(L, x86_cc_of(CC_BMILOGICB, size), r, cf, IR_NONE);
}

void lift_bzhi(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    ir_ref n = irb_bini(b, IR_AND, rdx(L, I, 2), 0xff);
    ir_ref r = irb_call(b, &helper_bzhi, rdx(L, I, 1), n, IR_NONE, IR_NONE);
    x86_wr(L, I, 0, x86_as(L, r, I->op[0].size));
    ir_ref cf = irb_setcondi(b, IR_GTU, n, 8u * I->op[0].size - 1);
    x86_set_cc(L, x86_cc_of(CC_BMILOGICB, I->op[0].size), r, cf, IR_NONE);
}

/* MULX: low half to op1, then high half to op0 (which wins when they are the same). */
void lift_mulx(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->op[0].size;
    ir_ref x = x86_rd(L, I, 2), d = x86_rd_reg(L, R_DX, size);
    ir_ref low = irb_bin(L->b, IR_MUL, x, d), high = irb_bin(L->b, IR_MULHU, x, d);
    x86_wr_reg(L, I->op[1].reg, size, low);
    x86_wr_reg(L, I->op[0].reg, size, high);
}

/* PDEP (aux 0), PEXT (1). */
void lift_pdep(struct x86_lift *L, const struct x86_insn *I)
{
    const struct ir_helper *h = I->row->aux ? &helper_pext : &helper_pdep;
    ir_ref r = irb_call(L->b, h, rdx(L, I, 1), rdx(L, I, 2), IR_NONE, IR_NONE);
    x86_wr(L, I, 0, x86_as(L, r, I->op[0].size));
}

void lift_rorx(struct x86_lift *L, const struct x86_insn *I)
{
    x86_wr(L, I, 0, irb_bini(L->b, IR_ROTR, x86_rd(L, I, 1), I->op[2].imm & (8u * I->op[0].size - 1)));
}

/* SHLX, SHRX, SARX: aux is the IR op. */
void lift_shiftx(struct x86_lift *L, const struct x86_insn *I)
{
    x86_wr(L, I, 0, irb_bin(L->b, (enum ir_op)I->row->aux, x86_rd(L, I, 1), x86_rd(L, I, 2)));
}

/* ADCX (aux FLAG_CF), ADOX (FLAG_OF): add with that flag in and out, others untouched. */
void lift_adx(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    bool overflow = I->row->aux == FLAG_OF;
    ir_ref in = x86_as(L, overflow ? x86_overflow(L) : x86_carry(L), I->op[0].size);
    ir_ref x = x86_rd(L, I, 0), y = x86_rd(L, I, 1);
    ir_ref sum = irb_bin(b, IR_ADD, x, y), r = irb_bin(b, IR_ADD, sum, in);
    ir_ref out = irb_bin(b, IR_OR, irb_setcond(b, IR_LTU, sum, x), irb_setcond(b, IR_LTU, r, sum));
    x86_wr(L, I, 0, r);
    if (overflow)
        x86_set_carry_overflow(L, x86_carry(L), out);
    else
        x86_set_carry(L, out);
}
