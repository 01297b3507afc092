/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The assembler's integer instructions; asm.h says how to read the names. */
#ifndef REPRISE_ENGINE_X64_INTEGER_H
#define REPRISE_ENGINE_X64_INTEGER_H

#include "engine/x64/encode.h"

static inline void x64_byte(struct x64_asm *a, unsigned byte)
{
    if (x64_room(a))
        *a->p++ = (uint8_t)byte;
}

/* ---- moves ------------------------------------------------------------------------------------------ */

static inline void x64_mov_rr(struct x64_asm *a, unsigned w, unsigned dst, unsigned src)
{
    x64_op_rr(a, w == 8 ? 0x88 : 0x89, w, src, dst, x64_rex_byte(w, src) | x64_rex_byte(w, dst));
}
static inline void x64_mov_rm(struct x64_asm *a, unsigned w, unsigned dst, struct x64_mem m)
{
    x64_op_rm(a, w == 8 ? 0x8a : 0x8b, w, dst, m, x64_rex_byte(w, dst));
}
static inline void x64_mov_mr(struct x64_asm *a, unsigned w, struct x64_mem m, unsigned src)
{
    x64_op_rm(a, w == 8 ? 0x88 : 0x89, w, src, m, x64_rex_byte(w, src));
}
static inline void x64_mov_mi(struct x64_asm *a, unsigned w, struct x64_mem m, int32_t imm)
{
    x64_op_rmi(a, w == 8 ? 0xc6 : 0xc7, w, 0, m, 0, w, imm);
}
/* All 64 bits, in 5, 7 or 10 bytes; flags stay. */
static inline void x64_mov_ri(struct x64_asm *a, unsigned dst, uint64_t imm)
{
    if (!x64_room(a))
        return;
    uint8_t *p = a->p;
    if (imm > UINT32_MAX && (int64_t)imm == (int32_t)imm) {
        p = x64_put_imm(x64_put_modrm(x64_put_op(p, 0xc7, 64, dst >> 3), 0, dst), 64, (int64_t)imm);
    } else {
        p = x64_put_op(p, 0xb8 | (dst & 7), imm > UINT32_MAX ? 64 : 32, dst >> 3);
        store_le(p, imm > UINT32_MAX ? 8 : 4, imm);
        p += imm > UINT32_MAX ? 8 : 4;
    }
    a->p = p;
}
/* 0, by XOR: the flags change. */
static inline void x64_zero(struct x64_asm *a, unsigned dst) { x64_op_rr(a, 0x31, 32, dst, dst, 0); }

/* From from_w bits (8, 16; of movsx also 32) to w. */
static inline void x64_movzx_rr(struct x64_asm *a, unsigned w, unsigned dst, unsigned from_w, unsigned src)
{
    x64_op_rr(a, X64_0F | (from_w == 8 ? 0xb6 : 0xb7), w, dst, src, x64_rex_byte(from_w, src));
}
static inline void x64_movzx_rm(struct x64_asm *a, unsigned w, unsigned dst, unsigned from_w, struct x64_mem m)
{
    x64_op_rm(a, X64_0F | (from_w == 8 ? 0xb6 : 0xb7), w, dst, m, 0);
}
static inline unsigned x64_movsx_op(unsigned from_w)
{
    return from_w == 32 ? 0x63 : X64_0F | (from_w == 8 ? 0xbe : 0xbf);
}
static inline void x64_movsx_rr(struct x64_asm *a, unsigned w, unsigned dst, unsigned from_w, unsigned src)
{
    x64_op_rr(a, x64_movsx_op(from_w), w, dst, src, x64_rex_byte(from_w, src));
}
static inline void x64_movsx_rm(struct x64_asm *a, unsigned w, unsigned dst, unsigned from_w, struct x64_mem m)
{
    x64_op_rm(a, x64_movsx_op(from_w), w, dst, m, 0);
}

