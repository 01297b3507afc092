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
    /* What only the slow path needs, for the same slots. */
    struct tlb_side {
        struct ram *ram;       /* backs the whole page; NULL: devices, or several mappings */
        uint64_t ram_offset;   /* of the page */
        uint64_t pa;           /* of the page */
        uint64_t va, span;     /* of the page; size of the translation it came from */
        bool global, writable; /* writable: RAM that takes stores */
    } side[MMU_MODES][TLB_SIZE];
    bool used[MMU_MODES];          /* anything filled in since the last full flush */
    uint64_t large_lo, large_hi;   /* [lo, hi]: virtual addresses that large pages were filled for */
    uint64_t fills, flushes;
};

enum { TLB_PAGE_MASK = PAGE_SIZE - 1 };

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
/* Stores to this page of RAM take the slow path from now on (it holds translated code). */
void tlb_protect(struct vcpu *v, const struct ram *ram, uint64_t ram_offset);

/* What backs va for this kind of access, filling the TLB.  NULL: a fault is pending. */
struct tlb_side *tlb_resolve(struct vcpu *v, uint64_t va, enum access access, unsigned mmu_mode);

#endif
