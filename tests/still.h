/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A simulation for machines that tests wire by hand: the host's clocks stand still and nothing comes in. */
#ifndef REPRISE_TESTS_STILL_H
#define REPRISE_TESTS_STILL_H

#include <string.h>

#include "sim/input.h"

static inline uint64_t still_clock(void *opaque, enum sim_clock clock) { return 0; }
static inline void still_wait(void *opaque, uint64_t ns) {}
static inline void still_notify(void *opaque) {}
static inline void still_random(void *opaque, void *out, size_t len) { memset(out, 0x5a, len); }

static inline struct sim *still_sim(const struct sim_config *config, struct input_port **port)
{
    static const struct sim_host host = { still_clock, still_wait, still_notify, still_random, NULL };
    struct sim *sim = sim_new(config, NULL);
    *port = input_live_new(sim, &host);
    sim_set_port(sim, *port);
    return sim;
}

static inline void still_sim_free(struct sim *sim, struct input_port *port)
{
    input_port_close(port, "done");
    sim_free(sim);
}

#endif
