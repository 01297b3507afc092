/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer operations that combine neighbouring lanes. */
#include "ir/vec/functions.h"

#define UNUSED ((void)a, (void)b, (void)c, (void)imm)

static int clamp16(int v)
{
    return v < -32768 ? -32768 : v > 32767 ? 32767 : v;
}

/* expr of each pair's x and y: a's pairs, then b's. */
#define PAIRS(NAME, field, n, T, expr)                            \
    VEC(NAME)                                                     \
    {                                                             \
        UNUSED;                                                   \
        for (unsigned i = 0; i < (n) / 2; i++) {                  \
            T x = (T)a->field[2 * i], y = (T)a->field[2 * i + 1]; \
            r->field[i] = (expr);                                 \
            x = (T)b->field[2 * i], y = (T)b->field[2 * i + 1];   \
            r->field[(n) / 2 + i] = (expr);                       \
        }                                                         \
    }
PAIRS(HADD_H, h, 8, uint16_t, (uint16_t)(x + y))
PAIRS(HADD_W, w, 4, uint32_t, x + y)
PAIRS(HADDS_H, h, 8, int16_t, (uint16_t)clamp16(x + y))
PAIRS(HSUB_H, h, 8, uint16_t, (uint16_t)(x - y))
PAIRS(HSUB_W, w, 4, uint32_t, x - y)
PAIRS(HSUBS_H, h, 8, int16_t, (uint16_t)clamp16(x - y))

VEC(MADDUS_B)
{
    UNUSED;
    for (unsigned i = 0; i < 8; i++)
        r->h[i] = (uint16_t)clamp16(a->b[2 * i] * (int8_t)b->b[2 * i] + a->b[2 * i + 1] * (int8_t)b->b[2 * i + 1]);
}

/* MPSADBW: imm bit 2 chooses where in a the eight blocks begin, bits 0..1 the block of b. */
VEC(MPSAD_B)
{
    const uint8_t *x = a->b + (imm & 4), *y = b->b + 4 * (imm & 3);
    UNUSED;
    for (unsigned i = 0; i < 8; i++) {
        unsigned sum = 0;
        for (unsigned k = 0; k < 4; k++)
            sum += (unsigned)(x[i + k] > y[k] ? x[i + k] - y[k] : y[k] - x[i + k]);
        r->h[i] = (uint16_t)sum;
    }
}

VEC(MINPOS_H)
{
    unsigned at = 0;
    UNUSED;
    for (unsigned i = 1; i < 8; i++)
        if (a->h[i] < a->h[at])
            at = i;
    r->d[0] = a->h[at] | (uint64_t)at << 16;
    r->d[1] = 0;
}
