/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void *alloc_zero(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        panic("out of memory: %zu bytes", size);
    return p;
}

void *alloc_array(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        panic("out of memory: %zu items of %zu bytes", n, size);
    return p;
}

void *alloc_resize(void *old, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        panic("out of memory: %zu items of %zu bytes", n, size);
    size_t bytes = n * size;
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p)
        panic("out of memory: %zu items of %zu bytes", n, size);
    return p;
}

char *alloc_string(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(alloc_zero(n), s, n);
}

char *alloc_format(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    require(n >= 0);
    char *p = alloc_zero((size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

void buf_reserve(struct buf *b, size_t extra)
{
    if (b->cap - b->len >= extra)
        return;
    size_t cap = b->cap ? b->cap : 64;
    while (cap - b->len < extra) {
        require(cap <= SIZE_MAX / 2);
        cap *= 2;
    }
    b->data = alloc_resize(b->data, cap, 1);
    b->cap = cap;
}

void buf_put(struct buf *b, const void *data, size_t len)
{
    if (!len)
        return;
    buf_reserve(b, len);
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

void buf_put_byte(struct buf *b, unsigned v)
{
    buf_reserve(b, 1);
    b->data[b->len++] = (unsigned char)v;
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){ 0 };
}

enum { ARENA_CHUNK = 64 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    _Alignas(16) unsigned char data[];
};

void *arena_alloc(struct arena *a, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    while (!a->cur || a->cur->size - a->used < size) {
        struct arena_chunk *next = a->cur ? a->cur->next : a->first;
        if (!next || next->size < size) {
            size_t n = size > ARENA_CHUNK ? size : ARENA_CHUNK;
            struct arena_chunk *c = alloc_zero(sizeof *c + n);
            c->size = n;
            c->next = next;
            if (a->cur)
                a->cur->next = c;
            else
                a->first = c;
            next = c;
        }
        a->cur = next;
        a->used = 0;
    }
    void *p = a->cur->data + a->used;
    a->used += size;
    return p;
}

void arena_reset(struct arena *a)
{
    a->cur = NULL;
    a->used = 0;
}

void arena_free(struct arena *a)
{
    struct arena_chunk *c = a->first;
    while (c) {
        struct arena_chunk *next = c->next;
        free(c);
        c = next;
    }
    *a = (struct arena){ 0 };
}
