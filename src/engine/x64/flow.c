/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls, branches and the ways out of a block. */
#include "engine/x64/compiler.h"

/* ---- sites -------------------------------------------------------------------------------------- */

void x64_site_here(struct compiler *c, uint32_t insn, uint32_t first_pending, uint32_t n_pending)
{
    if (c->n_sites == MAX_SITES) {
        c->a.failed = true;
        return;
    }
    c->site[c->n_sites++] = (struct x64_site){ .ret = x64_here(c), .index = (uint8_t)insn,
                                               .n_pending = (uint8_t)n_pending, .pending = (uint16_t)first_pending };
}

/* ---- calls ---------------------------------------------------------------------------------------- */

static const uint8_t arg_regs[4] = { HOST_RSI, HOST_RDX, HOST_RCX, HOST_R8 };

/* What is in a temporary that an earlier argument's register will be goes to memory first. */
static void place_args(struct compiler *c, const struct ir_insn *i, const struct ir_helper *h)
{
    struct x64_asm *a = &c->a;
    for (unsigned k = 0; k < h->n_args; k++) {
        ir_ref root = root_of(c, i->arg[k]);
        const struct place *p = &c->place[root];
        for (unsigned j = 0; j < k && !c->plan[i->arg[k]].is_const; j++)
            if (p->reg == arg_regs[j]) {
                x64_mov_mr(a, 64, FRAME(c->j, reg[k]), p->reg);
                break;
            }
    }
    for (unsigned k = 0; k < h->n_args; k++) {
        ir_ref v = i->arg[k], root = root_of(c, v);
        const struct place *p = &c->place[root];
        unsigned w = c->ir->type_of[v] == IR_X ? 64 : 32;
        uint64_t value;
        bool saved = false;
        for (unsigned j = 0; j < k; j++)
            saved |= p->reg == arg_regs[j];
        if (const_of(c, v, &value))
            x64_mov_ri(a, arg_regs[k], value);
        else if (saved)
            x64_mov_rm(a, w, arg_regs[k], FRAME(c->j, reg[k]));
        else if (p->reg != NO_REG)
            x64_mov_rr(a, w, arg_regs[k], p->reg);
        else
            x64_mov_rm(a, w, arg_regs[k], x64_spill_at(c, p->spill - 1u));
    }
}

static void set_last(struct compiler *c)
{
    x64_mov_mi(&c->a, 8, VCPU_FIELD(at_last_insn), c->insn + 1 == c->b->n_insns);
}

static bool is_saved_by_callee(unsigned reg) { return reg == HOST_RBX || reg >= HOST_R12; }

static void save_pins(struct compiler *c, bool load)
{
    for (unsigned k = 0; k < N_PINS && k < c->ops->n_hot; k++) {
        if (is_saved_by_callee(x64_pins[k]))
            continue;
        if (load)
            x64_mov_rm(&c->a, 64, x64_pins[k], x64_state(c->ops->hot[k]));
        else
            x64_mov_mr(&c->a, 64, x64_state(c->ops->hot[k]), x64_pins[k]);
    }
}

void x64_op_call(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    const struct ir_helper *h = (const struct ir_helper *)(uintptr_t)i->imm;
    bool part = ir_helper_has_part(h), fp = h->flags & HELPER_FP;
    bool sees = !part && h->flags & (HELPER_READS | HELPER_WRITES | HELPER_MAY_EXIT);
    bool writes = !part && h->flags & HELPER_WRITES;
    if (part)
        x64_write_pending(c, h->part.from, h->part.to - h->part.from);
    else if (sees)
        x64_write_all_pending(c);
    /* Values that live on go to memory; those that end here stay in their registers until they are arguments. */
    for (unsigned k = 0; k < h->n_args; k++) {
        ir_ref root = root_of(c, i->arg[k]);
        if (c->place[root].reg != NO_REG)
            c->locked |= 1u << c->place[root].reg;
    }
    x64_spill_for_call(c, writes);
    place_args(c, i, h);
    if (sees)
        x64_call_to(a, fp ? c->j->sync_out_fp : c->j->sync_out);
    else
        save_pins(c, false);
    if (!(h->flags & HELPER_PURE))
        set_last(c);
    x64_lea(a, 64, HOST_RDI, x64_state(0));
    if (x64_reaches(a, (const void *)(uintptr_t)h->f0)) {
        x64_call_to(a, (const void *)(uintptr_t)h->f0);
    } else {
        x64_mov_ri(a, HOST_RAX, (uint64_t)(uintptr_t)h->f0);
        x64_call_r(a, HOST_RAX);
    }
    if (writes)
        x64_call_to(a, fp ? c->j->sync_in_fp : c->j->sync_in);
    else
        save_pins(c, true);
    x64_forget_for_call(c, writes);
    if (h->flags & HELPER_MAY_EXIT) {
        struct stub *s = x64_stub(c, STUB_FAULT);
        x64_stub_pending(c, s);                    /* of a helper that sees all there are none */
        x64_alu_mi(a, X64_CMP, 32, VCPU_FIELD(exit), 0);
        x64_jcc(a, X64_NE, &s->from);
    }
    c->locked = 1u << HOST_RAX;
    if (i->dst)
        x64_def_in(c, i->dst, HOST_RAX);
}

