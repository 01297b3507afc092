/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dead code, walking backwards.  A PUT is dead when the same bytes are PUT
 * again, or DISCARDed, before anything can look: an op that may leave the block, a helper that reads
 * state, a GET that overlaps, a label or branch, the block's end; an instruction's beginning, where a block may stop.
 */
#include "ir/opt/opt.h"

enum { SLOTS = 24 };

/* State that will be overwritten before anything sees it. */
struct shadow {
    uint32_t offset[SLOTS];
    uint8_t size[SLOTS];
    unsigned n;
};

static bool covered(const struct shadow *s, uint32_t offset, unsigned size)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->offset[i] <= offset && offset + size <= s->offset[i] + s->size[i])
            return true;
    return false;
}

static void expose(struct shadow *s, uint32_t offset, unsigned size)
{
    for (unsigned i = 0; i < s->n;) {
        if (s->offset[i] < offset + size && offset < s->offset[i] + s->size[i]) {
            s->n--;
            s->offset[i] = s->offset[s->n];
            s->size[i] = s->size[s->n];
        } else {
            i++;
        }
    }
}

static void expose_part(struct shadow *s, const struct ir_helper *h)
{
    if (h->flags & (HELPER_READS | HELPER_WRITES))
        expose(s, h->part.from, h->part.to - h->part.from);
}

static bool sees_state(const struct ir_insn *i)
{
    if (i->op == IR_CALL) {
        const struct ir_helper *h = (const struct ir_helper *)(uintptr_t)i->imm;
        return h->flags & HELPER_MAY_EXIT || (h->flags & (HELPER_READS | HELPER_WRITES) && !ir_helper_has_part(h));
    }
    return ir_op_info[i->op].flags & (IR_FLAG_F | IR_FLAG_E) || i->op == IR_LABEL || i->op == IR_BR ||
           i->op == IR_BRCOND;
}

static bool removable(const struct ir_insn *i)
{
    if (i->op == IR_CALL)
        return ((const struct ir_helper *)(uintptr_t)i->imm)->flags & (HELPER_PURE | HELPER_NO_EFFECT);
    return ir_op_info[i->op].flags & IR_FLAG_P || ir_state_size[i->op];
}

static void cover(struct shadow *s, uint32_t offset, unsigned size)
{
    if (s->n == SLOTS)
        return;
    s->offset[s->n] = offset;
    s->size[s->n++] = (uint8_t)size;
}

/* Keeps op i?  Updates what is known before it. */
static bool keep(const struct ir_insn *i, struct shadow *s, const uint16_t *uses)
{
    unsigned size = ir_state_size[i->op];
    if (size && !i->dst) {
        if (covered(s, (uint32_t)i->imm, size))
            return false;
        cover(s, (uint32_t)i->imm, size);
        return true;
    }
    if (i->op == IR_DISCARD) {
        for (unsigned m = i->aux; m; m &= m - 1)
            cover(s, (uint32_t)i->imm + 8 * (unsigned)__builtin_ctz(m), 8);
        return true;
    }
    if (i->dst && !uses[i->dst] && removable(i))
        return false;
    if (size)
        expose(s, (uint32_t)i->imm, size);
    else if (sees_state(i))
        s->n = 0;
    else if (i->op == IR_CALL)
        expose_part(s, (const struct ir_helper *)(uintptr_t)i->imm);
    return true;
}

void ir_opt_dead(struct ir_block *b)
{
    struct shadow s;
    s.n = 0;
    memset(b->uses, 0, b->n_values * sizeof *b->uses);
    struct ir_insn *const first = b->insn, *to = first + b->n;
    for (struct ir_insn *i = to; i-- != first;) {
        /* Most ops are of these two kinds. */
        bool pure = ir_op_info[i->op].flags & IR_FLAG_P;
        if (pure ? !b->uses[i->dst] : i->op != IR_INSN_START && !keep(i, &s, b->uses))
            continue;
        if (i->op == IR_INSN_START && b->stops)
            s.n = 0;
        for (const ir_ref *v = i->arg; *v; v++)
            b->uses[*v]++;
        if (--to != i)
            *to = *i;
    }
    if (to == first)
        return;
    b->n -= (uint32_t)(to - first);
    memmove(first, to, b->n * sizeof *first);
}
