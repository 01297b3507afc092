/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instruction decoding from tables: one row per encoding, operands written in
 * the manual's own codes (Intel SDM vol. 2, appendix A).
 *
 * Rows live with their topic (lift_int.c's rows in rows_int.c, SSE's in
 * rows_sse.c, ...).  The decoder indexes them by (map, opcode) when it is made; within one
 * opcode the first row whose constraints hold is taken, so specific rows come
 * before general ones, within a table and in the order of the tables in x86_row_tables.
 */
#ifndef REPRISE_GUEST_X86_DECODE_H
#define REPRISE_GUEST_X86_DECODE_H

#include "base/bits.h"

struct x86_lift;
struct x86_insn;

/* A lifting function: emits the IR of one decoded instruction. */
typedef void x86_lift_fn(struct x86_lift *L, const struct x86_insn *I);

enum x86_map { MAP_1, MAP_0F, MAP_0F38, MAP_0F3A, MAP_COUNT };

/* Mandatory prefix constraint, a set. */
enum { PFX_ANY = 0, PFX_NP = 1, PFX_66 = 2, PFX_F3 = 4, PFX_F2 = 8 };
/* An F2/F3 wins over 66 for rows that name prefixes (crc32, popcnt look at 66 themselves). */

/* Operand codes; the manual's letter and type.  '_' ones are fixed registers or constants. */
enum x86_operand_code {
    OP_NONE = 0,
    /* r/m general register or memory */
    OP_Eb, OP_Ew, OP_Ed, OP_Eq, OP_Ev, OP_Ey,
    /* modrm.reg general register */
    OP_Gb, OP_Gw, OP_Gd, OP_Gq, OP_Gv, OP_Gy,
    /* r/m must be a register */
    OP_Rd, OP_Rq, OP_Rv, OP_Ry,
    /* register in the opcode's low three bits (REX.B) */
    OP_Zb, OP_Zv, OP_Zy, OP_Zd64, /* Zd64: 64 bit in long mode (PUSH/POP), else v */
    /* VEX.vvvv general register */
    OP_By,
    /* immediates: b zero-extended to operand size, bs sign-extended, z 16/32 sign-extended, v full */
    OP_Ib, OP_Ibs, OP_Iw, OP_Iz, OP_Iv, OP_I1 /* constant 1 */,
    /* relative targets; moffs; far pointer immediate */
    OP_Jb, OP_Jz, OP_Ob, OP_Ov, OP_Ap,
    /* memory only, any size the instruction says */
    OP_M, OP_Mb, OP_Mw, OP_Md, OP_Mq, OP_Mdq, OP_Mv, OP_My, OP_Mp, OP_Ma, OP_Ms,
    /* system registers by modrm.reg */
    OP_Sw, OP_Cd, OP_Dd,
    /* string operands */
    OP_Xb, OP_Xv, OP_Yb, OP_Yv,
    /* fixed registers */
    OP_AL, OP_CL, OP_DX, OP_AX, OP_EAX, OP_rAX, OP_ES, OP_CS, OP_SS, OP_DS, OP_FS, OP_GS,
    /* XMM: V modrm.reg, W r/m or memory, U r/m register only, H VEX.vvvv; type says the memory operand's size */
    /* x: 16 bytes, or 32 with VEX.L; dq: 16 whatever VEX.L says; xh, xq, xe: a half, quarter, eighth of x.
     * L is a register named by an immediate's upper four bits. */
    OP_Vx, OP_Vd, OP_Vq, OP_Vdq, OP_Wx /* aligned unless VEX */, OP_Wxu /* unaligned */,
    OP_Wd, OP_Wq, OP_Ww, OP_Wb, OP_Wdq, OP_Wxh, OP_Wxq, OP_Wxe, OP_Udq, OP_Ux, OP_Hx, OP_Hdq, OP_Lx,
    /* MMX: P modrm.reg, Q r/m or memory, N r/m register only */
    OP_Pq, OP_Qq, OP_Qd, OP_Nq,
    /* x87: ST(0), ST(i) */
    OP_ST0, OP_STi,
    OP_CODE_COUNT
};

