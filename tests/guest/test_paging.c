/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 32-bit, PSE and PAE paging: error codes, CR2, accessed and dirty bits, WP, NX, SMEP, SMAP, INVLPG, global pages. */
#include "guest.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };
enum { CR0_WP = 1 << 16, CR4_PSE = 1 << 4, CR4_PAE = 1 << 5, CR4_PGE = 1 << 7, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21 };

static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint32_t table[1024] __attribute__((aligned(4096)));
static uint64_t pdpt[4] __attribute__((aligned(32)));
static uint64_t pae_dir[4][512] __attribute__((aligned(4096)));
static uint64_t pae_table[512] __attribute__((aligned(4096)));
static uint32_t page_a[1024] __attribute__((aligned(4096)));
static uint32_t page_b[1024] __attribute__((aligned(4096)));

enum { TEST = 0x40000000 };     /* linear address of the pages under test */
static volatile uint32_t *const test = (volatile uint32_t *)TEST;

static void invlpg(uint32_t at) { __asm__ volatile("invlpg (%0)" : : "r"(at) : "memory"); }

#define READ(at) TRY("movl %0, %%eax", , "m"(*(volatile uint32_t *)(at)))
#define OPERANDS(a, b) a, b
#define ARPL(at, selector) TRY("arpl %%cx, (%%eax)", , OPERANDS("a"(at), "c"(selector)))
#define WRITE(at) TRY("movl $7, %0", , "m"(*(volatile uint32_t *)(at)))

static void check_pf(const char *name, uint32_t error, uint32_t cr2)
{
    check_fault(name, 14, error);
    check("  its CR2", fault.cr2, cr2);
}

extern void user_read(void);
extern void user_write(void);
extern void user_page_code(void);
__asm__("user_read: movl (%eax), %eax\n int $0x30\n"
        "user_write: movl $5, (%eax)\n int $0x30\n"
        "user_page_code: mov $0x1234, %eax\n int $0x30\n user_page_code_end: nop\n");

static void two_level(void)
{
    for (unsigned i = 0; i < 1024; i++)
        directory[i] = i << 22 | P | W | U | PS;
    directory[TEST >> 22] = (uint32_t)table | P | W | U;
    table[0] = (uint32_t)page_a | P | W;
    table[1] = 0;
    table[2] = (uint32_t)page_b | P;
    write_cr4(CR4_PSE);
    write_cr3((uint32_t)directory);
    write_cr0(read_cr0() | 0x80000000);

    READ(&test[0]);
    check_no_fault("read of a present page");
    check("accessed, not dirty", table[0] & (A | D), A);
    WRITE(&test[0]);
    check("dirty after a write", table[0] & (A | D), A | D);
    check("the write reached its page", page_a[0], 7);
    READ(&test[1024]);
    check_pf("read of a page that is not present", 0, TEST + 0x1000);
    WRITE(&test[1025]);
    check_pf("write to a page that is not present", PF_W, TEST + 0x1004);
    WRITE(&test[2048]);
    check_no_fault("supervisor write to a read-only page, WP 0");
    check("dirty although read-only", table[2] & D, D);
    write_cr0(read_cr0() | CR0_WP);
    WRITE(&test[2049]);
    check_pf("supervisor write to a read-only page, WP 1", PF_P | PF_W, TEST + 0x2004);
    TRY("addl $1, %0", , "m"(test[2050]));
    check_pf("read-modify-write of a read-only page", PF_P | PF_W, TEST + 0x2008);
    ARPL(TEST + 0x2010, 3);
    check_pf("ARPL that would write there", PF_P | PF_W, TEST + 0x2010);
    ARPL(TEST + 0x2010, 0);
    check_no_fault("ARPL with nothing to write");
    ARPL(TEST + 0x1000, 3);
    check_pf("ARPL reads first", 0, TEST + 0x1000);
    TRY("movl $0x11223344, %0", , "m"(*(volatile uint32_t *)(TEST + 0xffe)));
    check_pf("write across into a missing page", PF_W, TEST + 0x1000);
    check("nothing of it was written", page_a[1023] >> 16, 0);
    run_user(user_read, TEST);
    check_pf("user read of a supervisor page", PF_P | PF_U, TEST);
    table[0] |= U;
    invlpg(TEST);
    check("user read of a user page", run_user(user_read, TEST), 7);
    table[2] |= U;
    invlpg(TEST + 0x2000);
    run_user(user_write, TEST + 0x2000);
    check_pf("user write to a read-only page", PF_P | PF_W | PF_U, TEST + 0x2000);
    run_user(user_read, TEST + 0x1000);
    check_pf("user read of a missing page", PF_U, TEST + 0x1000);
}

