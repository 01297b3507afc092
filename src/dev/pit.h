/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 8254 programmable interval timer and port 0x61 (Intel 8254 data sheet). */
#ifndef REPRISE_DEV_PIT_H
#define REPRISE_DEV_PIT_H

#include "dev/irq.h"
#include "mem/space.h"
#include "sim/sim.h"

enum { PIT_HZ = 1193182 };

struct pit;
/* irq0: counter 0's output. */
struct pit *pit_new(struct sim *sim, struct space *io, struct irq irq0);
void pit_reset(struct pit *p);
void pit_free(struct pit *p);

#endif
