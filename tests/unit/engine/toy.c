/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The toy guest for engines: lifted to IR, in the ways a real front end does it. */
#include "toy.h"

static struct toy *toy_of(struct vcpu *v) { return (struct toy *)(void *)v; }

#define OFF(field) ((uint32_t)(offsetof(struct toy, s) + offsetof(struct toy_state, field)))
#define OFF_R(n) (OFF(r) + 8u * (n))
#define OFF_V(n) (OFF(vec) + 16u * ((n) & 3))

enum { USER = 1 };

static void raise(struct toy *t, uint32_t cause, uint64_t va)
{
    t->s.pending = cause;
    if (cause == CAUSE_PAGE)
        t->s.fault_va = va;
    t->v.exit = EXIT_EXCEPTION;
}

/* ---- helpers ----------------------------------------------------------------------------- */

static uint64_t do_raise(struct vcpu *v, uint64_t cause)
{
    raise(toy_of(v), (uint32_t)cause, 0);
    return 0;
}

static uint64_t do_div(struct vcpu *v, uint64_t a, uint64_t b)
{
    if (!b)
        raise(toy_of(v), CAUSE_DIV, 0);
    return b ? a / b : 0;
}

/* TRAP_IF's: most of the time there is nothing. */
static uint64_t do_doubt(struct vcpu *v, uint64_t divisor)
{
    if (!divisor)
        raise(toy_of(v), CAUSE_DIV, 0);
    return 0;
}

/* A helper of vector register 3 alone: it rotates it. */
static uint64_t do_rotate(struct vcpu *v, uint64_t by)
{
    uint64_t *r = toy_of(v)->s.vec[3], low = r[0];
    r[0] = r[1] + by;
    r[1] = low;
    return 0;
}

static uint64_t do_clock(struct vcpu *v) { return toy_position(toy_of(v)->m); }

static uint64_t do_flush(struct vcpu *v)
{
    tlb_flush(v);
    return 0;
}

/* As a string instruction does it: k iterations cost k - 1 positions beyond the block's. */
static uint64_t do_fill(struct vcpu *v, uint64_t regs, uint64_t pc)
{
    struct toy_state *s = &toy_of(v)->s;
    uint64_t *count = &s->r[regs >> 4], *at = &s->r[regs & 15];
    s->pc = pc + TOY_LENGTH;
    if (!*count)
        return 0;
    uint64_t byte = *count & 0xff;
    if (!vcpu_store(v, *at, 1, USER, byte))
        return 0;
    for (;;) {
        uint8_t *p = NULL;
        ++*at;
        if (!--*count)
            return 0;
        if (v->pos.left > 0 && *at & (PAGE_SIZE - 1))
            p = vcpu_host_ptr(v, *at, 1, ACCESS_WRITE, USER);
        if (!p || v->exit)
            break;
        *p = (uint8_t)*count;
        v->pos.left--;
    }
    s->pc = pc;
    return 0;
}

static const struct ir_helper
    h_raise = { "raise", 1, HELPER_MAY_EXIT, IR_VOID, { IR_X }, { .f1 = do_raise } },
    h_div = { "div", 2, HELPER_MAY_EXIT, IR_X, { IR_X, IR_X }, { .f2 = do_div } },
    h_doubt = { "doubt", 1, HELPER_MAY_EXIT, IR_VOID, { IR_X }, { .f1 = do_doubt } },
    h_rotate = { "rotate", 1, HELPER_READS | HELPER_WRITES, IR_VOID, { IR_X }, { .f1 = do_rotate },
                 { OFF(vec[3]), OFF(vec[3]) + 16 } },
    h_clock = { "clock", 0, 0, IR_X, { 0 }, { .f0 = do_clock } },
    h_flush = { "flush", 0, HELPER_MEMORY, IR_VOID, { 0 }, { .f0 = do_flush } },
    h_fill = { "fill", 2, HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES | HELPER_MEMORY, IR_VOID, { IR_X, IR_X },
               { .f2 = do_fill } };

/* ---- lifting -------------------------------------------------------------------------------- */

struct lift {
    struct ir_block *b;
    uint64_t pc, next;
    bool ended;
};

static ir_ref reg(struct lift *L, unsigned n) { return irb_get(L->b, 8, OFF_R(n)); }
static void set_reg(struct lift *L, unsigned n, ir_ref v) { irb_put(L->b, 8, OFF_R(n), irb_cast(L->b, v, IR_X)); }

