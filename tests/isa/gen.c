/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encodings of a row, and the whole of a case. */
#include <string.h>

#include "gen_impl.h"

struct encoder {
    uint8_t bytes[32];
    unsigned n;
};

static void emit(struct encoder *e, uint8_t b) { e->bytes[e->n++] = b; }

static bool row_has_modrm_operand(const struct x86_row *row)
{
    for (int i = 0; i < 4; i++) {
        uint8_t c = row->op[i];
        if ((c >= OP_Eb && c <= OP_Ry) || (c >= OP_M && c <= OP_Dd) || (c >= OP_Vx && c <= OP_Ux) ||
            (c >= OP_Pq && c <= OP_Nq) || c == OP_ST0 || c == OP_STi)
            return true;
    }
    return row->reg >= 0 || row->flags & (ROW_MODRM | ROW_MOD_MEM | ROW_MOD_REG) || row->flags & ROW_X87;
}

static void emit_prefixes(struct isa_gen *g, struct encoder *e, const struct x86_row *row, bool mode32, uint8_t *rex)
{
    unsigned pfx = row->pfx;
    if (pfx != PFX_ANY) {
        unsigned pick;
        do
            pick = 1u << gen_below(g, 4);
        while (!(pfx & pick));
        if (pick == PFX_66)
            emit(e, 0x66);
        else if (pick == PFX_F3)
            emit(e, 0xf3);
        else if (pick == PFX_F2)
            emit(e, 0xf2);
        else if (!(row->flags & ROW_OSZ_MANDATORY) && pfx == PFX_ANY && gen_below(g, 3) == 0)
            emit(e, 0x66);
    } else {
        if (gen_below(g, 3) == 0)
            emit(e, 0x66);
        if (row->flags & ROW_REP && gen_below(g, 2))
            emit(e, gen_below(g, 2) ? 0xf3 : 0xf2);
    }
    if (gen_below(g, 24) == 0)
        emit(e, 0x67);
    if (row->flags & ROW_LOCK && gen_below(g, 12) == 0)
        emit(e, 0xf0);
    *rex = 0;
    if (!mode32 && !(row->flags & ROW_VEX) && gen_below(g, 2)) {
        *rex = (uint8_t)(0x40 | gen_below(g, 16));
        if (row->flags & ROW_W1)
            *rex |= 8;
        if (row->flags & ROW_W0)
            *rex &= ~8;
        emit(e, *rex);
    }
}

static bool uses_vvvv(const struct x86_row *row)
{
    for (int i = 0; i < 4; i++)
        if (row->op[i] == OP_By || row->op[i] == OP_Hx || row->op[i] == OP_Hdq)
            return true;
    return false;
}

/* VEX instead of prefixes, REX and map bytes. */
static void emit_vex(struct isa_gen *g, struct encoder *e, const struct x86_row *row, bool mode32)
{
    unsigned pp;
    do
        pp = gen_below(g, 4);
    while (!(row->pfx & 1u << pp));
    unsigned w = row->flags & ROW_W1 ? 1 : row->flags & ROW_W0 ? 0 : gen_below(g, 2);
    unsigned l = row->flags & ROW_VEX_L1 ? 1 : row->flags & ROW_VEX_L0 ? 0 : gen_below(g, 2);
    unsigned v = !uses_vvvv(row) ? 15 : mode32 ? 8 | gen_below(g, 8) : gen_below(g, 16);
    uint8_t rxb = mode32 ? 0xe0 : (uint8_t)(gen_below(g, 8) << 5);
    if (gen_below(g, 24) == 0)
        emit(e, 0x67);
    if (row->map == MAP_0F && !w && (rxb & 0x60) == 0x60) {
        emit(e, 0xc5);
        emit(e, (uint8_t)((rxb & 0x80) | v << 3 | l << 2 | pp));
        return;
    }
    emit(e, 0xc4);
    emit(e, (uint8_t)(rxb | (unsigned)row->map));
    emit(e, (uint8_t)(w << 7 | v << 3 | l << 2 | pp));
}

