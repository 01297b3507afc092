/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the TLB saves: each test counts walks, fills or sizes where the answer is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mmu_machine.h"

enum { P = 1, W = 2, U = 4, PS = 0x80, PML4 = 0x10000, PML4_B = 0x11000, PDPT = 0x12000, PD = 0x13000, PT = 0x14000 };

/* Long mode: 2 MiB at 0 by 4 KiB pages to 2 MiB on; the next 2 MiB by one large page to physical 4 MiB. */
static struct mmu_machine *machine(void)
{
    struct mmu_machine *m = mmu_machine_new();
    space_store(m->mem, PML4, 8, PDPT | P | W | U);
    space_store(m->mem, PML4_B, 8, PDPT | P | W | U);
    space_store(m->mem, PDPT, 8, PD | P | W | U);
    space_store(m->mem, PD, 8, PT | P | W | U);
    space_store(m->mem, PD + 8, 8, 0x400000 | P | W | U | PS);
    for (uint64_t i = 0; i < 512; i++)
        space_store(m->mem, PT + 8 * i, 8, (0x200000 + i * PAGE_SIZE) | P | W | U);
    for (uint64_t pa = 0x200000; pa < MMU_RAM; pa += PAGE_SIZE)
        store_le(m->ram->host + pa, 8, pa);
    struct x86_state *s = &m->cpu[0]->s;
    s->cr0 = CR0_PE | CR0_PG | CR0_WP;
    s->cr4 = CR4_PAE;
    s->efer = EFER_LMA | EFER_LME;
    s->cr3 = PML4;
    x86_mmu_context(m->cpu[0]);
    return m;
}

static uint64_t load(struct mmu_machine *m, uint64_t va)
{
    uint64_t value = 0;
    assert_true(vcpu_load(&m->cpu[0]->v, va, 8, MMU_KERNEL, 0, &value));
    return value;
}

static void use_cr3(struct mmu_machine *m, uint64_t cr3)
{
    m->cpu[0]->s.cr3 = cr3;
    x86_mmu_context(m->cpu[0]);
}

static struct tlb_stats stats(const struct mmu_machine *m)
{
    struct tlb_stats s;
    tlb_get_stats(&m->cpu[0]->v, &s);
    return s;
}

/* Coming back to an address space finds everything as it was left. */
static void test_contexts_are_kept(void **state)
{
    struct mmu_machine *m = machine();
    for (uint64_t va = 0; va < 100 * PAGE_SIZE; va += PAGE_SIZE)
        assert_int_equal(load(m, va), 0x200000 + va);
    use_cr3(m, PML4_B);
    assert_int_equal(load(m, 0x5000), 0x205000);
    use_cr3(m, PML4);
    uint64_t walks = stats(m).walks;
    for (uint64_t va = 0; va < 100 * PAGE_SIZE; va += PAGE_SIZE)
        assert_int_equal(load(m, va), 0x200000 + va);
    assert_int_equal(stats(m).walks, walks);
    mmu_machine_free(m);
}

/* A store to one entry takes back its page (and its neighbour in the same 8 bytes), in every address space; no more. */
static void test_one_entry_written(void **state)
{
    struct mmu_machine *m = machine();
    for (unsigned k = 0; k < 2; k++) {
        use_cr3(m, k ? PML4_B : PML4);
        for (uint64_t va = 0; va < 64 * PAGE_SIZE; va += PAGE_SIZE)
            load(m, va);
    }
    uint64_t walks = stats(m).walks;
    space_store(m->mem, PT + 8 * 7, 8, 0x300000 | P);
    for (unsigned k = 0; k < 2; k++) {
        use_cr3(m, k ? PML4_B : PML4);
        for (uint64_t va = 0; va < 64 * PAGE_SIZE; va += PAGE_SIZE)
            assert_int_equal(load(m, va), va == 0x7000 ? 0x300000 : 0x200000 + va);
    }
    assert_int_equal(stats(m).walks, walks + 2);
    assert_int_equal(stats(m).forgotten, 1);
    mmu_machine_free(m);
}

/* Entries nobody depends on, and tables that served their time, cost nothing. */
static void test_unused_entries(void **state)
{
    struct mmu_machine *m = machine();
    load(m, 0);
    space_store(m->mem, PT + 8 * 100, 8, 0);
    assert_int_equal(stats(m).forgotten, 0);
    assert_true(m->ram->page_flags[PT >> PAGE_BITS] & RAM_TABLE);
    space_store(m->mem, PT, 8, 0);
    assert_int_equal(stats(m).forgotten, 1);
    assert_false(m->ram->page_flags[PT >> PAGE_BITS] & RAM_TABLE);
    mmu_machine_free(m);
}

static void store(struct mmu_machine *m, uint64_t va, unsigned mode, uint64_t value)
{
    assert_true(vcpu_store(&m->cpu[0]->v, va, 8, mode, value));
}

