/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reprise's side of the instruction tests: one x86 CPU in user mode with the
 * same three regions mapped as the host's child has.
 */
#include "isa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "guest/x86/cpu.h"
#include "guest/x86/flags.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mode.h"
#include "guest/x86/x87.h"
#include "host/host.h"
#include "../still.h"

/* Physical layout: page tables, then the mapped pages. */
enum {
    PHYS_PML4 = 0x1000,
    PHYS_NEXT_TABLE = 0x2000,
    PHYS_CODE = 0x100000,
    PHYS_DATA = 0x101000,
    PHYS_KERNEL = 0x103000,
    PHYS_READ_ONLY = 0x104000,
    PHYS_SIZE = 0x200000,
};

/*
 * The supervisor page: GDT, TSS, IDT and a stack.  Handler addresses encode the
 * vector and are never executed.  The GDT has what Linux puts there, since LAR, far
 * transfers and loads of segment registers look at it.
 */
enum {
    KERNEL = 0x40000000,
    KERNEL_GDT = KERNEL,
    KERNEL_TSS = KERNEL + 0x100,
    KERNEL_IDT = KERNEL + 0x400,
    KERNEL_STACK = KERNEL + 0x1000,
    KERNEL_HANDLER = KERNEL + 0x1000,
    KERNEL_CS = 0x10,
    KERNEL_TR = 0x40,
    VECTORS = 32,
};

struct isa_emu {
    struct sim *sim;
    struct input_port *port;
    struct space *mem, *io;
    struct ram *ram;
    struct x86_cpu *cpu;
    struct engine *engine;
    uint64_t next_table;
};

static void die(const struct error *err)
{
    fprintf(stderr, "isa: %s\n", err->text);
    exit(1);
}

/* Page-table entries (SDM vol. 3, 4.5): accessed, dirty, writable, present; not executable, user. */
#define KERNEL_PAGE UINT64_C(0x63)
#define CODE_PAGE UINT64_C(0x67)
#define DATA_PAGE UINT64_C(0x8000000000000067)
#define READ_ONLY_PAGE UINT64_C(0x8000000000000065)

/* Maps one page, with all levels created on the way. */
static void map_page(struct isa_emu *e, uint64_t va, uint64_t pa, uint64_t rights)
{
    uint64_t table = PHYS_PML4;
    for (int shift = 39; shift > 12; shift -= 9) {
        uint64_t slot = table + 8 * ((va >> shift) & 511);
        uint64_t entry = space_load(e->mem, slot, 8);
        if (!(entry & 1)) {
            entry = e->next_table | 7;
            e->next_table += 0x1000;
            space_store(e->mem, slot, 8, entry);
        }
        table = entry & ~UINT64_C(0xfff);
    }
    space_store(e->mem, table + 8 * ((va >> 12) & 511), 8, pa | rights);
}

/* Descriptors of the supervisor page: SDM vol. 3, 3.4.5, 6.14.1 and 7.7. */
static void build_kernel_page(struct isa_emu *e)
{
    uint8_t page[PAGE_SIZE] = { 0 };
    static const uint64_t gdt[16] = { [1] = UINT64_C(0x00cf9b000000ffff), [2] = UINT64_C(0x00af9b000000ffff),
                                      [3] = UINT64_C(0x00cf93000000ffff), [CODE32 / 8] = UINT64_C(0x00cffb000000ffff),
                                      [DATA / 8] = UINT64_C(0x00cff3000000ffff),
                                      [CODE64 / 8] = UINT64_C(0x00affb000000ffff),
                                      [8] = UINT64_C(0x00008b0000000067) };
    memcpy(page, gdt, sizeof gdt);
    if (!isa_host_has_mode32())        /* then the host's table lacks the segment, too */
        store_le(page + align_down(CODE32, 8), 8, 0);
    store_le(page + (KERNEL_TSS - KERNEL) + 0x66, 2, 0x68);        /* no I/O permissions */
    store_le(page + (KERNEL_TSS - KERNEL) + 4, 8, KERNEL_STACK);
    for (uint64_t v = 0; v < VECTORS; v++) {
        uint8_t *gate = page + (KERNEL_IDT - KERNEL) + 16 * v;
        uint64_t handler = KERNEL_HANDLER + 16 * v;
        store_le(gate, 2, handler);
        store_le(gate + 2, 2, KERNEL_CS);
        gate[5] = v == 3 || v == 4 ? 0xee : 0x8e;
        store_le(gate + 6, 2, handler >> 16);
    }
    space_write(e->mem, PHYS_KERNEL, page, sizeof page);
    map_page(e, KERNEL, PHYS_KERNEL, KERNEL_PAGE);
}

