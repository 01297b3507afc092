/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System instructions as helpers.  A helper that transfers control finds
 * RIP = the next instruction in the state; on a fault the engine puts it back.
 */
#include "guest/x86/cpuid.h"
#include "guest/x86/flags.h"
#include "guest/x86/interrupt.h"
#include "guest/x86/lift_sys.h"
#include "guest/x86/mmu.h"
#include "guest/x86/model.h"
#include "guest/x86/msr.h"
#include "guest/x86/segment.h"
#include "guest/x86/x87.h"

static uint64_t gp0(struct x86_cpu *c)
{
    x86_fault(c, EXC_GP, 0);
    return 0;
}

static uint64_t ud(struct x86_cpu *c)
{
    x86_raise(&c->v, EXC_UD, false, 0);
    return 0;
}

/* ---- tables and selectors ------------------------------------------------------------------ */

static bool load_system_segment(struct x86_cpu *c, uint16_t selector, unsigned type, struct x86_segment *out,
                                uint64_t *desc)
{
    if (selector & 4 || !x86_read_descriptor(c, selector, EXC_GP, desc)) {
        if (!c->v.exit)
            x86_fault(c, EXC_GP, selector & 0xfffc);
        return false;
    }
    x86_unpack_descriptor(*desc, selector, out);
    if ((out->attr & (ATTR_TYPE | ATTR_S)) != type && !(type == 9 && (out->attr & (ATTR_TYPE | ATTR_S)) == 1)) {
        x86_fault(c, EXC_GP, selector & 0xfffc);
        return false;
    }
    if (!(out->attr & ATTR_P)) {
        x86_fault(c, EXC_NP, selector & 0xfffc);
        return false;
    }
    if (x86_long(c)) {
        uint64_t high;
        if (!vcpu_load(&c->v, c->s.gdt.base + (selector & ~7u) + 8, 8, x86_system_mode(c), 0, &high))
            return false;
        out->base |= high << 32;
    }
    return true;
}

static uint64_t sys_lldt(struct vcpu *v, uint64_t selector)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_segment s = { .selector = (uint16_t)selector, .attr = ATTR_UNUSABLE };
    uint64_t desc;
    if (selector & 0xfffc && !load_system_segment(c, (uint16_t)selector, 2, &s, &desc))
        return 0;
    c->s.seg[SEG_LDTR] = s;
    return 0;
}

static uint64_t sys_ltr(struct vcpu *v, uint64_t selector)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_segment s;
    uint64_t desc;
    if (!(selector & 0xfffc))
        return gp0(c);
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

static uint64_t sys_verr(struct vcpu *v, uint64_t selector) { return verify(x86_of(v), (uint16_t)selector, false); }
static uint64_t sys_verw(struct vcpu *v, uint64_t selector) { return verify(x86_of(v), (uint16_t)selector, true); }

/* LAR, LSL: the result; ZF in the flags. */
static uint64_t sys_lar(struct vcpu *v, uint64_t selector, uint64_t old)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_segment d;
    uint64_t desc;
    bool ok = peek(c, (uint16_t)selector, &d, &desc);
    if (v->exit)
        return 0;
    if (ok && !(d.attr & ATTR_S)) {
        unsigned legal = x86_long(c) ? 1u << 2 | 1u << 9 | 1u << 11 | 1u << 12
                                     : 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 9 | 1u << 11 | 1u << 12;
        ok = legal >> (d.attr & ATTR_TYPE) & 1;
    }
    ok = ok && visible(c, (uint16_t)selector, &d);
    set_zf(c, ok);
    return ok ? desc >> 32 & 0x00ffff00 : old;
}

static uint64_t sys_lsl(struct vcpu *v, uint64_t selector, uint64_t old)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_segment d;
    uint64_t desc;
    bool ok = peek(c, (uint16_t)selector, &d, &desc);
    if (v->exit)
        return 0;
    if (ok && !(d.attr & ATTR_S)) {
        unsigned legal = x86_long(c) ? 1u << 2 | 1u << 9 | 1u << 11 : 1u << 1 | 1u << 2 | 1u << 3 | 1u << 9 | 1u << 11;
        ok = legal >> (d.attr & ATTR_TYPE) & 1;
    }
    ok = ok && visible(c, (uint16_t)selector, &d);
    set_zf(c, ok);
    return ok ? d.limit : old;
}

static uint64_t sys_arpl(struct vcpu *v, uint64_t dst, uint64_t src)
{
    bool lower = (dst & 3) < (src & 3);
    set_zf(x86_of(v), lower);
    return lower ? (dst & ~UINT64_C(3)) | (src & 3) : dst;
}

