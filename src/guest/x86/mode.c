/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/x86/mode.h"

#include "guest/x86/segment.h"

static bool whole(const struct x86_segment *s)
{
    uint32_t want = ATTR_P | ATTR_S | ATTR_RW;
    return s->limit == UINT32_MAX && (s->attr & (want | ATTR_CODE | ATTR_UNUSABLE | ATTR_DC)) == want;
}

static bool flat_data(const struct x86_segment *s) { return s->base == 0 && whole(s); }

static unsigned mmu_mode(const struct x86_state *s)
{
    if (!(s->cr0 & CR0_PG))
        return MMU_PHYS;
    if (s->cpl == 3)
        return MMU_USER;
    return s->cr4 & CR4_SMAP && !(s->rflags & FLAG_AC) ? MMU_KERNEL_SMAP : MMU_KERNEL;
}

static uint64_t segment_flags(const struct x86_state *s, bool real)
{
    uint64_t f = 0;
    bool mode64 = s->efer & EFER_LMA && s->seg[SEG_CS].attr & ATTR_L;
    if (mode64)
        return MODE_CS64 | MODE_SS32 | MODE_FLAT_DATA | MODE_FLAT_SS;
    if (s->seg[SEG_CS].attr & ATTR_DB)
        f |= MODE_CS32;
    if (s->seg[SEG_SS].attr & ATTR_DB)
        f |= MODE_SS32;
    if (!real && flat_data(&s->seg[SEG_DS]) && flat_data(&s->seg[SEG_ES]))
        f |= MODE_FLAT_DATA;
    f |= !real && whole(&s->seg[SEG_FS]) ? MODE_WHOLE_FS : 0;
    f |= !real && s->cpl == 3 && whole(&s->seg[SEG_GS]) ? MODE_WHOLE_GS : 0;
    if (!real && flat_data(&s->seg[SEG_SS]))
        f |= MODE_FLAT_SS;
    if (s->seg[SEG_CS].limit != UINT32_MAX)
        f |= MODE_CS_LIMIT | (uint64_t)s->seg[SEG_CS].limit << MODE_LIMIT_SHIFT;
    if (s->seg[SEG_CS].base)
        f |= MODE_CS_BASE;
    return f;
}

void x86_update_mode(struct x86_cpu *c)
{
    const struct x86_state *s = &c->s;
    bool pe = s->cr0 & CR0_PE, vm = s->rflags & FLAG_VM;
    uint64_t f = segment_flags(s, !pe || vm);
    unsigned mmu = mmu_mode(s);
    f |= (pe ? MODE_PE : 0) | (vm ? MODE_VM86 : 0) | (s->efer & EFER_LMA ? MODE_LMA : 0);
    f |= (s->cr0 & CR0_TS ? MODE_TS : 0) | (s->cr0 & CR0_EM ? MODE_EM : 0) | (s->cr0 & CR0_MP ? MODE_MP : 0);
    f |= (s->cr4 & CR4_OSFXSR ? MODE_OSFXSR : 0) | (s->cr4 & CR4_UMIP ? MODE_UMIP : 0) |
         (s->cr4 & CR4_DE ? MODE_DE : 0) | (s->cr4 & CR4_FSGSBASE ? MODE_FSGSBASE : 0);
    if (s->cr4 & CR4_OSXSAVE && (s->xcr0 & (XSAVE_SSE | XSAVE_AVX)) == (XSAVE_SSE | XSAVE_AVX))
        f |= MODE_OSXSAVE;
    if (s->cr0 & CR0_AM && s->rflags & FLAG_AC && s->cpl == 3)
        f |= MODE_AC_CHECK;
    if (s->dr[7] & 0xff)
        f |= MODE_DEBUG;
    f |= (s->rflags >> 12 & 3) << MODE_IOPL_SHIFT | (uint64_t)s->cpl << MODE_CPL_SHIFT |
         (uint64_t)mmu << MODE_MMU_SHIFT;
    c->partial_gs = !pe || vm || !whole(&s->seg[SEG_GS]);
    c->mmu_mode = mmu;
    c->mode_flags = f;
}

/* Supervisor accesses made by the CPU itself ignore SMAP only with CPL below 3 and AC set; otherwise it applies. */
unsigned x86_system_mode(const struct x86_cpu *c)
{
    if (!(c->s.cr0 & CR0_PG))
        return MMU_PHYS;
    if (!(c->s.cr4 & CR4_SMAP))
        return MMU_KERNEL;
    return c->s.cpl < 3 && c->s.rflags & FLAG_AC ? MMU_KERNEL : MMU_KERNEL_SMAP;
}

unsigned x86_data_mode(const struct x86_cpu *c) { return c->mmu_mode; }
