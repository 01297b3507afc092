/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The builder: one call per op, returning the value it defines.  Types come
 * from the arguments where they can; width suffixes w (32) and x (64) where they cannot.
 * Constants are folded and state reads forwarded here: what a call returns may be an older value.
 */
#ifndef REPRISE_IR_BUILD_H
#define REPRISE_IR_BUILD_H

#include "ir/ir.h"

/* meta: of 16 bits, for guest_ops.restore. */
void irb_insn_start(struct ir_block *b, uint64_t pc, uint32_t meta);

ir_ref irb_const(struct ir_block *b, enum ir_type t, uint64_t v);
static inline ir_ref irb_w(struct ir_block *b, uint32_t v) { return irb_const(b, IR_W, v); }
static inline ir_ref irb_x(struct ir_block *b, uint64_t v) { return irb_const(b, IR_X, v); }
/* True and the value, if ref is a constant. */
bool irb_is_const(const struct ir_block *b, ir_ref ref, uint64_t *v);

/* GET/PUT of size 1, 2, 4 (W) or 8 (X) bytes at a state offset. */
ir_ref irb_get(struct ir_block *b, unsigned size, uint32_t offset);
void irb_put(struct ir_block *b, unsigned size, uint32_t offset, ir_ref v);
ir_ref irb_getv(struct ir_block *b, uint32_t offset);
void irb_putv(struct ir_block *b, uint32_t offset, ir_ref v);

/* ADD SUB MUL MULHU MULHS DIVU DIVS AND OR XOR ANDN SHL SHR SAR ROTL ROTR; both arguments of one type. */
ir_ref irb_bin(struct ir_block *b, enum ir_op op, ir_ref x, ir_ref y);
/* The same with a constant of x's type. */
ir_ref irb_bini(struct ir_block *b, enum ir_op op, ir_ref x, uint64_t y);
/* NOT NEG CLZ CTZ POPCNT BSWAP; ZEXT SEXT TRUNC; VLO VHI. */
ir_ref irb_un(struct ir_block *b, enum ir_op op, ir_ref x);
ir_ref irb_extract(struct ir_block *b, ir_ref x, unsigned pos, unsigned len);
ir_ref irb_sextract(struct ir_block *b, ir_ref x, unsigned pos, unsigned len);
ir_ref irb_deposit(struct ir_block *b, ir_ref x, ir_ref y, unsigned pos, unsigned len);
ir_ref irb_setcond(struct ir_block *b, enum ir_cond c, ir_ref x, ir_ref y);
ir_ref irb_setcondi(struct ir_block *b, enum ir_cond c, ir_ref x, uint64_t y);
ir_ref irb_select(struct ir_block *b, ir_ref cond, ir_ref yes, ir_ref no);
/* x brought to type t: zero-extended or truncated; no op when it is already t. */
ir_ref irb_cast(struct ir_block *b, ir_ref x, enum ir_type t);

ir_ref irb_vfrom64(struct ir_block *b, ir_ref lo, ir_ref hi);
/* enum vec_op / enum fvec_op of ir/vec/vec.h; unused arguments are IR_NONE. */
ir_ref irb_vec(struct ir_block *b, unsigned op, ir_ref x, ir_ref y, ir_ref z, uint64_t imm);
ir_ref irb_fvec(struct ir_block *b, unsigned op, ir_ref x, ir_ref y, ir_ref z, uint64_t imm);
/* One of the two FVECs that make a wider operation. */
ir_ref irb_fvec_part(struct ir_block *b, enum ir_fvec_part part, unsigned op, ir_ref x, ir_ref y, ir_ref z,
                     uint64_t imm);

/* mem: enum ir_mem (size | flags). */
ir_ref irb_ld(struct ir_block *b, enum ir_type t, unsigned mem, unsigned mmu_mode, ir_ref addr);
void irb_st(struct ir_block *b, unsigned mem, unsigned mmu_mode, ir_ref addr, ir_ref v);
ir_ref irb_ldv(struct ir_block *b, unsigned mmu_mode, ir_ref addr);
void irb_stv(struct ir_block *b, unsigned mmu_mode, ir_ref addr, ir_ref v);

/* Missing arguments are IR_NONE.  Returns IR_NONE for a void helper. */
ir_ref irb_call(struct ir_block *b, const struct ir_helper *h, ir_ref a0, ir_ref a1, ir_ref a2, ir_ref a3);

unsigned irb_label_new(struct ir_block *b);
void irb_label(struct ir_block *b, unsigned label);
void irb_br(struct ir_block *b, unsigned label);
void irb_brcond(struct ir_block *b, enum ir_cond c, ir_ref x, ir_ref y, unsigned label);

/* Calls h, a helper of one argument that raises or leaves the state as it is, if x c y. */
void irb_trap_if(struct ir_block *b, enum ir_cond c, ir_ref x, ir_ref y, const struct ir_helper *h, ir_ref arg);

/* Leaves behind the current instruction with this pc if x c y. */
void irb_exit_if(struct ir_block *b, enum ir_cond c, ir_ref x, ir_ref y, uint64_t pc);
void irb_exit_jump(struct ir_block *b, uint64_t pc);
void irb_exit_indirect(struct ir_block *b, ir_ref pc);
/* A return to pc. */
void irb_exit_return(struct ir_block *b, ir_ref pc);
/* Of the eight-byte words at offset, those of mask hold nothing that anybody will look at before it is put again. */
void irb_discard(struct ir_block *b, uint32_t offset, unsigned mask);
/* The exit that comes next is a call that returns to pc. */
void irb_return_point(struct ir_block *b, uint64_t pc);
void irb_exit_lookup(struct ir_block *b);
void irb_exit_loop(struct ir_block *b);

#endif
