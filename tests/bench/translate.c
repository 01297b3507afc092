/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What translating costs: the .text of an amd64 ELF file is translated block behind block and never run, so that
 * callgrind (--toggle-collect=cache_find) and perf see the translator alone, and what it makes can be compared.
 *
 *     translate FILE [PAGES [ROUNDS]]
 *
 * takes so many pages (default 512), evenly spread over the section.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/impl.h"
#include "guest/x86/cpu.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mode.h"
#include "host/host.h"
#include "../still.h"

/* Physical memory: page tables that map all of it at its own address, then the pages of code. */
enum { AT_PML4 = 0x1000, AT_PDPT = 0x2000, AT_PD = 0x3000, AT_CODE = 0x200000, RAM_BYTES = 128 << 20 };

/* The code is never run, and valgrind has no memory mapped twice. */
static bool code_alloc(void *opaque, size_t size, size_t data_size, struct code_memory *out, struct error *err)
{
    size = align_up(size, PAGE_SIZE);
    uint8_t *m = host_memory.alloc(host_memory.opaque, size + data_size, err);
    *out = (struct code_memory){ .write = m, .exec = m, .data = m + size, .size = size, .data_size = data_size };
    return m;
}
static void code_free(void *opaque, struct code_memory *m)
{
    host_memory.free(host_memory.opaque, m->write, m->size + m->data_size);
}
static const struct host_code plain_code = { code_alloc, code_free, NULL };

struct bench {
    struct sim *sim;
    struct input_port *port;
    struct space *mem, *io;
    struct ram *ram;
    struct x86_cpu *cpu;
    struct engine *engine;
    uint64_t code_bytes, guest_bytes;    /* made, translated */
};

static void die(const char *what)
{
    fprintf(stderr, "translate: %s\n", what);
    exit(1);
}

static void count_code(void *opaque, const struct engine_code *code)
{
    if (code->key)
        ((struct bench *)opaque)->code_bytes += code->size;
}

/* ---- the machine --------------------------------------------------------------------------------- */

static void wire(struct bench *b)
{
    struct error err;
    static const struct sim_config sim_config = { .shift = 0 };
    struct engine_config config = { .kind = "jit", .code = &plain_code,
                                    .trace = { .code_added = count_code, .opaque = b } };
    b->sim = still_sim(&sim_config, &b->port);
    b->mem = space_new("memory", UINT64_C(1) << 40, NULL);
    b->io = space_new("io", 65536, NULL);
    b->ram = ram_new("ram", RAM_BYTES, &host_memory, &err);
    b->engine = engine_new(&config, &err);
    if (!b->ram || !b->engine)
        die(err.text);
    space_map_ram(b->mem, "ram", 0, RAM_BYTES, 0, b->ram, 0, true);
    b->cpu = x86_cpu_new(0, "qemu64", NULL, b->sim, b->mem, b->io, &err);
    if (!b->cpu)
        die(err.text);
    engine_add_vcpu(b->engine, &b->cpu->v);
    engine_add_ram(b->engine, b->ram);
}

/* 64-bit code at CPL 0, as in a kernel. */
static void start_long_mode(struct bench *b)
{
    struct x86_state *s = &b->cpu->s;
    space_store(b->mem, AT_PML4, 8, AT_PDPT | 7);
    space_store(b->mem, AT_PDPT, 8, AT_PD | 7);
    for (uint64_t k = 0; k < RAM_BYTES >> 21; k++)
        space_store(b->mem, AT_PD + 8 * k, 8, k << 21 | 0xe7);
    x86_cpu_reset(b->cpu);
    s->cr0 = CR0_PG | CR0_WP | CR0_NE | CR0_MP | CR0_ET | CR0_PE;
    s->cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    s->cr3 = AT_PML4;
    s->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
    s->cpl = 0;
    for (int i = 0; i < SEG_LDTR; i++)
        s->seg[i] = (struct x86_segment){ .limit = 0xffffffff, .selector = 0x10, .attr = 0xc093 };
    s->seg[SEG_CS].attr = 0xa09b;
    x86_mmu_context(b->cpu);
    x86_update_mode(b->cpu);
}

