/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The soft MMU: guest virtual accesses through a TLB, for helpers and as the
 * slow path of engines.
 *
 * Every access function returns false when it could not be done: v->exit is
 * then set (a fault is pending in the guest's state, or EXIT_RETRY_LAST) and
 * nothing was changed: an access that crosses pages checks both before it touches either.
 *
 * The TLB's fast path is public because engines inline it: an access of size
 * bytes may go to va + addend when
 *     slot(va).tag[access] == ((va + size - 1) & ~(PAGE_SIZE - 1)).
 * Low tag bits mark entries that must take the slow path (device, code, clean
 * page), and an access that crosses into the next page names a page that its
 * slot cannot hold, so that one compare does it all.
 */
#ifndef REPRISE_VCPU_SOFTMMU_H
#define REPRISE_VCPU_SOFTMMU_H

#include "vcpu/vcpu.h"

enum {
    TLB_INVALID = 1,   /* tag bit: no entry; no va compares equal to it */
    TLB_SLOW = 2,      /* tag bit: entry is valid but the access needs the slow path */
    TLB_ENTRY_BITS = 5,
    TLB_PAGE_MASK = PAGE_SIZE - 1,
};

struct tlb_entry {
    uint64_t tag[3];   /* by enum access: page address of va, with tag bits */
    uint64_t addend;   /* host address = va + addend, for RAM */
};

/* What only slow paths need to know about a page. */
struct tlb_side {
    struct ram *ram;       /* backs the whole page; NULL: devices, or several mappings */
    uint64_t ram_offset;   /* of the page */
    uint64_t pa;           /* of the page */
    bool writable;         /* RAM that takes stores */
};

static inline struct tlb_entry *tlb_slot(const struct vcpu *v, unsigned mmu_mode, uint64_t va)
{
    const struct tlb_view *w = &v->view[mmu_mode];
    return (struct tlb_entry *)(uintptr_t)(w->base + (va >> (PAGE_BITS - TLB_ENTRY_BITS) & w->mask));
}

/* The host address of an access that may go there, by the TLB; NULL: only the functions below can tell. */
static inline uint8_t *tlb_host(const struct vcpu *v, uint64_t va, unsigned size, enum access access, unsigned mmu_mode)
{
    const struct tlb_entry *t = tlb_slot(v, mmu_mode, va);
    return t->tag[access] == align_down(va + size - 1, PAGE_SIZE) ? (uint8_t *)(uintptr_t)(va + t->addend) : NULL;
}

/* size 1, 2, 4, 8; value is zero-extended.  flags: MEM_*. */
bool vcpu_load(struct vcpu *v, uint64_t va, unsigned size, unsigned mmu_mode, unsigned flags, uint64_t *value);
bool vcpu_store(struct vcpu *v, uint64_t va, unsigned size, unsigned mmu_mode, uint64_t value);

/* Any length up to a page (FXSAVE areas, 16-byte operands, descriptor pairs). */
bool vcpu_load_bytes(struct vcpu *v, uint64_t va, void *out, unsigned len, unsigned mmu_mode);
bool vcpu_store_bytes(struct vcpu *v, uint64_t va, const void *data, unsigned len, unsigned mmu_mode);

/*
 * Checks that [va, va+len) can be accessed now (len <= a page) without doing it.
 * True means that an access right after will be done: it neither faults nor has to wait until its
 * instruction is the last of its block (it can still be a device access).
 */
bool vcpu_probe(struct vcpu *v, uint64_t va, unsigned len, enum access access, unsigned mmu_mode);

/*
 * The host address of [va, va+len) if it lies in one page of plain RAM that may be
 * accessed unseen now (after this call; a write marks the page dirty), else NULL with
 * v->exit untouched or set as usual on a fault.  For bulk helpers (REP MOVS).
 */
void *vcpu_host_ptr(struct vcpu *v, uint64_t va, unsigned len, enum access access, unsigned mmu_mode);

/* Instruction bytes.  False: fetch fault pending.  *pa: physical address of the byte at va. */
bool vcpu_fetch(struct vcpu *v, uint64_t va, unsigned mmu_mode, void *out, unsigned len, uint64_t *pa);

/* ---- the TLB ------------------------------------------------------------------------------- */

/* Everything that a walk depends on beside memory and mmu mode; zero-filled where unused. */
struct tlb_context {
    uint64_t word[5];
};

/*
 * From now on the vCPU translates in this context.  A context's entries stay while others run (vcpu/tlb.c says
 * how many contexts are kept); what the guest's own flush instructions ask for is always the case.
 */
void tlb_select(struct vcpu *v, const struct tlb_context *context);

void tlb_flush(struct vcpu *v);                        /* everything, all contexts */
/* Whatever translated code found (struct recent_page). */
void tlb_drop_recent(struct vcpu *v);

/* Stores to this page of RAM take the slow path from now on (it holds translated code or page-table entries). */
void tlb_protect(struct vcpu *const *vcpu, unsigned n, struct ram *ram, uint64_t ram_offset);
/* Stores to each page take the slow path once, from now on: ram_watch.epoch_started. */
void tlb_close(struct vcpu *v);

/*
 * ram_watch.table_written for the TLBs of a machine.  True: code that runs now may be mapped elsewhere
 * from its next instruction on.
 */
bool tlb_table_written(struct vcpu *const *vcpu, unsigned n, struct ram *ram, uint64_t offset, uint64_t len);

/* Varies what must not matter: contents and sizes of tables. */
void tlb_perturb(struct vcpu *v, uint64_t random);

struct tlb_stats {
    uint64_t fills, walks, victim_hits, flushes, contexts, resizes, forgotten;
    uint64_t entries;              /* of all tables now */
};
void tlb_get_stats(const struct vcpu *v, struct tlb_stats *out);

/* ---- for page walks ---------------------------------------------------------------------------- */

/*
 * Reads the entry of `size` bytes for va at physical address `at`, in a table whose entries map 1 << shift bytes
 * each and which has 1 << index_bits of them; *out says where it lies.  (Accessed and dirty bits: space_set_bits().)
 */
uint64_t mmu_read_entry(struct vcpu *v, uint64_t at, unsigned size, uint64_t va, unsigned shift, unsigned index_bits,
                        struct mmu_entry *out);

/*
 * May a walk set bits of this entry of `size` bytes now?  False: it holds translated code too, and the instruction
 * that runs must be the last of its block to change that (v->exit is set).
 */
bool mmu_may_mark(struct vcpu *v, const struct mmu_entry *entry, unsigned size);

/* What an earlier walk left for the region of va, if all it came from is still so; NULL: nothing. */
const struct mmu_region *mmu_region(const struct vcpu *v, uint64_t va);

/* What backs va for this kind of access, filling the TLB.  False: a fault is pending. */
bool tlb_resolve(struct vcpu *v, uint64_t va, enum access access, unsigned mmu_mode, struct tlb_side *out);

/* The same if the TLB says so already and a plain access is allowed; no side effects, v->exit untouched. */
bool tlb_peek(const struct vcpu *v, uint64_t va, enum access access, unsigned mmu_mode, struct tlb_side *out);

/* By vcpu_init() and vcpu_fini(). */
void tlb_init(struct vcpu *v);
void tlb_fini(struct vcpu *v);

#endif
