/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System instructions as helpers of lifted code: the table.  sys.h has the rules. */
#include "guest/x86/lift_sys.h"
#include "guest/x86/sys.h"

#define ALL (HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES | HELPER_MEMORY)
#define H0(id, fn, ret) [id] = { #fn, 0, ALL, ret, { 0 }, { .f0 = fn } }
#define H1(id, fn, ret) [id] = { #fn, 1, ALL, ret, { IR_X }, { .f1 = fn } }
#define H2(id, fn, ret) [id] = { #fn, 2, ALL, ret, { IR_X, IR_X }, { .f2 = fn } }
#define H3(id, fn, ret) [id] = { #fn, 3, ALL, ret, { IR_X, IR_X, IR_X }, { .f3 = fn } }

const struct ir_helper x86_sys_helpers[SYS_COUNT] = {
    H1(SYS_LLDT, sys_lldt, IR_VOID), H1(SYS_LTR, sys_ltr, IR_VOID), H1(SYS_VERR, sys_verr, IR_VOID),
    H1(SYS_VERW, sys_verw, IR_VOID), H1(SYS_LMSW, sys_lmsw, IR_VOID), H0(SYS_CLTS, sys_clts, IR_VOID),
    H2(SYS_LGDT, sys_lgdt, IR_VOID), H2(SYS_LIDT, sys_lidt, IR_VOID), H2(SYS_SGDT, sys_sgdt, IR_VOID),
    H2(SYS_SIDT, sys_sidt, IR_VOID), H2(SYS_INVLPG, sys_invlpg, IR_VOID), H2(SYS_INVPCID, sys_invpcid, IR_VOID),
    H0(SYS_WBINVD, sys_wbinvd, IR_VOID), H0(SYS_HLT, sys_hlt, IR_VOID), H0(SYS_CLI, sys_cli, IR_VOID),
    H0(SYS_STI, sys_sti, IR_VOID), H0(SYS_RDMSR, sys_rdmsr, IR_VOID), H0(SYS_WRMSR, sys_wrmsr, IR_VOID),
    H0(SYS_RDTSC, sys_rdtsc, IR_VOID), H0(SYS_RDTSCP, sys_rdtscp, IR_VOID), H0(SYS_RDPMC, sys_rdpmc, IR_VOID),
    H0(SYS_RDPID, sys_rdpid, IR_X), H0(SYS_CPUID, sys_cpuid, IR_VOID), H0(SYS_SYSCALL, sys_syscall, IR_VOID),
    H1(SYS_SYSRET, sys_sysret, IR_VOID), H0(SYS_SYSENTER, sys_sysenter, IR_VOID),
    H1(SYS_SYSEXIT, sys_sysexit, IR_VOID),
    H0(SYS_MONITOR, sys_monitor, IR_VOID), H0(SYS_MWAIT, sys_mwait, IR_VOID), H0(SYS_RDRAND, sys_rdrand, IR_X),
    H0(SYS_XGETBV, sys_xgetbv, IR_VOID), H0(SYS_XSETBV, sys_xsetbv, IR_VOID), H0(SYS_CLAC, sys_clac, IR_VOID),
    H0(SYS_STAC, sys_stac, IR_VOID), H2(SYS_LOAD_SEG, sys_load_seg, IR_VOID),
    H2(SYS_MOV_TO_CR, sys_mov_to_cr, IR_VOID), H1(SYS_MOV_FROM_CR, sys_mov_from_cr, IR_X),
    H2(SYS_MOV_TO_DR, sys_mov_to_dr, IR_VOID), H1(SYS_MOV_FROM_DR, sys_mov_from_dr, IR_X),
    H3(SYS_FAR_JUMP, sys_far_jump, IR_VOID), H3(SYS_FAR_CALL, sys_far_call, IR_VOID),
    H2(SYS_FAR_RET, sys_far_ret, IR_VOID), H1(SYS_IRET, sys_iret, IR_VOID), H2(SYS_INT, sys_int, IR_VOID),
    H0(SYS_INT1, sys_int1, IR_VOID), H1(SYS_PUSHF, sys_pushf, IR_X), H2(SYS_POPF, sys_popf, IR_W),
    H2(SYS_IN, sys_in, IR_X), H3(SYS_OUT, sys_out, IR_VOID), H1(SYS_INS, sys_ins, IR_W), H1(SYS_OUTS, sys_outs, IR_W),
    H2(SYS_LAR, sys_lar, IR_X), H2(SYS_LSL, sys_lsl, IR_X),
};
