/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoder: prefixes, opcode, ModRM and SIB, then the first row of the
 * opcode whose constraints hold, then its operands (Intel SDM vol. 2, ch. 2).
 */
#include "guest/x86/decode.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "guest/x86/cpu.h"
#include "guest/x86/cpuid.h"
#include "guest/x86/mode.h"

enum { MAX_LEN = 15 };

/* all[first .. first + count) are an opcode's rows in table order, with what decoding asks of them worked out. */
struct slot {
    const struct x86_row *row;
    int8_t reg;                 /* the row's */
    bool modrm, vvvv;
    bool plain;                 /* fits whatever the prefixes, the mode and the CPU, but for VEX */
};

struct x86_decoder {
    struct slot *all;
    struct {
        uint16_t first;
        uint8_t count;
        bool modrm;             /* any of them */
    } opcode[MAP_COUNT][256];
};

const struct x86_row *const x86_row_tables[] = { x86_rows_int, x86_rows_sys, x86_rows_x87, x86_rows_simd,
                                                 x86_rows_fp, x86_rows_mmx, x86_rows_sse4, x86_rows_avx,
                                                 x86_rows_avx_fp, NULL };

static bool needs_modrm(const struct x86_row *r)
{
    if (r->reg >= 0 || r->flags & (ROW_MODRM | ROW_MOD_MEM | ROW_MOD_REG))
        return true;
    for (unsigned k = 0; k < 4; k++) {
        uint8_t op = r->op[k];
        if ((op >= OP_Eb && op <= OP_Ry) || (op >= OP_M && op <= OP_Dd) || (op >= OP_Vx && op <= OP_Ux) ||
            (op >= OP_Pq && op <= OP_Nq) || op == OP_ST0 || op == OP_STi)
            return true;
    }
    return false;
}

static bool uses_vvvv(const struct x86_row *r)
{
    for (unsigned k = 0; k < 4; k++)
        if (r->op[k] == OP_By || r->op[k] == OP_Hx || r->op[k] == OP_Hdq)
            return true;
    return false;
}

static bool is_plain(const struct x86_row *r)
{
    const uint32_t constraints = ROW_NO64 | ROW_ONLY64 | ROW_MOD_MEM | ROW_MOD_REG | ROW_W0 | ROW_W1 | ROW_VEX |
                                 ROW_VEX_L0 | ROW_VEX_L1 | ROW_PROTECTED | ROW_AVX | ROW_L1_AVX2;
    return r->pfx == PFX_ANY && r->rm < 0 && !r->feature && !(r->flags & constraints);
}

static void add_opcode(struct x86_decoder *d, unsigned map, unsigned op, uint32_t *n)
{
    d->opcode[map][op].first = (uint16_t)*n;
    for (const struct x86_row *const *t = x86_row_tables; *t; t++) {
        for (const struct x86_row *r = *t; r->lift; r++) {
            if (r->map != map || op < r->opcode || op > (unsigned)r->opcode + r->span)
                continue;
            d->all[*n] = (struct slot){ r, r->reg, needs_modrm(r), uses_vvvv(r), is_plain(r) };
            d->opcode[map][op].modrm |= d->all[*n].modrm;
            ++*n;
        }
    }
    d->opcode[map][op].count = (uint8_t)(*n - d->opcode[map][op].first);
}

struct x86_decoder *x86_decoder_new(void)
{
    struct x86_decoder *d = NEW(struct x86_decoder);
    size_t total = 0;
    for (const struct x86_row *const *t = x86_row_tables; *t; t++)
        for (const struct x86_row *r = *t; r->lift; r++)
            total += r->span + 1u;
    d->all = NEW_ARRAY(struct slot, total);
    uint32_t n = 0;
    for (unsigned map = 0; map < MAP_COUNT; map++)
        for (unsigned op = 0; op < 256; op++)
            add_opcode(d, map, op, &n);
    return d;
}

void x86_decoder_free(struct x86_decoder *d)
{
    free(d->all);
    free(d);
}

/* ---- reading bytes --------------------------------------------------------------------- */

struct cursor {
    const uint8_t *p;
    size_t n, at;
    uint64_t mode;
    struct x86_insn *I;
    bool shortage;
    uint8_t sib;
};

static uint64_t take(struct cursor *c, unsigned size)
{
    if (c->at + size > c->n) {
        c->shortage = true;
        return 0;
    }
    uint64_t v = load_le(c->p + c->at, size);
    c->at += size;
    return v;
}