static uint64_t table_load(struct x86_cpu *c, uint64_t linear, uint64_t osz, struct x86_table *t)
{
    uint64_t limit, base;
    bool m64 = c->mode_flags & MODE_CS64;
    unsigned mode = x86_data_mode(c);
    if (!vcpu_load(&c->v, linear, 2, mode, 0, &limit) || !vcpu_load(&c->v, linear + 2, m64 ? 8 : 4, mode, 0, &base))
        return 0;
    if (m64 && !x86_canonical(base))
        return gp0(c);
    *t = (struct x86_table){ .base = m64 ? base : osz == 2 ? base & 0xffffff : base, .limit = (uint32_t)limit };
    return 0;
}

static uint64_t sys_lgdt(struct vcpu *v, uint64_t at, uint64_t osz) { return table_load(x86_of(v), at, osz, &x86_of(v)->s.gdt); }
static uint64_t sys_lidt(struct vcpu *v, uint64_t at, uint64_t osz) { return table_load(x86_of(v), at, osz, &x86_of(v)->s.idt); }

static uint64_t table_store(struct x86_cpu *c, uint64_t linear, const struct x86_table *t)
{
    uint8_t bytes[10];
    bool m64 = c->mode_flags & MODE_CS64;
    store_le(bytes, 2, t->limit);
    store_le(bytes + 2, 8, t->base);
    vcpu_store_bytes(&c->v, linear, bytes, m64 ? 10 : 6, x86_data_mode(c));
    return 0;
}

static uint64_t sys_sgdt(struct vcpu *v, uint64_t at, uint64_t osz)
{
    (void)osz;
    return table_store(x86_of(v), at, &x86_of(v)->s.gdt);
}

static uint64_t sys_sidt(struct vcpu *v, uint64_t at, uint64_t osz)
{
    (void)osz;
    return table_store(x86_of(v), at, &x86_of(v)->s.idt);
}

static uint64_t sys_load_seg(struct vcpu *v, uint64_t seg, uint64_t selector)
{
    struct x86_cpu *c = x86_of(v);
    if (x86_load_segment(c, (int)seg, (uint16_t)selector) && seg == SEG_SS)
        c->s.shadow = 1;
    return 0;
}

/* ---- control registers ------------------------------------------------------------------------------ */

static bool pae_walk(const struct x86_state *s) { return s->cr0 & CR0_PG && s->cr4 & CR4_PAE && !(s->efer & EFER_LMA); }

static uint64_t write_cr0(struct x86_cpu *c, uint64_t value)
{
    struct x86_state *s = &c->s;
    uint64_t old = s->cr0, known = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW |
                                   CR0_CD | (uint64_t)CR0_PG;
    value = (value & known) | CR0_ET;
    if ((value & CR0_PG && !(value & CR0_PE)) || (value & CR0_NW && !(value & CR0_CD)))
        return gp0(c);
    bool paging_on = value & CR0_PG && !(old & CR0_PG);
    if (paging_on && s->efer & EFER_LME && (!(s->cr4 & CR4_PAE) || s->seg[SEG_CS].attr & ATTR_L))
        return gp0(c);
    if (!(value & CR0_PG) && old & CR0_PG && (c->mode_flags & MODE_CS64 || s->cr4 & CR4_PCIDE))
        return gp0(c);
    if (paging_on && !(s->efer & EFER_LME) && s->cr4 & CR4_PAE && !x86_load_pdptes(c))
        return gp0(c);
    s->cr0 = value;
    if (paging_on && s->efer & EFER_LME)
        s->efer |= EFER_LMA;
    if (!(value & CR0_PG))
        s->efer &= ~(uint64_t)EFER_LMA;
    x86_mmu_context(c);
    x86_update_mode(c);
    return 0;
}

static uint64_t write_cr3(struct x86_cpu *c, uint64_t value)
{
    struct x86_state *s = &c->s;
    if (x86_long(c)) {
        if (s->cr4 & CR4_PCIDE)
            value &= mask64(63);
        if (value & ~mask64(52))
            return gp0(c);
    } else {
        value = (uint32_t)value;
    }
    uint64_t old = s->cr3;
    s->cr3 = value;
    if (pae_walk(s) && !x86_load_pdptes(c)) {
        s->cr3 = old;
        return gp0(c);
    }
    x86_mmu_context(c);
    return 0;
}

static uint64_t known_cr4(const struct x86_cpu *c)
{
    uint64_t k = CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE | CR4_OSFXSR |
                 CR4_OSXMMEXCPT;
    k |= x86_has(c->features, F_UMIP) ? CR4_UMIP : 0;
    k |= x86_has(c->features, F_FSGSBASE) ? CR4_FSGSBASE : 0;
    k |= x86_has(c->features, F_PCID) ? CR4_PCIDE : 0;
    k |= x86_has(c->features, F_XSAVE) ? CR4_OSXSAVE : 0;
    k |= x86_has(c->features, F_SMEP) ? CR4_SMEP : 0;
    k |= x86_has(c->features, F_SMAP) ? CR4_SMAP : 0;
    return k;
}