struct isa_emu *isa_emu_new(const char *engine)
{
    struct error err;
    struct isa_emu *e = calloc(1, sizeof *e);
    struct sim_config sc = { .shift = 0 };
    struct engine_config ec = { .kind = engine, .code = &host_code, .verify = true };
    e->sim = still_sim(&sc, &e->port);
    e->mem = space_new("memory", UINT64_C(1) << 40, NULL);
    e->io = space_new("io", 65536, NULL);
    e->ram = ram_new("ram", PHYS_SIZE, &host_memory, &err);
    e->engine = engine_new(&ec, &err);
    if (!e->ram || !e->engine)
        die(&err);
    space_map_ram(e->mem, "ram", 0, PHYS_SIZE, 0, e->ram, 0, true);
    e->cpu = x86_cpu_new(0, "max", NULL, e->sim, e->mem, e->io, &err);
    if (!e->cpu)
        die(&err);
    engine_add_vcpu(e->engine, &e->cpu->v);
    engine_add_ram(e->engine, e->ram);
    e->next_table = PHYS_NEXT_TABLE;
    map_page(e, ISA_CODE, PHYS_CODE, CODE_PAGE);
    map_page(e, ISA_DATA, PHYS_DATA, DATA_PAGE);
    map_page(e, ISA_DATA + 0x1000, PHYS_DATA + 0x1000, DATA_PAGE);
    map_page(e, ISA_READ_ONLY, PHYS_READ_ONLY, READ_ONLY_PAGE);
    build_kernel_page(e);
    return e;
}

void isa_emu_free(struct isa_emu *e)
{
    x86_cpu_free(e->cpu);
    engine_free(e->engine);
    space_free(e->mem);
    space_free(e->io);
    ram_free(e->ram);
    still_sim_free(e->sim, e->port);
    free(e);
}

static void set_segments(struct x86_state *s, bool mode32)
{
    for (int i = 0; i < SEG_LDTR; i++) {
        s->seg[i] = (struct x86_segment){ .limit = 0xffffffff, .selector = DATA, .attr = 0xc0f3 };
        if (i >= SEG_FS)
            s->seg[i].selector = 0;
    }
    s->seg[SEG_CS].selector = mode32 ? CODE32 : CODE64;
    s->seg[SEG_CS].attr = mode32 ? 0xc0fb : 0xa0fb;
    s->cpl = 3;
}

/* FXSAVE image to state (SDM vol. 1, 10.5.1); the tag byte marks valid registers. */
static void load_fx(struct x86_cpu *c, const uint8_t *fx)
{
    struct x86_x87 *x = &c->s.x87;
    uint16_t sw = (uint16_t)load_le(fx + 2, 2);
    x->cw = (uint16_t)load_le(fx, 2);
    x->top = (uint8_t)(sw >> 11 & 7);
    x->sw = sw & ~0x3800;
    x->empty = (uint8_t)~fx[4];
    for (unsigned i = 0; i < 8; i++) {
        unsigned phys = (x->top + i) & 7;
        x->st[phys].mant = load_le(fx + 32 + 16 * i, 8);
        x->st[phys].se = load_le(fx + 40 + 16 * i, 2);
    }
    for (unsigned i = 0; i < 16; i++)
        memcpy(c->s.ymm[i], fx + 160 + 16 * i, 16);
    x86_set_mxcsr(c, (uint32_t)load_le(fx + 24, 4));
    x86_x87_update_env(c);
}

static void save_fx(struct x86_cpu *c, uint8_t *fx)
{
    const struct x86_x87 *x = &c->s.x87;
    memset(fx, 0, 512);
    store_le(fx, 2, x->cw);
    store_le(fx + 2, 2, (uint64_t)(x->sw | x->top << 11));
    fx[4] = (uint8_t)~x->empty;
    for (unsigned i = 0; i < 8; i++) {
        unsigned phys = (x->top + i) & 7;
        store_le(fx + 32 + 16 * i, 8, x->st[phys].mant);
        store_le(fx + 40 + 16 * i, 2, x->st[phys].se);
    }
    for (unsigned i = 0; i < 16; i++)
        memcpy(fx + 160 + 16 * i, c->s.ymm[i], 16);
    store_le(fx + 24, 4, x86_get_mxcsr(c));
}

