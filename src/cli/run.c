/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a run.  What is opened first is closed last; the threads of the
 * character devices end before the port that they post to, and the port closes
 * before the machine, whose final state it hashes.
 */
#include "cli/run.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/compare.h"
#include "vcpu/vcpu.h"

enum { POOL_THREADS = 2 };

struct run {
    const struct run_request *q;
    struct run_result *result;
    struct options *o;
    struct setup setup;
    struct host_clock *clock;
    struct host_pool *pool;
    struct sim *sim;
    struct input_port *port;
    struct machine *machine;
    struct host_log *recording;
    struct error log_failure;
};

struct log_reader *open_log(const char *path, struct log_machine *machine, struct error *err)
{
    struct log_file file;
    if (!host_log_open(path, &file, err))
        return NULL;
    struct log_reader *r = log_open(&file, machine, err);
    if (!r && !strstr(err->text, path))
        error_prefix(err, "the log '%s'", path);
    return r;
}

uint64_t log_length(struct log_reader *log, const char **cut)
{
    struct log_event e;
    uint64_t last = 0;
    log_rewind(log);
    while (log_next(log, &e))
        last = e.position;
    if (cut)
        *cut = log_cut(log);
    uint64_t complete = log_complete_to(log)->position;
    log_rewind(log);
    return complete > last ? complete : last;
}

/* ---- ports ------------------------------------------------------------------------------- */

static bool make_recorder(struct run *r, struct error *err)
{
    struct log_file file;
    r->recording = host_log_create(r->o->rrfile, &file, err);
    if (!r->recording)
        return false;
    host_log_report(r->recording, &r->log_failure);
    struct log_machine m = {
        .program = r->o->program,
        .args = r->q->args,
        .n_args = r->q->n_args,
        .sim = r->o->sim,
        .files = r->setup.listed,
        .n_files = r->setup.n_listed,
        .hash_interval = r->o->rrhash_given ? r->o->rrhash : DEFAULT_HASH_INTERVAL,
        .start_realtime = host_seconds_since_1970(),
    };
    r->port = rr_record_new(r->sim, host_clock_sim(r->clock), &m, &file, err);
    return r->port != NULL;
}

static bool make_port(struct run *r, struct error *err)
{
    const struct sim_host *host = host_clock_sim(r->clock);
    if (r->o->rr == RR_RECORD) {
        if (!make_recorder(r, err))
            return false;
    } else if (r->o->rr == RR_REPLAY) {
        r->port = rr_replay_new(r->sim, host, r->q->log, err);
    } else {
        r->port = input_live_new(r->sim, host);
    }
    if (!r->port)
        return false;
    sim_set_port(r->sim, r->port);
    input_set_work_pool(r->port, host_pool_work(r->pool));
    return true;
}

/* ---- running ----------------------------------------------------------------------------- */

/* -no-shutdown, -action panic=pause: the machine stays as it is until the user ends it. */
static void stay_off(struct run *r)
{
    bool panicked = r->result->why == MACHINE_GUEST_PANIC;
    fprintf(stderr, "%s: the guest %s; waiting for a signal as -action (or -no-shutdown) says\n", r->o->program,
            panicked ? "panicked" : "powered off");
    setup_stop_monitors(&r->setup, panicked ? "the guest has panicked" : "the guest has powered off");
    while (!host_quitting()) {
        poll(NULL, 0, 100);
        input_visit(r->port);
    }
}

static enum machine_stop run_to_end(struct run *r, uint64_t length)
{
    enum { SLICE = 4000000 };   /* a fraction of a second, between two looks at the clock */
    struct host_progress bar = { 0 };
    enum machine_stop why;
    if (r->q->progress && !isatty(STDOUT_FILENO))
        host_progress_begin(&bar, r->q->progress, length);
    do {
        host_progress_update(&bar, sim_position(r->sim));
        why = machine_run(r->machine, bar.active ? sim_position(r->sim) + SLICE : UINT64_MAX);
    } while (why == MACHINE_LIMIT);
    host_progress_end(&bar);
    return why;
}

/* How it ended, as one sentence; false if that is an error. */
static bool judge(struct run *r, enum machine_stop why)
{
    struct run_result *result = r->result;
    bool own_end = why == MACHINE_POWEROFF || why == MACHINE_RESET_STOP || why == MACHINE_DEBUG_EXIT ||
                   why == MACHINE_QUIT || why == MACHINE_BROKEN || why == MACHINE_GUEST_PANIC || why == MACHINE_STUCK;
    if (own_end && !(why == MACHINE_QUIT && host_quitting()))
        input_finish(r->port);
    result->input = input_status(r->port);
    const char *input = input_status_text(r->port);
    if (result->input == INPUT_DIVERGED || result->input == INPUT_LOG_ERROR)
        return error_set(&result->text, "%s", input);
    if (why == MACHINE_QUIT && host_quit_signal())
        error_set(&result->text, "ended by signal %d at position %llu", host_quit_signal(),
                  (unsigned long long)result->position);
    else if (result->input == INPUT_END_OF_LOG)
        error_set(&result->text, "%s", input);
    else
        error_set(&result->text, "%s at position %llu", machine_stop_text(r->machine, why),
                  (unsigned long long)result->position);
    return why != MACHINE_BROKEN;
}

