/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long mode: interrupt frames, IST, double fault, NMI, fast system calls, compatibility mode, call gates, canonical
 * addresses, bases, debug registers, alignment, I/O permission, descriptors of 16 bytes. */
#include "guest64.h"

enum { EFER = 0xc0000080, STAR = 0xc0000081, LSTAR = 0xc0000082, CSTAR = 0xc0000083, FMASK = 0xc0000084,
       FS_BASE = 0xc0000100, GS_BASE = 0xc0000101, KERNEL_GS_BASE = 0xc0000102 };
#define HOLE UINT64_C(0x0000800000000000)     /* not canonical */

extern void user_ud(void), user_load(void), user_cli(void), user_syscall(void), user_syscall32(void), user_gate(void),
    user_out(void), user_misaligned(void), user_sgdt(void), user_segments(void), code32(void), syscall_entry(void),
    syscall_entry32(void), gate_target(void), user_sysenter(void), user_ac(void);
__asm__(".text\n"
        "user_ud: ud2\n"
        "user_load: mov (%rax), %rax\n int $0x30\n"
        "user_cli: cli\n"
        "user_syscall: mov $0x1111, %edi\n std\n syscall\n int $0x30\n"
        "user_sysenter: sysenter\n"
        "user_gate: lcall *1f(%rip)\n int $0x30\n 1: .long 0\n .word 0x53\n"
        "user_out: mov $0x80, %dx\n out %al, %dx\n mov $1, %eax\n int $0x30\n"
        "user_misaligned: pushf\n orl $0x40000, (%rsp)\n popf\n mov 1(%rax), %rcx\n int $0x30\n"
        "user_ac: pushf\n orl $0x40000, (%rsp)\n popf\n"
        "  mov 8(%rax), %rcx\n mov 1(%rax), %dl\n mov $7, %eax\n int $0x30\n"
        "user_sgdt: sgdt -16(%rsp)\n int $0x30\n"
        "user_segments: mov %ss, %eax\n shl $16, %eax\n mov %cs, %ecx\n or %ecx, %eax\n int $0x30\n"
        "syscall_entry: mov %rcx, syscall_rcx\n mov %r11, syscall_r11\n pushf\n pop syscall_flags\n"
        "  mov %cs, %eax\n mov %eax, syscall_cs\n mov %ss, %eax\n mov %eax, syscall_ss\n mov $0x77, %eax\n sysretq\n"
        "syscall_entry32: mov %rcx, syscall_rcx\n mov $0x78, %eax\n sysretl\n"
        "gate_target: mov %rsp, gate_rsp\n mov %ss, %eax\n mov %eax, gate_ss\n"
        "  mov 24(%rsp), %rax\n mov %rax, gate_old_ss\n"
        "  mov $0x99, %eax\n lretq\n"
        ".code32\n"
        "user_syscall32: syscall\n int $0x30\n"
        "code32: .byte 0x40\n .byte 0x67, 0x8d, 0x40, 0x01\n"
        "  mov $0xffffffff, %ecx\n add $3, %ecx\n mov %ecx, %eax\n int $0x30\n"
        ".code64\n");

uint64_t syscall_rcx, syscall_r11, syscall_flags, gate_rsp, gate_old_ss;
uint32_t syscall_cs, syscall_ss, gate_ss;

/* ---- frames ----------------------------------------------------------------------- */

