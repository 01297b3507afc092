/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which VEX encodings exist: every opcode of the three maps, with every mandatory prefix, W, L, register
 * field, vvvv used or not, memory or register operand, must be #UD on the host exactly where the decoder
 * knows no row.  What the host has and no model offers is listed here, and those where processors differ:
 * VPERMQ and VPERMPD with W clear, which AMD's accept and the manuals do not list; VPEXTRD and VPINSRD with W set in
 * 32-bit code, where Intel's do not look at it.
 */
#include <stdio.h>
#include <string.h>

#include "gen.h"
#include "guest/x86/cpu.h"
#include "guest/x86/mode.h"

enum { CHUNK = 256 };

/* Encodings of extensions that no model has. */
struct foreign {
    uint8_t map, first, last;
    const char *what;
};
static const struct foreign foreign[] = {
    { MAP_0F, 0x41, 0x4b, "AVX-512 mask arithmetic" },   { MAP_0F, 0x90, 0x93, "KMOV" },
    { MAP_0F, 0x98, 0x99, "KORTEST, KTEST" },            { MAP_0F3A, 0x30, 0x33, "KSHIFT" },
    { MAP_0F38, 0x50, 0x53, "AVX-VNNI" },                { MAP_0F38, 0xcf, 0xcf, "GF2P8MULB" },
    { MAP_0F3A, 0xce, 0xcf, "GF2P8AFFINE" },             { MAP_0F38, 0xb4, 0xb5, "AVX-IFMA" },
    { MAP_0F3A, 0x5c, 0x5f, "FMA4" },                    { MAP_0F3A, 0x68, 0x7f, "FMA4" },
    { MAP_0F3A, 0x48, 0x49, "XOP's VPERMIL2" },          { MAP_0F38, 0xb0, 0xb1, "AVX-NE-CONVERT" },
    { MAP_0F38, 0xd2, 0xd3, "AVX-VNNI-INT16" },          { MAP_0F38, 0x72, 0x72, "VCVTNEPS2BF16" },
    { MAP_0F38, 0xcb, 0xcd, "VSHA512" },                 { MAP_0F38, 0xda, 0xda, "VSM3" },
    { MAP_0F38, 0x49, 0x5e, "AMX" },                     { MAP_0F38, 0xe0, 0xef, "CMPccXADD" },
};

static bool hosts_differ(unsigned map, unsigned opcode, unsigned w, bool mode32)
{
    return map == MAP_0F3A && (opcode < 2 ? !w : mode32 && w && (opcode == 0x16 || opcode == 0x22));
}

static bool is_foreign(unsigned map, unsigned opcode)
{
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        if (foreign[i].map == map && opcode >= foreign[i].first && opcode <= foreign[i].last)
            return true;
    return false;
}

struct checker {
    struct isa_gen *g;
    struct isa_case cases[CHUNK];
    bool expected[CHUNK];      /* the decoder knows it */
    size_t n;
    uint64_t compared, different;
};

static void flush(struct checker *k)
{
    static struct isa_result results[CHUNK];
    if (!isa_host_run(k->cases, results, k->n))
        k->different++;
    for (size_t i = 0; i < k->n; i++) {
        bool valid = !(results[i].end == ISA_FAULT && results[i].vector == EXC_UD);
        k->compared++;
        if (valid == k->expected[i] || k->different++ >= 40)
            continue;
        printf("VEX encoding, %s:", k->cases[i].mode32 ? "32-bit" : "64-bit");
        for (unsigned b = 0; b < k->cases[i].len; b++)
            printf(" %02x", k->cases[i].code[b]);
        printf(": %s here, %s on the host\n", k->expected[i] ? "valid" : "#UD", valid ? "valid" : "#UD");
    }
    k->n = 0;
}

/* [rax + index 4] or register 1; an immediate of 0 behind it for the decoder to take or leave. */
static void add(struct checker *k, bool mode32, unsigned prefix, unsigned map, unsigned vex2, unsigned opcode,
                unsigned reg, bool memory)
{
    uint64_t mode = MODE_PE | MODE_LMA | MODE_OSFXSR | (mode32 ? MODE_CS32 | MODE_SS32 : MODE_CS64) | MODE_FLAT_DATA |
                    MODE_FLAT_SS | (uint64_t)3 << MODE_CPL_SHIFT;
    struct isa_case *c = &k->cases[k->n];
    struct x86_insn insn;
    uint8_t bytes[16] = { 0 };
    unsigned n = 0;
    memset(c, 0, sizeof *c);
    if (prefix)
        bytes[n++] = (uint8_t)prefix;
    bytes[n++] = 0xc4;
    bytes[n++] = (uint8_t)(0xe0 | map);
    bytes[n++] = (uint8_t)vex2;
    bytes[n++] = (uint8_t)opcode;
    bytes[n++] = (uint8_t)(memory ? 4 | reg << 3 : 0xc1 | reg << 3);
    if (memory)
        bytes[n++] = 0x20;
    k->expected[k->n] = x86_decode(k->g->decoder, bytes, 15, mode, k->g->features, &insn) == X86_DECODE_OK;
    c->len = (uint8_t)(k->expected[k->n] ? insn.len : n + 1);
    memcpy(c->code, bytes, sizeof bytes);
    c->mode32 = mode32;
    for (unsigned i = 0; i < (mode32 ? 8 : 16); i++)
        c->in.gpr[i] = ISA_WINDOW + 0x100;
    c->in.fx[0] = 0x7f, c->in.fx[1] = 3, c->in.fx[24] = 0x80, c->in.fx[25] = 0x1f;
    store_le(c->in.window + 0x100, 4, 0x1f80);     /* VLDMXCSR's operand */
    if (++k->n == CHUNK)
        flush(k);
}

static void one_opcode(struct checker *k, bool mode32, unsigned map, unsigned opcode)
{
    for (unsigned low = 0; low < 8; low++)                     /* L, pp */
        for (unsigned w = 0; w < 2; w++)
            for (unsigned v = 14; v < 16; v++)
                for (unsigned reg = 0; reg < 8 && !hosts_differ(map, opcode, w, mode32); reg++)
                    for (unsigned memory = 0; memory < 2; memory++)
                        add(k, mode32, 0, map, w << 7 | v << 3 | low, opcode, reg, memory);
}

uint64_t isa_vex_encodings(struct isa_gen *g, bool mode32, uint64_t *different)
{
    static const uint8_t prefixes[] = { 0x66, 0xf2, 0xf3, 0xf0, 0x48 };
    static struct checker k;
    k.g = g;
    k.n = 0;
    k.compared = k.different = 0;
    for (unsigned map = MAP_0F; map <= MAP_0F3A; map++)
        for (unsigned opcode = 0; opcode < 256; opcode++)
            if (!is_foreign(map, opcode))
                one_opcode(&k, mode32, map, opcode);
    for (unsigned i = 0; i < ARRAY_LEN(prefixes) - mode32; i++)    /* before VEX; REX is INC or DEC in 32-bit code */
        add(&k, mode32, prefixes[i], MAP_0F, 0x78, 0x58, 1, false);
    for (unsigned map = 0; map < 32; map += map == 0 ? 4 : 1)    /* no such map */
        if (map != 8 && map != 9 && map != 10 && map != 5 && map != 6 && map != 7)
            add(&k, mode32, 0, map, 0x78, 0x58, 1, false);
    flush(&k);
    *different = k.different;
    return k.compared;
}
