/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floating-point vector operations.
 *
 * Only instructions whose results, NaNs and flags the architecture defines are used: not HADDPS and DPPS, whose choice
 * between two NaNs and order of steps it leaves open, but shuffles and sums.
 */
#include "engine/x64/vec.h"

#include "engine/x64/vec_form.h"

/* The four widths of an operation whose opcode is the same: PS, SS, PD, SD. */
#define WIDTHS(NAME, opcode, packed, scalar)                                                                   \
    [FVEC_##NAME##_W4] = { .op = X64_NP(opcode), .shape = (packed) },                                          \
    [FVEC_##NAME##_W1] = { .op = X64_PF3(opcode), .shape = (scalar) },                                         \
    [FVEC_##NAME##_D2] = { .op = X64_P66(opcode), .shape = (packed) },                                         \
    [FVEC_##NAME##_D1] = { .op = X64_PF2(opcode), .shape = (scalar) }
#define XY(op_) { .op = (op_), .shape = X64_VEC_XY }
#define Y(op_) { .op = (op_), .shape = X64_VEC_Y }

static const struct x64_vec_form forms[FVEC_OP_COUNT] = {
    WIDTHS(ADD, 0x58, X64_VEC_XY, X64_VEC_XY), WIDTHS(SUB, 0x5c, X64_VEC_XY, X64_VEC_XY),
    WIDTHS(MUL, 0x59, X64_VEC_XY, X64_VEC_XY), WIDTHS(DIV, 0x5e, X64_VEC_XY, X64_VEC_XY),
    WIDTHS(MIN, 0x5d, X64_VEC_XY, X64_VEC_XY), WIDTHS(MAX, 0x5f, X64_VEC_XY, X64_VEC_XY),
    WIDTHS(SQRT, 0x51, X64_VEC_Y, X64_VEC_XY),
    [FVEC_ROUND_W4] = { .op = X64_P3A(0x08), .shape = X64_VEC_YI, .imm_mask = 15 },
    [FVEC_ROUND_D2] = { .op = X64_P3A(0x09), .shape = X64_VEC_YI, .imm_mask = 15 },
    [FVEC_ROUND_W1] = { .op = X64_P3A(0x0a), .shape = X64_VEC_XYI, .imm_mask = 15 },
    [FVEC_ROUND_D1] = { .op = X64_P3A(0x0b), .shape = X64_VEC_XYI, .imm_mask = 15 },
    [FVEC_CMP_W4] = { .op = X64_NP(0xc2), .shape = X64_VEC_XYI, .imm_mask = 31 },
    [FVEC_CMP_W1] = { .op = X64_PF3(0xc2), .shape = X64_VEC_XYI, .imm_mask = 31 },
    [FVEC_CMP_D2] = { .op = X64_P66(0xc2), .shape = X64_VEC_XYI, .imm_mask = 31 },
    [FVEC_CMP_D1] = { .op = X64_PF2(0xc2), .shape = X64_VEC_XYI, .imm_mask = 31 },
    [FVEC_ADDSUB_W4] = XY(X64_PF2(0xd0)), [FVEC_ADDSUB_D2] = XY(X64_P66(0xd0)),
    [FVEC_CVT_I32F32_4] = Y(X64_NP(0x5b)), [FVEC_CVT_I32F64_2] = Y(X64_PF3(0xe6)),
    [FVEC_CVT_F32F64_2] = Y(X64_NP(0x5a)), [FVEC_CVT_F64F32_2] = Y(X64_P66(0x5a)),
    [FVEC_CVT_F32I32_4] = Y(X64_P66(0x5b)), [FVEC_CVTT_F32I32_4] = Y(X64_PF3(0x5b)),
    [FVEC_CVT_F64I32_2] = Y(X64_PF2(0xe6)), [FVEC_CVTT_F64I32_2] = Y(X64_P66(0xe6)),
    [FVEC_CVT_F16F32_4] = { .op = X64_P38(0x13), .shape = X64_VEC_Y, .needs = X64_NEEDS_F16C },
    [FVEC_CVT_F32F64_1] = XY(X64_PF3(0x5a)), [FVEC_CVT_F64F32_1] = XY(X64_PF2(0x5a)),
};

/* ---- to and from general registers --------------------------------------------------------------------------- */

static unsigned compare_op(enum fvec_op op)
{
    return op == FVEC_COMI_W ? X64_NP(0x2f) : op == FVEC_COMI_D ? X64_P66(0x2f)
         : op == FVEC_UCOMI_W ? X64_NP(0x2e) : op == FVEC_UCOMI_D ? X64_P66(0x2e) : 0;
}

static unsigned to_int_op(enum fvec_op op)
{
    switch (op) {
    case FVEC_CVT_F32I32_1:
        return X64_PF3(0x2d);
    case FVEC_CVT_F32I64_1:
        return X64_PF3(0x2d) | X64_VEX_W;
    case FVEC_CVT_F64I32_1:
        return X64_PF2(0x2d);
    case FVEC_CVT_F64I64_1:
        return X64_PF2(0x2d) | X64_VEX_W;
    case FVEC_CVTT_F32I32_1:
        return X64_PF3(0x2c);
    case FVEC_CVTT_F32I64_1:
        return X64_PF3(0x2c) | X64_VEX_W;
    case FVEC_CVTT_F64I32_1:
        return X64_PF2(0x2c);
    case FVEC_CVTT_F64I64_1:
        return X64_PF2(0x2c) | X64_VEX_W;
    default:
        return 0;
    }
}

static unsigned from_int_op(enum fvec_op op)
{
    switch (op) {
    case FVEC_CVT_I32F32_1:
        return X64_PF3(0x2a);
    case FVEC_CVT_I64F32_1:
        return X64_PF3(0x2a) | X64_VEX_W;
    case FVEC_CVT_I32F64_1:
        return X64_PF2(0x2a);
    case FVEC_CVT_I64F64_1:
        return X64_PF2(0x2a) | X64_VEX_W;
    default:
        return 0;
    }
}

bool x64_emit_fvec_to_gpr(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned gpr, unsigned x,
                          unsigned y)
{
    unsigned compare = compare_op(op), convert = to_int_op(op);
    if (!host->avx || !(compare | convert))
        return false;
    if (convert) {
        x64_vex_rr(a, convert, gpr, 0, y);
    } else {
        x64_vex_rr(a, compare, x, 0, y);
        x64_flags_to_gpr(a, gpr, FVEC_UNORDERED);
    }
    return true;
}

bool x64_emit_fvec_to_flags(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned x, unsigned y)
{
    unsigned compare = compare_op(op);
    if (!host->avx || !compare)
        return false;
    x64_vex_rr(a, compare, x, 0, y);
    return true;
}

bool x64_emit_fvec_from_gpr(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned dst, unsigned x,
                            unsigned gpr)
{
    unsigned convert = from_int_op(op);
    if (!host->avx || !convert)
        return false;
    x64_vex_rr(a, convert, dst, x, gpr);
    return true;
}

/* ---- several instructions --------------------------------------------------------------------------------------- */

enum { T = X64_VEC_SCRATCH, U = X64_VEC_SCRATCH2, ZERO = X64_VEC_SCRATCH3 };

/* ADDPS, ADDPD, SUBPS or SUBPD of the even and the odd lanes of x and y. */
static void emit_pairs(struct x64_asm *a, unsigned op, bool single, unsigned dst, unsigned x, unsigned y)
{
    if (single) {
        x64_vex_rri(a, X64_NP(0xc6), T, x, y, 0x88); /* SHUFPS */
        x64_vex_rri(a, X64_NP(0xc6), U, x, y, 0xdd);
    } else {
        x64_vex_rr(a, X64_P66(0x14), T, x, y); /* UNPCKLPD, UNPCKHPD */
        x64_vex_rr(a, X64_P66(0x15), U, x, y);
    }
    x64_vex_rr(a, op, dst, T, U);
}

/* The products that imm's high half chooses (the others are 0 * 0), to T. */
static void emit_products(struct x64_asm *a, bool single, unsigned x, unsigned y, unsigned chosen)
{
    unsigned blend = single ? X64_P3A(0x0c) : X64_P3A(0x0d), mul = single ? X64_NP(0x59) : X64_P66(0x59);
    x64_vzero(a, ZERO);
    if (chosen != (single ? 15u : 3u)) {
        x64_vex_rri(a, blend, T, ZERO, x, chosen);
        x64_vex_rri(a, blend, U, ZERO, y, chosen);
        x = T;
        y = U;
    }
    x64_vex_rr(a, mul, T, x, y);
}

static void emit_dot_w4(struct x64_asm *a, unsigned dst, unsigned x, unsigned y, uint64_t imm)
{
    emit_products(a, true, x, y, imm >> 4 & 15);
    x64_vex_rri(a, X64_NP(0xc6), U, T, ZERO, 0x0d);  /* SHUFPS: products 1, 3 */
    x64_vex_rri(a, X64_NP(0xc6), T, T, ZERO, 0x08);  /* 0, 2 */
    x64_vex_rr(a, X64_NP(0x58), T, T, U);
    x64_vex_rr(a, X64_PF3(0x16), U, 0, T);           /* MOVSHDUP */
    x64_vex_rr(a, X64_PF3(0x58), T, T, U);           /* ADDSS */
    x64_vex_rri(a, X64_NP(0xc6), T, T, T, 0);
    x64_vex_rri(a, X64_P3A(0x0c), dst, ZERO, T, imm & 15);
}

static void emit_dot_d2(struct x64_asm *a, unsigned dst, unsigned x, unsigned y, uint64_t imm)
{
    emit_products(a, false, x, y, imm >> 4 & 3);
    x64_vex_rr(a, X64_P66(0x15), U, T, T);           /* UNPCKHPD */
    x64_vex_rr(a, X64_PF2(0x58), T, T, U);           /* ADDSD */
    x64_vex_rr(a, X64_P66(0x14), T, T, T);
    x64_vex_rri(a, X64_P3A(0x0d), dst, ZERO, T, imm & 3);
}

/* One lane by way of RAX; false: op is none of these. */
static bool emit_by_rax(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned dst, unsigned x,
                        unsigned y)
{
    unsigned from = from_int_op(op), to = to_int_op(op);
    if (from) {
        x64_vmovd_rx(a, from & X64_VEX_W ? 64 : 32, HOST_RAX, y);
        return x64_emit_fvec_from_gpr(a, host, op, dst, x, HOST_RAX);
    }
    if (!x64_emit_fvec_to_gpr(a, host, op, HOST_RAX, x, y))
        return false;
    x64_vmovd_xr(a, to & X64_VEX_W ? 64 : 32, dst, HOST_RAX);
    return true;
}

bool x64_emit_fvec(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned dst, unsigned x,
                   unsigned y, unsigned z, uint64_t imm)
{
    struct x64_vec_args v = { .dst = dst, .x = x, .y = y, .z = z, .imm = imm };
    if (x64_emit_form(a, host, &forms[op], &v))
        return true;
    if (!host->avx)
        return false;
    switch (op) {
    case FVEC_CVT_F32F16_4: /* VCVTPS2PH: ModRM.rm is what is written */
        if (host->f16c)
            x64_vex_rri(a, X64_P3A(0x1d), y, 0, dst, imm & 7);
        return host->f16c;
    case FVEC_HADD_W4:
        emit_pairs(a, X64_NP(0x58), true, dst, x, y);
        return true;
    case FVEC_HADD_D2:
        emit_pairs(a, X64_P66(0x58), false, dst, x, y);
        return true;
    case FVEC_HSUB_W4:
        emit_pairs(a, X64_NP(0x5c), true, dst, x, y);
        return true;
    case FVEC_HSUB_D2:
        emit_pairs(a, X64_P66(0x5c), false, dst, x, y);
        return true;
    case FVEC_DOT_W4:
        emit_dot_w4(a, dst, x, y, imm);
        return true;
    case FVEC_DOT_D2:
        emit_dot_d2(a, dst, x, y, imm);
        return true;
    case FVEC_CVT_I32F32_2: /* the upper lanes would be 0, then x's */
        x64_vmovq_xx(a, T, y);
        x64_vex_rr(a, X64_NP(0x5b), T, 0, T);
        x64_vex_rri(a, X64_P3A(0x0d), dst, x, T, 1);
        return true;
    case FVEC_CVT_F32I32_2:
    case FVEC_CVTT_F32I32_2:
        x64_vmovq_xx(a, T, y);
        x64_vex_rr(a, op == FVEC_CVT_F32I32_2 ? X64_P66(0x5b) : X64_PF3(0x5b), dst, 0, T);
        return true;
    default:
        return emit_by_rax(a, host, op, dst, x, y) || x64_emit_fused(a, host, op, dst, x, y, z);
    }
}

bool x64_emit_fvec_m(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned dst, unsigned x,
                     struct x64_mem m, uint64_t imm)
{
    return x64_emit_form(a, host, &forms[op], &(struct x64_vec_args){ .dst = dst, .x = x, .m = &m, .imm = imm });
}

unsigned x64_fvec_scratch(enum fvec_op op, bool to_gpr)
{
    return compare_op(op) || (!to_gpr && (to_int_op(op) || from_int_op(op))) ? 1u << HOST_RAX : 0;
}

bool x64_has_fvec(const struct x64_host *host, enum fvec_op op, bool to_gpr)
{
    uint8_t nowhere[256];
    struct x64_asm a;
    x64_init(&a, nowhere, sizeof nowhere);
    return to_gpr ? x64_emit_fvec_to_gpr(&a, host, op, HOST_RAX, 1, 2) : x64_emit_fvec(&a, host, op, 0, 1, 2, 3, 0);
}
