/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 128-bit values.  An operation without an exact inline form (vec.h) calls its
 * reference function through the slow thunk, operands and result in the frame; so does a floating-point one
 * while the guest has an exception unmasked.
 */
#include "engine/x64/compiler.h"
#include "engine/x64/vec.h"

static struct x64_mem frame_vec(const struct compiler *c, unsigned k)
{
    return FRAME(c->j, vec[k]);
}

/* A 64-bit constant to the frame, by no register. */
static void frame_constant(struct x64_asm *a, struct x64_mem m, uint64_t v)
{
    if (fits32(v)) {
        x64_mov_mi(a, 64, m, (int32_t)v);
        return;
    }
    x64_mov_mi(a, 32, m, (int32_t)v);
    m.disp += 4;
    x64_mov_mi(a, 32, m, (int32_t)(v >> 32));
}

/* ---- operations -------------------------------------------------------------------------------------- */

bool x64_takes_word(const struct ir_insn *i)
{
    if (i->op == IR_VEC)
        return i->aux == VEC_INSERT_B || i->aux == VEC_INSERT_H || i->aux == VEC_INSERT_W || i->aux == VEC_INSERT_D;
    return i->op == IR_FVEC && (i->aux == FVEC_CVT_I32F32_1 || i->aux == FVEC_CVT_I64F32_1 ||
                                i->aux == FVEC_CVT_I32F64_1 || i->aux == FVEC_CVT_I64F64_1);
}

/* Is argument k of i a VFROM64 whose low word is taken as it is, in a general register? */
static bool is_word(const struct compiler *c, const struct ir_insn *i, unsigned k)
{
    return k == 1 && c->plan[i->arg[1]].fused;
}

/* The reference function of i, its arguments in registers x; the result is in the frame. */
static void write_reference(struct compiler *c, const struct ir_insn *i, const uint8_t x[3], uint32_t insn,
                            uint32_t first_pending, uint32_t n_pending)
{
    struct x64_asm *a = &c->a;
    bool fp = i->op == IR_FVEC;
    for (unsigned k = 0; k < 3; k++)
        if (is_word(c, i, k))
            x64_mov_mr(a, 64, frame_vec(c, k), x[k]);
        else if (i->arg[k])
            x64_vmovups_mx(a, frame_vec(c, k), x[k]);
    frame_constant(a, FRAME(c->j, fn), fp ? (uint64_t)(uintptr_t)fvec_info[i->aux].fn
                                    : (uint64_t)(uintptr_t)vec_info[i->aux].fn);
    frame_constant(a, FRAME(c->j, value), i->imm);
    uint32_t kind = fp ? SLOW_FVEC + i->aux32 : SLOW_VEC, last = insn + 1 == c->b->n_insns ? SLOW_LAST : 0;
    x64_mov_mi(a, 32, FRAME(c->j, what), (int32_t)(kind | last));
    x64_call_to(a, c->j->slow_vector);
    x64_site_here(c, insn, first_pending, n_pending);
}

void x64_write_vector_stub(struct compiler *c, struct stub *s)
{
    write_reference(c, s->op, s->xmm, s->insn, s->first_pending, s->n_pending);
    if (s->what)
        x64_mov_rm(&c->a, 64, s->result, frame_vec(c, 0));
    else
        x64_vmovups_xm(&c->a, s->result, frame_vec(c, 0));
    x64_jmp(&c->a, &s->back);
}

/* The VLO that follows i, if it is all that i's result is for. */
static const struct ir_insn *low_half(const struct compiler *c, const struct ir_insn *i)
{
    const struct ir_insn *next = i + 1;
    return next->op == IR_VLO && next->arg[0] == i->dst && c->ir->uses[i->dst] == 1 ? next : NULL;
}

static bool has_form(const struct compiler *c, const struct ir_insn *i, bool to_gpr)
{
    return i->op == IR_VEC ? x64_has_vec(&c->j->host, (enum vec_op)i->aux, to_gpr)
                           : x64_has_fvec(&c->j->host, (enum fvec_op)i->aux, to_gpr);
}

