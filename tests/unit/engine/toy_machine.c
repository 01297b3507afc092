/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The toy's board: RAM, a device, and runs of exactly n positions. */
#include <stdlib.h>
#include <sys/mman.h>

#include "host/host.h"
#include "toy.h"

static void *host_alloc(void *opaque, uint64_t size, struct error *err) { return alloc_zero(size); }
static void host_free(void *opaque, void *p, uint64_t size) { free(p); }
static const struct host_memory host = { host_alloc, host_free, NULL };

uint64_t toy_position(const struct toy_machine *m) { return m->engine ? sim_position(m->sim) : m->ref_position; }

void toy_raise_irq(struct toy_machine *m)
{
    m->cpu.s.irq = 1;
    if (m->engine)
        sim_request_exit(m->sim);
}

static uint64_t device_read(void *opaque, uint64_t addr, unsigned size) { return toy_position(opaque) ^ addr << 8; }

static void device_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct toy_machine *m = opaque;
    if (m->n_events < ARRAY_LEN(m->event))
        m->event[m->n_events++] = (struct toy_event){ toy_position(m), addr << 8 | size, value };
    if (value & DEV_IRQ)
        toy_raise_irq(m);
    if (value & DEV_DMA_CODE)
        space_store(m->mem, TOY_CODE + (value >> 4 & 0x3fff), 1, value >> 3 & 15);
    if (value & DEV_DMA_TABLE) {     /* drops accessed and dirty bits of one entry */
        uint64_t at = TOY_TABLE + 8 * (value >> 4 & 63);
        space_store(m->mem, at, 8, space_load(m->mem, at, 8) & ~(uint64_t)(PTE_A | PTE_D));
    }
    if (value & DEV_REMAP) {
        m->overlay_on = !m->overlay_on;
        space_map_enable(m->overlay, m->overlay_on);
    }
}

static const struct io_ops device = { device_read, device_write, 1, 4 };

/*
 * Code memory as the engine may use it: a piece can be written from when it was announced until all was said to be
 * written, so a store to a piece that never was announced faults.  (Thunks are written before anything is.)
 */
static void code_prepare(void *opaque, void *p, uint64_t size)
{
    host_prepare(NULL, p, size);
    if (mprotect(p, size, PROT_READ | PROT_WRITE))
        panic("mprotect");
}

static void code_written(void *opaque, const struct code_memory *c)
{
    host_code.written(NULL, c);
    if (mprotect(c->write, c->size, PROT_READ))
        panic("mprotect");
}

static bool code_alloc(void *opaque, size_t size, size_t data_size, struct code_memory *out, struct error *err)
{
    enum { THUNKS = 16384 };
    if (!host_code.alloc(NULL, size, data_size, out, err))
        return false;
    return !mprotect(out->write + THUNKS, out->size - THUNKS, PROT_READ);
}

static void code_free(void *opaque, struct code_memory *c) { host_code.free(NULL, c); }

static const struct host_code strict_code = { .alloc = code_alloc, .free = code_free, .written = code_written,
                                              .prepare = code_prepare };

struct toy_machine *toy_machine_new(const struct engine_config *config)
{
    static const struct sim_config sim_config = { .shift = 0 };
    struct toy_machine *m = NEW(struct toy_machine);
    struct error err;
    m->sim = sim_new(&sim_config, &m->sink);
    m->mem = space_new("mem", 1 << 24, &m->sink);
    m->ram = ram_new("ram", TOY_RAM, &host, &err);
    m->rom = ram_new("rom", PAGE_SIZE, &host, &err);
    memset(m->rom->host, 0x5a, PAGE_SIZE);
    space_map_ram(m->mem, "ram", 0, TOY_RAM, 0, m->ram, 0, true);
    m->overlay = space_map_ram(m->mem, "overlay", TOY_DATA + PAGE_SIZE, PAGE_SIZE, 1, m->rom, 0, false);
    space_map_enable(m->overlay, false);
    space_map_io(m->mem, "device", TOY_DEVICE, PAGE_SIZE, 0, &device, m);
    vcpu_init(&m->cpu.v, 0, &toy_ops, m->sim, m->mem, NULL);
    m->cpu.m = m;
    m->cpu.s.pc = TOY_CODE;
    m->cpu.s.env.masks = FP_ALL;
    if (config) {
        struct engine_config with_code = *config;
        with_code.code = &strict_code;
        m->engine = engine_new(&with_code, &err);
        if (!m->engine)
            panic("%s", err.text);
        engine_add_ram(m->engine, m->ram);
        engine_add_ram(m->engine, m->rom);
        engine_add_vcpu(m->engine, &m->cpu.v);
    }
    return m;
}

void toy_machine_free(struct toy_machine *m)
{
    if (m->engine)
        engine_free(m->engine);
    vcpu_fini(&m->cpu.v);
    space_free(m->mem);
    ram_free(m->ram);
    ram_free(m->rom);
    sim_free(m->sim);
    free(m);
}

uint64_t toy_run(struct toy_machine *m, uint64_t n)
{
    uint64_t start = toy_position(m), end = start + n;
    if (!m->engine) {
        while (m->ref_position < end && toy_ref_step(m))
            ;
        return m->ref_position - start;
    }
    while (toy_position(m) < end) {
        sim_run_begin(m->sim, &m->cpu.v.pos, end - toy_position(m));
        enum engine_stop why = engine_run(m->engine, &m->cpu.v);
        sim_run_end(m->sim);
        if (why == STOP_HALTED)
            break;
    }
    return toy_position(m) - start;
}

uint64_t toy_hash(const struct toy_machine *m)
{
    uint64_t h = 0;
    const unsigned char *p = (const unsigned char *)&m->cpu.s;
    for (size_t i = 0; i < sizeof m->cpu.s; i += 8)
        h = (h ^ load_le(p + i, 8)) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
    return h;
}

void toy_emit(struct toy_machine *m, uint64_t *at, enum toy_op op, unsigned rd, unsigned rs, int32_t imm)
{
    m->ram->host[*at] = (uint8_t)op;
    m->ram->host[*at + 1] = (uint8_t)(rd << 4 | rs);
    store_le(m->ram->host + *at + 2, 4, (uint32_t)imm);
    *at += TOY_LENGTH;
}

void toy_enable_paging(struct toy_machine *m)
{
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t entry = i << PAGE_BITS | PTE_P | PTE_W | (i < 16 ? PTE_G : 0);
        if (i << PAGE_BITS >= TOY_LARGE && i << PAGE_BITS < TOY_LARGE + 0x10000)
            entry |= PTE_LARGE;
        store_le(m->ram->host + TOY_TABLE + 8 * i, 8, entry);
    }
    m->cpu.s.paging = 1;
}
