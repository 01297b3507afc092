/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recording port: passes everything through and writes what replay could
 * not derive.
 *
 * An event's place is (position, idles): idles counts the sleeps that began at
 * this position, because virtual time can pass, and timers run, while the
 * position stands still.
 */
#include <stdlib.h>

#include "rr/log.h"
#include "sim/input_impl.h"

enum { FLUSH_BYTES = 32768, FLUSH_NS = 500000000 };

struct recorder {
    struct input_port port;     /* first */
    struct log_writer log;
    struct buf scratch;
    uint64_t idle_position, idles;
    uint64_t hash_interval, next_hash;
    uint64_t start_ns, last_flush_ns;       /* host time */
    bool backlog, begun;
};

static struct recorder *of(struct input_port *port) { return (struct recorder *)port; }

static uint64_t host_ns(struct input_port *port)
{
    return port->host->clock_ns(port->host->opaque, SIM_CLOCK_VIRTUAL_RT);
}

static uint64_t idles_here(struct recorder *r, uint64_t position)
{
    return r->idle_position == position ? r->idles : 0;
}

static void flush(struct recorder *r)
{
    struct sim *sim = r->port.sim;
    r->last_flush_ns = host_ns(&r->port);
    log_flush(&r->log, &(struct log_mark){ sim_position(sim), sim_now(sim), r->last_flush_ns - r->start_ns });
}

static struct buf *event(struct recorder *r, enum log_kind kind)
{
    uint64_t position = sim_position(r->port.sim);
    if (r->log.raw.len >= FLUSH_BYTES)
        flush(r);
    log_begin_event(&r->log, kind, position, idles_here(r, position));
    return &r->log.raw;
}

/* Often enough that a killed recording loses at most half a second.  ns: how long the host is going to sleep now. */
static void maybe_flush(struct recorder *r, uint64_t ns)
{
    uint64_t age = host_ns(&r->port) - r->last_flush_ns;
    if (age >= FLUSH_NS || ns >= FLUSH_NS - age)
        flush(r);
}

/* The hash, and the state without memory, so that a replay that differs can say in which field. */
static void put_state(struct recorder *r, struct buf *out)
{
    put_u64(out, r->port.on_hash ? r->port.on_hash(r->port.hash_opaque) : 0);
    r->scratch.len = 0;
    state_set_encode(sim_state(r->port.sim), &r->scratch);
    put_bytes(out, r->scratch.data, r->scratch.len <= LOG_MAX_STATE ? r->scratch.len : 0);
}

static void record_hash(struct recorder *r)
{
    uint64_t position = sim_position(r->port.sim);
    if (!r->hash_interval || position < r->next_hash || !r->port.on_hash)
        return;
    put_state(r, event(r, LOG_HASH));
    r->next_hash = position - position % r->hash_interval + r->hash_interval;
}

static void deliver(struct recorder *r, struct input_source *s)
{
    while (input_source_take(s, &r->scratch)) {
        struct buf *out = event(r, LOG_INPUT);
        put_varint(out, s->number);
        put_bytes(out, r->scratch.data, r->scratch.len);
        s->ops->deliver(s->opaque, r->scratch.data, r->scratch.len);
    }
    r->backlog |= input_source_backlog(s) != 0;
}

static void flush_completions(struct recorder *r)
{
    struct input_port *port = &r->port;
    uint64_t number;
    while ((number = completion_next_finished(port)) != UINT64_MAX) {
        put_varint(event(r, LOG_COMPLETION), number);
        completion_run_number(port, number);
    }
    while (completion_run_finished(port, COMPLETION_INTERNAL) != UINT64_MAX)
        ;
}

