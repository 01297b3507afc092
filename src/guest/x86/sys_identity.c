/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the CPU tells of itself and of time: MSRs, TSC, CPUID, random numbers, MONITOR. */
#include "guest/x86/cpuid.h"
#include "guest/x86/model.h"
#include "guest/x86/msr.h"
#include "guest/x86/segment.h"
#include "guest/x86/sys.h"

uint64_t sys_rdmsr(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t value;
    if (!x86_rdmsr(c, (uint32_t)c->s.gpr[R_CX], &value))
        return sys_gp0(c);
    sys_put_edx_eax(c, value);
    return 0;
}

uint64_t sys_wrmsr(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t value = c->s.gpr[R_DX] << 32 | (uint32_t)c->s.gpr[R_AX];
    if (!x86_wrmsr(c, (uint32_t)c->s.gpr[R_CX], value))
        return sys_gp0(c);
    return 0;
}

uint64_t sys_rdtsc(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    if (c->s.cr4 & CR4_TSD && c->s.cpl)
        return sys_gp0(c);
    sys_put_edx_eax(c, x86_read_tsc(c));
    return 0;
}

uint64_t sys_rdtscp(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    if (c->s.cr4 & CR4_TSD && c->s.cpl)
        return sys_gp0(c);
    sys_put_edx_eax(c, x86_read_tsc(c));
    c->s.gpr[R_CX] = (uint32_t)c->s.tsc_aux;
    return 0;
}

/* There are no performance counters. */
uint64_t sys_rdpmc(struct vcpu *v) { return sys_gp0(x86_of(v)); }
uint64_t sys_rdpid(struct vcpu *v) { return x86_of(v)->s.tsc_aux; }

uint64_t sys_cpuid(struct vcpu *v)
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

/* No extensions and no hints (CPUID 5): ECX must be 0. */
uint64_t sys_monitor(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    return (uint32_t)c->s.gpr[R_CX] ? sys_gp0(c) : 0;
}

/*
 * MWAIT sleeps until an interrupt, a store to the monitored line, or for no reason at all: the
 * architecture allows the last at any time, so that it wakes at once and no line need be watched.
 */
uint64_t sys_mwait(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    return (uint32_t)c->s.gpr[R_CX] ? sys_gp0(c) : 0;
}

/* xoroshiro-like generator on the logged seed; its state is the CPU's. */
uint64_t sys_rdrand(struct vcpu *v)
{
    uint64_t *r = x86_of(v)->s.rng;
    uint64_t a = r[0], b = r[1] ^ a, out = a + r[1];
    r[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
    r[1] = b << 37 | b >> 27;
    out = (out ^ out >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    return out ^ out >> 29;
}
