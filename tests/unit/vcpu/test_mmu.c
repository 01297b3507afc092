/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TLB against a walk for every access: random accesses in all mmu modes by
 * two CPUs through address spaces that share tables, nest them in themselves and
 * change all the time, without any invalidation.  Results, faults and
 * memory (accessed and dirty bits included) must be as if there were no TLB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "mmu_machine.h"
#include "walk_ref.h"

enum {
    STEPS = 60000,
    TOPS = 24,                      /* more address spaces than the TLB keeps */
    TABLES = 120,                   /* pages of them, lower levels */
    TABLE_BASE = 0x10000, TABLE_PAGES = TOPS + TABLES,
};

struct run {
    struct mmu_machine *m;
    struct ref_memory ref;
    struct ref_cpu cpu[MMU_CPUS];
    enum ref_kind kind;
    unsigned perturb;               /* 0: never; else one in so many steps */
    uint64_t rng;
    unsigned step, faults, mapped;
    uint64_t recent[16];            /* addresses that something was mapped at */
};

static uint32_t rnd(struct run *r, uint32_t n)
{
    r->rng = r->rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(r->rng >> 33) % n;
}

/* ---- tables ------------------------------------------------------------------------------------ */

static unsigned entry_size(const struct run *r) { return r->kind == REF_32 ? 4 : 8; }

static unsigned random_index(struct run *r)
{
    static const uint16_t some[] = { 0, 1, 2, 3, 255, 511 };
    return some[rnd(r, ARRAY_LEN(some))];
}

static uint64_t random_entry(struct run *r)
{
    uint64_t page = rnd(r, 3) ? TABLE_BASE + (uint64_t)PAGE_SIZE * (TOPS + rnd(r, TABLES))
                              : (uint64_t)PAGE_SIZE * rnd(r, MMU_RAM / PAGE_SIZE);
    uint64_t e = page | (rnd(r, 8) ? 1 : 0) | (rnd(r, 4) ? 2 : 0) | (rnd(r, 4) ? 4 : 0) | (rnd(r, 2) ? 0x20 : 0) |
                 (rnd(r, 2) ? 0x40 : 0) | (rnd(r, 4) ? 0 : 0x100);
    if (!rnd(r, 8))                 /* a large page, where the level has them */
        e = (e & 0xfff) | 0x80 | (uint64_t)rnd(r, r->kind == REF_32 ? 2 : 4) << (r->kind == REF_32 ? 22 : 21);
    if (r->kind != REF_32 && !rnd(r, 8))
        e |= UINT64_C(1) << 63;
    if (!rnd(r, 60))
        e |= r->kind == REF_32 ? 1 << 21 : UINT64_C(1) << 45;
    return e;
}

/* Memory changes by no CPU's doing: as DMA does it, through the space. */
static void poke(struct run *r, uint64_t pa, unsigned size, uint64_t value)
{
    space_store(r->m->mem, pa, size, value);
    ref_write(&r->ref, pa, size, value);
}

static void change_entry(struct run *r)
{
    uint64_t at = TABLE_BASE + (uint64_t)PAGE_SIZE * rnd(r, TABLE_PAGES) + entry_size(r) * random_index(r);
    poke(r, at, entry_size(r), random_entry(r));
}

static void make_tables(struct run *r)
{
    for (unsigned t = 0; t < TABLE_PAGES; t++)
        for (unsigned i = 0; i < 6; i++) {
            static const uint16_t some[] = { 0, 1, 2, 3, 255, 511 };
            poke(r, TABLE_BASE + (uint64_t)PAGE_SIZE * t + entry_size(r) * some[i], entry_size(r), random_entry(r));
        }
}

/* ---- contexts --------------------------------------------------------------------------------- */

