/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters are functions of virtual time since they were loaded; only counter
 * 0's output edges need a timer.
 */
#include "dev/pit.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 u128;

struct pit_counter_state {
    uint64_t start;          /* virtual ns when counting began */
    uint64_t frozen;         /* ticks counted while the gate was up, when it is down */
    uint32_t reload;         /* 1..65536 */
    uint16_t latch;
    uint8_t mode, access, bcd, gate;
    uint8_t latched;         /* bytes of latch still to be read: 0, 1, 2 */
    uint8_t status, status_latched, write_high, low, read_high;
    uint8_t loaded, pad[7];
};

struct pit_state {
    struct pit_counter_state counter[3];
    uint8_t port61, refresh, pad[6];
};

static const struct state_field counter_fields[] = {
#define U(f) STATE_UINT(struct pit_counter_state, f)
    U(start), U(frozen), U(reload), U(latch), U(mode), U(access), U(bcd), U(gate), U(latched), U(status),
    U(status_latched), U(write_high), U(low), U(read_high), U(loaded), STATE_PAD(struct pit_counter_state, pad),
#undef U
};
static STATE_DESC(counter_desc, struct pit_counter_state, 1, counter_fields);
static const struct state_field pit_fields[] = {
    STATE_STRUCT(struct pit_state, counter, counter_desc, 3),
    STATE_UINT(struct pit_state, port61),
    STATE_UINT(struct pit_state, refresh),
    STATE_PAD(struct pit_state, pad),
};
static STATE_DESC(pit_desc, struct pit_state, 1, pit_fields);

struct pit {
    struct pit_state s;
    struct sim *sim;
    struct irq irq0;
    struct sim_timer timer;
};

static uint64_t ns_to_ticks(uint64_t ns) { return (uint64_t)((u128)ns * PIT_HZ / NS_PER_SEC); }
static uint64_t ticks_to_ns(uint64_t t) { return (uint64_t)(((u128)t * NS_PER_SEC + PIT_HZ - 1) / PIT_HZ); }


/* Clock ticks since the count was loaded. */
static uint64_t elapsed(const struct pit *p, const struct pit_counter_state *c)
{
    if (!c->loaded)
        return 0;
    return c->gate || c->mode == 1 || c->mode == 5 ? ns_to_ticks(sim_now(p->sim) - c->start) : c->frozen;
}

static bool output(const struct pit *p, const struct pit_counter_state *c)
{
    uint64_t t = elapsed(p, c), n = c->reload;
    switch (c->mode) {
    case 0:
    case 1:
        return c->loaded ? t >= n : c->mode == 1;
    case 2:
        return !c->loaded || t % n != n - 1;
    case 3:
        return !c->loaded || t % n < (n + 1) / 2;
    default:
        return !c->loaded || t != n;
    }
}

static uint16_t to_bcd(unsigned v)
{
    return (uint16_t)(v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 | v / 1000 % 10 << 12);
}

static unsigned from_bcd(unsigned v) { return (v & 15) + 10 * (v >> 4 & 15) + 100 * (v >> 8 & 15) + 1000 * (v >> 12 & 15); }

static uint16_t count(const struct pit *p, const struct pit_counter_state *c)
{
    uint64_t t = elapsed(p, c), n = c->reload, v;
    if (c->mode == 3)
        v = n - 2 * t % n;                /* counts down by two, twice a period */
    else if (c->mode == 2)
        v = n - t % n;
    else
        v = n - t;
    return c->bcd ? to_bcd((unsigned)(v % 10000)) : (uint16_t)v;
}

/* Counter 0 drives IRQ 0: arms the timer for the output's next change. */
static void schedule(struct pit *p)
{
    struct pit_counter_state *c = &p->s.counter[0];
    uint64_t t = elapsed(p, c), n = c->reload, next;
    irq_set(&p->irq0, output(p, c));
    timer_cancel(&p->timer);
    if (!c->loaded || !c->gate)
        return;
    if (c->mode == 2)
        next = t % n == n - 1 ? t - t % n + n : t - t % n + n - 1;
    else if (c->mode == 3)
        next = t - t % n + (t % n < (n + 1) / 2 ? (n + 1) / 2 : n);
    else if (t < n)
        next = n;
    else if (t == n && c->mode >= 4)
        next = n + 1;
    else
        return;
    timer_arm(&p->timer, c->start + ticks_to_ns(next));
}

static void fire(void *opaque) { schedule(opaque); }

static void load(struct pit *p, unsigned i, unsigned value)
{
    struct pit_counter_state *c = &p->s.counter[i];
    if (c->bcd)
        value = from_bcd(value);
    c->reload = value ? value : c->bcd ? 10000 : 65536;
    c->start = sim_now(p->sim);
    c->frozen = 0;
    c->loaded = 1;
    if (i == 0)
        schedule(p);
}

