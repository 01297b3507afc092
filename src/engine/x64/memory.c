/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The code memory: a ring of regions.  Blocks are written one behind the other, their main paths in a region's first
 * half and what seldom runs, the cold part, in its second: so what runs lies close together.  When a region is full,
 * the next one, the oldest, loses its blocks and is written anew.  So the cache is bounded and never emptied at once.
 *
 * Whoever writes code says where (x64_memory_writes), so that the written mapping is asked of the host a chunk at a
 * time, and no more of it is resident than some.
 */
#include <stdlib.h>

#include "engine/x64/jit.h"

enum { THUNK_BYTES = 16384, MIN_REGION = 2 * X64_MAX_CODE + 4096, DEFAULT_CODE = 72 << 20,
       CHUNK_BITS = 16, MAX_WRITTEN = 10 << (20 - CHUNK_BITS) };

static uint8_t *region_start(const struct jit *j, unsigned k) { return j->regions + k * j->region_bytes; }
static uint8_t *cold_start(const struct jit *j, unsigned k) { return region_start(j, k) + j->region_bytes / 2; }

static void enter_region(struct jit *j, unsigned k)
{
    j->current = k;
    j->next = region_start(j, k);
    j->next_cold = cold_start(j, k);
}

/* Of jit.written. */
static size_t written_words(const struct jit *j) { return (j->memory.size >> (CHUNK_BITS + 6)) + 1; }

bool x64_memory_init(struct engine *e, struct error *err)
{
    struct jit *j = jit_of(e);
    size_t bytes = e->config.cache_bytes ? e->config.cache_bytes : DEFAULT_CODE;
    if (bytes < (size_t)MIN_REGION * N_REGIONS + THUNK_BYTES)
        return error_set(err, "tb-size: a code cache of %zu MiB is too small (at least %d)", bytes >> 20,
                         (MIN_REGION * N_REGIONS >> 20) + 1);
    const struct host_code *host = e->config.code;
    if (!host || !host->alloc(host->opaque, bytes, sizeof(struct x64_data), &j->memory, err))
        return host ? false : error_set(err, "no memory for code");
    j->data = j->memory.data;
    j->recent = &j->data->recent;
    j->jump = j->data->jump;
    j->exec_delta = (ptrdiff_t)((uintptr_t)j->memory.exec - (uintptr_t)j->memory.write);
    j->regions = j->memory.write + THUNK_BYTES;
    j->region_bytes = (bytes - THUNK_BYTES) / N_REGIONS / 4096 * 4096;
    enter_region(j, 0);
    j->written = NEW_ARRAY(uint64_t, written_words(j));
    return true;
}

static void touch(struct engine *e, size_t chunk)
{
    struct jit *j = jit_of(e);
    const struct host_code *host = e->config.code;
    uint64_t *word = &j->written[chunk / 64], bit = UINT64_C(1) << chunk % 64;
    if (likely(*word & bit))
        return;
    if (j->n_written == MAX_WRITTEN) {
        if (host->written)
            host->written(host->opaque, &j->memory);
        memset(j->written, 0, written_words(j) * sizeof *j->written);
        j->n_written = 0;
    }
    *word |= bit;
    j->n_written++;
    if (host->prepare) {
        size_t begin = chunk << CHUNK_BITS, room = j->memory.size - begin, bytes = (size_t)1 << CHUNK_BITS;
        host->prepare(host->opaque, j->memory.write + begin, bytes < room ? bytes : room);
    }
}

void x64_memory_writes(struct engine *e, const uint8_t *p, size_t size)
{
    size_t offset = (size_t)(p - jit_of(e)->memory.write);
    touch(e, offset >> CHUNK_BITS);
    touch(e, (offset + size - 1) >> CHUNK_BITS);
}

void x64_memory_fini(struct engine *e)
{
    struct jit *j = jit_of(e);
    for (unsigned k = 0; k < N_REGIONS; k++)
        free(j->region[k].place);
    free(j->written);
    if (j->memory.write)
        e->config.code->free(e->config.code->opaque, &j->memory);
}

static struct x64_region *region_of(struct jit *j, const uint8_t *p)
{
    return &j->region[(size_t)(p - j->regions) / j->region_bytes];
}

static void evict_region(struct engine *e, struct x64_region *r)
{
    for (uint32_t k = 0; k < r->n; k++) {
        struct block *b = r->place[k].block;
        if (b && !b->dead && b->ram)              /* what is not cached is not run again */
            cache_kill(e, b);
    }
    jit_of(e)->evictions += r->n;
    r->n = 0;
    r->code_bytes = 0;
}

void x64_memory_room(struct engine *e)
{
    struct jit *j = jit_of(e);
    if (j->next + X64_MAX_CODE > cold_start(j, j->current) ||
        j->next_cold + X64_MAX_CODE > region_start(j, j->current) + j->region_bytes) {
        enter_region(j, (j->current + 1) % N_REGIONS);
        evict_region(e, &j->region[j->current]);
    }
    x64_memory_writes(e, j->next, X64_MAX_CODE);
    x64_memory_writes(e, j->next_cold, X64_MAX_CODE);
}

void x64_memory_take(struct engine *e, struct block *b)
{
    struct jit *j = jit_of(e);
    struct x64_code *code = b->code;
    struct x64_region *r = &j->region[j->current];
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 1024;
        r->place = alloc_resize(r->place, r->cap, sizeof *r->place);
    }
    r->place[r->n++] = (struct x64_place){ code->start, code->cold, b };
    j->next += align_up(code->size, CODE_ALIGN);
    j->next_cold += code->cold_size;
    r->code_bytes += code->size + code->cold_size;
    j->modified = true;
}

/* The last block whose main path, or cold part, begins at or before p. */
static struct x64_place *find(struct jit *j, const uint8_t *p)
{
    struct x64_region *r = region_of(j, p);
    bool cold = p >= cold_start(j, (unsigned)(r - j->region));
    uint32_t lo = 0, hi = r->n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if ((cold ? r->place[mid].cold : r->place[mid].start) <= p)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? &r->place[lo - 1] : NULL;
}

void x64_memory_forget(struct engine *e, struct block *b)
{
    struct x64_place *p = find(jit_of(e), ((struct x64_code *)b->code)->start);
    if (p && p->block == b)
        p->block = NULL;
}

static const uint8_t *as_written(const struct jit *j, uint64_t ret)
{
    return (const uint8_t *)(uintptr_t)(ret - (uint64_t)j->exec_delta);
}

struct block *x64_find_block(struct engine *e, uint64_t ret)
{
    struct jit *j = jit_of(e);
    struct x64_place *p = find(j, as_written(j, ret) - 1);
    require(p && p->block);
    return p->block;
}

const struct x64_site *x64_find_site(const struct engine *e, const struct block *b, uint64_t ret)
{
    const struct x64_code *code = b->code;
    uint32_t offset = (uint32_t)(as_written(jit_of(e), ret) - code->start), lo = 0, hi = code->n_sites;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (code->site[mid].ret < offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    require(lo < code->n_sites && code->site[lo].ret == offset);
    return &code->site[lo];
}
