/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where values live.  A GET needs no operation when nothing changes its piece
 * of state before the value's last use; a PUT needs none when the operation
 * that makes the value can write the state itself, that is when nothing
 * between the two can look at the state or leave the block.
 *
 * Positions of ops are counted from 1 here, 0 means none.  Program order is
 * a safe approximation of every path, because branches go forward only.
 */
#include "engine/interp/interp.h"

enum { HOIST_WINDOW = 16, JUNK = 2 };   /* JUNK words of temp take results that nobody wants */
enum { FIRST_TEMP = offsetof(struct vcpu, temp) / 8, SCALARS = VCPU_TEMPS / 2 };

/* The bytes of state that a GET or PUT touches; 0: neither. */
static unsigned state_size(enum ir_op op)
{
    static const uint8_t size[IR_OP_COUNT] = {
        [IR_GET8] = 1, [IR_GET16] = 2, [IR_GET32] = 4, [IR_GET64] = 8, [IR_GETV] = 16,
        [IR_PUT8] = 1, [IR_PUT16] = 2, [IR_PUT32] = 4, [IR_PUT64] = 8, [IR_PUTV] = 16,
    };
    return size[op];
}

static const struct ir_helper *helper_of(const struct ir_insn *i)
{
    return (const struct ir_helper *)(uintptr_t)i->imm;
}

static bool is_memory(enum ir_op op) { return op == IR_LD || op == IR_ST || op == IR_LDV || op == IR_STV; }

/* Binary ops whose second operand may be a constant in the operation. */
static bool takes_constant(const struct ir_insn *i, unsigned k)
{
    if (i->op >= IR_PUT8 && i->op <= IR_PUT64)
        return k == 0;
    bool two = (i->op >= IR_ADD && i->op <= IR_ANDN) || (i->op >= IR_SHL && i->op <= IR_ROTR) ||
               i->op == IR_SETCOND || i->op == IR_BRCOND || i->op == IR_EXIT_IF || i->op == IR_TRAP_IF;
    return two && k == 1;
}

/* ---- inlining into addresses --------------------------------------------------------------------- */

static bool is_displacement(const struct plan *p, const struct ir_insn *i, int64_t *disp)
{
    uint64_t c;
    if (i->op != IR_ADD || i->type != IR_X || !plan_is_const(p, i->arg[1], &c) || (int64_t)c != (int32_t)c)
        return false;
    *disp = (int64_t)c;
    return true;
}

static bool is_wrap(const struct plan *p, const struct ir_insn *i)
{
    uint64_t c;
    return i->op == IR_AND && i->type == IR_X && plan_is_const(p, i->arg[1], &c) && c == UINT32_MAX;
}

static const struct ir_insn *def_of(const struct plan *p, ir_ref v) { return &p->ir->insn[p->def[v]]; }

struct iaddress plan_address(const struct plan *p, ir_ref v)
{
    struct iaddress a = { .base = v };
    int64_t disp;
    if (p->inlined[a.base] && is_wrap(p, def_of(p, a.base))) {
        a.wrap = true;
        a.base = def_of(p, a.base)->arg[0];
    }
    while (p->inlined[a.base] && is_displacement(p, def_of(p, a.base), &disp)) {
        a.disp += disp;
        a.base = def_of(p, a.base)->arg[0];
    }
    return a;
}

bool plan_scaled(const struct plan *p, const struct ir_insn *i, ir_ref *base, ir_ref *index, unsigned *shift)
{
    uint64_t count;
    for (unsigned k = 0; k < 2 && i->op == IR_ADD && i->type == IR_X; k++) {
        const struct ir_insn *d = def_of(p, i->arg[k]);
        if (p->inlined[i->arg[k]] && d->op == IR_SHL && plan_is_const(p, d->arg[1], &count)) {
            *base = i->arg[1 - k];
            *index = d->arg[0];
            *shift = count & 63;
            return true;
        }
    }
    return false;
}

