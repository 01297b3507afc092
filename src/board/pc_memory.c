/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's memory: RAM below and above 4 GiB, the firmware image below 4 GiB,
 * and the 82441FX's PAM and SMRAM registers that say what is seen between
 * 640 KiB and 1 MiB (data sheet 290549, 3.2.18 and 3.2.20).
 */
#include <stdio.h>

#include "board/pc.h"

enum { MIN_RAM = 1 << 20 };
enum { PAM0 = 0x59, SMRAM = 0x72, SMRAM_OPEN = 1 << 6, PAM_READ = 1, PAM_WRITE = 2 };
enum { PAM_BASE = 0xc0000, PAM_SIZE = 0x4000, BIOS_SEGMENT = 0xf0000, SHADOW = 0xe0000 };

bool pc_add_memory(struct machine *m, struct error *err)
{
    uint64_t low = pc_low_ram(m->config.ram_bytes);
    if (m->config.ram_bytes < MIN_RAM || m->config.ram_bytes % PAGE_SIZE)
        return error_set(err, "-m: memory of %llu bytes is not a number of pages of at least 1 MiB",
                         (unsigned long long)m->config.ram_bytes);
    m->mem = space_new("memory", UINT64_C(1) << 40, &m->config.sink);
    m->io = space_new("ports", 65536, &m->config.sink);
    m->ram = ram_new("ram", m->config.ram_bytes, &m->config.memory, err);
    if (!m->ram)
        return false;
    space_map_ram(m->mem, "ram", 0, low, 0, m->ram, 0, true);
    if (low < m->config.ram_bytes)
        space_map_ram(m->mem, "ram-above-4g", UINT64_C(1) << 32, m->config.ram_bytes - low, 0, m->ram, low, true);
    engine_add_ram(m->engine, m->ram);
    return true;
}

/* ---- PAM: twelve segments of 16 KiB from 0xc0000, and 64 KiB at 0xf0000 --------------------- */

static uint64_t nothing_read(void *opaque, uint64_t addr, unsigned size)
{
    (void)opaque;
    (void)addr;
    return mask64(8 * size);
}

static void nothing_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    (void)opaque;
    (void)addr;
    (void)size;
    (void)value;
}

static const struct io_ops nothing = { nothing_read, nothing_write, 1, 8 };

/* What a segment shows when reads do not go to RAM: the end of the firmware image, or nothing. */
static struct space_map *closed_segment(struct machine *m, uint64_t base, uint64_t size)
{
    uint64_t shadow = m->config.bios.size < 131072 ? m->config.bios.size : 131072, start = 0x100000 - shadow;
    if (base >= start && m->rom)
        return space_map_ram(m->mem, "bios-shadow", base, size, 1, m->rom, m->config.bios.size - shadow + base - start,
                             false);
    return space_map_io(m->mem, "rom-area", base, size, 1, &nothing, NULL);
}

static void add_segments(struct machine *m)
{
    struct pc *pc = m->pc;
    for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
        uint64_t base = PAM_BASE + (uint64_t)i * PAM_SIZE, size = i == 12 ? 0x10000 : PAM_SIZE;
        pc->pam_closed[i] = closed_segment(m, base, size);
        pc->pam_ram[i] = space_map_ram(m->mem, "pam", base, size, 2, m->ram, base, true);
        space_map_enable(pc->pam_ram[i], false);
    }
    pc->smram_closed = space_map_io(m->mem, "vga-area", 0xa0000, 0x20000, 1, &nothing, NULL);
}

/* The image ends at 4 GiB; its last 128 KiB are also seen below 1 MiB, until PAM says RAM. */
bool pc_add_bios(struct machine *m, struct error *err)
{
    const struct machine_blob *b = &m->config.bios;
    if (!b->size) {
        add_segments(m);
        return true;
    }
    if (b->size % 65536 || b->size > 8u << 20)
        return error_set(err, "BIOS image '%s' has %zu bytes, not a multiple of 64 KiB up to 8 MiB", b->path, b->size);
    m->rom = ram_new("bios", b->size, &m->config.memory, err);
    if (!m->rom)
        return false;
    memcpy(m->rom->host, b->data, b->size);
    space_map_ram(m->mem, "bios", (UINT64_C(1) << 32) - b->size, b->size, 2, m->rom, 0, false);
    engine_add_ram(m->engine, m->rom);
    add_segments(m);
    return true;
}

/* ---- routing ------------------------------------------------------------------------------ */

static void route(struct pc *pc)
{
    const uint8_t *c = pc->host_bridge.config;
    for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
        unsigned attributes = i == 12 ? c[PAM0] >> 4 : c[PAM0 + 1 + i / 2] >> (i & 1 ? 4 : 0);
        space_map_writable(pc->pam_ram[i], attributes & PAM_WRITE);
        space_map_enable(pc->pam_ram[i], attributes & PAM_READ);
    }
    space_map_enable(pc->smram_closed, !(c[SMRAM] & SMRAM_OPEN));
}

void pc_host_bridge_written(void *opaque, unsigned offset, unsigned size)
{
    if (offset <= SMRAM && offset + size > PAM0)
        route(opaque);
}

void pc_memory_firmware_setup(struct pc *pc)
{
    uint8_t *c = pc->host_bridge.config;
    c[PAM0] = 0x30;
    for (unsigned i = 1; i <= 6; i++)
        c[PAM0 + i] = 0x33;
    route(pc);
}