/* Row flags. */
enum {
    ROW_LOCK = 1 << 0,      /* LOCK allowed with a memory destination */
    ROW_NO64 = 1 << 1,      /* #UD in 64-bit mode */
    ROW_ONLY64 = 1 << 2,
    ROW_D64 = 1 << 3,       /* operand size defaults to 64 in 64-bit mode (PUSH, POP, near CALL ...) */
    ROW_F64 = 1 << 4,       /* operand size forced to 64 in 64-bit mode (Jcc, near branches) */
    ROW_MOD_MEM = 1 << 5,   /* modrm.mod != 3 only */
    ROW_MOD_REG = 1 << 6,   /* modrm.mod == 3 only */
    ROW_W0 = 1 << 7,        /* REX.W / VEX.W must be 0, 1 */
    ROW_W1 = 1 << 8,
    ROW_VEX = 1 << 9,       /* VEX-encoded only; without it and ROW_VEX_OR: legacy only */
    ROW_VEX_L0 = 1 << 10,
    ROW_VEX_L1 = 1 << 11,
    ROW_PROTECTED = 1 << 12,/* #UD in real and v86 mode */
    ROW_MMX = 1 << 13,      /* MMX state: EM -> #UD, TS -> #NM, pending x87 -> #MF; TOP and tags: x86_mmx_begin() */
    ROW_SSE = 1 << 14,      /* EM or !OSFXSR -> #UD, TS -> #NM */
    ROW_X87 = 1 << 15,      /* EM or TS -> #NM */
    ROW_REP = 1 << 16,      /* F3/F2 mean REP */
    ROW_NO_MODRM = 1 << 17, /* set by decode for opcodes without ModRM: do not use in rows with E/G/M.. codes */
    ROW_MODRM = 1 << 18,    /* has ModRM although no operand code says so */
    ROW_OSZ_MANDATORY = 1 << 19, /* 66 is a mandatory prefix here: does not change operand size */
    ROW_CPL0 = 1 << 20,     /* #GP(0) unless CPL 0 (and v86: #GP) */
    ROW_CPL0_UD = 1 << 28,  /* #UD unless CPL 0 */
    ROW_MOD_IGNORED = 1 << 29, /* modrm.mod means nothing: a register always */
    ROW_AVX = 1 << 21,      /* VEX vector instruction: needs F_AVX too; !OSXSAVE -> #UD, TS -> #NM */
    ROW_L1_AVX2 = 1 << 22,  /* with VEX.L it needs F_AVX2 */
    ROW_VSIB = 1 << 23,   /* the SIB byte's index is a vector register; three different vector registers */
};

struct x86_row {
    uint8_t map;          /* enum x86_map */
    uint8_t opcode;       /* first opcode; the row covers opcode .. opcode + span */
    uint8_t span;         /* 0 normally; 7 for register-in-opcode, 15 for cc rows */
    uint8_t pfx;          /* PFX_* set, or PFX_ANY */
    int8_t reg;           /* modrm.reg must be this, or -1 */
    int8_t rm;            /* modrm.rm must be this (with ROW_MOD_REG), or -1 */
    uint8_t op[4];        /* enum x86_operand_code */
    uint8_t feature;      /* enum x86_feature (cpuid.h) that must be on, or 0 */
    uint32_t flags;
    uint32_t aux;         /* for the lifting function: an ALU op, a vec_op, ... */
    const char *name;     /* AT&T-neutral mnemonic, for -d and tests */
    x86_lift_fn *lift;
};

