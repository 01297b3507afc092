/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which value each recently touched piece of guest state holds: a GET of exactly that piece is that value.
 * Everything is forgotten at labels, where several paths meet, and what helpers write.
 *
 * There are two entries for every word of the state, for the whole word (or the vector that begins there) and for a
 * part of it; words that share entries only forget each other.
 */
#ifndef REPRISE_IR_FORWARD_H
#define REPRISE_IR_FORWARD_H

#include "ir/ir.h"

static inline struct ir_piece *ir_piece_at(struct ir_block *b, uint32_t offset, unsigned size)
{
    return &b->piece[offset / 8 % IR_PIECE_WORDS][size < 8];
}

static inline void ir_forget_if(struct ir_piece *p, uint32_t offset, unsigned size)
{
    if (p->offset < offset + size && offset < p->offset + p->size)
        p->epoch = 0;
}

static inline void ir_forget_overlap(struct ir_block *b, uint32_t offset, unsigned size)
{
    for (uint32_t w = offset / 8; w <= (offset + size - 1) / 8; w++) {
        ir_forget_if(&b->piece[w % IR_PIECE_WORDS][0], offset, size);
        ir_forget_if(&b->piece[w % IR_PIECE_WORDS][1], offset, size);
    }
    /* A vector that begins in the word before reaches into this one. */
    ir_forget_if(&b->piece[(offset / 8 - 1) % IR_PIECE_WORDS][0], offset, size);
}

static inline void ir_forget_all(struct ir_block *b) { b->epoch++; }

static inline void ir_remember(struct ir_block *b, uint32_t offset, unsigned size, ir_ref value)
{
    *ir_piece_at(b, offset, size) = (struct ir_piece){ b->epoch, offset, (uint16_t)size, value };
}

/* IR_NONE: not known. */
static inline ir_ref ir_held(struct ir_block *b, uint32_t offset, unsigned size)
{
    const struct ir_piece *p = ir_piece_at(b, offset, size);
    return p->epoch == b->epoch && p->offset == offset && p->size == size ? p->value : IR_NONE;
}

#endif