/* ---- branches inside ------------------------------------------------------------------------------- */

/* The comparison of BRCOND, EXIT_IF and TRAP_IF, which may be a SETCOND's. */
static enum x64_cc condition(struct compiler *c, const struct ir_insn *i)
{
    if (!c->plan[i->arg[0]].fused)
        return x64_compare(c, (enum ir_cond)(i->aux & 0xff), (enum ir_type)i->type, i->arg[0], i->arg[1]);
    const struct ir_insn *s = def_of(c, i->arg[0]);
    return x64_compare(c, (enum ir_cond)s->aux, (enum ir_type)s->type, s->arg[0], s->arg[1]);
}

static void branch(struct compiler *c, const struct ir_insn *i)
{
    x64_write_all_pending(c);
    enum x64_cc cc = condition(c, i);
    x64_spill_all(c);                              /* moves only: the flags stay */
    x64_jcc(&c->a, cc, &c->label[i->imm]);
}

/* Only the return that follows says where the trap is, if its target is not one to return to. */
static void trap_late(struct compiler *c, const struct ir_insn *i)
{
    struct stub *s = c->late_stub = x64_stub(c, STUB_LATE);
    s->op = i;
    s->fn = i->imm;
    s->what = SLOW_TRAP | (c->insn + 1 == c->b->n_insns ? SLOW_LAST : 0);
}

static void trap_if(struct compiler *c, const struct ir_insn *i)
{
    if (c->at == c->late) {
        trap_late(c, i);
        return;
    }
    unsigned arg = x64_use_clean(c, i->arg[2]);
    enum x64_cc cc = condition(c, i);
    struct stub *s = x64_stub(c, STUB_TRAP);
    s->value = (uint8_t)arg;
    s->fn = i->imm;
    s->what = SLOW_TRAP | (c->insn + 1 == c->b->n_insns ? SLOW_LAST : 0);
    x64_stub_pending(c, s);
    x64_jcc(&c->a, cc, &s->from);
    x64_bind(&c->a, &s->back);
}

static bool same_page(const struct compiler *c, uint64_t pc)
{
    const struct block_key *k = &c->b->key;
    return (((pc + k->cs_base) & k->va_mask) ^ k->va) >> PAGE_BITS == 0;
}

/*
 * Behind the last instruction both ways out want the state, which is written once, and the jump itself is the exit's if
 * nothing is to be asked.
 */
static void exit_if(struct compiler *c, const struct ir_insn *i)
{
    uint32_t give_back = c->b->n_insns - (c->insn + 1);
    if (!give_back)
        x64_write_all_pending(c);
    enum x64_cc cc = condition(c, i);
    bool direct = !give_back && same_page(c, i->imm);
    struct stub *s = x64_stub(c, direct ? STUB_EXIT : STUB_SIDE);
    s->slot = i->aux >> 8;
    s->pc = i->imm;
    s->give_back = give_back;
    if (direct)
        c->exit[s->slot] = (struct x64_exit){ .pc = s->pc };
    else
        x64_stub_pending(c, s);
    x64_jcc(&c->a, cc, &s->from);
    if (direct)
        c->exit[s->slot].field = x64_here(c) - 4;
}

/* ---- ends ---------------------------------------------------------------------------------------------- */

uint32_t x64_check_mapping(struct compiler *c, uint64_t va, struct x64_label *unmapped, struct x64_label *otherwise)
{
    struct x64_asm *a = &c->a;
    const struct block_key *k = &c->b->key;
    x64_mov_ri(a, HOST_RAX, (uint32_t)(va >> (PAGE_BITS - TLB_ENTRY_BITS)));
    x64_alu_rm(a, X64_AND, 64, HOST_RAX, x64_state(offsetof(struct vcpu, view[k->fetch_mode].mask)));
    x64_alu_rm(a, X64_ADD, 64, HOST_RAX, x64_state(offsetof(struct vcpu, view[k->fetch_mode].base)));
    x64_mov_ri(a, HOST_RCX, align_down(va, PAGE_SIZE));
    x64_alu_rm(a, X64_CMP, 64, HOST_RCX, x64_base(HOST_RAX, TLB_TAG(ACCESS_EXEC)));
    x64_jcc(a, X64_NE, unmapped);
    x64_mov_rm(a, 64, HOST_RCX, x64_base(HOST_RAX, TLB_ADDEND));
    x64_alu_rm(a, X64_CMP, 64, HOST_RCX, x64_at((const void *)((intptr_t)a->p + a->exec_delta)));
    uint32_t operand = x64_here(c);
    x64_jcc(a, X64_NE, otherwise);
    return operand;
}

