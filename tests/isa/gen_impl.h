/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the generator's parts share. */
#ifndef REPRISE_TESTS_ISA_GEN_IMPL_H
#define REPRISE_TESTS_ISA_GEN_IMPL_H

#include "gen.h"
#include "guest/x86/cpu.h"
#include "guest/x86/mode.h"

/*
 * gen_values.c: random numbers, [0, n), once in n times (more often if g->astray), numbers near edges, 16 bytes of
 * lanes, an FXSAVE image.
 */
uint64_t gen_next(struct isa_gen *g);
unsigned gen_below(struct isa_gen *g, unsigned n);
bool gen_seldom(struct isa_gen *g, unsigned n);
uint64_t gen_interesting(struct isa_gen *g);
void gen_lanes(struct isa_gen *g, uint8_t *p);
void gen_fx(struct isa_gen *g, uint8_t *fx);
/* The YMM registers' upper halves, some of them like each other or like the lower ones, which are there. */
void gen_high(struct isa_gen *g, struct isa_case *c);

/*
 * gen_operands.c: gives the registers and memory that the instruction works on contents with which it does
 * something, and patches constants in its code.  False: this draw makes no sense.
 */
bool gen_operands(struct isa_gen *g, struct isa_case *c, struct x86_insn *I);

/* Decodes c's code again, after a patch. */
bool gen_decode(struct isa_gen *g, const struct isa_case *c, struct x86_insn *I);

#endif
