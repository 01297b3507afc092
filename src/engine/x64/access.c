/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: the TLB's fast path in line (vcpu/softmmu.h), the rest in a
 * stub that calls the soft MMU with all registers kept in the frame.
 */
#include "engine/x64/compiler.h"

/*
 * May the sum be taken as it is, and be cut to 32 bits only where the page that it must lie in is not found?  Then it
 * goes beyond them, or below 0, only where the guest's address wraps around; and that is no page of the TLB's where
 * there are no longer addresses (ir_block.narrow).
 */
static bool cut_later(const struct compiler *c, const struct address *at)
{
    enum { NEAR_POINTER = 1 << 20 };        /* what is farther away is an index, and the other part the pointer */
    return c->ir->n_narrow && at->wrap && !at->index && at->disp < NEAR_POINTER && at->disp > -NEAR_POINTER &&
           c->ir->bits_of[at->base] <= 32;
}

/* The address: register (or HOST_NONE) + disp.  *cut: of that, the low 32 bits. */
static unsigned address(struct compiler *c, ir_ref v, int32_t *disp, bool *cut)
{
    struct x64_asm *a = &c->a;
    struct address at = x64_address(c, v);
    uint64_t value;
    *disp = 0;
    *cut = false;
    if (const_of(c, v, &value) && fits32(value) && fits32(value + PAGE_SIZE)) {
        *disp = (int32_t)value;
        return HOST_NONE;
    }
    unsigned base = x64_use(c, at.base);
    *cut = cut_later(c, &at);
    if ((!at.index && !at.wrap) || *cut) {
        *disp = at.disp;
        return base;
    }
    unsigned index = at.index ? x64_use(c, at.index) : HOST_NONE, t = x64_temp(c);
    if (!at.index && at.disp == 0)                 /* just cut */
        x64_mov_rr(a, 32, t, base);
    else
        x64_lea(a, at.wrap ? 32 : 64, t, x64_index(base, index, at.scale, at.disp));
    c->locked = 1u << t;                           /* the parts are done with */
    return t;
}

/* The same of a range whose page is known. */
static void ask_tlb_for_page(struct x64_asm *a, const struct asked *q, struct x64_label *miss)
{
    uint64_t page = align_down(q->lowest, PAGE_SIZE);
    x64_mov_ri(a, q->addend, (uint32_t)(page >> (PAGE_BITS - TLB_ENTRY_BITS)));
    x64_alu_rm(a, X64_AND, 64, q->addend, x64_state(offsetof(struct vcpu, view[q->mode].mask)));
    x64_alu_rm(a, X64_ADD, 64, q->addend, x64_state(offsetof(struct vcpu, view[q->mode].base)));
    if (fits32(page)) {
        x64_alu_mi(a, X64_CMP, 64, x64_base(q->addend, TLB_TAG(q->access)), (int32_t)page);
    } else {
        x64_mov_ri(a, q->page, page);
        x64_alu_rm(a, X64_CMP, 64, q->page, x64_base(q->addend, TLB_TAG(q->access)));
    }
    x64_jcc(a, X64_NE, miss);
    x64_mov_rm(a, 64, q->addend, x64_base(q->addend, TLB_ADDEND));
}

/* The TLB's entry compared with the page that it must be; goes to miss, or on with the addend. */
static void ask_tlb(struct x64_asm *a, const struct asked *q, struct x64_label *miss)
{
    if (q->is_const) {
        ask_tlb_for_page(a, q, miss);
        return;
    }
    x64_lea(a, 64, q->page, x64_base(q->address, q->hi - 1));
    if (q->lo) {
        x64_lea(a, 64, q->addend, x64_base(q->address, q->lo));
        x64_shift_ri(a, X64_SHR, 64, q->addend, PAGE_BITS - TLB_ENTRY_BITS);
    } else {
        x64_rorx(a, 64, q->addend, q->address, PAGE_BITS - TLB_ENTRY_BITS);
    }
    x64_alu_ri(a, X64_AND, 64, q->page, -PAGE_SIZE);
    x64_alu_rm(a, X64_AND, 64, q->addend, x64_state(offsetof(struct vcpu, view[q->mode].mask)));
    x64_alu_rm(a, X64_ADD, 64, q->addend, x64_state(offsetof(struct vcpu, view[q->mode].base)));
    x64_alu_rm(a, X64_CMP, 64, q->page, x64_base(q->addend, TLB_TAG(q->access)));
    x64_jcc(a, X64_NE, miss);
    x64_mov_rm(a, 64, q->addend, x64_base(q->addend, TLB_ADDEND));
}

