/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IR to threaded code.  One IR op becomes at most one operation; constants disappear into their users. */
#include <stdlib.h>

#include "engine/interp/interp.h"

struct compiler {
    const struct ir_block *ir;
    const void *const *handlers;
    struct iop *code;
    uint32_t n;
    struct icall *calls;
    struct ivec *vecs;
    uint32_t n_calls, n_vecs;
    uint32_t insn;                        /* index of the guest instruction */
    bool is_const[IR_MAX_VALUES];
    uint64_t constant[IR_MAX_VALUES];
    uint32_t label_at[IR_MAX_LABELS];     /* index of the op behind the label */
    uint32_t branch[4 * IR_MAX_LABELS];   /* ops whose dst is still a label */
    uint32_t n_branches;
};

static struct iop *emit(struct compiler *c, unsigned handler, const struct ir_insn *i)
{
    struct iop *o = &c->code[c->n++];
    *o = (struct iop){ .handler = c->handlers[handler], .dst = i->dst, .a = i->arg[0], .b = i->arg[1],
                       .aux = (uint16_t)(c->insn - 1), .imm = i->imm };
    return o;
}

static bool const_arg(const struct compiler *c, const struct ir_insn *i, unsigned k, uint64_t *v)
{
    if (!i->arg[k] || !c->is_const[i->arg[k]])
        return false;
    *v = c->constant[i->arg[k]];
    return true;
}

/* Ops in groups of four: W or X, value or immediate. */
static void emit_two(struct compiler *c, unsigned base, const struct ir_insn *i)
{
    uint64_t imm;
    bool inline_b = const_arg(c, i, 1, &imm);
    struct iop *o = emit(c, base + (i->type == IR_X ? 2 : 0) + inline_b, i);
    if (inline_b)
        o->imm = imm;
}

/* dst is the label until resolve() makes it the index of an op. */
static void to_label(struct compiler *c, struct iop *o, const struct ir_insn *i)
{
    require(c->n_branches < ARRAY_LEN(c->branch));
    c->branch[c->n_branches++] = (uint32_t)(o - c->code);
    o->dst = (uint16_t)i->imm;
}

static void emit_branch(struct compiler *c, const struct ir_insn *i)
{
    unsigned base = H_BREQ_WR + i->aux * (unsigned)(H_BRNE_WR - H_BREQ_WR);
    uint64_t imm;
    bool inline_b = const_arg(c, i, 1, &imm);
    struct iop *o = emit(c, base + (i->type == IR_X ? 2 : 0) + inline_b, i);
    to_label(c, o, i);
    if (inline_b)
        o->imm = imm;
}

static void emit_put(struct compiler *c, const struct ir_insn *i)
{
    static const uint16_t value[] = { [IR_PUT8] = H_PUT8, [IR_PUT16] = H_PUT16, [IR_PUT32] = H_PUT32, [IR_PUT64] = H_PUT64 };
    uint64_t v;
    if (const_arg(c, i, 0, &v)) {
        struct iop *o = emit(c, value[i->op] + (H_PUT8I - H_PUT8), i);
        o->aux = (uint16_t)i->imm;
        o->imm = v;
    } else {
        emit(c, value[i->op], i);
    }
}

static void emit_load(struct compiler *c, const struct ir_insn *i)
{
    unsigned size = i->aux & IR_MEM_SIZE;
    unsigned handler = H_LD8 + size;
    if (i->aux & IR_MEM_SIGNED)
        handler = H_LDS;
    if (i->aux & IR_MEM_WRITE_INTENT)
        handler = H_LDI;
    struct iop *o = emit(c, handler, i);
    o->b = (uint16_t)(size | (i->type == IR_X ? 8 : 0));
}

