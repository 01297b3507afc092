/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector operations of the IR: 128-bit values, lanes counted from the low end.
 * One list gives the enum, the names and the reference functions that the
 * portable engine calls; the JIT maps the same enum to host instructions.
 *
 * Integer ops (VEC) are pure.  Floating-point ops (FVEC) take the guest's
 * fp_env, set env->raised, and do not trap themselves: the engine does when
 * (raised & ~masks) != 0, and drops the result.  An unmasked exception that is found before
 * a lane is computed (invalid, denormal, zero divide) stops the operation: raised then holds
 * those of all lanes, and no overflow, underflow or inexact (SDM vol. 1, 11.5.2.3).
 *
 * Semantics are defined by the function, exactly; no host instruction decides.
 */
#ifndef REPRISE_IR_VEC_VEC_H
#define REPRISE_IR_VEC_VEC_H

#include "base/bits.h"
#include "fp/fp.h"

union v128 {
    uint8_t b[16];
    uint16_t h[8];
    uint32_t w[4];
    uint64_t d[2];
};

/* r is none of the operands; operands that an op does not have may be anything. */
typedef void vec_fn(union v128 *r, const union v128 *a, const union v128 *b, const union v128 *c, uint64_t imm);
typedef void fvec_fn(struct fp_env *env, union v128 *r, const union v128 *a, const union v128 *b,
                     const union v128 *c, uint64_t imm);

/* VEC_OP(NAME, argument count), in ir/vec/ops.h; the functions are vec_NAME and fvec_NAME. */
#include "ir/vec/ops.h"

/* What COMI and UCOMI give: CF, PF and ZF where x86's EFLAGS has them. */
enum fvec_relation { FVEC_GREATER = 0, FVEC_LESS = 1, FVEC_EQUAL = 0x40, FVEC_UNORDERED = 0x45 };

enum vec_op {
#define VEC_OP(NAME, nargs) VEC_##NAME,
    VEC_OPS(VEC_OP)
#undef VEC_OP
        VEC_OP_COUNT,
};
enum fvec_op {
#define FVEC_OP(NAME, nargs) FVEC_##NAME,
    FVEC_OPS(FVEC_OP)
#undef FVEC_OP
        FVEC_OP_COUNT,
};

struct vec_info {
    const char *name;
    uint8_t n_args;
    vec_fn *fn;
};
struct fvec_info {
    const char *name;
    uint8_t n_args;
    fvec_fn *fn;
};
extern const struct vec_info vec_info[VEC_OP_COUNT];
extern const struct fvec_info fvec_info[FVEC_OP_COUNT + 1];

#endif
