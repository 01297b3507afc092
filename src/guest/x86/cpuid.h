/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU models and features.  A guest CPU is a model, never the host's CPUID.
 *
 * A feature is a bit of one of eight CPUID words; enum x86_feature encodes
 * word * 32 + bit + 1, so that 0 means "none needed".
 */
#ifndef REPRISE_GUEST_X86_CPUID_H
#define REPRISE_GUEST_X86_CPUID_H

#include "base/bits.h"
#include "base/error.h"

enum { CPUID_1_EDX, CPUID_1_ECX, CPUID_7_EBX, CPUID_7_ECX, CPUID_7_EDX, CPUID_81_EDX, CPUID_81_ECX, CPUID_D1_EAX,
       CPUID_WORDS };

#define X86_F(word, bit) ((word)*32 + (bit) + 1)
enum x86_feature {
    F_NONE = 0,
    F_FPU = X86_F(CPUID_1_EDX, 0), F_TSC = X86_F(CPUID_1_EDX, 4), F_MSR = X86_F(CPUID_1_EDX, 5),
    F_CX8 = X86_F(CPUID_1_EDX, 8), F_SEP = X86_F(CPUID_1_EDX, 11), F_CMOV = X86_F(CPUID_1_EDX, 15),
    F_MMX = X86_F(CPUID_1_EDX, 23), F_FXSR = X86_F(CPUID_1_EDX, 24), F_SSE = X86_F(CPUID_1_EDX, 25),
    F_SSE2 = X86_F(CPUID_1_EDX, 26), F_CLFLUSH = X86_F(CPUID_1_EDX, 19),
    F_SSE3 = X86_F(CPUID_1_ECX, 0), F_PCLMULQDQ = X86_F(CPUID_1_ECX, 1), F_MONITOR = X86_F(CPUID_1_ECX, 3),
    F_SSSE3 = X86_F(CPUID_1_ECX, 9), F_FMA = X86_F(CPUID_1_ECX, 12), F_CX16 = X86_F(CPUID_1_ECX, 13),
    F_PCID = X86_F(CPUID_1_ECX, 17), F_SSE4_1 = X86_F(CPUID_1_ECX, 19), F_SSE4_2 = X86_F(CPUID_1_ECX, 20),
    F_X2APIC = X86_F(CPUID_1_ECX, 21), F_MOVBE = X86_F(CPUID_1_ECX, 22), F_POPCNT = X86_F(CPUID_1_ECX, 23),
    F_TSC_DEADLINE = X86_F(CPUID_1_ECX, 24), F_AES = X86_F(CPUID_1_ECX, 25), F_XSAVE = X86_F(CPUID_1_ECX, 26),
    F_AVX = X86_F(CPUID_1_ECX, 28), F_F16C = X86_F(CPUID_1_ECX, 29), F_RDRAND = X86_F(CPUID_1_ECX, 30),
    F_FSGSBASE = X86_F(CPUID_7_EBX, 0), F_BMI1 = X86_F(CPUID_7_EBX, 3), F_AVX2 = X86_F(CPUID_7_EBX, 5),
    F_SMEP = X86_F(CPUID_7_EBX, 7), F_BMI2 = X86_F(CPUID_7_EBX, 8), F_ERMS = X86_F(CPUID_7_EBX, 9),
    F_INVPCID = X86_F(CPUID_7_EBX, 10), F_RDSEED = X86_F(CPUID_7_EBX, 18), F_ADX = X86_F(CPUID_7_EBX, 19),
    F_SMAP = X86_F(CPUID_7_EBX, 20), F_CLFLUSHOPT = X86_F(CPUID_7_EBX, 23), F_CLWB = X86_F(CPUID_7_EBX, 24),
    F_UMIP = X86_F(CPUID_7_ECX, 2), F_VAES = X86_F(CPUID_7_ECX, 9), F_VPCLMULQDQ = X86_F(CPUID_7_ECX, 10),
    F_RDPID = X86_F(CPUID_7_ECX, 22),
    F_SYSCALL = X86_F(CPUID_81_EDX, 11), F_NX = X86_F(CPUID_81_EDX, 20), F_RDTSCP = X86_F(CPUID_81_EDX, 27),
    F_LM = X86_F(CPUID_81_EDX, 29), F_PDPE1GB = X86_F(CPUID_81_EDX, 26),
    F_LAHF_LM = X86_F(CPUID_81_ECX, 0), F_ABM = X86_F(CPUID_81_ECX, 5) /* LZCNT */,
    F_PREFETCHW = X86_F(CPUID_81_ECX, 8),
    F_XSAVEOPT = X86_F(CPUID_D1_EAX, 0), F_XSAVEC = X86_F(CPUID_D1_EAX, 1), F_XGETBV1 = X86_F(CPUID_D1_EAX, 2),
};

static inline bool x86_has(const uint64_t *features, unsigned f)
{
    return f == F_NONE || (features[(f - 1) / 32] >> ((f - 1) % 32) & 1);
}

#endif
