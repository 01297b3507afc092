/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lifting of D8..DF: every waiting instruction looks for a pending exception
 * first, and leaves its address, opcode and operand address behind.
 */
#include "guest/x86/lift_x87.h"

#include "guest/x86/x87_fast.h"

static ir_ref call(struct x86_lift *L, const struct ir_helper *h, ir_ref a, ir_ref b)
{
    return irb_call(L->b, h, a, b, IR_NONE, IR_NONE);
}

/* The last instruction's pointers (SDM vol. 1, 8.1.8 and 8.1.9); at is NONE without a memory operand. */
static void leave(struct x86_lift *L, const struct x86_insn *I, ir_ref offset)
{
    irb_put(L->b, 8, X86_OFF(x87.fip), irb_x(L->b, L->pc));
    irb_put(L->b, 2, X86_OFF(x87.fop), irb_w(L->b, (I->opcode & 7u) << 8 | I->modrm));
    if (offset)
        irb_put(L->b, 8, X86_OFF(x87.fdp), offset);
}

static uint64_t index_of(const struct x86_insn *I) { return (uint64_t)(I->modrm & 7) << X87_INDEX_SHIFT; }
static unsigned format_of(const struct x86_insn *I) { return I->row->aux >> X87_FORMAT_SHIFT & 15; }
static unsigned size_of(unsigned format)
{
    return format == X87_I16 ? 2 : format == X87_M32 || format == X87_I32 ? 4 : 8;
}

/* A number in memory as X: integers sign-extended. */
static ir_ref memory_number(struct x86_lift *L, const struct x86_insn *I, ir_ref offset)
{
    unsigned format = format_of(I), size = size_of(format);
    ir_ref x = x86_ld(L, x86_linear_seg(L, I->seg, offset, size, false), size, false);
    x = irb_cast(L->b, x, IR_X);
    return format >= X87_I16 && size < 8 ? irb_sextract(L->b, x, 0, 8 * size) : x;
}

/* Arithmetic and compares; the row's aux is the helper's constant without ST(i)'s index. */
static void two_operands(struct x86_lift *L, const struct x86_insn *I, const struct ir_helper *h)
{
    x86_x87_wait(L);
    uint64_t desc = I->row->aux;
    if (format_of(I) == X87_REG) {
        call(L, h, irb_x(L->b, desc | index_of(I)), irb_x(L->b, 0));
        leave(L, I, IR_NONE);
    } else {
        ir_ref offset = x86_ea(L, I);
        call(L, h, irb_x(L->b, desc), memory_number(L, I, offset));
        leave(L, I, offset);
    }
}

void lift_x87_arith(struct x86_lift *L, const struct x86_insn *I)
{
    two_operands(L, I, x87_arith_helper((enum x87_format)format_of(I), I->row->aux & X87_OP_MASK));
}

void lift_x87_compare(struct x86_lift *L, const struct x86_insn *I)
{
    two_operands(L, I, x87_compare_helper((enum x87_format)format_of(I)));
}

void lift_x87_compare_flags(struct x86_lift *L, const struct x86_insn *I)
{
    x86_x87_wait(L);
    ir_ref flags = call(L, &x86_helper_x87_compare_flags, irb_x(L->b, I->row->aux | index_of(I)), IR_NONE);
    x86_set_cc_eflags(L, flags);
    leave(L, I, IR_NONE);
}

void lift_x87_unary(struct x86_lift *L, const struct x86_insn *I)
{
    x86_x87_wait(L);
    call(L, x87_unary_helper(I->modrm & 31), irb_x(L->b, I->modrm & 31), IR_NONE);
    leave(L, I, IR_NONE);
}

void lift_x87_load(struct x86_lift *L, const struct x86_insn *I)
{
    x86_x87_wait(L);
    ir_ref offset = x86_ea(L, I);
    unsigned format = format_of(I);
    const struct ir_helper *h = format == X87_M32   ? &x86_helper_x87_load_m32
                                : format == X87_M64 ? &x86_helper_x87_load_m64
                                                    : &x86_helper_x87_load_int;
    call(L, h, memory_number(L, I, offset), IR_NONE);
    leave(L, I, offset);
}

