/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of the command line's tests: sleeps until COM1 receives, echoes it (a break as "<break>"), ends at a 'q'.
 * Nothing else wakes it.  At a '!' it causes a general protection fault, a software interrupt that has no gate,
 * and a page fault; at a '~' it computes for fifty million instructions.
 */
#include "guest.h"

enum { COM1 = 0x3f8, IER = COM1 + 1, MCR = COM1 + 4, LSR = COM1 + 5, LSR_DR = 1, LSR_BI = 16 };
enum { PIC1 = 0x20, PIC2 = 0xa0, EOI = 0x20 };

static void on_interrupt(struct frame *f)
{
    if (f->vector < 0x20 || f->vector > 0x2f)
        return;
    guest_hook_handled = true;
    outb(PIC1, EOI);
}

/* Interrupts at vectors 0x20 and 0x28 on, all masked but COM1's. */
static void setup(void)
{
    outb(PIC1, 0x11), outb(PIC1 + 1, 0x20), outb(PIC1 + 1, 4), outb(PIC1 + 1, 1);
    outb(PIC2, 0x11), outb(PIC2 + 1, 0x28), outb(PIC2 + 1, 2), outb(PIC2 + 1, 1);
    outb(PIC1 + 1, 0xff & ~0x10), outb(PIC2 + 1, 0xff);
    outb(IER, 1), outb(MCR, 0x0b);   /* data received; OUT2 lets interrupts through */
    guest_hook = on_interrupt;
}

enum { CR4_PSE = 1 << 4, PDE_P = 1, PDE_W = 2, PDE_PS = 1 << 7 };
#define CR0_PG (1u << 31)

static void faults(void)
{
    static uint32_t directory[1024] __attribute__((aligned(4096)));
    directory[0] = PDE_P | PDE_W | PDE_PS;        /* the first 4 MiB, where we are */
    TRY("movw %%ax, %%gs", , "a"(0x1238));
    TRY("int $0x40", , );
    write_cr4(CR4_PSE), write_cr3((uint32_t)directory), write_cr0(read_cr0() | CR0_PG);
    TRY("movl %%eax, 0x40000000", , );
    write_cr0(read_cr0() & ~CR0_PG);
}

int guest_main(void)
{
    setup();
    for (;;) {
        uint8_t status;
        __asm__ volatile("sti\n hlt\n cli");
        while ((status = inb(LSR)) & LSR_DR) {
            char text[2] = { (char)inb(COM1), 0 };
            print(status & LSR_BI ? "<break>" : text);
            if (text[0] == '!')
                faults();
            if (text[0] == '~')
                for (uint32_t i = 25000000; i; i--)
                    __asm__ volatile("");
            if (text[0] == 'q')
                return 0;
        }
    }
}