static void frames(void)
{
    TRY("ud2", , );
    check_fault("UD2", 6, 0);
    check("frame is aligned to 16", (fault.frame + sizeof(struct frame)) & 15, 0);
    check("SS in ring 0's frame", fault.f.ss, SEL_DATA);
    check("RSP in ring 0's frame", fault.f.rsp, guest_rsp);
    run_user(user_ud, 0);
    check_fault("UD2 in ring 3", 6, 0);
    check("CS:SS in ring 3's frame", fault.f.cs << 16 | fault.f.ss, SEL_UCODE << 16 | SEL_UDATA);
    check("ring 3 is interrupted onto RSP0", fault.frame + sizeof(struct frame), tss.rsp[0]);
    check("RF is pushed by a fault", fault.f.rflags >> 16 & 1, 1);
    uint64_t rsp0 = tss.rsp[0];
    tss.rsp[0] = rsp0 - 8;
    run_user(user_ud, 0);
    check("RSP0 is aligned down", fault.frame + sizeof(struct frame), rsp0 - 16);
    tss.rsp[0] = rsp0;
    check("selectors of ring 3", run_user(user_segments, 0), SEL_UDATA << 16 | SEL_UCODE);
    run_user(user_cli, 0);
    check_fault("CLI in ring 3", 13, 0);
    set_ist(6, 1);
    TRY("ud2", , );
    check("IST1 is taken from ring 0 too", fault.frame + sizeof(struct frame), tss.ist[0]);
    set_ist(6, 0);
    TRY("int $0x31", , );
    check_fault("INT through a gate", 0x31, 0);
    struct gate64 old = idt[0x31];
    idt[0x31].low &= ~((uint64_t)1 << 47);
    TRY("int $0x31", , );
    check_fault("gate not present", 11, 0x31 * 8 + 2);
    idt[0x31] = gate64((void *)0, SEL_CODE, 0x85, 0);
    TRY("int $0x31", , );
    check_fault("task gate in long mode", 13, 0x31 * 8 + 2);
    idt[0x31] = gate64((void *)0, SEL_CODE32, 0x8e, 0);
    TRY("int $0x31", , );
    check_fault("gate to 32-bit code", 13, SEL_CODE32);
    idt[0x31] = old;
    TRY("int $0x50", , );
    check_fault("vector beyond the IDT", 13, 0x50 * 8 + 2);
}

/* #PF whose handler cannot be reached is a double fault, on a stack of its own. */
static void double_fault(void)
{
    struct gate64 old = idt[14];
    set_ist(8, 1);
    idt[14].low &= ~((uint64_t)1 << 47);
    TRY("movq $1, (%0)", , "r"(UINT64_C(0x123456789000)));
    check_fault("#NP while delivering #PF", 8, 0);
    check("on IST1", fault.frame + sizeof(struct frame), tss.ist[0]);
    check("CR2 of the page fault", fault.cr2, 0x123456789000);
    idt[14] = old;
    old = idt[6];
    idt[6].low &= ~((uint64_t)1 << 47);
    TRY("ud2", , );
    check_fault("#NP while delivering #UD stays #NP", 11, 6 * 8 + 2 + 1);
    idt[6] = old;
    set_ist(8, 0);
}

/* ---- NMI ------------------------------------------------------------------------------ */

static volatile uint32_t *const icr = (volatile uint32_t *)0xfee00300;
static volatile unsigned nmis, nested;
static volatile bool in_nmi;

static void on_nmi(struct frame *f)
{
    if (f->vector != 2)
        return;
    nested += in_nmi;
    in_nmi = true;
    if (nmis++ == 0) {
        *icr = 0x44400;             /* to itself, NMI: waits until IRET */
        for (unsigned i = 0; i < 100; i++)
            __asm__ volatile("pause");
    }
    in_nmi = false;
    guest_hook_handled = true;
}

static void nmi(void)
{
    guest_hook = on_nmi;
    *icr = 0x44400;
    for (unsigned i = 0; i < 100; i++)
        __asm__ volatile("pause");
    check("NMIs taken", nmis, 2);
    check("NMI inside an NMI handler", nested, 0);
    guest_hook = NULL;
}

/* ---- fast system calls -------------------------------------------------------------------- */

static void system_calls(void)
{
    wrmsr(STAR, (uint64_t)0x20 << 48 | (uint64_t)SEL_CODE << 32);
    wrmsr(LSTAR, (uint64_t)syscall_entry);
    wrmsr(CSTAR, (uint64_t)syscall_entry32);
    wrmsr(FMASK, 0x600);
    check("SYSCALL and SYSRET", run_user(user_syscall, 0), 0x77);
    check_no_fault("both");
    check("RCX is the return address", *(uint16_t *)syscall_rcx, 0x30cd);
    check("R11 has DF as it was", syscall_r11 >> 10 & 1, 1);
    check("FMASK clears DF", syscall_flags >> 10 & 1, 0);
    check("CS and SS come from STAR", (uint64_t)syscall_cs << 16 | syscall_ss, SEL_CODE << 16 | SEL_DATA);
    check("SYSCALL from compatibility mode", run_user32(user_syscall32, 0), 0x78);
    check_no_fault("and SYSRET to it");
    wrmsr(EFER, rdmsr(EFER) & ~UINT64_C(1));
    run_user(user_syscall, 0);
    check_fault("SYSCALL without EFER.SCE", 6, 0);
    wrmsr(EFER, rdmsr(EFER) | 1);
    run_user(user_sysenter, 0);
    check_fault("SYSENTER in long mode (AMD)", 6, 0);
    wrmsr(KERNEL_GS_BASE, 0x1234000);
    wrmsr(GS_BASE, 0x5678000);
    __asm__ volatile("swapgs");
    check("SWAPGS", rdmsr(GS_BASE) << 32 | rdmsr(KERNEL_GS_BASE), UINT64_C(0x0123400005678000));
}

