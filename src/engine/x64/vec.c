/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer vector operations: a table of those that are one instruction, and the others. */
#include "engine/x64/vec.h"

#include "engine/x64/vec_form.h"

#define XY(opcode) { .op = X64_P66(opcode), .shape = X64_VEC_XY }
#define XY_EITHER(opcode) { .op = X64_P66(opcode), .shape = X64_VEC_XY_EITHER }
#define XY38(opcode) { .op = X64_P38(opcode), .shape = X64_VEC_XY }
#define X38(opcode) { .op = X64_P38(opcode), .shape = X64_VEC_X }
#define XYI3A(opcode, mask) { .op = X64_P3A(opcode), .shape = X64_VEC_XYI, .imm_mask = (mask) }
#define XYZ3A(opcode) { .op = X64_P3A(opcode), .shape = X64_VEC_XYZ }
/* Counts beyond the lane do the same whatever they are. */
#define SHIFT(opcode, n) { .op = X64_P66(opcode), .shape = X64_VEC_SHIFT, .digit = (n), .imm_limit = 255 }
#define AES(opcode, how) { .op = X64_P38(opcode), .shape = (how), .needs = X64_NEEDS_AES }

#define AVX2(how, opcode) { .op = (opcode), .shape = (how), .needs = X64_NEEDS_AVX2 }

