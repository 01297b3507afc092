/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz programs share (fuzz.h). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>
#include <zstd.h>

#include "fuzz.h"
#include "rr/format.h"

enum { MARK_BYTES = 24 };

static _Noreturn void usage(const char *program)
{
    fprintf(stderr, "usage: %s [-n TIMES] [-s SEED | -r] [-f FIRST] [-i LOG -o OUT]\n", program);
    exit(1);
}

struct fuzz_options fuzz_parse(const char *program, int argc, char **argv)
{
    struct fuzz_options o = { .times = 1000, .seed = UINT64_C(1) << 32 };
    for (int c; (c = getopt(argc, argv, "n:s:rf:i:o:")) != -1;) {
        uint64_t v = optarg && c != '?' ? strtoull(optarg, NULL, 0) : 0;
        if (c == 'n')
            o.times = v;
        else if (c == 's')
            o.seed = v << 32;
        else if (c == 'r')
            o.seed = (uint64_t)time(NULL) << 32;
        else if (c == 'f')
            o.first = v;
        else if (c == 'i')
            o.input = optarg;
        else if (c == 'o')
            o.output = optarg;
        else
            usage(program);
    }
    if (!o.input != !o.output)
        usage(program);
    printf("%s: seed %llu\n", program, (unsigned long long)(o.seed >> 32));
    fflush(stdout);
    return o;
}

static volatile uint64_t this_turn;
static const char *volatile this_program;

static void too_slow(int signal)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%s: turn %llu hangs\n", this_program, (unsigned long long)this_turn);
    (void)signal;
    if (write(STDERR_FILENO, text, (size_t)n) < 0)
        _exit(2);
    abort();
}

void fuzz_turn(const char *program, uint64_t turn, unsigned seconds)
{
    this_program = program;
    this_turn = turn;
    signal(SIGALRM, too_slow);
    alarm(seconds);
}

uint64_t fuzz_next(struct fuzz_random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t fuzz_below(struct fuzz_random *r, uint64_t n) { return n ? fuzz_next(r) % n : 0; }

static void splice(struct buf *b, size_t at, size_t removed, const uint8_t *insert, size_t n)
{
    struct buf out = { 0 };
    buf_put(&out, b->data, at);
    buf_put(&out, insert, n);
    buf_put(&out, b->data + at + removed, b->len - at - removed);
    buf_free(b);
    *b = out;
}

static void mutate_once(struct fuzz_random *r, struct buf *b)
{
    static const uint64_t telling[] = { 0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0xffffffff, UINT64_MAX };
    if (!b->len)
        return;
    size_t at = fuzz_below(r, b->len), n = fuzz_below(r, b->len - at) % 64 + 1;
    n = n > b->len - at ? b->len - at : n;
    uint8_t bytes[64];
    switch (fuzz_below(r, 8)) {
    case 0:
        b->len = at;
        break;
    case 1:
        b->data[at] ^= (uint8_t)(1u << fuzz_below(r, 8));
        break;
    case 2:
        b->data[at] = (uint8_t)fuzz_next(r);
        break;
    case 3:
        splice(b, at, n, NULL, 0);
        break;
    case 4:
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)fuzz_next(r);
        splice(b, at, fuzz_below(r, 2) ? n : 0, bytes, n);
        break;
    case 5:
        memcpy(bytes, b->data + at, n);
        splice(b, fuzz_below(r, b->len), 0, bytes, n);
        break;
    case 6:
        store_le(bytes, 8, telling[fuzz_below(r, ARRAY_LEN(telling))]);
        n = fuzz_below(r, 2) ? 4 : 8;
        memcpy(b->data + at, bytes, n > b->len - at ? b->len - at : n);
        break;
    default:
        b->data[at] = (uint8_t)(b->data[at] + (fuzz_below(r, 2) ? 1 : -1));
    }
}

void fuzz_bytes(struct fuzz_random *r, const uint8_t *data, size_t size, struct buf *out)
{
    buf_put(out, data, size);
    for (uint64_t k = fuzz_below(r, 4) + 1; k; k--)
        mutate_once(r, out);
}

/* ---- logs that are sealed again -------------------------------------------------------- */

