/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block's code, from its first instruction to its cold part and its tables. */
#include <stdlib.h>

#include "engine/x64/compiler.h"

static void begin(struct compiler *c, struct engine *e, struct block *b, const struct ir_block *ir)
{
    c->e = e;
    c->j = jit_of(e);
    c->b = b;
    c->ir = ir;
    c->ops = e->vcpu[0]->ops;
    c->n_stubs = c->n_sites = c->n_site_pending = c->last_list = c->n_last_list = c->second = 0;
    c->at = c->insn = c->started = 0;
    c->skip = UINT32_MAX;
    c->recent = 0;
    c->returns = NULL;
    c->late = UINT32_MAX;
    c->late_stub = NULL;
    c->hot = b->ram && !b->limit && x64_has_place(c->j->hot, b->ram, b->ram_offset);
    memset(c->label, 0, ir->n_labels * sizeof *c->label);
    memset(c->exit, 0, ir->n_exits * sizeof *c->exit);
    for (unsigned k = 0; k < N_TEMPS; k++)
        c->temp[k] = x64_temps[k];
    c->room = X64_MAX_CODE;                         /* what needs more is translated in parts */
    x64_memory_room(e);
    x64_init(&c->a, c->j->next, c->room);
    c->a.exec_delta = c->j->exec_delta;
}

/* The main path is written. */
static void begin_cold(struct compiler *c)
{
    c->main_size = (uint32_t)(c->a.p - c->j->next);
    c->a.p = c->j->next_cold;
    c->a.end = c->a.p + c->room;
}

/* Registers are given in another order, and now and then there is little room. */
static void perturb(struct compiler *c)
{
    uint64_t *rng = &c->e->rng;
    for (unsigned k = N_TEMPS; k-- > 1;) {
        *rng = *rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        unsigned m = (unsigned)(*rng >> 33) % (k + 1);
        uint8_t t = c->temp[k];
        c->temp[k] = c->temp[m];
        c->temp[m] = t;
    }
    c->hot |= *rng >> 63;
    if (c->ir->n_insns > 1 && (*rng >> 59 & 15) == 0) {
        c->room = (uint32_t)(*rng >> 32) & 4095;
        c->a.end = c->a.p + c->room;
    }
}

/* A block that crosses into a second page asks for that page's mapping, so that it can be chained to like any other. */
static void prologue(struct compiler *c)
{
    const struct block_key *k = &c->b->key;
    uint64_t next = align_down(k->va + c->b->guest_bytes - 1, PAGE_SIZE);
    if (next != align_down(k->va, PAGE_SIZE)) {
        struct stub *s = x64_stub(c, STUB_LOOKUP);
        c->second = x64_check_mapping(c, next & k->va_mask, &s->from, &s->from);
    }
    c->checked = (uint32_t)(c->a.p - c->j->next);
    if (c->b->limit == METERED) {
        x64_begin_metered(c);
        return;
    }
    x64_alu_mi(&c->a, X64_SUB, 64, VCPU_FIELD(pos.left), (int32_t)c->b->n_insns);
    x64_jcc(&c->a, X64_S, &x64_stub(c, STUB_SHORT)->from);
}

/*
 * Where an instruction cannot start again there are no groups: in what may not be cached (outside RAM, or crossing into
 * there), and in a block of one instruction, which may be one because it must not.
 */
static bool may_group(const struct compiler *c)
{
    const struct block *b = c->b;
    return b->n_insns > 1 && b->ram && (b->ram_offset & (PAGE_SIZE - 1)) + b->guest_bytes <= PAGE_SIZE;
}