/* May the op that defines v be computed inside its users?  Asked when all uses are known. */
static bool can_inline(const struct plan *p, const struct ir_insn *i)
{
    int64_t disp;
    uint64_t count;
    if (!i->dst || !p->uses[i->dst])
        return false;
    if (p->uses[i->dst] == p->address_uses[i->dst] && (is_displacement(p, i, &disp) || is_wrap(p, i)))
        return true;
    return i->op == IR_SHL && i->type == IR_X && p->uses[i->dst] == 1 && p->scaled_use[i->dst] &&
           plan_is_const(p, i->arg[1], &count);
}

static void note_scaled_use(struct plan *p, const struct ir_insn *i)
{
    uint64_t c;
    if (i->op != IR_ADD || i->type != IR_X || i->arg[0] == i->arg[1] || plan_is_const(p, i->arg[1], &c))
        return;
    unsigned k = def_of(p, i->arg[1])->op == IR_SHL ? 1 : 0;
    p->scaled_use[i->arg[k]] = def_of(p, i->arg[k])->op == IR_SHL;
}

/* ---- the walk forward: definitions and shared words ------------------------------------------------ */

static void find_roots(struct plan *p)
{
    for (uint32_t n = 0; n < p->ir->n; n++) {
        const struct ir_insn *i = &p->ir->insn[n];
        ir_ref d = i->dst, a = i->arg[0];
        if (!d)
            continue;
        p->def[d] = n;
        p->root[d] = d;
        p->dirty[d] = i->op == IR_TRUNC || i->op == IR_GET32;
        if (i->op == IR_TRUNC || (i->op == IR_ZEXT && !p->dirty[a]))
            p->root[d] = p->root[a];
    }
}

/* ---- the walk backward: uses and clobbers ------------------------------------------------------------ */

struct clobbers {
    uint32_t all;     /* the next op that may write any state */
};

static uint32_t next_clobber(const struct plan *p, const struct clobbers *c, uint64_t offset, unsigned size)
{
    uint32_t at = c->all;
    for (uint64_t w = offset / 8; w <= (offset + size - 1) / 8; w++)
        if (p->next_clobber[w] < at)
            at = p->next_clobber[w];
    return at;
}

static void set_clobber(struct plan *p, uint64_t offset, unsigned size, uint32_t at)
{
    for (uint64_t w = offset / 8; w <= (offset + size - 1) / 8; w++)
        p->next_clobber[w] = at;
}

static void note_state(struct plan *p, struct clobbers *c, const struct ir_insn *i, uint32_t n)
{
    unsigned size = state_size((enum ir_op)i->op);
    uint64_t value;
    if (size && i->dst) {
        p->clobber[i->dst] = next_clobber(p, c, i->imm, size);
    } else if (size) {
        if (size >= 8 && i->imm % 8 == 0 && !plan_is_const(p, i->arg[0], &value)) {
            p->put[p->root[i->arg[0]]] = n + 1;
            p->put_clobber[p->root[i->arg[0]]] = next_clobber(p, c, i->imm, size);
        }
        set_clobber(p, i->imm, size, n + 1);
    } else if (i->op == IR_CALL && helper_of(i)->flags & HELPER_WRITES) {
        const struct ir_helper *h = helper_of(i);
        if (ir_helper_has_part(h))
            set_clobber(p, h->part.from, h->part.to - h->part.from, n + 1);
        else
            c->all = n + 1;
    } else if (i->op == IR_FVEC) {
        set_clobber(p, p->ops->fp_env_offset, sizeof(struct fp_env), n + 1);
    }
}

static void use(struct plan *p, ir_ref v, uint32_t at)
{
    if (v && p->last_use[p->root[v]] < at)
        p->last_use[p->root[v]] = at;
}

