/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The portable engine: IR becomes direct-threaded code, an array of
 * operations that each name their handler's address.
 *
 * It is a register machine whose registers are the guest's own: operands are
 * indices of 64-bit words from the start of the vCPU struct, so an operation
 * reads and writes guest registers in place, and temporaries live in
 * v->temp.  GET and PUT of whole words mostly vanish (plan.c decides where).
 *
 * Invariants
 *  1. Handlers read all operands before they write the result (they may share a word).
 *  2. A word holding a value of type W may have garbage in its upper half:
 *     handlers of W operations look at the lower half only, and write zeros above it.
 *  3. Guest state is as the IR says at every operation that may leave the block.
 */
#ifndef REPRISE_ENGINE_INTERP_H
#define REPRISE_ENGINE_INTERP_H

#include "engine/impl.h"
#include "ir/vec/vec.h"

struct iop {
    const void *handler;
    uint16_t dst, a, b, aux;   /* words; aux: instruction index of ops that may leave */
    uint64_t imm;
};

/* What a CALL needs beyond an iop; lies behind the code. */
struct icall {
    const struct ir_helper *helper;
    uint32_t at;               /* its op, while compiling */
    uint16_t arg[4];
    bool last;                 /* in the block's last instruction: devices may be entered */
    bool may_exit;
};

/* Vector operations likewise. */
struct ivec {
    vec_fn *fn;
    fvec_fn *ffn;
    uint32_t at;
    uint16_t arg[3];
    uint16_t part;             /* enum ir_fvec_part */
    uint64_t imm;
};

/*
 * Handlers, in the order of the table that interp_handlers() gives.  R: both
 * operands are words; I: the second is the immediate.
 */
#define INTERP_BINARY(X) \
    X(ADD) X(SUB) X(MUL) X(MULHU) X(MULHS) X(DIVU) X(DIVS) X(AND) X(OR) X(XOR) X(ANDN) X(SHL) X(SHR) X(SAR) \
    X(ROTL) X(ROTR)
#define INTERP_UNARY(X) X(NOT) X(NEG) X(CLZ) X(CTZ) X(POPCNT) X(BSWAP)
#define INTERP_CONDS(X) X(EQ) X(NE) X(LTU) X(GEU) X(LEU) X(GTU) X(LTS) X(GES) X(LES) X(GTS)
/*
 * Memory: imm = mmu mode | displacement << 8, added to the address word; with
 * the suffix _WRAP the sum is cut to 32 bits.  LDI: write intent.  LDS..W/X: sign-extended.
 */
#define INTERP_MEMORY(X)                                                                                       \
    X(LD8) X(LD16) X(LD32) X(LD64) X(LDI8) X(LDI16) X(LDI32) X(LDI64) X(LDS8W) X(LDS16W) X(LDS8X) X(LDS16X)    \
    X(LDS32X) X(ST8) X(ST16) X(ST32) X(ST64) X(LDV) X(STV)
/*
 * Moves.  SET: dst = imm.  MOVE: dst = a; MOVE2: and word aux = b.  ..C: and the 32-bit constant imm >> 32
 * at byte offset imm & 0xffff.  SETC: dst = imm's low half sign-extended, and the 32-bit constant imm >> 32 at
 * byte offset b.  MOVESETC: dst = a, word aux = imm's low half, and imm >> 32 at b.  PUTnI: imm at offset aux.
 */
#define INTERP_PLAIN(X)                                                                                        \
    X(SET) X(MOVE) X(MOVE2) X(MOVEC) X(MOVE2C) X(SETC) X(MOVESETC) X(GET8) X(GET16) X(GET32) X(GET64)          \
    X(GETV) X(PUT8) X(PUT16) X(PUT32) X(PUT64) X(PUTV) X(PUT8I) X(PUT16I) X(PUT32I) X(PUT64I) X(LEA)           \
    X(EXTRACT) X(SEXTRACT_W) X(SEXTRACT_X) X(DEPOSIT_W) X(DEPOSIT_X) X(SELECT_W) X(SELECT_X) X(SEXT) X(TRUNC)  \
    X(VFROM64) X(VLO) X(VHI) X(VEC) X(FVEC) X(CALL0) X(CALL1) X(CALL2) X(CALL3) X(CALL4) X(BR)            \
    X(EXIT_SIDE) X(EXIT_JUMP) X(EXIT_INDIRECT) X(EXIT_LOOKUP) X(EXIT_LOOP)

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
#define X(n) H_##n, H_##n##_WRAP,
                INTERP_MEMORY(X)