static void compatibility(void)
{
    check("32-bit code wraps at 4 GiB", run_user32(code32, 0), 2);
    uint64_t ran;
    __asm__ volatile("lcall *2f\n jmp 3f\n"
                     "2: .long 1f\n .word 0x38\n"
                     ".code32\n 1: mov $0x55, %%eax\n .byte 0x40\n mov %%cs, %%ecx\n lret\n .code64\n"
                     "3: mov %%rax, %0\n"
                     : "=r"(ran)
                     :
                     : "rax", "rcx", "memory");
    check("far call into compatibility mode and back", ran, 0x56);
    struct gate64 g = gate64(gate_target, SEL_CODE, 0xec, 0);
    gdt[SEL_GATE / 8] = g.low;
    gdt[SEL_GATE / 8 + 1] = g.high;
    check("call gate to ring 0", run_user(user_gate, 0), 0x99);
    check_no_fault("call gate");
    check("it runs on RSP0, with four words", gate_rsp, tss.rsp[0] - 32);
    check("with a null SS", gate_ss, 0);
    check("and the caller's SS pushed", gate_old_ss, SEL_UDATA);
    gdt[SEL_GATE / 8 + 1] |= (uint64_t)0xc << 40;
    run_user(user_gate, 0);
    check_fault("call gate with a type in its upper half", 13, SEL_GATE);
}

/* ---- addresses ------------------------------------------------------------------------------ */

extern uint8_t hole_ret[], hole_ret_pop[];
uint64_t hole_sp;

/* What a return into a hole leaves: nothing has changed since the instruction before it. */
static void check_return(const char *name, const void *at, uint64_t sp)
{
    check_fault(name, 13, 0);
    check("its RIP", fault.f.rip, (uint64_t)at);
    check("its RSP", fault.f.rsp, sp);
    check("a register and flags from before it", fault.f.rdx << 1 | (fault.f.rflags & 1), 0x77 << 1 | 1);
}

/* A call, and its return at the label, behind some text: to the address in its place if that is not 0. */
#define TRY_RETURN(label, text, address)                                                              \
    TRY("mov %0, %%rcx\n call 1f\n jmp 2f\n"                                                          \
        "1: test %%rcx, %%rcx\n jz 3f\n mov %%rcx, (%%rsp)\n mov %%rsp, hole_sp\n"                     \
        "3: " text ".global " label "\n " label ": ret\n 2:", , "r"(address))

/*
 * Returns of calls: what the host predicts is wrong each time.  The address of the hole comes when the way back has
 * been gone before.
 */
static void returns_into_holes(void)
{
    static uint64_t table[3][512] __attribute__((aligned(4096)));
    static uint8_t page[4096] __attribute__((aligned(4096)));
    for (unsigned n = 0; n < 12; n++) {
        uint64_t target = n % 3 == 2 ? HOLE + n : 0;
        TRY_RETURN("hole_ret", "mov $0x77, %%edx\n stc\n", target);
        if (target)
            check_return("a call's return into a hole", hole_ret, hole_sp);
        else
            check_no_fault("a call's return");
        TRY_RETURN("hole_ret_pop", "pushq $0x77\n stc\n pop %%rdx\n", target);
        if (target)
            check_return("the same behind a POP", hole_ret_pop, hole_sp);
        else
            check_no_fault("a return behind a POP");
    }
    /* A call whose end is the end of the canonical half: where it returns to is a hole. */
    static const uint8_t call[] = { 0xe8, 0xf0, 0xff, 0xff, 0xff }, callee[] = { 0xba, 0x77, 0, 0, 0, 0xf9, 0xc3 };
    for (unsigned k = 0; k < sizeof call; k++)
        page[4096 - sizeof call + k] = call[k];
    for (unsigned k = 0; k < sizeof callee; k++)
        page[4096 - 16 + k] = callee[k];
    table[0][511] = (uint64_t)table[1] | 3;
    table[1][511] = (uint64_t)table[2] | 3;
    table[2][511] = (uint64_t)page | 3;
    pml4[255] = (uint64_t)table[0] | 3;
    for (unsigned n = 0; n < 8; n++) {
        TRY("mov %%rsp, hole_sp\n jmp *%0", , "r"(HOLE - sizeof call));
        check_return("the end of the address space", (const void *)(HOLE - 10), hole_sp - 8);
    }
    pml4[255] = 0;
}

