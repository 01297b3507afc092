/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sequences of instructions that set some flags, keep others and read them: what one instruction at a time, from flags
 * in EFLAGS format, does not show of lazy flags.
 *
 * `undefined` follows which flags the architecture leaves undefined on the way; no instruction that reads
 * one of those is put behind.
 */
#include <string.h>

#include "gen_impl.h"

struct sequence {
    struct isa_gen *g;
    struct isa_case *c;
    uint64_t undefined;
};

enum { ALL = FLAGS_ARITH, BUT_CF = FLAGS_ARITH & ~FLAG_CF };

static void emit(struct sequence *s, unsigned byte) { s->c->code[s->c->len++] = (uint8_t)byte; }

/* AX, DX or BX: never CX, which holds counts, nor the pointer in SI. */
static unsigned reg(struct sequence *s)
{
    static const uint8_t regs[] = { R_AX, R_DX, R_BX };
    return regs[gen_below(s->g, 3)];
}

/* Prefixes of an operand size; true: not a byte. */
static bool size(struct sequence *s, bool byte_too)
{
    unsigned k = gen_below(s->g, byte_too ? 4 : 3) + !byte_too;
    if (k == 1)
        emit(s, 0x66);
    if (k == 3 && !s->c->mode32)
        emit(s, 0x48);
    return k != 0;
}

static void modrm(struct sequence *s, unsigned ext) { emit(s, 0xc0 | ext << 3 | reg(s)); }
static void defines(struct sequence *s, uint64_t flags, uint64_t undefined)
{
    s->undefined = (s->undefined & ~flags) | undefined;
}

static bool alu(struct sequence *s)
{
    unsigned op = gen_below(s->g, 8);
    bool carry = op == 2 || op == 3, logic = op == 1 || op == 4 || op == 6;
    if (carry && s->undefined & FLAG_CF)
        return false;
    bool wide = size(s, true);
    emit(s, op << 3 | wide);
    modrm(s, reg(s));
    defines(s, ALL, logic ? FLAG_AF : 0);
    return true;
}

static bool incdec(struct sequence *s)
{
    bool wide = size(s, true);
    emit(s, 0xfe | wide);
    modrm(s, gen_below(s->g, 2));
    defines(s, BUT_CF, 0);
    return true;
}

/* By 1, by an immediate or by CL; SHLD and SHRD too. */
static bool shift(struct sequence *s)
{
    static const uint8_t by[] = { 0xd0, 0xc0, 0xd2 };
    unsigned op = gen_below(s->g, 9), how = gen_below(s->g, 3), n = how == 1 ? 1 + gen_below(s->g, 7) : 1;
    bool twin = op == 8, through = op == 2 || op == 3;
    if (through && (s->undefined & FLAG_CF || how))
        return false;
    if (op == 6)
        return false;
    bool wide = size(s, !twin);
    if (twin) {
        emit(s, 0x0f);
        emit(s, (gen_below(s->g, 2) ? 0xa4 : 0xac) | (how == 2));
        modrm(s, reg(s));
        how = how == 2 ? 2 : 1;
    } else {
        emit(s, by[how] | wide);
        modrm(s, op);
    }
    if (how == 1)
        emit(s, n);
    if (how == 2)
        n = (unsigned)s->c->in.gpr[R_CX] & 31;
    if (n && op < 4)
        defines(s, FLAG_CF | FLAG_OF, n != 1 ? FLAG_OF : 0);
    else if (n)
        defines(s, ALL, FLAG_AF | (n != 1 ? FLAG_OF : 0));
    return true;
}

static bool carry(struct sequence *s)
{
    static const uint8_t op[] = { 0xf5, 0xf8, 0xf9 };
    unsigned k = gen_below(s->g, 3);
    if (!k && s->undefined & FLAG_CF)
        return false;
    emit(s, op[k]);
    defines(s, FLAG_CF, 0);
    return true;
}

