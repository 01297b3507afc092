/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stubs: code out of a block's main path, made as it is compiled and written when that is done.  A few belong to it all
 * the same, for they run whenever the block is left there; the others are the block's cold part.
 */
#include "engine/x64/compiler.h"

struct stub *x64_stub(struct compiler *c, unsigned kind)
{
    if (c->n_stubs == MAX_STUBS) {
        c->a.failed = true;
        c->n_stubs--;
    }
    struct stub *s = &c->stub[c->n_stubs++];
    memset(s, 0, offsetof(struct stub, first_of_kind));
    s->kind = (uint8_t)kind;
    s->address = NO_REG;
    s->insn = c->insn;
    return s;
}

static bool has_vectors(const struct compiler *c)
{
    for (unsigned r = 0; c->any_vectors && r < N_XMM; r++)
        if (c->holds_xmm[r])
            return true;
    return false;
}

void x64_stub_pending(struct compiler *c, struct stub *s)
{
    s->first_pending = x64_list_pending(c, &s->n_pending);
    s->vectors = has_vectors(c);
}

/* The mark behind the call says the rest: x64_access(). */
static void write_access(struct compiler *c, struct stub *s)
{
    struct x64_asm *a = &c->a;
    unsigned kind = s->what & 0xff;
    uint32_t what = (uint32_t)s->what |
                    (s->address == HOST_NONE ? SLOW_ABSOLUTE : (uint32_t)s->address << SLOW_ADDRESS_SHIFT);
    struct access_mark mark = { what, s->disp, 0 };
    if (kind == SLOW_FILL) {
        mark.value = s->before | s->range << 16;
    } else if (kind == SLOW_STORE && s->value == NO_REG) {
        mark.what |= SLOW_CONST;
        mark.value = (int32_t)s->fn;
    } else {
        mark.what |= (uint32_t)(kind == SLOW_LOAD || kind == SLOW_LOADV ? s->result : s->value) << SLOW_OPERAND_SHIFT;
    }
    x64_call_to(a, s->vectors ? c->j->access_vector : c->j->access);
    if (x64_room(a)) {
        memcpy(a->p, &mark, sizeof mark);
        a->p += sizeof mark;
    }
    x64_site_here(c, s->insn, s->first_pending, s->n_pending);
    x64_jmp(a, &s->back);
}
_Static_assert(sizeof(struct access_mark) <= X64_ROOM, "x64_room() is asked once");

static void call_trap(struct compiler *c, struct stub *s)
{
    struct x64_asm *a = &c->a;
    x64_mov_mr(a, 64, FRAME(c->j, value), s->value);
    x64_mov_mi(a, 32, FRAME(c->j, what), (int32_t)s->what);
    /* Every register may hold a pending PUT. */
    x64_mov_mi(a, 32, FRAME(c->j, fn), (int32_t)s->fn);
    x64_mov_mi(a, 32, x64_at((const char *)&c->j->data->frame.fn + 4), (int32_t)(s->fn >> 32));
    x64_call_to(a, s->vectors ? c->j->slow_vector : c->j->slow);
    x64_site_here(c, s->insn, s->first_pending, s->n_pending);
}

static void write_trap(struct compiler *c, struct stub *s)
{
    call_trap(c, s);
    x64_jmp(&c->a, &s->back);
}

/* A return whose target, in RAX, is not canonical has been done: it is taken back, and traps. */
static void write_late(struct compiler *c, struct stub *s)
{
    uint64_t value = 0;
    const_of(c, s->op->arg[2], &value);
    x64_lea(&c->a, 64, c->late_pin, x64_base(c->late_pin, (int32_t)-c->late_step));
    x64_mov_ri(&c->a, HOST_RCX, value);
    s->value = HOST_RCX;
    call_trap(c, s);                               /* nothing comes back here */
}

/* Behind the call lie the block and the site. */
static void write_fault(struct compiler *c, struct stub *s)
{
    struct x64_asm *a = &c->a;
    struct fault_mark mark = { c->b, (uint16_t)c->n_sites };
    x64_call_to(a, s->vectors ? c->j->fault_vector : c->j->fault);
    x64_site_here(c, s->insn, s->first_pending, s->n_pending);
    if (x64_room(a)) {
        memcpy(a->p, &mark, sizeof mark);
        a->p += sizeof mark;
    }
}
_Static_assert(sizeof(struct fault_mark) <= X64_ROOM, "x64_room() is asked once");

