/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TLB: contexts, resolving, filling.  All of it is derived state. */
#include <stdlib.h>

#include "base/alloc.h"
#include "vcpu/tlb_impl.h"

/* ---- life, contexts ---------------------------------------------------------------------------- */

void tlb_init(struct vcpu *v)
{
    struct tlb *t = v->tlb = NEW(struct tlb);
    t->none_memory = alloc_zero(sizeof *t->none + HOST_LINE);
    t->none = (struct tlb_entry *)align_down((uintptr_t)t->none_memory + HOST_LINE - 1, HOST_LINE);
    tlb_invalidate(t->none);
    t->now = &t->set[0];
    t->now->live = true;
    tlb_set_empty(v, t->now);
}

void tlb_fini(struct vcpu *v)
{
    for (unsigned i = 0; i < TLB_SETS; i++)
        tlb_set_free(v, &v->tlb->set[i]);
    free(v->tlb->none_memory);
    free(v->tlb);
}

void tlb_flush(struct vcpu *v)
{
    struct tlb *t = v->tlb;
    tlb_drop_recent(v);
    for (unsigned i = 0; i < TLB_SETS; i++)
        t->set[i].live = false;
    t->now->live = true;
    tlb_set_empty(v, t->now);
}

static bool same_context(const struct tlb_context *a, const struct tlb_context *b)
{
    return !memcmp(a, b, sizeof *a);
}

void tlb_select(struct vcpu *v, const struct tlb_context *context)
{
    struct tlb *t = v->tlb;
    struct tlb_set *s = NULL, *oldest = &t->set[0];
    if (same_context(&t->now->context, context))
        return;
    tlb_drop_recent(v);
    t->now->last_selected = ++t->clock;
    for (unsigned i = 0; i < TLB_SETS; i++) {
        struct tlb_set *at = &t->set[i];
        if (at->live && same_context(&at->context, context))
            s = at;
        if (oldest->live && (!at->live || at->last_selected < oldest->last_selected))
            oldest = at;
    }
    if (s) {
        t->now = s;
    } else {
        t->now = oldest;
        oldest->live = true;
        oldest->context = *context;
        tlb_set_empty(v, oldest);
        t->stats.contexts++;
    }
    tlb_show(v);
}

void tlb_get_stats(const struct vcpu *v, struct tlb_stats *out)
{
    *out = v->tlb->stats;
    out->entries = v->tlb->entries;
}

/* ---- for page walks --------------------------------------------------------------------------- */

uint64_t mmu_read_entry(struct vcpu *v, uint64_t at, unsigned size, uint64_t va, unsigned shift, unsigned index_bits,
                        struct mmu_entry *out)
{
    struct space_target t = space_lookup(v->mem, at);
    out->ram = t.ram && t.ram->watch ? t.ram : NULL;
    out->offset = t.ram_offset;
    out->use = (struct table_use){ .base = va & ~mask64(shift + index_bits), .shift = (uint8_t)shift,
                                   .entry_bits = size == 8 ? 3 : 2 };
    return out->ram ? load_le(t.ram->host + t.ram_offset, size) : space_load(v->mem, at, size);
}

const struct mmu_region *mmu_region(const struct vcpu *v, uint64_t va)
{
    const struct tlb_region *r = tlb_region_slot(v->tlb->now, va);
    return r->tag == va >> MMU_REGION_BITS ? &r->region : NULL;
}

/* ---- filling ------------------------------------------------------------------------------------- */

/* Stores to the entries that the page comes from must be noticed.  False: they cannot all be. */
static bool watch_entries(struct vcpu *v, const struct mmu_page *p, bool exec)
{
    uint64_t user = tlb_user_bit(v, v->tlb->now);
    for (unsigned i = 0; i < p->n_entries; i++)
        if (!p->entry[i].ram)
            return false;
    for (unsigned i = 0; i < p->n_entries; i++) {
        const struct mmu_entry *e = &p->entry[i];
        if (ram_mark_table(e->ram, e->offset, &e->use, user, exec))
            e->ram->watch->table_added(e->ram->watch->opaque, e->ram, align_down(e->offset, PAGE_SIZE));
    }
    return true;
}

static uint64_t tag(uint8_t prot, enum access access, uint64_t page, bool slow)
{
    return prot & 1 << access ? page | (slow ? TLB_SLOW : 0) : TLB_INVALID;
}

/* The entry at page lets stores through from now on. */
static void note_open(struct vcpu *v, uint64_t page, const struct tlb_side *side)
{
    struct ram_open *o = &side->ram->open[side->ram_offset >> PAGE_BITS];
    o->by_page |= UINT64_C(1) << (page >> PAGE_BITS & 63);
    o->by_user |= tlb_user_bit(v, v->tlb->now);
}

static void keep_victim(struct tlb_set *s, unsigned mode, uint64_t page, const struct tlb_entry *e,
                        const struct tlb_side *side)
{
    s->victim[s->next_victim++ % TLB_VICTIMS] = (struct tlb_victim){ page | mode, *e, *side };
}

