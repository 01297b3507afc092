/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lazy flags in lifted code: setting them, and all six as EFLAGS has them.  lift_cond.c reads single ones.
 *
 * L->cc_known says which bits of cc_op are known, L->cc_op their values.  A layer can be put upon flags
 * of which nothing is known, and then what it sets is.
 */
#include "guest/x86/lift.h"

static uint64_t do_eflags(struct vcpu *v) { return x86_lazy_flags(&x86_of(v)->s); }

static uint64_t do_eflags_of(struct vcpu *v, uint64_t base, uint64_t dst, uint64_t src, uint64_t src2)
{
    (void)v;
    return x86_compute_flags((uint32_t)base, dst, src, src2);
}

static const struct ir_helper helper_eflags = { "eflags", 0, HELPER_READS | HELPER_NO_EFFECT, IR_W, { 0 },
                                                { .f0 = do_eflags } };
static const struct ir_helper helper_eflags_of = { "eflags_of", 4, HELPER_PURE, IR_W, { IR_W, IR_X, IR_X, IR_X },
                                                   { .f4 = do_eflags_of } };

static void put_op(struct x86_lift *L, uint32_t op)
{
    if (!x86_cc_known(L, CC_ALL) || L->cc_op != op)
        irb_put(L->b, 4, X86_OFF(cc_op), irb_w(L->b, op));
    L->cc_op = op;
    L->cc_known = CC_ALL;
}

static unsigned cc_word(uint32_t offset) { return 1u << (offset - X86_OFF(cc_dst)) / 8; }

static void put_x(struct x86_lift *L, uint32_t offset, ir_ref v)
{
    if (!v)
        return;
    irb_put(L->b, 8, offset, irb_cast(L->b, v, IR_X));
    L->cc_put |= cc_word(offset);
}

/* Of what this block has put, nobody looks at these words any more. */
static void discard(struct x86_lift *L, unsigned words)
{
    words &= L->cc_put;
    if (words)
        irb_discard(L->b, X86_OFF(cc_dst), words);
    L->cc_put &= ~words;
}

static ir_ref op_word(struct x86_lift *L)
{
    return x86_cc_known(L, CC_ALL) ? irb_w(L->b, L->cc_op) : irb_get(L->b, 4, X86_OFF(cc_op));
}

static ir_ref with_bits(struct x86_lift *L, ir_ref op, uint32_t mask, uint32_t bits)
{
    return irb_bini(L->b, IR_OR, irb_bini(L->b, IR_AND, op, ~mask), bits);
}

/* The layer's bits, in place of those of cc_op that mask says. */
static void put_layer(struct x86_lift *L, uint32_t mask, uint32_t bits)
{
    if (x86_cc_known(L, CC_ALL)) {
        put_op(L, (L->cc_op & ~mask) | bits);
        return;
    }
    if (!x86_cc_known(L, mask) || (L->cc_op & mask) != bits)
        irb_put(L->b, 4, X86_OFF(cc_op), with_bits(L, op_word(L), mask, bits));
    L->cc_op = (L->cc_op & ~mask) | bits;
    L->cc_known |= mask;
}

void x86_cc_ends(struct x86_lift *L) { discard(L, ~0u); }

enum {
    INC_DROPS = CC_INC | CC_ROT_LAST | CC_ZERO,
    ROT_DROPS = CC_ROT | CC_ROT_LAST | CC_CARRY,
};
static uint32_t inc_bits(bool dec, unsigned size) { return (1 + x86_width(size) + 4 * dec) << CC_INC_SHIFT; }
static uint32_t rot_bits(bool right, unsigned size)
{
    return (1 + x86_width(size) + 4 * right) << CC_ROT_SHIFT | CC_ROT_LAST;
}

void x86_set_cc(struct x86_lift *L, enum x86_cc_op op, ir_ref dst, ir_ref src, ir_ref src2)
{
    discard(L, ~((dst ? cc_word(X86_OFF(cc_dst)) : 0) | (src ? cc_word(X86_OFF(cc_src)) : 0) |
                 (src2 ? cc_word(X86_OFF(cc_src2)) : 0)));
    put_x(L, X86_OFF(cc_dst), dst);
    put_x(L, X86_OFF(cc_src), src);
    put_x(L, X86_OFF(cc_src2), src2);
    put_op(L, op);
}

