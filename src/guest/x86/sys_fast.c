/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fast system calls: SYSCALL, SYSENTER, and their returns. */
#include "guest/x86/flags.h"
#include "guest/x86/mode.h"
#include "guest/x86/model.h"
#include "guest/x86/segment.h"
#include "guest/x86/sys.h"

static struct x86_segment flat(uint16_t selector, bool code, unsigned dpl, bool l)
{
    struct x86_segment s = { .limit = UINT32_MAX, .selector = selector };
    s.attr = ATTR_P | ATTR_S | ATTR_RW | ATTR_ACCESSED | ATTR_G | dpl << ATTR_DPL_SHIFT;
    s.attr |= code ? ATTR_CODE : 0;
    s.attr |= l ? ATTR_L : ATTR_DB;
    return s;
}

uint64_t sys_syscall(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_state *s = &c->s;
    if (!(s->efer & EFER_SCE) || !(s->cr0 & CR0_PE) || (x86_model_is_intel(c->model) && !(c->mode_flags & MODE_CS64)))
        return sys_ud(c);
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

uint64_t sys_sysret(struct vcpu *v, uint64_t osz)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_state *s = &c->s;
    if (!(s->efer & EFER_SCE) || (x86_model_is_intel(c->model) && !(c->mode_flags & MODE_CS64)))
        return sys_ud(c);
    if (!(s->cr0 & CR0_PE) || s->cpl)
        return sys_gp0(c);
    uint16_t base = s->star >> 48 & 0xffff;
    bool to64 = osz == 8;
    if (x86_long(c)) {
        if (to64 && x86_model_is_intel(c->model) && !x86_canonical(s->gpr[R_CX]))
            return sys_gp0(c);
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

uint64_t sys_sysenter(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_state *s = &c->s;
    bool lm = x86_long(c);
    if (!sysenter_legal(c))
        return sys_ud(c);
    if (!(s->cr0 & CR0_PE) || !(s->sysenter_cs & 0xfffc))
        return sys_gp0(c);
    uint16_t cs = s->sysenter_cs & 0xfffc;
    x86_set_rflags(c, 0, FLAG_VM | FLAG_IF | FLAG_RF);
    s->gpr[R_SP] = lm ? s->sysenter_esp : (uint32_t)s->sysenter_esp;
    s->rip = lm ? s->sysenter_eip : (uint32_t)s->sysenter_eip;
    s->seg[SEG_CS] = flat(cs, true, 0, lm);
    s->seg[SEG_SS] = flat((uint16_t)(cs + 8), false, 0, false);
    x86_set_cpl(c, 0);
    return 0;
}

uint64_t sys_sysexit(struct vcpu *v, uint64_t osz)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_state *s = &c->s;
    if (s->cpl)
        return sys_gp0(c);
    if (!sysenter_legal(c))
        return sys_ud(c);
    if (!(s->cr0 & CR0_PE) || !(s->sysenter_cs & 0xfffc))
        return sys_gp0(c);
    bool to64 = osz == 8;
    if (to64 && (!x86_canonical(s->gpr[R_CX]) || !x86_canonical(s->gpr[R_DX])))
        return sys_gp0(c);
    uint16_t cs = s->sysenter_cs & 0xfffc;
    s->seg[SEG_CS] = flat((uint16_t)((cs + (to64 ? 32 : 16)) | 3), true, 3, to64);
    s->seg[SEG_SS] = flat((uint16_t)((cs + (to64 ? 40 : 24)) | 3), false, 3, false);
    s->gpr[R_SP] = to64 ? s->gpr[R_CX] : (uint32_t)s->gpr[R_CX];
    s->rip = to64 ? s->gpr[R_DX] : (uint32_t)s->gpr[R_DX];
    x86_set_cpl(c, 3);
    return 0;
}
