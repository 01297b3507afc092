/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPRISE_GUEST_X86_MSR_H
#define REPRISE_GUEST_X86_MSR_H

#include "guest/x86/cpu.h"

/* False: #GP(0) is the caller's to raise. */
bool x86_rdmsr(struct x86_cpu *c, uint32_t msr, uint64_t *value);
bool x86_wrmsr(struct x86_cpu *c, uint32_t msr, uint64_t value);

#endif