static void put_x_if(struct x86_lift *L, ir_ref cond, uint32_t offset, ir_ref v)
{
    irb_put(L->b, 8, offset, irb_select(L->b, cond, irb_cast(L->b, v, IR_X), irb_get(L->b, 8, offset)));
}

void x86_set_cc_if(struct x86_lift *L, ir_ref cond, enum x86_cc_op op, ir_ref dst, ir_ref src,
                   ir_ref src2)
{
    put_x_if(L, cond, X86_OFF(cc_dst), dst);
    put_x_if(L, cond, X86_OFF(cc_src), src);
    put_x_if(L, cond, X86_OFF(cc_src2), src2);
    irb_put(L->b, 4, X86_OFF(cc_op), irb_select(L->b, cond, irb_w(L->b, op), op_word(L)));
    L->cc_known = 0;
}

void x86_set_cc_inc(struct x86_lift *L, bool dec, unsigned size, ir_ref result)
{
    discard(L, cc_word(X86_OFF(cc_zero)));
    put_x(L, X86_OFF(cc_inc), result);
    put_layer(L, INC_DROPS, inc_bits(dec, size));
}

void x86_set_cc_rotate(struct x86_lift *L, bool right, unsigned size, ir_ref result)
{
    discard(L, cc_word(X86_OFF(cc_carry)));
    put_x(L, X86_OFF(cc_rot), result);
    put_layer(L, ROT_DROPS, rot_bits(right, size));
}

void x86_set_cc_rotate_if(struct x86_lift *L, ir_ref cond, bool right, unsigned size, ir_ref result)
{
    ir_ref old = op_word(L);
    put_x_if(L, cond, X86_OFF(cc_rot), result);
    ir_ref new = with_bits(L, old, ROT_DROPS, rot_bits(right, size));
    irb_put(L->b, 4, X86_OFF(cc_op), irb_select(L->b, cond, new, old));
    L->cc_known &= ~(uint32_t)ROT_DROPS;
}

/* As a ROL of a byte that leaves them. */
void x86_set_carry_overflow(struct x86_lift *L, ir_ref cf, ir_ref of)
{
    ir_ref top = irb_bini(L->b, IR_SHL, irb_bin(L->b, IR_XOR, cf, of), 7);
    x86_set_cc_rotate(L, false, 1, irb_bin(L->b, IR_OR, cf, top));
}

void x86_set_carry(struct x86_lift *L, ir_ref cf)
{
    put_x(L, X86_OFF(cc_carry), cf);
    put_layer(L, CC_CARRY, CC_CARRY);
}

void x86_set_zero(struct x86_lift *L, ir_ref zf)
{
    put_x(L, X86_OFF(cc_zero), zf);
    put_layer(L, CC_ZERO, CC_ZERO);
}

void x86_set_cc_eflags(struct x86_lift *L, ir_ref eflags)
{
    discard(L, ~cc_word(X86_OFF(cc_src)));
    put_x(L, X86_OFF(cc_src), irb_bini(L->b, IR_AND, eflags, FLAGS_ARITH));
    put_op(L, CC_EFLAGS);
}

ir_ref x86_get_cc_eflags(struct x86_lift *L)
{
    struct ir_block *b = L->b;
    if (!x86_cc_plain(L))
        return irb_call(b, &helper_eflags, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    if (L->cc_op == CC_EFLAGS)
        return irb_un(b, IR_TRUNC, irb_get(b, 8, X86_OFF(cc_src)));
    return irb_call(b, &helper_eflags_of, irb_w(b, L->cc_op), irb_get(b, 8, X86_OFF(cc_dst)),
                    irb_get(b, 8, X86_OFF(cc_src)), irb_get(b, 8, X86_OFF(cc_src2)));
}
