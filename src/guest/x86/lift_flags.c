/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lazy flags in lifted code: setting them, and conditions from what is known statically. */
#include "guest/x86/lift.h"

static uint64_t do_eflags(struct vcpu *v)
{
    const struct x86_state *s = &x86_of(v)->s;
    return x86_compute_flags(s->cc_op, s->cc_dst, s->cc_src, s->cc_src2);
}

static uint64_t do_eflags_of(struct vcpu *v, uint64_t op, uint64_t dst, uint64_t src, uint64_t src2)
{
    (void)v;
    return x86_compute_flags((uint32_t)op, dst, src, src2);
}

static const struct ir_helper helper_eflags = { "eflags", 0, HELPER_READS, IR_W, { 0 }, { .f0 = do_eflags } };
static const struct ir_helper helper_eflags_of = { "eflags_of", 4, HELPER_PURE, IR_W, { IR_W, IR_X, IR_X, IR_X },
                                                   { .f4 = do_eflags_of } };

static void put_op(struct x86_lift *L, unsigned op)
{
    if (L->cc_op != op)
        irb_put(L->b, 4, X86_OFF(cc_op), irb_w(L->b, op));
    L->cc_op = op;
}

static void put_x(struct x86_lift *L, uint32_t offset, ir_ref v)
{
    if (v)
        irb_put(L->b, 8, offset, irb_cast(L->b, v, IR_X));
}

void x86_set_cc(struct x86_lift *L, enum x86_cc_op op, ir_ref dst, ir_ref src, ir_ref src2)
{
    put_x(L, X86_OFF(cc_dst), dst);
    put_x(L, X86_OFF(cc_src), src);
    put_x(L, X86_OFF(cc_src2), src2);
    put_op(L, op);
}

void x86_set_cc_eflags(struct x86_lift *L, ir_ref eflags)
{
    put_x(L, X86_OFF(cc_src), irb_bini(L->b, IR_AND, eflags, FLAGS_ARITH));
    put_op(L, CC_EFLAGS);
}

