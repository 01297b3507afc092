/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segmentation: limits, types, null selectors, loads, call gates with privilege change. */
#include "guest.h"

static uint8_t area[256] __attribute__((aligned(16)));

static void limits(void)
{
    uint32_t v;
    gdt[SEL_TEST / 8] = descriptor((uint32_t)area, 15, 0x93, 4);
    area[12] = 0x78; area[13] = 0x56; area[14] = 0x34; area[15] = 0x12;
    __asm__ volatile("mov %0, %%fs" : : "r"(SEL_TEST));
    TRY("movl %%fs:12, %0", "=r"(v), );
    check_no_fault("read at the limit");
    check("value through a based segment", v, 0x12345678);
    TRY("movl %%fs:13, %0", "=r"(v), );
    check_fault("read across the limit", 13, 0);
    TRY("movb $1, %%fs:16", , );
    check_fault("byte write beyond the limit", 13, 0);
    TRY("movw $1, %%fs:15", , );
    check_fault("word write across the limit", 13, 0);

    gdt[SEL_TEST / 8] = descriptor((uint32_t)area, 15, 0x91, 4);
    __asm__ volatile("mov %0, %%fs" : : "r"(SEL_TEST));
    TRY("movl $1, %%fs:0", , );
    check_fault("write to a read-only segment", 13, 0);

    /* Expand-down: valid offsets lie above the limit. */
    gdt[SEL_TEST / 8] = descriptor((uint32_t)area - 0x1000, 0xfff, 0x97, 4);
    __asm__ volatile("mov %0, %%fs" : : "r"(SEL_TEST));
    TRY("movl %%fs:0x1000, %0", "=r"(v), );
    check_no_fault("expand-down above its limit");
    TRY("movl %%fs:0xffe, %0", "=r"(v), );
    check_fault("expand-down below its limit", 13, 0);

    __asm__ volatile("mov %0, %%fs" : : "r"(0));
    TRY("movl %%fs:0, %0", "=r"(v), );
    check_fault("access through a null selector", 13, 0);

    gdt[SEL_TEST / 8] = descriptor((uint32_t)area, 15, 0x93, 4);
    (void)v;
}

/* The same kernel code with one GS after the other: all of memory, a small segment, a read-only one, none. */
static void under_gs(uint32_t selector, uint32_t offset, unsigned read_fault, unsigned write_fault)
{
    uint32_t v;
    __asm__ volatile("mov %0, %%gs" : : "r"(selector));
    TRY("movl %%gs:(%1), %0", "=r"(v), "r"(offset));
    read_fault ? check_fault("read by GS", read_fault, 0) : check_no_fault("read by GS");
    TRY("movl $7, %%gs:(%0)", , "r"(offset));
    write_fault ? check_fault("write by GS", write_fault, 0) : check_no_fault("write by GS");
    TRY("fxsave %%gs:-512(%0)", , "r"(offset));
    write_fault || offset < 512 ? check_fault("512 bytes by GS", 13, 0) : check_no_fault("512 bytes by GS");
    (void)v;
}

static uint8_t saved[1024] __attribute__((aligned(16)));

static void other_gs(void)
{
    for (unsigned turn = 0; turn < 3; turn++) {
        under_gs(SEL_DATA, (uint32_t)saved + 512, 0, 0);
        gdt[SEL_TEST / 8] = descriptor((uint32_t)saved, 515, 0x93, 4);
        under_gs(SEL_TEST, 512, 0, 0);
        under_gs(SEL_TEST, 513, 13, 13);
        under_gs(SEL_TEST, 16, 0, 0);
        gdt[SEL_TEST / 8] = descriptor((uint32_t)saved, 515, 0x91, 4);
        under_gs(SEL_TEST, 512, 0, 13);
        under_gs(0, 512, 13, 13);
    }
    __asm__ volatile("mov %0, %%gs" : : "r"(SEL_DATA));
}

static uint8_t code[2 * 4096] __attribute__((aligned(4096)));

/* The same code under two limits: it has run already where the second one ends. */
static void code_limit(void)
{
    struct { uint32_t offset; uint16_t selector; } __attribute__((packed)) to = { (uint32_t)code + 4095, SEL_TEST };
    uint32_t page = (uint32_t)code >> 12;
    code[4095] = 0x90;           /* nop */
    code[4096] = 0xcb;           /* lret */
    gdt[SEL_TEST / 8] = descriptor(0, page + 1, 0x9b, 0xc);
    TRY("lcall *%0", , "m"(to));
    check_no_fault("code within its limit");
    gdt[SEL_TEST / 8] = descriptor(0, page, 0x9b, 0xc);
    TRY("lcall *%0", , "m"(to));
    __asm__ volatile("ljmp %0, $1f\n1:" : : "i"(SEL_CODE));
    check_fault("code beyond its limit", 13, 0);
}

