/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime in protected mode: tables, exceptions, and code at privilege level 3. */
#include "guest.h"

volatile uint32_t guest_resume, guest_esp;

uint64_t gdt[32] __attribute__((aligned(16)));
uint64_t idt[256] __attribute__((aligned(16)));
struct tss tss __attribute__((aligned(16)));
static struct tss df_tss __attribute__((aligned(16)));
static uint8_t user_stack[4096], df_stack[4096], ring0_stack[8192];
extern uint32_t stub_table[64];

/* ---- tables ------------------------------------------------------------------- */

uint64_t descriptor(uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

uint64_t gate(uint32_t offset, unsigned selector, unsigned access, unsigned params)
{
    return (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)params << 32 | (uint64_t)access << 40 |
           (uint64_t)(offset >> 16) << 48;
}

void set_idt(unsigned vector, void *handler, unsigned access)
{
    idt[vector] = gate((uint32_t)handler, SEL_CODE, access, 0);
}

static void double_fault(void)
{
    print("FAIL: double fault\n");
    guest_exit(1);
}

void guest_setup(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) gdtr = { sizeof gdt - 1, (uint32_t)gdt }, idtr = { sizeof idt - 1, (uint32_t)idt };
    gdt[SEL_CODE / 8] = descriptor(0, 0xfffff, 0x9b, 0xc);
    gdt[SEL_DATA / 8] = descriptor(0, 0xfffff, 0x93, 0xc);
    gdt[SEL_UCODE / 8] = descriptor(0, 0xfffff, 0xfb, 0xc);
    gdt[SEL_UDATA / 8] = descriptor(0, 0xfffff, 0xf3, 0xc);
    gdt[SEL_CODE16 / 8] = descriptor(0, 0xffff, 0x9b, 0);
    gdt[SEL_DATA16 / 8] = descriptor(0, 0xffff, 0x93, 0);
    tss.esp0 = (uint32_t)(ring0_stack + sizeof ring0_stack);
    tss.ss0 = SEL_DATA;
    tss.iomap = sizeof tss;
    gdt[SEL_TSS / 8] = descriptor((uint32_t)&tss, 0x67, 0x89, 0);
    df_tss = (struct tss){ .eip = (uint32_t)double_fault, .cs = SEL_CODE, .ss = SEL_DATA, .ds = SEL_DATA,
                           .es = SEL_DATA, .esp = (uint32_t)(df_stack + sizeof df_stack), .eflags = 2,
                           .iomap = sizeof tss };
    gdt[SEL_DFTSS / 8] = descriptor((uint32_t)&df_tss, 0x67, 0x89, 0);
    for (unsigned v = 0; v < 64; v++)
        if (stub_table[v])
            set_idt(v, (void *)stub_table[v], v == 3 || v == 4 || v == 0x30 ? 0xee : 0x8e);
    idt[8] = gate(0, SEL_DFTSS, 0x85, 0);
    __asm__ volatile("lgdt %0\n lidt %1\n"
                     "ljmp %2, $1f\n1:\n"
                     "mov %3, %%ds\n mov %3, %%es\n mov %3, %%ss\n mov %3, %%fs\n mov %3, %%gs\n"
                     "ltr %w4"
                     :
                     : "m"(gdtr), "m"(idtr), "i"(SEL_CODE), "r"(SEL_DATA), "r"(SEL_TSS)
                     : "memory");
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
}

/* ---- exceptions --------------------------------------------------------------- */

static uint32_t user_result, user_return_esp, user_return_eip;

static void leave_user(struct frame *f, uint32_t result);

void guest_exception(struct frame *f)
{
    guest_hook_handled = false;
    if (guest_hook)
        guest_hook(f);
    if (guest_hook_handled)
        return;
    uint32_t cr2;
    __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
    if (f->vector == 0x30) {
        leave_user(f, f->eax);
        return;
    }
    if (!fault.taken)
        fault = (struct fault){ true, f->vector, f->error, cr2, f->eip, f->cs, f->eflags };
    if ((f->cs & 3) == 3 || f->eflags & 0x20000) {
        leave_user(f, 0xdead0000 | f->vector);
        return;
    }
    if (!guest_resume) {
        print("FAIL unexpected exception ");
        print_hex(f->vector);
        print(" error ");
        print_hex(f->error);
        print(" at ");
        print_hex(f->eip);
        print(" cr2 ");
        print_hex(cr2);
        print("\n");
        guest_exit(1);
    }
    f->eip = guest_resume;
    f->cs = SEL_CODE;
    f->eflags &= ~0x100u;
}

/* Returns to run_user's caller rather than to the interrupted code. */
static void leave_user(struct frame *f, uint32_t result)
{
    (void)f;
    user_result = result;
    __asm__ volatile("mov %0, %%esp\n jmp *%1" : : "r"(user_return_esp), "r"(user_return_eip));
    __builtin_unreachable();
}

uint32_t run_user(void (*code)(void), uint32_t arg)
{
    fault = (struct fault){ 0 };
    __asm__ volatile("push %%ebx; push %%esi; push %%edi; push %%ebp\n"
                     "mov %%esp, %[esp]\n"
                     "movl $1f, %[eip]\n"
                     "mov %[uds], %%eax; mov %%eax, %%ds; mov %%eax, %%es\n"
                     "push %[uds]; push %[stack]; pushf; push %[ucs]; push %[code]\n"
                     "mov %[arg], %%eax\n"
                     "iret\n"
                     "1: pop %%ebp; pop %%edi; pop %%esi; pop %%ebx\n"
                     "mov %[kds], %%eax; mov %%eax, %%ds; mov %%eax, %%es\n"
                     : [esp] "=m"(user_return_esp), [eip] "=m"(user_return_eip)
                     : [uds] "i"(SEL_UDATA), [ucs] "i"(SEL_UCODE), [kds] "i"(SEL_DATA),
                       [stack] "c"(user_stack + sizeof user_stack - 16), [code] "d"(code), [arg] "S"(arg)
                     : "eax", "memory", "cc");
    return user_result;
}

/* As run_user, but entry runs in ring 0 with arg in EAX and leaves by an IRET of its own making. */
uint32_t run_kernel_frame(void (*entry)(void), uint32_t arg);
uint32_t run_kernel_frame(void (*entry)(void), uint32_t arg)
{
    __asm__ volatile("push %%ebx; push %%esi; push %%edi; push %%ebp\n"
                     "mov %%esp, %[esp]\n"
                     "movl $1f, %[eip]\n"
                     "jmp *%[entry]\n"
                     "1: pop %%ebp; pop %%edi; pop %%esi; pop %%ebx\n"
                     "mov %[kds], %%eax; mov %%eax, %%ds; mov %%eax, %%es\n"
                     : [esp] "=m"(user_return_esp), [eip] "=m"(user_return_eip), "+a"(arg)
                     : [kds] "i"(SEL_DATA), [entry] "d"(entry)
                     : "ecx", "memory", "cc");
    return user_result;
}