static uint64_t write_cr4(struct x86_cpu *c, uint64_t value)
{
    struct x86_state *s = &c->s;
    uint64_t old = s->cr4, changed = old ^ value;
    if (value & ~known_cr4(c) || (x86_long(c) && !(value & CR4_PAE)))
        return gp0(c);
    if (value & CR4_PCIDE && !(old & CR4_PCIDE) && (!x86_long(c) || s->cr3 & 0xfff))
        return gp0(c);
    s->cr4 = value;
    if (pae_walk(s) && changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP) && !x86_load_pdptes(c)) {
        s->cr4 = old;
        return gp0(c);
    }
    x86_mmu_context(c);
    x86_update_mode(c);
    return 0;
}

static uint64_t sys_mov_to_cr(struct vcpu *v, uint64_t n, uint64_t value)
{
    struct x86_cpu *c = x86_of(v);
    switch (n) {
    case 0:
        return write_cr0(c, value);
    case 2:
        c->s.cr2 = value;
        return 0;
    case 3:
        return write_cr3(c, value);
    case 4:
        return write_cr4(c, value);
    case 8:
        if (value & ~UINT64_C(15))
            return gp0(c);
        c->s.cr8 = value;
        if (c->apic)
            c->apic->set_tpr(c->apic_opaque, (uint8_t)value);
        return 0;
    default:
        return ud(c);
    }
}

static uint64_t sys_mov_from_cr(struct vcpu *v, uint64_t n)
{
    struct x86_cpu *c = x86_of(v);
    switch (n) {
    case 0:
        return c->s.cr0;
    case 2:
        return c->s.cr2;
    case 3:
        return c->s.cr3;
    case 4:
        return c->s.cr4;
    case 8:
        return c->apic ? c->apic->get_tpr(c->apic_opaque) : c->s.cr8;
    default:
        return ud(c);
    }
}

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE; DR7.GD makes every access #DB. */
static bool dr_access(struct x86_cpu *c, uint64_t *n)
{
    if (*n >= 8 || ((*n == 4 || *n == 5) && c->s.cr4 & CR4_DE)) {
        ud(c);
        return false;
    }
    if (*n == 4 || *n == 5)
        *n += 2;
    if (c->s.dr[7] & 1 << 13) {
        x86_raise_debug(c, 1 << 13, EVENT_FAULT);
        c->v.exit = EXIT_EXCEPTION;
        return false;
    }
    return true;
}

static uint64_t sys_mov_to_dr(struct vcpu *v, uint64_t n, uint64_t value)
{
    struct x86_cpu *c = x86_of(v);
    if (!dr_access(c, &n))
        return 0;
    if (n >= 6 && value >> 32)
        return gp0(c);
    if (n == 6)
        value = (value & 0xe00f) | 0xffff0ff0;
    if (n == 7)
        value = (value & 0xffff2fff) | 0x400;
    c->s.dr[n] = value;
    x86_update_mode(c);
    return 0;
}

static uint64_t sys_mov_from_dr(struct vcpu *v, uint64_t n)
{
    struct x86_cpu *c = x86_of(v);
    return dr_access(c, &n) ? c->s.dr[n] : 0;
}

static uint64_t sys_lmsw(struct vcpu *v, uint64_t value)
{
    struct x86_cpu *c = x86_of(v);
    return write_cr0(c, (c->s.cr0 & ~UINT64_C(14)) | (value & 15));
}

static uint64_t sys_clts(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    c->s.cr0 &= ~(uint64_t)CR0_TS;
    x86_update_mode(c);
    return 0;
}

/* The TLB always agrees with the page tables: there is nothing to invalidate. */
static uint64_t sys_invlpg(struct vcpu *v, uint64_t at, uint64_t osz)
{
    (void)v;
    (void)at;
    (void)osz;
    return 0;
}

static uint64_t sys_invpcid(struct vcpu *v, uint64_t at, uint64_t type)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t pcid, address;
    unsigned mode = x86_data_mode(c);
    if (!vcpu_load(v, at, 8, mode, 0, &pcid) || !vcpu_load(v, at + 8, 8, mode, 0, &address))
        return 0;
    if (type > 3 || (type < 2 && pcid >> 12) || (type == 0 && !x86_canonical(address)))
        return gp0(c);
    return 0;
}

static uint64_t sys_wbinvd(struct vcpu *v)
{
    (void)v;
    return 0;
}

/* ---- flags and interrupts ------------------------------------------------------------------------------ */

