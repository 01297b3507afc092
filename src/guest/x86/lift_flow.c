/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Near control flow. */
#include "guest/x86/lift_int.h"
#include "guest/x86/segment.h"

/* A near target: RIP + displacement at the operand size. */
static uint64_t target(const struct x86_lift *L, const struct x86_insn *I)
{
    uint64_t pc = L->next_pc + I->op[0].imm;
    return lift_64(L) ? (I->osz == 2 ? pc & 0xffff : pc) : pc & mask64(8u * I->osz);
}

static ir_ref wrap(struct x86_lift *L, const struct x86_insn *I, ir_ref pc)
{
    pc = irb_cast(L->b, pc, IR_X);
    return I->osz == 8 ? pc : irb_bini(L->b, IR_AND, pc, mask64(8u * I->osz));
}

/* A target beyond CS.limit or not canonical faults on the branch itself. */
static void check(struct x86_lift *L, ir_ref pc)
{
    if (lift_64(L)) {
        x86_trap_if(L, IR_NE, irb_sextract(L->b, pc, 0, 48), pc, EXC_GP);
    } else if (L->flags & MODE_CS_LIMIT) {
        x86_trap_if(L, IR_GTU, pc, irb_x(L->b, L->flags >> MODE_LIMIT_SHIFT), EXC_GP);
    }
}

static bool is_canonical(const struct x86_lift *L, uint64_t pc)
{
    return !lift_64(L) || (uint64_t)sign_extend(pc, 48) == pc;
}

static bool needs_check(const struct x86_lift *L, uint64_t pc)
{
    return L->flags & MODE_CS_LIMIT || !is_canonical(L, pc);
}

static void check_const(struct x86_lift *L, uint64_t pc)
{
    if (needs_check(L, pc))
        check(L, irb_x(L->b, pc));
}

static void two_way(struct x86_lift *L, const struct x86_insn *I, unsigned taken)
{
    x86_jump(L, L->next_pc);
    irb_label(L->b, taken);
    check_const(L, target(L, I));
    x86_jump(L, target(L, I));
}

/*
 * A forward branch is an exit in the middle of the block, which goes on behind it; a backward one ends
 * the block, or turns it once more (x86_follow): a loop's body follows from its first instruction.
 */
void lift_jcc(struct x86_lift *L, const struct x86_insn *I)
{
    uint64_t pc = target(L, I);
    if (!x86_one_at_a_time(L) && !needs_check(L, pc)) {
        if (pc > L->pc && !x86_is_likely(L, pc)) {
            x86_exit_if(L, I->opcode & 15, pc);
        } else {
            x86_exit_if(L, (I->opcode & 15) ^ 1, L->next_pc);
            if (!x86_follow(L, pc))
                x86_jump(L, pc);
        }
        return;
    }
    unsigned taken = irb_label_new(L->b);
    x86_branch_if(L, I->opcode & 15, taken);
    two_way(L, I, taken);
}

static ir_ref counter(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref cx = irb_get(L->b, 8, X86_OFF_GPR(R_CX));
    return I->asz == 8 ? cx : irb_bini(L->b, IR_AND, cx, mask64(8u * I->asz));
}

/* LOOPNE, LOOPE, LOOP by opcode E0, E1, E2. */
void lift_loop(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned taken = irb_label_new(b), not_taken = irb_label_new(b);
    ir_ref n = irb_bini(b, IR_SUB, counter(L, I), 1);
    if (I->asz != 8)
        n = irb_bini(b, IR_AND, n, mask64(8u * I->asz));
    ir_ref zf = I->opcode == 0xe2 ? IR_NONE : x86_cond(L, I->opcode == 0xe1 ? 4 : 5);
    x86_wr_reg(L, R_CX, I->asz, irb_cast(b, n, I->asz == 8 ? IR_X : IR_W));
    if (zf)
        irb_brcond(b, IR_EQ, zf, irb_w(b, 0), not_taken);
    irb_brcond(b, IR_NE, n, irb_x(b, 0), taken);
    irb_label(b, not_taken);
    two_way(L, I, taken);
}

void lift_jcxz(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned taken = irb_label_new(L->b);
    irb_brcond(L->b, IR_EQ, counter(L, I), irb_x(L->b, 0), taken);
    two_way(L, I, taken);
}