static void load_state(struct isa_emu *e, const struct isa_case *c)
{
    struct x86_state *s = &e->cpu->s;
    x86_cpu_reset(e->cpu);
    s->cr0 = CR0_PG | CR0_WP | CR0_NE | CR0_MP | CR0_ET | CR0_PE | CR0_AM;
    s->cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE;
    s->cr3 = PHYS_PML4;
    s->xcr0 = XSAVE_X87 | XSAVE_SSE | XSAVE_AVX;
    s->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
    set_segments(s, c->mode32);
    s->gdt = (struct x86_table){ .base = KERNEL_GDT, .limit = 0x7f };
    s->idt = (struct x86_table){ .base = KERNEL_IDT, .limit = 16 * VECTORS - 1 };
    s->seg[SEG_TR] = (struct x86_segment){ .base = KERNEL_TSS, .limit = 0x67, .selector = KERNEL_TR, .attr = 0x8b };
    s->seg[SEG_LDTR].attr = ATTR_UNUSABLE;
    memcpy(s->gpr, c->in.gpr, sizeof s->gpr);
    s->rip = ISA_CODE + 0x800;
    x86_set_rflags(e->cpu, c->in.rflags | 0x202, UINT64_MAX);
    load_fx(e->cpu, c->in.fx);
    for (unsigned i = 0; i < 16; i++)
        memcpy(&s->ymm[i][2], c->in.high[i], 16);
    x86_update_mode(e->cpu);
    uint8_t code[0x80], data[ISA_DATA_SIZE];
    memset(code, 0x90, sizeof code);
    memcpy(code + 0x40, c->code, c->len);
    space_write(e->mem, PHYS_CODE + 0x7c0, code, sizeof code);
    isa_data_fill(data, c);
    space_write(e->mem, PHYS_DATA, data, sizeof data);
    x86_mmu_context(e->cpu);
}

static void step(struct isa_emu *e, unsigned positions)
{
    sim_run_begin(e->sim, &e->cpu->v.pos, positions);
    engine_run(e->engine, &e->cpu->v);
    sim_run_end(e->sim);
}

static bool in_code(uint64_t rip) { return rip >= ISA_CODE && rip < ISA_CODE + PAGE_SIZE; }
static bool in_handler(uint64_t rip) { return rip >= KERNEL_HANDLER && rip < KERNEL_HANDLER + 16 * VECTORS; }

/* The handler's stack frame (SDM vol. 3, 6.14.2) holds the interrupted state. */
static void read_frame(struct isa_emu *e, struct isa_result *r)
{
    static const uint32_t with_error = 1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 17;
    struct x86_state *s = &e->cpu->s;
    r->end = ISA_FAULT;
    r->vector = (uint8_t)((s->rip - KERNEL_HANDLER) / 16);
    r->has_cr2 = r->vector == 14;
    r->cr2 = s->cr2;
    bool has_error = with_error >> r->vector & 1;
    uint64_t words[6];
    space_read(e->mem, PHYS_KERNEL + (s->gpr[R_SP] - KERNEL), words, sizeof words);
    const uint64_t *frame = words + has_error;
    r->error = has_error ? words[0] : 0;
    r->rip = frame[0];
    r->out.rflags = frame[2];
    r->out.gpr[R_SP] = frame[3];
}

/* One instruction is one position, except REP: one for each iteration.  A sequence runs in two parts. */
void isa_emu_run(struct isa_emu *e, const struct isa_case *c, struct isa_result *r)
{
    enum { MAX_POSITIONS = 600 };
    struct x86_state *s = &e->cpu->s;
    uint64_t start = ISA_CODE + 0x800;
    memset(r, 0, sizeof *r);
    load_state(e, c);
    if (c->split)
        step(e, c->split);
    if (c->insns)
        step(e, c->insns - c->split);
    for (int i = 0; i < MAX_POSITIONS && s->rip == start; i++)
        step(e, 1);
    if (!in_code(s->rip) && !in_handler(s->rip))
        step(e, 1);                        /* jumped to where nothing can be fetched */
    memcpy(r->out.gpr, s->gpr, sizeof r->out.gpr);
    r->out.rflags = x86_get_rflags(e->cpu);
    r->end = ISA_LOST;
    if (s->rip == start + c->len)
        r->end = ISA_FELL_THROUGH;
    else if (s->rip == start + c->len + ISA_STUB_GAP)
        r->end = ISA_BRANCHED;
    else if (in_handler(s->rip))
        read_frame(e, r);
    save_fx(e->cpu, r->out.fx);
    for (unsigned i = 0; i < 16; i++)
        memcpy(r->out.high[i], &s->ymm[i][2], 16);
    uint8_t data[ISA_DATA_SIZE];
    space_read(e->mem, PHYS_DATA, data, sizeof data);
    isa_data_result(data, r);
}
