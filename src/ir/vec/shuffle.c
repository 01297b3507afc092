/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving lanes about: shuffles, unpacks, packs, masks. */
#include "ir/vec/functions.h"

#define UNUSED ((void)b, (void)c, (void)imm)

VEC(SHL_BYTES)
{
    uint8_t wide[32] = { 0 };
    UNUSED;
    memcpy(wide + 16, a->b, 16);
    memcpy(r->b, wide + 16 - (imm < 16 ? imm : 16), 16);
}

VEC(SHR_BYTES)
{
    uint8_t wide[32] = { 0 };
    UNUSED;
    memcpy(wide, a->b, 16);
    memcpy(r->b, wide + (imm < 16 ? imm : 16), 16);
}

#define UNPACK(NAME, field, n, from)                    \
    VEC(NAME)                                           \
    {                                                   \
        UNUSED;                                         \
        for (unsigned i = 0; i < (n) / 2; i++) {        \
            r->field[2 * i] = a->field[(from) + i];     \
            r->field[2 * i + 1] = b->field[(from) + i]; \
        }                                               \
    }
UNPACK(UNPACKLO_B, b, 16, 0)
UNPACK(UNPACKLO_H, h, 8, 0)
UNPACK(UNPACKLO_W, w, 4, 0)
UNPACK(UNPACKLO_D, d, 2, 0)
UNPACK(UNPACKHI_B, b, 16, 8)
UNPACK(UNPACKHI_H, h, 8, 4)
UNPACK(UNPACKHI_W, w, 4, 2)
UNPACK(UNPACKHI_D, d, 2, 1)

static int32_t clamp(int32_t v, int32_t low, int32_t high) { return v < low ? low : v > high ? high : v; }

VEC(PACKSS_H)
{
    UNUSED;
    for (unsigned i = 0; i < 8; i++) {
        r->b[i] = (uint8_t)clamp((int16_t)a->h[i], -128, 127);
        r->b[8 + i] = (uint8_t)clamp((int16_t)b->h[i], -128, 127);
    }
}

VEC(PACKUS_H)
{
    UNUSED;
    for (unsigned i = 0; i < 8; i++) {
        r->b[i] = (uint8_t)clamp((int16_t)a->h[i], 0, 255);
        r->b[8 + i] = (uint8_t)clamp((int16_t)b->h[i], 0, 255);
    }
}

VEC(PACKSS_W)
{
    UNUSED;
    for (unsigned i = 0; i < 4; i++) {
        r->h[i] = (uint16_t)clamp((int32_t)a->w[i], -32768, 32767);
        r->h[4 + i] = (uint16_t)clamp((int32_t)b->w[i], -32768, 32767);
    }
}

VEC(PACKUS_W)
{
    UNUSED;
    for (unsigned i = 0; i < 4; i++) {
        r->h[i] = (uint16_t)clamp((int32_t)a->w[i], 0, 65535);
        r->h[4 + i] = (uint16_t)clamp((int32_t)b->w[i], 0, 65535);
    }
}

VEC(SHUFFLE_W)
{
    UNUSED;
    for (unsigned i = 0; i < 4; i++)
        r->w[i] = a->w[imm >> 2 * i & 3];
}

VEC(SHUFFLELO_H)
{
    UNUSED;
    r->d[1] = a->d[1];
    for (unsigned i = 0; i < 4; i++)
        r->h[i] = a->h[imm >> 2 * i & 3];
}

VEC(SHUFFLEHI_H)
{
    UNUSED;
    r->d[0] = a->d[0];
    for (unsigned i = 0; i < 4; i++)
        r->h[4 + i] = a->h[4 + (imm >> 2 * i & 3)];
}

VEC(SHUFFLE2_W)
{
    UNUSED;
    r->w[0] = a->w[imm & 3];
    r->w[1] = a->w[imm >> 2 & 3];
    r->w[2] = b->w[imm >> 4 & 3];
    r->w[3] = b->w[imm >> 6 & 3];
}

VEC(SHUFFLE2_D)
{
    UNUSED;
    r->d[0] = a->d[imm & 1];
    r->d[1] = b->d[imm >> 1 & 1];
}

/* The product has byte i's sign at bit 56 + i, and no two terms meet. */
static uint64_t signs(uint64_t v)
{
    return (v >> 7 & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56;
}

VEC(MASK_B)
{
    UNUSED;
    r->d[0] = signs(load_le(a->b, 8)) | signs(load_le(a->b + 8, 8)) << 8;
    r->d[1] = 0;
}

#define MASK(NAME, field, n, bits)                              \
    VEC(NAME)                                                   \
    {                                                           \
        uint64_t m = 0;                                         \
        UNUSED;                                                 \
        for (unsigned i = 0; i < (n); i++)                      \
            m |= (uint64_t)(a->field[i] >> ((bits)-1)) << i;    \
        r->d[0] = m;                                            \
        r->d[1] = 0;                                            \
    }
MASK(MASK_W, w, 4, 32)
MASK(MASK_D, d, 2, 64)

VEC(MERGE_W)
{
    UNUSED;
    *r = *a;
    r->w[0] = b->w[0];
}

VEC(MERGE_D)
{
    UNUSED;
    r->d[0] = b->d[0];
    r->d[1] = a->d[1];
}
