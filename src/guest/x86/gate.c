/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Far JMP, CALL, RET and IRET in every mode (SDM vol. 3, 5.8; vol. 2, the instructions). */
#include "guest/x86/flags.h"
#include "guest/x86/interrupt.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"

static unsigned dpl_of(const struct x86_segment *s) { return s->attr >> ATTR_DPL_SHIFT & 3; }

static bool fail(struct x86_cpu *c, unsigned vector, uint32_t selector)
{
    x86_fault(c, vector, selector & 0xfffc);
    return false;
}

static bool read_descriptor(struct x86_cpu *c, uint16_t selector, unsigned vector, struct x86_segment *out,
                            uint64_t *desc)
{
    if (!(selector & 0xfffc))
        return fail(c, vector == EXC_TS ? EXC_TS : EXC_GP, 0);
    if (!x86_read_descriptor(c, selector, vector, desc))
        return false;
    x86_unpack_descriptor(*desc, selector, out);
    return true;
}

static bool read_segment(struct x86_cpu *c, uint16_t selector, unsigned vector, struct x86_segment *out)
{
    uint64_t desc;
    return read_descriptor(c, selector, vector, out, &desc);
}

static bool is_code(const struct x86_segment *s) { return s->attr & ATTR_S && s->attr & ATTR_CODE; }

/* Long-mode code segments may not have L and D both. */
static bool bits_ok(const struct x86_cpu *c, const struct x86_segment *s)
{
    return !x86_long(c) || (s->attr & (ATTR_L | ATTR_DB)) != (ATTR_L | ATTR_DB);
}

static bool offset_ok(struct x86_cpu *c, const struct x86_segment *cs, uint64_t offset)
{
    bool ok = x86_long(c) && cs->attr & ATTR_L ? x86_canonical(offset) : offset <= cs->limit;
    if (!ok)
        x86_fault(c, EXC_GP, 0);
    return ok;
}

static void set_cs(struct x86_cpu *c, struct x86_segment *cs, unsigned cpl, uint64_t rip)
{
    cs->selector = (uint16_t)((cs->selector & ~3u) | cpl);
    cs->attr |= ATTR_ACCESSED;
    c->s.seg[SEG_CS] = *cs;
    c->s.rip = rip;
    x86_set_cpl(c, cpl);
}

static uint64_t width(uint64_t v, unsigned osz) { return v & mask64(8 * osz); }

/* Direct transfer to a code segment at the same privilege (5.8.1). */
static bool check_direct(struct x86_cpu *c, const struct x86_segment *cs, uint16_t selector)
{
    unsigned cpl = c->s.cpl, dpl = dpl_of(cs);
    bool ok = cs->attr & ATTR_DC ? dpl <= cpl : (selector & 3u) <= cpl && dpl == cpl;
    if (!ok || !bits_ok(c, cs))
        return fail(c, EXC_GP, selector);
    return cs->attr & ATTR_P || fail(c, EXC_NP, selector);
}

/* ---- gates -------------------------------------------------------------------------------- */

struct call_gate {
    uint16_t selector;
    uint64_t offset;
    unsigned size;        /* of what is pushed: 2, 4, 8 */
    unsigned params;
};

enum gate_kind { GATE_NONE, GATE_CALL, GATE_TASK, GATE_TSS };

/* System descriptors that a far transfer may name: checks type, DPL and presence. */
static enum gate_kind classify(struct x86_cpu *c, uint16_t selector, const struct x86_segment *d, uint64_t desc,
                               struct call_gate *g)
{
    unsigned type = d->attr & ATTR_TYPE, dpl = dpl_of(d);
    bool lm = x86_long(c);
    enum gate_kind kind = GATE_NONE;
    if (type == 12 || (type == 4 && !lm))
        kind = GATE_CALL;
    else if (type == 5 && !lm)
        kind = GATE_TASK;
    else if ((type == 1 || type == 9) && !lm)
        kind = GATE_TSS;
    if (d->attr & ATTR_S || !kind || dpl < c->s.cpl || dpl < (selector & 3u)) {
        fail(c, EXC_GP, selector);
        return GATE_NONE;
    }
    if (!(d->attr & ATTR_P)) {
        fail(c, EXC_NP, selector);
        return GATE_NONE;
    }
    g->selector = (uint16_t)(desc >> 16);
    g->offset = (desc & 0xffff) | (desc >> 32 & 0xffff0000);
    g->size = type == 4 ? 2 : lm ? 8 : 4;
    g->params = desc >> 32 & 31;
    if (type == 4)
        g->offset &= 0xffff;
    if (lm && kind == GATE_CALL) {
        uint64_t high;
        uint64_t base = selector & 4 ? c->s.seg[SEG_LDTR].base : c->s.gdt.base;
        if (!vcpu_load(&c->v, base + (selector & ~7u) + 8, 8, x86_system_mode(c), 0, &high))
            return GATE_NONE;
        if (high >> 40 & 0x1f) {
            fail(c, EXC_GP, selector);
            return GATE_NONE;
        }
        g->offset |= high << 32;
    }
    return kind;
}

