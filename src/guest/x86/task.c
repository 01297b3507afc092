/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hardware task switches (SDM vol. 3, ch. 7), 16- and 32-bit TSS.  Everything
 * up to the commit point leaves the old task as it was; faults behind it
 * belong to the new task.
 */
#include "guest/x86/flags.h"
#include "guest/x86/interrupt.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"

enum { TSS32_MIN_LIMIT = 0x67, TSS16_MIN_LIMIT = 0x2b };

/* What a TSS saves, independent of its width. */
struct task_image {
    uint64_t cr3, eip, eflags, gpr[8], seg[6], ldt, trap;
};

static const int tss_seg_order[6] = { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };

struct switcher {
    struct x86_cpu *c;
    unsigned mode;
    bool ok;
};

static uint64_t load(struct switcher *w, uint64_t at, unsigned size)
{
    uint64_t v = 0;
    w->ok = w->ok && vcpu_load(&w->c->v, at, size, w->mode, 0, &v);
    return v;
}

static void store(struct switcher *w, uint64_t at, unsigned size, uint64_t v)
{
    w->ok = w->ok && vcpu_store(&w->c->v, at, size, w->mode, v);
}

static void read_image(struct switcher *w, const struct x86_segment *tss, bool is32, struct task_image *t)
{
    uint64_t b = tss->base;
    unsigned n = is32 ? 4 : 2, regs = is32 ? 0x28 : 0x12, segs = is32 ? 0x48 : 0x22;
    *t = (struct task_image){ .cr3 = is32 ? load(w, b + 0x1c, 4) : 0 };
    t->eip = load(w, b + (is32 ? 0x20 : 0x0e), n);
    t->eflags = load(w, b + (is32 ? 0x24 : 0x10), n);
    for (unsigned i = 0; i < 8; i++)
        t->gpr[i] = load(w, b + regs + n * i, n) | (is32 ? 0 : 0xffff0000);
    for (unsigned i = 0; i < (is32 ? 6u : 4u); i++)
        t->seg[i] = load(w, b + segs + n * i, 2);
    t->ldt = load(w, b + (is32 ? 0x60 : 0x2a), 2);
    t->trap = is32 ? load(w, b + 0x64, 2) & 1 : 0;
}

static void write_image(struct switcher *w, const struct x86_segment *tss, bool is32, uint64_t eflags)
{
    const struct x86_state *s = &w->c->s;
    uint64_t b = tss->base;
    unsigned n = is32 ? 4 : 2, regs = is32 ? 0x28 : 0x12, segs = is32 ? 0x48 : 0x22;
    store(w, b + (is32 ? 0x20 : 0x0e), n, s->rip);
    store(w, b + (is32 ? 0x24 : 0x10), n, eflags);
    for (unsigned i = 0; i < 8; i++)
        store(w, b + regs + n * i, n, s->gpr[i]);
    for (unsigned i = 0; i < (is32 ? 6u : 4u); i++)
        store(w, b + segs + n * i, 2, s->seg[tss_seg_order[i]].selector);
}

static bool fault(struct x86_cpu *c, unsigned vector, uint32_t selector)
{
    x86_fault(c, vector, selector & 0xfffc);
    return false;
}

static bool find_tss(struct x86_cpu *c, uint16_t selector, enum task_source source, uint64_t *desc,
                     struct x86_segment *tss)
{
    unsigned bad = source == TASK_IRET ? EXC_TS : EXC_GP;
    if (!(selector & 0xfffc) || selector & 4)
        return fault(c, bad, selector);
    if (!x86_read_descriptor(c, selector, bad, desc))
        return false;
    x86_unpack_descriptor(*desc, selector, tss);
    unsigned type = tss->attr & (ATTR_TYPE | ATTR_S);
    bool busy = type & 2;
    if ((type & ~2u) != 1 && (type & ~2u) != 9)
        return fault(c, bad, selector);
    if (busy != (source == TASK_IRET))
        return fault(c, bad, selector);
    if (!(tss->attr & ATTR_P))
        return fault(c, EXC_NP, selector);
    return tss->limit >= (type & 8 ? TSS32_MIN_LIMIT : TSS16_MIN_LIMIT) || fault(c, EXC_TS, selector);
}

static bool set_busy(struct x86_cpu *c, uint16_t selector, bool busy)
{
    uint64_t desc;
    if (!x86_read_descriptor(c, selector, EXC_TS, &desc))
        return false;
    desc = busy ? desc | UINT64_C(2) << 40 : desc & ~(UINT64_C(2) << 40);
    return x86_write_descriptor(c, selector, desc);
}

