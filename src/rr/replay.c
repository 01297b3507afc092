/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The replaying port: everything comes from the log, at its place.
 *
 * Two kinds of events.  *Asked* events (clock reads, seeds, checkpoints, cut
 * sleeps, the end) are consumed when the machine asks; their place is a proof.
 * *Given* events (input, requests, completions, shifts, hashes) are
 * delivered by poll() when the machine stands at their place; runs never pass
 * it.  An event that the machine passes, or asks for elsewhere, is a divergence.
 *
 * Invariants
 *  1. The log's next event is never behind the machine: its place is compared after every move,
 *     be it a run (position) or a sleep (idles), so a replay cannot wait for what will not come.
 *  2. The machine never sleeps past the virtual time at which the next event's frame ends, nor
 *     warps by more than the sleep that was cut could have lasted.
 *  So a log that lies is found out, or is followed only as far as it says.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rr/log.h"
#include "sim/input_impl.h"

struct replayer {
    struct input_port port;     /* first */
    struct log_reader *log;
    struct log_event next;
    bool have_next;
    uint64_t fetched, polled;   /* events taken from the log: in all, before the last poll */
    uint64_t idle_position, idles;
    uint64_t last_hash;         /* position of the last state hash that agreed */
    enum input_status status;
    struct error text;
};

static struct replayer *of(struct input_port *port) { return (struct replayer *)port; }

static void fetch(struct replayer *r)
{
    r->have_next = log_next(r->log, &r->next);
    r->fetched++;
}

static bool is_asked(enum log_kind k)
{
    return k == LOG_CLOCK || k == LOG_SEED || k == LOG_CHECKPOINT || k == LOG_WARP || k == LOG_END;
}

static void stop(struct replayer *r, enum input_status status)
{
    r->status = status;
    sim_request_exit(r->port.sim);
}

static uint64_t idles_here(const struct replayer *r, uint64_t position)
{
    return r->idle_position == position ? r->idles : 0;
}

/* "position 17", "position 17 after 3 sleeps there" */
static void name_place(char *out, size_t size, uint64_t position, uint64_t idles)
{
    int n = snprintf(out, size, "position %llu", (unsigned long long)position);
    if (idles)
        snprintf(out + n, size - (size_t)n, " after %llu sleep%s there", (unsigned long long)idles,
                 idles > 1 ? "s" : "");
}

static void diverge(struct replayer *r, const char *did)
{
    uint64_t position = sim_position(r->port.sim);
    char here[80], there[80];
    if (r->status != INPUT_RUNNING)
        return;
    stop(r, INPUT_DIVERGED);
    name_place(here, sizeof here, position, idles_here(r, position));
    name_place(there, sizeof there, r->next.position, r->next.idles);
    if (r->have_next)
        error_set(&r->text, "replay diverged at %s: the machine %s, the log has %s at %s", here, did,
                  log_kind_name(r->next.kind), there);
    else
        error_set(&r->text, "replay diverged at %s: the machine %s, the log has nothing more", here, did);
}

/* Where the machine stands relative to the next event: <0 before it, 0 at it, >0 past it. */
static int place(const struct replayer *r)
{
    uint64_t position = sim_position(r->port.sim), idles = idles_here(r, position);
    if (position != r->next.position)
        return position < r->next.position ? -1 : 1;
    return idles == r->next.idles ? 0 : idles < r->next.idles ? -1 : 1;
}

static bool at_next(const struct replayer *r) { return r->have_next && place(r) == 0; }

/* Behind an asked event a given one may be nearer than the present run's end. */
static void after_asked(struct replayer *r)
{
    fetch(r);
    if (!r->have_next || !is_asked(r->next.kind))
        sim_request_exit(r->port.sim);
}

/* ---- given events ------------------------------------------------------------------------- */

struct difference {
    char path[80];
    uint64_t here, there;
    unsigned n;
};

static bool note_difference(void *opaque, const char *path, uint64_t here, uint64_t there)
{
    struct difference *d = opaque;
    if (!d->n++) {
        snprintf(d->path, sizeof d->path, "%s", path);
        d->here = here;
        d->there = there;
    }
    return true;
}

/* What differs: the first field and how many more, or memory if the rest is equal. */
static void name_difference(struct replayer *r, char *out, size_t size)
{
    struct state_set *set = sim_state(r->port.sim);
    struct difference d = { .n = 0 };
    struct buf mine = { 0 };
    struct error err;
    state_set_encode(set, &mine);
    if (!r->next.state_len)
        snprintf(out, size, "the log has no state to compare with");
    else if (!state_set_diff(set, mine.data, mine.len, r->next.state, r->next.state_len, note_difference, &d, &err))
        snprintf(out, size, "the states cannot be compared");
    else if (!d.n)
        snprintf(out, size, "registers and devices are equal, the contents of memory differ");
    else if (d.n == 1)
        snprintf(out, size, "%s is 0x%llx, the log has 0x%llx", d.path, (unsigned long long)d.here,
                 (unsigned long long)d.there);
    else
        snprintf(out, size, "%s is 0x%llx, the log has 0x%llx, and %u more fields differ", d.path,
                 (unsigned long long)d.here, (unsigned long long)d.there, d.n - 1);
    buf_free(&mine);
}

