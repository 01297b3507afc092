/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One x86 instruction as text, by the library Zydis. */
#ifndef REPRISE_DEBUG_DISASM_H
#define REPRISE_DEBUG_DISASM_H

#include "base/bits.h"

enum { DISASM_MAX_INSN = 15, DISASM_TEXT = 128 };

/*
 * Intel syntax; bits: 16, 32 or 64.  Returns the instruction's bytes; 0: there is none
 * (text: ".byte 0x..", for one).
 */
unsigned disasm_x86(unsigned bits, uint64_t address, const uint8_t *code, size_t len, char text[DISASM_TEXT]);

#endif
