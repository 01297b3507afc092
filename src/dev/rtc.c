/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The time of day is base + the clock's progress; it is broken into the ten
 * registers when they are read.  The clock is read (and logged) once per
 * access that needs it.  Periodic, alarm and update interrupts are timers of
 * the virtual clock, armed only while register B enables them.
 */
#include "dev/rtc.h"

#include <stdlib.h>

enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH, YEAR, REG_A, REG_B,
       REG_C, REG_D, CENTURY = 0x32 };
enum { A_UIP = 0x80 };
enum { B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_UIE = 0x10, B_DM_BINARY = 4, B_24H = 2 };
enum { C_IRQF = 0x80, C_PF = 0x40, C_AF = 0x20, C_UF = 0x10 };
enum { UIP_NS = 244000 };   /* UIP is up this long before an update */

struct rtc_state {
    uint64_t base;           /* seconds since 1970 at clock reading 0 */
    uint64_t period_base;    /* virtual ns from which periodic ticks count */
    uint8_t index, pad[7];
    uint8_t cmos[128];
};

static const struct state_field fields[] = {
    STATE_UINT(struct rtc_state, base),  STATE_UINT(struct rtc_state, period_base),
    STATE_UINT(struct rtc_state, index), STATE_PAD(struct rtc_state, pad),
    STATE_ARRAY(struct rtc_state, cmos, uint8_t),
};
static STATE_DESC(rtc_desc, struct rtc_state, 1, fields);

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

static uint64_t clock_seconds(struct rtc *r, uint64_t *fraction)
{
    uint64_t ns = sim_clock_ns(r->sim, r->config.virtual_clock ? SIM_CLOCK_VIRTUAL : SIM_CLOCK_HOST);
    *fraction = ns % NS_PER_SEC;
    return ns / NS_PER_SEC;
}

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

static void latch_time(struct rtc *r)
{
    uint64_t fraction;
    if (r->s.cmos[REG_B] & B_SET)
        return;
    struct calendar c = to_calendar(r->s.base + clock_seconds(r, &fraction));
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

/* The guest set the clock: the registers become the new base. */
static void set_time(struct rtc *r)
{
    const uint8_t *m = r->s.cmos;
    uint64_t fraction;
    struct calendar c = { decode(r, m[SECONDS]), decode(r, m[MINUTES]), decode_hour(r, m[HOURS]), 1,
                          decode(r, m[DAY]), decode(r, m[MONTH]),
                          decode(r, m[YEAR]) + 100 * decode(r, m[CENTURY]) };
    if (c.month < 1 || c.month > 12 || c.day < 1 || c.year < 1970)
        return;
    r->s.base = from_calendar(&c) - clock_seconds(r, &fraction);
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static void raise(struct rtc *r, uint8_t flag)
{
    r->s.cmos[REG_C] |= flag;
    if (r->s.cmos[REG_C] & r->s.cmos[REG_B] & (C_PF | C_AF | C_UF)) {
        r->s.cmos[REG_C] |= C_IRQF;
        irq_set(&r->irq, true);
    }
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

static void arm_periodic(struct rtc *r)
{
    uint64_t period = period_ns(r);
    timer_cancel(&r->periodic);
    if (r->s.cmos[REG_B] & B_PIE && period) {
        uint64_t n = (sim_now(r->sim) - r->s.period_base) / period + 1;
        timer_arm(&r->periodic, r->s.period_base + n * period);
    }
}

static void periodic_fired(void *opaque)
{
    struct rtc *r = opaque;
    raise(r, C_PF);
    arm_periodic(r);
}

static void arm_update(struct rtc *r)
{
    timer_cancel(&r->update);
    if (r->s.cmos[REG_B] & (B_UIE | B_AIE) && !(r->s.cmos[REG_B] & B_SET)) {
        uint64_t fraction;
        clock_seconds(r, &fraction);
        timer_arm(&r->update, sim_now(r->sim) + NS_PER_SEC - fraction);
    }
}

static bool alarm_matches(const struct rtc *r)
{
    const uint8_t *m = r->s.cmos;
    static const uint8_t pair[3][2] = { { SECONDS_ALARM, SECONDS }, { MINUTES_ALARM, MINUTES }, { HOURS_ALARM, HOURS } };
    for (unsigned i = 0; i < 3; i++)
        if (m[pair[i][0]] < 0xc0 && m[pair[i][0]] != m[pair[i][1]])
            return false;
    return true;
}

static void update_fired(void *opaque)
{
    struct rtc *r = opaque;
    latch_time(r);
    raise(r, (uint8_t)(C_UF | (alarm_matches(r) ? C_AF : 0)));
    arm_update(r);
}

/* ---- registers ----------------------------------------------------------------------------------- */

static uint8_t read_register(struct rtc *r)
{
    unsigned i = r->s.index;
    uint8_t v;
    uint64_t fraction;
    switch (i) {
    case SECONDS: case MINUTES: case HOURS: case WEEKDAY: case DAY: case MONTH: case YEAR: case CENTURY:
        latch_time(r);
        return r->s.cmos[i];
    case REG_A:
        if (r->s.cmos[REG_B] & B_SET)
            return r->s.cmos[REG_A];
        clock_seconds(r, &fraction);
        return r->s.cmos[REG_A] | (fraction >= NS_PER_SEC - UIP_NS ? A_UIP : 0);
    case REG_C:
        v = r->s.cmos[REG_C];
        r->s.cmos[REG_C] = 0;
        irq_set(&r->irq, false);
        return v;
    case REG_D:
        return 0x80;
    default:
        return r->s.cmos[i];
    }
}

static void write_register(struct rtc *r, uint8_t v)
{
    unsigned i = r->s.index;
    uint8_t old = r->s.cmos[i];
    switch (i) {
    case SECONDS: case MINUTES: case HOURS: case WEEKDAY: case DAY: case MONTH: case YEAR: case CENTURY:
        latch_time(r);
        r->s.cmos[i] = v;
        if (!(r->s.cmos[REG_B] & B_SET))
            set_time(r);
        break;
    case REG_A:
        r->s.cmos[i] = v & 0x7f;
        if ((old ^ v) & 15)
            r->s.period_base = sim_now(r->sim);
        arm_periodic(r);
        break;
    case REG_B:
        if (v & B_SET && !(old & B_SET))
            latch_time(r);
        r->s.cmos[i] = v & B_SET ? v & (uint8_t)~B_UIE : v;
        if (old & B_SET && !(v & B_SET))
            set_time(r);
        arm_periodic(r);
        arm_update(r);
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
    uint64_t fraction;
    r->sim = sim;
    r->irq = irq8;
    r->config = *config;
    state_set_add(sim_state(sim), "rtc", &rtc_desc, &r->s, NULL, NULL, NULL);
    timer_init(&r->periodic, sim, SIM_CLOCK_VIRTUAL, "rtc.periodic", periodic_fired, r);
    timer_init(&r->update, sim, SIM_CLOCK_VIRTUAL, "rtc.update", update_fired, r);
    space_map_io(io, "rtc", 0x70, 2, 0, &rtc_ops, r);
    if (config->start_seconds)
        r->s.base = config->start_seconds - clock_seconds(r, &fraction);
    r->s.cmos[REG_A] = 0x26;
    r->s.cmos[REG_B] = B_24H;
    return r;
}
