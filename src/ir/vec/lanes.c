/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing and widening lanes: blends, inserts, extracts, extensions, byte shuffles. */
#include "ir/vec/functions.h"

#define UNUSED ((void)b, (void)c, (void)imm)

VEC(SHUFFLE_B)
{
    UNUSED;
    for (unsigned i = 0; i < 16; i++)
        r->b[i] = b->b[i] & 0x80 ? 0 : a->b[b->b[i] & 15];
}

VEC(ALIGN)
{
    uint8_t wide[48] = { 0 };
    UNUSED;
    memcpy(wide, b->b, 16);
    memcpy(wide + 16, a->b, 16);
    memcpy(r->b, wide + (imm < 32 ? imm : 32), 16);
}

VEC(PERM_W)
{
    UNUSED;
    for (unsigned i = 0; i < 4; i++)
        r->w[i] = a->w[b->w[i] & 3];
}

VEC(PERM_D)
{
    UNUSED;
    for (unsigned i = 0; i < 2; i++)
        r->d[i] = a->d[b->d[i] >> 1 & 1];
}

#define BROADCAST(NAME, field, n)          \
    VEC(NAME)                              \
    {                                      \
        UNUSED;                            \
        for (unsigned i = 0; i < (n); i++) \
            r->field[i] = a->field[0];     \
    }
BROADCAST(BCAST_B, b, 16)
BROADCAST(BCAST_H, h, 8)
BROADCAST(BCAST_W, w, 4)
BROADCAST(BCAST_D, d, 2)

/* ---- blends ------------------------------------------------------------------------------------- */

#define BLEND(NAME, field, n, T, take_b)                                     \
    VEC(NAME)                                                                \
    {                                                                        \
        UNUSED;                                                              \
        for (unsigned i = 0; i < (n); i++) {                                 \
            T mask = (T)(0 - (T)(take_b));                                   \
            r->field[i] = (T)((a->field[i] & ~mask) | (b->field[i] & mask)); \
        }                                                                    \
    }
BLEND(BLENDV_B, b, 16, uint8_t, c->b[i] >> 7)
BLEND(BLENDV_W, w, 4, uint32_t, c->w[i] >> 31)
BLEND(BLENDV_D, d, 2, uint64_t, c->d[i] >> 63)
BLEND(BLEND_H, h, 8, uint16_t, imm >> i & 1)
BLEND(BLEND_W, w, 4, uint32_t, imm >> i & 1)
BLEND(BLEND_D, d, 2, uint64_t, imm >> i & 1)

/* ---- single lanes --------------------------------------------------------------------------------- */

#define INSERT(NAME, field, n)                 \
    VEC(NAME)                                  \
    {                                          \
        UNUSED;                                \
        *r = *a;                               \
        r->field[imm & ((n)-1)] = b->field[0]; \
    }
#define EXTRACT(NAME, field, n)            \
    VEC(NAME)                              \
    {                                      \
        UNUSED;                            \
        r->d[0] = a->field[imm & ((n)-1)]; \
        r->d[1] = 0;                       \
    }
INSERT(INSERT_B, b, 16)
INSERT(INSERT_H, h, 8)
INSERT(INSERT_W, w, 4)
INSERT(INSERT_D, d, 2)
EXTRACT(EXTRACT_B, b, 16)
EXTRACT(EXTRACT_H, h, 8)
EXTRACT(EXTRACT_W, w, 4)
EXTRACT(EXTRACT_D, d, 2)

VEC(INSERTPS)
{
    UNUSED;
    *r = *a;
    r->w[imm >> 4 & 3] = b->w[imm >> 6 & 3];
    for (unsigned i = 0; i < 4; i++)
        if (imm >> i & 1)
            r->w[i] = 0;
}

/* ---- widening --------------------------------------------------------------------------------------- */

/* S: the type that the lane is read as; T: that of the result. */
#define EXTEND(NAME, to, n, T, from, S)    \
    VEC(NAME)                              \
    {                                      \
        UNUSED;                            \
        for (unsigned i = 0; i < (n); i++) \
            r->to[i] = (T)(S)a->from[i];   \
    }
EXTEND(SEXT_BH, h, 8, uint16_t, b, int8_t)
EXTEND(SEXT_BW, w, 4, uint32_t, b, int8_t)
EXTEND(SEXT_BD, d, 2, uint64_t, b, int8_t)
EXTEND(SEXT_HW, w, 4, uint32_t, h, int16_t)
EXTEND(SEXT_HD, d, 2, uint64_t, h, int16_t)
EXTEND(SEXT_WD, d, 2, uint64_t, w, int32_t)
EXTEND(ZEXT_BH, h, 8, uint16_t, b, uint8_t)
EXTEND(ZEXT_BW, w, 4, uint32_t, b, uint8_t)
EXTEND(ZEXT_BD, d, 2, uint64_t, b, uint8_t)
EXTEND(ZEXT_HW, w, 4, uint32_t, h, uint16_t)
EXTEND(ZEXT_HD, d, 2, uint64_t, h, uint16_t)
EXTEND(ZEXT_WD, d, 2, uint64_t, w, uint32_t)

#define EXPAND(NAME, field, n, T)                               \
    VEC(NAME)                                                   \
    {                                                           \
        UNUSED;                                                 \
        for (unsigned i = 0; i < (n); i++)                      \
            r->field[i] = a->d[0] >> i & 1 ? (T)UINT64_MAX : 0; \
    }
EXPAND(EXPAND_B, b, 16, uint8_t)
EXPAND(EXPAND_H, h, 8, uint16_t)
