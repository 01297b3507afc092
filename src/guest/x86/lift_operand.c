/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operands: registers, effective and linear addresses, memory, the stack. */
#include "guest/x86/debug.h"
#include "guest/x86/lift.h"
#include "guest/x86/segment.h"

/* ---- registers ----------------------------------------------------------------------------- */

static uint32_t reg_offset(unsigned n) { return n >= 16 ? X86_OFF_GPR(n - 16) + 1 : X86_OFF_GPR(n); }

ir_ref x86_rd_reg(struct x86_lift *L, unsigned n, unsigned size)
{
    if (size == 4)
        return irb_un(L->b, IR_TRUNC, irb_get(L->b, 8, X86_OFF_GPR(n)));
    return irb_get(L->b, size, size == 1 ? reg_offset(n) : X86_OFF_GPR(n));
}

void x86_wr_reg(struct x86_lift *L, unsigned n, unsigned size, ir_ref v)
{
    if (size == 4)
        irb_put(L->b, 8, X86_OFF_GPR(n), irb_cast(L->b, v, IR_X));
    else
        irb_put(L->b, size, size == 1 ? reg_offset(n) : X86_OFF_GPR(n), irb_cast(L->b, v, size == 8 ? IR_X : IR_W));
}

/* ---- addresses ------------------------------------------------------------------------------- */

static ir_ref wrap_address(struct x86_lift *L, ir_ref a, unsigned asz)
{
    return asz == 8 ? a : irb_bini(L->b, IR_AND, a, asz == 4 ? UINT32_MAX : 0xffff);
}

ir_ref x86_ea(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    ir_ref a = IR_NONE;
    if (I->base == 16)
        return wrap_address(L, irb_x(b, L->next_pc + (uint64_t)I->disp), I->asz);
    if (I->index >= 0) {
        a = irb_get(b, 8, X86_OFF_GPR(I->index));
        if (I->scale)
            a = irb_bini(b, IR_SHL, a, I->scale);
    }
    if (I->base >= 0) {
        ir_ref base = irb_get(b, 8, X86_OFF_GPR(I->base));
        a = a ? irb_bin(b, IR_ADD, base, a) : base;
    }
    if (!a)
        return irb_x(b, (uint64_t)I->disp & (I->asz == 8 ? UINT64_MAX : I->asz == 4 ? UINT32_MAX : 0xffff));
    if (I->disp)
        a = irb_bini(b, IR_ADD, a, (uint64_t)I->disp);
    return wrap_address(L, a, I->asz);
}

static bool flat(const struct x86_lift *L, int seg)
{
    switch (seg) {
    case SEG_SS:
        return L->flags & MODE_FLAT_SS;
    case SEG_DS:
    case SEG_ES:
        return L->flags & MODE_FLAT_DATA;
    default:
        return false;
    }
}

/* A base, but nothing to check. */
static bool whole(const struct x86_lift *L, int seg)
{
    return L->flags & (seg == SEG_FS ? MODE_WHOLE_FS : seg == SEG_GS ? MODE_WHOLE_GS : 0);
}

static void check_segment(struct x86_lift *L, int seg, ir_ref offset, unsigned size, bool write)
{
    struct ir_block *b = L->b;
    uint64_t access = size | (uint64_t)write << 16;
    if (seg != SEG_GS) {
        irb_call(b, &x86_helper_seg_check, irb_x(b, (uint64_t)seg), offset, irb_x(b, access), IR_NONE);
        return;
    }
    ir_ref partial = irb_get(b, 4, (uint32_t)offsetof(struct x86_cpu, partial_gs));
    irb_trap_if(b, IR_NE, partial, irb_w(b, 0), &x86_helper_gs_check,
                irb_bin(b, IR_OR, offset, irb_x(b, access << 32)));
}

ir_ref x86_linear_seg(struct x86_lift *L, int seg, ir_ref offset, unsigned size, bool write)
{
    struct ir_block *b = L->b;
    if (lift_64(L)) {
        if (seg != SEG_FS && seg != SEG_GS)
            return offset;
        return irb_bin(b, IR_ADD, offset,
                       irb_get(b, 8, X86_OFF(seg[0].base) + (uint32_t)seg * sizeof(struct x86_segment)));
    }
    if (flat(L, seg))
        return offset;
    if (!whole(L, seg))
        check_segment(L, seg, offset, size, write);
    ir_ref base = irb_get(b, 8, X86_OFF(seg[0].base) + (uint32_t)seg * sizeof(struct x86_segment));
    uint64_t at;
    ir_ref sum = irb_is_const(b, offset, &at) ? irb_bini(b, IR_ADD, base, (uint64_t)(int64_t)(int32_t)at)
                                              : irb_bin(b, IR_ADD, offset, base);
    return irb_bini(b, IR_AND, sum, UINT32_MAX);
}

