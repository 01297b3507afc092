/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recording and the replaying port against each other.
 *
 * Two machines: a toy whose every move is written down as text, which uses all
 * that the port offers (timers of every clock, completions of both kinds,
 * requests, seeds, cut sleeps); and the small PC of lab.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

#include <cmocka.h>

#include "host/host.h"
#include "lab.h"
#include "rr/lockstep.h"

/* ---- the toy ---------------------------------------------------------------------------- */

enum { TOY_END = 400000, TOY_STEP = 777 };

struct toy {
    struct sim *sim;
    struct input_port *port;
    struct input_source *source;
    struct sim_timer beat, alarm;
    struct position_counter counter;
    struct buf trace;
    bool asleep, ended;
    unsigned working;
};

static void note(struct toy *t, const char *what, uint64_t value)
{
    char line[120];
    int n = snprintf(line, sizeof line, "%llu %llu %s %llu\n", (unsigned long long)sim_position(t->sim),
                     (unsigned long long)sim_now(t->sim), what, (unsigned long long)value);
    buf_put(&t->trace, line, (size_t)n);
}

static void beat(void *opaque)
{
    struct toy *t = opaque;
    note(t, "beat", 0);
    t->asleep = false;
    timer_arm(&t->beat, sim_now(t->sim) + 3000000);
}

/* A timer of the host's clock: replay must run it where the recording did. */
static void alarm_rang(void *opaque)
{
    struct toy *t = opaque;
    uint64_t now = sim_clock_ns(t->sim, SIM_CLOCK_HOST);
    note(t, "alarm", now);
    timer_arm(&t->alarm, now + 1700000);
}

static int work(void *opaque)
{
    (void)opaque;
    return 42;
}

static void worked(void *opaque, int result)
{
    struct toy *t = opaque;
    t->working--;
    note(t, "worked", (uint64_t)result);
}

static void internal(void *opaque, int result) { (void)opaque, (void)result; }
static void bottom_half(void *opaque) { note(opaque, "bottom half", 0); }

static void deliver(void *opaque, const void *data, size_t len)
{
    struct toy *t = opaque;
    for (size_t i = 0; i < len; i++)
        note(t, "byte", ((const uint8_t *)data)[i]);
    t->asleep = false;
}

static void on_request(void *opaque, enum input_request r)
{
    struct toy *t = opaque;
    note(t, "request", r);
    t->ended |= r == REQUEST_QUIT;
}

static uint64_t toy_hash(void *opaque)
{
    struct toy *t = opaque;
    uint64_t h = t->trace.len;
    for (size_t i = 0; i < t->trace.len; i++)
        h = (h ^ t->trace.data[i]) * UINT64_C(0x100000001b3);
    return h;
}

static const struct input_source_ops toy_source = { .deliver = deliver };

/* What a guest does: at fixed positions it reads clocks, starts work and goes to sleep. */
static void toy_step(struct toy *t)
{
    uint64_t n = sim_position(t->sim) / TOY_STEP;
    if (n % 5 == 0)
        note(t, "clock", sim_clock_ns(t->sim, SIM_CLOCK_HOST));
    if (n % 7 == 0) {
        completion_submit(t->port, COMPLETION_REPLAYABLE, work, worked, t);
        t->working++;
    }
    if (n % 11 == 0)
        completion_submit(t->port, COMPLETION_INTERNAL, work, internal, t);
    if (n % 13 == 0)
        completion_schedule(t->port, COMPLETION_REPLAYABLE, bottom_half, t);
    t->asleep = n % 3 == 0;
}

/* machine_run()'s shape. */
static void toy_run(struct toy *t)
{
    while (!t->ended) {
        input_poll(t->port);
        if (input_status(t->port) != INPUT_RUNNING)
            return;
        sim_run_timers(t->sim);
        if (t->ended)
            break;
        if (t->asleep) {
            if (!input_idle(t->port, sim_next_deadline(t->sim, SIM_CLOCK_VIRTUAL)))
                return;
            continue;
        }
        uint64_t position = sim_position(t->sim), until = input_next_position(t->port);
        uint64_t deadline = sim_position_of(t->sim, sim_next_deadline(t->sim, SIM_CLOCK_VIRTUAL));
        uint64_t next = position - position % TOY_STEP + TOY_STEP;
        until = until < deadline ? until : deadline;
        until = until < next ? until : next;
        if (until == position)
            continue;
        sim_run_begin(t->sim, &t->counter, until - position);
        t->counter.left = 0;
        sim_run_end(t->sim);
        if (until == next)
            toy_step(t);
    }
    input_finish(t->port);
}

