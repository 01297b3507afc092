/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gen.h"

#include <stdlib.h>
#include <string.h>

#include "guest/x86/cpu.h"
#include "guest/x86/mode.h"

static uint64_t next(struct isa_gen *g)
{
    uint64_t z = g->rng += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned below(struct isa_gen *g, unsigned n) { return (unsigned)(next(g) >> 33) % n; }

/* ---- rows ------------------------------------------------------------------- */

size_t isa_rows(const struct x86_row **rows, size_t max)
{
    const struct x86_row *tables[] = { x86_rows_int, x86_rows_sys, x86_rows_x87, x86_rows_simd,
                                       x86_rows_fp, x86_rows_mmx, x86_rows_sse4, x86_rows_avx, x86_rows_avx_fp };
    size_t n = 0;
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct x86_row *r = tables[t]; r->lift; r++)
            if (n < max)
                rows[n++] = r;
    return n;
}

/*
 * What user mode cannot run, or where the host's answer is its own: the CPU's
 * identity, clocks, random numbers, the operating system, approximations that
 * Reprise defines itself (tests/unit/fp checks those).
 */
static const char *const skipped_names[] = {
    "cpuid", "rdtsc", "rdtscp", "rdpmc", "rdpid", "rdrand", "rdseed", "xgetbv", "xsetbv", "syscall", "sysenter",
    "sysret", "sysexit", "int", "int1", "icebp", "hlt", "in", "out", "ins", "outs", "sgdt", "sidt", "sldt", "str",
    "smsw", "lar", "lsl", "verr", "verw", "lds", "les", "lss", "lfs", "lgs", "iret", "retf", "callf", "jmpf", "arpl",
    "rdfsbase", "rdgsbase", "wrfsbase", "wrgsbase", "rcpps", "rcpss", "rsqrtps", "rsqrtss", "vrcpps", "vrcpss", "vrsqrtps", "vrsqrtss", "vldmxcsr", "f2xm1", "fyl2x",
    "fyl2xp1", "fptan", "fpatan", "fsin", "fcos", "fsincos", "fxsave", "xsave", "xsaveopt", "xsavec", "xrstor",
    "fxrstor", "fnstenv", "fnsave", "fldenv", "frstor", "monitor", "mwait", "swapgs", "clac", "stac",
    "sti", "cli", "popf", "lmsw", "clts", "ud0", "ud1", "ud2", "bound", "clflush", "clflushopt", "clwb",
    "ldmxcsr" /* AMD has one more bit */, "ltr", "lldt", "lgdt", "lidt", "invlpg", "invpcid", "wbinvd", "invd", "wrmsr", "rdmsr", "enter",
};

const char *isa_row_skip(const struct x86_row *row)
{
    for (size_t i = 0; i < ARRAY_LEN(skipped_names); i++) {
        size_t n = strlen(skipped_names[i]);
        if (!strncmp(row->name, skipped_names[i], n) && (!row->name[n] || row->name[n] == ' ' || n >= 5))
            return "not comparable in user mode";
    }
    for (int i = 0; i < 4; i++) {
        uint8_t op = row->op[i];
        if (op == OP_Sw || op == OP_Cd || op == OP_Dd || op == OP_Ap || op == OP_Mp || (op >= OP_ES && op <= OP_GS))
            return "segment or system operand";
    }
    return row->flags & ROW_CPL0 ? "privileged" : NULL;
}