static void select_space(struct run *r, unsigned n)
{
    struct x86_cpu *c = r->m->cpu[n];
    struct ref_cpu *p = &r->cpu[n];
    bool fresh_pdptes = rnd(r, 4) == 0;
    p->kind = r->kind;
    p->cr3 = TABLE_BASE + (uint64_t)PAGE_SIZE * rnd(r, TOPS);
    p->wp = rnd(r, 4);
    p->nxe = rnd(r, 6);
    p->pse = rnd(r, 8);
    p->smep = !rnd(r, 4);
    c->s.cr0 = CR0_PE | CR0_PG | (p->wp ? CR0_WP : 0);
    c->s.cr4 = (r->kind == REF_32 ? 0 : CR4_PAE) | (p->pse ? CR4_PSE : 0) | (p->smep ? CR4_SMEP : 0) | CR4_PGE;
    c->s.efer = (p->nxe ? EFER_NXE : 0) | (r->kind == REF_LONG ? EFER_LMA | EFER_LME : 0);
    c->s.cr3 = p->cr3;
    if (r->kind == REF_PAE) {
        for (unsigned i = 0; fresh_pdptes && i < 4; i++)
            poke(r, p->cr3 + 8 * i, 8,
                 (TABLE_BASE + (uint64_t)PAGE_SIZE * (TOPS + rnd(r, TABLES))) | (rnd(r, 8) ? 1 : 0));
        /* Those that are not valid leave the registers as they are. */
        x86_load_pdptes(c);
        memcpy(p->pdpte, c->s.pdpte, sizeof p->pdpte);
    }
    x86_mmu_context(c);
}

/* ---- accesses ----------------------------------------------------------------------------------- */

static uint64_t random_va(struct run *r)
{
    uint64_t va = r->recent[rnd(r, ARRAY_LEN(r->recent))];
    if (rnd(r, 2))
        return (va & ~(uint64_t)(PAGE_SIZE - 1)) | (rnd(r, 2) ? 8 * random_index(r) : rnd(r, PAGE_SIZE));
    if (r->kind == REF_32) {
        va = (uint64_t)(random_index(r) * 2 + rnd(r, 2)) << 22 | random_index(r) << 12;
    } else if (r->kind == REF_PAE) {
        va = (uint64_t)rnd(r, 4) << 30 | (uint64_t)random_index(r) << 21 | random_index(r) << 12;
    } else {
        unsigned top = random_index(r);
        va = (uint64_t)top << 39 | (uint64_t)random_index(r) << 30 | (uint64_t)random_index(r) << 21 |
             random_index(r) << 12;
        va = (uint64_t)sign_extend(va, 48);
    }
    if (rnd(r, 3) == 0)
        va ^= (uint64_t)rnd(r, 512) << 12;
    return va | (rnd(r, 6) ? 8 * random_index(r) : rnd(r, PAGE_SIZE));
}

/* Not the last page of either half: nothing lies behind it. */
static bool crossing_allowed(const struct run *r, uint64_t va)
{
    uint64_t next = va + PAGE_SIZE;
    return r->kind == REF_LONG ? x86_canonical(next) && next > PAGE_SIZE : next >> 32 == 0;
}

static void expect_fault(struct run *r, unsigned n, int error, uint64_t va)
{
    struct x86_cpu *c = r->m->cpu[n];
    if (c->v.exit != EXIT_EXCEPTION || c->s.pending.vector != EXC_PF || (int)c->s.pending.error != error ||
        c->s.pending.cr2 != va)
        fail_msg("step %u: exit %u, vector %u, error %x, CR2 %llx; #PF %x at %llx expected", r->step, c->v.exit,
                 c->s.pending.vector, c->s.pending.error, (unsigned long long)c->s.pending.cr2, (unsigned)error,
                 (unsigned long long)va);
    c->v.exit = EXIT_NONE;
    memset(&c->s.pending, 0, sizeof c->s.pending);
    r->faults++;
}

struct pieces {
    uint64_t pa[2];
    unsigned len[2];
};

/* -1, or the fault's error code and address. */
static int ref_translate(struct run *r, unsigned n, uint64_t va, unsigned size, unsigned access, unsigned mode,
                         struct pieces *p, uint64_t *fault)
{
    unsigned room = PAGE_SIZE - (unsigned)(va & (PAGE_SIZE - 1));
    *p = (struct pieces){ .len = { room < size ? room : size, room < size ? size - room : 0 } };
    for (unsigned i = 0; i < 2 && p->len[i]; i++) {
        *fault = i ? va + room : va;
        int e = ref_walk(&r->cpu[n], &r->ref, *fault, access, mode == MMU_USER, mode == MMU_KERNEL_SMAP, &p->pa[i]);
        if (e >= 0)
            return e;
    }
    return -1;
}