static void close_down(struct bench *b)
{
    x86_cpu_free(b->cpu);
    engine_free(b->engine);
    space_free(b->mem);
    space_free(b->io);
    ram_free(b->ram);
    still_sim_free(b->sim, b->port);
}

/* ---- the code -------------------------------------------------------------------------------------- */

/* The section .text of a 64-bit ELF file. */
static bool find_text(const struct host_file *f, uint64_t *offset, uint64_t *size)
{
    if (f->size < 64 || memcmp(f->data, "\177ELF\2", 5))
        return false;
    uint64_t table = load_le(f->data + 40, 8), n = load_le(f->data + 60, 2), names = load_le(f->data + 62, 2);
    if (names >= n || table > f->size || n * 64 > f->size - table)
        return false;
    uint64_t strings = load_le(f->data + table + 64 * names + 24, 8);
    for (uint64_t k = 0; k < n; k++) {
        const uint8_t *section = f->data + table + 64 * k;
        uint64_t name = strings + load_le(section, 4);
        *offset = load_le(section + 24, 8);
        *size = load_le(section + 32, 8);
        if (name + 6 <= f->size && !memcmp(f->data + name, ".text", 6))
            return *size >= PAGE_SIZE && *offset <= f->size && *size <= f->size - *offset;
    }
    return false;
}

/* Puts that many pages of it behind each other; returns how many it has. */
static uint64_t load_text(struct bench *b, const char *path, uint64_t pages)
{
    struct error err;
    struct host_file f;
    uint64_t offset, size;
    if (!host_file_read("program", path, &f, &err))
        die(err.text);
    if (!find_text(&f, &offset, &size))
        die("no 64-bit ELF file with a .text of a page or more");
    uint64_t has = size / PAGE_SIZE, most = (RAM_BYTES - AT_CODE) / PAGE_SIZE;
    pages = pages < has ? pages : has;
    pages = pages < most ? pages : most;
    for (uint64_t k = 0; k < pages; k++)
        space_write(b->mem, AT_CODE + k * PAGE_SIZE, f.data + offset + has * k / pages * PAGE_SIZE, PAGE_SIZE);
    host_file_free(&f);
    return pages;
}

/* Block behind block to the page's end; INT3 is padding. */
static void translate_page(struct bench *b, uint64_t at)
{
    struct block_key key;
    b->cpu->v.ops->block_key(&b->cpu->v, &key);
    for (uint64_t end = at + PAGE_SIZE - 16; at < end;) {
        if (b->ram->host[at] == 0xcc) {
            at++;
            continue;
        }
        key.pc = key.va = at;
        struct cache_place place;
        if (!cache_place(&b->cpu->v, &key, &place))
            die("a fetch faulted");
        struct block *made = cache_find(b->engine, &b->cpu->v, &key, &place, 0);
        if (!made)
            die("a fetch faulted");
        b->guest_bytes += made->guest_bytes;
        at += made->guest_bytes;
    }
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    struct engine_stats stats;
    if (argc < 2 || argc > 4)
        die("FILE [PAGES [ROUNDS]]");
    uint64_t pages = argc > 2 ? strtoull(argv[2], NULL, 0) : 512, rounds = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
    wire(&b);
    start_long_mode(&b);
    pages = load_text(&b, argv[1], pages);
    uint64_t start = host_monotonic_ns();
    for (uint64_t k = 0; k < rounds; k++) {
        for (uint64_t page = 0; page < pages; page++)
            translate_page(&b, AT_CODE + page * PAGE_SIZE);
        engine_flush(b.engine);
        cache_sweep(b.engine);
    }
    uint64_t ns = host_monotonic_ns() - start;
    engine_get_stats(b.engine, &stats);
    double insns = (double)stats.insns_translated;
    printf("blocks %llu, instructions %llu (%.2f a block)\n", (unsigned long long)stats.blocks_translated,
           (unsigned long long)stats.insns_translated, insns / (double)stats.blocks_translated);
    printf("an instruction: %.1f ns, %.2f bytes of guest code, %.2f ops of IR, %.2f bytes of host code\n",
           (double)ns / insns, (double)b.guest_bytes / insns, (double)stats.ir_ops / insns,
           (double)b.code_bytes / insns);
    close_down(&b);
    return 0;
}
