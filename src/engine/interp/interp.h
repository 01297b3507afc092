/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The portable engine: IR becomes direct-threaded code, an array of
 * operations that each name their handler's address.
 *
 * Values live in e->temps (64 bits) and e->vectors (128 bits), indexed by IR
 * value number.  Operations with a constant second operand have it inline.
 */
#ifndef REPRISE_ENGINE_INTERP_H
#define REPRISE_ENGINE_INTERP_H

#include "engine/impl.h"
#include "ir/vec/vec.h"

struct iop {
    const void *handler;
    uint16_t dst, a, b, aux;   /* values; aux: instruction index of ops that may leave */
    uint64_t imm;
};

/* What a CALL needs beyond an iop; lies behind the code. */
struct icall {
    const struct ir_helper *helper;
    uint16_t arg[4];
    bool last;                 /* in the block's last instruction: devices may be entered */
    bool may_exit;
};

/* Vector operations likewise. */
struct ivec {
    vec_fn *fn;
    fvec_fn *ffn;
    uint16_t arg[3];
    uint64_t imm;
};

/*
 * Handlers, in the order of the table that interp_handlers() gives.  R: both
 * operands are values; I: the second is the immediate.
 */
#define INTERP_BINARY(X) \
    X(ADD) X(SUB) X(MUL) X(MULHU) X(MULHS) X(AND) X(OR) X(XOR) X(ANDN) X(SHL) X(SHR) X(SAR) X(ROTL) X(ROTR)
#define INTERP_UNARY(X) X(NOT) X(NEG) X(CLZ) X(CTZ) X(POPCNT) X(BSWAP)
#define INTERP_CONDS(X) X(EQ) X(NE) X(LTU) X(GEU) X(LEU) X(GTU) X(LTS) X(GES) X(LES) X(GTS)
#define INTERP_PLAIN(X)                                                                                        \
    X(CONST) X(COPY) X(VCOPY) X(GET8) X(GET16) X(GET32) X(GET64) X(GETV) X(PUT8) X(PUT16) X(PUT32) X(PUT64)    \
    X(PUTV) X(PUT8I) X(PUT16I) X(PUT32I) X(PUT64I) X(EXTRACT) X(SEXTRACT_W) X(SEXTRACT_X) X(DEPOSIT_W)         \
    X(DEPOSIT_X) X(SELECT) X(SEXT) X(TRUNC) X(VFROM64) X(VLO) X(VHI) X(VEC) X(FVEC) X(LD8) X(LD16) X(LD32)     \
    X(LD64) X(LDS) X(LDI) X(ST8) X(ST16) X(ST32) X(ST64) X(LDV) X(STV) X(CALL0) X(CALL1) X(CALL2) X(CALL3) X(CALL4)              \
    X(BR) X(EXIT_JUMP) X(EXIT_INDIRECT) X(EXIT_LOOKUP) X(EXIT_LOOP)

enum interp_handler {
#define X(n) H_##n##_WR, H_##n##_WI, H_##n##_XR, H_##n##_XI,
    INTERP_BINARY(X)
#undef X
#define X(n) H_##n##_W, H_##n##_X,
        INTERP_UNARY(X)
#undef X
#define X(n) H_SET##n##_WR, H_SET##n##_WI, H_SET##n##_XR, H_SET##n##_XI, H_BR##n##_WR, H_BR##n##_WI, H_BR##n##_XR, \
    H_BR##n##_XI,
            INTERP_CONDS(X)
#undef X
#define X(n) H_##n,
                INTERP_PLAIN(X)
#undef X
                    H_COUNT
};

/* Handler addresses by enum interp_handler. */
const void *const *interp_handlers(void);

void interp_compile(struct engine *e, struct block *b, const struct ir_block *ir);
enum leave interp_exec(struct engine *e, struct vcpu *v, struct block *b);

#endif