static inline void x64_lea(struct x64_asm *a, unsigned w, unsigned dst, struct x64_mem m)
{
    x64_op_rm(a, 0x8d, w, dst, m, 0);
}
static inline void x64_xchg_rr(struct x64_asm *a, unsigned w, unsigned x, unsigned y)
{
    if (w != 8 && (x == HOST_RAX || y == HOST_RAX) && x != y) {
        unsigned r = x | y;
        if (x64_room(a))
            a->p = x64_put_op(a->p, 0x90 | (r & 7), w, r >> 3);
        return;
    }
    x64_op_rr(a, w == 8 ? 0x86 : 0x87, w, y, x, x64_rex_byte(w, x) | x64_rex_byte(w, y));
}
static inline void x64_xchg_mr(struct x64_asm *a, unsigned w, struct x64_mem m, unsigned r)
{
    x64_op_rm(a, w == 8 ? 0x86 : 0x87, w, r, m, x64_rex_byte(w, r));
}
static inline void x64_bswap(struct x64_asm *a, unsigned w, unsigned r)
{
    if (x64_room(a))
        a->p = x64_put_op(a->p, X64_0F | 0xc8 | (r & 7), w, r >> 3);
}
static inline void x64_movbe_rm(struct x64_asm *a, unsigned w, unsigned dst, struct x64_mem m)
{
    x64_op_rm(a, X64_0F38 | 0xf0, w, dst, m, 0);
}
static inline void x64_movbe_mr(struct x64_asm *a, unsigned w, struct x64_mem m, unsigned src)
{
    x64_op_rm(a, X64_0F38 | 0xf1, w, src, m, 0);
}

static inline void x64_push(struct x64_asm *a, unsigned r)
{
    if (x64_room(a))
        a->p = x64_put_op(a->p, 0x50 | (r & 7), 32, r >> 3);
}
static inline void x64_pop(struct x64_asm *a, unsigned r)
{
    if (x64_room(a))
        a->p = x64_put_op(a->p, 0x58 | (r & 7), 32, r >> 3);
}
static inline void x64_push_m(struct x64_asm *a, struct x64_mem m) { x64_op_rm(a, 0xff, 32, 6, m, 0); }
static inline void x64_pop_m(struct x64_asm *a, struct x64_mem m) { x64_op_rm(a, 0x8f, 32, 0, m, 0); }
static inline void x64_push_i(struct x64_asm *a, int32_t imm)
{
    bool small = imm == (int8_t)imm;
    if (x64_room(a))
        a->p = x64_put_imm(x64_put_op(a->p, small ? 0x6a : 0x68, 32, 0), small ? 8 : 32, imm);
}

/* ---- arithmetic ------------------------------------------------------------------------------------- */

enum x64_alu { X64_ADD, X64_OR, X64_ADC, X64_SBB, X64_AND, X64_SUB, X64_XOR, X64_CMP };

static inline void x64_alu_rr(struct x64_asm *a, enum x64_alu op, unsigned w, unsigned dst, unsigned src)
{
    x64_op_rr(a, (unsigned)op << 3 | (w != 8), w, src, dst, x64_rex_byte(w, src) | x64_rex_byte(w, dst));
}
static inline void x64_alu_rm(struct x64_asm *a, enum x64_alu op, unsigned w, unsigned dst, struct x64_mem m)
{
    x64_op_rm(a, (unsigned)op << 3 | 2 | (w != 8), w, dst, m, x64_rex_byte(w, dst));
}
static inline void x64_alu_mr(struct x64_asm *a, enum x64_alu op, unsigned w, struct x64_mem m, unsigned src)
{
    x64_op_rm(a, (unsigned)op << 3 | (w != 8), w, src, m, x64_rex_byte(w, src));
}
static inline void x64_alu_ri(struct x64_asm *a, enum x64_alu op, unsigned w, unsigned dst, int32_t imm)
{
    bool small = w == 8 || imm == (int8_t)imm;
    if (dst == HOST_RAX && (w == 8 || !small)) {
        if (x64_room(a))
            a->p = x64_put_imm(x64_put_op(a->p, (unsigned)op << 3 | 4 | (w != 8), w, 0), w, imm);
        return;
    }
    x64_op_rri(a, w == 8 ? 0x80 : small ? 0x83 : 0x81, w, op, dst, x64_rex_byte(w, dst), small ? 8 : w, imm);
}
static inline void x64_alu_mi(struct x64_asm *a, enum x64_alu op, unsigned w, struct x64_mem m, int32_t imm)
{
    bool small = w == 8 || imm == (int8_t)imm;
    x64_op_rmi(a, w == 8 ? 0x80 : small ? 0x83 : 0x81, w, op, m, 0, small ? 8 : w, imm);
}

