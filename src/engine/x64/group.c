/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups of accesses: several addresses that differ by constants, close to each
 * other, are asked of the TLB once, for the whole range; what leads from them to
 * the host is kept in a register (x64_group_ref()).
 *
 * Between a group's first and last access no mapping can change, and a page that
 * stores go through directly cannot become one where they may not: both need a helper, which
 * ends all groups, or a slow path, which then runs the instruction again (SLOW_KEEPS, slow.c).  So a group neither
 * begins nor goes on where its instruction has written state already.
 *
 * Where the range turns out to cross a page, or not to be plain memory, the block is translated again, and the
 * instruction that began the group is in none; so in the end groups begin behind what keeps them from being.
 */
#include "engine/x64/compiler.h"

enum { MAX_RANGE = 512 };

/* ---- addresses as base + constant -------------------------------------------------------------- */

/*
 * v as a sum; ADD, SUB and the cut to 32 bits are looked through.  open: added to after a cut.  either: it would be the
 * same cut or not.
 */
struct sum {
    ir_ref base;
    int64_t disp;
    bool wrap, open, either;
};

static bool constant_step(const struct compiler *c, const struct ir_insn *i, int64_t *step)
{
    uint64_t v;
    if ((i->op != IR_ADD && i->op != IR_SUB) || !const_of(c, i->arg[1], &v))
        return false;
    if (i->type == IR_W)
        v = (uint64_t)(int64_t)(int32_t)v;
    *step = i->op == IR_ADD ? (int64_t)v : -(int64_t)v;
    return fits32(v);
}

static bool is_cut(const struct compiler *c, const struct ir_insn *i)
{
    uint64_t v;
    return i->op == IR_AND && i->type == IR_X && const_of(c, i->arg[1], &v) && v == UINT32_MAX;
}

/*
 * Walks down from v: a step below a cut is part of the sum modulo 2^32, one above it must have a cut of its own.  A
 * word made an address is a cut sum, too, as where a pointer steps on in 32-bit code.
 */
static struct sum sum_of(const struct compiler *c, ir_ref v)
{
    struct sum s = { .base = v };
    int64_t step;
    for (;;) {
        const struct ir_insn *i = def_of(c, s.base);
        bool is_word = i->op == IR_ZEXT && (s.wrap || !s.disp);
        if (is_cut(c, i) || is_word || i->op == IR_TRUNC) {
            s.open |= !s.wrap && s.disp;
            s.wrap = true;
            s.base = i->arg[0];
        } else if (constant_step(c, i, &step)) {
            s.disp += step;
            s.base = i->arg[0];
        } else {
            s.either = !s.disp && c->ir->bits_of[s.base] <= 32;
            return s;
        }
    }
}

/* ---- grouping ------------------------------------------------------------------------------------- */

static bool stores(const struct ir_insn *i)
{
    return i->op == IR_ST || i->op == IR_STV || i->aux & IR_MEM_WRITE_INTENT;
}

/* Constants may be anywhere in their page. */
static bool in_reach(const struct group *g, int64_t lo, int64_t hi)
{
    return g->base ? hi - lo <= MAX_RANGE : (lo ^ (hi - 1)) >> PAGE_BITS == 0;
}

/* Access n, whose address is s, of so many bytes. */
static bool joins(struct compiler *c, struct group *g, const struct ir_insn *i, uint32_t n, const struct sum *s,
                  unsigned size)
{
    int64_t lo = g->lo < s->disp ? g->lo : s->disp, hi = g->hi > s->disp + size ? g->hi : s->disp + size;
    bool alike = g->wrap == s->wrap || g->either || s->either;
    if (g->base != root_of(c, s->base) || !alike || g->mode != i->imm || stores(i) > g->write || !in_reach(g, lo, hi))
        return false;
    if (g->either) {
        g->wrap = s->wrap;
        g->either = s->either;
    }
    g->lo = lo;
    g->hi = hi;
    g->count++;
    g->last = n;
    return true;
}

/* The first one gives way to another: that whose last access is longest ago. */
static void make_newest(struct compiler *c, unsigned k)
{
    uint16_t group = c->active[k];
    memmove(c->active + k, c->active + k + 1, (--c->n_active - k) * sizeof *c->active);
    c->active[c->n_active++] = group;
}

void x64_begin_groups(struct compiler *c, bool allowed)
{
    c->n_groups = c->n_active = 0;
    c->has_groups = false;
    c->may_group = allowed && c->ir->n <= ARRAY_LEN(c->group_of);
}

void x64_end_groups(struct compiler *c) { c->n_active = 0; }

/*
 * Puts access n, of instruction insn, into a group that it fits, or begins one with it.  begun: the instruction has
 * changed the state already and cannot start again; it may have ended an interrupt shadow.
 */
void x64_group(struct compiler *c, const struct ir_insn *i, uint32_t n, unsigned insn, bool begun)
{
    if (!c->may_group)
        return;
    c->group_of[n] = 0;
    if (begun) {
        x64_end_groups(c);
        return;
    }
    struct sum s = sum_of(c, i->arg[0]);
    unsigned size = i->op == IR_LD || i->op == IR_ST ? 1u << (i->aux & IR_MEM_SIZE) : 16;
    uint64_t value = 0;
    if (const_of(c, i->arg[0], &value))
        s = (struct sum){ .base = IR_NONE, .disp = (int64_t)value };
    if (s.open || (s.base ? c->plan[s.base].is_const : value >> PAGE_BITS != (value + size - 1) >> PAGE_BITS) ||
        x64_has_place(c->j->ungrouped, c->b->ram, x64_insn_place(c->b, insn)))
        return;
    for (unsigned k = c->n_active; k-- > 0;)
        if (joins(c, &c->group[c->active[k]], i, n, &s, size)) {
            c->group_of[n] = (uint16_t)(c->active[k] + 1);
            c->has_groups = true;
            make_newest(c, k);
            return;
        }
    if (c->n_groups == MAX_GROUPS || c->ir->n_values + c->n_groups + 1 >= IR_MAX_VALUES)
        return;
    if (c->n_active == MAX_ACTIVE_GROUPS)
        memmove(c->active, c->active + 1, --c->n_active * sizeof *c->active);
    c->active[c->n_active++] = (uint16_t)c->n_groups;
    c->group[c->n_groups++] = (struct group){ .base = root_of(c, s.base), .wrap = s.wrap, .either = s.either,
                                              .mode = (uint8_t)i->imm, .write = stores(i), .at = s.disp,
                                              .lo = s.disp, .hi = s.disp + size, .first = n, .last = n, .count = 1 };
    c->group_of[n] = (uint16_t)c->n_groups;
}

int32_t x64_group_offset(const struct compiler *c, const struct group *g, const struct ir_insn *i)
{
    return (int32_t)(sum_of(c, i->arg[0]).disp - g->at);
}

/* What a group keeps is a value: defined by the first access, used by the last. */
void x64_settle_groups(struct compiler *c)
{
    if (!c->has_groups)
        c->n_groups = 0;
    for (unsigned k = 0; k < c->n_groups; k++) {
        ir_ref ref = x64_group_ref(c, k);
        c->plan[ref] = (struct plan_value){ .def = c->group[k].first, .root = ref, .last_use = c->group[k].last + 1 };
        c->place[ref] = (struct place){ .reg = NO_REG };
    }
}

bool x64_keeps_stores(const struct compiler *c)
{
    for (unsigned k = 0; k < c->n_groups; k++) {
        const struct group *g = &c->group[k];
        if (g->write && g->count > 1 && g->first < c->at && c->at < g->last)
            return true;
    }
    return false;
}
