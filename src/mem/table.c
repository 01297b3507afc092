/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mem/table.h"

#include "base/alloc.h"

static unsigned unit_of(uint64_t offset) { return (unsigned)(offset & (PAGE_SIZE - 1)) >> TABLE_UNIT_BITS; }

bool ram_hits_table(const struct ram *r, uint64_t offset, uint64_t len)
{
    uint64_t page = offset >> PAGE_BITS;
    if (!(r->page_flags[page] & RAM_TABLE))
        return false;
    for (unsigned i = unit_of(offset), last = unit_of(offset + len - 1); i <= last; i++)
        if (table_unit_marked(r->table[page], i))
            return true;
    return false;
}

static bool same_use(const struct table_use *a, const struct table_use *b)
{
    return a->base == b->base && a->shift == b->shift && a->entry_bits == b->entry_bits;
}

static void note_use(struct ram_table *t, const struct table_use *use)
{
    for (unsigned i = 0; i < t->n_uses && i < TABLE_USES; i++)
        if (same_use(&t->use[i], use))
            return;
    if (t->n_uses < TABLE_USES)
        t->use[t->n_uses] = *use;
    if (t->n_uses <= TABLE_USES)
        t->n_uses++;
}

bool ram_mark_table(struct ram *r, uint64_t offset, const struct table_use *use, uint64_t users, bool exec)
{
    uint64_t page = offset >> PAGE_BITS;
    unsigned unit = unit_of(offset);
    uint64_t bit = UINT64_C(1) << unit % 64;
    if (!r->table[page])
        r->table[page] = NEW(struct ram_table);
    struct ram_table *t = r->table[page];
    bool fresh = t->n_units == 0;
    t->users |= users;
    note_use(t, use);
    if (exec)
        t->exec[unit / 64] |= bit;
    if (!(t->unit[unit / 64] & bit)) {
        t->unit[unit / 64] |= bit;
        t->n_units++;
    }
    r->page_flags[page] |= RAM_TABLE;
    return fresh;
}

void ram_clear_unit(struct ram *r, uint64_t offset, unsigned unit)
{
    struct ram_table *t = r->table[offset >> PAGE_BITS];
    t->unit[unit / 64] &= ~(UINT64_C(1) << unit % 64);
    t->exec[unit / 64] &= ~(UINT64_C(1) << unit % 64);
    if (--t->n_units)
        return;
    t->users = 0;
    t->n_uses = 0;
    r->page_flags[offset >> PAGE_BITS] &= (uint8_t)~RAM_TABLE;
}
