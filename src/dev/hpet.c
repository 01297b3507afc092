/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counter is a function of virtual time: offset + ticks since start, or
 * offset alone while halted.  A comparator has a timer of the virtual clock armed for
 * the moment its match comes; with 32 bits it comes again at every wrap.  One
 * whose match nobody would notice is silent: it has no timer, so that it does
 * not wake a sleeping machine; where a periodic one stands follows when a
 * register is looked at.
 */
#include "dev/hpet.h"

#include <stdio.h>
#include <stdlib.h>

enum { NS_PER_TICK = 10, PERIOD_FS = 10000000 };
enum { REG_CAPABILITY = 0, REG_CONFIG = 0x10, REG_STATUS = 0x20, REG_COUNTER = 0xf0, REG_TIMERS = 0x100 };
enum { CONFIG_ENABLE = 1, CONFIG_LEGACY = 2 };
enum { /* comparator configuration (2.3.8) */
    T_LEVEL = 1 << 1, T_ENABLE = 1 << 2, T_PERIODIC = 1 << 3, T_CAN_REPEAT = 1 << 4, T_IS_64 = 1 << 5,
    T_SET_VALUE = 1 << 6, T_MODE_32 = 1 << 8, T_ROUTE_SHIFT = 9, T_ROUTE = 31 << T_ROUTE_SHIFT,
    T_WRITABLE = T_LEVEL | T_ENABLE | T_PERIODIC | T_SET_VALUE | T_MODE_32 | T_ROUTE,
};
/* Pins of the I/O APIC that a comparator may use: 2, 8, 16 to 23. */
static const uint64_t routes = UINT64_C(0x00ff0104) << 32;

struct hpet_timer {
    uint64_t config, comparator, period;
    uint64_t silent_since;   /* counter value up to which a silent periodic comparator is right */
};

struct hpet_state {
    uint64_t config, status;
    uint64_t offset, start_ns;
    struct hpet_timer timer[HPET_TIMERS];
};

static const struct state_field timer_fields[] = {
    STATE_UINT(struct hpet_timer, config), STATE_UINT(struct hpet_timer, comparator),
    STATE_UINT(struct hpet_timer, period), STATE_UINT(struct hpet_timer, silent_since),
};
static STATE_DESC(timer_desc, struct hpet_timer, 1, timer_fields);
static const struct state_field fields[] = {
    STATE_UINT(struct hpet_state, config), STATE_UINT(struct hpet_state, status),
    STATE_UINT(struct hpet_state, offset), STATE_UINT(struct hpet_state, start_ns),
    STATE_STRUCT(struct hpet_state, timer, timer_desc, HPET_TIMERS),
};
static STATE_DESC(hpet_desc, struct hpet_state, 1, fields);

struct hpet_match {
    struct hpet *h;
    struct sim_timer timer;
};

struct hpet {
    struct hpet_state s;
    struct sim *sim;
    struct irq wire, legacy;
    struct hpet_match match[HPET_TIMERS];
};

bool hpet_legacy(const struct hpet *h) { return (h->s.config & 3) == (CONFIG_ENABLE | CONFIG_LEGACY); }

static uint64_t counter(const struct hpet *h)
{
    if (!(h->s.config & CONFIG_ENABLE))
        return h->s.offset;
    return h->s.offset + (sim_now(h->sim) - h->s.start_ns) / NS_PER_TICK;
}

/* ---- interrupts -------------------------------------------------------------------- */

static void drive(struct hpet *h, unsigned n, bool level)
{
    const struct hpet_timer *t = &h->s.timer[n];
    unsigned pin = (t->config & T_ROUTE) >> T_ROUTE_SHIFT;
    if (hpet_legacy(h) && n < 2)
        h->legacy.set(h->legacy.opaque, n ? 8 : 0, level);
    else if (routes >> 32 >> pin & 1)
        h->wire.set(h->wire.opaque, pin, level);
}

/* A level that is owed: its status is set, and the timer and the whole block are enabled. */
static bool owed(const struct hpet *h, unsigned n)
{
    return h->s.status >> n & 1 && h->s.timer[n].config & T_ENABLE && h->s.config & CONFIG_ENABLE;
}

