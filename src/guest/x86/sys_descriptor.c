/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptor tables and selectors: LGDT, LLDT, LTR, VERR, LAR, LSL, loads of segment registers. */
#include "guest/x86/flags.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"
#include "guest/x86/sys.h"

/* Long mode's descriptors of LDT and TSS have 16 bytes: base 32..63, and a type that must be 0. */
static bool upper_half(struct x86_cpu *c, uint16_t selector, struct x86_segment *out)
{
    uint32_t at = (selector & ~7u) + 8;
    uint64_t high = 0;
    if (at + 7 <= c->s.gdt.limit && !vcpu_load(&c->v, c->s.gdt.base + at, 8, x86_system_mode(c), 0, &high))
        return false;
    out->base |= high << 32;
    if (at + 7 > c->s.gdt.limit || high >> 40 & 0x1f || !x86_canonical(out->base)) {
        x86_fault(c, EXC_GP, selector & 0xfffc);
        return false;
    }
    return true;
}

/* The LDT (type 2) or available TSS (9) that LLDT and LTR name. */
static bool load_system_segment(struct x86_cpu *c, uint16_t selector, unsigned type, struct x86_segment *out,
                                uint64_t *desc)
{
    if (selector & 4 || !x86_read_descriptor(c, selector, EXC_GP, desc)) {
        if (!c->v.exit)
            x86_fault(c, EXC_GP, selector & 0xfffc);
        return false;
    }
    x86_unpack_descriptor(*desc, selector, out);
    unsigned got = out->attr & (ATTR_TYPE | ATTR_S);
    if (got != type && !(type == 9 && got == 1 && !x86_long(c))) {
        x86_fault(c, EXC_GP, selector & 0xfffc);
        return false;
    }
    if (!(out->attr & ATTR_P)) {
        x86_fault(c, EXC_NP, selector & 0xfffc);
        return false;
    }
    return !x86_long(c) || upper_half(c, selector, out);
}

uint64_t sys_lldt(struct vcpu *v, uint64_t selector)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_segment s = { .selector = (uint16_t)selector, .attr = ATTR_UNUSABLE };
    uint64_t desc;
    if (selector & 0xfffc && !load_system_segment(c, (uint16_t)selector, 2, &s, &desc))
        return 0;
    c->s.seg[SEG_LDTR] = s;
    return 0;
}

uint64_t sys_ltr(struct vcpu *v, uint64_t selector)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_segment s;
    uint64_t desc;
    if (!(selector & 0xfffc))
        return sys_gp0(c);
    if (!load_system_segment(c, (uint16_t)selector, 9, &s, &desc) ||
        !x86_write_descriptor(c, (uint16_t)selector, desc | UINT64_C(2) << 40))
        return 0;
    s.attr |= 2;
    c->s.seg[SEG_TR] = s;
    return 0;
}

/* Reads a descriptor without faulting on a bad selector; page faults remain. */
static bool peek(struct x86_cpu *c, uint16_t selector, struct x86_segment *d, uint64_t *desc)
{
    if (!(selector & 0xfffc))
        return false;
    if (!x86_read_descriptor(c, selector, EXC_GP, desc)) {
        if (c->s.pending.vector == EXC_GP) {
            c->s.pending.valid = 0;
            c->v.exit = EXIT_NONE;
        }
        return false;
    }
    x86_unpack_descriptor(*desc, selector, d);
    return true;
}

static bool visible(const struct x86_cpu *c, uint16_t selector, const struct x86_segment *d)
{
    unsigned dpl = d->attr >> ATTR_DPL_SHIFT & 3;
    bool conforming = (d->attr & (ATTR_S | ATTR_CODE | ATTR_DC)) == (ATTR_S | ATTR_CODE | ATTR_DC);
    return conforming || (dpl >= c->s.cpl && dpl >= (selector & 3u));
}

static void set_zf(struct x86_cpu *c, bool zf) { x86_set_rflags(c, zf ? FLAG_ZF : 0, FLAG_ZF); }

static uint64_t verify(struct x86_cpu *c, uint16_t selector, bool write)
{
    struct x86_segment d;
    uint64_t desc;
    bool ok = peek(c, selector, &d, &desc);
    if (c->v.exit)
        return 0;
    ok = ok && d.attr & ATTR_S && visible(c, selector, &d);
    if (ok)
        ok = write ? !(d.attr & ATTR_CODE) && d.attr & ATTR_RW : !(d.attr & ATTR_CODE) || d.attr & ATTR_RW;
    set_zf(c, ok);
    return 0;
}

