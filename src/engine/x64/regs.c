/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers, while code is written: who is where, and who gives way.
 *
 * Invariants
 *  1. holds[r] is the root whose place is r, or 0; a pin whose holder is 0 has just the guest's register.
 *  2. Registers that the current op uses are locked; eviction looks at the others.
 *  3. A root's register and its spill slot, if both are there, hold the same.
 */
#include "engine/x64/compiler.h"

const uint8_t x64_pins[N_PINS] = { HOST_RBX, HOST_R12, HOST_R13, HOST_R14, HOST_R15, HOST_R9, HOST_R10, HOST_R11 };
const uint8_t x64_temps[N_TEMPS] = { HOST_RAX, HOST_RCX, HOST_RDX, HOST_RSI, HOST_RDI, HOST_R8 };

void x64_regs_init(struct compiler *c)
{
    memset(c->holds, 0, sizeof c->holds);
    memset(c->holds_xmm, 0, sizeof c->holds_xmm);
    c->locked = c->locked_xmm = 0;
    c->n_pending = 0;
    c->any_vectors = false;
    c->spills.n = N_SPILLS;
    c->vspills.n = N_VSPILLS;
    c->spills.used = c->spills.n_free = c->vspills.used = c->vspills.n_free = 0;
}

static bool is_pin(const struct compiler *c, unsigned reg) { return c->j->pin[reg]; }
static bool wanted_later(const struct compiler *c, ir_ref root) { return c->plan[root].last_use > c->at + 1; }

void x64_release(struct compiler *c, ir_ref root)
{
    struct place *p = &c->place[root];
    if (p->reg != NO_REG) {
        /* Of one of the two. */
        if (c->holds[p->reg] == root)
            c->holds[p->reg] = IR_NONE;
        else if (c->holds_xmm[p->reg] == root)
            c->holds_xmm[p->reg] = IR_NONE;
        p->reg = NO_REG;
    }
    if (p->spill) {
        struct slots *s = x64_is_vector(c, root) ? &c->vspills : &c->spills;
        s->free[s->n_free++] = (uint16_t)(p->spill - 1);
        p->spill = 0;
    }
}

/* ---- eviction --------------------------------------------------------------------------------------- */

static void spill_value(struct compiler *c, ir_ref root)
{
    struct place *p = &c->place[root];
    if (p->spill || c->plan[root].is_const)
        return;
    struct slots *s = x64_is_vector(c, root) ? &c->vspills : &c->spills;
    if (!s->n_free && s->used == s->n) {
        c->a.failed = true;
        return;
    }
    unsigned slot = s->n_free ? s->free[--s->n_free] : s->used++;
    p->spill = (uint16_t)(slot + 1);
    if (x64_is_vector(c, root))
        x64_vmovups_mx(&c->a, x64_vspill_at(c, slot), p->reg);
    else
        x64_mov_mr(&c->a, 64, x64_spill_at(c, slot), p->reg);
}

/* Takes the register from its holder, keeping the value where it is wanted by an op from index `from` on. */
static void evict(struct compiler *c, unsigned reg, bool vector, uint32_t from)
{
    ir_ref *holds = vector ? c->holds_xmm : c->holds, root = holds[reg];
    if (!root)
        return;
    bool wanted = c->plan[root].last_use > from;
    if (!wanted && c->place[root].pending)
        x64_write_pending_of(c, root);
    if (holds[reg] != root)
        return;
    if (wanted)
        spill_value(c, root);
    c->place[root].reg = NO_REG;
    holds[reg] = IR_NONE;
}

enum { HORIZON = 128 };     /* ops: beyond it all uses are equally far */

