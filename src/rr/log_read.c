/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include <xxhash.h>
#include <zstd.h>

#include "rr/log.h"

enum { MAX_ARGS = 4096, MAX_FILES = 256 };

struct log_reader {
    struct log_file file;
    uint64_t offset, first_frame;    /* of the next frame */
    uint8_t *header;                 /* payload; strings are cut out of it */
    char **strings;
    size_t n_strings;
    const char **args;
    struct log_input_file *files;
    uint8_t *frame;                  /* decompressed */
    struct buf first;                /* the first frame's contents, once they are read: zstd's prefix of the others */
    ZSTD_DCtx *unpacker;
    struct bytes left;
    uint64_t position;               /* of the last event read */
    struct log_mark complete_to;
    uint64_t clock[SIM_CLOCK_COUNT];
    struct log_index index;
    bool indexed, clean, ended;
    struct error cut;
};

/* ---- header ------------------------------------------------------------------------ */

static const char *take_string(struct log_reader *r, struct bytes *b)
{
    size_t len;
    const uint8_t *p = get_bytes(b, LOG_MAX_HEADER, &len);
    if (p && memchr(p, 0, len))
        b->ok = false;
    if (!b->ok)
        return "";
    char *s = alloc_zero(len + 1);
    memcpy(s, p, len);
    r->strings = alloc_resize(r->strings, r->n_strings + 1, sizeof *r->strings);
    r->strings[r->n_strings++] = s;
    return s;
}

static bool take_machine(struct log_reader *r, struct bytes *b, struct log_machine *m)
{
    *m = (struct log_machine){ .program = take_string(r, b) };
    m->n_args = (size_t)get_varint(b);
    if (!b->ok || m->n_args > MAX_ARGS)
        return false;
    r->args = NEW_ARRAY(const char *, m->n_args + 1);
    for (size_t i = 0; i < m->n_args; i++)
        r->args[i] = take_string(r, b);
    m->args = r->args;
    m->sim.shift = (unsigned)get_varint(b);
    uint64_t flags = get_varint(b);
    m->sim.shift_auto = flags & 1;
    m->sim.sleep = flags >> 1 & 1;
    m->sim.align = flags >> 2 & 1;
    m->n_files = (size_t)get_varint(b);
    if (!b->ok || m->sim.shift > 10 || m->n_files > MAX_FILES)
        return false;
    r->files = NEW_ARRAY(struct log_input_file, m->n_files + 1);
    for (size_t i = 0; i < m->n_files; i++) {
        r->files[i].role = take_string(r, b);
        r->files[i].path = take_string(r, b);
        r->files[i].size = get_varint(b);
        r->files[i].hash = get_u64(b);
    }
    m->files = r->files;
    m->hash_interval = get_varint(b);
    m->start_realtime = get_varint(b);
    return b->ok && !b->left;
}

static bool read_header(struct log_reader *r, struct log_machine *m, struct error *err)
{
    uint8_t pre[LOG_PREAMBLE], sum[8];
    uint64_t size = r->file.size(r->file.opaque);
    if (size < LOG_PREAMBLE || !r->file.read(r->file.opaque, 0, pre, sizeof pre, err) ||
        memcmp(pre, LOG_MAGIC, LOG_MAGIC_BYTES) != 0)
        return error_set(err, "not a Reprise log");
    uint32_t version = (uint32_t)load_le(pre + 8, 4), len = (uint32_t)load_le(pre + 12, 4);
    if (version > LOG_VERSION)
        return error_set(err, "the log has format version %u, this program reads up to %d", version, LOG_VERSION);
    if (!version || len > LOG_MAX_HEADER || size < LOG_PREAMBLE + (uint64_t)len + 8)
        return error_set(err, "the log's header is damaged or cut short");
    r->header = alloc_zero(LOG_PREAMBLE + (size_t)len);
    memcpy(r->header, pre, LOG_PREAMBLE);
    if (!r->file.read(r->file.opaque, LOG_PREAMBLE, r->header + LOG_PREAMBLE, len, err) ||
        !r->file.read(r->file.opaque, LOG_PREAMBLE + (uint64_t)len, sum, 8, err))
        return false;
    struct bytes b = { r->header + LOG_PREAMBLE, len, true };
    if (XXH3_64bits(r->header, LOG_PREAMBLE + (size_t)len) != load_le(sum, 8) || !take_machine(r, &b, m))
        return error_set(err, "the log's header is damaged");
    r->first_frame = r->offset = LOG_PREAMBLE + (uint64_t)len + 8;
    return true;
}

struct log_reader *log_open(const struct log_file *file, struct log_machine *machine, struct error *err)
{
    struct log_reader *r = NEW(struct log_reader);
    r->file = *file;
    r->unpacker = ZSTD_createDCtx();
    require(r->unpacker);
    if (!read_header(r, machine, err)) {
        log_close(r);
        return NULL;
    }
    return r;
}

void log_close(struct log_reader *r)
{
    for (size_t i = 0; i < r->n_strings; i++)
        free(r->strings[i]);
    free(r->strings);
    free((void *)r->args);
    free(r->files);
    free(r->header);
    free(r->frame);
    buf_free(&r->first);
    free(r->index.entry);
    ZSTD_freeDCtx(r->unpacker);
    r->file.close(r->file.opaque);
    free(r);
}

