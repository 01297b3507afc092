/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floating point as the system sees it: CR0.EM, TS, MP and NE, CR4's bits, #MF, #XM, FXSAVE and XSAVE. */
#include "guest.h"

enum { CR0_MP = 2, CR0_EM = 4, CR0_TS = 8, CR0_NE = 32, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10,
       CR4_OSXSAVE = 1 << 18 };

/* Named in asm text. */
extern uint8_t area_sym[1024];
uint8_t area_sym[1024] __attribute__((aligned(64)));
#define area area_sym

/* EDX:EAX, and ECX = 0, for the XSAVE family. */
#define EAX(v) "a"(v), "c"(0), "d"(0)

static uint16_t status_word(void)
{
    uint16_t sw;
    __asm__ volatile("fnstsw %0" : "=a"(sw));
    return sw;
}

static void availability(void)
{
    uint32_t cr0 = read_cr0();
    write_cr0((cr0 & ~(uint32_t)(CR0_EM | CR0_MP)) | CR0_TS | CR0_NE);
    TRY("fninit", , );
    check_fault("x87 with TS", 7, 0);
    TRY("fwait", , );
    check_no_fault("FWAIT with TS and not MP");
    write_cr0(read_cr0() | CR0_MP);
    TRY("fwait", , );
    check_fault("FWAIT with TS and MP", 7, 0);
    TRY("pxor %%mm0, %%mm0", , );
    check_fault("MMX with TS", 7, 0);
    TRY("fxsave area_sym", , );
    check_fault("FXSAVE with TS", 7, 0);
    write_cr0((read_cr0() & ~(uint32_t)CR0_TS) | CR0_EM);
    TRY("fninit", , );
    check_fault("x87 with EM", 7, 0);
    TRY("pxor %%mm0, %%mm0", , );
    check_fault("MMX with EM", 6, 0);
    TRY("xorps %%xmm0, %%xmm0", , );
    check_fault("SSE with EM", 6, 0);
    write_cr0((cr0 & ~(uint32_t)(CR0_EM | CR0_TS)) | CR0_NE | CR0_MP);
    write_cr4(read_cr4() & ~(uint32_t)CR4_OSFXSR);
    TRY("xorps %%xmm0, %%xmm0", , );
    check_fault("SSE without OSFXSR", 6, 0);
    write_cr4(read_cr4() | CR4_OSFXSR);
    TRY("xorps %%xmm0, %%xmm0", , );
    check_no_fault("SSE with OSFXSR");
    write_cr0(read_cr0() | CR0_TS);
    TRY("xorps %%xmm0, %%xmm0", , );
    check_fault("SSE with TS", 7, 0);
    write_cr0(read_cr0() & ~(uint32_t)CR0_TS);
}

/* Division by zero, unmasked: told by the next waiting instruction. */
static void pending_exception(void)
{
    uint16_t cw = 0x37f & ~4;
    __asm__ volatile("fninit\n fldcw %0\n fld1\n fldz\n fdivrp" : : "m"(cw));
    check("ES and ZE are set", status_word() & 0x84, 0x84);
    TRY("fnop", , );
    check_fault("FNOP with an exception pending", 16, 0);
    TRY("fwait", , );
    check_fault("FWAIT with an exception pending", 16, 0);
    TRY("pxor %%mm0, %%mm0", , );
    check_fault("MMX with an exception pending", 16, 0);
    TRY("fnstsw %%ax", , );
    check_no_fault("FNSTSW does not wait");
    check("the destination was left alone", (status_word() >> 11) & 7, 6);
    TRY("fnclex", , );
    check_no_fault("FNCLEX does not wait");
    TRY("fwait", , );
    check_no_fault("FWAIT when it is cleared");
    __asm__ volatile("fninit");
}

/* With NE clear the exception goes out as IRQ 13. */
static volatile uint32_t irq13;

static void external_error(void)
{
    uint16_t cw = 0x37f & ~4;
    outb(0x20, 0x11), outb(0x21, 0x20), outb(0x21, 4), outb(0x21, 1);
    outb(0xa0, 0x11), outb(0xa1, 0x28), outb(0xa1, 2), outb(0xa1, 1);
    outb(0x21, 0xff), outb(0xa1, 0xff);
    write_cr0(read_cr0() & ~(uint32_t)CR0_NE);
    outb(0xa0, 0x0a);      /* OCW3: read the request register */
    uint32_t before = inb(0xa0) >> 5 & 1;
    __asm__ volatile("fninit\n fldcw %0\n fld1\n fldz\n fdivrp\n fwait" : : "m"(cw));
    irq13 = inb(0xa0) >> 5 & 1;
    check("IRQ 13 is quiet before", before, 0);
    check("FERR# raises IRQ 13 when NE is clear", irq13, 1);
    __asm__ volatile("fnclex");
    check("FNCLEX withdraws it", inb(0xa0) >> 5 & 1, 0);
    write_cr0(read_cr0() | CR0_NE);
    __asm__ volatile("fninit");
}