/* ---- encodings ---------------------------------------------------------------- */

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
            pick = 1u << below(g, 4);
        while (!(pfx & pick));
        if (pick == PFX_66)
            emit(e, 0x66);
        else if (pick == PFX_F3)
            emit(e, 0xf3);
        else if (pick == PFX_F2)
            emit(e, 0xf2);
        else if (!(row->flags & ROW_OSZ_MANDATORY) && pfx == PFX_ANY && below(g, 3) == 0)
            emit(e, 0x66);
    } else {
        if (below(g, 3) == 0)
            emit(e, 0x66);
        if (row->flags & ROW_REP && below(g, 2))
            emit(e, below(g, 2) ? 0xf3 : 0xf2);
    }
    if (below(g, 24) == 0)
        emit(e, 0x67);
    if (row->flags & ROW_LOCK && below(g, 12) == 0)
        emit(e, 0xf0);
    *rex = 0;
    if (!mode32 && !(row->flags & ROW_VEX) && below(g, 2)) {
        *rex = (uint8_t)(0x40 | below(g, 16));
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
        pp = below(g, 4);
    while (!(row->pfx & 1u << pp));
    unsigned w = row->flags & ROW_W1 ? 1 : row->flags & ROW_W0 ? 0 : below(g, 2);
    unsigned l = row->flags & ROW_VEX_L1 ? 1 : row->flags & ROW_VEX_L0 ? 0 : below(g, 2);
    unsigned v = !uses_vvvv(row) ? 15 : mode32 ? 8 | below(g, 8) : below(g, 16);
    uint8_t rxb = mode32 ? 0xe0 : (uint8_t)(below(g, 8) << 5);
    if (below(g, 24) == 0)
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
    unsigned mod = below(g, 4), reg = below(g, 8), rm = below(g, 8);
    if (row->flags & ROW_MOD_REG)
        mod = 3;
    else if (row->flags & ROW_MOD_MEM)
        mod = below(g, 3);
    if (row->reg >= 0)
        reg = (unsigned)row->reg;
    if (row->rm >= 0)
        rm = (unsigned)row->rm;
    emit(e, (uint8_t)(mod << 6 | reg << 3 | rm));
    emit(e, (uint8_t)below(g, 256));          /* SIB, displacement, immediates: whatever the decoder takes */
}

static bool is_branch(const struct x86_row *row) { return row->op[0] == OP_Jb || row->op[0] == OP_Jz; }

static bool encode(struct isa_gen *g, const struct x86_row *row, bool mode32, struct isa_case *c, struct x86_insn *insn)
{
    struct encoder e = { 0 };
    uint8_t rex;
    uint64_t mode = mode32 ? MODE_PE | MODE_LMA | MODE_CS32 | MODE_SS32 : MODE_PE | MODE_LMA | MODE_CS64;
    mode |= MODE_OSFXSR | MODE_FLAT_DATA | MODE_FLAT_SS | (uint64_t)3 << MODE_CPL_SHIFT;
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
    emit(&e, (uint8_t)(row->opcode + below(g, row->span + 1u)));
    if (row_has_modrm_operand(row))
        emit_modrm(g, &e, row);
    while (e.n < 16)
        emit(&e, (uint8_t)next(g));
    if (x86_decode(g->decoder, e.bytes, 15, mode, g->features, insn) != X86_DECODE_OK || insn->row != row)
        return false;
    memcpy(c->code, insn->bytes, insn->len);
    c->len = insn->len;
    c->mode32 = mode32;
    return true;
}

/* ---- register and memory contents ------------------------------------------------ */

/* Numbers that find edges: small, powers of two around, all ones, random. */
static uint64_t interesting(struct isa_gen *g)
{
    switch (below(g, 8)) {
    case 0:
        return below(g, 4);
    case 1:
        return (UINT64_C(1) << below(g, 64)) - below(g, 3);
    case 2:
        return ~(uint64_t)below(g, 4);
    case 3:
        return (int64_t)(int8_t)next(g);
    case 4:
        return (uint64_t)(int64_t)(int32_t)next(g);
    case 5:
        return next(g) & next(g) & next(g);
    default:
        return next(g);
    }
}

/* Of a fraction: few bits (sums and products that end in a tie), all ones, anything. */
static uint64_t interesting_fraction(struct isa_gen *g, unsigned bits)
{
    uint64_t all = (UINT64_C(1) << bits) - 1;
    switch (below(g, 6)) {
    case 0:
        return 0;
    case 1:
        return UINT64_C(1) << below(g, bits);
    case 2:
        return all & ~(uint64_t)below(g, 4);
    case 3:
        return all & ~(next(g) >> below(g, 64));
    case 4:
        return below(g, 4);
    default:
        return next(g) & all;
    }
}

