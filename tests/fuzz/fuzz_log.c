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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "board/machine.h"
#include "fuzz.h"
#include "host/host.h"
#include "rr/log.h"

enum { LIMIT = 3000000, SECONDS = 60, LOOK_EVERY = 1000, MAX_LOOKS = 2000, MAX_MEMORY = 256 << 20 };

/* ---- a host of our own ------------------------------------------------------------ */

static uint64_t fake_clock(void *opaque, enum sim_clock clock)
{
    uint64_t *t = opaque;
    (void)clock;
    return *t += 100000;
}
static void fake_wait(void *opaque, uint64_t ns) { *(uint64_t *)opaque += ns == NO_DEADLINE ? 1000 : ns; }
static void fake_notify(void *opaque) { (void)opaque; }
static void fake_random(void *opaque, void *out, size_t len)
{
    (void)opaque;
    memset(out, 0x5a, len);
}

/* ---- a log in memory ------------------------------------------------------------------ */

struct memory_log {
    struct buf bytes;
    const uint8_t *data;
    size_t size;
};

static bool log_append(void *opaque, const void *data, size_t len, struct error *err)
{
    (void)err;
    buf_put(&((struct memory_log *)opaque)->bytes, data, len);
    return true;
}

static bool log_read(void *opaque, uint64_t offset, void *out, size_t len, struct error *err)
{
    const struct memory_log *m = opaque;
    if (offset > m->size || len > m->size - offset)
        return error_set(err, "read beyond the end");
    memcpy(out, m->data + offset, len);
    return true;
}

static uint64_t log_size(void *opaque) { return ((struct memory_log *)opaque)->size; }
static void log_no_close(void *opaque) { (void)opaque; }

static struct log_file file_of(struct memory_log *m)
{
    return (struct log_file){ log_append, log_read, log_size, log_no_close, m };
}

/* ---- the machine ------------------------------------------------------------------------- */

static struct input_source *serial_in;
static void device_write(struct chardev *c, const void *data, size_t len) { (void)c, (void)data, (void)len; }
static void device_attach(struct chardev *c, struct input_source *s)
{
    (void)c;
    serial_in = s;
}
static void device_nothing(struct chardev *c) { (void)c; }
static const struct chardev_ops device_ops = { device_write, device_attach, device_nothing, device_nothing };
static struct chardev device = { &device_ops, "serial0" };

static struct host_file kernel;

static struct machine_config config_of(void)
{
    return (struct machine_config){ .machine = "pc", .cpus = 1, .ram_bytes = 4 << 20, .no_reboot = true,
                                    .kernel = { kernel.path, kernel.data, kernel.size }, .serial = { &device },
                                    .debug_exit_port = 0xf4, .debug_exit_size = 4, .memory = host_memory,
                                    .engine = { .kind = "interp" } };
}

static struct machine *machine_on(struct sim *sim, struct input_port *port)
{
    struct error err;
    struct machine_config c = config_of();
    sim_set_port(sim, port);
    struct machine *m = machine_new(&c, sim, port, &err);
    if (!m) {
        fprintf(stderr, "fuzz_log: %s\n", err.text);
        exit(1);
    }
    return m;
}

static const struct log_machine recorded_machine = { .program = "reprise-system-i386", .sim = { .shift = 7 },
                                                     .hash_interval = 20000 };

