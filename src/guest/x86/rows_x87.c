/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x87 (Intel SDM vol. 2, appendix A.5), FXSAVE, XSAVE. */
#include "guest/x86/cpuid.h"
#include "guest/x86/lift_x87.h"
#include "guest/x86/x87_impl.h"

#define ROW(map, op, reg, rm, feature, name, a, fn, aux, flags) \
    { map, op, 0, PFX_ANY, reg, rm, { OP_##a, OP_NONE, OP_NONE, OP_NONE }, feature, flags, aux, name, fn }
#define MEM(op, reg, name, size, fn, aux) ROW(MAP_1, op, reg, -1, F_FPU, name, size, fn, aux, ROW_X87 | ROW_MOD_MEM)
#define REG(op, reg, name, fn, aux) ROW(MAP_1, op, reg, -1, F_FPU, name, STi, fn, aux, ROW_X87 | ROW_MOD_REG)
#define ONE(op, reg, rm, name, fn, aux) ROW(MAP_1, op, reg, rm, F_FPU, name, NONE, fn, aux, ROW_X87 | ROW_MOD_REG)
#define CMOV(op, reg, name, cc) ROW(MAP_1, op, reg, -1, F_CMOV, name, STi, lift_x87_cmov, cc, ROW_X87 | ROW_MOD_REG)
#define FORMAT(f) (X87_##f << X87_FORMAT_SHIFT)
#define UNARY(modrm, name) ONE(0xd9, (modrm) >> 3 & 7, (modrm) & 7, name, lift_x87_unary, 0)

/* The eight operations of a memory format. */
#define ARITH_MEM(op, i, size, f) \
    MEM(op, 0, "f" i "add", size, lift_x87_arith, FORMAT(f) | 0), \
    MEM(op, 1, "f" i "mul", size, lift_x87_arith, FORMAT(f) | 1), \
    MEM(op, 2, "f" i "com", size, lift_x87_compare, FORMAT(f)), \
    MEM(op, 3, "f" i "comp", size, lift_x87_compare, FORMAT(f) | X87_POP), \
    MEM(op, 4, "f" i "sub", size, lift_x87_arith, FORMAT(f) | 4), \
    MEM(op, 5, "f" i "subr", size, lift_x87_arith, FORMAT(f) | 5), \
    MEM(op, 6, "f" i "div", size, lift_x87_arith, FORMAT(f) | 6), \
    MEM(op, 7, "f" i "divr", size, lift_x87_arith, FORMAT(f) | 7)
/* And of registers: how says where the result goes. */
#define ARITH_REG(op, p, how) \
    REG(op, 0, "fadd" p, lift_x87_arith, (how) | 0), REG(op, 1, "fmul" p, lift_x87_arith, (how) | 1), \
    REG(op, 4, "fsub" p, lift_x87_arith, (how) | 4), REG(op, 5, "fsubr" p, lift_x87_arith, (how) | 5), \
    REG(op, 6, "fdiv" p, lift_x87_arith, (how) | 6), REG(op, 7, "fdivr" p, lift_x87_arith, (how) | 7)

const struct x86_row x86_rows_x87[] = {
    ROW(MAP_1, 0x9b, -1, -1, F_FPU, "fwait", NONE, lift_fwait, 0, 0),

    ARITH_MEM(0xd8, "", Md, M32),
    ARITH_REG(0xd8, "", 0),
    REG(0xd8, 2, "fcom", lift_x87_compare, 0),
    REG(0xd8, 3, "fcomp", lift_x87_compare, X87_POP),

    MEM(0xd9, 0, "fld", Md, lift_x87_load, FORMAT(M32)),
    MEM(0xd9, 2, "fst", Md, lift_x87_store, FORMAT(M32)),
    MEM(0xd9, 3, "fstp", Md, lift_x87_store, FORMAT(M32) | X87_POP),
    MEM(0xd9, 4, "fldenv", M, lift_x87_env, 1),
    MEM(0xd9, 5, "fldcw", Mw, lift_fldcw, 0),
    MEM(0xd9, 6, "fnstenv", M, lift_x87_env, 0),
    MEM(0xd9, 7, "fnstcw", Mw, lift_fnstcw, 0),
    REG(0xd9, 0, "fld", lift_x87_fld_st, 0),
    REG(0xd9, 1, "fxch", lift_x87_fxch, 0),
    ONE(0xd9, 2, 0, "fnop", lift_fnop, 0),
    REG(0xd9, 3, "fstpnce", lift_x87_fst_st, 3),
    UNARY(0xe0, "fchs"), UNARY(0xe1, "fabs"), UNARY(0xe4, "ftst"), UNARY(0xe5, "fxam"), UNARY(0xe8, "fld1"),
    UNARY(0xe9, "fldl2t"), UNARY(0xea, "fldl2e"), UNARY(0xeb, "fldpi"), UNARY(0xec, "fldlg2"), UNARY(0xed, "fldln2"),
    UNARY(0xee, "fldz"), UNARY(0xf0, "f2xm1"), UNARY(0xf1, "fyl2x"), UNARY(0xf2, "fptan"), UNARY(0xf3, "fpatan"),
    UNARY(0xf4, "fxtract"), UNARY(0xf5, "fprem1"), UNARY(0xf6, "fdecstp"), UNARY(0xf7, "fincstp"), UNARY(0xf8, "fprem"),
    UNARY(0xf9, "fyl2xp1"), UNARY(0xfa, "fsqrt"), UNARY(0xfb, "fsincos"), UNARY(0xfc, "frndint"), UNARY(0xfd, "fscale"),
    UNARY(0xfe, "fsin"), UNARY(0xff, "fcos"),

    ARITH_MEM(0xda, "i", Md, I32),
    CMOV(0xda, 0, "fcmovb", 2), CMOV(0xda, 1, "fcmove", 4), CMOV(0xda, 2, "fcmovbe", 6), CMOV(0xda, 3, "fcmovu", 10),
    ONE(0xda, 5, 1, "fucompp", lift_x87_compare, X87_QUIET | X87_POP2 | 1 << X87_INDEX_SHIFT),

    MEM(0xdb, 0, "fild", Md, lift_x87_load, FORMAT(I32)),
    ROW(MAP_1, 0xdb, 1, -1, F_SSE3, "fisttp", Md, lift_x87_store, FORMAT(I32) | X87_POP | X87_TRUNCATE,
        ROW_X87 | ROW_MOD_MEM),
    MEM(0xdb, 2, "fist", Md, lift_x87_store, FORMAT(I32)),
    MEM(0xdb, 3, "fistp", Md, lift_x87_store, FORMAT(I32) | X87_POP),
    MEM(0xdb, 5, "fld", M, lift_x87_load80, 0),
    MEM(0xdb, 7, "fstp", M, lift_x87_store80, 0),
    CMOV(0xdb, 0, "fcmovnb", 3), CMOV(0xdb, 1, "fcmovne", 5), CMOV(0xdb, 2, "fcmovnbe", 7),
    CMOV(0xdb, 3, "fcmovnu", 11),
    ONE(0xdb, 4, 0, "fneni", lift_fnop, 1), ONE(0xdb, 4, 1, "fndisi", lift_fnop, 1),
    ONE(0xdb, 4, 2, "fnclex", lift_fnclex, 0), ONE(0xdb, 4, 3, "fninit", lift_fninit, 0),
    ONE(0xdb, 4, 4, "fnsetpm", lift_fnop, 1),
    ROW(MAP_1, 0xdb, 5, -1, F_CMOV, "fucomi", STi, lift_x87_compare_flags, X87_QUIET, ROW_X87 | ROW_MOD_REG),
    ROW(MAP_1, 0xdb, 6, -1, F_CMOV, "fcomi", STi, lift_x87_compare_flags, 0, ROW_X87 | ROW_MOD_REG),

    ARITH_MEM(0xdc, "", Mq, M64),
    ARITH_REG(0xdc, "", X87_TO_INDEX),
    REG(0xdc, 2, "fcom2", lift_x87_compare, 0),
    REG(0xdc, 3, "fcomp3", lift_x87_compare, X87_POP),

    MEM(0xdd, 0, "fld", Mq, lift_x87_load, FORMAT(M64)),
    ROW(MAP_1, 0xdd, 1, -1, F_SSE3, "fisttp", Mq, lift_x87_store, FORMAT(I64) | X87_POP | X87_TRUNCATE,
        ROW_X87 | ROW_MOD_MEM),
    MEM(0xdd, 2, "fst", Mq, lift_x87_store, FORMAT(M64)),
    MEM(0xdd, 3, "fstp", Mq, lift_x87_store, FORMAT(M64) | X87_POP),
    MEM(0xdd, 4, "frstor", M, lift_x87_env, 5),
    MEM(0xdd, 6, "fnsave", M, lift_x87_env, 4),
    MEM(0xdd, 7, "fnstsw", Mw, lift_fnstsw, 0),
    REG(0xdd, 0, "ffree", lift_x87_free, 0),
    REG(0xdd, 1, "fxch4", lift_x87_fxch, 0),
    REG(0xdd, 2, "fst", lift_x87_fst_st, 0),
    REG(0xdd, 3, "fstp", lift_x87_fst_st, 1),
    REG(0xdd, 4, "fucom", lift_x87_compare, X87_QUIET),
    REG(0xdd, 5, "fucomp", lift_x87_compare, X87_QUIET | X87_POP),

    ARITH_MEM(0xde, "i", Mw, I16),
    ARITH_REG(0xde, "p", X87_TO_INDEX | X87_POP),
    REG(0xde, 2, "fcomp5", lift_x87_compare, X87_POP),
    ONE(0xde, 3, 1, "fcompp", lift_x87_compare, X87_POP2 | 1 << X87_INDEX_SHIFT),

    MEM(0xdf, 0, "fild", Mw, lift_x87_load, FORMAT(I16)),
    ROW(MAP_1, 0xdf, 1, -1, F_SSE3, "fisttp", Mw, lift_x87_store, FORMAT(I16) | X87_POP | X87_TRUNCATE,
        ROW_X87 | ROW_MOD_MEM),
    MEM(0xdf, 2, "fist", Mw, lift_x87_store, FORMAT(I16)),
    MEM(0xdf, 3, "fistp", Mw, lift_x87_store, FORMAT(I16) | X87_POP),
    MEM(0xdf, 4, "fbld", M, lift_x87_load80, 1),
    MEM(0xdf, 5, "fild", Mq, lift_x87_load, FORMAT(I64)),
    MEM(0xdf, 6, "fbstp", M, lift_x87_store80, 1),
    MEM(0xdf, 7, "fistp", Mq, lift_x87_store, FORMAT(I64) | X87_POP),
    REG(0xdf, 0, "ffreep", lift_x87_free, 1),
    REG(0xdf, 1, "fxch7", lift_x87_fxch, 0),
    REG(0xdf, 2, "fstp8", lift_x87_fst_st, 1),
    REG(0xdf, 3, "fstp9", lift_x87_fst_st, 1),
    ROW(MAP_1, 0xdf, 4, 0, F_FPU, "fnstsw", AX, lift_fnstsw, 0, ROW_X87 | ROW_MOD_REG),
    ROW(MAP_1, 0xdf, 5, -1, F_CMOV, "fucomip", STi, lift_x87_compare_flags, X87_QUIET | X87_POP, ROW_X87 | ROW_MOD_REG),
    ROW(MAP_1, 0xdf, 6, -1, F_CMOV, "fcomip", STi, lift_x87_compare_flags, X87_POP, ROW_X87 | ROW_MOD_REG),

    { MAP_0F, 0xae, 0, PFX_NP, 0, -1, { OP_M }, F_FXSR, ROW_MOD_MEM, 0, "fxsave", lift_fxsave },
    { MAP_0F, 0xae, 0, PFX_NP, 1, -1, { OP_M }, F_FXSR, ROW_MOD_MEM, 1, "fxrstor", lift_fxsave },
    { MAP_0F, 0xae, 0, PFX_NP, 4, -1, { OP_M }, F_XSAVE, ROW_MOD_MEM, 0, "xsave", lift_xsave },
    { MAP_0F, 0xae, 0, PFX_NP, 6, -1, { OP_M }, F_XSAVEOPT, ROW_MOD_MEM, 1, "xsaveopt", lift_xsave },
    { MAP_0F, 0xc7, 0, PFX_NP, 4, -1, { OP_M }, F_XSAVEC, ROW_MOD_MEM, 2, "xsavec", lift_xsave },
    { MAP_0F, 0xae, 0, PFX_NP, 5, -1, { OP_M }, F_XSAVE, ROW_MOD_MEM, 0, "xrstor", lift_xrstor },
    { .lift = NULL },
};