static inline void x64_test_rr(struct x64_asm *a, unsigned w, unsigned x, unsigned y)
{
    x64_op_rr(a, w == 8 ? 0x84 : 0x85, w, y, x, x64_rex_byte(w, x) | x64_rex_byte(w, y));
}
static inline void x64_test_mr(struct x64_asm *a, unsigned w, struct x64_mem m, unsigned r)
{
    x64_op_rm(a, w == 8 ? 0x84 : 0x85, w, r, m, x64_rex_byte(w, r));
}
static inline void x64_test_ri(struct x64_asm *a, unsigned w, unsigned r, int32_t imm)
{
    if (r != HOST_RAX)
        x64_op_rri(a, w == 8 ? 0xf6 : 0xf7, w, 0, r, x64_rex_byte(w, r), w, imm);
    else if (x64_room(a))
        a->p = x64_put_imm(x64_put_op(a->p, w == 8 ? 0xa8 : 0xa9, w, 0), w, imm);
}
static inline void x64_test_mi(struct x64_asm *a, unsigned w, struct x64_mem m, int32_t imm)
{
    x64_op_rmi(a, w == 8 ? 0xf6 : 0xf7, w, 0, m, 0, w, imm);
}

/* MUL, IMUL, DIV and IDIV work on RDX:RAX (of 8 bits, on AX). */
enum x64_unary { X64_NOT = 2, X64_NEG, X64_MUL, X64_IMUL, X64_DIV, X64_IDIV, X64_INC = 8, X64_DEC };

static inline void x64_unary_r(struct x64_asm *a, enum x64_unary op, unsigned w, unsigned r)
{
    x64_op_rr(a, (op & 8 ? 0xfe : 0xf6) | (w != 8), w, op & 7, r, x64_rex_byte(w, r));
}
static inline void x64_unary_m(struct x64_asm *a, enum x64_unary op, unsigned w, struct x64_mem m)
{
    x64_op_rm(a, (op & 8 ? 0xfe : 0xf6) | (w != 8), w, op & 7, m, 0);
}

/* w: 16, 32, 64. */
static inline void x64_imul_rr(struct x64_asm *a, unsigned w, unsigned dst, unsigned src)
{
    x64_op_rr(a, X64_0F | 0xaf, w, dst, src, 0);
}
static inline void x64_imul_rm(struct x64_asm *a, unsigned w, unsigned dst, struct x64_mem m)
{
    x64_op_rm(a, X64_0F | 0xaf, w, dst, m, 0);
}
static inline void x64_imul_rri(struct x64_asm *a, unsigned w, unsigned dst, unsigned src, int32_t imm)
{
    bool small = imm == (int8_t)imm;
    x64_op_rri(a, small ? 0x6b : 0x69, w, dst, src, 0, small ? 8 : w, imm);
}
static inline void x64_imul_rmi(struct x64_asm *a, unsigned w, unsigned dst, struct x64_mem m, int32_t imm)
{
    bool small = imm == (int8_t)imm;
    x64_op_rmi(a, small ? 0x6b : 0x69, w, dst, m, 0, small ? 8 : w, imm);
}

/* RDX (or EDX, DX) from RAX's sign; AX from AL's by w 16, EAX from AX's by 32, RAX from EAX's by 64. */
static inline void x64_cqo(struct x64_asm *a, unsigned w)
{
    if (x64_room(a))
        a->p = x64_put_op(a->p, 0x99, w, 0);
}
static inline void x64_cbw(struct x64_asm *a, unsigned w)
{
    if (x64_room(a))
        a->p = x64_put_op(a->p, 0x98, w, 0);
}

/* ---- shifts and bits --------------------------------------------------------------------------------- */

enum x64_shift { X64_ROL, X64_ROR, X64_RCL, X64_RCR, X64_SHL, X64_SHR, X64_SAR = 7 };

static inline void x64_shift_ri(struct x64_asm *a, enum x64_shift op, unsigned w, unsigned r, unsigned n)
{
    if (n == 1)
        x64_op_rr(a, 0xd0 | (w != 8), w, op, r, x64_rex_byte(w, r));
    else
        x64_op_rri(a, 0xc0 | (w != 8), w, op, r, x64_rex_byte(w, r), 8, n);
}
static inline void x64_shift_rc(struct x64_asm *a, enum x64_shift op, unsigned w, unsigned r)
{
    x64_op_rr(a, 0xd2 | (w != 8), w, op, r, x64_rex_byte(w, r));
}
static inline void x64_shift_mi(struct x64_asm *a, enum x64_shift op, unsigned w, struct x64_mem m, unsigned n)
{
    if (n == 1)
        x64_op_rm(a, 0xd0 | (w != 8), w, op, m, 0);
    else
        x64_op_rmi(a, 0xc0 | (w != 8), w, op, m, 0, 8, n);
}
static inline void x64_shift_mc(struct x64_asm *a, enum x64_shift op, unsigned w, struct x64_mem m)
{
    x64_op_rm(a, 0xd2 | (w != 8), w, op, m, 0);
}

