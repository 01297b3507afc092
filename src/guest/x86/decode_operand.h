/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operands: what each of the manual's codes stands for, where it comes from and how large it is (Intel SDM
 * vol. 2, appendix A).  Part of decode.c, as decode_bytes.h is.
 */
#ifndef REPRISE_GUEST_X86_DECODE_OPERAND_H
#define REPRISE_GUEST_X86_DECODE_OPERAND_H

#include "guest/x86/decode_bytes.h"

/* By the row and the prefixes. */
static inline void set_operand_size(struct cursor *c)
{
    struct x86_insn *I = c->I;
    const struct x86_row *r = I->row;
    bool p66 = I->p66 && !(r->flags & ROW_OSZ_MANDATORY);
    if (!in64(c))
        I->osz = !(c->mode & MODE_CS32) == !p66 ? 2 : 4;
    else if (I->rex & 8 || r->flags & ROW_F64)
        I->osz = 8;
    else if (r->flags & ROW_D64)
        I->osz = p66 ? 2 : 8;
    else
        I->osz = p66 ? 2 : 4;
}

/* Where an operand code's operand comes from. */
enum { FROM_NOWHERE, FROM_RM, FROM_RM_REG, FROM_RM_MEM, FROM_REG, FROM_REG_LOW, FROM_OPCODE, FROM_VVVV, FROM_FIXED,
       FROM_MEM, FROM_IB, FROM_IBS, FROM_IW, FROM_IZ, FROM_IV, FROM_I1, FROM_IL, FROM_FAR, FROM_MOFFS, FROM_STI };
/* Its size in bytes, or what that depends on: the operand size, whether that is 8, VEX.L. */
enum { SIZE_V = 64, SIZE_Y, SIZE_X, SIZE_XH, SIZE_XQ, SIZE_XE };

