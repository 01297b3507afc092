/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery of exceptions and interrupts (SDM vol. 3, ch. 6).
 *
 * Every step that can fault comes before the first change of CPU state, so
 * that a fault during delivery starts from the state the first event found.
 */
#include "guest/x86/interrupt.h"

#include "guest/x86/debug.h"
#include "guest/x86/flags.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"

/* ---- raising ------------------------------------------------------------------------------ */

void x86_raise(struct vcpu *v, unsigned vector, bool has_error, uint32_t error)
{
    struct x86_cpu *c = x86_of(v);
    c->s.pending = (struct x86_pending){ .valid = 1, .vector = (uint8_t)vector, .has_error = has_error,
                                         .kind = EVENT_FAULT, .error = error };
    v->exit = EXIT_EXCEPTION;
}

void x86_raise_astray(struct vcpu *v, uint64_t address, bool write)
{
    struct x86_pending *p = &x86_of(v)->s.pending;
    x86_raise(v, EXC_GP, true, 0);
    p->cr2 = address;
    p->dr6 = write;
}

void x86_raise_debug(struct x86_cpu *c, uint64_t dr6_bits, enum x86_event kind)
{
    struct x86_pending *p = &c->s.pending;
    uint64_t more = p->valid && p->vector == EXC_DB ? p->dr6 : 0;
    *p = (struct x86_pending){ .valid = 1, .vector = EXC_DB, .kind = (uint8_t)kind, .dr6 = dr6_bits | more };
}

/* ---- stacks -------------------------------------------------------------------------------- */

void x86_stack_begin(struct x86_stack *s, struct x86_cpu *c)
{
    *s = (struct x86_stack){ .c = c, .ss = c->s.seg[SEG_SS], .sp = c->s.gpr[R_SP], .mmu_mode = x86_data_mode(c),
                              .own = true };
    s->mask = c->mode_flags & MODE_CS64 ? UINT64_MAX : s->ss.attr & ATTR_DB ? UINT32_MAX : 0xffff;
}

static bool stack_linear(struct x86_stack *s, uint64_t offset, unsigned size, uint64_t *linear)
{
    if (s->mask == UINT64_MAX) {
        *linear = offset;
        if (x86_canonical(offset))
            return true;
    } else {
        bool expand_down = (s->ss.attr & (ATTR_CODE | ATTR_DC)) == ATTR_DC && x86_protected(s->c);
        uint64_t last = offset + size - 1;
        *linear = (uint32_t)(s->ss.base + offset);
        if (expand_down ? offset > s->ss.limit && last <= s->mask : last <= s->ss.limit)
            return true;
    }
    x86_fault(s->c, EXC_SS, 0);
    return false;
}

static bool access_checks(struct x86_stack *s, uint64_t linear, unsigned size, bool write)
{
    if (!s->own)
        return true;
    if (s->c->mode_flags & MODE_AC_CHECK && linear & (size - 1)) {
        x86_fault(s->c, EXC_AC, 0);
        return false;
    }
    if (s->c->mode_flags & MODE_DEBUG)
        x86_check_watch(s->c, linear, size, write);
    return true;
}

bool x86_stack_push(struct x86_stack *s, unsigned size, uint64_t v)
{
    uint64_t at = (s->sp - size) & s->mask, linear;
    if (!stack_linear(s, at, size, &linear) || !access_checks(s, linear, size, true) ||
        !vcpu_store(&s->c->v, linear, size, s->mmu_mode, v))
        return false;
    s->sp = (s->sp & ~s->mask) | at;
    return true;
}

bool x86_stack_pop(struct x86_stack *s, unsigned size, uint64_t *v)
{
    uint64_t at = s->sp & s->mask, linear;
    if (!stack_linear(s, at, size, &linear) || !access_checks(s, linear, size, false) ||
        !vcpu_load(&s->c->v, linear, size, s->mmu_mode, 0, v))
        return false;
    s->sp = (s->sp & ~s->mask) | ((at + size) & s->mask);
    return true;
}

void x86_stack_commit(struct x86_stack *s)
{
    uint64_t *sp = &s->c->s.gpr[R_SP];
    *sp = s->mask == 0xffff ? (*sp & ~s->mask) | (s->sp & s->mask) : s->sp & s->mask;
}

