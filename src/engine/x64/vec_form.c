/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/x64/vec_form.h"

static bool has(const struct x64_host *host, enum x64_vec_needs needs)
{
    switch (needs) {
    case X64_NEEDS_AVX2:
        return host->avx2;
    case X64_NEEDS_AES:
        return host->avx && host->aes;
    case X64_NEEDS_CLMUL:
        return host->avx && host->pclmul;
    case X64_NEEDS_F16C:
        return host->f16c;
    default:
        return host->avx;
    }
}

static void emit(struct x64_asm *a, unsigned op, unsigned dst, unsigned vvvv, unsigned rm, const struct x64_mem *m)
{
    if (m)
        x64_vex_rm(a, op, dst, vvvv, *m);
    else
        x64_vex_rr(a, op, dst, vvvv, rm);
}

static void emit_imm(struct x64_asm *a, unsigned op, unsigned dst, unsigned vvvv, unsigned rm, const struct x64_mem *m,
                     unsigned imm)
{
    if (m)
        x64_vex_rmi(a, op, dst, vvvv, *m, imm);
    else
        x64_vex_rri(a, op, dst, vvvv, rm, imm);
}

static unsigned immediate(const struct x64_vec_form *f, uint64_t imm)
{
    if (f->imm_limit)
        return imm < f->imm_limit ? (unsigned)imm : f->imm_limit;
    return (unsigned)imm & (f->imm_mask ? f->imm_mask : 255);
}

bool x64_emit_form(struct x64_asm *a, const struct x64_host *host, const struct x64_vec_form *f,
                   const struct x64_vec_args *v)
{
    unsigned imm = immediate(f, v->imm);
    if (!has(host, (enum x64_vec_needs)f->needs))
        return false;
    switch ((enum x64_vec_shape)f->shape) {
    case X64_VEC_XY_EITHER:
        if (!v->m && v->y >= 8 && v->x < 8) {
            emit(a, f->op, v->dst, v->y, v->x, NULL);
            return true;
        }
        /* fall through */
    case X64_VEC_XY:
        emit(a, f->op, v->dst, v->x, v->y, v->m);
        return true;
    case X64_VEC_X:
        emit(a, f->op, v->dst, 0, v->x, v->m);
        return true;
    case X64_VEC_Y:
        emit(a, f->op, v->dst, 0, v->y, v->m);
        return true;
    case X64_VEC_XYI:
        emit_imm(a, f->op, v->dst, v->x, v->y, v->m, imm);
        return true;
    case X64_VEC_XI:
        emit_imm(a, f->op, v->dst, 0, v->x, v->m, imm);
        return true;
    case X64_VEC_YI:
        emit_imm(a, f->op, v->dst, 0, v->y, v->m, imm);
        return true;
    case X64_VEC_SHIFT:
        if (v->m)
            return false;
        x64_vex_rri(a, f->op, f->digit, v->dst, v->x, imm);
        return true;
    case X64_VEC_XYZ:
        emit_imm(a, f->op, v->dst, v->x, v->y, v->m, v->z << 4);
        return true;
    case X64_VEC_NONE:
        break;
    }
    return false;
}
