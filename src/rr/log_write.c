/* SPDX-License-Identifier: GPL-2.0-or-later */
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
    return !w->failed;
}

bool log_write_header(struct log_writer *w, const struct log_machine *machine, const struct log_file *file,
                      struct error *err)
{
    struct buf payload = { 0 }, out = { 0 };
    *w = (struct log_writer){ .file = *file };
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

bool log_flush(struct log_writer *w, uint64_t position)
{
    struct buf out = { 0 };
    size_t bound = ZSTD_compressBound(w->raw.len);
    buf_reserve(&out, LOG_FRAME_HEAD + bound);
    size_t n = ZSTD_compress(out.data + LOG_FRAME_HEAD, bound, w->raw.data, w->raw.len, 3);
    require(!ZSTD_isError(n));
    store_le(out.data, 4, LOG_FRAME_MAGIC);
    store_le(out.data + 4, 4, n);
    store_le(out.data + 8, 4, w->raw.len);
    store_le(out.data + 12, 8, position);
    uint64_t seed = XXH3_64bits(out.data, LOG_FRAME_HEAD - 8);
    store_le(out.data + 20, 8, XXH3_64bits_withSeed(out.data + LOG_FRAME_HEAD, n, seed));
    bool ok = append(w, out.data, LOG_FRAME_HEAD + n);
    w->raw.len = 0;
    buf_free(&out);
    return ok;
}

void log_writer_close(struct log_writer *w)
{
    buf_free(&w->raw);
    w->file.close(w->file.opaque);
}