static void toy_wire(struct toy *t)
{
    uint64_t seed;
    sim_set_port(t->sim, t->port);
    input_on_request(t->port, on_request, t);
    input_on_hash(t->port, toy_hash, t);
    t->source = input_source_new(t->port, INPUT_BYTES, "toy", &toy_source, t);
    timer_init(&t->beat, t->sim, SIM_CLOCK_VIRTUAL, "beat", beat, t);
    timer_init(&t->alarm, t->sim, SIM_CLOCK_HOST, "alarm", alarm_rang, t);
    timer_arm(&t->beat, 1000000);
    timer_arm(&t->alarm, 1);
    input_seed(t->port, "toy", &seed, sizeof seed);
    note(t, "seed", seed);
}

/* Posts from another thread at moments of its own choosing, the quit last. */
static int disturb(void *opaque)
{
    struct toy *t = opaque;
    for (unsigned i = 0; i < 40; i++) {
        struct timespec pause = { .tv_nsec = 500000 + 400000 * (i % 5) };
        nanosleep(&pause, NULL);
        char c = (char)('a' + i % 26);
        if (i % 10 == 9)
            input_post_request(t->port, i % 20 == 9 ? REQUEST_POWER_BUTTON : REQUEST_RESET);
        else
            input_post(t->source, &c, 1);
    }
    input_post_request(t->port, REQUEST_QUIT);
    return 0;
}

static void toy_free(struct toy *t)
{
    sim_free(t->sim);
    buf_free(&t->trace);
}

static void toy_record(struct toy *t, const struct log_machine *m, struct memory_log *out, struct host_clock *clock,
                       struct host_pool *pool)
{
    struct error err;
    struct log_file file = memory_log_file(out);
    thrd_t thread;
    t->sim = sim_new(&m->sim, NULL);
    t->port = rr_record_new(t->sim, host_clock_sim(clock), m, &file, &err);
    assert_non_null(t->port);
    input_set_work_pool(t->port, host_pool_work(pool));
    toy_wire(t);
    assert_int_equal(thrd_create(&thread, disturb, t), thrd_success);
    toy_run(t);
    thrd_join(thread, NULL);
    out->data = out->bytes.data;
}

static void toy_replay(struct toy *t, struct memory_log *log, struct host_clock *clock, struct host_pool *pool)
{
    struct error err;
    struct log_machine m;
    struct log_file file = memory_log_file(log);
    struct log_reader *r = log_open(&file, &m, &err);
    assert_non_null(r);
    t->sim = sim_new(&m.sim, NULL);
    t->port = rr_replay_new(t->sim, host_clock_sim(clock), r, &err);
    input_set_work_pool(t->port, host_pool_work(pool));
    toy_wire(t);
    toy_run(t);
    if (input_status(t->port) != INPUT_END_OF_LOG)
        fail_msg("%s", input_status_text(t->port));
}

