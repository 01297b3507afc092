/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPRISE_GUEST_X86_LIFT_SIMD_H
#define REPRISE_GUEST_X86_LIFT_SIMD_H

#include "guest/x86/lift.h"

x86_lift_fn lift_v2, lift_v2_imm, lift_v1_imm, lift_vmov, lift_vmov_scalar, lift_vmov_half, lift_movd, lift_movq_store,
    lift_vmask, lift_ldmxcsr, lift_stmxcsr;

#endif
