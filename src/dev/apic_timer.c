/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local APIC's timer (SDM vol. 3, 10.5.4): one tick of its bus clock is 1 ns.
 *
 * The count is a function of virtual time since timer_start.  In TSC-deadline mode timer_start has no meaning and
 * the deadline is met when the CPU's time-stamp counter reaches it.
 */
#include "dev/apic_impl.h"

enum { ONESHOT, PERIODIC, DEADLINE };

static unsigned mode_of(uint32_t lvt) { return lvt >> 17 & 3; }
static unsigned mode(const struct apic *a) { return mode_of(a->s.lvt[LVT_TIMER]); }

/* Bits 3, 1, 0: 000 divides by 2 and so on; 111 by 1. */
static unsigned divide_shift(const struct apic *a)
{
    unsigned v = (a->s.timer_divide & 3) | (a->s.timer_divide >> 1 & 4);
    return (v + 1) & 7;
}

uint32_t apic_timer_count(const struct apic *a)
{
    uint64_t ticks = (sim_now(a->sim) - a->s.timer_start) >> divide_shift(a);
    uint32_t n = a->s.timer_initial;
    if (!n || mode(a) == DEADLINE)
        return 0;
    if (mode(a) == PERIODIC)
        return (uint32_t)(n - ticks % n);
    return ticks >= n ? 0 : (uint32_t)(n - ticks);
}

static void schedule_deadline(struct apic *a)
{
    uint64_t tsc = x86_read_tsc(a->cpu), now = sim_now(a->sim);
    if (a->s.tsc_deadline)
        timer_arm(&a->timer, a->s.tsc_deadline > tsc ? now + (a->s.tsc_deadline - tsc) : now);
}

static void schedule(struct apic *a)
{
    timer_cancel(&a->timer);
    if (mode(a) == DEADLINE) {
        schedule_deadline(a);
        return;
    }
    if (!a->s.timer_initial)
        return;
    uint64_t period = (uint64_t)a->s.timer_initial << divide_shift(a), past = sim_now(a->sim) - a->s.timer_start;
    if (mode(a) == PERIODIC)
        timer_arm(&a->timer, a->s.timer_start + (past / period + 1) * period);
    else if (past < period)
        timer_arm(&a->timer, a->s.timer_start + period);
}

static void fired(void *opaque)
{
    struct apic *a = opaque;
    if (mode(a) == DEADLINE) {
        if (x86_read_tsc(a->cpu) < a->s.tsc_deadline) {      /* the counter was set back meanwhile */
            schedule(a);
            return;
        }
        a->s.tsc_deadline = 0;
    }
    apic_local(a, LVT_TIMER);
    if (mode(a) == PERIODIC)
        schedule(a);
}

void apic_timer_init(struct apic *a, const char *name)
{
    timer_init(&a->timer, a->sim, SIM_CLOCK_VIRTUAL, name, fired, a);
}

void apic_timer_start(struct apic *a, uint32_t initial)
{
    if (mode(a) == DEADLINE)
        return;
    a->s.timer_initial = initial;
    a->s.timer_start = sim_now(a->sim);
    schedule(a);
}

/* The count that is reached goes on at the new rate; one that has expired stays expired. */
void apic_timer_divide(struct apic *a, uint32_t divide)
{
    uint32_t left = apic_timer_count(a);
    a->s.timer_divide = divide;
    if (mode(a) != DEADLINE && a->s.timer_initial)
        a->s.timer_start = sim_now(a->sim) - ((uint64_t)(a->s.timer_initial - left) << divide_shift(a));
    schedule(a);
}

/* Into or out of TSC-deadline mode the timer is disarmed. */
void apic_timer_mode_written(struct apic *a, uint32_t old_lvt)
{
    unsigned old = mode_of(old_lvt);
    if (old == mode(a))
        return;
    a->s.tsc_deadline = 0;
    if (old == DEADLINE || mode(a) == DEADLINE)
        a->s.timer_initial = 0;
    schedule(a);
}

void apic_set_tsc_deadline(void *opaque, uint64_t tsc)
{
    struct apic *a = opaque;
    if (mode(a) != DEADLINE)
        return;
    a->s.tsc_deadline = tsc;
    schedule(a);
}

uint64_t apic_get_tsc_deadline(void *opaque) { return ((struct apic *)opaque)->s.tsc_deadline; }