static unsigned iopl(const struct x86_cpu *c) { return c->s.rflags >> 12 & 3; }
static bool vm86(const struct x86_cpu *c) { return c->s.rflags & FLAG_VM; }

static bool virtual_if(const struct x86_cpu *c)
{
    if (vm86(c))
        return c->s.cr4 & CR4_VME;
    return c->s.cr0 & CR0_PE && c->s.cr4 & CR4_PVI && c->s.cpl == 3;
}

static uint64_t sys_hlt(struct vcpu *v)
{
    x86_of(v)->s.halted = 1;
    return 0;
}

static uint64_t sys_cli(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    bool allowed = !(c->s.cr0 & CR0_PE) || (vm86(c) ? iopl(c) == 3 : c->s.cpl <= iopl(c));
    if (allowed)
        c->s.rflags &= ~(uint64_t)FLAG_IF;
    else if (virtual_if(c))
        c->s.rflags &= ~(uint64_t)FLAG_VIF;
    else
        return gp0(c);
    return 0;
}

static uint64_t sys_sti(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    bool allowed = !(c->s.cr0 & CR0_PE) || (vm86(c) ? iopl(c) == 3 : c->s.cpl <= iopl(c));
    if (allowed) {
        if (!(c->s.rflags & FLAG_IF))
            c->s.shadow = 1;
        c->s.rflags |= FLAG_IF;
    } else if (virtual_if(c) && !(c->s.rflags & FLAG_VIP)) {
        c->s.rflags |= FLAG_VIF;
    } else {
        return gp0(c);
    }
    return 0;
}

/* The value PUSHF pushes; v86 with IOPL below 3 needs VME. */
static uint64_t sys_pushf(struct vcpu *v, uint64_t osz)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t f = x86_get_rflags(c) & ~(uint64_t)(FLAG_VM | FLAG_RF);
    if (vm86(c) && iopl(c) < 3) {
        if (osz != 2 || !(c->s.cr4 & CR4_VME))
            return gp0(c);
        f = (f & ~(uint64_t)FLAG_IF) | (c->s.rflags & FLAG_VIF ? FLAG_IF : 0) | FLAG_IOPL;
    }
    return f;
}

static uint64_t sys_popf(struct vcpu *v, uint64_t value, uint64_t osz)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t mask = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;
    if (osz > 2)
        mask |= FLAG_AC | FLAG_ID;
    if (vm86(c) && iopl(c) < 3) {
        if (osz != 2 || !(c->s.cr4 & CR4_VME) || value & FLAG_TF || (value & FLAG_IF && c->s.rflags & FLAG_VIP))
            return gp0(c);
        x86_set_rflags(c, value & FLAG_IF ? FLAG_VIF : 0, FLAG_VIF);
    } else if (vm86(c)) {
        mask |= FLAG_IF;
    } else {
        if (!(c->s.cr0 & CR0_PE) || c->s.cpl <= iopl(c))
            mask |= FLAG_IF;
        if (c->s.cpl == 0)
            mask |= FLAG_IOPL;
    }
    x86_set_rflags(c, value, mask);
    c->s.rflags &= ~(uint64_t)FLAG_RF;
    x86_update_mode(c);
    return 0;
}

static uint64_t sys_int(struct vcpu *v, uint64_t vector, uint64_t is_int_n)
{
    struct x86_cpu *c = x86_of(v);
    if (is_int_n && vm86(c) && iopl(c) < 3) {
        /* VME: a clear bit in the TSS's redirection map sends it through the IVT (SDM vol. 3, 20.3.3). */
        uint64_t map, byte = 0xff;
        const struct x86_segment *tr = &c->s.seg[SEG_TR];
        bool redirect = false;
        if (c->s.cr4 & CR4_VME) {
            if (!vcpu_load(v, tr->base + 0x66, 2, x86_system_mode(c), 0, &map) ||
                !vcpu_load(v, tr->base + map - 32 + vector / 8, 1, x86_system_mode(c), 0, &byte))
                return 0;
            redirect = !(byte >> (vector & 7) & 1);
        }
        if (!redirect)
            return gp0(c);
        return x86_v86_interrupt(c, (unsigned)vector);
    }
    x86_deliver_software(c, (unsigned)vector, EVENT_SOFTWARE);
    return 0;
}

static uint64_t sys_int1(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    x86_deliver_software(c, EXC_DB, EVENT_ICEBP);
    return 0;
}

static uint64_t sys_iret(struct vcpu *v, uint64_t osz)
{
    x86_iret(x86_of(v), (unsigned)osz);
    return 0;
}

static uint64_t sys_far_jump(struct vcpu *v, uint64_t selector, uint64_t offset, uint64_t osz)
{
    x86_far_jump(x86_of(v), (uint16_t)selector, offset, (unsigned)osz);
    return 0;
}

