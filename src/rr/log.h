/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing logs, for the two ports and for `reprise info`, `log` and `verify`.
 *
 * A reader never trusts the file: every length is checked, every frame has a
 * checksum, memory is bounded by one header and one frame.  What cannot be
 * read ends the log there ("cut"), with a sentence that says where.
 */
#ifndef REPRISE_RR_LOG_H
#define REPRISE_RR_LOG_H

#include "rr/format.h"
#include "rr/rr.h"

/* ---- writing ------------------------------------------------------------------- */

struct log_writer {
    struct log_file file;
    struct buf raw;              /* the frame being filled */
    uint64_t last_position;      /* of the last event written */
    uint64_t clock[SIM_CLOCK_COUNT];
    bool failed;
    struct error error;
};

/* Writes the header.  The writer owns file from here on, also on failure. */
bool log_write_header(struct log_writer *w, const struct log_machine *machine, const struct log_file *file,
                      struct error *err);
/* Begins an event at (position, idles); the payload is then appended to w->raw. */
void log_begin_event(struct log_writer *w, enum log_kind kind, uint64_t position, uint64_t idles);
/* Writes the frame: everything up to `position` is now on its way to the disk.  False: w->error. */
bool log_flush(struct log_writer *w, uint64_t position);
void log_writer_close(struct log_writer *w);

/* ---- reading --------------------------------------------------------------------- */

struct log_event {
    enum log_kind kind;
    uint64_t position, idles;
    uint64_t value;              /* CLOCK: the time; WARP: ns; COMPLETION: number; HASH, END: hash; others: the byte */
    uint32_t number;             /* INPUT: source; CLOCK: enum sim_clock */
    const uint8_t *data;         /* INPUT, SEED, END's text; valid until the next event */
    size_t len;
    size_t bytes;                /* of the event in the log, uncompressed */
};

struct log_reader;

/*
 * Reads and checks the header.  Owns file from here on, also on failure.
 * *machine's strings live as long as the reader.
 */
struct log_reader *log_open(const struct log_file *file, struct log_machine *machine, struct error *err);
void log_close(struct log_reader *r);
void log_rewind(struct log_reader *r);

/* The next event.  False: the log's end, log_cut() tells whether a clean one. */
bool log_next(struct log_reader *r, struct log_event *e);

/* NULL after a clean end, else why the log ends here.  Meaningful after log_next() was false. */
const char *log_cut(const struct log_reader *r);
/* The position up to which the frames read so far are complete. */
uint64_t log_complete_to(const struct log_reader *r);
/* How far into the file the reader is, and its size, for progress. */
uint64_t log_offset(const struct log_reader *r);
uint64_t log_bytes(const struct log_reader *r);

const char *log_kind_name(enum log_kind kind);

#endif
