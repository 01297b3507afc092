/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/pci.h"

#include <stdio.h>
#include <stdlib.h>

struct pci_state {
    uint32_t address;         /* 0xcf8 */
    uint32_t reset_control;   /* 0xcf9 */
};

static const struct state_field fields[] = {
    STATE_UINT(struct pci_state, address), STATE_UINT(struct pci_state, reset_control),
};
static STATE_DESC(pci_desc, struct pci_state, 1, fields);

struct pci_config_bytes {
    uint8_t bytes[PCI_CONFIG_BYTES];
};
static const struct state_field config_fields[] = { STATE_ARRAY(struct pci_config_bytes, bytes, uint8_t) };
static STATE_DESC(config_desc, struct pci_config_bytes, 1, config_fields);

struct pci {
    struct pci_state s;
    struct sim *sim;
    void (*reset)(void *opaque);
    void *opaque;
    struct pci_function *function[256];   /* by slot << 3 | function */
};

static struct pci_function *selected(struct pci *p, unsigned *offset)
{
    uint32_t a = p->s.address;
    if (!(a >> 31) || a >> 16 & 0xff)
        return NULL;
    *offset = (a & 0xfc) | (*offset & 3);
    return p->function[a >> 8 & 0xff];
}

static uint64_t address_read(void *opaque, uint64_t addr, unsigned size)
{
    struct pci *p = opaque;
    if (size == 1 && addr == 1)
        return p->s.reset_control;
    return p->s.address >> 8 * addr & mask64(8 * size);
}

enum { RESET_SYSTEM = 2, RESET_CPU = 4 };

/* Only a 32-bit write reaches the address register. */
static void address_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct pci *p = opaque;
    if (size == 4 && addr == 0)
        p->s.address = (uint32_t)value & 0x80fffffc;
    if (size == 1 && addr == 1) {
        if (value & RESET_CPU && !(p->s.reset_control & RESET_CPU))
            p->reset(p->opaque);
        p->s.reset_control = value & (RESET_SYSTEM | RESET_CPU);
    }
}

static uint64_t data_read(void *opaque, uint64_t addr, unsigned size)
{
    unsigned offset = (unsigned)addr;
    struct pci_function *f = selected(opaque, &offset);
    if (!f || offset + size > PCI_CONFIG_BYTES)
        return mask64(8 * size);
    return load_le(f->config + offset, size);
}

static void data_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    unsigned offset = (unsigned)addr;
    struct pci_function *f = selected(opaque, &offset);
    if (!f || offset + size > PCI_CONFIG_BYTES)
        return;
    for (unsigned i = 0; i < size; i++) {
        uint8_t m = f->writable[offset + i], *b = &f->config[offset + i];
        *b = (uint8_t)((*b & ~m) | (value >> 8 * i & m));
    }
    if (f->written)
        f->written(f->opaque, offset, size);
}

static const struct io_ops address_ops = { address_read, address_write, 1, 4 };
static const struct io_ops data_ops = { data_read, data_write, 1, 4 };

void pci_reset(struct pci *p)
{
    p->s.address = 0;
    p->s.reset_control = 0;
    for (unsigned i = 0; i < 256; i++) {
        struct pci_function *f = p->function[i];
        if (!f)
            continue;
        memcpy(f->config, f->reset, PCI_CONFIG_BYTES);
        if (f->written)
            f->written(f->opaque, 0, PCI_CONFIG_BYTES);
    }
}

/* What follows from the registers (mappings, routing) is made anew. */
static void loaded(void *opaque)
{
    struct pci_function *f = opaque;
    if (f->written)
        f->written(f->opaque, 0, PCI_CONFIG_BYTES);
}

void pci_add(struct pci *p, const char *name, unsigned slot, unsigned function, struct pci_function *f)
{
    char full[48];
    snprintf(full, sizeof full, "pci.%s", name);
    p->function[slot << 3 | function] = f;
    memcpy(f->config, f->reset, PCI_CONFIG_BYTES);
    state_set_add(sim_state(p->sim), full, &config_desc, f->config, NULL, loaded, f);
}

struct pci *pci_new(struct sim *sim, struct space *io, void (*reset)(void *opaque), void *opaque)
{
    struct pci *p = NEW(struct pci);
    p->reset = reset;
    p->opaque = opaque;
    p->sim = sim;
    state_set_add(sim_state(sim), "pci", &pci_desc, &p->s, NULL, NULL, NULL);
    space_map_io(io, "pci.address", 0xcf8, 4, 0, &address_ops, p);
    space_map_io(io, "pci.data", 0xcfc, 4, 0, &data_ops, p);
    return p;
}

void pci_free(struct pci *p) { free(p); }
