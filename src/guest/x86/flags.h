/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lazy arithmetic flags.  cc_op says which operation last set the flags and at
 * which width; the flags are computed from its result and operands only when read.
 *
 *   op        cc_dst        cc_src                 cc_src2
 *   EFLAGS    -             the six flags in place -
 *   (an operand may carry garbage above its width; the flags look at the width only)
 *   ADD       result        second operand         -          (first = dst - src)
 *   ADC       result        second operand         carry in
 *   SUB       result        second operand         first operand
 *   SBB       result        second operand         carry in   (first = dst + src + carry)
 *   LOGIC     result        -                      -
 *   INC, DEC  result        carry before (0/1)     -
 *   SHL       result        value shifted one step less   -
 *   SAR       result        value shifted one step less   -   (SHR too)
 *   MUL       low result    non-zero: CF and OF    -
 *   BLSI      result        source: CF if not 0    -
 *   BMILOGIC  result        non-zero: CF           -
 *
 * Width suffixes B W L Q follow in the enum in that order: CC_ADDB, CC_ADDW, ...
 */
#ifndef REPRISE_GUEST_X86_FLAGS_H
#define REPRISE_GUEST_X86_FLAGS_H

#include "guest/x86/cpu.h"

enum x86_cc_op {
    CC_EFLAGS = 0,
#define CC4(n) CC_##n##B, CC_##n##W, CC_##n##L, CC_##n##Q,
    CC4(ADD) CC4(ADC) CC4(SUB) CC4(SBB) CC4(LOGIC) CC4(INC) CC4(DEC) CC4(SHL) CC4(SAR) CC4(MUL) CC4(BLSI)
        CC4(BMILOGIC)
#undef CC4
            CC_OP_COUNT,
    CC_DYNAMIC = 255,   /* lift time only: not known statically, read from state */
};

/* The six arithmetic flags, in their EFLAGS places. */
uint32_t x86_compute_flags(uint32_t cc_op, uint64_t dst, uint64_t src, uint64_t src2);

/* All of RFLAGS (bit 1 set), and its write: mask says which bits change. */
uint64_t x86_get_rflags(const struct x86_cpu *c);
void x86_set_rflags(struct x86_cpu *c, uint64_t value, uint64_t mask);

/* Makes cc_op CC_EFLAGS in place (before hashing, saving). */
void x86_flatten_flags(struct x86_cpu *c);

#endif