static bool gate_target(struct x86_cpu *c, const struct call_gate *g, struct x86_segment *cs)
{
    if (!read_segment(c, g->selector, EXC_GP, cs))
        return false;
    bool lm_ok = !x86_long(c) || (cs->attr & ATTR_L && !(cs->attr & ATTR_DB));
    if (!is_code(cs) || dpl_of(cs) > c->s.cpl || !lm_ok)
        return fail(c, EXC_GP, g->selector);
    return cs->attr & ATTR_P || fail(c, EXC_NP, g->selector);
}

/* ---- JMP ---------------------------------------------------------------------------------- */

static void real_far(struct x86_cpu *c, uint16_t selector, uint64_t offset)
{
    c->s.rip = offset;
    x86_load_real_segment(c, SEG_CS, selector);
}

bool x86_far_jump(struct x86_cpu *c, uint16_t selector, uint64_t offset, unsigned osz)
{
    struct x86_segment cs;
    struct call_gate g;
    uint64_t desc;
    offset = width(offset, osz);
    if (!x86_protected(c)) {
        real_far(c, selector, offset);
        return true;
    }
    if (!read_descriptor(c, selector, EXC_GP, &cs, &desc))
        return false;
    if (is_code(&cs)) {
        if (!check_direct(c, &cs, selector) || !offset_ok(c, &cs, offset))
            return false;
        set_cs(c, &cs, c->s.cpl, offset);
        return true;
    }
    switch (classify(c, selector, &cs, desc, &g)) {
    case GATE_TSS:
        return x86_task_switch(c, selector, TASK_JUMP, false, 0);
    case GATE_TASK:
        return x86_task_switch(c, g.selector, TASK_JUMP, false, 0);
    case GATE_CALL:
        if (!gate_target(c, &g, &cs))
            return false;
        if (!(cs.attr & ATTR_DC) && dpl_of(&cs) != c->s.cpl)
            return fail(c, EXC_GP, g.selector);
        if (!offset_ok(c, &cs, g.offset))
            return false;
        set_cs(c, &cs, c->s.cpl, g.offset);
        return true;
    default:
        return false;
    }
}

/* ---- CALL --------------------------------------------------------------------------------- */

static bool push_return(struct x86_cpu *c, struct x86_stack *st, unsigned size)
{
    return x86_stack_push(st, size, c->s.seg[SEG_CS].selector) && x86_stack_push(st, size, c->s.rip);
}

static bool load_inner_ss(struct x86_cpu *c, uint16_t selector, unsigned cpl, struct x86_segment *ss)
{
    if (!read_segment(c, selector, EXC_TS, ss))
        return false;
    if ((selector & 3u) != cpl || dpl_of(ss) != cpl || !(ss->attr & ATTR_S) || ss->attr & ATTR_CODE ||
        !(ss->attr & ATTR_RW))
        return fail(c, EXC_TS, selector);
    return ss->attr & ATTR_P || fail(c, EXC_SS, selector);
}

static bool copy_params(struct x86_cpu *c, struct x86_stack *to, const struct call_gate *g)
{
    struct x86_stack from;
    uint64_t param[31];
    x86_stack_begin(&from, c);
    for (unsigned i = 0; i < g->params; i++)
        if (!x86_stack_pop(&from, g->size, &param[i]))
            return false;
    for (unsigned i = g->params; i-- > 0;)
        if (!x86_stack_push(to, g->size, param[i]))
            return false;
    return true;
}

