/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bench for one device: port and memory spaces, 1 MiB of RAM, virtual time that the test moves on, wires that
 * remember what came over them.  A bench is made by bench_new() and dies with bench_free(), after its devices.
 */
#ifndef REPRISE_TESTS_DEV_H
#define REPRISE_TESTS_DEV_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dev/irq.h"
#include "mem/space.h"
#include "sim/input.h"

enum { BENCH_RAM = 1 << 20, BENCH_WIRES = 24 };

struct bench {
    struct sim *sim;
    struct input_port *port;
    struct space *io, *mem;
    struct ram *ram;
    struct sink sink;
    uint64_t wall_ns;                    /* what the host clock shows besides virtual time */
    struct {
        bool level;
        unsigned rises;
        uint64_t rose, fell;             /* virtual ns of the last edges */
    } wire[BENCH_WIRES];
};

struct bench *bench_new(void);
void bench_free(struct bench *b);
struct irq bench_wire(struct bench *b, unsigned n);

static inline uint64_t now(const struct bench *b) { return sim_now(b->sim); }
/* Moves virtual time, stopping at every deadline to run what is due. */
void advance_to(struct bench *b, uint64_t ns);
static inline void advance(struct bench *b, uint64_t ns) { advance_to(b, now(b) + ns); }

static inline void outb(struct bench *b, unsigned port, unsigned v) { space_store(b->io, port, 1, v); }
static inline void outw(struct bench *b, unsigned port, unsigned v) { space_store(b->io, port, 2, v); }
static inline void outl(struct bench *b, unsigned port, uint32_t v) { space_store(b->io, port, 4, v); }
static inline unsigned inb(struct bench *b, unsigned port) { return (unsigned)space_load(b->io, port, 1); }
static inline unsigned inw(struct bench *b, unsigned port) { return (unsigned)space_load(b->io, port, 2); }
static inline uint32_t inl(struct bench *b, unsigned port) { return (uint32_t)space_load(b->io, port, 4); }

#endif
