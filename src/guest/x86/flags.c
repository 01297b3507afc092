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

uint32_t x86_compute_flags(uint32_t base, uint64_t dst, uint64_t src, uint64_t src2)
{
    if (base == CC_EFLAGS)
        return (uint32_t)src & FLAGS_ARITH;
    unsigned bits = 8u << cc_width(base);
    uint64_t top = UINT64_C(1) << (bits - 1);
    switch (base - cc_width(base)) {
    case CC_ADDB:
        return add_flags(dst - src, src, dst, 0, bits);
    case CC_ADCB:
        return add_flags(dst - src - src2, src, dst, src2, bits);
    case CC_SUBB:
        return sub_flags(src2, src, src2 - src, 0, bits);
    case CC_SBBB:
        return sub_flags(dst + src + src2, src, dst, src2, bits);
    case CC_LOGICB:
        return result_flags(dst, bits);
    case CC_SHLB: /* the bit shifted out is the top of the value one step earlier */
        src <<= src2 & 63;
        return result_flags(dst, bits) | flag_if(src & top, FLAG_CF) | flag_if((src ^ dst) & top, FLAG_OF);
    case CC_SHRB:
        src >>= src2 & 63;
        return result_flags(dst, bits) | flag_if(src & 1, FLAG_CF) | flag_if((src ^ dst) & top, FLAG_OF);
    case CC_SARB:
        return result_flags(dst, bits) | flag_if(src >> (src2 & 63) & 1, FLAG_CF);
    case CC_MULB:
        return result_flags(dst, bits) | flag_if(src, FLAG_CF | FLAG_OF);
    default: /* BMILOGIC: carry if src says so */
        return result_flags(dst, bits) | flag_if(src, FLAG_CF);
    }
}

/* INC, DEC: all but CF. */
static uint32_t inc_flags(unsigned field, uint64_t r)
{
    unsigned bits = 8u << cc_layer_width(field);
    uint64_t top = UINT64_C(1) << (bits - 1), dec = cc_layer_second(field);
    uint32_t f = result_flags(r, bits);
    r &= mask64(bits);
    return f | flag_if(r == top - dec, FLAG_OF) | flag_if((r & 15) == (dec ? 15 : 0), FLAG_AF);
}

/* ROL: CF is the bit that came round to the bottom; ROR: to the top.  OF from it or its neighbour and the top bit. */
static uint32_t rotate_flags(unsigned field, uint64_t r)
{
    unsigned top = (8u << cc_layer_width(field)) - 1;
    bool right = cc_layer_second(field), high = r >> top & 1, cf = right ? high : r & 1;
    return flag_if(cf, FLAG_CF) | flag_if(high != (right ? r >> (top - 1) & 1 : cf), FLAG_OF);
}

static uint32_t replace(uint32_t f, uint32_t mask, uint32_t by) { return (f & ~mask) | (by & mask); }

uint32_t x86_lazy_flags(const struct x86_state *s)
{
    uint32_t f = x86_compute_flags(s->cc_op & CC_BASE, s->cc_dst, s->cc_src, s->cc_src2);
    unsigned inc = (s->cc_op & CC_INC) >> CC_INC_SHIFT, rot = (s->cc_op & CC_ROT) >> CC_ROT_SHIFT;
    if (inc)
        f = replace(f, FLAGS_ARITH & ~FLAG_CF, inc_flags(inc, s->cc_inc));
    if (rot)
        f = replace(f, FLAG_CF | (s->cc_op & CC_ROT_LAST ? FLAG_OF : 0), rotate_flags(rot, s->cc_rot));
    if (s->cc_op & CC_CARRY)
        f = replace(f, FLAG_CF, flag_if(s->cc_carry & 1, FLAG_CF));
    if (s->cc_op & CC_ZERO)
        f = replace(f, FLAG_ZF, flag_if(s->cc_zero & 1, FLAG_ZF));
    return f;
}

uint64_t x86_get_rflags(const struct x86_cpu *c)
{
    return c->s.rflags | 2 | x86_lazy_flags(&c->s);
}

void x86_set_rflags(struct x86_cpu *c, uint64_t value, uint64_t mask)
{
    uint64_t v = (x86_get_rflags(c) & ~mask) | (value & mask);
    c->s.rflags = v & ~(uint64_t)FLAGS_ARITH;
    c->s.cc_op = CC_EFLAGS;
    c->s.cc_src = v & FLAGS_ARITH;
    c->s.cc_dst = c->s.cc_src2 = c->s.cc_inc = c->s.cc_rot = c->s.cc_carry = c->s.cc_zero = 0;
}

void x86_flatten_flags(struct x86_cpu *c) { x86_set_rflags(c, 0, 0); }