/* An edge leaves the line up until the next: a controller may drop a request whose line falls before it is served. */
static void interrupt(struct hpet *h, unsigned n)
{
    const struct hpet_timer *t = &h->s.timer[n];
    if (t->config & T_LEVEL) {
        h->s.status |= UINT64_C(1) << n;
        drive(h, n, owed(h, n));
    } else if (t->config & T_ENABLE) {
        drive(h, n, false);
        drive(h, n, true);
    }
}

static void clear_status(struct hpet *h, uint64_t bits)
{
    for (unsigned n = 0; n < HPET_TIMERS; n++)
        if (h->s.status & bits & UINT64_C(1) << n)
            drive(h, n, false);
    h->s.status &= ~bits;
}

/* ---- matches -------------------------------------------------------------------------- */

static uint64_t width_mask(const struct hpet_timer *t) { return t->config & T_MODE_32 ? UINT32_MAX : UINT64_MAX; }

static bool silent(const struct hpet_timer *t) { return !(t->config & (T_ENABLE | T_LEVEL)); }

/* A periodic comparator that has matched goes on to the first match behind `now`. */
static void next_period(struct hpet_timer *t, uint64_t now)
{
    uint64_t behind = (now - t->comparator) & width_mask(t);
    t->comparator = (t->comparator + (behind / t->period + 1) * t->period) & width_mask(t);
}

static void catch_up(struct hpet *h)
{
    uint64_t now = counter(h);
    for (struct hpet_timer *t = h->s.timer; t < h->s.timer + HPET_TIMERS; t++) {
        if (!silent(t) || !(t->config & T_PERIODIC) || !t->period || !(h->s.config & CONFIG_ENABLE))
            continue;
        if (now - t->silent_since >= ((t->comparator - t->silent_since) & width_mask(t)))
            next_period(t, now);
        t->silent_since = now;
    }
}

/* Ticks until the comparator matches; just after a match that is a whole turn of the counter. */
static void arm(struct hpet *h, unsigned n, bool just_matched)
{
    struct hpet_timer *t = &h->s.timer[n];
    uint64_t now = counter(h), ticks = (t->comparator - now) & width_mask(t);
    if (ticks == 0 && just_matched)
        ticks = t->config & T_MODE_32 ? UINT64_C(1) << 32 : UINT64_MAX;
    t->silent_since = silent(t) ? now : 0;
    if (!(h->s.config & CONFIG_ENABLE) || silent(t) || ticks > UINT64_MAX / 4 / NS_PER_TICK)
        timer_cancel(&h->match[n].timer);
    else
        timer_arm(&h->match[n].timer, h->s.start_ns + (now - h->s.offset + ticks) * NS_PER_TICK);
}

static void matched(void *opaque)
{
    struct hpet_match *m = opaque;
    struct hpet *h = m->h;
    unsigned n = (unsigned)(m - h->match);
    struct hpet_timer *t = &h->s.timer[n];
    if (t->config & T_PERIODIC && t->period)
        next_period(t, counter(h));
    arm(h, n, true);
    interrupt(h, n);
}

/* ---- registers -------------------------------------------------------------------------- */

static uint64_t *timer_register(struct hpet *h, uint64_t addr)
{
    unsigned n = (unsigned)(addr - REG_TIMERS) / 32;
    if (addr < REG_TIMERS || n >= HPET_TIMERS)
        return NULL;
    return (addr & 31) == 0 ? &h->s.timer[n].config : (addr & 31) == 8 ? &h->s.timer[n].comparator : NULL;
}

static uint64_t read_register(struct hpet *h, uint64_t addr)
{
    switch (addr) {
    case REG_CAPABILITY:
        return (uint64_t)PERIOD_FS << 32 | HPET_ID;
    case REG_CONFIG:
        return h->s.config;
    case REG_STATUS:
        return h->s.status;
    case REG_COUNTER:
        return counter(h);
    }
    uint64_t *r = timer_register(h, addr);
    if (!r)
        return 0;
    return (addr & 31) == 0 ? *r | routes | T_CAN_REPEAT | T_IS_64 : *r;
}

/* Lines fall under the old routing and what is owed rises under the new one. */
static void write_config(struct hpet *h, uint64_t value)
{
    bool was_legacy = hpet_legacy(h);
    h->s.offset = counter(h);
    h->s.start_ns = sim_now(h->sim);
    for (unsigned n = 0; n < HPET_TIMERS; n++)
        drive(h, n, false);
    h->s.config = value & (CONFIG_ENABLE | CONFIG_LEGACY);
    if (hpet_legacy(h) && !was_legacy) {     /* what the 8254 and the RTC held up */
        h->legacy.set(h->legacy.opaque, 0, false);
        h->legacy.set(h->legacy.opaque, 8, false);
    }
    for (unsigned n = 0; n < HPET_TIMERS; n++) {
        arm(h, n, false);
        if (owed(h, n))
            drive(h, n, true);
    }
}

