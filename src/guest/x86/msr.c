/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Model-specific registers (SDM vol. 4; AMD APM vol. 2, appendix A). */
#include "guest/x86/msr.h"

#include "guest/x86/cpuid.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"

/* Registers that are plain storage. */
static uint64_t *plain(struct x86_cpu *c, uint32_t msr)
{
    struct x86_state *s = &c->s;
    if (msr >= 0x200 && msr < 0x210)
        return msr & 1 ? &s->mtrr_mask[(msr - 0x200) / 2] : &s->mtrr_base[(msr - 0x200) / 2];
    if (msr >= 0x400 && msr < 0x428)
        return &s->mc_bank[msr - 0x400];
    switch (msr) {
    case 0x174:
        return &s->sysenter_cs;
    case 0x175:
        return &s->sysenter_esp;
    case 0x176:
        return &s->sysenter_eip;
    case 0x17a:
        return &s->mcg_status;
    case 0x17b:
        return &s->mcg_ctl;
    case 0x1a0:
        return &s->misc_enable;
    case 0x250:
        return &s->mtrr_fixed[0];
    case 0x258:
    case 0x259:
        return &s->mtrr_fixed[1 + msr - 0x258];
    case 0x268: case 0x269: case 0x26a: case 0x26b: case 0x26c: case 0x26d: case 0x26e: case 0x26f:
        return &s->mtrr_fixed[3 + msr - 0x268];
    case 0x277:
        return &s->pat;
    case 0x2ff:
        return &s->mtrr_def_type;
    case 0xc0000081:
        return &s->star;
    case 0xc0000082:
        return &s->lstar;
    case 0xc0000083:
        return &s->cstar;
    case 0xc0000084:
        return &s->fmask;
    case 0xc0000100:
        return &s->seg[SEG_FS].base;
    case 0xc0000101:
        return &s->seg[SEG_GS].base;
    case 0xc0000102:
        return &s->kernel_gs_base;
    case 0xc0000103:
        return &s->tsc_aux;
    default:
        return NULL;
    }
}

/* Read as fixed values, writes ignored: identification and power registers that kernels look at. */
static bool constant(const struct x86_cpu *c, uint32_t msr, uint64_t *value)
{
    (void)c;
    switch (msr) {
    case 0xfe:                 /* MTRRCAP: 8 variable, fixed, write-combining */
        *value = 8 | 1 << 8 | 1 << 10;
        return true;
    case 0x179:                /* MCG_CAP: 10 banks, MCG_CTL */
        *value = 10 | 1 << 8;
        return true;
    case 0x8b:                 /* microcode revision */
        *value = UINT64_C(0x100000000);
        return true;
    case 0x17:                 /* platform id */
    case 0x2a:
    case 0x79:
    case 0xcd:
    case 0xce:
    case 0x140:
    case 0x19a:
    case 0x19b:
    case 0x19c:
    case 0x1d9:
    case 0x1db:
    case 0x1dc:
    case 0x611:
    case 0x606:
    case 0x639:
    case 0x641:
    case 0x619:
    case 0xc0010010:           /* SYSCFG */
    case 0xc0010015:           /* HWCR */
    case 0xc0010055:           /* interrupt pending message */
    case 0xc0010112:
    case 0xc0010113:
    case 0xc0010117:
    case 0xc0011020:
    case 0xc0011022:
    case 0xc0011023:
    case 0xc0011029:
    case 0xc001102a:
        *value = 0;
        return true;
    case 0x198:                /* performance status */
        *value = UINT64_C(0x1000) << 32 | 1000;
        return true;
    default:
        return false;
    }
}

bool x86_rdmsr(struct x86_cpu *c, uint32_t msr, uint64_t *value)
{
    uint64_t *p = plain(c, msr);
    if (p) {
        *value = *p;
        return true;
    }
    if (msr >= 0x800 && msr < 0x900)
        return c->apic && c->apic->x2_read(c->apic_opaque, msr, value);
    switch (msr) {
    case 0x10:
        *value = x86_read_tsc(c);
        return true;
    case 0x3b:
        *value = c->s.tsc_offset;
        return true;
    case 0x1b:
        *value = c->s.apic_base;
        return true;
    case 0x3a:                 /* feature control: locked */
        *value = 1;
        return true;
    case 0x6e0:
        *value = c->apic ? c->apic->get_tsc_deadline(c->apic_opaque) : 0;
        return true;
    case 0xc0000080:
        *value = c->s.efer;
        return true;
    default:
        if (constant(c, msr, value))
            return true;
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

static bool pat_valid(uint64_t v)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned t = v >> 8 * i & 0xff;
        if (t > 7 || t == 2 || t == 3)
            return false;
    }
    return true;
}

bool x86_wrmsr(struct x86_cpu *c, uint32_t msr, uint64_t value)
{
    uint64_t ignored, *p = plain(c, msr);
    bool address = msr == 0xc0000082 || msr == 0xc0000083 || (msr >= 0xc0000100 && msr <= 0xc0000102) || msr == 0x175 ||
                   msr == 0x176;
    if (address && !x86_canonical(value))
        return false;
    if (msr == 0x277 && !pat_valid(value))
        return false;
    if (p) {
        *p = msr == 0xc0000084 ? (uint32_t)value : value;
        return true;
    }
    if (msr >= 0x800 && msr < 0x900)
        return c->apic && c->apic->x2_write(c->apic_opaque, msr, value);
    switch (msr) {
    case 0x10:
        c->s.tsc_offset += value - x86_read_tsc(c);
        return true;
    case 0x3b:
        c->s.tsc_offset = value;
        return true;
    case 0x1b:
        if (value & ~UINT64_C(0xffffffffd00) || (!x86_has(c->features, F_X2APIC) && value & 1 << 10))
            return false;
        c->s.apic_base = (value & ~UINT64_C(0x100)) | (c->s.apic_base & 0x100);
        if (c->apic)
            c->apic->set_base(c->apic_opaque, c->s.apic_base);
        return true;
    case 0x6e0:
        if (c->apic)
            c->apic->set_tsc_deadline(c->apic_opaque, value);
        return true;
    case 0xc0000080:
        return write_efer(c, value);
    default:
        if (constant(c, msr, &ignored))
            return true;
    }
    sink_printf(sim_sink(c->v.sim), SINK_GUEST, "CPU %u: WRMSR of unknown register 0x%x = 0x%llx", c->v.index, msr,
                (unsigned long long)value);
    return false;
}
