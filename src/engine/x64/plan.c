/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backward pass: which values share a register, which are part of their
 * only user, when each is used last, and which can be made in their pin.
 */
#include "engine/x64/compiler.h"

static unsigned state_size(enum ir_op op)
{
    static const uint8_t size[IR_OP_COUNT] = {
        [IR_GET8] = 1, [IR_GET16] = 2, [IR_GET32] = 4, [IR_GET64] = 8, [IR_GETV] = 16,
        [IR_PUT8] = 1, [IR_PUT16] = 2, [IR_PUT32] = 4, [IR_PUT64] = 8, [IR_PUTV] = 16,
    };
    return size[op];
}

static bool is_access(enum ir_op op) { return op == IR_LD || op == IR_ST || op == IR_LDV || op == IR_STV; }

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

static void fuse(struct compiler *c, const struct ir_insn *i)
{
    uint64_t zero;
    if (is_access((enum ir_op)i->op)) {
        fuse_address(c, i->arg[0]);
    } else if (i->op == IR_SELECT) {
        try_fuse(c, i->arg[0], def_of(c, i->arg[0])->op == IR_SETCOND);
    } else if ((i->op == IR_BRCOND || i->op == IR_EXIT_IF || i->op == IR_TRAP_IF) && (i->aux & 0xff) == IR_NE &&
               const_of(c, i->arg[1], &zero) && zero == 0) {
        try_fuse(c, i->arg[0], def_of(c, i->arg[0])->op == IR_SETCOND);
    } else if (x64_takes_word(i)) {
        try_fuse(c, i->arg[1], def_of(c, i->arg[1])->op == IR_VFROM64);
    } else if (i->op == IR_ADD && i->type == IR_X && !c->plan[i->dst].fused) {
        try_fuse(c, i->arg[1], is_scale(c, def_of(c, i->arg[1])));
    }
}

/* ---- backwards: uses ------------------------------------------------------------------------------ */

static void count_uses(struct compiler *c)
{
    for (uint32_t n = 0; n < c->ir->n; n++)
        for (unsigned k = 0; k < 4; k++)
            c->plan[c->ir->insn[n].arg[k]].uses++;
    c->plan[IR_NONE].uses = 0;
}

/* The op at n, or one that is part of it, reads v last. */
static void use(struct compiler *c, ir_ref v, uint32_t at)
{
    if (!v)
        return;
    if (c->plan[v].fused) {
        const struct ir_insn *i = def_of(c, v);
        for (unsigned k = 0; k < 4; k++)
            use(c, i->arg[k], at);
        return;
    }
    struct plan_value *r = &c->plan[c->plan[v].root];
    if (r->last_use < at)
        r->last_use = at;
}

/* ---- hints ------------------------------------------------------------------------------------------ */

/* What a hoisted PUT may not pass. */
static bool is_barrier(const struct ir_insn *i)
{
    if (i->op == IR_CALL)
        return !(((const struct ir_helper *)(uintptr_t)i->imm)->flags & HELPER_PURE);
    return ir_op_info[i->op].flags & (IR_FLAG_F | IR_FLAG_E) || i->op == IR_LABEL || i->op == IR_BR || i->op == IR_BRCOND;
}

static void hint_pins(struct compiler *c)
{
    uint32_t barrier = 0, touched[N_PINS] = { 0 };
    for (uint32_t n = 0; n < c->ir->n; n++) {
        const struct ir_insn *i = &c->ir->insn[n];
        int pin = state_size((enum ir_op)i->op) ? pin_at(c, i->imm) : -1;
        if (pin >= 0) {
            ir_ref v = i->op == IR_PUT64 ? i->arg[0] : IR_NONE;
            struct plan_value *r = v ? &c->plan[c->plan[v].root] : NULL;
            /* A W value with a dirty upper half cannot be the pin's whole word. */
            if (r && !r->is_const && r->def + 1 >= barrier && r->def >= touched[pin] && !r->pin && !r->dirty)
                r->pin = (uint8_t)(pin + 1);
            touched[pin] = n + 1;
        }
        if (is_barrier(i))
            barrier = n + 1;
    }
}

void x64_plan(struct compiler *c)
{
    c->plan[IR_NONE] = (struct plan_value){ .root = IR_NONE };
    for (uint32_t n = 0; n < c->ir->n; n++)
        if (c->ir->insn[n].dst)
            define(c, &c->ir->insn[n], n);
    count_uses(c);
    for (uint32_t n = c->ir->n; n-- > 0;) {
        const struct ir_insn *i = &c->ir->insn[n];
        fuse(c, i);
        if (i->dst && c->plan[i->dst].fused)
            continue;
        /* A value that shares its argument's register is not a use of it: its own uses are. */
        if (i->dst && c->plan[i->dst].root != i->dst)
            continue;
        for (unsigned k = 0; k < 4; k++)
            use(c, i->arg[k], n + 1);
    }
    hint_pins(c);
}
