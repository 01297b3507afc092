/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lifting context and its vocabulary: what a lifting function is written in.
 *
 * A lifting function reads its operands (x86_rd...), emits IR, and writes its results
 * (x86_wr...) last.  It must not write guest registers before its last
 * operation that may fault.  lift.c emits INSN_START, checks (LOCK, CPL0, FPU state),
 * and the block's end when the function did not.
 */
#ifndef REPRISE_GUEST_X86_LIFT_H
#define REPRISE_GUEST_X86_LIFT_H

#include "guest/x86/decode.h"
#include "guest/x86/flags.h"
#include "guest/x86/mode.h"
#include "ir/build.h"

struct x86_lift {
    struct ir_block *b;
    struct x86_cpu *cpu;        /* for features and decoder only; never its registers */
    uint64_t flags;             /* MODE_*: of the block */
    uint64_t cs_base;
    uint64_t pc;                /* RIP of this instruction */
    uint64_t next_pc;           /* RIP of the next one (wrapped to the mode's width) */
    uint64_t begin;             /* RIP of the block, or where it was followed to last */
    unsigned mmu;               /* mmu mode of data accesses */
    uint32_t cc_op, cc_known;   /* of the state's cc_op: its value in the bits that are known statically */
    unsigned cc_put;            /* the words from cc_dst on that this block has put and that still mean something */
    bool ended;                 /* an E op was emitted: the block is over */
    bool shade;                 /* STI: an interrupt shadow lies on the next instruction */
    bool io;                    /* touches a device or reads the clock: must end the block */
    bool from_device;           /* the instruction does not come from RAM: it may read differently each time */
    unsigned n_insns, max_insns;
    const struct block_key *key;
    unsigned have;              /* bytes from the key's va to the end of its page */
    unsigned turns, turn_at;    /* how often the block came back to its first instruction; n_insns then */
    bool followed;              /* next_pc is a jump's target: the block goes on there */
    uint32_t insn_at;           /* op that this instruction starts with */
};

static inline bool lift_64(const struct x86_lift *L) { return L->flags & MODE_CS64; }
static inline unsigned lift_cpl(const struct x86_lift *L) { return (L->flags >> MODE_CPL_SHIFT) & 3; }

/* ---- operands ---------------------------------------------------------------- */

/* General registers: W for size 1, 2, 4 (zero-extended), X for 8.  n 16..19 with size 1: AH..BH.
 * Writing size 4 zeroes the upper half in every mode. */
ir_ref x86_rd_reg(struct x86_lift *L, unsigned n, unsigned size);
void x86_wr_reg(struct x86_lift *L, unsigned n, unsigned size, ir_ref v);

/* Offset of the memory operand within its segment (X, wrapped to the address size). */
ir_ref x86_ea(struct x86_lift *L, const struct x86_insn *I);
/* Its linear address: segment base added, limit and type checked for an access of size bytes. */
ir_ref x86_linear(struct x86_lift *L, const struct x86_insn *I, unsigned size, bool write);
/* The linear address of any (segment, offset X), checked the same way. */
ir_ref x86_linear_seg(struct x86_lift *L, int seg, ir_ref offset, unsigned size, bool write);

/* Guest memory at a linear address, with alignment check (#AC) and watchpoints when enabled.
 * size 1..8; result W or X by size.  intent: the matching store follows. */
ir_ref x86_ld(struct x86_lift *L, ir_ref linear, unsigned size, bool intent);
void x86_st(struct x86_lift *L, ir_ref linear, unsigned size, ir_ref v);
/* Makes #AC pending, or what comes before it: an address that is not canonical. */
void x86_raise_misaligned(struct vcpu *v, uint64_t linear, bool write);
/* The alignment check and watchpoints of an access that a helper makes. */
void x86_check_access(struct x86_lift *L, ir_ref linear, unsigned size, bool write);
ir_ref x86_ldv(struct x86_lift *L, ir_ref linear, bool aligned);  /* 16 bytes; aligned: #GP(0) if not */
void x86_stv(struct x86_lift *L, ir_ref linear, ir_ref v, bool aligned);

/* Operand n of the instruction: reads (register, memory or immediate), W or X by its size. */
ir_ref x86_rd(struct x86_lift *L, const struct x86_insn *I, unsigned n);
/* Read-modify-write: read operand n first with rd_rmw (returns value; *linear is NONE for a register),
 * then write it with wr_rmw. */
ir_ref x86_rd_rmw(struct x86_lift *L, const struct x86_insn *I, unsigned n, ir_ref *linear);
void x86_wr_rmw(struct x86_lift *L, const struct x86_insn *I, unsigned n, ir_ref linear, ir_ref v);
void x86_wr(struct x86_lift *L, const struct x86_insn *I, unsigned n, ir_ref v);

/* XMM and MMX operands: V (MMX: X).  W-codes with small types load zero-extended to 128 bits. */
ir_ref x86_rdv(struct x86_lift *L, const struct x86_insn *I, unsigned n);
void x86_wrv(struct x86_lift *L, const struct x86_insn *I, unsigned n, ir_ref v);
ir_ref x86_rd_mmx(struct x86_lift *L, const struct x86_insn *I, unsigned n);
void x86_wr_mmx(struct x86_lift *L, const struct x86_insn *I, unsigned n, ir_ref v);

/* Stack: pushes/pops size bytes at SS:(E/R)SP.  push writes memory and returns the new SP for
 * x86_set_sp, so that SP changes last. */
ir_ref x86_push(struct x86_lift *L, unsigned size, ir_ref v);
ir_ref x86_pop(struct x86_lift *L, unsigned size, ir_ref *new_sp);
void x86_set_sp(struct x86_lift *L, ir_ref sp);

