/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes that every encoding begins with: legacy prefixes, REX and VEX, then ModRM, SIB and displacement
 * (Intel SDM vol. 2, ch. 2).  Part of decode.c, a tenth of what translating costs: in a header, so that the
 * compiler sees all of it and keeps the cursor in registers.
 */
#ifndef REPRISE_GUEST_X86_DECODE_BYTES_H
#define REPRISE_GUEST_X86_DECODE_BYTES_H

#include "guest/x86/cpu.h"
#include "guest/x86/decode.h"
#include "guest/x86/mode.h"

/* The bytes of one instruction, n at most, the next one at `at`.  shortage: one was asked for that is not there. */
struct cursor {
    const uint8_t *p;
    size_t n, at;
    uint64_t mode;
    struct x86_insn *I;
    bool shortage;
    uint8_t sib;
};

static inline uint64_t take(struct cursor *c, unsigned size)
{
    if (c->at + size > c->n) {
        c->shortage = true;
        return 0;
    }
    uint64_t v = load_le(c->p + c->at, size);
    c->at += size;
    return v;
}

static inline bool in64(const struct cursor *c) { return c->mode & MODE_CS64; }

/* The legacy prefixes, and REX's first nibble. */
#define FOUR(b) [b] = true, [b + 1] = true, [b + 2] = true, [b + 3] = true
static const bool is_prefix[256] = { [0x26] = true, [0x2e] = true, [0x36] = true, [0x3e] = true, [0x64] = true,
                                     [0x65] = true, [0x66] = true, [0x67] = true, [0xf0] = true, [0xf2] = true,
                                     [0xf3] = true, FOUR(0x40), FOUR(0x44), FOUR(0x48), FOUR(0x4c) };

static inline void prefix(struct cursor *c, uint8_t b, bool *p67)
{
    struct x86_insn *I = c->I;
    static const int8_t segs[4] = { SEG_ES, SEG_CS, SEG_SS, SEG_DS };
    switch (b) {
    case 0x64:
    case 0x65:
        I->seg = b == 0x64 ? SEG_FS : SEG_GS;
        break;
    case 0x66:
        I->p66 = true;
        break;
    case 0x67:
        *p67 = true;
        break;
    case 0xf0:
        I->lock = true;
        break;
    case 0xf2:
    case 0xf3:
        I->rep = b == 0xf3 ? X86_REPE : X86_REPNE;
        break;
    default:
        if (!in64(c))
            I->seg = segs[b >> 3 & 3];
    }
}

/* Legacy prefixes and REX; *opcode: the byte behind them.  The segment is -1 where none of them says one. */
static inline void prefixes(struct cursor *c, uint8_t *opcode)
{
    struct x86_insn *I = c->I;
    bool p67 = false, wide = in64(c);
    I->seg = -1;
    for (;;) {
        uint8_t b = (uint8_t)take(c, 1);
        if (c->shortage)
            return;
        if (wide && (b & 0xf0) == 0x40) {
            uint8_t rex = b;
            b = (uint8_t)take(c, 1);
            if (!is_prefix[b]) {
                I->rex = rex;
                *opcode = b;
                break;
            }
            c->at--;                /* a REX that does not stand right before the opcode is ignored */
            continue;
        }
        if (!is_prefix[b] || (b & 0xf0) == 0x40) {
            *opcode = b;
            break;
        }
        prefix(c, b, &p67);
    }
    if (wide)
        I->asz = p67 ? 4 : 8;
    else
        I->asz = !(c->mode & MODE_CS32) == !p67 ? 2 : 4;
}