static void emit_modrm(struct isa_gen *g, struct encoder *e, const struct x86_row *row)
{
    unsigned mod = gen_below(g, 4), reg = gen_below(g, 8), rm = gen_below(g, 8);
    if (row->flags & ROW_MOD_REG)
        mod = 3;
    else if (row->flags & ROW_MOD_MEM)
        mod = gen_below(g, 3);
    if (row->reg >= 0)
        reg = (unsigned)row->reg;
    if (row->rm >= 0)
        rm = (unsigned)row->rm;
    emit(e, (uint8_t)(mod << 6 | reg << 3 | rm));
    if (!g->reach || (mod != 3 && rm == 4))
        emit(e, (uint8_t)gen_below(g, 256));      /* SIB, displacement, immediates: whatever the decoder takes */
}

/* Displacements and immediates that a program can work with. */
static void emit_near(struct isa_gen *g, struct encoder *e)
{
    for (unsigned i = 0; i < 2; i++) {
        uint32_t v = gen_below(g, 2) ? gen_below(g, 128) : gen_below(g, g->reach);
        for (unsigned k = 0; k < 4; k++)
            emit(e, (uint8_t)(v >> 8 * k));
    }
}

static uint64_t mode_flags(bool mode32)
{
    return (mode32 ? MODE_PE | MODE_LMA | MODE_CS32 | MODE_SS32 : MODE_PE | MODE_LMA | MODE_CS64) | MODE_OSFXSR |
           MODE_FLAT_DATA | MODE_FLAT_SS | (uint64_t)3 << MODE_CPL_SHIFT;
}

bool gen_decode(struct isa_gen *g, const struct isa_case *c, struct x86_insn *I)
{
    return x86_decode(g->decoder, c->code, c->len, mode_flags(c->mode32), g->features, I) == X86_DECODE_OK;
}

bool isa_encode(struct isa_gen *g, const struct x86_row *row, uint64_t flags, struct x86_insn *insn)
{
    struct encoder e = { 0 };
    bool mode32 = !(flags & MODE_CS64);
    uint8_t rex;
    if (row->flags & ROW_VEX) {
        emit_vex(g, &e, row, mode32);
    } else {
        emit_prefixes(g, &e, row, mode32, &rex);
        if (row->map != MAP_1)
            emit(&e, 0x0f);
        if (row->map == MAP_0F38)
            emit(&e, 0x38);
        if (row->map == MAP_0F3A)
            emit(&e, 0x3a);
    }
    emit(&e, (uint8_t)(row->opcode + gen_below(g, row->span + 1u)));
    if (row_has_modrm_operand(row))
        emit_modrm(g, &e, row);
    if (g->reach)
        emit_near(g, &e);
    while (e.n < 16)
        emit(&e, (uint8_t)gen_next(g));
    return x86_decode(g->decoder, e.bytes, 15, flags, g->features, insn) == X86_DECODE_OK && insn->row == row;
}

static bool encode(struct isa_gen *g, const struct x86_row *row, bool mode32, struct isa_case *c, struct x86_insn *insn)
{
    c->mode32 = mode32;
    if (!isa_encode(g, row, mode_flags(mode32), insn))
        return false;
    memcpy(c->code, insn->bytes, insn->len);
    c->len = insn->len;
    return true;
}

bool isa_generate(struct isa_gen *g, const struct x86_row *row, bool mode32, struct isa_case *c,
                  struct x86_insn *insn)
{
    memset(c, 0, sizeof *c);
    if (!encode(g, row, mode32, c, insn))
        return false;
    for (int i = 0; i < 16; i++)
        c->in.gpr[i] = gen_interesting(g);
    c->in.gpr[R_SP] = ISA_WINDOW + 0x1c0 + (gen_below(g, 8) << 3);
    c->in.rflags = 0x202 | (gen_next(g) & FLAGS_ARITH) | (gen_below(g, 4) == 0 ? FLAG_DF : 0) |
                   (gen_seldom(g, 12) ? FLAG_AC : 0);
    gen_fx(g, c->in.fx);
    if (isa_host_has_avx())
        gen_high(g, c);
    for (unsigned i = 0; i < ISA_WINDOW_SIZE; i += 16)
        gen_lanes(g, c->in.window + i);
    if (!gen_operands(g, c, insn))
        return false;
    if (g->intel && !isa_avoid_vendor(c, insn))
        return false;
    if (mode32)
        for (int i = 0; i < 16; i++)
            c->in.gpr[i] = i < 8 ? (uint32_t)c->in.gpr[i] : 0;
    return true;
}
