/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The soft MMU: guest virtual accesses through a TLB, for helpers and as the
 * slow path of engines.
 *
 * Every access function returns false when it could not be done: v->exit is
 * then set (a fault is pending in the guest's state, or EXIT_RETRY_LAST) and
 * nothing was changed: an access that crosses pages checks both before it touches either.
 *
 * The TLB's fast path is public because engines inline it.  An entry matches
 * when entry.tag[access] == (va & PAGE_MASK); low tag bits mark pages that must take
 * the slow path (device, code, clean page), so that one compare does it all.
 */
#ifndef REPRISE_VCPU_SOFTMMU_H
#define REPRISE_VCPU_SOFTMMU_H

#include "vcpu/vcpu.h"

enum {
    TLB_BITS = 10,
    TLB_SIZE = 1 << TLB_BITS,
    TLB_INVALID = 1,   /* tag bit: no entry */
    TLB_SLOW = 2,      /* tag bit: entry is valid but the access needs the slow path */
};

struct tlb_entry {
    uint64_t tag[3];   /* by enum access: page address of va, with tag bits */
    uint64_t addend;   /* host address = va + addend, for RAM */
};

struct tlb {
    struct tlb_entry entry[MMU_MODES][TLB_SIZE];
    /* The engine owner adds what the slow path and flushing need (victim cache,
     * physical address per entry, global marks, large-page ranges, statistics). */
    struct tlb_side *side;
};

static inline struct tlb_entry *tlb_slot(struct tlb *t, unsigned mmu_mode, uint64_t va)
{
    return &t->entry[mmu_mode][(va >> PAGE_BITS) & (TLB_SIZE - 1)];
}

/* size 1, 2, 4, 8; value is zero-extended.  flags: MEM_*. */
bool vcpu_load(struct vcpu *v, uint64_t va, unsigned size, unsigned mmu_mode, unsigned flags, uint64_t *value);
bool vcpu_store(struct vcpu *v, uint64_t va, unsigned size, unsigned mmu_mode, uint64_t value);

/* Any length up to a page (FXSAVE areas, 16-byte operands, descriptor pairs). */
bool vcpu_load_bytes(struct vcpu *v, uint64_t va, void *out, unsigned len, unsigned mmu_mode);
bool vcpu_store_bytes(struct vcpu *v, uint64_t va, const void *data, unsigned len, unsigned mmu_mode);

/*
 * Checks that [va, va+len) can be accessed (len <= a page) without doing it.
 * True means that an access right after cannot fault (it can still be a device access).
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

void tlb_flush(struct vcpu *v);                        /* everything */
void tlb_flush_nonglobal(struct vcpu *v);              /* all but global entries */
void tlb_flush_page(struct vcpu *v, uint64_t va);      /* every entry that maps va, large pages included */

#endif
