/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a machine from its options to its end: live, recording or replaying. */
#ifndef REPRISE_CLI_RUN_H
#define REPRISE_CLI_RUN_H

#include "cli/machine_setup.h"
#include "rr/log.h"

enum { DEFAULT_HASH_INTERVAL = 50000000 };

/* What a run left behind, for those who ask. */
struct run_result {
    enum machine_stop why;
    enum input_status input;
    uint64_t position, virtual_ns, host_ns;
    uint64_t pc;             /* of the first CPU: its instruction pointer, where it stopped */
    int exit_code;           /* for MACHINE_DEBUG_EXIT */
    bool started;            /* false: it failed before the first instruction */
    struct error text;       /* how it ended, or what failed: one sentence */
};

struct run_request {
    struct options *o;
    const char *const *args;            /* recording: what the header keeps (options_machine_args) */
    size_t n_args;
    struct log_reader *log;             /* replaying: open, owned by the run from here on */
    const struct log_machine *recorded;
    const char *progress;               /* replaying: what to call the bar, NULL: none */
};

/* True: it ran and ended as it may; the result's text says how.  False: text says what is wrong. */
bool run_machine(const struct run_request *request, struct run_result *result);

/* What the process ends with: ok is what run_machine() returned. */
int run_status(const struct run_result *result, const struct options *o, bool ok);

/* Opens the log at path. */
struct log_reader *open_log(const char *path, struct log_machine *machine, struct error *err);

/* The length of a recording: the position at which it ends, and the same as a sentence if it is cut (or NULL). */
uint64_t log_length(struct log_reader *log, const char **cut);

#endif
