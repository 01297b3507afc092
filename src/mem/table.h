/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page-table marks: which entries in a page of RAM translations were made
 * from, and which virtual addresses these entries map, so that a store to one
 * takes back exactly what depends on it.
 *
 * Invariants
 *  1. Whatever a TLB holds depends only on entries that are marked, by a user
 *     bit of that TLB (one for each set of tables, possibly shared).
 *  2. A page has the flag RAM_TABLE while at least one of its units is marked.
 *  3. Marks may outlive what depended on them; that costs time, never truth.
 */
#ifndef REPRISE_MEM_TABLE_H
#define REPRISE_MEM_TABLE_H

#include "mem/ram.h"

/* One way in which a page serves as a page table. */
struct table_use {
    uint64_t base;         /* virtual address that its first entry maps */
    uint8_t shift;         /* log2 of the bytes that an entry maps */
    uint8_t entry_bits;    /* log2 of the bytes of an entry: 2 or 3 */
};

enum {
    TABLE_UNIT_BITS = 3,   /* marks are by 8 bytes */
    TABLE_UNITS = PAGE_SIZE >> TABLE_UNIT_BITS,
    TABLE_USES = 4,        /* tables that map themselves have two or three */
};

struct ram_table {
    uint64_t users;                    /* who depends on any of it */
    struct table_use use[TABLE_USES];
    uint16_t n_units;                  /* marked */
    uint8_t n_uses;                    /* more than TABLE_USES: too many to know what an entry maps */
    uint64_t unit[TABLE_UNITS / 64];
    uint64_t exec[TABLE_UNITS / 64];   /* marked units that instruction fetches depend on */
};

/* Does a write of [offset, offset+len), within one page, touch an entry in use? */
bool ram_hits_table(const struct ram *r, uint64_t offset, uint64_t len);

/*
 * Marks the entry at offset as one that the users depend on, for fetches too if exec.  True: the page held none before,
 * so TLB entries that let stores through to it must go (the caller's duty).
 */
bool ram_mark_table(struct ram *r, uint64_t offset, const struct table_use *use, uint64_t users, bool exec);

/* Nothing depends on unit number `unit` of the page at offset any more; it is marked. */
void ram_clear_unit(struct ram *r, uint64_t offset, unsigned unit);

static inline bool table_unit_marked(const struct ram_table *t, unsigned unit)
{
    return t->unit[unit / 64] >> unit % 64 & 1;
}

static inline bool table_unit_exec(const struct ram_table *t, unsigned unit)
{
    return t->exec[unit / 64] >> unit % 64 & 1;
}

#endif
