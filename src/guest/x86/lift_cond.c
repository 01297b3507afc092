/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading lazy flags in lifted code: single flags and conditions, made from what is known statically of who set
 * them (L->cc_known, L->cc_op: lift_flags.c), and by way of EFLAGS where that is not enough.
 */
#include "guest/x86/lift.h"

/* ---- who sets a flag ------------------------------------------------------------------------------ */

enum setter { UNKNOWN, BASE, INC, ROTATE, BIT };

static unsigned field(const struct x86_lift *L, uint32_t mask, unsigned shift)
{
    return x86_cc_known(L, mask) ? (L->cc_op & mask) >> shift : 0;
}
static unsigned inc_field(const struct x86_lift *L) { return field(L, CC_INC, CC_INC_SHIFT); }
static unsigned rot_field(const struct x86_lift *L) { return field(L, CC_ROT, CC_ROT_SHIFT); }

/* SF and PF (and AF). */
static enum setter sign_setter(const struct x86_lift *L)
{
    return inc_field(L) ? INC : x86_cc_known(L, CC_ALL) ? BASE : UNKNOWN;
}

static enum setter zero_setter(const struct x86_lift *L)
{
    return !x86_cc_known(L, CC_ZERO) ? UNKNOWN : L->cc_op & CC_ZERO ? BIT : sign_setter(L);
}

static enum setter carry_setter(const struct x86_lift *L)
{
    if (!x86_cc_known(L, CC_CARRY))
        return UNKNOWN;
    return L->cc_op & CC_CARRY ? BIT : rot_field(L) ? ROTATE : x86_cc_known(L, CC_ALL) ? BASE : UNKNOWN;
}

static enum setter overflow_setter(const struct x86_lift *L)
{
    if (!x86_cc_known(L, CC_ROT_LAST))
        return UNKNOWN;
    return L->cc_op & CC_ROT_LAST ? ROTATE : sign_setter(L);
}

/* ---- single flags, where it is known who sets them -------------------------------------------------- */

static unsigned base(const struct x86_lift *L) { return L->cc_op & CC_BASE; }
static bool is_base(const struct x86_lift *L, unsigned family)
{
    return base(L) != CC_EFLAGS && base(L) - cc_width(base(L)) == family;
}

/* An X value at a width; W or X; sign-extended if asked for. */
static ir_ref narrow_value(struct x86_lift *L, ir_ref v, unsigned width, bool is_signed)
{
    struct ir_block *b = L->b;
    if (width == 3)
        return v;
    v = irb_un(b, IR_TRUNC, v);
    if (width == 2)
        return v;
    return is_signed ? irb_sextract(b, v, 0, 8u << width) : irb_extract(b, v, 0, 8u << width);
}

/* The same of a lazy operand. */
static ir_ref narrow(struct x86_lift *L, uint32_t offset, unsigned width, bool is_signed)
{
    return narrow_value(L, irb_get(L->b, 8, offset), width, is_signed);
}

static ir_ref base_operand(struct x86_lift *L, uint32_t offset) { return narrow(L, offset, cc_width(base(L)), false); }
static ir_ref word_bit(struct x86_lift *L, ir_ref x, unsigned n)
{
    return irb_un(L->b, IR_TRUNC, irb_extract(L->b, x, n, 1));
}
static ir_ref state_bit(struct x86_lift *L, uint32_t offset, unsigned n)
{
    return word_bit(L, irb_get(L->b, 8, offset), n);
}
static ir_ref eflags_bit(struct x86_lift *L, uint32_t flag)
{
    return state_bit(L, X86_OFF(cc_src), (unsigned)__builtin_ctz(flag));
}

/* The result that ZF, SF and PF come from; false: they are in EFLAGS format. */
static bool result(struct x86_lift *L, enum setter from, ir_ref *r, unsigned *width)
{
    struct ir_block *b = L->b;
    if (from != INC && is_base(L, CC_SUBB))
        *r = irb_bin(b, IR_SUB, irb_get(b, 8, X86_OFF(cc_src2)), irb_get(b, 8, X86_OFF(cc_src)));
    else
        *r = irb_get(b, 8, from == INC ? X86_OFF(cc_inc) : X86_OFF(cc_dst));
    *width = from == INC ? cc_layer_width(inc_field(L)) : cc_width(base(L));
    return from == INC || base(L) != CC_EFLAGS;
}

