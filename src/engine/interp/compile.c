/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IR to threaded code, following plan.c.  Constants disappear into their
 * users, addresses into memory operations, and runs of moves become few.
 */
#include <stdlib.h>

#include "engine/interp/interp.h"

enum { MAX_MOVES = 8, MAX_SETS = 4 };

/* Moves and constant writes not yet emitted; they are independent of each other, so order is free. */
struct batch {
    struct {
        uint16_t dst, src;
    } move[MAX_MOVES];
    struct {
        uint16_t dst;
        uint64_t value;
    } set[MAX_SETS];          /* whole words */
    struct {
        uint16_t offset;
        uint32_t value;
    } put32;                  /* one 32-bit constant */
    unsigned n_moves, n_sets;
    bool has_put32;
};

struct compiler {
    struct plan plan;
    const struct ir_block *ir;
    const void *const *handlers;
    struct iop *code;
    uint32_t n;
    struct batch batch;
    struct icall *calls;
    struct ivec *vecs;
    uint32_t n_calls, n_vecs;
    uint32_t insn;                        /* index of the guest instruction */
    uint32_t label_at[IR_MAX_LABELS];     /* index of the op behind the label */
    uint32_t branch[4 * IR_MAX_LABELS];   /* ops whose dst is still a label */
    uint32_t n_branches;
};

/* ---- emission and moves --------------------------------------------------------------------- */

static struct iop *emit_raw(struct compiler *c, unsigned handler)
{
    struct iop *o = &c->code[c->n++];
    *o = (struct iop){ .handler = c->handlers[handler], .aux = (uint16_t)(c->insn - 1) };
    return o;
}

static bool fits32(uint64_t v) { return (int64_t)v == (int32_t)v; }

static void emit_move(struct compiler *c, unsigned handler, unsigned n)
{
    struct batch *b = &c->batch;
    struct iop *o = emit_raw(c, handler);
    o->dst = b->move[--b->n_moves].dst;
    o->a = b->move[b->n_moves].src;
    if (n == 2) {
        o->aux = b->move[--b->n_moves].dst;
        o->b = b->move[b->n_moves].src;
    }
    if (handler == H_MOVEC || handler == H_MOVE2C)
        o->imm = (uint64_t)b->put32.value << 32 | b->put32.offset;
}

/* The 32-bit constant with up to two of the others. */
static void flush_put32(struct compiler *c)
{
    struct batch *b = &c->batch;
    bool set = b->n_sets && fits32(b->set[b->n_sets - 1].value);
    b->has_put32 = false;
    if (set) {
        b->n_sets--;
        struct iop *o = emit_raw(c, b->n_moves ? H_MOVESETC : H_SETC);
        o->imm = (uint64_t)b->put32.value << 32 | (uint32_t)b->set[b->n_sets].value;
        o->dst = o->aux = b->set[b->n_sets].dst;
        o->b = b->put32.offset;
        if (b->n_moves) {
            o->dst = b->move[--b->n_moves].dst;
            o->a = b->move[b->n_moves].src;
        }
    } else if (b->n_moves) {
        emit_move(c, b->n_moves >= 2 ? H_MOVE2C : H_MOVEC, b->n_moves >= 2 ? 2 : 1);
    } else {
        struct iop *o = emit_raw(c, H_PUT32I);
        o->aux = b->put32.offset;
        o->imm = b->put32.value;
    }
}

static void flush(struct compiler *c)
{
    struct batch *b = &c->batch;
    if (b->has_put32)
        flush_put32(c);
    while (b->n_moves)
        emit_move(c, b->n_moves >= 2 ? H_MOVE2 : H_MOVE, b->n_moves >= 2 ? 2 : 1);
    while (b->n_sets) {
        struct iop *o = emit_raw(c, H_SET);
        o->dst = b->set[--b->n_sets].dst;
        o->imm = b->set[b->n_sets].value;
    }
}

static bool writes(const struct batch *b, uint16_t word)
{
    bool hit = b->has_put32 && b->put32.offset / 8 == word;
    for (unsigned i = 0; i < b->n_moves; i++)
        hit |= b->move[i].dst == word;
    for (unsigned i = 0; i < b->n_sets; i++)
        hit |= b->set[i].dst == word;
    return hit;
}

static bool reads(const struct batch *b, uint16_t word)
{
    bool hit = false;
    for (unsigned i = 0; i < b->n_moves; i++)
        hit |= b->move[i].src == word;
    return hit;
}