static bool bit(struct sequence *s)
{
    size(s, false);
    emit(s, 0x0f);
    emit(s, 0xba);
    modrm(s, 4 + gen_below(s->g, 4));
    emit(s, gen_below(s->g, 64));
    defines(s, FLAG_CF, FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF);
    return true;
}

/* CMPXCHG8B or 16B at SI, half the time with what is there. */
static bool exchange(struct sequence *s)
{
    if (!s->c->mode32 && gen_below(s->g, 2))
        emit(s, 0x48);
    emit(s, 0x0f);
    emit(s, 0xc7);
    emit(s, 0x0e);
    defines(s, FLAG_ZF, 0);
    return true;
}

/* SETcc, CMOVcc, LAHF, SALC's relative SBB AL, AL. */
static bool read_flags(struct sequence *s)
{
    static const uint32_t reads[8] = { FLAG_OF, FLAG_CF, FLAG_ZF, FLAG_CF | FLAG_ZF, FLAG_SF, FLAG_PF,
                                       FLAG_SF | FLAG_OF, FLAG_ZF | FLAG_SF | FLAG_OF };
    unsigned cc = gen_below(s->g, 16);
    bool lahf = gen_below(s->g, 8) == 0;
    if (s->undefined & (lahf ? ALL & ~FLAG_OF : reads[cc >> 1]))
        return false;
    if (lahf) {
        emit(s, 0x9f);
    } else if (gen_below(s->g, 2)) {
        emit(s, 0x0f);
        emit(s, 0x90 | cc);
        modrm(s, 0);
    } else {
        size(s, false);
        emit(s, 0x0f);
        emit(s, 0x40 | cc);
        modrm(s, reg(s));
    }
    return true;
}

static bool other(struct sequence *s)
{
    unsigned k = gen_below(s->g, 3);
    if (k == 0) {
        emit(s, 0x9e);                         /* SAHF */
        defines(s, ALL & ~FLAG_OF, 0);
    } else if (k == 1) {
        size(s, false);
        emit(s, 0x0f);                         /* IMUL r, r */
        emit(s, 0xaf);
        modrm(s, reg(s));
        defines(s, FLAG_CF | FLAG_OF, FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF);
    } else {
        bool wide = size(s, true);
        emit(s, 0xf6 | wide);                  /* NEG */
        modrm(s, 3);
        defines(s, ALL, 0);
    }
    return true;
}

uint64_t isa_sequence(struct isa_gen *g, bool mode32, struct isa_case *c)
{
    static bool (*const kinds[])(struct sequence *) = { alu, incdec, incdec, shift, shift, carry, bit, exchange,
                                                        read_flags, read_flags, read_flags, other };
    struct sequence s = { .g = g, .c = c };
    memset(c, 0, sizeof *c);
    c->mode32 = mode32;
    for (int i = 0; i < 16; i++)
        c->in.gpr[i] = mode32 ? (i < 8 ? (uint32_t)gen_interesting(g) : 0) : gen_interesting(g);
    c->in.gpr[R_CX] = gen_below(g, 3) ? gen_below(g, 2) : gen_below(g, 8);
    c->in.gpr[R_SI] = ISA_WINDOW + 0x100;
    c->in.gpr[R_SP] = ISA_WINDOW + 0x1c0;
    c->in.rflags = 0x202 | (gen_next(g) & FLAGS_ARITH);
    gen_fx(g, c->in.fx);
    if (gen_below(g, 2)) {
        store_le(c->in.window + 0x100, 4, c->in.gpr[R_AX]);
        store_le(c->in.window + 0x104, 4, c->in.gpr[R_DX]);
    }
    unsigned n = 2 + gen_below(g, 7);
    while (c->insns < n)
        c->insns += kinds[gen_below(g, ARRAY_LEN(kinds))](&s);
    c->split = (uint8_t)gen_below(g, c->insns);
    return s.undefined;
}
