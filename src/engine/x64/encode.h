/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How x86-64 instructions are encoded (Intel SDM vol. 2, chapter 2): prefixes,
 * REX, VEX, ModRM, SIB, displacements.  asm.h names the instructions.
 *
 * Invariants
 *  1. Nothing is written at or behind a->end: an instruction for which less
 *     than X64_ROOM bytes are left is dropped whole, and a->failed says so.
 *  2. Encodings are the shortest there are of the operands given.
 *
 * Code may run elsewhere than it is written (two mappings of one memory): the
 * byte at p runs at p + a->exec_delta.
 */
#ifndef REPRISE_ENGINE_X64_ENCODE_H
#define REPRISE_ENGINE_X64_ENCODE_H

#include "base/bits.h"

enum { HOST_RAX, HOST_RCX, HOST_RDX, HOST_RBX, HOST_RSP, HOST_RBP, HOST_RSI, HOST_RDI,
       HOST_R8, HOST_R9, HOST_R10, HOST_R11, HOST_R12, HOST_R13, HOST_R14, HOST_R15,
       HOST_NONE, HOST_RIP };  /* of memory operands only */
enum { HOST_XMM0, HOST_XMM1, HOST_XMM2, HOST_XMM3, HOST_XMM4, HOST_XMM5, HOST_XMM6, HOST_XMM7,
       HOST_XMM8, HOST_XMM9, HOST_XMM10, HOST_XMM11, HOST_XMM12, HOST_XMM13, HOST_XMM14, HOST_XMM15 };

enum { X64_ROOM = 16 };

struct x64_asm {
    uint8_t *p, *end;      /* where the next byte goes; the buffer's end.  The buffer is the caller's */
    ptrdiff_t exec_delta;
    bool failed;           /* the buffer is full, or a jump or a RIP-relative operand does not reach */
};

/* disp: of 32 bits; with base HOST_RIP, the host address.  scale: log2.  index: HOST_NONE, or any but HOST_RSP. */
struct x64_mem {
    int64_t disp;
    uint8_t base, index, scale;
};

static inline struct x64_mem x64_base(unsigned base, int32_t disp)
{
    return (struct x64_mem){ disp, (uint8_t)base, HOST_NONE, 0 };
}
static inline struct x64_mem x64_index(unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    return (struct x64_mem){ disp, (uint8_t)base, (uint8_t)index, (uint8_t)scale };
}
/* The host address itself, which must be within 2 GiB of the code. */
static inline struct x64_mem x64_at(const void *address)
{
    return (struct x64_mem){ (int64_t)(intptr_t)address, HOST_RIP, HOST_NONE, 0 };
}

static inline bool x64_room(struct x64_asm *a)
{
    if (likely(a->end - a->p >= X64_ROOM))
        return true;
    a->failed = true;
    return false;
}

/* Where the byte at p runs. */
static inline int64_t x64_runs_at(const struct x64_asm *a, const uint8_t *p)
{
    return (int64_t)((uintptr_t)p + (uintptr_t)a->exec_delta);
}

/* Is the host address in reach of the code that is being written, with room to go on writing? */
static inline bool x64_reaches(const struct x64_asm *a, const void *address)
{
    int64_t d = (int64_t)((uint64_t)(intptr_t)address - (uint64_t)x64_runs_at(a, a->p));
    return d > INT32_MIN + (1 << 20) && d < INT32_MAX - (1 << 20);
}

static inline uint8_t *x64_put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
    return p + 4;
}

/* An immediate of an operation of w bits: 1, 2 or 4 bytes. */
static inline uint8_t *x64_put_imm(uint8_t *p, unsigned w, int64_t imm)
{
    unsigned n = w >= 32 ? 4 : w / 8;
    store_le(p, n, (uint64_t)imm);
    return p + n;
}

/* ---- opcodes ------------------------------------------------------------------------------------ */

