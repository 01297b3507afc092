/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block of IR: straight-line guest code with forward branches.
 *
 * Invariants (ir/verify.c checks them)
 *  1. A value is defined once, before its uses in program order; a use after a
 *     label must be defined on every path to it.
 *  2. Types match the op list; no argument stands behind one that is missing.
 *  3. The first op of a block is INSN_START; insn n's ops lie between its
 *     INSN_START and the next.
 *  4. Guest registers (PUT*) are written only after the instruction's last op
 *     with flag F, unless the front end has made the earlier write harmless.
 *  5. A block ends with exactly one E op per path; E ops are allowed before
 *     labels.
 *  6. Between an FVEC of part FIRST and its LAST there are pure ops alone.
 */
#ifndef REPRISE_IR_IR_H
#define REPRISE_IR_IR_H

#include "base/alloc.h"
#include "base/error.h"
#include "ir/ops.h"

/* A value: index into the block's value numbering.  0 is NONE. */
typedef uint16_t ir_ref;
enum { IR_NONE = 0, IR_MAX_VALUES = 8000, IR_MAX_LABELS = 256, IR_MAX_INSNS = 128, IR_MAX_EXITS = 128 };

struct ir_insn {
    uint8_t op;        /* enum ir_op */
    uint8_t type;      /* enum ir_type: T of the op list */
    uint16_t aux;
    uint32_t aux32;    /* INSN_START: meta; FVEC: enum ir_fvec_part */
    ir_ref dst;
    ir_ref arg[5];     /* at most four; IR_NONE behind the last */
    uint64_t imm;
};

/*
 * A helper: a C function the front end calls from IR.  Always called with the
 * vCPU first; arguments and result travel as uint64_t whatever their type (W
 * values zero-extended; the result's upper half is ignored for W).
 */
enum {
    HELPER_MAY_EXIT = 1,   /* may set v->exit; checked right after the call */
    HELPER_READS = 2,      /* reads guest registers in state beyond its arguments */
    HELPER_WRITES = 4,     /* writes guest registers in state */
    HELPER_MEMORY = 8,     /* accesses guest memory, so may evict TLB entries or invalidate code */
    HELPER_PURE = 16,      /* depends on its arguments only; none of the above */
    HELPER_NO_EFFECT = 32, /* changes nothing, but READS: not called when nobody uses its result (PURE implies it) */
    HELPER_FP = 64,        /* reads or writes the fp_env of FVEC (guest_ops.fp_env_offset); READS or WRITES besides */
};
/* What a helper that touches the lazy flags or registers declares: READS|WRITES. */