static const struct x64_vec_form forms[VEC_OP_COUNT] = {
    [VEC_AND] = XY_EITHER(0xdb), [VEC_ANDN] = XY(0xdf), [VEC_OR] = XY_EITHER(0xeb), [VEC_XOR] = XY_EITHER(0xef),
    [VEC_ADD_B] = XY_EITHER(0xfc), [VEC_ADD_H] = XY_EITHER(0xfd), [VEC_ADD_W] = XY_EITHER(0xfe),
    [VEC_ADD_D] = XY_EITHER(0xd4), [VEC_SUB_B] = XY(0xf8), [VEC_SUB_H] = XY(0xf9), [VEC_SUB_W] = XY(0xfa),
    [VEC_SUB_D] = XY(0xfb), [VEC_ADDS_B] = XY_EITHER(0xec), [VEC_ADDS_H] = XY_EITHER(0xed),
    [VEC_ADDUS_B] = XY_EITHER(0xdc), [VEC_ADDUS_H] = XY_EITHER(0xdd), [VEC_SUBS_B] = XY(0xe8), [VEC_SUBS_H] = XY(0xe9),
    [VEC_SUBUS_B] = XY(0xd8), [VEC_SUBUS_H] = XY(0xd9), [VEC_AVG_B] = XY_EITHER(0xe0), [VEC_AVG_H] = XY_EITHER(0xe3),
    [VEC_MINU_B] = XY_EITHER(0xda), [VEC_MINU_H] = XY38(0x3a), [VEC_MINU_W] = XY38(0x3b), [VEC_MINS_B] = XY38(0x38),
    [VEC_MINS_H] = XY_EITHER(0xea), [VEC_MINS_W] = XY38(0x39), [VEC_MAXU_B] = XY_EITHER(0xde),
    [VEC_MAXU_H] = XY38(0x3e), [VEC_MAXU_W] = XY38(0x3f), [VEC_MAXS_B] = XY38(0x3c), [VEC_MAXS_H] = XY_EITHER(0xee),
    [VEC_MAXS_W] = XY38(0x3d), [VEC_ABS_B] = X38(0x1c), [VEC_ABS_H] = X38(0x1d), [VEC_ABS_W] = X38(0x1e),
    [VEC_SIGN_B] = XY38(0x08), [VEC_SIGN_H] = XY38(0x09), [VEC_SIGN_W] = XY38(0x0a),
    [VEC_MULL_H] = XY_EITHER(0xd5), [VEC_MULHS_H] = XY_EITHER(0xe5), [VEC_MULHU_H] = XY_EITHER(0xe4),
    [VEC_MULU_W] = XY_EITHER(0xf4), [VEC_MADD_H] = XY_EITHER(0xf5), [VEC_SAD_B] = XY_EITHER(0xf6),
    [VEC_MULL_W] = XY38(0x40), [VEC_MULS_W] = XY38(0x28), [VEC_MULHRS_H] = XY38(0x0b), [VEC_MADDUS_B] = XY38(0x04),
    [VEC_MPSAD_B] = XYI3A(0x42, 7), [VEC_MINPOS_H] = X38(0x41), [VEC_HADD_H] = XY38(0x01), [VEC_HADD_W] = XY38(0x02),
    [VEC_HADDS_H] = XY38(0x03), [VEC_HSUB_H] = XY38(0x05), [VEC_HSUB_W] = XY38(0x06), [VEC_HSUBS_H] = XY38(0x07),
    [VEC_CMPEQ_B] = XY_EITHER(0x74), [VEC_CMPEQ_H] = XY_EITHER(0x75), [VEC_CMPEQ_W] = XY_EITHER(0x76),
    [VEC_CMPEQ_D] = XY38(0x29), [VEC_CMPGT_B] = XY(0x64), [VEC_CMPGT_H] = XY(0x65), [VEC_CMPGT_W] = XY(0x66),
    [VEC_CMPGT_D] = XY38(0x37),
    [VEC_SHL_H] = XY(0xf1), [VEC_SHL_W] = XY(0xf2), [VEC_SHL_D] = XY(0xf3), [VEC_SHR_H] = XY(0xd1),
    [VEC_SHR_W] = XY(0xd2), [VEC_SHR_D] = XY(0xd3), [VEC_SAR_H] = XY(0xe1), [VEC_SAR_W] = XY(0xe2),
    [VEC_SHLI_H] = SHIFT(0x71, 6), [VEC_SHLI_W] = SHIFT(0x72, 6), [VEC_SHLI_D] = SHIFT(0x73, 6),
    [VEC_SHRI_H] = SHIFT(0x71, 2), [VEC_SHRI_W] = SHIFT(0x72, 2), [VEC_SHRI_D] = SHIFT(0x73, 2),
    [VEC_SARI_H] = SHIFT(0x71, 4), [VEC_SARI_W] = SHIFT(0x72, 4), [VEC_SHL_BYTES] = SHIFT(0x73, 7),
    [VEC_SHR_BYTES] = SHIFT(0x73, 3),
    [VEC_SHLV_W] = AVX2(X64_VEC_XY, X64_P38(0x47)), [VEC_SHLV_D] = AVX2(X64_VEC_XY, X64_P38(0x47) | X64_VEX_W),
    [VEC_SHRV_W] = AVX2(X64_VEC_XY, X64_P38(0x45)), [VEC_SHRV_D] = AVX2(X64_VEC_XY, X64_P38(0x45) | X64_VEX_W),
    [VEC_SARV_W] = AVX2(X64_VEC_XY, X64_P38(0x46)), [VEC_PERM_W] = XY38(0x0c), [VEC_PERM_D] = XY38(0x0d),
    [VEC_BCAST_B] = AVX2(X64_VEC_X, X64_P38(0x78)), [VEC_BCAST_H] = AVX2(X64_VEC_X, X64_P38(0x79)),
    [VEC_UNPACKLO_B] = XY(0x60), [VEC_UNPACKLO_H] = XY(0x61), [VEC_UNPACKLO_W] = XY(0x62), [VEC_UNPACKLO_D] = XY(0x6c),
    [VEC_UNPACKHI_B] = XY(0x68), [VEC_UNPACKHI_H] = XY(0x69), [VEC_UNPACKHI_W] = XY(0x6a), [VEC_UNPACKHI_D] = XY(0x6d),
    [VEC_PACKSS_H] = XY(0x63), [VEC_PACKSS_W] = XY(0x6b), [VEC_PACKUS_H] = XY(0x67), [VEC_PACKUS_W] = XY38(0x2b),
    [VEC_SHUFFLE_W] = { .op = X64_P66(0x70), .shape = X64_VEC_XI },
    [VEC_SHUFFLELO_H] = { .op = X64_PF2(0x70), .shape = X64_VEC_XI },
    [VEC_SHUFFLEHI_H] = { .op = X64_PF3(0x70), .shape = X64_VEC_XI },
    [VEC_SHUFFLE2_W] = { .op = X64_NP(0xc6), .shape = X64_VEC_XYI },
    [VEC_SHUFFLE2_D] = { .op = X64_P66(0xc6), .shape = X64_VEC_XYI, .imm_mask = 3 },
    [VEC_SHUFFLE_B] = XY38(0x00),
    [VEC_ALIGN] = { .op = X64_P3A(0x0f), .shape = X64_VEC_XYI, .imm_limit = 32 },
    [VEC_BLENDV_B] = XYZ3A(0x4c), [VEC_BLENDV_W] = XYZ3A(0x4a), [VEC_BLENDV_D] = XYZ3A(0x4b),
    [VEC_BLEND_H] = XYI3A(0x0e, 255), [VEC_BLEND_W] = XYI3A(0x0c, 15), [VEC_BLEND_D] = XYI3A(0x0d, 3),
    [VEC_INSERTPS] = XYI3A(0x21, 255),
    [VEC_SEXT_BH] = X38(0x20), [VEC_SEXT_BW] = X38(0x21), [VEC_SEXT_BD] = X38(0x22), [VEC_SEXT_HW] = X38(0x23),
    [VEC_SEXT_HD] = X38(0x24), [VEC_SEXT_WD] = X38(0x25), [VEC_ZEXT_BH] = X38(0x30), [VEC_ZEXT_BW] = X38(0x31),
    [VEC_ZEXT_BD] = X38(0x32), [VEC_ZEXT_HW] = X38(0x33), [VEC_ZEXT_HD] = X38(0x34), [VEC_ZEXT_WD] = X38(0x35),
    [VEC_AESENC] = AES(0xdc, X64_VEC_XY), [VEC_AESENCLAST] = AES(0xdd, X64_VEC_XY),
    [VEC_AESDEC] = AES(0xde, X64_VEC_XY), [VEC_AESDECLAST] = AES(0xdf, X64_VEC_XY),
    [VEC_AESIMC] = AES(0xdb, X64_VEC_X),
    [VEC_AESKEYGEN] = { .op = X64_P3A(0xdf), .shape = X64_VEC_XI, .needs = X64_NEEDS_AES },
    [VEC_CLMUL] = { .op = X64_P3A(0x44), .shape = X64_VEC_XYI, .needs = X64_NEEDS_CLMUL, .imm_mask = 0x11 },
};