static bool in64(const struct cursor *c) { return c->mode & MODE_CS64; }

/* The legacy prefixes, and REX's first nibble. */
#define FOUR(b) [b] = true, [b + 1] = true, [b + 2] = true, [b + 3] = true
static const bool is_prefix[256] = { [0x26] = true, [0x2e] = true, [0x36] = true, [0x3e] = true, [0x64] = true,
                                     [0x65] = true, [0x66] = true, [0x67] = true, [0xf0] = true, [0xf2] = true,
                                     [0xf3] = true, FOUR(0x40), FOUR(0x44), FOUR(0x48), FOUR(0x4c) };

static void prefix(struct cursor *c, uint8_t b, bool *p67)
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

/* The default segment until an override says otherwise: -1. */
static void prefixes(struct cursor *c, uint8_t *opcode)
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
static bool vex(struct cursor *c, uint8_t first, enum x86_map *map, uint8_t *opcode, unsigned *pp)
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

static void address16(struct cursor *c)
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

static void address32(struct cursor *c)
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

static void memory_operand(struct cursor *c)
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
static bool vsib_operand(struct cursor *c)
{
    struct x86_insn *I = c->I;
    if (I->asz == 2 || (I->modrm & 7) != 4)
        return false;
    unsigned reg = (I->modrm >> 3 & 7) | (I->rex & 4) << 1;
    I->vsib = (int8_t)((c->sib >> 3 & 7) | (I->rex & 2) << 2);
    I->index = -1;
    return I->vvvv != reg && I->vvvv != I->vsib && (unsigned)I->vsib != reg;
}

/* ---- choosing the row ---------------------------------------------------------------------- */

static bool prefix_fits(const struct x86_row *r, const struct x86_insn *I, unsigned pp)
{
    if (r->pfx == PFX_ANY)
        return true;
    if (I->vex)
        return r->pfx & 1 << pp;
    unsigned have = I->rep == X86_REPE ? PFX_F3 : I->rep == X86_REPNE ? PFX_F2 : I->p66 ? PFX_66 : PFX_NP;
    return r->pfx & have;
}

static bool mode_fits(const struct x86_row *r, const struct cursor *c)
{
    if (r->flags & (in64(c) ? ROW_NO64 : ROW_ONLY64))
        return false;
    return !(r->flags & ROW_PROTECTED) || ((c->mode & MODE_PE) && !(c->mode & MODE_VM86));
}

static bool row_fits(const struct slot *slot, const struct cursor *c, unsigned pp, const uint64_t *features)
{
    const struct x86_insn *I = c->I;
    const struct x86_row *r = slot->row;
    unsigned mod = I->modrm >> 6;
    if (!!(r->flags & ROW_VEX) != I->vex || !prefix_fits(r, I, pp) || !mode_fits(r, c) ||
        !x86_has(features, r->feature))
        return false;
    if ((r->flags & ROW_AVX && !x86_has(features, F_AVX)) ||
        (r->flags & ROW_L1_AVX2 && I->vex_l && !x86_has(features, F_AVX2)))
        return false;
    /* VEX.vvvv must be 1111b where nothing uses it (I->vvvv holds it inverted). */
    if (I->vex && I->vvvv && !slot->vvvv)
        return false;
    if (r->flags & ROW_VEX_L0 && I->vex_l)
        return false;
    if (r->flags & ROW_VEX_L1 && !I->vex_l)
        return false;
    if (r->flags & (I->rex & 8 ? ROW_W0 : ROW_W1))
        return false;
    if (!slot->modrm)
        return true;
    return !(r->flags & (mod == 3 ? ROW_MOD_MEM : ROW_MOD_REG)) && (r->rm < 0 || r->rm == (I->modrm & 7));
}

static const struct x86_row *find_row(const struct x86_decoder *d, struct cursor *c, enum x86_map map, unsigned pp,
                                      const uint64_t *features)
{
    struct x86_insn *I = c->I;
    unsigned n = d->opcode[map][I->opcode].count;
    const struct slot *slot = d->all + d->opcode[map][I->opcode].first;
    if (d->opcode[map][I->opcode].modrm) {
        if (c->at >= c->n) {
            c->shortage = true;
            return NULL;
        }
        I->modrm = c->p[c->at];
    }
    for (unsigned k = 0; k < n; k++, slot++) {
        if (slot->reg >= 0 && slot->reg != (I->modrm >> 3 & 7))
            continue;
        if (slot->plain ? I->vex : !row_fits(slot, c, pp, features))
            continue;
        if (slot->modrm) {
            take(c, 1);
            I->has_modrm = true;
            I->modrm |= slot->row->flags & ROW_MOD_IGNORED ? 0xc0 : 0;
        }
        return slot->row;
    }
    return NULL;
}

