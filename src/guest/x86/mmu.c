/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paging: 32-bit, PAE and 4-level (Intel SDM vol. 3, ch. 4).  One walk serves
 * all: levels of 4- or 8-byte entries; rights are gathered on the way.
 */
#include "guest/x86/mmu.h"

#include "guest/x86/cpuid.h"
#include "guest/x86/interrupt.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"

enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80, PTE_G = 0x100 };
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };
#define PTE_NX (UINT64_C(1) << 63)

struct walk {
    struct x86_cpu *c;
    uint64_t va;
    enum access access;
    bool user;
    uint64_t at[4], entry[4];
    unsigned n;               /* entries read */
    unsigned entry_size;
    uint64_t rights;          /* PTE_W | PTE_U in all, PTE_NX in any */
    uint64_t pa;
    bool dirty;               /* the last entry says so */
    bool has_region;
    struct mmu_region region; /* at: the last table, or the large page's 2 MiB; rights so far, PTE_PS | PTE_D */
    struct mmu_page *page;    /* gets the entries */
};

static uint64_t a20(const struct x86_cpu *c, uint64_t pa) { return c->s.a20 ? pa : pa & ~(UINT64_C(1) << 20); }

/* The arrays of a walk are filled as it goes. */
static void begin(struct walk *w, struct x86_cpu *c, uint64_t va, enum access access, struct mmu_page *page)
{
    w->c = c;
    w->va = va;
    w->access = access;
    w->user = w->dirty = w->has_region = false;
    w->n = 0;
    w->region = (struct mmu_region){ 0 };
    w->page = page;
}

static bool nx_on(const struct x86_cpu *c) { return c->s.efer & EFER_NXE; }

static uint64_t reserved_bits(const struct walk *w, bool large, unsigned shift)
{
    uint64_t r = (~mask64(X86_MAXPHYADDR) & mask64(52)) | (nx_on(w->c) ? 0 : PTE_NX);
    if (w->entry_size == 4)
        return large ? (UINT64_C(1) << 21) : 0;      /* PSE-36: bits 13..20 are address bits 32..39 */
    if (!(w->c->s.efer & EFER_LMA))
        r |= mask64(63) & ~mask64(52);               /* PAE outside long mode: bits 52..62 too */
    if (large)
        r |= mask64(shift) & ~mask64(13);
    return r;
}

/* Follows one level.  Returns the page-fault error bits, or -1 to go on. */
static int level(struct walk *w, uint64_t table, unsigned shift, unsigned bits, bool may_be_large, bool *leaf)
{
    uint64_t at = a20(w->c, table + w->entry_size * (w->va >> shift & mask64(bits)));
    uint64_t e = mmu_read_entry(&w->c->v, at, w->entry_size, w->va, shift, bits, &w->page->entry[w->n]);
    w->at[w->n] = at;
    w->entry[w->n++] = e;
    if (!(e & PTE_P))
        return 0;
    bool large = may_be_large && e & PTE_PS;
    uint64_t reserved = reserved_bits(w, large, shift);
    if (!may_be_large && shift > 12 && w->entry_size == 8)
        reserved |= PTE_PS;                          /* PML4 entries, and PDPT entries without 1 GiB pages */
    if (e & reserved)
        return PF_P | PF_RSVD;
    *leaf = large || shift == 12;
    if (*leaf && !large)
        w->region = (struct mmu_region){ table, w->rights };
    w->rights &= e | ~(uint64_t)(PTE_W | PTE_U);
    w->rights |= e & PTE_NX;
    if (*leaf) {
        uint64_t base = e & mask64(52) & ~mask64(shift);
        if (w->entry_size == 4 && large)
            base = (e & 0xffc00000) | (e >> 13 & 0xff) << 32;
        w->pa = base | (w->va & mask64(shift));
        w->dirty = e & PTE_D;
        w->has_region = w->n > 1 || large;
        if (large)
            w->region = (struct mmu_region){ w->pa & ~mask64(MMU_REGION_BITS), w->rights | PTE_PS };
    }
    return -1;
}

static uint64_t next_table(const struct walk *w)
{
    uint64_t e = w->entry[w->n - 1];
    return w->entry_size == 4 ? e & 0xfffff000 : e & mask64(52) & ~mask64(12);
}