static uint64_t sys_far_call(struct vcpu *v, uint64_t selector, uint64_t offset, uint64_t osz)
{
    x86_far_call(x86_of(v), (uint16_t)selector, offset, (unsigned)osz);
    return 0;
}

static uint64_t sys_far_ret(struct vcpu *v, uint64_t osz, uint64_t extra)
{
    x86_far_return(x86_of(v), (unsigned)osz, (unsigned)extra);
    return 0;
}

/* ---- fast system calls ------------------------------------------------------------------------------------- */

static struct x86_segment flat(uint16_t selector, bool code, unsigned dpl, bool l)
{
    struct x86_segment s = { .limit = UINT32_MAX, .selector = selector };
    s.attr = ATTR_P | ATTR_S | ATTR_RW | ATTR_ACCESSED | ATTR_G | dpl << ATTR_DPL_SHIFT;
    s.attr |= code ? ATTR_CODE : 0;
    s.attr |= l ? ATTR_L : ATTR_DB;
    return s;
}

static uint64_t sys_syscall(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_state *s = &c->s;
    if (!(s->efer & EFER_SCE) || !(s->cr0 & CR0_PE) || (x86_model_is_intel(c->model) && !(c->mode_flags & MODE_CS64)))
        return ud(c);
    uint16_t cs = s->star >> 32 & 0xfffc;
    if (x86_long(c)) {
        uint64_t flags = x86_get_rflags(c);
        bool from64 = c->mode_flags & MODE_CS64;
        s->gpr[R_CX] = s->rip;
        s->gpr[R_11] = flags & ~(uint64_t)FLAG_RF;
        s->rip = from64 ? s->lstar : s->cstar;
        x86_set_rflags(c, 0, s->fmask | FLAG_RF);
        s->seg[SEG_CS] = flat(cs, true, 0, true);
    } else {
        s->gpr[R_CX] = (uint32_t)s->rip;
        s->rip = (uint32_t)s->star;
        x86_set_rflags(c, 0, FLAG_IF | FLAG_RF | FLAG_VM);
        s->seg[SEG_CS] = flat(cs, true, 0, false);
    }
    s->seg[SEG_SS] = flat((uint16_t)(cs + 8), false, 0, false);
    x86_set_cpl(c, 0);
    return 0;
}

static uint64_t sys_sysret(struct vcpu *v, uint64_t osz)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_state *s = &c->s;
    if (!(s->efer & EFER_SCE) || (x86_model_is_intel(c->model) && !(c->mode_flags & MODE_CS64)))
        return ud(c);
    if (!(s->cr0 & CR0_PE) || s->cpl)
        return gp0(c);
    uint16_t base = s->star >> 48 & 0xffff;
    bool to64 = osz == 8;
    if (x86_long(c)) {
        if (to64 && x86_model_is_intel(c->model) && !x86_canonical(s->gpr[R_CX]))
            return gp0(c);
        s->rip = to64 ? s->gpr[R_CX] : (uint32_t)s->gpr[R_CX];
        uint64_t mask = UINT64_C(0x3f7fd7) & ~(uint64_t)(FLAG_RF | FLAG_VM);
        x86_set_rflags(c, s->gpr[R_11], mask);
        x86_set_rflags(c, 0, FLAG_RF);
    } else {
        s->rip = (uint32_t)s->gpr[R_CX];
        x86_set_rflags(c, FLAG_IF, FLAG_IF);
    }
    s->seg[SEG_CS] = flat((uint16_t)((base + (to64 ? 16 : 0)) | 3), true, 3, to64);
    s->seg[SEG_SS] = flat((uint16_t)((base + 8) | 3), false, 3, false);
    x86_set_cpl(c, 3);
    return 0;
}

static bool sysenter_legal(struct x86_cpu *c)
{
    return !(x86_long(c) && !x86_model_is_intel(c->model));    /* AMD: legacy mode only */
}

static uint64_t sys_sysenter(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_state *s = &c->s;
    bool lm = x86_long(c);
    if (!sysenter_legal(c))
        return ud(c);
    if (!(s->cr0 & CR0_PE) || !(s->sysenter_cs & 0xfffc))
        return gp0(c);
    uint16_t cs = s->sysenter_cs & 0xfffc;
    x86_set_rflags(c, 0, FLAG_VM | FLAG_IF | FLAG_RF);
    s->gpr[R_SP] = lm ? s->sysenter_esp : (uint32_t)s->sysenter_esp;
    s->rip = lm ? s->sysenter_eip : (uint32_t)s->sysenter_eip;
    s->seg[SEG_CS] = flat(cs, true, 0, lm);
    s->seg[SEG_SS] = flat((uint16_t)(cs + 8), false, 0, false);
    x86_set_cpl(c, 0);
    return 0;
}

