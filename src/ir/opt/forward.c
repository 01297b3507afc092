/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forwarding.  A small table remembers which value each recently touched piece
 * of guest state holds; GETs of exactly that piece become that value.  It is
 * emptied at labels (several paths meet) and by helpers that write state.
 */
#include "ir/fold.h"
#include "ir/opt/opt.h"

enum { SLOTS = 32 };

struct piece {
    uint32_t offset;
    uint8_t size;
    ir_ref value;      /* holds the piece's bits, zero-extended */
};

struct forward {
    struct ir_block *b;
    struct piece piece[SLOTS];
    unsigned n, next;
    ir_ref same[IR_MAX_VALUES];        /* the value to use instead, or itself */
    bool known[IR_MAX_VALUES];
    uint64_t constant[IR_MAX_VALUES];
};

static unsigned access_size(enum ir_op op)
{
    switch (op) {
    case IR_GET8:
    case IR_PUT8:
        return 1;
    case IR_GET16:
    case IR_PUT16:
        return 2;
    case IR_GET32:
    case IR_PUT32:
        return 4;
    case IR_GET64:
    case IR_PUT64:
        return 8;
    case IR_GETV:
    case IR_PUTV:
        return 16;
    default:
        return 0;
    }
}

static void remember(struct forward *f, uint32_t offset, unsigned size, ir_ref value)
{
    struct piece p = { offset, (uint8_t)size, value };
    if (f->n < SLOTS)
        f->piece[f->n++] = p;
    else
        f->piece[f->next++ % SLOTS] = p;
}

static void forget_overlap(struct forward *f, uint32_t offset, unsigned size)
{
    for (unsigned i = 0; i < f->n;) {
        struct piece *p = &f->piece[i];
        if (p->offset < offset + size && offset < p->offset + p->size)
            *p = f->piece[--f->n];
        else
            i++;
    }
}

static ir_ref find(const struct forward *f, uint32_t offset, unsigned size)
{
    for (unsigned i = 0; i < f->n; i++)
        if (f->piece[i].offset == offset && f->piece[i].size == size)
            return f->piece[i].value;
    return IR_NONE;
}

static void become_copy(struct forward *f, struct ir_insn *i, ir_ref of)
{
    f->same[i->dst] = of;
    f->known[i->dst] = f->known[of];
    f->constant[i->dst] = f->constant[of];
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
    if (size >= 4)                    /* narrower PUTs truncate: the value is not what a GET would read */
        remember(f, (uint32_t)i->imm, size, i->arg[0]);
}

static void fold(struct forward *f, struct ir_insn *i)
{
    uint64_t v[4] = { 0 }, out;
    if (!(ir_op_info[i->op].flags & IR_FLAG_P) || i->type == IR_V || i->op == IR_VLO || i->op == IR_VHI)
        return;
    for (unsigned k = 0; k < 4 && i->arg[k]; k++) {
        if (!f->known[i->arg[k]])
            return;
        v[k] = f->constant[i->arg[k]];
    }
    if (i->op == IR_CONST)
        out = i->imm;
    else if (!i->arg[0] || !ir_fold(i, v, &out))
        return;
    enum ir_type t = (enum ir_type)f->b->type_of[i->dst];
    if (t == IR_W)
        out = (uint32_t)out;
    *i = (struct ir_insn){ .op = IR_CONST, .type = (uint8_t)t, .dst = i->dst, .imm = out };
    f->known[i->dst] = true;
    f->constant[i->dst] = out;
}

static void visit_call(struct forward *f, const struct ir_insn *i)
{
    const struct ir_helper *h = (const struct ir_helper *)(uintptr_t)i->imm;
    if (h->flags & HELPER_WRITES)
        f->n = 0;
}

void ir_opt_forward(struct ir_block *b)
{
    struct forward f;
    f.b = b;
    f.n = f.next = 0;
    memset(f.same, 0, b->n_values * sizeof *f.same);
    memset(f.known, 0, b->n_values * sizeof *f.known);
    for (uint32_t n = 0; n < b->n; n++) {
        struct ir_insn *i = &b->insn[n];
        unsigned size = access_size((enum ir_op)i->op);
        for (unsigned k = 0; k < 4; k++)
            if (i->arg[k] && f.same[i->arg[k]])
                i->arg[k] = f.same[i->arg[k]];
        if (i->op == IR_LABEL)
            f.n = 0;
        else if (i->op == IR_CALL)
            visit_call(&f, i);
        else if (size && i->dst)
            visit_get(&f, i, size);
        else if (size)
            visit_put(&f, i, size);
        else if ((i->op == IR_COPY || i->op == IR_VCOPY) && i->arg[0])
            become_copy(&f, i, i->arg[0]);
        if (i->dst && !f.same[i->dst])
            fold(&f, i);
    }
}
