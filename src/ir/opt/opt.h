/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Optimisation passes: one file, one function each, linear in the block.  They
 * never change what a block does to state, memory and positions, at any
 * operation that may leave it.
 */
#ifndef REPRISE_IR_OPT_H
#define REPRISE_IR_OPT_H

#include "ir/ir.h"

/*
 * Drops state writes that nothing can see before the next write, and values nobody uses; counts the uses of those left
 * (ir_block.uses).  Engines need it.
 */
void ir_opt_dead(struct ir_block *b);

#endif
