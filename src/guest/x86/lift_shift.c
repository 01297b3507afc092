/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shifts and rotates.  A count of zero changes nothing, flags included: the value comes out right by
 * itself, and the flags' words are selected.  No branches, but for RCL and RCR by a count in CL.
 */
#include "guest/x86/lift_int.h"

struct shift {
    struct x86_lift *L;
    const struct x86_insn *I;
    unsigned size, bits;
    bool constant;       /* the count, then not zero */
    unsigned n;
    ir_ref x, count;     /* of one type: X for 64 bits, else W, x zero-extended; count is masked */
    ir_ref linear;
};

static void finish(struct shift *s, ir_ref r) { x86_wr_rmw(s->L, s->I, 0, s->linear, r); }
static ir_ref nonzero(struct shift *s) { return irb_cast(s->L->b, s->count, IR_W); }

static ir_ref by(struct shift *s, enum ir_op op, ir_ref x, bool one_less)
{
    struct ir_block *b = s->L->b;
    if (s->constant)
        return irb_bini(b, op, x, s->n - one_less);
    return irb_bin(b, op, x, one_less ? irb_bini(b, IR_SUB, s->count, 1) : s->count);
}

static ir_ref one_less(struct shift *s) { return irb_cast(s->L->b, irb_bini(s->L->b, IR_SUB, s->count, 1), IR_X); }

static void set_flags(struct shift *s, unsigned family, ir_ref r, ir_ref x, ir_ref steps)
{
    enum x86_cc_op op = x86_cc_of(family, s->size);
    if (s->constant)
        x86_set_cc(s->L, op, r, x, steps);
    else
        x86_set_cc_if(s->L, nonzero(s), op, r, x, steps);
}

static void shift_plain(struct shift *s, unsigned op)
{
    struct ir_block *b = s->L->b;
    enum ir_op ir = op == SH_SHR ? IR_SHR : op == SH_SAR ? IR_SAR : IR_SHL;
    if (s->constant && !s->linear)
        x86_cc_ends(s->L);
    ir_ref x = op == SH_SAR && s->size < 4 ? irb_sextract(b, s->x, 0, s->bits) : s->x;
    ir_ref r = by(s, ir, x, false);
    finish(s, r);
    set_flags(s, op == SH_SHR ? CC_SHRB : op == SH_SAR ? CC_SARB : CC_SHLB, r, x, one_less(s));
}

/* ROL, ROR: CF is the bit that moved round, OF from the two top bits; the rest stay. */
static void rotate(struct shift *s, unsigned op)
{
    struct ir_block *b = s->L->b;
    ir_ref x = s->x;
    if (s->size < 4)      /* as often as it fits */
        x = irb_bini(b, IR_MUL, x, s->size == 1 ? 0x01010101 : 0x00010001);
    ir_ref r = by(s, op == SH_ROL ? IR_ROTL : IR_ROTR, x, false);
    finish(s, r);
    if (s->constant)
        x86_set_cc_rotate(s->L, op == SH_ROR, s->size, r);
    else
        x86_set_cc_rotate_if(s->L, nonzero(s), op == SH_ROR, s->size, r);
}

/* RCL, RCR through CF: one bit at a time is exact and rare enough. */
static uint64_t do_rotate_carry(struct vcpu *v, uint64_t x, uint64_t how, uint64_t eflags)
{
    struct x86_state *st = &x86_of(v)->s;
    unsigned bits = how & 0xff, count = how >> 8 & 0xff;
    bool left = how >> 16 & 1, cf = eflags & FLAG_CF, of;
    count %= bits + 1;
    uint64_t top = UINT64_C(1) << (bits - 1);
    for (unsigned i = 0; i < count; i++) {
        bool out = left ? (x & top) != 0 : x & 1;
        x = left ? (x << 1 & mask64(bits)) | cf : x >> 1 | (cf ? top : 0);
        cf = out;
    }
    of = left ? ((x & top) != 0) != cf : ((x & top) != 0) != ((x & top >> 1) != 0);
    st->cc_src = (eflags & ~(uint64_t)(FLAG_CF | FLAG_OF)) | (cf ? FLAG_CF : 0) | (of ? FLAG_OF : 0);
    return x;
}

static const struct ir_helper helper_rotate_carry = { "rotate_carry", 3, HELPER_WRITES, IR_X, { IR_X, IR_X, IR_W },
                                                      { .f3 = do_rotate_carry } };

static void rotate_carry(struct shift *s, unsigned op)
{
    struct ir_block *b = s->L->b;
    ir_ref f = x86_get_cc_eflags(s->L), count = irb_cast(b, s->count, IR_X);
    ir_ref how = irb_bini(b, IR_OR, irb_bini(b, IR_SHL, count, 8), s->bits | (op == SH_RCL ? 1u << 16 : 0));
    if (s->linear)      /* the store may fault: prove that it cannot before flags change */
        x86_st(s->L, s->linear, s->size, s->x);
    ir_ref r = irb_call(b, &helper_rotate_carry, irb_cast(b, s->x, IR_X), how, f, IR_NONE);
    x86_set_cc_eflags(s->L, irb_un(b, IR_TRUNC, irb_get(b, 8, X86_OFF(cc_src))));
    finish(s, irb_cast(b, r, s->size == 8 ? IR_X : IR_W));
}

