/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SSE .. SSE4.1 floating point: arithmetic, compares, conversions (Intel SDM vol. 2, appendix A). */
#include "guest/x86/cpuid.h"
#include "guest/x86/lift_simd.h"
#include "ir/vec/vec.h"

#define ROW(map, op, pfx, feature, name, a, b, c, fn, aux) \
    { map, op, 0, pfx, -1, -1, { OP_##a, OP_##b, OP_##c, OP_NONE }, feature, ROW_OSZ_MANDATORY | ROW_SSE, aux, name, \
      fn }
#define S(op, pfx, feature, name, a, b, c, fn, aux) ROW(MAP_0F, op, pfx, feature, name, a, b, c, fn, aux)
/* MMX registers. */
#define X(op, pfx, feature, name, a, b, fn, aux, flags) \
    { MAP_0F, op, 0, pfx, -1, -1, { OP_##a, OP_##b, OP_NONE, OP_NONE }, feature, \
      ROW_OSZ_MANDATORY | ROW_SSE | (flags), aux, name, fn }

/* Packed single, packed double, scalar single, scalar double. */
#define WIDTHS(op, name, fvec)                                                       \
    S(op, PFX_NP, F_SSE, name "ps", Vx, Wx, NONE, lift_fvec, FVEC_##fvec##_W4),      \
    S(op, PFX_66, F_SSE2, name "pd", Vx, Wx, NONE, lift_fvec, FVEC_##fvec##_D2),     \
    S(op, PFX_F3, F_SSE, name "ss", Vx, Wd, NONE, lift_fvec, FVEC_##fvec##_W1),      \
    S(op, PFX_F2, F_SSE2, name "sd", Vx, Wq, NONE, lift_fvec, FVEC_##fvec##_D1)
/* Horizontal: single is F2. */
#define ACROSS(op, name, fvec)                                                       \
    S(op, PFX_F2, F_SSE3, name "ps", Vx, Wx, NONE, lift_fvec, FVEC_##fvec##_W4),     \
    S(op, PFX_66, F_SSE3, name "pd", Vx, Wx, NONE, lift_fvec, FVEC_##fvec##_D2)
#define ROUND(op, name, w, fvec) ROW(MAP_0F3A, op, PFX_66, F_SSE4_1, name, Vx, w, Ib, lift_fvec, FVEC_##fvec)

const struct x86_row x86_rows_fp[] = {
    /* From memory these touch no MMX state: so the SDM on CVTPI2PD, and AMD's CPUs for both. */
    X(0x2a, PFX_NP, F_SSE, "cvtpi2ps", Vx, Nq, lift_mmx_to_float, FVEC_CVT_I32F32_2, ROW_MMX | ROW_MOD_REG),
    S(0x2a, PFX_NP, F_SSE, "cvtpi2ps", Vx, Wq, NONE, lift_fvec, FVEC_CVT_I32F32_2),
    X(0x2a, PFX_66, F_SSE2, "cvtpi2pd", Vx, Nq, lift_mmx_to_float, FVEC_CVT_I32F64_2, ROW_MMX | ROW_MOD_REG),
    S(0x2a, PFX_66, F_SSE2, "cvtpi2pd", Vx, Wq, NONE, lift_fvec, FVEC_CVT_I32F64_2),
    S(0x2a, PFX_F3, F_SSE, "cvtsi2ss", Vx, Ey, NONE, lift_int_to_float, FVEC_CVT_I32F32_1),
    S(0x2a, PFX_F2, F_SSE2, "cvtsi2sd", Vx, Ey, NONE, lift_int_to_float, FVEC_CVT_I32F64_1),
    X(0x2c, PFX_NP, F_SSE, "cvttps2pi", Pq, Wq, lift_float_to_mmx, FVEC_CVTT_F32I32_2, ROW_MMX),
    X(0x2c, PFX_66, F_SSE2, "cvttpd2pi", Pq, Wx, lift_float_to_mmx, FVEC_CVTT_F64I32_2, ROW_MMX),
    S(0x2c, PFX_F3, F_SSE, "cvttss2si", Gy, Wd, NONE, lift_float_to_int, FVEC_CVTT_F32I32_1),
    S(0x2c, PFX_F2, F_SSE2, "cvttsd2si", Gy, Wq, NONE, lift_float_to_int, FVEC_CVTT_F64I32_1),
    X(0x2d, PFX_NP, F_SSE, "cvtps2pi", Pq, Wq, lift_float_to_mmx, FVEC_CVT_F32I32_2, ROW_MMX),
    X(0x2d, PFX_66, F_SSE2, "cvtpd2pi", Pq, Wx, lift_float_to_mmx, FVEC_CVT_F64I32_2, ROW_MMX),
    S(0x2d, PFX_F3, F_SSE, "cvtss2si", Gy, Wd, NONE, lift_float_to_int, FVEC_CVT_F32I32_1),
    S(0x2d, PFX_F2, F_SSE2, "cvtsd2si", Gy, Wq, NONE, lift_float_to_int, FVEC_CVT_F64I32_1),
    S(0x2e, PFX_NP, F_SSE, "ucomiss", Vx, Wd, NONE, lift_fcomi, FVEC_UCOMI_W),
    S(0x2e, PFX_66, F_SSE2, "ucomisd", Vx, Wq, NONE, lift_fcomi, FVEC_UCOMI_D),
    S(0x2f, PFX_NP, F_SSE, "comiss", Vx, Wd, NONE, lift_fcomi, FVEC_COMI_W),
    S(0x2f, PFX_66, F_SSE2, "comisd", Vx, Wq, NONE, lift_fcomi, FVEC_COMI_D),
    WIDTHS(0x51, "sqrt", SQRT),
    S(0x52, PFX_NP, F_SSE, "rsqrtps", Vx, Wx, NONE, lift_v2, VEC_RSQRT_W4),
    S(0x52, PFX_F3, F_SSE, "rsqrtss", Vx, Wd, NONE, lift_v2, VEC_RSQRT_W1),
    S(0x53, PFX_NP, F_SSE, "rcpps", Vx, Wx, NONE, lift_v2, VEC_RCP_W4),
    S(0x53, PFX_F3, F_SSE, "rcpss", Vx, Wd, NONE, lift_v2, VEC_RCP_W1),
    WIDTHS(0x58, "add", ADD),
    WIDTHS(0x59, "mul", MUL),
    S(0x5a, PFX_NP, F_SSE2, "cvtps2pd", Vx, Wq, NONE, lift_fvec, FVEC_CVT_F32F64_2),
    S(0x5a, PFX_66, F_SSE2, "cvtpd2ps", Vx, Wx, NONE, lift_fvec, FVEC_CVT_F64F32_2),
    S(0x5a, PFX_F3, F_SSE2, "cvtss2sd", Vx, Wd, NONE, lift_fvec, FVEC_CVT_F32F64_1),
    S(0x5a, PFX_F2, F_SSE2, "cvtsd2ss", Vx, Wq, NONE, lift_fvec, FVEC_CVT_F64F32_1),
    S(0x5b, PFX_NP, F_SSE2, "cvtdq2ps", Vx, Wx, NONE, lift_fvec, FVEC_CVT_I32F32_4),
    S(0x5b, PFX_66, F_SSE2, "cvtps2dq", Vx, Wx, NONE, lift_fvec, FVEC_CVT_F32I32_4),
    S(0x5b, PFX_F3, F_SSE2, "cvttps2dq", Vx, Wx, NONE, lift_fvec, FVEC_CVTT_F32I32_4),
    WIDTHS(0x5c, "sub", SUB),
    WIDTHS(0x5d, "min", MIN),
    WIDTHS(0x5e, "div", DIV),
    WIDTHS(0x5f, "max", MAX),
    ACROSS(0x7c, "hadd", HADD),
    ACROSS(0x7d, "hsub", HSUB),
    S(0xc2, PFX_NP, F_SSE, "cmpps", Vx, Wx, Ib, lift_fcmp, FVEC_CMP_W4),
    S(0xc2, PFX_66, F_SSE2, "cmppd", Vx, Wx, Ib, lift_fcmp, FVEC_CMP_D2),
    S(0xc2, PFX_F3, F_SSE, "cmpss", Vx, Wd, Ib, lift_fcmp, FVEC_CMP_W1),
    S(0xc2, PFX_F2, F_SSE2, "cmpsd", Vx, Wq, Ib, lift_fcmp, FVEC_CMP_D1),
    ACROSS(0xd0, "addsub", ADDSUB),
    S(0xe6, PFX_F3, F_SSE2, "cvtdq2pd", Vx, Wq, NONE, lift_fvec, FVEC_CVT_I32F64_2),
    S(0xe6, PFX_66, F_SSE2, "cvttpd2dq", Vx, Wx, NONE, lift_fvec, FVEC_CVTT_F64I32_2),
    S(0xe6, PFX_F2, F_SSE2, "cvtpd2dq", Vx, Wx, NONE, lift_fvec, FVEC_CVT_F64I32_2),
    ROUND(0x08, "roundps", Wx, ROUND_W4),
    ROUND(0x09, "roundpd", Wx, ROUND_D2),
    ROUND(0x0a, "roundss", Wd, ROUND_W1),
    ROUND(0x0b, "roundsd", Wq, ROUND_D1),
    ROUND(0x40, "dpps", Wx, DOT_W4),
    ROUND(0x41, "dppd", Wx, DOT_D2),
    { .lift = NULL },
};