static void result(struct lift *L, unsigned rd, ir_ref v, ir_ref src, uint32_t op)
{
    irb_discard(L->b, OFF(cc_dst), 3);          /* and cc_src */
    set_reg(L, rd, v);
    irb_put(L->b, 8, OFF(cc_dst), irb_cast(L->b, v, IR_X));
    irb_put(L->b, 8, OFF(cc_src), irb_cast(L->b, src, IR_X));
    irb_put(L->b, 4, OFF(cc_op), irb_w(L->b, op));
}

static void end_jump(struct lift *L, uint64_t pc)
{
    irb_exit_jump(L->b, pc);
    L->ended = true;
}

static void end_loop(struct lift *L)
{
    irb_put(L->b, 8, OFF(pc), irb_x(L->b, L->next));
    irb_exit_loop(L->b);
    L->ended = true;
}

static void branch(struct lift *L, enum ir_cond c, ir_ref x, ir_ref y, uint64_t target)
{
    unsigned taken = irb_label_new(L->b);
    irb_brcond(L->b, c, x, y, taken);
    irb_exit_jump(L->b, L->next);
    irb_label(L->b, taken);
    end_jump(L, target);
}

static void lift_raise(struct lift *L, uint32_t cause)
{
    irb_call(L->b, &h_raise, irb_x(L->b, cause), 0, 0, 0);
    irb_exit_loop(L->b);
    L->ended = true;
}

static void lift_vadd(struct lift *L, unsigned rd, unsigned rs)
{
    struct ir_block *b = L->b;
    ir_ref x = irb_getv(b, OFF_V(rd)), y = irb_getv(b, OFF_V(rs));
    ir_ref lo = irb_bin(b, IR_ADD, irb_un(b, IR_VLO, x), irb_un(b, IR_VLO, y));
    ir_ref hi = irb_bin(b, IR_ADD, irb_un(b, IR_VHI, x), irb_un(b, IR_VHI, y));
    irb_putv(b, OFF_V(rd), irb_vfrom64(b, lo, hi));
}

static void lift_short(struct lift *L, unsigned op, unsigned rd, unsigned rs)
{
    struct ir_block *b = L->b;
    ir_ref w, skip;
    switch (op) {
    case T_ADD:
        result(L, rd, irb_bin(b, IR_ADD, reg(L, rd), reg(L, rs)), reg(L, rs), 1);
        break;
    case T_SUB:
        w = reg(L, rs);
        result(L, rd, irb_bin(b, IR_SUB, reg(L, rd), w), w, 2);
        break;
    case T_MUL:
        set_reg(L, rd, irb_bin(b, IR_MUL, reg(L, rd), reg(L, rs)));
        break;
    case T_XOR:
        set_reg(L, rd, irb_bin(b, IR_XOR, reg(L, rd), reg(L, rs)));
        break;
    case T_SHL:
        set_reg(L, rd, irb_bin(b, IR_SHL, reg(L, rd), reg(L, rs)));
        break;
    case T_SARW:
        set_reg(L, rd, irb_bin(b, IR_SAR, irb_un(b, IR_TRUNC, reg(L, rd)), irb_get(b, 4, OFF_R(rs))));
        break;
    case T_ADDW:
        w = irb_un(b, IR_TRUNC, reg(L, rs));
        result(L, rd, irb_bin(b, IR_ADD, irb_un(b, IR_TRUNC, reg(L, rd)), w), w, 3);
        break;
    case T_MOV:
        set_reg(L, rd, reg(L, rs));
        break;
    case T_JR:
        irb_exit_indirect(b, reg(L, rd));
        L->ended = true;
        break;
    case T_DIV:
        irb_trap_if(b, IR_EQ, irb_bini(b, IR_AND, reg(L, rs), 7), irb_x(b, 0), &h_doubt, reg(L, rs));
        set_reg(L, rd, irb_call(b, &h_div, reg(L, rd), reg(L, rs), 0, 0));
        break;
    case T_DIVU:
    case T_DIVS:
        set_reg(L, rd, irb_bin(b, op == T_DIVU ? IR_DIVU : IR_DIVS, reg(L, rd), reg(L, rs)));
        break;
    case T_DIVSW:
        set_reg(L, rd, irb_bin(b, IR_DIVS, irb_un(b, IR_TRUNC, reg(L, rd)), irb_get(b, 4, OFF_R(rs))));
        break;
    case T_HLT:
        irb_put(b, 4, OFF(halted), irb_w(b, 1));
        end_loop(L);
        break;
    case T_EI:
    case T_DI:
        irb_put(b, 4, OFF(enabled), irb_w(b, op == T_EI));
        end_loop(L);
        break;
    case T_ERET:
        irb_put(b, 4, OFF(enabled), irb_w(b, 1));
        w = irb_get(b, 8, OFF(epc));
        skip = irb_bini(b, IR_ADD, irb_bini(b, IR_AND, reg(L, 11), 15), 1);
        skip = irb_bin(b, IR_ADD, w, irb_bini(b, IR_MUL, skip, TOY_LENGTH));
        w = irb_select(b, irb_setcondi(b, IR_LTU, irb_bini(b, IR_SUB, w, TOY_CODE), TOY_CODE_USED), skip,
                       irb_x(b, TOY_CODE));
        irb_put(b, 8, OFF(pc), w);
        irb_exit_loop(b);
        L->ended = true;
        break;
    case T_FILL:
        irb_call(b, &h_fill, irb_x(b, rd << 4 | rs), irb_x(b, L->pc), 0, 0);
        irb_exit_lookup(b);
        L->ended = true;
        break;
    case T_TRAP:
        lift_raise(L, CAUSE_TRAP);
        break;
    case T_VADD:
        lift_vadd(L, rd, rs);
        break;
    case T_VROT:
        irb_call(b, &h_rotate, reg(L, rs), 0, 0, 0);
        break;
    case T_FLUSH:
        irb_call(b, &h_flush, 0, 0, 0, 0);
        irb_put(b, 8, OFF(pc), irb_x(b, L->next));
        irb_exit_lookup(b);
        L->ended = true;
        break;
    case T_CLOCK:
        set_reg(L, rd, irb_call(b, &h_clock, 0, 0, 0, 0));
        end_loop(L);
        break;
    default:
        break;
    }
}

