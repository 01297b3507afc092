/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lane-wise integer operations. */
#include "ir/vec/functions.h"

static int clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

VEC(ZERO)
{
    (void)a;
    (void)b;
    (void)c;
    (void)imm;
    r->d[0] = r->d[1] = 0;
}

VEC(AND) { LANES(d, 2, uint64_t, x & y); }
VEC(ANDN) { LANES(d, 2, uint64_t, ~x & y); }
VEC(OR) { LANES(d, 2, uint64_t, x | y); }
VEC(XOR) { LANES(d, 2, uint64_t, x ^ y); }

VEC(ADD_B) { LANES(b, 16, uint8_t, (uint8_t)(x + y)); }
VEC(ADD_H) { LANES(h, 8, uint16_t, (uint16_t)(x + y)); }
VEC(ADD_W) { LANES(w, 4, uint32_t, x + y); }
VEC(ADD_D) { LANES(d, 2, uint64_t, x + y); }
VEC(SUB_B) { LANES(b, 16, uint8_t, (uint8_t)(x - y)); }
VEC(SUB_H) { LANES(h, 8, uint16_t, (uint16_t)(x - y)); }
VEC(SUB_W) { LANES(w, 4, uint32_t, x - y); }
VEC(SUB_D) { LANES(d, 2, uint64_t, x - y); }

VEC(ADDS_B) { LANES(b, 16, int8_t, (uint8_t)clamp(x + y, -128, 127)); }
VEC(ADDS_H) { LANES(h, 8, int16_t, (uint16_t)clamp(x + y, -32768, 32767)); }
VEC(ADDUS_B) { LANES(b, 16, uint8_t, (uint8_t)clamp(x + y, 0, 255)); }
VEC(ADDUS_H) { LANES(h, 8, uint16_t, (uint16_t)clamp(x + y, 0, 65535)); }
VEC(SUBS_B) { LANES(b, 16, int8_t, (uint8_t)clamp(x - y, -128, 127)); }
VEC(SUBS_H) { LANES(h, 8, int16_t, (uint16_t)clamp(x - y, -32768, 32767)); }
VEC(SUBUS_B) { LANES(b, 16, uint8_t, (uint8_t)clamp(x - y, 0, 255)); }
VEC(SUBUS_H) { LANES(h, 8, uint16_t, (uint16_t)clamp(x - y, 0, 65535)); }

VEC(AVG_B) { LANES(b, 16, uint8_t, (uint8_t)((x + y + 1) >> 1)); }
VEC(AVG_H) { LANES(h, 8, uint16_t, (uint16_t)((x + y + 1) >> 1)); }
VEC(MINU_B) { LANES(b, 16, uint8_t, x < y ? x : y); }
VEC(MINU_H) { LANES(h, 8, uint16_t, x < y ? x : y); }
VEC(MINU_W) { LANES(w, 4, uint32_t, x < y ? x : y); }
VEC(MINS_B) { LANES(b, 16, int8_t, (uint8_t)(x < y ? x : y)); }
VEC(MINS_H) { LANES(h, 8, int16_t, (uint16_t)(x < y ? x : y)); }
VEC(MINS_W) { LANES(w, 4, int32_t, (uint32_t)(x < y ? x : y)); }
VEC(MAXU_B) { LANES(b, 16, uint8_t, x > y ? x : y); }
VEC(MAXU_H) { LANES(h, 8, uint16_t, x > y ? x : y); }
VEC(MAXU_W) { LANES(w, 4, uint32_t, x > y ? x : y); }
VEC(MAXS_B) { LANES(b, 16, int8_t, (uint8_t)(x > y ? x : y)); }
VEC(MAXS_H) { LANES(h, 8, int16_t, (uint16_t)(x > y ? x : y)); }
VEC(MAXS_W) { LANES(w, 4, int32_t, (uint32_t)(x > y ? x : y)); }
VEC(ABS_B) { LANES1(b, 16, uint8_t, (uint8_t)(x >> 7 ? 0 - x : x)); }
VEC(ABS_H) { LANES1(h, 8, uint16_t, (uint16_t)(x >> 15 ? 0 - x : x)); }
VEC(ABS_W) { LANES1(w, 4, uint32_t, (uint32_t)(x >> 31 ? 0 - x : x)); }
VEC(SIGN_B) { LANES(b, 16, uint8_t, (uint8_t)(y == 0 ? 0 : y >> 7 ? 0 - x : x)); }
VEC(SIGN_H) { LANES(h, 8, uint16_t, (uint16_t)(y == 0 ? 0 : y >> 15 ? 0 - x : x)); }
VEC(SIGN_W) { LANES(w, 4, uint32_t, (uint32_t)(y == 0 ? 0 : y >> 31 ? 0 - x : x)); }