static void one(struct compiler *c, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_INSN_START:
        c->insn = c->started++;
        if (c->insn && c->b->limit == METERED)
            x64_meter(c);
        return;
    case IR_CONST:                       /* made where it is wanted */
        return;
    case IR_DISCARD:
        x64_discard(c, (uint32_t)i->imm, i->aux);
        return;
    case IR_GET8:
    case IR_GET16:
    case IR_GET32:
    case IR_GET64:
        x64_op_get(c, i);
        c->locked = 0;                   /* nothing ends here: what nobody wants is gone */
        return;
    case IR_PUT8:
    case IR_PUT16:
    case IR_PUT32:
    case IR_PUT64:
        x64_op_put(c, i);
        break;
    case IR_LD:
    case IR_ST:
    case IR_LDV:
    case IR_STV:
        x64_op_memory(c, i);
        break;
    case IR_CALL:
        x64_op_call(c, i);
        break;
    case IR_VFROM64:
        if (c->plan[i->dst].fused)
            return;
        x64_op_vector(c, i);
        break;
    case IR_GETV:
    case IR_PUTV:
    case IR_VLO:
    case IR_VHI:
    case IR_VEC:
    case IR_FVEC:
        x64_op_vector(c, i);
        break;
    case IR_LABEL:
    case IR_BR:
    case IR_BRCOND:
    case IR_TRAP_IF:
    case IR_EXIT_IF:
    case IR_RETURN_POINT:
    case IR_EXIT_JUMP:
    case IR_EXIT_INDIRECT:
    case IR_EXIT_LOOKUP:
    case IR_EXIT_LOOP:
        x64_op_flow(c, i);
        break;
    default:
        if (c->plan[i->dst].fused)
            return;
        x64_op(c, i);
    }
    x64_end_op(c, i);
}
_Static_assert(IR_LDV - IR_LD == 2 && IR_STV - IR_LD == 3,
               "groups follow the order of the op list");
_Static_assert(MAX_PENDING <= UINT8_MAX && IR_MAX_INSNS <= UINT8_MAX && MAX_SITE_PENDING <= UINT16_MAX,
               "struct x64_site");

static void body(struct compiler *c)
{
    const struct ir_insn *i = c->ir->insn, *end = i + c->ir->n;
    for (c->at = 0; i != end && !c->a.failed; i++, c->at++)
        one(c, i);
}

/* A TLB addend that code compares with: it matches nothing until it is known.  *at: its operand's end, then its
   place. */
static void constant(struct compiler *c, uint32_t *at)
{
    if (!*at)
        return;
    while (x64_room(&c->a) && (uintptr_t)c->a.p & 7)
        x64_byte(&c->a, 0xcc);
    if (c->a.failed)
        return;
    x64_patch32(c->j->next + *at - 4, c->a.p);
    *at = (uint32_t)(c->a.p - c->j->next);
    store_le(c->a.p, 8, 1);
    c->a.p += 8;
}

static void constants(struct compiler *c)
{
    constant(c, &c->second);
    for (uint32_t k = 0; k < c->ir->n_exits; k++)
        constant(c, &c->exit[k].addend);
}

/* One allocation: the struct, then its tables. */
static void finish(struct compiler *c)
{
    size_t sites = c->n_sites * sizeof(struct x64_site), exits = c->ir->n_exits * sizeof(struct x64_exit);
    size_t pending = c->n_site_pending * sizeof(struct x64_pending);
    size_t bytes = sizeof(struct x64_code) + sites + exits + pending;
    struct x64_code *code = pool_alloc(&c->e->pool, bytes);
    char *at = (char *)(code + 1);
    code->start = c->j->next;
    code->cold = c->j->next_cold;
    code->size = c->main_size;
    code->cold_size = (uint32_t)(c->a.p - c->j->next_cold);
    code->bytes = (uint32_t)bytes;
    code->n_sites = c->n_sites;
    code->second = c->second;
    code->checked = c->checked;
    code->gives_way = c->gives_way;
    code->recent = c->recent;
    code->stops = 0;
    code->stopped_at = 0;
    code->hot = c->hot;
    code->pending = (struct x64_pending *)(void *)at;
    code->exit = (struct x64_exit *)(void *)(at + pending);
    code->site = (struct x64_site *)(void *)(at + pending + exits);
    memcpy(code->pending, c->site_pending, pending);
    memcpy(code->exit, c->exit, exits);
    memcpy(code->site, c->site, sites);
    c->b->code = code;
    c->b->bytes += code->bytes;
    x64_memory_take(c->e, c->b);
    x64_show(c->e, &c->b->key, NULL, code->start, code->size);
    x64_show(c->e, &c->b->key, "cold", code->cold, code->cold_size);
}

bool x64_compile(struct engine *e, struct block *b, const struct ir_block *ir)
{
    struct compiler *c = e->scratch;
    begin(c, e, b, ir);
    if (e->config.perturb_seed)
        perturb(c);
    x64_plan(c, may_group(c));
    x64_regs_init(c);
    prologue(c);
    body(c);
    x64_write_stubs(c, false);
    begin_cold(c);
    x64_write_stubs(c, true);
    constants(c);
    if (c->a.failed) {
        x64_recent_free(e, c->recent);
        return false;
    }
    finish(c);
    return true;
}
