/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime of guest.h for long mode: what differs is the frame and the tables. */
#ifndef REPRISE_TESTS_GUEST64_H
#define REPRISE_TESTS_GUEST64_H

#include "common.h"

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

/* Runs code at privilege level 3 with arg in RAX until `int $0x30` or an exception: RAX, or 0xdead0000 | vector. */
extern uint64_t user_base;        /* where user code and its stack are mapped, relative to their addresses here */
uint64_t run_user(void (*code)(void), uint64_t arg);
uint64_t run_user32(void (*code)(void), uint64_t arg);

#endif