#undef X
#define X(n) H_##n,
                    INTERP_PLAIN(X)
#undef X
                        H_COUNT
};

/* ---- plan.c: where values live ------------------------------------------------------------ */

/* A memory address: word base, plus disp, cut to 32 bits if wrap. */
struct iaddress {
    ir_ref base;
    int64_t disp;
    bool wrap;
};

struct plan {
    const struct ir_block *ir;
    const struct guest_ops *ops;
    /* By value. */
    ir_ref root[IR_MAX_VALUES];          /* the value whose word this one shares (TRUNC, ZEXT): often itself */
    uint32_t def[IR_MAX_VALUES];         /* index of the defining op */
    uint32_t last_use[IR_MAX_VALUES];    /* by root; 0: none */
    uint32_t clobber[IR_MAX_VALUES];     /* GETs: the op that first changes the state they read */
    uint32_t put[IR_MAX_VALUES];         /* by root: the first PUT of the whole value; 0: none */
    uint32_t put_clobber[IR_MAX_VALUES]; /* the op that changes what it wrote */
    uint16_t uses[IR_MAX_VALUES], address_uses[IR_MAX_VALUES];
    bool dirty[IR_MAX_VALUES];           /* of type W: garbage above */
    bool inlined[IR_MAX_VALUES];         /* no op: computed in its users */
    bool scaled_use[IR_MAX_VALUES];      /* SHL: its (only) user is an ADD */
    bool needed[IR_MAX_VALUES];          /* constants: some user wants a word */
    uint16_t word[IR_MAX_VALUES];        /* by root, once defined */
    uint32_t next_clobber[8192];         /* by word of the vCPU struct, while walking backwards */
    uint32_t shared_until[8192];         /* by word: the last use of a value that lives there, walking forward */
    /* Temporaries not in use. */
    uint16_t free_temp[VCPU_TEMPS], free_vector[VCPU_TEMPS / 2];
    unsigned n_free, n_free_vectors;
};

void plan_block(struct plan *p, const struct ir_block *ir, const struct guest_ops *ops);

static inline bool plan_is_const(const struct plan *p, ir_ref v, uint64_t *value)
{
    const struct ir_insn *i = &p->ir->insn[p->def[v]];
    if (!v || i->op != IR_CONST)
        return false;
    *value = i->imm;
    return true;
}

/* The word that holds a value now. */
static inline uint16_t plan_word(const struct plan *p, ir_ref v) { return p->word[p->root[v]]; }

/* The address argument of a memory op, looking through what is inlined into it. */
struct iaddress plan_address(const struct plan *p, ir_ref v);

/* LEA: ADD of a shifted value.  True: base + (index << shift). */
bool plan_scaled(const struct plan *p, const struct ir_insn *i, ir_ref *base, ir_ref *index, unsigned *shift);

/* Does the GET or PUT at n vanish, because its value lives in the state? */
bool plan_vanishes(const struct plan *p, uint32_t n);

/* Walking forward: gives op n's result its word, takes back those of its arguments that end here. */
void plan_visit(struct plan *p, uint32_t n);

/* A temporary of the compiler's own; give it back. */
uint16_t plan_temp(struct plan *p);
void plan_release(struct plan *p, uint16_t word);

const void *const *interp_handlers(void);
bool interp_compile(struct engine *e, struct block *b, const struct ir_block *ir);
enum leave interp_exec(struct engine *e, struct vcpu *v, struct block *b);

#endif
