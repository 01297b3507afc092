/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 4-level paging: every combination of a page's rights with every kind of access under WP, SMEP, SMAP and AC;
 * reserved bits, levels not present, accessed and dirty bits, large pages, PCID and INVPCID.
 */
#include "guest64.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80 };
#define NX (UINT64_C(1) << 63)
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };
enum { CR0_WP = 1 << 16, CR4_PGE = 1 << 7, CR4_PCIDE = 1 << 17, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21 };

#define TEST (UINT64_C(1) << 39)           /* the page under test */
#define ALIAS (UINT64_C(2) << 39)          /* the first GiB again, for user mode */

static uint64_t t_pdpt[512] __attribute__((aligned(4096))), t_dir[512] __attribute__((aligned(4096))),
    t_table[512] __attribute__((aligned(4096))), alias_pdpt[512] __attribute__((aligned(4096))),
    alias_dir[512] __attribute__((aligned(4096))), other_pml4[512] __attribute__((aligned(4096))),
    other_pdpt[512] __attribute__((aligned(4096))), other_dir[512] __attribute__((aligned(4096))),
    other_table[512] __attribute__((aligned(4096)));
static uint8_t page[4096] __attribute__((aligned(4096))), page_b[4096] __attribute__((aligned(4096)));

extern void user_read(void), user_write(void), user_exec(void), user_invpcid(void);
__asm__(".text\n"
        "user_read: mov 32(%rax), %ecx\n mov $1, %eax\n int $0x30\n"
        "user_write: movl $7, 32(%rax)\n mov $1, %eax\n int $0x30\n"
        "user_exec: add $16, %rax\n jmp *%rax\n"
        "user_invpcid: invpcid (%rax), %rax\n");

static void invlpg(uint64_t at) { __asm__ volatile("invlpg (%0)" : : "r"(at) : "memory"); }

static void set_leaf(uint64_t rights)
{
    t_table[0] = (uint64_t)page | P | rights;
    invlpg(TEST);
}

/* ---- the matrix ------------------------------------------------------------------------------ */

enum kind { READ, WRITE, EXEC };
struct setting {
    bool wp, smep, smap, ac;
};

static const uint64_t no_fault = UINT64_MAX;

/* SDM vol. 3, 4.6: the page-fault error code, or no_fault. */
static uint64_t expected(uint64_t rights, enum kind kind, bool user, const struct setting *s)
{
    bool ok;
    if (user)
        ok = rights & U && (kind == READ || (kind == WRITE ? rights & W : !(rights & NX)));
    else if (kind == EXEC)
        ok = !(rights & NX) && !(s->smep && rights & U);
    else
        ok = !(s->smap && rights & U && !s->ac) && (kind == READ || rights & W || !s->wp);
    uint64_t error = PF_P | (kind == WRITE ? PF_W : 0) | (kind == EXEC ? PF_I : 0) | (user ? PF_U : 0);
    return ok ? no_fault : error;
}

static void access_user(enum kind kind)
{
    run_user(kind == READ ? user_read : kind == WRITE ? user_write : user_exec, TEST);
}

static void access_kernel(enum kind kind, bool ac)
{
    if (kind == EXEC)
        TRY("call *%0", , "D"(TEST));
    else if (kind == READ && ac)
        TRY("stac\n movl 32(%0), %%eax\n clac", , "D"(TEST));
    else if (kind == READ)
        TRY("movl 32(%0), %%eax", , "D"(TEST));
    else if (ac)
        TRY("stac\n movl $7, 32(%0)\n clac", , "D"(TEST));
    else
        TRY("movl $7, 32(%0)", , "D"(TEST));
}

static bool one(uint64_t rights, enum kind kind, bool user, const struct setting *s)
{
    uint64_t want = expected(rights, kind, user, s);
    set_leaf(rights);
    if (user)
        access_user(kind);
    else
        access_kernel(kind, s->ac);
    uint64_t got = fault.taken ? fault.vector << 16 | fault.error : no_fault;
    if (want != no_fault)
        want |= 14 << 16;
    bool dirty = t_table[0] & D, accessed = t_table[0] & A;
    uint64_t address = TEST + (kind != EXEC ? 32 : user ? 16 : 0);
    if (got == want && (got == no_fault ? accessed && dirty == (kind == WRITE) : !dirty && fault.cr2 == address))
        return true;
    print("rights, kind + 8 * user, settings:\n");
    check("  rights", rights, ~rights);
    check("  kind", (uint64_t)kind | (uint64_t)user << 3, 99);
    check("  settings", s->wp | s->smep << 1 | s->smap << 2 | s->ac << 3, 99);
    check("  outcome", got, want);
    return false;
}

