/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vector operations: X(NAME, arguments).  a, b are 128-bit operands, imm
 * the immediate.  B H W D name the lane width: 8, 16, 32, 64 bits.
 *
 * Floating-point operations end in W4 or D2 (every lane of single or double
 * precision) or in W1 or D1 (lane 0; the other lanes are a's).  Comments give
 * what does not follow from the name.
 */
#ifndef REPRISE_IR_VEC_OPS_H
#define REPRISE_IR_VEC_OPS_H

/* clang-format off */
#define VEC_OPS(X) \
    X(ZERO, 0) X(AND, 2) X(ANDN, 2) /* ~a & b */ X(OR, 2) X(XOR, 2) \
    X(ADD_B, 2) X(ADD_H, 2) X(ADD_W, 2) X(ADD_D, 2) X(SUB_B, 2) X(SUB_H, 2) X(SUB_W, 2) X(SUB_D, 2) \
    X(ADDS_B, 2) X(ADDS_H, 2) X(ADDUS_B, 2) X(ADDUS_H, 2) X(SUBS_B, 2) X(SUBS_H, 2) X(SUBUS_B, 2) X(SUBUS_H, 2) \
    X(AVG_B, 2) X(AVG_H, 2) \
    X(MINU_B, 2) X(MINU_H, 2) X(MINU_W, 2) X(MINS_B, 2) X(MINS_H, 2) X(MINS_W, 2) \
    X(MAXU_B, 2) X(MAXU_H, 2) X(MAXU_W, 2) X(MAXS_B, 2) X(MAXS_H, 2) X(MAXS_W, 2) \
    X(ABS_B, 1) X(ABS_H, 1) X(ABS_W, 1) X(SIGN_B, 2) X(SIGN_H, 2) X(SIGN_W, 2) /* a with b's sign, or 0 */ \
    X(MULL_H, 2) X(MULHS_H, 2) X(MULHU_H, 2) X(MULU_W, 2) /* even lanes to 64 bits */ X(MADD_H, 2) X(SAD_B, 2) \
    X(MULL_W, 2) X(MULS_W, 2) /* even lanes */ X(MULHRS_H, 2) X(MADDUS_B, 2) /* unsigned a, signed b, saturating */ \
    X(MPSAD_B, 2) X(MINPOS_H, 1) /* unsigned minimum, and its lane in lane 1 */ \
    /* a's pairs, then b's */ \
    X(HADD_H, 2) X(HADD_W, 2) X(HADDS_H, 2) X(HSUB_H, 2) X(HSUB_W, 2) X(HSUBS_H, 2) \
    X(CMPEQ_B, 2) X(CMPEQ_H, 2) X(CMPEQ_W, 2) X(CMPEQ_D, 2) \
    X(CMPGT_B, 2) X(CMPGT_H, 2) X(CMPGT_W, 2) X(CMPGT_D, 2) \
    /* to the low word: 0x40 if a & b is 0, plus 1 if ~a & b is 0; TEST_W, TEST_D look at the lanes' top bits */ \
    X(TEST, 2) X(TEST_W, 2) X(TEST_D, 2) \
    /* shifts of every lane by b's low 64 bits; whole-register shifts by imm bytes */ \
    X(SHL_H, 2) X(SHL_W, 2) X(SHL_D, 2) X(SHR_H, 2) X(SHR_W, 2) X(SHR_D, 2) X(SAR_H, 2) X(SAR_W, 2) \
    X(SHLI_H, 1) X(SHLI_W, 1) X(SHLI_D, 1) X(SHRI_H, 1) X(SHRI_W, 1) X(SHRI_D, 1) X(SARI_H, 1) X(SARI_W, 1) \
    X(SHL_BYTES, 1) X(SHR_BYTES, 1) \
    X(SHLV_W, 2) X(SHLV_D, 2) X(SHRV_W, 2) X(SHRV_D, 2) X(SARV_W, 2) /* every lane by b's */ \
    X(UNPACKLO_B, 2) X(UNPACKLO_H, 2) X(UNPACKLO_W, 2) X(UNPACKLO_D, 2) \
    X(UNPACKHI_B, 2) X(UNPACKHI_H, 2) X(UNPACKHI_W, 2) X(UNPACKHI_D, 2) \
    X(PACKSS_H, 2) X(PACKSS_W, 2) X(PACKUS_H, 2) X(PACKUS_W, 2) \
    X(SHUFFLE_W, 1) /* imm */ X(SHUFFLELO_H, 1) X(SHUFFLEHI_H, 1) X(SHUFFLE2_W, 2) X(SHUFFLE2_D, 2) \
    X(SHUFFLE_B, 2) /* a's bytes by b's low four bits; zero where b's top bit is set */ \
    X(PERM_W, 2) X(PERM_D, 2) /* a's lanes by b's low two bits, by b's bit 1 */ \
    X(BCAST_B, 1) X(BCAST_H, 1) X(BCAST_W, 1) X(BCAST_D, 1) /* lane 0 to all */ \
    X(ALIGN, 2) /* a above b, shifted right by imm bytes */ \
    /* mask c's top bit of the lane, or imm's bit, takes b's lane */ \
    X(BLENDV_B, 3) X(BLENDV_W, 3) X(BLENDV_D, 3) X(BLEND_H, 2) X(BLEND_W, 2) X(BLEND_D, 2) \
    /* lane imm: of a replaced by b's lane 0; of a, zero-extended */ \
    X(INSERT_B, 2) X(INSERT_H, 2) X(INSERT_W, 2) X(INSERT_D, 2) \
    X(EXTRACT_B, 1) X(EXTRACT_H, 1) X(EXTRACT_W, 1) X(EXTRACT_D, 1) \
    X(INSERTPS, 2) /* imm: b's lane 6..7, a's lane 4..5, lanes zeroed 0..3 */ \
    /* low lanes widened */ \
    X(SEXT_BH, 1) X(SEXT_BW, 1) X(SEXT_BD, 1) X(SEXT_HW, 1) X(SEXT_HD, 1) X(SEXT_WD, 1) \
    X(ZEXT_BH, 1) X(ZEXT_BW, 1) X(ZEXT_BD, 1) X(ZEXT_HW, 1) X(ZEXT_HD, 1) X(ZEXT_WD, 1) \
    X(EXPAND_B, 1) X(EXPAND_H, 1) /* the low bits to lanes of all ones or zeros */ \
    X(MASK_B, 1) X(MASK_W, 1) X(MASK_D, 1) /* sign bits to an integer in the low word */ \
    X(MERGE_W, 2) /* a with b's lane 0 */ X(MERGE_D, 2) \
    /* strings (PCMPxSTRx, imm as there): low 64 bits: the mask IntRes2, high 64: EFLAGS.  The lengths are implicit, \
     * or c's signed 64-bit lanes */ \
    X(CMPISTR, 2) X(CMPESTR, 3) \
    X(AESENC, 2) X(AESENCLAST, 2) X(AESDEC, 2) X(AESDECLAST, 2) X(AESIMC, 1) X(AESKEYGEN, 1) X(CLMUL, 2) \
    /* approximations of 1/x and 1/sqrt(x) of b's single-precision lanes (fp.h), which raise nothing */ \
    X(RCP_W4, 2) X(RCP_W1, 2) X(RSQRT_W4, 2) X(RSQRT_W1, 2)
/* clang-format on */

/* clang-format off */
#define FVEC_WIDTHS(X, NAME, n) X(NAME##_W4, n) X(NAME##_W1, n) X(NAME##_D2, n) X(NAME##_D1, n)

#define FVEC_OPS(X) \
    FVEC_WIDTHS(X, ADD, 2) FVEC_WIDTHS(X, SUB, 2) FVEC_WIDTHS(X, MUL, 2) FVEC_WIDTHS(X, DIV, 2) \
    /* a * b + c, a * b - c, -(a * b) + c, -(a * b) - c, rounded once; the first NaN of a, b, c is the result.  \
     * MADDSUB subtracts in even lanes and adds in odd ones, MSUBADD the other way round */ \
    FVEC_WIDTHS(X, MADD, 3) FVEC_WIDTHS(X, MSUB, 3) FVEC_WIDTHS(X, NMADD, 3) FVEC_WIDTHS(X, NMSUB, 3) \
    X(MADDSUB_W4, 3) X(MADDSUB_D2, 3) X(MSUBADD_W4, 3) X(MSUBADD_D2, 3) \
    /* x86's: b if either is a NaN or both are zero */ \
    FVEC_WIDTHS(X, MIN, 2) FVEC_WIDTHS(X, MAX, 2) \
    /* of b */ \
    FVEC_WIDTHS(X, SQRT, 2) \
    /* imm bits 0..1: rounding, unless bit 2 says the environment's; bit 3: not inexact.  Of b */ \
    FVEC_WIDTHS(X, ROUND, 2) \
    /* all ones or zeros; imm 0..31 as VCMPPS, the first eight: EQ LT LE UNORD NEQ NLT NLE ORD */ \
    FVEC_WIDTHS(X, CMP, 2) \
    /* lane 0 to an integer in the low word: enum fvec_relation; COMI signals quiet NaNs */ \
    X(COMI_W, 2) X(COMI_D, 2) X(UCOMI_W, 2) X(UCOMI_D, 2) \
    /* horizontal (a's pairs, then b's), alternating (even lanes subtract), dot product (imm as DPPS) */ \
    X(HADD_W4, 2) X(HADD_D2, 2) X(HSUB_W4, 2) X(HSUB_D2, 2) X(ADDSUB_W4, 2) X(ADDSUB_D2, 2) X(DOT_W4, 2) X(DOT_D2, 2) \
    /* conversions CVT_fromto_n of n lanes of b; CVTT truncates.  n > 1: the result's other lanes are zero, except \
     * I32F32_2's, which are a's.  n = 1: to float, lane 0 of a; to integer, a zero-extended integer */ \
    X(CVT_I32F32_4, 2) X(CVT_I32F64_2, 2) X(CVT_I32F32_2, 2) X(CVT_F32F64_2, 2) X(CVT_F64F32_2, 2) \
    X(CVT_F32I32_4, 2) X(CVTT_F32I32_4, 2) X(CVT_F32I32_2, 2) X(CVTT_F32I32_2, 2) \
    X(CVT_F64I32_2, 2) X(CVTT_F64I32_2, 2) \
    X(CVT_F16F32_4, 2) X(CVT_F32F16_4, 2) /* imm: rounding, as ROUND's */ \
    X(CVT_F32F64_1, 2) X(CVT_F64F32_1, 2) \
    X(CVT_I32F32_1, 2) X(CVT_I64F32_1, 2) X(CVT_I32F64_1, 2) X(CVT_I64F64_1, 2) \
    X(CVT_F32I32_1, 2) X(CVT_F32I64_1, 2) X(CVT_F64I32_1, 2) X(CVT_F64I64_1, 2) \
    X(CVTT_F32I32_1, 2) X(CVTT_F32I64_1, 2) X(CVTT_F64I32_1, 2) X(CVTT_F64I64_1, 2)
/* clang-format on */

#endif
