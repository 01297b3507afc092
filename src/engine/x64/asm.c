/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the assembler is not inline: labels' ends, and padding. */
#include "engine/x64/asm.h"

void x64_bind(struct x64_asm *a, struct x64_label *l)
{
    l->at = a->p;
    for (uint8_t *f = l->fields; f;) {
        uint32_t back = (uint32_t)load_le(f, 4);
        x64_patch32(f, a->p);
        f = back ? f - back : NULL;
    }
    for (uint8_t *f = l->fields8; f;) {
        uint8_t back = *f;
        a->failed |= a->p - (f + 1) > 127;
        *f = (uint8_t)(a->p - (f + 1));
        f = back ? f - back : NULL;
    }
    l->fields = l->fields8 = NULL;
}

/* SDM vol. 2, NOP: the recommended sequences of 1 to 9 bytes. */
static const uint8_t nops[9][9] = {
    { 0x90 },
    { 0x66, 0x90 },
    { 0x0f, 0x1f, 0x00 },
    { 0x0f, 0x1f, 0x40, 0x00 },
    { 0x0f, 0x1f, 0x44, 0x00, 0x00 },
    { 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
    { 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
    { 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
    { 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
};

void x64_nop(struct x64_asm *a, unsigned n)
{
    while (n && x64_room(a)) {
        unsigned k = n < 9 ? n : 9;
        memcpy(a->p, nops[k - 1], k);
        a->p += k;
        n -= k;
    }
}

void x64_align(struct x64_asm *a, unsigned n)
{
    x64_nop(a, (unsigned)(0 - (uint64_t)x64_runs_at(a, a->p)) & (n - 1));
}