static void emit_call(struct compiler *c, const struct ir_insn *i)
{
    const struct ir_helper *h = (const struct ir_helper *)(uintptr_t)i->imm;
    struct icall *call = &c->calls[c->n_calls++];
    *call = (struct icall){ .helper = h, .last = c->insn == c->ir->n_insns, .may_exit = h->flags & HELPER_MAY_EXIT };
    memcpy(call->arg, i->arg, sizeof call->arg);
    emit(c, H_CALL0 + h->n_args, i)->imm = (uint64_t)(uintptr_t)call;
}

static void emit_vector(struct compiler *c, const struct ir_insn *i)
{
    struct ivec *vec = &c->vecs[c->n_vecs++];
    *vec = (struct ivec){ .arg = { i->arg[0], i->arg[1], i->arg[2] }, .imm = i->imm };
    if (i->op == IR_VEC)
        vec->fn = vec_info[i->aux].fn;
    else
        vec->ffn = fvec_info[i->aux].fn;
    emit(c, i->op == IR_VEC ? H_VEC : H_FVEC, i)->imm = (uint64_t)(uintptr_t)vec;
}

static void emit_bitfield(struct compiler *c, const struct ir_insn *i)
{
    bool x = i->type == IR_X;
    unsigned h = i->op == IR_EXTRACT ? H_EXTRACT : i->op == IR_SEXTRACT ? H_SEXTRACT_W + x : H_DEPOSIT_W + x;
    emit(c, h, i)->imm = i->aux | i->imm << 8;
}

static void emit_select(struct compiler *c, const struct ir_insn *i) { emit(c, H_SELECT, i)->imm = i->arg[2]; }

static void compile_op(struct compiler *c, const struct ir_insn *i)
{
    static const uint16_t same[IR_OP_COUNT] = {
        [IR_CONST] = H_CONST,     [IR_COPY] = H_COPY,       [IR_ZEXT] = H_COPY,         [IR_VCOPY] = H_VCOPY,
        [IR_GET8] = H_GET8,       [IR_GET16] = H_GET16,     [IR_GET32] = H_GET32,       [IR_GET64] = H_GET64,
        [IR_GETV] = H_GETV,       [IR_PUTV] = H_PUTV,       [IR_SEXT] = H_SEXT,         [IR_TRUNC] = H_TRUNC,
        [IR_VFROM64] = H_VFROM64, [IR_VLO] = H_VLO,         [IR_VHI] = H_VHI,           [IR_LDV] = H_LDV,
        [IR_STV] = H_STV,         [IR_EXIT_INDIRECT] = H_EXIT_INDIRECT,                 [IR_EXIT_LOOKUP] = H_EXIT_LOOKUP,
        [IR_EXIT_LOOP] = H_EXIT_LOOP,
    };
    switch (i->op) {
    case IR_INSN_START:
        c->insn++;
        return;
    case IR_LABEL:
        c->label_at[i->imm] = c->n;
        return;
    case IR_BR:
        to_label(c, emit(c, H_BR, i), i);
        return;
    case IR_BRCOND:
        emit_branch(c, i);
        return;
    case IR_SETCOND:
        emit_two(c, H_SETEQ_WR + i->aux * (unsigned)(H_SETNE_WR - H_SETEQ_WR), i);
        return;
    case IR_SELECT:
        emit_select(c, i);
        return;
    case IR_PUT8:
    case IR_PUT16:
    case IR_PUT32:
    case IR_PUT64:
        emit_put(c, i);
        return;
    case IR_EXTRACT:
    case IR_SEXTRACT:
    case IR_DEPOSIT:
        emit_bitfield(c, i);
        return;
    case IR_LD:
        emit_load(c, i);
        return;
    case IR_ST:
        emit(c, H_ST8 + (i->aux & IR_MEM_SIZE), i);
        return;
    case IR_CALL:
        emit_call(c, i);
        return;
    case IR_VEC:
    case IR_FVEC:
        emit_vector(c, i);
        return;
    case IR_EXIT_JUMP:
        emit(c, H_EXIT_JUMP, i)->a = i->aux;
        return;
    default:
        break;
    }
    if (same[i->op])
        emit(c, same[i->op], i);
    else if (i->op >= IR_ADD && i->op <= IR_ANDN)
        emit_two(c, H_ADD_WR + 4u * (i->op - IR_ADD), i);
    else if (i->op >= IR_SHL && i->op <= IR_ROTR)
        emit_two(c, H_SHL_WR + 4u * (i->op - IR_SHL), i);
    else if (i->op == IR_NOT || i->op == IR_NEG)
        emit(c, (unsigned)H_NOT_W + 2u * (i->op - IR_NOT) + (i->type == IR_X), i);
    else
        emit(c, (unsigned)H_CLZ_W + 2u * (i->op - IR_CLZ) + (i->type == IR_X), i);
}
_Static_assert(IR_ANDN - IR_ADD == 8 && IR_ROTR - IR_SHL == 4 && IR_NEG - IR_NOT == 1 && IR_BSWAP - IR_CLZ == 3,
               "handlers follow the order of the op list");