/* VEX: C5 in two bytes, C4 in three.  Outside 64-bit mode they are LDS/LES unless mod would be 3. */
static inline bool vex(struct cursor *c, uint8_t first, enum x86_map *map, uint8_t *opcode, unsigned *pp)
{
    struct x86_insn *I = c->I;
    if (c->at >= c->n) {
        c->shortage = true;
        return false;
    }
    if (!in64(c) && ((c->p[c->at] & 0xc0) != 0xc0 || !(c->mode & MODE_PE) || c->mode & MODE_VM86))
        return false;
    uint8_t b1 = (uint8_t)take(c, 1), b2;
    unsigned rex = ~b1 >> 5 & 4;
    I->vex = true;
    if (first == 0xc5) {
        b2 = b1;
        *map = MAP_0F;
    } else {
        b2 = (uint8_t)take(c, 1);
        rex |= (~b1 >> 5 & 3) | (b2 >> 4 & 8);
        unsigned m = b1 & 0x1f;
        *map = m >= 1 && m <= 3 ? (enum x86_map)m : MAP_COUNT;
    }
    if (!in64(c))
        rex &= 8;
    I->rex |= (uint8_t)rex;
    I->vvvv = ~b2 >> 3 & (in64(c) ? 15 : 7);
    I->vex_l = b2 >> 2 & 1;
    *pp = b2 & 3;
    *opcode = (uint8_t)take(c, 1);
    return true;
}

/* ---- ModRM ------------------------------------------------------------------------------- */

static inline void address16(struct cursor *c)
{
    static const int8_t base[8] = { R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX };
    static const int8_t index[8] = { R_SI, R_DI, R_SI, R_DI, -1, -1, -1, -1 };
    struct x86_insn *I = c->I;
    unsigned mod = I->modrm >> 6, rm = I->modrm & 7;
    I->base = base[rm];
    I->index = index[rm];
    if (mod == 0 && rm == 6) {
        I->base = -1;
        I->disp = (int64_t)take(c, 2);
    } else if (mod == 1) {
        I->disp = (int8_t)take(c, 1);
    } else if (mod == 2) {
        I->disp = (int16_t)take(c, 2);
    }
}

static inline void address32(struct cursor *c)
{
    struct x86_insn *I = c->I;
    unsigned mod = I->modrm >> 6, rm = I->modrm & 7;
    I->base = (int8_t)(rm | (I->rex & 1) << 3);
    if (rm == 4) {
        uint8_t sib = c->sib = (uint8_t)take(c, 1);
        unsigned index = (sib >> 3 & 7) | (I->rex & 2) << 2, base = sib & 7;
        I->scale = sib >> 6;
        I->index = index == 4 ? -1 : (int8_t)index;
        I->base = (int8_t)(base | (I->rex & 1) << 3);
        if (base == 5 && mod == 0) {
            I->base = -1;
            I->disp = (int32_t)take(c, 4);
        }
    } else if (rm == 5 && mod == 0) {
        I->base = in64(c) ? 16 : -1;
        I->disp = (int32_t)take(c, 4);
    }
    if (mod == 1)
        I->disp = (int8_t)take(c, 1);
    else if (mod == 2)
        I->disp = (int32_t)take(c, 4);
}

static inline void memory_operand(struct cursor *c)
{
    struct x86_insn *I = c->I;
    I->base = I->index = -1;
    if (I->modrm >> 6 == 3)
        return;
    if (I->asz == 2)
        address16(c);
    else
        address32(c);
    if (I->seg < 0)
        I->seg = I->base == R_SP || I->base == R_BP ? SEG_SS : SEG_DS;
}

/* The index of a gather is a vector register, number 4 too. */
static inline bool vsib_operand(struct cursor *c)
{
    struct x86_insn *I = c->I;
    if (I->asz == 2 || (I->modrm & 7) != 4)
        return false;
    unsigned reg = (I->modrm >> 3 & 7) | (I->rex & 4) << 1;
    I->vsib = (int8_t)((c->sib >> 3 & 7) | (I->rex & 2) << 2);
    I->index = -1;
    return I->vvvv != reg && I->vvvv != I->vsib && (unsigned)I->vsib != reg;
}

#endif