static void check_hash(struct replayer *r, const char *what)
{
    uint64_t hash = r->port.on_hash ? r->port.on_hash(r->port.hash_opaque) : r->next.value;
    if (hash == r->next.value) {
        r->last_hash = r->next.position;
        return;
    }
    char how[240];
    name_difference(r, how, sizeof how);
    stop(r, INPUT_DIVERGED);
    error_set(&r->text, "replay diverged between positions %llu and %llu (%s %016llx, the log has %016llx): %s",
              (unsigned long long)r->last_hash, (unsigned long long)r->next.position, what, (unsigned long long)hash,
              (unsigned long long)r->next.value, how);
}

static void deliver_input(struct replayer *r)
{
    struct input_source *s = input_source_by_number(&r->port, r->next.number);
    if (!s) {
        stop(r, INPUT_LOG_ERROR);
        error_set(&r->text, "the log has input for device %u, which this machine does not have", r->next.number);
        return;
    }
    if (s->ops->room && r->next.len > s->ops->room(s->opaque)) {
        diverge(r, "has no room for the input that comes here");
        return;
    }
    s->ops->deliver(s->opaque, r->next.data, r->next.len);
}

static void give(struct replayer *r)
{
    struct input_port *port = &r->port;
    switch (r->next.kind) {
    case LOG_INPUT:
        deliver_input(r);
        break;
    case LOG_REQUEST:
        if (port->on_request)
            port->on_request(port->request_opaque, (enum input_request)r->next.value);
        break;
    case LOG_COMPLETION:
        if (!completion_run_number(port, r->next.value))
            diverge(r, "never submitted the request that completes here");
        break;
    case LOG_SHIFT:
        sim_set_shift(port->sim, (unsigned)r->next.value);
        break;
    default:
        check_hash(r, "state hash");
    }
}

static void end_of_log(struct replayer *r)
{
    const char *cut = log_cut(r->log);
    if (r->status != INPUT_RUNNING)
        return;
    stop(r, INPUT_END_OF_LOG);
    error_set(&r->text, "%s", cut ? cut : "end of the recording");
}

/* There are no more events: the machine may go on to where the log is complete. */
static void at_end(struct replayer *r)
{
    if (sim_position(r->port.sim) >= log_complete_to(r->log)->position)
        end_of_log(r);
}

/* The machine did what the log does not have here: a divergence, unless the log was cut and its end is reached. */
static void unexpected(struct replayer *r, const char *did)
{
    if (!r->have_next && log_cut(r->log))
        at_end(r);
    if (r->status == INPUT_RUNNING)
        diverge(r, did);
}

/* The machine has stopped by itself, as it did when recorded: the final state must be equal. */
static void replay_finish(struct input_port *port)
{
    struct replayer *r = of(port);
    if (r->status != INPUT_RUNNING)
        return;
    if (!at_next(r) || r->next.kind != LOG_END) {
        unexpected(r, "stopped");
        return;
    }
    check_hash(r, "final state hash");
    if (r->status == INPUT_RUNNING) {
        stop(r, INPUT_END_OF_LOG);
        error_set(&r->text, "end of the recording (%.*s), final state hash %016llx agrees",
                  (int)(r->next.len < 200 ? r->next.len : 200), (const char *)r->next.data,
                  (unsigned long long)r->next.value);
    }
}

static void replay_poll(struct input_port *port)
{
    struct replayer *r = of(port);
    if (atomic_exchange(&port->pending, false))
        for (unsigned q; (q = input_take_request(port));)
            if (q == REQUEST_QUIT && port->on_request)
                port->on_request(port->request_opaque, REQUEST_QUIT);
    while (completion_run_finished(port, COMPLETION_INTERNAL) != UINT64_MAX)
        ;
    while (r->status == INPUT_RUNNING && at_next(r) && !is_asked(r->next.kind)) {
        give(r);
        if (r->status == INPUT_RUNNING)
            fetch(r);
    }
    r->polled = r->fetched;
    if (r->status != INPUT_RUNNING)
        return;
    if (!r->have_next)
        at_end(r);
    else if (place(r) > 0)
        diverge(r, "went on without what the log has");
}

