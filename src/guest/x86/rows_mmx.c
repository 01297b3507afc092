/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MMX, and the MMX forms of SSE, SSE2 and SSSE3 (Intel SDM vol. 2, appendix A). */
#include "guest/x86/cpuid.h"
#include "guest/x86/lift_simd.h"
#include "ir/vec/vec.h"

#define M (ROW_OSZ_MANDATORY | ROW_MMX)
#define ROW(map, op, pfx, reg, feature, name, a, b, c, fn, aux, flags) \
    { map, op, 0, pfx, reg, -1, { OP_##a, OP_##b, OP_##c, OP_NONE }, feature, M | (flags), aux, name, fn }
#define R(op, feature, name, a, b, c, fn, aux, flags) \
    ROW(MAP_0F, op, PFX_NP, -1, feature, name, a, b, c, fn, aux, flags)
/* Lane by lane; with the operands side by side; the upper half of an unpack. */
#define Q(op, feature, name, vec) R(op, feature, name, Pq, Qq, NONE, lift_mmx2, VEC_##vec, 0)
#define PAIR(op, feature, name, vec) R(op, feature, name, Pq, Qq, NONE, lift_mmx2_pair, VEC_##vec, 0)
#define LOW(op, name, vec) R(op, F_MMX, name, Pq, Qd, NONE, lift_mmx2, VEC_##vec, 0)
#define HIGH(op, name, vec) R(op, F_MMX, name, Pq, Qq, NONE, lift_mmx2_high, VEC_##vec, 0)
#define SG(op, reg, name, vec) \
    ROW(MAP_0F, op, PFX_NP, reg, F_MMX, name, Nq, Ib, NONE, lift_mmx_shift, VEC_##vec, ROW_MOD_REG)
/* SSSE3. */
#define S3(op, name, fn, vec) ROW(MAP_0F38, op, PFX_NP, -1, F_SSSE3, name, Pq, Qq, NONE, fn, VEC_##vec, 0)

const struct x86_row x86_rows_mmx[] = {
    LOW(0x60, "punpcklbw", UNPACKLO_B), LOW(0x61, "punpcklwd", UNPACKLO_H), LOW(0x62, "punpckldq", UNPACKLO_W),
    PAIR(0x63, F_MMX, "packsswb", PACKSS_H), Q(0x64, F_MMX, "pcmpgtb", CMPGT_B), Q(0x65, F_MMX, "pcmpgtw", CMPGT_H),
    Q(0x66, F_MMX, "pcmpgtd", CMPGT_W), PAIR(0x67, F_MMX, "packuswb", PACKUS_H),
    HIGH(0x68, "punpckhbw", UNPACKLO_B), HIGH(0x69, "punpckhwd", UNPACKLO_H), HIGH(0x6a, "punpckhdq", UNPACKLO_W),
    PAIR(0x6b, F_MMX, "packssdw", PACKSS_W),
    R(0x6e, F_MMX, "movd", Pq, Ey, NONE, lift_mmx_movd, 0, 0),
    R(0x6f, F_MMX, "movq", Pq, Qq, NONE, lift_mmx_mov, 0, 0),
    R(0x70, F_SSE, "pshufw", Pq, Qq, Ib, lift_mmx1_imm, VEC_SHUFFLELO_H, 0),
    SG(0x71, 2, "psrlw", SHRI_H), SG(0x71, 4, "psraw", SARI_H), SG(0x71, 6, "psllw", SHLI_H),
    SG(0x72, 2, "psrld", SHRI_W), SG(0x72, 4, "psrad", SARI_W), SG(0x72, 6, "pslld", SHLI_W),
    SG(0x73, 2, "psrlq", SHRI_D), SG(0x73, 6, "psllq", SHLI_D),
    Q(0x74, F_MMX, "pcmpeqb", CMPEQ_B), Q(0x75, F_MMX, "pcmpeqw", CMPEQ_H), Q(0x76, F_MMX, "pcmpeqd", CMPEQ_W),
    R(0x77, F_MMX, "emms", NONE, NONE, NONE, lift_mmx_empty, 0, 0),
    R(0x7e, F_MMX, "movd", Ey, Pq, NONE, lift_mmx_movd, 0, 0),
    R(0x7f, F_MMX, "movq", Qq, Pq, NONE, lift_mmx_mov, 0, 0),
    R(0xc4, F_SSE, "pinsrw", Pq, Rd, Ib, lift_mmx_insert, VEC_INSERT_H, ROW_MOD_REG),
    R(0xc4, F_SSE, "pinsrw", Pq, Mw, Ib, lift_mmx_insert, VEC_INSERT_H, ROW_MOD_MEM),
    R(0xc5, F_SSE, "pextrw", Gd, Nq, Ib, lift_mmx_extract, VEC_EXTRACT_H, ROW_MOD_REG),
    Q(0xd1, F_MMX, "psrlw", SHR_H), Q(0xd2, F_MMX, "psrld", SHR_W), Q(0xd3, F_MMX, "psrlq", SHR_D),
    Q(0xd4, F_SSE2, "paddq", ADD_D), Q(0xd5, F_MMX, "pmullw", MULL_H),
    ROW(MAP_0F, 0xd6, PFX_F3, -1, F_SSE2, "movq2dq", Vx, Nq, NONE, lift_movq2dq, 0, ROW_SSE | ROW_MOD_REG),
    ROW(MAP_0F, 0xd6, PFX_F2, -1, F_SSE2, "movdq2q", Pq, Ux, NONE, lift_movdq2q, 0, ROW_SSE | ROW_MOD_REG),
    R(0xd7, F_SSE, "pmovmskb", Gd, Nq, NONE, lift_mmx_extract, VEC_MASK_B, ROW_MOD_REG),
    Q(0xd8, F_MMX, "psubusb", SUBUS_B), Q(0xd9, F_MMX, "psubusw", SUBUS_H), Q(0xda, F_SSE, "pminub", MINU_B),
    Q(0xdb, F_MMX, "pand", AND), Q(0xdc, F_MMX, "paddusb", ADDUS_B), Q(0xdd, F_MMX, "paddusw", ADDUS_H),
    Q(0xde, F_SSE, "pmaxub", MAXU_B), Q(0xdf, F_MMX, "pandn", ANDN), Q(0xe0, F_SSE, "pavgb", AVG_B),
    Q(0xe1, F_MMX, "psraw", SAR_H), Q(0xe2, F_MMX, "psrad", SAR_W), Q(0xe3, F_SSE, "pavgw", AVG_H),
    Q(0xe4, F_SSE, "pmulhuw", MULHU_H), Q(0xe5, F_MMX, "pmulhw", MULHS_H),
    R(0xe7, F_SSE, "movntq", Qq, Pq, NONE, lift_mmx_mov, 0, ROW_MOD_MEM),
    Q(0xe8, F_MMX, "psubsb", SUBS_B), Q(0xe9, F_MMX, "psubsw", SUBS_H), Q(0xea, F_SSE, "pminsw", MINS_H),
    Q(0xeb, F_MMX, "por", OR), Q(0xec, F_MMX, "paddsb", ADDS_B), Q(0xed, F_MMX, "paddsw", ADDS_H),
    Q(0xee, F_SSE, "pmaxsw", MAXS_H), Q(0xef, F_MMX, "pxor", XOR), Q(0xf1, F_MMX, "psllw", SHL_H),
    Q(0xf2, F_MMX, "pslld", SHL_W), Q(0xf3, F_MMX, "psllq", SHL_D), Q(0xf4, F_SSE2, "pmuludq", MULU_W),
    Q(0xf5, F_MMX, "pmaddwd", MADD_H), Q(0xf6, F_SSE, "psadbw", SAD_B),
    R(0xf7, F_SSE, "maskmovq", Pq, Nq, NONE, lift_mmx_maskmov, 0, ROW_MOD_REG),
    Q(0xf8, F_MMX, "psubb", SUB_B), Q(0xf9, F_MMX, "psubw", SUB_H), Q(0xfa, F_MMX, "psubd", SUB_W),
    Q(0xfb, F_SSE2, "psubq", SUB_D), Q(0xfc, F_MMX, "paddb", ADD_B), Q(0xfd, F_MMX, "paddw", ADD_H),
    Q(0xfe, F_MMX, "paddd", ADD_W),

    S3(0x00, "pshufb", lift_mmx_pshufb, SHUFFLE_B), S3(0x01, "phaddw", lift_mmx2_pair, HADD_H),
    S3(0x02, "phaddd", lift_mmx2_pair, HADD_W), S3(0x03, "phaddsw", lift_mmx2_pair, HADDS_H),
    S3(0x04, "pmaddubsw", lift_mmx2, MADDUS_B), S3(0x05, "phsubw", lift_mmx2_pair, HSUB_H),
    S3(0x06, "phsubd", lift_mmx2_pair, HSUB_W), S3(0x07, "phsubsw", lift_mmx2_pair, HSUBS_H),
    S3(0x08, "psignb", lift_mmx2, SIGN_B), S3(0x09, "psignw", lift_mmx2, SIGN_H), S3(0x0a, "psignd", lift_mmx2, SIGN_W),
    S3(0x0b, "pmulhrsw", lift_mmx2, MULHRS_H), S3(0x1c, "pabsb", lift_mmx1_imm, ABS_B),
    S3(0x1d, "pabsw", lift_mmx1_imm, ABS_H), S3(0x1e, "pabsd", lift_mmx1_imm, ABS_W),
    ROW(MAP_0F3A, 0x0f, PFX_NP, -1, F_SSSE3, "palignr", Pq, Qq, Ib, lift_mmx_align, VEC_SHR_BYTES, 0),
    { .lift = NULL },
};