/* What is one instruction with an immediate of its own: MERGE, lane 0 of y and the rest of x, is a blend. */
static const struct x64_vec_form merge_w = XYI3A(0x0c, 15), merge_d = XYI3A(0x0d, 3);
static const struct x64_vec_form shuffle = { .op = X64_P66(0x70), .shape = X64_VEC_XI };

static bool emit_one(struct x64_asm *a, const struct x64_host *host, enum vec_op op, struct x64_vec_args v)
{
    switch (op) {
    case VEC_MERGE_W:
        v.imm = 1;
        return x64_emit_form(a, host, &merge_w, &v);
    case VEC_MERGE_D:
        v.imm = 1;
        return x64_emit_form(a, host, &merge_d, &v);
    case VEC_BCAST_W:
        v.imm = 0;
        return x64_emit_form(a, host, &shuffle, &v);
    case VEC_BCAST_D:
        v.imm = 0x44;
        return x64_emit_form(a, host, &shuffle, &v);
    default:
        return x64_emit_form(a, host, &forms[op], &v);
    }
}

/* ---- to and from general registers -------------------------------------------------------------------------- */

/* PTEST, VTESTPS, VTESTPD; 0: none of them. */
static unsigned test_op(enum vec_op op)
{
    return op == VEC_TEST ? X64_P38(0x17) : op == VEC_TEST_W ? X64_P38(0x0e) : op == VEC_TEST_D ? X64_P38(0x0f) : 0;
}

/*
 * PCMPISTRM or PCMPESTRM: the mask in XMM0, and the flags.  The lengths of the latter are in RAX and RDX, all
 * 64 bits of them with REX.W, which only the SSE form is documented to have.
 */