static ir_ref zero(struct x86_lift *L)
{
    ir_ref r;
    unsigned width;
    if (zero_setter(L) == BIT)
        return irb_un(L->b, IR_TRUNC, irb_get(L->b, 8, X86_OFF(cc_zero)));
    if (!result(L, zero_setter(L), &r, &width))
        return eflags_bit(L, FLAG_ZF);
    return irb_setcondi(L->b, IR_EQ, narrow_value(L, r, width, false), 0);
}

static ir_ref sign(struct x86_lift *L)
{
    ir_ref r;
    unsigned width;
    return result(L, sign_setter(L), &r, &width) ? word_bit(L, r, (8u << width) - 1) : eflags_bit(L, FLAG_SF);
}

static ir_ref parity(struct x86_lift *L)
{
    ir_ref r;
    unsigned width;
    if (!result(L, sign_setter(L), &r, &width))
        return eflags_bit(L, FLAG_PF);
    ir_ref ones = irb_un(L->b, IR_POPCNT, narrow_value(L, r, 0, false));
    return irb_bini(L->b, IR_XOR, irb_bini(L->b, IR_AND, ones, 1), 1);
}

static ir_ref rotate_carry(struct x86_lift *L)
{
    unsigned f = rot_field(L);
    return state_bit(L, X86_OFF(cc_rot), cc_layer_second(f) ? (8u << cc_layer_width(f)) - 1 : 0);
}

static ir_ref rotate_overflow(struct x86_lift *L)
{
    unsigned f = rot_field(L), top = (8u << cc_layer_width(f)) - 1;
    ir_ref other = state_bit(L, X86_OFF(cc_rot), cc_layer_second(f) ? top - 1 : 0);
    return irb_bin(L->b, IR_XOR, state_bit(L, X86_OFF(cc_rot), top), other);
}

static ir_ref base_overflow(struct x86_lift *L)
{
    struct ir_block *b = L->b;
    unsigned top = (8u << cc_width(base(L))) - 1;
    ir_ref r = irb_get(b, 8, X86_OFF(cc_dst)), x;
    ir_ref y = irb_get(b, 8, X86_OFF(cc_src)), z = irb_get(b, 8, X86_OFF(cc_src2));
    switch (base(L) - cc_width(base(L))) {
    case CC_ADDB:
    case CC_ADCB:
        x = irb_bin(b, IR_SUB, r, y);
        x = is_base(L, CC_ADCB) ? irb_bin(b, IR_SUB, x, z) : x;
        return word_bit(L, irb_bin(b, IR_AND, irb_bin(b, IR_XOR, x, r), irb_bin(b, IR_XOR, y, r)), top);
    case CC_SUBB:
    case CC_SBBB:
        x = is_base(L, CC_SUBB) ? z : irb_bin(b, IR_ADD, irb_bin(b, IR_ADD, r, y), z);
        r = is_base(L, CC_SUBB) ? irb_bin(b, IR_SUB, z, y) : r;
        return word_bit(L, irb_bin(b, IR_AND, irb_bin(b, IR_XOR, x, y), irb_bin(b, IR_XOR, x, r)), top);
    case CC_SHLB:
    case CC_SHRB:
        y = irb_bin(b, is_base(L, CC_SHLB) ? IR_SHL : IR_SHR, y, z);
        return word_bit(L, irb_bin(b, IR_XOR, y, r), top);
    case CC_MULB:
        return irb_setcondi(b, IR_NE, y, 0);
    default:
        return irb_w(b, 0);
    }
}

static ir_ref overflow(struct x86_lift *L)
{
    unsigned f = inc_field(L);
    switch (overflow_setter(L)) {
    case ROTATE:
        return rotate_overflow(L);
    case INC:
        return irb_setcondi(L->b, IR_EQ, narrow(L, X86_OFF(cc_inc), cc_layer_width(f), false),
                            (UINT64_C(1) << ((8u << cc_layer_width(f)) - 1)) - cc_layer_second(f));
    default:
        return base(L) == CC_EFLAGS ? eflags_bit(L, FLAG_OF) : base_overflow(L);
    }
}