/* ---- operands ---------------------------------------------------------------------------------- */

static void set_operand_size(struct cursor *c, const struct x86_row *r)
{
    struct x86_insn *I = c->I;
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

static unsigned size_of(const struct x86_insn *I, unsigned size)
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
static uint8_t number(const struct x86_insn *I, const struct x86_operand *o, unsigned n)
{
    return (uint8_t)(o->size == 1 && o->kind == OPK_REG && !I->rex && n >= 4 && n < 8 ? 16 + n - 4 : n);
}

static void rm_operand(const struct x86_insn *I, struct x86_operand *o)
{
    unsigned n = (I->modrm & 7) | (I->rex & 1) << 3;
    if (I->modrm >> 6 != 3)
        o->kind = OPK_MEM;
    else
        o->reg = number(I, o, o->kind == OPK_MMX ? n & 7 : n);
}

static void moffs(struct cursor *c)
{
    struct x86_insn *I = c->I;
    I->base = I->index = -1;
    I->disp = (int64_t)take(c, I->asz);
    if (I->seg < 0)
        I->seg = SEG_DS;
}

/* What the operand is beyond its kind and size.  False: it may not be what it is. */
static bool operand(struct cursor *c, unsigned from, struct x86_operand *o)
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

static bool decode_operands(struct cursor *c)
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

static bool lock_legal(const struct x86_insn *I)
{
    return !I->lock || (I->row->flags & ROW_LOCK && I->op[0].kind == OPK_MEM);
}

/* How much was looked at, for whoever must notice when it changes: one byte (ModRM) may not have been taken yet. */
static enum x86_decode_result refuse(const struct cursor *c, enum x86_decode_result why)
{
    c->I->len = (uint8_t)(why != X86_DECODE_UD || c->at >= c->n ? c->n : c->at + 1);
    return why;
}

enum x86_decode_result x86_decode(const struct x86_decoder *d, const uint8_t *bytes, size_t n, uint64_t mode_flags,
                                  const uint64_t *features, struct x86_insn *out)
{
    enum x86_map map = MAP_1;
    unsigned pp = 0;
    uint8_t opcode = 0;
    memset(out, 0, offsetof(struct x86_insn, op));
    memset(out->op, 0, sizeof out->op);
    struct cursor c = { .p = bytes, .n = n < MAX_LEN ? n : MAX_LEN, .mode = mode_flags, .I = out };
    prefixes(&c, &opcode);
    bool legacy_prefix = out->rex || out->p66 || out->rep || out->lock;
    if (!c.shortage && (opcode == 0xc4 || opcode == 0xc5) && vex(&c, opcode, &map, &opcode, &pp)) {
        if (legacy_prefix || map == MAP_COUNT)
            return refuse(&c, X86_DECODE_UD);
    } else if (!c.shortage && opcode == 0x0f) {
        map = MAP_0F;
        opcode = (uint8_t)take(&c, 1);
        if (opcode == 0x38 || opcode == 0x3a) {
            map = opcode == 0x38 ? MAP_0F38 : MAP_0F3A;
            opcode = (uint8_t)take(&c, 1);
        }
    }
    out->opcode = opcode;
    if (!c.shortage)
        out->row = find_row(d, &c, map, pp, features);
    if (!c.shortage && !out->row)
        return refuse(&c, X86_DECODE_UD);
    if (!c.shortage) {
        set_operand_size(&c, out->row);
        if (out->has_modrm)
            memory_operand(&c);
        else
            out->base = out->index = -1;
        if (out->row->flags & ROW_VSIB && !c.shortage && !vsib_operand(&c))
            return X86_DECODE_UD;
        if (!decode_operands(&c) || !lock_legal(out))
            return refuse(&c, c.shortage ? X86_DECODE_SHORT : X86_DECODE_UD);
    }
    if (c.shortage)
        return refuse(&c, n >= MAX_LEN ? X86_DECODE_LONG : X86_DECODE_SHORT);
    out->len = (uint8_t)c.at;
    if (n >= MAX_LEN)
        memcpy(out->bytes, bytes, MAX_LEN);
    else
        memcpy(out->bytes, bytes, c.at);
    return X86_DECODE_OK;
}