static void emit_form(struct compiler *c, const struct ir_insn *i, bool to_gpr, unsigned d, const uint8_t x[3])
{
    const struct x64_host *host = &c->j->host;
    bool done;
    if (is_word(c, i, 1))
        done = i->op == IR_VEC ? x64_emit_vec_from_gpr(&c->a, host, (enum vec_op)i->aux, d, x[0], x[1], i->imm)
                               : x64_emit_fvec_from_gpr(&c->a, host, (enum fvec_op)i->aux, d, x[0], x[1]);
    else if (i->op == IR_VEC)
        done = to_gpr ? x64_emit_vec_to_gpr(&c->a, host, (enum vec_op)i->aux, d, x[0], x[1], x[2], i->imm)
                      : x64_emit_vec(&c->a, host, (enum vec_op)i->aux, d, x[0], x[1], x[2], i->imm);
    else
        done = to_gpr ? x64_emit_fvec_to_gpr(&c->a, host, (enum fvec_op)i->aux, d, x[0], x[1])
                      : x64_emit_fvec(&c->a, host, (enum fvec_op)i->aux, d, x[0], x[1], x[2], i->imm);
    require(done);
}

/* While an exception is unmasked, the reference function does it, and may trap. */
static struct stub *unless_masked(struct compiler *c, const struct ir_insn *i, bool to_gpr, unsigned d,
                                  const uint8_t x[3])
{
    struct stub *s = x64_stub(c, STUB_VECTOR);
    s->op = i;
    s->what = to_gpr;
    s->result = (uint8_t)d;
    memcpy(s->xmm, x, sizeof s->xmm);
    s->first_pending = x64_list_pending(c, &s->n_pending);
    x64_alu_mi(&c->a, X64_CMP, 8, x64_state(c->ops->fp_env_offset + offsetof(struct fp_env, masks)), FP_ALL);
    x64_jcc(&c->a, X64_NE, &s->from);
    return s;
}

static void operation(struct compiler *c, const struct ir_insn *i)
{
    const struct ir_insn *low = low_half(c, i);
    bool to_gpr = low && has_form(c, i, true), form = to_gpr || has_form(c, i, false), fp = i->op == IR_FVEC;
    uint8_t x[3] = { 0 };
    unsigned scratch = !form || is_word(c, i, 1) ? 0 : fp ? x64_fvec_scratch((enum fvec_op)i->aux, to_gpr)
                                      : x64_vec_scratch((enum vec_op)i->aux, to_gpr);
    for (unsigned r = HOST_RAX; r <= HOST_RCX; r++)
        if (scratch >> r & 1)
            x64_temp_is(c, r);
    for (unsigned k = 0; k < 3; k++)
        if (is_word(c, i, k))
            x[k] = (uint8_t)x64_use(c, def_of(c, i->arg[k])->arg[0]);
        else if (i->arg[k])
            x[k] = (uint8_t)x64_use_xmm(c, i->arg[k]);
    if (fp)
        x64_write_pending(c, c->ops->fp_env_offset, sizeof(struct fp_env));
    unsigned d = to_gpr ? x64_def(c, low->dst) : x64_def_xmm(c, i->dst);
    if (!form) {
        uint32_t n, first = x64_list_pending(c, &n);
        write_reference(c, i, x, c->insn, first, n);
        x64_vmovups_xm(&c->a, d, frame_vec(c, 0));
        return;
    }
    struct stub *s = fp ? unless_masked(c, i, to_gpr, d, x) : NULL;
    emit_form(c, i, to_gpr, d, x);
    if (s)
        x64_bind(&c->a, &s->back);
    if (to_gpr)
        c->skip = c->at + 1;
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
        if (c->at == c->skip)
            break;
        unsigned x = x64_use_xmm(c, i->arg[0]);
        x64_vmovd_rx(a, 64, x64_def(c, i->dst), x);
        break;
    }
    case IR_VHI: {
        unsigned x = x64_use_xmm(c, i->arg[0]);
        x64_vex_rri(a, X64_VEX(1, 3, 1, 0x16), x, 0, x64_def(c, i->dst), 1);   /* VPEXTRQ */
        break;
    }
    default:
        operation(c, i);
    }
}