/* An opcode byte with its map and mandatory prefix. */
enum {
    X64_0F = 0x100,
    X64_0F38 = 0x200,
    X64_0F3A = 0x300,
    X64_66 = 0x400,
    X64_F3 = 0x800,
    X64_F2 = 0x1000,
};

/* A VEX opcode of 128 bits (or scalar): pp 0, 1: 66, 2: F3, 3: F2; map 1: 0F, 2: 0F38, 3: 0F3A. */
#define X64_VEX(pp, map, W, opcode) ((unsigned)(opcode) | (map) << 8 | (pp) << 10 | (W) << 12)
#define X64_VEX_W 0x1000u

/* REX bits of operands; a byte register 4..7 is SPL..DIL only with a REX. */
static inline unsigned x64_rex_rr(unsigned reg, unsigned rm) { return (reg & 8) >> 1 | (rm & 8) >> 3; }
static inline unsigned x64_rex_rm(unsigned reg, struct x64_mem m)
{
    return (reg & 8) >> 1 | (m.index & 8) >> 2 | (m.base & 8) >> 3; /* HOST_NONE and HOST_RIP have no bit 3 */
}
static inline unsigned x64_rex_byte(unsigned w, unsigned reg) { return w == 8 && (reg & ~3u) == 4 ? 0x40 : 0; }

/* Prefixes, REX and opcode of an operation of w bits. */
static inline uint8_t *x64_put_op(uint8_t *p, unsigned op, unsigned w, unsigned rex)
{
    if (w == 16 || op & X64_66)
        *p++ = 0x66;
    if (op & X64_F3)
        *p++ = 0xf3;
    if (op & X64_F2)
        *p++ = 0xf2;
    if (w == 64)
        rex |= 0x48;
    if (rex)
        *p++ = (uint8_t)(rex | 0x40);
    if (op & X64_0F3A) {
        *p++ = 0x0f;
        if ((op & X64_0F3A) != X64_0F)
            *p++ = (op & X64_0F3A) == X64_0F38 ? 0x38 : 0x3a;
    }
    *p++ = (uint8_t)op;
    return p;
}

/* VEX prefix and opcode; rex as above, vvvv a register (0 where there is none). */
static inline uint8_t *x64_put_vex(uint8_t *p, unsigned op, unsigned rex, unsigned vvvv)
{
    unsigned low = (~vvvv & 15) << 3 | (op >> 10 & 3), map = op >> 8 & 3;
    if (map == 1 && !(op & X64_VEX_W) && !(rex & 3)) {
        *p++ = 0xc5;
        *p++ = (uint8_t)((rex & 4 ? 0 : 0x80) | low);
    } else {
        *p++ = 0xc4;
        *p++ = (uint8_t)((~rex & 7) << 5 | map);
        *p++ = (uint8_t)((op & X64_VEX_W ? 0x80 : 0) | low);
    }
    *p++ = (uint8_t)op;
    return p;
}

static inline uint8_t *x64_put_modrm(uint8_t *p, unsigned reg, unsigned rm)
{
    *p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    return p;
}

/* ModRM, SIB and displacement; behind them come n_imm bytes of the instruction. */
static inline uint8_t *x64_put_mem(struct x64_asm *a, uint8_t *p, unsigned reg, struct x64_mem m, unsigned n_imm)
{
    unsigned r = (reg & 7) << 3;
    if (m.base == HOST_RIP) {
        int64_t d = (int64_t)((uint64_t)m.disp - (uint64_t)x64_runs_at(a, p + 5 + n_imm));
        a->failed |= d != (int32_t)d;
        *p++ = (uint8_t)(r | 5);
        return x64_put32(p, (uint32_t)d);
    }
    if (m.base == HOST_NONE) {
        *p++ = (uint8_t)(r | 4);
        *p++ = (uint8_t)(m.scale << 6 | (m.index == HOST_NONE ? 4 : m.index & 7) << 3 | 5);
        return x64_put32(p, (uint32_t)m.disp);
    }
    unsigned mod = m.disp == 0 && (m.base & 7) != HOST_RBP ? 0 : m.disp == (int8_t)m.disp ? 0x40 : 0x80;
    if (m.index != HOST_NONE || (m.base & 7) == HOST_RSP) {
        *p++ = (uint8_t)(mod | r | 4);
        *p++ = (uint8_t)(m.scale << 6 | (m.index == HOST_NONE ? 4 : m.index & 7) << 3 | (m.base & 7));
    } else {
        *p++ = (uint8_t)(mod | r | (m.base & 7));
    }
    if (mod == 0x40)
        *p++ = (uint8_t)m.disp;
    else if (mod == 0x80)
        p = x64_put32(p, (uint32_t)m.disp);
    return p;
}