static void matrix(void)
{
    unsigned right = 0, all = 0;
    for (unsigned m = 0; m < 16; m++) {
        struct setting s = { m & 1, m >> 1 & 1, m >> 2 & 1, m >> 3 & 1 };
        if (s.ac && !s.smap)
            continue;                      /* STAC and CLAC with SMAP on only */
        write_cr0((read_cr0() & ~(uint64_t)CR0_WP) | (s.wp ? CR0_WP : 0));
        write_cr4((read_cr4() & ~(uint64_t)(CR4_SMEP | CR4_SMAP)) | (s.smep ? CR4_SMEP : 0) | (s.smap ? CR4_SMAP : 0));
        for (unsigned r = 0; r < 8; r++)
            for (unsigned k = 0; k < 6; k++, all++)
                right += one((r & 1 ? W : 0) | (r & 2 ? U : 0) | (r & 4 ? NX : 0), (enum kind)(k % 3), k >= 3, &s);
    }
    check("rights, kinds of access, WP, SMEP, SMAP, AC", right, all);
    write_cr4(read_cr4() & ~(uint64_t)(CR4_SMEP | CR4_SMAP));
    write_cr0(read_cr0() | CR0_WP);
}

/* ---- structure ---------------------------------------------------------------------------------- */

static void check_pf(const char *name, uint64_t error) { check_fault(name, 14, error); }

static void levels(void)
{
    uint64_t *entry[4] = { &pml4[1], &t_pdpt[0], &t_dir[0], &t_table[0] };
    set_leaf(W | U);
    for (unsigned i = 0; i < 4; i++)
        *entry[i] &= ~(uint64_t)(A | D);
    invlpg(TEST);
    access_kernel(READ, false);
    for (unsigned i = 0; i < 4; i++)
        check("accessed at every level", *entry[i] & A, A);
    static const char *const absent[] = { "no PML4 entry", "no PDPT entry", "no directory entry", "no table entry" };
    static const char *const reserved[] = { "reserved bit in PML4", "in PDPT", "in directory", "in table" };
    for (unsigned i = 0; i < 4; i++) {
        uint64_t old = *entry[i];
        *entry[i] &= ~(uint64_t)P;
        invlpg(TEST);
        access_kernel(WRITE, false);
        check_pf(absent[i], PF_W);
        *entry[i] = old | UINT64_C(1) << 51;
        invlpg(TEST);
        access_kernel(READ, false);
        check_pf(reserved[i], PF_P | PF_RSVD);
        *entry[i] = old & ~(uint64_t)W;
        invlpg(TEST);
        access_kernel(WRITE, false);
        check_pf("  read-only there", PF_P | PF_W);
        *entry[i] = old;
        invlpg(TEST);
    }
    pml4[1] |= PS;
    invlpg(TEST);
    access_kernel(READ, false);
    check_pf("PS in PML4", PF_P | PF_RSVD);
    pml4[1] &= ~(uint64_t)PS;
    uint64_t dir = t_dir[0], top = t_pdpt[0];
    t_dir[0] = P | W | PS | 1 << 13;
    invlpg(TEST);
    access_kernel(READ, false);
    check_pf("2 MiB page, bit 13", PF_P | PF_RSVD);
    t_dir[0] = dir;
    t_pdpt[0] = P | W | PS;
    invlpg(TEST);
    *(volatile uint32_t *)(page + 64) = 0x600d;
    check("1 GiB page", *(volatile uint32_t *)(TEST + (uint64_t)page + 64), 0x600d);
    t_pdpt[0] = P | W | PS | 1 << 20;
    invlpg(TEST);
    access_kernel(READ, false);
    check_pf("1 GiB page, bit 20", PF_P | PF_RSVD);
    t_pdpt[0] = top;
    wrmsr(0xc0000080, rdmsr(0xc0000080) & ~UINT64_C(0x800));
    set_leaf(W | NX);
    access_kernel(READ, false);
    check_pf("NX without EFER.NXE", PF_P | PF_RSVD);
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 0x800);
    set_leaf(W | U);
}

/* ---- PCID ------------------------------------------------------------------------------------------ */

