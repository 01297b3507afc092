/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/pic.h"

#include <stdlib.h>

struct pic_chip_state {
    uint8_t lines, irr, isr, imr;      /* lines: input levels */
    uint8_t elcr, base, icw_next, icw4_needed;
    uint8_t read_isr, poll, special_mask, auto_eoi, rotate_auto, special_nested, lowest, single;
};

struct pic_state {
    struct pic_chip_state chip[2];
};

static const struct state_field chip_fields[] = {
#define U(f) STATE_UINT(struct pic_chip_state, f)
    U(lines), U(irr), U(isr), U(imr), U(elcr), U(base), U(icw_next), U(icw4_needed), U(read_isr), U(poll),
    U(special_mask), U(auto_eoi), U(rotate_auto), U(special_nested), U(lowest), U(single),
#undef U
};
static STATE_DESC(chip_desc, struct pic_chip_state, 1, chip_fields);
static const struct state_field pic_fields[] = { STATE_STRUCT(struct pic_state, chip, chip_desc, 2) };
static STATE_DESC(pic_desc, struct pic_state, 1, pic_fields);

struct pic {
    struct pic_state s;
    struct irq out;
    struct port {
        struct pic *pic;
        unsigned chip;
    } port[2];
};

/* Priority of the highest set bit: 0 (highest) .. 7; 8: none.  `lowest` is the level of lowest priority. */
static unsigned priority(const struct pic_chip_state *c, uint8_t bits)
{
    for (unsigned p = 0; p < 8; p++)
        if (bits >> ((c->lowest + 1 + p) & 7) & 1)
            return p;
    return 8;
}

static unsigned level_of(const struct pic_chip_state *c, unsigned p) { return (c->lowest + 1 + p) & 7; }

/* The level to be served now, or -1. */
static int candidate(const struct pic_chip_state *c, bool master)
{
    uint8_t requests = c->irr & (uint8_t)~c->imr, in_service = c->isr;
    if (c->special_mask)
        in_service &= (uint8_t)~c->imr;
    if (c->special_nested && master)
        in_service &= (uint8_t)~4;
    unsigned r = priority(c, requests), s = priority(c, in_service);
    return r < s ? (int)level_of(c, r) : -1;
}

static void set_line(struct pic_chip_state *c, unsigned n, bool level)
{
    uint8_t bit = (uint8_t)(1u << n);
    if (c->elcr & bit)
        c->irr = level ? c->irr | bit : c->irr & (uint8_t)~bit;
    else if (level && !(c->lines & bit))
        c->irr |= bit;
    else if (!level)
        c->irr &= (uint8_t)~bit;         /* an edge that goes away before INTA is lost */
    c->lines = level ? c->lines | bit : c->lines & (uint8_t)~bit;
}

static void update(struct pic *p)
{
    set_line(&p->s.chip[0], 2, candidate(&p->s.chip[1], false) >= 0);
    irq_set(&p->out, candidate(&p->s.chip[0], true) >= 0);
}

static void acknowledge(struct pic_chip_state *c, unsigned n)
{
    uint8_t bit = (uint8_t)(1u << n);
    if (!(c->elcr & bit))
        c->irr &= (uint8_t)~bit;
    if (!c->auto_eoi)
        c->isr |= bit;
    else if (c->rotate_auto)
        c->lowest = (uint8_t)n;
}

int pic_acknowledge(struct pic *p)
{
    struct pic_chip_state *m = &p->s.chip[0], *s = &p->s.chip[1];
    int n = candidate(m, true), vector;
    if (n < 0)
        return m->base + 7;
    acknowledge(m, (unsigned)n);
    vector = m->base + n;
    if (n == 2) {
        int k = candidate(s, false);
        if (k >= 0)
            acknowledge(s, (unsigned)k);
        vector = s->base + (k < 0 ? 7 : k);
    }
    update(p);
    return vector;
}

bool pic_pending(const struct pic *p) { return candidate(&p->s.chip[0], true) >= 0; }

static void set_input(void *opaque, unsigned n, bool level)
{
    struct pic *p = opaque;
    set_line(&p->s.chip[n >> 3], n & 7, level);
    update(p);
}

struct irq pic_line(struct pic *p, unsigned n) { return (struct irq){ set_input, p, n }; }

/* ---- commands ------------------------------------------------------------------------------- */

static void icw1(struct pic_chip_state *c, uint8_t v)
{
    uint8_t lines = c->lines, elcr = c->elcr;
    *c = (struct pic_chip_state){ .lines = lines, .elcr = elcr, .irr = lines & elcr, .lowest = 7, .icw_next = 2,
                                  .icw4_needed = v & 1, .single = v >> 1 & 1 };
}

