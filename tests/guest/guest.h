/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small runtime for bare-metal tests of what user mode cannot run.  A test
 * is a Multiboot image that checks itself, prints a line per check on COM1,
 * and ends through isa-debug-exit (port 0xf4): 0 all passed, 1 some failed.
 * The same images run on any PC emulator, which keeps the expectations honest.
 */
#ifndef REPRISE_TESTS_GUEST_H
#define REPRISE_TESTS_GUEST_H

#include "common.h"

/* What the exception stubs leave on the stack. */
struct frame {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, esp_dummy, ebx, edx, ecx, eax;
    uint32_t vector, error;
    uint32_t eip, cs, eflags;
    uint32_t esp, ss;             /* only from an outer privilege level */
    uint32_t v_es, v_ds, v_fs, v_gs; /* only from virtual-8086 mode */
};

/* The last exception seen by TRY. */
struct fault {
    bool taken;
    uint32_t vector, error, cr2, eip, cs, eflags;
};
extern volatile struct fault fault;
extern volatile uint32_t guest_resume;         /* where the handler continues; 0: an exception ends the test */
extern volatile uint32_t guest_esp;            /* TRY's stack pointer, restored behind it */

/*
 * Runs asm text; an exception in it ends it and is recorded in `fault`.  outs
 * and ins are operands as in extended asm, possibly empty.
 */
#define TRY(text, outs, ins)                                                             \
    do {                                                                                 \
        fault = (struct fault){ 0 };                                                     \
        __asm__ volatile("movl $77f, guest_resume\n movl %%esp, guest_esp\n" text              \
                         "\n77: movl $0, guest_resume\n movl guest_esp, %%esp"            \
                         : outs                                                          \
                         : ins                                                           \
                         : "memory", "cc");                                              \
    } while (0)

/* Selectors of the runtime's GDT. */
enum { SEL_NULL = 0, SEL_SPARE0 = 0x08, SEL_CODE = 0x10, SEL_DATA = 0x18, SEL_UCODE = 0x23, SEL_UDATA = 0x2b,
       SEL_TSS = 0x30, SEL_TEST = 0x38, SEL_TEST2 = 0x40, SEL_TEST3 = 0x48, SEL_TSS2 = 0x50, SEL_GATE = 0x58,
       SEL_LDT = 0x60, SEL_CODE16 = 0x68, SEL_DATA16 = 0x70, SEL_DFTSS = 0x78 };
extern uint64_t gdt[32];
extern uint64_t idt[256];

struct tss {
    uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, iomap;
    uint8_t bitmap[8193];
} __attribute__((packed));
extern struct tss tss;

/* type: access byte (P, DPL, S, type); flags: G D L AVL as the high nibble. */
uint64_t descriptor(uint32_t base, uint32_t limit, unsigned access, unsigned flags);
uint64_t gate(uint32_t offset, unsigned selector, unsigned access, unsigned params);
void set_idt(unsigned vector, void *handler, unsigned access);

/*
 * Runs code(arg) at privilege level 3 on its own stack until it executes
 * `int $0x30`; returns EAX at that point.  Exceptions go to TRY's record and end it too.
 */
uint32_t run_user(void (*code)(void), uint32_t arg);

#endif
