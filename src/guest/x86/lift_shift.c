/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shifts and rotates.  A count of zero changes nothing, flags included; the
 * work for other counts stands between a branch and its label unless the
 * count is constant.
 */
#include "guest/x86/lift_int.h"

static enum x86_cc_op cc(unsigned base, unsigned size) { return (enum x86_cc_op)(base + x86_width(size)); }

/* Everything at 64 bits: the operand is zero-extended, so that counts of up to 31 reach past narrow widths. */
struct shift {
    struct x86_lift *L;
    const struct x86_insn *I;
    unsigned size, bits;
    ir_ref x, count;     /* X; count is masked and not zero */
    ir_ref linear;
};

static ir_ref narrowed(struct shift *s, ir_ref v)
{
    return irb_cast(s->L->b, v, s->size == 8 ? IR_X : IR_W);
}

static void finish(struct shift *s, ir_ref r) { x86_wr_rmw(s->L, s->I, 0, s->linear, narrowed(s, r)); }

static ir_ref sign_extended(struct shift *s)
{
    return s->bits == 64 ? s->x : irb_sextract(s->L->b, s->x, 0, s->bits);
}

static void shift_plain(struct shift *s, unsigned op)
{
    struct ir_block *b = s->L->b;
    ir_ref less = irb_bini(b, IR_SUB, s->count, 1);
    enum ir_op ir = op == SH_SHR ? IR_SHR : op == SH_SAR ? IR_SAR : IR_SHL;
    ir_ref x = op == SH_SAR ? sign_extended(s) : s->x;
    ir_ref one_less = irb_bin(b, ir, x, less);
    ir_ref r = irb_bini(b, ir, one_less, 1);
    finish(s, r);
    x86_set_cc(s->L, cc(ir == IR_SHL ? CC_SHLB : CC_SARB, s->size), r, one_less, IR_NONE);
}

/* ROL, ROR: CF is the bit that moved round, OF from the two top bits; the rest stay. */
static void rotate(struct shift *s, unsigned op)
{
    struct ir_block *b = s->L->b;
    ir_ref r, n = irb_bini(b, IR_AND, s->count, s->bits - 1), cf;
    if (s->bits == 64) {
        r = irb_bin(b, op == SH_ROL ? IR_ROTL : IR_ROTR, s->x, n);
    } else {
        ir_ref twice = irb_deposit(b, s->x, s->x, s->bits, s->bits);
        if (s->bits < 32)
            twice = irb_deposit(b, twice, twice, 2 * s->bits, 2 * s->bits);
        ir_ref back = op == SH_ROR ? n : irb_bin(b, IR_SUB, irb_x(b, s->bits), n);
        r = irb_bini(b, IR_AND, irb_bin(b, IR_SHR, twice, back), mask64(s->bits));
    }
    ir_ref f = x86_get_cc_eflags(s->L);
    finish(s, r);
    ir_ref top = irb_extract(b, r, s->bits - 1, 1);
    cf = op == SH_ROL ? irb_bini(b, IR_AND, r, 1) : top;
    ir_ref other = op == SH_ROL ? cf : irb_extract(b, r, s->bits - 2, 1);
    ir_ref of = irb_bin(b, IR_XOR, top, other);
    f = irb_bini(b, IR_AND, f, FLAGS_ARITH & ~(FLAG_CF | FLAG_OF));
    f = irb_bin(b, IR_OR, f, irb_cast(b, cf, IR_W));
    f = irb_bin(b, IR_OR, f, irb_bini(b, IR_SHL, irb_cast(b, of, IR_W), 11));
    x86_set_cc_eflags(s->L, f);
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
    ir_ref f = x86_get_cc_eflags(s->L);
    ir_ref how = irb_bini(b, IR_OR, irb_bini(b, IR_SHL, s->count, 8), s->bits | (op == SH_RCL ? 1u << 16 : 0));
    if (s->linear)      /* the store may fault: prove that it cannot before flags change */
        x86_st(s->L, s->linear, s->size, narrowed(s, s->x));
    ir_ref r = irb_call(b, &helper_rotate_carry, s->x, how, f, IR_NONE);
    x86_set_cc_eflags(s->L, irb_un(b, IR_TRUNC, irb_get(b, 8, X86_OFF(cc_src))));
    finish(s, r);
}

static void by_kind(struct shift *s)
{
    unsigned op = s->I->row->aux;
    if (op >= SH_SHL)
        shift_plain(s, op);
    else if (op >= SH_RCL)
        rotate_carry(s, op);
    else
        rotate(s, op);
}