/* Those of the registers that op n does not use; what it uses for the sake of a later op counts as used here. */
static uint32_t not_used_by(const struct compiler *c, uint32_t n, const ir_ref *holds, uint32_t registers)
{
    const struct ir_insn *i = &c->ir->insn[n];
    uint32_t used = 0;
    for (const ir_ref *v = i->arg; *v; v++) {
        ir_ref root = root_of(c, *v);
        uint8_t reg = c->place[root].reg;
        used |= reg != NO_REG && holds[reg] == root ? 1u << reg : 0;
    }
    if (c->has_groups && i->op >= IR_LD && i->op <= IR_STV && c->group_of[n]) {
        ir_ref group = x64_group_ref(c, c->group_of[n] - 1u);
        uint8_t reg = c->place[group].reg;
        used |= reg != NO_REG && holds[reg] == group ? 1u << reg : 0;
    }
    return registers & ~used;
}

/*
 * The candidate to give up: one that holds nothing, a constant, or what only waits to be written to the state; or the
 * value whose next use is farthest.
 */
static unsigned choose(const struct compiler *c, const ir_ref *holds, uint32_t candidates)
{
    uint32_t waits = 0;
    for (uint32_t m = candidates; m; m &= m - 1) {
        unsigned reg = (unsigned)__builtin_ctz(m);
        if (!holds[reg] || c->plan[holds[reg]].is_const)
            return reg;
        if (c->plan[holds[reg]].last_use <= c->at)
            waits |= 1u << reg;
    }
    if (waits)
        return (unsigned)__builtin_ctz(waits);
    uint32_t end = c->ir->n - c->at - 1 < HORIZON ? c->ir->n : c->at + 1 + HORIZON;
    for (uint32_t n = c->at + 1; n < end && candidates & (candidates - 1); n++) {
        uint32_t left = not_used_by(c, n, holds, candidates);
        candidates = left ? left : candidates & -candidates;
    }
    return candidates ? (unsigned)__builtin_ctz(candidates) : NO_REG;
}

unsigned x64_temp(struct compiler *c)
{
    uint32_t candidates = 0;
    for (unsigned k = 0; k < N_TEMPS; k++) {
        unsigned reg = c->temp[k];
        if (c->locked >> reg & 1)
            continue;
        if (!c->holds[reg]) {
            c->locked |= 1u << reg;
            return reg;
        }
        candidates |= 1u << reg;
    }
    require(candidates);
    unsigned reg = choose(c, c->holds, candidates);
    c->locked |= 1u << reg;
    evict(c, reg, false, c->at);
    return reg;
}

unsigned x64_temp_is(struct compiler *c, unsigned reg)
{
    ir_ref root = c->holds[reg];
    bool locked = c->locked >> reg & 1;
    c->locked |= 1u << reg;
    if (root && (locked || c->plan[root].last_use > c->at || c->place[root].pending)) {
        /* Its value moves to another temporary, if there is one, so that an argument stays in a register. */
        unsigned t = x64_temp(c);
        x64_mov_rr(&c->a, 64, t, reg);
        c->holds[t] = root;
        c->place[root].reg = (uint8_t)t;
        c->holds[reg] = IR_NONE;
        c->locked &= ~(1u << t);
    } else if (root) {
        c->place[root].reg = NO_REG;
        c->holds[reg] = IR_NONE;
    }
    return reg;
}

static unsigned temp_xmm(struct compiler *c)
{
    uint32_t candidates = ((1u << N_XMM) - 1) & ~c->locked_xmm;
    unsigned reg = choose(c, c->holds_xmm, candidates);
    require(reg != NO_REG);
    c->locked_xmm |= 1u << reg;
    evict(c, reg, true, c->at);
    return reg;
}

void x64_vacate_pin(struct compiler *c, unsigned pin)
{
    unsigned reg = x64_pins[pin];
    ir_ref root = c->holds[reg];
    if (!root)
        return;
    if (wanted_later(c, root) || c->place[root].pending) {
        unsigned t = x64_temp(c);
        x64_mov_rr(&c->a, 64, t, reg);
        c->holds[t] = root;
        c->place[root].reg = (uint8_t)t;
        c->locked &= ~(1u << t);
    } else {
        c->place[root].reg = NO_REG;
    }
    c->holds[reg] = IR_NONE;
}

