/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Register and memory contents: numbers that find edges. */
#include <string.h>

#include "gen_impl.h"

uint64_t gen_next(struct isa_gen *g)
{
    uint64_t z = g->rng += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

unsigned gen_below(struct isa_gen *g, unsigned n) { return (unsigned)(gen_next(g) >> 33) % n; }

bool gen_seldom(struct isa_gen *g, unsigned n) { return gen_below(g, g->astray ? n / 8 + 2 : n) == 0; }

/* Numbers that find edges: small, powers of two around, all ones, random. */
uint64_t gen_interesting(struct isa_gen *g)
{
    switch (gen_below(g, 8)) {
    case 0:
        return gen_below(g, 4);
    case 1:
        return (UINT64_C(1) << gen_below(g, 64)) - gen_below(g, 3);
    case 2:
        return ~(uint64_t)gen_below(g, 4);
    case 3:
        return (int64_t)(int8_t)gen_next(g);
    case 4:
        return (uint64_t)(int64_t)(int32_t)gen_next(g);
    case 5:
        return gen_next(g) & gen_next(g) & gen_next(g);
    default:
        return gen_next(g);
    }
}

/* Of a fraction: few bits (sums and products that end in a tie), all ones, anything. */
static uint64_t interesting_fraction(struct isa_gen *g, unsigned bits)
{
    uint64_t all = (UINT64_C(1) << bits) - 1;
    switch (gen_below(g, 6)) {
    case 0:
        return 0;
    case 1:
        return UINT64_C(1) << gen_below(g, bits);
    case 2:
        return all & ~(uint64_t)gen_below(g, 4);
    case 3:
        return all & ~(gen_next(g) >> gen_below(g, 64));
    case 4:
        return gen_below(g, 4);
    default:
        return gen_next(g) & all;
    }
}

/* Exponents: near one, near the integers' limits, near either end; bias is also half the greatest. */
static uint64_t interesting_exponent(struct isa_gen *g, unsigned bias)
{
    static const uint8_t limits[] = { 15, 16, 22, 23, 24, 30, 31, 32, 51, 52, 53, 62, 63, 64 };
    switch (gen_below(g, 8)) {
    case 0:
        return gen_below(g, 4);
    case 1:
        return 2 * bias + 1 - gen_below(g, 4);
    case 2:
        return bias + limits[gen_below(g, ARRAY_LEN(limits))] - gen_below(g, 2);
    case 3:
        return bias / 2 - 16 + gen_below(g, 32);
    case 4:
        return bias + bias / 2 - 16 + gen_below(g, 32);
    case 5:
        return gen_below(g, 2 * bias + 2);
    default:
        return bias - 6 + gen_below(g, 12);
    }
}

/* Bit patterns of floating-point numbers worth meeting. */
static uint64_t interesting_f64(struct isa_gen *g)
{
    static const uint64_t special[] = {
        0, UINT64_C(1) << 63, UINT64_C(0x3ff0000000000000), UINT64_C(0xbff0000000000000),
        UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000), UINT64_C(0x7ff8000000000000),
        UINT64_C(0x7ff0000000000001), UINT64_C(0xfff8000000000123), 1, UINT64_C(0x000fffffffffffff),
        UINT64_C(0x0010000000000000), UINT64_C(0x7fefffffffffffff), UINT64_C(0x43e0000000000000),
        UINT64_C(0xc3e0000000000000), UINT64_C(0x41dfffffffc00000), UINT64_C(0x3fe0000000000000),
        UINT64_C(0x41dfffffffe00000), UINT64_C(0xc1e0000000000000), UINT64_C(0x3ff8000000000000),
        UINT64_C(0xc004000000000000),
    };
    unsigned kind = gen_below(g, 8);
    if (kind < 2)
        return special[gen_below(g, ARRAY_LEN(special))];
    if (kind == 2)
        return gen_next(g);
    return (gen_next(g) & UINT64_C(1) << 63) | interesting_exponent(g, 1023) << 52 | interesting_fraction(g, 52);
}

static uint32_t interesting_f32(struct isa_gen *g)
{
    static const uint32_t special[] = { 0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
                                        0x7f800001, 0xffc00123, 1, 0x007fffff, 0x00800000, 0x7f7fffff, 0x4f000000,
                                        0xcf000000, 0x5f000000, 0x3f000000, 0x3fc00000, 0xc0200000 };
    unsigned kind = gen_below(g, 8);
    if (kind < 2)
        return special[gen_below(g, ARRAY_LEN(special))];
    if (kind == 2)
        return (uint32_t)gen_next(g);
    return ((uint32_t)gen_next(g) & 0x80000000) | (uint32_t)interesting_exponent(g, 127) << 23 |
           (uint32_t)interesting_fraction(g, 23);
}