static void record_seed(struct memory_log *out)
{
    static const char *const typed[] = { "a", "hello", "?", "world?", "q" };
    struct error err;
    uint64_t clock = UINT64_C(1700000000000000000);
    struct sim_host host = { fake_clock, fake_wait, fake_notify, fake_random, &clock };
    struct log_file file = file_of(out);
    struct sim *sim = sim_new(&recorded_machine.sim, NULL);
    struct input_port *port = rr_record_new(sim, &host, &recorded_machine, &file, &err);
    struct machine *m = machine_on(sim, port);
    enum machine_stop why = MACHINE_LIMIT;
    for (size_t i = 0; why == MACHINE_LIMIT; i++) {
        if (i >= 4 && i - 4 < ARRAY_LEN(typed))
            input_post(serial_in, typed[i - 4], strlen(typed[i - 4]));
        why = machine_run(m, sim_position(sim) + 20000);
    }
    input_port_close(port, machine_stop_text(m, why));
    machine_free(m);
    sim_free(sim);
    if (why != MACHINE_DEBUG_EXIT) {
        fprintf(stderr, "fuzz_log: the guest did not end by itself\n");
        exit(1);
    }
    out->data = out->bytes.data;
    out->size = out->bytes.len;
}

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

static void replay(struct log_reader *log, const struct log_machine *m)
{
    struct error err;
    uint64_t clock = 1;
    struct sim_host host = { fake_clock, fake_wait, fake_notify, fake_random, &clock };
    struct sim *sim = sim_new(&m->sim, NULL);
    struct input_port *port = rr_replay_new(sim, &host, log, &err);
    struct machine *machine = machine_on(sim, port);
    struct watch watch = { .sim = sim, .port = port };
    timer_init(&watch.timer, sim, SIM_CLOCK_REALTIME, "watch", look, &watch);
    timer_arm(&watch.timer, 1);
    enum machine_stop why = machine_run(machine, LIMIT);
    if (why == MACHINE_DEBUG_EXIT)
        input_finish(port);
    enum input_status status = input_status(port);
    bool has_text = status == INPUT_RUNNING || (input_status_text(port) && *input_status_text(port));
    outcomes.limit += status == INPUT_RUNNING;
    outcomes.ended += status == INPUT_END_OF_LOG;
    outcomes.diverged += status == INPUT_DIVERGED || status == INPUT_LOG_ERROR;
    input_port_close(port, "");
    machine_free(machine);
    sim_free(sim);
    if (!has_text)
        abort();            /* an end without a word */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory_log m = { .data = data, .size = size };
    struct log_file file = file_of(&m);
    struct log_machine machine;
    struct log_event e;
    struct error err = { "" };
    if (!kernel.data && !host_file_read("kernel", ECHO_GUEST, &kernel, &err))
        abort();
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
static volatile uint64_t turn;

static void too_slow(int signal)
{
    char text[64];
    int n = snprintf(text, sizeof text, "fuzz_log: turn %llu hangs\n", (unsigned long long)turn);
    (void)signal;
    if (write(STDERR_FILENO, text, (size_t)n) < 0)
        _exit(2);
    abort();
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
    struct error err;
    if (!host_file_read("kernel", ECHO_GUEST, &kernel, &err)) {
        fprintf(stderr, "fuzz_log: %s\n", err.text);
        return 1;
    }
    signal(SIGALRM, too_slow);
    record_seed(&seed);
    LLVMFuzzerTestOneInput(seed.data, seed.size);
    if (outcomes.ended != 1) {
        fprintf(stderr, "fuzz_log: the log itself does not replay\n");
        return 1;
    }
    for (turn = o.first; turn < o.first + o.times; turn++) {
        struct buf b = { 0 };
        fuzz_log_mutation(o.seed + turn, seed.data, seed.size, &b);
        alarm(SECONDS);
        LLVMFuzzerTestOneInput(b.data, b.len);
        buf_free(&b);
    }
    alarm(0);
    printf("seed %llu, %llu mutations of a log of %zu bytes: %llu refused, %llu cut; of those replayed, %llu to an end, "
           "%llu diverged, %llu went on to the limit\n", (unsigned long long)(o.seed >> 32),
           (unsigned long long)o.times, seed.size, (unsigned long long)outcomes.refused,
           (unsigned long long)outcomes.cut, (unsigned long long)outcomes.ended, (unsigned long long)outcomes.diverged,
           (unsigned long long)outcomes.limit);
    buf_free(&seed.bytes);
    host_file_free(&kernel);
    return 0;
}
#endif