static int walk_32(struct walk *w)
{
    bool leaf = false;
    w->entry_size = 4;
    int r = level(w, w->c->s.cr3 & 0xfffff000, 22, 10, w->c->s.cr4 & CR4_PSE, &leaf);
    if (r >= 0 || leaf)
        return r;
    return level(w, next_table(w), 12, 10, false, &leaf);
}

static int walk_64(struct walk *w, uint64_t table, unsigned shift)
{
    bool leaf = false;
    for (;;) {
        bool large = shift == 21 || (shift == 30 && x86_has(w->c->features, F_PDPE1GB));
        int r = level(w, table, shift, 9, large, &leaf);
        if (r >= 0 || leaf)
            return r;
        table = next_table(w);
        shift -= 9;
    }
}

static int walk_pae(struct walk *w)
{
    uint64_t pdpte = w->c->s.pdpte[w->va >> 30 & 3];
    w->entry_size = 8;
    if (!(pdpte & PTE_P))
        return 0;
    return walk_64(w, pdpte & mask64(52) & ~mask64(12), 21);
}

static int walk(struct walk *w)
{
    struct x86_state *s = &w->c->s;
    w->rights = PTE_W | PTE_U;
    if (!(s->cr4 & CR4_PAE))
        return walk_32(w);
    if (!(s->efer & EFER_LMA))
        return walk_pae(w);
    w->entry_size = 8;
    return walk_64(w, s->cr3 & mask64(52) & ~mask64(12), 39);
}

/* The same from what an earlier walk found out about the region.  False: nothing. */
static bool walk_region(struct walk *w, int *result)
{
    const struct mmu_region *r = mmu_region(&w->c->v, w->va);
    bool leaf;
    if (!r || (r->rights & PTE_PS && w->access == ACCESS_WRITE && !(r->rights & PTE_D)))
        return false;
    w->rights = r->rights & (PTE_W | PTE_U | PTE_NX);
    *result = -1;
    if (r->rights & PTE_PS) {
        w->pa = r->at | (w->va & mask64(MMU_REGION_BITS));
        w->dirty = r->rights & PTE_D;
    } else {
        w->entry_size = w->c->s.cr4 & CR4_PAE ? 8 : 4;
        *result = level(w, r->at, 12, w->entry_size == 8 ? 9 : 10, false, &leaf);
        w->has_region = false;
    }
    return true;
}

/* ---- rights ------------------------------------------------------------------------------------ */

static uint8_t allowed(const struct walk *w, unsigned mode)
{
    const struct x86_state *s = &w->c->s;
    bool user_page = w->rights & PTE_U, writable = w->rights & PTE_W;
    bool nx = nx_on(w->c) && w->rights & PTE_NX;
    uint8_t prot = 0;
    if (mode == MMU_USER) {
        if (!user_page)
            return 0;
        prot = 1 << ACCESS_READ | (writable ? 1 << ACCESS_WRITE : 0) | (nx ? 0 : 1 << ACCESS_EXEC);
    } else {
        bool smap = user_page && mode == MMU_KERNEL_SMAP;
        if (!smap)
            prot = 1 << ACCESS_READ | (writable || !(s->cr0 & CR0_WP) ? 1 << ACCESS_WRITE : 0);
        if (!nx && !(user_page && s->cr4 & CR4_SMEP))
            prot |= 1 << ACCESS_EXEC;
    }
    return prot;
}

static uint64_t marks(const struct walk *w, unsigned i, bool write)
{
    return (PTE_A | (write && i == w->n - 1 ? PTE_D : 0)) & ~w->entry[i];
}

/* Accessed in every entry used, dirty in the last when written (4.8).  False: not now, and nothing has changed. */
static bool mark_used(struct walk *w, bool write)
{
    for (unsigned i = 0; i < w->n; i++)
        if (marks(w, i, write) && !mmu_may_mark(&w->c->v, &w->page->entry[i], w->entry_size))
            return false;
    for (unsigned i = 0; i < w->n; i++)
        if (marks(w, i, write))
            space_set_bits(w->c->v.mem, w->at[i], w->entry_size, marks(w, i, write));
    w->dirty |= write;
    return true;
}

static bool page_fault(struct walk *w, int error)
{
    struct x86_cpu *c = w->c;
    if (w->access == ACCESS_WRITE)
        error |= PF_W;
    if (w->user)
        error |= PF_U;
    bool nx_known = (c->s.cr4 & CR4_PAE && nx_on(c)) || c->s.cr4 & CR4_SMEP;
    if (w->access == ACCESS_EXEC && nx_known)
        error |= PF_I;
    x86_raise(&c->v, EXC_PF, true, (uint32_t)error);
    c->s.pending.cr2 = w->va;
    return false;
}