/* ---- recent pages (vcpu/vcpu.h) -------------------------------------------------------------- */

enum { SOON = 128 };     /* positions: a handful of turns of a loop */

#define RECENT(field) x64_at(&c->j->recent->field)

static void ask_recent(struct compiler *c, const struct asked *q, struct stub *miss, unsigned n)
{
    struct x64_asm *a = &c->a;
    struct stub *r = x64_stub(c, STUB_RECENT);
    r->miss = miss;
    r->asked = *q;
    r->slot = n;
    if (q->is_const) {
        x64_alu_mi(a, X64_CMP, 64, RECENT(at[n].span), 0);      /* what it holds is that page's, if anything */
        x64_jcc(a, X64_E, &r->from);
    } else {
        if (q->lo)
            x64_lea(a, 64, q->page, x64_base(q->address, q->lo));
        else
            x64_mov_rr(a, 64, q->page, q->address);
        x64_alu_rm(a, X64_SUB, 64, q->page, RECENT(at[n].page));
        x64_alu_rm(a, X64_CMP, 64, q->page, RECENT(at[n].span));
        x64_jcc(a, X64_AE, &r->from);
    }
    x64_mov_rm(a, 64, q->addend, RECENT(at[n].addend));
    x64_bind(a, &r->back);
}

void x64_write_recent(struct compiler *c, struct stub *r)
{
    struct x64_asm *a = &c->a;
    const struct asked *q = &r->asked;
    ask_tlb(a, q, &r->miss->from);
    if (c->j->recent_of[r->slot].wide) {
        x64_mov_mr(a, 64, RECENT(missed[r->slot]), q->page);
        x64_alu_mi(a, X64_ADD, 32, RECENT(at[r->slot].wanders), 1);
        x64_jmp(a, &r->back);
        return;
    }
    if (q->is_const)
        x64_mov_ri(a, q->page, align_down(q->lowest, PAGE_SIZE));
    x64_mov_mr(a, 64, RECENT(at[r->slot].page), q->page);
    x64_mov_mr(a, 64, RECENT(at[r->slot].addend), q->addend);
    x64_mov_rm(a, 32, q->page, RECENT(at[r->slot].missed_at));
    x64_alu_rm(a, X64_SUB, 32, q->page, VCPU_FIELD(pos.left));
    x64_alu_ri(a, X64_CMP, 32, q->page, SOON);
    x64_alu_mi(a, X64_ADC, 32, RECENT(at[r->slot].wanders), 0);
    x64_mov_rm(a, 32, q->page, VCPU_FIELD(pos.left));
    x64_mov_mr(a, 32, RECENT(at[r->slot].missed_at), q->page);
    x64_alu_mi(a, X64_CMP, 64, RECENT(at[r->slot].span), 0);
    x64_jcc(a, X64_NE, &r->back);
    x64_mov_mi(a, 64, RECENT(at[r->slot].span), PAGE_SIZE + 1 - (q->hi - q->lo));
    x64_mov_rm(a, 32, q->page, RECENT(n));
    x64_lea(a, 64, q->addend, RECENT(list));
    x64_mov_mi(a, 32, x64_index(q->addend, q->page, 2, 0), (int32_t)r->slot);
    x64_alu_mi(a, X64_ADD, 32, RECENT(n), 1);
    x64_mov_rm(a, 64, q->addend, RECENT(at[r->slot].addend));
    x64_jmp(a, &r->back);
}

