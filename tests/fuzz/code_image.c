/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for random code: the system's tables so that most exceptions come back to the program, page tables
 * that map every linear address to something, and code of all kinds.
 */
#include "code_world.h"

#include "guest/x86/mode.h"
#include "isa/gen_impl.h"

/* ---- descriptors (SDM vol. 3, 3.4.5, 6.11, 7.2) -------------------------------------------- */

enum { D_CODE = 0x9b, D_DATA = 0x93, D_USER = 0x60, D_32 = 0x40, D_64 = 0x20, D_4K = 0x80 };

static void put_descriptor(uint8_t *at, uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    store_le(at, 2, limit);
    store_le(at + 2, 2, base);
    at[4] = (uint8_t)(base >> 16);
    at[5] = (uint8_t)access;
    at[6] = (uint8_t)(flags | (limit >> 16 & 15));
    at[7] = (uint8_t)(base >> 24);
}

struct x86_segment code_segment(const uint8_t *ram, unsigned index, unsigned rpl)
{
    const uint8_t *d = ram + AT_GDT + 8 * index;
    struct x86_segment s = { .selector = (uint16_t)(index << 3 | rpl) };
    s.base = load_le(d + 2, 2) | (uint64_t)d[4] << 16 | (uint64_t)d[7] << 24;
    s.limit = (uint32_t)(load_le(d, 2) | (uint64_t)(d[6] & 15) << 16);
    if (d[6] & D_4K)
        s.limit = s.limit << 12 | 0xfff;
    s.attr = d[5] | (uint32_t)(d[6] >> 4) << 12;
    return s;
}