static void write_timer_config(struct hpet *h, unsigned n, uint64_t value)
{
    struct hpet_timer *t = &h->s.timer[n];
    drive(h, n, false);
    t->config = value & T_WRITABLE;
    if (!(t->config & T_LEVEL))
        h->s.status &= ~(UINT64_C(1) << n);
    if (t->config & T_MODE_32)
        t->comparator &= UINT32_MAX;
    if (owed(h, n))
        drive(h, n, true);
}

static void write_timer(struct hpet *h, uint64_t addr, uint64_t value)
{
    unsigned n = (unsigned)(addr - REG_TIMERS) / 32;
    struct hpet_timer *t = &h->s.timer[n];
    if ((addr & 31) == 0) {
        write_timer_config(h, n, value);
    } else {
        if (t->config & T_PERIODIC)
            t->period = value & width_mask(t);
        if (!(t->config & T_PERIODIC) || t->config & T_SET_VALUE)
            t->comparator = value & width_mask(t);
        t->config &= ~(uint64_t)T_SET_VALUE;
    }
    arm(h, n, false);
}

static void write_register(struct hpet *h, uint64_t addr, uint64_t value)
{
    switch (addr) {
    case REG_CONFIG:
        write_config(h, value);
        break;
    case REG_STATUS:
        clear_status(h, value);
        break;
    case REG_COUNTER:
        if (!(h->s.config & CONFIG_ENABLE))
            h->s.offset = value;
        break;
    default:
        if (timer_register(h, addr))
            write_timer(h, addr, value);
    }
}

static uint64_t hpet_read(void *opaque, uint64_t addr, unsigned size)
{
    catch_up(opaque);
    uint64_t v = read_register(opaque, addr & ~UINT64_C(7));
    return size == 8 ? v : addr & 4 ? v >> 32 : (uint32_t)v;
}

/* Half of a register: the other half keeps its value (a comparator's, what was last written). */
static void hpet_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct hpet *h = opaque;
    catch_up(h);
    uint64_t at = addr & ~UINT64_C(7), old = at == REG_STATUS ? 0 : read_register(h, at);
    uint64_t *r = timer_register(h, at);
    if (r)
        old = *r;
    if (size == 4)
        value = addr & 4 ? value << 32 | (uint32_t)old : (old & ~(uint64_t)UINT32_MAX) | value;
    /* Software that knows 32 bits writes the low half alone: a period must not inherit the old high half. */
    if (size == 4 && !(addr & 4) && r && (at & 31) == 8 && h->s.timer[(at - REG_TIMERS) / 32].config & T_PERIODIC)
        value = (uint32_t)value;
    write_register(h, at, value);
}

static const struct io_ops ops = { hpet_read, hpet_write, 4, 8 };

/* ---- life ------------------------------------------------------------------------------------ */

struct hpet *hpet_new(struct sim *sim, struct space *mem, uint64_t base, struct irq wire, struct irq legacy)
{
    struct hpet *h = NEW(struct hpet);
    char name[16];
    h->sim = sim;
    h->wire = wire;
    h->legacy = legacy;
    state_set_add(sim_state(sim), "hpet", &hpet_desc, &h->s, NULL, NULL, NULL);
    for (unsigned n = 0; n < HPET_TIMERS; n++) {
        h->match[n].h = h;
        snprintf(name, sizeof name, "hpet%u", n);
        timer_init(&h->match[n].timer, sim, SIM_CLOCK_VIRTUAL, name, matched, &h->match[n]);
    }
    space_map_io(mem, "hpet", base, HPET_SIZE, 1, &ops, h);
    return h;
}

void hpet_free(struct hpet *h) { free(h); }

void hpet_reset(struct hpet *h)
{
    for (unsigned n = 0; n < HPET_TIMERS; n++)
        timer_cancel(&h->match[n].timer);
    h->s = (struct hpet_state){ 0 };
    for (unsigned n = 0; n < HPET_TIMERS; n++)
        h->s.timer[n].comparator = UINT64_MAX;
}