/* Named in asm text. */
struct invpcid_descriptor {
    uint64_t pcid, address;
};
extern volatile struct invpcid_descriptor invpcid_sym;
volatile struct invpcid_descriptor invpcid_sym __attribute__((aligned(16)));

static void invpcid(uint64_t type) { TRY("invpcid invpcid_sym, %0", , "D"(type)); }

static void pcid(void)
{
    uint64_t cr3 = read_cr3();
    for (unsigned i = 0; i < 512; i++)
        other_pml4[i] = pml4[i];
    other_pml4[1] = (uint64_t)other_pdpt | P | W | U;
    other_pdpt[0] = (uint64_t)other_dir | P | W | U;
    other_dir[0] = (uint64_t)other_table | P | W | U;
    other_table[0] = (uint64_t)page_b | P | W | U;
    *(volatile uint32_t *)(page + 32) = 0xa;
    *(volatile uint32_t *)(page_b + 32) = 0xb;
    volatile uint32_t *word = (volatile uint32_t *)(TEST + 32);
    TRY("mov %0, %%cr3", , "D"(cr3 | UINT64_C(1) << 63));
    check_fault("CR3 bit 63 without PCID", 13, 0);
    TRY("mov %0, %%cr3", , "D"(cr3 | UINT64_C(1) << 51));
    check_fault("CR3 beyond the physical addresses", 13, 0);
    write_cr3(cr3 | 8);
    TRY("mov %0, %%cr4", , "D"(read_cr4() | CR4_PCIDE));
    check_fault("PCIDE with a PCID in CR3", 13, 0);
    write_cr3(cr3);
    invpcid_sym.pcid = 5;
    invpcid(0);
    check_fault("INVPCID of a PCID without PCIDE", 13, 0);
    write_cr4(read_cr4() | CR4_PCIDE);
    write_cr3(cr3 | 1);
    check("PCID 1", *word, 0xa);
    write_cr3((uint64_t)other_pml4 | 2);
    check("PCID 2", *word, 0xb);
    write_cr3(cr3 | 1 | UINT64_C(1) << 63);
    check("PCID 1 again, kept", *word, 0xa);
    set_leaf(W | U);
    t_table[0] = (uint64_t)page_b | P | W | U;
    invpcid_sym.pcid = 1;
    invpcid_sym.address = TEST;
    invpcid(0);
    check("INVPCID of an address", *word, 0xb);
    t_table[0] = (uint64_t)page | P | W | U;
    invpcid(1);
    check("INVPCID of a PCID", *word, 0xa);
    t_table[0] = (uint64_t)page_b | P | W | U;
    invpcid(2);
    check("INVPCID of all", *word, 0xb);
    t_table[0] = (uint64_t)page | P | W | U;
    invpcid(3);
    check("INVPCID of all but globals", *word, 0xa);
    invpcid(4);
    check_fault("INVPCID type 4", 13, 0);
    invpcid_sym.pcid = 1 << 12;
    invpcid(2);
    check_fault("INVPCID with a reserved bit", 13, 0);
    invpcid_sym.pcid = 1;
    invpcid_sym.address = UINT64_C(0x800000000000);
    invpcid(0);
    check_fault("INVPCID of a hole", 13, 0);
    run_user(user_invpcid, TEST);
    check_fault("INVPCID in ring 3", 13, 0);
    write_cr3(cr3);
    write_cr4(read_cr4() & ~(uint64_t)CR4_PCIDE);
}

int guest_main(void)
{
    for (unsigned i = 0; i < 512; i++)
        alias_dir[i] = (uint64_t)i << 21 | P | W | U | PS;
    alias_pdpt[0] = (uint64_t)alias_dir | P | W | U;
    pml4[2] = (uint64_t)alias_pdpt | P | W | U;
    pml4[1] = (uint64_t)t_pdpt | P | W | U;
    t_pdpt[0] = (uint64_t)t_dir | P | W | U;
    t_dir[0] = (uint64_t)t_table | P | W | U;
    for (unsigned i = 0; i < 4 * 512; i++)
        directories[i] &= ~(uint64_t)U;
    user_base = ALIAS;
    write_cr3(read_cr3());
    page[0] = 0xc3;                        /* ret */
    page[16] = 0xcd;                       /* int $0x30 */
    page[17] = 0x30;
    matrix();
    levels();
    pcid();
    return 0;
}
