/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPRISE_GUEST_X86_LIFT_SIMD_H
#define REPRISE_GUEST_X86_LIFT_SIMD_H

#include "guest/x86/lift.h"

x86_lift_fn lift_v2, lift_v2_imm, lift_v1_imm, lift_vmov, lift_vmov_scalar, lift_vmov_half, lift_movd, lift_movq_store,
    lift_vmask, lift_ldmxcsr, lift_stmxcsr;
x86_lift_fn lift_fvec, lift_fcmp, lift_fcomi, lift_int_to_float, lift_float_to_int, lift_mmx_to_float,
    lift_float_to_mmx;

x86_lift_fn lift_mmx_empty, lift_mmx2, lift_mmx2_pair, lift_mmx2_high, lift_mmx1_imm, lift_mmx_shift, lift_mmx_pshufb,
    lift_mmx_align, lift_mmx_mov, lift_mmx_movd, lift_movq2dq, lift_movdq2q, lift_mmx_insert, lift_mmx_extract,
    lift_mmx_maskmov;
x86_lift_fn lift_v1, lift_blendv, lift_ptest, lift_movddup, lift_movdup, lift_pinsr, lift_pextr, lift_insertps,
    lift_pcmpstr, lift_maskmov;

/* Stores the bytes of data whose top bit in mask is set, of size bytes, at DS:rDI. */
void x86_mask_store(struct x86_lift *L, const struct x86_insn *I, ir_ref data, ir_ref mask, unsigned size);

/* An MMX instruction can fail no more: TOP = 0 and every register is valid (SDM vol. 1, 9.5.1). */
void x86_mmx_begin(struct x86_lift *L);

#endif
