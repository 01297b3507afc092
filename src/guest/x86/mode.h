/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What translation depends on: block key flags, and the MMU modes.
 * x86_update_mode() recomputes both; it is called by whatever changes CR0,
 * CR4, EFER, CPL, EFLAGS.{VM,TF,AC,IOPL..}, segments or DR7.
 */
#ifndef REPRISE_GUEST_X86_MODE_H
#define REPRISE_GUEST_X86_MODE_H

#include "guest/x86/cpu.h"

enum {
    MODE_CS32 = 1 << 0,       /* CS.D: 32-bit default operand and address size */
    MODE_CS64 = 1 << 1,       /* 64-bit mode (LMA and CS.L) */
    MODE_SS32 = 1 << 2,       /* SS.B: stack pointer width 32 (64 in 64-bit mode) */
    MODE_PE = 1 << 3,
    MODE_VM86 = 1 << 4,
    MODE_LMA = 1 << 5,
    MODE_FLAT_DATA = 1 << 6,  /* ES, DS: base 0, limit 4 GiB - 1, writable data, usable: no checks, no base */
    MODE_FLAT_SS = 1 << 7,    /* the same for SS */
    MODE_WHOLE_FS = 1 << 8,   /* FS: limit 4 GiB - 1, writable data, usable: a base, but no checks */
    MODE_TF = 1 << 9,         /* single step: one instruction a block, then #DB */
    MODE_DEBUG = 1 << 10,     /* DR7 has an enabled breakpoint: check calls are lifted */
    MODE_TS = 1 << 11,        /* CR0.TS */
    MODE_EM = 1 << 12,
    MODE_MP = 1 << 13,
    MODE_OSFXSR = 1 << 14,
    MODE_OSXSAVE = 1 << 15,   /* CR4.OSXSAVE and XCR0 has SSE|AVX (AVX usable) */
    MODE_IOPL_SHIFT = 16,     /* 2 bits */
    MODE_CPL_SHIFT = 18,      /* 2 bits */
    MODE_AC_CHECK = 1 << 20,  /* CR0.AM and EFLAGS.AC and CPL 3: alignment is checked */
    MODE_SHADOW = 1 << 21,    /* an interrupt shadow is active: one instruction, then clear it */
    MODE_MMU_SHIFT = 22,      /* 2 bits: mmu mode of data accesses */
    MODE_CS_BASE = 1 << 24,   /* CS has a base other than 0, outside 64-bit mode */
    MODE_UMIP = 1 << 25,
    MODE_DE = 1 << 26,        /* CR4.DE */
    MODE_WHOLE_GS = 1 << 27,  /* the same for GS, at CPL 3 only: a kernel may run with whatever GS its callers had, and
                                 would have all of its blocks twice.  Its own accesses look (x86_cpu.partial_gs) */
    MODE_FSGSBASE = 1 << 28,
    MODE_RF = 1 << 29,        /* EFLAGS.RF: first instruction ignores execution breakpoints, then clears it */
    MODE_CS_LIMIT = 1 << 30,  /* CS limit below 4 GiB - 1: fetches are checked */
    MODE_LIMIT_SHIFT = 32,    /* 32 bits: that limit; else 0 */
};

/* MMU modes.  Implicit supervisor accesses (descriptor tables, TSS) use MMU_KERNEL always. */
enum {
    MMU_PHYS = 0,          /* paging off, any CPL */
    MMU_USER = 1,          /* CPL 3 */
    MMU_KERNEL = 2,        /* CPL 0..2, SMAP not enforced (CR4.SMAP 0, or EFLAGS.AC 1); implicit accesses see mmu.c */
    MMU_KERNEL_SMAP = 3,   /* CPL 0..2, SMAP enforced */
};

void x86_update_mode(struct x86_cpu *c);

#endif
