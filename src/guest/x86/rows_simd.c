/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SSE and SSE2 moves and integer operations (Intel SDM vol. 2, appendix A). */
#include "guest/x86/cpuid.h"
#include "guest/x86/lift_simd.h"
#include "ir/vec/vec.h"

#define OPS(a, b, c) { OP_##a, OP_##b, OP_##c, OP_NONE }
#define M (ROW_OSZ_MANDATORY | ROW_SSE)
#define S(op, pfx, feature, name, a, b, c, fn, aux, flags) \
    { MAP_0F, op, 0, pfx, -1, -1, OPS(a, b, c), feature, M | (flags), aux, name, fn }
/* SSE2 integer, 66-prefixed: Vx, Wx. */
#define P(op, name, vec) S(op, PFX_66, F_SSE2, name, Vx, Wx, NONE, lift_v2, VEC_##vec, 0)
/* Shift groups: U, imm8. */
#define SG(op, r, name, vec) \
    { MAP_0F, op, 0, PFX_66, r, -1, OPS(Ux, Ib, NONE), F_SSE2, M | ROW_MOD_REG, VEC_##vec, name, lift_v1_imm }

const struct x86_row x86_rows_simd[] = {
    S(0x10, PFX_NP, F_SSE, "movups", Vx, Wxu, NONE, lift_vmov, 0, 0),
    S(0x10, PFX_66, F_SSE2, "movupd", Vx, Wxu, NONE, lift_vmov, 0, 0),
    S(0x10, PFX_F3, F_SSE, "movss", Vx, Wd, NONE, lift_vmov_scalar, VEC_MERGE_W, 0),
    S(0x10, PFX_F2, F_SSE2, "movsd", Vx, Wq, NONE, lift_vmov_scalar, VEC_MERGE_D, 0),
    S(0x11, PFX_NP, F_SSE, "movups", Wxu, Vx, NONE, lift_vmov, 0, 0),
    S(0x11, PFX_66, F_SSE2, "movupd", Wxu, Vx, NONE, lift_vmov, 0, 0),
    S(0x11, PFX_F3, F_SSE, "movss", Wd, Vx, NONE, lift_vmov_scalar, VEC_MERGE_W, 0),
    S(0x11, PFX_F2, F_SSE2, "movsd", Wq, Vx, NONE, lift_vmov_scalar, VEC_MERGE_D, 0),
    S(0x12, PFX_NP, F_SSE, "movlps", Vx, Wq, NONE, lift_vmov_half, 0, ROW_MOD_MEM),
    S(0x12, PFX_NP, F_SSE, "movhlps", Vx, Ux, NONE, lift_vmov_half, 2, ROW_MOD_REG),
    S(0x12, PFX_66, F_SSE2, "movlpd", Vx, Wq, NONE, lift_vmov_half, 0, ROW_MOD_MEM),
    S(0x13, PFX_NP | PFX_66, F_SSE, "movlps", Wq, Vx, NONE, lift_vmov_half, 0, ROW_MOD_MEM),
    S(0x14, PFX_NP, F_SSE, "unpcklps", Vx, Wx, NONE, lift_v2, VEC_UNPACKLO_W, 0),
    S(0x14, PFX_66, F_SSE2, "unpcklpd", Vx, Wx, NONE, lift_v2, VEC_UNPACKLO_D, 0),
    S(0x15, PFX_NP, F_SSE, "unpckhps", Vx, Wx, NONE, lift_v2, VEC_UNPACKHI_W, 0),
    S(0x15, PFX_66, F_SSE2, "unpckhpd", Vx, Wx, NONE, lift_v2, VEC_UNPACKHI_D, 0),
    S(0x16, PFX_NP, F_SSE, "movhps", Vx, Wq, NONE, lift_vmov_half, 1, ROW_MOD_MEM),
    S(0x16, PFX_NP, F_SSE, "movlhps", Vx, Ux, NONE, lift_vmov_half, 1, ROW_MOD_REG),
    S(0x16, PFX_66, F_SSE2, "movhpd", Vx, Wq, NONE, lift_vmov_half, 1, ROW_MOD_MEM),
    S(0x17, PFX_NP | PFX_66, F_SSE, "movhps", Wq, Vx, NONE, lift_vmov_half, 2, ROW_MOD_MEM),
    S(0x28, PFX_NP, F_SSE, "movaps", Vx, Wx, NONE, lift_vmov, 0, 0),
    S(0x28, PFX_66, F_SSE2, "movapd", Vx, Wx, NONE, lift_vmov, 0, 0),
    S(0x29, PFX_NP, F_SSE, "movaps", Wx, Vx, NONE, lift_vmov, 0, 0),
    S(0x29, PFX_66, F_SSE2, "movapd", Wx, Vx, NONE, lift_vmov, 0, 0),
    S(0x2b, PFX_NP, F_SSE, "movntps", Wx, Vx, NONE, lift_vmov, 0, ROW_MOD_MEM),
    S(0x2b, PFX_66, F_SSE2, "movntpd", Wx, Vx, NONE, lift_vmov, 0, ROW_MOD_MEM),
    S(0x50, PFX_NP, F_SSE, "movmskps", Gd, Ux, NONE, lift_vmask, VEC_MASK_W, 0),
    S(0x50, PFX_66, F_SSE2, "movmskpd", Gd, Ux, NONE, lift_vmask, VEC_MASK_D, 0),
    S(0x54, PFX_NP, F_SSE, "andps", Vx, Wx, NONE, lift_v2, VEC_AND, 0),
    S(0x54, PFX_66, F_SSE2, "andpd", Vx, Wx, NONE, lift_v2, VEC_AND, 0),
    S(0x55, PFX_NP, F_SSE, "andnps", Vx, Wx, NONE, lift_v2, VEC_ANDN, 0),
    S(0x55, PFX_66, F_SSE2, "andnpd", Vx, Wx, NONE, lift_v2, VEC_ANDN, 0),
    S(0x56, PFX_NP, F_SSE, "orps", Vx, Wx, NONE, lift_v2, VEC_OR, 0),
    S(0x56, PFX_66, F_SSE2, "orpd", Vx, Wx, NONE, lift_v2, VEC_OR, 0),
    S(0x57, PFX_NP, F_SSE, "xorps", Vx, Wx, NONE, lift_v2, VEC_XOR, 0),
    S(0x57, PFX_66, F_SSE2, "xorpd", Vx, Wx, NONE, lift_v2, VEC_XOR, 0),

    P(0x60, "punpcklbw", UNPACKLO_B), P(0x61, "punpcklwd", UNPACKLO_H), P(0x62, "punpckldq", UNPACKLO_W),
    P(0x63, "packsswb", PACKSS_H), P(0x64, "pcmpgtb", CMPGT_B), P(0x65, "pcmpgtw", CMPGT_H),
    P(0x66, "pcmpgtd", CMPGT_W), P(0x67, "packuswb", PACKUS_H), P(0x68, "punpckhbw", UNPACKHI_B),
    P(0x69, "punpckhwd", UNPACKHI_H), P(0x6a, "punpckhdq", UNPACKHI_W), P(0x6b, "packssdw", PACKSS_W),
    P(0x6c, "punpcklqdq", UNPACKLO_D), P(0x6d, "punpckhqdq", UNPACKHI_D),
    S(0x6e, PFX_66, F_SSE2, "movd", Vx, Ey, NONE, lift_movd, 0, 0),
    S(0x6f, PFX_66, F_SSE2, "movdqa", Vx, Wx, NONE, lift_vmov, 0, 0),
    S(0x6f, PFX_F3, F_SSE2, "movdqu", Vx, Wxu, NONE, lift_vmov, 0, 0),
    S(0x70, PFX_66, F_SSE2, "pshufd", Vx, Wx, Ib, lift_v1_imm, VEC_SHUFFLE_W, 0),
    S(0x70, PFX_F3, F_SSE2, "pshufhw", Vx, Wx, Ib, lift_v1_imm, VEC_SHUFFLEHI_H, 0),
    S(0x70, PFX_F2, F_SSE2, "pshuflw", Vx, Wx, Ib, lift_v1_imm, VEC_SHUFFLELO_H, 0),
    SG(0x71, 2, "psrlw", SHRI_H), SG(0x71, 4, "psraw", SARI_H), SG(0x71, 6, "psllw", SHLI_H),
    SG(0x72, 2, "psrld", SHRI_W), SG(0x72, 4, "psrad", SARI_W), SG(0x72, 6, "pslld", SHLI_W),
    SG(0x73, 2, "psrlq", SHRI_D), SG(0x73, 3, "psrldq", SHR_BYTES), SG(0x73, 6, "psllq", SHLI_D),
    SG(0x73, 7, "pslldq", SHL_BYTES),
    P(0x74, "pcmpeqb", CMPEQ_B), P(0x75, "pcmpeqw", CMPEQ_H), P(0x76, "pcmpeqd", CMPEQ_W),
    S(0x7e, PFX_66, F_SSE2, "movd", Ey, Vx, NONE, lift_movd, 0, 0),
    S(0x7e, PFX_F3, F_SSE2, "movq", Vx, Wq, NONE, lift_movq_store, 0, 0),
    S(0x7f, PFX_66, F_SSE2, "movdqa", Wx, Vx, NONE, lift_vmov, 0, 0),
    S(0x7f, PFX_F3, F_SSE2, "movdqu", Wxu, Vx, NONE, lift_vmov, 0, 0),
    { MAP_0F, 0xae, 0, PFX_NP, 2, -1, OPS(Md, NONE, NONE), F_SSE, M | ROW_MOD_MEM, 0, "ldmxcsr", lift_ldmxcsr },
    { MAP_0F, 0xae, 0, PFX_NP, 3, -1, OPS(Md, NONE, NONE), F_SSE, M | ROW_MOD_MEM, 0, "stmxcsr", lift_stmxcsr },
    S(0xc6, PFX_NP, F_SSE, "shufps", Vx, Wx, Ib, lift_v2_imm, VEC_SHUFFLE2_W, 0),
    S(0xc6, PFX_66, F_SSE2, "shufpd", Vx, Wx, Ib, lift_v2_imm, VEC_SHUFFLE2_D, 0),
    P(0xd1, "psrlw", SHR_H), P(0xd2, "psrld", SHR_W), P(0xd3, "psrlq", SHR_D), P(0xd4, "paddq", ADD_D),
    P(0xd5, "pmullw", MULL_H), S(0xd6, PFX_66, F_SSE2, "movq", Wq, Vx, NONE, lift_movq_store, 0, 0),
    S(0xd7, PFX_66, F_SSE2, "pmovmskb", Gd, Ux, NONE, lift_vmask, VEC_MASK_B, 0),
    P(0xd8, "psubusb", SUBUS_B), P(0xd9, "psubusw", SUBUS_H), P(0xda, "pminub", MINU_B), P(0xdb, "pand", AND),
    P(0xdc, "paddusb", ADDUS_B), P(0xdd, "paddusw", ADDUS_H), P(0xde, "pmaxub", MAXU_B), P(0xdf, "pandn", ANDN),
    P(0xe0, "pavgb", AVG_B), P(0xe1, "psraw", SAR_H), P(0xe2, "psrad", SAR_W), P(0xe3, "pavgw", AVG_H),
    P(0xe4, "pmulhuw", MULHU_H), P(0xe5, "pmulhw", MULHS_H),
    S(0xe7, PFX_66, F_SSE2, "movntdq", Wx, Vx, NONE, lift_vmov, 0, ROW_MOD_MEM),
    P(0xe8, "psubsb", SUBS_B), P(0xe9, "psubsw", SUBS_H), P(0xea, "pminsw", MINS_H), P(0xeb, "por", OR),
    P(0xec, "paddsb", ADDS_B), P(0xed, "paddsw", ADDS_H), P(0xee, "pmaxsw", MAXS_H), P(0xef, "pxor", XOR),
    P(0xf1, "psllw", SHL_H), P(0xf2, "pslld", SHL_W), P(0xf3, "psllq", SHL_D), P(0xf4, "pmuludq", MULU_W),
    P(0xf5, "pmaddwd", MADD_H), P(0xf6, "psadbw", SAD_B), P(0xf8, "psubb", SUB_B), P(0xf9, "psubw", SUB_H),
    P(0xfa, "psubd", SUB_W), P(0xfb, "psubq", SUB_D), P(0xfc, "paddb", ADD_B), P(0xfd, "paddw", ADD_H),
    P(0xfe, "paddd", ADD_W),
    { .lift = NULL },
};