/* Before the jump of an exit, whose stub is s: goes on if its target is mapped as expected. */
static void ask_mapping(struct compiler *c, struct stub *s)
{
    struct x64_exit *x = &c->exit[s->slot];
    *x = (struct x64_exit){ .pc = s->pc };
    if (same_page(c, s->pc))
        return;
    struct stub *t = x64_stub(c, STUB_TRUST);
    t->slot = s->slot;
    t->pc = s->pc;
    t->miss = s;
    x64_alu_mi(&c->a, X64_CMP, 64, x64_at(&c->j->data->link[0]), 0);
    x->trusted = x64_here(c);
    x64_jcc(&c->a, X64_NE, &t->from);
    x64_bind(&c->a, &t->back);
}

void x64_jump_out(struct compiler *c, struct stub *s)
{
    ask_mapping(c, s);
    x64_jmp(&c->a, &s->from);
    c->exit[s->slot].field = x64_here(c) - 4;
}

/* Where the call that was just written returns to. */
static void land(struct compiler *c)
{
    struct stub *s = x64_stub(c, STUB_EXIT);
    s->slot = c->returns->aux;
    s->pc = c->returns->imm;
    x64_write_landing(c);
    x64_jump_out(c, s);
}

/* The same of a call. */
static void call_out(struct compiler *c, struct stub *s)
{
    ask_mapping(c, s);
    x64_write_push(c, c->returns->imm);            /* directly before it: C code needs an aligned stack */
    x64_call(&c->a, &s->from);
    c->exit[s->slot].field = x64_here(c) - 4;
    land(c);
}

static void exit_jump(struct compiler *c, const struct ir_insn *i)
{
    x64_write_all_pending(c);
    struct stub *s = x64_stub(c, STUB_EXIT);
    s->slot = i->aux;
    s->pc = i->imm;
    if (c->returns)
        call_out(c, s);
    else
        x64_jump_out(c, s);
}

static void exit_indirect(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    const struct block_key *k = &c->b->key;
    unsigned pc = x64_use(c, i->arg[0]);
    x64_write_all_pending(c);
    if (pc != HOST_RAX)
        x64_mov_rr(a, 64, HOST_RAX, pc);           /* nothing else is wanted any more */
    if (i->aux && x64_uses_returns(c)) {
        if (c->late_stub)
            x64_lea_label(a, HOST_RDX, &c->late_stub->from);
        x64_ret(a);
        return;
    }
    if (c->returns) {
        struct stub *s = x64_stub(c, STUB_JUMP);
        x64_write_push(c, c->returns->imm);
        x64_call(a, &s->from);
        land(c);
        return;
    }
    if (x64_jumps_to(k)) {
        x64_write_jump(a, c->j, &k->flags);
        return;
    }
    x64_mov_mr(a, 64, x64_state(c->ops->pc_offset), HOST_RAX);
    x64_jmp_to(a, c->j->leave_plain);
}

void x64_op_flow(struct compiler *c, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_LABEL:
        x64_write_all_pending(c);
        x64_spill_all(c);
        x64_bind(&c->a, &c->label[i->imm]);
        break;
    case IR_BR:
        x64_write_all_pending(c);
        x64_spill_all(c);
        x64_jmp(&c->a, &c->label[i->imm]);
        break;
    case IR_BRCOND:
        branch(c, i);
        break;
    case IR_TRAP_IF:
        trap_if(c, i);
        break;
    case IR_EXIT_IF:
        exit_if(c, i);
        break;
    case IR_RETURN_POINT:
        c->returns = x64_uses_returns(c) ? i : NULL;
        break;
    case IR_EXIT_JUMP:
        exit_jump(c, i);
        break;
    case IR_EXIT_INDIRECT:
        exit_indirect(c, i);
        break;
    default:
        x64_write_all_pending(c);
        x64_jmp_to(&c->a, i->op == IR_EXIT_LOOP ? c->j->loop : c->j->lookup);
    }
}