static void access_memory(struct run *r, unsigned n)
{
    struct vcpu *v = &r->m->cpu[n]->v;
    unsigned size = 1u << rnd(r, 4), access = rnd(r, 5) / 2, mode = MMU_USER + rnd(r, 3);
    uint64_t va = random_va(r), fault, got = 0, want = 0, value = (uint64_t)rnd(r, UINT32_MAX) << 29 | 1;
    if (rnd(r, 3) == 0)
        value = random_entry(r);
    if (!crossing_allowed(r, va))
        va &= ~UINT64_C(7);
    struct pieces p;
    int error = ref_translate(r, n, va, size, access, mode, &p, &fault);
    bool ok;
    if (access == ACCESS_READ)
        ok = vcpu_load(v, va, size, mode, 0, &got);
    else if (access == ACCESS_WRITE)
        ok = vcpu_store(v, va, size, mode, value);
    else
        ok = vcpu_fetch(v, va, mode, &got, size, NULL);
    if (ok != (error < 0))
        fail_msg("step %u: access %u of %u bytes in mode %u to %llx %s", r->step, access, size, mode,
                 (unsigned long long)va, ok ? "went through" : "faulted");
    if (!ok) {
        expect_fault(r, n, error, fault);
        return;
    }
    r->recent[r->mapped++ % ARRAY_LEN(r->recent)] = va;
    if (access == ACCESS_WRITE) {
        ref_write(&r->ref, p.pa[0], p.len[0], value);
        ref_write(&r->ref, p.pa[1], p.len[1], value >> 8 * p.len[0] % 64);
        return;
    }
    want = ref_read(&r->ref, p.pa[0], p.len[0]);
    if (p.len[1])
        want |= ref_read(&r->ref, p.pa[1], p.len[1]) << 8 * p.len[0];
    if (got != want)
        fail_msg("step %u: access %u of %u bytes at %llx gave %llx, not %llx", r->step, access, size,
                 (unsigned long long)va, (unsigned long long)got, (unsigned long long)want);
}

/* ---- runs --------------------------------------------------------------------------------------- */

static void compare_memory(const struct run *r)
{
    for (uint64_t i = 0; i < MMU_RAM; i += PAGE_SIZE)
        for (uint64_t k = i; memcmp(r->m->ram->host + i, r->ref.byte + i, PAGE_SIZE) && k < i + PAGE_SIZE; k += 8)
            if (load_le(r->m->ram->host + k, 8) != load_le(r->ref.byte + k, 8))
                fail_msg("step %u: memory at %llx is %llx, not %llx", r->step, (unsigned long long)k,
                         (unsigned long long)load_le(r->m->ram->host + k, 8),
                         (unsigned long long)load_le(r->ref.byte + k, 8));
}

static void one_step(struct run *r)
{
    unsigned n = rnd(r, MMU_CPUS), what = rnd(r, 100);
    if (what < 3)
        select_space(r, n);
    else if (what < 8)
        change_entry(r);
    else
        access_memory(r, n);
    if (r->perturb && r->step % r->perturb == 0) {
        uint64_t random = r->step * UINT64_C(0x9e3779b97f4a7c15);
        tlb_perturb(&r->m->cpu[random >> 60 & 1]->v, random >> 20);
        if (r->step % 5 == 0)
            (void)ram_hash(r->m->ram);             /* an epoch of dirty pages starts */
    }
}

static void random_run(enum ref_kind kind, uint64_t seed, unsigned perturb)
{
    struct run r = { .m = mmu_machine_new(), .kind = kind, .perturb = perturb, .rng = seed };
    r.ref = (struct ref_memory){ calloc(1, MMU_RAM), MMU_RAM };
    make_tables(&r);
    for (unsigned n = 0; n < MMU_CPUS; n++)
        select_space(&r, n);
    for (r.step = 0; r.step < STEPS; r.step++) {
        one_step(&r);
        if (r.step % 3000 == 0)
            compare_memory(&r);
    }
    compare_memory(&r);
    assert_in_range(r.mapped, STEPS / 20, STEPS);     /* or the test tests little */
    assert_in_range(r.faults, STEPS / 20, STEPS);
    struct tlb_stats s;
    tlb_get_stats(&r.m->cpu[0]->v, &s);
    assert_true(s.contexts > TOPS && s.forgotten > 100);
    assert_true(s.walks > s.fills);
    free(r.ref.byte);
    mmu_machine_free(r.m);
}

static void all(enum ref_kind kind)
{
    static const unsigned perturb[] = { 0, 1, 7, 100 };
    for (uint64_t seed = 1; seed <= 3; seed++)
        for (unsigned i = 0; i < ARRAY_LEN(perturb); i++)
            random_run(kind, seed, perturb[i]);
}

static void test_32(void **state) { all(REF_32); }
static void test_pae(void **state) { all(REF_PAE); }
static void test_long(void **state) { all(REF_LONG); }

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_32), cmocka_unit_test(test_pae),
                                        cmocka_unit_test(test_long) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