static void move(struct compiler *c, uint16_t dst, uint16_t src)
{
    struct batch *b = &c->batch;
    if (writes(b, dst) || reads(b, dst) || writes(b, src) || b->n_moves == MAX_MOVES)
        flush(c);
    b->move[b->n_moves].dst = dst;
    b->move[b->n_moves++].src = src;
}

static void set_word(struct compiler *c, uint16_t dst, uint64_t value)
{
    struct batch *b = &c->batch;
    if (writes(b, dst) || reads(b, dst) || b->n_sets == MAX_SETS)
        flush(c);
    b->set[b->n_sets].dst = dst;
    b->set[b->n_sets++].value = value;
}

static void put32_constant(struct compiler *c, uint16_t offset, uint32_t value)
{
    struct batch *b = &c->batch;
    if (writes(b, offset / 8) || reads(b, offset / 8) || b->has_put32)
        flush(c);
    b->has_put32 = true;
    b->put32.offset = offset;
    b->put32.value = value;
}

static struct iop *emit(struct compiler *c, unsigned handler, const struct ir_insn *i)
{
    flush(c);
    struct iop *o = emit_raw(c, handler);
    o->dst = i->dst ? plan_word(&c->plan, i->dst) : plan_word(&c->plan, IR_NONE);
    o->a = plan_word(&c->plan, i->arg[0]);
    o->b = plan_word(&c->plan, i->arg[1]);
    o->imm = i->imm;
    return o;
}

/* ---- ops by group ------------------------------------------------------------------------------ */

/* Ops in groups of four: W or X, value or immediate. */
static struct iop *emit_two(struct compiler *c, unsigned base, const struct ir_insn *i)
{
    uint64_t imm;
    bool constant = plan_is_const(&c->plan, i->arg[1], &imm);
    struct iop *o = emit(c, base + (i->type == IR_X ? 2 : 0) + constant, i);
    if (constant)
        o->imm = imm;
    return o;
}

static void emit_binary(struct compiler *c, unsigned base, const struct ir_insn *i)
{
    ir_ref x, y;
    unsigned shift;
    uint64_t imm;
    if (plan_scaled(&c->plan, i, &x, &y, &shift)) {
        struct iop *o = emit(c, H_LEA, i);
        o->a = plan_word(&c->plan, x);
        o->b = plan_word(&c->plan, y);
        o->imm = shift;
    } else if (i->op == IR_AND && plan_is_const(&c->plan, i->arg[1], &imm) && imm == UINT32_MAX) {
        emit(c, H_TRUNC, i);
    } else {
        emit_two(c, base, i);
    }
}

/* dst is the label until resolve() makes it the index of an op. */
static void to_label(struct compiler *c, struct iop *o, const struct ir_insn *i)
{
    require(c->n_branches < ARRAY_LEN(c->branch));
    c->branch[c->n_branches++] = (uint32_t)(o - c->code);
    o->dst = (uint16_t)i->imm;
}

static void emit_put(struct compiler *c, const struct ir_insn *i)
{
    static const uint16_t handler[] = { [IR_PUT8] = H_PUT8, [IR_PUT16] = H_PUT16, [IR_PUT32] = H_PUT32,
                                        [IR_PUT64] = H_PUT64 };
    uint64_t v;
    bool whole = i->op == IR_PUT64 && i->imm % 8 == 0;
    if (!plan_is_const(&c->plan, i->arg[0], &v)) {
        if (whole)
            move(c, (uint16_t)(i->imm / 8), plan_word(&c->plan, i->arg[0]));
        else
            emit(c, handler[i->op], i);
    } else if (whole) {
        set_word(c, (uint16_t)(i->imm / 8), v);
    } else if (i->op == IR_PUT32 && i->imm % 4 == 0) {
        put32_constant(c, (uint16_t)i->imm, (uint32_t)v);
    } else {
        struct iop *o = emit(c, handler[i->op] + (H_PUT8I - H_PUT8), i);
        o->aux = (uint16_t)i->imm;
        o->imm = v;
    }
}

static void emit_get(struct compiler *c, const struct ir_insn *i)
{
    if (i->op == IR_GET64 && i->imm % 8 == 0)
        move(c, plan_word(&c->plan, i->dst), (uint16_t)(i->imm / 8));
    else
        emit(c, H_GET8 + (unsigned)(i->op - IR_GET8), i);
}

