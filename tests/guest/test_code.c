/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code that changes: by the instruction before it, behind a page boundary, in its second half, through another linear
 * address, by string instructions and DMA; and code that is not in RAM.  Each again and again, so that what
 * was translated once is met.
 */
#include "guest.h"

enum { TIMES = 50, PAGE = 4096, ALIAS = 0x40000000 };

typedef uint32_t code(void);

static uint8_t area[2 * PAGE] __attribute__((aligned(4096)));

static uint32_t run_at(void *at) { return ((code *)at)(); }

static uint8_t *put(uint8_t *at, const void *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        at[i] = ((const uint8_t *)bytes)[i];
    return at + n;
}

/* movl $value, address */
static uint8_t *put_store(uint8_t *at, void *address, uint32_t value)
{
    uint32_t a = (uint32_t)address;
    at = put(at, "\xc7\x05", 2);
    return put(put(at, &a, 4), &value, 4);
}

/* movb $value, address */
static uint8_t *put_store_byte(uint8_t *at, void *address, uint8_t value)
{
    uint32_t a = (uint32_t)address;
    at = put(at, "\xc6\x05", 2);
    return put(put(at, &a, 4), &value, 1);
}

/* movl $value, %eax; ret */
static uint8_t *put_answer(uint8_t *at, uint32_t value)
{
    return put(put(put(at, "\xb8", 1), &value, 4), "\xc3", 1);
}

/* ---- by stores ----------------------------------------------------------------------------- */

static void next_instruction(void)
{
    uint32_t wrong = 0;
    for (uint32_t n = 0; n < TIMES; n++) {
        uint8_t *answer = put_store(area, area + 11, n);      /* the answer's number, 1 byte in */
        put_answer(answer, 0xbad);
        wrong += run_at(area) != n;
    }
    check("the next instruction", wrong, 0);
}

extern code loop_code;
extern uint8_t loop_step;
__asm__("loop_code: movl $40, %ecx\n xorl %eax, %eax\n"
        "1: .byte 0x83, 0xc0\n loop_step: .byte 0\n"           /* addl $loop_step, %eax */
        "incb loop_step\n decl %ecx\n jnz 1b\n ret");

static void loop(void)
{
    uint32_t wrong = 0;
    for (uint32_t n = 0; n < TIMES; n++) {
        loop_step = 0;
        wrong += loop_code() != 40 * 39 / 2;
    }
    check("an instruction of its loop", wrong, 0);
}

static void next_page(void)
{
    uint32_t wrong = 0;
    put_answer(area + PAGE, 0xbad);
    for (uint32_t n = 0; n < TIMES; n++) {
        put_store(area + PAGE - 10, area + PAGE + 1, n);
        wrong += run_at(area + PAGE - 10) != n;
    }
    check("the first instruction of the next page", wrong, 0);
}

static void second_half(void)
{
    uint32_t wrong = 0, before = 0;
    put_answer(area + PAGE - 2, 0x11111111);
    put_store_byte(area + PAGE - 9, area + PAGE + 1, 0);
    for (uint32_t n = 0; n < TIMES; n++) {
        area[PAGE] = (uint8_t)n;
        wrong += run_at(area + PAGE - 2) != (0x11000011 | (n & 0xff) << 8 | (uint32_t)area[PAGE + 1] << 16);
        area[PAGE - 3] = (uint8_t)(3 * n);                       /* what the instruction before stores */
        before += run_at(area + PAGE - 9) != (0x11000011 | (n & 0xff) << 8 | (3 * n & 0xff) << 16);
    }
    check("the second half of an instruction across pages", wrong, 0);
    check("the same by the instruction before it", before, 0);
}

extern code string_code;
extern uint8_t string_answer[];
static uint8_t string_source[6];
__asm__("string_code: pushl %esi\n pushl %edi\n movl $string_source_at, %esi\n movl (%esi), %esi\n"
        "movl $string_answer, %edi\n movl $6, %ecx\n rep movsb\n"
        "string_answer: movl $0xbad, %eax\n nop\n popl %edi\n popl %esi\n ret");
extern uint8_t *string_source_at;
uint8_t *string_source_at = string_source;

