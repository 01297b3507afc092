/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks: fetching, per-instruction checks, and how a block ends. */
#include "guest/x86/lift.h"

#include "guest/x86/cpuid.h"
#include "guest/x86/debug.h"
#include "guest/x86/lift_int.h"
#include "guest/x86/lift_simd.h"
#include "guest/x86/lift_sys.h"
#include "guest/x86/x87.h"

/* ---- helpers that raise ------------------------------------------------------------------ */

static uint64_t do_raise(struct vcpu *v, uint64_t what)
{
    x86_raise(v, what & 0xff, what >> 8 & 1, (uint32_t)(what >> 16));
    return 0;
}

const struct ir_helper x86_helper_raise = { "raise", 1, HELPER_MAY_EXIT, IR_VOID, { IR_X }, { .f1 = do_raise } };

void x86_trap_if(struct x86_lift *L, enum ir_cond cond, ir_ref x, ir_ref y, unsigned vector)
{
    irb_trap_if(L->b, cond, x, y, &x86_helper_raise, irb_x(L->b, vector | 1 << 8));
}

void x86_lift_fault(struct x86_lift *L, unsigned vector, bool has_error, uint32_t error)
{
    uint64_t what = vector | (uint64_t)has_error << 8 | (uint64_t)error << 16;
    irb_call(L->b, &x86_helper_raise, irb_x(L->b, what), IR_NONE, IR_NONE, IR_NONE);
    irb_exit_loop(L->b);        /* never reached: the helper always leaves */
    L->ended = true;
}

/* ---- leaving ---------------------------------------------------------------------------------- */

static uint32_t pc_offset(void) { return X86_OFF(rip); }

void x86_cc_dynamic(struct x86_lift *L) { L->cc_known = 0; }

static bool steps(const struct x86_lift *L) { return L->flags & (MODE_TF | MODE_DEBUG); }

