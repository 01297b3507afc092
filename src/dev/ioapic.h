/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I/O APIC with 24 pins (Intel 82093AA data sheet).  Polarity is stored, not applied: the wires are active high. */
#ifndef REPRISE_DEV_IOAPIC_H
#define REPRISE_DEV_IOAPIC_H

#include "dev/apic.h"

struct ioapic;
struct ioapic *ioapic_new(struct sim *sim, struct space *mem, struct apic_bus *bus);
void ioapic_reset(struct ioapic *io);
void ioapic_free(struct ioapic *io);
void ioapic_set_pin(struct ioapic *io, unsigned pin, bool level);

#endif
