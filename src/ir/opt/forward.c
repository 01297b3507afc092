/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forwarding.  A table remembers which value each recently touched piece of guest
 * state holds; GETs of exactly that piece become that value.  It is emptied at
 * labels (several paths meet) and by helpers that write state.  On the way constants
 * fold, and what cuts or widens a value that is narrow anyway becomes that value.
 *
 * The table has two entries for every word of the state, for the whole word (or the vector that begins there)
 * and for a part of it; words that share entries only forget each other.
 */
#include "ir/fold.h"
#include "ir/opt/opt.h"

enum { WORDS = 128, WHOLE = 0, PART = 1 };

struct piece {
    uint32_t offset;
    uint16_t size;
    ir_ref value;      /* holds the piece's bits, zero-extended */
};

struct forward {
    struct ir_block *b;
    struct piece piece[WORDS][2];
    uint32_t noted[WORDS][2];          /* the epoch of each piece; older ones are gone */
    uint32_t epoch;
    ir_ref same[IR_MAX_VALUES];        /* the value to use instead, or itself */
    uint32_t def[IR_MAX_VALUES];       /* its op */
    uint8_t bits[IR_MAX_VALUES];       /* those above are zero */
    bool known[IR_MAX_VALUES];
    uint64_t constant[IR_MAX_VALUES];
};

/* ---- the table ------------------------------------------------------------------------------- */

static bool overlaps(const struct piece *p, uint32_t offset, unsigned size)
{
    return p->offset < offset + size && offset < p->offset + p->size;
}

static void forget_overlap(struct forward *f, uint32_t offset, unsigned size)
{
    /* A vector that begins in the word before reaches into this one. */
    for (uint32_t w = offset / 8 - (offset >= 8); w <= (offset + size - 1) / 8; w++)
        for (unsigned way = WHOLE; way <= PART; way++)
            if (f->noted[w % WORDS][way] == f->epoch && overlaps(&f->piece[w % WORDS][way], offset, size))
                f->noted[w % WORDS][way] = 0;
}

static void remember(struct forward *f, uint32_t offset, unsigned size, ir_ref value)
{
    unsigned w = offset / 8 % WORDS, way = size >= 8 ? WHOLE : PART;
    f->piece[w][way] = (struct piece){ offset, (uint16_t)size, value };
    f->noted[w][way] = f->epoch;
}

static ir_ref find(const struct forward *f, uint32_t offset, unsigned size)
{
    unsigned w = offset / 8 % WORDS, way = size >= 8 ? WHOLE : PART;
    const struct piece *p = &f->piece[w][way];
    return f->noted[w][way] == f->epoch && p->offset == offset && p->size == size ? p->value : IR_NONE;
}

static void become_copy(struct forward *f, struct ir_insn *i, ir_ref of)
{
    f->same[i->dst] = of;
    f->known[i->dst] = f->known[of];
    f->constant[i->dst] = f->constant[of];
    f->bits[i->dst] = f->bits[of];
    *i = (struct ir_insn){ .op = (uint8_t)(i->type == IR_V ? IR_VCOPY : IR_COPY), .type = i->type, .dst = i->dst,
                           .arg = { of } };
}

static void visit_get(struct forward *f, struct ir_insn *i, unsigned size)
{
    ir_ref held = find(f, (uint32_t)i->imm, size);
    if (held && f->b->type_of[held] == f->b->type_of[i->dst])
        become_copy(f, i, held);
    else
        remember(f, (uint32_t)i->imm, size, i->dst);
}

static void visit_put(struct forward *f, const struct ir_insn *i, unsigned size)
{
    forget_overlap(f, (uint32_t)i->imm, size);
    /* A PUT that truncates leaves something else than its value. */
    if (size >= 4 || f->bits[i->arg[0]] <= 8 * size)
        remember(f, (uint32_t)i->imm, size, i->arg[0]);
}

/* ---- widths -------------------------------------------------------------------------------------- */

static unsigned min(unsigned x, unsigned y) { return x < y ? x : y; }
static unsigned max(unsigned x, unsigned y) { return x > y ? x : y; }

/* How many low bits of i's result may be other than zero. */
static unsigned width(const struct forward *f, const struct ir_insn *i)
{
    unsigned type = f->b->type_of[i->dst] == IR_X ? 64 : 32, a = f->bits[i->arg[0]], b = f->bits[i->arg[1]];
    switch (i->op) {
    case IR_GET8:
        return 8;
    case IR_GET16:
        return 16;
    case IR_LD:
        return i->aux & IR_MEM_SIGNED ? type : 8u << (i->aux & IR_MEM_SIZE);
    case IR_EXTRACT:
        return (unsigned)i->imm;
    case IR_SETCOND:
        return 1;
    case IR_ZEXT:
    case IR_TRUNC:
        return min(a, 32);
    case IR_AND:
        return min(a, b);
    case IR_OR:
    case IR_XOR:
        return max(a, b);
    case IR_SHR:
        return f->known[i->arg[1]] ? a - min(a, (unsigned)f->constant[i->arg[1]] & (type - 1)) : type;
    case IR_SELECT:
        return max(b, f->bits[i->arg[2]]);
    default:
        return type;
    }
}

