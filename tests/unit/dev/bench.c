/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev.h"

#include <stdlib.h>
#include <string.h>

static void *host_alloc(void *opaque, uint64_t size, struct error *err) { return alloc_zero(size); }
static void host_free(void *opaque, void *p, uint64_t size) { free(p); }

static uint64_t host_clock(void *opaque, enum sim_clock clock)
{
    struct bench *b = opaque;
    return b->wall_ns + (b->sim ? sim_now(b->sim) : 0);
}

static void host_wait(void *opaque, uint64_t timeout_ns) {}
static void host_notify(void *opaque) {}
static void host_random(void *opaque, void *out, size_t len) { memset(out, 0x5a, len); }

struct bench_host {
    struct bench b;
    struct sim_host host;
};

struct bench *bench_new(void)
{
    static const struct sim_config config = { .shift = 0, .sleep = true };
    static const struct host_memory memory = { host_alloc, host_free, NULL };
    struct bench_host *h = NEW(struct bench_host);
    struct bench *b = &h->b;
    struct error err;
    h->host = (struct sim_host){ host_clock, host_wait, host_notify, host_random, b };
    b->sim = sim_new(&config, &b->sink);
    b->port = input_live_new(b->sim, &h->host);
    sim_set_port(b->sim, b->port);
    b->io = space_new("ports", 65536, &b->sink);
    b->mem = space_new("memory", UINT64_C(1) << 40, &b->sink);
    b->ram = ram_new("ram", BENCH_RAM, &memory, &err);
    space_map_ram(b->mem, "ram", 0, BENCH_RAM, 0, b->ram, 0, true);
    return b;
}

void bench_free(struct bench *b)
{
    input_port_close(b->port, "the test ended");
    space_free(b->io);
    space_free(b->mem);
    ram_free(b->ram);
    sim_free(b->sim);
    free(b);
}

static void set_wire(void *opaque, unsigned n, bool level)
{
    struct bench *b = opaque;
    assert_true(n < BENCH_WIRES);
    if (level && !b->wire[n].level) {
        b->wire[n].rises++;
        b->wire[n].rose = now(b);
    }
    if (!level && b->wire[n].level)
        b->wire[n].fell = now(b);
    b->wire[n].level = level;
}

struct irq bench_wire(struct bench *b, unsigned n) { return (struct irq){ set_wire, b, n }; }

void advance_to(struct bench *b, uint64_t ns)
{
    for (;;) {
        uint64_t next = sim_next_deadline(b->sim, SIM_CLOCK_VIRTUAL);
        if (next > ns)
            break;
        if (next > now(b))
            sim_warp(b->sim, next - now(b));
        sim_run_timers(b->sim);
    }
    if (ns > now(b))
        sim_warp(b->sim, ns - now(b));
}