ir_ref x86_linear(struct x86_lift *L, const struct x86_insn *I, unsigned size, bool write)
{
    return x86_linear_seg(L, I->seg, x86_ea(L, I), size, write);
}

/* ---- memory -------------------------------------------------------------------------------------- */

static unsigned mem_size(unsigned size)
{
    return size == 1 ? IR_MEM_8 : size == 2 ? IR_MEM_16 : size == 4 ? IR_MEM_32 : IR_MEM_64;
}

void x86_raise_misaligned(struct vcpu *v, uint64_t linear, bool write)
{
    if (x86_of(v)->mode_flags & MODE_CS64 && !x86_canonical(linear))
        x86_raise_astray(v, linear, write);
    else
        x86_raise(v, EXC_AC, true, 0);
}

static uint64_t do_misaligned_read(struct vcpu *v, uint64_t linear)
{
    x86_raise_misaligned(v, linear, false);
    return 0;
}

static uint64_t do_misaligned_write(struct vcpu *v, uint64_t linear)
{
    x86_raise_misaligned(v, linear, true);
    return 0;
}

static const struct ir_helper helper_misaligned[] = {
    { "misaligned_read", 1, HELPER_MAY_EXIT, IR_VOID, { IR_X }, { .f1 = do_misaligned_read } },
    { "misaligned_write", 1, HELPER_MAY_EXIT, IR_VOID, { IR_X }, { .f1 = do_misaligned_write } },
};

static ir_ref low_bits(struct x86_lift *L, ir_ref linear, unsigned size)
{
    return irb_bini(L->b, IR_AND, linear, size - 1);
}

void x86_check_access(struct x86_lift *L, ir_ref linear, unsigned size, bool write)
{
    if (L->flags & MODE_AC_CHECK && size > 1)
        irb_trap_if(L->b, IR_NE, low_bits(L, linear, size), irb_x(L->b, 0), &helper_misaligned[write], linear);
    if (L->flags & MODE_DEBUG)
        irb_call(L->b, &x86_helper_check_watch, linear, irb_x(L->b, size | (uint64_t)write << 8), IR_NONE, IR_NONE);
}

ir_ref x86_ld(struct x86_lift *L, ir_ref linear, unsigned size, bool intent)
{
    x86_check_access(L, linear, size, false);
    return irb_ld(L->b, size == 8 ? IR_X : IR_W, mem_size(size) | (intent ? IR_MEM_WRITE_INTENT : 0), L->mmu, linear);
}

void x86_st(struct x86_lift *L, ir_ref linear, unsigned size, ir_ref v)
{
    x86_check_access(L, linear, size, true);
    irb_st(L->b, mem_size(size), L->mmu, linear, v);
}

ir_ref x86_ldv(struct x86_lift *L, ir_ref linear, bool aligned)
{
    if (aligned)
        x86_trap_if(L, IR_NE, low_bits(L, linear, 16), irb_x(L->b, 0), EXC_GP);
    x86_check_access(L, linear, aligned ? 1 : 16, false);
    return irb_ldv(L->b, L->mmu, linear);
}

void x86_stv(struct x86_lift *L, ir_ref linear, ir_ref v, bool aligned)
{
    if (aligned)
        x86_trap_if(L, IR_NE, low_bits(L, linear, 16), irb_x(L->b, 0), EXC_GP);
    x86_check_access(L, linear, aligned ? 1 : 16, true);
    irb_stv(L->b, L->mmu, linear, v);
}

/* ---- general operands ----------------------------------------------------------------------------- */

ir_ref x86_rd(struct x86_lift *L, const struct x86_insn *I, unsigned n)
{
    const struct x86_operand *o = &I->op[n];
    switch (o->kind) {
    case OPK_REG:
        return x86_rd_reg(L, o->reg, o->size);
    case OPK_MEM:
        return x86_ld(L, x86_linear(L, I, o->size, false), o->size, false);
    default: {
        unsigned size = I->op[0].size && I->op[0].kind != OPK_IMM ? I->op[0].size : o->size;
        return size == 8 ? irb_x(L->b, o->imm) : irb_w(L->b, (uint32_t)(o->imm & mask64(8 * size)));
    }
    }
}

ir_ref x86_rd_rmw(struct x86_lift *L, const struct x86_insn *I, unsigned n, ir_ref *linear)
{
    const struct x86_operand *o = &I->op[n];
    *linear = IR_NONE;
    if (o->kind == OPK_REG)
        return x86_rd_reg(L, o->reg, o->size);
    *linear = x86_linear(L, I, o->size, true);
    return x86_ld(L, *linear, o->size, true);
}

