/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI bus 0 behind configuration mechanism #1 (PCI Local Bus 2.1, 3.7.4.1). */
#ifndef REPRISE_DEV_PCI_H
#define REPRISE_DEV_PCI_H

#include "mem/space.h"
#include "sim/sim.h"

enum { PCI_CONFIG_BYTES = 256 };

/* One function's configuration space; writable says which bits software may change. */
struct pci_function {
    uint8_t config[PCI_CONFIG_BYTES];     /* state */
    const uint8_t *reset;                 /* PCI_CONFIG_BYTES at reset */
    const uint8_t *writable;              /* masks */
    void (*written)(void *opaque, unsigned offset, unsigned size);   /* after a write; may be NULL */
    void *opaque;
};

struct pci;
/*
 * Byte accesses to port 0xcf9 are the chipset's reset control (82371SB data sheet, 2.5.4), in the middle of the
 * address register, which knows 32-bit accesses only: `reset` pulses when bit 2 of it rises.
 */
struct pci *pci_new(struct sim *sim, struct space *io, void (*reset)(void *opaque), void *opaque);
void pci_reset(struct pci *p);
void pci_free(struct pci *p);

/* Adds a function at slot:function; f is borrowed, its state registered as "pci.NAME". */
void pci_add(struct pci *p, const char *name, unsigned slot, unsigned function, struct pci_function *f);

#endif
