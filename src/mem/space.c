/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map is kept as a list of mappings in creation order and flattened into
 * sorted, disjoint ranges whenever it changes (at boot, PAM and BAR writes);
 * lookups are a binary search behind a small memory of what answered before.
 */
#include "mem/space.h"

#include <stdlib.h>

#include "base/alloc.h"

struct space_map {
    struct space *space;
    struct space_map *next;
    char *name;
    uint64_t base, size;
    int priority;
    bool enabled, writable;
    struct ram *ram;
    uint64_t ram_offset;
    const struct io_ops *ops;
    void *opaque;
};

/* [base, end] belongs to map. */
struct flat_range {
    uint64_t base, end;
    struct space_map *map;
};

struct listener {
    void (*changed)(void *opaque);
    void *opaque;
    struct listener *next;
};

enum { HITS = 64 };

struct space {
    char *name;
    uint64_t size;
    const struct sink *sink;
    struct space_map *maps, **last;
    struct flat_range *flat;
    size_t n_flat;
    const struct flat_range *hit[HITS];   /* by page number modulo HITS; verified when used */
    struct listener *listeners;
    unsigned reports;
};

enum { MAX_REPORTS = 100 };

struct space *space_new(const char *name, uint64_t size, const struct sink *sink)
{
    struct space *s = NEW(struct space);
    *s = (struct space){ .name = alloc_string(name), .size = size, .sink = sink };
    s->last = &s->maps;
    return s;
}

void space_free(struct space *s)
{
    while (s->maps) {
        struct space_map *m = s->maps;
        s->maps = m->next;
        free(m->name);
        free(m);
    }
    while (s->listeners) {
        struct listener *l = s->listeners;
        s->listeners = l->next;
        free(l);
    }
    free(s->flat);
    free(s->name);
    free(s);
}

void space_listen(struct space *s, void (*changed)(void *opaque), void *opaque)
{
    struct listener *l = NEW(struct listener);
    *l = (struct listener){ changed, opaque, s->listeners };
    s->listeners = l;
}

/* ---- flattening --------------------------------------------------------------------- */

/* The mapping that answers at addr, and how far (inclusive) that answer holds. */
static struct space_map *winner(const struct space *s, uint64_t addr, uint64_t *end)
{
    struct space_map *best = NULL;
    *end = s->size - 1;
    for (struct space_map *m = s->maps; m; m = m->next) {
        if (!m->enabled || !m->size)
            continue;
        uint64_t last = m->base + m->size - 1;
        if (m->base > addr) {
            if (m->base - 1 < *end)
                *end = m->base - 1;
        } else if (last >= addr) {
            if (last < *end)
                *end = last;
            if (!best || m->priority >= best->priority)
                best = m;
        }
    }
    return best;
}

static void flatten(struct space *s)
{
    size_t cap = 0;
    s->n_flat = 0;
    memset(s->hit, 0, sizeof s->hit);
    free(s->flat);
    s->flat = NULL;
    for (uint64_t at = 0; at < s->size;) {
        uint64_t end;
        struct space_map *m = winner(s, at, &end);
        if (m) {
            struct flat_range *prev = s->n_flat ? &s->flat[s->n_flat - 1] : NULL;
            if (prev && prev->map == m && prev->end == at - 1) {
                prev->end = end;
            } else {
                if (s->n_flat == cap) {
                    cap = cap ? cap * 2 : 16;
                    s->flat = alloc_resize(s->flat, cap, sizeof *s->flat);
                }
                s->flat[s->n_flat++] = (struct flat_range){ at, end, m };
            }
        }
        if (end == UINT64_MAX)
            break;
        at = end + 1;
    }
    for (struct listener *l = s->listeners; l; l = l->next)
        l->changed(l->opaque);
}

static const struct flat_range *find(struct space *s, uint64_t addr)
{
    const struct flat_range **hit = &s->hit[addr >> PAGE_BITS & (HITS - 1)];
    if (likely(*hit && addr >= (*hit)->base && addr <= (*hit)->end))
        return *hit;
    size_t lo = 0, hi = s->n_flat;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s->flat[mid].end < addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == s->n_flat || s->flat[lo].base > addr)
        return NULL;
    return *hit = &s->flat[lo];
}

