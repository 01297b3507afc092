/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jumps, calls, and labels.
 *
 * A label is zero-initialised, jumped to any number of times and bound once,
 * before or after.  Until then the jumps to it form two lists, of 32-bit and of
 * 8-bit fields, each field holding the distance back to the one before (0: none).
 */
#ifndef REPRISE_ENGINE_X64_BRANCH_H
#define REPRISE_ENGINE_X64_BRANCH_H

#include "engine/x64/integer.h"

struct x64_label {
    uint8_t *at;                 /* NULL: not bound yet */
    uint8_t *fields, *fields8;   /* the last ones */
};

/* The label is here. */
void x64_bind(struct x64_asm *a, struct x64_label *l);

/* Points a 32-bit field of a jump, call or RIP-relative operand at the end of its instruction, to code as written. */
static inline void x64_patch32(uint8_t *field, const uint8_t *target)
{
    store_le(field, 4, (uint64_t)(target - (field + 4)));
}

/* A field for a jump to l, behind an opcode that is written; returns what follows it. */
static inline uint8_t *x64_put_label32(struct x64_label *l, uint8_t *p)
{
    if (l->at) {
        x64_patch32(p, l->at);
    } else {
        store_le(p, 4, l->fields ? (uint64_t)(p - l->fields) : 0);
        l->fields = p;
    }
    return p + 4;
}

static inline uint8_t *x64_put_label8(struct x64_asm *a, struct x64_label *l, uint8_t *p)
{
    ptrdiff_t d = l->at ? l->at - (p + 1) : l->fields8 ? p - l->fields8 : 0;
    a->failed |= l->at ? d < -128 : d > 255;
    *p = (uint8_t)d;
    if (!l->at)
        l->fields8 = p;
    return p + 1;
}

static inline bool x64_is_near(const struct x64_asm *a, const struct x64_label *l)
{
    return l->at && a->p + 2 - l->at <= 128;
}

/* To a label behind, as short as can be; to one ahead, with 32 bits. */
static inline void x64_jmp(struct x64_asm *a, struct x64_label *l)
{
    if (!x64_room(a))
        return;
    bool near = x64_is_near(a, l);
    *a->p++ = near ? 0xeb : 0xe9;
    a->p = near ? x64_put_label8(a, l, a->p) : x64_put_label32(l, a->p);
}
static inline void x64_jcc(struct x64_asm *a, enum x64_cc cc, struct x64_label *l)
{
    if (!x64_room(a))
        return;
    if (x64_is_near(a, l)) {
        *a->p++ = (uint8_t)(0x70 | cc);
        a->p = x64_put_label8(a, l, a->p);
    } else {
        *a->p++ = 0x0f;
        *a->p++ = (uint8_t)(0x80 | cc);
        a->p = x64_put_label32(l, a->p);
    }
}
/* With 8 bits: to a label at most 127 bytes ahead (a->failed if it turns out to be farther). */
static inline void x64_jmp8(struct x64_asm *a, struct x64_label *l)
{
    if (!x64_room(a))
        return;
    *a->p++ = 0xeb;
    a->p = x64_put_label8(a, l, a->p);
}
static inline void x64_jcc8(struct x64_asm *a, enum x64_cc cc, struct x64_label *l)
{
    if (!x64_room(a))
        return;
    *a->p++ = (uint8_t)(0x70 | cc);
    a->p = x64_put_label8(a, l, a->p);
}
/* The address of a label, bound or not. */
static inline void x64_lea_label(struct x64_asm *a, unsigned dst, struct x64_label *l)
{
    if (!x64_room(a))
        return;
    uint8_t *p = x64_put_op(a->p, 0x8d, 64, (dst & 8) >> 1);
    *p++ = (uint8_t)((dst & 7) << 3 | 5);
    a->p = x64_put_label32(l, p);
}

/* ---- to host addresses ----------------------------------------------------------------------------------- */

static inline uint8_t *x64_put_target(struct x64_asm *a, uint8_t *p, const void *target)
{
    int64_t d = (int64_t)((uint64_t)(intptr_t)target - (uint64_t)x64_runs_at(a, p + 4));
    a->failed |= d != (int32_t)d;
    return x64_put32(p, (uint32_t)d);
}
/*
 * With a 32-bit displacement always, which are the 4 bytes before a->p then: a place to patch.  The target is an
 * address as it runs, within 2 GiB (x64_reaches).
 */
static inline void x64_jmp_to(struct x64_asm *a, const void *target)
{
    if (!x64_room(a))
        return;
    *a->p++ = 0xe9;
    a->p = x64_put_target(a, a->p, target);
}
static inline void x64_jcc_to(struct x64_asm *a, enum x64_cc cc, const void *target)
{
    if (!x64_room(a))
        return;
    *a->p++ = 0x0f;
    *a->p++ = (uint8_t)(0x80 | cc);
    a->p = x64_put_target(a, a->p, target);
}
static inline void x64_call_to(struct x64_asm *a, const void *target)
{
    if (!x64_room(a))
        return;
    *a->p++ = 0xe8;
    a->p = x64_put_target(a, a->p, target);
}
static inline void x64_call(struct x64_asm *a, struct x64_label *l)
{
    if (!x64_room(a))
        return;
    *a->p++ = 0xe8;
    a->p = x64_put_label32(l, a->p);
}

static inline void x64_jmp_r(struct x64_asm *a, unsigned r) { x64_op_rr(a, 0xff, 32, 4, r, 0); }
static inline void x64_jmp_m(struct x64_asm *a, struct x64_mem m) { x64_op_rm(a, 0xff, 32, 4, m, 0); }
static inline void x64_call_r(struct x64_asm *a, unsigned r) { x64_op_rr(a, 0xff, 32, 2, r, 0); }
static inline void x64_call_m(struct x64_asm *a, struct x64_mem m) { x64_op_rm(a, 0xff, 32, 2, m, 0); }
static inline void x64_ret(struct x64_asm *a) { x64_byte(a, 0xc3); }
static inline void x64_int3(struct x64_asm *a) { x64_byte(a, 0xcc); }
static inline void x64_ud2(struct x64_asm *a)
{
    if (x64_room(a)) {
        *a->p++ = 0x0f;
        *a->p++ = 0x0b;
    }
}

#endif
