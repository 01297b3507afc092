/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime in long mode: tables, exceptions, and code at privilege level 3. */
#include "guest64.h"

volatile uint64_t guest_resume, guest_rsp;

uint64_t gdt[32] __attribute__((aligned(16))) = {
    [SEL_CODE / 8] = 0x00af9b000000ffff,    [SEL_DATA / 8] = 0x00cf93000000ffff, [SEL_UCODE32 / 8] = 0x00cffb000000ffff,
    [SEL_UDATA / 8] = 0x00cff3000000ffff,   [SEL_UCODE / 8] = 0x00affb000000ffff, [SEL_CODE32 / 8] = 0x00cf9b000000ffff,
};
struct gate64 idt[64] __attribute__((aligned(16)));
struct tss64 tss __attribute__((aligned(16)));
uint8_t ring0_stack[8192] __attribute__((aligned(16))), ist_stack[4096] __attribute__((aligned(16)));
uint64_t user_base;
extern uint8_t stubs[64][16];

/* ---- tables ------------------------------------------------------------------- */

struct gate64 gate64(void *offset, unsigned selector, unsigned access, unsigned ist)
{
    uint64_t at = (uint64_t)offset;
    return (struct gate64){ (at & 0xffff) | (uint64_t)selector << 16 | (uint64_t)ist << 32 | (uint64_t)access << 40 |
                                (at >> 16 & 0xffff) << 48,
                            at >> 32 };
}

void set_ist(unsigned vector, unsigned ist)
{
    idt[vector].low = (idt[vector].low & ~((uint64_t)7 << 32)) | (uint64_t)ist << 32;
}

void guest_setup(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr = { sizeof idt - 1, (uint64_t)idt };
    uint64_t at = (uint64_t)&tss;
    gdt[SEL_TSS / 8] = (sizeof tss - 1) | (at & 0xffffff) << 16 | (uint64_t)0x89 << 40 | (at >> 24 & 0xff) << 56;
    gdt[SEL_TSS / 8 + 1] = at >> 32;
    tss.rsp[0] = (uint64_t)(ring0_stack + sizeof ring0_stack);
    tss.ist[0] = (uint64_t)(ist_stack + sizeof ist_stack);
    tss.iomap = offsetof(struct tss64, bitmap);
    for (unsigned i = 0; i < sizeof tss.bitmap; i++)
        tss.bitmap[i] = 0xff;
    for (unsigned v = 0; v < 64; v++)
        idt[v] = gate64(stubs[v], SEL_CODE, v == 3 || v == 4 || v == 0x30 ? 0xee : 0x8e, 0);
    __asm__ volatile("lidt %0\n ltr %w1" : : "m"(idtr), "r"(SEL_TSS) : "memory");
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
}

/* ---- exceptions --------------------------------------------------------------- */

_Noreturn void leave_user(uint64_t result);
uint64_t run_user_asm(void (*code)(void), uint64_t cs, uint64_t arg);

void clear_fault(void) { fault.taken = false; }

void guest_exception(struct frame *f)
{
    guest_hook_handled = false;
    if (guest_hook)
        guest_hook(f);
    if (guest_hook_handled)
        return;
    if (f->vector == 0x30)
        leave_user(f->rax);
    if (!fault.taken) {
        uint64_t cr2;
        __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
        fault.taken = true;
        fault.vector = f->vector;
        fault.error = f->error;
        fault.cr2 = cr2;
        fault.frame = (uint64_t)f;
        fault.f = *f;
    }
    if ((f->cs & 3) == 3)
        leave_user(0xdead0000 | f->vector);
    if (!guest_resume) {
        print("FAIL unexpected exception ");
        print_hex(f->vector << 32 | f->error);
        print(" at ");
        print_hex(f->rip);
        print("\n");
        guest_exit(1);
    }
    f->rip = guest_resume;
    f->cs = SEL_CODE;
    f->ss = SEL_DATA;
    f->rsp = guest_rsp;
    f->rflags &= ~UINT64_C(0x40100);
}

uint64_t run_user(void (*code)(void), uint64_t arg)
{
    clear_fault();
    return run_user_asm(code, SEL_UCODE, arg);
}

uint64_t run_user32(void (*code)(void), uint64_t arg)
{
    clear_fault();
    return run_user_asm(code, SEL_UCODE32, arg);
}
