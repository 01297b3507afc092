/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world for code that may be anything: one x86 CPU on an engine, RAM that shows at several physical places,
 * ROM, and a device that interrupts, writes to memory and changes the map.
 *
 * What a world does depends on its seeds and on the positions at which it is told to act, never on its engine.
 */
#ifndef REPRISE_TESTS_FUZZ_CODE_WORLD_H
#define REPRISE_TESTS_FUZZ_CODE_WORLD_H

#include "engine/engine.h"
#include "fuzz.h"
#include "guest/x86/cpu.h"
#include "isa/gen.h"

/* Physical memory.  The tables of the system are at the same linear addresses whether paging is on or off. */
enum {
    RAM_SIZE = 0x40000,
    AT_IVT = 0, AT_REAL_STUBS = 0x400, AT_GDT = 0x1000, AT_LDT = 0x1800, AT_IDT = 0x2000, AT_TSS = 0x3000,
    AT_TSS2 = 0x3400, AT_STUBS = 0x4000, AT_STACKS = 0x5000, AT_TABLES = 0x8000, AT_CODE = 0x10000, CODE_SIZE = 0x2000,
    AT_DATA = 0x20000,
    AT_ALIAS = 0x80000,      /* RAM from AT_CODE on once more */
    AT_DEVICE = 0xa0000, AT_ROM = 0xc0000, ROM_SIZE = 0x2000,
    AT_HIGH = 0x100000,      /* all of RAM once more */
};

/* Descriptors of the GDT, by index. */
enum {
    GDT_CODE32 = 1, GDT_DATA, GDT_CODE64, GDT_USER32, GDT_USER_DATA, GDT_USER64, GDT_CODE16, GDT_USER16, GDT_DATA16,
    GDT_USER_DATA16, GDT_TSS, GDT_LDT = 13, GDT_CONFORMING = 15, GDT_DOWN, GDT_GATE, GDT_TASK_GATE, GDT_TSS2,
    GDT_RANDOM,
    GDT_ENTRIES = 40,
};

enum code_mode { REAL16, PROTECTED16, PROTECTED32, SEGMENTED32, V86, LONG64, LONG32, LONG16, CODE_MODES };
enum code_paging { PAGING_OFF, PAGING_32, PAGING_PAE, CODE_PAGINGS };

/* How an episode begins. */
struct episode {
    enum code_mode mode;
    enum code_paging paging;     /* in long mode PAGING_PAE */
    unsigned cpl;
    uint64_t seed;
};

struct world {
    struct sim *sim;
    struct input_port *port;
    struct space *mem, *io;
    struct space_map *overlay;
    struct ram *ram, *rom;
    struct x86_cpu *cpu;
    struct engine *engine;
    uint64_t register_mask;      /* bits that registers have */
    uint64_t events;             /* a hash of what devices were told, and when */
    bool overlay_on;
};

/* long_mode: the CPU has it. */
struct world *world_new(const struct engine_config *config, bool long_mode);
void world_free(struct world *w);

/* Memory, registers and tables as the episode has them.  Two worlds at one position become the same. */
void world_begin(struct world *w, struct isa_gen *g, const struct episode *e);

/* From outside: new registers, a new place in the code, awake. */
void world_steer(struct world *w, uint64_t seed);
/* An external interrupt or NMI. */
void world_interrupt(struct world *w, uint64_t random);

/* At most n positions, in one piece.  Less: the CPU sleeps or has shut down. */
enum engine_stop world_run(struct world *w, uint64_t n);

/* No register and no address in the TLB has an upper half but in a CPU with long mode: ir_block.narrow. */
bool world_is_narrow(const struct world *w);

/* A hash of everything but memory. */
uint64_t world_hash(struct world *w);

/* code_image.c: the bytes of RAM and ROM, the same for the same seed. */
void code_image(struct isa_gen *g, const struct episode *e, uint8_t *ram, uint8_t *rom);
/* The hidden part of a segment register loaded from a descriptor of 8 bytes. */
struct x86_segment code_segment(const uint8_t *ram, unsigned index, unsigned rpl);

#endif
