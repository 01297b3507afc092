/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/x86/segment.h"

#include "guest/x86/debug.h"
#include "guest/x86/lift.h"
#include "guest/x86/mode.h"

void x86_fault(struct x86_cpu *c, unsigned vector, uint32_t error) { x86_raise(&c->v, vector, true, error); }

/* ---- accesses ---------------------------------------------------------------------------- */

static bool type_allows(const struct x86_segment *s, bool write)
{
    if (s->attr & ATTR_UNUSABLE || !(s->attr & ATTR_P))
        return false;
    if (s->attr & ATTR_CODE)
        return !write && s->attr & ATTR_RW;
    return !write || s->attr & ATTR_RW;
}

static bool limit_allows(const struct x86_segment *s, uint64_t offset, unsigned size)
{
    uint64_t last = offset + size - 1;
    bool expand_down = (s->attr & (ATTR_CODE | ATTR_DC)) == ATTR_DC;
    if (!expand_down)
        return last <= s->limit;
    return offset > s->limit && last <= (s->attr & ATTR_DB ? UINT32_MAX : 0xffff);
}

bool x86_seg_linear(struct x86_cpu *c, int seg, uint64_t offset, unsigned size, bool write, uint64_t *linear)
{
    const struct x86_segment *s = &c->s.seg[seg];
    if (c->mode_flags & MODE_CS64) {
        *linear = seg == SEG_FS || seg == SEG_GS ? offset + s->base : offset;
        if (x86_canonical(*linear))
            return true;
    } else {
        bool real = !x86_protected(c);
        *linear = (uint32_t)(offset + s->base);
        if ((real || type_allows(s, write)) && limit_allows(s, offset, size))
            return true;
    }
    x86_fault(c, seg == SEG_SS ? EXC_SS : EXC_GP, 0);
    return false;
}

uint64_t x86_seg_reach(const struct x86_cpu *c, int seg, uint64_t offset, bool write, uint64_t *linear)
{
    const struct x86_segment *s = &c->s.seg[seg];
    if (c->mode_flags & MODE_CS64) {
        *linear = seg == SEG_FS || seg == SEG_GS ? offset + s->base : offset;
        return x86_canonical(*linear) ? align_down(*linear, PAGE_SIZE) + PAGE_SIZE - *linear : 0;
    }
    *linear = (uint32_t)(offset + s->base);
    bool expand_down = (s->attr & (ATTR_CODE | ATTR_DC)) == ATTR_DC;
    if ((x86_protected(c) && !type_allows(s, write)) || expand_down || offset > s->limit)
        return 0;
    return (uint64_t)s->limit - offset + 1;
}

static uint64_t do_seg_check(struct vcpu *v, uint64_t seg, uint64_t offset, uint64_t access)
{
    uint64_t linear;
    x86_seg_linear(x86_of(v), (int)seg, offset, access & 0xffff, access >> 16, &linear);
    return 0;
}

static uint64_t do_gs_check(struct vcpu *v, uint64_t what)
{
    return do_seg_check(v, SEG_GS, (uint32_t)what, what >> 32);
}

const struct ir_helper x86_helper_gs_check = {
    "gs_check", 1, HELPER_MAY_EXIT, IR_VOID, { IR_X }, { .f1 = do_gs_check }
};
const struct ir_helper x86_helper_seg_check = { "seg_check", 3, HELPER_MAY_EXIT, IR_VOID, { IR_X, IR_X, IR_X },
                                                { .f3 = do_seg_check } };

/* ---- descriptors --------------------------------------------------------------------------- */

void x86_unpack_descriptor(uint64_t d, uint16_t selector, struct x86_segment *out)
{
    uint32_t limit = (uint32_t)(d & 0xffff) | (uint32_t)(d >> 48 & 15) << 16;
    *out = (struct x86_segment){ .selector = selector };
    out->base = (d >> 16 & 0xffffff) | (d >> 56) << 24;
    out->attr = (uint32_t)(d >> 40 & 0xff) | (uint32_t)(d >> 52 & 15) << 12;
    out->limit = out->attr & ATTR_G ? limit << 12 | 0xfff : limit;
}

static bool descriptor_place(const struct x86_cpu *c, uint16_t selector, uint64_t *at)
{
    const struct x86_segment *ldt = &c->s.seg[SEG_LDTR];
    uint32_t index = selector & ~7u;
    if (selector & 4) {
        *at = ldt->base + index;
        return !(ldt->attr & ATTR_UNUSABLE) && ldt->attr & ATTR_P && index + 7 <= ldt->limit;
    }
    *at = c->s.gdt.base + index;
    return index + 7 <= c->s.gdt.limit;
}