static struct space_map *add_map(struct space *s, const char *name, uint64_t base, uint64_t size, int priority)
{
    struct space_map *m = NEW(struct space_map);
    require(size && base < s->size && size <= s->size - base);
    *m = (struct space_map){ .space = s, .name = alloc_string(name), .base = base, .size = size,
                             .priority = priority, .enabled = true };
    *s->last = m;
    s->last = &m->next;
    return m;
}

struct space_map *space_map_ram(struct space *s, const char *name, uint64_t base, uint64_t size, int priority,
                                struct ram *ram, uint64_t ram_offset, bool writable)
{
    require(!(base % PAGE_SIZE) && !(size % PAGE_SIZE) && !(ram_offset % PAGE_SIZE) && ram_offset + size <= ram->size);
    struct space_map *m = add_map(s, name, base, size, priority);
    m->ram = ram;
    m->ram_offset = ram_offset;
    m->writable = writable;
    flatten(s);
    return m;
}

struct space_map *space_map_io(struct space *s, const char *name, uint64_t base, uint64_t size, int priority,
                               const struct io_ops *ops, void *opaque)
{
    struct space_map *m = add_map(s, name, base, size, priority);
    m->ops = ops;
    m->opaque = opaque;
    flatten(s);
    return m;
}

void space_map_move(struct space_map *m, uint64_t base)
{
    if (m->base == base)
        return;
    m->base = base;
    if (m->enabled)
        flatten(m->space);
}

void space_map_enable(struct space_map *m, bool enabled)
{
    if (m->enabled == enabled)
        return;
    m->enabled = enabled;
    flatten(m->space);
}

void space_map_writable(struct space_map *m, bool writable)
{
    if (m->writable == writable)
        return;
    m->writable = writable;
    if (m->enabled)
        flatten(m->space);
}

struct space_target space_lookup(const struct space *cs, uint64_t addr)
{
    struct space *s = (struct space *)cs;    /* only its memory of hits changes */
    struct space_target t = { 0 };
    const struct flat_range *r = addr < s->size ? find(s, addr) : NULL;
    if (!r || !r->map->ram)
        return t;
    uint64_t page = align_down(addr, PAGE_SIZE);
    t.ram = r->map->ram;
    t.ram_offset = r->map->ram_offset + (addr - r->map->base);
    t.writable = r->map->writable;
    t.page_uniform = r->base <= page && r->end >= page + PAGE_SIZE - 1;
    return t;
}

/* ---- access ------------------------------------------------------------------------------ */

static void report(struct space *s, const char *what, uint64_t addr, unsigned size)
{
    if (s->reports++ < MAX_REPORTS)
        sink_printf(s->sink, SINK_GUEST, "%s: %s of %u bytes at unassigned address 0x%llx", s->name, what, size,
                    (unsigned long long)addr);
}

static unsigned max_size(const struct io_ops *ops) { return ops->max_size ? ops->max_size : 4; }
static unsigned min_size(const struct io_ops *ops) { return ops->min_size ? ops->min_size : 1; }

static uint64_t io_load(const struct space_map *m, uint64_t addr, unsigned size)
{
    unsigned max = max_size(m->ops), min = min_size(m->ops);
    uint64_t at = addr - m->base;
    if (size < min && (at & (min - 1)) + size > min) {      /* across two registers: byte by byte */
        uint64_t v = 0;
        for (unsigned i = 0; i < size; i++)
            v |= io_load(m, addr + i, 1) << 8 * i;
        return v;
    }
    if (size < min) {
        uint64_t whole = m->ops->read(m->opaque, align_down(at, min), min);
        return whole >> 8 * (at & (min - 1)) & mask64(8 * size);
    }
    if (size <= max)
        return m->ops->read(m->opaque, at, size) & mask64(8 * size);
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i += max)
        v |= (m->ops->read(m->opaque, at + i, max) & mask64(8 * max)) << 8 * i;
    return v;
}

