/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TLB: filling, flushing, and write protection of code pages.  All of it is derived state. */
#include "vcpu/softmmu.h"

static void invalidate(struct tlb_entry *e) { e->tag[0] = e->tag[1] = e->tag[2] = TLB_INVALID; }

void tlb_flush(struct vcpu *v)
{
    struct tlb *t = v->tlb;
    for (unsigned m = 0; m < MMU_MODES; m++) {
        if (!t->used[m])
            continue;
        for (unsigned i = 0; i < TLB_SIZE; i++)
            invalidate(&t->entry[m][i]);
        t->used[m] = false;
    }
    t->large_lo = UINT64_MAX;
    t->large_hi = 0;
    t->flushes++;
}

void tlb_flush_nonglobal(struct vcpu *v)
{
    struct tlb *t = v->tlb;
    for (unsigned m = 0; m < MMU_MODES; m++)
        for (unsigned i = 0; t->used[m] && i < TLB_SIZE; i++)
            if (!t->side[m][i].global)
                invalidate(&t->entry[m][i]);
    t->flushes++;
}

void tlb_flush_page(struct vcpu *v, uint64_t va)
{
    struct tlb *t = v->tlb;
    bool large = va >= t->large_lo && va <= t->large_hi;
    for (unsigned m = 0; m < MMU_MODES; m++) {
        if (!t->used[m])
            continue;
        invalidate(tlb_slot(t, m, va));
        for (unsigned i = 0; large && i < TLB_SIZE; i++)
            if (align_down(va ^ t->side[m][i].va, t->side[m][i].span) == 0)
                invalidate(&t->entry[m][i]);
    }
}

void tlb_protect(struct vcpu *v, const struct ram *ram, uint64_t ram_offset)
{
    struct tlb *t = v->tlb;
    for (unsigned m = 0; m < MMU_MODES; m++) {
        if (!t->used[m])
            continue;
        for (unsigned i = 0; i < TLB_SIZE; i++) {
            const struct tlb_side *s = &t->side[m][i];
            if (s->ram == ram && s->ram_offset == ram_offset && !(t->entry[m][i].tag[ACCESS_WRITE] & TLB_INVALID))
                t->entry[m][i].tag[ACCESS_WRITE] |= TLB_SLOW;
        }
    }
}

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
    struct tlb_entry *e = tlb_slot(t, mode, va);
    struct tlb_side *s = &t->side[mode][e - t->entry[mode]];
    watch_tables(v, p);
    struct space_target target = space_lookup(v->mem, p->pa);
    bool ram = target.ram && target.page_uniform;
    bool open = ram && target.writable && ram_page_open(target.ram, target.ram_offset);
    *s = (struct tlb_side){ .ram = ram ? target.ram : NULL, .ram_offset = target.ram_offset, .pa = p->pa, .va = page, .span = p->span,
                            .global = p->global, .writable = target.writable };
    e->addend = ram ? (uint64_t)(uintptr_t)(target.ram->host + target.ram_offset) - page : 0;
    e->tag[ACCESS_READ] = tag(p, ACCESS_READ, page, !ram);
    e->tag[ACCESS_WRITE] = tag(p, ACCESS_WRITE, page, !open);
    e->tag[ACCESS_EXEC] = tag(p, ACCESS_EXEC, page, !ram);
    t->used[mode] = true;
    t->fills++;
    if (p->span > PAGE_SIZE) {
        uint64_t lo = align_down(va, p->span);
        if (lo < t->large_lo)
            t->large_lo = lo;
        if (lo + (p->span - 1) > t->large_hi)
            t->large_hi = lo + (p->span - 1);
    }
}

struct tlb_side *tlb_resolve(struct vcpu *v, uint64_t va, enum access access, unsigned mode)
{
    struct tlb *t = v->tlb;
    struct tlb_entry *e = tlb_slot(t, mode, va);
    if ((e->tag[access] & ~(uint64_t)TLB_SLOW) != align_down(va, PAGE_SIZE)) {
        struct mmu_page p = { 0 };
        if (!v->ops->mmu_walk(v, va, access, mode, &p))
            return NULL;
        fill(v, va, mode, &p);
    }
    return &t->side[mode][e - t->entry[mode]];
}
