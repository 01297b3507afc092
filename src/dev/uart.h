/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 16550A serial port (National Semiconductor PC16550D data sheet). */
#ifndef REPRISE_DEV_UART_H
#define REPRISE_DEV_UART_H

#include "dev/chardev.h"
#include "dev/irq.h"
#include "mem/space.h"

struct uart;

/* Eight ports at base; name is unique ("serial0"); chardev may be NULL. */
struct uart *uart_new(const char *name, struct sim *sim, struct space *io, uint16_t base, struct irq irq,
                      struct chardev *chardev);
void uart_reset(struct uart *u);
void uart_free(struct uart *u);

#endif
