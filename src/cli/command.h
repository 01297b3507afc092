/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subcommands of `reprise`, one file each, and what they share. */
#ifndef REPRISE_CLI_COMMAND_H
#define REPRISE_CLI_COMMAND_H

#include "cli/compare.h"
#include "cli/run.h"

struct command {
    const char *name, *summary;
    const char *help;     /* printed by --help, after "usage: reprise NAME" */
    int (*run)(const struct command *self, int argc, char **argv);   /* argv[0] is the name */
};

extern const struct command cmd_record, cmd_replay, cmd_info, cmd_log, cmd_verify;

/* "reprise NAME: sentence" on stderr; returns 1. */
int command_fail(const struct command *self, const struct error *err);
int command_error(const struct command *self, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Walks a subcommand's options.  Returns the value of an option that takes one
 * ("--from N" or "--from=N"), or NULL with err set.
 */
struct arguments {
    int argc, at;
    char **argv;
};
/* The next argument, or NULL. */
const char *argument_next(struct arguments *a);
/* Is arg the option called name?  *value: its value ("" if it has none and is the last: see argument_value). */
bool argument_is(const char *arg, const char *name);
const char *argument_value(struct arguments *a, const char *arg, const char *name, struct error *err);
/* What is no option that the subcommand knows: the one recording to name.  False: it is not, and that was said. */
bool argument_recording(const struct command *self, const char *arg, const char **path);

/* ---- rebuild.c: a machine from a log's header --------------------------------------- */

enum { REBUILD_SERIALS = MACHINE_SERIALS };

/* What a user may change about a recorded machine without changing it for the guest. */
struct rebuild {
    const char *log;                         /* the recording's own path */
    const char *file[ROLES];                 /* --file ROLE=PATH */
    const char *fw_cfg[MACHINE_FW_CFG_FILES];   /* --file fw_cfg:NAME=PATH, as written */
    unsigned n_fw_cfg;
    const char *serial[REBUILD_SERIALS];     /* --serial DEV, in order */
    unsigned n_serial;
    const char *engine;                      /* --engine KIND[,tb-size=MB]; NULL: the default */
    bool silent;                             /* all output is dropped */
};

/* Is arg --file or --engine?  Then it is taken with its value, which is right if *ok. */
bool rebuild_argument(struct rebuild *b, struct arguments *a, const char *arg, bool *ok, struct error *err);

/*
 * Options of the recorded machine, ready to replay.  Its devices' own back
 * ends are not opened (a file: would be overwritten): the first serial port is
 * on this terminal and the others are dropped, unless b says otherwise.
 */
bool rebuild_options(const struct log_machine *recorded, const struct rebuild *b, struct options *o,
                     struct error *err);

struct rebuilt {
    struct options o;               /* options_free() is the caller's */
    struct log_machine recorded;
    struct run_result result;
    bool ok;                        /* as run_machine() said */
};
/* Runs the recording at path for a subcommand.  False: it did not come to that, and why was said. */
bool rebuild_run(const struct command *self, const char *path, const struct rebuild *b, struct rebuilt *r);

/* ---- replica.c: a recording replayed by a machine of its own, for comparing ---------- */

struct replica {
    const char *path;
    const struct rebuild *rebuild;
    uint64_t perturb_seed;      /* of the engine; 0: as rebuild->engine says */
    struct replica_parts *parts;
};
/* As struct lockstep_side has them; opaque is the replica. */
struct machine *replica_start(void *opaque, struct error *err);
void replica_stop(void *opaque, struct machine *m);
/* Its run is over.  Did it replay all of the recording?  *text: how it ended, either way. */
bool replica_ended(struct replica *r, enum machine_stop why, struct error *text);

/* ---- side_by_side.c: a recording replayed by two engines at once ----------------------- */

/* Searches [from, to] for where the engine and the portable one part; says what it finds on stderr. */
void side_by_side_search(const char *path, const struct rebuild *b, uint64_t from, uint64_t to);
/* reprise verify --lockstep: the whole recording, compared every so many positions.  Returns the exit status. */
int side_by_side_verify(const struct command *self, const char *path, const struct rebuild *b, uint64_t every);

#endif
