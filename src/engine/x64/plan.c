/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two passes before code is written.  Forwards: which values share a register, how often each is used, and which
 * can be made in their pin.  Backwards: which are part of their only user, and when each is used last.
 */
#include "engine/x64/compiler.h"

/* ---- forwards: definitions and roots --------------------------------------------------------- */

/* Values of these kinds have whatever their register's upper half had. */
static bool makes_dirty(const struct compiler *c, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_TRUNC:
        return true;
    case IR_GET32:
        return pin_at(c, i->imm) >= 0;
    case IR_COPY:
        return c->plan[i->arg[0]].dirty;
    case IR_CALL:
        return i->type == IR_W;
    default:
        return false;
    }
}

static void define(struct compiler *c, const struct ir_insn *i, uint32_t n)
{
    struct plan_value *d = &c->plan[i->dst];
    ir_ref a = i->arg[0];
    *d = (struct plan_value){ .def = n, .root = i->dst, .is_const = i->op == IR_CONST, .dirty = makes_dirty(c, i) };
    bool constant = a && c->plan[a].is_const;
    if (constant)
        return;
    if (i->op == IR_TRUNC || i->op == IR_COPY || i->op == IR_VCOPY || (i->op == IR_ZEXT && !c->plan[a].dirty))
        d->root = c->plan[a].root;
}

/* ---- fusing ------------------------------------------------------------------------------------ */

static bool is_add_const(const struct compiler *c, const struct ir_insn *i)
{
    uint64_t v;
    return i->op == IR_ADD && i->type == IR_X && const_of(c, i->arg[1], &v) && fits32(v) && !c->plan[i->arg[0]].is_const;
}

static bool is_wrap(const struct compiler *c, const struct ir_insn *i)
{
    uint64_t v;
    return i->op == IR_AND && i->type == IR_X && const_of(c, i->arg[1], &v) && v == UINT32_MAX &&
           !c->plan[i->arg[0]].is_const;
}

static bool is_scale(const struct compiler *c, const struct ir_insn *i)
{
    uint64_t v;
    return i->op == IR_SHL && i->type == IR_X && const_of(c, i->arg[1], &v) && v <= 3 && !c->plan[i->arg[0]].is_const;
}

/* base + index << scale, where that is one operand of an address. */
static void add_index(const struct compiler *c, struct address *a)
{
    const struct ir_insn *i = def_of(c, a->base);
    if (!c->plan[a->base].fused || i->op != IR_ADD)
        return;
    ir_ref x = i->arg[0], y = i->arg[1];
    if (c->plan[x].fused && !c->plan[y].fused) {
        x = i->arg[1];
        y = i->arg[0];
    }
    a->base = x;
    a->index = y;
    if (c->plan[y].fused) {
        a->index = def_of(c, y)->arg[0];
        a->scale = (unsigned)def_of(c, def_of(c, y)->arg[1])->imm;
    }
}

struct address x64_address(const struct compiler *c, ir_ref v)
{
    struct address a = { .base = v };
    if (c->plan[v].fused && is_wrap(c, def_of(c, v))) {
        a.wrap = true;
        a.base = def_of(c, v)->arg[0];
    }
    if (c->plan[a.base].fused && is_add_const(c, def_of(c, a.base))) {
        a.disp = (int32_t)def_of(c, def_of(c, a.base)->arg[1])->imm;
        a.base = def_of(c, a.base)->arg[0];
    }
    add_index(c, &a);
    return a;
}

static void try_fuse(struct compiler *c, ir_ref v, bool ok)
{
    if (ok && c->plan[v].uses == 1)
        c->plan[v].fused = true;
}

/* Marks what is part of the address v, which is used only here. */
static void fuse_address(struct compiler *c, ir_ref v)
{
    try_fuse(c, v, is_wrap(c, def_of(c, v)));
    if (c->plan[v].fused)
        v = def_of(c, v)->arg[0];
    try_fuse(c, v, is_add_const(c, def_of(c, v)));
    if (c->plan[v].fused)
        v = def_of(c, v)->arg[0];
    const struct ir_insn *i = def_of(c, v);
    uint64_t k;
    bool sum = i->op == IR_ADD && i->type == IR_X && !const_of(c, i->arg[1], &k) && !const_of(c, i->arg[0], &k) &&
               c->plan[v].root == v;
    try_fuse(c, v, sum);
    if (!c->plan[v].fused)
        return;
    try_fuse(c, i->arg[1], is_scale(c, def_of(c, i->arg[1])));
    if (!c->plan[i->arg[1]].fused)
        try_fuse(c, i->arg[0], is_scale(c, def_of(c, i->arg[0])));
}

