/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TLB: filling, flushing, and write protection of code pages.  All of it is derived state. */
#include <stdlib.h>

#include "base/alloc.h"
#include "vcpu/softmmu.h"

enum { FIRST_SIZE = 1 << 10, LINE = 64 };

/* One mmu mode's entries, and what slow paths need for the same slots. */
struct table {
    void *memory;
    struct tlb_entry *entry;
    struct slot {
        struct tlb_side side;
        uint64_t va, span;      /* of the page; size of the translation it came from */
        bool global;
    } *slot;
    unsigned size;
    bool used;                  /* anything filled in since the last full flush */
};

struct tlb {
    struct table table[MMU_MODES];
    uint64_t large_lo, large_hi;   /* [lo, hi]: virtual addresses that large pages were filled for */
    uint64_t fills, flushes;
};

static void invalidate(struct tlb_entry *e) { e->tag[0] = e->tag[1] = e->tag[2] = TLB_INVALID; }

static struct slot *slot_of(const struct vcpu *v, unsigned mode, const struct tlb_entry *e)
{
    const struct table *t = &v->tlb->table[mode];
    return &t->slot[e - t->entry];
}

static void make_table(struct vcpu *v, unsigned mode, unsigned size)
{
    struct table *t = &v->tlb->table[mode];
    t->memory = alloc_zero(size * sizeof *t->entry + LINE);
    t->entry = (struct tlb_entry *)(void *)(uintptr_t)align_down((uintptr_t)t->memory + LINE - 1, LINE);
    t->slot = NEW_ARRAY(struct slot, size);
    t->size = size;
    for (unsigned i = 0; i < size; i++)
        invalidate(&t->entry[i]);
    v->view[mode] = (struct tlb_view){ (uintptr_t)t->entry, (uint64_t)(size - 1) * sizeof *t->entry };
}

void tlb_init(struct vcpu *v)
{
    v->tlb = NEW(struct tlb);
    for (unsigned m = 0; m < MMU_MODES; m++)
        make_table(v, m, FIRST_SIZE);
    tlb_flush(v);
}

void tlb_fini(struct vcpu *v)
{
    for (unsigned m = 0; m < MMU_MODES; m++) {
        free(v->tlb->table[m].memory);
        free(v->tlb->table[m].slot);
    }
    free(v->tlb);
}

/* ---- flushing ----------------------------------------------------------------------------------- */

void tlb_flush(struct vcpu *v)
{
    struct tlb *t = v->tlb;
    for (unsigned m = 0; m < MMU_MODES; m++) {
        struct table *b = &t->table[m];
        for (unsigned i = 0; b->used && i < b->size; i++)
            invalidate(&b->entry[i]);
        b->used = false;
    }
    t->large_lo = UINT64_MAX;
    t->large_hi = 0;
    t->flushes++;
}

void tlb_flush_nonglobal(struct vcpu *v)
{
    struct tlb *t = v->tlb;
    for (unsigned m = 0; m < MMU_MODES; m++) {
        struct table *b = &t->table[m];
        for (unsigned i = 0; b->used && i < b->size; i++)
            if (!b->slot[i].global)
                invalidate(&b->entry[i]);
    }
    t->flushes++;
}

void tlb_flush_page(struct vcpu *v, uint64_t va)
{
    struct tlb *t = v->tlb;
    bool large = va >= t->large_lo && va <= t->large_hi;
    for (unsigned m = 0; m < MMU_MODES; m++) {
        struct table *b = &t->table[m];
        if (!b->used)
            continue;
        invalidate(tlb_slot(v, m, va));
        for (unsigned i = 0; large && i < b->size; i++)
            if (align_down(va ^ b->slot[i].va, b->slot[i].span) == 0)
                invalidate(&b->entry[i]);
    }
}

void tlb_protect(struct vcpu *v, const struct ram *ram, uint64_t ram_offset)
{
    v->stores_narrowed++;
    for (unsigned m = 0; m < MMU_MODES; m++) {
        struct table *b = &v->tlb->table[m];
        for (unsigned i = 0; b->used && i < b->size; i++) {
            const struct tlb_side *s = &b->slot[i].side;
            if (s->ram == ram && s->ram_offset == ram_offset && !(b->entry[i].tag[ACCESS_WRITE] & TLB_INVALID))
                b->entry[i].tag[ACCESS_WRITE] |= TLB_SLOW;
        }
    }
}

/* ---- filling ------------------------------------------------------------------------------------- */

static uint64_t tag(const struct mmu_page *p, enum access access, uint64_t page, bool slow)
{
    return p->prot & 1 << access ? page | (slow ? TLB_SLOW : 0) : TLB_INVALID;
}

/* The entry depends on these page-table entries: stores to them must be noticed. */
static void watch_tables(struct vcpu *v, const struct mmu_page *p)
{
    for (unsigned i = 0; i < p->n_entries; i++) {
        struct space_target t = space_lookup(v->mem, p->entry_at[i]);
        if (t.ram && t.ram->watch && ram_mark_table(t.ram, t.ram_offset))
            t.ram->watch->table_added(t.ram->watch->opaque, t.ram, align_down(t.ram_offset, PAGE_SIZE));
    }
}

static void fill(struct vcpu *v, uint64_t va, unsigned mode, const struct mmu_page *p)
{
    struct tlb *t = v->tlb;
    uint64_t page = align_down(va, PAGE_SIZE);
    struct tlb_entry *e = tlb_slot(v, mode, va);
    watch_tables(v, p);
    struct space_target target = space_lookup(v->mem, p->pa);
    bool ram = target.ram && target.page_uniform;
    bool open = ram && target.writable && ram_page_open(target.ram, target.ram_offset);
    struct tlb_side side = { .ram = ram ? target.ram : NULL, .ram_offset = target.ram_offset, .pa = p->pa,
                             .writable = target.writable };
    *slot_of(v, mode, e) = (struct slot){ .side = side, .va = page, .span = p->span, .global = p->global };
    e->addend = ram ? (uint64_t)(uintptr_t)(target.ram->host + target.ram_offset) - page : 0;
    e->tag[ACCESS_READ] = tag(p, ACCESS_READ, page, !ram);
    e->tag[ACCESS_WRITE] = tag(p, ACCESS_WRITE, page, !open);
    e->tag[ACCESS_EXEC] = tag(p, ACCESS_EXEC, page, !ram);
    t->table[mode].used = true;
    t->fills++;
    if (p->span > PAGE_SIZE) {
        uint64_t lo = align_down(va, p->span);
        if (lo < t->large_lo)
            t->large_lo = lo;
        if (lo + (p->span - 1) > t->large_hi)
            t->large_hi = lo + (p->span - 1);
    }
}

bool tlb_resolve(struct vcpu *v, uint64_t va, enum access access, unsigned mode, struct tlb_side *out)
{
    if ((tlb_slot(v, mode, va)->tag[access] & ~(uint64_t)TLB_SLOW) != align_down(va, PAGE_SIZE)) {
        struct mmu_page p = { 0 };
        if (!v->ops->mmu_walk(v, va, access, mode, &p))
            return false;
        fill(v, va, mode, &p);
    }
    *out = slot_of(v, mode, tlb_slot(v, mode, va))->side;
    return true;
}

bool tlb_peek(const struct vcpu *v, uint64_t va, enum access access, unsigned mode, struct tlb_side *out)
{
    const struct tlb_entry *e = tlb_slot(v, mode, va);
    if (e->tag[access] != align_down(va, PAGE_SIZE))
        return false;
    *out = slot_of(v, mode, e)->side;
    return true;
}