void x64_spill_all(struct compiler *c)
{
    for (unsigned k = 0; k < N_TEMPS; k++)
        evict(c, x64_temps[k], false, c->at + 1);
    for (unsigned k = 0; k < N_PINS; k++)
        evict(c, x64_pins[k], false, c->at + 1);
    for (unsigned r = 0; r < N_XMM; r++)
        evict(c, r, true, c->at + 1);
}

static void keep(struct compiler *c, ir_ref root)
{
    if (root && (wanted_later(c, root) || c->place[root].pending))
        spill_value(c, root);
}

void x64_spill_for_call(struct compiler *c, bool pins)
{
    for (unsigned k = 0; k < N_TEMPS; k++)
        keep(c, c->holds[x64_temps[k]]);
    for (unsigned k = 0; pins && k < N_PINS; k++)
        keep(c, c->holds[x64_pins[k]]);
    for (unsigned r = 0; r < N_XMM; r++)
        keep(c, c->holds_xmm[r]);
}

static void forget(struct compiler *c, ir_ref *holder)
{
    if (*holder)
        c->place[*holder].reg = NO_REG;
    *holder = IR_NONE;
}

void x64_forget_for_call(struct compiler *c, bool pins)
{
    for (unsigned k = 0; k < N_TEMPS; k++)
        forget(c, &c->holds[x64_temps[k]]);
    for (unsigned k = 0; pins && k < N_PINS; k++)
        forget(c, &c->holds[x64_pins[k]]);
    for (unsigned r = 0; r < N_XMM; r++)
        forget(c, &c->holds_xmm[r]);
}

/* ---- uses and definitions ------------------------------------------------------------------------------- */

unsigned x64_use(struct compiler *c, ir_ref v)
{
    ir_ref root = root_of(c, v);
    struct place *p = &c->place[root];
    require(!c->plan[v].fused);
    if (p->reg == NO_REG) {
        unsigned reg = x64_temp(c);
        uint64_t value;
        if (const_of(c, root, &value)) {
            x64_mov_ri(&c->a, reg, value);
        } else {
            require(p->spill);
            x64_mov_rm(&c->a, 64, reg, x64_spill_at(c, p->spill - 1u));
        }
        p->reg = (uint8_t)reg;
        c->holds[reg] = root;
    }
    c->locked |= 1u << p->reg;
    return p->reg;
}

unsigned x64_use_clean(struct compiler *c, ir_ref v)
{
    unsigned reg = x64_use(c, v);
    if (!c->plan[v].dirty)
        return reg;
    unsigned t = x64_temp(c);
    x64_mov_rr(&c->a, 32, t, reg);
    return t;
}

unsigned x64_use_xmm(struct compiler *c, ir_ref v)
{
    ir_ref root = root_of(c, v);
    struct place *p = &c->place[root];
    if (p->reg == NO_REG) {
        require(p->spill);
        unsigned reg = temp_xmm(c);
        x64_vmovups_xm(&c->a, reg, x64_vspill_at(c, p->spill - 1u));
        p->reg = (uint8_t)reg;
        c->holds_xmm[reg] = root;
    }
    c->locked_xmm |= 1u << p->reg;
    return p->reg;
}

static void define(struct compiler *c, ir_ref v, unsigned reg)
{
    c->holds[reg] = v;
    c->place[v].reg = (uint8_t)reg;
    c->locked |= 1u << reg;
}

void x64_def_in(struct compiler *c, ir_ref v, unsigned reg)
{
    unsigned pin = c->plan[v].pin;
    if (pin) {
        c->locked |= 1u << reg;
        x64_vacate_pin(c, pin - 1);
        x64_mov_rr(&c->a, 64, x64_pins[pin - 1], reg);
        reg = x64_pins[pin - 1];
    }
    define(c, v, reg);
}