static uint64_t sys_sysexit(struct vcpu *v, uint64_t osz)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_state *s = &c->s;
    if (!sysenter_legal(c))
        return ud(c);
    if (!(s->cr0 & CR0_PE) || s->cpl || !(s->sysenter_cs & 0xfffc))
        return gp0(c);
    bool to64 = osz == 8;
    if (to64 && (!x86_canonical(s->gpr[R_CX]) || !x86_canonical(s->gpr[R_DX])))
        return gp0(c);
    uint16_t cs = s->sysenter_cs & 0xfffc;
    s->seg[SEG_CS] = flat((uint16_t)((cs + (to64 ? 32 : 16)) | 3), true, 3, to64);
    s->seg[SEG_SS] = flat((uint16_t)((cs + (to64 ? 40 : 24)) | 3), false, 3, false);
    s->gpr[R_SP] = to64 ? s->gpr[R_CX] : (uint32_t)s->gpr[R_CX];
    s->rip = to64 ? s->gpr[R_DX] : (uint32_t)s->gpr[R_DX];
    x86_set_cpl(c, 3);
    return 0;
}

static uint64_t sys_swapgs(struct vcpu *v)
{
    struct x86_state *s = &x86_of(v)->s;
    uint64_t base = s->seg[SEG_GS].base;
    s->seg[SEG_GS].base = s->kernel_gs_base;
    s->kernel_gs_base = base;
    return 0;
}

/* ---- MSRs, clocks, identity --------------------------------------------------------------------------------- */

static void put_edx_eax(struct x86_cpu *c, uint64_t v)
{
    c->s.gpr[R_AX] = (uint32_t)v;
    c->s.gpr[R_DX] = v >> 32;
}

static uint64_t sys_rdmsr(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t value;
    if (!x86_rdmsr(c, (uint32_t)c->s.gpr[R_CX], &value))
        return gp0(c);
    put_edx_eax(c, value);
    return 0;
}

static uint64_t sys_wrmsr(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t value = c->s.gpr[R_DX] << 32 | (uint32_t)c->s.gpr[R_AX];
    if (!x86_wrmsr(c, (uint32_t)c->s.gpr[R_CX], value))
        return gp0(c);
    return 0;
}

static uint64_t sys_rdtsc(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    if (c->s.cr4 & CR4_TSD && c->s.cpl)
        return gp0(c);
    put_edx_eax(c, x86_read_tsc(c));
    return 0;
}

static uint64_t sys_rdtscp(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    if (c->s.cr4 & CR4_TSD && c->s.cpl)
        return gp0(c);
    put_edx_eax(c, x86_read_tsc(c));
    c->s.gpr[R_CX] = (uint32_t)c->s.tsc_aux;
    return 0;
}

/* There are no performance counters. */
static uint64_t sys_rdpmc(struct vcpu *v) { return gp0(x86_of(v)); }
static uint64_t sys_rdpid(struct vcpu *v) { return x86_of(v)->s.tsc_aux; }

static uint64_t sys_cpuid(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    uint32_t r[4];
    x86_cpuid(c, (uint32_t)c->s.gpr[R_AX], (uint32_t)c->s.gpr[R_CX], r);
    c->s.gpr[R_AX] = r[0];
    c->s.gpr[R_BX] = r[1];
    c->s.gpr[R_CX] = r[2];
    c->s.gpr[R_DX] = r[3];
    return 0;
}

static uint64_t sys_monitor(struct vcpu *v, uint64_t at, uint64_t osz)
{
    uint64_t value;
    (void)osz;
    vcpu_load(v, at, 1, x86_data_mode(x86_of(v)), 0, &value);
    return 0;
}

/* MWAIT sleeps until an interrupt, or a moment: waking for no reason is allowed, so it wakes at once. */
static uint64_t sys_mwait(struct vcpu *v)
{
    (void)v;
    return 0;
}