static void note_uses(struct plan *p, const struct ir_insn *i, uint32_t n)
{
    uint64_t value;
    /* What is computed in its users reads its operands there. */
    bool inlined = i->dst && (p->inlined[i->dst] = can_inline(p, i));
    bool shares = i->dst && p->root[i->dst] != i->dst;
    uint32_t at = inlined ? p->last_use[i->dst] : shares ? 0 : n + 1;
    for (unsigned k = 0; k < 4; k++) {
        ir_ref v = i->arg[k];
        if (!v || (takes_constant(i, k) && plan_is_const(p, v, &value)))
            continue;
        const struct ir_insn *d = def_of(p, v);
        bool address = k == 0 && (is_memory((enum ir_op)i->op) || (inlined && i->op != IR_SHL && d->op == IR_ADD));
        p->uses[v]++;
        p->address_uses[v] += address;
        p->needed[v] = true;
        use(p, v, at);
    }
    note_scaled_use(p, i);
}

/* Of the words of state, only those that the block's own GETs and PUTs are about are looked at. */
static void forget_words(struct plan *p, uint64_t offset, unsigned size)
{
    for (uint64_t w = offset / 8; w <= (offset + size - 1) / 8; w++) {
        p->next_clobber[w] = UINT32_MAX;
        p->shared_until[w] = 0;
    }
}

void plan_block(struct plan *p, const struct ir_block *ir, const struct guest_ops *ops)
{
    uint32_t words = (ops->cpu_size + 7) / 8;
    require(words <= ARRAY_LEN(p->next_clobber));
    p->ir = ir;
    p->ops = ops;
#define CLEAR(a) memset(p->a, 0, ir->n_values * sizeof p->a[0])
    CLEAR(last_use);
    CLEAR(put);
    CLEAR(uses);
    CLEAR(address_uses);
    CLEAR(dirty);
    CLEAR(inlined);
    CLEAR(scaled_use);
    CLEAR(needed);
    for (uint32_t n = 0; n < ir->n; n++)
        if (state_size((enum ir_op)ir->insn[n].op))
            forget_words(p, ir->insn[n].imm, state_size((enum ir_op)ir->insn[n].op));
    p->root[0] = 0;
    p->def[0] = 0;
    p->word[0] = FIRST_TEMP;
    find_roots(p);
    struct clobbers c = { .all = UINT32_MAX };
    for (uint32_t n = ir->n; n-- > 0;) {
        note_uses(p, &ir->insn[n], n);
        note_state(p, &c, &ir->insn[n], n);
    }
    p->n_free = p->n_free_vectors = 0;
    for (unsigned k = SCALARS; k-- > JUNK;)
        p->free_temp[p->n_free++] = (uint16_t)(FIRST_TEMP + k);
    for (unsigned k = SCALARS; k < VCPU_TEMPS; k += 2)
        p->free_vector[p->n_free_vectors++] = (uint16_t)(FIRST_TEMP + k);
}

/* ---- the walk forward: words ---------------------------------------------------------------------------- */

/* May op k, between a value's making and its PUT, be passed by that PUT to [offset, offset+size)? */
static bool passes(const struct plan *p, uint32_t k, uint64_t offset, unsigned size)
{
    const struct ir_insn *i = &p->ir->insn[k];
    unsigned touched = state_size((enum ir_op)i->op);
    if (i->op == IR_CALL)
        return !(helper_of(i)->flags & (HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES | HELPER_MEMORY));
    if (ir_op_info[i->op].flags & (IR_FLAG_F | IR_FLAG_E) || i->op == IR_LABEL || i->op == IR_BR || i->op == IR_BRCOND)
        return false;
    return !touched || i->imm + touched <= offset || offset + size <= i->imm;
}

static bool may_write_state(const struct plan *p, uint32_t n, ir_ref r, uint64_t *offset, unsigned *size)
{
    if (!p->put[r] || p->last_use[r] > p->put_clobber[r] || p->put[r] > n + 1 + HOIST_WINDOW)
        return false;
    const struct ir_insn *put = &p->ir->insn[p->put[r] - 1];
    *offset = put->imm;
    *size = state_size((enum ir_op)put->op);
    for (uint64_t w = *offset / 8; w < (*offset + *size) / 8; w++)
        if (p->shared_until[w] > n + 1)
            return false;
    for (uint32_t k = n + 1; k < p->put[r] - 1; k++)
        if (!passes(p, k, *offset, *size))
            return false;
    return true;
}

