/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fixed pieces of code: into translated code, out of it, and around calls. */
#include "engine/x64/jit.h"

static const uint8_t callee_saved[6] = { HOST_RBX, HOST_RBP, HOST_R12, HOST_R13, HOST_R14, HOST_R15 };

static void move_pins(struct x64_asm *a, const struct guest_ops *ops, bool load)
{
    for (unsigned k = 0; k < N_PINS && k < ops->n_hot; k++)
        if (load)
            x64_mov_rm(a, 64, x64_pins[k], x64_state(ops->hot[k]));
        else
            x64_mov_mr(a, 64, x64_state(ops->hot[k]), x64_pins[k]);
}

static const void *here(const struct x64_asm *a) { return (const void *)(intptr_t)x64_runs_at(a, a->p); }

/* ---- the guest's floating-point environment in MXCSR --------------------------------------------------- */

static struct x64_mem env_field(const struct guest_ops *ops, size_t offset)
{
    return x64_state(ops->fp_env_offset + offset);
}

/* One of its bits, or two, to ECX at a place of the MXCSR, and into EDX. */
static void add_control(struct x64_asm *a, struct x64_mem field, unsigned mask, unsigned at)
{
    x64_movzx_rm(a, 32, HOST_RCX, 8, field);
    x64_alu_ri(a, X64_AND, 32, HOST_RCX, (int32_t)mask);
    if (at)
        x64_shift_ri(a, X64_SHL, 32, HOST_RCX, at);
    x64_alu_rr(a, X64_OR, 32, HOST_RDX, HOST_RCX);
}

/* Loads MXCSR where it is not what the guest's environment asks for.  RCX, RDX are used. */
static void load_mxcsr(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops)
{
    enum { ALL_MASKED = 0x1f80, RC = 13, DAZ = 6, FTZ = 15 };
    struct x64_mem now = FRAME(j, mxcsr);
    struct x64_label same = { 0 };
    x64_mov_ri(a, HOST_RDX, ALL_MASKED);
    add_control(a, env_field(ops, offsetof(struct fp_env, flags)), FP_ALL, 0);
    add_control(a, env_field(ops, offsetof(struct fp_env, rounding)), 3, RC);
    add_control(a, env_field(ops, offsetof(struct fp_env, daz)), 1, DAZ);
    add_control(a, env_field(ops, offsetof(struct fp_env, ftz)), 1, FTZ);
    x64_alu_rm(a, X64_CMP, 32, HOST_RDX, now);
    x64_jcc8(a, X64_E, &same);
    x64_mov_mr(a, 32, now, HOST_RDX);
    x64_ldmxcsr(a, now);
    x64_bind(a, &same);
}

/* What was raised joins the guest's flags.  RAX is used. */
static void merge_flags(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops)
{
    struct x64_mem now = FRAME(j, mxcsr);
    x64_stmxcsr(a, now);
    x64_mov_rm(a, 32, HOST_RAX, now);
    x64_alu_ri(a, X64_AND, 32, HOST_RAX, FP_ALL);
    x64_alu_mr(a, X64_OR, 8, env_field(ops, offsetof(struct fp_env, flags)), HOST_RAX);
}

/* ---- in and out -------------------------------------------------------------------------------------------- */

/* why to RAX; RDX is a part of the answer, too. */
static void epilogue(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops, unsigned why)
{
    merge_flags(a, j, ops);
    x64_ldmxcsr(a, FRAME(j, outer_mxcsr));
    x64_mov_ri(a, HOST_RAX, why);
    x64_mov_rm(a, 64, HOST_RSP, x64_at(&j->data->returns.outer));
    for (unsigned k = 6; k-- > 0;)
        x64_pop(a, callee_saved[k]);
    x64_ret(a);
}

static void write_enter(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops)
{
    for (unsigned k = 0; k < 6; k++)
        x64_push(a, callee_saved[k]);
    x64_mov_mr(a, 64, FRAME(j, v), HOST_RDI);
    x64_lea(a, 64, HOST_RBP, x64_base(HOST_RDI, (int32_t)sizeof(struct vcpu) + VCPU_NEAR));
    x64_write_no_returns(a, j);
    x64_stmxcsr(a, FRAME(j, outer_mxcsr));
    x64_mov_mi(a, 32, FRAME(j, mxcsr), 0);
    load_mxcsr(a, j, ops);
    move_pins(a, ops, true);
    x64_jmp_r(a, HOST_RSI);
}