unsigned x64_def_temp(struct compiler *c, ir_ref v)
{
    unsigned reg = x64_temp(c);
    define(c, v, reg);
    return reg;
}

/* A temporary that an argument gives up with this op. */
static unsigned inherited(struct compiler *c, const ir_ref *arg, const ir_ref *holds, bool vector)
{
    for (unsigned k = 0; k < 3; k++) {
        ir_ref r = root_of(c, arg[k]);
        if (!arg[k] || c->plan[arg[k]].fused || c->plan[r].is_const || x64_is_vector(c, r) != vector)
            continue;
        const struct place *p = &c->place[r];
        if (p->reg != NO_REG && holds[p->reg] == r && !wanted_later(c, r) && !p->pending &&
            (vector || !is_pin(c, p->reg)))
            return p->reg;
    }
    return NO_REG;
}

static void take_over(struct compiler *c, unsigned reg, ir_ref *holds)
{
    x64_release(c, holds[reg]);
}

unsigned x64_def(struct compiler *c, ir_ref v)
{
    unsigned pin = c->plan[v].pin, reg;
    if (pin) {
        x64_vacate_pin(c, pin - 1);
        reg = x64_pins[pin - 1];
    } else {
        reg = inherited(c, c->ir->insn[c->at].arg, c->holds, false);
        if (reg == NO_REG)
            reg = x64_temp(c);
        else
            take_over(c, reg, c->holds);
    }
    define(c, v, reg);
    return reg;
}

unsigned x64_def_xmm(struct compiler *c, ir_ref v)
{
    unsigned reg = inherited(c, c->ir->insn[c->at].arg, c->holds_xmm, true);
    if (reg == NO_REG)
        reg = temp_xmm(c);
    else
        take_over(c, reg, c->holds_xmm);
    c->holds_xmm[reg] = v;
    c->place[v].reg = (uint8_t)reg;
    c->locked_xmm |= 1u << reg;
    c->any_vectors = true;
    return reg;
}

static void end_parts(struct compiler *c, const struct ir_insn *i);

static inline void end_use(struct compiler *c, ir_ref v)
{
    const struct plan_value *p = &c->plan[v];
    if (unlikely(p->fused))
        end_parts(c, &c->ir->insn[p->def]);
    else if (c->plan[p->root].last_use <= c->at + 1 && !c->place[p->root].pending)   /* a constant is never pending */
        x64_release(c, p->root);
}

static void end_parts(struct compiler *c, const struct ir_insn *i)
{
    for (const ir_ref *v = i->arg; *v; v++)
        end_use(c, *v);
}

void x64_end_op(struct compiler *c, const struct ir_insn *i)
{
    for (const ir_ref *v = i->arg; *v; v++)
        end_use(c, *v);
    if (c->has_groups && i->op >= IR_LD && i->op <= IR_STV && c->group_of[c->at])
        end_use(c, x64_group_ref(c, c->group_of[c->at] - 1u));
    if (unlikely(i->dst && !c->plan[i->dst].last_use) && c->plan[i->dst].root == i->dst && !c->place[i->dst].pending)
        x64_release(c, i->dst);
    c->locked = c->locked_xmm = 0;
}

void x64_put_pin(struct compiler *c, unsigned pin, ir_ref v)
{
    unsigned reg = x64_pins[pin];
    ir_ref root = root_of(c, v);
    uint64_t value;
    if (const_of(c, v, &value)) {
        x64_vacate_pin(c, pin);
        x64_mov_ri(&c->a, reg, value);
        return;
    }
    if (c->place[root].reg == reg)
        return;
    unsigned src = x64_use(c, v);
    x64_vacate_pin(c, pin);
    x64_mov_rr(&c->a, 64, reg, src);
    if (is_pin(c, src))
        return;
    c->holds[src] = IR_NONE;
    c->holds[reg] = root;
    c->place[root].reg = (uint8_t)reg;
}
