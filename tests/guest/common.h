/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console and checks, for guest.h and guest64.h; they differ in the width of a check. */
#ifndef REPRISE_TESTS_GUEST_COMMON_H
#define REPRISE_TESTS_GUEST_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned long guest_word;   /* a general register */

struct frame;
extern void (*volatile guest_hook)(struct frame *f);  /* sees every exception first; may change the frame */
extern volatile bool guest_hook_handled;              /* by the hook: the runtime has nothing to do */

void print(const char *s);
void print_hex(guest_word v);
/* One check: prints "ok name" or "FAIL name: got X, expected Y". */
void check(const char *name, guest_word got, guest_word expected);
/* After TRY or run_user: exactly this exception; error is ignored for vectors that push none. */
void check_fault(const char *name, unsigned vector, guest_word error);
void check_no_fault(const char *name);
_Noreturn void guest_exit(int status);

static inline void outb(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
static inline uint8_t inb(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline guest_word read_cr0(void) { guest_word v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)); return v; }
static inline guest_word read_cr3(void) { guest_word v; __asm__ volatile("mov %%cr3, %0" : "=r"(v)); return v; }
static inline guest_word read_cr4(void) { guest_word v; __asm__ volatile("mov %%cr4, %0" : "=r"(v)); return v; }
static inline void write_cr0(guest_word v) { __asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
static inline void write_cr3(guest_word v) { __asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
static inline void write_cr4(guest_word v) { __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }
static inline uint64_t rdmsr(uint32_t n)
{
    uint32_t lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(n));
    return lo | (uint64_t)hi << 32;
}
static inline void wrmsr(uint32_t n, uint64_t v)
{
    __asm__ volatile("wrmsr" : : "c"(n), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

/* Each runtime's, and the test's. */
void guest_setup(void);
void guest_exception(struct frame *f);
int guest_main(void);

#endif