void lift_jmp(struct x86_lift *L, const struct x86_insn *I)
{
    check_const(L, target(L, I));
    if (!x86_follow(L, target(L, I)))
        x86_jump(L, target(L, I));
}

void lift_jmp_ind(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref pc = wrap(L, I, x86_rd(L, I, 0));
    check(L, pc);
    x86_jump_indirect(L, pc);
}

static ir_ref return_address(struct x86_lift *L, const struct x86_insn *I)
{
    return irb_const(L->b, I->osz == 8 ? IR_X : IR_W, L->next_pc & mask64(8u * I->osz));
}

/* Not of a call of what follows, which wants to know where it is and does not return. */
static void note_call(struct x86_lift *L, const struct x86_insn *I)
{
    bool onward = I->op[0].kind == OPK_IMM && target(L, I) == L->next_pc;
    if (!x86_one_at_a_time(L) && I->osz != 2 && !onward && is_canonical(L, L->next_pc))
        irb_return_point(L->b, L->next_pc & mask64(8u * I->osz));
}

void lift_call(struct x86_lift *L, const struct x86_insn *I)
{
    check_const(L, target(L, I));
    x86_set_sp(L, x86_push(L, I->osz, return_address(L, I)));
    note_call(L, I);
    x86_jump(L, target(L, I));
}

/* The target is not canonical: the push that comes before RIP changes may fault first (SDM vol. 2, CALL). */
static uint64_t do_call_astray(struct vcpu *v, uint64_t sp)
{
    struct x86_cpu *c = x86_of(v);
    if (c->mode_flags & MODE_AC_CHECK && sp & 7)
        x86_raise_misaligned(v, sp, true);
    else if (vcpu_probe(v, sp, 8, ACCESS_WRITE, x86_data_mode(c)))
        x86_raise(v, EXC_GP, true, 0);
    return 0;
}

static const struct ir_helper helper_call_astray = { "call_astray", 1, HELPER_MAY_EXIT | HELPER_MEMORY, IR_VOID,
                                                     { IR_X }, { .f1 = do_call_astray } };

void lift_call_ind(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    ir_ref pc = wrap(L, I, x86_rd(L, I, 0));
    if (lift_64(L))
        irb_trap_if(b, IR_NE, irb_sextract(b, pc, 0, 48), pc, &helper_call_astray,
                    irb_bini(b, IR_SUB, irb_get(b, 8, X86_OFF_GPR(R_SP)), I->osz));
    else
        check(L, pc);
    x86_set_sp(L, x86_push(L, I->osz, return_address(L, I)));
    note_call(L, I);
    x86_jump_indirect(L, pc);
}

void lift_ret(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref sp, pc = wrap(L, I, x86_pop(L, I->osz, &sp));
    check(L, pc);
    if (I->op[0].kind == OPK_IMM) {
        sp = irb_bini(L->b, IR_ADD, sp, I->op[0].imm);
        if (!lift_64(L))
            sp = irb_bini(L->b, IR_AND, sp, L->flags & MODE_SS32 ? UINT32_MAX : 0xffff);
    }
    x86_set_sp(L, sp);
    x86_return(L, pc);
}

static uint64_t do_bound(struct vcpu *v, uint64_t index, uint64_t low, uint64_t high, uint64_t size)
{
    unsigned bits = 8 * (unsigned)size;
    int64_t i = sign_extend(index, bits);
    if (i < sign_extend(low, bits) || i > sign_extend(high, bits))
        x86_raise(v, EXC_BR, false, 0);
    return 0;
}

static const struct ir_helper helper_bound = { "bound", 4, HELPER_MAY_EXIT, IR_VOID, { IR_W, IR_W, IR_W, IR_X },
                                               { .f4 = do_bound } };

void lift_bound(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->osz;
    ir_ref at = x86_linear(L, I, 2 * size, false);
    ir_ref low = x86_ld(L, at, size, false);
    ir_ref high = x86_ld(L, irb_bini(L->b, IR_ADD, at, size), size, false);
    irb_call(L->b, &helper_bound, x86_rd_reg(L, I->op[0].reg, size), low, high, irb_x(L->b, size));
}

void lift_ud(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    x86_lift_fault(L, EXC_UD, false, 0);
}
