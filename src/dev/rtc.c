/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The time of day is base + the clock's progress; it is broken into the ten registers when they are read, and the
 * clock is read (and logged) once per access that needs it.
 *
 * Invariants
 *  1. Time runs while SET is clear and the divider is not held in reset; else the registers hold it.
 *  2. The flags of register C are set whether or not their interrupts are enabled: by timers of the virtual clock
 *     while register B enables the interrupt, else when the register is read.
 */
#include "dev/rtc.h"

#include <stdlib.h>

enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH, YEAR, REG_A, REG_B,
       REG_C, REG_D, CENTURY = 0x32 };
enum { A_UIP = 0x80, A_HELD = 0x60 };
enum { B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_UIE = 0x10, B_DM_BINARY = 4, B_24H = 2 };
enum { C_IRQF = 0x80, C_PF = 0x40, C_AF = 0x20, C_UF = 0x10 };
enum { UIP_NS = 244000 };          /* UIP is up this long before an update */
enum { RELEASE_NS = 500000000 };   /* the first update comes half a second behind the divider's release */
enum { DAY_SECONDS = 86400 };

struct rtc_state {
    uint64_t base;           /* ns since 1970 at clock reading 0 */
    uint64_t seen;           /* the last second (since 1970) whose update the flags know */
    uint64_t period_base;    /* virtual ns from which periodic ticks count */
    uint64_t periods_seen;   /* ticks since then that the flags know */
    uint8_t index, pad[7];
    uint8_t cmos[128];
};

static const struct state_field fields[] = {
    STATE_UINT(struct rtc_state, base),        STATE_UINT(struct rtc_state, seen),
    STATE_UINT(struct rtc_state, period_base), STATE_UINT(struct rtc_state, periods_seen),
    STATE_UINT(struct rtc_state, index),       STATE_PAD(struct rtc_state, pad),
    STATE_ARRAY(struct rtc_state, cmos, uint8_t),
};
static STATE_DESC(rtc_desc, struct rtc_state, 2, fields);

struct rtc {
    struct rtc_state s;
    struct sim *sim;
    struct irq irq;
    struct rtc_config config;
    struct sim_timer periodic, update;
};

struct calendar {
    unsigned second, minute, hour, weekday, day, month, year;
};

static uint64_t clock_ns(struct rtc *r)
{
    return sim_clock_ns(r->sim, r->config.virtual_clock ? SIM_CLOCK_VIRTUAL : SIM_CLOCK_HOST);
}

static uint64_t time_ns(struct rtc *r) { return r->s.base + clock_ns(r); }
static bool held(const struct rtc *r) { return (r->s.cmos[REG_A] & A_HELD) == A_HELD; }
static bool runs(const struct rtc *r) { return !(r->s.cmos[REG_B] & B_SET) && !held(r); }

/* Days to civil date, proleptic Gregorian, era arithmetic from 0000-03-01. */
static struct calendar to_calendar(uint64_t seconds)
{
    struct calendar c;
    uint64_t days = seconds / 86400, rest = seconds % 86400;
    c.second = rest % 60;
    c.minute = rest / 60 % 60;
    c.hour = (unsigned)(rest / 3600);
    c.weekday = (unsigned)((days + 4) % 7) + 1;
    uint64_t z = days + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    c.day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    c.year = (unsigned)(yoe + era * 400 + (c.month <= 2));
    return c;
}

static uint64_t from_calendar(const struct calendar *c)
{
    uint64_t y = c->year - (c->month <= 2), era = y / 400, yoe = y % 400;
    uint64_t mp = c->month > 2 ? c->month - 3 : c->month + 9;
    uint64_t doy = (153 * mp + 2) / 5 + c->day - 1, doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    uint64_t days = era * 146097 + doe - 719468;
    return days * 86400 + c->hour * 3600 + c->minute * 60 + c->second;
}

static uint8_t encode(const struct rtc *r, unsigned v)
{
    return (uint8_t)(r->s.cmos[REG_B] & B_DM_BINARY ? v : v % 10 | v / 10 << 4);
}

static unsigned decode(const struct rtc *r, uint8_t v)
{
    return r->s.cmos[REG_B] & B_DM_BINARY ? v : (v & 15) + 10u * (v >> 4);
}

static uint8_t encode_hour(const struct rtc *r, unsigned h)
{
    if (r->s.cmos[REG_B] & B_24H)
        return encode(r, h);
    return encode(r, h % 12 ? h % 12 : 12) | (h >= 12 ? 0x80 : 0);
}

static unsigned decode_hour(const struct rtc *r, uint8_t v)
{
    if (r->s.cmos[REG_B] & B_24H)
        return decode(r, v);
    return decode(r, v & 0x7f) % 12 + (v & 0x80 ? 12 : 0);
}