/* Does i give just (a part of) what its argument was made from, or its argument? */
static ir_ref needless(const struct forward *f, const struct ir_insn *i)
{
    ir_ref a = i->arg[0];
    const struct ir_insn *d = &f->b->insn[f->def[a]];
    switch (i->op) {
    case IR_TRUNC:
        return d->op == IR_ZEXT ? d->arg[0] : IR_NONE;
    case IR_ZEXT:
        return d->op == IR_TRUNC && f->bits[d->arg[0]] <= 32 ? d->arg[0] : IR_NONE;
    case IR_EXTRACT:
        return i->aux == 0 && f->bits[a] <= i->imm ? a : IR_NONE;
    case IR_AND:
        return f->known[i->arg[1]] && !(mask64(f->bits[a]) & ~f->constant[i->arg[1]]) ? a : IR_NONE;
    default:
        return IR_NONE;
    }
}

static void fold(struct forward *f, struct ir_insn *i)
{
    uint64_t v[4] = { 0 }, out;
    if (!f->known[i->arg[0]] || i->type == IR_V)
        return;
    for (unsigned k = 0; k < 4 && i->arg[k]; k++) {
        if (!f->known[i->arg[k]])
            return;
        v[k] = f->constant[i->arg[k]];
    }
    if (!ir_fold(i, v, &out))
        return;
    enum ir_type t = (enum ir_type)f->b->type_of[i->dst];
    if (t == IR_W)
        out = (uint32_t)out;
    *i = (struct ir_insn){ .op = IR_CONST, .type = (uint8_t)t, .dst = i->dst, .imm = out };
}

static void visit_call(struct forward *f, const struct ir_insn *i)
{
    const struct ir_helper *h = (const struct ir_helper *)(uintptr_t)i->imm;
    if (!(h->flags & HELPER_WRITES))
        return;
    if (ir_helper_has_part(h) && h->part.to - h->part.from <= 8 * WORDS)
        forget_overlap(f, h->part.from, h->part.to - h->part.from);
    else
        f->epoch++;
}

static void visit_constant(struct forward *f, const struct ir_insn *i)
{
    f->known[i->dst] = true;
    f->constant[i->dst] = i->imm;
    f->bits[i->dst] = (uint8_t)(i->imm ? 64 - __builtin_clzll(i->imm) : 0);
}

/* An op that computes a value from others alone. */
static void visit_pure(struct forward *f, struct ir_insn *i)
{
    ir_ref instead = i->op == IR_COPY || i->op == IR_VCOPY ? i->arg[0] : needless(f, i);
    if (instead) {
        become_copy(f, i, instead);
        return;
    }
    if (i->op != IR_CONST)
        fold(f, i);
    if (i->op == IR_CONST)
        visit_constant(f, i);
    else
        f->bits[i->dst] = (uint8_t)width(f, i);
}

static void visit(struct forward *f, struct ir_insn *i)
{
    unsigned size = ir_state_size[i->op];
    if (ir_op_info[i->op].flags & IR_FLAG_P) {
        visit_pure(f, i);
        return;
    }
    if (i->dst)
        f->bits[i->dst] = (uint8_t)width(f, i);
    if (size && i->dst)
        visit_get(f, i, size);
    else if (size)
        visit_put(f, i, size);
    else if (i->op == IR_LABEL)
        f->epoch++;
    else if (i->op == IR_CALL)
        visit_call(f, i);
}

void ir_opt_forward(struct ir_block *b)
{
    struct forward f;
    f.b = b;
    f.epoch = 1;
    memset(f.noted, 0, sizeof f.noted);
    memset(f.known, 0, b->n_values * sizeof *f.known);
    f.bits[IR_NONE] = 64;
    f.def[IR_NONE] = 0;
    f.same[IR_NONE] = IR_NONE;
    for (uint32_t n = 0; n < b->n; n++) {
        struct ir_insn *i = &b->insn[n];
        for (unsigned k = 0; k < 4 && i->arg[k]; k++)
            i->arg[k] = f.same[i->arg[k]];
        if (i->dst) {
            f.same[i->dst] = i->dst;
            f.def[i->dst] = n;
        }
        visit(&f, i);
    }
}
