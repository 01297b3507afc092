/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/pool.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"

#ifdef __SANITIZE_ADDRESS__
enum { POOLED = 0 };
#else
enum { POOLED = 1 };
#endif

enum { CHUNK = 1 << 20, PREPARED = 64 << 10, PAGE = 4096 };

struct pool_chunk {
    struct pool_chunk *next;
};

static bool is_pooled(size_t size) { return POOLED && size <= POOL_MAX; }

static size_t class_of(size_t size) { return (size + POOL_ALIGN - 1) / POOL_ALIGN; }

static void prepare(struct pool *p, size_t size)
{
    if (p->prepare)
        p->prepare(p->opaque, p->end, size);
    p->end += size;
}

/* The space that is left of the last chunk is too little: it is lost. */
static void add_chunk(struct pool *p)
{
    char *data = aligned_alloc(PAGE, CHUNK);
    if (!data)
        panic("out of memory: %d bytes", CHUNK);
    p->end = data;
    p->chunk_end = data + CHUNK;
    prepare(p, PREPARED);
    struct pool_chunk *c = (struct pool_chunk *)(void *)data;
    c->next = p->chunks;
    p->chunks = c;
    p->next = data + POOL_ALIGN;
}

void *pool_alloc(struct pool *p, size_t size)
{
    if (!is_pooled(size))
        return alloc_resize(NULL, size, 1);
    require(size);
    size_t class = class_of(size), bytes = class * POOL_ALIGN;
    void **first = p->free[class];
    if (first) {
        p->free[class] = *first;
        return first;
    }
    if ((size_t)(p->end - p->next) < bytes) {
        if (p->end < p->chunk_end)
            prepare(p, PREPARED);
        else
            add_chunk(p);
    }
    p->next += bytes;
    return p->next - bytes;
}

void pool_free(struct pool *p, void *piece, size_t size)
{
    if (!is_pooled(size)) {
        free(piece);
        return;
    }
    void **list = &p->free[class_of(size)];
    *(void **)piece = *list;
    *list = piece;
}

void pool_fini(struct pool *p)
{
    while (p->chunks) {
        struct pool_chunk *next = p->chunks->next;
        free(p->chunks);
        p->chunks = next;
    }
    *p = (struct pool){ .prepare = p->prepare, .opaque = p->opaque };
}