static void string_compare(struct x64_asm *a, enum vec_op op, unsigned x, unsigned y, unsigned z, uint64_t imm)
{
    if (op == VEC_CMPISTR) {
        x64_vex_rri(a, X64_P3A(0x62), x, 0, y, imm & 63);
        return;
    }
    x64_vmovd_xr(a, 64, X64_VEC_SCRATCH2, HOST_RDX);
    x64_vmovd_rx(a, 64, HOST_RAX, z);
    x64_vex_rri(a, X64_P3A(0x16) | X64_VEX_W, z, 0, HOST_RDX, 1);
    x64_op_rri(a, X64_0F3A | X64_66 | 0x60, 64, x, y, 0, 8, (int64_t)(imm & 63));
    x64_vmovd_rx(a, 64, HOST_RDX, X64_VEC_SCRATCH2);
}

static void emit_string(struct x64_asm *a, enum vec_op op, unsigned dst, unsigned x, unsigned y, unsigned z,
                        uint64_t imm)
{
    enum { CF_ZF_SF = 0xc1, OF_BIT = 11 };
    if (dst != HOST_XMM0)
        x64_vmovaps_xx(a, X64_VEC_SCRATCH, HOST_XMM0);
    string_compare(a, op, x, y, z, imm);
    x64_lahf(a);
    x64_setcc_r(a, X64_O, HOST_RAX);
    x64_movzx_rr(a, 32, HOST_RCX, 8, HOST_RAX);
    x64_shift_ri(a, X64_SHL, 32, HOST_RCX, OF_BIT);
    x64_shift_ri(a, X64_SHR, 32, HOST_RAX, 8);
    x64_alu_ri(a, X64_AND, 32, HOST_RAX, CF_ZF_SF);
    x64_alu_rr(a, X64_OR, 32, HOST_RAX, HOST_RCX);
    x64_vex_rri(a, X64_P3A(0x22) | X64_VEX_W, dst, HOST_XMM0, HOST_RAX, 1);
    if (dst != HOST_XMM0)
        x64_vmovaps_xx(a, HOST_XMM0, X64_VEC_SCRATCH);
}

/* Lane `lane` of 8, 16, 32 or 64 bits, zero-extended. */
static void extract_to_gpr(struct x64_asm *a, unsigned w, unsigned gpr, unsigned x, unsigned lane)
{
    if (w >= 32 && lane == 0)
        x64_vmovd_rx(a, w, gpr, x);
    else if (w == 16)
        x64_vex_rri(a, X64_P66(0xc5), gpr, 0, x, lane);
    else
        x64_vex_rri(a, w == 8 ? X64_P3A(0x14) : w == 32 ? X64_P3A(0x16) : X64_P3A(0x16) | X64_VEX_W, x, 0, gpr, lane);
}

static void extract(struct x64_asm *a, unsigned w, unsigned dst, unsigned x, unsigned lane)
{
    unsigned bytes = w / 8, above = 16 - bytes - lane * bytes;
    if (w == 64 && lane == 0) {
        x64_vmovq_xx(a, dst, x);
    } else if (w == 32) {
        x64_vex_rri(a, X64_P3A(0x21), dst, x, x, lane << 6 | 0xe); /* INSERTPS into lane 0, the others zeroed */
    } else {
        if (above)
            x64_vex_rri(a, X64_P66(0x73), 7, dst, x, above);
        x64_vex_rri(a, X64_P66(0x73), 3, dst, above ? dst : x, 16 - bytes);
    }
}

