/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MC146818A real-time clock with 128 bytes of CMOS (Motorola data sheet), ports 0x70 and 0x71. */
#ifndef REPRISE_DEV_RTC_H
#define REPRISE_DEV_RTC_H

#include "dev/irq.h"
#include "mem/space.h"
#include "sim/sim.h"

struct rtc_config {
    bool virtual_clock;     /* time goes with the virtual clock from start_seconds on */
    uint64_t start_seconds; /* since 1970; 0: host time when created */
};

struct rtc;
struct rtc *rtc_new(struct sim *sim, struct space *io, struct irq irq8, const struct rtc_config *config);
void rtc_reset(struct rtc *r);
void rtc_free(struct rtc *r);
/* The board's CMOS contents (memory sizes, boot order). */
void rtc_set_cmos(struct rtc *r, unsigned index, uint8_t value);

#endif