/* The real host's clocks and threads, every combination of how time passes. */
static void toy_replays(void **state)
{
    static const struct sim_config how[] = {
        { .shift = 3, .sleep = true },
        { .shift = 7, .sleep = false },
        { .shift = 5, .sleep = true, .align = true },
        { .shift = 4, .sleep = true, .shift_auto = true },
    };
    static const char *const everything[] = { "beat", "alarm", "clock", "worked", "bottom half", "byte", "request" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(how); i++) {
        struct error err;
        struct log_machine m = { .program = "toy", .sim = how[i], .hash_interval = 5000 };
        struct memory_log log = { .size = 0 };
        struct toy recorded = { .asleep = false }, replayed = { .asleep = false };
        struct host_clock *clock = host_clock_new(false, &err);
        struct host_pool *pool = host_pool_new(2, &err);
        toy_record(&recorded, &m, &log, clock, pool);
        /* The pool's threads end before the port that they report to. */
        host_pool_free(pool);
        input_port_close(recorded.port, "done");
        log.data = log.bytes.data;
        log.size = log.bytes.len;
        pool = host_pool_new(2, &err);
        toy_replay(&replayed, &log, clock, pool);
        host_pool_free(pool);
        input_port_close(replayed.port, "");
        buf_put_byte(&recorded.trace, 0);
        buf_put_byte(&replayed.trace, 0);
        for (size_t k = 0; k < ARRAY_LEN(everything); k++)
            if (!strstr((const char *)recorded.trace.data, everything[k]))
                fail_msg("the toy never had '%s'", everything[k]);
        assert_int_equal(recorded.trace.len, replayed.trace.len);
        assert_memory_equal(recorded.trace.data, replayed.trace.data, recorded.trace.len);
        toy_free(&recorded);
        toy_free(&replayed);
        host_clock_free(clock);
        buf_free(&log.bytes);
    }
}

/* ---- the small PC --------------------------------------------------------------------------- */

static const struct lab_step steps[] = {
    { 60000000, "abc", 0 },       { 160000000, NULL, REQUEST_POWER_BUTTON }, { 180000000, "?", 0 },
    { 240000000, NULL, REQUEST_RESET }, { 400000000, "hello", 0 },           { 700000000, "q", 0 },
};

static void record_pc(const struct lab_step *s, size_t n, struct memory_log *log, struct lab *lab,
                      struct lab_result *result)
{
    *lab = (struct lab){ .steps = s, .n_steps = n };
    lab_record(lab, &lab_machine, log, result);
}

static enum input_status replay_pc(const uint8_t *data, size_t size, struct lab *lab, struct lab_result *result)
{
    struct memory_log log = { .data = data, .size = size };
    struct log_file file = memory_log_file(&log);
    struct log_machine m;
    struct log_reader *r = log_open(&file, &m, &result->text);
    *lab = (struct lab){ .ns = 12345 };
    if (!r)
        return INPUT_LOG_ERROR;
    lab_replay(lab, &m, r, UINT64_MAX, result);
    return result->status;
}

/* Each request, as the last thing that happens or followed by a quit. */
static void requests_replay(void **state)
{
    static const enum machine_stop expected[] = { [REQUEST_QUIT] = MACHINE_QUIT, [REQUEST_SHUTDOWN] = MACHINE_POWEROFF,
                                                  [REQUEST_RESET] = MACHINE_QUIT,
                                                  [REQUEST_POWER_BUTTON] = MACHINE_QUIT };
    (void)state;
    for (enum input_request r = REQUEST_QUIT; r <= REQUEST_POWER_BUTTON; r++) {
        const struct lab_step request[] = { { 50000000, "x", 0 }, { 81234567, NULL, r }, { 200000000, "yy", 0 },
                                            { 312345678, NULL, REQUEST_QUIT } };
        struct memory_log log = { .size = 0 };
        struct lab recorded, replayed;
        struct lab_result a, b = { .position = 0 };
        record_pc(request, ARRAY_LEN(request), &log, &recorded, &a);
        assert_int_equal(a.why, expected[r]);
        if (replay_pc(log.data, log.size, &replayed, &b) != INPUT_END_OF_LOG)
            fail_msg("request %d: %s", (int)r, b.text.text);
        assert_int_equal(b.why, a.why);
        assert_int_equal(a.position, b.position);
        assert_int_equal(a.virtual_ns, b.virtual_ns);
        assert_int_equal(a.hash, b.hash);
        assert_int_equal(recorded.output.len, replayed.output.len);
        assert_memory_equal(recorded.output.data, replayed.output.data, recorded.output.len);
        lab_free(&recorded);
        lab_free(&replayed);
        buf_free(&log.bytes);
    }
}