void x64_write_jump(struct x64_asm *a, const struct jit *j, const uint64_t *flags)
{
    struct x64_label other = { 0 };
    struct x64_mem of_flags = x64_base(HOST_RCX, offsetof(struct x64_jump, flags));
    x64_imul_rri(a, 32, HOST_RCX, HOST_RAX, JUMP_FACTOR);
    x64_shift_ri(a, X64_SHR, 32, HOST_RCX, 32 - JUMP_BITS);
    x64_shift_ri(a, X64_SHL, 32, HOST_RCX, 5);
    x64_lea(a, 64, HOST_RSI, x64_at(j->jump));
    x64_alu_rr(a, X64_ADD, 64, HOST_RCX, HOST_RSI);
    x64_alu_rm(a, X64_CMP, 64, HOST_RAX, x64_base(HOST_RCX, offsetof(struct x64_jump, pc)));
    x64_jcc8(a, X64_NE, &other);
    if (flags)
        x64_alu_mi(a, X64_CMP, 32, of_flags, (int32_t)*flags);
    else
        x64_alu_rm(a, X64_CMP, 32, HOST_RDX, of_flags);
    x64_jcc8(a, X64_NE, &other);
    x64_jmp_m(a, x64_base(HOST_RCX, offsetof(struct x64_jump, code)));
    x64_bind(a, &other);
    if (flags)
        x64_mov_ri(a, HOST_RDX, *flags);
    x64_jmp_to(a, j->second);
}
_Static_assert(sizeof(struct x64_jump) == 32, "the index is shifted by 5");

static const void *write_find_page(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops)
{
    const void *at = here(a);
    for (unsigned k = 0; k < N_PINS && k < ops->n_hot; k++)
        x64_mov_mr(a, 64, FRAME(j, reg[x64_pins[k]]), x64_pins[k]);
    x64_mov_rm(a, 64, HOST_RDI, FRAME(j, v));
    x64_alu_ri(a, X64_SUB, 64, HOST_RSP, 8);
    x64_mov_ri(a, HOST_RAX, (uint64_t)(uintptr_t)x64_find_page);
    x64_call_r(a, HOST_RAX);
    x64_alu_ri(a, X64_ADD, 64, HOST_RSP, 8);
    for (unsigned k = 0; k < N_PINS && k < ops->n_hot; k++)
        x64_mov_rm(a, 64, x64_pins[k], FRAME(j, reg[x64_pins[k]]));
    x64_ret(a);
    return at;
}

/* Where an entry of the jump cache leads that is not trusted.  RAX: pc; RCX: the entry. */
static const void *write_doubt(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops)
{
    const void *at = here(a);
    struct x64_label again = { 0 }, unmapped = { 0 }, other = { 0 };
    struct x64_mem of_pc = x64_state(ops->pc_offset);
    x64_bind(a, &again);
    x64_mov_rm(a, 32, HOST_RSI, x64_base(HOST_RCX, offsetof(struct x64_jump, where)));
    x64_alu_ri(a, X64_AND, 32, HOST_RSI, CODE_ALIGN - 1);
    x64_shift_ri(a, X64_SHL, 32, HOST_RSI, 4);
    x64_rorx(a, 64, HOST_RDI, HOST_RAX, PAGE_BITS - TLB_ENTRY_BITS);
    x64_alu_rm(a, X64_AND, 64, HOST_RDI, x64_index(HOST_RBP, HOST_RSI, 0, (int32_t)VCPU_FIELD(view[0].mask).disp));
    x64_alu_rm(a, X64_ADD, 64, HOST_RDI, x64_index(HOST_RBP, HOST_RSI, 0, (int32_t)VCPU_FIELD(view[0].base).disp));
    x64_mov_rr(a, 64, HOST_RSI, HOST_RAX);
    x64_alu_ri(a, X64_AND, 64, HOST_RSI, -PAGE_SIZE);
    x64_alu_rm(a, X64_CMP, 64, HOST_RSI, x64_base(HOST_RDI, TLB_TAG(ACCESS_EXEC)));
    x64_jcc(a, X64_NE, &unmapped);
    x64_mov_rm(a, 64, HOST_RDX, x64_base(HOST_RCX, offsetof(struct x64_jump, addend)));
    x64_alu_rm(a, X64_CMP, 64, HOST_RDX, x64_base(HOST_RDI, TLB_ADDEND));
    x64_jcc(a, X64_NE, &other);
    x64_lea(a, 64, HOST_RSI, x64_base(HOST_RCX, offsetof(struct x64_jump, code)));
    x64_write_trust(a, j, HOST_RSI, HOST_RDX, HOST_RDI);
    x64_mov_rm(a, 32, HOST_RDX, x64_base(HOST_RCX, offsetof(struct x64_jump, where)));
    x64_alu_ri(a, X64_AND, 32, HOST_RDX, -CODE_ALIGN);
    x64_lea(a, 64, HOST_RDI, x64_at(j->memory.exec));
    x64_alu_rr(a, X64_ADD, 64, HOST_RDX, HOST_RDI);
    x64_mov_mr(a, 64, x64_base(HOST_RSI, 0), HOST_RDX);
    x64_jmp_r(a, HOST_RDX);
    x64_bind(a, &unmapped);
    x64_mov_mr(a, 64, of_pc, HOST_RAX);
    x64_mov_mr(a, 64, FRAME(j, address), HOST_RCX);
    x64_call_to(a, j->find_page);
    x64_test_rr(a, 8, HOST_RAX, HOST_RAX);
    x64_mov_rm(a, 64, HOST_RAX, of_pc);
    x64_mov_rm(a, 64, HOST_RCX, FRAME(j, address));
    x64_jcc(a, X64_NE, &again);
    x64_jmp_to(a, j->leave_plain);
    x64_bind(a, &other);
    x64_mov_mr(a, 64, of_pc, HOST_RAX);
    x64_jmp_to(a, j->leave_plain);
    return at;
}
_Static_assert(sizeof(struct tlb_view) == 16, "the mode is shifted by 4");

