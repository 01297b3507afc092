/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 8254's three counters share one clock: tick k comes at k / PIT_HZ of virtual time.  A count that is written
 * or triggered is loaded by the next tick and falls from the tick after that.
 *
 * Invariants
 *  1. A counter is a function of the tick number: its value and its output follow from `start`, the tick that loaded
 *     it.  Only counter 0's output edges need a timer.
 *  2. While the gate stops a counter, `frozen` holds the ticks that it had counted.
 *  3. `next_reload` waits for the end of the period (modes 2, 3) or for a trigger (modes 1, 5); settle() applies it
 *     in its time before anything looks at the counter.
 */
#include "dev/pit.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 u128;

enum { LATCH = 0, LOW = 1, HIGH = 2, BOTH = 3 };    /* control word, RW */

struct pit_counter_state {
    uint64_t start;          /* the tick that loads or loaded the count */
    uint64_t frozen;         /* ticks counted when the gate stopped it */
    uint32_t reload;         /* 1..65536 */
    uint32_t next_reload;    /* 0: none waits */
    uint16_t latch;
    uint8_t mode, access, bcd, gate;
    uint8_t latched;         /* bytes of latch still to be read: 0, 1, 2 */
    uint8_t status, status_latched, write_high, low, read_high;
    uint8_t loaded;          /* a count was written since the control word */
    uint8_t running;         /* it counts, or did until the gate stopped it: modes 1 and 5 wait for a trigger */
    uint8_t pad[2];
};

struct pit_state {
    struct pit_counter_state counter[3];
    uint8_t port61, pad[7];
};

static const struct state_field counter_fields[] = {
#define U(f) STATE_UINT(struct pit_counter_state, f)
    U(start), U(frozen), U(reload), U(next_reload), U(latch), U(mode), U(access), U(bcd), U(gate), U(latched),
    U(status), U(status_latched), U(write_high), U(low), U(read_high), U(loaded), U(running),
    STATE_PAD(struct pit_counter_state, pad),
#undef U
};
static STATE_DESC(counter_desc, struct pit_counter_state, 2, counter_fields);
static const struct state_field pit_fields[] = {
    STATE_STRUCT(struct pit_state, counter, counter_desc, 3),
    STATE_UINT(struct pit_state, port61),
    STATE_PAD(struct pit_state, pad),
};
static STATE_DESC(pit_desc, struct pit_state, 2, pit_fields);

struct pit {
    struct pit_state s;
    struct sim *sim;
    struct irq irq0;
    struct sim_timer timer;
};

/* ---- the clock ---------------------------------------------------------------------------- */

static uint64_t tick_now(const struct pit *p) { return (uint64_t)((u128)sim_now(p->sim) * PIT_HZ / NS_PER_SEC); }
static uint64_t tick_ns(uint64_t t) { return (uint64_t)(((u128)t * NS_PER_SEC + PIT_HZ - 1) / PIT_HZ); }

/* ---- one counter ---------------------------------------------------------------------------- */

static bool periodic(const struct pit_counter_state *c) { return c->mode == 2 || c->mode == 3; }
static bool triggered(const struct pit_counter_state *c) { return c->mode == 1 || c->mode == 5; }
static bool gated_off(const struct pit_counter_state *c) { return !c->gate && !triggered(c); }

/* Ticks counted since the count was loaded. */
static uint64_t elapsed(const struct pit *p, const struct pit_counter_state *c)
{
    uint64_t t = tick_now(p);
    if (gated_off(c))
        return c->frozen;
    return t > c->start ? t - c->start : 0;
}

/* Ticks of the part of the period that is under way before a waiting count may take over: all of it, or half. */
static uint64_t part_end(const struct pit_counter_state *c, uint64_t t)
{
    uint64_t n = c->reload, begin = t - t % n, high = (n + 1) / 2;
    return c->mode == 3 && t % n < high ? begin + high : begin + n;
}