bool x64_emit_vec_to_gpr(struct x64_asm *a, const struct x64_host *host, enum vec_op op, unsigned gpr, unsigned x,
                         unsigned y, unsigned z, uint64_t imm)
{
    if (!host->avx)
        return false;
    switch (op) {
    case VEC_MASK_B:
        x64_vex_rr(a, X64_P66(0xd7), gpr, 0, x);
        return true;
    case VEC_MASK_W:
        x64_vex_rr(a, X64_NP(0x50), gpr, 0, x);
        return true;
    case VEC_MASK_D:
        x64_vex_rr(a, X64_P66(0x50), gpr, 0, x);
        return true;
    case VEC_EXTRACT_B:
        extract_to_gpr(a, 8, gpr, x, imm & 15);
        return true;
    case VEC_EXTRACT_H:
        extract_to_gpr(a, 16, gpr, x, imm & 7);
        return true;
    case VEC_EXTRACT_W:
        extract_to_gpr(a, 32, gpr, x, imm & 3);
        return true;
    case VEC_EXTRACT_D:
        extract_to_gpr(a, 64, gpr, x, imm & 1);
        return true;
    case VEC_TEST:
    case VEC_TEST_W:
    case VEC_TEST_D:
        x64_vex_rr(a, test_op(op), x, 0, y);
        x64_flags_to_gpr(a, gpr, 0x41);
        return true;
    case VEC_CMPISTR:
    case VEC_CMPESTR:
        x64_vmovaps_xx(a, X64_VEC_SCRATCH, HOST_XMM0);
        string_compare(a, op, x, y, z, imm);
        x64_vmovd_rx(a, 32, gpr, HOST_XMM0);
        x64_vmovaps_xx(a, HOST_XMM0, X64_VEC_SCRATCH);
        return true;
    default:
        return false;
    }
}

bool x64_emit_vec_to_flags(struct x64_asm *a, const struct x64_host *host, enum vec_op op, unsigned x, unsigned y,
                           unsigned z, uint64_t imm)
{
    if (!host->avx || (!test_op(op) && op != VEC_CMPISTR && op != VEC_CMPESTR))
        return false;
    if (test_op(op)) {
        x64_vex_rr(a, test_op(op), x, 0, y);
        return true;
    }
    x64_vmovaps_xx(a, X64_VEC_SCRATCH, HOST_XMM0);
    string_compare(a, op, x, y, z, imm);
    x64_vmovaps_xx(a, HOST_XMM0, X64_VEC_SCRATCH);
    return true;
}

bool x64_emit_vec_from_gpr(struct x64_asm *a, const struct x64_host *host, enum vec_op op, unsigned dst, unsigned x,
                           unsigned gpr, uint64_t imm)
{
    if (!host->avx)
        return false;
    switch (op) {
    case VEC_INSERT_B:
        x64_vex_rri(a, X64_P3A(0x20), dst, x, gpr, imm & 15);
        return true;
    case VEC_INSERT_H:
        x64_vex_rri(a, X64_P66(0xc4), dst, x, gpr, imm & 7);
        return true;
    case VEC_INSERT_W:
        x64_vex_rri(a, X64_P3A(0x22), dst, x, gpr, imm & 3);
        return true;
    case VEC_INSERT_D:
        x64_vex_rri(a, X64_P3A(0x22) | X64_VEX_W, dst, x, gpr, imm & 1);
        return true;
    default:
        return false;
    }
}

/* ---- several instructions --------------------------------------------------------------------------------------- */

static void emit_insert(struct x64_asm *a, const struct x64_host *host, enum vec_op op, unsigned dst, unsigned x,
                        unsigned y, uint64_t imm)
{
    if (op == VEC_INSERT_W) {
        x64_vex_rri(a, X64_P3A(0x21), dst, x, y, (imm & 3) << 4);
    } else if (op == VEC_INSERT_D && imm & 1) {
        x64_vex_rr(a, X64_P66(0x6c), dst, x, y); /* PUNPCKLQDQ */
    } else if (op == VEC_INSERT_D) {
        x64_vex_rri(a, X64_P3A(0x0d), dst, x, y, 1); /* BLENDPD */
    } else {
        x64_vmovd_rx(a, 32, HOST_RAX, y);
        x64_emit_vec_from_gpr(a, host, op, dst, x, HOST_RAX, imm);
    }
}

/* Byte or word 0 to all, without AVX2. */
static void emit_broadcast(struct x64_asm *a, enum vec_op op, unsigned dst, unsigned x)
{
    if (op == VEC_BCAST_B) {
        x64_vzero(a, X64_VEC_SCRATCH);
        x64_vex_rr(a, X64_P38(0x00), dst, x, X64_VEC_SCRATCH); /* PSHUFB */
    } else {
        x64_vex_rri(a, X64_PF2(0x70), dst, 0, x, 0);           /* PSHUFLW, PSHUFD */
        x64_vex_rri(a, X64_P66(0x70), dst, 0, dst, 0);
    }
}

