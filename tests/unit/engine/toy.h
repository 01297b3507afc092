/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A made-up guest to test engines with: sixteen registers, paging with
 * accessed and dirty bits, exceptions, interrupts, a repeating instruction.
 * It exists twice: lifted to IR (toy.c), and as a plain interpreter without
 * TLB or blocks (toy_ref.c) that says what is right at every position.
 *
 * An instruction is an opcode byte, a register byte (rd << 4 | rs) and a 32-bit
 * immediate: six bytes, so that some cross pages.  Unknown opcodes raise CAUSE_OPCODE.
 */
#ifndef REPRISE_TESTS_TOY_H
#define REPRISE_TESTS_TOY_H

#include "engine/engine.h"
#include "fp/fp.h"
#include "ir/build.h"
#include "vcpu/softmmu.h"

enum toy_op {
    T_NOP, T_ADD, T_SUB, T_MUL, T_XOR, T_SHL, T_SARW, T_ADDW, T_MOV,
    T_JR,        /* pc = rd */
    T_DIV,       /* rd /= rs; CAUSE_DIV if rs is 0 */
    T_DIVU, T_DIVS, T_DIVSW,   /* rd /= rs in 64 bits, and in the low 32; by 0: 0, the least number by -1: itself */
    T_HLT, T_EI, T_DI,
    T_ERET,      /* interrupts on; to the instruction after epc, 0 to 15 further by r11 to get out of loops,
                    or to TOY_CODE if that has run wild */
    T_FILL,      /* while rd: store the low byte of rd at rs, rs++, rd--: one position each */
    T_TRAP,      /* CAUSE_TRAP */
    T_VADD,      /* vector register rd += rs, 64-bit lanes, made of scalar ops */
    T_VROT,      /* v3 = low v3 : high v3 + rs, by a helper that sees v3 alone */
    T_FLUSH,     /* every TLB entry */
    T_CLOCK,     /* rd = position (ends its block) */
    T_ADDI, T_MOVI, T_XORI,
    T_LD8, T_LD16, T_LD32, T_LD64, T_LDS8, T_LDS32, T_ST8, T_ST16, T_ST32, T_ST64,   /* address rs + imm */
    T_RMW64,     /* [rs + imm] += rd */
    T_LDX,       /* rd = 64 bits at rs + (r1 << 3) + imm */
    T_LDV, T_STV,
    T_JMP,       /* pc += imm, from the instruction's start */
    T_JNZ,       /* by the last ADD, SUB, ADDI result */
    T_JLTU,      /* rd < rs */
    T_CMOV,      /* r0 = rd < rs (signed) ? rd : imm */
    T_COUNT
};

enum { CAUSE_PAGE = 1, CAUSE_OPCODE = 2, CAUSE_DIV = 3, CAUSE_TRAP = 4, CAUSE_IRQ = 5 };
enum { PTE_P = 1, PTE_W = 2, PTE_A = 0x20, PTE_D = 0x40, PTE_LARGE = 0x80, PTE_G = 0x100 };

enum {
    TOY_LENGTH = 6,
    TOY_RAM = 1 << 20,        /* physical 0 .. 1 MiB */
    TOY_TABLE = 0x10000,      /* 512 entries for virtual 0 .. 2 MiB */
    TOY_VECTOR = 0x1000,
    TOY_CODE = 0x2000,        /* four pages */
    TOY_CODE_SIZE = 0x4000, TOY_CODE_USED = TOY_CODE_SIZE - 20 * TOY_LENGTH,
    TOY_DATA = 0x20000,       /* eight pages */
    TOY_LARGE = 0x40000,      /* mapped by PTE_LARGE entries: 64 KiB */
    TOY_DEVICE = 0x100000,    /* physical and virtual */
};

struct toy_state {
    uint64_t r[16];
    uint64_t vec[4][2];
    uint64_t pc, epc, fault_va;
    uint64_t cc_dst, cc_src;
    uint32_t cc_op, cause;
    uint32_t pending, irq, enabled, halted;
    uint32_t paging, pad;
    struct fp_env env;
};

struct toy {
    struct vcpu v;
    struct toy_state s;
    struct toy_machine *m;
};

/* The device: reads give the position; writes are logged, and bits of the value act. */
enum { DEV_IRQ = 1, DEV_DMA_CODE = 2, DEV_DMA_TABLE = 4, DEV_REMAP = 8 };
struct toy_event {
    uint64_t position, address, value;
};

struct toy_machine {
    struct sink sink;
    struct sim *sim;
    struct ram *ram, *rom;
    struct space *mem;
    struct space_map *overlay;       /* covers a data page; DEV_REMAP toggles it */
    bool overlay_on;
    struct toy cpu;
    struct engine *engine;           /* NULL: runs by toy_ref_step() */
    uint64_t ref_position;
    struct toy_event event[4096];
    unsigned n_events;
};

extern const struct guest_ops toy_ops;

struct toy_machine *toy_machine_new(const struct engine_config *config);   /* NULL: the reference */
void toy_machine_free(struct toy_machine *m);
uint64_t toy_position(const struct toy_machine *m);
void toy_raise_irq(struct toy_machine *m);

/* Runs exactly n positions or until halted; returns how many. */
uint64_t toy_run(struct toy_machine *m, uint64_t n);

/* One position.  False: halted. */
bool toy_ref_step(struct toy_machine *m);

/* Of the CPU's state. */
uint64_t toy_hash(const struct toy_machine *m);

/* Assembles one instruction at *at in physical memory and advances *at. */
void toy_emit(struct toy_machine *m, uint64_t *at, enum toy_op op, unsigned rd, unsigned rs, int32_t imm);

/* The identity map with paging off; or set up and switched on. */
void toy_enable_paging(struct toy_machine *m);

#endif