static bool is_zero(const struct compiler *c, ir_ref v)
{
    uint64_t value;
    return const_of(c, v, &value) && value == 0;
}

static void fuse(struct compiler *c, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_LD:
    case IR_ST:
    case IR_LDV:
    case IR_STV:
        fuse_address(c, i->arg[0]);
        break;
    case IR_SELECT:
        try_fuse(c, i->arg[0], def_of(c, i->arg[0])->op == IR_SETCOND);
        break;
    case IR_BRCOND:
    case IR_EXIT_IF:
    case IR_TRAP_IF:
        if ((i->aux & 0xff) == IR_NE && is_zero(c, i->arg[1]))
            try_fuse(c, i->arg[0], def_of(c, i->arg[0])->op == IR_SETCOND);
        break;
    case IR_VEC:
    case IR_FVEC:
        if (x64_takes_word(i))
            try_fuse(c, i->arg[1], def_of(c, i->arg[1])->op == IR_VFROM64);
        break;
    case IR_ADD:
        if (i->type == IR_X && !c->plan[i->dst].fused)
            try_fuse(c, i->arg[1], is_scale(c, def_of(c, i->arg[1])));
        break;
    default:
        break;
    }
}

/* ---- backwards: uses ------------------------------------------------------------------------------ */

/* The op before `at` is i, or i is part of it: what it reads that is not read behind it is read last here. */
static void note_uses(struct compiler *c, const struct ir_insn *i, uint32_t at)
{
    for (unsigned k = 0; k < 4 && i->arg[k]; k++) {
        if (c->plan[i->arg[k]].fused) {
            note_uses(c, def_of(c, i->arg[k]), at);
            continue;
        }
        struct plan_value *root = &c->plan[root_of(c, i->arg[k])];
        if (!root->last_use)
            root->last_use = at;
    }
}

/* ---- hints ------------------------------------------------------------------------------------------ */

/* What a hoisted PUT may not pass. */
static bool is_barrier(const struct ir_insn *i)
{
    if (i->op == IR_CALL)
        return !(((const struct ir_helper *)(uintptr_t)i->imm)->flags & HELPER_PURE);
    return ir_op_info[i->op].flags & (IR_FLAG_F | IR_FLAG_E) || i->op == IR_LABEL || i->op == IR_BR || i->op == IR_BRCOND;
}

struct hints {
    uint32_t barrier, touched[N_PINS];       /* 1 + the last op that is one, or reads or writes the pin; 0: none */
};

static void hint_pin(struct compiler *c, const struct ir_insn *i, uint32_t n, struct hints *h)
{
    int pin = ir_state_size[i->op] ? pin_at(c, i->imm) : -1;
    if (pin >= 0) {
        struct plan_value *r = i->op == IR_PUT64 ? &c->plan[root_of(c, i->arg[0])] : NULL;
        /* A W value with a dirty upper half cannot be the pin's whole word. */
        if (r && !r->is_const && r->def + 1 >= h->barrier && r->def >= h->touched[pin] && !r->pin && !r->dirty)
            r->pin = (uint8_t)(pin + 1);
        h->touched[pin] = n + 1;
    }
    if (is_barrier(i))
        h->barrier = n + 1;
}

static void forwards(struct compiler *c)
{
    struct hints h = { 0 };
    c->n_accesses = 0;
    for (uint32_t n = 0; n < c->ir->n; n++) {
        const struct ir_insn *i = &c->ir->insn[n];
        for (unsigned k = 0; k < 4 && i->arg[k]; k++)
            c->plan[i->arg[k]].uses++;
        if (i->dst)
            define(c, i, n);
        if (i->op == IR_CONST || i->op == IR_INSN_START)
            continue;
        hint_pin(c, i, n, &h);
        c->n_accesses += i->op >= IR_LD && i->op <= IR_STV;
    }
}

static void backwards(struct compiler *c)
{
    for (uint32_t n = c->ir->n; n-- > 0;) {
        const struct ir_insn *i = &c->ir->insn[n];
        if (!i->arg[0])
            continue;
        fuse(c, i);
        /* A value that is part of its user, or shares its argument's register, is not a use of it: its own uses are. */
        if (i->dst && (c->plan[i->dst].fused || c->plan[i->dst].root != i->dst))
            continue;
        note_uses(c, i, n + 1);
    }
}

void x64_plan(struct compiler *c)
{
    c->plan[IR_NONE] = (struct plan_value){ .root = IR_NONE };
    forwards(c);
    backwards(c);
}