/* end: the mark at the frame's end, three numbers of 8 bytes. */
static void put_frame(struct buf *out, uint32_t magic, const struct buf *raw, const struct buf *prefix,
                      const uint8_t *end)
{
    uint8_t head[LOG_FRAME_HEAD];
    size_t bound = ZSTD_compressBound(raw->len);
    uint8_t *packed = malloc(bound);
    ZSTD_CCtx *packer = ZSTD_createCCtx();
    ZSTD_CCtx_refPrefix(packer, prefix->data, prefix->len);
    size_t n = ZSTD_compress2(packer, packed, bound, raw->data, raw->len);
    ZSTD_freeCCtx(packer);
    store_le(head, 4, magic);
    store_le(head + 4, 4, n);
    store_le(head + 8, 4, raw->len);
    memcpy(head + 12, end, MARK_BYTES);
    store_le(head + 12 + MARK_BYTES, 8, XXH3_64bits_withSeed(packed, n, XXH3_64bits(head, LOG_FRAME_HEAD - 8)));
    buf_put(out, head, sizeof head);
    buf_put(out, packed, n);
    free(packed);
}

/* The contents of the frame at data + at; those of the first are the prefix of all others. */
static void unpack(const uint8_t *data, size_t at, const struct buf *prefix, struct buf *out)
{
    size_t stored = load_le(data + at + 4, 4), len = load_le(data + at + 8, 4);
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();
    buf_reserve(out, len);
    ZSTD_DCtx_refPrefix(unpacker, prefix->data, prefix->len);
    out->len = ZSTD_decompressDCtx(unpacker, out->data, len, data + at + LOG_FRAME_HEAD, stored);
    ZSTD_freeDCtx(unpacker);
}

/* The log with the contents of some frames, their ends, or their order changed, every checksum right. */
static void mutate_frames(struct fuzz_random *r, const uint8_t *data, size_t size, struct buf *out)
{
    size_t at = LOG_PREAMBLE + load_le(data + 12, 4) + 8, frames = 0;
    for (size_t p = at; p + LOG_FRAME_HEAD <= size && load_le(data + p, 4) != LOG_INDEX_MAGIC; frames++)
        p += LOG_FRAME_HEAD + load_le(data + p + 4, 4);
    buf_put(out, data, at);
    struct buf none = { 0 }, first = { 0 };
    unpack(data, at, &none, &first);
    uint64_t chosen = fuzz_below(r, frames + 1), how = fuzz_below(r, 10);
    for (uint64_t i = 0; at + LOG_FRAME_HEAD <= size; i++) {
        size_t stored = load_le(data + at + 4, 4);
        uint8_t end[MARK_BYTES];
        memcpy(end, data + at + 12, MARK_BYTES);
        bool index = load_le(data + at, 4) == LOG_INDEX_MAGIC;
        struct buf raw = { 0 }, changed = { 0 };
        if (i != chosen) {
            buf_put(out, data + at, LOG_FRAME_HEAD + stored);
            at += LOG_FRAME_HEAD + stored;
            if (index)
                break;
            continue;
        }
        unpack(data, at, i ? &first : &none, &raw);
        if (how == 0) {
            uint8_t *number = end + 8 * fuzz_below(r, 3);
            store_le(number, 8, fuzz_below(r, 2) ? fuzz_next(r) >> fuzz_below(r, 64)
                                                 : load_le(number, 8) + fuzz_below(r, 100) - 50);
        }
        if (how > 1)
            fuzz_bytes(r, raw.data, raw.len, &changed);
        else
            buf_put(&changed, raw.data, raw.len);
        if (how != 1)
            put_frame(out, (uint32_t)load_le(data + at, 4), &changed, i ? &first : &none, end);
        buf_free(&raw);
        buf_free(&changed);
        at += LOG_FRAME_HEAD + stored;
        if (index)
            break;
    }
    buf_put(out, data + at, size - at);
    buf_free(&first);
}

static void mutate_header(struct fuzz_random *r, const uint8_t *data, size_t size, struct buf *out)
{
    size_t len = load_le(data + 12, 4), rest = LOG_PREAMBLE + len + 8;
    struct buf payload = { 0 };
    uint8_t sum[8];
    fuzz_bytes(r, data + LOG_PREAMBLE, len, &payload);
    buf_put(out, data, LOG_PREAMBLE);
    store_le(out->data + 12, 4, payload.len);
    buf_put(out, payload.data, payload.len);
    store_le(sum, 8, XXH3_64bits(out->data, out->len));
    buf_put(out, sum, 8);
    buf_put(out, data + rest, size - rest);
    buf_free(&payload);
}

void fuzz_log_mutation(uint64_t seed, const uint8_t *data, size_t size, struct buf *out)
{
    struct fuzz_random r = { seed };
    uint64_t kind = fuzz_below(&r, 10);
    if (kind < 4)
        fuzz_bytes(&r, data, size, out);
    else if (kind < 5)
        mutate_header(&r, data, size, out);
    else
        mutate_frames(&r, data, size, out);
}