/* ---- whole instructions: reg is the ModRM's reg field, a register or the opcode's digit ------------- */

/* rex: what the caller needs beyond the operands', from x64_rex_byte(). */
static inline void x64_op_rr(struct x64_asm *a, unsigned op, unsigned w, unsigned reg, unsigned rm, unsigned rex)
{
    if (x64_room(a))
        a->p = x64_put_modrm(x64_put_op(a->p, op, w, rex | x64_rex_rr(reg, rm)), reg, rm);
}

static inline void x64_op_rm(struct x64_asm *a, unsigned op, unsigned w, unsigned reg, struct x64_mem m, unsigned rex)
{
    if (x64_room(a))
        a->p = x64_put_mem(a, x64_put_op(a->p, op, w, rex | x64_rex_rm(reg, m)), reg, m, 0);
}

/* With an immediate of imm_w bits (64: 32, sign-extended). */
static inline void x64_op_rri(struct x64_asm *a, unsigned op, unsigned w, unsigned reg, unsigned rm, unsigned rex,
                              unsigned imm_w, int64_t imm)
{
    if (x64_room(a))
        a->p = x64_put_imm(x64_put_modrm(x64_put_op(a->p, op, w, rex | x64_rex_rr(reg, rm)), reg, rm), imm_w, imm);
}

static inline void x64_op_rmi(struct x64_asm *a, unsigned op, unsigned w, unsigned reg, struct x64_mem m, unsigned rex,
                              unsigned imm_w, int64_t imm)
{
    if (x64_room(a))
        a->p = x64_put_imm(x64_put_mem(a, x64_put_op(a->p, op, w, rex | x64_rex_rm(reg, m)), reg, m,
                                       imm_w >= 32 ? 4 : imm_w / 8), imm_w, imm);
}

static inline void x64_vex_rr(struct x64_asm *a, unsigned op, unsigned reg, unsigned vvvv, unsigned rm)
{
    if (x64_room(a))
        a->p = x64_put_modrm(x64_put_vex(a->p, op, x64_rex_rr(reg, rm), vvvv), reg, rm);
}

static inline void x64_vex_rm(struct x64_asm *a, unsigned op, unsigned reg, unsigned vvvv, struct x64_mem m)
{
    if (x64_room(a))
        a->p = x64_put_mem(a, x64_put_vex(a->p, op, x64_rex_rm(reg, m), vvvv), reg, m, 0);
}

/* With an 8-bit immediate, or a fourth register as its high half. */
static inline void x64_vex_rri(struct x64_asm *a, unsigned op, unsigned reg, unsigned vvvv, unsigned rm, unsigned imm)
{
    if (x64_room(a))
        a->p = x64_put_imm(x64_put_modrm(x64_put_vex(a->p, op, x64_rex_rr(reg, rm), vvvv), reg, rm), 8, imm);
}

static inline void x64_vex_rmi(struct x64_asm *a, unsigned op, unsigned reg, unsigned vvvv, struct x64_mem m,
                               unsigned imm)
{
    if (x64_room(a))
        a->p = x64_put_imm(x64_put_mem(a, x64_put_vex(a->p, op, x64_rex_rm(reg, m), vvvv), reg, m, 1), 8, imm);
}

#endif