static void canonical(void)
{
    set_ist(12, 1);                /* the stack itself may be the fault's reason */
    TRY("mov (%0), %%rax", , "S"(HOLE));
    check_fault("load from a hole", 13, 0);
    TRY("mov %0, %%rsp\n push %%rax", , "r"(HOLE + 8));
    check_fault("PUSH to a hole", 12, 0);
    TRY("mov %%rbp, %%rcx\n mov %0, %%rbp\n mov (%%rbp), %%rax\n mov %%rcx, %%rbp", , "r"(HOLE));
    __asm__ volatile("" : : : "memory");
    check_fault("load through RBP", 12, 0);
    TRY("jmp *%0", , "r"(HOLE));
    check_fault("jump into a hole", 13, 0);
    TRY("mov %0, %%rsp\n call *%1", , "r"(HOLE + 8), "r"(HOLE));
    check_fault("CALL into a hole with the stack in one", 12, 0);
    TRY("mov $1, %%ecx\n repe cmpsb", , "S"(UINT64_C(0x123456789000)), "D"(HOLE));
    check_fault("REP CMPS reads its first operand first", 14, 0);
    TRY("movq $0x55, -8(%%rsp)\n push %0\n ret", , "r"(HOLE));
    check_fault("RET into a hole", 13, 0);
    TRY("mov %0, %%ecx\n xor %%eax, %%eax\n mov $0x8000, %%edx\n wrmsr", , "r"(FS_BASE));
    check_fault("FS base in a hole", 13, 0);
    TRY("mov %0, %%ecx\n xor %%eax, %%eax\n mov $0x8000, %%edx\n wrmsr", , "r"(LSTAR));
    check_fault("LSTAR in a hole", 13, 0);
    write_cr4(read_cr4() | 1 << 16);
    TRY("wrfsbase %0", , "r"(HOLE));
    check_fault("WRFSBASE of a hole", 13, 0);
    static uint64_t words[4] = { 1, 2, 3, 4 };
    uint64_t v, base;
    __asm__ volatile("wrfsbase %2\n mov %%fs:16, %0\n rdfsbase %1" : "=&r"(v), "=&r"(base) : "r"(words));
    check("WRFSBASE and a load through FS", v << 32 | (base == (uint64_t)words), UINT64_C(3) << 32 | 1);
    write_cr4(read_cr4() & ~UINT64_C(0x10000));
    TRY("wrfsbase %0", , "r"(words));
    check_fault("WRFSBASE without CR4.FSGSBASE", 6, 0);
    set_ist(12, 0);
}

/* ---- descriptors, I/O, alignment, UMIP ----------------------------------------------------------- */

static void descriptors(void)
{
    gdt[SEL_LDT / 8] = (uint64_t)0x82 << 40 | 0xff;
    gdt[SEL_LDT / 8 + 1] = 0;
    TRY("lldt %w0", , "r"(SEL_LDT));
    check_no_fault("LLDT");
    gdt[SEL_LDT / 8 + 1] = UINT64_C(0x8000);
    TRY("lldt %w0", , "r"(SEL_LDT));
    check_fault("LLDT of a base in a hole", 13, SEL_LDT);
    TRY("ltr %w0", , "r"(SEL_TSS));
    check_fault("LTR of a busy TSS", 13, SEL_TSS);
    gdt[SEL_TEST / 8] = (uint64_t)0x81 << 40 | 0x67;
    gdt[SEL_TEST / 8 + 1] = 0;
    TRY("ltr %w0", , "r"(SEL_TEST));
    check_fault("LTR of a 16-bit TSS", 13, SEL_TEST);
    TRY("mov %0, %%ss", , "r"(0));
    check_no_fault("null SS in ring 0");
    __asm__ volatile("mov %0, %%ss" : : "r"(SEL_DATA));
    TRY("mov %0, %%cr8\n mov %%cr8, %%rax\n mov %1, %%cr8", , "r"((uint64_t)5), "r"((uint64_t)0));
    check_no_fault("CR8");
    TRY("mov %0, %%cr8", , "r"((uint64_t)16));
    check_fault("CR8 of 16", 13, 0);
    TRY("mov %0, %%cr0", , "r"(read_cr0() | UINT64_C(1) << 32));
    check_fault("upper half of CR0", 13, 0);
    TRY("mov %0, %%cr0", , "r"(read_cr0() & ~UINT64_C(0x80000000)));
    check_fault("paging off in 64-bit mode", 13, 0);
    TRY("mov %0, %%cr4", , "r"(read_cr4() & ~UINT64_C(0x20)));
    check_fault("CR4.PAE off in long mode", 13, 0);
    TRY("mov %0, %%dr7", , "r"(UINT64_C(1) << 32));
    check_fault("upper half of DR7", 13, 0);
}

