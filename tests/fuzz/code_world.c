/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine around random code: its devices, how an episode begins, and what is done to it from outside. */
#include "code_world.h"

#include <stdlib.h>

#include "guest/x86/flags.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mode.h"
#include "guest/x86/x87.h"
#include "host/host.h"
#include "still.h"
#include "vcpu/tlb_impl.h"

/* ---- the host ------------------------------------------------------------------------------ */

static void *memory_alloc(void *opaque, uint64_t size, struct error *err) { return alloc_zero(size); }
static void memory_free(void *opaque, void *p, uint64_t size) { free(p); }
static const struct host_memory plain_memory = { memory_alloc, memory_free, NULL };

/* ---- devices --------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    struct fuzz_random r = { a ^ b * UINT64_C(0x2545f4914f6cdd1d) };
    return fuzz_next(&r);
}

/* What it says depends on when it is asked. */
static uint64_t device_read(void *opaque, uint64_t addr, unsigned size)
{
    struct world *w = opaque;
    return mix(sim_position(w->sim), addr << 8 | size);
}

static void dma(struct world *w, uint64_t at, uint64_t value)
{
    uint8_t bytes[24];
    for (unsigned i = 0; i < 3; i++)
        store_le(bytes + 8 * i, 8, mix(value, i));
    space_write(w->mem, at, bytes, 1 + value % sizeof bytes);
}

static void device_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct world *w = opaque;
    w->events = mix(w->events, mix(sim_position(w->sim), mix(addr << 8 | size, value)));
    uint64_t r = mix(value, addr);
    switch (r % 16) {
    case 0:
    case 1:
        world_interrupt(w, r >> 8);
        break;
    case 2:
    case 3:
        dma(w, AT_CODE + (r >> 8) % CODE_SIZE, r);
        break;
    case 4:
        dma(w, AT_TABLES + (r >> 8) % 0x6000, r);
        break;
    case 5:
        w->overlay_on = !w->overlay_on;
        space_map_enable(w->overlay, w->overlay_on);
        break;
    case 6:
        x86_cpu_set_a20(w->cpu, r >> 8 & 7);
        break;
    default:
        break;
    }
}

static const struct io_ops device = { device_read, device_write, 1, 4 };

/* ---- the local APIC ------------------------------------------------------------------------------ */

static int take_vector(void *opaque)
{
    struct world *w = opaque;
    x86_cpu_set_irq(w->cpu, X86_IRQ_INTR, false);
    uint64_t r = mix(sim_position(w->sim), 77);
    return r % 16 ? (int)(0x20 + (r >> 8) % 0x40) : -1;
}

static uint64_t get_word(void *opaque) { return 0xfee00900; }
static void set_word(void *opaque, uint64_t value) { }
static uint8_t get_tpr(void *opaque) { return 3; }
static void set_tpr(void *opaque, uint8_t cr8) { }
static bool x2_read(void *opaque, uint32_t msr, uint64_t *value) { *value = msr; return msr & 1; }
static bool x2_write(void *opaque, uint32_t msr, uint64_t value) { return msr & 2; }
static const struct x86_apic_ops apic = { take_vector, get_word, set_word, get_tpr, set_tpr, x2_read, x2_write,
                                          set_word, get_word };

/* ---- wiring ------------------------------------------------------------------------------------------ */

static void wire_memory(struct world *w)
{
    struct error err;
    w->ram = ram_new("ram", RAM_SIZE, &plain_memory, &err);
    w->rom = ram_new("rom", ROM_SIZE, &plain_memory, &err);
    w->mem = space_new("memory", UINT64_C(1) << 40, NULL);
    w->io = space_new("io", 65536, NULL);
    space_map_ram(w->mem, "ram", 0, RAM_SIZE, 0, w->ram, 0, true);
    space_map_ram(w->mem, "alias", AT_ALIAS, 0x20000, 0, w->ram, AT_CODE, true);
    space_map_ram(w->mem, "rom", AT_ROM, ROM_SIZE, 0, w->rom, 0, false);
    space_map_ram(w->mem, "high", AT_HIGH, RAM_SIZE, 0, w->ram, 0, true);
    w->overlay = space_map_ram(w->mem, "overlay", AT_CODE + PAGE_SIZE, PAGE_SIZE, 1, w->rom, 0, false);
    space_map_io(w->mem, "device", AT_DEVICE, PAGE_SIZE, 0, &device, w);
    space_map_io(w->io, "ports", 0, 65536, 0, &device, w);
}

