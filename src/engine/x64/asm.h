/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An x86-64 assembler: one inline function an instruction form (Intel SDM vol. 2),
 * by topic in integer.h, branch.h and simd.h.
 *
 * Names end in the operands, destination first: r a general register, m memory
 * (encode.h), i an immediate, x an XMM register, c the count in CL.  w is the
 * width of the operation in bits: 8, 16, 32 or 64.  Immediates are of w bits,
 * of 32 sign-extended where w is 64.  As on the machine, a 32-bit result clears
 * the register's upper half and an 8- or 16-bit one keeps the rest.
 *
 * The buffer is the caller's.  What does not fit is not written, and a->failed
 * is set; check it once, at the end.
 */
#ifndef REPRISE_ENGINE_X64_ASM_H
#define REPRISE_ENGINE_X64_ASM_H

#include "engine/x64/branch.h"
#include "engine/x64/integer.h"
#include "engine/x64/simd.h"

static inline void x64_init(struct x64_asm *a, void *buffer, size_t size)
{
    *a = (struct x64_asm){ .p = buffer, .end = (uint8_t *)buffer + size };
}

/* n bytes that do nothing, in as few instructions as there are. */
void x64_nop(struct x64_asm *a, unsigned n);
/* Fills with such up to a multiple of n, a power of 2, of the address it will run at. */
void x64_align(struct x64_asm *a, unsigned n);

#endif