/* Does the user want the stopped machine to stay? */
static bool stays(const struct run *r)
{
    bool off = r->result->why == MACHINE_POWEROFF || r->result->why == MACHINE_RESET_STOP;
    bool panicked = r->result->why == MACHINE_GUEST_PANIC;
    return r->o->rr != RR_REPLAY && ((off && r->o->machine.no_shutdown) ||
                                     (panicked && (r->o->panic == PANIC_PAUSE ||
                                                   (r->o->panic == PANIC_SHUTDOWN && r->o->machine.no_shutdown))));
}

int run_status(const struct run_result *result, const struct options *o, bool ok)
{
    if (!ok || (result->why == MACHINE_GUEST_PANIC && o->panic == PANIC_EXIT_FAILURE))
        return 1;
    return result->why == MACHINE_DEBUG_EXIT ? result->exit_code : 0;
}

/* The first CPU's instruction pointer. */
static uint64_t current_pc(struct machine *m)
{
    struct vcpu *v = machine_vcpu(m, 0);
    struct block_key key;
    v->ops->block_key(v, &key);
    return key.pc;
}

static bool run_wired(struct run *r, uint64_t length)
{
    uint64_t start = host_monotonic_ns();
    struct run_result *result = r->result;
    result->started = true;
    if (r->setup.trace)
        trace_wire_machine(r->setup.trace, r->machine);
    setup_monitors(&r->setup, r->machine, r->port, r->o->rr == RR_REPLAY ? "this is a replay" : NULL);
    enum machine_stop why = result->why = run_to_end(r, length);
    if (stays(r))
        stay_off(r);
    result->host_ns = host_monotonic_ns() - start;
    result->position = sim_position(r->sim);
    result->virtual_ns = sim_now(r->sim);
    result->exit_code = machine_exit_code(r->machine);
    result->pc = current_pc(r->machine);
    if (r->setup.trace)
        trace_end(r->setup.trace, r->machine);
    return judge(r, why);
}

static bool wire_and_run(struct run *r, struct error *err)
{
    uint64_t length = r->q->log && r->q->progress ? log_length(r->q->log, NULL) : 0;
    if (!make_port(r, err))
        return false;
    host_signals_set_port(r->port);   /* from here on whoever waits looks at host_quitting() */
    if (!setup_chardevs(&r->setup, err))
        return false;
    r->machine = machine_new(&r->setup.config, r->sim, r->port, err);
    if (!r->machine || (r->recording && !host_log_commit(r->recording, err)) || !setup_start_outputs(&r->setup, err))
        return false;
    return run_wired(r, length);
}

static bool open_all(struct run *r, struct error *err)
{
    if (!setup_files(&r->setup, r->o, err))
        return false;
    if (r->q->recorded && !compare_files(&r->setup, r->q->recorded, err))
        return false;
    if (!setup_outputs(&r->setup, err))
        return false;
    if (!(r->clock = host_clock_new(r->o->rtc_local, err)) || !(r->pool = host_pool_new(POOL_THREADS, err)))
        return false;
    r->sim = sim_new(&r->o->sim, &r->setup.config.sink);
    return true;
}

static void close_all(struct run *r)
{
    host_signals_set_port(NULL);
    setup_close_chardevs(&r->setup, r->result->started);
    host_pool_free(r->pool);
    if (r->port)
        input_port_close(r->port, r->result->started ? r->result->text.text : NULL);
    else if (r->q->log)
        log_close(r->q->log);
    if (r->machine)
        machine_free(r->machine);
    if (r->sim)
        sim_free(r->sim);
    host_clock_free(r->clock);
    if (r->setup.o)
        setup_free(&r->setup, r->result->started);
}

bool run_machine(const struct run_request *q, struct run_result *result)
{
    struct run r = { .q = q, .o = q->o, .result = result };
    struct error err = { "" };
    *result = (struct run_result){ 0 };
    bool ok = open_all(&r, &err) && wire_and_run(&r, &err);
    if (!ok && !result->text.text[0])
        result->text = err;
    close_all(&r);
    if (r.log_failure.text[0]) {
        ok = false;
        result->text = r.log_failure;
    }
    return ok;
}
