/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * High precision event timer (IA-PC HPET Specification 1.0a): one 64-bit
 * counter at 100 MHz, three comparators, all able to repeat.
 */
#ifndef REPRISE_DEV_HPET_H
#define REPRISE_DEV_HPET_H

#include "dev/irq.h"
#include "mem/space.h"
#include "sim/sim.h"

enum { HPET_TIMERS = 3, HPET_SIZE = 1024 };
/* The capability register's low half, as the ACPI table repeats it. */
enum { HPET_CAPABILITY = 0x01 | (HPET_TIMERS - 1) << 8 | 1 << 13 | 1 << 15 };
#define HPET_ID ((uint32_t)HPET_CAPABILITY | 0x80860000u)

struct hpet;

/*
 * Maps it at base.  wire(n) drives pin n of the I/O APIC (and the 8259's input n if there is one); while
 * hpet_legacy() the 8254 and the RTC must be kept from IRQ 0 and 8, which are wires 0 and 8
 * of `legacy` then (2.4.2.1, legacy replacement).
 */
struct hpet *hpet_new(struct sim *sim, struct space *mem, uint64_t base, struct irq wire, struct irq legacy);
void hpet_free(struct hpet *h);
void hpet_reset(struct hpet *h);
bool hpet_legacy(const struct hpet *h);

#endif
