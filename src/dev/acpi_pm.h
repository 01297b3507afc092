/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI fixed hardware of the PIIX4: PM1, PM timer, GPE0, SMI command port (82371AB data sheet, ACPI 6.4 ch. 4.8). */
#ifndef REPRISE_DEV_ACPI_PM_H
#define REPRISE_DEV_ACPI_PM_H

#include "dev/irq.h"
#include "mem/space.h"
#include "sim/sim.h"

enum { PM_TIMER_HZ = 3579545 };

struct acpi_pm;
/* sci: the system control interrupt; power_off: SLP_EN with SLP_TYP 0 (S5). */
struct acpi_pm *acpi_pm_new(struct sim *sim, struct space *io, struct irq sci, void (*power_off)(void *opaque),
                            void *opaque);
void acpi_pm_reset(struct acpi_pm *p);
void acpi_pm_free(struct acpi_pm *p);

/* The PM block's base and whether it decodes (the PCI function's PMBASE and PMREGMISC). */
void acpi_pm_map(struct acpi_pm *p, uint16_t base, bool enabled);
void acpi_pm_power_button(struct acpi_pm *p);

#endif
