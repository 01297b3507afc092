/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hardware task switches, interrupts and shadows, exceptions, debug registers, single step. */
#include "guest.h"

/* ---- tasks ------------------------------------------------------------------- */

static struct tss other __attribute__((aligned(16)));
static uint8_t other_stack[4096];
static volatile uint32_t task_ran, task_link, task_nt;

static void other_task(void)
{
    for (;;) {
        uint32_t flags;
        __asm__ volatile("pushf; pop %0" : "=r"(flags));
        task_ran++;
        task_link = other.link;
        task_nt = flags >> 14 & 1;
        __asm__ volatile("iret");
    }
}

static unsigned busy(unsigned sel) { return gdt[sel / 8] >> 41 & 1; }

static void tasks(void)
{
    other = (struct tss){ .eip = (uint32_t)other_task, .cs = SEL_CODE, .ss = SEL_DATA, .ds = SEL_DATA, .es = SEL_DATA,
                          .esp = (uint32_t)(other_stack + sizeof other_stack), .eflags = 2, .ecx = 0x55,
                          .iomap = sizeof other };
    gdt[SEL_TSS2 / 8] = descriptor((uint32_t)&other, 0x67, 0x89, 0);
    TRY("lcall %0, $0", , "i"(SEL_TSS2));
    check_no_fault("CALL to a task");
    check("the task ran", task_ran, 1);
    check("its back link", task_link & 0xffff, SEL_TSS);
    check("its NT flag", task_nt, 1);
    check("the other TSS is free again", busy(SEL_TSS2), 0);
    check("ours is busy", busy(SEL_TSS), 1);
    gdt[SEL_GATE / 8] = gate(0, SEL_TSS2, 0x85, 0);
    TRY("lcall %0, $0", , "i"(SEL_GATE));
    check("CALL through a task gate", task_ran, 2);
    idt[0x28] = gate(0, SEL_TSS2, 0x85, 0);
    TRY("int $0x28", , );
    check("interrupt through a task gate", task_ran, 3);
    gdt[SEL_TSS2 / 8] |= UINT64_C(2) << 40;
    TRY("lcall %0, $0", , "i"(SEL_TSS2));
    check_fault("CALL to a busy task", 13, SEL_TSS2);
    gdt[SEL_TSS2 / 8] = descriptor((uint32_t)&other, 0x66, 0x89, 0);
    TRY("lcall %0, $0", , "i"(SEL_TSS2));
    check_fault("TSS limit too small", 10, SEL_TSS2);
    gdt[SEL_TSS2 / 8] = descriptor((uint32_t)&other, 0x67, 0x09, 0);
    TRY("lcall %0, $0", , "i"(SEL_TSS2));
    check_fault("TSS not present", 11, SEL_TSS2);
    uint32_t tr;
    __asm__ volatile("str %0" : "=r"(tr));
    check("TR after all that", tr & 0xffff, SEL_TSS);
    uint32_t cr0 = read_cr0();
    check("CR0.TS is set by a switch", cr0 >> 3 & 1, 1);
    __asm__ volatile("clts");
}

/* A 16-bit TSS: what it holds is 16 bits wide; the upper halves of the registers are undefined. */
static struct {
    uint16_t link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags, ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
} tss16 __attribute__((aligned(16)));
static volatile uint32_t ran16, ecx16;

extern void task16(void);
extern uint8_t code16[];
__asm__(".text\n .code16\n code16: movw %cx, %ss:(%si)\n movw $1, %ss:(%di)\n iret\n .code32\n");

static void task_16bit(void)
{
    gdt[SEL_CODE16 / 8] = descriptor((uint32_t)code16, 0xffff, 0x9b, 0);
    tss16.ip = 0;
    tss16.flags = 2;
    tss16.cx = 0x1234;
    tss16.cs = SEL_CODE16;
    tss16.ds = tss16.es = SEL_DATA;
    /* SI and DI have 16 bits: SS has a base from which they reach the results. */
    uint32_t base = (uint32_t)&ecx16 & ~0xffffu;
    gdt[SEL_TEST2 / 8] = descriptor(base, 0xfffff, 0x93, 0xc);
    tss16.ss = SEL_TEST2;
    tss16.si = (uint16_t)((uint32_t)&ecx16 - base);
    tss16.di = (uint16_t)((uint32_t)&ran16 - base);
    gdt[SEL_TSS2 / 8] = descriptor((uint32_t)&tss16, 0x2b, 0x81, 0);
    TRY("lcall %0, $0", , "i"(SEL_TSS2));
    check_no_fault("CALL to a 16-bit task");
    check("it ran", ran16, 1);
    check("with its CX", ecx16, 0x1234);
    check("back link of 16 bits", tss16.link, SEL_TSS);
    gdt[SEL_TSS2 / 8] = descriptor((uint32_t)&tss16, 0x2a, 0x81, 0);
    TRY("lcall %0, $0", , "i"(SEL_TSS2));
    check_fault("16-bit TSS too small", 10, SEL_TSS2);
}

