/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The assembler's vector instructions.  Those named v... are VEX-encoded: they need host AVX, clear bits 128 and up,
 * and take unaligned memory, but for the a in movaps.  The others are plain SSE2, for any host.
 */
#ifndef REPRISE_ENGINE_X64_SIMD_H
#define REPRISE_ENGINE_X64_SIMD_H

#include "engine/x64/encode.h"

static inline void x64_ldmxcsr(struct x64_asm *a, struct x64_mem m)
{
    x64_op_rm(a, X64_0F | 0xae, 32, 2, m, 0);
}
static inline void x64_stmxcsr(struct x64_asm *a, struct x64_mem m)
{
    x64_op_rm(a, X64_0F | 0xae, 32, 3, m, 0);
}

/* ---- SSE2 moves ---------------------------------------------------------------------------------------------- */

enum {
    X64_MOVUPS = X64_0F | 0x10, X64_MOVAPS = X64_0F | 0x28, X64_MOVDQU = X64_0F | X64_F3 | 0x6f,
    X64_MOVDQA = X64_0F | X64_66 | 0x6f, X64_MOVSS = X64_0F | X64_F3 | 0x10, X64_MOVSD = X64_0F | X64_F2 | 0x10,
};

static inline void x64_movaps_xx(struct x64_asm *a, unsigned dst, unsigned src)
{
    x64_op_rr(a, X64_MOVAPS, 32, dst, src, 0);
}
static inline void x64_movaps_xm(struct x64_asm *a, unsigned dst, struct x64_mem m)
{
    x64_op_rm(a, X64_MOVAPS, 32, dst, m, 0);
}
static inline void x64_movaps_mx(struct x64_asm *a, struct x64_mem m, unsigned src)
{
    x64_op_rm(a, X64_MOVAPS | 1, 32, src, m, 0);
}
static inline void x64_movups_xm(struct x64_asm *a, unsigned dst, struct x64_mem m)
{
    x64_op_rm(a, X64_MOVUPS, 32, dst, m, 0);
}
static inline void x64_movups_mx(struct x64_asm *a, struct x64_mem m, unsigned src)
{
    x64_op_rm(a, X64_MOVUPS | 1, 32, src, m, 0);
}
static inline void x64_movdqu_xm(struct x64_asm *a, unsigned dst, struct x64_mem m)
{
    x64_op_rm(a, X64_MOVDQU, 32, dst, m, 0);
}
static inline void x64_movdqu_mx(struct x64_asm *a, struct x64_mem m, unsigned src)
{
    x64_op_rm(a, X64_MOVDQU | 0x10, 32, src, m, 0);
}
/* MOVD, MOVQ: w 32 or 64; an XMM register's other bits become 0. */
static inline void x64_movd_xr(struct x64_asm *a, unsigned w, unsigned dst, unsigned src)
{
    x64_op_rr(a, X64_0F | X64_66 | 0x6e, w, dst, src, 0);
}
static inline void x64_movd_rx(struct x64_asm *a, unsigned w, unsigned dst, unsigned src)
{
    x64_op_rr(a, X64_0F | X64_66 | 0x7e, w, src, dst, 0);
}
static inline void x64_movd_xm(struct x64_asm *a, unsigned w, unsigned dst, struct x64_mem m)
{
    x64_op_rm(a, w == 64 ? X64_0F | X64_F3 | 0x7e : X64_0F | X64_66 | 0x6e, 32, dst, m, 0);
}
static inline void x64_movd_mx(struct x64_asm *a, unsigned w, struct x64_mem m, unsigned src)
{
    x64_op_rm(a, X64_0F | X64_66 | (w == 64 ? 0xd6 : 0x7e), 32, src, m, 0);
}

/* ---- AVX moves ----------------------------------------------------------------------------------------------- */

static inline void x64_vmovaps_xx(struct x64_asm *a, unsigned dst, unsigned src)
{
    if (src >= 8 && dst < 8) /* the store form has the shorter prefix */
        x64_vex_rr(a, X64_VEX(0, 1, 0, 0x29), src, 0, dst);
    else
        x64_vex_rr(a, X64_VEX(0, 1, 0, 0x28), dst, 0, src);
}
static inline void x64_vmovaps_xm(struct x64_asm *a, unsigned dst, struct x64_mem m)
{
    x64_vex_rm(a, X64_VEX(0, 1, 0, 0x28), dst, 0, m);
}
static inline void x64_vmovaps_mx(struct x64_asm *a, struct x64_mem m, unsigned src)
{
    x64_vex_rm(a, X64_VEX(0, 1, 0, 0x29), src, 0, m);
}
static inline void x64_vmovups_xm(struct x64_asm *a, unsigned dst, struct x64_mem m)
{
    x64_vex_rm(a, X64_VEX(0, 1, 0, 0x10), dst, 0, m);
}
static inline void x64_vmovups_mx(struct x64_asm *a, struct x64_mem m, unsigned src)
{
    x64_vex_rm(a, X64_VEX(0, 1, 0, 0x11), src, 0, m);
}
static inline void x64_vmovdqu_xm(struct x64_asm *a, unsigned dst, struct x64_mem m)
{
    x64_vex_rm(a, X64_VEX(2, 1, 0, 0x6f), dst, 0, m);
}
static inline void x64_vmovdqu_mx(struct x64_asm *a, struct x64_mem m, unsigned src)
{
    x64_vex_rm(a, X64_VEX(2, 1, 0, 0x7f), src, 0, m);
}
/* VMOVD, VMOVQ: w 32 or 64; an XMM register's other bits become 0. */
static inline void x64_vmovd_xr(struct x64_asm *a, unsigned w, unsigned dst, unsigned src)
{
    x64_vex_rr(a, X64_VEX(1, 1, 0, 0x6e) | (w == 64 ? X64_VEX_W : 0), dst, 0, src);
}
static inline void x64_vmovd_rx(struct x64_asm *a, unsigned w, unsigned dst, unsigned src)
{
    x64_vex_rr(a, X64_VEX(1, 1, 0, 0x7e) | (w == 64 ? X64_VEX_W : 0), src, 0, dst);
}
static inline void x64_vmovd_xm(struct x64_asm *a, unsigned w, unsigned dst, struct x64_mem m)
{
    x64_vex_rm(a, w == 64 ? X64_VEX(2, 1, 0, 0x7e) : X64_VEX(1, 1, 0, 0x6e), dst, 0, m);
}
static inline void x64_vmovd_mx(struct x64_asm *a, unsigned w, struct x64_mem m, unsigned src)
{
    x64_vex_rm(a, w == 64 ? X64_VEX(1, 1, 0, 0xd6) : X64_VEX(1, 1, 0, 0x7e), src, 0, m);
}
/* The low 64 bits; the rest becomes 0. */
static inline void x64_vmovq_xx(struct x64_asm *a, unsigned dst, unsigned src)
{
    x64_vex_rr(a, X64_VEX(2, 1, 0, 0x7e), dst, 0, src);
}
static inline void x64_vzero(struct x64_asm *a, unsigned dst)
{
    x64_vex_rr(a, X64_VEX(0, 1, 0, 0x57), dst, dst & 7, dst & 7);
}

#endif
