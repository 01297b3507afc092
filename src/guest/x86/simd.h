/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPRISE_GUEST_X86_SIMD_H
#define REPRISE_GUEST_X86_SIMD_H

#include "guest/x86/cpu.h"

/* guest_ops.fp_trap: an unmasked SSE exception (SDM vol. 1, 11.5.2). */
void x86_fp_trap(struct vcpu *v);

#endif