static void io_store(const struct space_map *m, uint64_t addr, unsigned size, uint64_t v)
{
    unsigned max = max_size(m->ops), min = min_size(m->ops);
    uint64_t at = addr - m->base;
    if (size < min && (at & (min - 1)) + size > min) {
        for (unsigned i = 0; i < size; i++)
            io_store(m, addr + i, 1, v >> 8 * i & 0xff);
        return;
    }
    if (size < min) {
        unsigned shift = 8 * (at & (min - 1));
        uint64_t whole = m->ops->read(m->opaque, align_down(at, min), min);
        m->ops->write(m->opaque, align_down(at, min), min, bits_set(whole, shift, 8 * size, v));
        return;
    }
    if (size <= max) {
        m->ops->write(m->opaque, at, size, v & mask64(8 * size));
        return;
    }
    for (unsigned i = 0; i < size; i += max)
        m->ops->write(m->opaque, at + i, max, v >> 8 * i & mask64(8 * max));
}

static uint8_t *ram_at(const struct space_map *m, uint64_t addr)
{
    return m->ram->host + m->ram_offset + (addr - m->base);
}

uint64_t space_load(struct space *s, uint64_t addr, unsigned size)
{
    const struct flat_range *r = addr < s->size ? find(s, addr) : NULL;
    if (!r) {
        report(s, "read", addr, size);
        return mask64(8 * size);
    }
    if (r->end - addr < size - 1) {          /* crosses into another range: byte by byte */
        uint64_t v = 0;
        for (unsigned i = 0; i < size; i++)
            v |= space_load(s, addr + i, 1) << 8 * i;
        return v;
    }
    return r->map->ram ? load_le(ram_at(r->map, addr), size) : io_load(r->map, addr, size);
}

void space_store(struct space *s, uint64_t addr, unsigned size, uint64_t value)
{
    const struct flat_range *r = addr < s->size ? find(s, addr) : NULL;
    if (!r) {
        report(s, "write", addr, size);
        return;
    }
    if (r->end - addr < size - 1) {
        for (unsigned i = 0; i < size; i++)
            space_store(s, addr + i, 1, value >> 8 * i & 0xff);
        return;
    }
    if (!r->map->ram) {
        io_store(r->map, addr, size, value);
    } else if (r->map->writable) {
        ram_note_write(r->map->ram, r->map->ram_offset + (addr - r->map->base), size);
        store_le(ram_at(r->map, addr), size, value);
    }
}

void space_set_bits(struct space *s, uint64_t addr, unsigned size, uint64_t bits)
{
    const struct flat_range *r = addr < s->size ? find(s, addr) : NULL;
    if (!r || !r->map->ram || !r->map->writable || r->end - addr < size - 1)
        return;
    uint8_t *p = ram_at(r->map, addr);
    ram_note_walk(r->map->ram, r->map->ram_offset + (addr - r->map->base), size);
    store_le(p, size, load_le(p, size) | bits);
}

/* The piece of [addr, addr+len) that one RAM mapping answers, or a device access of 1, 2, 4 or 8 bytes. */
static size_t piece(struct space *s, uint64_t addr, size_t len, struct space_map **m)
{
    const struct flat_range *r = addr < s->size ? find(s, addr) : NULL;
    *m = r && r->map->ram ? r->map : NULL;
    if (*m) {
        uint64_t room = r->end - addr + 1;
        return room && room < len ? (size_t)room : len;
    }
    unsigned size = 8;
    while (size > len || addr & (size - 1) || (r && size > max_size(r->map->ops)))
        size /= 2;
    return size;
}

void space_read(struct space *s, uint64_t addr, void *out, size_t len)
{
    unsigned char *p = out;
    while (len) {
        struct space_map *m;
        size_t n = piece(s, addr, len, &m);
        if (m)
            memcpy(p, ram_at(m, addr), n);
        else
            store_le(p, (unsigned)n, space_load(s, addr, (unsigned)n));
        addr += n;
        p += n;
        len -= n;
    }
}

void space_write(struct space *s, uint64_t addr, const void *data, size_t len)
{
    const unsigned char *p = data;
    while (len) {
        struct space_map *m;
        size_t n = piece(s, addr, len, &m);
        if (!m) {
            space_store(s, addr, (unsigned)n, load_le(p, (unsigned)n));
        } else if (m->writable) {
            ram_note_write(m->ram, m->ram_offset + (addr - m->base), n);
            memcpy(ram_at(m, addr), p, n);
        }
        addr += n;
        p += n;
        len -= n;
    }
}