static void put_gdt(struct isa_gen *g, uint8_t *ram, bool is_long)
{
    uint8_t *t = ram + AT_GDT;
    static const struct { uint8_t index, access, flags; bool narrow; } plain[] = {
        { GDT_CODE32, D_CODE, D_32 | D_4K, false }, { GDT_DATA, D_DATA, D_32 | D_4K, false },
        { GDT_CODE64, D_CODE, D_64 | D_4K, false }, { GDT_USER32, D_CODE | D_USER, D_32 | D_4K, false },
        { GDT_USER_DATA, D_DATA | D_USER, D_32 | D_4K, false }, { GDT_USER64, D_CODE | D_USER, D_64 | D_4K, false },
        { GDT_CODE16, D_CODE, 0, true }, { GDT_USER16, D_CODE | D_USER, 0, true }, { GDT_DATA16, D_DATA, 0, true },
        { GDT_USER_DATA16, D_DATA | D_USER, 0, true }, { GDT_CONFORMING, 0x9f, D_32 | D_4K, false },
        { GDT_DOWN, 0x97, D_32 | D_4K, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        bool narrow = plain[i].narrow;
        uint32_t base = !narrow ? 0 : plain[i].access & 8 ? AT_CODE : (AT_DATA - 0x8000) & ~0xfffu;
        put_descriptor(t + 8 * plain[i].index, base, narrow ? 0xffff : 0xfffff, plain[i].access, plain[i].flags);
    }
    put_descriptor(t + 8 * GDT_TSS, AT_TSS, 0x2ff, 0x89, 0);
    put_descriptor(t + 8 * GDT_LDT, AT_LDT, 0xff, 0x82, 0);
    if (!is_long) {
        put_descriptor(t + 8 * GDT_TSS2, AT_TSS2, 0x67, 0x89, 0);
        store_le(t + 8 * GDT_TASK_GATE, 8, (uint64_t)(GDT_TSS2 << 3) << 16 | UINT64_C(0xe500) << 32);
        store_le(t + 8 * GDT_GATE, 8, (AT_CODE & 0xffff) | (uint64_t)(GDT_CODE32 << 3) << 16 | UINT64_C(0xec00) << 32 |
                                          (uint64_t)(AT_CODE >> 16) << 48);
    }
    for (unsigned i = GDT_RANDOM; i < GDT_ENTRIES; i++)
        put_descriptor(t + 8 * i, AT_DATA + gen_below(g, 0x2000), gen_below(g, 2) ? gen_below(g, 0x8000) : 0xfffff,
                       gen_below(g, 6) ? 0x90u | gen_below(g, 16) | gen_below(g, 4) << 5 : gen_below(g, 256),
                       gen_below(g, 16) << 4);
    for (unsigned i = 0; i < 32; i++)
        memcpy(ram + AT_LDT + 8 * i, t + 8 * gen_below(g, GDT_ENTRIES), 8);
}

/* ---- exceptions: skip a few bytes of the program, or come back, or go elsewhere ------------------- */

enum { STUBS = 16, STUB_SIZE = 32 };

static bool has_error(unsigned v) { return v == 8 || (v >= 10 && v <= 14) || v == 17; }

/* The stub numbered n: with and without an error code to drop; skipping 0 to 5 bytes; two that never return. */
static void put_stub(struct isa_gen *g, uint8_t *p, unsigned n, unsigned width, uint64_t at)
{
    unsigned skip = n / 2;
    if (skip < 6) {
        const uint8_t rex[1] = { 0x48 };
        unsigned r = width == 8;
#define PUT(...) do { const uint8_t b[] = { __VA_ARGS__ }; memcpy(p, b, sizeof b); p += sizeof b; } while (0)
        if (width == 2) {
            PUT(0x55, 0x89, 0xe5, 0x83, 0x46, 0x02, (uint8_t)skip, 0x5d, 0xcf);
            return;
        }
        memcpy(p, rex, r);
        p += r;
        if (n & 1)
            PUT(0x83, 0xc4, (uint8_t)width);
        if (r && n & 1)
            *p++ = rex[0];
        PUT(0x83, 0x04, 0x24, (uint8_t)skip);
        memcpy(p, rex, r);
        p += r;
        PUT(0xcf);
        return;
    }
    *p = 0xe9;
    store_le(p + 1, width == 2 ? 2 : 4, AT_CODE + gen_below(g, CODE_SIZE) - (at + (width == 2 ? 3 : 5)));
#undef PUT
}

static unsigned stub_for(struct isa_gen *g, unsigned vector)
{
    unsigned skip = vector >= 0x20 && vector < 0x60 ? 0 :
                    gen_below(g, 40) ? 1 + gen_below(g, 5) : gen_below(g, 2) ? 0 : 6;
    return 2 * skip + has_error(vector);
}

static void put_idt(struct isa_gen *g, uint8_t *ram, bool is_long)
{
    for (unsigned v = 0; v < 256; v++) {
        uint8_t *gate = ram + AT_IDT + (is_long ? 16 : 8) * v;
        uint64_t at = AT_STUBS + STUB_SIZE * stub_for(g, v);
        store_le(gate, 2, at);
        store_le(gate + 2, 2, (is_long ? GDT_CODE64 : GDT_CODE32) << 3);
        gate[4] = is_long && !gen_below(g, 16) ? (uint8_t)(1 + gen_below(g, 2)) : 0;
        gate[5] = (uint8_t)((gen_below(g, 3) ? 0x8e : 0x8f) | (gen_below(g, 2) ? 0x60 : 0));
        store_le(gate + 6, 2, at >> 16);
        if (!is_long && !gen_below(g, 40))
            store_le(gate, 8, (uint64_t)(GDT_TSS2 << 3) << 16 | UINT64_C(0xe500) << 32);
    }
}

static void put_ivt(struct isa_gen *g, uint8_t *ram)
{
    for (unsigned v = 0; v < 256; v++)
        store_le(ram + AT_IVT + 4 * v, 4, AT_REAL_STUBS + STUB_SIZE * (stub_for(g, v) & ~1u));
    for (unsigned n = 0; n < 12; n++)
        put_stub(g, ram + AT_REAL_STUBS + STUB_SIZE * n, n, 2, AT_REAL_STUBS + STUB_SIZE * n);
    uint8_t *far = ram + AT_REAL_STUBS + STUB_SIZE * 12;       /* jmp 1000:offset */
    far[0] = 0xea;
    store_le(far + 1, 2, gen_below(g, CODE_SIZE));
    store_le(far + 3, 2, AT_CODE >> 4);
}

static void put_tss(struct isa_gen *g, uint8_t *ram, bool is_long)
{
    uint8_t *t = ram + AT_TSS;
    for (unsigned i = 0; i < 3; i++)
        if (is_long)
            store_le(t + 4 + 8 * i, 8, AT_STACKS + 0x1000 * (i + 1));
        else
            store_le(t + 4 + 8 * i, 8, (AT_STACKS + 0x1000 * (i + 1)) | (uint64_t)(GDT_DATA << 3) << 32);
    for (unsigned i = 0; is_long && i < 7; i++)
        store_le(t + 0x24 + 8 * i, 8, AT_STACKS + 0x800 + 0x400 * i);
    store_le(t + 0x66, 2, 0x88);
    for (unsigned i = 0x68; i < 0x300; i++)
        t[i] = (uint8_t)(gen_below(g, 3) ? 0 : gen_next(g));
    uint8_t *u = ram + AT_TSS2;
    static const uint8_t selectors[] = { GDT_DATA, GDT_CODE32, GDT_DATA, GDT_DATA, 0, GDT_USER_DATA, 0 };
    store_le(u + 0x1c, 4, AT_TABLES);
    store_le(u + 0x20, 4, AT_CODE + gen_below(g, CODE_SIZE));
    store_le(u + 0x24, 4, 2 | (gen_next(g) & 0xcd5));
    for (unsigned i = 0; i < 8; i++)
        store_le(u + 0x28 + 4 * i, 4, AT_DATA + gen_below(g, 0x1000));
    store_le(u + 0x38, 4, AT_STACKS + 0x2800);
    for (unsigned i = 0; i < 6; i++)
        store_le(u + 0x48 + 4 * i, 4, selectors[i] << 3 | (selectors[i] == GDT_USER_DATA ? 3 : 0));
    store_le(u + 0x60, 4, GDT_LDT << 3);
}

/* ---- page tables ------------------------------------------------------------------------------------- */

/* Tables behind the root, in this order: two directories, two tables of pages, one more level. */
enum { PT_ROOT = AT_TABLES, PT_DIR = AT_TABLES + 0x1000, PT_LEAF = AT_TABLES + 0x3000, PT_TOP = AT_TABLES + 0x5000 };

static uint64_t rights(struct isa_gen *g)
{
    uint64_t e = gen_below(g, 24) ? 1 : 0;
    e |= (gen_below(g, 8) ? 2 : 0) | (gen_below(g, 6) ? 4 : 0) | (gen_below(g, 2) ? 0x20 : 0) |
         (gen_below(g, 2) ? 0x40 : 0);
    return e | (gen_below(g, 4) ? 0 : 0x100) | (gen_below(g, 32) ? 0 : 8u << gen_below(g, 2));
}

static uint64_t random_page(struct isa_gen *g)
{
    static const uint32_t places[] = { AT_CODE, AT_CODE + 0x1000, AT_DATA, AT_DATA + 0x1000, AT_DEVICE, AT_ROM,
                                       AT_TABLES + 0x3000, AT_HIGH + AT_DATA };
    return gen_below(g, 3) ? places[gen_below(g, ARRAY_LEN(places))]
                           : (uint64_t)gen_below(g, RAM_SIZE / PAGE_SIZE) << 12;
}

/* Linear addresses below 2 MiB are physical ones, mostly; the system's own always, and what 16-bit code uses. */
static void put_leaf(struct isa_gen *g, uint8_t *ram, unsigned size, unsigned which, bool nx)
{
    unsigned n = PAGE_SIZE / size;
    for (unsigned i = 0; i < n; i++) {
        uint64_t e = rights(g) | (which || gen_below(g, 24) ? random_page(g) : (uint64_t)i << 12);
        if (!which && i < 0x200)
            e = (e & 0x160) | (i >= 0x10 ? rights(g) : 0) | (uint64_t)i << 12;
        if (!which && i < 0x10)
            e |= 0x63;                                      /* present, writable, accessed, dirty */
        if (!which && ((i >= 0x10 && i < 0x12) || i == 0x20))
            e |= 7;
        if (size == 8 && nx && i >= 0x20 && !gen_below(g, 16))
            e |= UINT64_C(1) << 63;
        store_le(ram + PT_LEAF + PAGE_SIZE * which + size * i, size, e);
    }
}

static void put_pages(struct isa_gen *g, uint8_t *ram, const struct episode *e)
{
    bool is_long = e->mode >= LONG64;
    unsigned size = e->paging == PAGING_PAE ? 8 : 4;
    put_leaf(g, ram, size, 0, is_long);
    put_leaf(g, ram, size, 1, is_long);
    if (size == 4) {
        for (unsigned i = 0; i < 1024; i++)
            store_le(ram + PT_ROOT + 4 * i, 4,
                     (i && !gen_below(g, 8) ? (uint64_t)gen_below(g, 4) << 22 | 0xe7
                                            : PT_LEAF + PAGE_SIZE * (i ? gen_below(g, 2) : 0)) |
                         (i ? rights(g) : 7));
        return;
    }
    for (unsigned d = 0; d < 2; d++)
        for (unsigned i = 0; i < 512; i++)
            store_le(ram + PT_DIR + PAGE_SIZE * d + 8 * i, 8,
                     (i && !gen_below(g, 8) ? (uint64_t)gen_below(g, 2) << 21 | 0xe7
                                            : PT_LEAF + PAGE_SIZE * (i ? gen_below(g, 2) : 0)) | (i ? rights(g) : 7));
    if (!is_long) {
        for (unsigned i = 0; i < 4; i++)
            store_le(ram + PT_ROOT + 8 * i, 8, (PT_DIR + PAGE_SIZE * (i ? gen_below(g, 2) : 0)) | 1);
        return;
    }
    for (unsigned i = 0; i < 512; i++) {
        bool large = i && !gen_below(g, 16);
        store_le(ram + PT_ROOT + 8 * i, 8, PT_TOP | (i ? (rights(g) & ~UINT64_C(0x180)) : 7));
        store_le(ram + PT_TOP + 8 * i, 8,
                 (large ? 0xe7u : (PT_DIR + PAGE_SIZE * (i ? gen_below(g, 2) : 0))) | (i ? rights(g) : 7));
    }
}

/* ---- code ------------------------------------------------------------------------------------------------ */

static uint64_t decode_mode(const struct episode *e)
{
    uint64_t f = MODE_OSFXSR | (e->mode == REAL16 ? 0 : MODE_PE) | (e->mode == V86 ? MODE_VM86 : 0);
    if (e->mode >= LONG64)
        f |= MODE_LMA;
    if (e->mode == LONG64)
        return f | MODE_CS64;
    return f | (e->mode == PROTECTED32 || e->mode == SEGMENTED32 || e->mode == LONG32 ? MODE_CS32 | MODE_SS32 : 0);
}

struct rows {
    const struct x86_row *row[2048];
    size_t n, integer;              /* those of integer instructions come first */
};

static const struct rows *all_rows(void)
{
    static struct rows r;
    if (!r.n) {
        r.n = isa_rows(r.row, ARRAY_LEN(r.row));
        while (x86_rows_int[r.integer].lift)
            r.integer++;
    }
    return &r;
}

static unsigned put_row(struct isa_gen *g, uint64_t flags, uint8_t *out)
{
    const struct rows *all = all_rows();
    struct x86_insn insn;
    for (unsigned i = 0; i < 20; i++) {
        const struct x86_row *row = all->row[gen_below(g, (unsigned)(gen_below(g, 8) < 5 ? all->integer : all->n))];
        if (isa_row_exists(row, !(flags & MODE_CS64)) && isa_encode(g, row, flags, &insn)) {
            memcpy(out, insn.bytes, insn.len);
            return insn.len;
        }
    }
    *out = 0x90;
    return 1;
}

/* Loops, jumps, and stores near the instruction that runs. */
static unsigned put_idiom(struct isa_gen *g, uint64_t flags, uint8_t *out)
{
    switch (gen_below(g, 6)) {
    case 0:                                     /* a short loop */
        out[0] = (uint8_t)(gen_below(g, 3) ? 0x70 + gen_below(g, 16) : 0xe0 + gen_below(g, 4));
        out[1] = (uint8_t)-(2 + (int)gen_below(g, 40));
        return 2;
    case 1:
        out[0] = (uint8_t)(0x70 + gen_below(g, 16));
        out[1] = (uint8_t)gen_below(g, 60);
        return 2;
    case 2:
        out[0] = (uint8_t)(gen_below(g, 2) ? 0xe8 : 0xe9);
        store_le(out + 1, 4, (uint64_t)gen_below(g, 0x1000) - 0x800);
        return flags & (MODE_CS32 | MODE_CS64) ? 5 : 3;
    case 3:
        if (!(flags & MODE_CS64))
            break;
        out[0] = (uint8_t)(0x88 + gen_below(g, 2));       /* mov [rip + ...], reg */
        out[1] = (uint8_t)(5 | gen_below(g, 8) << 3);
        store_le(out + 2, 4, (uint64_t)gen_below(g, 200) - 60);
        return 6;
    case 4:                                     /* add byte [base + ...], imm */
        out[0] = 0x80;
        out[1] = (uint8_t)(0x40 | gen_below(g, 8) << 3 | (5 + gen_below(g, 3)));
        out[2] = (uint8_t)gen_next(g);
        out[3] = (uint8_t)gen_next(g);
        return 4;
    default:
        break;
    }
    out[0] = (uint8_t)(0xc3 - gen_below(g, 2) * (0xc3 - 0x58) + gen_below(g, 2));
    return 1;
}

static void put_code(struct isa_gen *g, uint8_t *at, size_t size, uint64_t flags)
{
    unsigned random = gen_below(g, 3) ? 6 : gen_below(g, 100);      /* hundredths of random bytes */
    uint8_t insn[24];
    for (size_t n = 0; n + sizeof insn < size;) {
        unsigned kind = gen_below(g, 100), len;
        if (kind < random) {
            len = 1 + gen_below(g, 6);
            store_le(insn, 8, gen_next(g));
        } else if (kind < random + (100 - random) / 8) {
            len = put_idiom(g, flags, insn);
        } else {
            len = put_row(g, flags, insn);
        }
        memcpy(at + n, insn, len);
        n += len;
    }
}

void code_image(struct isa_gen *g, const struct episode *e, uint8_t *ram, uint8_t *rom)
{
    bool is_long = e->mode >= LONG64;
    put_ivt(g, ram);
    put_gdt(g, ram, is_long);
    put_idt(g, ram, is_long);
    put_tss(g, ram, is_long);
    for (unsigned n = 0; n < STUBS; n++)
        put_stub(g, ram + AT_STUBS + STUB_SIZE * n, n, is_long ? 8 : 4, AT_STUBS + STUB_SIZE * n);
    if (e->paging != PAGING_OFF)
        put_pages(g, ram, e);
    g->reach = gen_below(g, 2) ? 0x3000 : AT_HIGH;
    put_code(g, ram + AT_CODE, CODE_SIZE, decode_mode(e));
    put_code(g, rom, ROM_SIZE, decode_mode(e));
    for (size_t i = 0; i < 0x4000; i += 8)
        store_le(ram + AT_DATA + i, 8, gen_interesting(g));
}
