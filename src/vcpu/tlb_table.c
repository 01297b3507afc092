/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TLB's tables and their sizes.  A table doubles when most of what is filled
 * in throws something else out; it starts its next life at half the size when
 * it saw little use.  When all tables together reach their limit, the set that was
 * left longest ago goes.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "vcpu/tlb_impl.h"

static void *align_line(void *p) { return (void *)(((uintptr_t)p + HOST_LINE - 1) & ~(uintptr_t)(HOST_LINE - 1)); }

static void clear_entries(struct tlb_table *t)
{
    for (unsigned i = 0; i < 1u << t->bits; i++)
        tlb_invalidate(&t->entry[i]);
}

static void make(struct vcpu *v, struct tlb_table *t, unsigned bits)
{
    size_t n = (size_t)1 << bits;
    v->tlb->entries += (unsigned)n;
    *t = (struct tlb_table){ .bits = bits };
    t->memory = alloc_array(1, n * (sizeof *t->entry + sizeof *t->side) + HOST_LINE);
    t->entry = align_line(t->memory);
    t->side = (struct tlb_side *)(void *)(t->entry + n);
    clear_entries(t);
}

static void discard(struct vcpu *v, struct tlb_table *t)
{
    if (t->memory)
        v->tlb->entries -= 1u << t->bits;
    free(t->memory);
    t->memory = NULL;
}

void tlb_show(struct vcpu *v)
{
    for (unsigned m = 0; m < MMU_MODES; m++) {
        const struct tlb_table *t = &v->tlb->now->table[m];
        uint64_t bytes = UINT64_C(1) << t->bits << TLB_ENTRY_BITS;
        v->view[m] = t->memory ? (struct tlb_view){ (uintptr_t)t->entry, bytes - sizeof *t->entry }
                               : (struct tlb_view){ (uintptr_t)v->tlb->none, 0 };
    }
}

struct tlb_table *tlb_table_ready(struct vcpu *v, unsigned mode)
{
    struct tlb_table *t = &v->tlb->now->table[mode];
    if (unlikely(!t->memory)) {
        make(v, t, TLB_MIN_BITS);
        tlb_show(v);
    }
    return t;
}

void tlb_table_resize(struct vcpu *v, struct tlb_set *s, unsigned mode, unsigned bits)
{
    struct tlb_table old = s->table[mode], *t = &s->table[mode];
    make(v, t, bits);
    for (unsigned i = 0; i < 1u << old.bits; i++) {
        uint64_t page = tlb_entry_page(&old.entry[i]);
        if (page == UINT64_MAX)
            continue;
        size_t to = page >> PAGE_BITS & ((UINT64_C(1) << bits) - 1);
        t->entry[to] = old.entry[i];
        t->side[to] = old.side[i];
    }
    t->life = old.life;
    discard(v, &old);
    v->tlb->stats.resizes++;
    if (s == v->tlb->now)
        tlb_show(v);
}

static bool has_memory(const struct tlb_set *s)
{
    for (unsigned m = 0; m < MMU_MODES; m++)
        if (s->table[m].memory)
            return true;
    return false;
}

/* Room for n more entries, at other sets' expense. */
static bool find_room(struct vcpu *v, unsigned n)
{
    struct tlb *t = v->tlb;
    while (t->entries + n > TLB_MAX_ENTRIES) {
        struct tlb_set *oldest = NULL;
        for (unsigned i = 0; i < TLB_SETS; i++)
            if (&t->set[i] != t->now && has_memory(&t->set[i]) &&
                (!oldest || t->set[i].last_selected < oldest->last_selected))
                oldest = &t->set[i];
        if (!oldest)
            return false;
        tlb_set_free(v, oldest);
    }
    return true;
}

void tlb_table_count(struct vcpu *v, unsigned mode, bool conflict)
{
    struct tlb_table *t = &v->tlb->now->table[mode];
    t->life++;
    t->conflicts += conflict;
    if (++t->fills < 1u << t->bits)
        return;
    if (t->conflicts * 2 > t->fills && t->bits < TLB_MAX_BITS && find_room(v, 1u << t->bits))
        tlb_table_resize(v, v->tlb->now, mode, t->bits + 1);
    t->fills = t->conflicts = 0;
}

void tlb_set_empty(struct vcpu *v, struct tlb_set *s)
{
    for (unsigned m = 0; m < MMU_MODES; m++) {
        struct tlb_table *t = &s->table[m];
        if (!t->memory || !t->life)
            continue;
        if (t->life < 1u << t->bits >> 2 && t->bits > TLB_MIN_BITS) {
            unsigned bits = t->bits - 1;
            discard(v, t);
            make(v, t, bits);
        } else {
            clear_entries(t);
            t->fills = t->conflicts = 0;
            t->life = 0;
        }
    }
    for (unsigned i = 0; i < TLB_VICTIMS; i++)
        s->victim[i].key = UINT64_MAX;
    for (unsigned i = 0; i < TLB_REGIONS; i++)
        s->region[i].tag = UINT64_MAX;
    v->tlb->stats.flushes++;
    if (s == v->tlb->now)
        tlb_show(v);
}

void tlb_set_free(struct vcpu *v, struct tlb_set *s)
{
    for (unsigned m = 0; m < MMU_MODES; m++)
        discard(v, &s->table[m]);
    s->live = false;
}