void x86_wr_rmw(struct x86_lift *L, const struct x86_insn *I, unsigned n, ir_ref linear, ir_ref v)
{
    const struct x86_operand *o = &I->op[n];
    if (linear)
        x86_st(L, linear, o->size, v);
    else
        x86_wr_reg(L, o->reg, o->size, v);
}

void x86_wr(struct x86_lift *L, const struct x86_insn *I, unsigned n, ir_ref v)
{
    const struct x86_operand *o = &I->op[n];
    x86_wr_rmw(L, I, n, o->kind == OPK_MEM ? x86_linear(L, I, o->size, true) : IR_NONE, v);
}

/* ---- vector operands ------------------------------------------------------------------------------- */

ir_ref x86_rdv(struct x86_lift *L, const struct x86_insn *I, unsigned n)
{
    const struct x86_operand *o = &I->op[n];
    if (o->kind == OPK_XMM)
        return irb_getv(L->b, X86_OFF_XMM(o->reg));
    ir_ref linear = x86_linear(L, I, o->size, false);
    if (o->size == 16)
        return x86_ldv(L, linear, o->code == OP_Wx && !I->vex);
    ir_ref lo = irb_cast(L->b, x86_ld(L, linear, o->size, false), IR_X);
    return irb_vfrom64(L->b, lo, irb_x(L->b, 0));
}

void x86_wrv(struct x86_lift *L, const struct x86_insn *I, unsigned n, ir_ref v)
{
    const struct x86_operand *o = &I->op[n];
    if (o->kind == OPK_XMM) {
        irb_putv(L->b, X86_OFF_XMM(o->reg), v);
        return;
    }
    ir_ref linear = x86_linear(L, I, o->size, true);
    if (o->size == 16) {
        x86_stv(L, linear, v, o->code == OP_Wx && !I->vex);
        return;
    }
    ir_ref lo = irb_un(L->b, IR_VLO, v);
    x86_st(L, linear, o->size, o->size == 8 ? lo : irb_cast(L->b, lo, IR_W));
}

ir_ref x86_rd_mmx(struct x86_lift *L, const struct x86_insn *I, unsigned n)
{
    const struct x86_operand *o = &I->op[n];
    if (o->kind == OPK_MMX)
        return irb_get(L->b, 8, X86_OFF_MMX(o->reg));
    return irb_cast(L->b, x86_ld(L, x86_linear(L, I, o->size, false), o->size, false), IR_X);
}

/* A write to MMi also sets its exponent field to all ones (SDM vol. 1, 9.2.1). */
void x86_wr_mmx(struct x86_lift *L, const struct x86_insn *I, unsigned n, ir_ref v)
{
    const struct x86_operand *o = &I->op[n];
    if (o->kind == OPK_MMX) {
        irb_put(L->b, 8, X86_OFF_MMX(o->reg), v);
        irb_put(L->b, 8, X86_OFF_MMX(o->reg) + 8, irb_x(L->b, 0xffff));
        return;
    }
    x86_st(L, x86_linear(L, I, o->size, true), o->size, o->size == 8 ? v : irb_cast(L->b, v, IR_W));
}

/* ---- the stack --------------------------------------------------------------------------------------- */

static unsigned stack_size(const struct x86_lift *L) { return lift_64(L) ? 8 : L->flags & MODE_SS32 ? 4 : 2; }

static ir_ref sp_wrap(struct x86_lift *L, ir_ref sp) { return wrap_address(L, sp, stack_size(L)); }

ir_ref x86_push(struct x86_lift *L, unsigned size, ir_ref v)
{
    ir_ref sp = sp_wrap(L, irb_bini(L->b, IR_SUB, irb_get(L->b, 8, X86_OFF_GPR(R_SP)), size));
    x86_st(L, x86_linear_seg(L, SEG_SS, sp, size, true), size, irb_cast(L->b, v, size == 8 ? IR_X : IR_W));
    return sp;
}

ir_ref x86_pop(struct x86_lift *L, unsigned size, ir_ref *new_sp)
{
    ir_ref sp = sp_wrap(L, irb_get(L->b, 8, X86_OFF_GPR(R_SP)));
    ir_ref v = x86_ld(L, x86_linear_seg(L, SEG_SS, sp, size, false), size, false);
    *new_sp = sp_wrap(L, irb_bini(L->b, IR_ADD, sp, size));
    return v;
}

/* With a 16-bit stack only SP changes. */
void x86_set_sp(struct x86_lift *L, ir_ref sp)
{
    if (stack_size(L) == 2)
        irb_put(L->b, 2, X86_OFF_GPR(R_SP), irb_cast(L->b, sp, IR_W));
    else
        irb_put(L->b, 8, X86_OFF_GPR(R_SP), sp);
}