/* Invariant 3.  In mode 3 the second half may begin with the new count: the period is then taken from its middle. */
static void settle(struct pit *p, struct pit_counter_state *c)
{
    if (!c->next_reload || !periodic(c) || !c->running || gated_off(c))
        return;
    uint64_t asked = c->frozen, t = elapsed(p, c), end = part_end(c, asked);
    if (t < end)
        return;
    bool middle = end % c->reload != 0;
    c->start += end;
    c->reload = c->next_reload;
    if (middle)
        c->start -= (c->reload + 1) / 2;
    c->next_reload = 0;
    c->frozen = 0;
}

static bool output(const struct pit *p, const struct pit_counter_state *c)
{
    uint64_t t = elapsed(p, c), n = c->reload;
    if (!c->running)
        return c->mode != 0;
    switch (c->mode) {
    case 0:
    case 1:
        return t >= n || (c->mode == 1 && tick_now(p) < c->start);
    case 2:
        return gated_off(c) || t % n != n - 1;
    case 3:
        return gated_off(c) || t % n < (n + 1) / 2;
    default:
        return t != n;
    }
}

static unsigned to_bcd(unsigned v) { return v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 | v / 1000 % 10 << 12; }
static unsigned from_bcd(unsigned v)
{
    return (v & 15) + 10 * (v >> 4 & 15) + 100 * (v >> 8 & 15) + 1000 * (v >> 12 & 15);
}

/* The counting element.  Mode 3 falls by two, from an even number, twice a period. */
static uint16_t count(const struct pit *p, const struct pit_counter_state *c)
{
    uint64_t t = c->running ? elapsed(p, c) : 0, n = c->reload, turn = c->bcd ? 10000 : 65536, v;
    if (c->mode == 3) {
        uint64_t in = t % n, high = (n + 1) / 2;
        v = (n & ~UINT64_C(1)) - 2 * (in < high ? in : in - high);
    } else if (c->mode == 2) {
        v = n - t % n;
    } else {
        v = (n + turn - t % turn) % turn;      /* past zero it goes on from the top */
    }
    return (uint16_t)(c->bcd ? to_bcd((unsigned)(v % 10000)) : v);
}

/* ---- counter 0 and IRQ 0 ---------------------------------------------------------------------------- */

/* Ticks since loading at which the output changes next; UINT64_MAX: never. */
static uint64_t next_edge(const struct pit_counter_state *c, uint64_t t)
{
    uint64_t n = c->reload, in = t % n;
    if (c->mode == 2)
        return n == 1 ? UINT64_MAX : t - in + (in == n - 1 ? n : n - 1);
    if (c->mode == 3)
        return t - in + (in < (n + 1) / 2 ? (n + 1) / 2 : n);
    if (t < n)
        return n;
    return t == n && c->mode >= 4 ? n + 1 : UINT64_MAX;
}

static void schedule(struct pit *p)
{
    struct pit_counter_state *c = &p->s.counter[0];
    settle(p, c);
    irq_set(&p->irq0, output(p, c));
    timer_cancel(&p->timer);
    uint64_t edge = c->running ? next_edge(c, elapsed(p, c)) : UINT64_MAX;
    if (edge != UINT64_MAX)
        timer_arm(&p->timer, tick_ns(c->start + edge));
}

static void fire(void *opaque) { schedule(opaque); }

/* ---- loading and gates -------------------------------------------------------------------------------- */

static void start(struct pit *p, struct pit_counter_state *c)
{
    if (c->next_reload)
        c->reload = c->next_reload;
    c->next_reload = 0;
    c->start = tick_now(p) + 1;
    c->frozen = 0;
    c->running = 1;
}

static void load(struct pit *p, unsigned i, unsigned value)
{
    struct pit_counter_state *c = &p->s.counter[i];
    settle(p, c);
    if (c->bcd)
        value = from_bcd(value);
    c->next_reload = value ? value : c->bcd ? 10000 : 65536;
    if (periodic(c) && c->running) {
        if (!gated_off(c))
            c->frozen = elapsed(p, c);       /* while it counts: when the new count was asked for */
    } else if (!triggered(c)) {
        start(p, c);
    } else if (!c->running) {
        c->reload = c->next_reload;          /* what the first trigger will load, and reads show */
    }
    c->loaded = 1;
    if (i == 0)
        schedule(p);
}

