/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lifting of system instructions: thin, since nearly all of them are a helper
 * that ends the block.  RIP is already the next instruction's when a helper runs.
 */
#include "guest/x86/lift_sys.h"

#include "guest/x86/cpuid.h"
#include "guest/x86/segment.h"

static const struct ir_helper *helper(unsigned id) { return &x86_sys_helpers[id]; }

static ir_ref rdx(struct x86_lift *L, const struct x86_insn *I, unsigned n)
{
    return irb_cast(L->b, x86_rd(L, I, n), IR_X);
}

static void set_next_pc(struct x86_lift *L) { irb_put(L->b, 8, X86_OFF(rip), irb_x(L->b, L->next_pc)); }

static ir_ref call(struct x86_lift *L, unsigned id, ir_ref a, ir_ref b, ir_ref c)
{
    set_next_pc(L);
    ir_ref r = irb_call(L->b, helper(id), a, b, c, IR_NONE);
    x86_cc_dynamic(L);
    return r;
}

/* No operands. */
void lift_sys(struct x86_lift *L, const struct x86_insn *I)
{
    const struct ir_helper *h = helper(I->row->aux);
    call(L, I->row->aux, h->n_args ? irb_x(L->b, I->osz) : IR_NONE, IR_NONE, IR_NONE);
    x86_end_loop_pc_set(L);
}

/* The same of what changes general registers only, but reads the clock or the like: the last of its block. */
void lift_sys_read(struct x86_lift *L, const struct x86_insn *I)
{
    call(L, I->row->aux, IR_NONE, IR_NONE, IR_NONE);
    x86_jump(L, L->next_pc);
}

void lift_swapgs(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    uint32_t gs = X86_OFF(seg[SEG_GS].base), other = X86_OFF(kernel_gs_base);
    (void)I;
    ir_ref x = irb_get(b, 8, gs), y = irb_get(b, 8, other);
    irb_put(b, 8, gs, y);
    irb_put(b, 8, other, x);
}

/* UMIP: SGDT SIDT SLDT SMSW STR fault outside ring 0. */
static bool umip_faults(struct x86_lift *L)
{
    if (!(L->flags & MODE_UMIP) || lift_cpl(L) == 0)
        return false;
    x86_lift_fault(L, EXC_GP, true, 0);
    return true;
}

/* One value operand. */
void lift_sys_rd(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = rdx(L, I, 0);
    call(L, I->row->aux, v, IR_NONE, IR_NONE);
    x86_end_loop_pc_set(L);
}

/* A memory operand by address; INVPCID's type register is op0. */
void lift_sys_mem(struct x86_lift *L, const struct x86_insn *I)
{
    if ((I->row->aux == SYS_SGDT || I->row->aux == SYS_SIDT) && umip_faults(L))
        return;
    bool store = I->row->aux == SYS_SGDT || I->row->aux == SYS_SIDT, check = I->row->aux != SYS_INVLPG;
    bool invpcid = I->row->aux == SYS_INVPCID;
    ir_ref at = check ? x86_linear(L, I, invpcid ? 16 : lift_64(L) ? 10 : 6, store) : x86_ea(L, I);
    if (!check && (!lift_64(L) || I->seg == SEG_FS || I->seg == SEG_GS)) {
        ir_ref base = irb_get(L->b, 8, X86_OFF(seg[0].base) + (uint32_t)I->seg * sizeof(struct x86_segment));
        at = irb_bin(L->b, IR_ADD, at, base);
        if (!lift_64(L))
            at = irb_bini(L->b, IR_AND, at, UINT32_MAX);
    }
    ir_ref second = irb_x(L->b, I->osz);
    if (invpcid)            /* the type register is always of full width */
        second = irb_cast(L->b, x86_rd_reg(L, I->op[0].reg, lift_64(L) ? 8 : 4), IR_X);
    call(L, I->row->aux, at, second, IR_NONE);
    x86_end_loop_pc_set(L);
}

/* ---- selectors ------------------------------------------------------------------------------- */

static void store_selector(struct x86_lift *L, const struct x86_insn *I, unsigned n, int seg)
{
    ir_ref v = irb_get(L->b, 2, X86_OFF(seg[0].selector) + (uint32_t)seg * sizeof(struct x86_segment));
    const struct x86_operand *o = &I->op[n];
    if (o->kind == OPK_MEM)
        x86_st(L, x86_linear(L, I, 2, true), 2, v);
    else
        x86_wr_reg(L, o->reg, I->osz, irb_cast(L->b, v, I->osz == 8 ? IR_X : IR_W));
}

