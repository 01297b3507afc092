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

#include "base/bits.h"
#include "ir/ir.h"

static inline struct ir_piece *ir_piece_at(struct ir_block *b, uint32_t offset, unsigned size)
{
    return &b->piece[offset / 8 % IR_PIECE_WORDS][size < 8];
}

static inline void ir_forget_if(struct ir_piece *p, uint32_t offset, unsigned size)
{
    /* Do they overlap? */
    if (p->offset - offset + p->size - 1 < p->size + size - 1)
        p->epoch = 0;
}

static inline void ir_forget_word(struct ir_block *b, uint32_t word, uint32_t offset, unsigned size)
{
    struct ir_piece *p = b->piece[word % IR_PIECE_WORDS];
    ir_forget_if(&p[0], offset, size);
    ir_forget_if(&p[1], offset, size);
}

static inline void ir_forget_overlap(struct ir_block *b, uint32_t offset, unsigned size)
{
    uint32_t first = offset / 8, last = (offset + size - 1) / 8;
    ir_forget_word(b, first, offset, size);
    for (uint32_t w = first + 1; unlikely(w <= last); w++)
        ir_forget_word(b, w, offset, size);
    /* A vector that begins in the word before reaches into this one. */
    if (b->knows_vectors)
        ir_forget_if(&b->piece[(first - 1) % IR_PIECE_WORDS][0], offset, size);
}

/* The same of what one PUT writes; what only shares entries with it may be forgotten, too. */
static inline void ir_forget_put(struct ir_block *b, uint32_t offset, unsigned size)
{
    if (unlikely(offset % 8 + size > 8 || b->knows_vectors)) {
        ir_forget_overlap(b, offset, size);
        return;
    }
    struct ir_piece *p = b->piece[offset / 8 % IR_PIECE_WORDS];
    p[0].epoch = p[1].epoch = 0;
}

static inline void ir_forget_all(struct ir_block *b) { b->epoch++; }

static inline void ir_remember(struct ir_block *b, uint32_t offset, unsigned size, ir_ref value)
{
    b->knows_vectors |= size > 8;
    *ir_piece_at(b, offset, size) = (struct ir_piece){ b->epoch, offset, (uint16_t)size, value };
}

/* IR_NONE: not known. */
static inline ir_ref ir_held(struct ir_block *b, uint32_t offset, unsigned size)
{
    const struct ir_piece *p = ir_piece_at(b, offset, size);
    return p->epoch == b->epoch && p->offset == offset && p->size == size ? p->value : IR_NONE;
}

#endif