static void set_gate(struct pit *p, struct pit_counter_state *c, bool gate)
{
    bool rises = gate && !c->gate, falls = !gate && c->gate;
    settle(p, c);
    if (falls && !triggered(c))
        c->frozen = elapsed(p, c);
    c->gate = gate;
    if (!rises || !c->loaded)
        return;
    if (c->mode == 0 || c->mode == 4)        /* goes on where it stopped */
        c->start = tick_now(p) - c->frozen;
    else
        start(p, c);
}

/* ---- ports ------------------------------------------------------------------------------------------------ */

static void write_counter(struct pit *p, unsigned i, uint8_t v)
{
    struct pit_counter_state *c = &p->s.counter[i];
    if (c->access == LOW) {
        load(p, i, v);
    } else if (c->access == HIGH) {
        load(p, i, (unsigned)v << 8);
    } else if (!c->write_high) {
        c->low = v;
        c->write_high = 1;
        if (c->mode == 0) {                   /* the first byte stops it, output low */
            c->running = 0;
            if (i == 0)
                schedule(p);
        }
    } else {
        c->write_high = 0;
        load(p, i, c->low | (unsigned)v << 8);
    }
}

static void latch(struct pit *p, struct pit_counter_state *c)
{
    if (!c->latched) {
        c->latch = count(p, c);
        c->latched = c->access == BOTH ? 2 : 1;
    }
}

static uint8_t read_counter(struct pit *p, unsigned i)
{
    struct pit_counter_state *c = &p->s.counter[i];
    settle(p, c);
    if (c->status_latched) {
        c->status_latched = 0;
        return c->status;
    }
    if (c->latched) {
        bool high = c->access == HIGH || (c->access == BOTH && c->latched == 1);
        c->latched--;
        return high ? c->latch >> 8 : (uint8_t)c->latch;
    }
    uint16_t v = count(p, c);
    bool high = c->access == HIGH || (c->access == BOTH && c->read_high);
    if (c->access == BOTH)
        c->read_high ^= 1;
    return high ? v >> 8 : (uint8_t)v;
}

/* Null count: what was written has not reached the counting element. */
static bool null_count(const struct pit *p, const struct pit_counter_state *c)
{
    return !c->loaded || c->next_reload || (c->running && tick_now(p) < c->start);
}

static void read_back(struct pit *p, uint8_t v)
{
    for (unsigned i = 0; i < 3; i++) {
        struct pit_counter_state *c = &p->s.counter[i];
        if (!(v >> (i + 1) & 1))
            continue;
        settle(p, c);
        if (!(v & 0x20))
            latch(p, c);
        if (!(v & 0x10) && !c->status_latched) {
            c->status = (uint8_t)(output(p, c) << 7 | null_count(p, c) << 6 | c->access << 4 | c->mode << 1 | c->bcd);
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
    settle(p, c);
    if ((v >> 4 & 3) == LATCH) {
        latch(p, c);
        return;
    }
    uint8_t gate = c->gate;
    *c = (struct pit_counter_state){
        .access = v >> 4 & 3, .mode = v >> 1 & 7, .bcd = v & 1, .gate = gate, .reload = 65536
    };
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
    settle(p, &p->s.counter[2]);
    return (p->s.port61 & 0x0f) | refresh << 4 | output(p, &p->s.counter[2]) << 5;
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

/* ---- life ---------------------------------------------------------------------------------------------------- */

void pit_reset(struct pit *p)
{
    timer_cancel(&p->timer);
    p->s = (struct pit_state){ 0 };
    for (unsigned i = 0; i < 3; i++)
        p->s.counter[i] = (struct pit_counter_state){ .reload = 65536, .access = BOTH, .gate = i != 2 };
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