/* SLDT, STR: aux is the segment. */
void lift_store_sel(struct x86_lift *L, const struct x86_insn *I)
{
    if (!umip_faults(L))
        store_selector(L, I, 0, (int)I->row->aux);
}

void lift_smsw(struct x86_lift *L, const struct x86_insn *I)
{
    if (umip_faults(L))
        return;
    ir_ref v = irb_get(L->b, 8, X86_OFF(cr0));
    if (I->op[0].kind == OPK_MEM)
        x86_st(L, x86_linear(L, I, 2, true), 2, irb_cast(L->b, v, IR_W));
    else
        x86_wr_reg(L, I->op[0].reg, I->osz, irb_cast(L->b, v, I->osz == 8 ? IR_X : IR_W));
}

void lift_mov_from_seg(struct x86_lift *L, const struct x86_insn *I)
{
    if (I->op[1].reg > SEG_GS)
        x86_lift_fault(L, EXC_UD, false, 0);
    else
        store_selector(L, I, 0, I->op[1].reg);
}

/* shade: MOV and POP, but not LSS, keep interrupts and debug traps away for one instruction (vol. 3, 6.8.3). */
static void load_seg(struct x86_lift *L, int seg, ir_ref selector, bool shade)
{
    call(L, SYS_LOAD_SEG, irb_x(L->b, (uint64_t)seg | (shade ? 256 : 0)), selector, IR_NONE);
}

/* SS may cast a shadow, which the mode flags do not show. */
static void end_load_seg(struct x86_lift *L, int seg)
{
    if (seg == SEG_SS)
        x86_end_loop_pc_set(L);
    else
        x86_end_same_mode(L);
}

void lift_mov_to_seg(struct x86_lift *L, const struct x86_insn *I)
{
    if (I->op[0].reg > SEG_GS || I->op[0].reg == SEG_CS) {
        x86_lift_fault(L, EXC_UD, false, 0);
        return;
    }
    struct x86_insn J = *I;
    J.op[1].size = 2;
    load_seg(L, I->op[0].reg, irb_cast(L->b, x86_rd(L, &J, 1), IR_X), true);
    end_load_seg(L, I->op[0].reg);
}

void lift_push_seg(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = irb_get(L->b, 2, X86_OFF(seg[0].selector) + (uint32_t)I->op[0].reg * sizeof(struct x86_segment));
    x86_set_sp(L, x86_push(L, I->osz, irb_cast(L->b, v, I->osz == 8 ? IR_X : IR_W)));
}

/* The helper may fault, so that SP is written behind it, from a value taken before. */
void lift_pop_seg(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref sp, v = x86_pop(L, I->osz, &sp);
    load_seg(L, I->op[0].reg, irb_bini(L->b, IR_AND, irb_cast(L->b, v, IR_X), 0xffff), true);
    x86_set_sp(L, sp);
    end_load_seg(L, I->op[0].reg);
}

/* A far pointer in memory: offset, then selector. */
static ir_ref far_pointer(struct x86_lift *L, const struct x86_insn *I, ir_ref *selector)
{
    unsigned osz = I->osz;
    ir_ref at = x86_linear(L, I, osz + 2, false);
    ir_ref offset = x86_ld(L, at, osz, false);
    *selector = irb_cast(L->b, x86_ld(L, irb_bini(L->b, IR_ADD, at, osz), 2, false), IR_X);
    return offset;
}

/* LDS LES LSS LFS LGS: aux is the segment. */
void lift_lxs(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref selector, offset = far_pointer(L, I, &selector);
    load_seg(L, (int)I->row->aux, selector, false);
    x86_wr_reg(L, I->op[0].reg, I->osz, offset);
    end_load_seg(L, (int)I->row->aux);
}

/* ---- far transfers ------------------------------------------------------------------------------ */

void lift_far_direct(struct x86_lift *L, const struct x86_insn *I)
{
    call(L, I->row->aux, irb_x(L->b, I->far_sel), irb_x(L->b, I->op[0].imm), irb_x(L->b, I->osz));
    x86_end_loop_pc_set(L);
}

void lift_far_mem(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref selector, offset = irb_cast(L->b, far_pointer(L, I, &selector), IR_X);
    call(L, I->row->aux, selector, offset, irb_x(L->b, I->osz));
    x86_end_loop_pc_set(L);
}

