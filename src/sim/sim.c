/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "sim/impl.h"
#include "sim/input_impl.h"

static const struct state_field sim_fields[] = {
    STATE_UINT(struct sim_state, position), STATE_UINT(struct sim_state, base_position),
    STATE_UINT(struct sim_state, base_ns),  STATE_UINT(struct sim_state, warp_ns),
    STATE_UINT(struct sim_state, shift),
};
static STATE_DESC(sim_desc, struct sim_state, 1, sim_fields);

struct sim *sim_new(const struct sim_config *config, const struct sink *sink)
{
    struct sim *sim = NEW(struct sim);
    require(config->shift <= 10);
    sim->config = *config;
    sim->sink = sink;
    sim->s.shift = config->shift;
    sim->set = state_set_new();
    state_set_add(sim->set, "sim", &sim_desc, &sim->s, NULL, NULL, NULL);
    return sim;
}

void sim_free(struct sim *sim)
{
    for (int c = 0; c < SIM_CLOCK_COUNT; c++)
        free(sim->queue[c].heap);
    state_set_free(sim->set);
    free(sim);
}

struct state_set *sim_state(struct sim *sim) { return sim->set; }
const struct sink *sim_sink(const struct sim *sim) { return sim->sink; }
const struct sim_config *sim_get_config(const struct sim *sim) { return &sim->config; }
void sim_set_port(struct sim *sim, struct input_port *port) { sim->port = port; }
struct input_port *sim_port(struct sim *sim) { return sim->port; }

/* ---- position ------------------------------------------------------------------ */

static uint64_t counter_position(const struct position_counter *pc)
{
    return pc->end - (uint64_t)pc->deferred - (uint64_t)pc->left - pc->in_block;
}

uint64_t sim_position(const struct sim *sim)
{
    return sim->active ? counter_position(sim->active) : sim->s.position;
}

void sim_run_begin(struct sim *sim, struct position_counter *pc, uint64_t budget)
{
    require(!sim->active && budget <= INT64_MAX);
    *pc = (struct position_counter){ .left = (int64_t)budget, .end = sim->s.position + budget };
    sim->active = pc;
}

void sim_run_end(struct sim *sim)
{
    uint64_t position = counter_position(sim->active);
    require(position >= sim->s.position && position <= sim->active->end);
    sim->s.position = position;
    sim->active = NULL;
}

void sim_request_exit(struct sim *sim)
{
    struct position_counter *pc = sim->active;
    if (pc && pc->left > 0) {
        pc->deferred += pc->left;
        pc->left = 0;
    }
}

void sim_shorten_run(struct sim *sim, uint64_t position)
{
    struct position_counter *pc = sim->active;
    if (!pc || position >= pc->end)
        return;
    int64_t less = (int64_t)(pc->end - position);
    if (pc->left <= less) {
        sim_request_exit(sim);
        return;
    }
    pc->left -= less;
    pc->end = position;
}

/* ---- clocks ---------------------------------------------------------------------- */

uint64_t sim_now(const struct sim *sim)
{
    const struct sim_state *s = &sim->s;
    return s->base_ns + ((sim_position(sim) - s->base_position) << s->shift) + s->warp_ns;
}

uint64_t sim_clock_ns(struct sim *sim, enum sim_clock clock)
{
    switch (clock) {
    case SIM_CLOCK_VIRTUAL:
        return sim_now(sim);
    case SIM_CLOCK_REALTIME:
        return input_realtime_ns(sim->port);
    default:
        return input_clock_ns(sim->port, clock);
    }
}

void sim_warp(struct sim *sim, uint64_t ns) { sim->s.warp_ns += ns; }

void sim_set_shift(struct sim *sim, unsigned shift)
{
    struct sim_state *s = &sim->s;
    uint64_t position = sim_position(sim);
    s->base_ns += (position - s->base_position) << s->shift;
    s->base_position = position;
    s->shift = shift;
}

unsigned sim_shift(const struct sim *sim) { return (unsigned)sim->s.shift; }

uint64_t sim_position_of(const struct sim *sim, uint64_t deadline_ns)
{
    uint64_t now = sim_now(sim), position = sim_position(sim);
    if (deadline_ns <= now)
        return position;
    uint64_t ns = deadline_ns - now;
    uint64_t positions = (ns >> sim->s.shift) + !!(ns & mask64((unsigned)sim->s.shift));
    return positions > UINT64_MAX - position ? UINT64_MAX : position + positions;
}