/* begin: the end of the frame before; its times are known only by reading that one. */
static void go_to(struct log_reader *r, uint64_t offset, uint64_t position)
{
    r->offset = offset;
    r->left = (struct bytes){ 0 };
    r->position = position;
    r->complete_to = (struct log_mark){ .position = position };
    r->clean = r->ended = false;
    r->cut.text[0] = 0;
}

void log_rewind(struct log_reader *r) { go_to(r, r->first_frame, 0); }

/* ---- frames ---------------------------------------------------------------------------- */

static bool cut(struct log_reader *r, const char *why)
{
    r->ended = true;
    return error_set(&r->cut, "the log is cut at byte %llu of %llu (%s): it is complete up to position %llu",
                     (unsigned long long)r->offset, (unsigned long long)log_bytes(r), why,
                     (unsigned long long)r->complete_to.position);
}

struct frame_head {
    uint32_t magic, stored, raw;
    struct log_mark end;
    uint64_t sum, seed;
};

/* Reads a frame's head and checks that the file holds the rest.  False: *why. */
static bool read_head(struct log_reader *r, uint64_t offset, struct frame_head *h, const char **why)
{
    uint8_t head[LOG_FRAME_HEAD];
    uint64_t size = log_bytes(r);
    struct error err;
    *why = offset == size ? "no end mark" : "unfinished frame";
    if (offset > size || size - offset < LOG_FRAME_HEAD ||
        !r->file.read(r->file.opaque, offset, head, sizeof head, &err))
        return false;
    *h = (struct frame_head){ .magic = (uint32_t)load_le(head, 4), .stored = (uint32_t)load_le(head + 4, 4),
                              .raw = (uint32_t)load_le(head + 8, 4), .sum = load_le(head + 36, 8),
                              .end = { load_le(head + 12, 8), load_le(head + 20, 8), load_le(head + 28, 8) },
                              .seed = XXH3_64bits(head, LOG_FRAME_HEAD - 8) };
    if (h->raw > LOG_MAX_FRAME || h->stored > ZSTD_compressBound(LOG_MAX_FRAME) || h->end.position >= LOG_MAX_TIME ||
        h->end.virtual_ns >= LOG_MAX_TIME || h->end.host_ns >= LOG_MAX_TIME) {
        *why = "damaged frame";
        return false;
    }
    return size - offset - LOG_FRAME_HEAD >= h->stored;
}

static bool read_frame(struct log_reader *r, uint64_t offset, const struct frame_head *h);

static bool read_first(struct log_reader *r)
{
    struct frame_head h;
    const char *why;
    return r->first.len || (read_head(r, r->first_frame, &h, &why) && read_frame(r, r->first_frame, &h));
}

/* The contents, checked and decompressed to r->frame. */
static bool read_frame(struct log_reader *r, uint64_t offset, const struct frame_head *h)
{
    struct error err;
    bool is_first = offset == r->first_frame;
    if (!is_first && !read_first(r))
        return false;
    uint8_t *packed = alloc_zero(h->stored);
    bool ok = r->file.read(r->file.opaque, offset + LOG_FRAME_HEAD, packed, h->stored, &err) &&
              XXH3_64bits_withSeed(packed, h->stored, h->seed) == h->sum;
    free(r->frame);
    r->frame = alloc_zero(h->raw);
    ok = ok && !ZSTD_isError(ZSTD_DCtx_refPrefix(r->unpacker, is_first ? NULL : r->first.data,
                                                 is_first ? 0 : r->first.len)) &&
         ZSTD_decompressDCtx(r->unpacker, r->frame, h->raw, packed, h->stored) == h->raw;
    free(packed);
    if (ok && is_first && !r->first.len)
        buf_put(&r->first, r->frame, h->raw);
    return ok;
}

static bool next_frame(struct log_reader *r)
{
    struct frame_head h;
    const char *why;
    if (!read_head(r, r->offset, &h, &why))
        return cut(r, why);
    if (h.magic != LOG_FRAME_MAGIC || h.end.position < r->complete_to.position ||
        h.end.virtual_ns < r->complete_to.virtual_ns || !read_frame(r, r->offset, &h))
        return cut(r, "damaged frame");
    r->left = (struct bytes){ r->frame, h.raw, true };
    r->offset += LOG_FRAME_HEAD + (uint64_t)h.stored;
    r->position = r->complete_to.position;
    r->complete_to = h.end;
    memset(r->clock, 0, sizeof r->clock);
    return true;
}

/* ---- seeking --------------------------------------------------------------------------- */