/* Exponents: near one, near the integers' limits, near either end; bias is also half the greatest. */
static uint64_t interesting_exponent(struct isa_gen *g, unsigned bias)
{
    static const uint8_t limits[] = { 15, 16, 22, 23, 24, 30, 31, 32, 51, 52, 53, 62, 63, 64 };
    switch (below(g, 8)) {
    case 0:
        return below(g, 4);
    case 1:
        return 2 * bias + 1 - below(g, 4);
    case 2:
        return bias + limits[below(g, ARRAY_LEN(limits))] - below(g, 2);
    case 3:
        return bias / 2 - 16 + below(g, 32);
    case 4:
        return bias + bias / 2 - 16 + below(g, 32);
    case 5:
        return below(g, 2 * bias + 2);
    default:
        return bias - 6 + below(g, 12);
    }
}

/* Bit patterns of floating-point numbers worth meeting. */
static uint64_t interesting_f64(struct isa_gen *g)
{
    static const uint64_t special[] = {
        0, UINT64_C(1) << 63, UINT64_C(0x3ff0000000000000), UINT64_C(0xbff0000000000000),
        UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000), UINT64_C(0x7ff8000000000000),
        UINT64_C(0x7ff0000000000001), UINT64_C(0xfff8000000000123), 1, UINT64_C(0x000fffffffffffff),
        UINT64_C(0x0010000000000000), UINT64_C(0x7fefffffffffffff), UINT64_C(0x43e0000000000000),
        UINT64_C(0xc3e0000000000000), UINT64_C(0x41dfffffffc00000), UINT64_C(0x3fe0000000000000),
        UINT64_C(0x41dfffffffe00000), UINT64_C(0xc1e0000000000000), UINT64_C(0x3ff8000000000000),
        UINT64_C(0xc004000000000000),
    };
    unsigned kind = below(g, 8);
    if (kind < 2)
        return special[below(g, ARRAY_LEN(special))];
    if (kind == 2)
        return next(g);
    return (next(g) & UINT64_C(1) << 63) | interesting_exponent(g, 1023) << 52 | interesting_fraction(g, 52);
}

static uint32_t interesting_f32(struct isa_gen *g)
{
    static const uint32_t special[] = { 0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
                                        0x7f800001, 0xffc00123, 1, 0x007fffff, 0x00800000, 0x7f7fffff, 0x4f000000,
                                        0xcf000000, 0x5f000000, 0x3f000000, 0x3fc00000, 0xc0200000 };
    unsigned kind = below(g, 8);
    if (kind < 2)
        return special[below(g, ARRAY_LEN(special))];
    if (kind == 2)
        return (uint32_t)next(g);
    return ((uint32_t)next(g) & 0x80000000) | (uint32_t)interesting_exponent(g, 127) << 23 |
           (uint32_t)interesting_fraction(g, 23);
}

static void fill_lanes(struct isa_gen *g, uint8_t *p)
{
    unsigned kind = below(g, 3);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t v = interesting(g);
        if (kind == 1)
            v = interesting_f64(g);
        if (kind == 2)
            v = interesting_f32(g) | (uint64_t)interesting_f32(g) << 32;
        store_le(p + 8 * i, 8, v);
    }
}

/* Operands that are alike: equal, opposite, next to each other; whole or in half. */
static void relate_lanes(struct isa_gen *g, uint8_t *p, const uint8_t *like)
{
    static const uint64_t flip[] = { 0, UINT64_C(1) << 63, UINT64_C(0x8000000080000000), 1, UINT64_C(0x100000001), 2 };
    for (unsigned i = 0; i < 2; i++)
        if (below(g, 3))
            store_le(p + 8 * i, 8, load_le(like + 8 * i, 8) ^ flip[below(g, ARRAY_LEN(flip))]);
}