static unsigned load_handler(const struct ir_insn *i)
{
    unsigned size = i->aux & IR_MEM_SIZE;
    if (i->op == IR_LDV)
        return H_LDV;
    if (i->aux & IR_MEM_WRITE_INTENT)
        return H_LDI8 + 2 * size;
    if (!(i->aux & IR_MEM_SIGNED) || size == IR_MEM_64 || (size == IR_MEM_32 && i->type == IR_W))
        return H_LD8 + 2 * size;
    return (i->type == IR_X ? H_LDS8X : H_LDS8W) + 2 * size;
}

static void emit_memory(struct compiler *c, unsigned handler, const struct ir_insn *i)
{
    struct iaddress at = plan_address(&c->plan, i->arg[0]);
    struct iop *o = emit(c, handler + at.wrap, i);
    o->a = plan_word(&c->plan, at.base);
    o->imm = (uint64_t)at.disp << 8 | i->imm;
}

/* Words of values that end here are free already, but hold arguments until the call. */
static bool is_argument(const struct compiler *c, const struct ir_insn *i, uint16_t word)
{
    for (unsigned k = 0; k < 4; k++)
        if (i->arg[k] && plan_word(&c->plan, i->arg[k]) == word)
            return true;
    return false;
}

static void emit_call(struct compiler *c, const struct ir_insn *i)
{
    const struct ir_helper *h = (const struct ir_helper *)(uintptr_t)i->imm;
    uint16_t taken[8];
    unsigned n_taken = 0;
    struct icall *call = &c->calls[c->n_calls++];
    *call = (struct icall){ .helper = h, .last = c->insn == c->ir->n_insns, .may_exit = h->flags & HELPER_MAY_EXIT };
    flush(c);
    for (unsigned k = 0; k < 4; k++) {
        call->arg[k] = plan_word(&c->plan, i->arg[k]);
        if (!i->arg[k] || !c->plan.dirty[i->arg[k]])
            continue;
        do
            taken[n_taken++] = plan_temp(&c->plan);
        while (is_argument(c, i, taken[n_taken - 1]));
        struct iop *o = emit_raw(c, H_TRUNC);
        o->a = call->arg[k];
        o->dst = call->arg[k] = taken[n_taken - 1];
    }
    call->at = c->n;
    emit(c, H_CALL0 + h->n_args, i);
    while (n_taken)
        plan_release(&c->plan, taken[--n_taken]);
}

static void emit_vector(struct compiler *c, const struct ir_insn *i)
{
    struct ivec *vec = &c->vecs[c->n_vecs++];
    *vec = (struct ivec){ .imm = i->imm, .part = (uint16_t)i->aux32 };
    for (unsigned k = 0; k < 3; k++)
        vec->arg[k] = plan_word(&c->plan, i->arg[k]);
    if (i->op == IR_VEC)
        vec->fn = vec_info[i->aux].fn;
    else
        vec->ffn = fvec_info[i->aux].fn;
    flush(c);
    vec->at = c->n;
    emit(c, i->op == IR_VEC ? H_VEC : H_FVEC, i);
}

/* Skips the next op unless the comparison holds. */
static uint32_t emit_unless(struct compiler *c, const struct ir_insn *i)
{
    static const uint8_t inverse[] = { [IR_EQ] = IR_NE,   [IR_NE] = IR_EQ,   [IR_LTU] = IR_GEU, [IR_GEU] = IR_LTU,
                                       [IR_LEU] = IR_GTU, [IR_GTU] = IR_LEU, [IR_LTS] = IR_GES, [IR_GES] = IR_LTS,
                                       [IR_LES] = IR_GTS, [IR_GTS] = IR_LES };
    struct ir_insn branch = *i;
    branch.aux = inverse[i->aux & 0xff];
    emit_two(c, H_BREQ_WR + branch.aux * (unsigned)(H_BRNE_WR - H_BREQ_WR), &branch);
    return c->n - 1;
}

static void emit_exit_if(struct compiler *c, const struct ir_insn *i)
{
    uint32_t skip = emit_unless(c, i);
    struct iop *o = emit_raw(c, H_EXIT_SIDE);
    o->a = i->aux >> 8;
    o->imm = i->imm;
    c->code[skip].dst = (uint16_t)c->n;
}