/* What must hold of a log that lost its end: a clean sentence, or a replay that is a beginning of the recording. */
static void check_beginning(const uint8_t *data, size_t size, const struct lab *recorded, const char *what, size_t at)
{
    struct lab lab;
    struct lab_result r = { .position = 0 };
    enum input_status status = replay_pc(data, size, &lab, &r);
    if (!r.text.text[0] || (status != INPUT_LOG_ERROR && status != INPUT_END_OF_LOG))
        fail_msg("%s at byte %zu: %s", what, at, r.text.text);
    if (lab.output.len > recorded->output.len ||
        (lab.output.len && memcmp(lab.output.data, recorded->output.data, lab.output.len) != 0))
        fail_msg("%s at byte %zu: the output is not a beginning of the recorded one", what, at);
    lab_free(&lab);
}

static void cut_anywhere(void **state)
{
    struct memory_log log = { .size = 0 };
    struct lab lab;
    struct lab_result r;
    (void)state;
    record_pc(steps, ARRAY_LEN(steps), &log, &lab, &r);
    for (size_t n = 0; n < log.size; n++)
        check_beginning(log.data, n, &lab, "cut", n);
    lab_free(&lab);
    buf_free(&log.bytes);
}

static void any_byte_flipped(void **state)
{
    static const uint8_t flips[] = { 0x01, 0x80, 0xff };
    struct memory_log log = { .size = 0 };
    struct lab lab;
    struct lab_result r;
    (void)state;
    record_pc(steps, ARRAY_LEN(steps), &log, &lab, &r);
    for (size_t n = 0; n < log.size; n++)
        for (size_t i = 0; i < ARRAY_LEN(flips); i++) {
            log.bytes.data[n] ^= flips[i];
            check_beginning(log.data, log.size, &lab, "flipped", n);
            log.bytes.data[n] ^= flips[i];
        }
    lab_free(&lab);
    buf_free(&log.bytes);
}

/* ---- two machines side by side ------------------------------------------------------------------ */

struct lab_side {
    struct memory_log log;
    struct lab lab;
};

static struct machine *side_start(void *opaque, struct error *err)
{
    struct lab_side *s = opaque;
    struct log_machine m;
    struct log_file file = memory_log_file(&s->log);
    struct log_reader *r = log_open(&file, &m, err);
    s->lab = (struct lab){ .ns = 0 };
    return r ? lab_replay_start(&s->lab, &m, r) : NULL;
}

static void side_stop(void *opaque, struct machine *m)
{
    struct lab_side *s = opaque;
    struct lab_result r;
    assert_ptr_equal(m, s->lab.machine);
    lab_replay_stop(&s->lab, MACHINE_LIMIT, &r);
    lab_free(&s->lab);
}

/* The first position that is reached with it: machine_run() arrives before the sleeps there. */
static uint64_t where_typed(struct memory_log *log, char c)
{
    struct log_machine m;
    struct log_event e;
    bool found = false;
    struct log_file file = memory_log_file(log);
    struct log_reader *r = log_open(&file, &m, NULL);
    log_rewind(r);
    while (!found && log_next(r, &e))
        found = e.kind == LOG_INPUT && e.data[0] == (uint8_t)c;
    log_close(r);
    assert_true(found);
    return e.position + (e.idles != 0);
}

/* Two recordings that differ in one typed character part where it arrives; equal ones never. */
static void lockstep_finds_the_first_difference(void **state)
{
    static const struct lab_step other[] = {
        { 60000000, "abc", 0 },       { 160000000, NULL, REQUEST_POWER_BUTTON }, { 180000000, "!", 0 },
        { 240000000, NULL, REQUEST_RESET }, { 400000000, "hello", 0 },           { 700000000, "q", 0 },
    };
    struct lab_side a = { .log.size = 0 }, b = { .log.size = 0 };
    struct lockstep_difference d;
    struct lab_result r;
    struct error err;
    (void)state;
    record_pc(steps, ARRAY_LEN(steps), &a.log, &a.lab, &r);
    lab_free(&a.lab);
    record_pc(other, ARRAY_LEN(other), &b.log, &b.lab, &r);
    lab_free(&b.lab);
    struct lab_side twin = { .log = a.log };
    const struct lockstep_side same[2] = { { side_start, side_stop, &a }, { side_start, side_stop, &twin } };
    assert_int_equal(lockstep_search(same, 0, r.position, &d, &err), LOCKSTEP_EQUAL);
    const struct lockstep_side different[2] = { { side_start, side_stop, &a }, { side_start, side_stop, &b } };
    uint64_t arrives = where_typed(&a.log, '?');
    for (uint64_t from = 0; from <= arrives + 5; from += arrives - 7) {   /* before it, near it, too late */
        assert_int_equal(lockstep_search(different, from, r.position, &d, &err), LOCKSTEP_DIFFERENT);
        assert_int_equal(d.position, arrives);
        assert_non_null(strstr(d.field, "serial"));
        assert_int_equal(d.value[0], '?');
        assert_int_equal(d.value[1], '!');
    }
    buf_free(&a.log.bytes);
    buf_free(&b.log.bytes);
}