/* The slot that page is to take; what was there becomes a victim. */
static struct tlb_entry *make_room(struct vcpu *v, uint64_t page, unsigned mode)
{
    struct tlb_table *t = tlb_table_ready(v, mode);
    uint64_t old = tlb_entry_page(tlb_slot(v, mode, page));
    bool conflict = old != UINT64_MAX && old != page;
    tlb_table_count(v, mode, conflict);              /* may move the table */
    struct tlb_entry *e = tlb_slot(v, mode, page);
    old = tlb_entry_page(e);
    if (old != UINT64_MAX && old != page)
        keep_victim(v->tlb->now, mode, old, e, &t->side[e - t->entry]);
    return e;
}

static bool allows(const struct tlb_entry *e, enum access access, uint64_t page)
{
    return (e->tag[access] & ~(uint64_t)TLB_SLOW) == page;
}

static void fill(struct vcpu *v, uint64_t page, enum access access, unsigned mode, const struct mmu_page *p,
                 struct tlb_side *side)
{
    struct space_target target = space_lookup(v->mem, p->pa);
    bool ram = target.ram && target.page_uniform;
    *side = (struct tlb_side){ .ram = ram ? target.ram : NULL, .ram_offset = target.ram_offset, .pa = p->pa,
                               .writable = target.writable };
    if (!watch_entries(v, p, access == ACCESS_EXEC))
        return;
    bool open = ram && target.writable && ram_page_open(target.ram, target.ram_offset);
    struct tlb_entry *e = make_room(v, page, mode);
    bool fetched = access == ACCESS_EXEC || allows(e, ACCESS_EXEC, page);
    struct tlb_table *t = &v->tlb->now->table[mode];
    t->side[e - t->entry] = *side;
    e->addend = ram ? (uint64_t)(uintptr_t)(target.ram->host + target.ram_offset) - page : 0;
    e->tag[ACCESS_READ] = tag(p->prot, ACCESS_READ, page, !ram);
    e->tag[ACCESS_WRITE] = tag(p->prot, ACCESS_WRITE, page, !open);
    e->tag[ACCESS_EXEC] = fetched ? tag(p->prot, ACCESS_EXEC, page, !ram) : TLB_INVALID;
    if (open && p->prot & 1 << ACCESS_WRITE)
        note_open(v, page, side);
    if (p->has_region)
        *tlb_region_slot(v->tlb->now, page) = (struct tlb_region){ page >> MMU_REGION_BITS, p->region };
    v->tlb->stats.fills++;
}

/* Exchanges the slot's entry with the victim for page, if there is one that allows the access. */
static bool recall(struct vcpu *v, uint64_t page, enum access access, unsigned mode)
{
    struct tlb_set *s = v->tlb->now;
    for (unsigned i = 0; i < TLB_VICTIMS; i++) {
        struct tlb_victim *old = &s->victim[i];
        if (old->key != (page | mode) || !allows(&old->entry, access, page))
            continue;
        struct tlb_victim back = *old;
        old->key = UINT64_MAX;
        struct tlb_entry *e = make_room(v, page, mode);
        struct tlb_table *t = &s->table[mode];
        *e = back.entry;
        t->side[e - t->entry] = back.side;
        v->tlb->stats.victim_hits++;
        return true;
    }
    return false;
}

bool tlb_resolve(struct vcpu *v, uint64_t va, enum access access, unsigned mode, struct tlb_side *out)
{
    uint64_t page = align_down(va, PAGE_SIZE);
    if (unlikely(!allows(tlb_slot(v, mode, va), access, page)) && !recall(v, page, access, mode)) {
        struct mmu_page p;
        p.n_entries = 0;
        p.has_region = false;
        v->tlb->stats.walks++;
        if (!v->ops->mmu_walk(v, va, access, mode, &p))
            return false;
        fill(v, page, access, mode, &p, out);
        return true;
    }
    const struct tlb_table *t = &v->tlb->now->table[mode];
    *out = t->side[tlb_slot(v, mode, va) - t->entry];
    return true;
}

bool tlb_peek(const struct vcpu *v, uint64_t va, enum access access, unsigned mode, struct tlb_side *out)
{
    const struct tlb_entry *e = tlb_slot(v, mode, va);
    const struct tlb_table *t = &v->tlb->now->table[mode];
    if (e->tag[access] != align_down(va, PAGE_SIZE))
        return false;
    *out = t->side[e - t->entry];
    return true;
}

void tlb_open_page(struct vcpu *v, uint64_t va, unsigned mode, const struct tlb_side *side)
{
    struct tlb_entry *e = tlb_slot(v, mode, va);
    uint64_t page = align_down(va, PAGE_SIZE);
    if (e->tag[ACCESS_WRITE] != (page | TLB_SLOW) || !ram_page_open(side->ram, side->ram_offset))
        return;
    e->tag[ACCESS_WRITE] = page;
    note_open(v, page, side);
}