static void emit_trap_if(struct compiler *c, const struct ir_insn *i)
{
    uint32_t skip = emit_unless(c, i);
    uint16_t arg = plan_word(&c->plan, i->arg[2]);
    struct icall *call = &c->calls[c->n_calls++];
    *call = (struct icall){ .helper = (const struct ir_helper *)(uintptr_t)i->imm, .arg = { arg }, .at = c->n,
                            .last = c->insn == c->ir->n_insns, .may_exit = true };
    emit_raw(c, H_CALL1)->dst = plan_word(&c->plan, IR_NONE);
    c->code[skip].dst = (uint16_t)c->n;
}

static void emit_bitfield(struct compiler *c, const struct ir_insn *i)
{
    bool x = i->type == IR_X;
    unsigned h = i->op == IR_EXTRACT ? H_EXTRACT : i->op == IR_SEXTRACT ? H_SEXTRACT_W + x : H_DEPOSIT_W + x;
    emit(c, h, i)->imm = i->aux | i->imm << 8;
}

/* Ops whose handlers stand in the order of the op list, or alone. */
static void emit_by_order(struct compiler *c, const struct ir_insn *i)
{
    static const uint16_t same[IR_OP_COUNT] = {
        [IR_ZEXT] = H_TRUNC,      [IR_GETV] = H_GETV,       [IR_PUTV] = H_PUTV,
        [IR_SEXT] = H_SEXT,       [IR_VFROM64] = H_VFROM64, [IR_VLO] = H_VLO,
        [IR_VHI] = H_VHI,         [IR_EXIT_INDIRECT] = H_EXIT_INDIRECT, [IR_EXIT_LOOKUP] = H_EXIT_LOOKUP,
        [IR_EXIT_LOOP] = H_EXIT_LOOP,
    };
    if (same[i->op])
        emit(c, same[i->op], i);
    else if (i->op >= IR_ADD && i->op <= IR_ANDN)
        emit_binary(c, H_ADD_WR + 4u * (i->op - IR_ADD), i);
    else if (i->op >= IR_SHL && i->op <= IR_ROTR)
        emit_binary(c, H_SHL_WR + 4u * (i->op - IR_SHL), i);
    else if (i->op == IR_NOT || i->op == IR_NEG)
        emit(c, (unsigned)H_NOT_W + 2u * (i->op - IR_NOT) + (i->type == IR_X), i);
    else
        emit(c, (unsigned)H_CLZ_W + 2u * (i->op - IR_CLZ) + (i->type == IR_X), i);
}
_Static_assert(IR_ANDN - IR_ADD == 10 && IR_ROTR - IR_SHL == 4 && IR_NEG - IR_NOT == 1 && IR_BSWAP - IR_CLZ == 3 &&
                   IR_GETV - IR_GET8 == 4 && IR_PUT64 - IR_PUT8 == 3,
               "handlers follow the order of the op list");
_Static_assert((H_SHL_WR - H_ADD_WR) / 4 == 11 && (H_CLZ_W - H_NOT_W) / 2 == 2 && H_GETV - H_GET8 == 4 &&
                   H_LDI64 - H_LDI8 == 6 && H_LDS32X - H_LDS8X == 4 && H_ST64 - H_ST8 == 6,
               "handlers follow the op list");