/* By one. */
static void rotate_carry_once(struct shift *s, unsigned op)
{
    struct ir_block *b = s->L->b;
    ir_ref in = irb_cast(b, x86_carry(s->L), s->size == 8 ? IR_X : IR_W), r, out, of;
    ir_ref high = irb_extract(b, s->x, s->bits - 1, 1);
    if (op == SH_RCL) {
        r = irb_bin(b, IR_OR, irb_bini(b, IR_SHL, s->x, 1), in);
        out = high;
        of = irb_bin(b, IR_XOR, irb_extract(b, r, s->bits - 1, 1), out);
    } else {
        r = irb_bin(b, IR_OR, irb_bini(b, IR_SHR, s->x, 1), irb_bini(b, IR_SHL, in, s->bits - 1));
        out = irb_bini(b, IR_AND, s->x, 1);
        of = irb_bin(b, IR_XOR, in, high);
    }
    finish(s, r);
    x86_set_carry_overflow(s->L, out, of);
}

/* RCL and RCR by a count in CL: it may be 0. */
static void rotate_carry_by_cl(struct shift *s, unsigned op)
{
    struct ir_block *b = s->L->b;
    unsigned none = irb_label_new(b), done = irb_label_new(b);
    irb_brcond(b, IR_EQ, s->count, irb_const(b, s->size == 8 ? IR_X : IR_W, 0), none);
    rotate_carry(s, op);
    irb_br(b, done);
    irb_label(b, none);
    if (s->linear || s->size == 4)
        finish(s, s->x);
    irb_label(b, done);
    x86_cc_dynamic(s->L);
}

static void read_count(struct shift *s, const struct x86_operand *count)
{
    struct ir_block *b = s->L->b;
    unsigned mask = s->size == 8 ? 63 : 31;
    s->constant = count->kind == OPK_IMM;
    s->n = (unsigned)count->imm & mask;
    if (s->constant)
        s->count = irb_const(b, s->size == 8 ? IR_X : IR_W, s->n);
    else
        s->count = irb_bini(b, IR_AND, irb_get(b, s->size == 8 ? 8 : 4, X86_OFF_GPR(R_CX)), mask);
}

void lift_shift(struct x86_lift *L, const struct x86_insn *I)
{
    struct shift s = { .L = L, .I = I, .size = I->op[0].size, .bits = 8u * I->op[0].size };
    unsigned op = I->row->aux;
    s.x = x86_rd_rmw(L, I, 0, &s.linear);
    read_count(&s, &I->op[1]);
    if (s.constant && !s.n) {
        if (s.linear || s.size == 4)
            finish(&s, s.x);
    } else if (op >= SH_SHL) {
        shift_plain(&s, op);
    } else if (op < SH_RCL) {
        rotate(&s, op);
    } else if (!s.constant) {
        rotate_carry_by_cl(&s, op);
    } else if (s.n == 1) {
        rotate_carry_once(&s, op);
    } else {
        rotate_carry(&s, op);
    }
}

/*
 * SHLD, SHRD of 16 and 32 bits: a shift of the pair, in X.  A count beyond a 16-bit operand's width is undefined; the
 * result is that of rotating through the pair twice, as CPUs do.
 */
static ir_ref in_pair(struct shift *s, ir_ref y, bool left, ir_ref count)
{
    struct ir_block *b = s->L->b;
    ir_ref x = irb_cast(b, s->x, IR_X), pair;
    y = irb_cast(b, y, IR_X);
    if (!left) {
        pair = irb_deposit(b, x, y, s->bits, s->bits);            /* y:x */
        if (s->bits == 16)
            pair = irb_deposit(b, pair, x, 32, 16);
        return irb_bin(b, IR_SHR, pair, count);
    }
    pair = irb_deposit(b, y, x, s->bits, s->bits);                /* x:y */
    if (s->bits == 16)
        pair = irb_deposit(b, irb_bini(b, IR_SHL, pair, 16), x, 0, 16);   /* x:y:x */
    return irb_bini(b, IR_SHR, irb_bin(b, IR_SHL, pair, count), 32);
}

static void double_shift(struct shift *s, ir_ref y)
{
    struct ir_block *b = s->L->b;
    bool left = !s->I->row->aux;
    ir_ref r, last;      /* the result, and what it was one step earlier */
    if (s->bits == 64) {
        /* The other operand moves in by 64 - count, in two steps because of a count of 0. */
        ir_ref rest = irb_bini(b, left ? IR_SHR : IR_SHL, y, 1);
        ir_ref in = irb_bin(b, left ? IR_SHR : IR_SHL, rest, irb_bin(b, IR_SUB, irb_x(b, 63), s->count));
        r = irb_bin(b, IR_OR, by(s, left ? IR_SHL : IR_SHR, s->x, false), in);
        last = by(s, left ? IR_SHL : IR_SHR, s->x, true);
    } else {
        ir_ref count = irb_cast(b, s->count, IR_X);
        r = irb_un(b, IR_TRUNC, in_pair(s, y, left, count));
        last = in_pair(s, y, left, irb_bini(b, IR_SUB, count, 1));
    }
    finish(s, r);
    set_flags(s, left ? CC_SHLB : CC_SHRB, r, last, irb_x(b, 0));
}

void lift_shiftd(struct x86_lift *L, const struct x86_insn *I)
{
    struct shift s = { .L = L, .I = I, .size = I->op[0].size, .bits = 8u * I->op[0].size };
    s.x = x86_rd_rmw(L, I, 0, &s.linear);
    ir_ref y = x86_rd(L, I, 1);
    read_count(&s, &I->op[2]);
    if (!s.constant || s.n)
        double_shift(&s, y);
    else if (s.linear || s.size == 4)
        finish(&s, s.x);
}