static void lift_memory(struct lift *L, unsigned op, unsigned rd, ir_ref base, uint64_t imm)
{
    struct ir_block *b = L->b;
    ir_ref at = irb_bini(b, IR_ADD, base, imm), x;
    switch (op) {
    case T_LD8:
    case T_LD16:
    case T_LD32:
    case T_LD64:
        set_reg(L, rd, irb_ld(b, op == T_LD64 ? IR_X : IR_W, op - T_LD8, USER, at));
        break;
    case T_LDS8:
        set_reg(L, rd, irb_ld(b, IR_X, IR_MEM_8 | IR_MEM_SIGNED, USER, at));
        break;
    case T_LDS32:
        set_reg(L, rd, irb_un(b, IR_SEXT, irb_ld(b, IR_W, IR_MEM_32 | IR_MEM_SIGNED, USER, at)));
        break;
    case T_ST8:
    case T_ST16:
    case T_ST32:
        irb_st(b, op - T_ST8, USER, at, irb_un(b, IR_TRUNC, reg(L, rd)));
        break;
    case T_ST64:
        irb_st(b, IR_MEM_64, USER, at, reg(L, rd));
        break;
    case T_LDX:
        at = irb_bin(b, IR_ADD, base, irb_bini(b, IR_SHL, reg(L, 1), 3));
        set_reg(L, rd, irb_ld(b, IR_X, IR_MEM_64, USER, irb_bini(b, IR_ADD, at, imm)));
        break;
    case T_LDV:
        irb_putv(b, OFF_V(rd), irb_ldv(b, USER, at));
        break;
    case T_STV:
        irb_stv(b, USER, at, irb_getv(b, OFF_V(rd)));
        break;
    default:                                     /* T_RMW64 */
        x = irb_bin(b, IR_ADD, irb_ld(b, IR_X, IR_MEM_64 | IR_MEM_WRITE_INTENT, USER, at), reg(L, rd));
        irb_st(b, IR_MEM_64, USER, at, x);
        irb_put(b, 8, OFF(cc_dst), x);
        break;
    }
}

static void lift_long(struct lift *L, unsigned op, unsigned rd, unsigned rs, uint64_t imm)
{
    struct ir_block *b = L->b;
    switch (op) {
    case T_ADDI:
        result(L, rd, irb_bini(b, IR_ADD, reg(L, rd), imm), irb_x(b, imm), 4);
        break;
    case T_MOVI:
        set_reg(L, rd, irb_x(b, imm));
        break;
    case T_XORI:
        set_reg(L, rd, irb_bini(b, IR_XOR, reg(L, rd), imm));
        break;
    case T_JMP:
        end_jump(L, L->pc + imm);
        break;
    case T_JNZ:
        branch(L, IR_NE, irb_get(b, 8, OFF(cc_dst)), irb_x(b, 0), L->pc + imm);
        break;
    case T_JLTU:
        irb_exit_if(b, IR_LTU, reg(L, rd), reg(L, rs), L->pc + imm);
        break;
    case T_CMOV:
        set_reg(L, 0, irb_select(b, irb_setcond(b, IR_LTS, reg(L, rd), reg(L, rs)), reg(L, rd), irb_x(b, imm)));
        break;
    default:
        lift_memory(L, op, rd, reg(L, rs), imm);
        break;
    }
}

