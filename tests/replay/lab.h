/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A laboratory for recording: a small PC that runs guest_echo, a host whose
 * clock is a script, and logs in memory.  Nothing here depends on the real
 * host's time, so a recording is the same on every run.
 */
#ifndef REPRISE_TESTS_REPLAY_LAB_H
#define REPRISE_TESTS_REPLAY_LAB_H

#include "board/machine.h"
#include "rr/log.h"

/* ---- logs in memory ------------------------------------------------------------- */

struct memory_log {
    struct buf bytes;          /* what was appended */
    size_t room;               /* 0: unlimited; appends beyond it fail, as on a full disk */
    const uint8_t *data;       /* what is read */
    size_t size;
};
struct log_file memory_log_file(struct memory_log *m);

/* ---- a host whose time is a script ------------------------------------------------ */

/* At host time at_ns (from 0), text is typed at the serial port, or a request is posted. */
struct lab_step {
    uint64_t at_ns;
    const char *text;
    enum input_request request;
};

struct lab {
    struct sim_host host;
    uint64_t ns;
    const struct lab_step *steps;
    size_t n_steps, done;
    struct chardev device;
    struct input_source *serial;
    struct buf output;         /* what the guest wrote */
    struct sim *sim;
    struct input_port *port;
    struct machine *machine;
    void (*wired)(struct lab *lab, void *opaque);    /* the machine stands, nothing ran yet; may be NULL */
    void *opaque;
};

struct lab_result {
    enum machine_stop why;
    enum input_status status;
    struct error text;         /* the port's, or how the machine stopped */
    uint64_t position, virtual_ns, hash;
};

/* Fills in the host; the clock moves on by 100 us at each look. */
void lab_host_init(struct lab *lab);

/* pc, 4 MiB, shift=7, sleep=on, a state hash every 20000 positions. */
extern const struct log_machine lab_machine;

/* Exits the process when the machine cannot be built or the guest image cannot be read. */
void lab_record(struct lab *lab, const struct log_machine *m, struct memory_log *out, struct lab_result *result);
/* The reader is used up.  Runs until the position limit at most. */
void lab_replay(struct lab *lab, const struct log_machine *m, struct log_reader *log, uint64_t limit,
                struct lab_result *result);
/* The same in two steps, the caller runs the machine between them. */
struct machine *lab_replay_start(struct lab *lab, const struct log_machine *m, struct log_reader *log);
void lab_replay_stop(struct lab *lab, enum machine_stop why, struct lab_result *result);
void lab_free(struct lab *lab);

#endif
