/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local APICs, xAPIC and x2APIC (Intel SDM vol. 3, ch. 10). */
#ifndef REPRISE_DEV_APIC_H
#define REPRISE_DEV_APIC_H

#include "dev/irq.h"
#include "dev/pic.h"
#include "guest/x86/cpu.h"
#include "mem/space.h"

struct apic;

/* The interrupt message bus between local APICs and the I/O APIC. */
struct apic_bus {
    struct apic *apic[32];
    unsigned n;
    void (*eoi)(void *opaque, uint8_t vector);   /* to the I/O APIC */
    void *eoi_opaque;
};

/* One per CPU; connects itself to it.  pic: ExtINT vectors come from there (CPU 0). */
struct apic *apic_new(struct sim *sim, struct x86_cpu *cpu, struct apic_bus *bus, struct space *mem, struct pic *pic);
void apic_reset(struct apic *a);
void apic_init_reset(struct apic *a);      /* on INIT */
void apic_free(struct apic *a);

enum apic_delivery { APIC_FIXED, APIC_LOWEST, APIC_SMI, APIC_RESERVED, APIC_NMI, APIC_INIT, APIC_SIPI, APIC_EXTINT };

/* Sends a message: dest_logical and dest as in the ICR and redirection entries; x2: 32-bit destination.
 * False: nobody accepted it. */
bool apic_bus_send(struct apic_bus *bus, uint32_t dest, bool dest_logical, enum apic_delivery mode, uint8_t vector,
                   bool level_triggered);

/* INTR of the 8259, wired to LINT0. */
void apic_set_extint(struct apic *a, bool level);
/* Virtual wire: LINT0 as ExtINT, unmasked, as firmware leaves it on the boot CPU. */
void apic_firmware_setup(struct apic *a);

#endif
