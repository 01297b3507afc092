/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IR's operations: one list, from which the enum, names, signatures,
 * verifier and printer come.
 *
 *   IR_OP(NAME, result, arg0, arg1, arg2, arg3, flags)
 *
 * Types: _ none, W 32 bit, X 64 bit, V 128 bit, T the instruction's own type
 * field (W or X).  Flags: F may leave the block (fault), S reads or writes
 * guest state or memory or otherwise must not be dropped or moved across
 * another S or F, E ends the block, C commutative, P pure.
 * `imm` and `aux` are explained per group.
 */
/* clang-format off */
#define IR_OPS(IR_OP) \
    /* -- structure.  insn_start: imm = pc, aux32 = meta (restore's arguments) -- */ \
    IR_OP(INSN_START, _, _, _, _, _, S) \
    IR_OP(LABEL,      _, _, _, _, _, S)  /* imm = label number; forward branches only */ \
    IR_OP(BR,         _, _, _, _, _, S)  /* imm = label */ \
    IR_OP(BRCOND,     _, T, T, _, _, S)  /* aux = enum ir_cond, imm = label; T compare */ \
    /* -- values -- */ \
    IR_OP(CONST,      T, _, _, _, _, P)  /* imm */ \
    /* -- guest state by byte offset (imm); loads zero-extend, stores truncate -- */ \
    IR_OP(GET8,       W, _, _, _, _, S) \
    IR_OP(GET16,      W, _, _, _, _, S) \
    IR_OP(GET32,      W, _, _, _, _, S) \
    IR_OP(GET64,      X, _, _, _, _, S) \
    IR_OP(GETV,       V, _, _, _, _, S) \
    IR_OP(PUT8,       _, W, _, _, _, S) \
    IR_OP(PUT16,      _, W, _, _, _, S) \
    IR_OP(PUT32,      _, W, _, _, _, S) \
    IR_OP(PUT64,      _, X, _, _, _, S) \
    IR_OP(PUTV,       _, V, _, _, _, S) \
    /* Of the words from imm on, those whose bits are set in aux mean nothing until they are PUT again. */ \
    IR_OP(DISCARD,    _, _, _, _, _, S) \
    /* -- integer arithmetic, W or X -- */ \
    IR_OP(ADD,        T, T, T, _, _, P|C) \
    IR_OP(SUB,        T, T, T, _, _, P) \
    IR_OP(MUL,        T, T, T, _, _, P|C) \
    IR_OP(MULHU,      T, T, T, _, _, P|C)  /* high half of the unsigned product */ \
    IR_OP(MULHS,      T, T, T, _, _, P|C) \
    IR_OP(DIVU,       T, T, T, _, _, P)    /* quotient; 0 if arg1 is 0 */ \
    IR_OP(DIVS,       T, T, T, _, _, P)    /* the same, signed, towards 0; the least number by -1 is itself */ \
    IR_OP(AND,        T, T, T, _, _, P|C) \
    IR_OP(OR,         T, T, T, _, _, P|C) \
    IR_OP(XOR,        T, T, T, _, _, P|C) \
    IR_OP(ANDN,       T, T, T, _, _, P)    /* arg0 & ~arg1 */ \
    IR_OP(NOT,        T, T, _, _, _, P) \
    IR_OP(NEG,        T, T, _, _, _, P) \
    /* shift counts are taken modulo the width of T */ \
    IR_OP(SHL,        T, T, T, _, _, P) \
    IR_OP(SHR,        T, T, T, _, _, P) \
    IR_OP(SAR,        T, T, T, _, _, P) \
    IR_OP(ROTL,       T, T, T, _, _, P) \
    IR_OP(ROTR,       T, T, T, _, _, P) \
    IR_OP(CLZ,        T, T, _, _, _, P)    /* width of T for 0 */ \
    IR_OP(CTZ,        T, T, _, _, _, P)    /* width of T for 0 */ \
    IR_OP(POPCNT,     T, T, _, _, _, P) \
    IR_OP(BSWAP,      T, T, _, _, _, P) \
    /* EXTRACT: bits [aux, aux+imm) zero-extended; SEXTRACT: sign-extended; */ \
    /* DEPOSIT: arg1's low imm bits into arg0 at aux */ \
    IR_OP(EXTRACT,    T, T, _, _, _, P) \
    IR_OP(SEXTRACT,   T, T, _, _, _, P) \
    IR_OP(DEPOSIT,    T, T, T, _, _, P) \
    IR_OP(SETCOND,    W, T, T, _, _, P)    /* aux = enum ir_cond; type = of the compare; 0 or 1 */ \
    IR_OP(SELECT,     T, W, T, T, _, P)    /* arg0 != 0 ? arg1 : arg2 */ \
    /* -- width changes -- */ \
    IR_OP(ZEXT,       X, W, _, _, _, P) \
    IR_OP(SEXT,       X, W, _, _, _, P) \
    IR_OP(TRUNC,      W, X, _, _, _, P) \
    /* -- 128-bit values -- */ \
    IR_OP(VFROM64,    V, X, X, _, _, P)    /* low, high */ \
    IR_OP(VLO,        X, V, _, _, _, P) \
    IR_OP(VHI,        X, V, _, _, _, P) \
    IR_OP(VEC,        V, V, V, V, _, P)    /* aux = enum vec_op (ir/vec/vec.h), imm its immediate; unused args NONE */ \
    IR_OP(FVEC,       V, V, V, V, _, F|S)  /* as VEC with enum fvec_op and the guest's fp_env; may trap (unmasked \
                                              exception); aux32 = enum ir_fvec_part */ \
    /* -- guest memory: aux = enum ir_mem; imm = mmu mode; arg0 = virtual address -- */ \
    IR_OP(LD,         T, X, _, _, _, F|S) \
    IR_OP(ST,         _, X, T, _, _, F|S)  /* arg1 stored, truncated to the size */ \
    IR_OP(LDV,        V, X, _, _, _, F|S)  /* 16 bytes; alignment checks are the front end's */ \
    IR_OP(STV,        _, X, V, _, _, F|S) \
    /* -- helpers: imm = const struct ir_helper *; types as it declares -- */ \
    IR_OP(CALL,       T, T, T, T, T, F|S) \
    /* Calls helper imm with arg2 if arg0 aux arg1 holds.  It makes an exception pending, or changes nothing. */ \
    IR_OP(TRAP_IF,    _, T, T, X, _, F|S) \
    /* Leaves with pc imm behind this instruction if arg0 (aux & 0xff) arg1 holds; aux >> 8: exit slot. */ \
    IR_OP(EXIT_IF,    _, T, T, _, _, F|S) \
    /* The exit that follows is a call's: its return most likely goes to pc imm, by exit slot aux.  A hint. */ \
    IR_OP(RETURN_POINT, _, _, _, _, _, S) \
    /* -- ends.  The engine writes pc to the state when it leaves. -- */ \
    IR_OP(EXIT_JUMP,  _, _, _, _, _, E|S)  /* imm = pc, aux = exit slot; same key flags */ \
    /* pc in arg0; same key flags: may look up without block_key.  aux 1: a return, most likely to the last call's \
       RETURN_POINT that no return has gone to yet; a hint */ \
    IR_OP(EXIT_INDIRECT, _, X, _, _, _, E|S) \
    IR_OP(EXIT_LOOKUP, _, _, _, _, _, E|S) /* pc is already in the state; key may have changed */ \
    IR_OP(EXIT_LOOP,  _, _, _, _, _, E|S)  /* as LOOKUP, and pending() must be asked first */
