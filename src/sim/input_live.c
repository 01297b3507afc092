/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The live port: everything passes through, nothing is kept. */
#include <stdlib.h>

#include "sim/impl.h"
#include "sim/input_impl.h"

struct live_port {
    struct input_port port;   /* first */
    struct buf scratch;
    bool backlog;             /* a device had no room: ask again at the next poll */
};

static void live_poll(struct input_port *port)
{
    struct live_port *live = (struct live_port *)port;
    if (sim_get_config(port->sim)->shift_auto) {
        unsigned shift = input_pace(port);
        if (shift != sim_shift(port->sim))
            sim_set_shift(port->sim, shift);
    }
    if (sim_get_config(port->sim)->align)
        input_align(port);
    if (!atomic_exchange(&port->pending, false) && !live->backlog)
        return;
    live->backlog = false;
    for (struct input_source *s = port->sources; s; s = s->next) {
        while (input_source_take(s, &live->scratch))
            s->ops->deliver(s->opaque, live->scratch.data, live->scratch.len);
        live->backlog |= input_source_backlog(s) != 0;
    }
    while (completion_run_finished(port, COMPLETION_REPLAYABLE) != UINT64_MAX ||
           completion_run_finished(port, COMPLETION_INTERNAL) != UINT64_MAX)
        ;
    for (unsigned r; (r = input_take_request(port));)
        if (port->on_request)
            port->on_request(port->request_opaque, (enum input_request)r);
}

static uint64_t live_next_position(struct input_port *port)
{
    (void)port;
    return UINT64_MAX;
}

static uint64_t live_clock_ns(struct input_port *port, enum sim_clock clock)
{
    return port->host->clock_ns(port->host->opaque, clock);
}

/* Without a recording, runs of the same machine are to be equal: seeds are fixed by their use. */
static void live_seed(struct input_port *port, const char *use, void *out, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    (void)port;
    for (; *use; use++)
        h = (h ^ (unsigned char)*use) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < len; i++) {
        h = (h ^ i) * UINT64_C(0x100000001b3);
        ((unsigned char *)out)[i] = (unsigned char)(h >> 32);
    }
}

static bool live_checkpoint(struct input_port *port, enum checkpoint mark)
{
    (void)port;
    (void)mark;
    return true;
}

static bool live_timers_due(struct input_port *port, enum sim_clock clock, uint64_t deadline_ns)
{
    return live_clock_ns(port, clock) >= deadline_ns;
}

static bool live_idle(struct input_port *port, uint64_t deadline_ns)
{
    bool cut;
    uint64_t ns = input_sleep(port, deadline_ns, &cut);
    sim_warp(port->sim, ns);
    return true;
}

static enum input_status live_status(struct input_port *port)
{
    (void)port;
    return INPUT_RUNNING;
}

static const char *live_status_text(struct input_port *port)
{
    (void)port;
    return NULL;
}

static void live_close(struct input_port *port, const char *how)
{
    struct live_port *live = (struct live_port *)port;
    (void)how;
    buf_free(&live->scratch);
    input_port_fini(port);
    free(live);
}

static const struct input_port_ops live_ops = {
    .poll = live_poll,
    .next_position = live_next_position,
    .clock_ns = live_clock_ns,
    .seed = live_seed,
    .checkpoint = live_checkpoint,
    .timers_due = live_timers_due,
    .idle = live_idle,
    .status = live_status,
    .status_text = live_status_text,
    .close = live_close,
};

struct input_port *input_live_new(struct sim *sim, const struct sim_host *host)
{
    struct live_port *live = NEW(struct live_port);
    input_port_init(&live->port, &live_ops, sim, host, true);
    return &live->port;
}
