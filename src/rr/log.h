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

/* Up to where a recording is complete: everything that came before is on its way to the disk. */
struct log_mark {
    uint64_t position;
    uint64_t virtual_ns;         /* virtual time there */
    uint64_t host_ns;            /* host time since the recording began */
};

/* Where frames begin, for seeking: entry i's frame holds events from its position on. */
struct log_index {
    struct log_index_entry {
        uint64_t position, offset;
    } *entry;
    size_t n;
    uint64_t step, seen;         /* every step-th frame has an entry */
};

/*
 * Every frame can be read without the ones before it, but for the first:
 * positions are relative to the end of the frame before (which its head
 * tells), clocks to zero, and zstd has the first frame as prefix, so that the
 * machine states, much alike, cost little in frames of their own.
 */
struct log_writer {
    struct log_file file;
    struct buf raw;              /* the frame being filled */
    struct buf first;            /* the first frame's contents, once it is written */
    struct ZSTD_CCtx_s *packer;
    uint64_t offset;             /* bytes written so far */
    struct log_mark begin;       /* of the frame being filled */
    uint64_t last_position;      /* of the last event written */
    uint64_t clock[SIM_CLOCK_COUNT];
    struct log_index index;
    bool failed;
    struct error error;
};

/* Writes the header.  The writer owns file from here on, also on failure. */
bool log_write_header(struct log_writer *w, const struct log_machine *machine, const struct log_file *file,
                      struct error *err);
/* Begins an event at (position, idles); the payload is then appended to w->raw. */
void log_begin_event(struct log_writer *w, enum log_kind kind, uint64_t position, uint64_t idles);
/* A clock value, relative to that clock's last one in the frame. */
void log_put_clock(struct log_writer *w, enum sim_clock clock, uint64_t ns);
/* Writes the frame, which ends at the mark.  False: w->error. */
bool log_flush(struct log_writer *w, const struct log_mark *end);
/* The index and the trailer, behind the last frame. */
bool log_write_index(struct log_writer *w);
void log_writer_close(struct log_writer *w);

void log_index_add(struct log_index *index, uint64_t position, uint64_t offset);

/* ---- reading --------------------------------------------------------------------- */

struct log_event {
    enum log_kind kind;
    uint64_t position, idles;
    uint64_t value;              /* CLOCK: the time; WARP: ns; COMPLETION: number; HASH, END: hash; others: the byte */
    uint32_t number;             /* INPUT: source; CLOCK: enum sim_clock */
    const uint8_t *data;         /* INPUT, SEED, END's text; valid until the next event */
    size_t len;
    const uint8_t *state;        /* HASH, END: the machine's state without memory (state_set_encode()) */
    size_t state_len;
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
/*
 * Goes to the frame that holds the first event at or behind the position, by the index,
 * or, where that is missing or damaged, by one made from the frames' heads.
 */
void log_seek(struct log_reader *r, uint64_t position);

/* The next event.  False: the log's end, log_cut() tells whether a clean one. */
bool log_next(struct log_reader *r, struct log_event *e);

/* NULL after a clean end, else why the log ends here.  Meaningful after log_next() was false. */
const char *log_cut(const struct log_reader *r);
/* The end of the last frame read: log_next()'s events came no later. */
const struct log_mark *log_complete_to(const struct log_reader *r);
/* How far into the file the reader is, and its size, for progress. */
uint64_t log_offset(const struct log_reader *r);
uint64_t log_bytes(const struct log_reader *r);

const char *log_kind_name(enum log_kind kind);

#endif