enum x64_double_shift { X64_SHLD = 0xa4, X64_SHRD = 0xac };

static inline void x64_double_rri(struct x64_asm *a, enum x64_double_shift op, unsigned w, unsigned dst, unsigned src,
                                  unsigned n)
{
    x64_op_rri(a, X64_0F | (unsigned)op, w, src, dst, 0, 8, n);
}
static inline void x64_double_rrc(struct x64_asm *a, enum x64_double_shift op, unsigned w, unsigned dst, unsigned src)
{
    x64_op_rr(a, X64_0F | (unsigned)op | 1, w, src, dst, 0);
}

enum x64_bit { X64_BT = 4, X64_BTS, X64_BTR, X64_BTC };

static inline void x64_bit_rr(struct x64_asm *a, enum x64_bit op, unsigned w, unsigned r, unsigned bit)
{
    x64_op_rr(a, X64_0F | 0x83 | (unsigned)op << 3, w, bit, r, 0);
}
static inline void x64_bit_ri(struct x64_asm *a, enum x64_bit op, unsigned w, unsigned r, unsigned bit)
{
    x64_op_rri(a, X64_0F | 0xba, w, op, r, 0, 8, bit);
}
static inline void x64_bit_mr(struct x64_asm *a, enum x64_bit op, unsigned w, struct x64_mem m, unsigned bit)
{
    x64_op_rm(a, X64_0F | 0x83 | (unsigned)op << 3, w, bit, m, 0);
}
static inline void x64_bit_mi(struct x64_asm *a, enum x64_bit op, unsigned w, struct x64_mem m, unsigned bit)
{
    x64_op_rmi(a, X64_0F | 0xba, w, op, m, 0, 8, bit);
}

/* LZCNT needs host->lzcnt, TZCNT bmi1, POPCNT popcnt; elsewhere they are other instructions. */
enum x64_scan {
    X64_BSF = X64_0F | 0xbc,
    X64_BSR = X64_0F | 0xbd,
    X64_TZCNT = X64_0F | X64_F3 | 0xbc,
    X64_LZCNT = X64_0F | X64_F3 | 0xbd,
    X64_POPCNT = X64_0F | X64_F3 | 0xb8,
};

static inline void x64_scan_rr(struct x64_asm *a, enum x64_scan op, unsigned w, unsigned dst, unsigned src)
{
    x64_op_rr(a, op, w, dst, src, 0);
}
static inline void x64_scan_rm(struct x64_asm *a, enum x64_scan op, unsigned w, unsigned dst, struct x64_mem m)
{
    x64_op_rm(a, op, w, dst, m, 0);
}

/* BMI1 and BMI2, w 32 or 64.  dst = x op y: of the shifts and BEXTR, BZHI y is the count or control. */
enum x64_bmi {
    X64_ANDN = X64_VEX(0, 2, 0, 0xf2), /* ~x & y */
    X64_MULX = X64_VEX(3, 2, 0, 0xf6), /* x:dst (high:low) = RDX * y */
    X64_PDEP = X64_VEX(3, 2, 0, 0xf5),
    X64_PEXT = X64_VEX(2, 2, 0, 0xf5),
    X64_SHLX = X64_VEX(1, 2, 0, 0xf7),
    X64_SHRX = X64_VEX(3, 2, 0, 0xf7),
    X64_SARX = X64_VEX(2, 2, 0, 0xf7),
    X64_BEXTR = X64_VEX(0, 2, 0, 0xf7),
    X64_BZHI = X64_VEX(0, 2, 0, 0xf5),
};

/* Of these, ModRM names x and VEX.vvvv y. */
static inline bool x64_bmi_is_shift(enum x64_bmi op) { return (op & 0xff) == 0xf7 || op == X64_BZHI; }

