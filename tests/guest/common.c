/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the runtime's two widths share: the console, checks, and the end. */
#ifdef __x86_64__
#include "guest64.h"
#else
#include "guest.h"
#endif

volatile struct fault fault;
void (*volatile guest_hook)(struct frame *f);
volatile bool guest_hook_handled;
static unsigned failures;

static void put_char(char c)
{
    while (!(inb(0x3fd) & 0x20))
        ;
    outb(0x3f8, (uint8_t)c);
}

void print(const char *s)
{
    while (*s)
        put_char(*s++);
}

void print_hex(guest_word v)
{
    for (int i = 8 * (int)sizeof v - 4; i >= 0; i -= 4)
        put_char("0123456789abcdef"[v >> i & 15]);
}

void check(const char *name, guest_word got, guest_word expected)
{
    print(got == expected ? "ok " : "FAIL ");
    print(name);
    if (got != expected) {
        failures++;
        print(": got ");
        print_hex(got);
        print(", expected ");
        print_hex(expected);
    }
    print("\n");
}

static bool has_error(guest_word vector) { return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17; }

void check_fault(const char *name, unsigned vector, guest_word error)
{
    guest_word got = fault.taken ? fault.vector << 16 | (has_error(fault.vector) ? fault.error : 0) : (guest_word)-1;
    check(name, got, (guest_word)vector << 16 | (has_error(vector) ? error : 0));
}

void check_no_fault(const char *name)
{
    check(name, fault.taken ? fault.vector << 16 | fault.error : (guest_word)-1, (guest_word)-1);
}

_Noreturn void guest_exit(int status)
{
    print(failures || status ? "FAILED\n" : "PASSED\n");
    outb(0xf4, failures || status);
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* gcc may call these. */
void *memset(void *p, int c, size_t n);
void *memcpy(void *d, const void *s, size_t n);
void *memset(void *p, int c, size_t n)
{
    uint8_t *b = p;
    while (n--)
        *b++ = (uint8_t)c;
    return p;
}
void *memcpy(void *d, const void *s, size_t n)
{
    uint8_t *a = d;
    const uint8_t *b = s;
    while (n--)
        *a++ = *b++;
    return d;
}