ir_ref x86_get_cc_eflags(struct x86_lift *L)
{
    struct ir_block *b = L->b;
    if (L->cc_op == CC_EFLAGS)
        return irb_un(b, IR_TRUNC, irb_get(b, 8, X86_OFF(cc_src)));
    if (L->cc_op == CC_DYNAMIC)
        return irb_call(b, &helper_eflags, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return irb_call(b, &helper_eflags_of, irb_w(b, L->cc_op), irb_get(b, 8, X86_OFF(cc_dst)),
                    irb_get(b, 8, X86_OFF(cc_src)), irb_get(b, 8, X86_OFF(cc_src2)));
}

/* ---- conditions --------------------------------------------------------------------------------- */

/* A lazy operand at the width of the static cc_op; W or X; sign-extended if asked for. */
static ir_ref narrow(struct x86_lift *L, uint32_t offset, bool is_signed)
{
    struct ir_block *b = L->b;
    unsigned width = (L->cc_op - 1) & 3;
    ir_ref v = irb_get(b, 8, offset);
    if (width == 3)
        return v;
    v = irb_un(b, IR_TRUNC, v);
    if (width == 2)
        return v;
    return is_signed ? irb_sextract(b, v, 0, 8u << width) : irb_extract(b, v, 0, 8u << width);
}

static ir_ref flag_bit(struct x86_lift *L, ir_ref eflags, uint32_t flag)
{
    return irb_setcondi(L->b, IR_NE, irb_bini(L->b, IR_AND, eflags, flag), 0);
}

static unsigned cc_family(unsigned cc_op) { return cc_op && cc_op != CC_DYNAMIC ? (cc_op - 1) / 4 : 99; }
enum { FAMILY_ADD, FAMILY_ADC, FAMILY_SUB, FAMILY_SBB, FAMILY_LOGIC, FAMILY_INC, FAMILY_DEC, FAMILY_SHL, FAMILY_SAR,
       FAMILY_MUL, FAMILY_BLSI, FAMILY_BMILOGIC };

/* After SUB and CMP, eight conditions are one comparison of the operands. */
static bool sub_compare(unsigned cc, enum ir_cond *c, bool *is_signed)
{
    static const int8_t table[16] = { [2] = IR_LTU, [3] = IR_GEU, [4] = IR_EQ, [5] = IR_NE, [6] = IR_LEU, [7] = IR_GTU,
                                      [12] = IR_LTS, [13] = IR_GES, [14] = IR_LES, [15] = IR_GTS };
    if (cc < 2 || (cc > 7 && cc < 12))
        return false;
    *c = (enum ir_cond)table[cc];
    *is_signed = cc >= 12;
    return true;
}

/* Conditions as compares of two values: *x c *y. */
static bool as_compare(struct x86_lift *L, unsigned cc, enum ir_cond *c, ir_ref *x, ir_ref *y)
{
    bool is_signed;
    unsigned family = cc_family(L->cc_op);
    if (family == 99)
        return false;
    if (family == FAMILY_SUB && sub_compare(cc, c, &is_signed)) {
        *x = narrow(L, X86_OFF(cc_src2), is_signed);
        *y = narrow(L, X86_OFF(cc_src), is_signed);
        return true;
    }
    bool logic = family == FAMILY_LOGIC;
    uint64_t zero = 0;
    if (cc == 4 || cc == 5)
        *c = cc == 4 ? IR_EQ : IR_NE;
    else if (cc == 8 || cc == 9 || (logic && (cc == 12 || cc == 13)))
        *c = cc & 1 ? IR_GES : IR_LTS;
    else if (logic && (cc == 14 || cc == 15))
        *c = cc == 14 ? IR_LES : IR_GTS;
    else if (logic && (cc == 6 || cc == 7))
        *c = cc == 6 ? IR_EQ : IR_NE;
    else
        return false;
    *x = narrow(L, X86_OFF(cc_dst), *c >= IR_LTS);
    *y = irb_const(L->b, (enum ir_type)L->b->type_of[*x], zero);
    return true;
}

ir_ref x86_carry(struct x86_lift *L)
{
    struct ir_block *b = L->b;
    unsigned family = cc_family(L->cc_op), width = (L->cc_op - 1) & 3;
    switch (family) {
    case FAMILY_LOGIC:
        return irb_w(b, 0);
    case FAMILY_SUB:
        return irb_setcond(b, IR_LTU, narrow(L, X86_OFF(cc_src2), false), narrow(L, X86_OFF(cc_src), false));
    case FAMILY_ADD:
        return irb_setcond(b, IR_LTU, narrow(L, X86_OFF(cc_dst), false), narrow(L, X86_OFF(cc_src), false));
    case FAMILY_INC:
    case FAMILY_DEC:
    case FAMILY_MUL:
    case FAMILY_BMILOGIC:
        return irb_setcondi(b, IR_NE, irb_get(b, 8, X86_OFF(cc_src)), 0);
    case FAMILY_SHL:
        return irb_un(b, IR_TRUNC, irb_extract(b, irb_get(b, 8, X86_OFF(cc_src)), (8u << width) - 1, 1));
    case FAMILY_SAR:
        return irb_un(b, IR_TRUNC, irb_extract(b, irb_get(b, 8, X86_OFF(cc_src)), 0, 1));
    default:
        return irb_bini(b, IR_AND, x86_get_cc_eflags(L), FLAG_CF);
    }
}

/* From the computed flags (SDM vol. 1, appendix B). */
static ir_ref generic_cond(struct x86_lift *L, unsigned cc)
{
    struct ir_block *b = L->b;
    ir_ref f = x86_get_cc_eflags(L), r;
    switch (cc >> 1) {
    case 0:
        r = flag_bit(L, f, FLAG_OF);
        break;
    case 1:
        r = flag_bit(L, f, FLAG_CF);
        break;
    case 2:
        r = flag_bit(L, f, FLAG_ZF);
        break;
    case 3:
        r = flag_bit(L, f, FLAG_CF | FLAG_ZF);
        break;
    case 4:
        r = flag_bit(L, f, FLAG_SF);
        break;
    case 5:
        r = flag_bit(L, f, FLAG_PF);
        break;
    default:
        r = irb_bin(b, IR_XOR, irb_extract(b, f, 7, 1), irb_extract(b, f, 11, 1));
        if (cc >= 14)
            r = irb_bin(b, IR_OR, r, irb_extract(b, f, 6, 1));
    }
    return cc & 1 ? irb_bini(b, IR_XOR, r, 1) : r;
}

ir_ref x86_cond(struct x86_lift *L, unsigned cc)
{
    enum ir_cond c;
    ir_ref x, y;
    if (as_compare(L, cc, &c, &x, &y))
        return irb_setcond(L->b, c, x, y);
    if (cc >> 1 == 1) {
        ir_ref r = x86_carry(L);
        return cc & 1 ? irb_bini(L->b, IR_XOR, r, 1) : r;
    }
    return generic_cond(L, cc);
}

/* The condition as a comparison *x c *y, whatever it takes. */
static enum ir_cond compare(struct x86_lift *L, unsigned cc, ir_ref *x, ir_ref *y)
{
    enum ir_cond c;
    if (as_compare(L, cc, &c, x, y))
        return c;
    *x = x86_cond(L, cc);
    *y = irb_w(L->b, 0);
    return IR_NE;
}

void x86_branch_if(struct x86_lift *L, unsigned cc, unsigned label)
{
    ir_ref x, y;
    enum ir_cond c = compare(L, cc, &x, &y);
    irb_brcond(L->b, c, x, y, label);
}

void x86_exit_if(struct x86_lift *L, unsigned cc, uint64_t pc)
{
    ir_ref x, y;
    enum ir_cond c = compare(L, cc, &x, &y);
    irb_exit_if(L->b, c, x, y, pc);
}