/* To a more privileged level: a new stack from the TSS, with the parameters copied. */
static bool call_inner(struct x86_cpu *c, const struct call_gate *g, struct x86_segment *cs)
{
    unsigned cpl = dpl_of(cs);
    struct x86_stack st = { .c = c, .mmu_mode = x86_system_mode(c) };
    uint16_t ss = 0;
    if (x86_long(c)) {
        const struct x86_segment *tr = &c->s.seg[SEG_TR];
        if (4 + 8 * cpl + 7 > tr->limit)
            return fail(c, EXC_TS, tr->selector);
        if (!vcpu_load(&c->v, tr->base + 4 + 8 * cpl, 8, st.mmu_mode, 0, &st.sp))
            return false;
        st.mask = UINT64_MAX;
        st.ss = (struct x86_segment){ .selector = (uint16_t)cpl, .attr = ATTR_UNUSABLE | cpl << ATTR_DPL_SHIFT };
    } else {
        if (!x86_tss_stack(c, cpl, &ss, &st.sp) || !load_inner_ss(c, ss, cpl, &st.ss))
            return false;
        st.mask = st.ss.attr & ATTR_DB ? UINT32_MAX : 0xffff;
    }
    if (!x86_stack_push(&st, g->size, c->s.seg[SEG_SS].selector) || !x86_stack_push(&st, g->size, c->s.gpr[R_SP]) ||
        (!x86_long(c) && !copy_params(c, &st, g)) || !push_return(c, &st, g->size) || !offset_ok(c, cs, g->offset))
        return false;
    c->s.seg[SEG_SS] = st.ss;
    x86_stack_commit(&st);
    set_cs(c, cs, cpl, g->offset);
    return true;
}

static bool call_gate(struct x86_cpu *c, const struct call_gate *g)
{
    struct x86_segment cs;
    struct x86_stack st;
    if (!gate_target(c, g, &cs))
        return false;
    if (!(cs.attr & ATTR_DC) && dpl_of(&cs) < c->s.cpl)
        return call_inner(c, g, &cs);
    x86_stack_begin(&st, c);
    if (!push_return(c, &st, g->size) || !offset_ok(c, &cs, g->offset))
        return false;
    x86_stack_commit(&st);
    set_cs(c, &cs, c->s.cpl, g->offset);
    return true;
}

bool x86_far_call(struct x86_cpu *c, uint16_t selector, uint64_t offset, unsigned osz)
{
    struct x86_segment cs;
    struct x86_stack st;
    struct call_gate g;
    uint64_t desc;
    offset = width(offset, osz);
    x86_stack_begin(&st, c);
    if (!x86_protected(c)) {
        if (!push_return(c, &st, osz))
            return false;
        x86_stack_commit(&st);
        real_far(c, selector, offset);
        return true;
    }
    if (!read_descriptor(c, selector, EXC_GP, &cs, &desc))
        return false;
    if (is_code(&cs)) {
        if (!check_direct(c, &cs, selector) || !push_return(c, &st, osz) || !offset_ok(c, &cs, offset))
            return false;
        x86_stack_commit(&st);
        set_cs(c, &cs, c->s.cpl, offset);
        return true;
    }
    switch (classify(c, selector, &cs, desc, &g)) {
    case GATE_TSS:
        return x86_task_switch(c, selector, TASK_CALL, false, 0);
    case GATE_TASK:
        return x86_task_switch(c, g.selector, TASK_CALL, false, 0);
    case GATE_CALL:
        return call_gate(c, &g);
    default:
        return false;
    }
}

/* ---- RET, IRET ---------------------------------------------------------------------------------- */

