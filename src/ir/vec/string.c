/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The string compares of SSE4.2 (Intel SDM vol. 2, 4.1): a is the first operand (a set,
 * ranges, or the string sought), b the second.
 *
 * imm bits 0..1: format (unsigned bytes, unsigned words, signed bytes, signed words);
 * 2..3: aggregation; 4..5: polarity.
 */
#include "ir/vec/functions.h"

enum aggregation {
    EQUAL_ANY,
    RANGES,
    EQUAL_EACH,
    EQUAL_ORDERED
};
enum polarity {
    POSITIVE,
    NEGATIVE,
    MASKED_POSITIVE,
    MASKED_NEGATIVE
};
enum {
    CF = 1,
    ZF = 0x40,
    SF = 0x80,
    OF = 0x800
};

/* Lanes as signed numbers, whatever the format. */
struct text {
    int32_t at[16];
    unsigned len;
};

static unsigned lanes(uint64_t imm)
{
    return imm & 1 ? 8 : 16;
}

static void read_text(struct text *t, const union v128 *v, uint64_t imm)
{
    for (unsigned i = 0; i < lanes(imm); i++) {
        if (imm & 1)
            t->at[i] = imm & 2 ? (int16_t)v->h[i] : v->h[i];
        else
            t->at[i] = imm & 2 ? (int8_t)v->b[i] : v->b[i];
    }
}

static unsigned implicit_length(const struct text *t, unsigned n)
{
    unsigned len = 0;
    while (len < n && t->at[len])
        len++;
    return len;
}

static unsigned explicit_length(int64_t given, unsigned n)
{
    uint64_t magnitude = given < 0 ? 0 - (uint64_t)given : (uint64_t)given;
    return magnitude > n ? n : (unsigned)magnitude;
}

static bool equal_any(const struct text *a, int32_t ch)
{
    for (unsigned i = 0; i < a->len; i++)
        if (a->at[i] == ch)
            return true;
    return false;
}

/* An upper bound that is missing because a's length is odd makes the range invalid. */
static bool in_ranges(const struct text *a, int32_t ch)
{
    for (unsigned i = 0; i + 1 < a->len; i += 2)
        if (ch >= a->at[i] && ch <= a->at[i + 1])
            return true;
    return false;
}

/* Does a, or as much of it as the register can hold from there, stand at b[from]? */
static bool stands_at(const struct text *a, const struct text *b, unsigned from, unsigned n)
{
    for (unsigned i = 0; i < a->len && from + i < n; i++)
        if (from + i >= b->len || a->at[i] != b->at[from + i])
            return false;
    return true;
}

static bool matches(const struct text *a, const struct text *b, unsigned i, unsigned n, enum aggregation how)
{
    switch (how) {
    case EQUAL_ANY:
        return i < b->len && equal_any(a, b->at[i]);
    case RANGES:
        return i < b->len && in_ranges(a, b->at[i]);
    case EQUAL_EACH:
        return i < a->len && i < b->len ? a->at[i] == b->at[i] : i >= a->len && i >= b->len;
    default:
        return stands_at(a, b, i, n);
    }
}

static void compare(union v128 *r, const struct text *a, const struct text *b, uint64_t imm)
{
    unsigned n = lanes(imm), mask = 0;
    for (unsigned i = 0; i < n; i++)
        mask |= (unsigned)matches(a, b, i, n, (enum aggregation)(imm >> 2 & 3)) << i;
    enum polarity polarity = (enum polarity)(imm >> 4 & 3);
    if (polarity == NEGATIVE)
        mask ^= (1u << n) - 1;
    else if (polarity == MASKED_NEGATIVE)
        mask ^= (1u << b->len) - 1;
    r->d[0] = mask;
    r->d[1] = (mask ? CF : 0u) | (b->len < n ? ZF : 0u) | (a->len < n ? SF : 0u) | (mask & 1 ? OF : 0u);
}

VEC(CMPISTR)
{
    struct text x, y;
    (void)c;
    read_text(&x, a, imm);
    read_text(&y, b, imm);
    x.len = implicit_length(&x, lanes(imm));
    y.len = implicit_length(&y, lanes(imm));
    compare(r, &x, &y, imm);
}

VEC(CMPESTR)
{
    struct text x, y;
    read_text(&x, a, imm);
    read_text(&y, b, imm);
    x.len = explicit_length((int64_t)c->d[0], lanes(imm));
    y.len = explicit_length((int64_t)c->d[1], lanes(imm));
    compare(r, &x, &y, imm);
}
