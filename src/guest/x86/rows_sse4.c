/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moves and integer operations of SSE3 .. SSE4.2, AES, PCLMULQDQ, and single lanes (Intel SDM vol. 2, appendix A). */
#include "guest/x86/cpuid.h"
#include "guest/x86/lift_simd.h"
#include "ir/vec/vec.h"

#define ROW(map, op, pfx, feature, name, a, b, c, fn, aux, flags) \
    { map, op, 0, pfx, -1, -1, { OP_##a, OP_##b, OP_##c, OP_NONE }, feature, ROW_OSZ_MANDATORY | ROW_SSE | (flags), \
      aux, name, fn }
#define S(op, pfx, feature, name, a, b, c, fn, aux, flags) ROW(MAP_0F, op, pfx, feature, name, a, b, c, fn, aux, flags)
/* 66 0F 38 and 66 0F 3A. */
#define T(op, feature, name, b, fn, aux, flags) \
    ROW(MAP_0F38, op, PFX_66, feature, name, Vx, b, NONE, fn, aux, flags)
#define I3(op, feature, name, a, b, fn, aux, flags) ROW(MAP_0F3A, op, PFX_66, feature, name, a, b, Ib, fn, aux, flags)
#define P3(op, name, vec) T(op, F_SSSE3, name, Wx, lift_v2, VEC_##vec, 0)
#define P41(op, name, vec) T(op, F_SSE4_1, name, Wx, lift_v2, VEC_##vec, 0)
#define EXT(op, name, from, vec) T(op, F_SSE4_1, name, from, lift_v1, VEC_##vec, 0)
#define AES(op, name, vec) T(op, F_AES, name, Wx, lift_v2, VEC_##vec, 0)

const struct x86_row x86_rows_sse4[] = {
    S(0x12, PFX_F2, F_SSE3, "movddup", Vx, Wq, NONE, lift_movddup, 0, 0),
    S(0x12, PFX_F3, F_SSE3, "movsldup", Vx, Wx, NONE, lift_movdup, 0xa0, 0),
    S(0x16, PFX_F3, F_SSE3, "movshdup", Vx, Wx, NONE, lift_movdup, 0xf5, 0),
    S(0xc4, PFX_66, F_SSE2, "pinsrw", Vx, Rd, Ib, lift_pinsr, VEC_INSERT_H, ROW_MOD_REG),
    S(0xc4, PFX_66, F_SSE2, "pinsrw", Vx, Mw, Ib, lift_pinsr, VEC_INSERT_H, ROW_MOD_MEM),
    S(0xc5, PFX_66, F_SSE2, "pextrw", Gd, Ux, Ib, lift_pextr, VEC_EXTRACT_H, ROW_MOD_REG),
    S(0xf0, PFX_F2, F_SSE3, "lddqu", Vx, Wxu, NONE, lift_vmov, 0, ROW_MOD_MEM),
    S(0xf7, PFX_66, F_SSE2, "maskmovdqu", Vx, Ux, NONE, lift_maskmov, 0, ROW_MOD_REG),

    P3(0x00, "pshufb", SHUFFLE_B), P3(0x01, "phaddw", HADD_H), P3(0x02, "phaddd", HADD_W), P3(0x03, "phaddsw", HADDS_H),
    P3(0x04, "pmaddubsw", MADDUS_B), P3(0x05, "phsubw", HSUB_H), P3(0x06, "phsubd", HSUB_W),
    P3(0x07, "phsubsw", HSUBS_H), P3(0x08, "psignb", SIGN_B), P3(0x09, "psignw", SIGN_H), P3(0x0a, "psignd", SIGN_W),
    P3(0x0b, "pmulhrsw", MULHRS_H),
    T(0x10, F_SSE4_1, "pblendvb", Wx, lift_blendv, VEC_BLENDV_B, 0),
    T(0x14, F_SSE4_1, "blendvps", Wx, lift_blendv, VEC_BLENDV_W, 0),
    T(0x15, F_SSE4_1, "blendvpd", Wx, lift_blendv, VEC_BLENDV_D, 0),
    T(0x17, F_SSE4_1, "ptest", Wx, lift_ptest, 0, 0),
    T(0x1c, F_SSSE3, "pabsb", Wx, lift_v1, VEC_ABS_B, 0), T(0x1d, F_SSSE3, "pabsw", Wx, lift_v1, VEC_ABS_H, 0),
    T(0x1e, F_SSSE3, "pabsd", Wx, lift_v1, VEC_ABS_W, 0),
    EXT(0x20, "pmovsxbw", Wq, SEXT_BH), EXT(0x21, "pmovsxbd", Wd, SEXT_BW), EXT(0x22, "pmovsxbq", Ww, SEXT_BD),
    EXT(0x23, "pmovsxwd", Wq, SEXT_HW), EXT(0x24, "pmovsxwq", Wd, SEXT_HD), EXT(0x25, "pmovsxdq", Wq, SEXT_WD),
    P41(0x28, "pmuldq", MULS_W), P41(0x29, "pcmpeqq", CMPEQ_D),
    T(0x2a, F_SSE4_1, "movntdqa", Wx, lift_vmov, 0, ROW_MOD_MEM),
    P41(0x2b, "packusdw", PACKUS_W),
    EXT(0x30, "pmovzxbw", Wq, ZEXT_BH), EXT(0x31, "pmovzxbd", Wd, ZEXT_BW), EXT(0x32, "pmovzxbq", Ww, ZEXT_BD),
    EXT(0x33, "pmovzxwd", Wq, ZEXT_HW), EXT(0x34, "pmovzxwq", Wd, ZEXT_HD), EXT(0x35, "pmovzxdq", Wq, ZEXT_WD),
    T(0x37, F_SSE4_2, "pcmpgtq", Wx, lift_v2, VEC_CMPGT_D, 0),
    P41(0x38, "pminsb", MINS_B), P41(0x39, "pminsd", MINS_W), P41(0x3a, "pminuw", MINU_H), P41(0x3b, "pminud", MINU_W),
    P41(0x3c, "pmaxsb", MAXS_B), P41(0x3d, "pmaxsd", MAXS_W), P41(0x3e, "pmaxuw", MAXU_H), P41(0x3f, "pmaxud", MAXU_W),
    P41(0x40, "pmulld", MULL_W),
    T(0x41, F_SSE4_1, "phminposuw", Wx, lift_v1, VEC_MINPOS_H, 0),
    T(0xdb, F_AES, "aesimc", Wx, lift_v1, VEC_AESIMC, 0),
    AES(0xdc, "aesenc", AESENC), AES(0xdd, "aesenclast", AESENCLAST), AES(0xde, "aesdec", AESDEC),
    AES(0xdf, "aesdeclast", AESDECLAST),

    I3(0x0c, F_SSE4_1, "blendps", Vx, Wx, lift_v2_imm, VEC_BLEND_W, 0),
    I3(0x0d, F_SSE4_1, "blendpd", Vx, Wx, lift_v2_imm, VEC_BLEND_D, 0),
    I3(0x0e, F_SSE4_1, "pblendw", Vx, Wx, lift_v2_imm, VEC_BLEND_H, 0),
    I3(0x0f, F_SSSE3, "palignr", Vx, Wx, lift_v2_imm, VEC_ALIGN, 0),
    I3(0x14, F_SSE4_1, "pextrb", Rd, Vx, lift_pextr, VEC_EXTRACT_B, ROW_MOD_REG),
    I3(0x14, F_SSE4_1, "pextrb", Mb, Vx, lift_pextr, VEC_EXTRACT_B, ROW_MOD_MEM),
    I3(0x15, F_SSE4_1, "pextrw", Rd, Vx, lift_pextr, VEC_EXTRACT_H, ROW_MOD_REG),
    I3(0x15, F_SSE4_1, "pextrw", Mw, Vx, lift_pextr, VEC_EXTRACT_H, ROW_MOD_MEM),
    I3(0x16, F_SSE4_1, "pextrd", Ey, Vx, lift_pextr, VEC_EXTRACT_W, 0),
    I3(0x17, F_SSE4_1, "extractps", Ed, Vx, lift_pextr, VEC_EXTRACT_W, 0),
    I3(0x20, F_SSE4_1, "pinsrb", Vx, Rd, lift_pinsr, VEC_INSERT_B, ROW_MOD_REG),
    I3(0x20, F_SSE4_1, "pinsrb", Vx, Mb, lift_pinsr, VEC_INSERT_B, ROW_MOD_MEM),
    I3(0x21, F_SSE4_1, "insertps", Vx, Ux, lift_insertps, 0, ROW_MOD_REG),
    I3(0x21, F_SSE4_1, "insertps", Vx, Wd, lift_insertps, 0, ROW_MOD_MEM),
    I3(0x22, F_SSE4_1, "pinsrd", Vx, Ey, lift_pinsr, VEC_INSERT_W, 0),
    I3(0x42, F_SSE4_1, "mpsadbw", Vx, Wx, lift_v2_imm, VEC_MPSAD_B, 0),
    I3(0x44, F_PCLMULQDQ, "pclmulqdq", Vx, Wx, lift_v2_imm, VEC_CLMUL, 0),
    I3(0x60, F_SSE4_2, "pcmpestrm", Vx, Wxu, lift_pcmpstr, 3, 0),
    I3(0x61, F_SSE4_2, "pcmpestri", Vx, Wxu, lift_pcmpstr, 1, 0),
    I3(0x62, F_SSE4_2, "pcmpistrm", Vx, Wxu, lift_pcmpstr, 2, 0),
    I3(0x63, F_SSE4_2, "pcmpistri", Vx, Wxu, lift_pcmpstr, 0, 0),
    I3(0xdf, F_AES, "aeskeygenassist", Vx, Wx, lift_v1_imm, VEC_AESKEYGEN, 0),
    { .lift = NULL },
};
