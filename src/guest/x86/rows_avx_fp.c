/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floating point of AVX, FMA and F16C (Intel SDM vol. 2, appendix A and each instruction's page). */
#include "guest/x86/cpuid.h"
#include "guest/x86/lift_avx.h"
#include "guest/x86/lift_simd.h"

#define ROW(map, op, pfx, feature, name, a, b, c, d, fn, aux, flags)                                                \
    { map, op, 0, pfx, -1, -1, { OP_##a, OP_##b, OP_##c, OP_##d }, feature, ROW_VEX | ROW_AVX | (flags), aux, name, \
      fn }
#define S(op, pfx, name, a, b, c, d, fn, aux) ROW(MAP_0F, op, pfx, F_AVX, name, a, b, c, d, fn, aux, 0)

/* Packed single, packed double, scalar single, scalar double. */
#define SCALARS(op, name, fvec)                                                                \
    S(op, PFX_F3, name "ss", Vdq, Hdq, Wd, NONE, lift_vex_fvec2, FVEC_##fvec##_W1),            \
    S(op, PFX_F2, name "sd", Vdq, Hdq, Wq, NONE, lift_vex_fvec2, FVEC_##fvec##_D1)
#define WIDTHS(op, name, fvec)                                                                 \
    S(op, PFX_NP, name "ps", Vx, Hx, Wx, NONE, lift_vex_fvec2, FVEC_##fvec##_W4),              \
    S(op, PFX_66, name "pd", Vx, Hx, Wx, NONE, lift_vex_fvec2, FVEC_##fvec##_D2),              \
    SCALARS(op, name, fvec)
/* Horizontal: single is F2. */
#define ACROSS(op, name, fvec)                                                                 \
    S(op, PFX_F2, name "ps", Vx, Hx, Wx, NONE, lift_vex_fvec2, FVEC_##fvec##_W4),              \
    S(op, PFX_66, name "pd", Vx, Hx, Wx, NONE, lift_vex_fvec2, FVEC_##fvec##_D2)
#define IMM(op, name, a, b, c, d, fn, fvec, flags) \
    ROW(MAP_0F3A, op, PFX_66, F_AVX, name, a, b, c, d, fn, FVEC_##fvec, flags)

/* One form (132, 213, 231) of one fused operation; 66 0F 38, VEX.W says double. */
#define FMA_PACKED(op, name, form, fvec)                                                       \
    ROW(MAP_0F38, op, PFX_66, F_FMA, name #form "ps", Vx, Hx, Wx, NONE, lift_vex_fma, VEX_AUX(FVEC_##fvec##_W4, form), \
        ROW_W0),                                                                               \
    ROW(MAP_0F38, op, PFX_66, F_FMA, name #form "pd", Vx, Hx, Wx, NONE, lift_vex_fma, VEX_AUX(FVEC_##fvec##_D2, form), \
        ROW_W1)
#define FMA_SCALAR(op, name, form, fvec)                                                       \
    ROW(MAP_0F38, op, PFX_66, F_FMA, name #form "ss", Vdq, Hdq, Wd, NONE, lift_vex_fma,        \
        VEX_AUX(FVEC_##fvec##_W1, form), ROW_W0),                                              \
    ROW(MAP_0F38, op, PFX_66, F_FMA, name #form "sd", Vdq, Hdq, Wq, NONE, lift_vex_fma,        \
        VEX_AUX(FVEC_##fvec##_D1, form), ROW_W1)
/* The six of one form: base is 0x90, 0xa0 or 0xb0. */
#define FMA_FORM(base, form)                                                                   \
    FMA_PACKED((base) + 6, "vfmaddsub", form, MADDSUB),                                        \
    FMA_PACKED((base) + 7, "vfmsubadd", form, MSUBADD),                                        \
    FMA_PACKED((base) + 8, "vfmadd", form, MADD), FMA_SCALAR((base) + 9, "vfmadd", form, MADD),        \
    FMA_PACKED((base) + 10, "vfmsub", form, MSUB), FMA_SCALAR((base) + 11, "vfmsub", form, MSUB),      \
    FMA_PACKED((base) + 12, "vfnmadd", form, NMADD), FMA_SCALAR((base) + 13, "vfnmadd", form, NMADD),  \
    FMA_PACKED((base) + 14, "vfnmsub", form, NMSUB), FMA_SCALAR((base) + 15, "vfnmsub", form, NMSUB)

const struct x86_row x86_rows_avx_fp[] = {
    S(0x2a, PFX_F3, "vcvtsi2ss", Vdq, Hdq, Ey, NONE, lift_vex_int_to_float, FVEC_CVT_I32F32_1),
    S(0x2a, PFX_F2, "vcvtsi2sd", Vdq, Hdq, Ey, NONE, lift_vex_int_to_float, FVEC_CVT_I32F64_1),
    S(0x2c, PFX_F3, "vcvttss2si", Gy, Wd, NONE, NONE, lift_float_to_int, FVEC_CVTT_F32I32_1),
    S(0x2c, PFX_F2, "vcvttsd2si", Gy, Wq, NONE, NONE, lift_float_to_int, FVEC_CVTT_F64I32_1),
    S(0x2d, PFX_F3, "vcvtss2si", Gy, Wd, NONE, NONE, lift_float_to_int, FVEC_CVT_F32I32_1),
    S(0x2d, PFX_F2, "vcvtsd2si", Gy, Wq, NONE, NONE, lift_float_to_int, FVEC_CVT_F64I32_1),
    S(0x2e, PFX_NP, "vucomiss", Vdq, Wd, NONE, NONE, lift_fcomi, FVEC_UCOMI_W),
    S(0x2e, PFX_66, "vucomisd", Vdq, Wq, NONE, NONE, lift_fcomi, FVEC_UCOMI_D),
    S(0x2f, PFX_NP, "vcomiss", Vdq, Wd, NONE, NONE, lift_fcomi, FVEC_COMI_W),
    S(0x2f, PFX_66, "vcomisd", Vdq, Wq, NONE, NONE, lift_fcomi, FVEC_COMI_D),
    S(0x51, PFX_NP, "vsqrtps", Vx, Wx, NONE, NONE, lift_vex_fvec1, FVEC_SQRT_W4),
    S(0x51, PFX_66, "vsqrtpd", Vx, Wx, NONE, NONE, lift_vex_fvec1, FVEC_SQRT_D2),
    SCALARS(0x51, "vsqrt", SQRT),
    S(0x52, PFX_NP, "vrsqrtps", Vx, Wx, NONE, NONE, lift_vex_dup, VEC_RSQRT_W4),
    S(0x52, PFX_F3, "vrsqrtss", Vdq, Hdq, Wd, NONE, lift_vex2, VEC_RSQRT_W1),
    S(0x53, PFX_NP, "vrcpps", Vx, Wx, NONE, NONE, lift_vex_dup, VEC_RCP_W4),
    S(0x53, PFX_F3, "vrcpss", Vdq, Hdq, Wd, NONE, lift_vex2, VEC_RCP_W1),
    WIDTHS(0x58, "vadd", ADD),
    WIDTHS(0x59, "vmul", MUL),
    S(0x5a, PFX_NP, "vcvtps2pd", Vx, Wxh, NONE, NONE, lift_vex_widen, FVEC_CVT_F32F64_2),
    S(0x5a, PFX_66, "vcvtpd2ps", Vdq, Wx, NONE, NONE, lift_vex_narrow, FVEC_CVT_F64F32_2),
    S(0x5a, PFX_F3, "vcvtss2sd", Vdq, Hdq, Wd, NONE, lift_vex_fvec2, FVEC_CVT_F32F64_1),
    S(0x5a, PFX_F2, "vcvtsd2ss", Vdq, Hdq, Wq, NONE, lift_vex_fvec2, FVEC_CVT_F64F32_1),
    S(0x5b, PFX_NP, "vcvtdq2ps", Vx, Wx, NONE, NONE, lift_vex_fvec1, FVEC_CVT_I32F32_4),
    S(0x5b, PFX_66, "vcvtps2dq", Vx, Wx, NONE, NONE, lift_vex_fvec1, FVEC_CVT_F32I32_4),
    S(0x5b, PFX_F3, "vcvttps2dq", Vx, Wx, NONE, NONE, lift_vex_fvec1, FVEC_CVTT_F32I32_4),
    WIDTHS(0x5c, "vsub", SUB),
    WIDTHS(0x5d, "vmin", MIN),
    WIDTHS(0x5e, "vdiv", DIV),
    WIDTHS(0x5f, "vmax", MAX),
    ACROSS(0x7c, "vhadd", HADD),
    ACROSS(0x7d, "vhsub", HSUB),
    S(0xc2, PFX_NP, "vcmpps", Vx, Hx, Wx, Ib, lift_vex_fcmp, FVEC_CMP_W4),
    S(0xc2, PFX_66, "vcmppd", Vx, Hx, Wx, Ib, lift_vex_fcmp, FVEC_CMP_D2),
    S(0xc2, PFX_F3, "vcmpss", Vdq, Hdq, Wd, Ib, lift_vex_fcmp, FVEC_CMP_W1),
    S(0xc2, PFX_F2, "vcmpsd", Vdq, Hdq, Wq, Ib, lift_vex_fcmp, FVEC_CMP_D1),
    ACROSS(0xd0, "vaddsub", ADDSUB),
    S(0xe6, PFX_F3, "vcvtdq2pd", Vx, Wxh, NONE, NONE, lift_vex_widen, FVEC_CVT_I32F64_2),
    S(0xe6, PFX_66, "vcvttpd2dq", Vdq, Wx, NONE, NONE, lift_vex_narrow, FVEC_CVTT_F64I32_2),
    S(0xe6, PFX_F2, "vcvtpd2dq", Vdq, Wx, NONE, NONE, lift_vex_narrow, FVEC_CVT_F64I32_2),

    ROW(MAP_0F38, 0x13, PFX_66, F_F16C, "vcvtph2ps", Vx, Wxh, NONE, NONE, lift_vex_widen, FVEC_CVT_F16F32_4, ROW_W0),
    ROW(MAP_0F3A, 0x1d, PFX_66, F_F16C, "vcvtps2ph", Wxh, Vx, Ib, NONE, lift_vex_narrow, FVEC_CVT_F32F16_4, ROW_W0),
    FMA_FORM(0x90, 132), FMA_FORM(0xa0, 213), FMA_FORM(0xb0, 231),

    IMM(0x08, "vroundps", Vx, Wx, Ib, NONE, lift_vex_fvec1, ROUND_W4, 0),
    IMM(0x09, "vroundpd", Vx, Wx, Ib, NONE, lift_vex_fvec1, ROUND_D2, 0),
    IMM(0x0a, "vroundss", Vdq, Hdq, Wd, Ib, lift_vex_fvec2, ROUND_W1, 0),
    IMM(0x0b, "vroundsd", Vdq, Hdq, Wq, Ib, lift_vex_fvec2, ROUND_D1, 0),
    IMM(0x40, "vdpps", Vx, Hx, Wx, Ib, lift_vex_fvec2, DOT_W4, ROW_VEX_L0),
    IMM(0x40, "vdpps", Vx, Hx, Wx, Ib, lift_vex_dot, DOT_W4, ROW_VEX_L1),
    IMM(0x41, "vdppd", Vdq, Hdq, Wdq, Ib, lift_vex_fvec2, DOT_D2, ROW_VEX_L0),
    { .lift = NULL },
};
