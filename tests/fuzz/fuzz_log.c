/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs that may be anything: each is opened, read to its end, and replayed by a
 * small machine.  Every outcome must be a clean error or a clean replay.
 *
 * A replay hangs if it neither comes to an end nor moves on in position or
 * virtual time.  One that moves on as far as a log of lies tells it to is
 * stopped after a while, as a user would: it must obey.
 *
 * With libFuzzer the entry is LLVMFuzzerTestOneInput; alone, the program records a
 * log of its own and mutates that: fuzz_log -n TIMES -s SEED, or -r for a seed
 * from the clock; -f FIRST -n 1 repeats one turn, -i LOG -o OUT writes that
 * mutation of another log instead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fuzz.h"
#include "host/host.h"
#include "replay/lab.h"

enum { LIMIT = 3000000, SECONDS = 60, LOOK_EVERY = 1000, MAX_LOOKS = 2000, MAX_MEMORY = 256 << 20 };

/* ---- one log ------------------------------------------------------------------------------- */

static struct outcomes {
    uint64_t refused, ended, diverged, cut, limit;
} outcomes;

/* Looks at the machine every so many turns of its loop. */
struct watch {
    struct sim_timer timer;      /* realtime: no part of the machine's state */
    struct sim *sim;
    struct input_port *port;
    uint64_t turns, looks, position, now;
};

static void look(void *opaque)
{
    struct watch *w = opaque;
    timer_arm(&w->timer, sim_clock_ns(w->sim, SIM_CLOCK_REALTIME));    /* later than this turn's reading */
    if (++w->turns % LOOK_EVERY)
        return;
    if (sim_position(w->sim) == w->position && sim_now(w->sim) == w->now) {
        fprintf(stderr, "fuzz_log: the replay stands still at position %llu\n", (unsigned long long)w->position);
        abort();
    }
    w->position = sim_position(w->sim);
    w->now = sim_now(w->sim);
    if (++w->looks == MAX_LOOKS)
        input_post_request(w->port, REQUEST_QUIT);
    if (w->looks > MAX_LOOKS + 1) {
        fprintf(stderr, "fuzz_log: the replay cannot be stopped\n");
        abort();
    }
}

static void set_watch(struct lab *lab, void *opaque)
{
    struct watch *w = opaque;
    w->sim = lab->sim;
    w->port = lab->port;
    timer_init(&w->timer, lab->sim, SIM_CLOCK_REALTIME, "watch", look, w);
    timer_arm(&w->timer, 1);
}

static void replay(struct log_reader *log, const struct log_machine *m)
{
    struct watch watch = { .turns = 0 };
    struct lab lab = { .wired = set_watch, .opaque = &watch };
    struct lab_result result;
    lab_replay(&lab, m, log, LIMIT, &result);
    lab_free(&lab);
    outcomes.limit += result.status == INPUT_RUNNING;
    outcomes.ended += result.status == INPUT_END_OF_LOG;
    outcomes.diverged += result.status == INPUT_DIVERGED || result.status == INPUT_LOG_ERROR;
    if (result.status != INPUT_RUNNING && !result.text.text[0])
        abort();            /* an end without a word */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory_log m = { .data = data, .size = size };
    struct log_file file = memory_log_file(&m);
    struct log_machine machine;
    struct log_event e;
    struct error err = { "" };
    struct log_reader *log = log_open(&file, &machine, &err);
    if (!log) {
        outcomes.refused++;
        if (!err.text[0])
            abort();
        return 0;
    }
    while (log_next(log, &e))
        ;
    outcomes.cut += log_cut(log) != NULL;
    log_seek(log, 100000);
    log_next(log, &e);
    replay(log, &machine);
    return 0;
}

#ifndef LIBFUZZER
static void record_seed(struct memory_log *out)
{
    static const struct lab_step steps[] = {
        { 100000000, "a", 0 },      { 150000000, "hello", 0 }, { 151000000, NULL, REQUEST_POWER_BUTTON },
        { 200000000, "?", 0 },      { 260000000, NULL, REQUEST_RESET },
        { 1400000000, "world?", 0 }, { 2600000000, "q", 0 },
    };
    struct lab lab = { .steps = steps, .n_steps = ARRAY_LEN(steps) };
    struct lab_result result;
    lab_record(&lab, &lab_machine, out, &result);
    lab_free(&lab);
    if (result.why != MACHINE_DEBUG_EXIT) {
        fprintf(stderr, "fuzz_log: the guest did not end by itself\n");
        exit(1);
    }
}

/* A huge allocation fails here. */
static void limit_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
    setrlimit(RLIMIT_AS, &(struct rlimit){ MAX_MEMORY, MAX_MEMORY });
#endif
}

/* Writes one mutation of the log at o->input. */
static int write_mutation(const struct fuzz_options *o)
{
    struct host_file in;
    struct error err;
    struct buf b = { 0 };
    if (!host_file_read("log", o->input, &in, &err)) {
        fprintf(stderr, "fuzz_log: %s\n", err.text);
        return 1;
    }
    fuzz_log_mutation(o->seed + o->first, in.data, in.size, &b);
    FILE *f = fopen(o->output, "wb");
    bool ok = f && fwrite(b.data, 1, b.len, f) == b.len;
    ok = f && fclose(f) == 0 && ok;
    buf_free(&b);
    host_file_free(&in);
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct fuzz_options o = fuzz_parse("fuzz_log", argc, argv);
    if (o.input)
        return write_mutation(&o);
    limit_memory();
    struct memory_log seed = { .size = 0 };
    record_seed(&seed);
    LLVMFuzzerTestOneInput(seed.data, seed.size);
    if (outcomes.ended != 1) {
        fprintf(stderr, "fuzz_log: the log itself does not replay\n");
        return 1;
    }
    for (uint64_t turn = o.first; turn < o.first + o.times; turn++) {
        struct buf b = { 0 };
        fuzz_log_mutation(o.seed + turn, seed.data, seed.size, &b);
        fuzz_turn("fuzz_log", turn, SECONDS);
        LLVMFuzzerTestOneInput(b.data, b.len);
        buf_free(&b);
    }
    alarm(0);
    printf("seed %llu, %llu mutations of a log of %zu bytes: %llu refused, %llu cut; of those replayed, "
           "%llu to an end, %llu diverged, %llu went on to the limit\n", (unsigned long long)(o.seed >> 32),
           (unsigned long long)o.times, seed.size, (unsigned long long)outcomes.refused,
           (unsigned long long)outcomes.cut, (unsigned long long)outcomes.ended, (unsigned long long)outcomes.diverged,
           (unsigned long long)outcomes.limit);
    buf_free(&seed.bytes);
    return 0;
}
#endif