static bool read_index(struct log_reader *r)
{
    uint8_t trailer[LOG_TRAILER];
    uint64_t size = log_bytes(r);
    struct frame_head h;
    struct error err;
    const char *why;
    if (size < r->first_frame + LOG_TRAILER ||
        !r->file.read(r->file.opaque, size - LOG_TRAILER, trailer, sizeof trailer, &err) ||
        load_le(trailer + 8, 8) != LOG_TRAILER_MAGIC)
        return false;
    uint64_t at = load_le(trailer, 8);
    if (at < r->first_frame || !read_head(r, at, &h, &why) || h.magic != LOG_INDEX_MAGIC || !read_frame(r, at, &h))
        return false;
    struct bytes b = { r->frame, h.raw, true };
    struct log_index_entry e = { 0, 0 };
    while (b.left) {
        uint64_t position = e.position + get_varint(&b), offset = e.offset + get_varint(&b);
        if (!b.ok || position < e.position || offset <= e.offset || offset < r->first_frame || offset >= at)
            return false;
        e = (struct log_index_entry){ position, offset };
        log_index_add(&r->index, position, offset);
    }
    return true;
}

/* From the frames' heads, as far as they can be read. */
static void rebuild_index(struct log_reader *r)
{
    struct frame_head h;
    const char *why;
    uint64_t position = 0;
    r->index.n = 0;
    r->index.step = r->index.seen = 0;
    for (uint64_t at = r->first_frame;
         read_head(r, at, &h, &why) && h.magic == LOG_FRAME_MAGIC && h.end.position >= position;
         at += LOG_FRAME_HEAD + (uint64_t)h.stored) {
        log_index_add(&r->index, position, at);
        position = h.end.position;
    }
}

void log_seek(struct log_reader *r, uint64_t position)
{
    if (!r->indexed && !read_index(r))
        rebuild_index(r);
    r->indexed = true;
    log_rewind(r);
    for (size_t i = 0; i < r->index.n && r->index.entry[i].position < position; i++)
        go_to(r, r->index.entry[i].offset, r->index.entry[i].position);
}

/* ---- events ------------------------------------------------------------------------------- */

/* The kinds whose payload is one number: is it one that we know the meaning of? */
static bool known_value(enum log_kind kind, uint64_t value)
{
    switch (kind) {
    case LOG_REQUEST:
        return value >= REQUEST_QUIT && value <= REQUEST_POWER_BUTTON;
    case LOG_CHECKPOINT:
        return value == CHECKPOINT_TIMERS_HOST || value == CHECKPOINT_TIMERS_VIRTUAL_RT;
    case LOG_SHIFT:
        return value <= 10;
    default:
        return true;
    }
}

static void take_payload(struct log_reader *r, struct bytes *b, struct log_event *e)
{
    switch (e->kind) {
    case LOG_INPUT:
        e->number = (uint32_t)get_varint(b);
        e->data = get_bytes(b, LOG_MAX_PAYLOAD, &e->len);
        b->ok = b->ok && e->len;
        break;
    case LOG_SEED:
        e->data = get_bytes(b, LOG_MAX_PAYLOAD, &e->len);
        break;
    case LOG_CLOCK:
        e->number = (uint32_t)get_varint(b);
        if (e->number != SIM_CLOCK_HOST && e->number != SIM_CLOCK_VIRTUAL_RT)
            b->ok = false;
        else
            e->value = r->clock[e->number] += unzigzag(get_varint(b));
        break;
    case LOG_HASH:
        e->value = get_u64(b);
        e->state = get_bytes(b, LOG_MAX_STATE, &e->state_len);
        break;
    case LOG_END:
        e->value = get_u64(b);
        e->state = get_bytes(b, LOG_MAX_STATE, &e->state_len);
        e->data = get_bytes(b, LOG_MAX_PAYLOAD, &e->len);
        break;
    default:
        e->value = get_varint(b);
        b->ok = b->ok && known_value(e->kind, e->value);
    }
}

bool log_next(struct log_reader *r, struct log_event *e)
{
    if (r->ended || r->clean)
        return false;
    while (!r->left.left)
        if (!next_frame(r))
            return false;
    struct bytes *b = &r->left;
    const uint8_t *start = b->p, *kind = get_raw(b, 1);
    *e = (struct log_event){ .kind = (enum log_kind)(*kind & ~LOG_HAS_IDLES) };
    uint64_t delta = get_varint(b);
    e->idles = *kind & LOG_HAS_IDLES ? get_varint(b) : 0;
    e->position = r->position + delta;
    if (e->kind < 1 || e->kind >= LOG_KINDS || e->position < r->position || e->position > r->complete_to.position)
        b->ok = false;
    take_payload(r, b, e);
    if (!b->ok)
        return cut(r, "damaged event");
    r->position = e->position;
    e->bytes = (size_t)(b->p - start);
    r->clean = e->kind == LOG_END;
    return true;
}

const char *log_cut(const struct log_reader *r) { return r->clean ? NULL : r->cut.text; }
const struct log_mark *log_complete_to(const struct log_reader *r) { return &r->complete_to; }
uint64_t log_offset(const struct log_reader *r) { return r->offset; }
uint64_t log_bytes(const struct log_reader *r) { return r->file.size(r->file.opaque); }

const char *log_kind_name(enum log_kind kind)
{
    static const char *const names[LOG_KINDS] = { "?", "input", "request", "clock", "checkpoint", "warp",
                                                  "completion", "shift", "seed", "hash", "end" };
    return kind < LOG_KINDS ? names[kind] : names[0];
}
