/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EFLAGS, HLT, software interrupts and far transfers. */
#include "guest/x86/flags.h"
#include "guest/x86/interrupt.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"
#include "guest/x86/sys.h"

static bool virtual_if(const struct x86_cpu *c)
{
    if (x86_vm86(c))
        return c->s.cr4 & CR4_VME;
    return c->s.cr0 & CR0_PE && c->s.cr4 & CR4_PVI && c->s.cpl == 3;
}

uint64_t sys_hlt(struct vcpu *v)
{
    x86_of(v)->s.halted = 1;
    return 0;
}

uint64_t sys_cli(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    bool allowed = !(c->s.cr0 & CR0_PE) || (x86_vm86(c) ? x86_iopl(c) == 3 : c->s.cpl <= x86_iopl(c));
    if (allowed)
        c->s.rflags &= ~(uint64_t)FLAG_IF;
    else if (virtual_if(c))
        c->s.rflags &= ~(uint64_t)FLAG_VIF;
    else
        return sys_gp0(c);
    return 0;
}

uint64_t sys_sti(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    bool allowed = !(c->s.cr0 & CR0_PE) || (x86_vm86(c) ? x86_iopl(c) == 3 : c->s.cpl <= x86_iopl(c));
    if (allowed) {
        if (!(c->s.rflags & FLAG_IF))
            c->s.shadow = X86_SHADOW_STI;
        c->s.rflags |= FLAG_IF;
    } else if (virtual_if(c) && !(c->s.rflags & FLAG_VIP)) {
        c->s.rflags |= FLAG_VIF;
    } else {
        return sys_gp0(c);
    }
    return 0;
}

/* The value PUSHF pushes; v86 with IOPL below 3 needs VME. */
uint64_t sys_pushf(struct vcpu *v, uint64_t osz)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t f = x86_get_rflags(c) & ~(uint64_t)(FLAG_VM | FLAG_RF);
    if (x86_vm86(c) && x86_iopl(c) < 3) {
        if (osz != 2 || !(c->s.cr4 & CR4_VME))
            return sys_gp0(c);
        f = (f & ~(uint64_t)FLAG_IF) | (c->s.rflags & FLAG_VIF ? FLAG_IF : 0) | FLAG_IOPL;
    }
    return f;
}

/* Returns whether the block is to be left for good: interrupts are on that were off, or the mode is another. */
uint64_t sys_popf(struct vcpu *v, uint64_t value, uint64_t osz)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t before = c->s.rflags;
    uint64_t mask = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;
    if (osz > 2)
        mask |= FLAG_AC | FLAG_ID;
    if (x86_vm86(c) && x86_iopl(c) < 3) {
        if (osz != 2 || !(c->s.cr4 & CR4_VME) || value & FLAG_TF || (value & FLAG_IF && c->s.rflags & FLAG_VIP))
            return sys_gp0(c);
        x86_set_rflags(c, value & FLAG_IF ? FLAG_VIF : 0, FLAG_VIF);
    } else if (x86_vm86(c)) {
        mask |= FLAG_IF;
    } else {
        if (!(c->s.cr0 & CR0_PE) || c->s.cpl <= x86_iopl(c))
            mask |= FLAG_IF;
        if (c->s.cpl == 0)
            mask |= FLAG_IOPL;
    }
    x86_set_rflags(c, value, mask);
    c->s.rflags &= ~(uint64_t)FLAG_RF;
    uint64_t changed = before ^ c->s.rflags;
    if (changed & ~(uint64_t)(FLAG_IF | FLAG_DF | FLAG_NT | FLAG_ID))
        x86_update_mode(c);
    return changed & ~(uint64_t)(FLAG_IF | FLAG_DF | FLAG_NT | FLAG_ID) || changed & c->s.rflags & FLAG_IF;
}

/*
 * VME: a clear bit in the TSS's redirection map, the 32 bytes before the I/O map, sends INT n through
 * the task's own IVT (SDM vol. 3, 20.3.3).
 */
static bool redirected(struct x86_cpu *c, uint64_t vector, bool *yes)
{
    const struct x86_segment *tr = &c->s.seg[SEG_TR];
    uint64_t map, byte, at;
    *yes = false;
    if (!(c->s.cr4 & CR4_VME) || tr->limit < 0x67)
        return true;
    if (!vcpu_load(&c->v, tr->base + 0x66, 2, x86_system_mode(c), 0, &map))
        return false;
    at = map - 32 + vector / 8;
    if (at > tr->limit)
        return true;
    if (!vcpu_load(&c->v, tr->base + at, 1, x86_system_mode(c), 0, &byte))
        return false;
    *yes = !(byte >> (vector & 7) & 1);
    return true;
}

uint64_t sys_int(struct vcpu *v, uint64_t vector, uint64_t is_int_n)
{
    struct x86_cpu *c = x86_of(v);
    if (is_int_n && x86_vm86(c)) {
        bool yes;
        if (!redirected(c, vector, &yes))
            return 0;
        if (yes)
            return x86_v86_interrupt(c, (unsigned)vector);
        if (x86_iopl(c) < 3)
            return sys_gp0(c);
    }
    x86_deliver_software(c, (unsigned)vector, EVENT_SOFTWARE);
    return 0;
}

uint64_t sys_int1(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    x86_deliver_software(c, EXC_DB, EVENT_ICEBP);
    return 0;
}

uint64_t sys_iret(struct vcpu *v, uint64_t osz)
{
    x86_iret(x86_of(v), (unsigned)osz);
    return 0;
}

uint64_t sys_far_jump(struct vcpu *v, uint64_t selector, uint64_t offset, uint64_t osz)
{
    x86_far_jump(x86_of(v), (uint16_t)selector, offset, (unsigned)osz);
    return 0;
}

uint64_t sys_far_call(struct vcpu *v, uint64_t selector, uint64_t offset, uint64_t osz)
{
    x86_far_call(x86_of(v), (uint16_t)selector, offset, (unsigned)osz);
    return 0;
}

uint64_t sys_far_ret(struct vcpu *v, uint64_t osz, uint64_t extra)
{
    x86_far_return(x86_of(v), (unsigned)osz, (unsigned)extra);
    return 0;
}
