/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control and debug registers, XCR0, and what invalidates translations. */
#include "guest/x86/cpuid.h"
#include "guest/x86/interrupt.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"
#include "guest/x86/sys.h"
#include "guest/x86/x87.h"

static bool pae_walk(const struct x86_state *s) { return s->cr0 & CR0_PG && s->cr4 & CR4_PAE && !(s->efer & EFER_LMA); }

static uint64_t write_cr0(struct x86_cpu *c, uint64_t value)
{
    struct x86_state *s = &c->s;
    if (value >> 32)
        return sys_gp0(c);
    uint64_t old = s->cr0, known = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW |
                                   CR0_CD | (uint64_t)CR0_PG;
    value = (value & known) | CR0_ET;
    if ((value & CR0_PG && !(value & CR0_PE)) || (value & CR0_NW && !(value & CR0_CD)))
        return sys_gp0(c);
    bool paging_on = value & CR0_PG && !(old & CR0_PG);
    if (paging_on && s->efer & EFER_LME && (!(s->cr4 & CR4_PAE) || s->seg[SEG_CS].attr & ATTR_L))
        return sys_gp0(c);
    if (!(value & CR0_PG) && old & CR0_PG && (c->mode_flags & MODE_CS64 || s->cr4 & CR4_PCIDE))
        return sys_gp0(c);
    if (paging_on && !(s->efer & EFER_LME) && s->cr4 & CR4_PAE && !x86_load_pdptes(c))
        return sys_gp0(c);
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
        if (value & ~mask64(X86_MAXPHYADDR))
            return sys_gp0(c);
    } else {
        value = (uint32_t)value;
    }
    uint64_t old = s->cr3;
    s->cr3 = value;
    if (pae_walk(s) && !x86_load_pdptes(c)) {
        s->cr3 = old;
        return sys_gp0(c);
    }
    x86_mmu_context(c);
    return 0;
}

/* A bit of CR4 exists with the feature that it switches (SDM vol. 3, 2.5). */
static uint64_t known_cr4(const struct x86_cpu *c)
{
    static const struct {
        uint32_t bits;
        uint16_t feature;
    } with[] = {
        { CR4_VME | CR4_PVI, F_VME }, { CR4_TSD, F_TSC }, { CR4_DE, F_DE }, { CR4_PSE, F_PSE }, { CR4_PAE, F_PAE },
        { CR4_MCE, F_MCE }, { CR4_PGE, F_PGE }, { CR4_OSFXSR, F_FXSR }, { CR4_OSXMMEXCPT, F_SSE }, { CR4_UMIP, F_UMIP },
        { CR4_FSGSBASE, F_FSGSBASE }, { CR4_PCIDE, F_PCID }, { CR4_OSXSAVE, F_XSAVE }, { CR4_SMEP, F_SMEP },
        { CR4_SMAP, F_SMAP },
    };
    uint64_t known = CR4_PCE;
    for (size_t i = 0; i < ARRAY_LEN(with); i++)
        known |= x86_has(c->features, with[i].feature) ? with[i].bits : 0;
    return known;
}

static uint64_t write_cr4(struct x86_cpu *c, uint64_t value)
{
    struct x86_state *s = &c->s;
    uint64_t old = s->cr4, changed = old ^ value;
    if (value & ~known_cr4(c) || (x86_long(c) && !(value & CR4_PAE)))
        return sys_gp0(c);
    if (value & CR4_PCIDE && !(old & CR4_PCIDE) && (!x86_long(c) || s->cr3 & 0xfff))
        return sys_gp0(c);
    s->cr4 = value;
    if (pae_walk(s) && changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP) && !x86_load_pdptes(c)) {
        s->cr4 = old;
        return sys_gp0(c);
    }
    x86_mmu_context(c);
    x86_update_mode(c);
    return 0;
}

uint64_t sys_mov_to_cr(struct vcpu *v, uint64_t n, uint64_t value)
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
            return sys_gp0(c);
        c->s.cr8 = value;
        if (c->apic)
            c->apic->set_tpr(c->apic_opaque, (uint8_t)value);
        return 0;
    default:
        return sys_ud(c);
    }
}

