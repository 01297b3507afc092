/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug registers and single step, as helpers for lifted code (SDM vol. 3, ch. 17). */
#ifndef REPRISE_GUEST_X86_DEBUG_H
#define REPRISE_GUEST_X86_DEBUG_H

#include "guest/x86/cpu.h"
#include "ir/ir.h"

/* After an instruction that began with TF set: #DB trap with DR6.BS. */
extern const struct ir_helper x86_helper_single_step;
/* Before an instruction: #DB fault if an execution breakpoint is at this linear address. */
extern const struct ir_helper x86_helper_check_exec_bp;
/* Around a data access: (linear, size | write << 8) may hit a data breakpoint, reported after the instruction. */
extern const struct ir_helper x86_helper_check_watch;
/* The same for helpers; and for ports, if CR4.DE is set. */
void x86_check_watch(struct x86_cpu *c, uint64_t linear, unsigned size, bool write);
void x86_check_io_watch(struct x86_cpu *c, uint64_t port, unsigned size);
/* (segment, offset, size | write << 16): #GP(0) or #SS(0) on limit, type or null violations. */
extern const struct ir_helper x86_helper_seg_check;
/* The same of GS: size << 32 | write << 48 | offset, of 32 bits. */
extern const struct ir_helper x86_helper_gs_check;

#endif