void lift_far_ret(struct x86_lift *L, const struct x86_insn *I)
{
    uint64_t extra = I->op[0].kind == OPK_IMM ? I->op[0].imm : 0;
    call(L, SYS_FAR_RET, irb_x(L->b, I->osz), irb_x(L->b, extra), IR_NONE);
    x86_end_loop_pc_set(L);
}

void lift_iret(struct x86_lift *L, const struct x86_insn *I)
{
    call(L, SYS_IRET, irb_x(L->b, I->osz), IR_NONE, IR_NONE);
    x86_end_loop_pc_set(L);
}

/* INT3 (aux 3), INT n (aux 0). */
void lift_int(struct x86_lift *L, const struct x86_insn *I)
{
    uint64_t vector = I->row->aux ? I->row->aux : I->op[0].imm;
    call(L, SYS_INT, irb_x(L->b, vector), irb_x(L->b, !I->row->aux), IR_NONE);
    x86_end_loop_pc_set(L);
}

void lift_into(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    unsigned no = irb_label_new(L->b);
    irb_brcond(L->b, IR_EQ, x86_cond(L, 0), irb_w(L->b, 0), no);
    call(L, SYS_INT, irb_x(L->b, EXC_OF), irb_x(L->b, 0), IR_NONE);
    x86_end_loop_pc_set(L);
    irb_label(L->b, no);
    x86_jump(L, L->next_pc);
}

/* ---- flags ------------------------------------------------------------------------------------------ */

/* CLI and STI without VME's and PVI's virtual flag. */
static bool may_change_if(const struct x86_lift *L)
{
    unsigned iopl = L->flags >> MODE_IOPL_SHIFT & 3;
    return !(L->flags & MODE_PE) || (L->flags & MODE_VM86 ? iopl == 3 : lift_cpl(L) <= iopl);
}

void lift_cli(struct x86_lift *L, const struct x86_insn *I)
{
    if (!may_change_if(L)) {
        lift_sys(L, I);
        return;
    }
    ir_ref f = irb_get(L->b, 8, X86_OFF(rflags));
    irb_put(L->b, 8, X86_OFF(rflags), irb_bini(L->b, IR_AND, f, ~(uint64_t)FLAG_IF));
}

/* Interrupts wait for one instruction more, if they were off: the block ends behind that. */
void lift_sti(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    if (!may_change_if(L) || x86_one_at_a_time(L)) {
        lift_sys(L, I);
        return;
    }
    ir_ref f = irb_get(b, 8, X86_OFF(rflags));
    _Static_assert(X86_SHADOW_STI == 1, "a SETCOND's result");
    irb_put(b, 1, X86_OFF(shadow), irb_setcondi(b, IR_EQ, irb_bini(b, IR_AND, f, FLAG_IF), 0));
    irb_put(b, 8, X86_OFF(rflags), irb_bini(b, IR_OR, f, FLAG_IF));
    L->shade = true;
}

/* Without VME, which shows VIF for IF. */
static ir_ref pushed_flags(struct x86_lift *L)
{
    struct ir_block *b = L->b;
    ir_ref f = irb_bin(b, IR_OR, irb_get(b, 8, X86_OFF(rflags)), irb_cast(b, x86_get_cc_eflags(L), IR_X));
    return irb_bini(b, IR_OR, irb_bini(b, IR_AND, f, ~(uint64_t)(FLAG_VM | FLAG_RF)), 2);
}

void lift_pushf(struct x86_lift *L, const struct x86_insn *I)
{
    if (!(L->flags & MODE_VM86) || (L->flags >> MODE_IOPL_SHIFT & 3) == 3) {
        x86_set_sp(L, x86_push(L, I->osz, irb_cast(L->b, pushed_flags(L), I->osz == 8 ? IR_X : IR_W)));
        return;
    }
    ir_ref f = irb_call(L->b, helper(SYS_PUSHF), irb_x(L->b, I->osz), IR_NONE, IR_NONE, IR_NONE);
    x86_set_sp(L, x86_push(L, I->osz, irb_cast(L->b, f, I->osz == 8 ? IR_X : IR_W)));
}

