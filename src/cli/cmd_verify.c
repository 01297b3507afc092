/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reprise verify: replays at full speed, silently, and says whether every hash agrees. */
#include "cli/command.h"
#include "cli/optvalue.h"

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
    side_by_side_search(path, b, good, r->position);
}

static int verify(const struct command *self, const char *path, const struct rebuild *b)
{
    struct rebuilt run;
    if (!rebuild_run(self, path, b, &run))
        return 1;
    options_free(&run.o);
    const struct run_result *r = &run.result;
    bool ok = run.ok;
    if (ok && r->input != INPUT_END_OF_LOG)
        return command_error(self, "stopped before the end: %s", r->text.text);
    if (ok)
        printf("%s: verified %llu positions in %.1f s (%.1f million a second); %s\n", path,
               (unsigned long long)r->position, (double)r->host_ns / 1e9,
               r->host_ns ? (double)r->position * 1e3 / (double)r->host_ns : 0.0, r->text.text);
    else if (r->started && r->input == INPUT_DIVERGED)
        report_divergence(self, path, b, r);
    else
        command_fail(self, &r->text);
    return ok ? 0 : 1;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct arguments a = { argc, 1, argv };
    struct rebuild b = { .silent = true };
    struct error err;
    const char *path = NULL, *arg, *value;
    uint64_t every = 0;
    bool lockstep = false;
    while ((arg = argument_next(&a))) {
        bool ok;
        if (rebuild_argument(&b, &a, arg, &ok, &err)) {
            if (!ok)
                return command_fail(self, &err);
        } else if (!strcmp(arg, "--lockstep")) {
            lockstep = true;
        } else if (argument_is(arg, "--every")) {
            if (!(value = argument_value(&a, arg, "--every", &err)))
                return command_fail(self, &err);
            if (!parse_number(value, INT64_MAX, &every) || !every)
                return command_error(self, "--every: '%s' is not a number of positions", value);
        } else if (!argument_recording(self, arg, &path)) {
            return 1;
        }
    }
    b.log = path;
    if (!path)
        return command_error(self, "name the recording");
    if (every && !lockstep)
        return command_error(self, "--every says how often --lockstep compares");
    return lockstep ? side_by_side_verify(self, path, &b, every) : verify(self, path, &b);
}

const struct command cmd_verify = {
    .name = "verify",
    .summary = "replay silently and check every state hash",
    .help = "FILE [--engine ENGINE] [--lockstep [--every N]] [--file ROLE=PATH]\n\n"
            "Replays FILE at full speed without showing its output, compares every state hash in it,\n"
            "and ends with status 0 if they all agree.  If one does not, the interval before it is run again\n"
            "by this engine and the portable one side by side, to find the first position where they part.\n\n"
            "With --lockstep both engines replay FILE at once, and what they do is compared all the way:\n"
            "it stops at the first position where they differ, and names the instruction and the field.\n\n"
            "  --engine ENGINE    the engine to replay with, as -accel takes it: interp, jit, tcg\n"
            "                     (the fastest there is), and its options: jit,perturb=SEED varies what\n"
            "                     must not matter, to test the engine\n"
            "  --lockstep         run this engine and the portable one side by side\n"
            "  --every N          compare them every N positions (100000)\n"
            "  --file ROLE=PATH   an input file that has moved; ROLE: kernel, initrd, bios, fw_cfg:NAME\n\n"
            "examples:\n"
            "  reprise verify boot.rr\n"
            "  reprise verify boot.rr --lockstep\n"
            "  reprise verify boot.rr --engine jit,perturb=1\n"
            "  reprise verify boot.rr --engine interp --file kernel=/tmp/linux\n",
    .run = run,
};
