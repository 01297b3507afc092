/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host code for the IR's vector operations (ir/vec/vec.h), bit for bit what
 * their reference functions do.
 *
 * Registers are given by number.  dst may be any of the arguments; arguments
 * that an operation does not have are ignored.  All functions return false, and
 * emit nothing, where this host has no exact inline form; every host without AVX
 * is one.  Scratch: HOST_RAX, HOST_RCX, HOST_XMM13..15 and the arithmetic flags;
 * none of them may be an argument, HOST_RAX and HOST_RCX may be a result.
 *
 * Floating point runs under the host's MXCSR, which the caller has given the
 * guest's rounding, DAZ and FTZ, all exceptions masked.  What an operation
 * raises accumulates there.  (fp_env with an exception unmasked has other flags:
 * that is a case for the reference functions.)
 */
#ifndef REPRISE_ENGINE_X64_VEC_H
#define REPRISE_ENGINE_X64_VEC_H

#include "engine/x64/asm.h"
#include "engine/x64/host.h"
#include "ir/vec/vec.h"

enum { X64_VEC_SCRATCH = HOST_XMM13, X64_VEC_SCRATCH2, X64_VEC_SCRATCH3 };

bool x64_emit_vec(struct x64_asm *a, const struct x64_host *host, enum vec_op op, unsigned dst, unsigned x, unsigned y,
                  unsigned z, uint64_t imm);
bool x64_emit_fvec(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned dst, unsigned x,
                   unsigned y, unsigned z, uint64_t imm);

/*
 * The last argument (y, or x where there is only that; of BLENDV y) is in memory, where 16 bytes can be read:
 * those operations that are a single instruction.
 */
bool x64_emit_vec_m(struct x64_asm *a, const struct x64_host *host, enum vec_op op, unsigned dst, unsigned x,
                    struct x64_mem m, unsigned z, uint64_t imm);
bool x64_emit_fvec_m(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned dst, unsigned x,
                     struct x64_mem m, uint64_t imm);

/*
 * The result's low 64 bits to a general register, for MASK_*, TEST*, EXTRACT_*, CMPxSTR (the mask), COMI, UCOMI and
 * CVT*_1 to integers.
 */
bool x64_emit_vec_to_gpr(struct x64_asm *a, const struct x64_host *host, enum vec_op op, unsigned gpr, unsigned x,
                         unsigned y, unsigned z, uint64_t imm);
bool x64_emit_fvec_to_gpr(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned gpr, unsigned x,
                          unsigned y);

/* y's low 64 bits are in a general register, which may be a scratch one: INSERT_*, and CVT_I32*_1, CVT_I64*_1. */
bool x64_emit_vec_from_gpr(struct x64_asm *a, const struct x64_host *host, enum vec_op op, unsigned dst, unsigned x,
                           unsigned gpr, uint64_t imm);
bool x64_emit_fvec_from_gpr(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned dst, unsigned x,
                            unsigned gpr);

/*
 * TEST*, CMPxSTR, COMI and UCOMI of two registers to the host's flags: CF, ZF (COMI: PF; CMPxSTR: SF, OF) as in the
 * result, the others of the arithmetic flags 0.
 */
bool x64_emit_vec_to_flags(struct x64_asm *a, const struct x64_host *host, enum vec_op op, unsigned x, unsigned y,
                           unsigned z, uint64_t imm);
bool x64_emit_fvec_to_flags(struct x64_asm *a, const struct x64_host *host, enum fvec_op op, unsigned x, unsigned y);

/* Is there code for op on this host (to_gpr: by _to_gpr)? */
bool x64_has_vec(const struct x64_host *host, enum vec_op op, bool to_gpr);
bool x64_has_fvec(const struct x64_host *host, enum fvec_op op, bool to_gpr);

/*
 * Which of HOST_RAX and HOST_RCX the code of x64_emit_vec (to_gpr: _to_gpr and _to_flags) uses beside operands and
 * result: 1 << register.  The other forms use neither.
 */
unsigned x64_vec_scratch(enum vec_op op, bool to_gpr);
unsigned x64_fvec_scratch(enum fvec_op op, bool to_gpr);

/* The MXCSR that stands for an environment with all exceptions masked, none raised yet. */
static inline uint32_t x64_mxcsr_of(const struct fp_env *e)
{
    return UINT32_C(0x1f80) | (uint32_t)e->rounding << 13 | (uint32_t)e->daz << 6 | (uint32_t)e->ftz << 15;
}

#endif
