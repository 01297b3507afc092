/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual-8086 mode, and its extensions (CR4.VME): the virtual interrupt flag and redirected INT n. */
#include "guest.h"

static uint8_t *const v86_code = (uint8_t *)0x8000;
static volatile uint32_t v86_frames;
static struct frame v86_last;
static uint32_t more_flags;

static void on_v86(struct frame *f)
{
    if (f->eflags & 0x20000) {
        v86_frames++;
        v86_last = *f;
    }
}

uint32_t run_v86(uint32_t eflags);

static void enter_v86(const uint8_t *code, unsigned size, unsigned iopl)
{
    for (unsigned i = 0; i < size; i++)
        v86_code[i] = code[i];
    fault = (struct fault){ 0 };
    v86_frames = 0;
    /* run_user's way back is used: guest_exception sees VM and leaves to it. */
    run_v86(0x20002 | iopl << 12 | more_flags);
}

extern void v86_entry(void);
__asm__("v86_entry:\n"
        "  pushl $0x800; pushl $0x800; pushl $0x800; pushl $0x800\n"  /* GS FS DS ES */
        "  pushl $0x800; pushl $0x1000\n"                             /* SS:SP */
        "  pushl %eax\n"                                              /* EFLAGS */
        "  pushl $0x800; pushl $0\n"                                  /* CS:IP = 0x8000 */
        "  iret\n");

extern uint32_t run_kernel_frame(void (*entry)(void), uint32_t arg);

static void plain(void)
{
    static const uint8_t store[] = { 0xb8, 0x34, 0x12, 0x8c, 0xcb, 0x8e, 0xdb, 0xa3, 0x00, 0x02, 0xf4 };
    static const uint8_t software_int[] = { 0xcd, 0x21 };
    static const uint8_t cli[] = { 0xfa };
    static const uint8_t limit[] = { 0xb9, 0xff, 0xff, 0x89, 0xcb, 0x8b, 0x07 };
    guest_hook = on_v86;
    enter_v86(store, sizeof store, 3);
    check_fault("HLT in virtual-8086 mode", 13, 0);
    check("16-bit code ran", v86_last.eax & 0xffff, 0x1234);
    check("and stored through DS", *(uint16_t *)0x8200, 0x1234);
    check("data segments are saved and cleared", v86_last.v_ds << 16 | v86_last.ds, 0x0800 << 16);
    check("IP at the fault", v86_last.eip, 10);
    enter_v86(software_int, sizeof software_int, 0);
    check_fault("INT n with IOPL below 3", 13, 0);
    enter_v86(cli, sizeof cli, 0);
    check_fault("CLI with IOPL below 3", 13, 0);
    enter_v86(limit, sizeof limit, 3);
    check_fault("word access across 64 KiB", 13, 0);
    guest_hook = NULL;
}

/* ---- VME (SDM vol. 3, 20.3) --------------------------------------------------------------- */

enum { VIF = 1 << 19, VIP = 1 << 20, IF = 1 << 9 };

static uint32_t run(const uint8_t *code, unsigned size, unsigned iopl, uint32_t flags)
{
    more_flags = flags;
    enter_v86(code, size, iopl);
    more_flags = 0;
    return v86_last.eflags;
}

static void vme(void)
{
    static const uint8_t sti_hlt[] = { 0xfb, 0xf4 }, cli_hlt[] = { 0xfa, 0xf4 };
    static const uint8_t pushf_hlt[] = { 0x9c, 0x58, 0xf4 };                     /* pushf; pop ax; hlt */
    static const uint8_t popf_hlt[] = { 0xb8, 0x00, 0x02, 0x50, 0x9d, 0xf4 };    /* mov ax,IF; push ax; popf; hlt */
    static const uint8_t popfd[] = { 0x66, 0x9d };
    static const uint8_t iret_hlt[] = { 0xb8, 0x02, 0x02, 0x50, 0x0e, 0xb8, 0x0a, 0x00, 0x50, 0xcf, 0xf4 };
    static const uint8_t int21[] = { 0xcd, 0x21, 0xf4 };
    uint32_t features, ax = 1;
    __asm__ volatile("cpuid" : "=d"(features), "+a"(ax) : : "ebx", "ecx");
    if (!(features & 2)) {
        print("-- no VME here\n");
        return;
    }
    write_cr4(read_cr4() | 1);
    guest_hook = on_v86;
    uint32_t f = run(sti_hlt, sizeof sti_hlt, 0, 0);
    check_fault("STI with IOPL 0 goes on to HLT", 13, 0);
    check("it sets VIF, not IF", f & (VIF | IF), VIF);
    f = run(cli_hlt, sizeof cli_hlt, 0, VIF);
    check("CLI clears VIF", f & VIF, 0);
    run(sti_hlt, sizeof sti_hlt, 0, VIP);
    check("STI with VIP faults", v86_last.eip, 0);
    run(pushf_hlt, sizeof pushf_hlt, 0, VIF);
    check("PUSHF shows VIF as IF, and IOPL 3", v86_last.eax & 0x3200, 0x3200);
    f = run(popf_hlt, sizeof popf_hlt, 0, 0);
    check("POPF sets VIF", f & (VIF | IF), VIF);
    run(popf_hlt, sizeof popf_hlt, 0, VIP);
    check("POPF of IF with VIP faults", v86_last.eip, 4);
    run(popfd, sizeof popfd, 0, 0);
    check("32-bit POPF faults", v86_last.eip, 0);
    f = run(iret_hlt, sizeof iret_hlt, 0, 0);
    check("IRET sets VIF", f & (VIF | IF), VIF);
    check("and returns", v86_last.eip, 10);
    /* INT 21h through the task's IVT: the handler is HLT at 0x8100. */
    *(volatile uint8_t *)0x8100 = 0xf4;
    *(volatile uint32_t *)(0x21 * 4) = 0x08000100;
    tss.iomap = offsetof(struct tss, bitmap) + 32;
    gdt[SEL_TSS / 8] = descriptor((uint32_t)&tss, sizeof tss - 1, 0x89, 0);
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
    f = run(int21, sizeof int21, 0, VIF);
    check("INT redirected with IOPL 0", v86_last.cs << 16 | v86_last.eip, 0x0800 << 16 | 0x100);
    check("VIF is cleared", f & VIF, 0);
    check("the pushed flags show it as IF", *(volatile uint16_t *)(0x8000 + 0xffe) & 0x3200, 0x3200);
    f = run(int21, sizeof int21, 3, IF);
    check("INT redirected with IOPL 3", v86_last.eip, 0x100);
    check("IF is cleared", f & IF, 0);
    tss.bitmap[0x21 / 8] = 1 << (0x21 % 8);
    run(int21, sizeof int21, 0, 0);
    check_fault("INT that is not redirected, IOPL 0", 13, 0);
    check("at the INT", v86_last.eip, 0);
    write_cr4(read_cr4() & ~1u);
    guest_hook = NULL;
}

int guest_main(void)
{
    plain();
    vme();
    return 0;
}

/* run_user's frame, entered through code that builds its own IRET frame. */
uint32_t run_v86(uint32_t eflags) { return run_kernel_frame(v86_entry, eflags); }
