/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contents of the data pages, for both sides.
 *
 * Accesses may reach what lies around the window, so that is made anew for each case as well: a case depends on nothing
 * that one before has stored, which may be an undefined flag, or stored by the host alone (a case that was lost).
 */
#include <string.h>
#include <xxhash.h>

#include "isa.h"

enum { BEFORE = ISA_WINDOW - ISA_DATA, BEHIND = BEFORE + ISA_WINDOW_SIZE };

/* Bit 1 of a byte is clear, so that no word read from anywhere has bit 17: in MXCSR that is AMD's alone. */
static void pattern(uint8_t *data, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        data[i] = (uint8_t)(i * 0x9d >> 3) & 0xfd;
}

void isa_data_fill(uint8_t *data, const struct isa_case *c)
{
    pattern(data, 0, BEFORE);
    memcpy(data + BEFORE, c->in.window, ISA_WINDOW_SIZE);
    pattern(data, BEHIND, ISA_DATA_SIZE);
}

void isa_data_result(const uint8_t *data, struct isa_result *r)
{
    memcpy(r->out.window, data + BEFORE, ISA_WINDOW_SIZE);
    r->outside = XXH3_64bits_withSeed(data, BEFORE, XXH3_64bits(data + BEHIND, ISA_DATA_SIZE - BEHIND));
}