static void permissions(void)
{
    run_user(user_out, 0);
    check_fault("OUT that the bitmap denies", 13, 0);
    tss.bitmap[0x80 / 8] = 0xfe;
    check("OUT that it allows", run_user(user_out, 0), 1);
    static uint8_t bytes[32] __attribute__((aligned(16)));
    run_user(user_misaligned, (uint64_t)bytes);
    check("alignment is not checked without CR0.AM", fault.taken, 0);
    write_cr0(read_cr0() | 1 << 18);
    run_user(user_misaligned, (uint64_t)bytes);
    check_fault("alignment check", 17, 0);
    check("aligned loads and bytes pass", run_user(user_ac, (uint64_t)bytes), 7);
    TRY("pushf\n orl $0x40000, (%%rsp)\n popf\n mov 1(%0), %%rcx", , "r"(bytes));
    __asm__ volatile("pushf\n andl $~0x40000, (%rsp)\n popf");
    check_no_fault("ring 0 is not checked");
    write_cr0(read_cr0() & ~UINT64_C(0x40000));
    write_cr4(read_cr4() | 1 << 11);
    run_user(user_sgdt, 0);
    check_fault("SGDT with UMIP", 13, 0);
    write_cr4(read_cr4() & ~UINT64_C(0x800));
    TRY("mov %0, %%eax\n clac", , "r"(0));
    check_no_fault("CLAC in ring 0");
}

/* ---- debug registers -------------------------------------------------------------------------------- */

static volatile uint64_t hits, dr6, at;

static void on_debug(struct frame *f)
{
    if (f->vector != 1)
        return;
    uint64_t v;
    __asm__ volatile("mov %%dr6, %0" : "=r"(v));
    __asm__ volatile("mov %0, %%dr6" : : "r"((uint64_t)0));
    dr6 = v;
    hits++;
    at = f->rip;
    f->rflags &= ~UINT64_C(0x100);
    guest_hook_handled = true;
}

static void set_dr7(uint64_t v) { __asm__ volatile("mov %0, %%dr7" : : "r"(v)); }

static void debug(void)
{
    static uint64_t words[2];
    extern uint8_t after_ss[];
    guest_hook = on_debug;
    write_cr4(read_cr4() | 8);
    __asm__ volatile("mov %0, %%dr0" : : "r"((uint64_t)0x80));
    set_dr7(2 | 2 << 16);
    outb(0x80, 1);
    set_dr7(0);
    check("I/O breakpoint", hits << 16 | (dr6 & 15), 1 << 16 | 1);
    hits = 0;
    __asm__ volatile("mov %0, %%dr1" : : "r"(words));
    set_dr7(8 | 0x9 << 20);                       /* eight bytes, writes */
    __asm__ volatile("movb $1, 7(%0)" : : "r"(words) : "memory");
    check("8-byte watchpoint", hits << 16 | (dr6 & 15), 1 << 16 | 2);
    hits = 0;
    uint64_t n = 2;
    void *to = words;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(n) : "a"(0) : "memory");
    check("watchpoint in a REP: behind its first iteration", hits, 1);
    set_dr7(0);
    hits = 0;
    __asm__ volatile("mov %%ss, %%ecx\n pushf\n orl $0x100, (%%rsp)\n popf\n mov %%ecx, %%ss\n nop\n after_ss: nop"
                     : : : "memory", "rcx");
    check("single step past MOV SS: after the next instruction", at - (uint64_t)after_ss, 0);
    check("one trap", hits << 16 | (dr6 >> 14 & 1), 1 << 16 | 1);
    write_cr4(read_cr4() & ~UINT64_C(8));
    guest_hook = NULL;
}

int guest_main(void)
{
    frames();
    double_fault();
    nmi();
    system_calls();
    compatibility();
    canonical();
    returns_into_holes();
    descriptors();
    permissions();
    debug();
    return 0;
}