static void simd_exceptions(void)
{
    uint32_t mxcsr = 0x1f80 & ~0x200u, after;
    static const float one[4] __attribute__((aligned(16))) = { 1, 1, 1, 1 };
    write_cr4(read_cr4() | CR4_OSXMMEXCPT);
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    TRY("movaps %0, %%xmm1\n xorps %%xmm2, %%xmm2\n divps %%xmm2, %%xmm1", , "m"(one));
    check_fault("#XM", 19, 0);
    __asm__ volatile("stmxcsr %0" : "=m"(after));
    check("ZE is told", after & 0x3f, 4);
    write_cr4(read_cr4() & ~(uint32_t)CR4_OSXMMEXCPT);
    TRY("divps %%xmm2, %%xmm1", , );
    check_fault("#UD without OSXMMEXCPT", 6, 0);
    mxcsr = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    TRY("divps %%xmm2, %%xmm1", , );
    check_no_fault("masked");
    TRY("movaps area_sym+4, %%xmm1", , );
    check_fault("unaligned MOVAPS", 13, 0);
    mxcsr = 0x10000;
    TRY("ldmxcsr %0", , "m"(mxcsr));
    check_fault("LDMXCSR of a reserved bit", 13, 0);
}

static void saving(void)
{
    uint32_t word[4] = { 0x11111111, 0x22222222, 0x33333333, 0x44444444 }, back[4];
    TRY("fxsave area_sym+8", , );
    check_fault("FXSAVE unaligned", 13, 0);
    __asm__ volatile("fninit\n fld1\n movups %0, %%xmm3" : : "m"(word));
    TRY("fxsave area_sym", , );
    check_no_fault("FXSAVE");
    check("its tag byte", area[4], 0x80);
    check("ST(0)'s exponent", area[40] | area[41] << 8, 0x3fff);
    __asm__ volatile("fninit\n xorps %xmm3, %xmm3");
    TRY("fxrstor area_sym", , );
    check_no_fault("FXRSTOR");
    __asm__ volatile("movups %%xmm3, %0" : "=m"(back));
    check("XMM3 is back", back[0] ^ back[3], word[0] ^ word[3]);
    check("TOP is back", status_word() >> 11 & 7, 7);
    area[26] = 1;
    TRY("fxrstor area_sym", , );
    check_fault("FXRSTOR of a reserved MXCSR bit", 13, 0);
    area[26] = 0;
}

static void extended_saving(void)
{
    uint32_t a = 1, c, d;
    __asm__ volatile("cpuid" : "+a"(a), "=c"(c), "=d"(d) : : "ebx");
    if (!(c >> 26 & 1)) {
        print("-- no XSAVE here\n");
        return;
    }
    write_cr4(read_cr4() & ~(uint32_t)CR4_OSXSAVE);
    TRY("xgetbv", , "c"(0));
    check_fault("XGETBV without OSXSAVE", 6, 0);
    TRY("xsave area_sym", , EAX(3));
    check_fault("XSAVE without OSXSAVE", 6, 0);
    write_cr4(read_cr4() | CR4_OSXSAVE);
    TRY("xsetbv", , EAX(2));
    check_fault("XCR0 without x87", 13, 0);
    TRY("xsetbv", , EAX(3));
    check_no_fault("XSETBV");
    for (unsigned i = 0; i < sizeof area; i++)
        area[i] = 0;
    uint32_t word[4] = { 5, 6, 7, 8 }, back[4];
    __asm__ volatile("fninit\n movups %0, %%xmm5" : : "m"(word));
    TRY("xsave area_sym", , EAX(2));
    check_no_fault("XSAVE of SSE");
    check("XSTATE_BV", area[512], 2);
    check("x87 was not asked for", area[0] | area[1], 0);
    __asm__ volatile("xorps %xmm5, %xmm5");
    TRY("xrstor area_sym", , EAX(3));
    check_no_fault("XRSTOR");
    __asm__ volatile("movups %%xmm5, %0" : "=m"(back));
    check("XMM5 is back", back[3], 8);
    area[520] = 1;
    TRY("xrstor area_sym", , EAX(3));
    check_fault("XRSTOR of a bad header", 13, 0);
    area[520] = 0;
    TRY("xsave area_sym+16", , EAX(3));
    check_fault("XSAVE unaligned", 13, 0);
}

int guest_main(void)
{
    availability();
    pending_exception();
    external_error();
    simd_exceptions();
    saving();
    extended_saving();
    return 0;
}
