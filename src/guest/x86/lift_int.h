/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The integer lifting functions, for rows_int.c. */
#ifndef REPRISE_GUEST_X86_LIFT_INT_H
#define REPRISE_GUEST_X86_LIFT_INT_H

#include "guest/x86/lift.h"

/* aux of the ALU rows, in the opcode's order. */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP, ALU_TEST };
/* aux of the shift rows, in ModRM.reg's order. */
enum { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAL, SH_SAR };

/* The cc op of the family whose byte member is `base`, at an operand size; a value, W or X by its size. */
static inline enum x86_cc_op x86_cc_of(unsigned base, unsigned size)
{
    return (enum x86_cc_op)(base + x86_width(size));
}
static inline ir_ref x86_as(struct x86_lift *L, ir_ref v, unsigned size)
{
    return irb_cast(L->b, v, size == 8 ? IR_X : IR_W);
}

x86_lift_fn lift_alu, lift_incdec, lift_not, lift_neg, lift_mov, lift_movx, lift_movsxd, lift_lea, lift_xchg, lift_xadd,
    lift_cmpxchg, lift_cmpxchg8b, lift_push, lift_pop, lift_pusha, lift_popa, lift_enter, lift_leave, lift_cbw,
    lift_cwd, lift_bswap, lift_setcc, lift_cmov, lift_nop, lift_xlat, lift_lahf, lift_sahf, lift_flagop, lift_salc;
x86_lift_fn lift_shift, lift_shiftd, lift_mul, lift_imul2, lift_div, lift_bt, lift_bsf, lift_bsr, lift_tzcnt,
    lift_lzcnt, lift_popcnt, lift_movbe, lift_crc32, lift_bcd, lift_aad;
x86_lift_fn lift_andn, lift_bextr, lift_bls, lift_bzhi, lift_mulx, lift_pdep, lift_rorx, lift_shiftx, lift_adx;
x86_lift_fn lift_jcc, lift_jmp, lift_jmp_ind, lift_call, lift_call_ind, lift_ret, lift_loop, lift_jcxz, lift_bound,
    lift_ud;
x86_lift_fn lift_string;

#endif
