/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoder: prefixes, opcode, ModRM and SIB, then the first row of the
 * opcode whose constraints hold, then its operands (Intel SDM vol. 2, ch. 2).
 */
#include "guest/x86/decode.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "guest/x86/cpu.h"
#include "guest/x86/cpuid.h"
#include "guest/x86/mode.h"

enum { MAX_LEN = 15 };

/* all[first .. first + count) are an opcode's rows in table order, with what decoding asks of them worked out. */
struct slot {
    const struct x86_row *row;
    bool modrm, vvvv;
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

static void add_opcode(struct x86_decoder *d, unsigned map, unsigned op, uint32_t *n)
{
    d->opcode[map][op].first = (uint16_t)*n;
    for (const struct x86_row *const *t = x86_row_tables; *t; t++) {
        for (const struct x86_row *r = *t; r->lift; r++) {
            if (r->map != map || op < r->opcode || op > (unsigned)r->opcode + r->span)
                continue;
            d->all[*n] = (struct slot){ r, needs_modrm(r), uses_vvvv(r) };
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

/* The default segment until an override says otherwise: -1. */
static void prefixes(struct cursor *c, uint8_t *opcode)
{
    struct x86_insn *I = c->I;
    bool p67 = false;
    I->seg = -1;
    for (;;) {
        uint8_t b = (uint8_t)take(c, 1);
        if (c->shortage)
            return;
        static const int8_t segs[4] = { SEG_ES, SEG_CS, SEG_SS, SEG_DS };
        if (in64(c) && (b & 0xf0) == 0x40) {
            I->rex = b;
            b = (uint8_t)take(c, 1);
            if ((b & 0xf0) != 0x40 && b != 0x66 && b != 0x67 && b != 0xf0 && b != 0xf2 && b != 0xf3 && b != 0x26 &&
                b != 0x2e && b != 0x36 && b != 0x3e && b != 0x64 && b != 0x65) {
                *opcode = b;
                break;
            }
            I->rex = 0;             /* a REX that does not stand right before the opcode is ignored */
            c->at--;
            continue;
        }
        if ((b & 0xe7) == 0x26) {
            if (!in64(c))
                I->seg = segs[b >> 3 & 3];
        } else if (b == 0x64 || b == 0x65) {
            I->seg = b == 0x64 ? SEG_FS : SEG_GS;
        } else if (b == 0x66) {
            I->p66 = true;
        } else if (b == 0x67) {
            p67 = true;
        } else if (b == 0xf0) {
            I->lock = true;
        } else if (b == 0xf2 || b == 0xf3) {
            I->rep = b == 0xf3 ? X86_REPE : X86_REPNE;
        } else {
            *opcode = b;
            break;
        }
    }
    if (in64(c))
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
    if (r->reg >= 0 && r->reg != (I->modrm >> 3 & 7))
        return false;
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
        if (!row_fits(slot, c, pp, features))
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

static struct x86_operand reg_operand(unsigned n, unsigned size, bool rex)
{
    struct x86_operand o = { .kind = OPK_REG, .size = (uint8_t)size, .reg = (uint8_t)n };
    if (size == 1 && !rex && n >= 4 && n < 8)
        o.reg = (uint8_t)(16 + n - 4);
    return o;
}

/* Sizes by the code's type letter. */
static unsigned code_size(const struct x86_insn *I, unsigned code)
{
    switch (code) {
    case OP_Eb: case OP_Gb: case OP_Zb: case OP_Mb: case OP_Ob: case OP_Xb: case OP_Yb: case OP_AL: case OP_CL:
    case OP_Wb: case OP_Ib: case OP_I1:
        return 1;
    case OP_Ew: case OP_Gw: case OP_Mw: case OP_Sw: case OP_DX: case OP_AX: case OP_Ww: case OP_Iw:
        return 2;
    case OP_Ed: case OP_Gd: case OP_Rd: case OP_Md: case OP_EAX: case OP_Wd: case OP_Qd: case OP_Vd:
        return 4;
    case OP_Eq: case OP_Gq: case OP_Rq: case OP_Mq: case OP_Wq: case OP_Qq: case OP_Pq: case OP_Nq: case OP_Vq:
        return 8;
    case OP_Ey: case OP_Gy: case OP_Ry: case OP_Zy: case OP_My: case OP_By:
        return I->osz == 8 ? 8 : 4;
    case OP_Mdq: case OP_Vdq: case OP_Wdq: case OP_Udq: case OP_Hdq:
        return 16;
    case OP_Vx: case OP_Wx: case OP_Wxu: case OP_Ux: case OP_Hx: case OP_Lx:
        return I->vex_l ? 32 : 16;
    case OP_Wxh:
        return I->vex_l ? 16 : 8;
    case OP_Wxq:
        return I->vex_l ? 8 : 4;
    case OP_Wxe:
        return I->vex_l ? 4 : 2;
    case OP_M: case OP_Mp: case OP_Ma: case OP_Ms:
        return 0;
    default:
        return I->osz;
    }
}

static struct x86_operand rm_operand(const struct x86_insn *I, unsigned size, unsigned reg_kind)
{
    if (I->modrm >> 6 != 3)
        return (struct x86_operand){ .kind = OPK_MEM, .size = (uint8_t)size };
    unsigned n = (I->modrm & 7) | (I->rex & 1) << 3;
    if (reg_kind == OPK_REG)
        return reg_operand(n, size, I->rex);
    return (struct x86_operand){ .kind = (uint8_t)reg_kind, .size = (uint8_t)size,
                                 .reg = (uint8_t)(reg_kind == OPK_MMX ? n & 7 : n) };
}

static struct x86_operand immediate(struct cursor *c, unsigned code)
{
    struct x86_insn *I = c->I;
    struct x86_operand o = { .kind = OPK_IMM, .size = (uint8_t)code_size(I, code) };
    switch (code) {
    case OP_Ib:
        o.imm = take(c, 1);
        break;
    case OP_Ibs:
    case OP_Jb:
        o.imm = (uint64_t)(int64_t)(int8_t)take(c, 1);
        break;
    case OP_Iw:
        o.imm = take(c, 2);
        break;
    case OP_Iz:
    case OP_Jz:
        o.imm = I->osz == 2 ? (uint64_t)(int64_t)(int16_t)take(c, 2) : (uint64_t)(int64_t)(int32_t)take(c, 4);
        break;
    case OP_Iv:
        o.imm = take(c, I->osz);
        break;
    case OP_I1:
        o.imm = 1;
        break;
    case OP_Ap:
        o.imm = take(c, I->osz == 2 ? 2 : 4);
        I->far_sel = (uint16_t)take(c, 2);
        break;
    default:
        break;
    }
    return o;
}

static struct x86_operand moffs(struct cursor *c, unsigned code)
{
    struct x86_insn *I = c->I;
    I->base = I->index = -1;
    I->disp = (int64_t)take(c, I->asz);
    if (I->seg < 0)
        I->seg = SEG_DS;
    return (struct x86_operand){ .kind = OPK_MEM, .size = (uint8_t)code_size(I, code) };
}

static struct x86_operand operand(struct cursor *c, unsigned code)
{
    struct x86_insn *I = c->I;
    unsigned reg = (I->modrm >> 3 & 7) | (I->rex & 4) << 1;
    unsigned size = code_size(I, code);
    struct x86_operand o = { .size = (uint8_t)size };
    if ((code >= OP_Eb && code <= OP_Ey) || (code >= OP_Rd && code <= OP_Ry) || (code >= OP_M && code <= OP_Ms))
        return rm_operand(I, size, OPK_REG);
    if (code >= OP_Gb && code <= OP_Gy)
        return reg_operand(reg, size, I->rex);
    if (code >= OP_Zb && code <= OP_Zd64)
        return reg_operand((I->opcode & 7) | (I->rex & 1) << 3, size, I->rex);
    if (code >= OP_Ib && code <= OP_Jz)
        return immediate(c, code);
    if (code >= OP_Wd && code <= OP_Udq)
        return rm_operand(I, size, OPK_XMM);
    switch (code) {
    case OP_By:
        return reg_operand(I->vvvv, size, true);
    case OP_Ap:
        return immediate(c, code);
    case OP_Ob:
    case OP_Ov:
        return moffs(c, code);
    case OP_Sw:
        o.kind = OPK_SEG;
        o.reg = reg & 7;
        return o;
    case OP_Cd:
    case OP_Dd:
        o.kind = code == OP_Cd ? OPK_CR : OPK_DR;
        o.reg = (uint8_t)reg;
        return o;
    case OP_Xb: case OP_Xv: case OP_Yb: case OP_Yv:
        o.kind = OPK_MEM;
        return o;
    case OP_AL:
    case OP_AX:
    case OP_EAX:
    case OP_rAX:
        return reg_operand(R_AX, size, true);
    case OP_CL:
        return reg_operand(R_CX, 1, true);
    case OP_DX:
        return reg_operand(R_DX, 2, true);
    case OP_ES: case OP_CS: case OP_SS: case OP_DS: case OP_FS: case OP_GS:
        o.kind = OPK_SEG;
        o.reg = (uint8_t)(code - OP_ES + SEG_ES);
        return o;
    case OP_Vx: case OP_Vd: case OP_Vq: case OP_Vdq:
        o.kind = OPK_XMM;
        o.reg = (uint8_t)reg;
        return o;
    case OP_Wx: case OP_Wxu: case OP_Ux:
        return rm_operand(I, size, OPK_XMM);
    case OP_Hx:
    case OP_Hdq:
        o.kind = OPK_XMM;
        o.reg = I->vvvv;
        return o;
    case OP_Lx:
        o.kind = OPK_XMM;
        o.reg = take(c, 1) >> 4 & (in64(c) ? 15 : 7);
        return o;
    case OP_Pq:
        o.kind = OPK_MMX;
        o.reg = reg & 7;
        return o;
    case OP_Qq: case OP_Qd: case OP_Nq:
        return rm_operand(I, size, OPK_MMX);
    case OP_ST0:
    case OP_STi:
        o.kind = OPK_ST;
        o.reg = code == OP_STi ? I->modrm & 7 : 0;
        return o;
    default:
        o.kind = OPK_NONE;
        return o;
    }
}

static bool operand_legal(unsigned code, const struct x86_operand *o)
{
    if (o->kind == OPK_MEM)
        return !((code >= OP_Rd && code <= OP_Ry) || code == OP_Ux || code == OP_Udq || code == OP_Nq);
    return !(code >= OP_M && code <= OP_Ms);
}

static bool decode_operands(struct cursor *c)
{
    struct x86_insn *I = c->I;
    bool imm_seen = false;
    for (unsigned k = 0; k < 4 && I->row->op[k]; k++) {
        unsigned code = I->row->op[k];
        if (code == OP_Ib && imm_seen) {       /* ENTER's second immediate */
            I->imm2 = (uint8_t)take(c, 1);
            I->op[k] = (struct x86_operand){ .kind = OPK_IMM, .size = 1, .imm = I->imm2, .code = OP_Ib };
            continue;
        }
        I->op[k] = operand(c, code);
        I->op[k].code = (uint8_t)code;
        imm_seen |= I->op[k].kind == OPK_IMM && code != OP_I1;
        if (!operand_legal(code, &I->op[k]))
            return false;
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
    memset(out, 0, sizeof *out);
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
    memcpy(out->bytes, bytes, n < MAX_LEN ? c.at : MAX_LEN);
    return X86_DECODE_OK;
}