static const struct code {
    uint8_t from, kind, size, reg;   /* kind: of what is not memory */
} codes[OP_CODE_COUNT] = {
#define SIZES(name, from, kind) [OP_##name##b] = { from, kind, 1 }, [OP_##name##w] = { from, kind, 2 }, \
    [OP_##name##d] = { from, kind, 4 }, [OP_##name##q] = { from, kind, 8 }, [OP_##name##v] = { from, kind, SIZE_V }, \
    [OP_##name##y] = { from, kind, SIZE_Y }
    SIZES(E, FROM_RM, OPK_REG),
    SIZES(G, FROM_REG, OPK_REG),
    SIZES(M, FROM_RM_MEM, OPK_NONE),
#undef SIZES
    [OP_Rd] = { FROM_RM_REG, OPK_REG, 4 }, [OP_Rq] = { FROM_RM_REG, OPK_REG, 8 },
    [OP_Rv] = { FROM_RM_REG, OPK_REG, SIZE_V }, [OP_Ry] = { FROM_RM_REG, OPK_REG, SIZE_Y },
    [OP_Zb] = { FROM_OPCODE, OPK_REG, 1 }, [OP_Zv] = { FROM_OPCODE, OPK_REG, SIZE_V },
    [OP_Zy] = { FROM_OPCODE, OPK_REG, SIZE_Y }, [OP_Zd64] = { FROM_OPCODE, OPK_REG, SIZE_V },
    [OP_By] = { FROM_VVVV, OPK_REG, SIZE_Y },
    [OP_Ib] = { FROM_IB, OPK_IMM, 1 }, [OP_Ibs] = { FROM_IBS, OPK_IMM, SIZE_V }, [OP_Iw] = { FROM_IW, OPK_IMM, 2 },
    [OP_Iz] = { FROM_IZ, OPK_IMM, SIZE_V }, [OP_Iv] = { FROM_IV, OPK_IMM, SIZE_V }, [OP_I1] = { FROM_I1, OPK_IMM, 1 },
    [OP_Jb] = { FROM_IBS, OPK_IMM, SIZE_V }, [OP_Jz] = { FROM_IZ, OPK_IMM, SIZE_V },
    [OP_Ob] = { FROM_MOFFS, OPK_MEM, 1 }, [OP_Ov] = { FROM_MOFFS, OPK_MEM, SIZE_V },
    [OP_Ap] = { FROM_FAR, OPK_IMM, SIZE_V },
    [OP_M] = { FROM_RM_MEM }, [OP_Mp] = { FROM_RM_MEM }, [OP_Ma] = { FROM_RM_MEM }, [OP_Ms] = { FROM_RM_MEM },
    [OP_Mdq] = { FROM_RM_MEM, OPK_NONE, 16 },
    [OP_Sw] = { FROM_REG_LOW, OPK_SEG, 2 },
    [OP_Cd] = { FROM_REG, OPK_CR, SIZE_V }, [OP_Dd] = { FROM_REG, OPK_DR, SIZE_V },
    [OP_Xb] = { FROM_MEM, OPK_MEM, 1 }, [OP_Xv] = { FROM_MEM, OPK_MEM, SIZE_V },
    [OP_Yb] = { FROM_MEM, OPK_MEM, 1 }, [OP_Yv] = { FROM_MEM, OPK_MEM, SIZE_V },
    [OP_AL] = { FROM_FIXED, OPK_REG, 1, R_AX }, [OP_CL] = { FROM_FIXED, OPK_REG, 1, R_CX },
    [OP_DX] = { FROM_FIXED, OPK_REG, 2, R_DX }, [OP_AX] = { FROM_FIXED, OPK_REG, 2, R_AX },
    [OP_EAX] = { FROM_FIXED, OPK_REG, 4, R_AX }, [OP_rAX] = { FROM_FIXED, OPK_REG, SIZE_V, R_AX },
    [OP_ES] = { FROM_FIXED, OPK_SEG, SIZE_V, SEG_ES }, [OP_CS] = { FROM_FIXED, OPK_SEG, SIZE_V, SEG_CS },
    [OP_SS] = { FROM_FIXED, OPK_SEG, SIZE_V, SEG_SS }, [OP_DS] = { FROM_FIXED, OPK_SEG, SIZE_V, SEG_DS },
    [OP_FS] = { FROM_FIXED, OPK_SEG, SIZE_V, SEG_FS }, [OP_GS] = { FROM_FIXED, OPK_SEG, SIZE_V, SEG_GS },
    [OP_Vx] = { FROM_REG, OPK_XMM, SIZE_X }, [OP_Vd] = { FROM_REG, OPK_XMM, 4 }, [OP_Vq] = { FROM_REG, OPK_XMM, 8 },
    [OP_Vdq] = { FROM_REG, OPK_XMM, 16 },
    [OP_Wx] = { FROM_RM, OPK_XMM, SIZE_X }, [OP_Wxu] = { FROM_RM, OPK_XMM, SIZE_X }, [OP_Wd] = { FROM_RM, OPK_XMM, 4 },
    [OP_Wq] = { FROM_RM, OPK_XMM, 8 }, [OP_Ww] = { FROM_RM, OPK_XMM, 2 }, [OP_Wb] = { FROM_RM, OPK_XMM, 1 },
    [OP_Wdq] = { FROM_RM, OPK_XMM, 16 }, [OP_Wxh] = { FROM_RM, OPK_XMM, SIZE_XH },
    [OP_Wxq] = { FROM_RM, OPK_XMM, SIZE_XQ }, [OP_Wxe] = { FROM_RM, OPK_XMM, SIZE_XE },
    [OP_Udq] = { FROM_RM_REG, OPK_XMM, 16 }, [OP_Ux] = { FROM_RM_REG, OPK_XMM, SIZE_X },
    [OP_Hx] = { FROM_VVVV, OPK_XMM, SIZE_X }, [OP_Hdq] = { FROM_VVVV, OPK_XMM, 16 },
    [OP_Lx] = { FROM_IL, OPK_XMM, SIZE_X },
    [OP_Pq] = { FROM_REG_LOW, OPK_MMX, 8 }, [OP_Qq] = { FROM_RM, OPK_MMX, 8 }, [OP_Qd] = { FROM_RM, OPK_MMX, 4 },
    [OP_Nq] = { FROM_RM_REG, OPK_MMX, 8 },
    [OP_ST0] = { FROM_FIXED, OPK_ST, SIZE_V }, [OP_STi] = { FROM_STI, OPK_ST, SIZE_V },
};

static inline unsigned size_of(const struct x86_insn *I, unsigned size)
{
    if (size <= SIZE_V)
        return size == SIZE_V ? I->osz : size;
    switch (size) {
    case SIZE_Y:
        return I->osz == 8 ? 8 : 4;
    case SIZE_X:
        return I->vex_l ? 32 : 16;
    case SIZE_XH:
        return I->vex_l ? 16 : 8;
    case SIZE_XQ:
        return I->vex_l ? 8 : 4;
    default:
        return I->vex_l ? 4 : 2;               /* SIZE_XE */
    }
}

/* A general register's number: without REX the byte registers 4..7 are AH CH DH BH. */
static inline uint8_t number(const struct x86_insn *I, const struct x86_operand *o, unsigned n)
{
    return (uint8_t)(o->size == 1 && o->kind == OPK_REG && !I->rex && n >= 4 && n < 8 ? 16 + n - 4 : n);
}

static inline void rm_operand(const struct x86_insn *I, struct x86_operand *o)
{
    unsigned n = (I->modrm & 7) | (I->rex & 1) << 3;
    if (I->modrm >> 6 != 3)
        o->kind = OPK_MEM;
    else
        o->reg = number(I, o, o->kind == OPK_MMX ? n & 7 : n);
}

static inline void moffs(struct cursor *c)
{
    struct x86_insn *I = c->I;
    I->base = I->index = -1;
    I->disp = (int64_t)take(c, I->asz);
    if (I->seg < 0)
        I->seg = SEG_DS;
}

/* What the operand is beyond its kind and size.  False: it may not be what it is. */
static inline bool operand(struct cursor *c, unsigned from, struct x86_operand *o)
{
    struct x86_insn *I = c->I;
    switch (from) {
    case FROM_RM:
    case FROM_RM_REG:
    case FROM_RM_MEM:
        rm_operand(I, o);
        return from == FROM_RM || (o->kind == OPK_MEM) == (from == FROM_RM_MEM);
    case FROM_REG:
        o->reg = number(I, o, (I->modrm >> 3 & 7) | (I->rex & 4) << 1);
        break;
    case FROM_REG_LOW:
        o->reg = I->modrm >> 3 & 7;
        break;
    case FROM_OPCODE:
        o->reg = number(I, o, (I->opcode & 7) | (I->rex & 1) << 3);
        break;
    case FROM_VVVV:
        o->reg = I->vvvv;
        break;
    case FROM_IB:
        o->imm = take(c, 1);
        break;
    case FROM_IBS:
        o->imm = (uint64_t)(int64_t)(int8_t)take(c, 1);
        break;
    case FROM_IW:
        o->imm = take(c, 2);
        break;
    case FROM_IZ:
        o->imm = I->osz == 2 ? (uint64_t)(int64_t)(int16_t)take(c, 2) : (uint64_t)(int64_t)(int32_t)take(c, 4);
        break;
    case FROM_IV:
        o->imm = take(c, I->osz);
        break;
    case FROM_I1:
        o->imm = 1;
        break;
    case FROM_IL:
        o->reg = take(c, 1) >> 4 & (in64(c) ? 15 : 7);
        break;
    case FROM_FAR:
        o->imm = take(c, I->osz == 2 ? 2 : 4);
        I->far_sel = (uint16_t)take(c, 2);
        break;
    case FROM_MOFFS:
        moffs(c);
        break;
    case FROM_STI:
        o->reg = I->modrm & 7;
        break;
    default:
        break;
    }
    return true;
}

/* The row's operands by their codes.  False: #UD, one may not be what it is. */
static inline bool decode_operands(struct cursor *c)
{
    struct x86_insn *I = c->I;
    const uint8_t *op = I->row->op, *end = op + ARRAY_LEN(I->op);
    bool imm_seen = false;
    for (struct x86_operand *o = I->op; op != end && *op; o++, op++) {
        const struct code *code = &codes[*op];
        o->code = *op;
        o->kind = code->kind;
        o->size = (uint8_t)size_of(I, code->size);
        o->reg = code->reg;
        if (!operand(c, code->from, o))
            return false;
        I->memory |= o->kind == OPK_MEM;
        if (o->kind != OPK_IMM || code->from == FROM_I1)
            continue;
        if (imm_seen)                          /* ENTER's second immediate */
            I->imm2 = (uint8_t)o->imm;
        imm_seen = true;
    }
    if (I->seg < 0)
        I->seg = SEG_DS;
    return true;
}

#endif
