/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording replayed by two machines at once, in one process: the engine in question, and the portable one (with
 * its blocks cut at random, where an interval is short enough for that).  What they do must be the same.
 */
#include "cli/command.h"
#include "rr/lockstep.h"

enum { DEFAULT_EVERY = 100000 };

struct sides {
    struct rebuild portable;
    struct replica replica[2];
    struct lockstep_side side[2];
    struct machine *machine;         /* the first side's */
    const char *kind;                /* of its engine, once it has run */
    struct host_progress bar;
    struct error text;               /* how the replay ended */
    uint64_t position;
};

static struct machine *start_first(void *opaque, struct error *err)
{
    struct sides *s = opaque;
    s->machine = replica_start(&s->replica[0], err);
    if (s->machine)
        s->kind = engine_kind(machine_engine(s->machine));
    return s->machine;
}

static void stop_first(void *opaque, struct machine *m)
{
    struct sides *s = opaque;
    s->position = sim_position(machine_sim(m));
    replica_stop(&s->replica[0], m);
}

/* seed: of the portable engine, 0 for none. */
static void init(struct sides *s, const char *path, const struct rebuild *b, uint64_t seed)
{
    *s = (struct sides){ .portable = *b };
    s->portable.engine = "interp";
    s->replica[0] = (struct replica){ .path = path, .rebuild = b };
    s->replica[1] = (struct replica){ .path = path, .rebuild = &s->portable, .perturb_seed = seed };
    s->side[0] = (struct lockstep_side){ start_first, stop_first, s };
    s->side[1] = (struct lockstep_side){ replica_start, replica_stop, &s->replica[1] };
}

static void print_difference(const struct lockstep_difference *d)
{
    fprintf(stderr, "they part at position %llu, after the instruction at 0x%llx", (unsigned long long)d->position,
            (unsigned long long)d->pc);
    for (unsigned i = 0; i < d->n_code; i++)
        fprintf(stderr, "%s%02x", i ? " " : " (", d->code[i]);
    fprintf(stderr, "%s: %s is 0x%llx and 0x%llx, and %u more fields differ\n", d->n_code ? ")" : "", d->field,
            (unsigned long long)d->value[0], (unsigned long long)d->value[1], d->more);
}

void side_by_side_search(const char *path, const struct rebuild *b, uint64_t from, uint64_t to)
{
    struct sides s;
    struct lockstep_difference d;
    struct error err;
    init(&s, path, b, 1);
    fprintf(stderr, "running the interval again, this engine and the portable one side by side ...\n");
    switch (lockstep_search(s.side, from, to, &d, &err)) {
    case LOCKSTEP_FAILED:
        fprintf(stderr, "that cannot be done: %s\n", err.text);
        break;
    case LOCKSTEP_EQUAL:
        fprintf(stderr,
                "both go the same way: the recording itself is different here, from another build or changed\n");
        break;
    case LOCKSTEP_DIFFERENT:
        print_difference(&d);
        break;
    }
}

/* ---- the whole of it ---------------------------------------------------------------------- */

static bool progress(void *opaque, uint64_t position, struct error *err)
{
    struct sides *s = opaque;
    host_progress_update(&s->bar, position);
    return !host_quitting() ||
           error_set(err, "ended by a signal; both engines agree up to position %llu", (unsigned long long)position);
}

static bool ended(void *opaque, enum machine_stop why, struct error *err)
{
    struct sides *s = opaque;
    struct error other;
    bool complete = replica_ended(&s->replica[0], why, &s->text);
    if (complete && replica_ended(&s->replica[1], why, &other))
        return true;
    return error_set(err, "both engines go the same way, but not as recorded: %s",
                     complete ? other.text : s->text.text);
}

static uint64_t length_of(const char *path)
{
    struct error err;
    struct log_machine m;
    struct log_reader *log = open_log(path, &m, &err);
    uint64_t length = log ? log_length(log, NULL) : 0;
    if (log)
        log_close(log);
    return length;
}

int side_by_side_verify(const struct command *self, const char *path, const struct rebuild *b, uint64_t every)
{
    struct sides s;
    struct lockstep_difference d;
    struct error err;
    init(&s, path, b, 0);
    const struct lockstep_walk walk = { every ? every : DEFAULT_EVERY, progress, ended, &s };
    if (!host_signals_start(&err))
        return command_fail(self, &err);
    host_progress_begin(&s.bar, "verify", length_of(path));
    enum lockstep_outcome o = lockstep_follow(s.side, &walk, &d, &err);
    host_progress_end(&s.bar);
    if (o == LOCKSTEP_FAILED)
        return command_fail(self, &err);
    if (o == LOCKSTEP_DIFFERENT) {
        command_error(self, "the engine '%s' and the portable one do not agree", s.kind);
        print_difference(&d);
        return 1;
    }
    printf("%s: '%s' and the portable engine agree over %llu positions, compared every %llu; %s\n", path, s.kind,
           (unsigned long long)s.position, (unsigned long long)walk.every, s.text.text);
    return 0;
}