void lift_popf(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref sp, f = x86_pop(L, I->osz, &sp);
    ir_ref loop = call(L, SYS_POPF, irb_cast(L->b, f, IR_X), irb_x(L->b, I->osz), IR_NONE);
    x86_set_sp(L, sp);
    if (x86_one_at_a_time(L)) {
        x86_end_loop_pc_set(L);
        return;
    }
    unsigned same = irb_label_new(L->b);
    irb_brcond(L->b, IR_EQ, loop, irb_w(L->b, 0), same);
    irb_exit_loop(L->b);
    irb_label(L->b, same);
    x86_jump(L, L->next_pc);
}

/* ---- port I/O ------------------------------------------------------------------------------------------ */

/* op0 AL/eAX, op1 Ib/DX. */
void lift_in(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->op[0].size == 8 ? 4 : I->op[0].size;
    ir_ref port = I->op[1].kind == OPK_IMM ? irb_x(L->b, I->op[1].imm & 0xff) : rdx(L, I, 1);
    ir_ref v = call(L, SYS_IN, port, irb_x(L->b, size), IR_NONE);
    x86_wr_reg(L, R_AX, size, irb_cast(L->b, v, IR_W));
    x86_end_loop_pc_set(L);
}

/* op0 Ib/DX, op1 AL/eAX. */
void lift_out(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->op[1].size == 8 ? 4 : I->op[1].size;
    ir_ref port = I->op[0].kind == OPK_IMM ? irb_x(L->b, I->op[0].imm & 0xff) : rdx(L, I, 0);
    ir_ref v = irb_cast(L->b, x86_rd_reg(L, R_AX, size), IR_X);
    call(L, SYS_OUT, port, irb_x(L->b, size), v);
    x86_end_loop_pc_set(L);
}

/* INS, OUTS: one iteration a block. */
void lift_ins(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->op[0].size == 8 ? 4 : I->op[0].size;
    uint64_t what = size | (uint64_t)I->asz << 4 | (uint64_t)(I->rep != 0) << 8 | (uint64_t)(uint8_t)I->seg << 16;
    set_next_pc(L);
    ir_ref done = irb_call(L->b, helper(I->row->aux), irb_x(L->b, what), IR_NONE, IR_NONE, IR_NONE);
    ir_ref pc = irb_select(L->b, done, irb_x(L->b, L->next_pc), irb_x(L->b, L->pc));
    irb_put(L->b, 8, X86_OFF(rip), pc);
    x86_end_loop_pc_set(L);
}

/* ---- control and debug registers: aux 0 reads, 1 writes; always full width ------------------------------- */

static void mov_special(struct x86_lift *L, const struct x86_insn *I, unsigned to, unsigned from)
{
    unsigned special = I->row->aux ? 0 : 1, size = lift_64(L) ? 8 : 4;
    unsigned gpr = (I->modrm & 7) | (I->rex & 1) << 3;
    ir_ref n = irb_x(L->b, I->op[special].reg);
    static const uint32_t plain[5] = { X86_OFF(cr0), 0, X86_OFF(cr2), X86_OFF(cr3), X86_OFF(cr4) };
    if (from == SYS_MOV_FROM_CR && special == 1 && I->op[1].reg < 5) {
        x86_wr_reg(L, gpr, size, irb_cast(L->b, irb_get(L->b, 8, plain[I->op[1].reg]), size == 8 ? IR_X : IR_W));
        return;
    }
    if (I->row->aux) {
        call(L, to, n, irb_cast(L->b, x86_rd_reg(L, gpr, size), IR_X), IR_NONE);
    } else {
        ir_ref v = call(L, from, n, IR_NONE, IR_NONE);
        x86_wr_reg(L, gpr, size, irb_cast(L->b, v, size == 8 ? IR_X : IR_W));
    }
    x86_end_loop_pc_set(L);
}

/* MONITOR: DS:rAX is read as a byte load would read it. */
void lift_monitor(struct x86_lift *L, const struct x86_insn *I)
{
    struct x86_insn J = *I;
    J.base = R_AX;
    ir_ref at = x86_linear(L, &J, 1, false);
    call(L, SYS_MONITOR, IR_NONE, IR_NONE, IR_NONE);
    x86_ld(L, at, 1, false);
    x86_end_loop(L);
}

/* A register that does not exist is #UD at any level; those that do are ring 0's. */
static bool special_fault(struct x86_lift *L, uint32_t existing, unsigned n)
{
    bool ud = !(existing >> n & 1);
    if (ud || lift_cpl(L) != 0)
        x86_lift_fault(L, ud ? EXC_UD : EXC_GP, !ud, 0);
    return ud || lift_cpl(L) != 0;
}

