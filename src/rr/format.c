/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rr/format.h"

void put_varint(struct buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_put_byte(b, (unsigned)(v & 0x7f) | 0x80);
    buf_put_byte(b, (unsigned)v);
}

static void put_fixed(struct buf *b, unsigned size, uint64_t v)
{
    uint8_t bytes[8];
    store_le(bytes, size, v);
    buf_put(b, bytes, size);
}

void put_u32(struct buf *b, uint32_t v) { put_fixed(b, 4, v); }
void put_u64(struct buf *b, uint64_t v) { put_fixed(b, 8, v); }

void put_bytes(struct buf *b, const void *data, size_t len)
{
    put_varint(b, len);
    buf_put(b, data, len);
}

const uint8_t *get_raw(struct bytes *b, size_t len)
{
    if (!b->ok || len > b->left) {
        b->ok = false;
        return NULL;
    }
    const uint8_t *p = b->p;
    b->p += len;
    b->left -= len;
    return p;
}

uint64_t get_varint(struct bytes *b)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t *p = get_raw(b, 1);
        if (!p)
            return 0;
        v |= (uint64_t)(*p & 0x7f) << shift;
        if (!(*p & 0x80))
            return v;
    }
    b->ok = false;
    return 0;
}

static uint64_t get_fixed(struct bytes *b, unsigned size)
{
    const uint8_t *p = get_raw(b, size);
    return p ? load_le(p, size) : 0;
}

uint32_t get_u32(struct bytes *b) { return (uint32_t)get_fixed(b, 4); }
uint64_t get_u64(struct bytes *b) { return get_fixed(b, 8); }

const uint8_t *get_bytes(struct bytes *b, size_t max, size_t *len)
{
    uint64_t n = get_varint(b);
    *len = 0;
    if (n > max)
        b->ok = false;
    const uint8_t *p = get_raw(b, (size_t)n);
    if (p)
        *len = (size_t)n;
    return p;
}