_Static_assert((H_SHL_WR - H_ADD_WR) / 4 == 9 && (H_CLZ_W - H_NOT_W) / 2 == 2, "handlers follow the op list");

/* A constant is materialised only for users that cannot take it inline. */
static bool takes_inline(const struct ir_insn *i, unsigned k)
{
    if (i->op >= IR_PUT8 && i->op <= IR_PUT64)
        return k == 0;
    bool two = (i->op >= IR_ADD && i->op <= IR_ANDN) || (i->op >= IR_SHL && i->op <= IR_ROTR) ||
               i->op == IR_SETCOND || i->op == IR_BRCOND;
    return two && k == 1;
}

static void find_constants(struct compiler *c, uint8_t *needed, uint32_t *calls, uint32_t *vecs)
{
    memset(needed, 0, c->ir->n_values);
    memset(c->is_const, 0, c->ir->n_values * sizeof *c->is_const);
    for (uint32_t n = 0; n < c->ir->n; n++) {
        const struct ir_insn *i = &c->ir->insn[n];
        if (i->op == IR_CONST) {
            c->is_const[i->dst] = true;
            c->constant[i->dst] = i->imm;
        }
        for (unsigned k = 0; k < 4; k++)
            if (!takes_inline(i, k))
                needed[i->arg[k]] = 1;
        *calls += i->op == IR_CALL;
        *vecs += i->op == IR_VEC || i->op == IR_FVEC;
    }
}

static void resolve(struct compiler *c)
{
    for (uint32_t n = 0; n < c->n_branches; n++) {
        struct iop *o = &c->code[c->branch[n]];
        o->dst = (uint16_t)c->label_at[o->dst];
    }
}

void interp_compile(struct engine *e, struct block *b, const struct ir_block *ir)
{
    struct compiler c;
    uint8_t needed[IR_MAX_VALUES];
    uint32_t calls = 0, vecs = 0;
    (void)e;
    c.ir = ir;
    c.handlers = interp_handlers();
    c.n = c.n_calls = c.n_vecs = c.insn = c.n_branches = 0;
    find_constants(&c, needed, &calls, &vecs);
    size_t code_bytes = ir->n * sizeof(struct iop), call_bytes = calls * sizeof(struct icall);
    b->bytes = code_bytes + call_bytes + vecs * sizeof(struct ivec);
    b->code = alloc_zero(b->bytes);
    c.code = b->code;
    c.calls = (struct icall *)(void *)((char *)b->code + code_bytes);
    c.vecs = (struct ivec *)(void *)((char *)b->code + code_bytes + call_bytes);
    for (uint32_t n = 0; n < ir->n; n++)
        if (ir->insn[n].op != IR_CONST || needed[ir->insn[n].dst])
            compile_op(&c, &ir->insn[n]);
    resolve(&c);
}
