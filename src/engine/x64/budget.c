/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where budgets end.  A block that is longer than what is left gives way to a shorter one of the same place
 * (engine/beside.c), at last to the metered one, which compares before each of its instructions.
 */
#include "engine/x64/compiler.h"

/* x64_code.gives_way: a call and its mark, which leave, or what is shorter: an addition and a jump. */
enum { GIVES_WAY_BYTES = 5 + sizeof(struct site_mark) };

void x64_write_gives_way(struct compiler *c)
{
    c->gives_way = x64_here(c);
    x64_write_leave(&c->a, c->j, c->b, SITE_MARK_SHORT);
}

void x64_gives_way(struct engine *e, struct block *from, struct block *to)
{
    struct jit *j = jit_of(e);
    const struct x64_code *code = from->code;
    uint8_t *at = code->start + code->gives_way;
    uint8_t bytes[GIVES_WAY_BYTES + X64_ROOM];     /* the assembler wants room behind */
    struct x64_asm a;
    x64_init(&a, bytes, sizeof bytes);
    a.exec_delta = (intptr_t)at + j->exec_delta - (intptr_t)bytes;
    if (to) {
        x64_alu_mi(&a, X64_ADD, 64, VCPU_FIELD(pos.left), (int32_t)from->n_insns);
        x64_jmp_to(&a, ((struct x64_code *)to->code)->start + j->exec_delta);
    } else {
        x64_write_leave(&a, j, from, SITE_MARK_SHORT);
    }
    require(!a.failed && a.p <= bytes + GIVES_WAY_BYTES);
    x64_memory_writes(e, at, GIVES_WAY_BYTES);
    memcpy(at, bytes, (size_t)(a.p - bytes));
    j->modified = true;
}

/* What is left is how many of its instructions may run; none, perhaps. */
void x64_begin_metered(struct compiler *c)
{
    struct x64_asm *a = &c->a;
    x64_mov_rm(a, 64, HOST_RAX, VCPU_FIELD(pos.left));
    x64_alu_mi(a, X64_SUB, 64, VCPU_FIELD(pos.left), (int32_t)c->b->n_insns);
    x64_mov_mr(a, 32, FRAME(c->j, may_run), HOST_RAX);
    x64_test_rr(a, 64, HOST_RAX, HOST_RAX);
    x64_jcc(a, X64_LE, &x64_stub(c, STUB_SHORT)->from);
}

/* Before an instruction of a metered block: if the budget ends here it is left as if the instruction had faulted. */
void x64_meter(struct compiler *c)
{
    struct stub *s = x64_stub(c, STUB_FAULT);
    x64_stub_pending(c, s);
    x64_alu_mi(&c->a, X64_CMP, 32, FRAME(c->j, may_run), (int32_t)c->insn);
    x64_jcc(&c->a, X64_E, &s->from);
}

void x64_budget_ended(struct engine *e, struct block *metered)
{
    struct block *whole = beside_whole(metered);
    if (whole)
        x64_recent_sample(e, whole, beside_insns(whole));
}