/* #DF through a task gate: the old task's state is in its TSS, the error code on the new one's stack. */
static struct tss df_task;
static uint8_t df_task_stack[4096];
static volatile uint32_t df_error, df_old_eip;
static uint32_t df_resume;

static void df_handler(void)
{
    for (;;) {
        df_error = *(volatile uint32_t *)(df_task_stack + sizeof df_task_stack - 4);
        df_old_eip = tss.eip;
        tss.eip = df_resume;
        df_task.esp = (uint32_t)(df_task_stack + sizeof df_task_stack);
        __asm__ volatile("mov %0, %%esp\n iret" : : "r"(df_task_stack + sizeof df_task_stack) : "memory");
    }
}

extern uint8_t df_div[], df_after[];

static void double_fault(void)
{
    uint64_t df = idt[8], np = idt[11], de = idt[0];
    df_task = (struct tss){ .eip = (uint32_t)df_handler, .cs = SEL_CODE, .ss = SEL_DATA, .ds = SEL_DATA, .es = SEL_DATA,
                            .esp = (uint32_t)(df_task_stack + sizeof df_task_stack), .eflags = 2,
                            .iomap = sizeof df_task };
    gdt[SEL_TSS2 / 8] = descriptor((uint32_t)&df_task, 0x67, 0x89, 0);
    idt[8] = gate(0, SEL_TSS2, 0x85, 0);
    idt[0] &= ~(UINT64_C(1) << 47);             /* #DE's gate is not present: #NP, with #NP's not present either */
    idt[11] &= ~(UINT64_C(1) << 47);
    df_resume = (uint32_t)df_after;
    df_error = 0xffffffff;
    __asm__ volatile("xor %%edx, %%edx\n xor %%ecx, %%ecx\n df_div: div %%ecx\n df_after: nop"
                     : : : "eax", "ecx", "edx", "memory");
    check("#DE, #NP: double fault by a task", df_error, 0);
    check("EIP in the interrupted task's TSS", df_old_eip, (uint32_t)df_div);
    idt[8] = df;
    idt[11] = np;
    idt[0] = de;
    __asm__ volatile("clts");
}

/* ---- interrupts through the 8259, from the 8254 --------------------------------- */

static volatile uint32_t ticks, last_eip;
extern uint8_t after_sti[], after_sti_nop[];

static void on_tick(struct frame *f)
{
    if (f->vector != 32)
        return;
    ticks++;
    last_eip = f->eip;
    outb(0x20, 0x20);
    guest_hook_handled = true;
}

static void program_pit(unsigned mode, unsigned count)
{
    outb(0x43, (uint8_t)(0x30 | mode << 1));
    outb(0x40, (uint8_t)count);
    outb(0x40, (uint8_t)(count >> 8));
}

static void wait_irr(void)
{
    do
        outb(0x20, 0x0a);
    while (!(inb(0x20) & 1));
}

static void interrupts(void)
{
    outb(0x20, 0x11);
    outb(0x21, 0x20);
    outb(0x21, 4);
    outb(0x21, 1);
    outb(0xa0, 0x11);
    outb(0xa1, 0x28);
    outb(0xa1, 2);
    outb(0xa1, 1);
    outb(0x21, 0xfe);
    outb(0xa1, 0xff);
    guest_hook = on_tick;
    program_pit(0, 200);
    __asm__ volatile("sti");
    for (unsigned i = 0; !ticks && i < 100000000; i++)
        __asm__ volatile("pause");
    check("a timer interrupt arrives", ticks, 1);
    __asm__ volatile("cli");
    program_pit(0, 100);
    wait_irr();
    check("masked by IF it stays pending", ticks, 1);
    __asm__ volatile("sti\n after_sti: nop\n after_sti_nop: nop\n cli");
    check("taken after STI", ticks, 2);
    check("one instruction after STI", last_eip - (uint32_t)after_sti, 1);
    program_pit(0, 5000);
    __asm__ volatile("sti; hlt; cli");
    check("HLT wakes by the interrupt", ticks, 3);
    program_pit(0, 100);
    wait_irr();
    __asm__ volatile("sti\n mov %%ss, %%eax\n mov %%eax, %%ss\n 1: nop\n cli\n" : : : "eax");
    check("taken behind the MOV SS shadow", ticks, 4);
    outb(0x21, 0xff);
    guest_hook = NULL;
}

