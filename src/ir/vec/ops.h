/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vector operations: X(NAME, arguments).  a, b are 128-bit operands, imm
 * the immediate.  B H W D name the lane width: 8, 16, 32, 64 bits.
 */
#ifndef REPRISE_IR_VEC_OPS_H
#define REPRISE_IR_VEC_OPS_H

/* clang-format off */
#define VEC_OPS(X) \
    X(AND, 2) X(ANDN, 2) /* ~a & b */ X(OR, 2) X(XOR, 2) \
    X(ADD_B, 2) X(ADD_H, 2) X(ADD_W, 2) X(ADD_D, 2) X(SUB_B, 2) X(SUB_H, 2) X(SUB_W, 2) X(SUB_D, 2) \
    X(ADDS_B, 2) X(ADDS_H, 2) X(ADDUS_B, 2) X(ADDUS_H, 2) X(SUBS_B, 2) X(SUBS_H, 2) X(SUBUS_B, 2) X(SUBUS_H, 2) \
    X(AVG_B, 2) X(AVG_H, 2) X(MINU_B, 2) X(MAXU_B, 2) X(MINS_H, 2) X(MAXS_H, 2) \
    X(MULL_H, 2) X(MULHS_H, 2) X(MULHU_H, 2) X(MULU_W, 2) /* even lanes to 64 bits */ X(MADD_H, 2) X(SAD_B, 2) \
    X(CMPEQ_B, 2) X(CMPEQ_H, 2) X(CMPEQ_W, 2) X(CMPGT_B, 2) X(CMPGT_H, 2) X(CMPGT_W, 2) \
    /* shifts of every lane by b's low 64 bits; whole-register shifts by imm bytes */ \
    X(SHL_H, 2) X(SHL_W, 2) X(SHL_D, 2) X(SHR_H, 2) X(SHR_W, 2) X(SHR_D, 2) X(SAR_H, 2) X(SAR_W, 2) \
    X(SHLI_H, 1) X(SHLI_W, 1) X(SHLI_D, 1) X(SHRI_H, 1) X(SHRI_W, 1) X(SHRI_D, 1) X(SARI_H, 1) X(SARI_W, 1) \
    X(SHL_BYTES, 1) X(SHR_BYTES, 1) \
    X(UNPACKLO_B, 2) X(UNPACKLO_H, 2) X(UNPACKLO_W, 2) X(UNPACKLO_D, 2) \
    X(UNPACKHI_B, 2) X(UNPACKHI_H, 2) X(UNPACKHI_W, 2) X(UNPACKHI_D, 2) \
    X(PACKSS_H, 2) X(PACKSS_W, 2) X(PACKUS_H, 2) \
    X(SHUFFLE_W, 1) /* imm */ X(SHUFFLELO_H, 1) X(SHUFFLEHI_H, 1) X(SHUFFLE2_W, 2) X(SHUFFLE2_D, 2) \
    X(MASK_B, 1) X(MASK_W, 1) X(MASK_D, 1) /* sign bits to an integer in the low word */ \
    X(MERGE_W, 2) /* a with b's lane 0 */ X(MERGE_D, 2)
/* clang-format on */

#define FVEC_OPS(X)

#endif