/* ---- flags ------------------------------------------------------------------- */

/* Are these bits of cc_op known?  All of them, and without layers? */
static inline bool x86_cc_known(const struct x86_lift *L, uint32_t mask) { return (L->cc_known & mask) == mask; }
static inline bool x86_cc_plain(const struct x86_lift *L)
{
    return x86_cc_known(L, CC_ALL) && !(L->cc_op & CC_LAYERS);
}
/* Sets the lazy flags.  src, src2 may be NONE where the table in flags.h has '-'. */
/*
 * This instruction sets all six flags, no longer reads them and cannot fault any more: what they come from is not
 * wanted from here on, which is best said before the result is computed.
 */
void x86_cc_ends(struct x86_lift *L);
void x86_set_cc(struct x86_lift *L, enum x86_cc_op op, ir_ref dst, ir_ref src, ir_ref src2);
/* The same if cond, a W value, is not 0; else the flags stay. */
void x86_set_cc_if(struct x86_lift *L, ir_ref cond, enum x86_cc_op op, ir_ref dst, ir_ref src,
                   ir_ref src2);
/* The layers of flags.h.  INC, DEC: CF stays.  ROL, ROR: CF and OF alone change. */
void x86_set_cc_inc(struct x86_lift *L, bool dec, unsigned size, ir_ref result);
void x86_set_cc_rotate(struct x86_lift *L, bool right, unsigned size, ir_ref result);
void x86_set_cc_rotate_if(struct x86_lift *L, ir_ref cond, bool right, unsigned size, ir_ref result);
/* CF and OF alone; CF alone; ZF alone: W or X, 0 or 1. */
void x86_set_carry_overflow(struct x86_lift *L, ir_ref cf, ir_ref of);
void x86_set_carry(struct x86_lift *L, ir_ref cf);
void x86_set_zero(struct x86_lift *L, ir_ref zf);
/* Sets all six flags from an EFLAGS-format W value. */
void x86_set_cc_eflags(struct x86_lift *L, ir_ref eflags);
/* The six flags as an EFLAGS-format W value. */
ir_ref x86_get_cc_eflags(struct x86_lift *L);
/* Condition code cc (0..15, as in Jcc) as W 0 or 1. */
ir_ref x86_cond(struct x86_lift *L, unsigned cc);
/* CF, OF as W 0 or 1. */
ir_ref x86_carry(struct x86_lift *L);
ir_ref x86_overflow(struct x86_lift *L);
/* Branches to the label if the condition holds; fused with the comparison where that is known. */
void x86_branch_if(struct x86_lift *L, unsigned cc, unsigned label);
/* Leaves the block behind this instruction, with RIP = pc, if the condition holds. */
void x86_exit_if(struct x86_lift *L, unsigned cc, uint64_t pc);
/* Width index of an operand size for cc ops: 1,2,4,8 -> 0,1,2,3. */
static inline unsigned x86_width(unsigned size) { return size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3; }

/* ---- faults ------------------------------------------------------------------ */

/* vector | has an error code << 8 | error code << 16 */
extern const struct ir_helper x86_helper_raise;
/* Faults here, with error code 0, if x cond y. */
void x86_trap_if(struct x86_lift *L, enum ir_cond cond, ir_ref x, ir_ref y, unsigned vector);

/* ---- leaving ----------------------------------------------------------------- */

/* Raises a fault at this instruction and ends the block. */
void x86_lift_fault(struct x86_lift *L, unsigned vector, bool has_error, uint32_t error);
/* Single step, or another reason to end the block behind each instruction by asking for events. */
static inline bool x86_one_at_a_time(const struct x86_lift *L)
{
    return L->flags & (MODE_TF | MODE_DEBUG | MODE_SHADOW | MODE_RF);
}
/* For an instruction that must be its block's first: if it is not, ends the block before it, and what was
 * lifted of it, no more than values, is gone. */
bool x86_begins_later(struct x86_lift *L);
/* If the block is to go on at pc, the target of this instruction's jump, it will. */
bool x86_follow(struct x86_lift *L, uint64_t pc);
/* Does this instruction's branch, forward to pc, seem to be taken mostly?  Known only where x86_follow() helps. */
bool x86_is_likely(const struct x86_lift *L, uint64_t pc);
/* Near jump to a constant RIP (wrapped by the caller to the operand size). */
void x86_jump(struct x86_lift *L, uint64_t pc);
void x86_jump_indirect(struct x86_lift *L, ir_ref pc);
/* The same of a near return. */
void x86_return(struct x86_lift *L, ir_ref pc);
/* Ends the block; RIP = next_pc is written to state.  mode_changed: EXIT_LOOKUP/LOOP rather than a jump. */
void x86_end_lookup(struct x86_lift *L);
/* Goes on with the next instruction, after a helper that can have changed nothing but what the mode flags show. */
void x86_end_same_mode(struct x86_lift *L);
void x86_end_loop(struct x86_lift *L);       /* interrupts may now be deliverable */
/* Same but RIP has been written by a helper. */
void x86_end_loop_pc_set(struct x86_lift *L);

/* After a helper that writes flags: the static cc_op is unknown. */
void x86_cc_dynamic(struct x86_lift *L);

/* Calls; missing arguments are IR_NONE. */
ir_ref x86_call(struct x86_lift *L, const struct ir_helper *h, ir_ref a, ir_ref b, ir_ref c, ir_ref d);

/* guest_ops.translate and guest_ops.restore. */
bool x86_translate(struct vcpu *v, const struct block_key *key, unsigned max_insns, struct ir_block *ir);
void x86_restore(struct vcpu *v, uint64_t pc, uint32_t meta);

#endif
