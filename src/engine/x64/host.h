/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host's CPU can do.  Only code generation may ask, to choose between
 * ways to the same result: the guest's CPU is its model, never the host's.
 */
#ifndef REPRISE_ENGINE_X64_HOST_H
#define REPRISE_ENGINE_X64_HOST_H

#include <stdbool.h>

/* As CPUID names them; what needs the operating system's leave (the AVX family) only where it is given. */
struct x64_host {
    bool x64;                 /* it is an x86-64 at all */
    bool ssse3, sse41, sse42, aes, pclmul, avx, avx2, fma, f16c;
    bool popcnt, lzcnt, movbe, bmi1, bmi2, adx, lahf;
};

void x64_host_probe(struct x64_host *h);

#endif
