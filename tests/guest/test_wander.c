/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loops whose one access wanders over the pages of an array, until whatever remembers where it went knows all of them.
 * Then one page in the middle changes: where it is mapped, whether it is, or what it holds (code, page-table entries).
 */
#include "guest.h"

enum { P = 1, W = 2, PS = 0x80, CR4_PSE = 1 << 4 };
enum { PAGES = 32, PAGE = 4096, WARM = 400000, TURNS = 20, AREA = 0x40000000, BEHIND = AREA + 0x400000 };
enum { STORED = 16 };                /* offset in each page of what store_loop writes; walk_loop's chain is at 0 */

static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint32_t table[1024] __attribute__((aligned(4096)));
static uint32_t pages[PAGES][PAGE / 4] __attribute__((aligned(4096)));
static uint32_t spare[2][PAGE / 4] __attribute__((aligned(4096)));

/* Both from offset EAX of the area, ECX steps; a step reads the next offset, or writes EDX and goes five pages on. */
__asm__("walk_loop: movl 0x40000000(%eax), %eax\n decl %ecx\n jnz walk_loop\n ret\n"
        "store_loop: movl %edx, 0x40000010(%eax)\n addl $0x5000, %eax\n andl $0x1f000, %eax\n"
        "decl %ecx\n jnz store_loop\n ret");

#define OPERANDS(a, b) a, b

static uint32_t walk(uint32_t n)
{
    uint32_t at = 0;
    TRY("call walk_loop", OPERANDS("+a"(at), "+c"(n)), );
    return at;
}

static void store(uint32_t value, uint32_t n)
{
    uint32_t at = 0;
    TRY("call store_loop", OPERANDS("+a"(at), "+c"(n)), "d"(value));
}

static void map(unsigned page, uint32_t entry)
{
    table[page] = entry;
    __asm__ volatile("invlpg (%0)" : : "r"(AREA + PAGE * page) : "memory");
}

static void set_up(void)
{
    for (unsigned i = 0; i < 1024; i++)
        directory[i] = i << 22 | P | W | PS;
    directory[AREA >> 22] = (uint32_t)table | P | W;
    for (unsigned i = 0; i < PAGES; i++) {
        table[i] = (uint32_t)pages[i] | P | W;
        pages[i][0] = PAGE * ((5 * i + 3) % PAGES);      /* all of them, then the first again */
    }
    write_cr4(CR4_PSE);
    write_cr3((uint32_t)directory);
    write_cr0(read_cr0() | 0x80000000);
    /* The timer, a thousand times a second, so that the loops are interrupted inside an emulator if not by it. */
    outb(0x43, 0x34);
    outb(0x40, 1193 & 0xff);
    outb(0x40, 1193 >> 8);
}

/* ---- mappings -------------------------------------------------------------------------------- */

static void mapped_elsewhere(void)
{
    uint32_t wrong = 0;
    spare[0][0] = 11 * PAGE;                             /* the chain ends here */
    for (unsigned n = 0; n < TURNS; n++) {
        wrong += walk(WARM / TURNS * PAGES) != 0;
        map(11, (uint32_t)spare[0] | P | W);
        wrong += walk(2 * PAGES) != 11 * PAGE;
        map(11, (uint32_t)pages[11] | P | W);
        wrong += walk(2 * PAGES) != 0;
    }
    check("a page mapped elsewhere", wrong, 0);
}

static void not_mapped(void)
{
    walk(WARM);
    map(17, 0);
    walk(2 * PAGES);
    check_fault("a page that is gone", 14, 0);
    check("  its CR2", fault.cr2, AREA + 17 * PAGE);
    map(17, (uint32_t)pages[17] | P | W);
    store(1, WARM);
    map(17, (uint32_t)pages[17] | P);
    write_cr0(read_cr0() | 1 << 16);
    store(2, 2 * PAGES);
    check_fault("a page that is read-only now", 14, 3);
    check("  its CR2", fault.cr2, AREA + 17 * PAGE + STORED);
    check("  it was not written", pages[17][STORED / 4], 1);
    map(17, (uint32_t)pages[17] | P | W);
}

/* ---- contents -------------------------------------------------------------------------------- */

/* movl $EDX, %eax; ret: stores change the number. */
static void code(void)
{
    uint8_t *at = (uint8_t *)pages[9] + STORED - 1;
    uint32_t wrong = 0;
    at[0] = 0xb8;
    at[5] = 0xc3;
    for (uint32_t n = 0; n < TURNS; n++) {
        store(n, n ? 2 * PAGES : WARM);
        wrong += ((uint32_t(*)(void))at)() != n;
    }
    check("a page with code", wrong, 0);
}

static void page_table(void)
{
    const volatile uint32_t *seen = (const volatile uint32_t *)(BEHIND + PAGE * (STORED / 4));
    uint32_t wrong = 0, before = 0;
    spare[0][0] = 1000;
    spare[1][0] = 1001;
    directory[BEHIND >> 22] = (uint32_t)pages[20] | P | W;
    for (unsigned n = 0; n < TURNS; n++) {
        store((uint32_t)spare[n % 2] | P | W, n ? 2 * PAGES : WARM);
        before += *seen << n;
        __asm__ volatile("invlpg (%0)" : : "r"(seen) : "memory");
        wrong += *seen != 1000 + n % 2;
    }
    check("a page with page-table entries", wrong, 0);
    /* Either mapping may be seen before INVLPG, but the same one by every engine: the consoles are compared. */
    print("before INVLPG: ");
    print_hex(before);
    print("\n");
}

int guest_main(void)
{
    set_up();
    mapped_elsewhere();
    not_mapped();
    code();
    page_table();
    return 0;
}
