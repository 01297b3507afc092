/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AVX as the system sees it: who may use it, #UD, #NM and #XM, faults within 32 bytes, XSAVE's third component. */
#include "guest.h"

enum { CR0_EM = 4, CR0_TS = 8, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10, CR4_OSXSAVE = 1 << 18 };
enum { X87 = 1, SSE = 2, AVX = 4 };
enum { MXCSR_RESET = 0x1f80, ZE = 4, ZM = 0x200, UD = 6, NM = 7, GP = 13, PF = 14, XM = 19 };

/* Named in asm text. */
extern uint8_t area_sym[1024];
uint8_t area_sym[1024] __attribute__((aligned(64)));
extern uint32_t in_sym[8], out_sym[8];
uint32_t in_sym[8] __attribute__((aligned(32))), out_sym[8] __attribute__((aligned(32)));

/* Two operands as one argument of TRY; EDX:EAX, and ECX, for the XSAVE family. */
#define OPERANDS(a, b) a, b
#define EAX(v) "a"(v), "c"(0), "d"(0)

static uint32_t xgetbv(uint32_t n)
{
    uint32_t a, d;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(n));
    return a;
}

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t *r)
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub));
}

static void set_in(uint32_t first)
{
    for (unsigned i = 0; i < 8; i++)
        in_sym[i] = first + i;
}

/* YMM n's words to out_sym, and the sum over [from, to). */
#define STORE(n) __asm__ volatile("vmovups %%ymm" #n ", out_sym" : : : "memory")
#define LOAD(n) __asm__ volatile("vmovups in_sym, %%ymm" #n : : : "memory")

static uint32_t sum(unsigned from, unsigned to)
{
    uint32_t s = 0;
    while (from < to)
        s += out_sym[from++];
    return s;
}

static void enabling(void)
{
    uint32_t r[4];
    write_cr4((read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT) & ~(uint32_t)CR4_OSXSAVE);
    TRY("vxorps %%xmm0, %%xmm0, %%xmm0", , );
    check_fault("AVX without OSXSAVE", UD, 0);
    TRY("andn %%eax, %%edx, %%edx", , "d"(0));
    check_no_fault("ANDN needs no state");
    write_cr0(read_cr0() | CR0_TS);
    TRY("xsave area_sym", , EAX(7));
    check_fault("XSAVE without OSXSAVE, with TS", UD, 0);
    write_cr0(read_cr0() & ~(uint32_t)CR0_TS);
    write_cr4(read_cr4() | CR4_OSXSAVE);
    TRY("vxorps %%xmm0, %%xmm0, %%xmm0", , );
    check_fault("AVX with XCR0 = 1", UD, 0);
    TRY("xsetbv", , EAX(X87 | AVX));
    check_fault("XCR0 with AVX and without SSE", GP, 0);
    TRY("xsetbv", , EAX(X87 | SSE));
    TRY("vxorps %%xmm0, %%xmm0, %%xmm0", , );
    check_fault("AVX with XCR0 = 3", UD, 0);
    cpuid(0xd, 0, r);
    check("CPUID 0xD: the area for XCR0 = 3", r[1], 576);
    TRY("xsetbv", , EAX(X87 | SSE | AVX));
    check_no_fault("XCR0 = 7");
    TRY("vxorps %%xmm0, %%xmm0, %%xmm0", , );
    check_no_fault("AVX with XCR0 = 7");
    cpuid(0xd, 0, r);
    check("CPUID 0xD: components", r[0] & 7, 7);
    check("CPUID 0xD: the area for XCR0 = 7", r[1], 832);
    cpuid(0xd, 2, r);
    check("CPUID 0xD.2: size", r[0], 256);
    check("CPUID 0xD.2: offset", r[1], 576);
    write_cr0(read_cr0() | CR0_TS);
    TRY("vxorps %%xmm0, %%xmm0, %%xmm0", , );
    check_fault("AVX with TS", NM, 0);
    TRY("vzeroupper", , );
    check_fault("VZEROUPPER with TS", NM, 0);
    TRY("xsave area_sym", , EAX(7));
    check_fault("XSAVE with TS", NM, 0);
    write_cr0((read_cr0() & ~(uint32_t)CR0_TS) | CR0_EM);
    TRY("vxorps %%xmm0, %%xmm0, %%xmm0", , );
    check_no_fault("AVX does not look at EM");
    write_cr0(read_cr0() & ~(uint32_t)CR0_EM);
    write_cr4(read_cr4() & ~(uint32_t)CR4_OSFXSR);
    TRY("vxorps %%xmm0, %%xmm0, %%xmm0", , );
    check_no_fault("nor at OSFXSR");
    write_cr4(read_cr4() | CR4_OSFXSR);
}