static bool go_on(void *opaque, uint64_t position, struct error *err)
{
    (void)err;
    *(uint64_t *)opaque = position;
    return true;
}

static bool both_ended(void *opaque, enum machine_stop why, struct error *err)
{
    (void)opaque, (void)err;
    return why == MACHINE_DEBUG_EXIT;
}

/* From start to end, at any interval: the same difference as when it is searched, and none where there is none. */
static void lockstep_follows(void **state)
{
    static const struct lab_step other[] = {
        { 60000000, "abc", 0 },       { 160000000, NULL, REQUEST_POWER_BUTTON }, { 180000000, "!", 0 },
        { 240000000, NULL, REQUEST_RESET }, { 400000000, "hello", 0 },           { 700000000, "q", 0 },
    };
    static const uint64_t intervals[] = { 997, 5000, 1 << 30 };
    struct lab_side a = { .log.size = 0 }, b = { .log.size = 0 };
    struct lockstep_difference d;
    struct lab_result r;
    struct error err;
    uint64_t last = 0;
    (void)state;
    record_pc(steps, ARRAY_LEN(steps), &a.log, &a.lab, &r);
    lab_free(&a.lab);
    record_pc(other, ARRAY_LEN(other), &b.log, &b.lab, &r);
    lab_free(&b.lab);
    const struct lockstep_side same[2] = { { side_start, side_stop, &a },
                                           { side_start, side_stop, &(struct lab_side){ a.log } } };
    const struct lockstep_side different[2] = { { side_start, side_stop, &a }, { side_start, side_stop, &b } };
    uint64_t arrives = where_typed(&a.log, '?');
    for (size_t i = 0; i < ARRAY_LEN(intervals); i++) {
        const struct lockstep_walk walk = { intervals[i], go_on, both_ended, &last };
        assert_int_equal(lockstep_follow(same, &walk, &d, &err), LOCKSTEP_EQUAL);
        assert_int_equal(lockstep_follow(different, &walk, &d, &err), LOCKSTEP_DIFFERENT);
        assert_int_equal(d.position, arrives);
        assert_non_null(strstr(d.field, "serial"));
        assert_true(intervals[i] > arrives || last == (arrives - 1) / intervals[i] * intervals[i]);
    }
    buf_free(&a.log.bytes);
    buf_free(&b.log.bytes);
}

/* The disk fills up after any number of bytes: recording stops with a sentence, what is there replays. */
static void disk_full(void **state)
{
    struct memory_log whole = { .size = 0 };
    struct lab lab, short_lab;
    struct lab_result r;
    (void)state;
    record_pc(steps, ARRAY_LEN(steps), &whole, &lab, &r);
    for (size_t room = 60; room < whole.size; room += 13) {
        struct memory_log log = { .room = room };
        record_pc(steps, ARRAY_LEN(steps), &log, &short_lab, &r);
        /* The last frame, index and trailer are written when the run is over. */
        if (r.status != INPUT_LOG_ERROR && r.why != MACHINE_DEBUG_EXIT)
            fail_msg("with room for %zu bytes: %s", room, r.text.text);
        check_beginning(log.data, log.size, &lab, "full", room);
        lab_free(&short_lab);
        buf_free(&log.bytes);
    }
    lab_free(&lab);
    buf_free(&whole.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toy_replays),  cmocka_unit_test(requests_replay),  cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(any_byte_flipped), cmocka_unit_test(disk_full),
        cmocka_unit_test(lockstep_finds_the_first_difference), cmocka_unit_test(lockstep_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