static void record_poll(struct input_port *port)
{
    struct recorder *r = of(port);
    record_hash(r);
    if (r->begun)
        maybe_flush(r, 0);
    else
        flush(r);               /* seeds and the first state: what the later frames build on */
    r->begun = true;
    if (sim_get_config(port->sim)->shift_auto) {
        unsigned shift = input_pace(port);
        if (shift != sim_shift(port->sim)) {
            put_varint(event(r, LOG_SHIFT), shift);
            sim_set_shift(port->sim, shift);
        }
    }
    if (sim_get_config(port->sim)->align)
        input_align(port);
    if (!atomic_exchange(&port->pending, false) && !r->backlog)
        return;
    r->backlog = false;
    for (struct input_source *s = port->sources; s; s = s->next)
        deliver(r, s);
    flush_completions(r);
    for (unsigned q; (q = input_take_request(port));) {
        put_varint(event(r, LOG_REQUEST), q);
        if (port->on_request)
            port->on_request(port->request_opaque, (enum input_request)q);
    }
}

static uint64_t record_next_position(struct input_port *port)
{
    struct recorder *r = of(port);
    return r->hash_interval ? r->next_hash : UINT64_MAX;
}

static uint64_t record_clock_ns(struct input_port *port, enum sim_clock clock)
{
    struct recorder *r = of(port);
    uint64_t ns = port->host->clock_ns(port->host->opaque, clock);
    event(r, LOG_CLOCK);
    log_put_clock(&r->log, clock, ns);
    return ns;
}

static void record_seed(struct input_port *port, const char *use, void *data, size_t len)
{
    (void)use;
    port->host->random(port->host->opaque, data, len);
    put_bytes(event(of(port), LOG_SEED), data, len);
}

/* Only the marks whose place depends on the host say anything new. */
static bool record_checkpoint(struct input_port *port, enum checkpoint mark)
{
    if (mark == CHECKPOINT_TIMERS_HOST || mark == CHECKPOINT_TIMERS_VIRTUAL_RT)
        put_varint(event(of(port), LOG_CHECKPOINT), mark);
    return true;
}

static bool record_timers_due(struct input_port *port, enum sim_clock clock, uint64_t deadline_ns)
{
    return port->host->clock_ns(port->host->opaque, clock) >= deadline_ns;
}

static bool record_idle(struct input_port *port, uint64_t deadline_ns)
{
    struct recorder *r = of(port);
    uint64_t position = sim_position(port->sim);
    bool cut;
    if (r->log.raw.len)
        maybe_flush(r, input_sleep_ns(port, deadline_ns));
    uint64_t ns = input_sleep(port, deadline_ns, &cut);
    r->idles = idles_here(r, position) + 1;
    r->idle_position = position;
    if (cut)
        put_varint(event(r, LOG_WARP), ns);
    sim_warp(port->sim, ns);
    return true;
}

static enum input_status record_status(struct input_port *port)
{
    return of(port)->log.failed ? INPUT_LOG_ERROR : INPUT_RUNNING;
}

static const char *record_status_text(struct input_port *port)
{
    return of(port)->log.failed ? of(port)->log.error.text : NULL;
}

static void record_close(struct input_port *port, const char *how)
{
    struct recorder *r = of(port);
    if (how) {
        struct buf *out = event(r, LOG_END);
        put_state(r, out);
        put_bytes(out, how, strlen(how));
        flush(r);
        log_write_index(&r->log);
    }
    log_writer_close(&r->log);
    buf_free(&r->scratch);
    input_port_fini(port);
    free(r);
}

static const struct input_port_ops record_ops = {
    .poll = record_poll,
    .next_position = record_next_position,
    .clock_ns = record_clock_ns,
    .seed = record_seed,
    .checkpoint = record_checkpoint,
    .timers_due = record_timers_due,
    .idle = record_idle,
    .status = record_status,
    .status_text = record_status_text,
    .close = record_close,
};

struct input_port *rr_record_new(struct sim *sim, const struct sim_host *host, const struct log_machine *machine,
                                 const struct log_file *file, struct error *err)
{
    struct recorder *r = NEW(struct recorder);
    if (!log_write_header(&r->log, machine, file, err)) {
        log_writer_close(&r->log);
        free(r);
        return NULL;
    }
    input_port_init(&r->port, &record_ops, sim, host, true);
    r->hash_interval = machine->hash_interval;
    r->start_ns = r->last_flush_ns = host_ns(&r->port);
    return &r->port;
}