/* A row table's end has lift == NULL. */
extern const struct x86_row x86_rows_int[];     /* integer, control flow, string, bit, BCD, BMI */
extern const struct x86_row x86_rows_sys[];     /* system, segment, I/O, interrupts */
extern const struct x86_row x86_rows_x87[];     /* D8..DF, FWAIT, FXSAVE, XSAVE */
extern const struct x86_row x86_rows_simd[];    /* SSE and SSE2 moves and integer, LDMXCSR */
extern const struct x86_row x86_rows_mmx[];     /* MMX, also of SSE .. SSSE3 */
extern const struct x86_row x86_rows_sse4[];    /* moves and integer of SSE3 .. SSE4.2, AES, PCLMULQDQ */
extern const struct x86_row x86_rows_fp[];      /* SSE .. SSE4.1 floating point */
extern const struct x86_row x86_rows_avx[];     /* moves and integer of AVX and AVX2, VAES, VPCLMULQDQ */
extern const struct x86_row x86_rows_avx_fp[];  /* floating point of AVX, FMA, F16C */
extern const struct x86_row *const x86_row_tables[];   /* all of them; NULL ends it */

enum { X86_REP_NONE, X86_REPE /* F3 */, X86_REPNE /* F2 */ };

/* A decoded operand. */
enum x86_operand_kind { OPK_NONE, OPK_REG, OPK_MEM, OPK_IMM, OPK_SEG, OPK_CR, OPK_DR, OPK_XMM, OPK_MMX, OPK_ST };
struct x86_operand {
    uint8_t kind;      /* enum x86_operand_kind */
    uint8_t size;      /* bytes: 1, 2, 4, 8, 16, 32; 0 when meaningless */
    uint8_t reg;       /* register number; for 1-byte registers 16..19 mean AH CH DH BH */
    uint8_t code;      /* enum x86_operand_code */
    uint64_t imm;      /* sign- or zero-extended to 64 bits; relative target: the displacement */
};

struct x86_insn {
    const struct x86_row *row;
    uint8_t bytes[16];     /* what lies behind the first len is not this instruction's */
    uint8_t len;           /* 1..15; not X86_DECODE_OK: how many bytes that depends on */
    uint8_t opcode;
    uint8_t modrm;
    uint8_t osz;           /* operand size in bytes: 2, 4, 8 */
    uint8_t asz;           /* address size in bytes: 2, 4, 8 */
    uint8_t rep;           /* X86_REP_*; raw prefix even where it means nothing */
    bool lock, p66, has_modrm, vex;
    bool memory;           /* an operand is OPK_MEM */
    uint8_t rex;           /* 0x40..0x4f or 0 (VEX bits folded in) */
    uint8_t vvvv, vex_l;
    int8_t seg;            /* segment of the memory operand (override or default): SEG_* */
    /* memory operand: base/index register or -1 (base 16: RIP of the next instruction) */
    int8_t base, index;
    int8_t vsib;           /* ROW_VSIB: the vector register that is the index (index is -1) */
    uint8_t scale;         /* shift 0..3 */
    int64_t disp;
    uint8_t imm2;          /* ENTER's second immediate */
    uint16_t far_sel;      /* OP_Ap */
    struct x86_operand op[4];
};

enum x86_decode_result {
    X86_DECODE_OK,
    X86_DECODE_SHORT,      /* needs more bytes than given */
    X86_DECODE_UD,         /* invalid opcode */
    X86_DECODE_LONG,       /* more than 15 bytes: #GP(0) */
};

struct x86_decoder;
struct x86_decoder *x86_decoder_new(void);
void x86_decoder_free(struct x86_decoder *d);

/*
 * Decodes n bytes under mode_flags (mode.h) and the CPU's features (cpuid.h words).
 * Pure: also used by tests and the disassembly check.
 */
enum x86_decode_result x86_decode(const struct x86_decoder *d, const uint8_t *bytes, size_t n,
                                  uint64_t mode_flags, const uint64_t *features, struct x86_insn *out);

#endif
