/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between APICs: destinations, delivery modes, IPIs (SDM vol. 3, 10.6). */
#include "dev/apic_impl.h"

static bool matches(const struct apic *a, uint32_t dest, bool logical)
{
    if (!apic_enabled(a))
        return false;
    if (apic_x2(a)) {
        if (dest == UINT32_MAX || (dest == 0xff && !logical))
            return true;
        uint32_t ldr = (a->s.id & 0xffff0) << 12 | 1u << (a->s.id & 15);
        return logical ? dest >> 16 == ldr >> 16 && dest & ldr & 0xffff : dest == a->s.id;
    }
    if (!logical)
        return dest == 0xff || dest == a->s.id || dest == UINT32_MAX;
    uint8_t mda = (uint8_t)dest, id = (uint8_t)(a->s.ldr >> 24);
    if (a->s.dfr >> 28 == 15)
        return mda & id;
    return (mda == 0xff) || (mda >> 4 == id >> 4 && mda & id & 15);
}

static void deliver(struct apic *a, enum apic_delivery mode, uint8_t vector, bool level)
{
    switch (mode) {
    case APIC_FIXED:
    case APIC_LOWEST:
        apic_accept(a, vector, level);
        break;
    case APIC_NMI:
        x86_cpu_set_irq(a->cpu, X86_IRQ_NMI, true);
        break;
    case APIC_INIT:
        apic_init_reset(a);
        x86_cpu_set_irq(a->cpu, X86_IRQ_INIT, true);
        break;
    case APIC_SIPI:
        x86_cpu_sipi(a->cpu, vector);
        break;
    case APIC_EXTINT:
        apic_set_extint(a, true);
        break;
    default:
        break;
    }
}

/* Lowest priority: the smallest processor priority, ties to the lowest APIC id: deterministic. */
static struct apic *arbitrate(struct apic_bus *bus, uint32_t dest, bool logical)
{
    struct apic *best = NULL;
    for (unsigned i = 0; i < bus->n; i++) {
        struct apic *a = bus->apic[i];
        if (matches(a, dest, logical) && a->s.svr & SPURIOUS_ENABLE && (!best || apic_ppr(a) < apic_ppr(best)))
            best = a;
    }
    return best;
}

void apic_bus_send(struct apic_bus *bus, uint32_t dest, bool logical, enum apic_delivery mode, uint8_t vector,
                   bool level)
{
    if (mode == APIC_LOWEST) {
        struct apic *a = arbitrate(bus, dest, logical);
        if (a)
            deliver(a, APIC_FIXED, vector, level);
        return;
    }
    for (unsigned i = 0; i < bus->n; i++)
        if (matches(bus->apic[i], dest, logical))
            deliver(bus->apic[i], mode, vector, level);
}

void apic_send_ipi(struct apic *a, uint32_t low, uint32_t dest)
{
    enum apic_delivery mode = (enum apic_delivery)(low >> 8 & 7);
    uint8_t vector = (uint8_t)low;
    bool level = low >> 15 & 1, assert_ = low >> 14 & 1;
    if (mode == APIC_INIT && level && !assert_)
        return;                           /* INIT level de-assert: arbitration ids only */
    if ((mode == APIC_FIXED || mode == APIC_LOWEST) && vector < 16) {
        a->s.esr_pending |= 1 << 5;       /* send illegal vector */
        apic_local(a, LVT_ERROR);
        return;
    }
    switch (low >> 18 & 3) {
    case 0:
        apic_bus_send(a->bus, dest, low >> 11 & 1, mode, vector, false);
        break;
    case 1:
        deliver(a, mode, vector, false);
        break;
    default:
        for (unsigned i = 0; i < a->bus->n; i++)
            if (a->bus->apic[i] != a || (low >> 18 & 3) == 2)
                deliver(a->bus->apic[i], mode, vector, false);
    }
}