/* Of ADC and SBB: x + y + 1 has carried if the sum is not above y; x - y - 1 has borrowed if x is not above y. */
static ir_ref carry_with_carry(struct x86_lift *L)
{
    struct ir_block *b = L->b;
    ir_ref y = base_operand(L, X86_OFF(cc_src)), in = irb_un(b, IR_TRUNC, irb_get(b, 8, X86_OFF(cc_src2))), x;
    if (is_base(L, CC_ADCB)) {
        x = base_operand(L, X86_OFF(cc_dst));
    } else {
        ir_ref sum = irb_bin(b, IR_ADD, irb_get(b, 8, X86_OFF(cc_dst)), irb_get(b, 8, X86_OFF(cc_src)));
        x = irb_bin(b, IR_ADD, sum, irb_get(b, 8, X86_OFF(cc_src2)));
        if (cc_width(base(L)) < 3)
            x = irb_extract(b, irb_un(b, IR_TRUNC, x), 0, 8u << cc_width(base(L)));
    }
    ir_ref equal = irb_bin(b, IR_AND, irb_setcond(b, IR_EQ, x, y), in);
    return irb_bin(b, IR_OR, irb_setcond(b, IR_LTU, x, y), equal);
}

/* The bit that left last. */
static ir_ref shifted_out(struct x86_lift *L)
{
    bool left = is_base(L, CC_SHLB);
    ir_ref x = irb_get(L->b, 8, X86_OFF(cc_src)), steps = irb_get(L->b, 8, X86_OFF(cc_src2));
    x = irb_bin(L->b, left ? IR_SHL : IR_SHR, x, steps);
    return word_bit(L, x, left ? (8u << cc_width(base(L))) - 1 : 0);
}

static ir_ref base_carry(struct x86_lift *L)
{
    switch (base(L) - cc_width(base(L))) {
    case CC_LOGICB:
        return irb_w(L->b, 0);
    case CC_SUBB:
        return irb_setcond(L->b, IR_LTU, base_operand(L, X86_OFF(cc_src2)), base_operand(L, X86_OFF(cc_src)));
    case CC_ADDB:
        return irb_setcond(L->b, IR_LTU, base_operand(L, X86_OFF(cc_dst)), base_operand(L, X86_OFF(cc_src)));
    case CC_SHLB:
    case CC_SHRB:
    case CC_SARB:
        return shifted_out(L);
    case CC_ADCB:
    case CC_SBBB:
        return carry_with_carry(L);
    default: /* MUL, BMILOGIC */
        return irb_setcondi(L->b, IR_NE, irb_get(L->b, 8, X86_OFF(cc_src)), 0);
    }
}

ir_ref x86_carry(struct x86_lift *L)
{
    switch (carry_setter(L)) {
    case UNKNOWN:
        return irb_bini(L->b, IR_AND, x86_get_cc_eflags(L), FLAG_CF);
    case ROTATE:
        return rotate_carry(L);
    case BIT:
        return irb_un(L->b, IR_TRUNC, irb_get(L->b, 8, X86_OFF(cc_carry)));
    default:
        return base(L) == CC_EFLAGS ? eflags_bit(L, FLAG_CF) : base_carry(L);
    }
}

ir_ref x86_overflow(struct x86_lift *L)
{
    return overflow_setter(L) == UNKNOWN ? irb_extract(L->b, x86_get_cc_eflags(L), 11, 1) : overflow(L);
}

/* ---- conditions --------------------------------------------------------------------------------- */

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

/* What ZF and SF say, and of LOGIC, where CF and OF are 0, what all but OF and PF say: a comparison with 0. */
static bool result_compare(unsigned cc, bool logic, enum ir_cond *c)
{
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
    return true;
}