/* The range [lo, hi) from the stub's address on. */
static struct asked ask(struct compiler *c, const struct ir_insn *i, const struct stub *s, unsigned access, int32_t lo,
                        int32_t hi)
{
    struct asked q = { .address = s->address, .mode = (unsigned)i->imm, .access = access, .lo = lo, .hi = hi };
    uint64_t value;
    if (!const_of(c, i->arg[0], &value))
        return q;
    q.lowest = s->address == HOST_NONE ? (uint64_t)(int64_t)lo : value + (uint64_t)(int64_t)lo;
    q.is_const = (q.lowest ^ (q.lowest + (uint32_t)(hi - lo) - 1)) < PAGE_SIZE;
    if (!q.is_const && s->address == HOST_NONE) {
        /* No page is known, so the general way, with the address in a register. */
        q.address = x64_temp(c);
        x64_mov_ri(&c->a, q.address, value);
        q.lo -= s->disp;
        q.hi -= s->disp;
    }
    return q;
}

/* base or HOST_NONE. */
static struct x64_mem at_host(const struct stub *s, unsigned addend)
{
    return s->address == HOST_NONE ? x64_base(addend, s->disp) : x64_index(s->address, addend, 0, s->disp);
}

/* Goes on with the addend for the range, or to the stub. */
static void check(struct compiler *c, struct stub *s, const struct asked *q)
{
    x64_stub_pending(c, s);
    unsigned n = c->hot ? x64_recent_take(c, q) : 0;
    if (n)
        ask_recent(c, q, s, n - 1);
    else
        ask_tlb(&c->a, q, &s->from);
}

/*
 * An access of a group.  The first one's range is that of all, from its own address: s->disp - s->before on.
 * The check is tried again once the stub has filled the TLB, so it leaves what it reads alone.
 */
static struct x64_mem grouped(struct compiler *c, struct group *g, unsigned k, const struct ir_insn *i,
                              struct stub *s)
{
    ir_ref ref = x64_group_ref(c, k);
    if (g->first != c->at) {
        s->kind = STUB_NONE;
        unsigned kept = x64_use(c, ref);
        return g->wrap ? x64_base(kept, g->disp + x64_group_offset(c, g, i)) : at_host(s, kept);
    }
    unsigned want = x64_temp(c), e = x64_def_temp(c, ref);
    s->kind = STUB_FILL;
    s->before = (int32_t)(g->at - g->lo);
    s->range = (int32_t)(g->hi - g->lo);
    s->what = SLOW_FILL | i->imm << SLOW_MODE_SHIFT | (g->write ? SLOW_WRITE : 0u) |
              (s->what & (SLOW_LAST | SLOW_KEEPS | SLOW_CUT));
    int32_t lo = s->disp - s->before;
    struct asked q = ask(c, i, s, g->write ? ACCESS_WRITE : ACCESS_READ, lo, lo + s->range);
    q.page = want;
    q.addend = e;
    x64_bind(&c->a, &s->back);
    check(c, s, &q);
    if (!g->wrap)
        return at_host(s, e);
    x64_alu_rr(&c->a, X64_ADD, 64, e, s->address);
    g->disp = s->disp;
    return x64_base(e, s->disp);
}

/*
 * Where the access goes on the host.  Every register that the op needs has been given by now: the
 * stub finds them as they are here.
 */
static struct x64_mem host_address(struct compiler *c, const struct ir_insn *i, struct stub *s, unsigned size,
                                   unsigned access)
{
    unsigned k = x64_group_here(c);
    if (k && c->group[k - 1].count > 1)
        return grouped(c, &c->group[k - 1], k - 1, i, s);
    struct asked q = ask(c, i, s, access, s->disp, s->disp + (int32_t)size);
    q.addend = x64_temp(c);
    q.page = x64_temp(c);
    check(c, s, &q);
    return at_host(s, q.addend);
}

/* Behind the access.  A group's first one comes back to its check instead, the others never leave. */
static void bind_back(struct compiler *c, struct stub *s)
{
    if (!s->back.at)
        x64_bind(&c->a, &s->back);
}