static void encodings(void)
{
    TRY(".byte 0xc5, 0xfc, 0x58, 0xc1", , );
    check_no_fault("VADDPS");
    TRY(".byte 0xf0, 0xc5, 0xfc, 0x58, 0xc1", , );
    check_fault("LOCK and VEX", UD, 0);
    TRY(".byte 0x66, 0xc5, 0xfc, 0x58, 0xc1", , );
    check_fault("66 and VEX", UD, 0);
    TRY(".byte 0xf2, 0xc5, 0xfc, 0x58, 0xc1", , );
    check_fault("F2 and VEX", UD, 0);
    TRY(".byte 0xf3, 0xc5, 0xfc, 0x58, 0xc1", , );
    check_fault("F3 and VEX", UD, 0);
    TRY(".byte 0xc5, 0xf4, 0x51, 0xc1", , );
    check_fault("VSQRTPS with vvvv", UD, 0);
    TRY(".byte 0xc5, 0xfd, 0xd6, 0xc1", , );
    check_fault("VMOVQ with L", UD, 0);
    TRY(".byte 0xc4, 0xe2, 0x7d, 0x92, 0x04, 0x08", , "a"(0));
    check_fault("a gather into its own mask", UD, 0);
    TRY("vmovaps in_sym+4, %%xmm1", , );
    check_fault("unaligned VMOVAPS", GP, 0);
    TRY("vmovaps in_sym+16, %%xmm1", , );
    check_no_fault("16 bytes are aligned to 16");
    TRY("vmovaps in_sym+16, %%ymm1", , );
    check_fault("and 32 to 32", GP, 0);
    TRY("vaddps in_sym+4, %%xmm1, %%xmm1", , );
    check_no_fault("unaligned VADDPS");
}

static void upper_halves(void)
{
    set_in(1);
    LOAD(1);
    LOAD(2);
    __asm__ volatile("xorps %xmm1, %xmm1\n vxorps %xmm2, %xmm2, %xmm2");
    STORE(1);
    check("SSE clears the lower half", sum(0, 4), 0);
    check("and leaves the upper", sum(4, 8), 5 + 6 + 7 + 8);
    STORE(2);
    check("VEX.128 clears both", sum(0, 8), 0);
    LOAD(3);
    __asm__ volatile("vzeroupper");
    STORE(3);
    check("VZEROUPPER", sum(0, 8), 1 + 2 + 3 + 4);
    LOAD(3);
    __asm__ volatile("vzeroall");
    STORE(3);
    check("VZEROALL", sum(0, 8), 0);
}

/* Unmasked in the upper half: nothing is written, and what the lower half would have told is not. */
static void simd_exceptions(void)
{
    static const float dividend[8] __attribute__((aligned(32))) = { 1, 1, 1, 1, 1, 1, 1, 1 };
    static const float divisor[8] __attribute__((aligned(32))) = { 3, 3, 3, 3, 3, 0, 3, 3 };
    uint32_t mxcsr = MXCSR_RESET & ~(uint32_t)ZM;
    set_in(1);
    LOAD(4);
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    TRY("vmovaps %0, %%ymm1\n vdivps %1, %%ymm1, %%ymm4", , OPERANDS("m"(dividend), "m"(divisor)));
    check_fault("#XM of the upper half", XM, 0);
    __asm__ volatile("vstmxcsr %0" : "=m"(mxcsr));
    check("ZE alone is told", mxcsr & 0x3f, ZE);
    STORE(4);
    check("neither half is written", sum(0, 8), 36);
    mxcsr = MXCSR_RESET;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    TRY("vdivps %0, %%ymm1, %%ymm4", , "m"(divisor));
    check_no_fault("masked");
    __asm__ volatile("vstmxcsr %0" : "=m"(mxcsr));
    check("ZE and PE are told", mxcsr & 0x3f, ZE | 32);
    mxcsr = MXCSR_RESET;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
}