/* Each of the low 16 (or 8) bits becomes a byte (word): spread over its lane, it is compared with its place there. */
static void emit_expand(struct x64_asm *a, enum vec_op op, unsigned dst, unsigned x)
{
    enum { BITS = X64_VEC_SCRATCH, SPREAD = X64_VEC_SCRATCH2 };
    x64_mov_ri(a, HOST_RAX, UINT64_C(0x8040201008040201));
    x64_vmovd_xr(a, 64, BITS, HOST_RAX);
    if (op == VEC_EXPAND_H) {
        x64_vex_rr(a, X64_P38(0x30), BITS, 0, BITS);          /* PMOVZXBW: 1, 2 ... 128 in words */
        x64_vex_rri(a, X64_PF2(0x70), SPREAD, 0, x, 0);       /* PSHUFLW */
    } else {
        x64_vex_rr(a, X64_P66(0x6c), BITS, BITS, BITS);       /* PUNPCKLQDQ */
        x64_vex_rr(a, X64_P66(0x60), SPREAD, x, x);           /* PUNPCKLBW: 0 0 1 1 */
        x64_vex_rri(a, X64_PF2(0x70), SPREAD, 0, SPREAD, 0x50); /* words 0 0 1 1 */
    }
    x64_vex_rri(a, X64_P66(0x70), SPREAD, 0, SPREAD, op == VEC_EXPAND_H ? 0 : 0x50); /* PSHUFD */
    x64_vex_rr(a, X64_P66(0xdb), SPREAD, SPREAD, BITS);
    x64_vex_rr(a, op == VEC_EXPAND_H ? X64_P66(0x75) : X64_P66(0x74), dst, SPREAD, BITS);
}

/* dst = the 32-bit constant in every lane. */
static void emit_constant(struct x64_asm *a, unsigned dst, uint32_t v)
{
    x64_mov_ri(a, HOST_RAX, v);
    x64_vmovd_xr(a, 32, dst, HOST_RAX);
    x64_vex_rri(a, X64_P66(0x70), dst, 0, dst, 0); /* PSHUFD */
}

/*
 * 1/y or 1/sqrt(y), rounded to nearest without denormals, and cut off: our definition (fp.h), not RCPPS.  The MXCSR
 * for that is in memory below the stack pointer, which the ABI leaves to leaf code; what is raised is forgotten.
 */
static void emit_reciprocal(struct x64_asm *a, bool of_root, bool one, unsigned dst, unsigned x, unsigned y)
{
    enum { T = X64_VEC_SCRATCH, C = X64_VEC_SCRATCH2, UNORDERED = 3, MASKED_NEAREST_DAZ_FTZ = 0x9fc0 };
    struct x64_mem saved = x64_base(HOST_RSP, -4), own = x64_base(HOST_RSP, -8);
    x64_stmxcsr(a, saved);
    x64_mov_mi(a, 32, own, MASKED_NEAREST_DAZ_FTZ);
    x64_ldmxcsr(a, own);
    emit_constant(a, C, 0x3f800000);
    if (of_root)
        x64_vex_rr(a, X64_NP(0x51), T, 0, y);                 /* SQRTPS */
    x64_vex_rr(a, X64_NP(0x5e), T, C, of_root ? T : y);       /* DIVPS */
    x64_ldmxcsr(a, saved);
    emit_constant(a, C, ~UINT32_C(0x7ff));
    x64_vex_rri(a, X64_NP(0xc2), X64_VEC_SCRATCH3, T, T, UNORDERED); /* quiet NaNs, which raise nothing, stay whole */
    x64_vex_rr(a, X64_NP(0x56), C, C, X64_VEC_SCRATCH3);
    x64_vex_rr(a, X64_NP(0x54), one ? T : dst, T, C);
    if (one)
        x64_vex_rri(a, X64_P3A(0x0c), dst, x, T, 1);          /* BLENDPS */
}

