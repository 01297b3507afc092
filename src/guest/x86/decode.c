/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoder: prefixes and opcode, then the first row of the opcode whose
 * constraints hold, then ModRM, SIB and its operands (Intel SDM vol. 2, ch. 2).
 */
#include "guest/x86/decode_operand.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "guest/x86/cpuid.h"

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

/* ---- an instruction ------------------------------------------------------------------------------ */

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
        set_operand_size(&c);
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