/* Conditions as compares of two values: *x c *y. */
static bool as_compare(struct x86_lift *L, unsigned cc, enum ir_cond *c, ir_ref *x, ir_ref *y)
{
    bool is_signed;
    ir_ref r;
    unsigned width;
    if (x86_cc_plain(L) && is_base(L, CC_SUBB) && sub_compare(cc, c, &is_signed)) {
        *x = narrow(L, X86_OFF(cc_src2), cc_width(base(L)), is_signed);
        *y = narrow(L, X86_OFF(cc_src), cc_width(base(L)), is_signed);
        return true;
    }
    if (cc >> 1 == 1 && carry_setter(L) == BASE && is_base(L, CC_ADDB)) {
        *c = cc & 1 ? IR_GEU : IR_LTU;
        *x = base_operand(L, X86_OFF(cc_dst));
        *y = base_operand(L, X86_OFF(cc_src));
        return true;
    }
    enum setter from = cc >> 1 == 2 ? zero_setter(L) : sign_setter(L);
    if ((from != INC && from != BASE) || !result(L, from, &r, &width) ||
        !result_compare(cc, x86_cc_plain(L) && is_base(L, CC_LOGICB), c))
        return false;
    *x = narrow_value(L, r, width, *c >= IR_LTS);
    *y = irb_const(L->b, (enum ir_type)L->b->type_of[*x], 0);
    return true;
}

static bool condition_known(const struct x86_lift *L, unsigned which)
{
    bool sf = sign_setter(L) != UNKNOWN, zf = zero_setter(L) != UNKNOWN, cf = carry_setter(L) != UNKNOWN;
    bool of = overflow_setter(L) != UNKNOWN;
    const bool needs[8] = { of, cf, zf, cf && zf, sf, sf, sf && of, zf && sf && of };
    return needs[which];
}

/* The even conditions from their flags (SDM vol. 1, appendix B). */
static ir_ref from_flags(struct x86_lift *L, unsigned which)
{
    struct ir_block *b = L->b;
    switch (which) {
    case 0:
        return overflow(L);
    case 1:
        return x86_carry(L);
    case 2:
        return zero(L);
    case 3:
        return irb_bin(b, IR_OR, x86_carry(L), zero(L));
    case 4:
        return sign(L);
    case 5:
        return parity(L);
    case 6:
        return irb_bin(b, IR_XOR, sign(L), overflow(L));
    default:
        return irb_bin(b, IR_OR, zero(L), irb_bin(b, IR_XOR, sign(L), overflow(L)));
    }
}

/* The same from EFLAGS; not 0: it holds. */
static ir_ref from_eflags(struct x86_lift *L, unsigned which)
{
    static const uint16_t mask[6] = { FLAG_OF, FLAG_CF, FLAG_ZF, FLAG_CF | FLAG_ZF, FLAG_SF, FLAG_PF };
    struct ir_block *b = L->b;
    ir_ref f = x86_get_cc_eflags(L);
    if (which < 6)
        return irb_bini(b, IR_AND, f, mask[which]);
    ir_ref r = irb_bin(b, IR_XOR, irb_extract(b, f, 7, 1), irb_extract(b, f, 11, 1));
    return which == 6 ? r : irb_bin(b, IR_OR, r, irb_extract(b, f, 6, 1));
}

/* The condition as a comparison *x c *y, whatever it takes. */
static enum ir_cond compare(struct x86_lift *L, unsigned cc, ir_ref *x, ir_ref *y)
{
    enum ir_cond c;
    if (as_compare(L, cc, &c, x, y))
        return c;
    *x = condition_known(L, cc >> 1) ? from_flags(L, cc >> 1) : from_eflags(L, cc >> 1);
    *y = irb_w(L->b, 0);
    return cc & 1 ? IR_EQ : IR_NE;
}

ir_ref x86_cond(struct x86_lift *L, unsigned cc)
{
    enum ir_cond c;
    ir_ref x, y;
    if (as_compare(L, cc, &c, &x, &y))
        return irb_setcond(L->b, c, x, y);
    if (condition_known(L, cc >> 1)) {
        ir_ref r = from_flags(L, cc >> 1);
        return cc & 1 ? irb_bini(L->b, IR_XOR, r, 1) : r;
    }
    return irb_setcondi(L->b, cc & 1 ? IR_EQ : IR_NE, from_eflags(L, cc >> 1), 0);
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
