/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Model-specific registers (SDM vol. 4; AMD APM vol. 2, appendix A). */
#include "guest/x86/msr.h"

#include "guest/x86/cpuid.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"

/* What a register accepts; anything else is #GP. */
enum msr_check { MSR_ANY, MSR_CANONICAL, MSR_LOW32, MSR_PAT, MSR_MTRR_BASE, MSR_MTRR_MASK, MSR_MTRR_FIXED, MSR_MTRR_DEF,
                 MSR_BANK };

/* Registers that are plain storage: first, first + step .. last are consecutive words of the state. */
struct msr_row {
    uint32_t first, last, step;
    uint16_t feature;
    uint8_t check;
    uint32_t offset;
};

#define ONE(n, feature, check, field) { n, n, 1, feature, check, offsetof(struct x86_state, field) }
#define MANY(first, last, step, feature, check, field) \
    { first, last, step, feature, check, offsetof(struct x86_state, field) }

static const struct msr_row rows[] = {
    ONE(0xc0000100, F_LM, MSR_CANONICAL, seg[SEG_FS].base),      /* written at each switch between threads */
    ONE(0xc0000101, F_LM, MSR_CANONICAL, seg[SEG_GS].base),
    ONE(0xc0000102, F_LM, MSR_CANONICAL, kernel_gs_base),
    ONE(0x174, F_SEP, MSR_ANY, sysenter_cs),
    ONE(0x175, F_SEP, MSR_CANONICAL, sysenter_esp),
    ONE(0x176, F_SEP, MSR_CANONICAL, sysenter_eip),
    ONE(0x17a, F_MCA, MSR_ANY, mcg_status),
    ONE(0x17b, F_MCA, MSR_ANY, mcg_ctl),
    ONE(0x1a0, F_NONE, MSR_ANY, misc_enable),
    MANY(0x200, 0x20e, 2, F_MTRR, MSR_MTRR_BASE, mtrr_base),
    MANY(0x201, 0x20f, 2, F_MTRR, MSR_MTRR_MASK, mtrr_mask),
    ONE(0x250, F_MTRR, MSR_MTRR_FIXED, mtrr_fixed),
    MANY(0x258, 0x259, 1, F_MTRR, MSR_MTRR_FIXED, mtrr_fixed[1]),
    MANY(0x268, 0x26f, 1, F_MTRR, MSR_MTRR_FIXED, mtrr_fixed[3]),
    ONE(0x277, F_PAT, MSR_PAT, pat),
    ONE(0x2ff, F_MTRR, MSR_MTRR_DEF, mtrr_def_type),
    MANY(0x400, 0x427, 1, F_MCA, MSR_BANK, mc_bank),
    ONE(0xc0000081, F_SYSCALL, MSR_ANY, star),
    ONE(0xc0000082, F_LM, MSR_CANONICAL, lstar),
    ONE(0xc0000083, F_LM, MSR_CANONICAL, cstar),
    ONE(0xc0000084, F_LM, MSR_ANY, fmask),
    ONE(0xc0000103, F_RDTSCP, MSR_LOW32, tsc_aux),
};

static const struct msr_row *find(const struct x86_cpu *c, uint32_t msr)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (msr >= rows[i].first && msr <= rows[i].last && (msr - rows[i].first) % rows[i].step == 0)
            return x86_has(c->features, rows[i].feature) ? &rows[i] : NULL;
    return NULL;
}

static uint64_t *storage(struct x86_cpu *c, const struct msr_row *r, uint32_t msr)
{
    return (uint64_t *)(void *)((char *)&c->s + r->offset) + (msr - r->first) / r->step;
}

/* Uncacheable, write-combining, write-through, write-protected, write-back; PAT has UC- too. */
static bool memory_type(unsigned t, bool pat) { return t == 0 || t == 1 || (t >= 4 && t <= (pat ? 7 : 6)); }

static bool eight_types(uint64_t v, bool pat)
{
    for (unsigned i = 0; i < 8; i++)
        if (!memory_type(v >> 8 * i & 0xff, pat))
            return false;
    return true;
}

static bool accepts(const struct msr_row *r, uint32_t msr, uint64_t v)
{
    uint64_t beyond = ~mask64(X86_MAXPHYADDR);
    switch (r->check) {
    case MSR_CANONICAL:
        return x86_canonical(v);
    case MSR_LOW32:
        return !(v >> 32);
    case MSR_PAT:
        return eight_types(v, true);
    case MSR_MTRR_BASE:
        return !(v & (beyond | 0xf00)) && memory_type(v & 0xff, false);
    case MSR_MTRR_MASK:
        return !(v & (beyond | 0x7ff));
    case MSR_MTRR_FIXED:
        return eight_types(v, false);
    case MSR_MTRR_DEF:
        return !(v & ~UINT64_C(0xcff)) && memory_type(v & 0xff, false);
    case MSR_BANK:                /* a status register can only be cleared */
        return (msr & 3) != 1 || !v;
    default:
        return true;
    }
}