void x64_write_trust(struct x64_asm *a, const struct jit *j, unsigned word, unsigned t, unsigned u)
{
    x64_mov_rm(a, 32, t, x64_at(&j->recent->n_trusted));
    x64_lea(a, 64, u, x64_at(j->recent->trusted));
    x64_mov_mr(a, 64, x64_index(u, t, 3, 0), word);
    x64_alu_mi(a, X64_ADD, 32, x64_at(&j->recent->n_trusted), 1);
}

/* Where an entry is another block's.  RAX: pc; RCX: the entry; RDX: flags. */
static const void *write_second(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops)
{
    const void *at = here(a);
    struct x64_label none = { 0 };
    x64_alu_ri(a, X64_XOR, 64, HOST_RCX, sizeof(struct x64_jump));
    x64_alu_rm(a, X64_CMP, 64, HOST_RAX, x64_base(HOST_RCX, offsetof(struct x64_jump, pc)));
    x64_jcc8(a, X64_NE, &none);
    x64_alu_rm(a, X64_CMP, 32, HOST_RDX, x64_base(HOST_RCX, offsetof(struct x64_jump, flags)));
    x64_jcc8(a, X64_NE, &none);
    x64_jmp_m(a, x64_base(HOST_RCX, offsetof(struct x64_jump, code)));
    x64_bind(a, &none);
    x64_mov_mr(a, 64, x64_state(ops->pc_offset), HOST_RAX);
    x64_jmp_to(a, j->leave_plain);
    return at;
}

/* To the next block without leaving, if nothing is to be taken care of first: guest_ops.calm. */
static void write_onward(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops,
                         struct x64_label *otherwise)
{
    if (!ops->n_calm)
        return;
    for (uint32_t k = 0; k < ops->n_calm; k++) {
        if (ops->calm[k].mask == UINT32_MAX)
            x64_alu_mi(a, X64_CMP, 32, x64_state(ops->calm[k].offset), 0);
        else
            x64_test_mi(a, 32, x64_state(ops->calm[k].offset), (int32_t)ops->calm[k].mask);
        x64_jcc(a, X64_NE, otherwise);
    }
    x64_mov_rm(a, 64, HOST_RAX, x64_state(ops->pc_offset));
    x64_mov_rm(a, 64, HOST_RDX, x64_state(ops->key_flags_offset));
    x64_write_keep_returns(a, j);
    x64_write_jump(a, j, NULL);
}

/* onward: not before trying to find the next block here. */
static const void *write_leave(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops, unsigned why,
                               bool onward)
{
    const void *at = here(a);
    struct x64_label out = { 0 };
    if (why == LEFT_SITE)
        x64_pop(a, HOST_RDX);
    if (onward)
        write_onward(a, j, ops, &out);
    x64_bind(a, &out);
    move_pins(a, ops, false);
    epilogue(a, j, ops, why);
    return at;
}

