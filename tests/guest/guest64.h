/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime of guest.h for long mode: what differs is the frame, the tables and the width of a check. */
#ifndef REPRISE_TESTS_GUEST64_H
#define REPRISE_TESTS_GUEST64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the exception stubs leave on the stack. */
struct frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

/* The last exception seen by TRY or run_user. */
struct fault {
    bool taken;
    uint64_t vector, error, cr2, frame;   /* frame: the address of its stack frame */
    struct frame f;
};
extern volatile struct fault fault;
extern volatile uint64_t guest_resume, guest_rsp;
extern void (*volatile guest_hook)(struct frame *f);
extern volatile bool guest_hook_handled;

#define TRY(text, outs, ...)                                                                     \
    do {                                                                                         \
        clear_fault();                                                                           \
        __asm__ volatile("movq $77f, guest_resume\n movq %%rsp, guest_rsp\n" text                \
                         "\n77: movq $0, guest_resume\n movq guest_rsp, %%rsp"                   \
                         : outs                                                                  \
                         : __VA_ARGS__                                                           \
                         : "memory", "cc", "rax", "rcx", "rdx", "r11");                          \
    } while (0)
void clear_fault(void);

/* Selectors: as in guest.h where they mean the same. */
enum { SEL_CODE = 0x10, SEL_DATA = 0x18, SEL_UCODE32 = 0x23, SEL_UDATA = 0x2b, SEL_UCODE = 0x33, SEL_CODE32 = 0x38,
       SEL_TSS = 0x40, SEL_GATE = 0x50, SEL_LDT = 0x60, SEL_TEST = 0x70 };
extern uint64_t gdt[32];
struct gate64 {
    uint64_t low, high;
};
extern struct gate64 idt[64];
struct tss64 {
    uint32_t pad0;
    uint64_t rsp[3], pad1, ist[7], pad2;
    uint16_t pad3, iomap;
    uint8_t bitmap[64];
} __attribute__((packed));
extern struct tss64 tss;
extern uint8_t ring0_stack[8192], ist_stack[4096];
extern uint64_t pml4[512], pdpt[512], directories[4 * 512];

struct gate64 gate64(void *offset, unsigned selector, unsigned access, unsigned ist);
void set_ist(unsigned vector, unsigned ist);

void print(const char *s);
void check(const char *name, uint64_t got, uint64_t expected);
/* After TRY or run_user: exactly this exception; error is ignored for vectors that push none. */
void check_fault(const char *name, unsigned vector, uint64_t error);
void check_no_fault(const char *name);
_Noreturn void guest_exit(int status);

/* Runs code at privilege level 3 with arg in RAX until `int $0x30` or an exception: RAX, or 0xdead0000 | vector. */
extern uint64_t user_base;        /* where user code and its stack are mapped, relative to their addresses here */
uint64_t run_user(void (*code)(void), uint64_t arg);
uint64_t run_user32(void (*code)(void), uint64_t arg);

static inline void outb(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
static inline uint8_t inb(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline uint64_t read_cr0(void) { uint64_t v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)); return v; }
static inline uint64_t read_cr3(void) { uint64_t v; __asm__ volatile("mov %%cr3, %0" : "=r"(v)); return v; }
static inline uint64_t read_cr4(void) { uint64_t v; __asm__ volatile("mov %%cr4, %0" : "=r"(v)); return v; }
static inline void write_cr0(uint64_t v) { __asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
static inline void write_cr3(uint64_t v) { __asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
static inline void write_cr4(uint64_t v) { __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }
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

int guest_main(void);
void guest_setup(void);
void guest_exception(struct frame *f);

#endif
