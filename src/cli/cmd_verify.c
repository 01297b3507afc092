/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reprise verify: replays at full speed, silently, and says whether every hash agrees. */
#include "cli/command.h"
#include "cli/engine_option.h"
#include "rr/lockstep.h"

/* The last state hash that was met at or before a position. */
static bool last_good_hash(struct log_reader *log, uint64_t before, uint64_t *position)
{
    struct log_event e;
    bool found = false;
    log_rewind(log);
    while (log_next(log, &e) && e.position < before) {
        if (e.kind == LOG_HASH) {
            found = true;
            *position = e.position;
        }
    }
    return found;
}

/*
 * Is it the engine?  The interval is run again by two machines: this engine, and the portable one with its blocks cut
 * at random.  What they do must be the same.
 */
static void search_interval(const char *path, const struct rebuild *b, uint64_t from, uint64_t to)
{
    struct rebuild portable = *b;
    portable.engine = "interp";
    struct replica replica[2] = { { .path = path, .rebuild = b },
                                  { .path = path, .rebuild = &portable, .perturb_seed = 1 } };
    const struct lockstep_side side[2] = { { replica_start, replica_stop, &replica[0] },
                                           { replica_start, replica_stop, &replica[1] } };
    struct lockstep_difference d;
    struct error err;
    fprintf(stderr, "running the interval again, this engine and the portable one side by side ...\n");
    switch (lockstep_search(side, from, to, &d, &err)) {
    case LOCKSTEP_FAILED:
        fprintf(stderr, "that cannot be done: %s\n", err.text);
        break;
    case LOCKSTEP_EQUAL:
        fprintf(stderr, "both go the same way: the recording itself is different here, from another build or "
                "changed\n");
        break;
    case LOCKSTEP_DIFFERENT:
        fprintf(stderr, "they part at position %llu, after the instruction at 0x%llx: %s is 0x%llx and 0x%llx, and %u "
                "more fields differ\n", (unsigned long long)d.position, (unsigned long long)d.pc, d.field,
                (unsigned long long)d.value[0], (unsigned long long)d.value[1], d.more);
        break;
    }
}

static void report_divergence(const struct command *self, const char *path, const struct rebuild *b,
                              const struct run_result *r)
{
    struct error err;
    struct log_machine m;
    uint64_t good = 0;
    command_error(self, "%s", r->text.text);
    fprintf(stderr, "it was met at position %llu, before the instruction at 0x%llx\n", (unsigned long long)r->position,
            (unsigned long long)r->pc);
    struct log_reader *log = open_log(path, &m, &err);
    if (!log)
        return;
    if (last_good_hash(log, r->position, &good))
        fprintf(stderr, "the state was still right at position %llu, where the last hash agreed\n",
                (unsigned long long)good);
    log_close(log);
    search_interval(path, b, good, r->position);
}

static int verify(const struct command *self, const char *path, const struct rebuild *b)
{
    struct error err;
    struct options o = { 0 };
    struct log_machine recorded;
    struct run_result r;
    struct run_request q = { .o = &o, .recorded = &recorded, .progress = "verify" };
    if (!host_signals_start(&err) || !(q.log = open_log(path, &recorded, &err)))
        return command_fail(self, &err);
    if (!rebuild_options(&recorded, b, &o, &err)) {
        log_close(q.log);
        options_free(&o);
        return command_fail(self, &err);
    }
    bool ok = run_machine(&q, &r);
    options_free(&o);
    if (ok && r.input != INPUT_END_OF_LOG)
        return command_error(self, "stopped before the end: %s", r.text.text);
    if (ok)
        printf("%s: verified %llu positions in %.1f s (%.1f million a second); %s\n", path,
               (unsigned long long)r.position, (double)r.host_ns / 1e9,
               r.host_ns ? (double)r.position * 1e3 / (double)r.host_ns : 0.0, r.text.text);
    else if (r.started && r.input == INPUT_DIVERGED)
        report_divergence(self, path, b, &r);
    else
        command_fail(self, &r.text);
    return ok ? 0 : 1;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct arguments a = { argc, 1, argv };
    struct rebuild b = { .silent = true };
    struct error err;
    const char *path = NULL, *arg, *value;
    while ((arg = argument_next(&a))) {
        if (argument_is(arg, "--file")) {
            if (!(value = argument_value(&a, arg, "--file", &err)) || !rebuild_file_option(&b, value, &err))
                return command_fail(self, &err);
        } else if (argument_is(arg, "--engine")) {
            struct engine_config any = { 0 };
            if (!(b.engine = argument_value(&a, arg, "--engine", &err)) ||
                !engine_option("--engine", b.engine, &any, &err))
                return command_fail(self, &err);
        } else if (arg[0] == '-') {
            return command_error(self, "unknown option '%s'", arg);
        } else if (path) {
            return command_error(self, "there is one recording to name, not '%s' too", arg);
        } else {
            path = arg;
        }
    }
    b.log = path;
    return path ? verify(self, path, &b) : command_error(self, "name the recording");
}

const struct command cmd_verify = {
    .name = "verify",
    .summary = "replay silently and check every state hash",
    .help = "FILE [--engine ENGINE] [--file ROLE=PATH]\n\n"
            "Replays FILE at full speed without showing its output, compares every state hash in it,\n"
            "and ends with status 0 if they all agree.  If one does not, the interval before it is run again\n"
            "by this engine and the portable one side by side, to find the first position where they part.\n\n"
            "  --engine ENGINE    the engine to replay with, as -accel names it: interp, jit, tcg\n"
            "                     (the fastest there is)\n"
            "  --file ROLE=PATH   an input file that has moved; ROLE: kernel, initrd, bios, fw_cfg:NAME\n\n"
            "examples:\n"
            "  reprise verify boot.rr\n"
            "  reprise verify boot.rr --engine interp --file kernel=/tmp/linux\n",
    .run = run,
};
