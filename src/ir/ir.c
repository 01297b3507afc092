/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ir/ir.h"

#include <stdlib.h>

enum { F = IR_FLAG_F, S = IR_FLAG_S, E = IR_FLAG_E, C = IR_FLAG_C, P = IR_FLAG_P };

#define CHAR(t) (#t)[0]
const struct ir_op_info ir_op_info[IR_OP_COUNT] = {
#define IR_OP(name, r, a, b, c, d, f) { #name, CHAR(r), { CHAR(a), CHAR(b), CHAR(c), CHAR(d) }, f },
    IR_OPS(IR_OP)
#undef IR_OP
};

const uint8_t ir_state_size[IR_OP_COUNT] = {
    [IR_GET8] = 1, [IR_GET16] = 2, [IR_GET32] = 4, [IR_GET64] = 8, [IR_GETV] = 16,
    [IR_PUT8] = 1, [IR_PUT16] = 2, [IR_PUT32] = 4, [IR_PUT64] = 8, [IR_PUTV] = 16,
};

const char *ir_op_name(enum ir_op op) { return ir_op_info[op].name; }

void ir_block_init(struct ir_block *b)
{
    memset(b, 0, sizeof *b);
    b->cap = 512;
    b->insn = NEW_ARRAY(struct ir_insn, b->cap);
    ir_block_reset(b);
}

void ir_block_reset(struct ir_block *b)
{
    b->n = b->n_labels = b->n_exits = b->n_insns = b->guest_bytes = b->n_narrow = 0;
    b->n_values = 1;
    b->guide = NULL;
    b->knows_vectors = b->followed = false;
    b->epoch++;
}

void ir_block_take_back(struct ir_block *b, uint32_t at)
{
    b->n = at;
    b->n_insns--;
    b->epoch++;
}

void ir_block_free(struct ir_block *b)
{
    free(b->insn);
    b->insn = NULL;
}
