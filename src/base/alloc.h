/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocation that never returns NULL: running out of host memory for our own
 * bookkeeping is a panic.  (Guest RAM comes from host/, which reports errors.)
 */
#ifndef REPRISE_BASE_ALLOC_H
#define REPRISE_BASE_ALLOC_H

#include <stddef.h>

void *alloc_zero(size_t size);                       /* zero-filled; free() releases */
void *alloc_array(size_t n, size_t size);            /* zero-filled, overflow checked */
void *alloc_resize(void *p, size_t n, size_t size);  /* realloc, overflow checked */
char *alloc_string(const char *s);                   /* a copy */
char *alloc_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define NEW(T) ((T *)alloc_zero(sizeof(T)))
#define NEW_ARRAY(T, n) ((T *)alloc_array((n), sizeof(T)))

/*
 * A growable byte buffer.  Zero-initialise; buf_free() releases.
 */
struct buf {
    unsigned char *data;
    size_t len, cap;
};

void buf_reserve(struct buf *b, size_t extra);
void buf_put(struct buf *b, const void *data, size_t len);
void buf_put_byte(struct buf *b, unsigned v);
void buf_free(struct buf *b);

/*
 * A bump arena for data with one lifetime.  Zero-initialise; reset keeps the
 * memory for reuse, free gives it back.  Allocations are 16-byte aligned.
 */
struct arena_chunk;
struct arena {
    struct arena_chunk *first, *cur;
    size_t used;
};

void *arena_alloc(struct arena *a, size_t size);     /* not zeroed */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