static void show_time(struct rtc *r, uint64_t seconds)
{
    struct calendar c = to_calendar(seconds);
    uint8_t *m = r->s.cmos;
    m[SECONDS] = encode(r, c.second);
    m[MINUTES] = encode(r, c.minute);
    m[HOURS] = encode_hour(r, c.hour);
    m[WEEKDAY] = encode(r, c.weekday);
    m[DAY] = encode(r, c.day);
    m[MONTH] = encode(r, c.month);
    m[YEAR] = encode(r, c.year % 100);
    m[CENTURY] = encode(r, c.year / 100);
}

static void latch_time(struct rtc *r)
{
    if (runs(r))
        show_time(r, time_ns(r) / NS_PER_SEC);
}

/* The guest set the clock: the registers become the time, `fraction` ns behind its second's begin. */
static void set_time(struct rtc *r, uint64_t fraction)
{
    const uint8_t *m = r->s.cmos;
    struct calendar c = { decode(r, m[SECONDS]), decode(r, m[MINUTES]), decode_hour(r, m[HOURS]), 1,
                          decode(r, m[DAY]), decode(r, m[MONTH]),
                          decode(r, m[YEAR]) + 100 * decode(r, m[CENTURY]) };
    if (c.month < 1 || c.month > 12 || c.day < 1 || c.year < 1970)
        return;
    r->s.seen = from_calendar(&c);
    r->s.base = r->s.seen * NS_PER_SEC + fraction - clock_ns(r);
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static void update_line(struct rtc *r)
{
    uint8_t *c = &r->s.cmos[REG_C];
    bool on = *c & r->s.cmos[REG_B] & (C_PF | C_AF | C_UF);
    *c = (uint8_t)((*c & ~C_IRQF) | (on ? C_IRQF : 0));
    irq_set(&r->irq, on);
}

static void raise(struct rtc *r, uint8_t flags)
{
    r->s.cmos[REG_C] |= flags;
    update_line(r);
}

static uint64_t period_ns(const struct rtc *r)
{
    unsigned rate = r->s.cmos[REG_A] & 15;
    if (!rate)
        return 0;
    if (rate < 3)
        rate += 7;
    return (UINT64_C(1) << (rate - 1)) * NS_PER_SEC / 32768;
}

static void catch_up_periodic(struct rtc *r)
{
    uint64_t period = period_ns(r);
    if (!period || held(r))
        return;
    uint64_t n = (sim_now(r->sim) - r->s.period_base) / period;
    if (n > r->s.periods_seen)
        raise(r, C_PF);
    r->s.periods_seen = n;
}

static void arm_periodic(struct rtc *r)
{
    uint64_t period = period_ns(r);
    timer_cancel(&r->periodic);
    if (r->s.cmos[REG_B] & B_PIE && period && !held(r))
        timer_arm(&r->periodic, r->s.period_base + (r->s.periods_seen + 1) * period);
}

static void periodic_fired(void *opaque)
{
    struct rtc *r = opaque;
    catch_up_periodic(r);
    arm_periodic(r);
}

static void restart_periodic(struct rtc *r)
{
    r->s.period_base = sim_now(r->sim);
    r->s.periods_seen = 0;
}

/* Does the alarm name the time that the registers show?  A byte of 0xc0 and more matches everything. */
static bool alarm_matches(const struct rtc *r)
{
    const uint8_t *m = r->s.cmos;
    static const uint8_t pair[3][2] = {
        { SECONDS_ALARM, SECONDS }, { MINUTES_ALARM, MINUTES }, { HOURS_ALARM, HOURS }
    };
    for (unsigned i = 0; i < 3; i++)
        if (m[pair[i][0]] < 0xc0 && m[pair[i][0]] != m[pair[i][1]])
            return false;
    return true;
}

/* The updates since the last that was seen; an alarm comes up within a day or not at all.  Returns the time. */
static uint64_t catch_up_updates(struct rtc *r)
{
    uint64_t ns = time_ns(r), second = ns / NS_PER_SEC;
    bool alarm = false;
    if (second > r->s.seen + DAY_SECONDS)
        r->s.seen = second - DAY_SECONDS;
    while (r->s.seen < second) {
        show_time(r, ++r->s.seen);
        alarm |= alarm_matches(r);
        if (r->s.seen == second)
            raise(r, (uint8_t)(C_UF | (alarm ? C_AF : 0)));
    }
    return ns;
}

static void arm_update(struct rtc *r)
{
    bool armed = r->update.s.armed, wanted = r->s.cmos[REG_B] & (B_UIE | B_AIE) && runs(r);
    if (!wanted)
        timer_cancel(&r->update);
    else if (!armed)
        timer_arm(&r->update, sim_now(r->sim) + NS_PER_SEC - catch_up_updates(r) % NS_PER_SEC);
}

static void update_fired(void *opaque)
{
    struct rtc *r = opaque;
    arm_update(r);
}

/* ---- registers ----------------------------------------------------------------------------------- */

static uint8_t read_flags(struct rtc *r)
{
    catch_up_periodic(r);
    if (runs(r) && !r->update.s.armed)
        catch_up_updates(r);
    uint8_t v = r->s.cmos[REG_C];
    r->s.cmos[REG_C] = 0;
    update_line(r);
    return v;
}

static uint8_t read_register(struct rtc *r)
{
    unsigned i = r->s.index;
    switch (i) {
    case SECONDS: case MINUTES: case HOURS: case WEEKDAY: case DAY: case MONTH: case YEAR: case CENTURY:
        latch_time(r);
        return r->s.cmos[i];
    case REG_A:
        return r->s.cmos[i] | (runs(r) && time_ns(r) % NS_PER_SEC >= NS_PER_SEC - UIP_NS ? A_UIP : 0);
    case REG_C:
        return read_flags(r);
    case REG_D:
        return 0x80;                     /* the battery is good */
    default:
        return r->s.cmos[i];
    }
}

static void write_a(struct rtc *r, uint8_t v)
{
    uint8_t old = r->s.cmos[REG_A];
    bool was_held = held(r);
    catch_up_periodic(r);
    latch_time(r);
    r->s.cmos[REG_A] = v & 0x7f;
    if (was_held && !held(r) && !(r->s.cmos[REG_B] & B_SET))
        set_time(r, RELEASE_NS);
    if ((old ^ v) & 15 || was_held != held(r))
        restart_periodic(r);
    arm_periodic(r);
    if (was_held != held(r)) {
        timer_cancel(&r->update);
        arm_update(r);
    }
}

/* SET stops the update that would disturb setting the time; the divider below the seconds goes on. */
static void write_b(struct rtc *r, uint8_t v)
{
    uint8_t old = r->s.cmos[REG_B];
    catch_up_periodic(r);
    if ((v ^ old) & (B_SET | B_DM_BINARY | B_24H))
        latch_time(r);
    r->s.cmos[REG_B] = v & B_SET ? v & (uint8_t)~B_UIE : v;
    if (old & B_SET && runs(r))
        set_time(r, time_ns(r) % NS_PER_SEC);
    if ((v ^ old) & B_SET)
        timer_cancel(&r->update);
    update_line(r);
    arm_periodic(r);
    arm_update(r);
}

static void write_register(struct rtc *r, uint8_t v)
{
    unsigned i = r->s.index;
    switch (i) {
    case SECONDS: case MINUTES: case HOURS: case WEEKDAY: case DAY: case MONTH: case YEAR: case CENTURY:
        latch_time(r);
        r->s.cmos[i] = v;
        if (runs(r))
            set_time(r, time_ns(r) % NS_PER_SEC);
        break;
    case REG_A:
        write_a(r, v);
        break;
    case REG_B:
        write_b(r, v);
        break;
    case REG_C:
    case REG_D:
        break;
    default:
        r->s.cmos[i] = v;
    }
}

static uint64_t rtc_read(void *opaque, uint64_t addr, unsigned size)
{
    struct rtc *r = opaque;
    (void)size;
    return addr ? read_register(r) : 0xff;
}

static void rtc_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct rtc *r = opaque;
    (void)size;
    if (addr)
        write_register(r, (uint8_t)value);
    else
        r->s.index = value & 0x7f;
}

