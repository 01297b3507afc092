/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include <xxhash.h>
#include <zstd.h>

#include "rr/log.h"

static void put_string(struct buf *b, const char *s) { put_bytes(b, s, strlen(s)); }

static void put_machine(struct buf *b, const struct log_machine *m)
{
    put_string(b, m->program);
    put_varint(b, m->n_args);
    for (size_t i = 0; i < m->n_args; i++)
        put_string(b, m->args[i]);
    put_varint(b, m->sim.shift);
    put_varint(b, m->sim.shift_auto | (unsigned)m->sim.sleep << 1 | (unsigned)m->sim.align << 2);
    put_varint(b, m->n_files);
    for (size_t i = 0; i < m->n_files; i++) {
        put_string(b, m->files[i].role);
        put_string(b, m->files[i].path);
        put_varint(b, m->files[i].size);
        put_u64(b, m->files[i].hash);
    }
    put_varint(b, m->hash_interval);
    put_varint(b, m->start_realtime);
}

static bool append(struct log_writer *w, const void *data, size_t len)
{
    if (!w->failed && !w->file.append(w->file.opaque, data, len, &w->error))
        w->failed = true;
    if (!w->failed)
        w->offset += len;
    return !w->failed;
}

bool log_write_header(struct log_writer *w, const struct log_machine *machine, const struct log_file *file,
                      struct error *err)
{
    struct buf payload = { 0 }, out = { 0 };
    *w = (struct log_writer){ .file = *file, .packer = ZSTD_createCCtx() };
    require(w->packer);
    put_machine(&payload, machine);
    buf_put(&out, LOG_MAGIC, LOG_MAGIC_BYTES);
    put_u32(&out, LOG_VERSION);
    put_u32(&out, (uint32_t)payload.len);
    buf_put(&out, payload.data, payload.len);
    put_u64(&out, XXH3_64bits(out.data, out.len));
    bool ok = payload.len <= LOG_MAX_HEADER && append(w, out.data, out.len);
    if (payload.len > LOG_MAX_HEADER)
        error_set(err, "the command line is too long for a log: %zu bytes", payload.len);
    else if (!ok && err)
        *err = w->error;
    buf_free(&payload);
    buf_free(&out);
    return ok;
}

void log_begin_event(struct log_writer *w, enum log_kind kind, uint64_t position, uint64_t idles)
{
    buf_put_byte(&w->raw, (unsigned)kind | (idles ? LOG_HAS_IDLES : 0));
    put_varint(&w->raw, position - w->last_position);
    if (idles)
        put_varint(&w->raw, idles);
    w->last_position = position;
}

void log_put_clock(struct log_writer *w, enum sim_clock clock, uint64_t ns)
{
    put_varint(&w->raw, clock);
    put_varint(&w->raw, zigzag(ns - w->clock[clock]));
    w->clock[clock] = ns;
}

/* Head, compressed contents; the checksum covers both. */
static bool append_frame(struct log_writer *w, uint32_t magic, const struct buf *raw, const struct log_mark *end)
{
    struct buf out = { 0 };
    size_t bound = ZSTD_compressBound(raw->len);
    buf_reserve(&out, LOG_FRAME_HEAD + bound);
    require(!ZSTD_isError(ZSTD_CCtx_refPrefix(w->packer, w->first.data, w->first.len)));
    size_t n = ZSTD_compress2(w->packer, out.data + LOG_FRAME_HEAD, bound, raw->data, raw->len);
    require(!ZSTD_isError(n));
    store_le(out.data, 4, magic);
    store_le(out.data + 4, 4, n);
    store_le(out.data + 8, 4, raw->len);
    store_le(out.data + 12, 8, end->position);
    store_le(out.data + 20, 8, end->virtual_ns);
    store_le(out.data + 28, 8, end->host_ns);
    uint64_t seed = XXH3_64bits(out.data, LOG_FRAME_HEAD - 8);
    store_le(out.data + 36, 8, XXH3_64bits_withSeed(out.data + LOG_FRAME_HEAD, n, seed));
    bool ok = append(w, out.data, LOG_FRAME_HEAD + n);
    buf_free(&out);
    return ok;
}

bool log_flush(struct log_writer *w, const struct log_mark *end)
{
    log_index_add(&w->index, w->begin.position, w->offset);
    bool ok = append_frame(w, LOG_FRAME_MAGIC, &w->raw, end);
    if (!w->first.len) {
        w->first = w->raw;
        w->raw = (struct buf){ 0 };
    }
    w->raw.len = 0;
    w->begin = *end;
    w->last_position = end->position;
    memset(w->clock, 0, sizeof w->clock);
    return ok;
}

/* ---- index ------------------------------------------------------------------------- */

void log_index_add(struct log_index *index, uint64_t position, uint64_t offset)
{
    if (!index->step)
        index->step = 1;
    if (index->seen++ % index->step)
        return;
    if (index->n == LOG_MAX_INDEX) {
        for (size_t i = 0; i < LOG_MAX_INDEX / 2; i++)
            index->entry[i] = index->entry[2 * i];
        index->n = LOG_MAX_INDEX / 2;
        index->step *= 2;
    }
    if (!index->entry)
        index->entry = NEW_ARRAY(struct log_index_entry, LOG_MAX_INDEX);
    index->entry[index->n++] = (struct log_index_entry){ position, offset };
}

bool log_write_index(struct log_writer *w)
{
    struct buf raw = { 0 }, trailer = { 0 };
    struct log_index_entry last = { 0, 0 };
    for (size_t i = 0; i < w->index.n; i++) {
        put_varint(&raw, w->index.entry[i].position - last.position);
        put_varint(&raw, w->index.entry[i].offset - last.offset);
        last = w->index.entry[i];
    }
    put_u64(&trailer, w->offset);
    put_u64(&trailer, LOG_TRAILER_MAGIC);
    bool ok = append_frame(w, LOG_INDEX_MAGIC, &raw, &w->begin) && append(w, trailer.data, trailer.len);
    buf_free(&raw);
    buf_free(&trailer);
    return ok;
}

void log_writer_close(struct log_writer *w)
{
    buf_free(&w->raw);
    buf_free(&w->first);
    ZSTD_freeCCtx(w->packer);
    free(w->index.entry);
    w->file.close(w->file.opaque);
}