void lift_shift(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    struct shift s = { .L = L, .I = I, .size = I->op[0].size, .bits = 8u * I->op[0].size };
    uint64_t mask = s.size == 8 ? 63 : 31;
    s.x = irb_cast(b, x86_rd_rmw(L, I, 0, &s.linear), IR_X);
    if (I->op[1].kind == OPK_IMM) {
        uint64_t n = I->op[1].imm & mask;
        s.count = irb_x(b, n);
        if (n)
            by_kind(&s);
        else if (s.linear || s.size == 4)
            finish(&s, s.x);
        return;
    }
    s.count = irb_bini(b, IR_AND, irb_get(b, 8, X86_OFF_GPR(R_CX)), mask);
    unsigned none = irb_label_new(b), done = irb_label_new(b);
    irb_brcond(b, IR_EQ, s.count, irb_x(b, 0), none);
    by_kind(&s);
    irb_br(b, done);
    irb_label(b, none);
    if (s.linear || s.size == 4)
        finish(&s, s.x);
    irb_label(b, done);
    x86_cc_dynamic(L);
}

/*
 * SHLD, SHRD.  A count beyond a 16-bit operand's width is undefined; the
 * result is that of rotating through the pair twice, as CPUs do.
 */
static void double_shift(struct shift *s, ir_ref y)
{
    struct ir_block *b = s->L->b;
    bool left = !s->I->row->aux;
    ir_ref less = irb_bini(b, IR_SUB, s->count, 1), r, one_less;
    if (s->bits == 64) {
        ir_ref rest = irb_bini(b, left ? IR_SHR : IR_SHL, y, 1);
        /* count - 1 and count steps; the other operand moves in by 64 - count. */
        ir_ref in = irb_bin(b, left ? IR_SHR : IR_SHL, rest, irb_bin(b, IR_SUB, irb_x(b, 63), s->count));
        r = irb_bin(b, IR_OR, irb_bin(b, left ? IR_SHL : IR_SHR, s->x, s->count), in);
        one_less = irb_bin(b, left ? IR_SHL : IR_SHR, s->x, less);
    } else if (left) {
        ir_ref pair = irb_deposit(b, y, s->x, s->bits, s->bits);            /* x:y */
        if (s->bits == 16)
            pair = irb_deposit(b, irb_bini(b, IR_SHL, pair, 16), s->x, 0, 16);   /* x:y:x */
        unsigned at = s->bits == 16 ? 32 : 32;
        one_less = irb_bin(b, IR_SHR, irb_bin(b, IR_SHL, pair, less), irb_x(b, at));
        r = irb_bini(b, IR_AND, irb_bin(b, IR_SHR, irb_bin(b, IR_SHL, pair, s->count), irb_x(b, at)), mask64(s->bits));
    } else {
        ir_ref pair = irb_deposit(b, s->x, y, s->bits, s->bits);            /* y:x */
        if (s->bits == 16)
            pair = irb_deposit(b, pair, s->x, 32, 16);
        one_less = irb_bin(b, IR_SHR, pair, less);
        r = irb_bini(b, IR_AND, irb_bin(b, IR_SHR, pair, s->count), mask64(s->bits));
    }
    finish(s, r);
    x86_set_cc(s->L, cc(left ? CC_SHLB : CC_SARB, s->size), r, one_less, IR_NONE);
}

void lift_shiftd(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    struct shift s = { .L = L, .I = I, .size = I->op[0].size, .bits = 8u * I->op[0].size };
    uint64_t mask = s.size == 8 ? 63 : 31;
    s.x = irb_cast(b, x86_rd_rmw(L, I, 0, &s.linear), IR_X);
    ir_ref y = irb_cast(b, x86_rd(L, I, 1), IR_X);
    s.count = I->op[2].kind == OPK_IMM ? irb_x(b, I->op[2].imm & mask)
                                       : irb_bini(b, IR_AND, irb_get(b, 8, X86_OFF_GPR(R_CX)), mask);
    unsigned none = irb_label_new(b), done = irb_label_new(b);
    irb_brcond(b, IR_EQ, s.count, irb_x(b, 0), none);
    double_shift(&s, y);
    irb_br(b, done);
    irb_label(b, none);
    if (s.linear || s.size == 4)
        finish(&s, s.x);
    irb_label(b, done);
    x86_cc_dynamic(L);
}