static uint64_t replay_next_position(struct input_port *port)
{
    struct replayer *r = of(port);
    if (!r->have_next)
        return log_complete_to(r->log)->position;
    if (is_asked(r->next.kind) && r->next.kind != LOG_CHECKPOINT)
        return UINT64_MAX;      /* met on the way, or passed and found out */
    if (r->next.position == sim_position(port->sim) && place(r) < 0)
        diverge(r, "does not sleep here");
    if (r->next.kind == LOG_CHECKPOINT && place(r) == 0 && r->fetched == r->polled)
        diverge(r, "has no timer that is due here");
    return r->next.position;
}

/* ---- asked events --------------------------------------------------------------------------- */

static uint64_t replay_clock_ns(struct input_port *port, enum sim_clock clock)
{
    struct replayer *r = of(port);
    if (!at_next(r) || r->next.kind != LOG_CLOCK || r->next.number != (uint32_t)clock) {
        unexpected(r, "read a clock");
        return 0;
    }
    uint64_t ns = r->next.value;
    after_asked(r);
    return ns;
}

static void replay_seed(struct input_port *port, const char *use, void *data, size_t len)
{
    struct replayer *r = of(port);
    (void)use;
    memset(data, 0, len);
    if (!at_next(r) || r->next.kind != LOG_SEED || r->next.len != len) {
        unexpected(r, "asked for a seed");
        return;
    }
    memcpy(data, r->next.data, len);
    fetch(r);
}

static bool replay_checkpoint(struct input_port *port, enum checkpoint mark)
{
    struct replayer *r = of(port);
    if (mark != CHECKPOINT_TIMERS_HOST && mark != CHECKPOINT_TIMERS_VIRTUAL_RT)
        return true;
    if (!at_next(r) || r->next.kind != LOG_CHECKPOINT || r->next.value != mark)
        return false;
    after_asked(r);
    return true;
}

static bool replay_timers_due(struct input_port *port, enum sim_clock clock, uint64_t deadline_ns)
{
    struct replayer *r = of(port);
    (void)deadline_ns;
    enum checkpoint mark = clock == SIM_CLOCK_HOST ? CHECKPOINT_TIMERS_HOST : CHECKPOINT_TIMERS_VIRTUAL_RT;
    return at_next(r) && r->next.kind == LOG_CHECKPOINT && r->next.value == mark;
}

/* How far the log lets virtual time go: nothing that it still has came later. */
static uint64_t time_left(const struct replayer *r, uint64_t now)
{
    uint64_t end = log_complete_to(r->log)->virtual_ns;
    return end > now ? end - now : 0;
}

/* The sleep that begins here was cut short by the host, after the logged time. */
static bool idle_cut(struct replayer *r, uint64_t longest)
{
    if (r->next.value >= longest || r->next.value > time_left(r, sim_now(r->port.sim))) {
        diverge(r, "sleeps less than the log says");
        return false;
    }
    sim_warp(r->port.sim, r->next.value);
    fetch(r);
    return true;
}

static bool replay_idle(struct input_port *port, uint64_t deadline_ns)
{
    struct replayer *r = of(port);
    uint64_t position = sim_position(port->sim), now = sim_now(port->sim), ns = input_idle_ns(port, deadline_ns);
    r->idles = idles_here(r, position) + 1;
    r->idle_position = position;
    if (at_next(r) && r->next.kind == LOG_WARP)
        return idle_cut(r, ns);
    if (ns > time_left(r, now)) {
        if (!r->have_next && log_cut(r->log))
            end_of_log(r);      /* it was killed in its sleep */
        else
            diverge(r, ns == NO_DEADLINE ? "sleeps for ever" : "sleeps on");
        return false;
    }
    sim_warp(port->sim, ns);
    return true;
}

static enum input_status replay_status(struct input_port *port) { return of(port)->status; }

static const char *replay_status_text(struct input_port *port)
{
    return of(port)->status == INPUT_RUNNING ? NULL : of(port)->text.text;
}

static void replay_close(struct input_port *port, const char *how)
{
    struct replayer *r = of(port);
    (void)how;
    log_close(r->log);
    input_port_fini(port);
    free(r);
}

static const struct input_port_ops replay_ops = {
    .poll = replay_poll,
    .next_position = replay_next_position,
    .clock_ns = replay_clock_ns,
    .seed = replay_seed,
    .checkpoint = replay_checkpoint,
    .timers_due = replay_timers_due,
    .idle = replay_idle,
    .finish = replay_finish,
    .status = replay_status,
    .status_text = replay_status_text,
    .close = replay_close,
};

struct input_port *rr_replay_new(struct sim *sim, const struct sim_host *host, struct log_reader *log,
                                 struct error *err)
{
    struct replayer *r = NEW(struct replayer);
    (void)err;
    input_port_init(&r->port, &replay_ops, sim, host, false);
    r->log = log;
    log_rewind(log);
    fetch(r);
    return &r->port;
}