bool x86_read_descriptor(struct x86_cpu *c, uint16_t selector, unsigned vector, uint64_t *desc)
{
    uint64_t at;
    if (!descriptor_place(c, selector, &at)) {
        x86_fault(c, vector, selector & 0xfffc);
        return false;
    }
    return vcpu_load(&c->v, at, 8, x86_system_mode(c), 0, desc);
}

bool x86_write_descriptor(struct x86_cpu *c, uint16_t selector, uint64_t desc)
{
    uint64_t at;
    if (!descriptor_place(c, selector, &at))
        return false;
    return vcpu_store(&c->v, at + 5, 1, x86_system_mode(c), desc >> 40 & 0xff);
}

/* ---- loads ------------------------------------------------------------------------------------ */

void x86_load_real_segment(struct x86_cpu *c, int seg, uint16_t selector)
{
    struct x86_segment *s = &c->s.seg[seg];
    s->selector = selector;
    s->base = (uint64_t)selector << 4;
    if (c->s.rflags & FLAG_VM) {
        s->limit = 0xffff;
        s->attr = ATTR_P | ATTR_S | ATTR_RW | ATTR_ACCESSED | 3 << ATTR_DPL_SHIFT;
    } else if (seg == SEG_CS) {
        s->attr = ATTR_P | ATTR_S | ATTR_RW | ATTR_ACCESSED | (s->attr & ATTR_DB);
    }
    x86_update_mode(c);
}

static void load_null(struct x86_cpu *c, int seg, uint16_t selector)
{
    struct x86_segment *s = &c->s.seg[seg];
    uint64_t base = s->base;
    *s = (struct x86_segment){ .selector = selector, .attr = ATTR_UNUSABLE };
    if (c->mode_flags & MODE_CS64 && seg != SEG_FS && seg != SEG_GS)
        s->base = base;
    if (seg == SEG_SS)
        s->attr |= c->s.cpl << ATTR_DPL_SHIFT | ATTR_DB;
}

/* SDM vol. 2, MOV to a segment register. */
static bool check_load(struct x86_cpu *c, int seg, uint16_t selector, const struct x86_segment *d)
{
    unsigned dpl = d->attr >> ATTR_DPL_SHIFT & 3, rpl = selector & 3, cpl = c->s.cpl;
    uint32_t error = selector & 0xfffc;
    bool code = d->attr & ATTR_CODE, ok;
    if (seg == SEG_SS)
        ok = d->attr & ATTR_S && !code && d->attr & ATTR_RW && rpl == cpl && dpl == cpl;
    else if (!(d->attr & ATTR_S) || (code && !(d->attr & ATTR_RW)))
        ok = false;
    else
        ok = (code && d->attr & ATTR_DC) || (rpl <= dpl && cpl <= dpl);
    if (!ok) {
        x86_fault(c, EXC_GP, error);
        return false;
    }
    if (!(d->attr & ATTR_P)) {
        x86_fault(c, seg == SEG_SS ? EXC_SS : EXC_NP, error);
        return false;
    }
    return true;
}

bool x86_load_segment(struct x86_cpu *c, int seg, uint16_t selector)
{
    uint64_t desc;
    struct x86_segment d;
    if (!x86_protected(c)) {
        x86_load_real_segment(c, seg, selector);
        return true;
    }
    if (!(selector & 0xfffc)) {
        bool ss64 = c->mode_flags & MODE_CS64 && c->s.cpl != 3 && (selector & 3u) == c->s.cpl;
        if (seg == SEG_SS && !ss64) {
            x86_fault(c, EXC_GP, 0);
            return false;
        }
        load_null(c, seg, selector);
        x86_update_mode(c);
        return true;
    }
    if (!x86_read_descriptor(c, selector, EXC_GP, &desc))
        return false;
    x86_unpack_descriptor(desc, selector, &d);
    if (!check_load(c, seg, selector, &d))
        return false;
    if (!(d.attr & ATTR_ACCESSED)) {
        if (!x86_write_descriptor(c, selector, desc | UINT64_C(1) << 40))
            return false;
        d.attr |= ATTR_ACCESSED;
    }
    c->s.seg[seg] = d;
    x86_update_mode(c);
    return true;
}

void x86_set_cpl(struct x86_cpu *c, unsigned cpl)
{
    c->s.cpl = cpl;
    x86_update_mode(c);
}