/* Data segments that the outer level may not use become null. */
static void drop_privileged_segments(struct x86_cpu *c)
{
    static const int segs[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    for (unsigned i = 0; i < ARRAY_LEN(segs); i++) {
        struct x86_segment *s = &c->s.seg[segs[i]];
        bool conforming = (s->attr & (ATTR_CODE | ATTR_DC)) == (ATTR_CODE | ATTR_DC);
        if (!(s->attr & ATTR_UNUSABLE) && !conforming && dpl_of(s) < c->s.cpl)
            *s = (struct x86_segment){ .base = x86_long(c) ? s->base : 0, .attr = ATTR_UNUSABLE };
    }
}

static bool check_return_cs(struct x86_cpu *c, uint16_t selector, struct x86_segment *cs)
{
    if (!read_segment(c, selector, EXC_GP, cs))
        return false;
    unsigned rpl = selector & 3;
    bool ok = is_code(cs) && rpl >= c->s.cpl && bits_ok(c, cs) &&
              (cs->attr & ATTR_DC ? dpl_of(cs) <= rpl : dpl_of(cs) == rpl);
    if (!ok)
        return fail(c, EXC_GP, selector);
    return cs->attr & ATTR_P || fail(c, EXC_NP, selector);
}

static bool check_return_ss(struct x86_cpu *c, uint16_t selector, unsigned rpl, bool to64, struct x86_segment *ss)
{
    if (!(selector & 0xfffc)) {
        if (!to64 || rpl == 3)
            return fail(c, EXC_GP, 0);
        *ss = (struct x86_segment){ .selector = selector, .attr = ATTR_UNUSABLE | rpl << ATTR_DPL_SHIFT };
        return true;
    }
    if (!read_segment(c, selector, EXC_GP, ss))
        return false;
    if ((selector & 3u) != rpl || dpl_of(ss) != rpl || !(ss->attr & ATTR_S) || ss->attr & ATTR_CODE ||
        !(ss->attr & ATTR_RW))
        return fail(c, EXC_GP, selector);
    return ss->attr & ATTR_P || fail(c, EXC_SS, selector);
}

/*
 * The common end of RET and IRET in protected mode: CS:RIP are popped; an outer
 * return pops SS:SP too (IRETQ always does).
 */
static bool finish_return(struct x86_cpu *c, struct x86_stack *st, unsigned osz, uint16_t cs_sel, uint64_t rip,
                          unsigned extra, bool always_ss)
{
    struct x86_segment cs, ss;
    uint64_t sp, ss_sel;
    if (!check_return_cs(c, cs_sel, &cs))
        return false;
    unsigned rpl = cs_sel & 3;
    bool outer = rpl > c->s.cpl, to64 = x86_long(c) && cs.attr & ATTR_L;
    st->sp = (st->sp & ~st->mask) | ((st->sp + extra) & st->mask);
    if (!outer && !always_ss) {
        if (!offset_ok(c, &cs, rip))
            return false;
        x86_stack_commit(st);
        set_cs(c, &cs, c->s.cpl, rip);
        return true;
    }
    if (!x86_stack_pop(st, osz, &sp) || !x86_stack_pop(st, osz, &ss_sel) ||
        !check_return_ss(c, (uint16_t)ss_sel, rpl, to64, &ss) || !offset_ok(c, &cs, rip))
        return false;
    ss.attr |= ss.attr & ATTR_UNUSABLE ? 0 : ATTR_ACCESSED;
    c->s.seg[SEG_SS] = ss;
    set_cs(c, &cs, rpl, rip);
    uint64_t mask = to64 ? UINT64_MAX : ss.attr & ATTR_DB ? UINT32_MAX : 0xffff;
    sp += outer ? extra : 0;
    c->s.gpr[R_SP] = mask == 0xffff ? (c->s.gpr[R_SP] & ~mask) | (sp & mask) : sp & mask;
    if (outer)
        drop_privileged_segments(c);
    x86_update_mode(c);
    return true;
}

bool x86_far_return(struct x86_cpu *c, unsigned osz, unsigned extra)
{
    struct x86_stack st;
    uint64_t rip, cs;
    x86_stack_begin(&st, c);
    if (!x86_stack_pop(&st, osz, &rip) || !x86_stack_pop(&st, osz, &cs))
        return false;
    if (x86_protected(c))
        return finish_return(c, &st, osz, (uint16_t)cs, rip, extra, false);
    st.sp = (st.sp & ~st.mask) | ((st.sp + extra) & st.mask);
    x86_stack_commit(&st);
    real_far(c, (uint16_t)cs, rip);
    return true;
}

static uint64_t iret_flag_mask(const struct x86_cpu *c, unsigned osz)
{
    uint64_t m = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;
    unsigned iopl = c->s.rflags >> 12 & 3;
    if (osz > 2)
        m |= FLAG_RF | FLAG_AC | FLAG_ID;
    if (!x86_protected(c) && !(c->s.rflags & FLAG_VM))
        return m | FLAG_IF | FLAG_IOPL;
    if (c->s.cpl <= iopl)
        m |= FLAG_IF;
    if (c->s.cpl == 0 && !(c->s.rflags & FLAG_VM)) {
        m |= FLAG_IOPL;
        if (osz > 2)
            m |= FLAG_VIF | FLAG_VIP;
    }
    return m;
}

static bool iret_real(struct x86_cpu *c, struct x86_stack *st, unsigned osz)
{
    uint64_t rip, cs, flags;
    bool vm = c->s.rflags & FLAG_VM, virtual = vm && (c->s.rflags & FLAG_IOPL) != FLAG_IOPL;
    if (virtual && (!(c->s.cr4 & CR4_VME) || osz != 2))
        return fail(c, EXC_GP, 0);
    if (!x86_stack_pop(st, osz, &rip) || !x86_stack_pop(st, osz, &cs) || !x86_stack_pop(st, osz, &flags))
        return false;
    if (rip > 0xffff)
        return fail(c, EXC_GP, 0);
    if (virtual && (flags & FLAG_TF || (flags & FLAG_IF && c->s.rflags & FLAG_VIP)))
        return fail(c, EXC_GP, 0);
    x86_stack_commit(st);
    uint64_t mask = iret_flag_mask(c, osz);
    if (vm)
        mask = (mask | FLAG_IF) & ~(uint64_t)FLAG_IOPL;
    if (virtual) {                    /* VME: the popped IF is the virtual one (SDM vol. 3, 20.3.3) */
        mask = (mask & ~(uint64_t)FLAG_IF) | FLAG_VIF;
        flags = (flags & ~(uint64_t)FLAG_VIF) | (flags & FLAG_IF ? FLAG_VIF : 0);
    }
    x86_set_rflags(c, flags, mask);
    real_far(c, (uint16_t)cs, rip);
    return true;
}

/* IRET from ring 0 with VM set in the popped flags (SDM vol. 3, 20.2.4). */
static bool return_to_v86(struct x86_cpu *c, struct x86_stack *st, uint64_t rip, uint64_t cs, uint64_t flags)
{
    static const int order[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    uint64_t sp, ss, v[4];
    if (!x86_stack_pop(st, 4, &sp) || !x86_stack_pop(st, 4, &ss))
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (!x86_stack_pop(st, 4, &v[i]))
            return false;
    uint64_t all = FLAGS_ARITH | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC |
                   FLAG_VIF | FLAG_VIP | FLAG_ID;
    x86_set_rflags(c, flags, all);
    c->s.cpl = 3;
    for (unsigned i = 0; i < 4; i++)
        x86_load_real_segment(c, order[i], (uint16_t)v[i]);
    x86_load_real_segment(c, SEG_CS, (uint16_t)cs);
    x86_load_real_segment(c, SEG_SS, (uint16_t)ss);
    c->s.rip = rip & 0xffff;
    c->s.gpr[R_SP] = sp;
    x86_update_mode(c);
    return true;
}

bool x86_iret(struct x86_cpu *c, unsigned osz)
{
    struct x86_stack st;
    uint64_t rip, cs, flags, link;
    c->s.nmi_blocked = 0;
    x86_stack_begin(&st, c);
    if (!x86_protected(c))
        return iret_real(c, &st, osz);
    if (c->s.rflags & FLAG_NT) {
        if (x86_long(c))
            return fail(c, EXC_GP, 0);
        if (!vcpu_load(&c->v, c->s.seg[SEG_TR].base, 2, x86_system_mode(c), 0, &link))
            return false;
        return x86_task_switch(c, (uint16_t)link, TASK_IRET, false, 0);
    }
    if (!x86_stack_pop(&st, osz, &rip) || !x86_stack_pop(&st, osz, &cs) || !x86_stack_pop(&st, osz, &flags))
        return false;
    if (flags & FLAG_VM && osz == 4 && c->s.cpl == 0 && !x86_long(c))
        return return_to_v86(c, &st, rip, cs, flags);
    uint64_t mask = iret_flag_mask(c, osz);
    if (!finish_return(c, &st, osz, (uint16_t)cs, rip, 0, c->mode_flags & MODE_CS64))
        return false;
    x86_set_rflags(c, flags, mask);
    x86_update_mode(c);
    return true;
}