static bool translate(struct vcpu *v, const struct block_key *key, unsigned max, struct ir_block *b)
{
    struct lift L = { .b = b, .pc = key->pc };
    unsigned n = 0;
    while (!L.ended) {
        uint8_t bytes[6];
        uint64_t room = PAGE_SIZE - (L.pc & (PAGE_SIZE - 1));
        if (n == max || (n && (L.pc ^ key->pc) >> PAGE_BITS) || ir_block_nearly_full(b))
            break;
        if (!vcpu_fetch(v, L.pc, USER, bytes, 1, NULL))
            return false;
        unsigned op = bytes[0], len = op < T_COUNT ? TOY_LENGTH : 1;
        if (n && len > room)
            break;
        if (!vcpu_fetch(v, L.pc, USER, bytes, len, NULL))
            return false;
        irb_insn_start(b, L.pc, n);
        n++;
        L.next = L.pc + len;
        b->guest_bytes = (uint32_t)(L.next - key->pc);
        if (op >= T_COUNT)
            lift_raise(&L, CAUSE_OPCODE);
        else if (op < T_ADDI)
            lift_short(&L, op, bytes[1] >> 4, bytes[1] & 15);
        else
            lift_long(&L, op, bytes[1] >> 4, bytes[1] & 15, (uint64_t)(int32_t)load_le(bytes + 2, 4));
        L.pc = L.next;
    }
    if (!L.ended)
        irb_exit_jump(b, L.pc);
    return true;
}

/* ---- guest operations ---------------------------------------------------------------------------- */

static void block_key(struct vcpu *v, struct block_key *key)
{
    uint64_t pc = toy_of(v)->s.pc;
    *key = (struct block_key){ .pc = pc, .va = pc, .va_mask = UINT64_MAX, .fetch_mode = USER };
}

static void restore(struct vcpu *v, uint64_t pc, uint32_t meta) { toy_of(v)->s.pc = pc; }

static bool mmu_walk(struct vcpu *v, uint64_t va, enum access access, unsigned mode, struct mmu_page *out)
{
    struct toy *t = toy_of(v);
    uint64_t page = align_down(va, PAGE_SIZE);
    if (!t->s.paging) {
        *out = (struct mmu_page){ .pa = page, .prot = 7 };
        return true;
    }
    uint64_t at = TOY_TABLE + 8 * (va >> PAGE_BITS & 511);
    struct mmu_entry where;
    uint64_t e = mmu_read_entry(v, at, 8, va, PAGE_BITS, 9, &where);
    if (va >> 21 || !(e & PTE_P) || (access == ACCESS_WRITE && !(e & PTE_W))) {
        raise(t, CAUSE_PAGE, va);
        return false;
    }
    e |= PTE_A | (access == ACCESS_WRITE ? PTE_D : 0);
    space_set_bits(v->mem, at, 8, e & (PTE_A | PTE_D));
    *out = (struct mmu_page){ .pa = e & 0xfffff000, .prot = 5, .entry = { where }, .n_entries = 1 };
    if (e & PTE_W && e & PTE_D)
        out->prot |= 1 << ACCESS_WRITE;
    return true;
}

static bool pending(struct vcpu *v)
{
    const struct toy_state *s = &toy_of(v)->s;
    return s->pending || (s->irq && s->enabled);
}

static unsigned service(struct vcpu *v)
{
    struct toy_state *s = &toy_of(v)->s;
    s->cause = s->pending ? s->pending : CAUSE_IRQ;
    if (!s->pending)
        s->irq = 0;
    s->pending = s->halted = s->enabled = 0;
    s->epc = s->pc;
    s->pc = TOY_VECTOR;
    return 1;
}

static bool halted(struct vcpu *v) { return toy_of(v)->s.halted; }
static void fp_trap(struct vcpu *v) { raise(toy_of(v), CAUSE_TRAP, 0); }

static bool debug_walk(struct vcpu *v, uint64_t va, uint64_t *pa)
{
    *pa = va;
    return true;
}

static const uint32_t hot[] = { OFF_R(0), OFF_R(1), OFF_R(2), OFF_R(3), OFF_R(12), OFF_R(8), OFF(cc_dst) };

const struct guest_ops toy_ops = {
    .name = "toy",
    .cpu_size = sizeof(struct toy),
    .pc_offset = OFF(pc),
    .fp_env_offset = OFF(env),
    .hot = hot,
    .n_hot = ARRAY_LEN(hot),
    .block_key = block_key,
    .translate = translate,
    .restore = restore,
    .mmu_walk = mmu_walk,
    .pending = pending,
    .service = service,
    .halted = halted,
    .fp_trap = fp_trap,
    .debug_walk = debug_walk,
};