/* The block's last act in single-step mode; RIP is in the state. */
static void trap_step(struct x86_lift *L)
{
    irb_call(L->b, &x86_helper_single_step, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    irb_exit_loop(L->b);
    L->ended = true;
}

void x86_jump(struct x86_lift *L, uint64_t pc)
{
    if (steps(L)) {
        irb_put(L->b, 8, pc_offset(), irb_x(L->b, pc));
        trap_step(L);
    } else if (L->flags & (MODE_SHADOW | MODE_RF)) {
        irb_put(L->b, 8, pc_offset(), irb_x(L->b, pc));
        irb_exit_loop(L->b);
    } else {
        irb_exit_jump(L->b, pc);
    }
    L->ended = true;
}

void x86_return(struct x86_lift *L, ir_ref pc)
{
    if (x86_one_at_a_time(L)) {
        x86_jump_indirect(L, pc);
        return;
    }
    irb_exit_return(L->b, pc);
    L->ended = true;
}

void x86_jump_indirect(struct x86_lift *L, ir_ref pc)
{
    if (steps(L) || L->flags & (MODE_SHADOW | MODE_RF)) {
        irb_put(L->b, 8, pc_offset(), pc);
        if (steps(L))
            trap_step(L);
        else
            irb_exit_loop(L->b);
    } else {
        irb_exit_indirect(L->b, pc);
    }
    L->ended = true;
}

void x86_end_loop_pc_set(struct x86_lift *L)
{
    if (steps(L))
        trap_step(L);
    else
        irb_exit_loop(L->b);
    L->ended = true;
}

void x86_end_loop(struct x86_lift *L)
{
    irb_put(L->b, 8, pc_offset(), irb_x(L->b, L->next_pc));
    x86_end_loop_pc_set(L);
}

void x86_end_lookup(struct x86_lift *L)
{
    if (steps(L) || L->flags & (MODE_SHADOW | MODE_RF)) {
        x86_end_loop(L);
        return;
    }
    irb_put(L->b, 8, pc_offset(), irb_x(L->b, L->next_pc));
    irb_exit_lookup(L->b);
    L->ended = true;
}

ir_ref x86_call(struct x86_lift *L, const struct ir_helper *h, ir_ref a, ir_ref b, ir_ref c, ir_ref d)
{
    return irb_call(L->b, h, a, b, c, d);
}

/* ---- one instruction ------------------------------------------------------------------------------ */

/* Faults that the mode alone decides (SDM vol. 2, 2.5 and each instruction's exceptions). */
static bool static_fault(struct x86_lift *L, const struct x86_row *row)
{
    uint32_t f = row->flags;
    if (!(f & (ROW_CPL0_UD | ROW_CPL0 | ROW_MMX | ROW_SSE | ROW_AVX | ROW_X87)))
        return false;
    if (f & ROW_CPL0_UD && lift_cpl(L) != 0) {
        x86_lift_fault(L, EXC_UD, false, 0);
        return true;
    }
    if (f & ROW_CPL0 && lift_cpl(L) != 0) {
        x86_lift_fault(L, EXC_GP, true, 0);
        return true;
    }
    bool ud = (f & ROW_MMX && L->flags & MODE_EM) ||
              (f & ROW_SSE && (L->flags & MODE_EM || !(L->flags & MODE_OSFXSR))) ||
              (f & ROW_AVX && !(L->flags & MODE_OSXSAVE));
    bool nm = (f & (ROW_MMX | ROW_SSE | ROW_AVX | ROW_X87) && L->flags & MODE_TS) ||
              (f & ROW_X87 && L->flags & MODE_EM);
    if (ud || nm) {
        x86_lift_fault(L, ud ? EXC_UD : EXC_NM, false, 0);
        return true;
    }
    return false;
}

static void before_insn(struct x86_lift *L)
{
    if (!x86_one_at_a_time(L))
        return;
    if (steps(L))
        irb_put(L->b, 1, X86_OFF(step_armed), irb_w(L->b, !!(L->flags & MODE_TF)));
    if (L->flags & MODE_DEBUG && !(L->flags & MODE_RF)) {
        ir_ref at = irb_x(L->b, lift_64(L) ? L->pc : (uint32_t)(L->pc + L->cs_base));
        irb_call(L->b, &x86_helper_check_exec_bp, at, IR_NONE, IR_NONE, IR_NONE);
    }
    /* RF and the interrupt shadow last for one instruction.  A fault in it pushes RF set anyway. */
    if (L->flags & MODE_RF) {
        ir_ref f = irb_get(L->b, 8, X86_OFF(rflags));
        irb_put(L->b, 8, X86_OFF(rflags), irb_bini(L->b, IR_AND, f, ~(uint64_t)FLAG_RF));
    }
    if (L->flags & MODE_SHADOW)
        irb_put(L->b, 1, X86_OFF(shadow), irb_w(L->b, 0));
}

static void lift_insn(struct x86_lift *L, const struct x86_insn *I)
{
    if (static_fault(L, I->row))
        return;
    if (I->row->flags & ROW_MMX)
        x86_x87_wait(L);
    I->row->lift(L, I);
}

/* ---- the block -------------------------------------------------------------------------------------- */

enum fetch_result { FETCH_OK, FETCH_FAULT, FETCH_NEXT_PAGE, FETCH_UD, FETCH_GP };

/* Bytes from key->va to the end of its page: in guest RAM itself, or copied when a device answers. */
struct fetcher {
    struct vcpu *v;
    const struct block_key *key;
    const uint8_t *page;
    unsigned have;
    uint8_t *copy;              /* PAGE_SIZE bytes */
    bool device;                /* what was read may read differently next time */
};

static bool open_page(struct fetcher *f)
{
    uint64_t va = f->key->va;
    f->have = PAGE_SIZE - (unsigned)(va & (PAGE_SIZE - 1));
    f->page = vcpu_host_ptr(f->v, va, f->have, ACCESS_EXEC, f->key->fetch_mode);
    if (f->page)
        return true;
    f->page = f->copy;
    f->device = true;
    return !f->v->exit && vcpu_fetch(f->v, va, f->key->fetch_mode, f->copy, f->have, NULL);
}

/*
 * Forwards, over what is not run; or to the block's beginning, where a loop turns.  A turn is lifted whole or not at
 * all, so that the block's last jump leads to its own beginning.
 */
bool x86_follow(struct x86_lift *L, uint64_t pc)
{
    enum { MAX_TURNS = 4 };
    const struct block_key *k = L->key;
    if (!L->b->guide || x86_one_at_a_time(L))
        return false;
    uint64_t to = ((pc + k->cs_base) & k->va_mask) - k->va, from = ((L->pc + k->cs_base) & k->va_mask) - k->va;
    if (to >= L->have || (to && to <= from))
        return false;
    if (!to) {
        if (2 * L->n_insns - L->turn_at > L->max_insns || ++L->turns == MAX_TURNS)
            return false;
        L->turn_at = L->n_insns;
    }
    L->next_pc = L->begin = pc;
    return L->followed = L->b->followed = true;
}

bool x86_is_likely(const struct x86_lift *L, uint64_t pc)
{
    const struct ir_guide *g = L->b->guide;
    const struct block_key *k = L->key;
    uint64_t to = ((pc + k->cs_base) & k->va_mask) - k->va, next = ((L->next_pc + k->cs_base) & k->va_mask) - k->va;
    return g && to < L->have && next < L->have && g->is_likely(g, L->begin, pc);
}

static uint64_t linear_pc(const struct fetcher *f, uint64_t pc) { return (pc + f->key->cs_base) & f->key->va_mask; }

/* Decodes at pc.  Only a block's first instruction may reach into the next page. */
static enum fetch_result fetch(struct fetcher *f, const struct x86_lift *L, uint64_t pc, bool first, struct x86_insn *I)
{
    struct x86_cpu *cpu = L->cpu;
    unsigned at = (unsigned)(linear_pc(f, pc) - f->key->va);
    if (at >= f->have)
        return FETCH_NEXT_PAGE;
    unsigned n = f->have - at < 15 ? f->have - at : 15;
    uint64_t room = UINT64_MAX;
    if (L->flags & MODE_CS_LIMIT) {
        uint64_t limit = L->flags >> MODE_LIMIT_SHIFT;
        room = pc > limit ? 0 : limit - pc + 1;
    }
    enum x86_decode_result r = x86_decode(cpu->decoder, f->page + at, n, L->flags, cpu->features, I);
    if (r == X86_DECODE_SHORT && n < 15) {
        uint8_t bytes[15];
        if (!first)
            return FETCH_NEXT_PAGE;
        if (n >= room)
            return FETCH_GP;
        memcpy(bytes, f->page + at, n);
        uint64_t next_page = linear_pc(f, pc) + n;
        if (!vcpu_fetch(f->v, next_page & f->key->va_mask, f->key->fetch_mode, bytes + n, 15 - n, NULL))
            return FETCH_FAULT;
        struct tlb_side side;
        f->device |= !tlb_peek(f->v, next_page & f->key->va_mask, ACCESS_EXEC, f->key->fetch_mode, &side) || !side.ram;
        r = x86_decode(cpu->decoder, bytes, 15, L->flags, cpu->features, I);
    }
    if (r == X86_DECODE_OK && I->len <= room)
        return FETCH_OK;
    return r == X86_DECODE_UD && room ? FETCH_UD : FETCH_GP;
}

static uint64_t wrap_pc(const struct x86_lift *L, uint64_t pc)
{
    return lift_64(L) ? pc : L->flags & MODE_CS32 ? (uint32_t)pc : pc & 0xffffffff;
}

void x86_end_same_mode(struct x86_lift *L)
{
    if (x86_one_at_a_time(L)) {
        x86_end_loop(L);
        return;
    }
    unsigned changed = irb_label_new(L->b);
    ir_ref now = irb_get(L->b, 8, (uint32_t)offsetof(struct x86_cpu, mode_flags));
    irb_brcond(L->b, IR_NE, now, irb_x(L->b, L->flags), changed);
    irb_exit_jump(L->b, L->next_pc);
    irb_label(L->b, changed);
    x86_end_loop(L);
}

/* To the instruction at pc, on which an interrupt shadow lies: other key flags, and nothing can be pending. */
static void go_into_shadow(struct x86_lift *L, uint64_t pc)
{
    irb_put(L->b, 8, pc_offset(), irb_x(L->b, pc));
    irb_exit_lookup(L->b);
    L->ended = true;
}

bool x86_begins_later(struct x86_lift *L)
{
    if (L->n_insns == 1)
        return false;
    ir_block_take_back(L->b, L->insn_at);
    L->n_insns--;
    if (L->flags & MODE_SHADOW)
        go_into_shadow(L, L->pc);
    else
        x86_jump(L, L->pc);
    return true;
}

/*
 * What restore needs to know of an instruction: which of its accesses go to the stack segment.
 * In 64-bit mode an address that is not canonical is #SS there and #GP elsewhere, and only the walk finds it.
 */
enum { META_STACK = 1, META_STACK_READ = 2, META_STACK_WRITE = 4 };     /* all; what is read; what is written */

static uint32_t meta_of(const struct x86_lift *L, const struct x86_insn *I)
{
    x86_lift_fn *fn = I->row->lift;
    if (!lift_64(L))
        return 0;
    if (I->memory && I->seg != SEG_SS) {
        if (fn == lift_push || fn == lift_call_ind || fn == lift_far_mem)
            return META_STACK_WRITE;
        return fn == lift_pop ? META_STACK_READ : 0;
    }
    bool data = fn == lift_xlat || fn == lift_maskmov || fn == lift_mmx_maskmov || fn == lift_monitor;
    return data ? 0 : META_STACK;
}

/* Lifts the instruction at L->pc; returns whether the block goes on. */
static bool lift_next(struct fetcher *f, struct x86_lift *L, bool first)
{
    struct x86_insn I;
    enum fetch_result r = fetch(f, L, L->pc, first, &I);
    if (r == FETCH_NEXT_PAGE || r == FETCH_FAULT)
        return false;
    if (L->shade)
        L->flags |= MODE_SHADOW;         /* as if it were in a block of its own */
    L->shade = false;
    L->insn_at = L->b->n;
    irb_insn_start(L->b, L->pc, r == FETCH_OK ? meta_of(L, &I) : 0);
    L->n_insns++;
    L->from_device = f->device;
    L->next_pc = wrap_pc(L, L->pc + I.len);
    L->followed = false;
    uint32_t bytes = (uint32_t)(linear_pc(f, L->pc) - f->key->va) + (I.len ? I.len : 1);
    L->b->guest_bytes = bytes > L->b->guest_bytes ? bytes : L->b->guest_bytes;
    before_insn(L);
    if (r == FETCH_UD)
        x86_lift_fault(L, EXC_UD, false, 0);
    else if (r == FETCH_GP)
        x86_lift_fault(L, EXC_GP, true, 0);
    else
        lift_insn(L, &I);
    if (L->ended)
        return false;
    bool page_end = !L->followed && linear_pc(f, L->pc) - f->key->va + I.len >= f->have;
    if (L->io || x86_one_at_a_time(L))
        x86_end_loop(L);
    else if (page_end || L->n_insns >= L->max_insns || ir_block_nearly_full(L->b))
        L->shade ? go_into_shadow(L, L->next_pc) : x86_jump(L, L->next_pc);
    L->pc = L->next_pc;
    return !L->ended;
}

bool x86_translate(struct vcpu *v, const struct block_key *key, unsigned max_insns, struct ir_block *ir)
{
    uint8_t copy[PAGE_SIZE];
    struct fetcher f = { .v = v, .key = key, .copy = copy };
    struct x86_lift L = { .b = ir, .cpu = x86_of(v), .flags = key->flags, .cs_base = key->cs_base, .pc = key->pc,
                          .begin = key->pc, .key = key, .max_insns = max_insns };
    L.mmu = key->flags >> MODE_MMU_SHIFT & 3;
    if (!open_page(&f))
        return false;
    L.have = f.have;
    if (!x86_has(L.cpu->features, F_LM)) {      /* in long mode alone can a register's upper half be written */
        ir->narrow = X86_OFF_GPR(0);
        ir->n_narrow = 8;
    }
    bool first = true;
    while (lift_next(&f, &L, first))
        first = false;
    if (!L.n_insns)
        return false;                 /* the first instruction's fetch faulted */
    if (!L.ended)                     /* the next instruction lies in the next page */
        L.shade ? go_into_shadow(&L, L.pc) : x86_jump(&L, L.pc);
    return true;
}

void x86_restore(struct vcpu *v, uint64_t pc, uint32_t meta)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_pending *p = &c->s.pending;
    c->s.rip = pc;
    if (v->exit == EXIT_EXCEPTION && p->vector == EXC_GP && p->cr2) {
        if (meta & (META_STACK | (p->dr6 ? META_STACK_WRITE : META_STACK_READ)))
            p->vector = EXC_SS;
        p->cr2 = p->dr6 = 0;
    }
}
