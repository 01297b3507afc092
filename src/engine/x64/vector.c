/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 128-bit values.  An operation without an exact inline form calls its reference
 * function through the slow thunk, operands and result in the frame.
 */
#include "engine/x64/compiler.h"

static struct x64_mem frame_vec(unsigned k)
{
    return x64_base(HOST_RSP, (int32_t)(offsetof(struct x64_frame, vec) + 16 * k));
}

static void call_reference(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    bool fp = i->op == IR_FVEC;
    uint64_t fn = fp ? (uint64_t)(uintptr_t)fvec_info[i->aux].fn : (uint64_t)(uintptr_t)vec_info[i->aux].fn;
    for (unsigned k = 0; k < 3; k++)
        if (i->arg[k])
            x64_vmovups_mx(a, frame_vec(k), x64_use_xmm(c, i->arg[k]));
    unsigned t = x64_temp(c);
    x64_mov_ri(a, t, fn);
    x64_mov_mr(a, 64, FRAME(fn), t);
    x64_mov_ri(a, t, i->imm);
    x64_mov_mr(a, 64, FRAME(value), t);
    x64_mov_mi(a, 32, FRAME(what), (int32_t)((fp ? SLOW_FVEC + i->aux32 : SLOW_VEC) | (c->insn + 1 == c->b->n_insns ? SLOW_LAST : 0)));
    if (fp)
        x64_write_pending(c, c->ops->fp_env_offset, sizeof(struct fp_env));
    unsigned d = x64_def_xmm(c, i->dst);
    uint32_t n, first = x64_list_pending(c, &n);
    x64_call_to(a, c->j->slow_vector);
    x64_site_here(c, SITE_SLOW, c->insn, first, n);
    x64_vmovups_xm(a, d, frame_vec(0));
}

static void from_words(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    unsigned lo = x64_use(c, i->arg[0]), d;
    uint64_t high;
    if (const_of(c, i->arg[1], &high) && high == 0) {
        d = x64_def_xmm(c, i->dst);
        x64_vmovd_xr(a, 64, d, lo);
        return;
    }
    unsigned hi = x64_use(c, i->arg[1]);
    d = x64_def_xmm(c, i->dst);
    x64_vmovd_xr(a, 64, d, lo);
    x64_vex_rri(a, X64_VEX(1, 3, 1, 0x22), d, d, hi, 1);         /* VPINSRQ */
}

void x64_op_vector(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    unsigned d;
    switch (i->op) {
    case IR_GETV:
        x64_write_pending(c, i->imm, 16);
        d = x64_def_xmm(c, i->dst);
        x64_vmovups_xm(a, d, x64_state(i->imm));
        break;
    case IR_PUTV:
        x64_put(c, (uint32_t)i->imm, 16, i->arg[0]);
        break;
    case IR_VFROM64:
        from_words(c, i);
        break;
    case IR_VLO: {
        unsigned x = x64_use_xmm(c, i->arg[0]);
        x64_vmovd_rx(a, 64, x64_def(c, i->dst), x);
        break;
    }
    case IR_VHI: {
        unsigned x = x64_use_xmm(c, i->arg[0]);
        x64_vex_rri(a, X64_VEX(1, 3, 1, 0x16), x, 0, x64_def(c, i->dst), 1);   /* VPEXTRQ */
        break;
    }
    case IR_VCOPY:
        break;                                    /* shares its argument's register */
    default:
        call_reference(c, i);
    }
}
