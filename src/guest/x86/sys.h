/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The helpers behind system instructions, by topic (sys_*.c); sys_helpers.c makes call descriptors of them.
 *
 * A helper that transfers control finds RIP = the next instruction in the state.  One that faults
 * returns at once with the fault pending (x86_raise): the engine puts RIP back.
 */
#ifndef REPRISE_GUEST_X86_SYS_H
#define REPRISE_GUEST_X86_SYS_H

#include "guest/x86/segment.h"
#include "ir/ir.h"

/* sys_descriptor.c */
ir_fn1 sys_lldt, sys_ltr, sys_verr, sys_verw;
ir_fn2 sys_lar, sys_lsl, sys_lgdt, sys_lidt, sys_sgdt, sys_sidt, sys_load_seg;
/* sys_control.c */
ir_fn0 sys_clts, sys_wbinvd, sys_xgetbv, sys_xsetbv, sys_clac, sys_stac;
ir_fn1 sys_mov_from_cr, sys_mov_from_dr, sys_lmsw;
ir_fn2 sys_mov_to_cr, sys_mov_to_dr, sys_invlpg, sys_invpcid;
/* sys_flags.c */
ir_fn0 sys_hlt, sys_cli, sys_sti, sys_int1;
ir_fn1 sys_pushf, sys_iret;
ir_fn2 sys_popf, sys_int, sys_far_ret;
ir_fn3 sys_far_jump, sys_far_call;
/* sys_fast.c */
ir_fn0 sys_syscall, sys_sysenter;
ir_fn1 sys_sysret, sys_sysexit;
/* sys_identity.c */
ir_fn0 sys_rdmsr, sys_wrmsr, sys_rdtsc, sys_rdtscp, sys_rdpmc, sys_rdpid, sys_cpuid, sys_monitor, sys_mwait,
    sys_rdrand;
/* sys_io.c */
ir_fn1 sys_ins, sys_outs;
ir_fn2 sys_in;
ir_fn3 sys_out;

/* #GP(0) and #UD; the value returned says nothing. */
static inline uint64_t sys_gp0(struct x86_cpu *c)
{
    x86_fault(c, EXC_GP, 0);
    return 0;
}

static inline uint64_t sys_ud(struct x86_cpu *c)
{
    x86_raise(&c->v, EXC_UD, false, 0);
    return 0;
}

static inline void sys_put_edx_eax(struct x86_cpu *c, uint64_t v)
{
    c->s.gpr[R_AX] = (uint32_t)v;
    c->s.gpr[R_DX] = v >> 32;
}

static inline unsigned x86_iopl(const struct x86_cpu *c) { return c->s.rflags >> 12 & 3; }
static inline bool x86_vm86(const struct x86_cpu *c) { return c->s.rflags & FLAG_VM; }

#endif