static void move_registers(struct x64_asm *a, const struct jit *j, bool vectors, bool load)
{
    for (unsigned r = 0; r < 16; r++) {
        if (r == HOST_RSP || r == HOST_RBP)
            continue;
        if (load)
            x64_mov_rm(a, 64, r, FRAME(j, reg[r]));
        else
            x64_mov_mr(a, 64, FRAME(j, reg[r]), r);
    }
    for (unsigned r = 0; vectors && r < 16; r++) {
        if (load)
            x64_vmovups_xm(a, r, FRAME(j, xmm[r]));
        else
            x64_vmovups_mx(a, FRAME(j, xmm[r]), r);
    }
}

/* mark: bytes behind the call that are data. */
static const void *write_slow(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops, bool vectors,
                              bool (*fn)(struct vcpu *v, struct x64_frame *f, uint64_t ret), unsigned mark)
{
    const void *at = here(a);
    struct x64_label left = { 0 };
    if (mark)
        x64_alu_mi(a, X64_ADD, 64, x64_base(HOST_RSP, 0), (int32_t)mark);
    move_registers(a, j, vectors, false);
    x64_mov_rm(a, 64, HOST_RDI, FRAME(j, v));
    x64_lea(a, 64, HOST_RSI, x64_at(&j->data->frame));
    x64_mov_rm(a, 64, HOST_RDX, x64_base(HOST_RSP, 0));
    x64_alu_ri(a, X64_SUB, 64, HOST_RSP, 8);
    x64_mov_ri(a, HOST_RAX, (uint64_t)(uintptr_t)fn);
    x64_call_r(a, HOST_RAX);
    x64_alu_ri(a, X64_ADD, 64, HOST_RSP, 8);
    x64_test_rr(a, 8, HOST_RAX, HOST_RAX);
    x64_jcc(a, X64_NE, &left);
    move_registers(a, j, vectors, true);
    x64_ret(a);
    x64_bind(a, &left);
    epilogue(a, j, ops, LEAVE_FAULT);
    return at;
}

static const void *write_sync(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops, bool load, bool fp)
{
    const void *at = here(a);
    if (fp && load)
        load_mxcsr(a, j, ops);
    else if (fp)
        merge_flags(a, j, ops);
    move_pins(a, ops, load);
    x64_ret(a);
    return at;
}

size_t x64_write_thunks(struct jit *j, const struct guest_ops *ops)
{
    struct x64_asm a;
    x64_init(&a, j->memory.write, 4096 * 4);
    a.exec_delta = j->exec_delta;
    const void *enter = here(&a);
    memcpy(&j->enter, &enter, sizeof enter);
    write_enter(&a, j, ops);
    j->find_page = write_find_page(&a, j, ops);
    j->leave_site = write_leave(&a, j, ops, LEFT_SITE, false);
    j->leave_plain = write_leave(&a, j, ops, LEAVE_LOOKUP, false);
    j->doubt = write_doubt(&a, j, ops);
    j->recent->doubt = (uint64_t)(uintptr_t)j->doubt;
    j->second = write_second(&a, j, ops);
    j->astray = x64_write_astray(&a, j, ops, false);
    j->bottom = x64_write_astray(&a, j, ops, true);
    j->data->returns.bottom = (uint64_t)(uintptr_t)j->bottom;
    j->lookup = write_leave(&a, j, ops, LEAVE_LOOKUP, true);
    j->loop = write_leave(&a, j, ops, LEAVE_LOOP, true);
    j->slow = write_slow(&a, j, ops, false, x64_slow, 0);
    j->slow_vector = write_slow(&a, j, ops, true, x64_slow, 0);
    j->access = write_slow(&a, j, ops, false, x64_access, sizeof(struct access_mark));
    j->access_vector = write_slow(&a, j, ops, true, x64_access, sizeof(struct access_mark));
    j->fault = write_slow(&a, j, ops, false, x64_fault, 0);
    j->fault_vector = write_slow(&a, j, ops, true, x64_fault, 0);
    j->sync_out = write_sync(&a, j, ops, false, false);
    j->sync_in = write_sync(&a, j, ops, true, false);
    j->sync_out_fp = write_sync(&a, j, ops, false, true);
    j->sync_in_fp = write_sync(&a, j, ops, true, true);
    require(!a.failed);
    return (size_t)(a.p - j->memory.write);
}
