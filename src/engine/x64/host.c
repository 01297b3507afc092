/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intel SDM vol. 2, CPUID; vol. 1, 14.3: detection of AVX. */
#include "engine/x64/host.h"

#include "base/bits.h"

#if defined(__x86_64__) && defined(__GNUC__)

struct leaf {
    uint32_t eax, ebx, ecx, edx;
};

static struct leaf cpuid(uint32_t number, uint32_t sub)
{
    struct leaf l;
    __asm__ volatile("cpuid" : "=a"(l.eax), "=b"(l.ebx), "=c"(l.ecx), "=d"(l.edx) : "a"(number), "c"(sub));
    return l;
}

/* Does the operating system keep XMM and YMM registers? */
static bool os_keeps_ymm(uint32_t leaf1_ecx)
{
    enum { OSXSAVE = 1 << 27, XMM_AND_YMM = 6 };
    uint32_t low, high;
    if (!(leaf1_ecx & OSXSAVE))
        return false;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & XMM_AND_YMM) == XMM_AND_YMM;
}

void x64_host_probe(struct x64_host *h)
{
    struct leaf none = { 0 };
    struct leaf l1 = cpuid(1, 0), l7 = cpuid(0, 0).eax >= 7 ? cpuid(7, 0) : none;
    struct leaf ext = cpuid(0x80000000, 0).eax >= 0x80000001 ? cpuid(0x80000001, 0) : none;
    bool avx = l1.ecx >> 28 & 1 && os_keeps_ymm(l1.ecx);
    *h = (struct x64_host){
        .x64 = true,
        .ssse3 = l1.ecx >> 9 & 1,
        .sse41 = l1.ecx >> 19 & 1,
        .sse42 = l1.ecx >> 20 & 1,
        .aes = l1.ecx >> 25 & 1,
        .pclmul = l1.ecx >> 1 & 1,
        .avx = avx,
        .avx2 = avx && l7.ebx >> 5 & 1,
        .fma = avx && l1.ecx >> 12 & 1,
        .f16c = avx && l1.ecx >> 29 & 1,
        .popcnt = l1.ecx >> 23 & 1,
        .lzcnt = ext.ecx >> 5 & 1,
        .movbe = l1.ecx >> 22 & 1,
        .bmi1 = l7.ebx >> 3 & 1,
        .bmi2 = l7.ebx >> 8 & 1,
        .adx = l7.ebx >> 19 & 1,
        .lahf = ext.ecx & 1,
    };
}

#else

void x64_host_probe(struct x64_host *h) { *h = (struct x64_host){ 0 }; }

#endif
