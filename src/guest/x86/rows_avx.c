/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moves and integer operations of AVX and AVX2, VAES, VPCLMULQDQ (Intel SDM vol. 2, each instruction's page). */
#include "guest/x86/cpuid.h"
#include "guest/x86/lift_avx.h"
#include "guest/x86/lift_simd.h"

#define ROW(map, op, pfx, reg, feature, name, a, b, c, d, fn, aux, flags)                                            \
    { map, op, 0, pfx, reg, -1, { OP_##a, OP_##b, OP_##c, OP_##d }, feature, ROW_VEX | ROW_AVX | (flags), aux, name, \
      fn }
/* Maps 0F, 0F 38 (prefix 66), 0F 3A (prefix 66). */
#define S(op, pfx, name, a, b, c, d, fn, aux, flags) ROW(MAP_0F, op, pfx, -1, F_AVX, name, a, b, c, d, fn, aux, flags)
#define T(op, feature, name, a, b, c, d, fn, aux, flags) \
    ROW(MAP_0F38, op, PFX_66, -1, feature, name, a, b, c, d, fn, aux, flags)
#define I3(op, feature, name, a, b, c, d, fn, aux, flags) \
    ROW(MAP_0F3A, op, PFX_66, -1, feature, name, a, b, c, d, fn, aux, flags)
#define L0 ROW_VEX_L0
#define L1 ROW_VEX_L1
#define W0 ROW_W0
#define W1 ROW_W1
#define MEM ROW_MOD_MEM
#define REG ROW_MOD_REG
#define ALIGNED VEX_AUX(0, 1)
#define ALL128 VEC_OP_COUNT

/* Integer: Vx, Hx, Wx; 256 bits with AVX2. */
#define P(op, name, vec) S(op, PFX_66, name, Vx, Hx, Wx, NONE, lift_vex2, VEC_##vec, ROW_L1_AVX2)
#define P8(op, name, vec) T(op, F_AVX, name, Vx, Hx, Wx, NONE, lift_vex2, VEC_##vec, ROW_L1_AVX2)
#define ABS(op, name, vec) T(op, F_AVX, name, Vx, Wx, NONE, NONE, lift_vex1, VEC_##vec, ROW_L1_AVX2)
/* Shifts by an XMM register's count, by an immediate. */
#define SH(op, name, vec) S(op, PFX_66, name, Vx, Hx, Wdq, NONE, lift_vex_shift, VEC_##vec, ROW_L1_AVX2)
#define SG(op, reg, name, vec) \
    ROW(MAP_0F, op, PFX_66, reg, F_AVX, name, Hx, Ux, Ib, NONE, lift_vex1, VEC_##vec, ROW_L1_AVX2 | REG)
/* Logic and unpacks of floating-point lanes: single NP, double 66; 256 bits with AVX. */
#define FP(op, name, vec_s, vec_d)                                                   \
    S(op, PFX_NP, name "ps", Vx, Hx, Wx, NONE, lift_vex2, VEC_##vec_s, 0),           \
    S(op, PFX_66, name "pd", Vx, Hx, Wx, NONE, lift_vex2, VEC_##vec_d, 0)
#define EXT(op, name, from, vec) T(op, F_AVX, name, Vx, from, NONE, NONE, lift_vex_extend, VEC_##vec, ROW_L1_AVX2)
#define VARIABLE(op, w, name, vec) T(op, F_AVX2, name, Vx, Hx, Wx, NONE, lift_vex2, VEC_##vec, w)
#define BROADCAST(op, feature, name, from, what, flags) \
    T(op, feature, name, Vx, from, NONE, NONE, lift_vex_broadcast, what, W0 | (flags))
#define AES(op, name, vec)                                                           \
    T(op, F_AES, name, Vx, Hx, Wx, NONE, lift_vex2, VEC_##vec, L0),                  \
    T(op, F_VAES, name, Vx, Hx, Wx, NONE, lift_vex2, VEC_##vec, L1)
#define GATHER(op, w, name, size, index) \
    T(op, F_AVX2, name, Vx, M, Hx, NONE, lift_vex_gather, VEX_AUX(size, index), w | ROW_VSIB)

const struct x86_row x86_rows_avx[] = {
    S(0x10, PFX_NP, "vmovups", Vx, Wx, NONE, NONE, lift_vex_mov, 0, 0),
    S(0x10, PFX_66, "vmovupd", Vx, Wx, NONE, NONE, lift_vex_mov, 0, 0),
    S(0x10, PFX_F3, "vmovss", Vdq, Wd, NONE, NONE, lift_vex_mov, 0, MEM),
    S(0x10, PFX_F3, "vmovss", Vdq, Hdq, Udq, NONE, lift_vex2, VEC_MERGE_W, REG),
    S(0x10, PFX_F2, "vmovsd", Vdq, Wq, NONE, NONE, lift_vex_mov, 0, MEM),
    S(0x10, PFX_F2, "vmovsd", Vdq, Hdq, Udq, NONE, lift_vex2, VEC_MERGE_D, REG),
    S(0x11, PFX_NP, "vmovups", Wx, Vx, NONE, NONE, lift_vex_mov, 0, 0),
    S(0x11, PFX_66, "vmovupd", Wx, Vx, NONE, NONE, lift_vex_mov, 0, 0),
    S(0x11, PFX_F3, "vmovss", Wd, Vdq, NONE, NONE, lift_vex_mov, 0, MEM),
    S(0x11, PFX_F3, "vmovss", Udq, Hdq, Vdq, NONE, lift_vex2, VEC_MERGE_W, REG),
    S(0x11, PFX_F2, "vmovsd", Wq, Vdq, NONE, NONE, lift_vex_mov, 0, MEM),
    S(0x11, PFX_F2, "vmovsd", Udq, Hdq, Vdq, NONE, lift_vex2, VEC_MERGE_D, REG),
    S(0x12, PFX_NP, "vmovlps", Vdq, Hdq, Wq, NONE, lift_vex_mov_half, 0, L0 | MEM),
    S(0x12, PFX_NP, "vmovhlps", Vdq, Hdq, Udq, NONE, lift_vex_mov_half, 2, L0 | REG),
    S(0x12, PFX_66, "vmovlpd", Vdq, Hdq, Wq, NONE, lift_vex_mov_half, 0, L0 | MEM),
    S(0x12, PFX_F2, "vmovddup", Vx, Wq, NONE, NONE, lift_vex_dup, VEC_UNPACKLO_D, L0),
    S(0x12, PFX_F2, "vmovddup", Vx, Wx, NONE, NONE, lift_vex_dup, VEC_UNPACKLO_D, L1),
    S(0x12, PFX_F3, "vmovsldup", Vx, Wx, NONE, NONE, lift_vex_movdup, VEX_AUX(0, 0xa0), 0),
    S(0x13, PFX_NP | PFX_66, "vmovlps", Wq, Vdq, NONE, NONE, lift_vmov_half, 0, L0 | MEM),
    FP(0x14, "vunpckl", UNPACKLO_W, UNPACKLO_D),
    FP(0x15, "vunpckh", UNPACKHI_W, UNPACKHI_D),
    S(0x16, PFX_NP, "vmovhps", Vdq, Hdq, Wq, NONE, lift_vex_mov_half, 1, L0 | MEM),
    S(0x16, PFX_NP, "vmovlhps", Vdq, Hdq, Udq, NONE, lift_vex_mov_half, 1, L0 | REG),
    S(0x16, PFX_66, "vmovhpd", Vdq, Hdq, Wq, NONE, lift_vex_mov_half, 1, L0 | MEM),
    S(0x16, PFX_F3, "vmovshdup", Vx, Wx, NONE, NONE, lift_vex_movdup, VEX_AUX(0, 0xf5), 0),
    S(0x17, PFX_NP | PFX_66, "vmovhps", Wq, Vdq, NONE, NONE, lift_vmov_half, 2, L0 | MEM),
    S(0x28, PFX_NP, "vmovaps", Vx, Wx, NONE, NONE, lift_vex_mov, ALIGNED, 0),
    S(0x28, PFX_66, "vmovapd", Vx, Wx, NONE, NONE, lift_vex_mov, ALIGNED, 0),
    S(0x29, PFX_NP, "vmovaps", Wx, Vx, NONE, NONE, lift_vex_mov, ALIGNED, 0),
    S(0x29, PFX_66, "vmovapd", Wx, Vx, NONE, NONE, lift_vex_mov, ALIGNED, 0),
    S(0x2b, PFX_NP, "vmovntps", Wx, Vx, NONE, NONE, lift_vex_mov, ALIGNED, MEM),
    S(0x2b, PFX_66, "vmovntpd", Wx, Vx, NONE, NONE, lift_vex_mov, ALIGNED, MEM),
    S(0x50, PFX_NP, "vmovmskps", Gd, Ux, NONE, NONE, lift_vex_mask, VEX_AUX(VEC_MASK_W, 4), REG),
    S(0x50, PFX_66, "vmovmskpd", Gd, Ux, NONE, NONE, lift_vex_mask, VEX_AUX(VEC_MASK_D, 2), REG),
    FP(0x54, "vand", AND, AND), FP(0x55, "vandn", ANDN, ANDN), FP(0x56, "vor", OR, OR), FP(0x57, "vxor", XOR, XOR),

    P(0x60, "vpunpcklbw", UNPACKLO_B), P(0x61, "vpunpcklwd", UNPACKLO_H), P(0x62, "vpunpckldq", UNPACKLO_W),
    P(0x63, "vpacksswb", PACKSS_H), P(0x64, "vpcmpgtb", CMPGT_B), P(0x65, "vpcmpgtw", CMPGT_H),
    P(0x66, "vpcmpgtd", CMPGT_W), P(0x67, "vpackuswb", PACKUS_H), P(0x68, "vpunpckhbw", UNPACKHI_B),
    P(0x69, "vpunpckhwd", UNPACKHI_H), P(0x6a, "vpunpckhdq", UNPACKHI_W), P(0x6b, "vpackssdw", PACKSS_W),
    P(0x6c, "vpunpcklqdq", UNPACKLO_D), P(0x6d, "vpunpckhqdq", UNPACKHI_D),
    S(0x6e, PFX_66, "vmovd", Vdq, Ey, NONE, NONE, lift_vex_movd, 0, L0),
    S(0x6f, PFX_66, "vmovdqa", Vx, Wx, NONE, NONE, lift_vex_mov, ALIGNED, 0),
    S(0x6f, PFX_F3, "vmovdqu", Vx, Wx, NONE, NONE, lift_vex_mov, 0, 0),
    S(0x70, PFX_66, "vpshufd", Vx, Wx, Ib, NONE, lift_vex1, VEC_SHUFFLE_W, ROW_L1_AVX2),
    S(0x70, PFX_F3, "vpshufhw", Vx, Wx, Ib, NONE, lift_vex1, VEC_SHUFFLEHI_H, ROW_L1_AVX2),
    S(0x70, PFX_F2, "vpshuflw", Vx, Wx, Ib, NONE, lift_vex1, VEC_SHUFFLELO_H, ROW_L1_AVX2),
    SG(0x71, 2, "vpsrlw", SHRI_H), SG(0x71, 4, "vpsraw", SARI_H), SG(0x71, 6, "vpsllw", SHLI_H),
    SG(0x72, 2, "vpsrld", SHRI_W), SG(0x72, 4, "vpsrad", SARI_W), SG(0x72, 6, "vpslld", SHLI_W),
    SG(0x73, 2, "vpsrlq", SHRI_D), SG(0x73, 3, "vpsrldq", SHR_BYTES), SG(0x73, 6, "vpsllq", SHLI_D),
    SG(0x73, 7, "vpslldq", SHL_BYTES),
    P(0x74, "vpcmpeqb", CMPEQ_B), P(0x75, "vpcmpeqw", CMPEQ_H), P(0x76, "vpcmpeqd", CMPEQ_W),
    S(0x77, PFX_NP, "vzeroupper", NONE, NONE, NONE, NONE, lift_vzero, 0, L0),
    S(0x77, PFX_NP, "vzeroall", NONE, NONE, NONE, NONE, lift_vzero, 0, L1),
    S(0x7e, PFX_66, "vmovd", Ey, Vdq, NONE, NONE, lift_movd, 0, L0),
    S(0x7e, PFX_F3, "vmovq", Vdq, Wq, NONE, NONE, lift_vex_movq, 0, L0),
    S(0x7f, PFX_66, "vmovdqa", Wx, Vx, NONE, NONE, lift_vex_mov, ALIGNED, 0),
    S(0x7f, PFX_F3, "vmovdqu", Wx, Vx, NONE, NONE, lift_vex_mov, 0, 0),
    ROW(MAP_0F, 0xae, PFX_NP, 2, F_AVX, "vldmxcsr", Md, NONE, NONE, NONE, lift_ldmxcsr, 0, L0 | MEM),
    ROW(MAP_0F, 0xae, PFX_NP, 3, F_AVX, "vstmxcsr", Md, NONE, NONE, NONE, lift_stmxcsr, 0, L0 | MEM),
    S(0xc4, PFX_66, "vpinsrw", Vdq, Hdq, Rd, Ib, lift_vex_pinsr, VEC_INSERT_H, L0 | REG),
    S(0xc4, PFX_66, "vpinsrw", Vdq, Hdq, Mw, Ib, lift_vex_pinsr, VEC_INSERT_H, L0 | MEM),
    S(0xc5, PFX_66, "vpextrw", Gd, Udq, Ib, NONE, lift_pextr, VEC_EXTRACT_H, L0 | REG),
    S(0xc6, PFX_NP, "vshufps", Vx, Hx, Wx, Ib, lift_vex2, VEC_SHUFFLE2_W, 0),
    S(0xc6, PFX_66, "vshufpd", Vx, Hx, Wx, Ib, lift_vex2, VEX_AUX(VEC_SHUFFLE2_D, 2), 0),
    SH(0xd1, "vpsrlw", SHR_H), SH(0xd2, "vpsrld", SHR_W), SH(0xd3, "vpsrlq", SHR_D), P(0xd4, "vpaddq", ADD_D),
    P(0xd5, "vpmullw", MULL_H), S(0xd6, PFX_66, "vmovq", Wq, Vdq, NONE, NONE, lift_vex_movq, 0, L0),
    S(0xd7, PFX_66, "vpmovmskb", Gd, Ux, NONE, NONE, lift_vex_mask, VEX_AUX(VEC_MASK_B, 16), ROW_L1_AVX2 | REG),
    P(0xd8, "vpsubusb", SUBUS_B), P(0xd9, "vpsubusw", SUBUS_H), P(0xda, "vpminub", MINU_B), P(0xdb, "vpand", AND),
    P(0xdc, "vpaddusb", ADDUS_B), P(0xdd, "vpaddusw", ADDUS_H), P(0xde, "vpmaxub", MAXU_B), P(0xdf, "vpandn", ANDN),
    P(0xe0, "vpavgb", AVG_B), SH(0xe1, "vpsraw", SAR_H), SH(0xe2, "vpsrad", SAR_W), P(0xe3, "vpavgw", AVG_H),
    P(0xe4, "vpmulhuw", MULHU_H), P(0xe5, "vpmulhw", MULHS_H),
    S(0xe7, PFX_66, "vmovntdq", Wx, Vx, NONE, NONE, lift_vex_mov, ALIGNED, MEM),
    P(0xe8, "vpsubsb", SUBS_B), P(0xe9, "vpsubsw", SUBS_H), P(0xea, "vpminsw", MINS_H), P(0xeb, "vpor", OR),
    P(0xec, "vpaddsb", ADDS_B), P(0xed, "vpaddsw", ADDS_H), P(0xee, "vpmaxsw", MAXS_H), P(0xef, "vpxor", XOR),
    S(0xf0, PFX_F2, "vlddqu", Vx, Wx, NONE, NONE, lift_vex_mov, 0, MEM),
    SH(0xf1, "vpsllw", SHL_H), SH(0xf2, "vpslld", SHL_W), SH(0xf3, "vpsllq", SHL_D), P(0xf4, "vpmuludq", MULU_W),
    P(0xf5, "vpmaddwd", MADD_H), P(0xf6, "vpsadbw", SAD_B),
    S(0xf7, PFX_66, "vmaskmovdqu", Vdq, Udq, NONE, NONE, lift_maskmov, 0, L0 | REG),
    P(0xf8, "vpsubb", SUB_B), P(0xf9, "vpsubw", SUB_H), P(0xfa, "vpsubd", SUB_W), P(0xfb, "vpsubq", SUB_D),
    P(0xfc, "vpaddb", ADD_B), P(0xfd, "vpaddw", ADD_H), P(0xfe, "vpaddd", ADD_W),

    P8(0x00, "vpshufb", SHUFFLE_B), P8(0x01, "vphaddw", HADD_H), P8(0x02, "vphaddd", HADD_W),
    P8(0x03, "vphaddsw", HADDS_H), P8(0x04, "vpmaddubsw", MADDUS_B), P8(0x05, "vphsubw", HSUB_H),
    P8(0x06, "vphsubd", HSUB_W), P8(0x07, "vphsubsw", HSUBS_H), P8(0x08, "vpsignb", SIGN_B),
    P8(0x09, "vpsignw", SIGN_H), P8(0x0a, "vpsignd", SIGN_W), P8(0x0b, "vpmulhrsw", MULHRS_H),
    T(0x0c, F_AVX, "vpermilps", Vx, Hx, Wx, NONE, lift_vex2, VEC_PERM_W, W0),
    T(0x0d, F_AVX, "vpermilpd", Vx, Hx, Wx, NONE, lift_vex2, VEC_PERM_D, W0),
    T(0x0e, F_AVX, "vtestps", Vx, Wx, NONE, NONE, lift_vex_test, VEC_TEST_W, W0),
    T(0x0f, F_AVX, "vtestpd", Vx, Wx, NONE, NONE, lift_vex_test, VEC_TEST_D, W0),
    T(0x16, F_AVX2, "vpermps", Vx, Hx, Wx, NONE, lift_vex_permd, 0, L1 | W0),
    T(0x17, F_AVX, "vptest", Vx, Wx, NONE, NONE, lift_vex_test, VEC_TEST, 0),
    BROADCAST(0x18, F_AVX, "vbroadcastss", Wd, VEC_BCAST_W, MEM),
    BROADCAST(0x18, F_AVX2, "vbroadcastss", Udq, VEC_BCAST_W, REG),
    BROADCAST(0x19, F_AVX, "vbroadcastsd", Wq, VEC_BCAST_D, L1 | MEM),
    BROADCAST(0x19, F_AVX2, "vbroadcastsd", Udq, VEC_BCAST_D, L1 | REG),
    BROADCAST(0x1a, F_AVX, "vbroadcastf128", Wdq, ALL128, L1 | MEM),
    ABS(0x1c, "vpabsb", ABS_B), ABS(0x1d, "vpabsw", ABS_H), ABS(0x1e, "vpabsd", ABS_W),
    EXT(0x20, "vpmovsxbw", Wxh, SEXT_BH), EXT(0x21, "vpmovsxbd", Wxq, SEXT_BW), EXT(0x22, "vpmovsxbq", Wxe, SEXT_BD),
    EXT(0x23, "vpmovsxwd", Wxh, SEXT_HW), EXT(0x24, "vpmovsxwq", Wxq, SEXT_HD), EXT(0x25, "vpmovsxdq", Wxh, SEXT_WD),
    P8(0x28, "vpmuldq", MULS_W), P8(0x29, "vpcmpeqq", CMPEQ_D),
    T(0x2a, F_AVX, "vmovntdqa", Vx, Wx, NONE, NONE, lift_vex_mov, ALIGNED, ROW_L1_AVX2 | MEM),
    P8(0x2b, "vpackusdw", PACKUS_W),
    T(0x2c, F_AVX, "vmaskmovps", Vx, Hx, M, NONE, lift_vex_maskload, 4, W0),
    T(0x2d, F_AVX, "vmaskmovpd", Vx, Hx, M, NONE, lift_vex_maskload, 8, W0),
    T(0x2e, F_AVX, "vmaskmovps", M, Hx, Vx, NONE, lift_vex_maskstore, 4, W0),
    T(0x2f, F_AVX, "vmaskmovpd", M, Hx, Vx, NONE, lift_vex_maskstore, 8, W0),
    EXT(0x30, "vpmovzxbw", Wxh, ZEXT_BH), EXT(0x31, "vpmovzxbd", Wxq, ZEXT_BW), EXT(0x32, "vpmovzxbq", Wxe, ZEXT_BD),
    EXT(0x33, "vpmovzxwd", Wxh, ZEXT_HW), EXT(0x34, "vpmovzxwq", Wxq, ZEXT_HD), EXT(0x35, "vpmovzxdq", Wxh, ZEXT_WD),
    T(0x36, F_AVX2, "vpermd", Vx, Hx, Wx, NONE, lift_vex_permd, 0, L1 | W0),
    P8(0x37, "vpcmpgtq", CMPGT_D), P8(0x38, "vpminsb", MINS_B), P8(0x39, "vpminsd", MINS_W),
    P8(0x3a, "vpminuw", MINU_H), P8(0x3b, "vpminud", MINU_W), P8(0x3c, "vpmaxsb", MAXS_B), P8(0x3d, "vpmaxsd", MAXS_W),
    P8(0x3e, "vpmaxuw", MAXU_H), P8(0x3f, "vpmaxud", MAXU_W), P8(0x40, "vpmulld", MULL_W),
    T(0x41, F_AVX, "vphminposuw", Vdq, Wdq, NONE, NONE, lift_vex1, VEC_MINPOS_H, L0),
    VARIABLE(0x45, W0, "vpsrlvd", SHRV_W), VARIABLE(0x45, W1, "vpsrlvq", SHRV_D), VARIABLE(0x46, W0, "vpsravd", SARV_W),
    VARIABLE(0x47, W0, "vpsllvd", SHLV_W), VARIABLE(0x47, W1, "vpsllvq", SHLV_D),
    BROADCAST(0x58, F_AVX2, "vpbroadcastd", Wd, VEC_BCAST_W, 0),
    BROADCAST(0x59, F_AVX2, "vpbroadcastq", Wq, VEC_BCAST_D, 0),
    BROADCAST(0x5a, F_AVX2, "vbroadcasti128", Wdq, ALL128, L1 | MEM),
    BROADCAST(0x78, F_AVX2, "vpbroadcastb", Wb, VEC_BCAST_B, 0),
    BROADCAST(0x79, F_AVX2, "vpbroadcastw", Ww, VEC_BCAST_H, 0),
    T(0x8c, F_AVX2, "vpmaskmovd", Vx, Hx, M, NONE, lift_vex_maskload, 4, W0),
    T(0x8c, F_AVX2, "vpmaskmovq", Vx, Hx, M, NONE, lift_vex_maskload, 8, W1),
    T(0x8e, F_AVX2, "vpmaskmovd", M, Hx, Vx, NONE, lift_vex_maskstore, 4, W0),
    T(0x8e, F_AVX2, "vpmaskmovq", M, Hx, Vx, NONE, lift_vex_maskstore, 8, W1),
    GATHER(0x90, W0, "vpgatherdd", 4, 4), GATHER(0x90, W1, "vpgatherdq", 8, 4), GATHER(0x91, W0, "vpgatherqd", 4, 8),
    GATHER(0x91, W1, "vpgatherqq", 8, 8), GATHER(0x92, W0, "vgatherdps", 4, 4), GATHER(0x92, W1, "vgatherdpd", 8, 4),
    GATHER(0x93, W0, "vgatherqps", 4, 8), GATHER(0x93, W1, "vgatherqpd", 8, 8),
    T(0xdb, F_AES, "vaesimc", Vdq, Wdq, NONE, NONE, lift_vex1, VEC_AESIMC, L0),
    AES(0xdc, "vaesenc", AESENC), AES(0xdd, "vaesenclast", AESENCLAST), AES(0xde, "vaesdec", AESDEC),
    AES(0xdf, "vaesdeclast", AESDECLAST),

    I3(0x00, F_AVX2, "vpermq", Vx, Wx, Ib, NONE, lift_vex_permq, 0, L1 | W1),
    I3(0x01, F_AVX2, "vpermpd", Vx, Wx, Ib, NONE, lift_vex_permq, 0, L1 | W1),
    I3(0x02, F_AVX2, "vpblendd", Vx, Hx, Wx, Ib, lift_vex2, VEX_AUX(VEC_BLEND_W, 4), W0),
    I3(0x04, F_AVX, "vpermilps", Vx, Wx, Ib, NONE, lift_vex1, VEC_SHUFFLE_W, W0),
    I3(0x05, F_AVX, "vpermilpd", Vx, Wx, Ib, NONE, lift_vex_dup, VEX_AUX(VEC_SHUFFLE2_D, 2), W0),
    I3(0x06, F_AVX, "vperm2f128", Vx, Hx, Wx, Ib, lift_vex_perm128, 0, L1 | W0),
    I3(0x0c, F_AVX, "vblendps", Vx, Hx, Wx, Ib, lift_vex2, VEX_AUX(VEC_BLEND_W, 4), 0),
    I3(0x0d, F_AVX, "vblendpd", Vx, Hx, Wx, Ib, lift_vex2, VEX_AUX(VEC_BLEND_D, 2), 0),
    I3(0x0e, F_AVX, "vpblendw", Vx, Hx, Wx, Ib, lift_vex2, VEC_BLEND_H, ROW_L1_AVX2),
    I3(0x0f, F_AVX, "vpalignr", Vx, Hx, Wx, Ib, lift_vex2, VEC_ALIGN, ROW_L1_AVX2),
    I3(0x14, F_AVX, "vpextrb", Rd, Vdq, Ib, NONE, lift_pextr, VEC_EXTRACT_B, L0 | REG),
    I3(0x14, F_AVX, "vpextrb", Mb, Vdq, Ib, NONE, lift_pextr, VEC_EXTRACT_B, L0 | MEM),
    I3(0x15, F_AVX, "vpextrw", Rd, Vdq, Ib, NONE, lift_pextr, VEC_EXTRACT_H, L0 | REG),
    I3(0x15, F_AVX, "vpextrw", Mw, Vdq, Ib, NONE, lift_pextr, VEC_EXTRACT_H, L0 | MEM),
    I3(0x16, F_AVX, "vpextrd", Ed, Vdq, Ib, NONE, lift_pextr, VEC_EXTRACT_W, L0 | W0),
    I3(0x16, F_AVX, "vpextrq", Eq, Vdq, Ib, NONE, lift_pextr, VEC_EXTRACT_D, L0 | W1 | ROW_ONLY64),
    I3(0x17, F_AVX, "vextractps", Ed, Vdq, Ib, NONE, lift_pextr, VEC_EXTRACT_W, L0),
    I3(0x18, F_AVX, "vinsertf128", Vx, Hx, Wdq, Ib, lift_vex_insert128, 0, L1 | W0),
    I3(0x19, F_AVX, "vextractf128", Wdq, Vx, Ib, NONE, lift_vex_extract128, 0, L1 | W0),
    I3(0x20, F_AVX, "vpinsrb", Vdq, Hdq, Rd, Ib, lift_vex_pinsr, VEC_INSERT_B, L0 | REG),
    I3(0x20, F_AVX, "vpinsrb", Vdq, Hdq, Mb, Ib, lift_vex_pinsr, VEC_INSERT_B, L0 | MEM),
    I3(0x21, F_AVX, "vinsertps", Vdq, Hdq, Udq, Ib, lift_vex_insertps, 0, L0 | REG),
    I3(0x21, F_AVX, "vinsertps", Vdq, Hdq, Wd, Ib, lift_vex_insertps, 0, L0 | MEM),
    I3(0x22, F_AVX, "vpinsrd", Vdq, Hdq, Ed, Ib, lift_vex_pinsr, VEC_INSERT_W, L0 | W0),
    I3(0x22, F_AVX, "vpinsrq", Vdq, Hdq, Eq, Ib, lift_vex_pinsr, VEC_INSERT_D, L0 | W1 | ROW_ONLY64),
    I3(0x38, F_AVX2, "vinserti128", Vx, Hx, Wdq, Ib, lift_vex_insert128, 0, L1 | W0),
    I3(0x39, F_AVX2, "vextracti128", Wdq, Vx, Ib, NONE, lift_vex_extract128, 0, L1 | W0),
    I3(0x42, F_AVX, "vmpsadbw", Vx, Hx, Wx, Ib, lift_vex2, VEX_AUX(VEC_MPSAD_B, 3), ROW_L1_AVX2),
    I3(0x44, F_PCLMULQDQ, "vpclmulqdq", Vx, Hx, Wx, Ib, lift_vex2, VEC_CLMUL, L0),
    I3(0x44, F_VPCLMULQDQ, "vpclmulqdq", Vx, Hx, Wx, Ib, lift_vex2, VEC_CLMUL, L1),
    I3(0x46, F_AVX2, "vperm2i128", Vx, Hx, Wx, Ib, lift_vex_perm128, 0, L1 | W0),
    I3(0x4a, F_AVX, "vblendvps", Vx, Hx, Wx, Lx, lift_vex_blendv, VEC_BLENDV_W, W0),
    I3(0x4b, F_AVX, "vblendvpd", Vx, Hx, Wx, Lx, lift_vex_blendv, VEC_BLENDV_D, W0),
    I3(0x4c, F_AVX, "vpblendvb", Vx, Hx, Wx, Lx, lift_vex_blendv, VEC_BLENDV_B, ROW_L1_AVX2 | W0),
    I3(0x60, F_AVX, "vpcmpestrm", Vdq, Wdq, Ib, NONE, lift_vex_pcmpstr, 3, L0),
    I3(0x61, F_AVX, "vpcmpestri", Vdq, Wdq, Ib, NONE, lift_vex_pcmpstr, 1, L0),
    I3(0x62, F_AVX, "vpcmpistrm", Vdq, Wdq, Ib, NONE, lift_vex_pcmpstr, 2, L0),
    I3(0x63, F_AVX, "vpcmpistri", Vdq, Wdq, Ib, NONE, lift_vex_pcmpstr, 0, L0),
    I3(0xdf, F_AES, "vaeskeygenassist", Vdq, Wdq, Ib, NONE, lift_vex1, VEC_AESKEYGEN, L0),
    { .lift = NULL },
};
