/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workloads of the benchmark's guest program: each takes its size and returns a checksum of what it computed. */
#pragma once
#include <stdint.h>

uint64_t simd_sse2(long size);
uint64_t simd_avx2(long size);

static inline uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * 0x9e3779b97f4a7c15u;
}

/* The same numbers everywhere: a multiplicative congruential generator. */
static inline uint32_t next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}