struct vcpu;
typedef uint64_t ir_fn0(struct vcpu *v);
typedef uint64_t ir_fn1(struct vcpu *v, uint64_t a);
typedef uint64_t ir_fn2(struct vcpu *v, uint64_t a, uint64_t b);
typedef uint64_t ir_fn3(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c);
typedef uint64_t ir_fn4(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

struct ir_helper {
    const char *name;
    uint8_t n_args;        /* 0..4, beside the vCPU */
    uint8_t flags;         /* HELPER_* */
    uint8_t ret;           /* enum ir_type: IR_VOID, IR_W or IR_X */
    uint8_t arg[4];        /* enum ir_type: IR_W or IR_X */
    union {
        ir_fn0 *f0;
        ir_fn1 *f1;
        ir_fn2 *f2;
        ir_fn3 *f3;
        ir_fn4 *f4;
    };
    /*
     * Bytes [from, to) of the vCPU: what READS and WRITES are about, with MAY_EXIT, too; to 0: anything.  What no op
     * ever names need not lie in it, and no hot register (guest_ops.hot) may.
     */
    struct {
        uint32_t from, to;
    } part;
};

static inline bool ir_helper_has_part(const struct ir_helper *h) { return h->part.to != 0; }

/* A piece of guest state and the value it holds, zero-extended. */
struct ir_piece {
    uint64_t epoch;         /* another one than the block's: forgotten */
    uint32_t offset;
    uint16_t size;
    ir_ref value;
};
enum { IR_PIECE_WORDS = 128 };

/* What is known of how code runs. */
struct ir_guide {
    /* Of two places in the block's page: is the one that a branch leads to come to about as often as the other, where
       what runs through to the branch begins? */
    bool (*is_likely)(const struct ir_guide *g, uint64_t begin, uint64_t target);
};

struct ir_block {
    struct ir_insn *insn;   /* n of cap */
    uint32_t n, cap;
    uint32_t n_values;      /* values are 1..n_values-1 */
    uint32_t n_labels;
    uint32_t n_exits;       /* EXIT_JUMP, EXIT_IF and RETURN_POINT, numbered by their slots */
    uint32_t n_insns;       /* guest instructions (INSN_START count) */
    uint32_t guest_bytes;   /* bytes of guest code covered, from the key's va */
    const struct ir_guide *guide;    /* to the front end: worth going on at the target of a jump within the page, a
                                        loop's too; NULL: it is not */
    bool followed;          /* it has done so */
    /* n_narrow words of the state, from this offset on, have no upper halves wherever the block may run, and the TLB
       knows no address beyond 32 bits: the front end knows this of its guest. */
    uint32_t narrow, n_narrow;
    bool stops;             /* it may be left before any instruction: state is as the one before leaves it */
    uint8_t type_of[IR_MAX_VALUES];  /* enum ir_type by value */
    struct {
        uint64_t pc;
        uint16_t meta;
    } start[IR_MAX_INSNS];  /* n_insns: what INSN_STARTs say */
    uint16_t uses[IR_MAX_VALUES];    /* how often each value is an argument: known behind ir_opt_dead() */

    /* The builder's (build.c). */
    uint32_t def_of[IR_MAX_VALUES];  /* a value's op */
    uint8_t bits_of[IR_MAX_VALUES];  /* the bits above those are zero */
    uint64_t epoch;
    bool knows_vectors;              /* some piece may be one */
    struct ir_piece piece[IR_PIECE_WORDS][2];
};

void ir_block_init(struct ir_block *b);
void ir_block_reset(struct ir_block *b);
void ir_block_free(struct ir_block *b);

/* Takes back the ops from at on, the instruction's that was begun last: nothing of them may have been kept. */
void ir_block_take_back(struct ir_block *b, uint32_t at);

/*
 * True when little room is left: the front end ends the block before its next instruction.  One instruction of any
 * front end needs less than an eighth of the room.
 */
static inline bool ir_block_nearly_full(const struct ir_block *b)
{
    return b->n_values > IR_MAX_VALUES - IR_MAX_VALUES / 8 || b->n_labels > IR_MAX_LABELS - IR_MAX_LABELS / 8 ||
           b->n_exits > IR_MAX_EXITS - IR_MAX_EXITS / 8 || b->n_insns >= IR_MAX_INSNS;
}

/* Names the op, for printing. */
const char *ir_op_name(enum ir_op op);
/* Flags from the op list (IR_FLAG_*), result and argument types ('_','W','X','V','T'). */
enum { IR_FLAG_F = 1, IR_FLAG_S = 2, IR_FLAG_E = 4, IR_FLAG_C = 8, IR_FLAG_P = 16 };
struct ir_op_info {
    const char *name;
    char result, arg[4];
    uint8_t flags;
};
extern const struct ir_op_info ir_op_info[IR_OP_COUNT];
/* Bytes of guest state that a GET or PUT is about; 0: another op. */
extern const uint8_t ir_state_size[IR_OP_COUNT];

/* False: err says which op of the block breaks which invariant. */
bool ir_verify(const struct ir_block *b, struct error *err);

/* Appends a text form, one op a line. */
void ir_print(const struct ir_block *b, struct buf *out);

#endif
