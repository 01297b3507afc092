/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/x86/flags.h"

/* The parity flag is even parity of the low byte. */
static uint32_t parity(uint64_t v) { return __builtin_popcountll(v & 0xff) & 1 ? 0 : FLAG_PF; }

static uint32_t result_flags(uint64_t r, unsigned bits)
{
    r &= mask64(bits);
    return (r == 0 ? FLAG_ZF : 0) | (r >> (bits - 1) ? FLAG_SF : 0) | parity(r);
}

static uint32_t flag_if(bool c, uint32_t f) { return c ? f : 0; }

/* a + b (+ carry in) = r: carry out of and overflow at the top bit. */
static uint32_t add_flags(uint64_t a, uint64_t b, uint64_t r, uint64_t carry_in, unsigned bits)
{
    uint64_t m = mask64(bits);
    a &= m;
    b &= m;
    r &= m;
    bool cf = carry_in ? r <= a : r < a;
    bool of = ((a ^ r) & (b ^ r)) >> (bits - 1) & 1;
    return result_flags(r, bits) | flag_if(cf, FLAG_CF) | flag_if(of, FLAG_OF) | ((a ^ b ^ r) & FLAG_AF);
}

static uint32_t sub_flags(uint64_t a, uint64_t b, uint64_t r, uint64_t borrow_in, unsigned bits)
{
    uint64_t m = mask64(bits);
    a &= m;
    b &= m;
    r &= m;
    bool cf = borrow_in ? a <= b : a < b;
    bool of = ((a ^ b) & (a ^ r)) >> (bits - 1) & 1;
    return result_flags(r, bits) | flag_if(cf, FLAG_CF) | flag_if(of, FLAG_OF) | ((a ^ b ^ r) & FLAG_AF);
}

uint32_t x86_compute_flags(uint32_t cc_op, uint64_t dst, uint64_t src, uint64_t src2)
{
    if (cc_op == CC_EFLAGS)
        return (uint32_t)src & FLAGS_ARITH;
    unsigned bits = 8u << ((cc_op - 1) & 3);
    uint64_t r = dst & mask64(bits), top = UINT64_C(1) << (bits - 1);
    switch ((cc_op - 1) / 4) {
    case 0: /* ADD */
        return add_flags(dst - src, src, dst, 0, bits);
    case 1: /* ADC */
        return add_flags(dst - src - src2, src, dst, src2, bits);
    case 2: /* SUB */
        return sub_flags(src2, src, dst, 0, bits);
    case 3: /* SBB */
        return sub_flags(dst + src + src2, src, dst, src2, bits);
    case 4: /* LOGIC */
        return result_flags(dst, bits);
    case 5: /* INC */
        return result_flags(dst, bits) | flag_if(src, FLAG_CF) | flag_if(r == top, FLAG_OF) |
               flag_if(!(r & 15), FLAG_AF);
    case 6: /* DEC */
        return result_flags(dst, bits) | flag_if(src, FLAG_CF) | flag_if(r == top - 1, FLAG_OF) |
               flag_if((r & 15) == 15, FLAG_AF);
    case 7: /* SHL: the bit shifted out is the top of the value one step earlier */
        return result_flags(dst, bits) | flag_if(src & top, FLAG_CF) | flag_if((src ^ dst) & top, FLAG_OF);
    case 8: /* SAR, SHR */
        return result_flags(dst, bits) | flag_if(src & 1, FLAG_CF) | flag_if((src ^ dst) & top, FLAG_OF);
    case 9: /* MUL */
        return result_flags(dst, bits) | flag_if(src, FLAG_CF | FLAG_OF);
    case 10: /* BLSI: carry if the source is not zero */
        return result_flags(dst, bits) | flag_if(src & mask64(bits), FLAG_CF);
    default: /* BMILOGIC: carry if src says so */
        return result_flags(dst, bits) | flag_if(src, FLAG_CF);
    }
}

uint64_t x86_get_rflags(const struct x86_cpu *c)
{
    return c->s.rflags | 2 | x86_compute_flags(c->s.cc_op, c->s.cc_dst, c->s.cc_src, c->s.cc_src2);
}

void x86_set_rflags(struct x86_cpu *c, uint64_t value, uint64_t mask)
{
    uint64_t v = (x86_get_rflags(c) & ~mask) | (value & mask);
    c->s.rflags = v & ~(uint64_t)FLAGS_ARITH;
    c->s.cc_op = CC_EFLAGS;
    c->s.cc_src = v & FLAGS_ARITH;
    c->s.cc_dst = c->s.cc_src2 = 0;
}

void x86_flatten_flags(struct x86_cpu *c) { x86_set_rflags(c, 0, 0); }
