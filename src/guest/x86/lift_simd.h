/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPRISE_GUEST_X86_LIFT_SIMD_H
#define REPRISE_GUEST_X86_LIFT_SIMD_H

#include "guest/x86/lift.h"

x86_lift_fn lift_v2, lift_v2_imm, lift_v1_imm, lift_vmov, lift_vmov_scalar, lift_vmov_half, lift_movd, lift_movq_store,
    lift_vmask, lift_mmx_empty, lift_ldmxcsr, lift_stmxcsr;
x86_lift_fn lift_fvec, lift_fcmp, lift_fcomi, lift_int_to_float, lift_float_to_int, lift_mmx_to_float, lift_float_to_mmx;

/* An MMX instruction can fail no more: TOP = 0 and every register is valid (SDM vol. 1, 9.5.1). */
void x86_mmx_begin(struct x86_lift *L);

#endif
