/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for many small pieces that come and go: a list of free pieces for each size, and no header on any.
 *
 * What was given back serves pieces of its size class again, and returns to the host with the pool.  Pieces of more
 * than POOL_MAX bytes are malloc()'s, and all are in builds with the address sanitizer, which then sees each.
 */
#ifndef REPRISE_BASE_POOL_H
#define REPRISE_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

enum { POOL_ALIGN = 16, POOL_MAX = 2048 };

/* Zero-initialise; prepare and opaque may be set before the first piece is asked for. */
struct pool {
    /* size bytes at p, page-aligned, are about to be written; NULL: nobody wants to know. */
    void (*prepare)(void *opaque, void *p, uint64_t size);
    void *opaque;
    char *next, *end;            /* free space that was prepared */
    char *chunk_end;             /* behind it, some that was not */
    struct pool_chunk *chunks;
    void *free[POOL_MAX / POOL_ALIGN + 1];
};

/* Not zeroed; aligned to POOL_ALIGN.  Running out of memory is a panic. */
void *pool_alloc(struct pool *p, size_t size);
/* size: as it was asked for. */
void pool_free(struct pool *p, void *piece, size_t size);
/* Every piece of at most POOL_MAX bytes is gone, too. */
void pool_fini(struct pool *p);

#endif
