/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GETs and PUTs of integers: a pin or a part of one, or a word of the state (regs.c has what is pending). */
#include "engine/x64/compiler.h"

void x64_op_get(struct compiler *c, const struct ir_insn *i)
{
    unsigned size = ir_state_size[i->op];
    struct x64_asm *a = &c->a;
    int pin = pin_at(c, i->imm);
    unsigned shift = (unsigned)(i->imm & 7) * 8;
    if (pin < 0) {
        x64_write_pending(c, i->imm, size);
        unsigned d = x64_def(c, i->dst);
        if (size >= 4)
            x64_mov_rm(a, 8 * size, d, x64_state(i->imm));
        else
            x64_movzx_rm(a, 32, d, 8 * size, x64_state(i->imm));
        return;
    }
    unsigned reg = x64_pins[pin];
    if (shift == 0 && size >= 4 && !c->holds[reg]) {
        c->holds[reg] = i->dst;                   /* the value is the pin, until that changes */
        c->place[i->dst].reg = (uint8_t)reg;
        return;
    }
    unsigned d = x64_def(c, i->dst);
    if (shift == 0 && size >= 4) {
        x64_mov_rr(a, 8 * size, d, reg);
    } else if (shift == 0) {
        x64_movzx_rr(a, 32, d, 8 * size, reg);
    } else {
        x64_rorx(a, 64, d, reg, shift);
        if (size == 4)
            x64_mov_rr(a, 32, d, d);
        else
            x64_movzx_rr(a, 32, d, 8 * size, d);
    }
}

/* Part of a pin: the rest of it stays. */
static void put_part_of_pin(struct compiler *c, unsigned pin, unsigned shift, unsigned size, ir_ref v)
{
    struct x64_asm *a = &c->a;
    unsigned src = x64_use(c, v), reg = x64_pins[pin];
    if (src == reg) {
        src = x64_temp(c);
        x64_mov_rr(a, 64, src, reg);
    }
    x64_vacate_pin(c, pin);
    if (size == 4) {
        unsigned t = x64_temp(c);
        x64_mov_rr(a, 32, t, src);
        if (!shift) {
            x64_shift_ri(a, X64_SHR, 64, reg, 32);
            x64_shift_ri(a, X64_SHL, 64, reg, 32);
        } else {
            x64_mov_rr(a, 32, reg, reg);
            x64_shift_ri(a, X64_SHL, 64, t, 32);
        }
        x64_alu_rr(a, X64_OR, 64, reg, t);
        return;
    }
    if (shift)
        x64_rorx(a, 64, reg, reg, shift);
    x64_mov_rr(a, 8 * size, reg, src);
    if (shift)
        x64_rorx(a, 64, reg, reg, 64 - shift);
}

void x64_op_put(struct compiler *c, const struct ir_insn *i)
{
    unsigned size = ir_state_size[i->op];
    int pin = pin_at(c, i->imm);
    uint64_t value;
    if (pin >= 0 && size == 8) {
        x64_put_pin(c, (unsigned)pin, i->arg[0]);
    } else if (pin >= 0) {
        put_part_of_pin(c, (unsigned)pin, (unsigned)(i->imm & 7) * 8, size, i->arg[0]);
    } else if (size >= 4) {
        x64_put(c, (uint32_t)i->imm, size, i->arg[0]);
    } else {
        x64_write_pending(c, i->imm, size);
        if (const_of(c, i->arg[0], &value))
            x64_mov_mi(&c->a, 8 * size, x64_state(i->imm), (int32_t)value);
        else
            x64_mov_mr(&c->a, 8 * size, x64_state(i->imm), x64_use(c, i->arg[0]));
    }
}