static void fill_fx(struct isa_gen *g, uint8_t *fx)
{
    memset(fx, 0, 512);
    /* x87: all masked mostly; any rounding and precision; TOP and tags random. */
    unsigned cw = 0x40 | (below(g, 4) ? 0x3f : below(g, 64)) | below(g, 4) << 10;
    static const unsigned precision[] = { 0, 2, 3, 3 };
    cw |= precision[below(g, 4)] << 8;
    store_le(fx, 2, cw);
    store_le(fx + 2, 2, (below(g, 8) << 11) | (next(g) & 0x4700));
    fx[4] = below(g, 2) ? 0xff : (uint8_t)next(g);
    if (below(g, 24) == 0) {           /* an exception waits, if it is unmasked (ES and B say so) */
        unsigned flags = (unsigned)next(g) & 63;
        store_le(fx + 2, 2, load_le(fx + 2, 2) | flags | (flags & ~cw ? 0x8080 : 0));
    }
    store_le(fx + 24, 4, 0x1f80 | (below(g, 2) ? below(g, 4) << 13 : 0) | (below(g, 4) ? 0 : 0x8040 & next(g)));
    if (below(g, 8) == 0)
        store_le(fx + 24, 4, load_le(fx + 24, 4) & ~(uint64_t)(below(g, 64) << 7));
    for (unsigned i = 0; i < 8; i++) {
        uint64_t mant = next(g) | UINT64_C(1) << 63;
        unsigned se = 0x3fff - 20 + below(g, 64);
        if (below(g, 4) == 0)
            se = (unsigned)next(g) & 0xffff;
        if (below(g, 6) == 0)
            mant = interesting(g);
        if (below(g, 12) == 0)
            se |= 0x7fff;
        if (below(g, 12) == 0)
            se &= 0x8000;
        store_le(fx + 32 + 16 * i, 8, mant);
        store_le(fx + 40 + 16 * i, 2, se | (below(g, 2) << 15));
    }
    for (unsigned i = 0; i < 16; i++)
        fill_lanes(g, fx + 160 + 16 * i);
    if (below(g, 3) == 0)
        for (unsigned i = 1; i < 16; i++)
            relate_lanes(g, fx + 160 + 16 * i, fx + 160);
}

static void fill_high(struct isa_gen *g, struct isa_case *c)
{
    if (!isa_host_has_avx())
        return;
    for (unsigned i = 0; i < 16; i++)
        fill_lanes(g, c->in.high[i]);
    if (below(g, 3) == 0)
        for (unsigned i = 1; i < 16; i++)
            relate_lanes(g, c->in.high[i], c->in.high[0]);
    if (below(g, 3) == 0)
        for (unsigned i = 0; i < 16; i++)
            relate_lanes(g, c->in.high[i], c->in.fx + 160 + 16 * i);
}

/* ---- aiming memory operands at the window ---------------------------------------- */

static uint64_t target_address(struct isa_gen *g)
{
    switch (below(g, 40)) {
    case 0:
        return ISA_DATA - 4 + below(g, 8);                       /* before the mapping */
    case 1:
        return ISA_DATA + ISA_DATA_SIZE - 36 + below(g, 40);     /* across its end */
    case 2:
        return ISA_DATA + 0x1000 - 34 + below(g, 36);            /* across pages, both mapped */
    default:
        return ISA_WINDOW + 0x80 + (below(g, 0x280) & ~(below(g, 4) ? 15u : 0u));
    }
}