VEC(MULL_H) { LANES(h, 8, int16_t, (uint16_t)(x * y)); }
VEC(MULHS_H) { LANES(h, 8, int16_t, (uint16_t)((x * y) >> 16)); }
VEC(MULHU_H) { LANES(h, 8, uint16_t, (uint16_t)(((uint32_t)x * y) >> 16)); }
VEC(MULU_W) { LANES(d, 2, uint64_t, (x & UINT32_MAX) * (y & UINT32_MAX)); }

VEC(MULL_W) { LANES(w, 4, uint32_t, x * y); }
VEC(MULS_W) { LANES(d, 2, int64_t, (uint64_t)((int64_t)(int32_t)x * (int32_t)y)); }
VEC(MULHRS_H) { LANES(h, 8, int16_t, (uint16_t)(((x * y >> 14) + 1) >> 1)); }

VEC(MADD_H)
{
    (void)c;
    (void)imm;
    for (unsigned i = 0; i < 4; i++) {
        int32_t low = (int16_t)a->h[2 * i] * (int16_t)b->h[2 * i];
        int32_t high = (int16_t)a->h[2 * i + 1] * (int16_t)b->h[2 * i + 1];
        r->w[i] = (uint32_t)low + (uint32_t)high;
    }
}

VEC(SAD_B)
{
    (void)c;
    (void)imm;
    for (unsigned half = 0; half < 2; half++) {
        uint64_t sum = 0;
        for (unsigned i = 8 * half; i < 8 * half + 8; i++)
            sum += (uint64_t)(a->b[i] > b->b[i] ? a->b[i] - b->b[i] : b->b[i] - a->b[i]);
        r->d[half] = sum;
    }
}

VEC(CMPEQ_B) { LANES(b, 16, uint8_t, x == y ? 0xff : 0); }
VEC(CMPEQ_H) { LANES(h, 8, uint16_t, x == y ? 0xffff : 0); }
VEC(CMPEQ_W) { LANES(w, 4, uint32_t, x == y ? UINT32_MAX : 0); }
VEC(CMPEQ_D) { LANES(d, 2, uint64_t, x == y ? UINT64_MAX : 0); }
VEC(CMPGT_B) { LANES(b, 16, int8_t, x > y ? 0xff : 0); }
VEC(CMPGT_H) { LANES(h, 8, int16_t, x > y ? 0xffff : 0); }
VEC(CMPGT_W) { LANES(w, 4, int32_t, x > y ? UINT32_MAX : 0); }
VEC(CMPGT_D) { LANES(d, 2, int64_t, x > y ? UINT64_MAX : 0); }

VEC(TEST)
{
    (void)c;
    (void)imm;
    bool zero = !((a->d[0] & b->d[0]) | (a->d[1] & b->d[1]));
    bool covered = !((~a->d[0] & b->d[0]) | (~a->d[1] & b->d[1]));
    r->d[0] = (zero ? 0x40u : 0) | covered;
    r->d[1] = 0;
}