static void share(struct plan *p, ir_ref r, uint64_t offset, unsigned size, uint32_t until)
{
    p->word[r] = (uint16_t)(offset / 8);
    for (uint64_t w = offset / 8; w < (offset + size + 7) / 8; w++)
        if (p->shared_until[w] < until)
            p->shared_until[w] = until;
}

static bool is_temp(uint16_t word) { return word >= FIRST_TEMP + JUNK && word < FIRST_TEMP + VCPU_TEMPS; }

uint16_t plan_temp(struct plan *p)
{
    require(p->n_free);
    return p->free_temp[--p->n_free];
}

void plan_release(struct plan *p, uint16_t word)
{
    if (word < FIRST_TEMP + SCALARS)
        p->free_temp[p->n_free++] = word;
    else
        p->free_vector[p->n_free_vectors++] = word;
}

static void end_use(struct plan *p, ir_ref v, uint32_t n)
{
    ir_ref r = p->root[v];
    if (v && p->last_use[r] == n + 1 && is_temp(p->word[r]) && !p->inlined[v]) {
        p->last_use[r] = 0;
        plan_release(p, p->word[r]);
    }
}

static void end_uses(struct plan *p, const struct ir_insn *i, uint32_t n)
{
    ir_ref base, index;
    unsigned shift;
    uint64_t value;
    if (plan_scaled(p, i, &base, &index, &shift)) {
        end_use(p, base, n);
        end_use(p, index, n);
        return;
    }
    for (unsigned k = 0; k < 4; k++) {
        if (takes_constant(i, k) && plan_is_const(p, i->arg[k], &value))
            continue;
        end_use(p, k == 0 && is_memory((enum ir_op)i->op) ? plan_address(p, i->arg[0]).base : i->arg[k], n);
    }
}

static bool is_get(enum ir_op op) { return op >= IR_GET8 && op <= IR_GETV; }

void plan_visit(struct plan *p, uint32_t n)
{
    const struct ir_insn *i = &p->ir->insn[n];
    ir_ref d = i->dst;
    uint64_t offset = i->imm;
    unsigned size = state_size((enum ir_op)i->op);
    if (d && (p->inlined[d] || p->root[d] != d || (i->op == IR_CONST && !p->needed[d])))
        return;
    end_uses(p, i, n);
    if (!d)
        return;
    if (is_get((enum ir_op)i->op) && size >= 4 && offset % 8 == 0 && p->last_use[d] <= p->clobber[d]) {
        share(p, d, offset, size, p->last_use[d]);
    } else if (i->op != IR_CONST && may_write_state(p, n, d, &offset, &size)) {
        share(p, d, offset, size, p->last_use[d]);
    } else if (!p->last_use[d]) {
        p->word[d] = FIRST_TEMP;
    } else if (p->ir->type_of[d] == IR_V) {
        require(p->n_free_vectors);
        p->word[d] = p->free_vector[--p->n_free_vectors];
    } else {
        p->word[d] = plan_temp(p);
    }
}

bool plan_vanishes(const struct plan *p, uint32_t n)
{
    const struct ir_insn *i = &p->ir->insn[n];
    unsigned size = state_size((enum ir_op)i->op);
    if (i->dst) {
        bool shares = p->root[i->dst] != i->dst;
        bool in_place = is_get((enum ir_op)i->op) && size >= 4 && i->imm % 8 == 0 && p->word[i->dst] == i->imm / 8;
        return p->inlined[i->dst] || shares || in_place || (i->op == IR_CONST && !p->needed[i->dst]);
    }
    uint64_t value;
    return size >= 8 && i->imm % 8 == 0 && !plan_is_const(p, i->arg[0], &value) &&
           plan_word(p, i->arg[0]) == i->imm / 8;
}
