/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x87 and MMX state, and MXCSR, for lifted code and for the rest of the CPU. */
#ifndef REPRISE_GUEST_X86_X87_H
#define REPRISE_GUEST_X86_X87_H

#include "guest/x86/cpu.h"
#include "ir/ir.h"

struct x86_lift;
/* A waiting x87 instruction or one of MMX: raises #MF (or FERR#) if an unmasked exception is pending. */
void x86_x87_wait(struct x86_lift *L);

void x86_x87_reset(struct x86_cpu *c);       /* power on (SDM vol. 3, table 9-1) */
void x86_x87_init(struct x86_cpu *c);        /* FNINIT */
void x86_x87_update_env(struct x86_cpu *c);  /* after the control word changed */

uint32_t x86_get_mxcsr(const struct x86_cpu *c);
void x86_set_mxcsr(struct x86_cpu *c, uint32_t value);   /* reserved bits are the caller's to check */
/* XINUSE (SDM vol. 1, 13.6): the state components, XSAVE_*, that differ from their initial ones. */
uint64_t x86_xinuse(const struct x86_cpu *c);

enum { MXCSR_MASK = 0xffff, MXCSR_RESET = 0x1f80 };

#endif