static void write_counter(struct pit *p, unsigned i, uint8_t v)
{
    struct pit_counter_state *c = &p->s.counter[i];
    if (c->access == 1) {
        load(p, i, v);
    } else if (c->access == 2) {
        load(p, i, (unsigned)v << 8);
    } else if (!c->write_high) {
        c->low = v;
        c->write_high = 1;
        if (c->mode == 0)
            c->loaded = 0;                /* mode 0 stops at the first byte */
    } else {
        c->write_high = 0;
        load(p, i, c->low | (unsigned)v << 8);
    }
}

static void latch(struct pit *p, struct pit_counter_state *c)
{
    if (!c->latched) {
        c->latch = count(p, c);
        c->latched = c->access == 3 ? 2 : 1;
    }
}

static uint8_t read_counter(struct pit *p, unsigned i)
{
    struct pit_counter_state *c = &p->s.counter[i];
    if (c->status_latched) {
        c->status_latched = 0;
        return c->status;
    }
    if (c->latched) {
        bool high = c->access == 2 || (c->access == 3 && c->latched == 1);
        c->latched--;
        return high ? c->latch >> 8 : (uint8_t)c->latch;
    }
    uint16_t v = count(p, c);
    if (c->access == 3)
        c->read_high ^= 1;
    bool high = c->access == 2 || (c->access == 3 && !c->read_high);
    return high ? v >> 8 : (uint8_t)v;
}

static void read_back(struct pit *p, uint8_t v)
{
    for (unsigned i = 0; i < 3; i++) {
        struct pit_counter_state *c = &p->s.counter[i];
        if (!(v >> (i + 1) & 1))
            continue;
        if (!(v & 0x20))
            latch(p, c);
        if (!(v & 0x10) && !c->status_latched) {
            c->status = (uint8_t)(output(p, c) << 7 | !c->loaded << 6 | c->access << 4 | c->mode << 1 | c->bcd);
            c->status_latched = 1;
        }
    }
}

static void write_control(struct pit *p, uint8_t v)
{
    unsigned i = v >> 6;
    if (i == 3) {
        read_back(p, v);
        return;
    }
    struct pit_counter_state *c = &p->s.counter[i];
    if (!(v & 0x30)) {
        latch(p, c);
        return;
    }
    uint8_t gate = c->gate;
    *c = (struct pit_counter_state){ .access = v >> 4 & 3, .mode = v >> 1 & 7, .bcd = v & 1, .gate = gate, .reload = 65536 };
    if (c->mode > 5)
        c->mode -= 4;
    if (i == 0)
        schedule(p);
}

static uint64_t pit_read(void *opaque, uint64_t addr, unsigned size)
{
    (void)size;
    return addr < 3 ? read_counter(opaque, (unsigned)addr) : 0xff;
}

static void pit_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    (void)size;
    if (addr < 3)
        write_counter(opaque, (unsigned)addr, (uint8_t)value);
    else
        write_control(opaque, (uint8_t)value);
}

/* Port 0x61: gate 2, speaker; bit 4 toggles with refresh, bit 5 is OUT 2. */
static uint64_t port61_read(void *opaque, uint64_t addr, unsigned size)
{
    struct pit *p = opaque;
    (void)addr;
    (void)size;
    uint8_t refresh = sim_now(p->sim) / 15085 & 1;
    return (p->s.port61 & 0x0f) | refresh << 4 | output(p, &p->s.counter[2]) << 5;
}

static void set_gate(struct pit *p, struct pit_counter_state *c, bool gate)
{
    if (gate && !c->gate) {
        /* A rising gate restarts the periodic and one-shot modes, and lets mode 0 go on. */
        c->start = sim_now(p->sim) - (c->mode == 0 || c->mode == 4 ? ticks_to_ns(c->frozen) : 0);
    } else if (!gate && c->gate) {
        c->frozen = elapsed(p, c);
    }
    c->gate = gate;
}

static void port61_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct pit *p = opaque;
    (void)addr;
    (void)size;
    p->s.port61 = value & 15;
    set_gate(p, &p->s.counter[2], value & 1);
}

static const struct io_ops pit_ops = { pit_read, pit_write, 1, 1 };
static const struct io_ops port61_ops = { port61_read, port61_write, 1, 1 };

void pit_reset(struct pit *p)
{
    timer_cancel(&p->timer);
    p->s = (struct pit_state){ 0 };
    for (unsigned i = 0; i < 3; i++)
        p->s.counter[i] = (struct pit_counter_state){ .reload = 65536, .access = 3, .gate = i != 2 };
}

struct pit *pit_new(struct sim *sim, struct space *io, struct irq irq0)
{
    struct pit *p = NEW(struct pit);
    p->sim = sim;
    p->irq0 = irq0;
    state_set_add(sim_state(sim), "pit", &pit_desc, &p->s, NULL, NULL, NULL);
    timer_init(&p->timer, sim, SIM_CLOCK_VIRTUAL, "pit", fire, p);
    space_map_io(io, "pit", 0x40, 4, 0, &pit_ops, p);
    space_map_io(io, "port61", 0x61, 1, 0, &port61_ops, p);
    pit_reset(p);
    return p;
}

void pit_free(struct pit *p) { free(p); }