struct world *world_new(const struct engine_config *config, bool long_mode)
{
    static const struct sim_config sim_config = { .shift = 0 };
    struct engine_config c = *config;
    struct world *w = NEW(struct world);
    struct error err;
    c.code = &host_code;
    w->sim = still_sim(&sim_config, &w->port);
    wire_memory(w);
    w->cpu = x86_cpu_new(0, long_mode ? "max" : "max,-lm", NULL, w->sim, w->mem, w->io, &err);
    w->register_mask = long_mode ? UINT64_MAX : UINT32_MAX;
    w->engine = engine_new(&c, &err);
    if (!w->cpu || !w->engine)
        panic("%s", err.text);
    w->cpu->apic = &apic;
    w->cpu->apic_opaque = w;
    engine_add_vcpu(w->engine, &w->cpu->v);
    engine_add_ram(w->engine, w->ram);
    engine_add_ram(w->engine, w->rom);
    return w;
}

void world_free(struct world *w)
{
    x86_cpu_free(w->cpu);
    engine_free(w->engine);
    space_free(w->mem);
    space_free(w->io);
    ram_free(w->ram);
    ram_free(w->rom);
    still_sim_free(w->sim, w->port);
    free(w);
}

/* ---- an episode -------------------------------------------------------------------------------------- */

static bool is_long(const struct episode *e) { return e->mode >= LONG64; }

static void set_control(struct x86_state *s, const struct episode *e, struct fuzz_random *r)
{
    s->cr0 = CR0_ET | CR0_NE | (fuzz_below(r, 2) ? CR0_WP : 0) | (fuzz_below(r, 2) ? CR0_AM : 0) |
             (fuzz_below(r, 2) ? CR0_MP : 0) | (fuzz_below(r, 24) ? 0 : CR0_TS) | (fuzz_below(r, 48) ? 0 : CR0_EM);
    s->cr4 = fuzz_below(r, 16) ? CR4_OSFXSR | CR4_OSXMMEXCPT : 0;
    s->cr4 |= fuzz_next(r) & (CR4_VME | CR4_PVI | CR4_DE | CR4_PSE | CR4_PGE | CR4_PCE | CR4_FSGSBASE | CR4_OSXSAVE);
    s->cr4 |= fuzz_below(r, 4) ? 0 : fuzz_next(r) & (CR4_TSD | CR4_UMIP | CR4_SMEP | CR4_SMAP);
    s->xcr0 = XSAVE_X87 | XSAVE_SSE | (fuzz_below(r, 4) ? XSAVE_AVX : 0);
    s->efer = EFER_SCE | (fuzz_below(r, 2) ? EFER_NXE : 0);
    if (e->mode != REAL16)
        s->cr0 |= CR0_PE;
    if (e->paging != PAGING_OFF)
        s->cr0 |= CR0_PG;
    if (e->paging == PAGING_PAE)
        s->cr4 |= CR4_PAE;
    if (is_long(e)) {
        s->efer |= EFER_LME | EFER_LMA;
        s->cr4 |= fuzz_below(r, 2) ? CR4_PCIDE : 0;
    }
    s->cr3 = AT_TABLES;
}

/* Segments with base 16 * selector. */
static void set_paragraph(struct x86_segment *seg, unsigned selector, unsigned cpl)
{
    *seg = (struct x86_segment){ .base = selector << 4, .limit = 0xffff, .selector = (uint16_t)selector,
                                 .attr = ATTR_P | ATTR_S | ATTR_RW | ATTR_ACCESSED | cpl << ATTR_DPL_SHIFT };
}

static void set_segments(struct world *w, const struct episode *e, struct fuzz_random *r)
{
    struct x86_state *s = &w->cpu->s;
    const uint8_t *ram = w->ram->host;
    bool user = e->cpl == 3;
    if (e->mode == REAL16 || e->mode == V86) {
        for (int i = 0; i < SEG_LDTR; i++)
            set_paragraph(&s->seg[i], fuzz_below(r, 2) ? 0x1000 : (unsigned)fuzz_below(r, 0x10000), e->cpl);
        set_paragraph(&s->seg[SEG_CS], AT_CODE >> 4, e->cpl);
        set_paragraph(&s->seg[SEG_SS], AT_DATA >> 4, e->cpl);
        return;
    }
    bool narrow = e->mode == PROTECTED16 || e->mode == LONG16, wide = e->mode == LONG64;
    unsigned code = narrow ? user ? GDT_USER16 : GDT_CODE16 :
                    wide ? user ? GDT_USER64 : GDT_CODE64 : user ? GDT_USER32 : GDT_CODE32;
    unsigned data = narrow ? user ? GDT_USER_DATA16 : GDT_DATA16 : user ? GDT_USER_DATA : GDT_DATA;
    for (unsigned i = 0; i < SEG_LDTR; i++) {
        bool any = e->mode == SEGMENTED32 && i != SEG_SS && fuzz_below(r, 2);
        unsigned n = any ? GDT_RANDOM + (unsigned)fuzz_below(r, 8) : data;
        s->seg[i] = code_segment(ram, i == SEG_CS ? code : n, e->cpl);
    }
    for (unsigned i = SEG_FS; i <= SEG_GS && wide; i++)
        s->seg[i].base = fuzz_below(r, 2) ? AT_DATA + fuzz_below(r, 0x1000) : 0;
}