/*
 * A page that is open to unseen stores, in two address spaces and modes, through two addresses, and through a victim,
 * becomes a page table: every one of them is closed at once.
 */
static void test_new_table_is_watched(void **state)
{
    enum { NEW = 0x300000, AT = 0x100000, ALIAS = 0x25000, MAPPED = 0x400000 };
    static const struct {
        uint64_t cr3, va;
        unsigned mode;
    } way[] = { { PML4, AT, MMU_KERNEL },
                { PML4_B, AT, MMU_USER },
                { PML4, ALIAS, MMU_USER },
                { PML4_B, ALIAS, MMU_KERNEL } };
    for (unsigned victim = 0; victim < 2; victim++)
        for (unsigned k = 0; k < ARRAY_LEN(way); k++) {
            struct mmu_machine *m = machine();
            const struct vcpu *v = &m->cpu[0]->v;
            space_store(m->mem, PT + 8 * (ALIAS >> PAGE_BITS), 8, NEW | P | W | U);
            for (unsigned i = 0; i < ARRAY_LEN(way); i++) {
                use_cr3(m, way[i].cr3);
                store(m, way[i].va, way[i].mode, 0x234000 | P | W | U);
                store(m, way[i].va + 8, way[i].mode, 0x235000 | P | W | U);
                assert_int_equal(tlb_slot(v, way[i].mode, way[i].va)->tag[ACCESS_WRITE], way[i].va);
                if (victim)
                    store(m, way[i].va == AT ? 0 : 0x125000, way[i].mode, 0);
            }
            uint64_t narrowed = v->stores_narrowed;
            space_store(m->mem, PD + 16, 8, NEW | P | W | U);
            assert_int_equal(load(m, MAPPED), 0x234000);
            assert_true(v->stores_narrowed > narrowed);
            use_cr3(m, way[k].cr3);
            if (victim)                 /* called back into its slot */
                store(m, way[k].va + 0x800, way[k].mode, 0);
            store(m, way[k].va, way[k].mode, 0x236000 | P | W | U);
            for (unsigned i = 0; i < 2; i++) {
                use_cr3(m, i ? PML4_B : PML4);
                assert_int_equal(load(m, MAPPED), 0x236000);
            }
            mmu_machine_free(m);
        }
}

/* 4 KiB entries inside a large page need no page-table reads after the first: they could be anything in the end. */
static void test_large_page(void **state)
{
    struct mmu_machine *m = machine();
    assert_int_equal(load(m, 0x200000), 0x400000);
    assert_non_null(mmu_region(&m->cpu[0]->v, 0x200000));
    for (uint64_t va = 0x201000; va < 0x400000; va += PAGE_SIZE)
        assert_int_equal(load(m, va), 0x200000 + va);
    space_store(m->mem, PD + 8, 8, 0x600000 | P | W | PS);
    assert_null(mmu_region(&m->cpu[0]->v, 0x200000));
    for (uint64_t va = 0x200000; va < 0x400000; va += PAGE_SIZE)
        assert_int_equal(load(m, va), 0x400000 + va);
    mmu_machine_free(m);
}

/* A working set larger than the table makes it grow until it fits; small use makes it shrink again. */
static void test_size(void **state)
{
    struct mmu_machine *m = machine();
    struct vcpu *v = &m->cpu[0]->v;
    load(m, 0);
    uint64_t small = v->view[MMU_KERNEL].mask, walks = 0;
    for (unsigned pass = 0; pass < 40; pass++) {
        walks = stats(m).walks;
        for (uint64_t va = 0; va < 0x400000; va += PAGE_SIZE)
            load(m, va);
    }
    assert_true(v->view[MMU_KERNEL].mask > small);
    assert_int_equal(stats(m).walks, walks);
    uint64_t large = v->view[MMU_KERNEL].mask;
    for (unsigned i = 0; i < 8; i++) {
        tlb_flush(v);
        load(m, 0);
    }
    assert_true(v->view[MMU_KERNEL].mask < large);
    mmu_machine_free(m);
}

/* Many address spaces with large working sets stay within a bound, and right. */
static void test_memory_is_bounded(void **state)
{
    struct mmu_machine *m = machine();
    uint64_t most = 0;
    for (unsigned n = 0; n < 40; n++) {
        uint64_t top = 0x100000 + (uint64_t)n * PAGE_SIZE;
        space_store(m->mem, top, 8, PDPT | P | W | U);
        for (uint64_t i = 2; i < 512; i++)              /* 1 GiB by large pages, over and over the same two */
            space_store(m->mem, PD + 8 * i, 8, ((i & 1) + 2) << 21 | P | W | U | PS);
        use_cr3(m, top);
        for (unsigned pass = 0; pass < 4; pass++)
            for (uint64_t va = 0x400000; va < 0x8000000; va += PAGE_SIZE)
                assert_int_equal(load(m, va), ((va >> 21 & 1) + 2) << 21 | (va & 0x1ff000));
        most = stats(m).entries > most ? stats(m).entries : most;
    }
    assert_in_range(most, 1 << 16, 1 << 17);
    mmu_machine_free(m);
}