static void by_string(void)
{
    uint32_t wrong = 0;
    for (uint32_t n = 0; n < TIMES; n++) {
        put_answer(string_source, n);
        string_source[5] = 0x90;
        wrong += string_code() != n;
    }
    check("by a string instruction", wrong, 0);
}

static uint32_t directory[1024] __attribute__((aligned(4096)));

static void by_alias(void)
{
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < 1024; i++)
        directory[i] = (i << 22 & 0x3fffffff) | 0x87;          /* 4 MiB pages; from ALIAS on once more from 0 */
    write_cr4(read_cr4() | 1 << 4);
    write_cr3((uint32_t)directory);
    write_cr0(read_cr0() | 0x80000000);
    put_answer(area, 0xbad);
    for (uint32_t n = 0; n < TIMES; n++) {
        *(volatile uint32_t *)(ALIAS + (uint32_t)area + 1) = n;
        wrong += run_at(area) != n;
        wrong += run_at((void *)(ALIAS + (uint32_t)area)) != n;
    }
    write_cr0(read_cr0() & 0x7fffffff);
    check("through another address", wrong, 0);
}

/* ---- by DMA: fw_cfg's item 0 is "QEMU", as code two pushes around nothing ------------------- */

static struct {
    uint32_t control, length, address_high, address_low;    /* big-endian */
} request;

extern uint32_t dma_code(uint32_t where);
extern uint8_t dma_target[4];
/* Starts the DMA in the instruction before its target; by how much the stack has grown. */
__asm__("dma_code: movl 4(%esp), %eax\n movl $0x518, %edx\n movl %esp, %ecx\n outl %eax, %dx\n"
        "dma_target: nop\n nop\n nop\n nop\n movl %ecx, %eax\n subl %esp, %eax\n movl %ecx, %esp\n ret");

static void outl(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port)); }

static void by_dma(void)
{
    uint32_t wrong = 0, back = 0;
    for (uint32_t n = 0; n < TIMES; n++) {
        request.control = __builtin_bswap32(8 | 2);             /* select item 0, read */
        request.length = __builtin_bswap32(4);
        request.address_high = 0;
        request.address_low = __builtin_bswap32((uint32_t)dma_target);
        outl(0x514, 0);
        wrong += dma_code(__builtin_bswap32((uint32_t)&request)) != 8;
        put(dma_target, "\x90\x90\x90\x90", 4);
        request.control = 0;
        back += dma_code(__builtin_bswap32((uint32_t)&request)) != 0;
    }
    check("by DMA, in the instruction before", wrong, 0);
    check("and back", back, 0);
}

/* ---- outside RAM -------------------------------------------------------------------------------- */

/* A HPET's comparator keeps six bytes of code as well as any memory. */
static void in_device(void)
{
    volatile uint32_t *hpet = (volatile uint32_t *)0xfed00000, *comparator = hpet + 0x108 / 4;
    uint32_t wrong = 0;
    for (uint32_t n = 0; n < TIMES; n++) {
        uint8_t bytes[8] = { 0 };
        put_answer(bytes, n << 8);
        comparator[0] = *(uint32_t *)(void *)bytes;
        comparator[1] = *(uint32_t *)(void *)(bytes + 4);
        wrong += run_at((void *)comparator) != n << 8;
    }
    check("code in a device's registers", wrong, 0);
}

/* The chipset's PAM5 (offset 0x5e) says what 0xe0000 to 0xe7fff are: bit 0 reads RAM, bit 1 writes it. */
static void shadow(unsigned bits)
{
    outl(0xcf8, 0x8000005c);
    outb(0xcfe, (uint8_t)bits);
}

static void in_shadow(void)
{
    uint8_t *at = (uint8_t *)0xe0000;
    uint32_t wrong = 0, kept = 0;
    for (uint32_t n = 0; n < TIMES; n++) {
        shadow(3);
        put_answer(at, n);
        shadow(1);
        wrong += run_at(at) != n;
        put_answer(at, 0xbad);
        kept += run_at(at) != n;
        shadow(3);
        kept += run_at(at) != n;
    }
    shadow(0);
    check("code in write-protected memory", wrong, 0);
    check("which stores do not change", kept, 0);
}

int guest_main(void)
{
    next_instruction();
    loop();
    next_page();
    second_half();
    by_string();
    by_alias();
    by_dma();
    in_device();
    in_shadow();
    return 0;
}
