/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fused multiply and add.  The instructions overwrite one of their operands: the 132 form is op1 * op3 + op2, 213 is
 * op2 * op1 + op3, 231 is op2 * op3 + op1 (op1 ModRM.reg, op2 VEX.vvvv, op3 ModRM.rm), and of several NaNs the one
 * that comes first there is the result (SDM vol. 1, table 14-17).  All three can keep our order x, y, z.
 */
#include "engine/x64/vec_form.h"

enum { FORM_132 = 0, FORM_213 = 0x10, FORM_231 = 0x20, SCALAR = 1 };

/* The opcode of the 132 form; 0: none. */
static unsigned fused_op(enum fvec_op op)
{
#define WIDTHS(NAME, opcode)                     \
    case FVEC_##NAME##_W4:                       \
        return X64_P38(opcode);                  \
    case FVEC_##NAME##_W1:                       \
        return X64_P38((opcode) | SCALAR);       \
    case FVEC_##NAME##_D2:                       \
        return X64_P38(opcode) | X64_VEX_W;      \
    case FVEC_##NAME##_D1:                       \
        return X64_P38((opcode) | SCALAR) | X64_VEX_W;
    switch (op) {
        WIDTHS(MADD, 0x98)
        WIDTHS(MSUB, 0x9a)
        WIDTHS(NMADD, 0x9c)
        WIDTHS(NMSUB, 0x9e)
    case FVEC_MADDSUB_W4:
        return X64_P38(0x96);
    case FVEC_MADDSUB_D2:
        return X64_P38(0x96) | X64_VEX_W;
    case FVEC_MSUBADD_W4:
        return X64_P38(0x97);
    case FVEC_MSUBADD_D2:
        return X64_P38(0x97) | X64_VEX_W;
    default:
        return 0;
    }
#undef WIDTHS
}

/* Opcodes 99, 9B, 9D, 9F; the packed ones are even, and 97. */
static bool is_scalar(unsigned code) { return (code & 9) == 9; }

bool x64_emit_fused(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned dst, unsigned x,
                    unsigned y, unsigned z)
{
    unsigned code = fused_op(op);
    if (!host->fma || !code)
        return false;
    if (dst == x) {
        x64_vex_rr(a, code + FORM_132, dst, z, y);
    } else if (is_scalar(code)) { /* the other lanes are x's */
        unsigned to = dst == y || dst == z ? X64_VEC_SCRATCH : dst;
        x64_vmovaps_xx(a, to, x);
        x64_vex_rr(a, code + FORM_132, to, z, y);
        if (to != dst)
            x64_vmovaps_xx(a, dst, to);
    } else if (dst == y) {
        x64_vex_rr(a, code + FORM_213, dst, x, z);
    } else {
        if (dst != z)
            x64_vmovaps_xx(a, dst, z);
        x64_vex_rr(a, code + FORM_231, dst, x, y);
    }
    return true;
}