/* VTESTPS, VTESTPD. */
#define TEST_SIGNS(NAME, field, n, bits)                                        \
    VEC(NAME)                                                                   \
    {                                                                           \
        bool zero = true, covered = true;                                       \
        (void)c;                                                                \
        (void)imm;                                                              \
        for (unsigned i = 0; i < (n); i++) {                                    \
            zero &= !((a->field[i] & b->field[i]) >> ((bits)-1));               \
            covered &= !((~a->field[i] & b->field[i]) >> ((bits)-1));           \
        }                                                                       \
        r->d[0] = (zero ? 0x40u : 0) | covered;                                 \
        r->d[1] = 0;                                                            \
    }
TEST_SIGNS(TEST_W, w, 4, 32)
TEST_SIGNS(TEST_D, d, 2, 64)

/* ---- shifts: counts beyond the lane give 0, or the sign -------------------------------------- */

#define SHIFT_BODY(field, n, T, bits, count, in_range, beyond)        \
    do {                                                              \
        uint64_t k = (count);                                         \
        (void)b;                                                      \
        (void)c;                                                      \
        (void)imm;                                                    \
        for (unsigned i = 0; i < (n); i++) {                          \
            T x = (T)a->field[i];                                     \
            r->field[i] = k < (bits) ? (in_range) : (beyond);         \
        }                                                             \
    } while (0)

VEC(SHL_H) { SHIFT_BODY(h, 8, uint16_t, 16, b->d[0], (uint16_t)(x << k), 0); }
VEC(SHL_W) { SHIFT_BODY(w, 4, uint32_t, 32, b->d[0], x << k, 0); }
VEC(SHL_D) { SHIFT_BODY(d, 2, uint64_t, 64, b->d[0], x << k, 0); }
VEC(SHR_H) { SHIFT_BODY(h, 8, uint16_t, 16, b->d[0], (uint16_t)(x >> k), 0); }
VEC(SHR_W) { SHIFT_BODY(w, 4, uint32_t, 32, b->d[0], x >> k, 0); }
VEC(SHR_D) { SHIFT_BODY(d, 2, uint64_t, 64, b->d[0], x >> k, 0); }
VEC(SAR_H) { SHIFT_BODY(h, 8, int16_t, 16, b->d[0], (uint16_t)(x >> k), (uint16_t)(x >> 15)); }
VEC(SAR_W) { SHIFT_BODY(w, 4, int32_t, 32, b->d[0], (uint32_t)(x >> k), (uint32_t)(x >> 31)); }
VEC(SHLI_H) { SHIFT_BODY(h, 8, uint16_t, 16, imm, (uint16_t)(x << k), 0); }
VEC(SHLI_W) { SHIFT_BODY(w, 4, uint32_t, 32, imm, x << k, 0); }
VEC(SHLI_D) { SHIFT_BODY(d, 2, uint64_t, 64, imm, x << k, 0); }
VEC(SHRI_H) { SHIFT_BODY(h, 8, uint16_t, 16, imm, (uint16_t)(x >> k), 0); }
VEC(SHRI_W) { SHIFT_BODY(w, 4, uint32_t, 32, imm, x >> k, 0); }
VEC(SHRI_D) { SHIFT_BODY(d, 2, uint64_t, 64, imm, x >> k, 0); }
VEC(SARI_H) { SHIFT_BODY(h, 8, int16_t, 16, imm, (uint16_t)(x >> k), (uint16_t)(x >> 15)); }
VEC(SARI_W) { SHIFT_BODY(w, 4, int32_t, 32, imm, (uint32_t)(x >> k), (uint32_t)(x >> 31)); }

VEC(SHLV_W) { LANES(w, 4, uint32_t, y < 32 ? x << y : 0); }
VEC(SHLV_D) { LANES(d, 2, uint64_t, y < 64 ? x << y : 0); }
VEC(SHRV_W) { LANES(w, 4, uint32_t, y < 32 ? x >> y : 0); }
VEC(SHRV_D) { LANES(d, 2, uint64_t, y < 64 ? x >> y : 0); }
VEC(SARV_W) { LANES(w, 4, uint32_t, (uint32_t)((int32_t)x >> (y < 32 ? y : 31))); }
