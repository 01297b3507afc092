/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VEX-encoded vector instructions.
 *
 * The IR's vectors have 128 bits: a 256-bit operation is the same operation on the low and the high half of
 * its operands, and an operation of 128 bits or one scalar clears the destination's high half (SDM
 * vol. 1, 14.2.1).  All that may fault comes before the first half is written.
 */
#ifndef REPRISE_GUEST_X86_LIFT_AVX_H
#define REPRISE_GUEST_X86_LIFT_AVX_H

#include "guest/x86/lift.h"
#include "ir/vec/vec.h"

/* A row's aux: the operation, and by how many bits its immediate is shifted for the high half. */
#define VEX_AUX(op, shift) ((uint32_t)(op) | (uint32_t)(shift) << 16)
static inline unsigned vex_op(const struct x86_insn *I) { return I->row->aux & 0xffff; }
static inline unsigned vex_extra(const struct x86_insn *I) { return I->row->aux >> 16; }

/* A vector register or memory operand.  hi is NONE when the operand has no more than 16 bytes. */
struct ymm {
    ir_ref lo, hi;
};

static inline bool vex_256(const struct x86_insn *I, unsigned n) { return I->op[n].size == 32; }
static inline uint32_t ymm_high(unsigned reg) { return X86_OFF_XMM(reg) + 16; }

/* Operand n, read as x86_rdv() does, or both halves of it. */
struct ymm x86_rdy(struct x86_lift *L, const struct x86_insn *I, unsigned n);
/* The write is the instruction's last act.  A register's high half is cleared if v has none. */
void x86_wry(struct x86_lift *L, const struct x86_insn *I, unsigned n, struct ymm v);
void x86_clear_high(struct x86_lift *L, unsigned reg);
/* Leaves with the fault that a store of size bytes would have. */
void x86_probe_write(struct x86_lift *L, ir_ref linear, unsigned size);
/* #GP(0) unless the address is a multiple of size. */
void x86_check_aligned(struct x86_lift *L, ir_ref linear, unsigned size);

/* op0 = op1 <aux> op2 [imm op3]; <aux>(op1) [imm op2]; <aux>(op1, op1) [imm op2]; op1 shifted by XMM op2. */
x86_lift_fn lift_vex2, lift_vex1, lift_vex_dup, lift_vex_shift;
/* Moves: whole (extra 1: aligned memory), half registers, single lanes, general registers. */
x86_lift_fn lift_vex_mov, lift_vex_mov_half, lift_vex_movdup, lift_vex_movd, lift_vex_movq, lift_vex_pinsr,
    lift_vex_insertps, lift_vex_mask, lift_vex_test, lift_vex_blendv, lift_vex_pcmpstr, lift_vzero;
/* Across the halves. */
x86_lift_fn lift_vex_extend, lift_vex_broadcast, lift_vex_insert128, lift_vex_extract128, lift_vex_perm128,
    lift_vex_permq, lift_vex_permd;
/* Masked elements and gathers. */
x86_lift_fn lift_vex_maskload, lift_vex_maskstore, lift_vex_gather;
/* Floating point: as lift_vex2 and lift_vex_dup; VCMPPS; conversions that widen or narrow; FMA; VDPPS of 256 bits. */
x86_lift_fn lift_vex_fvec2, lift_vex_fvec1, lift_vex_fcmp, lift_vex_widen, lift_vex_narrow, lift_vex_int_to_float,
    lift_vex_fma, lift_vex_dot;

#endif
