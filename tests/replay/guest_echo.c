/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of these tests: says that it is there, sleeps between ticks of the 8254, reads the RTC at each, echoes
 * what comes on COM1, ends at a 'q'.  So its log has input, clock, warp and hash events.
 */
#include "guest.h"

static volatile uint32_t ticks;

static void on_interrupt(struct frame *f)
{
    if (f->vector < 0x20 || f->vector > 0x2f)
        return;
    ticks++;
    guest_hook_handled = true;
    if (f->vector >= 0x28)
        outb(0xa0, 0x20);
    outb(0x20, 0x20);
}

static void setup(void)
{
    outb(0x20, 0x11), outb(0x21, 0x20), outb(0x21, 4), outb(0x21, 1);
    outb(0xa0, 0x11), outb(0xa1, 0x28), outb(0xa1, 2), outb(0xa1, 1);
    outb(0x21, 0xff & ~0x11), outb(0xa1, 0xff);
    outb(0x43, 0x34), outb(0x40, 0x00), outb(0x40, 0x40);   /* 73 Hz */
    outb(0x3f9, 1);                                         /* receiver interrupt */
    guest_hook = on_interrupt;
}

int guest_main(void)
{
    setup();
    print("echo guest\n");
    for (;;) {
        __asm__ volatile("sti\n hlt\n cli");
        outb(0x70, 0);
        uint8_t second = inb(0x71);
        while (inb(0x3fd) & 1) {
            char text[2] = { (char)inb(0x3f8), 0 };
            print(text);
            if (text[0] == 'q')
                return 0;
            if (text[0] == '?')
                print_hex(ticks ^ second);
        }
    }
}