/* clang-format on */

#ifndef REPRISE_IR_OPS_H
#define REPRISE_IR_OPS_H

enum ir_op {
#define IR_OP(name, r, a, b, c, d, f) IR_##name,
    IR_OPS(IR_OP)
#undef IR_OP
        IR_OP_COUNT
};

enum ir_type { IR_VOID, IR_W, IR_X, IR_V };

/*
 * A guest's wider operation is two FVECs, FIRST and then LAST with nothing but pure ops between them.  FIRST
 * collects its exceptions without trapping or telling; LAST settles both as one operation's.  Where
 * all exceptions are masked, two FVECs of WHOLE give the same.
 */
enum ir_fvec_part { IR_FVEC_WHOLE, IR_FVEC_FIRST, IR_FVEC_LAST };

enum ir_cond { IR_EQ, IR_NE, IR_LTU, IR_GEU, IR_LEU, IR_GTU, IR_LTS, IR_GES, IR_LES, IR_GTS };

/* Size and treatment of a memory access (aux of LD and ST). */
enum ir_mem {
    IR_MEM_8 = 0,
    IR_MEM_16 = 1,
    IR_MEM_32 = 2,
    IR_MEM_64 = 3,
    IR_MEM_SIZE = 3,          /* mask: log2 of the size in bytes */
    IR_MEM_SIGNED = 4,        /* LD: sign-extend to T */
    IR_MEM_WRITE_INTENT = 8,  /* LD: faults as a write */
};

#endif
