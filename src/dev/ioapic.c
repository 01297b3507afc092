/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/ioapic.h"

#include <stdlib.h>

enum { PINS = 24, VERSION = 0x11 };
enum { RTE_LOGICAL = 1 << 11, RTE_STATUS = 1 << 12, RTE_LOW = 1 << 13, RTE_REMOTE_IRR = 1 << 14, RTE_LEVEL = 1 << 15,
       RTE_MASKED = 1 << 16 };

struct ioapic_state {
    uint64_t rte[PINS];
    uint32_t lines;      /* input levels, active high */
    uint32_t irr;        /* requests that no local APIC has accepted yet; of a level pin: the level */
    uint32_t id, select;
};

static const struct state_field fields[] = {
    STATE_ARRAY(struct ioapic_state, rte, uint64_t), STATE_UINT(struct ioapic_state, lines),
    STATE_UINT(struct ioapic_state, irr),            STATE_UINT(struct ioapic_state, id),
    STATE_UINT(struct ioapic_state, select),
};
static STATE_DESC(ioapic_desc, struct ioapic_state, 1, fields);

struct ioapic {
    struct ioapic_state s;
    struct apic_bus *bus;
};

static enum apic_delivery delivery(uint64_t rte) { return (enum apic_delivery)(rte >> 8 & 7); }

/* Only fixed and lowest-priority messages can be of a level; the others are sent by edges whatever the entry says. */
static bool is_level(uint64_t rte)
{
    return rte & RTE_LEVEL && (delivery(rte) == APIC_FIXED || delivery(rte) == APIC_LOWEST);
}

static void service(struct ioapic *io, unsigned pin)
{
    uint64_t *e = &io->s.rte[pin];
    uint32_t bit = 1u << pin;
    bool level = is_level(*e);
    if (!(io->s.irr & bit) || *e & RTE_MASKED || (level && *e & RTE_REMOTE_IRR))
        return;
    if (level)
        *e |= RTE_REMOTE_IRR;            /* before the message: an EOI may come of it */
    else
        io->s.irr &= ~bit;
    if (!apic_bus_send(io->bus, (uint32_t)(*e >> 56), *e & RTE_LOGICAL, delivery(*e), (uint8_t)*e, level))
        *e &= ~(uint64_t)RTE_REMOTE_IRR;
}

void ioapic_set_pin(struct ioapic *io, unsigned pin, bool level)
{
    uint32_t bit = 1u << pin;
    bool before = io->s.lines & bit;
    io->s.lines = level ? io->s.lines | bit : io->s.lines & ~bit;
    if (is_level(io->s.rte[pin]))
        io->s.irr = level ? io->s.irr | bit : io->s.irr & ~bit;
    else if (level && !before && !(io->s.rte[pin] & RTE_MASKED))
        io->s.irr |= bit;                /* an edge at a masked pin is lost */
    service(io, pin);
}

static void eoi(void *opaque, uint8_t vector)
{
    struct ioapic *io = opaque;
    for (unsigned i = 0; i < PINS; i++) {
        if ((uint8_t)io->s.rte[i] == vector && io->s.rte[i] & RTE_REMOTE_IRR) {
            io->s.rte[i] &= ~(uint64_t)RTE_REMOTE_IRR;
            service(io, i);
        }
    }
}

static uint32_t read_window(const struct ioapic *io)
{
    unsigned r = io->s.select;
    if (r == 0 || r == 2)
        return io->s.id << 24;
    if (r == 1)
        return VERSION | (PINS - 1) << 16;
    if (r >= 0x10 && r < 0x10 + 2 * PINS)
        return (uint32_t)(io->s.rte[(r - 0x10) / 2] >> 32 * (r & 1));
    return 0;
}

static void write_window(struct ioapic *io, uint32_t v)
{
    unsigned r = io->s.select;
    if (r == 0)
        io->s.id = v >> 24 & 15;
    if (r < 0x10 || r >= 0x10 + 2 * PINS)
        return;
    unsigned pin = (r - 0x10) / 2;
    uint64_t *e = &io->s.rte[pin];
    if (r & 1) {
        *e = (*e & UINT32_MAX) | (uint64_t)(v & 0xff000000) << 32;
    } else {
        uint64_t kept = *e & (RTE_STATUS | RTE_REMOTE_IRR);
        *e = (*e & ~(uint64_t)UINT32_MAX) | (v & 0x1afff & ~(uint32_t)(RTE_STATUS | RTE_REMOTE_IRR)) | kept;
        if (!(*e & RTE_LEVEL))
            *e &= ~(uint64_t)RTE_REMOTE_IRR;
        io->s.irr &= ~(1u << pin);
        if (is_level(*e))
            io->s.irr |= io->s.lines & 1u << pin;
    }
    service(io, pin);
}

static uint64_t ioapic_read(void *opaque, uint64_t addr, unsigned size)
{
    struct ioapic *io = opaque;
    (void)size;
    return addr == 0 ? io->s.select : addr == 0x10 ? read_window(io) : 0;
}

static void ioapic_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct ioapic *io = opaque;
    (void)size;
    if (addr == 0)
        io->s.select = value & 0xff;
    else if (addr == 0x10)
        write_window(io, (uint32_t)value);
}

static const struct io_ops ioapic_ops = { ioapic_read, ioapic_write, 4, 4 };

void ioapic_reset(struct ioapic *io)
{
    io->s = (struct ioapic_state){ 0 };
    for (unsigned i = 0; i < PINS; i++)
        io->s.rte[i] = RTE_MASKED;
}

struct ioapic *ioapic_new(struct sim *sim, struct space *mem, struct apic_bus *bus)
{
    struct ioapic *io = NEW(struct ioapic);
    io->bus = bus;
    bus->eoi = eoi;
    bus->eoi_opaque = io;
    state_set_add(sim_state(sim), "ioapic", &ioapic_desc, &io->s, NULL, NULL, NULL);
    space_map_io(mem, "ioapic", 0xfec00000, 0x1000, 1, &ioapic_ops, io);
    ioapic_reset(io);
    return io;
}

void ioapic_free(struct ioapic *io) { free(io); }