static bool aim(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    uint64_t *gpr = c->in.gpr;
    uint64_t target = target_address(g);
    if (I->base == 16 || I->asz == 2)
        return false;
    if (I->base < 0 && I->index < 0)
        return false;                  /* absolute: only by chance inside the window */
    if (I->index >= 0 && I->index != I->base && I->base >= 0) {
        gpr[I->index] = below(g, 64);
        gpr[I->base] = target - (uint64_t)I->disp - (gpr[I->index] << I->scale);
    } else if (I->base >= 0 && I->index < 0) {
        gpr[I->base] = target - (uint64_t)I->disp;
    } else {
        return false;
    }
    if (I->asz == 4)
        gpr[I->base] = (uint32_t)gpr[I->base];
    return true;
}

static bool uses_memory(const struct x86_insn *I)
{
    for (int i = 0; i < 4; i++)
        if (I->op[i].kind == OPK_MEM && I->op[i].code != OP_Xb && I->op[i].code != OP_Xv && I->op[i].code != OP_Yb &&
            I->op[i].code != OP_Yv)
            return true;
    return false;
}

/* Indices that stay near the base, whether they are read as 32 or 64 bits; one in some hundred goes astray. */
static void aim_gather(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    for (unsigned lane = 0; lane < 4; lane++) {
        uint8_t *p = lane < 2 ? c->in.fx + 160 + 16 * I->vsib + 8 * lane : c->in.high[I->vsib] + 8 * (lane - 2);
        uint64_t low = (uint64_t)(int64_t)((int)below(g, 64) - 16), high = (uint64_t)(int64_t)((int)below(g, 64) - 16);
        bool wide = below(g, 2);
        store_le(p, 8, below(g, 120) == 0 ? next(g) : wide ? low : (uint32_t)low | high << 32);
    }
    if (below(g, 4) == 0) {      /* every element */
        memset(c->in.fx + 160 + 16 * I->op[2].reg, 0xff, 16);
        memset(c->in.high[I->op[2].reg], 0xff, 16);
    }
}

static bool is_masked(const struct x86_insn *I)
{
    return !strncmp(I->row->name, "vmaskmovp", 9) || !strncmp(I->row->name, "vpmaskmov", 9);
}

/* At either end of the mapping, so that the mask decides. */
static void aim_masked(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    if (I->base < 0 || I->index >= 0)
        return;
    uint64_t target = below(g, 2) ? ISA_DATA - 4 * below(g, 9) : ISA_DATA + ISA_DATA_SIZE - 4 * below(g, 9);
    c->in.gpr[I->base] = target - (uint64_t)I->disp;
    if (I->asz == 4)
        c->in.gpr[I->base] = (uint32_t)c->in.gpr[I->base];
}

static void aim_strings(struct isa_gen *g, struct isa_case *c)
{
    c->in.gpr[R_SI] = ISA_WINDOW + 0x180 + below(g, 64);
    c->in.gpr[R_DI] = ISA_WINDOW + 0x200 + below(g, 64) - 32;
    c->in.gpr[R_CX] = below(g, 8) ? below(g, 12) : 0;
    if (below(g, 30) == 0)
        c->in.gpr[R_DI] = ISA_DATA + ISA_DATA_SIZE - below(g, 20);
}

/* Bit offsets of BT with a memory operand reach far: keep them inside the window. */
static void tame_bit_offset(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    if (!strncmp(I->row->name, "bt", 2) && I->op[0].kind == OPK_MEM && I->op[1].kind == OPK_REG &&
        I->op[1].reg != (uint8_t)I->base && I->op[1].reg != (uint8_t)I->index)
        c->in.gpr[I->op[1].reg] = (uint64_t)(int64_t)((int)below(g, 512) - 256);
}

/* SHLD, SHRD of 16 bits by more than 16: even the result is undefined. */
static bool undefined_result(const struct isa_case *c, const struct x86_insn *I)
{
    if (strcmp(I->row->name, "shld") != 0 && strcmp(I->row->name, "shrd") != 0)
        return false;
    uint64_t count = (I->op[2].kind == OPK_IMM ? I->op[2].imm : c->in.gpr[R_CX]) & 31;
    return I->op[0].size == 2 && count > 16;
}