/* ---- debug registers ---------------------------------------------------------------- */

static volatile uint32_t watched, hits, dr6;
extern uint8_t break_here[];

static void on_debug(struct frame *f)
{
    if (f->vector != 1)
        return;
    uint32_t v;
    __asm__ volatile("mov %%dr6, %0" : "=r"(v));
    dr6 = v;
    __asm__ volatile("mov %0, %%dr6" : : "r"(0));
    hits++;
    last_eip = f->eip;
    f->eflags &= ~0x100u;
    if (v & 1)
        f->eflags |= 0x10000;      /* RF: step over an execution breakpoint */
    guest_hook_handled = true;
}

static void debug(void)
{
    guest_hook = on_debug;
    __asm__ volatile("mov %0, %%dr0\n mov %1, %%dr7" : : "r"(break_here), "r"(0x2));
    __asm__ volatile("nop\n break_here: nop\n nop");
    check("execution breakpoint", hits << 16 | (dr6 & 15), 1 << 16 | 1);
    check("it is a fault", last_eip, (uint32_t)break_here);
    hits = 0;
    __asm__ volatile("mov %0, %%dr1\n mov %1, %%dr7" : : "r"(&watched), "r"(0x8 | 0xd << 20));
    watched = 1;
    check("write watchpoint", hits << 16 | (dr6 & 15), 1 << 16 | 2);
    uint32_t v = watched;
    check("a read does not hit a write watchpoint", hits, 1);
    __asm__ volatile("mov %0, %%dr7" : : "r"(0x8 | 0xf << 20));
    v += watched;
    check("read-write watchpoint", hits, 2);
    __asm__ volatile("mov %0, %%dr7" : : "r"(0));
    hits = 0;
    __asm__ volatile("pushf; orl $0x100, (%%esp); popf; nop; nop" : : : "memory");
    check("single step: one trap after the next instruction", hits << 16 | (dr6 >> 14 & 1), 1 << 16 | 1);
    hits = 0;
    __asm__ volatile("pushf; orl $0x100, (%%esp); popf; mov %%ss, %%eax; mov %%eax, %%ss; nop; nop"
                     : : : "memory", "eax");
    check("single step of MOV from SS", hits, 1);
    __asm__ volatile("mov %0, %%dr7" : : "r"(1 << 13));
    TRY("mov %%dr0, %%eax", , );
    check("general detect", hits << 16 | (dr6 >> 13 & 1), 2 << 16 | 1);
    guest_hook = NULL;
    TRY(".byte 0xf1", , );
    check_fault("ICEBP", 1, 0);
    TRY("int3", , );
    check_fault("INT3", 3, 0);
    (void)v;
}

/* ---- exceptions ------------------------------------------------------------------------ */

static void exceptions(void)
{
    TRY("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; div %%ecx", , );
    check_fault("divide by zero", 0, 0);
    TRY("mov $0x7fffffff, %%eax; add $1, %%eax; into", , );
    check_fault("INTO", 4, 0);
    TRY("ud2", , );
    check_fault("UD2", 6, 0);
    TRY(".byte 0xf0, 0x90", , );
    check_fault("LOCK NOP", 6, 0);
    static const int32_t bounds[2] = { 1, 5 };
    TRY("mov $6, %%eax; bound %%eax, %0", , "m"(bounds));
    check_fault("BOUND", 5, 0);
    uint32_t cr0 = read_cr0();
    write_cr0(cr0 | 8);
    TRY("fnop", , );
    check_fault("x87 with TS", 7, 0);
    write_cr0((cr0 | 4) & ~8u);
    TRY("fnop", , );
    check_fault("x87 with EM", 7, 0);
    write_cr0((cr0 | 0x22) & ~12u);
    TRY("mov $0x12345678, %%ecx; rdmsr", , );
    check_fault("unknown MSR", 13, 0);
    TRY(".fill 14, 1, 0x66\n nop\n nop", , );
    check_no_fault("15-byte instruction");
    TRY(".fill 15, 1, 0x66\n nop\n nop", , );
    check_fault("16-byte instruction", 13, 0);
}

int guest_main(void)
{
    exceptions();
    tasks();
    task_16bit();
    double_fault();
    interrupts();
    debug();
    TRY("mov %%cr0, %%eax; and $0x7fffffff, %%eax; or $0x80000000, %%eax; "
        "and $0xfffffffe, %%eax; mov %%eax, %%cr0", , );
    check_fault("PG without PE", 13, 0);
    return 0;
}