static void loads(void)
{
    TRY("mov %0, %%fs", , "r"(0x1000));
    check_fault("selector beyond the GDT", 13, 0x1000);
    gdt[SEL_TEST / 8] = descriptor(0, 0xfffff, 0x13, 0xc);
    TRY("mov %0, %%fs", , "r"(SEL_TEST));
    check_fault("segment not present", 11, SEL_TEST);
    TRY("mov %0, %%fs", , "r"(SEL_TSS));
    check_fault("system segment in FS", 13, SEL_TSS);
    gdt[SEL_TEST / 8] = descriptor(0, 0xfffff, 0x99, 0xc);
    TRY("mov %0, %%fs", , "r"(SEL_TEST));
    check_fault("execute-only code in FS", 13, SEL_TEST);
    gdt[SEL_TEST / 8] = descriptor(0, 0xfffff, 0x91, 0xc);
    TRY("mov %0, %%ss", , "r"(SEL_TEST));
    check_fault("read-only data in SS", 13, SEL_TEST);
    TRY("mov %0, %%ss", , "r"(0));
    check_fault("null selector in SS", 13, 0);
    TRY("mov %0, %%ss", , "r"(SEL_UDATA));
    check_fault("SS of another privilege level", 13, SEL_UDATA & ~3);
    gdt[SEL_TEST / 8] = descriptor(0, 0xfffff, 0x92, 0xc);
    TRY("mov %0, %%fs", , "r"(SEL_TEST));
    check("accessed bit is set by a load", (uint32_t)(gdt[SEL_TEST / 8] >> 40) & 0xff, 0x93);
    TRY("ljmp %0, $1f\n1:", , "i"(SEL_DATA));
    check_fault("far jump to data", 13, SEL_DATA);
    TRY("ljmp $0, $1f\n1:", , );
    check_fault("far jump to a null selector", 13, 0);
}

static void inquiries(void)
{
    uint32_t v = 0, zf = 0;
    gdt[SEL_TEST / 8] = descriptor(0x1000, 0x2345, 0x93, 4);
    __asm__ volatile("lsl %2, %0\n setz %b1" : "=r"(v), "+q"(zf) : "r"(SEL_TEST) : "cc");
    check("LSL", v | zf << 31, 0x80002345);
    gdt[SEL_TEST / 8] = descriptor(0x1000, 0x12345, 0x93, 0xc);
    __asm__ volatile("lsl %1, %0" : "=r"(v) : "r"(SEL_TEST) : "cc");
    check("LSL of a page-granular segment", v, 0x12345fff);
    __asm__ volatile("lar %1, %0" : "=r"(v) : "r"(SEL_TEST) : "cc");
    check("LAR", v & 0xf0ff00, 0xc09300);   /* bits 16..19 are undefined */
    zf = 0;
    __asm__ volatile("verw %w1\n setz %b0" : "+q"(zf) : "r"(SEL_TEST) : "cc");
    check("VERW of writable data", zf, 1);
    __asm__ volatile("verw %w1\n setz %b0" : "+q"(zf) : "r"(SEL_CODE) : "cc");
    check("VERW of code", zf, 0);
    __asm__ volatile("verr %w1\n setz %b0" : "+q"(zf) : "r"(SEL_CODE) : "cc");
    check("VERR of readable code", zf, 1);
}

/* Ring 3 reaches ring 0 through a 32-bit call gate with two parameters. */
extern void gate_target(void);
extern void gate_caller(void);
extern void user_returns(void);
__asm__(".text\n"
        "gate_target: mov 8(%esp), %eax\n sub 12(%esp), %eax\n mov %cs, %ecx\n shl $16, %ecx\n or %ecx, %eax\n"
        "lret $8\n"
        "gate_caller: pushl $3\n pushl $45\n lcall $0x5b, $0\n int $0x30\n"
        "user_returns: mov %cs, %eax\n int $0x30\n");

extern void user_cli(void);
extern void user_hlt(void);
extern void user_out(void);
extern void user_ss(void);
extern void user_int(void);
__asm__("user_cli: cli\n int $0x30\n"
        "user_hlt: hlt\n int $0x30\n"
        "user_out: mov $0x80, %dx\n out %al, %dx\n mov $1, %eax\n int $0x30\n"
        "user_ss: mov $0x18, %eax\n mov %ax, %ds\n int $0x30\n"
        "user_int: int $0x21\n int $0x30\n");

static void privilege(void)
{
    gdt[SEL_GATE / 8] = gate((uint32_t)gate_target, SEL_CODE, 0xec, 2);
    check("ring 3 runs", run_user(user_returns, 0), SEL_UCODE);
    check("call gate to ring 0, parameters copied", run_user(gate_caller, 0), (SEL_CODE << 16) | 42);
    check_no_fault("call gate");
    gdt[SEL_GATE / 8] = gate((uint32_t)gate_target, SEL_CODE, 0x8c, 2);
    run_user(gate_caller, 0);
    check_fault("call gate of higher privilege", 13, SEL_GATE);
    run_user(user_cli, 0);
    check_fault("CLI in ring 3", 13, 0);
    run_user(user_hlt, 0);
    check_fault("HLT in ring 3", 13, 0);
    run_user(user_out, 0);
    check_fault("OUT without permission", 13, 0);
    tss.iomap = offsetof(struct tss, bitmap);
    gdt[SEL_TSS / 8] = descriptor((uint32_t)&tss, sizeof tss - 1, 0x89, 0);
    tss.bitmap[8192] = 0xff;
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
    check("OUT allowed by the I/O bitmap", run_user(user_out, 0), 1);
    tss.bitmap[0x80 / 8] = 1;
    run_user(user_out, 0);
    check_fault("OUT denied by the I/O bitmap", 13, 0);
    run_user(user_ss, 0);
    check_fault("kernel data in ring 3's DS", 13, SEL_DATA);
    run_user(user_int, 0);
    check_fault("INT through a ring 0 gate", 13, 0x21 * 8 + 2);
}

int guest_main(void)
{
    limits();
    other_gs();
    code_limit();
    loads();
    inquiries();
    privilege();
    return 0;
}
