// SPDX-License-Identifier: GPL-2.0-or-later
// Packed arithmetic in vectors of WIDTH bytes; compiled once for each instruction set, as NAME.
#include "work.h"

typedef float vf __attribute__((vector_size(WIDTH)));
typedef double vd __attribute__((vector_size(WIDTH)));
typedef int32_t vi __attribute__((vector_size(WIDTH)));
typedef uint32_t vu __attribute__((vector_size(WIDTH)));

enum { LANES = WIDTH / 4, COUNT = 512 };

// Escape times of the Mandelbrot set: multiply, add, compare, mask.
static uint64_t escape(long size)
{
    uint64_t sum = 0;
    for (long row = 0; row < size; row++) {
        vf cx, cy, x = { 0 }, y = { 0 };
        vi steps = { 0 };
        for (int i = 0; i < LANES; i++) {
            cx[i] = -2.0f + 2.5f * (float)((row * 7 + i) % 97) / 97;
            cy[i] = (float)(row % 61) / 61;
        }
        for (int turn = 0; turn < 100; turn++) {
            vf xx = x * x, yy = y * y;
            vi inside = xx + yy < 4.0f;
            steps -= inside;
            y = (vf)((vi)(2.0f * x * y + cy) & inside);
            x = (vf)((vi)(xx - yy + cx) & inside);
        }
        for (int i = 0; i < LANES; i++)
            sum = mix(sum, (uint32_t)steps[i]);
    }
    return sum;
}

// a = a * s + b over arrays that stay in the first cache.
static uint64_t scale_add(long size)
{
    static vd a[COUNT], b[COUNT];
    for (int i = 0; i < COUNT; i++)
        for (int lane = 0; lane < LANES / 2; lane++)
            a[i][lane] = i, b[i][lane] = 1.0 / (i + lane + 1);
    for (long turn = 0; turn < size; turn++)
        for (int i = 0; i < COUNT; i++)
            a[i] = a[i] * 0.75 + b[i];
    union {
        double d;
        uint64_t u;
    } bits;
    uint64_t sum = 0;
    for (int i = 0; i < COUNT; i++)
        bits.d = a[i][0], sum = mix(sum, bits.u);
    return sum;
}

// Shifts, exclusive or, additions, multiplications and a rotation of lanes.
static uint64_t scramble(long size)
{
    static vu data[COUNT];
    vi turned;
    for (int i = 0; i < LANES; i++)
        turned[i] = (i + 1) % LANES;
    for (int i = 0; i < COUNT; i++)
        for (int lane = 0; lane < LANES; lane++)
            data[i][lane] = (uint32_t)(i * LANES + lane + 1);
    for (long turn = 0; turn < size; turn++)
        for (int i = 0; i < COUNT; i++) {
            vu v = data[i];
            v ^= v << 13;
            v ^= v >> 17;
            v ^= v << 5;
            data[i] = __builtin_shuffle(v, turned) + v * 2654435761u;
        }
    uint64_t sum = 0;
    for (int i = 0; i < COUNT; i++)
        for (int lane = 0; lane < LANES; lane++)
            sum = mix(sum, data[i][lane]);
    return sum;
}

uint64_t NAME(long size)
{
    return mix(mix(escape(size * 1000), scale_add(size * 400)), scramble(size * 400));
}
