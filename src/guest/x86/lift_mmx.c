/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MMX: 64-bit operands in the lower half of the vector operations. */
#include "guest/x86/lift_simd.h"
#include "ir/vec/vec.h"

void x86_mmx_begin(struct x86_lift *L)
{
    irb_put(L->b, 1, X86_OFF(x87.top), irb_w(L->b, 0));
    irb_put(L->b, 1, X86_OFF(x87.empty), irb_w(L->b, 0));
}

/* EMMS. */
void lift_mmx_empty(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    irb_put(L->b, 1, X86_OFF(x87.top), irb_w(L->b, 0));
    irb_put(L->b, 1, X86_OFF(x87.empty), irb_w(L->b, 0xff));
}
