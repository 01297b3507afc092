/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass before code is written: which values share a register, which are part of their only user, when each is used
 * last, which can be made in their pin, and which accesses form groups.  How often a value is used is known
 * (ir_block.uses), so that what an op's arguments come from can be settled when the op is met.
 */
#include "engine/x64/compiler.h"

/* ---- fusing ------------------------------------------------------------------------------------ */

static bool is_add_const(const struct compiler *c, const struct ir_insn *i)
{
    uint64_t v;
    return i->op == IR_ADD && i->type == IR_X && const_of(c, i->arg[1], &v) && fits32(v) &&
           !c->plan[i->arg[0]].is_const;
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
    if (ok && c->ir->uses[v] == 1)
        c->plan[v].fused = true;
}

/* Marks what one LEA can add up of v, which is used only here. */
static void fuse_sum(struct compiler *c, ir_ref v)
{
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

/* The same of the address v, with its cut to 32 bits. */
static void fuse_address(struct compiler *c, ir_ref v)
{
    try_fuse(c, v, is_wrap(c, def_of(c, v)));
    fuse_sum(c, c->plan[v].fused ? def_of(c, v)->arg[0] : v);
}

static bool is_zero(const struct compiler *c, ir_ref v)
{
    uint64_t value;
    return const_of(c, v, &value) && value == 0;
}

/* Of an op that looks at nothing but whether its first argument is other than zero. */
static void fuse_condition(struct compiler *c, const struct ir_insn *i)
{
    if ((i->aux & 0xff) == IR_NE && is_zero(c, i->arg[1]))
        try_fuse(c, i->arg[0], def_of(c, i->arg[0])->op == IR_SETCOND);
}

static void fuse_word(struct compiler *c, const struct ir_insn *i)
{
    if (x64_takes_word(i))
        try_fuse(c, i->arg[1], def_of(c, i->arg[1])->op == IR_VFROM64);
}

/* ---- definitions and uses ----------------------------------------------------------------------- */

static inline struct plan_value *define(struct compiler *c, const struct ir_insn *i, uint32_t n)
{
    struct plan_value *d = &c->plan[i->dst];
    *d = (struct plan_value){ .def = n, .root = i->dst };
    c->place[i->dst] = (struct place){ .reg = NO_REG };
    return d;
}

static void note_parts(struct compiler *c, const struct ir_insn *i, uint32_t n);

/* Op n - 1 uses v, or what v is part of does. */
static inline void note_use(struct compiler *c, ir_ref v, uint32_t n)
{
    const struct plan_value *a = &c->plan[v];
    if (unlikely(a->fused))
        note_parts(c, &c->ir->insn[a->def], n);
    else
        c->plan[a->root].last_use = n;
}

static void note_parts(struct compiler *c, const struct ir_insn *i, uint32_t n)
{
    for (const ir_ref *v = i->arg; *v; v++)
        note_use(c, *v, n);
}

static inline void note_uses(struct compiler *c, const struct ir_insn *i, uint32_t n)
{
    for (const ir_ref *v = i->arg; *v; v++)
        note_use(c, *v, n);
}

/* A value that is its argument, as far as its register goes; if so, its own uses count, and it is none. */
static void share(struct compiler *c, const struct ir_insn *i, uint32_t n)
{
    struct plan_value *d = define(c, i, n);
    const struct plan_value *a = &c->plan[i->arg[0]];
    d->dirty = i->op == IR_TRUNC;
    if (a->is_const || (i->op == IR_ZEXT && a->dirty))
        note_use(c, i->arg[0], n + 1);
    else
        d->root = a->root;
}

/* ---- hints ------------------------------------------------------------------------------------------ */

struct walk {
    uint32_t started, changed;           /* 1 + op: the instruction's begin, the last change of the guest's state */
    unsigned insns;                      /* begun */
    /* What a hoisted PUT may not pass, 1 + op: what may leave, or look; what writes the pin, and, op: what reads it.
       0: none. */
    uint32_t barrier, touched[N_PINS];
};

static void read_state(struct compiler *c, const struct ir_insn *i, uint32_t n, struct walk *w)
{
    int pin = pin_at(c, i->imm);
    define(c, i, n)->dirty = i->op == IR_GET32 && pin >= 0;
    if (pin >= 0)
        w->touched[pin] = n;                       /* this value itself may be put into the pin (MOVZX EAX, AL) */
}

static void write_state(struct compiler *c, const struct ir_insn *i, uint32_t n, struct walk *w)
{
    int pin = pin_at(c, i->imm);
    w->changed = n + 1;
    note_use(c, i->arg[0], n + 1);
    if (pin < 0)
        return;
    struct plan_value *r = &c->plan[root_of(c, i->arg[0])];
    /* A W value with a dirty upper half cannot be the pin's whole word. */
    bool free = r->def + 1 >= w->barrier && r->def >= w->touched[pin];
    if (i->op == IR_PUT64 && free && !r->is_const && !r->pin && !r->dirty)
        r->pin = (uint8_t)(pin + 1);
    w->touched[pin] = n + 1;
}

/* ---- the walk ---------------------------------------------------------------------------------------- */

static void access(struct compiler *c, const struct ir_insn *i, uint32_t n, struct walk *w)
{
    if (i->dst)
        define(c, i, n);
    fuse_address(c, i->arg[0]);
    note_uses(c, i, n + 1);
    x64_group(c, i, n, w->insns - 1, w->changed > w->started);
    w->barrier = n + 1;
}

static void call(struct compiler *c, const struct ir_insn *i, uint32_t n, struct walk *w)
{
    const struct ir_helper *h = (const struct ir_helper *)(uintptr_t)i->imm;
    if (i->dst)
        define(c, i, n)->dirty = i->type == IR_W;
    note_uses(c, i, n + 1);
    if (h->flags & HELPER_WRITES)
        w->changed = n + 1;
    if (h->flags & HELPER_PURE)
        return;
    x64_end_groups(c);
    w->barrier = n + 1;
}

/* The constant that v is away from what the pin was before op n; 0: it is not known. */
static int64_t step_of(const struct compiler *c, ir_ref v, int pin, uint32_t n)
{
    const struct ir_insn *add = def_of(c, v), *i = &c->ir->insn[n];
    if (!is_add_const(c, add))
        return 0;
    do {
        if (i == c->ir->insn || i->op == IR_CALL)
            return 0;
        i--;
    } while (!ir_state_size[i->op] || pin_at(c, i->imm) != pin);
    bool is_old = root_of(c, i->dst ? i->dst : i->arg[0]) == root_of(c, add->arg[0]);
    return is_old ? (int64_t)def_of(c, add->arg[1])->imm : 0;
}

/*
 * Is TRAP_IF n a return's, whose target must be canonical?  Where the call's landing finds it equal to the address
 * behind the call it is; so only who comes to the wrong landing asks, and takes the step of the stack pointer back
 * (returns.c).
 */
static bool is_asked_late(struct compiler *c, const struct ir_insn *i, uint32_t n)
{
    const struct ir_insn *sign = def_of(c, i->arg[0]), *put = i + 1, *out = i + 2;
    uint64_t value;
    if (!x64_uses_returns(c) || c->ir->stops || sign->op != IR_SEXTRACT || sign->arg[0] != i->arg[1] ||
        sign->aux != 0 || sign->imm != 48 || c->ir->uses[i->arg[0]] != 1 || !const_of(c, i->arg[2], &value))
        return false;
    if (n + 3 != c->ir->n || out->op != IR_EXIT_INDIRECT || !out->aux || out->arg[0] != i->arg[1] ||
        put->op != IR_PUT64 || pin_at(c, put->imm) < 0)
        return false;
    int pin = pin_at(c, put->imm);
    c->late_step = step_of(c, put->arg[0], pin, n);
    c->late_pin = x64_pins[pin];
    return c->late_step;
}

/* What may leave the block, or is where paths part or meet. */
static void flow(struct compiler *c, const struct ir_insn *i, uint32_t n, struct walk *w)
{
    if (i->dst)
        define(c, i, n);
    if (i->op == IR_TRAP_IF && is_asked_late(c, i, n)) {
        c->plan[i->arg[0]].fused = true;
        note_uses(c, i, n + 1);
        c->late = n;
        return;
    }
    if (i->op == IR_BRCOND || i->op == IR_EXIT_IF || i->op == IR_TRAP_IF)
        fuse_condition(c, i);
    else if (i->op == IR_FVEC)
        fuse_word(c, i);
    if (i->op == IR_LABEL || i->op == IR_BR || i->op == IR_BRCOND)
        x64_end_groups(c);
    note_uses(c, i, n + 1);
    w->barrier = n + 1;
}

static void compute(struct compiler *c, const struct ir_insn *i, uint32_t n)
{
    define(c, i, n);
    note_uses(c, i, n + 1);
}

static void visit(struct compiler *c, const struct ir_insn *i, uint32_t n, struct walk *w)
{
    switch (i->op) {
    case IR_CONST:
        define(c, i, n)->is_const = true;
        break;
    case IR_INSN_START:
        w->started = n + 1;
        w->insns++;
        if (c->ir->stops)
            w->barrier = n + 1;
        break;
    case IR_DISCARD:
        break;
    case IR_TRUNC:
    case IR_ZEXT:
        share(c, i, n);
        break;
    case IR_AND:
        if (is_wrap(c, i))
            fuse_sum(c, i->arg[0]);
        compute(c, i, n);
        break;
    case IR_ADD:
        if (i->type == IR_X)
            try_fuse(c, i->arg[1], is_scale(c, def_of(c, i->arg[1])));
        compute(c, i, n);
        break;
    case IR_SELECT:
        try_fuse(c, i->arg[0], def_of(c, i->arg[0])->op == IR_SETCOND);
        compute(c, i, n);
        break;
    case IR_VEC:
        fuse_word(c, i);
        compute(c, i, n);
        break;
    case IR_LD:
    case IR_ST:
    case IR_LDV:
    case IR_STV:
        access(c, i, n, w);
        break;
    case IR_CALL:
        call(c, i, n, w);
        break;
    default:
        if (ir_op_info[i->op].flags & IR_FLAG_P)
            compute(c, i, n);
        else if (!ir_state_size[i->op])
            flow(c, i, n, w);
        else if (i->dst)
            read_state(c, i, n, w);
        else
            write_state(c, i, n, w);
    }
}

void x64_plan(struct compiler *c, bool may_group)
{
    struct walk w = { 0 };
    c->plan[IR_NONE] = (struct plan_value){ .root = IR_NONE };
    c->place[IR_NONE] = (struct place){ .reg = NO_REG };
    x64_begin_groups(c, may_group);
    for (uint32_t n = 0; n < c->ir->n; n++)
        visit(c, &c->ir->insn[n], n, &w);
    x64_settle_groups(c);
}
