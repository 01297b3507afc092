/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "debug/disasm.h"

#include <Zydis/Zydis.h>
#include <stdio.h>

unsigned disasm_x86(unsigned bits, uint64_t address, const uint8_t *code, size_t len, char text[DISASM_TEXT])
{
    ZydisDisassembledInstruction i;
    ZydisMachineMode mode = bits == 64   ? ZYDIS_MACHINE_MODE_LONG_64
                            : bits == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32
                                         : ZYDIS_MACHINE_MODE_LEGACY_16;
    if (ZYAN_SUCCESS(ZydisDisassembleIntel(mode, address, code, len, &i))) {
        snprintf(text, DISASM_TEXT, "%s", i.text);
        return i.info.length;
    }
    snprintf(text, DISASM_TEXT, ".byte 0x%02x", len ? code[0] : 0);
    return 0;
}