/* LOCK MOV CR0 as CR8 is AMD's; not offered. */
void lift_mov_cr(struct x86_lift *L, const struct x86_insn *I)
{
    if (!special_fault(L, 1u << 0 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 8, I->op[I->row->aux ? 0 : 1].reg))
        mov_special(L, I, SYS_MOV_TO_CR, SYS_MOV_FROM_CR);
}

void lift_mov_dr(struct x86_lift *L, const struct x86_insn *I)
{
    if (!special_fault(L, L->flags & MODE_DE ? 0xcf : 0xff, I->op[I->row->aux ? 0 : 1].reg))
        mov_special(L, I, SYS_MOV_TO_DR, SYS_MOV_FROM_DR);
}

/* ---- LAR LSL ARPL ---------------------------------------------------------------------------------------- */

void lift_lar(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->op[0].size;
    struct x86_insn J = *I;
    J.op[1].size = 2;
    ir_ref selector = irb_cast(L->b, x86_rd(L, &J, 1), IR_X);
    unsigned whole = size == 2 ? 2 : 8;          /* all of the register stays when the selector is not visible */
    ir_ref old = irb_cast(L->b, x86_rd_reg(L, I->op[0].reg, whole), IR_X);
    ir_ref v = call(L, I->row->aux, selector, old, IR_NONE);
    x86_wr_reg(L, I->op[0].reg, whole, irb_cast(L->b, v, whole == 8 ? IR_X : IR_W));
    x86_end_lookup(L);
}

void lift_arpl(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    bool memory = I->op[0].kind == OPK_MEM;
    ir_ref linear = memory ? x86_linear(L, I, 2, true) : IR_NONE;
    ir_ref x = memory ? x86_ld(L, linear, 2, false) : x86_rd(L, I, 0);
    ir_ref rpl = irb_bini(b, IR_AND, x, 3), least = irb_bini(b, IR_AND, x86_rd(L, I, 1), 3);
    ir_ref lower = irb_setcond(b, IR_LTU, rpl, least);
    ir_ref v = irb_bin(b, IR_OR, irb_bini(b, IR_AND, x, 0xfffc), irb_select(b, lower, least, rpl));
    unsigned same = irb_label_new(b);
    irb_brcond(b, IR_EQ, lower, irb_w(b, 0), same);
    x86_wr_rmw(L, I, 0, linear, v);
    irb_label(b, same);
    x86_set_zero(L, lower);
}

/* ---- others ------------------------------------------------------------------------------------------------ */

/* RDFSBASE RDGSBASE WRFSBASE WRGSBASE by ModRM.reg 0..3. */
void lift_fsgsbase(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    int seg = I->row->reg & 1 ? SEG_GS : SEG_FS;
    uint32_t base = X86_OFF(seg[0].base) + (uint32_t)seg * sizeof(struct x86_segment);
    if (!(L->flags & MODE_FSGSBASE)) {
        x86_lift_fault(L, EXC_UD, false, 0);
    } else if (I->row->reg < 2) {
        x86_wr(L, I, 0, irb_cast(b, irb_get(b, 8, base), I->op[0].size == 8 ? IR_X : IR_W));
    } else {
        ir_ref v = rdx(L, I, 0);
        x86_trap_if(L, IR_NE, irb_sextract(b, v, 0, 48), v, EXC_GP);
        irb_put(b, 8, base, v);
    }
}

/* RDRAND, RDSEED: always succeed, CF = 1. */
void lift_rdrand(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->op[0].size;
    ir_ref v = irb_call(L->b, helper(SYS_RDRAND), IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    x86_wr(L, I, 0, irb_cast(L->b, v, size == 8 ? IR_X : IR_W));
    x86_set_cc_eflags(L, irb_w(L->b, FLAG_CF));
}

void lift_rdpid(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = irb_get(L->b, 8, X86_OFF(tsc_aux));
    x86_wr_reg(L, I->op[0].reg, lift_64(L) ? 8 : 4, lift_64(L) ? v : irb_cast(L->b, v, IR_W));
}

void lift_fence(struct x86_lift *L, const struct x86_insn *I)
{
    (void)L;
    (void)I;
}

/* CLFLUSH and its like fault as a byte load does. */
void lift_clflush(struct x86_lift *L, const struct x86_insn *I) { x86_ld(L, x86_linear(L, I, 1, false), 1, false); }
