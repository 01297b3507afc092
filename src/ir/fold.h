/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The meaning of the pure integer ops on constants; the builder, the passes and tests share it. */
#ifndef REPRISE_IR_FOLD_H
#define REPRISE_IR_FOLD_H

#include "ir/ir.h"

/* Computes a pure op whose arguments are the constants v[]; false if the op is not one that folds. */
bool ir_fold(const struct ir_insn *i, const uint64_t v[4], uint64_t *out);
bool ir_compare(enum ir_cond c, enum ir_type t, uint64_t x, uint64_t y);

#endif