static void end_of_interrupt(struct pic_chip_state *c, uint8_t v)
{
    unsigned p;
    switch (v >> 5) {
    case 0:                              /* rotate in automatic EOI mode: clear, set */
    case 4:
        c->rotate_auto = v >> 7;
        break;
    case 1:                              /* non-specific EOI, with rotation */
    case 5:
        p = priority(c, c->special_mask ? c->isr & (uint8_t)~c->imr : c->isr);
        if (p < 8) {
            c->isr &= (uint8_t) ~(1u << level_of(c, p));
            if (v >> 7)
                c->lowest = (uint8_t)level_of(c, p);
        }
        break;
    case 3:                              /* specific EOI, with rotation */
    case 7:
        c->isr &= (uint8_t) ~(1u << (v & 7));
        if (v >> 7)
            c->lowest = v & 7;
        break;
    case 6:                              /* set priority */
        c->lowest = v & 7;
        break;
    default:
        break;
    }
}

static void write_command(struct pic_chip_state *c, uint8_t v)
{
    if (v & 0x10) {
        icw1(c, v);
    } else if (v & 8) {                  /* OCW3 */
        if (v & 4)
            c->poll = 1;
        if (v & 2)
            c->read_isr = v & 1;
        if (v & 0x40)
            c->special_mask = v >> 5 & 1;
    } else {
        end_of_interrupt(c, v);
    }
}

static void write_data(struct pic_chip_state *c, uint8_t v)
{
    switch (c->icw_next) {
    case 2:
        c->base = v & 0xf8;
        c->icw_next = c->single ? (c->icw4_needed ? 4 : 0) : 3;
        break;
    case 3:
        c->icw_next = c->icw4_needed ? 4 : 0;
        break;
    case 4:
        c->special_nested = v >> 4 & 1;
        c->auto_eoi = v >> 1 & 1;
        c->icw_next = 0;
        break;
    default:
        c->imr = v;
    }
}

static void pic_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct port *port = opaque;
    struct pic_chip_state *c = &port->pic->s.chip[port->chip];
    (void)size;
    if (addr)
        write_data(c, (uint8_t)value);
    else
        write_command(c, (uint8_t)value);
    update(port->pic);
}

static uint64_t pic_read(void *opaque, uint64_t addr, unsigned size)
{
    struct port *port = opaque;
    struct pic_chip_state *c = &port->pic->s.chip[port->chip];
    (void)size;
    if (c->poll) {
        int n = candidate(c, port->chip == 0);
        c->poll = 0;
        if (n < 0)
            return 0;
        acknowledge(c, (unsigned)n);
        update(port->pic);
        return 0x80 | (unsigned)n;
    }
    if (addr)
        return c->imr;
    return c->read_isr ? c->isr : c->irr;
}

static uint64_t elcr_read(void *opaque, uint64_t addr, unsigned size)
{
    (void)size;
    return ((struct pic *)opaque)->s.chip[addr & 1].elcr;
}

/* IRQ 0, 1, 2, 8 and 13 are always edge. */
static void elcr_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct pic *p = opaque;
    (void)size;
    p->s.chip[addr & 1].elcr = (uint8_t)(value & (addr & 1 ? 0xde : 0xf8));
}

static const struct io_ops pic_ops = { pic_read, pic_write, 1, 1 };
static const struct io_ops elcr_ops = { elcr_read, elcr_write, 1, 1 };

void pic_reset(struct pic *p)
{
    for (unsigned i = 0; i < 2; i++)
        p->s.chip[i] = (struct pic_chip_state){ .lowest = 7 };
}

struct pic *pic_new(struct sim *sim, struct space *io, struct irq out)
{
    struct pic *p = NEW(struct pic);
    p->out = out;
    for (unsigned i = 0; i < 2; i++)
        p->port[i] = (struct port){ p, i };
    state_set_add(sim_state(sim), "pic", &pic_desc, &p->s, NULL, NULL, NULL);
    space_map_io(io, "pic0", 0x20, 2, 0, &pic_ops, &p->port[0]);
    space_map_io(io, "pic1", 0xa0, 2, 0, &pic_ops, &p->port[1]);
    space_map_io(io, "elcr", 0x4d0, 2, 0, &elcr_ops, p);
    pic_reset(p);
    return p;
}

void pic_free(struct pic *p) { free(p); }