/* What crosses the end of an address space of 32 bits goes on at 0.  The TLB does not come to know it by that name. */
static bool walk_around(struct vcpu *v, uint64_t va, enum access access, unsigned mode, struct mmu_page *out)
{
    bool found = x86_mmu_walk(v, (uint32_t)va, access, mode, out);
    out->entry[0] = (struct mmu_entry){ .ram = NULL };
    out->n_entries = 1;
    out->has_region = false;
    return found;
}

bool x86_mmu_walk(struct vcpu *v, uint64_t va, enum access access, unsigned mode, struct mmu_page *out)
{
    struct x86_cpu *c = x86_of(v);
    if (unlikely(va > UINT32_MAX) && !x86_has(c->features, F_LM))
        return walk_around(v, va, access, mode, out);
    if (mode == MMU_PHYS) {
        out->pa = a20(c, align_down(va, PAGE_SIZE));
        out->prot = 7;
        return true;
    }
    struct walk w;
    begin(&w, c, va, access, out);
    w.user = mode == MMU_USER;
    if (c->s.efer & EFER_LMA && !x86_canonical(va)) {
        x86_raise_astray(v, va, access == ACCESS_WRITE);
        return false;
    }
    int r;
    if (!walk_region(&w, &r))
        r = walk(&w);
    if (r >= 0)
        return page_fault(&w, r);
    uint8_t prot = allowed(&w, mode);
    if (!(prot & 1 << access))
        return page_fault(&w, PF_P);
    if (!mark_used(&w, access == ACCESS_WRITE))
        return false;
    if (!w.dirty)
        prot &= (uint8_t)~(1 << ACCESS_WRITE);
    out->pa = a20(c, align_down(w.pa, PAGE_SIZE));
    out->prot = prot;
    out->n_entries = w.n;
    out->has_region = w.has_region;
    out->region = w.region;
    if (w.dirty && w.region.rights & PTE_PS)
        out->region.rights |= PTE_D;
    return true;
}

/* What walks depend on beside memory: tells the TLB. */
void x86_mmu_context(struct x86_cpu *c)
{
    const struct x86_state *s = &c->s;
    struct tlb_context t = { { s->a20 } };
    if (s->cr0 & CR0_PG) {
        t.word[0] |= (s->cr0 & (CR0_PG | CR0_WP)) | (s->efer & (EFER_LMA | EFER_NXE)) |
                     (s->cr4 & (CR4_PSE | CR4_PAE | CR4_SMEP)) << 32;
        if (s->cr4 & CR4_PAE && !(s->efer & EFER_LMA))
            memcpy(&t.word[1], s->pdpte, sizeof s->pdpte);
        else
            t.word[1] = s->cr3 & (s->efer & EFER_LMA ? mask64(52) : mask64(32)) & ~mask64(12);
    }
    tlb_select(&c->v, &t);
}

bool x86_debug_walk(struct vcpu *v, uint64_t va, uint64_t *pa)
{
    struct x86_cpu *c = x86_of(v);
    struct mmu_page page;
    struct walk w;
    begin(&w, c, va, ACCESS_READ, &page);
    if (!(c->s.cr0 & CR0_PG)) {
        *pa = a20(c, va);
        return true;
    }
    if ((c->s.efer & EFER_LMA && !x86_canonical(va)) || walk(&w) >= 0)
        return false;
    *pa = a20(c, w.pa);
    return true;
}

/* PAE: the four PDPTEs are loaded by MOV CR3 and by changes of CR0/CR4 paging bits (4.4.1). */
bool x86_load_pdptes(struct x86_cpu *c)
{
    uint64_t e[4];
    uint64_t reserved = (~mask64(X86_MAXPHYADDR) & mask64(63)) | PTE_NX | 0x1e6;
    for (unsigned i = 0; i < 4; i++) {
        e[i] = space_load(c->v.mem, a20(c, (c->s.cr3 & 0xffffffe0) + 8 * i), 8);
        if (e[i] & PTE_P && e[i] & reserved)
            return false;
    }
    memcpy(c->s.pdpte, e, sizeof e);
    return true;
}