static bool load_ldt(struct x86_cpu *c, uint16_t selector)
{
    uint64_t desc;
    struct x86_segment *ldt = &c->s.seg[SEG_LDTR];
    *ldt = (struct x86_segment){ .selector = selector, .attr = ATTR_UNUSABLE };
    if (!(selector & 0xfffc))
        return true;
    if (selector & 4 || !x86_read_descriptor(c, selector, EXC_TS, &desc))
        return fault(c, EXC_TS, selector);
    struct x86_segment d;
    x86_unpack_descriptor(desc, selector, &d);
    if ((d.attr & (ATTR_TYPE | ATTR_S)) != 2 || !(d.attr & ATTR_P))
        return fault(c, EXC_TS, selector);
    *ldt = d;
    return true;
}

/* CS and SS by the new task's rules; the others as MOV does, with #TS. */
static bool load_segments(struct x86_cpu *c, const struct task_image *t)
{
    if (c->s.rflags & FLAG_VM) {
        c->s.cpl = 3;
        for (unsigned i = 0; i < 6; i++)
            x86_load_real_segment(c, tss_seg_order[i], (uint16_t)t->seg[i]);
        return true;
    }
    uint64_t desc;
    uint16_t cs = (uint16_t)t->seg[1];
    struct x86_segment d;
    if (!(cs & 0xfffc) || !x86_read_descriptor(c, cs, EXC_TS, &desc))
        return fault(c, EXC_TS, cs);
    x86_unpack_descriptor(desc, cs, &d);
    unsigned dpl = d.attr >> ATTR_DPL_SHIFT & 3, rpl = cs & 3;
    if (!(d.attr & ATTR_S) || !(d.attr & ATTR_CODE) || (d.attr & ATTR_DC ? dpl > rpl : dpl != rpl))
        return fault(c, EXC_TS, cs);
    if (!(d.attr & ATTR_P))
        return fault(c, EXC_NP, cs);
    c->s.seg[SEG_CS] = d;
    x86_set_cpl(c, rpl);
    static const unsigned order[] = { 2, 0, 3, 4, 5 };
    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        if (!x86_load_segment(c, tss_seg_order[order[i]], (uint16_t)t->seg[order[i]])) {
            if (c->s.pending.vector == EXC_GP)
                c->s.pending.vector = EXC_TS;
            return false;
        }
    }
    return true;
}

bool x86_task_switch(struct x86_cpu *c, uint16_t selector, enum task_source source, bool has_error, uint32_t error)
{
    struct switcher w = { c, x86_system_mode(c), true };
    struct x86_segment tss, old = c->s.seg[SEG_TR];
    struct task_image t;
    uint64_t desc;
    if (!find_tss(c, selector, source, &desc, &tss))
        return false;
    bool is32 = tss.attr & 8, old32 = old.attr & 8, nested = source == TASK_CALL || source == TASK_EVENT;
    uint64_t eflags = x86_get_rflags(c);
    if (source == TASK_IRET)
        eflags &= ~(uint64_t)FLAG_NT;
    read_image(&w, &tss, is32, &t);
    write_image(&w, &old, old32, eflags);
    if (nested)
        store(&w, tss.base, 2, old.selector);
    if (!w.ok)
        return false;
    if ((source == TASK_JUMP || source == TASK_IRET) && !set_busy(c, old.selector, false))
        return false;
    if (source != TASK_IRET && !set_busy(c, selector, true))
        return false;

    /* The commit point: from here on faults are the new task's. */
    tss.attr |= 2;
    c->s.seg[SEG_TR] = tss;
    c->s.cr0 |= CR0_TS;
    if (is32 && c->s.cr0 & CR0_PG && t.cr3 != c->s.cr3) {
        c->s.cr3 = t.cr3;
        if (c->s.cr4 & CR4_PAE)
            x86_load_pdptes(c);
        x86_mmu_context(c);
    }
    x86_set_rflags(c, t.eflags | (nested ? FLAG_NT : 0), UINT32_MAX & ~2u);
    c->s.rip = t.eip;
    for (unsigned i = 0; i < 8; i++)
        c->s.gpr[i] = t.gpr[i];
    for (unsigned i = 0; i < 6; i++)
        c->s.seg[tss_seg_order[i]] = (struct x86_segment){ .selector = (uint16_t)t.seg[i], .attr = ATTR_UNUSABLE };
    c->s.dr[7] &= ~UINT64_C(0x55);               /* local breakpoints end with the task */
    x86_update_mode(c);
    if (!load_ldt(c, (uint16_t)t.ldt) || !load_segments(c, &t))
        return false;
    if (has_error) {
        struct x86_stack st;
        x86_stack_begin(&st, c);
        if (!x86_stack_push(&st, is32 ? 4 : 2, error))
            return false;
        x86_stack_commit(&st);
    }
    if (t.trap)
        x86_raise_debug(c, UINT64_C(1) << 15, EVENT_TRAP);
    x86_update_mode(c);
    return true;
}