/* ---- faults within an operand ------------------------------------------------------------------ */

static uint32_t directory[1024] __attribute__((aligned(4096))), table[1024] __attribute__((aligned(4096)));
static uint8_t pages[2][4096] __attribute__((aligned(4096)));

/* Everything below 4 MiB as it is, but for the second page. */
static void paging_on(void)
{
    for (unsigned i = 0; i < 1024; i++)
        table[i] = i << 12 | 3;
    table[(uintptr_t)pages[1] >> 12] = 0;
    directory[0] = (uint32_t)(uintptr_t)table | 3;
    write_cr3((uint32_t)(uintptr_t)directory);
    write_cr0(read_cr0() | 1u << 31);
}

static void partial_faults(void)
{
    uint8_t *edge = pages[1];
    uint32_t mask[8] __attribute__((aligned(32))) = { 0 };
    set_in(1);
    LOAD(1);
    paging_on();
    TRY("vmovups %%ymm1, (%0)", , "r"(edge - 24));
    check_fault("a store into the missing page", PF, 2);
    check("its address", fault.cr2, (uint32_t)(uintptr_t)edge);
    check("nothing of it was stored", edge[-24] | edge[-20] | edge[-16] | edge[-1], 0);
    TRY("vmovups (%0), %%ymm2", , "r"(edge - 8));
    check_fault("a load from the missing page", PF, 0);
    TRY("vmovups %%ymm1, (%0)", , "r"(edge - 32));
    check_no_fault("a store up to its edge");

    mask[0] = mask[1] = 0x80000000;
    __asm__ volatile("vmovaps %0, %%ymm3" : : "m"(mask));
    TRY("vmaskmovps (%0), %%ymm3, %%ymm2", , "r"(edge - 8));
    check_no_fault("a masked load before the edge");
    STORE(2);
    check("of two elements", sum(0, 8), 7 + 8);
    TRY("vmaskmovps (%0), %%ymm3, %%ymm2", , "r"(edge - 4));
    check_fault("one element behind it", PF, 0);
    STORE(2);
    check("and nothing was loaded", sum(0, 8), 7 + 8);
    TRY("vmaskmovps %%ymm1, %%ymm3, (%0)", , "r"(edge - 4));
    check_fault("a masked store behind it", PF, 2);
    check("and nothing was stored", *(uint32_t *)(void *)(edge - 4), 8);

    *(volatile uint32_t *)0xfffc = 300;
    *(volatile uint32_t *)0x10000 = 40;
    TRY("vmaskmovps (%%si), %%ymm3, %%ymm2", , "S"(0xfffc));
    check_no_fault("a masked load at the end of 16-bit addresses");
    STORE(2);
    check("goes on behind it", sum(0, 8), 340);

    /* Elements 0 and 1 are there, 2 is not, and 3 is not wanted. */
    uint32_t index[4] __attribute__((aligned(16))) = { 0, 1, 2, 3 };
    mask[0] = mask[1] = mask[2] = 0xffffffff;
    mask[3] = 0;
    __asm__ volatile("vmovaps %0, %%xmm3\n vmovaps %1, %%xmm4\n vpxor %%xmm2, %%xmm2, %%xmm2"
                     : : "m"(mask), "m"(index));
    TRY("vpgatherdd %%xmm3, (%0,%%xmm4,4), %%xmm2", , "r"(edge - 8));
    check_fault("a gather's third element", PF, 0);
    STORE(2);
    check("two are loaded", sum(0, 8), 7 + 8);
    STORE(3);
    check("one is left to do", out_sym[0] | out_sym[1] | ~out_sym[2], 0);
    table[(uintptr_t)edge >> 12] = (uint32_t)(uintptr_t)edge | 3;
    write_cr3((uint32_t)(uintptr_t)directory);
    *(uint32_t *)(void *)edge = 100;
    TRY("vpgatherdd %%xmm3, (%0,%%xmm4,4), %%xmm2", , "r"(edge - 8));
    check_no_fault("it goes on");
    STORE(2);
    check("all are loaded", sum(0, 8), 7 + 8 + 100);
    STORE(3);
    check("and the mask is clear", sum(0, 8), 0);
    write_cr0(read_cr0() & ~(1u << 31));
}