/* MULX: the machine names the high half first, so dst = low is VEX.vvvv, x = high is ModRM.reg. */
static inline void x64_bmi_rrr(struct x64_asm *a, enum x64_bmi op, unsigned w, unsigned dst, unsigned x, unsigned y)
{
    unsigned vex = op | (w == 64 ? X64_VEX_W : 0);
    if (op == X64_MULX)
        x64_vex_rr(a, vex, x, dst, y);
    else if (x64_bmi_is_shift(op))
        x64_vex_rr(a, vex, dst, y, x);
    else
        x64_vex_rr(a, vex, dst, x, y);
}
/* The operand in memory is the one that ModRM names: x of the shifts, BEXTR and BZHI, else y. */
static inline void x64_bmi_rrm(struct x64_asm *a, enum x64_bmi op, unsigned w, unsigned dst, unsigned other,
                               struct x64_mem m)
{
    unsigned vex = op | (w == 64 ? X64_VEX_W : 0);
    if (op == X64_MULX)
        x64_vex_rm(a, vex, other, dst, m);
    else
        x64_vex_rm(a, vex, dst, other, m);
}
static inline void x64_rorx(struct x64_asm *a, unsigned w, unsigned dst, unsigned src, unsigned n)
{
    x64_vex_rri(a, X64_VEX(3, 3, 0, 0xf0) | (w == 64 ? X64_VEX_W : 0), dst, 0, src, n);
}
/* BMI1's operations on the lowest set bit. */
enum x64_lowest { X64_BLSR = 1, X64_BLSMSK, X64_BLSI };
static inline void x64_lowest_rr(struct x64_asm *a, enum x64_lowest op, unsigned w, unsigned dst, unsigned src)
{
    x64_vex_rr(a, X64_VEX(0, 2, 0, 0xf3) | (w == 64 ? X64_VEX_W : 0), op, dst, src);
}

/* CRC32-C of src's w bits into dst; ADCX and ADOX: w 32, 64. */
static inline void x64_crc32_rr(struct x64_asm *a, unsigned w, unsigned dst, unsigned src)
{
    x64_op_rr(a, X64_0F38 | X64_F2 | (w == 8 ? 0xf0 : 0xf1), w, dst, src, x64_rex_byte(w, src));
}
static inline void x64_adcx_rr(struct x64_asm *a, unsigned w, unsigned dst, unsigned src)
{
    x64_op_rr(a, X64_0F38 | X64_66 | 0xf6, w, dst, src, 0);
}
static inline void x64_adox_rr(struct x64_asm *a, unsigned w, unsigned dst, unsigned src)
{
    x64_op_rr(a, X64_0F38 | X64_F3 | 0xf6, w, dst, src, 0);
}

/* ---- conditions --------------------------------------------------------------------------------------- */

enum x64_cc { X64_O, X64_NO, X64_B, X64_AE, X64_E, X64_NE, X64_BE, X64_A, X64_S, X64_NS, X64_P, X64_NP, X64_L, X64_GE,
              X64_LE, X64_G };

static inline enum x64_cc x64_invert(enum x64_cc cc) { return (enum x64_cc)(cc ^ 1); }

static inline void x64_setcc_r(struct x64_asm *a, enum x64_cc cc, unsigned r)
{
    x64_op_rr(a, X64_0F | 0x90 | (unsigned)cc, 8, 0, r, x64_rex_byte(8, r));
}
static inline void x64_setcc_m(struct x64_asm *a, enum x64_cc cc, struct x64_mem m)
{
    x64_op_rm(a, X64_0F | 0x90 | (unsigned)cc, 8, 0, m, 0);
}
static inline void x64_cmov_rr(struct x64_asm *a, enum x64_cc cc, unsigned w, unsigned dst, unsigned src)
{
    x64_op_rr(a, X64_0F | 0x40 | (unsigned)cc, w, dst, src, 0);
}
static inline void x64_cmov_rm(struct x64_asm *a, enum x64_cc cc, unsigned w, unsigned dst, struct x64_mem m)
{
    x64_op_rm(a, X64_0F | 0x40 | (unsigned)cc, w, dst, m, 0);
}

static inline void x64_lahf(struct x64_asm *a) { x64_byte(a, 0x9f); }
static inline void x64_sahf(struct x64_asm *a) { x64_byte(a, 0x9e); }
static inline void x64_pushfq(struct x64_asm *a) { x64_byte(a, 0x9c); }
static inline void x64_popfq(struct x64_asm *a) { x64_byte(a, 0x9d); }
static inline void x64_stc(struct x64_asm *a) { x64_byte(a, 0xf9); }
static inline void x64_clc(struct x64_asm *a) { x64_byte(a, 0xf8); }
static inline void x64_cmc(struct x64_asm *a) { x64_byte(a, 0xf5); }

#endif