static bool is_string(const struct x86_insn *I)
{
    for (int i = 0; i < 4; i++)
        if (I->row->op[i] >= OP_Xb && I->row->op[i] <= OP_Yv)
            return true;
    return I->row->flags & ROW_REP;
}

static bool set_branch(struct isa_gen *g, struct isa_case *c, struct x86_insn *I)
{
    unsigned size = I->row->op[0] == OP_Jb ? 1 : I->osz == 2 ? 2 : 4;
    if (I->osz == 2 || I->p66)
        return false;              /* truncates the instruction pointer (on AMD in 64-bit mode too) */
    store_le(c->code + c->len - size, size, below(g, 2) ? ISA_STUB_GAP : 0);
    return true;
}

/* Near indirect jumps and calls, and RET, go to the branch stub. */
static bool set_indirect(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    uint64_t to = ISA_CODE + 0x800 + c->len + ISA_STUB_GAP;
    const char *name = I->row->name;
    if (!strncmp(name, "ret", 3)) {
        store_le(c->in.window + (c->in.gpr[R_SP] - ISA_WINDOW), c->mode32 ? 4 : 8, to);
        return I->osz != 2;
    }
    if (strncmp(name, "jmp", 3) != 0 && strncmp(name, "call", 4) != 0)
        return true;
    if (I->osz == 2 || I->op[0].kind != OPK_REG)
        return false;
    c->in.gpr[I->op[0].reg] = to;
    (void)g;
    return true;
}

bool isa_generate(struct isa_gen *g, const struct x86_row *row, bool mode32, struct isa_case *c,
                  struct x86_insn *insn)
{
    memset(c, 0, sizeof *c);
    if (!encode(g, row, mode32, c, insn))
        return false;
    for (int i = 0; i < 16; i++)
        c->in.gpr[i] = interesting(g);
    c->in.gpr[R_SP] = ISA_WINDOW + 0x1c0 + (below(g, 8) << 3);
    c->in.rflags = 0x202 | (next(g) & FLAGS_ARITH) | (below(g, 4) == 0 ? FLAG_DF : 0);
    if (row->flags & ROW_AVX && below(g, 8) == 0)
        c->in.rflags |= FLAG_AC;
    fill_fx(g, c->in.fx);
    fill_high(g, c);
    for (unsigned i = 0; i < ISA_WINDOW_SIZE; i += 16)
        fill_lanes(g, c->in.window + i);
    if (!strcmp(row->name, "movsxd") && insn->osz == 2)
        return false;              /* Intel reads 16 bits, AMD 32 */
    if (is_string(insn) && insn->asz == 2)
        return false;              /* 16-bit addresses reach no mapped page */
    if (is_string(insn))
        aim_strings(g, c);
    if (uses_memory(insn) && !aim(g, c, insn))
        return false;
    if (row->flags & ROW_VSIB)
        aim_gather(g, c, insn);
    if (is_masked(insn) && below(g, 2))
        aim_masked(g, c, insn);
    tame_bit_offset(g, c, insn);
    if (!strcmp(row->name, "xlat") || !strcmp(row->name, "xlatb"))
        c->in.gpr[R_BX] = ISA_WINDOW + 0x100;
    if (!strcmp(row->name, "maskmovq") || strstr(row->name, "maskmovdqu"))
        c->in.gpr[R_DI] = below(g, 4)   ? ISA_WINDOW + 0x100 + below(g, 64)
                          : below(g, 2) ? ISA_DATA - below(g, 18)
                                        : ISA_DATA + ISA_DATA_SIZE - below(g, 18);
    if (!strncmp(row->name, "leave", 5))
        c->in.gpr[R_BP] = ISA_WINDOW + 0x100;
    if (is_branch(row) ? !set_branch(g, c, insn) : !set_indirect(g, c, insn))
        return false;
    if (mode32)
        for (int i = 0; i < 16; i++)
            c->in.gpr[i] = i < 8 ? (uint32_t)c->in.gpr[i] : 0;
    return !undefined_result(c, insn);
}
