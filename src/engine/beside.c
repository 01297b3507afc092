/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blocks of one place, one beside the other: the whole one, the plain one where the whole follows jumps, and the
 * metered one.  Where what is left of a budget is too short for one of them, it gives way to the next, and translated
 * code goes there itself: each budget ends so.
 *
 * Invariant: blocks beside each other are alive, have the same key and place, and are one of each sort.
 */
#include "engine/impl.h"

static struct block *of_sort(struct block *b, uint32_t limit)
{
    struct block *x = b;
    do {
        if (x->limit == limit)
            return x;
        x = x->beside;
    } while (x != b);
    return NULL;
}

struct block *beside_whole(struct block *b) { return of_sort(b, 0); }

unsigned beside_insns(struct block *whole)
{
    const struct block *plain = of_sort(whole, PLAIN);
    return plain ? plain->n_insns : whole->n_insns;
}

static void settle(struct engine *e, struct block *b)
{
    struct block *plain = of_sort(b, PLAIN), *metered = of_sort(b, METERED), *x = b;
    do {
        struct block *shorter = x->limit == 0 && x->follows ? plain : metered;
        if (x != metered)
            e->kind->gives_way(e, x, e->config.trace.unchained ? NULL : shorter);
        x = x->beside;
    } while (x != b);
}

struct block *beside_join(struct engine *e, struct block *whole, struct block *b)
{
    bool may = b && e->kind->gives_way && !whole->dead && !whole->limit && whole->ram && b->ram;
    if (!may || of_sort(whole, b->limit))
        return b;
    struct block *rest = b->beside;                /* the ring that b was in goes between */
    b->beside = whole->beside;
    whole->beside = rest;
    settle(e, whole);
    return b;
}

void beside_leave(struct engine *e, struct block *b)
{
    if (b->beside == b)
        return;
    struct block *before = b;
    while (before->beside != b)
        before = before->beside;
    before->beside = b->beside;
    b->beside = b;
    if (!e->ending)
        settle(e, before);
}