bool x64_emit_vec(struct x64_asm *a, const struct x64_host *host, enum vec_op op, unsigned dst, unsigned x, unsigned y,
                  unsigned z, uint64_t imm)
{
    struct x64_vec_args v = { .dst = dst, .x = x, .y = y, .z = z, .imm = imm };
    if (emit_one(a, host, op, v))
        return true;
    if (!host->avx)
        return false;
    switch (op) {
    case VEC_ZERO:
        x64_vzero(a, dst);
        return true;
    case VEC_BCAST_B:
    case VEC_BCAST_H:
        emit_broadcast(a, op, dst, x);
        return true;
    case VEC_INSERT_B:
    case VEC_INSERT_H:
    case VEC_INSERT_W:
    case VEC_INSERT_D:
        emit_insert(a, host, op, dst, x, y, imm);
        return true;
    case VEC_EXTRACT_B:
        extract(a, 8, dst, x, imm & 15);
        return true;
    case VEC_EXTRACT_H:
        extract(a, 16, dst, x, imm & 7);
        return true;
    case VEC_EXTRACT_W:
        extract(a, 32, dst, x, imm & 3);
        return true;
    case VEC_EXTRACT_D:
        extract(a, 64, dst, x, imm & 1);
        return true;
    case VEC_EXPAND_B:
    case VEC_EXPAND_H:
        emit_expand(a, op, dst, x);
        return true;
    case VEC_CMPISTR:
    case VEC_CMPESTR:
        emit_string(a, op, dst, x, y, z, imm);
        return true;
    case VEC_RCP_W4:
    case VEC_RCP_W1:
        emit_reciprocal(a, false, op == VEC_RCP_W1, dst, x, y);
        return true;
    case VEC_RSQRT_W4:
    case VEC_RSQRT_W1:
        emit_reciprocal(a, true, op == VEC_RSQRT_W1, dst, x, y);
        return true;
    default:
        if (!x64_emit_vec_to_gpr(a, host, op, HOST_RAX, x, y, z, imm))
            return false;
        x64_vmovd_xr(a, 32, dst, HOST_RAX); /* MASK_*, TEST */
        return true;
    }
}

bool x64_emit_vec_m(struct x64_asm *a, const struct x64_host *host, enum vec_op op, unsigned dst, unsigned x,
                    struct x64_mem m, unsigned z, uint64_t imm)
{
    if (op == VEC_INSERTPS) { /* in memory it is one lane, not one of four */
        m.disp += 4 * (imm >> 6 & 3);
        imm &= 63;
    }
    return emit_one(a, host, op, (struct x64_vec_args){ .dst = dst, .x = x, .z = z, .m = &m, .imm = imm });
}

unsigned x64_vec_scratch(enum vec_op op, bool to_gpr)
{
    const unsigned rax = 1u << HOST_RAX, rcx = 1u << HOST_RCX;
    switch (op) {
    case VEC_TEST:
    case VEC_TEST_W:
    case VEC_TEST_D:
        return rax;
    case VEC_CMPESTR:
        return to_gpr ? rax : rax | rcx;
    case VEC_CMPISTR:
        return to_gpr ? 0 : rax | rcx;
    case VEC_MASK_B:
    case VEC_MASK_W:
    case VEC_MASK_D:
    case VEC_INSERT_B:
    case VEC_INSERT_H:
    case VEC_EXPAND_B:
    case VEC_EXPAND_H:
    case VEC_RCP_W4:
    case VEC_RCP_W1:
    case VEC_RSQRT_W4:
    case VEC_RSQRT_W1:
        return to_gpr ? 0 : rax;
    default:
        return 0;
    }
}

bool x64_has_vec(const struct x64_host *host, enum vec_op op, bool to_gpr)
{
    uint8_t nowhere[256];
    struct x64_asm a;
    x64_init(&a, nowhere, sizeof nowhere);
    return to_gpr ? x64_emit_vec_to_gpr(&a, host, op, HOST_RAX, 1, 2, 3, 0)
                  : x64_emit_vec(&a, host, op, 0, 1, 2, 3, 0);
}
