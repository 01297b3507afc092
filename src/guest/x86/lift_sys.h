/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System lifting functions, for rows_sys.c. */
#ifndef REPRISE_GUEST_X86_LIFT_SYS_H
#define REPRISE_GUEST_X86_LIFT_SYS_H

#include "guest/x86/lift.h"

/* Helpers by aux: sys_helpers.c. */
enum sys_helper {
    SYS_LLDT, SYS_LTR, SYS_VERR, SYS_VERW, SYS_LMSW, SYS_CLTS, SYS_LGDT, SYS_LIDT, SYS_SGDT, SYS_SIDT, SYS_INVLPG,
    SYS_INVPCID, SYS_WBINVD, SYS_HLT, SYS_CLI, SYS_STI, SYS_RDMSR, SYS_WRMSR, SYS_RDTSC, SYS_RDTSCP, SYS_RDPMC,
    SYS_RDPID, SYS_CPUID, SYS_SYSCALL, SYS_SYSRET, SYS_SYSENTER, SYS_SYSEXIT, SYS_MONITOR, SYS_MWAIT,
    SYS_RDRAND, SYS_XGETBV, SYS_XSETBV, SYS_CLAC, SYS_STAC, SYS_LOAD_SEG, SYS_MOV_TO_CR, SYS_MOV_FROM_CR,
    SYS_MOV_TO_DR, SYS_MOV_FROM_DR, SYS_FAR_JUMP, SYS_FAR_CALL, SYS_FAR_RET, SYS_IRET, SYS_INT, SYS_INT1, SYS_PUSHF,
    SYS_POPF, SYS_IN, SYS_OUT, SYS_INS, SYS_OUTS, SYS_LAR, SYS_LSL, SYS_COUNT
};
extern const struct ir_helper x86_sys_helpers[SYS_COUNT];

x86_lift_fn lift_sys, lift_sys_read, lift_swapgs, lift_cli, lift_sti,
    lift_sys_rd, lift_sys_mem, lift_store_sel, lift_smsw, lift_mov_from_seg,
    lift_mov_to_seg, lift_push_seg, lift_pop_seg, lift_lxs, lift_far_direct, lift_far_mem, lift_far_ret, lift_iret,
    lift_int, lift_into, lift_pushf, lift_popf, lift_in, lift_out, lift_ins, lift_mov_cr, lift_mov_dr, lift_lar,
    lift_arpl, lift_monitor, lift_fsgsbase, lift_rdrand, lift_rdpid, lift_fence, lift_clflush;

#endif