uint64_t sys_mov_from_cr(struct vcpu *v, uint64_t n)
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
        return sys_ud(c);
    }
}

/* DR4 and DR5 are DR6 and DR7 (with CR4.DE they do not exist); DR7.GD makes every access #DB. */
static bool dr_access(struct x86_cpu *c, uint64_t *n)
{
    if (*n == 4 || *n == 5)
        *n += 2;
    if (c->s.dr[7] & 1 << 13) {
        x86_raise_debug(c, 1 << 13, EVENT_FAULT);
        c->v.exit = EXIT_EXCEPTION;
        return false;
    }
    return true;
}

uint64_t sys_mov_to_dr(struct vcpu *v, uint64_t n, uint64_t value)
{
    struct x86_cpu *c = x86_of(v);
    if (!dr_access(c, &n))
        return 0;
    if (n >= 6 && value >> 32)
        return sys_gp0(c);
    if (n == 6)
        value = (value & 0xe00f) | 0xffff0ff0;
    if (n == 7)
        value = (value & 0xffff27ff) | 0x400;
    c->s.dr[n] = value;
    x86_update_mode(c);
    return 0;
}

uint64_t sys_mov_from_dr(struct vcpu *v, uint64_t n)
{
    struct x86_cpu *c = x86_of(v);
    return dr_access(c, &n) ? c->s.dr[n] : 0;
}

uint64_t sys_lmsw(struct vcpu *v, uint64_t value)
{
    struct x86_cpu *c = x86_of(v);
    return write_cr0(c, (c->s.cr0 & ~UINT64_C(14)) | (value & 15));
}

uint64_t sys_clts(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    c->s.cr0 &= ~(uint64_t)CR0_TS;
    x86_update_mode(c);
    return 0;
}

/* The TLB always agrees with the page tables: there is nothing to invalidate. */
uint64_t sys_invlpg(struct vcpu *v, uint64_t at, uint64_t osz)
{
    (void)v;
    (void)at;
    (void)osz;
    return 0;
}

uint64_t sys_invpcid(struct vcpu *v, uint64_t at, uint64_t type)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t pcid, address;
    unsigned mode = x86_data_mode(c);
    if (!vcpu_load(v, at, 8, mode, 0, &pcid) || !vcpu_load(v, at + 8, 8, mode, 0, &address))
        return 0;
    if (type > 3 || pcid >> 12 || (type < 2 && pcid && !(c->s.cr4 & CR4_PCIDE)) ||
        (type == 0 && !x86_canonical(address)))
        return sys_gp0(c);
    return 0;
}

uint64_t sys_wbinvd(struct vcpu *v)
{
    (void)v;
    return 0;
}

uint64_t sys_xgetbv(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    uint32_t n = (uint32_t)c->s.gpr[R_CX];
    if (!(c->s.cr4 & CR4_OSXSAVE))
        return sys_ud(c);
    if (n > 1 || (n == 1 && !x86_has(c->features, F_XGETBV1)))
        return sys_gp0(c);
    sys_put_edx_eax(c, n ? c->s.xcr0 & x86_xinuse(c) : c->s.xcr0);
    return 0;
}

uint64_t sys_xsetbv(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t value = c->s.gpr[R_DX] << 32 | (uint32_t)c->s.gpr[R_AX];
    uint64_t known = XSAVE_X87 | XSAVE_SSE | (x86_has(c->features, F_AVX) ? XSAVE_AVX : 0);
    if (!(c->s.cr4 & CR4_OSXSAVE))
        return sys_ud(c);
    if (c->s.cpl || (uint32_t)c->s.gpr[R_CX] || value & ~known || !(value & XSAVE_X87) ||
        ((value & XSAVE_AVX) && !(value & XSAVE_SSE)))
        return sys_gp0(c);
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

uint64_t sys_clac(struct vcpu *v) { return set_ac(x86_of(v), false); }
uint64_t sys_stac(struct vcpu *v) { return set_ac(x86_of(v), true); }