/* xoroshiro-like generator on the logged seed; its state is the CPU's. */
static uint64_t sys_rdrand(struct vcpu *v)
{
    uint64_t *r = x86_of(v)->s.rng;
    uint64_t a = r[0], b = r[1] ^ a, out = a + r[1];
    r[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
    r[1] = b << 37 | b >> 27;
    out = (out ^ out >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    return out ^ out >> 29;
}

static uint64_t sys_xgetbv(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    uint32_t n = (uint32_t)c->s.gpr[R_CX];
    if (!(c->s.cr4 & CR4_OSXSAVE))
        return ud(c);
    if (n > 1 || (n == 1 && !x86_has(c->features, F_XGETBV1)))
        return gp0(c);
    put_edx_eax(c, n ? c->s.xcr0 & x86_xinuse(c) : c->s.xcr0);
    return 0;
}

static uint64_t sys_xsetbv(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t value = c->s.gpr[R_DX] << 32 | (uint32_t)c->s.gpr[R_AX];
    uint64_t known = XSAVE_X87 | XSAVE_SSE | (x86_has(c->features, F_AVX) ? XSAVE_AVX : 0);
    if (!(c->s.cr4 & CR4_OSXSAVE))
        return ud(c);
    if ((uint32_t)c->s.gpr[R_CX] || value & ~known || !(value & XSAVE_X87) ||
        ((value & XSAVE_AVX) && !(value & XSAVE_SSE)))
        return gp0(c);
    c->s.xcr0 = value;
    x86_update_mode(c);
    return 0;
}

static uint64_t set_ac(struct x86_cpu *c, bool on)
{
    c->s.rflags = on ? c->s.rflags | FLAG_AC : c->s.rflags & ~(uint64_t)FLAG_AC;
    x86_update_mode(c);
    return 0;
}

static uint64_t sys_clac(struct vcpu *v) { return set_ac(x86_of(v), false); }
static uint64_t sys_stac(struct vcpu *v) { return set_ac(x86_of(v), true); }

/* ---- port I/O -------------------------------------------------------------------------------------------------- */

/* IOPL, else the TSS's bitmap (SDM vol. 1, 19.5.2). */
static bool io_allowed(struct x86_cpu *c, uint64_t port, unsigned size)
{
    const struct x86_segment *tr = &c->s.seg[SEG_TR];
    uint64_t map, bits;
    if (!(c->s.cr0 & CR0_PE) || (!vm86(c) && c->s.cpl <= iopl(c)))
        return true;
    unsigned mode = x86_system_mode(c);
    if ((tr->attr & ATTR_TYPE) < 9 || tr->limit < 0x67)
        goto denied;
    if (!vcpu_load(&c->v, tr->base + 0x66, 2, mode, 0, &map))
        return false;
    if (map + port / 8 + 1 > tr->limit)
        goto denied;
    if (!vcpu_load(&c->v, tr->base + map + port / 8, 2, mode, 0, &bits))
        return false;
    if (!(bits >> (port & 7) & mask64(size)))
        return true;
denied:
    x86_fault(c, EXC_GP, 0);
    return false;
}

static uint64_t sys_in(struct vcpu *v, uint64_t port, uint64_t size)
{
    struct x86_cpu *c = x86_of(v);
    port &= 0xffff;
    return io_allowed(c, port, (unsigned)size) ? space_load(v->io, port, (unsigned)size) : 0;
}

static uint64_t sys_out(struct vcpu *v, uint64_t port, uint64_t size, uint64_t value)
{
    struct x86_cpu *c = x86_of(v);
    port &= 0xffff;
    if (io_allowed(c, port, (unsigned)size))
        space_store(v->io, port, (unsigned)size, value);
    return 0;
}

static void advance(struct x86_cpu *c, unsigned reg, unsigned asz, uint64_t by)
{
    uint64_t m = mask64(8 * asz), *r = &c->s.gpr[reg], value = (*r + by) & m;
    *r = asz == 2 ? (*r & ~m) | value : value;
}

/* What: size, asz << 4, rep << 8, seg << 16.  Returns 1 when finished. */
static uint64_t string_io(struct vcpu *v, uint64_t what, bool in)
{
    struct x86_cpu *c = x86_of(v);
    unsigned size = what & 15, asz = what >> 4 & 15, rep = what >> 8 & 1, reg = in ? R_DI : R_SI;
    int seg = in ? SEG_ES : (int)(what >> 16 & 15);
    uint64_t linear, value, m = mask64(8 * asz), port = c->s.gpr[R_DX] & 0xffff;
    if (rep && !(c->s.gpr[R_CX] & m))
        return 1;
    if (!io_allowed(c, port, size) || !x86_seg_linear(c, seg, c->s.gpr[reg] & m, size, in, &linear))
        return 0;
    unsigned mode = x86_data_mode(c);
    if (in) {
        if (!vcpu_probe(v, linear, size, ACCESS_WRITE, mode))
            return 0;
        value = space_load(v->io, port, size);
        vcpu_store(v, linear, size, mode, value);
    } else {
        if (!vcpu_load(v, linear, size, mode, 0, &value))
            return 0;
        space_store(v->io, port, size, value);
    }
    advance(c, reg, asz, c->s.rflags & FLAG_DF ? (uint64_t)0 - size : size);
    if (rep)
        advance(c, R_CX, asz, UINT64_MAX);
    return !rep || !(c->s.gpr[R_CX] & m);
}

static uint64_t sys_ins(struct vcpu *v, uint64_t what) { return string_io(v, what, true); }
static uint64_t sys_outs(struct vcpu *v, uint64_t what) { return string_io(v, what, false); }

/* ---- the table ---------------------------------------------------------------------------------------------------- */

#define ALL (HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES | HELPER_MEMORY)
#define H0(id, fn, ret) [id] = { #fn, 0, ALL, ret, { 0 }, { .f0 = fn } }
#define H1(id, fn, ret) [id] = { #fn, 1, ALL, ret, { IR_X }, { .f1 = fn } }
#define H2(id, fn, ret) [id] = { #fn, 2, ALL, ret, { IR_X, IR_X }, { .f2 = fn } }
#define H3(id, fn, ret) [id] = { #fn, 3, ALL, ret, { IR_X, IR_X, IR_X }, { .f3 = fn } }

const struct ir_helper x86_sys_helpers[SYS_COUNT] = {
    H1(SYS_LLDT, sys_lldt, IR_VOID), H1(SYS_LTR, sys_ltr, IR_VOID), H1(SYS_VERR, sys_verr, IR_VOID),
    H1(SYS_VERW, sys_verw, IR_VOID), H1(SYS_LMSW, sys_lmsw, IR_VOID), H0(SYS_CLTS, sys_clts, IR_VOID),
    H2(SYS_LGDT, sys_lgdt, IR_VOID), H2(SYS_LIDT, sys_lidt, IR_VOID), H2(SYS_SGDT, sys_sgdt, IR_VOID),
    H2(SYS_SIDT, sys_sidt, IR_VOID), H2(SYS_INVLPG, sys_invlpg, IR_VOID), H2(SYS_INVPCID, sys_invpcid, IR_VOID),
    H0(SYS_WBINVD, sys_wbinvd, IR_VOID), H0(SYS_HLT, sys_hlt, IR_VOID), H0(SYS_CLI, sys_cli, IR_VOID),
    H0(SYS_STI, sys_sti, IR_VOID), H0(SYS_RDMSR, sys_rdmsr, IR_VOID), H0(SYS_WRMSR, sys_wrmsr, IR_VOID),
    H0(SYS_RDTSC, sys_rdtsc, IR_VOID), H0(SYS_RDTSCP, sys_rdtscp, IR_VOID), H0(SYS_RDPMC, sys_rdpmc, IR_VOID),
    H0(SYS_RDPID, sys_rdpid, IR_X), H0(SYS_CPUID, sys_cpuid, IR_VOID), H0(SYS_SYSCALL, sys_syscall, IR_VOID),
    H1(SYS_SYSRET, sys_sysret, IR_VOID), H0(SYS_SYSENTER, sys_sysenter, IR_VOID),
    H1(SYS_SYSEXIT, sys_sysexit, IR_VOID), H0(SYS_SWAPGS, sys_swapgs, IR_VOID),
    H2(SYS_MONITOR, sys_monitor, IR_VOID), H0(SYS_MWAIT, sys_mwait, IR_VOID), H0(SYS_RDRAND, sys_rdrand, IR_X),
    H0(SYS_XGETBV, sys_xgetbv, IR_VOID), H0(SYS_XSETBV, sys_xsetbv, IR_VOID), H0(SYS_CLAC, sys_clac, IR_VOID),
    H0(SYS_STAC, sys_stac, IR_VOID), H2(SYS_LOAD_SEG, sys_load_seg, IR_VOID),
    H2(SYS_MOV_TO_CR, sys_mov_to_cr, IR_VOID), H1(SYS_MOV_FROM_CR, sys_mov_from_cr, IR_X),
    H2(SYS_MOV_TO_DR, sys_mov_to_dr, IR_VOID), H1(SYS_MOV_FROM_DR, sys_mov_from_dr, IR_X),
    H3(SYS_FAR_JUMP, sys_far_jump, IR_VOID), H3(SYS_FAR_CALL, sys_far_call, IR_VOID),
    H2(SYS_FAR_RET, sys_far_ret, IR_VOID), H1(SYS_IRET, sys_iret, IR_VOID), H2(SYS_INT, sys_int, IR_VOID),
    H0(SYS_INT1, sys_int1, IR_VOID), H1(SYS_PUSHF, sys_pushf, IR_X), H2(SYS_POPF, sys_popf, IR_VOID),
    H2(SYS_IN, sys_in, IR_X), H3(SYS_OUT, sys_out, IR_VOID), H1(SYS_INS, sys_ins, IR_W), H1(SYS_OUTS, sys_outs, IR_W),
    H2(SYS_LAR, sys_lar, IR_X), H2(SYS_LSL, sys_lsl, IR_X), H2(SYS_ARPL, sys_arpl, IR_X),
};
