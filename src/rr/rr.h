/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Record and replay: the two other implementations of the input port, and the
 * log they write and read.  The format is in docs/log-format.md.
 * rr/log.h has the reader and writer, for `reprise info` and `reprise log`.
 */
#ifndef REPRISE_RR_RR_H
#define REPRISE_RR_RR_H

#include "sim/input.h"

/*
 * Where log bytes go and come from: declared here, implemented by host/.
 * append() makes the bytes durable against the death of the process; all
 * return false with err set on failure.
 */
struct log_file {
    bool (*append)(void *opaque, const void *data, size_t len, struct error *err);
    bool (*read)(void *opaque, uint64_t offset, void *out, size_t len, struct error *err);
    uint64_t (*size)(void *opaque);
    void (*close)(void *opaque);
    void *opaque;
};

/* One input file of the recorded machine. */
struct log_input_file {
    const char *role;     /* "kernel", "initrd", "bios", "drive0" */
    const char *path;     /* as given; informative */
    uint64_t size;
    uint64_t hash;        /* XXH3-64 of the contents */
};

/* What makes a recording self-contained. */
struct log_machine {
    const char *program;            /* "reprise-system-x86_64" */
    const char *const *args;        /* the command line's options, without rr's, verbatim */
    size_t n_args;
    struct sim_config sim;
    const struct log_input_file *files;
    size_t n_files;
    uint64_t hash_interval;         /* positions between state hashes; 0: none */
    uint64_t start_realtime;        /* seconds since 1970 when recording began */
};

/* Records into file (owned by the port from here on). */
struct input_port *rr_record_new(struct sim *sim, const struct sim_host *host, const struct log_machine *machine,
                                 const struct log_file *file, struct error *err);

/* Replays from a log that has been opened with log_open (rr/log.h). */
struct log_reader;
struct input_port *rr_replay_new(struct sim *sim, const struct sim_host *host, struct log_reader *log,
                                 struct error *err);

#endif
