/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fixed pieces of code: into translated code, out of it, and around calls. */
#include "engine/x64/jit.h"

enum { FRAME_BYTES = (sizeof(struct x64_frame) + 15) / 16 * 16 + 8 };

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

/* RAX and RDX hold the answer. */
static void epilogue(struct x64_asm *a)
{
    x64_alu_ri(a, X64_ADD, 64, HOST_RSP, FRAME_BYTES);
    for (unsigned k = 6; k-- > 0;)
        x64_pop(a, callee_saved[k]);
    x64_ret(a);
}

static void write_enter(struct x64_asm *a, const struct guest_ops *ops)
{
    for (unsigned k = 0; k < 6; k++)
        x64_push(a, callee_saved[k]);
    x64_alu_ri(a, X64_SUB, 64, HOST_RSP, FRAME_BYTES);
    x64_mov_mr(a, 64, FRAME(v), HOST_RDI);
    x64_lea(a, 64, HOST_RBP, x64_base(HOST_RDI, (int32_t)sizeof(struct vcpu)));
    move_pins(a, ops, true);
    x64_jmp_r(a, HOST_RSI);
}

static const void *write_leave(struct x64_asm *a, const struct guest_ops *ops, unsigned why, bool site)
{
    const void *at = here(a);
    if (site)
        x64_pop(a, HOST_RDX);
    move_pins(a, ops, false);
    x64_mov_ri(a, HOST_RAX, why);
    epilogue(a);
    return at;
}

/* A frame field, one return address below. */
static struct x64_mem below(size_t offset) { return x64_base(HOST_RSP, (int32_t)offset + 8); }

static void move_registers(struct x64_asm *a, bool vectors, bool load)
{
    for (unsigned r = 0; r < 16; r++) {
        if (r == HOST_RSP || r == HOST_RBP)
            continue;
        if (load)
            x64_mov_rm(a, 64, r, below(offsetof(struct x64_frame, reg) + 8 * r));
        else
            x64_mov_mr(a, 64, below(offsetof(struct x64_frame, reg) + 8 * r), r);
    }
    for (unsigned r = 0; vectors && r < 16; r++) {
        if (load)
            x64_vmovups_xm(a, r, below(offsetof(struct x64_frame, xmm) + 16 * r));
        else
            x64_vmovups_mx(a, below(offsetof(struct x64_frame, xmm) + 16 * r), r);
    }
}

static const void *write_slow(struct x64_asm *a, bool vectors)
{
    const void *at = here(a);
    struct x64_label left = { 0 };
    move_registers(a, vectors, false);
    x64_mov_rm(a, 64, HOST_RDI, below(offsetof(struct x64_frame, v)));
    x64_lea(a, 64, HOST_RSI, below(0));
    x64_mov_rm(a, 64, HOST_RDX, x64_base(HOST_RSP, 0));
    x64_alu_ri(a, X64_SUB, 64, HOST_RSP, 8);
    x64_mov_ri(a, HOST_RAX, (uint64_t)(uintptr_t)x64_slow);
    x64_call_r(a, HOST_RAX);
    x64_alu_ri(a, X64_ADD, 64, HOST_RSP, 8);
    x64_test_rr(a, 8, HOST_RAX, HOST_RAX);
    x64_jcc(a, X64_NE, &left);
    move_registers(a, vectors, true);
    x64_ret(a);
    x64_bind(a, &left);
    x64_alu_ri(a, X64_ADD, 64, HOST_RSP, 8);
    x64_mov_ri(a, HOST_RAX, LEAVE_FAULT);
    epilogue(a);
    return at;
}

static const void *write_sync(struct x64_asm *a, const struct guest_ops *ops, bool load)
{
    const void *at = here(a);
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
    write_enter(&a, ops);
    j->leave_site = write_leave(&a, ops, LEFT_SITE, true);
    j->leave_lookup = write_leave(&a, ops, LEAVE_LOOKUP, false);
    j->leave_loop = write_leave(&a, ops, LEAVE_LOOP, false);
    j->slow = write_slow(&a, false);
    j->slow_vector = write_slow(&a, true);
    j->sync_out = write_sync(&a, ops, false);
    j->sync_in = write_sync(&a, ops, true);
    require(!a.failed);
    return (size_t)(a.p - j->memory.write);
}
