/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPRISE_GUEST_X86_MMU_H
#define REPRISE_GUEST_X86_MMU_H

#include "guest/x86/cpu.h"

enum { X86_MAXPHYADDR = 40 };      /* CPUID 80000008: width of physical addresses */

/* guest_ops.mmu_walk and guest_ops.debug_walk. */
bool x86_mmu_walk(struct vcpu *v, uint64_t va, enum access access, unsigned mode, struct mmu_page *out);
bool x86_debug_walk(struct vcpu *v, uint64_t va, uint64_t *pa);

/* Tells the TLB of a change of CR0, CR3, CR4, EFER, the PDPTEs or A20. */
void x86_mmu_context(struct x86_cpu *c);

/* Loads the PAE page-directory pointers from CR3.  False: a reserved bit is set (#GP). */
bool x86_load_pdptes(struct x86_cpu *c);

#endif