/* Two pages of one slot: after the first walks, the victims answer. */
static void test_victims(void **state)
{
    struct mmu_machine *m = machine();
    for (uint64_t i = 0; i < 2; i++)
        load(m, i << 20);
    uint64_t walks = stats(m).walks;
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(load(m, (i & 1) << 20), 0x200000 + ((i & 1) << 20));
    assert_int_equal(stats(m).walks, walks);
    assert_true(stats(m).victim_hits >= 19);
    mmu_machine_free(m);
}

/* Code that runs chained must be left only when a page it may run from is mapped anew. */
static void test_code_mapping(void **state)
{
    struct mmu_machine *m = machine();
    struct vcpu *const *all = (struct vcpu *const[]){ &m->cpu[0]->v };
    uint8_t byte;
    load(m, 0x3000);
    assert_true(vcpu_fetch(&m->cpu[0]->v, 0x9000, MMU_KERNEL, &byte, 1, NULL));
    assert_false(tlb_table_written(all, 1, m->ram, PT + 8 * 3, 8));
    assert_true(tlb_table_written(all, 1, m->ram, PT + 8 * 9, 8));
    for (uint64_t va = 0; va < 3 * PAGE_SIZE; va += PAGE_SIZE) {      /* read first, then run */
        load(m, va);
        assert_true(vcpu_fetch(&m->cpu[0]->v, va, MMU_KERNEL, &byte, 1, NULL));
        assert_true(tlb_table_written(all, 1, m->ram, PT + 8 * (va >> PAGE_BITS), 8));
    }
    load(m, 0x3000);
    assert_true(tlb_table_written(all, 1, m->ram, PD, 8));
    mmu_machine_free(m);
}

/* Recent pages of accesses of 8 bytes, as translated code finds them: n pages from first on, and one far off. */
static void find_recent(struct mmu_machine *m, struct recent *r, uint64_t first, unsigned n)
{
    struct vcpu *v = &m->cpu[0]->v;
    for (uint64_t va = 0; va < 100 * PAGE_SIZE; va += PAGE_SIZE)
        store(m, va, MMU_KERNEL, 0x200000 + va);
    r->n = 2;
    r->list[0] = 0;
    r->list[1] = 1;
    uint64_t addend = tlb_slot(v, MMU_KERNEL, first)->addend;
    r->at[0] = (struct recent_page){ .page = first, .span = n * PAGE_SIZE - 7, .addend = addend };
    r->at[1] = (struct recent_page){ .page = 0x50000, .span = PAGE_SIZE - 7, .addend = addend };
    for (unsigned k = 0; k < n; k++)               /* they are neighbours on the host */
        assert_int_equal(tlb_slot(v, MMU_KERNEL, first + k * PAGE_SIZE)->addend, addend);
}

/* Several go when any one of them does, its mapping or its right to stores; those beside them do not count. */
static void test_recent_pages(void **state)
{
    enum { FIRST = 10, N = 5 };
    struct mmu_machine *m = machine();
    struct vcpu *v = &m->cpu[0]->v;
    struct recent *r = calloc(1, sizeof *r);
    v->recent = r;
    for (unsigned page = FIRST - 2; page < FIRST + N + 2; page++)
        for (unsigned protect = 0; protect < 2; protect++) {
            find_recent(m, r, FIRST * PAGE_SIZE, N);
            if (protect)
                tlb_protect(&v, 1, m->ram, 0x200000 + page * PAGE_SIZE);
            else
                space_store(m->mem, PT + 8 * page, 8, (0x200000 + page * PAGE_SIZE) | P | W);
            bool is_one = page >= FIRST && page < FIRST + N;
            assert_int_equal(r->at[0].span, is_one ? 0 : N * PAGE_SIZE - 7);
            assert_int_equal(r->at[1].span, PAGE_SIZE - 7);
            assert_int_equal(r->n, is_one ? 1 : 2);
            tlb_drop_recent(v);
            assert_int_equal(r->at[0].span | r->at[1].span | r->n, 0);
        }
    v->recent = NULL;
    free(r);
    mmu_machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contexts_are_kept), cmocka_unit_test(test_one_entry_written),
        cmocka_unit_test(test_unused_entries),    cmocka_unit_test(test_new_table_is_watched),
        cmocka_unit_test(test_large_page),        cmocka_unit_test(test_size),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_victims),           cmocka_unit_test(test_code_mapping),
        cmocka_unit_test(test_recent_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