/* aux: 0 FLD m80, 1 FBLD. */
void lift_x87_load80(struct x86_lift *L, const struct x86_insn *I)
{
    x86_x87_wait(L);
    ir_ref offset = x86_ea(L, I), at = x86_linear_seg(L, I->seg, offset, 10, false);
    ir_ref mant = x86_ld(L, at, 8, false);
    ir_ref se = irb_cast(L->b, x86_ld(L, irb_bini(L->b, IR_ADD, at, 8), 2, false), IR_X);
    if (I->row->aux)
        se = irb_bini(L->b, IR_OR, se, 1 << 16);
    call(L, &x86_helper_x87_load80, mant, se);
    leave(L, I, offset);
}

void lift_x87_store(struct x86_lift *L, const struct x86_insn *I)
{
    static const struct ir_helper *const of_format[] = {
        [X87_M32] = &x86_helper_x87_store_m32, [X87_M64] = &x86_helper_x87_store_m64,
        [X87_I16] = &x86_helper_x87_store_i16, [X87_I32] = &x86_helper_x87_store_i32,
        [X87_I64] = &x86_helper_x87_store_i64,
    };
    x86_x87_wait(L);
    unsigned size = size_of(format_of(I));
    ir_ref offset = x86_ea(L, I), at = x86_linear_seg(L, I->seg, offset, size, true);
    x86_check_access(L, at, size, true);
    call(L, of_format[format_of(I)], irb_x(L->b, I->row->aux), at);
    leave(L, I, offset);
}

/* aux: 0 FSTP m80, 1 FBSTP. */
void lift_x87_store80(struct x86_lift *L, const struct x86_insn *I)
{
    x86_x87_wait(L);
    ir_ref offset = x86_ea(L, I), at = x86_linear_seg(L, I->seg, offset, 10, true);
    x86_check_access(L, at, 8, true);
    call(L, &x86_helper_x87_store80, irb_x(L->b, I->row->aux), at);
    leave(L, I, offset);
}

void lift_x87_fld_st(struct x86_lift *L, const struct x86_insn *I)
{
    x86_x87_wait(L);
    call(L, &x86_helper_x87_fld_st, irb_x(L->b, I->modrm & 7), IR_NONE);
    leave(L, I, IR_NONE);
}

/* aux: the helper's constant. */
void lift_x87_fst_st(struct x86_lift *L, const struct x86_insn *I)
{
    x86_x87_wait(L);
    call(L, &x86_helper_x87_fst_st, irb_x(L->b, I->modrm & 7), irb_x(L->b, I->row->aux));
    leave(L, I, IR_NONE);
}

void lift_x87_fxch(struct x86_lift *L, const struct x86_insn *I)
{
    x86_x87_wait(L);
    call(L, &x86_helper_x87_fxch, irb_x(L->b, I->modrm & 7), IR_NONE);
    leave(L, I, IR_NONE);
}

/* aux: the condition code. */
void lift_x87_cmov(struct x86_lift *L, const struct x86_insn *I)
{
    x86_x87_wait(L);
    call(L, &x86_helper_x87_cmov, x86_cond(L, I->row->aux), irb_x(L->b, I->modrm & 7));
    leave(L, I, IR_NONE);
}

/* aux: 1 pops. */
void lift_x87_free(struct x86_lift *L, const struct x86_insn *I)
{
    x86_x87_wait(L);
    call(L, &x86_helper_x87_free, irb_x(L->b, I->modrm & 7), irb_x(L->b, I->row->aux));
    leave(L, I, IR_NONE);
}

/* aux: 4 with the registers (FNSAVE, FRSTOR), bit 0 a load.  Only loads wait. */
void lift_x87_env(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned all = I->row->aux & 4, load = I->row->aux & 1, wide = I->osz != 2;
    bool is_protected = (L->flags & MODE_PE) && !(L->flags & MODE_VM86);
    unsigned size = (wide ? 28 : 14) + (all ? 80 : 0);
    if (load)
        x86_x87_wait(L);
    ir_ref at = x86_linear(L, I, size, !load);
    x86_check_access(L, at, wide ? 4 : 2, !load);
    ir_ref kind = irb_x(L->b, wide | (unsigned)is_protected << 1 | all);
    call(L, load ? &x86_helper_x87_load_env : &x86_helper_x87_store_env, kind, at);
}