static void set_system(struct world *w, const struct episode *e)
{
    struct x86_state *s = &w->cpu->s;
    bool real = e->mode == REAL16;
    s->gdt = (struct x86_table){ .base = AT_GDT, .limit = 8 * GDT_ENTRIES - 1 };
    s->idt = (struct x86_table){ .base = real ? AT_IVT : AT_IDT, .limit = real ? 0x3ff : 0xfff };
    s->seg[SEG_TR] = code_segment(w->ram->host, GDT_TSS, 0);
    s->seg[SEG_TR].attr |= 2;                        /* busy */
    s->seg[SEG_LDTR] = code_segment(w->ram->host, GDT_LDT, 0);
    s->star = (uint64_t)(GDT_CODE32 << 3) << 32 | (uint64_t)(GDT_CODE16 << 3 | 3) << 48;
    s->lstar = s->cstar = AT_CODE + 0x100;
    s->sysenter_cs = GDT_CODE32 << 3;
    s->sysenter_esp = AT_STACKS + 0x1800;
    s->sysenter_eip = AT_CODE + 0x200;
    s->pdpte[0] = s->pdpte[1] = s->pdpte[2] = s->pdpte[3] = 0;
}

static void set_debug(struct x86_state *s, struct fuzz_random *r)
{
    if (fuzz_below(r, 6))
        return;
    for (unsigned i = 0; i < 4; i++)
        s->dr[i] = (fuzz_below(r, 2) ? AT_CODE : AT_DATA) + fuzz_below(r, 0x200);
    s->dr[7] = 0x400 | (fuzz_next(r) & 0xff) | (fuzz_next(r) & 0xffff0000);
}

static uint64_t interesting_word(struct fuzz_random *r)
{
    switch (fuzz_below(r, 10)) {
    case 0:
        return fuzz_below(r, 64);
    case 1:                             /* or what a displacement leads around to there */
        return fuzz_below(r, 2) ? fuzz_below(r, 64) : UINT32_MAX - fuzz_below(r, 128);
    case 2:
    case 3:
    case 4:
        return AT_DATA + fuzz_below(r, 0x3000);
    case 5:
        return AT_CODE + fuzz_below(r, CODE_SIZE);
    case 6:
        return AT_TABLES + 8 * fuzz_below(r, 0xc00);
    case 7:
        return fuzz_below(r, 2) ? AT_DEVICE + fuzz_below(r, 0x100) : AT_HIGH + fuzz_below(r, RAM_SIZE);
    case 8:
        return fuzz_below(r, 2) ? AT_DATA + 0xff0 + fuzz_below(r, 32)
                                : (UINT64_C(1) << fuzz_below(r, 64)) - fuzz_below(r, 3);
    default:
        return fuzz_next(r);
    }
}

static bool in_paragraphs(const struct x86_cpu *c) { return !(c->mode_flags & MODE_PE) || c->mode_flags & MODE_VM86; }

void world_steer(struct world *w, uint64_t seed)
{
    struct fuzz_random r = { seed };
    struct x86_state *s = &w->cpu->s;
    for (int i = 0; i < 16; i++)
        if (fuzz_below(&r, 4))
            s->gpr[i] = interesting_word(&r) & w->register_mask;
    bool based = in_paragraphs(w->cpu) || s->seg[SEG_CS].base == AT_CODE;
    s->gpr[R_SP] = (s->cpl == 3 ? AT_DATA + 0x2000 : AT_STACKS + 0x2000) + 8 * fuzz_below(&r, 0x80) +
                   (fuzz_below(&r, 16) ? 0 : 3);
    if (!(w->cpu->mode_flags & MODE_SS32) && !(w->cpu->mode_flags & MODE_CS64))
        s->gpr[R_SP] &= 0xfffe;
    s->rip = (based ? 0 : AT_CODE) + fuzz_below(&r, CODE_SIZE);
    if (!fuzz_below(&r, 12))
        s->rip = (based ? 0 : AT_CODE) + PAGE_SIZE - fuzz_below(&r, 16);
    if (!fuzz_below(&r, 16) && !based)
        s->rip = fuzz_below(&r, 3) ? AT_ROM + fuzz_below(&r, ROM_SIZE) : AT_DEVICE + fuzz_below(&r, 64);
    if (!fuzz_below(&r, 16))
        s->rip += based ? AT_ALIAS - AT_CODE : AT_HIGH;
    if (based)
        s->rip &= 0xffff;
    x86_set_rflags(w->cpu, fuzz_next(&r), FLAGS_ARITH | FLAG_DF | FLAG_AC | (fuzz_below(&r, 12) ? 0 : FLAG_TF));
    x86_set_rflags(w->cpu, fuzz_below(&r, 4) ? FLAG_IF : 0, FLAG_IF);
    s->halted = 0;
    s->wait_sipi = 0;
    x86_update_mode(w->cpu);
}

