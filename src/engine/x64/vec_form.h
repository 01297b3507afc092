/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internal to engine/x64: the vector operations that are one VEX instruction, as rows of a table. */
#ifndef REPRISE_ENGINE_X64_VEC_FORM_H
#define REPRISE_ENGINE_X64_VEC_FORM_H

#include "engine/x64/vec.h"

/* What is where: the last of the letters is ModRM.rm, the one before VEX.vvvv; I: an 8-bit immediate. */
enum x64_vec_shape {
    X64_VEC_NONE,
    X64_VEC_XY,
    X64_VEC_XY_EITHER,   /* commutative: VEX is shorter when ModRM.rm is below 8 */
    X64_VEC_X,
    X64_VEC_Y,
    X64_VEC_XYI,
    X64_VEC_XI,
    X64_VEC_YI,
    X64_VEC_SHIFT,       /* of x by an immediate: an opcode's digit in ModRM.reg, dst in VEX.vvvv; of no memory */
    X64_VEC_XYZ,         /* z in the immediate's high half */
};

enum x64_vec_needs { X64_NEEDS_AVX, X64_NEEDS_AVX2, X64_NEEDS_AES, X64_NEEDS_CLMUL, X64_NEEDS_F16C };

struct x64_vec_form {
    uint16_t op;         /* X64_VEX(...) */
    uint8_t shape, needs, digit;
    uint8_t imm_limit;   /* the immediate is: 0, its low 8 bits; else itself, at most that */
    uint8_t imm_mask;    /* of those 8 bits, if not 0 */
};

/* An argument that may be in memory. */
struct x64_vec_args {
    unsigned dst, x, y, z;
    const struct x64_mem *m;   /* NULL, or stands for the last argument */
    uint64_t imm;
};

bool x64_emit_form(struct x64_asm *a, const struct x64_host *host, const struct x64_vec_form *f,
                   const struct x64_vec_args *v);

#define X64_NP(opcode) X64_VEX(0, 1, 0, opcode)
#define X64_P66(opcode) X64_VEX(1, 1, 0, opcode)
#define X64_PF3(opcode) X64_VEX(2, 1, 0, opcode)
#define X64_PF2(opcode) X64_VEX(3, 1, 0, opcode)
#define X64_P38(opcode) X64_VEX(1, 2, 0, opcode)
#define X64_P3A(opcode) X64_VEX(1, 3, 0, opcode)

/* a * b + c and its like (ir/vec/ops.h); false: op is none of them, or the host has no FMA. */
bool x64_emit_fused(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned dst, unsigned x,
                    unsigned y, unsigned z);

/* LAHF leaves the flags in AH; then gpr = those of mask. */
static inline void x64_flags_to_gpr(struct x64_asm *a, unsigned gpr, unsigned mask)
{
    x64_lahf(a);
    x64_shift_ri(a, X64_SHR, 32, HOST_RAX, 8);
    x64_alu_ri(a, X64_AND, 32, HOST_RAX, (int32_t)mask);
    if (gpr != HOST_RAX)
        x64_mov_rr(a, 32, gpr, HOST_RAX);
}

#endif
