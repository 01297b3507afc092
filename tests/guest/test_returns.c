/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls and returns that do not match: returns changed on the stack, skipped, on other stacks, very deep; and return
 * points whose code or mapping is another one by the time of the return.
 */
#include "guest.h"

enum { TIMES = 50, DEPTH = 20000, PAGE = 4096, WINDOW = 0x40000000 };

typedef uint32_t code(void);

static uint8_t area[2 * PAGE] __attribute__((aligned(4096)));
uint32_t big_stack[2 * DEPTH + 64];

static uint8_t *put(uint8_t *at, const void *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        at[i] = ((const uint8_t *)bytes)[i];
    return at + n;
}

/* ---- deep -------------------------------------------------------------------------------------- */

extern uint32_t deep(uint32_t levels, void *stack);
__asm__("deep: movl 4(%esp), %eax\n movl 8(%esp), %ecx\n pushl %ebx\n movl %esp, %ebx\n movl %ecx, %esp\n"
        "xorl %ecx, %ecx\n call 1f\n movl %ebx, %esp\n popl %ebx\n movl %ecx, %eax\n ret\n"
        "1: testl %eax, %eax\n jz 2f\n decl %eax\n call 1b\n incl %ecx\n 2: ret");

static void deeply(void)
{
    uint32_t wrong = 0;
    for (uint32_t n = 0; n < TIMES; n++)
        wrong += deep(DEPTH - n, big_stack + sizeof big_stack / 4) != DEPTH - n;
    check("deep recursion", wrong, 0);
}

/* ---- not to where the call was ------------------------------------------------------------------------- */

extern uint32_t change(uint32_t n);
/* Returns 6 bytes behind the return point, which is over one load and a return, if n is odd. */
__asm__("change: movl 4(%esp), %ecx\n call 1f\n movl $5, %eax\n ret\n movl $6, %eax\n ret\n"
        "1: andl $1, %ecx\n jz 2f\n addl $6, (%esp)\n 2: ret");

static void changed(void)
{
    uint32_t wrong = 0;
    for (uint32_t n = 0; n < 2 * TIMES; n++)
        wrong += change(n) != (n & 1 ? 6u : 5u);
    check("a return address that was changed", wrong, 0);
}

extern uint32_t jump_out(uint32_t levels);
/* So many calls, and then back to the first caller at once. */
__asm__("jump_out: movl 4(%esp), %ecx\n movl %ecx, %eax\n movl %esp, %edx\n call 1f\n 2: movl $0xbad, %eax\n ret\n"
        "1: decl %ecx\n jz 3f\n call 1b\n jmp 2b\n 3: movl %edx, %esp\n ret");

static __attribute__((noinline)) uint32_t nested(uint32_t n) { return n ? nested(n - 1) + jump_out(n) : 0; }

static void skipped(void)
{
    uint32_t wrong = 0;
    for (uint32_t n = 1; n < TIMES; n++) {
        wrong += jump_out(n) != n;
        wrong += nested(n) != n * (n + 1) / 2;
    }
    check("returns that never come", wrong, 0);
}

extern uint32_t other_stack(uint32_t turns, void *stack);
/* Two that call each other by exchanging stacks, each one level deeper in its own each time. */
__asm__("other_stack: pushl %ebx\n pushl %esi\n movl 12(%esp), %ecx\n movl 16(%esp), %edx\n xorl %eax, %eax\n"
        "movl %ecx, %ebx\n movl $3f, -4(%edx)\n leal -4(%edx), %edx\n"
        "call 1f\n popl %esi\n popl %ebx\n ret\n"
        "1: call 2f\n incl %eax\n decl %ebx\n jz 4f\n call 1b\n 4: ret\n"
        "2: xchgl %esp, %edx\n ret\n"
        "3: call 5f\n jmp 3b\n"
        "5: call 2b\n addl $0x10000, %eax\n ret");

static void switched(void)
{
    uint32_t wrong = 0;
    for (uint32_t n = 1; n < TIMES; n++)
        wrong += (other_stack(n, big_stack + sizeof big_stack / 4) & 0xffff) != n;
    check("two stacks", wrong, 0);
}

/* ---- the return point is another one ------------------------------------------------------------- */

static uint32_t *patched;
static uint32_t patch_with;
static void patch(void) { *(volatile uint32_t *)patched = patch_with; }

/* call what; movl $value, %eax; ret */
static void put_caller(uint8_t *at, uint32_t runs_at, void (*what)(void), uint32_t value)
{
    uint32_t distance = (uint32_t)what - (runs_at + 5);
    uint8_t *p = put(put(put(at, "\xe8", 1), &distance, 4), "\xb8", 1);
    put(put(p, &value, 4), "\xc3", 1);
}

static void overwritten(void)
{
    uint32_t wrong = 0;
    put_caller(area, (uint32_t)area, patch, 0xbad);
    patched = (uint32_t *)(void *)(area + 6);
    for (uint32_t n = 0; n < TIMES; n++) {
        patch_with = n;
        wrong += ((code *)(void *)area)() != n;
    }
    check("code written before it is returned to", wrong, 0);
}

static uint32_t directories[2][1024] __attribute__((aligned(4096)));
static uint32_t tables[2][1024] __attribute__((aligned(4096)));
static uint32_t now, calls;

/* Most calls change nothing, so that the way back is known when one does. */
static bool turns(void)
{
    bool yes = ++calls % 4 == 0;
    now ^= yes;
    return yes;
}

static void turn_entry(void)
{
    if (!turns())
        return;
    *(volatile uint32_t *)&tables[0][0] = (uint32_t)(area + now * PAGE) | 7;
    __asm__ volatile("invlpg (%0)" : : "r"(WINDOW) : "memory");
}

static void turn_directory(void)
{
    if (turns())
        write_cr3((uint32_t)directories[now]);
}

/* Both pages of the area call the function that sometimes puts the other one in their place. */
static void elsewhere(const char *name, void (*turn)(void))
{
    uint32_t wrong = 0;
    now = calls = 0;
    put_caller(area, WINDOW, turn, 1);
    put_caller(area + PAGE, WINDOW, turn, 2);
    for (unsigned i = 0; i < 2; i++)
        tables[i][0] = (uint32_t)(area + i * PAGE) | 7;
    write_cr3((uint32_t)directories[0]);
    write_cr0(read_cr0() | 0x80000000);
    for (uint32_t n = 0; n < 4 * TIMES; n++) {
        uint32_t page = ((code *)WINDOW)();
        wrong += page != 1 + now;
    }
    write_cr0(read_cr0() & 0x7fffffff);
    check(name, wrong, 0);
}

static void remapped(void)
{
    for (unsigned i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < 1024; k++)
            directories[i][k] = k << 22 | 0x87;
        directories[i][WINDOW >> 22] = (uint32_t)tables[i] | 7;
    }
    write_cr4(read_cr4() | 1 << 4);
    elsewhere("a page mapped anew before it is returned to", turn_entry);
    elsewhere("another address space", turn_directory);
}

int guest_main(void)
{
    deeply();
    changed();
    skipped();
    switched();
    overwritten();
    remapped();
    return 0;
}