/* ---- XSAVE ---------------------------------------------------------------------------------------- */

static uint32_t word(unsigned offset) { return *(uint32_t *)(void *)(area_sym + offset); }

static void clear_area(void)
{
    for (unsigned i = 0; i < sizeof area_sym; i++)
        area_sym[i] = 0;
}

static void saving(void)
{
    __asm__ volatile("vzeroall\n fninit");
    set_in(1);
    LOAD(5);
    check("XINUSE", xgetbv(1) & (SSE | AVX), SSE | AVX);
    clear_area();
    TRY("xsave area_sym", , EAX(SSE | AVX));
    check_no_fault("XSAVE");
    check("XSTATE_BV", word(512), SSE | AVX);
    check("XMM5", word(160 + 16 * 5), 1);
    check("YMM5's upper half", word(576 + 16 * 5) + word(576 + 16 * 5 + 12), 5 + 8);
    __asm__ volatile("vzeroall");
    TRY("xrstor area_sym", , EAX(AVX));
    STORE(5);
    check("XRSTOR of AVX alone", sum(0, 8), 5 + 6 + 7 + 8);
    TRY("xrstor area_sym", , EAX(SSE | AVX));
    STORE(5);
    check("XRSTOR of both", sum(0, 8), 36);

    __asm__ volatile("vzeroupper");
    check("XINUSE after VZEROUPPER", xgetbv(1) & (SSE | AVX), SSE);
    area_sym[576] = 0x55;
    TRY("xsaveopt area_sym", , EAX(SSE | AVX));
    check("XSAVEOPT tells what is in use", word(512), SSE);
    check("and leaves the rest alone", area_sym[576], 0x55);
    LOAD(5);
    TRY("xrstor area_sym", , EAX(SSE | AVX));
    STORE(5);
    check("XRSTOR of what is not there initialises it", sum(0, 8), 1 + 2 + 3 + 4);

    LOAD(6);
    clear_area();
    TRY("xsavec area_sym", , EAX(SSE | AVX));
    check_no_fault("XSAVEC");
    check("XSTATE_BV", word(512), SSE | AVX);
    check("XCOMP_BV", word(520), SSE | AVX);
    check("says it is compacted", word(524), 0x80000000);
    check("YMM6's upper half", word(576 + 16 * 6), 5);
    __asm__ volatile("vzeroall");
    TRY("xrstor area_sym", , EAX(SSE | AVX));
    STORE(6);
    check("XRSTOR of the compacted form", sum(0, 8), 36);
    area_sym[520] = SSE;
    TRY("xrstor area_sym", , EAX(SSE | AVX));
    check_fault("a component that XCOMP_BV lacks", GP, 0);
    area_sym[520] = SSE | AVX | 8;
    TRY("xrstor area_sym", , EAX(SSE | AVX));
    check_fault("one that XCR0 lacks", GP, 0);
    TRY("xsetbv", , EAX(X87 | SSE));
    area_sym[520] = SSE | AVX;
    TRY("xrstor area_sym", , EAX(SSE));
    check_fault("one that XCR0 has no more", GP, 0);
    TRY("xsetbv", , EAX(X87 | SSE | AVX));
    STORE(6);
    check("without AVX in XCR0 the registers stay", sum(0, 8), 36);
}

int guest_main(void)
{
    uint32_t r[4];
    cpuid(1, 0, r);
    if (!(r[2] >> 28 & 1)) {
        print("-- no AVX here\n");
        return 0;
    }
    enabling();
    encodings();
    upper_halves();
    simd_exceptions();
    partial_faults();
    saving();
    return 0;
}
