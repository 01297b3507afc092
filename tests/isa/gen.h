/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random cases from the decoder's own tables: every row that user mode can
 * run, in random encodings, with operands placed so that memory accesses hit
 * the mapped window nearly always (and its unmapped neighbours sometimes).
 */
#ifndef REPRISE_TESTS_ISA_GEN_H
#define REPRISE_TESTS_ISA_GEN_H

#include "guest/x86/decode.h"
#include "isa.h"

struct isa_gen {
    uint64_t rng;
    const struct x86_decoder *decoder;
    uint64_t features[8];
    bool intel;               /* the host is Intel's (vendor.c) */
    bool astray;              /* addresses that may fault are frequent: several at once, in one instruction */
    uint32_t reach;           /* != 0: displacements and immediates are mostly less (isa_encode) */
};

/* Rows of all tables, flattened. */
size_t isa_rows(const struct x86_row **rows, size_t max);
/* Why the row cannot be compared with the host, or NULL. */
const char *isa_row_skip(const struct x86_row *row);
/* Does the row exist in code of this width? */
bool isa_row_exists(const struct x86_row *row, bool mode32);

/* An encoding of the row in a mode (guest/x86/mode.h) to *insn.  False: this draw made no sense; try again. */
bool isa_encode(struct isa_gen *g, const struct x86_row *row, uint64_t mode_flags, struct x86_insn *insn);

/* Makes a case for the row.  False: this draw made no sense; try again. */
bool isa_generate(struct isa_gen *g, const struct x86_row *row, bool mode32, struct isa_case *out,
                  struct x86_insn *insn);

/* Compares which VEX encodings are #UD with the host; the number compared, and how many differ. */
uint64_t isa_vex_encodings(struct isa_gen *g, bool mode32, uint64_t *different);

/* Makes a sequence of instructions that set and read flags; returns the flags undefined behind it. */
uint64_t isa_sequence(struct isa_gen *g, bool mode32, struct isa_case *out);

/* FXSAVE: where in the window MXCSR and MXCSR_MASK are. */
unsigned isa_fxsave_mask_at(const struct x86_insn *insn, const struct isa_case *c);

/* RFLAGS bits that are architecturally undefined after the instruction. */
uint64_t isa_undefined_flags(const struct x86_insn *insn, const struct isa_case *c);
/* General registers, a bit each, that have no defined contents after the instruction has faulted. */
uint32_t isa_undefined_gprs(const struct x86_insn *insn);

/* ---- vendor.c ---- */

bool isa_host_is_intel(void);
/* What may differ of an outcome. */
enum {
    ISA_LET_FAULT = 1,        /* which of several faults it is, and what it tells */
    ISA_LET_CR2 = 2,
    ISA_LET_FLAGS = 4,
    ISA_LET_SIMD = 8,         /* vector registers */
    ISA_LET_NANS = 16,        /* which NaN a vector register's element is */
    ISA_LET_X87 = 32,         /* FSW, FTW and the registers, which are counted from its TOP */
    ISA_LET_MXCSR = 64,
    ISA_LET_MEMORY = 128,
    ISA_LET_ALL = 256,
};
/* Changes a case for an Intel host, so that what its processors do otherwise does not come up.  False: it would. */
bool isa_avoid_vendor(struct isa_case *c, const struct x86_insn *I);
/* ISA_LET_*: on an Intel host what the list says; on one of AMD's what Zen 4 is known to do otherwise, and did. */
uint32_t isa_vendor_lets(const struct x86_insn *I, const struct isa_result *host, const struct isa_result *ours,
                         bool intel);

#endif
