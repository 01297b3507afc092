/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lazy arithmetic flags.  cc_op says which operations last set the flags and at
 * which width; the flags are computed from their results and operands only when read.
 *
 * The base, bits 0..7 of cc_op, is an operation that sets all six:
 *
 *   op        cc_dst        cc_src                 cc_src2
 *   EFLAGS    -             the six flags in place -
 *   (an operand may carry garbage above its width; the flags look at the width only)
 *   ADD       result        second operand         -          (first = dst - src)
 *   ADC       result        second operand         carry in
 *   SUB       -             second operand         first operand
 *   SBB       result        second operand         carry in   (first = dst + src + carry)
 *   LOGIC     result        -                      -
 *   SHL, SHR  result        value shifted          steps - 1
 *   SAR       result        value, extended        steps - 1
 *   MUL       low result    non-zero: CF and OF    -
 *   BMILOGIC  result        non-zero: CF           -
 *
 * Width suffixes B W L Q follow in the enum in that order: CC_ADDB, CC_ADDW, ...
 *
 * Upon it lie up to four layers, operations that set some flags and keep the others.  What a
 * layer sets, it sets for all that is below it, and a layer may be put upon any base and any other layers
 * without a look at them:
 *
 *   layer     sets             its value             field of cc_op
 *   INC, DEC  OF SF ZF AF PF   cc_inc: the result    CC_INC: 1 + width, and 4 more for DEC
 *   ROL, ROR  OF CF            cc_rot: the result    CC_ROT: 1 + width, and 4 more for ROR
 *   carry     CF               cc_carry, bit 0       CC_CARRY
 *   zero      ZF               cc_zero, bit 0        CC_ZERO
 *
 * Who sets a flag is found without an order of all four: INC drops the zero layer, ROL the carry layer, and CC_ROT_LAST
 * says that of the two that set OF the rotation is the later one.  An operation that sets all six
 * stores a plain cc_op, which has no layers.
 */
#ifndef REPRISE_GUEST_X86_FLAGS_H
#define REPRISE_GUEST_X86_FLAGS_H

#include "guest/x86/cpu.h"

enum x86_cc_op {
    CC_EFLAGS = 0,
#define CC4(n) CC_##n##B, CC_##n##W, CC_##n##L, CC_##n##Q,
    CC4(ADD) CC4(ADC) CC4(SUB) CC4(SBB) CC4(LOGIC) CC4(SHL) CC4(SHR) CC4(SAR) CC4(MUL) CC4(BMILOGIC)
#undef CC4
        CC_OP_COUNT,
};

enum { /* cc_op: its parts */
    CC_BASE = 0xff,
    CC_INC_SHIFT = 8, CC_INC = 15 << CC_INC_SHIFT,
    CC_ROT_SHIFT = 12, CC_ROT = 15 << CC_ROT_SHIFT,
    CC_ROT_LAST = 1 << 16,
    CC_CARRY = 1 << 17,
    CC_ZERO = 1 << 18,
    CC_ALL = (1 << 19) - 1,
    CC_LAYERS = CC_ALL & ~CC_BASE,
};

/* The width of a base (not EFLAGS) and of a layer's field, as log2 of bytes; the latter's second operation. */
static inline unsigned cc_width(unsigned base) { return (base - 1) & 3; }
static inline unsigned cc_layer_width(unsigned field) { return (field - 1) & 3; }
static inline bool cc_layer_second(unsigned field) { return field > 4; }

/* The six arithmetic flags, in their EFLAGS places: of a base alone, and of what the state holds. */
uint32_t x86_compute_flags(uint32_t base, uint64_t dst, uint64_t src, uint64_t src2);
uint32_t x86_lazy_flags(const struct x86_state *s);

/* All of RFLAGS (bit 1 set), and its write: mask says which bits change. */
uint64_t x86_get_rflags(const struct x86_cpu *c);
void x86_set_rflags(struct x86_cpu *c, uint64_t value, uint64_t mask);

/* Makes cc_op CC_EFLAGS in place (before hashing, saving). */
void x86_flatten_flags(struct x86_cpu *c);

#endif