static const struct io_ops rtc_ops = { rtc_read, rtc_write, 1, 1 };

/* RESET# leaves the time and the RAM alone. */
void rtc_reset(struct rtc *r)
{
    r->s.cmos[REG_B] &= (uint8_t)~(B_PIE | B_AIE | B_UIE);
    r->s.cmos[REG_C] = 0;
    r->s.index = 0;
    timer_cancel(&r->periodic);
    timer_cancel(&r->update);
    irq_set(&r->irq, false);
}

void rtc_set_cmos(struct rtc *r, unsigned index, uint8_t value) { r->s.cmos[index & 0x7f] = value; }

void rtc_free(struct rtc *r) { free(r); }

struct rtc *rtc_new(struct sim *sim, struct space *io, struct irq irq8, const struct rtc_config *config)
{
    struct rtc *r = NEW(struct rtc);
    r->sim = sim;
    r->irq = irq8;
    r->config = *config;
    state_set_add(sim_state(sim), "rtc", &rtc_desc, &r->s, NULL, NULL, NULL);
    timer_init(&r->periodic, sim, SIM_CLOCK_VIRTUAL, "rtc.periodic", periodic_fired, r);
    timer_init(&r->update, sim, SIM_CLOCK_VIRTUAL, "rtc.update", update_fired, r);
    space_map_io(io, "rtc", 0x70, 2, 0, &rtc_ops, r);
    r->s.cmos[REG_A] = 0x26;
    r->s.cmos[REG_B] = B_24H;
    uint64_t clock = clock_ns(r);
    if (config->start_seconds)
        r->s.base = config->start_seconds * NS_PER_SEC - clock;
    else if (config->virtual_clock)
        r->s.base = sim_clock_ns(sim, SIM_CLOCK_HOST) - clock;
    r->s.seen = (r->s.base + clock) / NS_PER_SEC;
    return r;
}
