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

#endif
