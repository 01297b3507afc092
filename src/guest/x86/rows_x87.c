/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x87 control, FXSAVE. */
#include "guest/x86/cpuid.h"
#include "guest/x86/lift_x87.h"

#define ROW(map, op, reg, rm, feature, name, a, fn, aux, flags) \
    { map, op, 0, PFX_ANY, reg, rm, { OP_##a, OP_NONE, OP_NONE, OP_NONE }, feature, flags, aux, name, fn }

const struct x86_row x86_rows_x87[] = {
    ROW(MAP_1, 0x9b, -1, -1, F_FPU, "fwait", NONE, lift_fwait, 0, 0),
    ROW(MAP_1, 0xd9, 5, -1, F_FPU, "fldcw", Mw, lift_fldcw, 0, ROW_X87 | ROW_MOD_MEM),
    ROW(MAP_1, 0xd9, 7, -1, F_FPU, "fnstcw", Mw, lift_fnstcw, 0, ROW_X87 | ROW_MOD_MEM),
    ROW(MAP_1, 0xd9, 2, 0, F_FPU, "fnop", NONE, lift_fnop, 0, ROW_X87 | ROW_MOD_REG),
    ROW(MAP_1, 0xdb, 4, 2, F_FPU, "fnclex", NONE, lift_fnclex, 0, ROW_X87 | ROW_MOD_REG),
    ROW(MAP_1, 0xdb, 4, 3, F_FPU, "fninit", NONE, lift_fninit, 0, ROW_X87 | ROW_MOD_REG),
    ROW(MAP_1, 0xdb, 0, -1, F_FPU, "fild", Md, lift_fild, 0, ROW_X87 | ROW_MOD_MEM),
    ROW(MAP_1, 0xdf, 0, -1, F_FPU, "fild", Mw, lift_fild, 0, ROW_X87 | ROW_MOD_MEM),
    ROW(MAP_1, 0xdf, 5, -1, F_FPU, "fild", Mq, lift_fild, 0, ROW_X87 | ROW_MOD_MEM),
    ROW(MAP_1, 0xdd, 7, -1, F_FPU, "fnstsw", Mw, lift_fnstsw, 0, ROW_X87 | ROW_MOD_MEM),
    ROW(MAP_1, 0xdf, 4, 0, F_FPU, "fnstsw", AX, lift_fnstsw, 0, ROW_X87 | ROW_MOD_REG),
    ROW(MAP_0F, 0xae, 0, -1, F_FXSR, "fxsave", M, lift_fxsave, 0, ROW_MOD_MEM),
    ROW(MAP_0F, 0xae, 1, -1, F_FXSR, "fxrstor", M, lift_fxsave, 1, ROW_MOD_MEM),
    { .lift = NULL },
};