/* The mapping is asked for once, and trusted from then on. */
static void write_trust(struct compiler *c, struct stub *s)
{
    struct x64_asm *a = &c->a;
    struct x64_exit *x = &c->exit[s->slot];
    const struct block_key *k = &c->b->key;
    struct stub *page = x64_stub(c, STUB_PAGE);
    page->pc = s->pc;
    x64_bind(a, &page->back);
    x->addend = x64_check_mapping(c, (s->pc + k->cs_base) & k->va_mask, &page->from, &s->miss->from);
    x64_lea(a, 64, HOST_RAX, x64_at(&c->j->data->link[0]));
    x->trust = x64_here(c);
    x64_write_trust(a, c->j, HOST_RAX, HOST_RCX, HOST_RDX);
    x64_mov_mi(a, 64, x64_base(HOST_RAX, 0), 0);
    x64_jmp(a, &s->back);
}

/* The page of an exit's target is asked for, and the exit tries again. */
static void write_page(struct compiler *c, struct stub *s)
{
    struct x64_asm *a = &c->a;
    x64_mov_ri(a, HOST_RAX, s->pc);
    x64_mov_mr(a, 64, x64_state(c->ops->pc_offset), HOST_RAX);
    x64_call_to(a, c->j->find_page);
    x64_test_rr(a, 8, HOST_RAX, HOST_RAX);
    x64_jcc(a, X64_NE, &s->back);
    x64_jmp_to(a, c->j->leave_plain);
}

void x64_write_leave(struct x64_asm *a, const struct jit *j, struct block *b, unsigned slot)
{
    struct site_mark mark = { b, (uint16_t)slot };
    x64_call_to(a, j->leave_site);
    if (x64_room(a)) {
        memcpy(a->p, &mark, sizeof mark);
        a->p += sizeof mark;
    }
}
_Static_assert(sizeof(struct site_mark) <= X64_ROOM, "x64_room() is asked once");

static void write_stub(struct compiler *c, struct stub *s)
{
    struct x64_asm *a = &c->a;
    if (s->kind == STUB_NONE)
        return;
    x64_bind(a, &s->from);
    switch (s->kind) {
    case STUB_FILL:
    case STUB_ACCESS:
        write_access(c, s);
        break;
    case STUB_RECENT:
        x64_write_recent(c, s);
        break;
    case STUB_TRAP:
        write_trap(c, s);
        break;
    case STUB_LATE:
        write_late(c, s);
        break;
    case STUB_VECTOR:
        x64_write_vector_stub(c, s);
        break;
    case STUB_FAULT:
        write_fault(c, s);
        break;
    case STUB_SIDE: {
        struct stub *out = x64_stub(c, STUB_EXIT);
        out->slot = s->slot;
        out->pc = s->pc;
        x64_emit_pending(c, s->first_pending, s->n_pending);
        if (s->give_back)
            x64_alu_mi(a, X64_ADD, 64, VCPU_FIELD(pos.left), (int32_t)s->give_back);
        x64_jump_out(c, out);
        break;
    }
    case STUB_JUMP:
        x64_write_jump(a, c->j, &c->b->key.flags);
        break;
    case STUB_DEEP:
        x64_write_deep(c, s);
        break;
    case STUB_TRUST:
        write_trust(c, s);
        break;
    case STUB_EXIT:
        c->exit[s->slot].stub = x64_here(c);
        x64_write_leave(a, c->j, c->b, s->slot);
        break;
    case STUB_PAGE:
        write_page(c, s);
        break;
    case STUB_LOOKUP:
        x64_mov_ri(a, HOST_RAX, c->b->key.pc);
        x64_mov_mr(a, 64, x64_state(c->ops->pc_offset), HOST_RAX);
        x64_jmp_to(a, c->j->leave_plain);
        break;
    default:
        x64_write_gives_way(c);
    }
}

/* What runs each time that a block is left there is no exception. */
static bool is_cold(unsigned kind) { return kind != STUB_SIDE && kind != STUB_JUMP; }

/* Writing one may make another, at the end of the list. */
void x64_write_stubs(struct compiler *c, bool cold)
{
    for (unsigned k = 0; k < c->n_stubs && !c->a.failed; k++)
        if (is_cold(c->stub[k].kind) == cold)
            write_stub(c, &c->stub[k]);
}
