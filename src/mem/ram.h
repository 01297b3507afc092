/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM blocks: host memory of the guest, with per-page dirty epochs and marks
 * for what is derived from the bytes (translated code, TLB entries).
 *
 * The host gives zero-filled memory lazily, so a guest of 8 GiB costs only
 * what it touches; what it writes is asked for in chunks.  Page flags say what a store must do first:
 *
 *  1. A page that some client has not yet seen written since its epoch began
 *     takes the slow path (ram_note_write) once.
 *  2. A page with translated code or page-table entries in use takes it every
 *     time, but only a store that overlaps a marked granule of code (64
 *     bytes) or a marked entry (8 bytes) has any effect beyond that: data
 *     next to code, and fresh entries in a page table, cost no invalidation.
 *     Page-table marks, and what they say, are mem/table.h.
 */
#ifndef REPRISE_MEM_RAM_H
#define REPRISE_MEM_RAM_H

#include "base/error.h"

enum { PAGE_BITS = 12, PAGE_SIZE = 1 << PAGE_BITS };

/* Memory from the host: declared here, implemented by host/memory.c. */
struct host_memory {
    /* Zero-filled on first touch, page aligned.  NULL and err on failure. */
    void *(*alloc)(void *opaque, uint64_t size, struct error *err);
    void (*free)(void *opaque, void *p, uint64_t size);
    /* A hint: [p, p + size), whole pages, will be written soon.  Contents stay.  NULL: of no use. */
    void (*prepare)(void *opaque, void *p, uint64_t size);
    void *opaque;
};

/* Who wants to know which pages were written since it last asked. */
enum ram_client {
    RAM_DIRTY_HASH,      /* incremental state hash */
    RAM_DIRTY_SNAPSHOT,  /* incremental checkpoints */
    RAM_DIRTY_DISPLAY,
    RAM_DIRTY_CLIENTS
};

struct ram_table;

/*
 * Which TLB entries may let stores to a page through without ram_note_write: those of users whose bit
 * is set, for virtual pages whose number modulo 64 is a set bit.  Whoever makes such an entry sets both;
 * whoever has closed them all clears the record.
 */
struct ram_open {
    uint64_t by_user, by_page;
};

struct ram {
    char *name;
    uint8_t *host;          /* size bytes */
    uint64_t size;          /* bytes, multiple of PAGE_SIZE */
    uint8_t *page_flags;    /* one per page: bit client set = dirty for that client; RAM_CODE */
    uint64_t *page_hash;    /* RAM_DIRTY_HASH's cache; 0 for a page of zeros */
    uint64_t *code_map;     /* by page: a bit for each 64-byte granule that holds translated code */
    struct ram_table **table;   /* by page: NULL, or its page-table marks (mem/table.h) */
    struct ram_open *open;      /* by page */
    uint64_t *prepared;         /* a bit for each RAM_CHUNK: the host was told that it will be written */
    const struct host_memory *memory;
    const struct ram_watch *watch;   /* borrowed; NULL: nobody */
    uint64_t hash;          /* sum of the page hashes */
};

enum { RAM_ALL_DIRTY = (1 << RAM_DIRTY_CLIENTS) - 1, RAM_TABLE = 0x40, RAM_CODE = 0x80, RAM_GRANULE_BITS = 6 };

/* What the host gives at once: it takes longer to ask for a page than to give it. */
enum { RAM_CHUNK_BITS = 16 };

/* The engine wants to hear of stores to bytes that its caches were made from. */
struct ram_watch {
    /* [offset, offset+len), within one page, is about to be written and overlaps a granule with code. */
    void (*code_written)(void *opaque, struct ram *ram, uint64_t offset, uint64_t len);
    /* [offset, offset+len), within one page, is about to be written and overlaps page-table entries that TLBs
     * depend on: what comes from them must be forgotten, and their marks cleared. */
    void (*table_written)(void *opaque, struct ram *ram, uint64_t offset, uint64_t len);
    /* The page at offset holds page-table entries in use from now on: stores must take the slow path. */
    void (*table_added)(void *opaque, struct ram *ram, uint64_t offset);
    /* A client restarted its epoch: TLB entries must not let stores through unseen. */
    void (*epoch_started)(void *opaque);
    void *opaque;
};

struct ram *ram_new(const char *name, uint64_t size, const struct host_memory *memory, struct error *err);
void ram_free(struct ram *r);

/* A store may bypass ram_note_write: dirty for every client, no code, no page table in use. */
static inline bool ram_page_open(const struct ram *r, uint64_t offset)
{
    return r->page_flags[offset >> PAGE_BITS] == RAM_ALL_DIRTY;
}

/* Call before writing [offset, offset+len), any length. */
void ram_note_write(struct ram *r, uint64_t offset, uint64_t len);

/* The same for a page walk that sets accessed and dirty bits: what TLBs hold stays true. */
void ram_note_walk(struct ram *r, uint64_t offset, uint64_t len);

/* Does a write of [offset, offset+len), within one page, touch a granule with translated code? */
bool ram_hits_code(const struct ram *r, uint64_t offset, uint64_t len);
/* Marks the granules of [offset, offset+len), within one page, as holding code; TLB entries that
 * let stores through to the page must be gone by then (the caller's duty). */
void ram_mark_code(struct ram *r, uint64_t offset, uint64_t len);
/* The page holds no code any more. */
void ram_clear_code(struct ram *r, uint64_t offset);

/*
 * Starts a new epoch for the client: calls page(opaque, page_index) for every
 * page dirty since the last epoch in ascending order, and marks them clean.
 */
void ram_epoch(struct ram *r, enum ram_client client, void (*page)(void *opaque, uint64_t index), void *opaque);

/* A 64-bit hash of the whole contents; rehashes only pages dirty since the last call.
 * A never-touched page costs nothing. */
uint64_t ram_hash(struct ram *r);

#endif