static void set_vectors(struct x86_cpu *c, struct fuzz_random *r)
{
    struct x86_state *s = &c->s;
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < 2; k++)
            s->ymm[i][k] = fuzz_below(r, 2) ? fuzz_next(r) : (uint64_t)fuzz_below(r, 0x800) << 52 | fuzz_below(r, 4);
    x86_set_mxcsr(c, MXCSR_RESET | (fuzz_below(r, 4) ? 0 : (uint32_t)fuzz_next(r) & 0xffc0));
    s->x87.cw = (uint16_t)(fuzz_below(r, 3) ? 0x37f : 0x40 | (fuzz_next(r) & 0xf3f));
    for (unsigned i = 0; i < 8; i++) {
        s->x87.st[i].mant = fuzz_next(r) | UINT64_C(1) << 63;
        s->x87.st[i].se = 0x3fff - 32 + fuzz_below(r, 64);
    }
    s->x87.empty = (uint8_t)(fuzz_below(r, 2) ? 0xff : fuzz_next(r));
    x86_x87_update_env(c);
    s->rng[0] = fuzz_next(r);
}

void world_begin(struct world *w, struct isa_gen *g, const struct episode *e)
{
    struct fuzz_random r = { e->seed };
    uint8_t *ram = alloc_zero(RAM_SIZE), *rom = alloc_zero(ROM_SIZE);
    struct x86_state *s = &w->cpu->s;
    g->rng = e->seed;
    code_image(g, e, ram, rom);
    x86_cpu_reset(w->cpu);
    w->overlay_on = false;
    space_map_enable(w->overlay, false);
    space_write(w->mem, 0, ram, RAM_SIZE);
    ram_note_write(w->rom, 0, ROM_SIZE);
    memcpy(w->rom->host, rom, ROM_SIZE);
    free(ram);
    free(rom);
    set_control(s, e, &r);
    s->cpl = e->cpl;
    x86_set_rflags(w->cpu, (e->mode == V86 ? FLAG_VM : 0) | fuzz_below(&r, 4) << 12, FLAG_VM | FLAG_IOPL);
    set_segments(w, e, &r);
    set_system(w, e);
    set_debug(s, &r);
    set_vectors(w->cpu, &r);
    if (e->paging == PAGING_PAE && !is_long(e))
        x86_load_pdptes(w->cpu);
    x86_mmu_context(w->cpu);
    x86_update_mode(w->cpu);
    world_steer(w, fuzz_next(&r));
}

/* ---- running ------------------------------------------------------------------------------------------ */

void world_interrupt(struct world *w, uint64_t random)
{
    x86_cpu_set_irq(w->cpu, random % 8 ? X86_IRQ_INTR : random % 64 == 8 ? X86_IRQ_INIT : X86_IRQ_NMI, true);
}

enum engine_stop world_run(struct world *w, uint64_t n)
{
    enum engine_stop why = STOP_BUDGET;
    for (uint64_t end = sim_position(w->sim) + n; why == STOP_BUDGET && sim_position(w->sim) < end;) {
        sim_run_begin(w->sim, &w->cpu->v.pos, end - sim_position(w->sim));
        why = engine_run(w->engine, &w->cpu->v);
        sim_run_end(w->sim);
    }
    return why;
}

/* All addresses that the TLB knows, ORed. */
static uint64_t known_pages(const struct tlb_set *s)
{
    uint64_t all = 0;
    for (unsigned m = 0; m < MMU_MODES; m++)
        for (unsigned i = 0; s->table[m].memory && i < 1u << s->table[m].bits; i++) {
            uint64_t page = tlb_entry_page(&s->table[m].entry[i]);
            all |= page == UINT64_MAX ? 0 : page;
        }
    return all;
}

bool world_is_narrow(const struct world *w)
{
    uint64_t all = w->register_mask == UINT64_MAX ? 0 : known_pages(w->cpu->v.tlb->now);
    for (unsigned i = 0; i < 16; i++)
        all |= w->cpu->s.gpr[i];
    return !(all & ~w->register_mask);
}

uint64_t world_hash(struct world *w)
{
    return mix(state_set_hash(sim_state(w->sim)), mix(w->events, mix(sim_position(w->sim), w->overlay_on)));
}
