/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internal to the local APIC: state shared by apic.c (registers), apic_timer.c and apic_ipi.c (messages). */
#ifndef REPRISE_DEV_APIC_IMPL_H
#define REPRISE_DEV_APIC_IMPL_H

#include "dev/apic.h"

enum { LVT_CMCI, LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };
enum { LVT_REMOTE_IRR = 1 << 14, LVT_LEVEL = 1 << 15, LVT_MASKED = 1 << 16 };
enum { ESR_SEND_ILLEGAL = 1 << 5, ESR_RECEIVED_ILLEGAL = 1 << 6, ESR_ILLEGAL_REGISTER = 1 << 7 };
enum { SPURIOUS_ENABLE = 1 << 8 };

struct apic_state {
    uint32_t id, ldr, dfr, svr, tpr, esr, esr_pending;
    uint32_t icr[2], lvt[LVT_COUNT];
    uint32_t timer_initial, timer_divide;
    uint32_t isr[8], tmr[8], irr[8];
    uint32_t extint;           /* the 8259's INTR, on LINT0 */
    uint32_t extint_message;   /* an ExtINT message waits for its INTA */
    uint64_t base;             /* IA32_APIC_BASE */
    uint64_t timer_start;      /* virtual ns when the count began */
    uint64_t tsc_deadline;     /* 0: not armed */
};

struct apic {
    struct apic_state s;
    struct sim *sim;
    struct x86_cpu *cpu;
    struct apic_bus *bus;
    struct pic *pic;
    struct space_map *map;
    struct sim_timer timer;
};

static inline bool apic_x2(const struct apic *a) { return (a->s.base & 3 << 10) == 3 << 10; }
static inline bool apic_enabled(const struct apic *a) { return a->s.base >> 11 & 1; }

static inline void apic_set_bit(uint32_t *v, unsigned n) { v[n / 32] |= 1u << n % 32; }
static inline void apic_clear_bit(uint32_t *v, unsigned n) { v[n / 32] &= ~(1u << n % 32); }
static inline bool apic_test_bit(const uint32_t *v, unsigned n) { return v[n / 32] >> n % 32 & 1; }
static inline int apic_highest(const uint32_t *v)
{
    for (int i = 7; i >= 0; i--)
        if (v[i])
            return 32 * i + 31 - __builtin_clz(v[i]);
    return -1;
}

void apic_update(struct apic *a);
/* A fixed interrupt arrives.  False: software has the APIC disabled, nothing was accepted. */
bool apic_accept(struct apic *a, uint8_t vector, bool level_triggered);
/* What an LVT entry says happens. */
void apic_local(struct apic *a, unsigned lvt);
void apic_error(struct apic *a, uint32_t bit);
/* Writes of ICR. */
void apic_send_ipi(struct apic *a, uint32_t low, uint32_t dest);
unsigned apic_ppr(const struct apic *a);

/* ---- apic_timer.c ---- */
void apic_timer_init(struct apic *a, const char *name);
uint32_t apic_timer_count(const struct apic *a);
void apic_timer_start(struct apic *a, uint32_t initial);
void apic_timer_divide(struct apic *a, uint32_t divide);
void apic_timer_mode_written(struct apic *a, uint32_t old_lvt);
void apic_set_tsc_deadline(void *opaque, uint64_t tsc);
uint64_t apic_get_tsc_deadline(void *opaque);

#endif
