/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mem/ram.h"

#include <stdlib.h>

#include <xxhash.h>

#include "base/alloc.h"
#include "mem/table.h"

struct ram *ram_new(const char *name, uint64_t size, const struct host_memory *memory, struct error *err)
{
    require(size && size % PAGE_SIZE == 0);
    uint8_t *host = memory->alloc(memory->opaque, size, err);
    if (!host) {
        error_prefix(err, "guest memory '%s'", name);
        return NULL;
    }
    uint64_t pages = size >> PAGE_BITS;
    struct ram *r = NEW(struct ram);
    *r = (struct ram){ .name = alloc_string(name), .host = host, .size = size, .memory = memory };
    r->page_flags = alloc_zero(pages);
    r->page_hash = NEW_ARRAY(uint64_t, pages);
    r->code_map = NEW_ARRAY(uint64_t, pages);
    r->table = NEW_ARRAY(struct ram_table *, pages);
    r->open = NEW_ARRAY(struct ram_open, pages);
    r->prepared = NEW_ARRAY(uint64_t, (size >> (RAM_CHUNK_BITS + 6)) + 1);
    return r;
}

void ram_free(struct ram *r)
{
    if (!r)
        return;
    for (uint64_t i = 0; i < r->size >> PAGE_BITS; i++)
        free(r->table[i]);
    r->memory->free(r->memory->opaque, r->host, r->size);
    free(r->page_flags);
    free(r->page_hash);
    free(r->code_map);
    free(r->table);
    free(r->open);
    free(r->prepared);
    free(r->name);
    free(r);
}

/* ---- code marks ------------------------------------------------------------------ */

static uint64_t granules(uint64_t offset, uint64_t len)
{
    unsigned first = (offset & (PAGE_SIZE - 1)) >> RAM_GRANULE_BITS;
    unsigned last = ((offset & (PAGE_SIZE - 1)) + len - 1) >> RAM_GRANULE_BITS;
    return mask64(last - first + 1) << first;
}

bool ram_hits_code(const struct ram *r, uint64_t offset, uint64_t len)
{
    uint64_t page = offset >> PAGE_BITS;
    return r->page_flags[page] & RAM_CODE && r->code_map[page] & granules(offset, len);
}

void ram_mark_code(struct ram *r, uint64_t offset, uint64_t len)
{
    uint64_t page = offset >> PAGE_BITS;
    r->code_map[page] |= granules(offset, len);
    r->page_flags[page] |= RAM_CODE;
}

void ram_clear_code(struct ram *r, uint64_t offset)
{
    uint64_t page = offset >> PAGE_BITS;
    r->code_map[page] = 0;
    r->page_flags[page] &= (uint8_t)~RAM_CODE;
}

/* ---- writes and epochs ------------------------------------------------------------- */

/* The chunk around offset is about to be written for the first time. */
static void prepare(struct ram *r, uint64_t offset)
{
    uint64_t chunk = offset >> RAM_CHUNK_BITS, at = chunk << RAM_CHUNK_BITS, end = at + (UINT64_C(1) << RAM_CHUNK_BITS);
    r->prepared[chunk / 64] |= UINT64_C(1) << chunk % 64;
    if (r->memory->prepare)
        r->memory->prepare(r->memory->opaque, r->host + at, (end < r->size ? end : r->size) - at);
}

static bool is_prepared(const struct ram *r, uint64_t offset)
{
    uint64_t chunk = offset >> RAM_CHUNK_BITS;
    return r->prepared[chunk / 64] >> chunk % 64 & 1;
}

static void note(struct ram *r, uint64_t offset, uint64_t len, bool tables)
{
    while (len) {
        uint64_t room = PAGE_SIZE - (offset & (PAGE_SIZE - 1));
        uint64_t n = len < room ? len : room;
        if (r->watch && ram_hits_code(r, offset, n))
            r->watch->code_written(r->watch->opaque, r, offset, n);
        if (tables && r->watch && ram_hits_table(r, offset, n))
            r->watch->table_written(r->watch->opaque, r, offset, n);
        r->page_flags[offset >> PAGE_BITS] |= RAM_ALL_DIRTY;
        if (unlikely(!is_prepared(r, offset)))
            prepare(r, offset);
        offset += n;
        len -= n;
    }
}

void ram_note_write(struct ram *r, uint64_t offset, uint64_t len) { note(r, offset, len, true); }
void ram_note_walk(struct ram *r, uint64_t offset, uint64_t len) { note(r, offset, len, false); }

void ram_epoch(struct ram *r, enum ram_client client, void (*page)(void *opaque, uint64_t index), void *opaque)
{
    uint8_t bit = (uint8_t)(1u << client);
    uint64_t pages = r->size >> PAGE_BITS, i = 0;
    while (i < pages) {
        /* Eight untouched pages at a time: most of a big guest is. */
        if (i + 8 <= pages && !(load_le(r->page_flags + i, 8) & UINT64_C(0x0101010101010101) * bit)) {
            i += 8;
            continue;
        }
        if (r->page_flags[i] & bit) {
            r->page_flags[i] &= (uint8_t)~bit;
            page(opaque, i);
        }
        i++;
    }
    if (r->watch)
        r->watch->epoch_started(r->watch->opaque);
}

static bool is_zero(const uint8_t *p)
{
    return p[0] == 0 && !memcmp(p, p + 1, PAGE_SIZE - 1);
}

static void rehash_page(void *opaque, uint64_t index)
{
    struct ram *r = opaque;
    const uint8_t *p = r->host + (index << PAGE_BITS);
    uint64_t h = is_zero(p) ? 0 : XXH3_64bits_withSeed(p, PAGE_SIZE, index + 1);
    r->hash += h - r->page_hash[index];
    r->page_hash[index] = h;
}

uint64_t ram_hash(struct ram *r)
{
    ram_epoch(r, RAM_DIRTY_HASH, rehash_page, r);
    return r->hash;
}