/* Does the access follow from its group's first one alone? */
static bool needs_no_address(const struct compiler *c)
{
    unsigned k = x64_group_here(c);
    const struct group *g = &c->group[k ? k - 1 : 0];
    return k && g->wrap && g->first != c->at;
}

static struct stub *access_stub(struct compiler *c, const struct ir_insn *i, unsigned kind, unsigned size)
{
    struct stub *s = x64_stub(c, STUB_ACCESS);
    bool cut = false;
    s->address = needs_no_address(c) ? HOST_NONE : (uint8_t)address(c, i->arg[0], &s->disp, &cut);
    s->what = kind | i->imm << SLOW_MODE_SHIFT | (uint64_t)(size == 16 ? 0 : i->aux & IR_MEM_SIZE) << SLOW_SIZE_SHIFT |
              (c->insn + 1 == c->b->n_insns ? SLOW_LAST : 0) | (c->has_groups && x64_keeps_stores(c) ? SLOW_KEEPS : 0) |
              (cut ? SLOW_CUT : 0u);
    s->value = s->result = NO_REG;
    return s;
}

static void load(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    unsigned size = 1u << (i->aux & IR_MEM_SIZE);
    bool intent = i->aux & IR_MEM_WRITE_INTENT, is_signed = i->aux & IR_MEM_SIGNED && !(size == 4 && i->type == IR_W);
    struct stub *s = access_stub(c, i, SLOW_LOAD, size);
    s->what |= (is_signed ? SLOW_SIGNED : 0u) | (i->type == IR_X ? SLOW_X : 0u) | (intent ? SLOW_INTENT : 0u);
    unsigned d = x64_def(c, i->dst);
    /* What may be written may be read, in every guest. */
    struct x64_mem m = host_address(c, i, s, size, intent ? ACCESS_WRITE : ACCESS_READ);
    if (is_signed && size < 8)
        x64_movsx_rm(a, width_of(i), d, 8 * size, m);
    else if (size < 4)
        x64_movzx_rm(a, 32, d, 8 * size, m);
    else
        x64_mov_rm(a, 8 * size, d, m);
    s->result = (uint8_t)d;
    bind_back(c, s);
}

static void store(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    unsigned size = 1u << (i->aux & IR_MEM_SIZE), w = 8 * size;
    int32_t imm;
    bool constant = imm_of(c, i->arg[1], i->type == IR_X ? 64 : 32, &imm) && c->place[i->arg[1]].reg == NO_REG;
    struct stub *s = access_stub(c, i, SLOW_STORE, size);
    if (!constant)
        s->value = (uint8_t)x64_use(c, i->arg[1]);
    else
        s->fn = (uint64_t)(int64_t)imm;
    struct x64_mem m = host_address(c, i, s, size, ACCESS_WRITE);
    if (constant)
        x64_mov_mi(a, w, m, size == 8 ? imm : (int32_t)((uint32_t)imm & (uint32_t)mask64(w)));
    else
        x64_mov_mr(a, w, m, s->value);
    bind_back(c, s);
}

static void load_vector(struct compiler *c, const struct ir_insn *i)
{
    struct stub *s = access_stub(c, i, SLOW_LOADV, 16);
    unsigned d = x64_def_xmm(c, i->dst);
    x64_vmovups_xm(&c->a, d, host_address(c, i, s, 16, ACCESS_READ));
    s->result = (uint8_t)d;
    bind_back(c, s);
}

static void store_vector(struct compiler *c, const struct ir_insn *i)
{
    struct stub *s = access_stub(c, i, SLOW_STOREV, 16);
    s->value = (uint8_t)x64_use_xmm(c, i->arg[1]);
    x64_vmovups_mx(&c->a, host_address(c, i, s, 16, ACCESS_WRITE), s->value);
    bind_back(c, s);
}

void x64_op_memory(struct compiler *c, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_LD:
        load(c, i);
        break;
    case IR_ST:
        store(c, i);
        break;
    case IR_LDV:
        load_vector(c, i);
        break;
    default:
        store_vector(c, i);
    }
}
