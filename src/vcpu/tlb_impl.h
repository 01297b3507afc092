/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the TLB: sets of tables, one set for each context in use.
 *
 * Invariants
 *  1. A set that is not live holds nothing; its tables may hold garbage until it is selected again.
 *  2. Every valid entry, victim and region of a live set agrees with memory: the page-table entries that it
 *     comes from carry the set's user bit (mem/table.h).
 *  3. tag[ACCESS_EXEC] is valid only where a fetch asked for it, so that page-table entries know whether code
 *     depends on them.
 *  4. An entry whose tag[ACCESS_WRITE] is bare has its page's struct ram_open say so.
 *  5. vcpu.view shows the current set's tables.
 */
#ifndef REPRISE_VCPU_TLB_IMPL_H
#define REPRISE_VCPU_TLB_IMPL_H

#include "vcpu/softmmu.h"

enum {
    TLB_SETS = 16,
    TLB_MIN_BITS = 8,       /* a multiple of struct ram_open's 64 */
    TLB_MAX_BITS = 14,
    TLB_MAX_ENTRIES = 1 << 17,   /* of all tables of a vCPU together, but for one that must have its first */
    TLB_VICTIMS = 8,
    TLB_REGIONS = 128,
    HOST_LINE = 64,
};

/* One mmu mode's entries, and what slow paths need for the same slots. */
struct tlb_table {
    void *memory;              /* NULL: none yet */
    struct tlb_entry *entry;
    struct tlb_side *side;
    unsigned bits;             /* log2 of the number of entries */
    uint32_t fills, conflicts; /* since the size was last thought about */
    uint64_t life;             /* fills since the table was emptied */
};

/* An entry that another took the place of. */
struct tlb_victim {
    uint64_t key;              /* page address | mmu mode; all ones: none */
    struct tlb_entry entry;
    struct tlb_side side;
};

struct tlb_set {
    struct tlb_context context;
    bool live;
    uint64_t last_selected;
    struct tlb_table table[MMU_MODES];
    struct tlb_victim victim[TLB_VICTIMS];
    unsigned next_victim;
    struct tlb_region {
        uint64_t tag;          /* va >> MMU_REGION_BITS; all ones: none */
        struct mmu_region region;
    } region[TLB_REGIONS];
};

struct tlb {
    struct tlb_set set[TLB_SETS];
    struct tlb_set *now;
    struct tlb_entry *none;    /* one invalid entry: the table of a mode before its first fill */
    void *none_memory;
    uint64_t clock;
    unsigned entries;          /* of all tables */
    struct tlb_stats stats;
};

static inline uint64_t tlb_user_bit(const struct vcpu *v, const struct tlb_set *s)
{
    return UINT64_C(1) << ((v->index * TLB_SETS + (unsigned)(s - v->tlb->set)) & 63);
}

/* The page address of a valid entry, in any of its tags; all ones: the entry is not valid. */
static inline uint64_t tlb_entry_page(const struct tlb_entry *e)
{
    for (unsigned a = 0; a < 3; a++)
        if (!(e->tag[a] & TLB_INVALID))
            return align_down(e->tag[a], PAGE_SIZE);
    return UINT64_MAX;
}

static inline void tlb_invalidate(struct tlb_entry *e) { e->tag[0] = e->tag[1] = e->tag[2] = TLB_INVALID; }

static inline struct tlb_region *tlb_region_slot(struct tlb_set *s, uint64_t va)
{
    uint64_t n = va >> MMU_REGION_BITS;
    return &s->region[(n ^ n >> 7 ^ n >> 14) & (TLB_REGIONS - 1)];
}

/* ---- tlb.c -------------------------------------------------------------------------------- */

/* A store to the entry's page went through: lets the next ones pass, if the page is open now. */
void tlb_open_page(struct vcpu *v, uint64_t va, unsigned mode, const struct tlb_side *side);

/* ---- tlb_table.c --------------------------------------------------------------------------- */

/* The current set's table of a mode, made if need be. */
struct tlb_table *tlb_table_ready(struct vcpu *v, unsigned mode);
/* Before an entry goes in: notes a conflict, and makes the table larger when there are many. */
void tlb_table_count(struct vcpu *v, unsigned mode, bool conflict);
void tlb_table_resize(struct vcpu *v, struct tlb_set *s, unsigned mode, unsigned bits);
/* Empties a set and gives back what it did not use; or all of its memory (then it is not live). */
void tlb_set_empty(struct vcpu *v, struct tlb_set *s);
void tlb_set_free(struct vcpu *v, struct tlb_set *s);
/* Makes vcpu.view agree with the current set. */
void tlb_show(struct vcpu *v);

#endif
