/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log's bytes (docs/log-format.md): constants, variable-length numbers and
 * bounded reading.  The version rule: any change that an older reader would
 * misread raises LOG_VERSION; readers refuse what is newer than they are.
 */
#ifndef REPRISE_RR_FORMAT_H
#define REPRISE_RR_FORMAT_H

#include "base/alloc.h"
#include "base/error.h"

#define LOG_MAGIC "REPRISE\n"
#define LOG_TRAILER_MAGIC UINT64_C(0x0a58444945525052)    /* "RPREIDX\n" */
enum {
    LOG_VERSION = 1,
    LOG_MAGIC_BYTES = 8,
    LOG_PREAMBLE = 8 + 4 + 4,        /* magic, version, header bytes */
    LOG_FRAME_MAGIC = 0x454d5246,    /* "FRME": events */
    LOG_INDEX_MAGIC = 0x58444e49,    /* "INDX": where frames begin */
    LOG_FRAME_HEAD = 4 + 4 + 4 + 8 + 8 + 8 + 8,   /* magic, stored, raw, end (position, virtual, host), checksum */
    LOG_MAX_HEADER = 1 << 20,
    LOG_MAX_FRAME = 1 << 20,         /* raw bytes */
    LOG_MAX_PAYLOAD = 1 << 16,
    LOG_MAX_STATE = 1 << 19,         /* the machine's state beside a hash */
    LOG_MAX_INDEX = 1 << 15,         /* entries; beyond that every second one is dropped */
    LOG_TRAILER = 16,                /* offset of the index frame, LOG_TRAILER_MAGIC */
};
#define LOG_MAX_TIME (UINT64_C(1) << 62)    /* positions and nanoseconds of a frame's end are less */

/* Event kinds; values never change meaning. */
enum log_kind {
    LOG_INPUT = 1,        /* source, length, bytes */
    LOG_REQUEST = 2,      /* enum input_request */
    LOG_CLOCK = 3,        /* enum sim_clock, zigzag difference to that clock's last value */
    LOG_CHECKPOINT = 4,   /* enum checkpoint */
    LOG_WARP = 5,         /* ns accounted: a sleep that was cut short */
    LOG_COMPLETION = 6,   /* request number */
    LOG_SHIFT = 7,        /* new shift */
    LOG_SEED = 8,         /* length, bytes */
    LOG_HASH = 9,         /* 8 bytes: the machine's state hash; length, state without memory */
    LOG_END = 10,         /* as LOG_HASH; then length, text: why the recording ended */
    LOG_KINDS
};
enum { LOG_HAS_IDLES = 0x80 };       /* flag in the kind byte: an idle count follows the position */

void put_varint(struct buf *b, uint64_t v);
void put_u32(struct buf *b, uint32_t v);
void put_u64(struct buf *b, uint64_t v);
void put_bytes(struct buf *b, const void *data, size_t len);   /* varint length, bytes */

/* A reader over bytes that may be anything.  ok turns false at the first overrun and stays so. */
struct bytes {
    const uint8_t *p;
    size_t left;
    bool ok;
};
uint64_t get_varint(struct bytes *b);
uint32_t get_u32(struct bytes *b);
uint64_t get_u64(struct bytes *b);
const uint8_t *get_raw(struct bytes *b, size_t len);
/* varint length (at most max), bytes */
const uint8_t *get_bytes(struct bytes *b, size_t max, size_t *len);

static inline uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}
static inline uint64_t unzigzag(uint64_t z) { return z >> 1 ^ (0 - (z & 1)); }

#endif
