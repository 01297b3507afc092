/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internal to sim/: the struct behind sim.h. */
#ifndef REPRISE_SIM_IMPL_H
#define REPRISE_SIM_IMPL_H

#include "sim/input.h"

/* Guest-visible time (invariant 2 of sim.h); registered as "sim". */
struct sim_state {
    uint64_t position;
    uint64_t base_position, base_ns;
    uint64_t warp_ns;
    uint64_t shift;
};

struct timer_queue {
    struct sim_timer **heap;   /* 1-based binary heap by (deadline, number) */
    size_t n, cap;
};

struct sim {
    struct sim_state s;
    struct sim_config config;
    const struct sink *sink;
    struct state_set *set;
    struct input_port *port;
    struct position_counter *active;   /* inside a run */
    struct timer_queue queue[SIM_CLOCK_COUNT];
    uint32_t n_timers;
};

#endif