/* Identification and power registers that kernels look at: fixed values; writes do nothing, or are #GP. */
static const struct constant {
    uint32_t msr;
    bool read_only;
    uint64_t value;
} constants[] = {
    { 0xfe, true, 8 | 1 << 8 | 1 << 10 },        /* MTRRCAP: 8 variable, fixed, write-combining */
    { 0x179, true, 10 | 1 << 8 },                /* MCG_CAP: 10 banks, MCG_CTL */
    { 0x3a, false, 1 },                          /* feature control: locked */
    { 0x8b, false, UINT64_C(0x100000000) },      /* microcode revision */
    { 0x198, true, UINT64_C(0x1000) << 32 | 1000 },
    { 0xce, true, 0 },
    { 0x17, false, 0 },  { 0x2a, false, 0 },  { 0x79, false, 0 },  { 0xcd, false, 0 },  { 0x140, false, 0 },
    { 0x19a, false, 0 }, { 0x19b, false, 0 }, { 0x19c, false, 0 }, { 0x1d9, false, 0 }, { 0x1db, false, 0 },
    { 0x1dc, false, 0 }, { 0x606, false, 0 }, { 0x611, false, 0 }, { 0x619, false, 0 }, { 0x639, false, 0 },
    { 0x641, false, 0 },
    { 0xc0010010, false, 0 },                    /* SYSCFG */
    { 0xc0010015, false, 0 },                    /* HWCR */
    { 0xc0010055, false, 0 },                    /* interrupt pending message */
    { 0xc0010112, false, 0 }, { 0xc0010113, false, 0 }, { 0xc0010117, false, 0 }, { 0xc0011020, false, 0 },
    { 0xc0011022, false, 0 }, { 0xc0011023, false, 0 }, { 0xc0011029, false, 0 }, { 0xc001102a, false, 0 },
};

static const struct constant *find_constant(uint32_t msr)
{
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (constants[i].msr == msr)
            return &constants[i];
    return NULL;
}

bool x86_rdmsr(struct x86_cpu *c, uint32_t msr, uint64_t *value)
{
    const struct msr_row *r = find(c, msr);
    const struct constant *k = find_constant(msr);
    if (r) {
        *value = *storage(c, r, msr);
        return true;
    }
    if (msr >= 0x800 && msr < 0x900)
        return c->apic && c->apic->x2_read(c->apic_opaque, msr, value);
    switch (msr) {
    case 0x10:
        *value = x86_read_tsc(c);
        return true;
    case 0x1b:
        *value = c->s.apic_base;
        return true;
    case 0x6e0:
        *value = c->apic ? c->apic->get_tsc_deadline(c->apic_opaque) : 0;
        return x86_has(c->features, F_TSC_DEADLINE);
    case 0xc0000080:
        *value = c->s.efer;
        return true;
    default:
        if (k) {
            *value = k->value;
            return true;
        }
    }
    sink_printf(sim_sink(c->v.sim), SINK_GUEST, "CPU %u: RDMSR of unknown register 0x%x", c->v.index, msr);
    return false;
}

static bool write_efer(struct x86_cpu *c, uint64_t v)
{
    uint64_t known = 0;
    if (x86_has(c->features, F_SYSCALL))
        known |= EFER_SCE;
    if (x86_has(c->features, F_LM))
        known |= EFER_LME | EFER_LMA;
    if (x86_has(c->features, F_NX))
        known |= EFER_NXE;
    if (v & ~known || (c->s.cr0 & CR0_PG && (v ^ c->s.efer) & EFER_LME))
        return false;
    c->s.efer = (v & ~(uint64_t)EFER_LMA) | (c->s.efer & EFER_LMA);
    x86_mmu_context(c);
    x86_update_mode(c);
    return true;
}

/* SDM vol. 3, 10.12.5: x2APIC mode is entered from xAPIC mode and left only by disabling. */
static bool write_apic_base(struct x86_cpu *c, uint64_t v)
{
    enum { BSP = 1 << 8, EXTD = 1 << 10, EN = 1 << 11 };
    uint64_t old = c->s.apic_base, known = (mask64(X86_MAXPHYADDR) & ~mask64(12)) | BSP | EN;
    known |= x86_has(c->features, F_X2APIC) ? EXTD : 0;
    if (v & ~known || (v & EXTD && !(v & EN)) || (v & EXTD && !(old & EN)) || (old & EXTD && (v & (EN | EXTD)) == EN))
        return false;
    c->s.apic_base = (v & ~UINT64_C(0x100)) | (old & BSP);
    if (c->apic)
        c->apic->set_base(c->apic_opaque, c->s.apic_base);
    return true;
}

bool x86_wrmsr(struct x86_cpu *c, uint32_t msr, uint64_t value)
{
    const struct msr_row *r = find(c, msr);
    const struct constant *k = find_constant(msr);
    if (r) {
        if (!accepts(r, msr, value))
            return false;
        *storage(c, r, msr) = msr == 0xc0000084 ? (uint32_t)value : value;
        return true;
    }
    if (msr >= 0x800 && msr < 0x900)
        return c->apic && c->apic->x2_write(c->apic_opaque, msr, value);
    switch (msr) {
    case 0x10:
        c->s.tsc_offset += value - x86_read_tsc(c);
        return true;
    case 0x1b:
        return write_apic_base(c, value);
    case 0x6e0:
        if (x86_has(c->features, F_TSC_DEADLINE) && c->apic)
            c->apic->set_tsc_deadline(c->apic_opaque, value);
        return x86_has(c->features, F_TSC_DEADLINE);
    case 0xc0000080:
        return write_efer(c, value);
    default:
        if (k)
            return !k->read_only;
    }
    sink_printf(sim_sink(c->v.sim), SINK_GUEST, "CPU %u: WRMSR of unknown register 0x%x = 0x%llx", c->v.index, msr,
                (unsigned long long)value);
    return false;
}
