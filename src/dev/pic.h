/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two cascaded 8259A interrupt controllers with edge/level registers (Intel 8259A and 82371SB data sheets). */
#ifndef REPRISE_DEV_PIC_H
#define REPRISE_DEV_PIC_H

#include "dev/irq.h"
#include "mem/space.h"
#include "sim/sim.h"

struct pic;
/* out: INT of the master. */
struct pic *pic_new(struct sim *sim, struct space *io, struct irq out);
void pic_reset(struct pic *p);
void pic_free(struct pic *p);
/* An input line, 0..15 (2 is the cascade). */
struct irq pic_line(struct pic *p, unsigned n);
/* INTA: the vector.  A request that has gone away gives the spurious one. */
int pic_acknowledge(struct pic *p);
bool pic_pending(const struct pic *p);

#endif
