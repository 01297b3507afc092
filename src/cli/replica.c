/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine that replays a recording silently, from position 0 as far as it is told to. */
#include <stdlib.h>

#include "cli/command.h"

struct replica_parts {
    struct options o;
    struct setup setup;
    struct log_machine recorded;
    struct log_reader *log;
    struct host_clock *clock;
    struct sim *sim;
    struct input_port *port;
};

static void free_parts(struct replica_parts *p)
{
    if (p->port)
        input_port_close(p->port, "");
    else if (p->log)
        log_close(p->log);
    if (p->sim)
        sim_free(p->sim);
    host_clock_free(p->clock);
    if (p->setup.o)
        setup_free(&p->setup, false);
    options_free(&p->o);
    free(p);
}

static bool prepare(struct replica *r, struct replica_parts *p, struct error *err)
{
    if (!(p->log = open_log(r->path, &p->recorded, err)) || !rebuild_options(&p->recorded, r->rebuild, &p->o, err))
        return false;
    if (r->perturb_seed)
        p->o.machine.engine.perturb_seed = r->perturb_seed;
    if (!setup_files(&p->setup, &p->o, err) || !compare_files(&p->setup, &p->recorded, err) ||
        !setup_chardevs(&p->setup, err) || !(p->clock = host_clock_new(p->o.rtc_local, err)))
        return false;
    p->setup.config.sink = (struct sink){ NULL, NULL };
    p->sim = sim_new(&p->o.sim, &p->setup.config.sink);
    p->port = rr_replay_new(p->sim, host_clock_sim(p->clock), p->log, err);
    if (p->port)
        sim_set_port(p->sim, p->port);
    return p->port != NULL;
}

struct machine *replica_start(void *opaque, struct error *err)
{
    struct replica *r = opaque;
    struct replica_parts *p = NEW(struct replica_parts);
    struct machine *m = prepare(r, p, err) ? machine_new(&p->setup.config, p->sim, p->port, err) : NULL;
    if (m)
        r->parts = p;
    else
        free_parts(p);
    return m;
}

bool replica_ended(struct replica *r, enum machine_stop why, struct error *err)
{
    struct input_port *port = r->parts->port;
    if (why != MACHINE_LIMIT && why != MACHINE_INPUT_END)
        input_finish(port);
    const char *text = input_status_text(port);
    error_set(err, "%s", text ? text : "the replay did not end");
    return input_status(port) == INPUT_END_OF_LOG;
}

void replica_stop(void *opaque, struct machine *m)
{
    struct replica *r = opaque;
    setup_close_chardevs(&r->parts->setup, true);
    input_port_close(r->parts->port, "");
    r->parts->port = NULL;
    r->parts->log = NULL;
    machine_free(m);
    free_parts(r->parts);
    r->parts = NULL;
}