static void translation_caching(void)
{
    table[3] = (uint32_t)page_a | P | W;
    page_a[4] = 0xa;
    page_b[4] = 0xb;
    invlpg(TEST + 0x3000);
    check("before remapping", test[0xc00 + 4], 0xa);
    table[3] = (uint32_t)page_b | P | W;
    invlpg(TEST + 0x3000);
    check("after INVLPG", test[0xc00 + 4], 0xb);
    table[3] = (uint32_t)page_a | P | W;
    write_cr3((uint32_t)directory);
    check("after a CR3 write", test[0xc00 + 4], 0xa);
    /* A global page survives a CR3 write as long as nothing evicts it: both values are allowed by the
     * architecture, so only INVLPG and CR4.PGE are checked. */
    write_cr4(read_cr4() | CR4_PGE);
    table[3] = (uint32_t)page_a | P | W | G;
    invlpg(TEST + 0x3000);
    (void)test[0xc00];
    table[3] = (uint32_t)page_b | P | W | G;
    invlpg(TEST + 0x3000);
    check("INVLPG of a global page", test[0xc00 + 4], 0xb);
    table[3] = (uint32_t)page_a | P | W | G;
    write_cr4(read_cr4() & ~CR4_PGE);
    check("global page after clearing CR4.PGE", test[0xc00 + 4], 0xa);
    /* One INVLPG inside a 4 MiB page drops all of it. */
    directory[(TEST >> 22) + 1] = 0 | P | W | PS;
    write_cr3((uint32_t)directory);
    uint32_t first = *(volatile uint32_t *)(TEST + 0x400000 + (uint32_t)page_a % 0x400000);
    check("large page maps physical memory", first, page_a[0]);
    directory[(TEST >> 22) + 1] = 0;
    invlpg(TEST + 0x400000);
    READ(TEST + 0x400000 + (uint32_t)page_a % 0x400000);
    check_fault("INVLPG drops a large page", 14, 0);
    directory[(TEST >> 22) + 1] = 0x00200000 | P | W | PS;   /* reserved bit 21 of a 4 MiB entry */
    invlpg(TEST + 0x400000);
    READ(TEST + 0x400000);
    check_fault("reserved bit in a large entry", 14, PF_P | PF_RSVD);
}

static void pae(void)
{
    write_cr0(read_cr0() & ~0x80000000u);
    for (unsigned i = 0; i < 2048; i++)
        pae_dir[i / 512][i % 512] = (uint64_t)i << 21 | P | W | U | PS;
    for (unsigned i = 0; i < 4; i++)
        pdpt[i] = (uint32_t)pae_dir[i] | P;
    pae_dir[TEST >> 30][0] = (uint32_t)pae_table | P | W | U;
    pae_table[0] = (uint32_t)page_a | P | W | U | UINT64_C(1) << 63;
    pae_table[1] = (uint32_t)page_a | P | W | U;
    pae_table[2] = (uint32_t)page_a | P | W | U | UINT64_C(1) << 51;
    write_cr4(CR4_PAE);
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1 << 11);
    write_cr3((uint32_t)pdpt);
    write_cr0(read_cr0() | 0x80000000);
    page_a[0] = 0x001234b8;         /* mov $0x...1234, %eax */
    page_a[1] = 0x9030cd00;         /* int $0x30; nop */
    READ(&test[0]);
    check_no_fault("PAE read of a no-execute page");
    check("PAE user code runs", run_user((void (*)(void))(TEST + 0x1000), 0), 0x1234);
    run_user((void (*)(void))TEST, 0);
    check_pf("user fetch from a no-execute page", PF_P | PF_U | PF_I, TEST);
    READ(&test[2048]);
    check_pf("reserved bit in a PAE entry", PF_P | PF_RSVD, TEST + 0x2000);
}

static void supervisor_protection(void)
{
    uint32_t features, ax = 7;
    __asm__ volatile("cpuid" : "=b"(features), "+a"(ax) : "c"(0) : "edx");
    if (!(features & 1 << 7) || !(features & 1 << 20)) {
        print("no SMEP or SMAP in this CPU model\n");
        return;
    }
    /* Clear U on everything else first: the tests' own data must be supervisor pages from here on. */
    for (unsigned i = 0; i < 2048; i++)
        if (i != TEST >> 21)
            pae_dir[i / 512][i % 512] &= ~(uint64_t)U;
    write_cr3((uint32_t)pdpt);
    write_cr4(CR4_PAE | CR4_SMEP);
    TRY("call *%0", , "r"(TEST + 0x1000));
    check_pf("SMEP: supervisor fetch from a user page", PF_P | PF_I, TEST + 0x1000);
    write_cr4(CR4_PAE | CR4_SMAP);
    READ(&test[0]);
    check_pf("SMAP: supervisor read of a user page", PF_P, TEST);
    TRY("stac\n movl %0, %%eax\n clac", , "m"(test[0]));
    check_no_fault("SMAP: allowed with AC");
    WRITE(&test[1]);
    check_pf("SMAP: supervisor write to a user page", PF_P | PF_W, TEST + 4);
    write_cr4(CR4_PAE);
}

int guest_main(void)
{
    two_level();
    translation_caching();
    pae();
    supervisor_protection();
    return 0;
}