bool x86_tss_stack(struct x86_cpu *c, unsigned level, uint16_t *ss, uint64_t *sp)
{
    const struct x86_segment *tr = &c->s.seg[SEG_TR];
    bool is32 = (tr->attr & ATTR_TYPE) >= 8;
    uint32_t at = is32 ? 4 + 8 * level : 2 + 4 * level, size = is32 ? 4 : 2;
    uint64_t selector;
    if (at + size + 1 > tr->limit) {
        x86_fault(c, EXC_TS, tr->selector & 0xfffc);
        return false;
    }
    unsigned mode = x86_system_mode(c);
    if (!vcpu_load(&c->v, tr->base + at, size, mode, 0, sp) ||
        !vcpu_load(&c->v, tr->base + at + size, 2, mode, 0, &selector))
        return false;
    *ss = (uint16_t)selector;
    return true;
}

/* ---- real mode ------------------------------------------------------------------------------- */

static bool deliver_real(struct x86_cpu *c, unsigned vector)
{
    struct x86_stack st;
    uint64_t entry;
    uint64_t flags = x86_get_rflags(c);
    if (4 * vector + 3 > c->s.idt.limit) {
        x86_fault(c, EXC_GP, vector * 8 + 2);
        return false;
    }
    if (!vcpu_load(&c->v, c->s.idt.base + 4 * vector, 4, x86_system_mode(c), 0, &entry))
        return false;
    x86_stack_begin(&st, c);
    if (!x86_stack_push(&st, 2, flags) || !x86_stack_push(&st, 2, c->s.seg[SEG_CS].selector) ||
        !x86_stack_push(&st, 2, c->s.rip))
        return false;
    x86_stack_commit(&st);
    x86_set_rflags(c, 0, FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
    c->s.rip = entry & 0xffff;
    x86_load_real_segment(c, SEG_CS, (uint16_t)(entry >> 16));
    return true;
}

/* With IOPL below 3 the task sees VIF as its IF, and IOPL 3. */
uint64_t x86_v86_interrupt(struct x86_cpu *c, unsigned vector)
{
    struct x86_stack st;
    uint64_t entry, flags = x86_get_rflags(c);
    bool own_if = (c->s.rflags & FLAG_IOPL) == FLAG_IOPL;
    if (!vcpu_load(&c->v, 4 * vector, 4, x86_data_mode(c), 0, &entry))
        return 0;
    if (!own_if)
        flags = (flags & ~(uint64_t)FLAG_IF) | (c->s.rflags & FLAG_VIF ? FLAG_IF : 0) | FLAG_IOPL;
    x86_stack_begin(&st, c);
    if (!x86_stack_push(&st, 2, flags) || !x86_stack_push(&st, 2, c->s.seg[SEG_CS].selector) ||
        !x86_stack_push(&st, 2, c->s.rip))
        return 0;
    x86_stack_commit(&st);
    x86_set_rflags(c, 0, (own_if ? FLAG_IF : FLAG_VIF) | FLAG_TF | FLAG_RF);
    c->s.rip = entry & 0xffff;
    x86_load_real_segment(c, SEG_CS, (uint16_t)(entry >> 16));
    return 0;
}

/* ---- protected and long mode --------------------------------------------------------------------- */

struct gate {
    unsigned type;          /* low five bits of the access byte */
    unsigned dpl;
    bool present;
    uint16_t selector;
    uint64_t offset;
    unsigned ist;
};

struct delivery {
    struct x86_cpu *c;
    unsigned vector;
    enum x86_event kind;
    bool has_error;
    uint32_t error;
    struct gate gate;
    struct x86_segment cs;
    unsigned new_cpl;
};

static uint32_t idt_error(const struct delivery *d) { return d->vector * 8 + 2 + (d->kind != EVENT_SOFTWARE); }
static uint32_t ext(const struct delivery *d) { return d->kind != EVENT_SOFTWARE; }

static bool read_gate(struct delivery *d)
{
    struct x86_cpu *c = d->c;
    bool lm = x86_long(c);
    uint64_t low, high = 0, at = c->s.idt.base + (lm ? 16 : 8) * (uint64_t)d->vector;
    unsigned size = lm ? 16 : 8;
    if (size * d->vector + size - 1 > c->s.idt.limit) {
        x86_fault(c, EXC_GP, idt_error(d));
        return false;
    }
    unsigned mode = x86_system_mode(c);
    if (!vcpu_load(&c->v, at, 8, mode, 0, &low) || (lm && !vcpu_load(&c->v, at + 8, 8, mode, 0, &high)))
        return false;
    d->gate = (struct gate){ .type = low >> 40 & 0x1f, .dpl = low >> 45 & 3, .present = low >> 47 & 1,
                             .selector = (uint16_t)(low >> 16), .ist = lm ? low >> 32 & 7 : 0 };
    d->gate.offset = (low & 0xffff) | (low >> 32 & 0xffff0000) | (lm ? high << 32 : 0);
    unsigned t = d->gate.type;
    bool known = lm ? t == 14 || t == 15 : t == 5 || t == 6 || t == 7 || t == 14 || t == 15;
    if (!known || (d->kind == EVENT_SOFTWARE && d->gate.dpl < c->s.cpl)) {
        x86_fault(c, EXC_GP, idt_error(d));
        return false;
    }
    if (!d->gate.present) {
        x86_fault(c, EXC_NP, idt_error(d));
        return false;
    }
    if (t < 8 && t != 5)
        d->gate.offset &= 0xffff;
    return true;
}

static bool read_handler_segment(struct delivery *d)
{
    struct x86_cpu *c = d->c;
    uint64_t desc;
    uint32_t error = (d->gate.selector & 0xfffc) | ext(d);
    if (!(d->gate.selector & 0xfffc)) {
        x86_fault(c, EXC_GP, ext(d));
        return false;
    }
    if (!x86_read_descriptor(c, d->gate.selector, EXC_GP, &desc)) {
        if (c->s.pending.vector == EXC_GP)
            c->s.pending.error = error;
        return false;
    }
    x86_unpack_descriptor(desc, d->gate.selector, &d->cs);
    unsigned dpl = d->cs.attr >> ATTR_DPL_SHIFT & 3;
    bool bits_ok = !x86_long(c) || (d->cs.attr & ATTR_L && !(d->cs.attr & ATTR_DB));
    bool conforming = d->cs.attr & ATTR_DC;
    if (!(d->cs.attr & ATTR_S) || !(d->cs.attr & ATTR_CODE) || dpl > c->s.cpl || !bits_ok) {
        x86_fault(c, EXC_GP, error);
        return false;
    }
    if (!(d->cs.attr & ATTR_P)) {
        x86_fault(c, EXC_NP, error);
        return false;
    }
    d->new_cpl = conforming ? c->s.cpl : dpl;
    if (c->s.rflags & FLAG_VM && d->new_cpl != 0) {
        x86_fault(c, EXC_GP, error);
        return false;
    }
    return true;
}

/* The flags a gate leaves; only a trap gate keeps IF. */
static void enter_handler(struct delivery *d)
{
    struct x86_cpu *c = d->c;
    uint64_t clear = FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM;
    if (!(d->gate.type & 1))
        clear |= FLAG_IF;
    x86_set_rflags(c, 0, clear);
    c->s.rip = d->gate.offset;
    d->cs.selector = (uint16_t)((d->gate.selector & ~3u) | d->new_cpl);
    d->cs.attr |= ATTR_ACCESSED;
    c->s.seg[SEG_CS] = d->cs;
    c->s.cpl = d->new_cpl;
    x86_update_mode(c);
}

/* SDM vol. 3, 6.8.3: RF is pushed as 1 for faults, and kept for the rest. */
static uint64_t pushed_flags(const struct delivery *d)
{
    uint64_t f = x86_get_rflags(d->c);
    return d->kind == EVENT_FAULT && !(d->vector == EXC_DB && d->c->s.pending.kind == EVENT_TRAP) ? f | FLAG_RF : f;
}

static bool new_ss(struct delivery *d, uint16_t selector, struct x86_segment *out)
{
    uint64_t desc;
    uint32_t error = (selector & 0xfffc) | ext(d);
    if (!(selector & 0xfffc)) {
        x86_fault(d->c, EXC_TS, ext(d));
        return false;
    }
    if (!x86_read_descriptor(d->c, selector, EXC_TS, &desc))
        return false;
    x86_unpack_descriptor(desc, selector, out);
    unsigned dpl = out->attr >> ATTR_DPL_SHIFT & 3;
    if ((selector & 3u) != d->new_cpl || dpl != d->new_cpl || !(out->attr & ATTR_S) || out->attr & ATTR_CODE ||
        !(out->attr & ATTR_RW)) {
        x86_fault(d->c, EXC_TS, error);
        return false;
    }
    if (!(out->attr & ATTR_P)) {
        x86_fault(d->c, EXC_SS, error);
        return false;
    }
    return true;
}

static bool push_frame(struct delivery *d, struct x86_stack *st, unsigned size, bool outer)
{
    struct x86_state *s = &d->c->s;
    if (outer && (!x86_stack_push(st, size, s->seg[SEG_SS].selector) || !x86_stack_push(st, size, s->gpr[R_SP])))
        return false;
    return x86_stack_push(st, size, pushed_flags(d)) && x86_stack_push(st, size, s->seg[SEG_CS].selector) &&
           x86_stack_push(st, size, s->rip) && (!d->has_error || x86_stack_push(st, size, d->error));
}

static bool push_v86_segments(struct delivery *d, struct x86_stack *st, unsigned size)
{
    static const int order[] = { SEG_GS, SEG_FS, SEG_DS, SEG_ES };
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        if (!x86_stack_push(st, size, d->c->s.seg[order[i]].selector))
            return false;
    return true;
}

static void drop_v86_segments(struct x86_cpu *c)
{
    static const int segs[] = { SEG_GS, SEG_FS, SEG_DS, SEG_ES };
    for (unsigned i = 0; i < ARRAY_LEN(segs); i++)
        c->s.seg[segs[i]] = (struct x86_segment){ .attr = ATTR_UNUSABLE };
}

static bool deliver_legacy(struct delivery *d)
{
    struct x86_cpu *c = d->c;
    struct x86_stack st;
    unsigned size = d->gate.type & 8 ? 4 : 2;
    bool outer = d->new_cpl < c->s.cpl || c->s.rflags & FLAG_VM, vm = c->s.rflags & FLAG_VM;
    x86_stack_begin(&st, c);
    if (outer) {
        uint16_t ss;
        if (!x86_tss_stack(c, d->new_cpl, &ss, &st.sp) || !new_ss(d, ss, &st.ss))
            return false;
        st.mask = st.ss.attr & ATTR_DB ? UINT32_MAX : 0xffff;
        st.mmu_mode = x86_system_mode(c);
        st.own = false;
        if (vm && !push_v86_segments(d, &st, size))
            return false;
    }
    if (!push_frame(d, &st, size, outer))
        return false;
    if (d->gate.offset > d->cs.limit) {
        x86_fault(c, EXC_GP, ext(d));
        return false;
    }
    if (outer)
        c->s.seg[SEG_SS] = st.ss;
    if (vm)
        drop_v86_segments(c);
    x86_stack_commit(&st);
    enter_handler(d);
    return true;
}

static bool deliver_long(struct delivery *d)
{
    struct x86_cpu *c = d->c;
    struct x86_stack st = { .c = c, .mask = UINT64_MAX, .sp = c->s.gpr[R_SP] };
    st.mmu_mode = d->new_cpl == 3 ? x86_data_mode(c) : x86_system_mode(c);
    bool outer = d->new_cpl < c->s.cpl;
    if (outer || d->gate.ist) {
        unsigned at = d->gate.ist ? 0x24 + 8 * (d->gate.ist - 1) : 4 + 8 * d->new_cpl;
        const struct x86_segment *tr = &c->s.seg[SEG_TR];
        if (at + 7 > tr->limit) {
            x86_fault(c, EXC_TS, (tr->selector & 0xfffc) | ext(d));
            return false;
        }
        if (!vcpu_load(&c->v, tr->base + at, 8, x86_system_mode(c), 0, &st.sp))
            return false;
    }
    if (!x86_canonical(st.sp)) {
        x86_fault(c, EXC_SS, 0);
        return false;
    }
    if (!x86_canonical(d->gate.offset)) {
        x86_fault(c, EXC_GP, ext(d));
        return false;
    }
    st.sp &= ~UINT64_C(15);
    if (!push_frame(d, &st, 8, true))
        return false;
    if (outer)
        c->s.seg[SEG_SS] = (struct x86_segment){ .selector = (uint16_t)d->new_cpl,
                                                 .attr = ATTR_UNUSABLE | d->new_cpl << ATTR_DPL_SHIFT };
    c->s.gpr[R_SP] = st.sp;
    enter_handler(d);
    return true;
}

static void tell(const struct delivery *d)
{
    static const char *const kinds[] = { [EVENT_FAULT] = "exception", [EVENT_TRAP] = "exception",
                                         [EVENT_SOFTWARE] = "software interrupt", [EVENT_EXTERNAL] = "interrupt",
                                         [EVENT_ICEBP] = "exception" };
    struct x86_cpu *c = d->c;
    bool page_fault = d->vector == EXC_PF && d->kind == EVENT_FAULT;
    struct vcpu_event e = { .kind = kinds[d->kind], .vector = d->vector, .has_error = d->has_error, .error = d->error,
                            .has_address = page_fault, .address = page_fault ? c->s.cr2 : 0, .pc = c->s.rip };
    c->v.listener->event(c->v.listener->opaque, &c->v, &e);
}

static bool deliver_once(struct delivery *d)
{
    struct x86_cpu *c = d->c;
    if (unlikely(c->v.listener))
        tell(d);
    if (!(c->s.cr0 & CR0_PE))
        return deliver_real(c, d->vector);
    if (!read_gate(d))
        return false;
    if (d->gate.type == 5)
        return x86_task_switch(c, d->gate.selector, TASK_EVENT, d->has_error, d->error);
    if (!read_handler_segment(d))
        return false;
    return x86_long(c) ? deliver_long(d) : deliver_legacy(d);
}

/* ---- double faults ---------------------------------------------------------------------------------- */

static bool contributory(unsigned v) { return v == EXC_DE || (v >= EXC_TS && v <= EXC_GP); }

static bool makes_double(unsigned first, unsigned second)
{
    return (contributory(first) && contributory(second)) ||
           (first == EXC_PF && (contributory(second) || second == EXC_PF));
}

static void shut_down(struct x86_cpu *c, unsigned first)
{
    sink_printf(sim_sink(c->v.sim), SINK_INFO,
                "CPU %u: triple fault at %04x:%016llx (after vector %u), position %llu: shutdown", c->v.index,
                c->s.seg[SEG_CS].selector, (unsigned long long)c->s.rip, first,
                (unsigned long long)sim_position(c->v.sim));
    c->s.shutdown = 1;
    c->s.pending = (struct x86_pending){ 0 };
    c->v.exit = EXIT_SHUTDOWN;
}

void x86_deliver(struct x86_cpu *c, unsigned vector, enum x86_event kind, bool has_error, uint32_t error)
{
    struct delivery d = { .c = c, .vector = vector, .kind = kind, .has_error = has_error && c->s.cr0 & CR0_PE,
                          .error = error };
    bool exception = kind == EVENT_FAULT || kind == EVENT_TRAP;
    c->s.halted = 0;
    for (;;) {
        c->v.exit = EXIT_NONE;
        c->s.pending.valid = 0;
        if (deliver_once(&d))
            return;
        unsigned second = c->s.pending.vector;
        if (second == EXC_PF)
            c->s.cr2 = c->s.pending.cr2;
        if (d.vector == EXC_DF && exception) {
            shut_down(c, d.vector);
            return;
        }
        struct x86_pending p = c->s.pending;
        if (exception && makes_double(d.vector, second))
            d = (struct delivery){ .c = c, .vector = EXC_DF, .kind = EVENT_FAULT, .has_error = c->s.cr0 & CR0_PE };
        else
            d = (struct delivery){ .c = c, .vector = second, .kind = EVENT_FAULT,
                                   .has_error = p.has_error && c->s.cr0 & CR0_PE, .error = p.error };
        exception = true;
    }
}

void x86_deliver_software(struct x86_cpu *c, unsigned vector, enum x86_event kind)
{
    struct delivery d = { .c = c, .vector = vector, .kind = kind };
    deliver_once(&d);
}