uint64_t sys_verr(struct vcpu *v, uint64_t selector) { return verify(x86_of(v), (uint16_t)selector, false); }
uint64_t sys_verw(struct vcpu *v, uint64_t selector) { return verify(x86_of(v), (uint16_t)selector, true); }

/* For LAR and LSL.  types: the system descriptors that the instruction knows, by type.  ZF: it may be looked at. */
static bool look(struct x86_cpu *c, uint64_t selector, unsigned types, struct x86_segment *d, uint64_t *desc)
{
    bool ok = peek(c, (uint16_t)selector, d, desc);
    if (c->v.exit)
        return false;
    ok = ok && (d->attr & ATTR_S || types >> (d->attr & ATTR_TYPE) & 1) && visible(c, (uint16_t)selector, d);
    set_zf(c, ok);
    return ok;
}

uint64_t sys_lar(struct vcpu *v, uint64_t selector, uint64_t old)
{
    struct x86_cpu *c = x86_of(v);
    unsigned types = x86_long(c) ? 1u << 2 | 1u << 9 | 1u << 11 | 1u << 12
                                 : 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 9 | 1u << 11 | 1u << 12;
    struct x86_segment d;
    uint64_t desc;
    return look(c, selector, types, &d, &desc) ? desc >> 32 & 0x00ffff00 : old;
}

uint64_t sys_lsl(struct vcpu *v, uint64_t selector, uint64_t old)
{
    struct x86_cpu *c = x86_of(v);
    unsigned types = x86_long(c) ? 1u << 2 | 1u << 9 | 1u << 11 : 1u << 1 | 1u << 2 | 1u << 3 | 1u << 9 | 1u << 11;
    struct x86_segment d;
    uint64_t desc;
    return look(c, selector, types, &d, &desc) ? d.limit : old;
}

static uint64_t table_load(struct x86_cpu *c, uint64_t linear, uint64_t osz, struct x86_table *t)
{
    uint64_t limit, base;
    bool m64 = c->mode_flags & MODE_CS64;
    unsigned mode = x86_data_mode(c);
    if (!vcpu_load(&c->v, linear, 2, mode, 0, &limit) || !vcpu_load(&c->v, linear + 2, m64 ? 8 : 4, mode, 0, &base))
        return 0;
    if (m64 && !x86_canonical(base))
        return sys_gp0(c);
    *t = (struct x86_table){ .base = m64 ? base : osz == 2 ? base & 0xffffff : base, .limit = (uint32_t)limit };
    return 0;
}

uint64_t sys_lgdt(struct vcpu *v, uint64_t at, uint64_t osz)
{
    return table_load(x86_of(v), at, osz, &x86_of(v)->s.gdt);
}
uint64_t sys_lidt(struct vcpu *v, uint64_t at, uint64_t osz)
{
    return table_load(x86_of(v), at, osz, &x86_of(v)->s.idt);
}

static uint64_t table_store(struct x86_cpu *c, uint64_t linear, const struct x86_table *t)
{
    uint8_t bytes[10];
    bool m64 = c->mode_flags & MODE_CS64;
    store_le(bytes, 2, t->limit);
    store_le(bytes + 2, 8, t->base);
    vcpu_store_bytes(&c->v, linear, bytes, m64 ? 10 : 6, x86_data_mode(c));
    return 0;
}

uint64_t sys_sgdt(struct vcpu *v, uint64_t at, uint64_t osz)
{
    (void)osz;
    return table_store(x86_of(v), at, &x86_of(v)->s.gdt);
}

uint64_t sys_sidt(struct vcpu *v, uint64_t at, uint64_t osz)
{
    (void)osz;
    return table_store(x86_of(v), at, &x86_of(v)->s.idt);
}

/* seg: SEG_*, and 256 where MOV and POP shade the next instruction after loading SS. */
uint64_t sys_load_seg(struct vcpu *v, uint64_t seg, uint64_t selector)
{
    struct x86_cpu *c = x86_of(v);
    bool shadow = seg >> 8;
    seg &= 0xff;
    if (x86_load_segment(c, (int)seg, (uint16_t)selector) && seg == SEG_SS && shadow)
        c->s.shadow = X86_SHADOW_SS;
    return 0;
}
