/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small integer helpers shared by every folder: sizes, masks, sign extension,
 * unaligned little-endian access.  Everything here is pure.
 *
 * The state layout assumes a little-endian host (sub-register access by byte
 * offset); a big-endian host is refused at compile time.
 */
#ifndef REPRISE_BASE_BITS_H
#define REPRISE_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Reprise needs a little-endian host"
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The structure of type T whose member M is at address P. */
#define container_of(p, T, m) ((T *)(void *)((char *)(p)-offsetof(T, m)))

#if defined(__GNUC__)
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#else
#define likely(x) (x)
#define unlikely(x) (x)
#define PRINTF_LIKE(f, a)
#endif

/* A mask of the low n bits, 0 <= n <= 64. */
static inline uint64_t mask64(unsigned n)
{
    return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

/* Bits [pos, pos+len) of v. */
static inline uint64_t bits_get(uint64_t v, unsigned pos, unsigned len)
{
    return (v >> pos) & mask64(len);
}

/* v with bits [pos, pos+len) replaced by the low bits of x. */
static inline uint64_t bits_set(uint64_t v, unsigned pos, unsigned len, uint64_t x)
{
    uint64_t m = mask64(len) << pos;
    return (v & ~m) | ((x << pos) & m);
}

/* v's low n bits (1..64) as a signed number. */
static inline int64_t sign_extend(uint64_t v, unsigned n)
{
    unsigned s = 64 - n;
    return (int64_t)(v << s) >> s;
}

static inline uint64_t align_down(uint64_t v, uint64_t a) { return v & ~(a - 1); }
static inline uint64_t align_up(uint64_t v, uint64_t a) { return (v + a - 1) & ~(a - 1); }

/*
 * Unaligned little-endian loads and stores of up to 8 bytes.  The sizes that matter are
 * spelled out, so that a size known only at run time costs no call.
 */
static inline uint64_t load_le(const void *p, unsigned size)
{
    uint64_t v = 0;
    switch (size) {
    case 1:
        return *(const unsigned char *)p;
    case 2:
        memcpy(&v, p, 2);
        return v;
    case 4:
        memcpy(&v, p, 4);
        return v;
    case 8:
        memcpy(&v, p, 8);
        return v;
    default:
        memcpy(&v, p, size);
        return v;
    }
}

static inline void store_le(void *p, unsigned size, uint64_t v)
{
    switch (size) {
    case 1:
        *(unsigned char *)p = (unsigned char)v;
        break;
    case 2:
        memcpy(p, &v, 2);
        break;
    case 4:
        memcpy(p, &v, 4);
        break;
    case 8:
        memcpy(p, &v, 8);
        break;
    default:
        memcpy(p, &v, size);
    }
}

#endif