void gen_lanes(struct isa_gen *g, uint8_t *p)
{
    unsigned kind = gen_below(g, 3);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t v = gen_interesting(g);
        if (kind == 1)
            v = interesting_f64(g);
        if (kind == 2)
            v = interesting_f32(g) | (uint64_t)interesting_f32(g) << 32;
        store_le(p + 8 * i, 8, v);
    }
}

/* Operands that are alike: equal, opposite, next to each other; whole or in half. */
static void relate_lanes(struct isa_gen *g, uint8_t *p, const uint8_t *like)
{
    static const uint64_t flip[] = { 0, UINT64_C(1) << 63, UINT64_C(0x8000000080000000), 1, UINT64_C(0x100000001), 2 };
    for (unsigned i = 0; i < 2; i++)
        if (gen_below(g, 3))
            store_le(p + 8 * i, 8, load_le(like + 8 * i, 8) ^ flip[gen_below(g, ARRAY_LEN(flip))]);
}

void gen_high(struct isa_gen *g, struct isa_case *c)
{
    for (unsigned i = 0; i < 16; i++)
        gen_lanes(g, c->in.high[i]);
    if (gen_below(g, 3) == 0)
        for (unsigned i = 1; i < 16; i++)
            relate_lanes(g, c->in.high[i], c->in.high[0]);
    if (gen_below(g, 3) == 0)
        for (unsigned i = 0; i < 16; i++)
            relate_lanes(g, c->in.high[i], c->in.fx + 160 + 16 * i);
}

void gen_fx(struct isa_gen *g, uint8_t *fx)
{
    memset(fx, 0, 512);
    /* x87: all masked mostly; any rounding and precision; TOP and tags random. */
    unsigned cw = 0x40 | (gen_below(g, 4) ? 0x3f : gen_below(g, 64)) | gen_below(g, 4) << 10;
    static const unsigned precision[] = { 0, 2, 3, 3 };
    cw |= precision[gen_below(g, 4)] << 8;
    store_le(fx, 2, cw);
    store_le(fx + 2, 2, (gen_below(g, 8) << 11) | (gen_next(g) & 0x4700));
    fx[4] = gen_below(g, 2) ? 0xff : (uint8_t)gen_next(g);
    if (gen_below(g, 24) == 0) {           /* an exception waits, if it is unmasked (ES and B say so) */
        unsigned flags = (unsigned)gen_next(g) & 63;
        store_le(fx + 2, 2, load_le(fx + 2, 2) | flags | (flags & ~cw ? 0x8080 : 0));
    }
    store_le(fx + 24, 4,
             0x1f80 | (gen_below(g, 2) ? gen_below(g, 4) << 13 : 0) | (gen_below(g, 4) ? 0 : 0x8040 & gen_next(g)));
    if (gen_below(g, 8) == 0)
        store_le(fx + 24, 4, load_le(fx + 24, 4) & ~(uint64_t)(gen_below(g, 64) << 7));
    for (unsigned i = 0; i < 8; i++) {
        uint64_t mant = gen_next(g) | UINT64_C(1) << 63;
        unsigned se = 0x3fff - 20 + gen_below(g, 64);
        if (gen_below(g, 4) == 0)
            se = (unsigned)gen_next(g) & 0xffff;
        if (gen_below(g, 6) == 0)
            mant = gen_interesting(g);
        if (gen_below(g, 12) == 0)
            se |= 0x7fff;
        if (gen_below(g, 12) == 0)
            se &= 0x8000;
        store_le(fx + 32 + 16 * i, 8, mant);
        store_le(fx + 40 + 16 * i, 2, se | (gen_below(g, 2) << 15));
    }
    for (unsigned i = 0; i < 16; i++)
        gen_lanes(g, fx + 160 + 16 * i);
    if (gen_below(g, 3) == 0)
        for (unsigned i = 1; i < 16; i++)
            relate_lanes(g, fx + 160 + 16 * i, fx + 160);
}

bool isa_host_has_avx(void) { return __builtin_cpu_supports("avx"); }