static void compile_op(struct compiler *c, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_INSN_START:
        c->insn++;
        return;
    case IR_LABEL:
        flush(c);
        c->label_at[i->imm] = c->n;
        return;
    case IR_BR:
        to_label(c, emit(c, H_BR, i), i);
        return;
    case IR_BRCOND:
        flush(c);
        to_label(c, emit_two(c, H_BREQ_WR + i->aux * (unsigned)(H_BRNE_WR - H_BREQ_WR), i), i);
        return;
    case IR_CONST:
        set_word(c, plan_word(&c->plan, i->dst), i->imm);
        return;
    case IR_SETCOND:
        emit_two(c, H_SETEQ_WR + i->aux * (unsigned)(H_SETNE_WR - H_SETEQ_WR), i);
        return;
    case IR_SELECT:
        emit(c, i->type == IR_X ? H_SELECT_X : H_SELECT_W, i)->imm = plan_word(&c->plan, i->arg[2]);
        return;
    case IR_PUT8:
    case IR_PUT16:
    case IR_PUT32:
    case IR_PUT64:
        emit_put(c, i);
        return;
    case IR_RETURN_POINT:
    case IR_DISCARD:
        return;
    case IR_GET8:
    case IR_GET16:
    case IR_GET32:
    case IR_GET64:
        emit_get(c, i);
        return;
    case IR_EXTRACT:
    case IR_SEXTRACT:
    case IR_DEPOSIT:
        emit_bitfield(c, i);
        return;
    case IR_LD:
    case IR_LDV:
        emit_memory(c, load_handler(i), i);
        return;
    case IR_ST:
        emit_memory(c, H_ST8 + 2u * (i->aux & IR_MEM_SIZE), i);
        return;
    case IR_STV:
        emit_memory(c, H_STV, i);
        return;
    case IR_CALL:
        emit_call(c, i);
        return;
    case IR_TRAP_IF:
        emit_trap_if(c, i);
        return;
    case IR_EXIT_IF:
        emit_exit_if(c, i);
        return;
    case IR_VEC:
    case IR_FVEC:
        emit_vector(c, i);
        return;
    case IR_EXIT_JUMP:
        emit(c, H_EXIT_JUMP, i)->a = i->aux;
        return;
    default:
        emit_by_order(c, i);
    }
}

/* ---- the block ------------------------------------------------------------------------------------- */

static void resolve(struct compiler *c)
{
    for (uint32_t n = 0; n < c->n_branches; n++) {
        struct iop *o = &c->code[c->branch[n]];
        o->dst = (uint16_t)c->label_at[o->dst];
    }
}

/* The block's memory: code, then what calls and vector ops need. */
static void place(struct compiler *c, struct block *b)
{
    size_t code = c->n * sizeof(struct iop), calls = c->n_calls * sizeof(struct icall);
    size_t bytes = code + calls + c->n_vecs * sizeof(struct ivec);
    b->bytes += (uint32_t)bytes;
    b->code = alloc_resize(NULL, 1, bytes);
    struct iop *op = b->code;
    struct icall *call = (struct icall *)(void *)((char *)b->code + code);
    struct ivec *vec = (struct ivec *)(void *)((char *)b->code + code + calls);
    memcpy(op, c->code, code);
    for (uint32_t k = 0; k < c->n_calls; k++) {
        call[k] = c->calls[k];
        op[call[k].at].imm = (uint64_t)(uintptr_t)&call[k];
    }
    for (uint32_t k = 0; k < c->n_vecs; k++) {
        vec[k] = c->vecs[k];
        op[vec[k].at].imm = (uint64_t)(uintptr_t)&vec[k];
    }
}

bool interp_compile(struct engine *e, struct block *b, const struct ir_block *ir)
{
    struct compiler *c = e->scratch;
    uint32_t calls = 0, vecs = 0, exits = 0;
    for (uint32_t n = 0; n < ir->n; n++) {
        calls += ir->insn[n].op == IR_CALL || ir->insn[n].op == IR_TRAP_IF;
        exits += ir->insn[n].op == IR_EXIT_IF;
        vecs += ir->insn[n].op == IR_VEC || ir->insn[n].op == IR_FVEC;
    }
    c->ir = ir;
    c->handlers = interp_handlers();
    c->n = c->n_calls = c->n_vecs = c->insn = c->n_branches = 0;
    c->batch = (struct batch){ .n_moves = 0 };
    /* An op makes one operation, an EXIT_IF two, a call up to five. */
    c->code = alloc_resize(NULL, ir->n + 4 * calls + exits, sizeof *c->code);
    c->calls = alloc_resize(NULL, calls, sizeof *c->calls);
    c->vecs = alloc_resize(NULL, vecs, sizeof *c->vecs);
    plan_block(&c->plan, ir, e->vcpu[0]->ops);
    for (uint32_t n = 0; n < ir->n; n++) {
        plan_visit(&c->plan, n);
        if (!plan_vanishes(&c->plan, n))
            compile_op(c, &ir->insn[n]);
    }
    resolve(c);
    place(c, b);
    free(c->code);
    free(c->calls);
    free(c->vecs);
    return true;
}

static void interp_free_code(struct engine *e, struct block *b)
{
    (void)e;
    free(b->code);
}

const struct engine_kind interp_kind = { .name = "interp", .scratch_bytes = sizeof(struct compiler),
                                         .compile = interp_compile, .free_code = interp_free_code,
                                         .exec = interp_exec };
