/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls and returns: the guest's are the host's, so that the host predicts where returns go.
 *
 * A call pushes the guest's return address and calls the target's code; behind that lies the landing, which goes on to
 * the block that the call returns to.  A return has the guest's address in RAX and returns.  What it finds is a guess:
 * guests switch stacks and change return addresses, and the host's stack begins anew now and then.  So the landing
 * compares, and what has come to the wrong one looks into the jump cache, as at the stack's end.
 *
 * Invariants
 *  1. An entry is 16 bytes, the guest's address and the host's, so RSP is aligned for calls of C code in every block.
 *     Under all entries lies the address of the thunk bottom, which puts it back.
 *  2. While an entry is there the page of its landing is mapped as it was: the stack begins anew when code is entered,
 *     and behind an instruction that changed mappings (recent.changed).
 *  3. A block that returns has the key flags that are in the state (guest_ops.key_flags_offset).  The landing compares
 *     them with its own, so that a call is still known to have been made when a system call has come between.
 *  4. A target that is not canonical is no call's return address.  If the return has not asked itself (plan.c), RDX
 *     says where it traps.
 *  5. No block is freed while an entry leads into it: that happens outside translated code.
 */
#include "engine/x64/compiler.h"

enum { MOST = 32 << 10 };        /* bytes of entries; the stack of C code is behind them */

bool x64_uses_returns(const struct compiler *c) { return c->ops->n_calm && x64_jumps_to(&c->b->key); }

/* ---- in blocks ------------------------------------------------------------------------------------ */

void x64_write_push(struct compiler *c, uint64_t pc)
{
    struct x64_asm *a = &c->a;
    struct stub *deep = x64_stub(c, STUB_DEEP);
    x64_alu_rm(a, X64_CMP, 64, HOST_RSP, x64_at(&c->j->data->returns.limit));
    x64_jcc(a, X64_B, &deep->from);
    x64_bind(a, &deep->back);
    if (fits32(pc)) {
        x64_push_i(a, (int32_t)pc);
        return;
    }
    x64_mov_ri(a, HOST_RCX, pc);
    x64_push(a, HOST_RCX);
}

void x64_write_landing(struct compiler *c)
{
    struct x64_asm *a = &c->a;
    x64_pop(a, HOST_RCX);
    x64_alu_rr(a, X64_CMP, 64, HOST_RAX, HOST_RCX);
    x64_jcc_to(a, X64_NE, c->j->astray);
    x64_alu_mi(a, X64_CMP, 32, x64_state(c->ops->key_flags_offset), (int32_t)c->b->key.flags);
    x64_jcc_to(a, X64_NE, c->j->astray);
}

/* The host's stack is full: its entries are forgotten. */
void x64_write_deep(struct compiler *c, struct stub *s)
{
    x64_mov_rm(&c->a, 64, HOST_RSP, x64_at(&c->j->data->returns.base));
    x64_jmp(&c->a, &s->back);
}

/* ---- thunks ----------------------------------------------------------------------------------------- */

void x64_write_no_returns(struct x64_asm *a, const struct jit *j)
{
    struct x64_returns *r = &j->data->returns;
    x64_mov_mr(a, 64, x64_at(&r->outer), HOST_RSP);
    x64_alu_ri(a, X64_AND, 64, HOST_RSP, -16);
    x64_alu_ri(a, X64_SUB, 64, HOST_RSP, 8);
    x64_push_m(a, x64_at(&r->bottom));
    x64_mov_mr(a, 64, x64_at(&r->base), HOST_RSP);
    x64_lea(a, 64, HOST_RAX, x64_base(HOST_RSP, -MOST));
    x64_mov_mr(a, 64, x64_at(&r->limit), HOST_RAX);
    x64_mov_mi(a, 32, x64_at(&j->recent->changed), 0);
}

void x64_write_keep_returns(struct x64_asm *a, const struct jit *j)
{
    struct x64_label same = { 0 };
    x64_alu_mi(a, X64_CMP, 32, x64_at(&j->recent->changed), 0);
    x64_jcc8(a, X64_E, &same);
    x64_mov_mi(a, 32, x64_at(&j->recent->changed), 0);
    x64_mov_rm(a, 64, HOST_RSP, x64_at(&j->data->returns.base));
    x64_bind(a, &same);
}

const void *x64_write_astray(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops, bool bottom)
{
    const void *at = (const void *)(intptr_t)x64_runs_at(a, a->p);
    struct x64_label canonical = { 0 };
    if (bottom)
        x64_alu_ri(a, X64_SUB, 64, HOST_RSP, 8);
    x64_mov_rr(a, 64, HOST_RCX, HOST_RAX);
    x64_shift_ri(a, X64_SHL, 64, HOST_RCX, 16);
    x64_shift_ri(a, X64_SAR, 64, HOST_RCX, 16);
    x64_alu_rr(a, X64_CMP, 64, HOST_RCX, HOST_RAX);
    x64_jcc8(a, X64_E, &canonical);
    x64_jmp_r(a, HOST_RDX);
    x64_bind(a, &canonical);
    x64_mov_rm(a, 64, HOST_RDX, x64_state(ops->key_flags_offset));
    x64_write_jump(a, j, NULL);
    return at;
}
