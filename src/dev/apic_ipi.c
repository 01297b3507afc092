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

static bool deliver(struct apic *a, enum apic_delivery mode, uint8_t vector, bool level)
{
    if (!apic_enabled(a))
        return false;
    switch (mode) {
    case APIC_FIXED:
    case APIC_LOWEST:
        return apic_accept(a, vector, level);
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
        a->s.extint_message = 1;
        apic_update(a);
        break;
    default:
        return false;                     /* SMI: there is no system management mode; reserved */
    }
    return true;
}

/* Whom a message is for: a destination field, or a shorthand of the sender's. */
enum shorthand { SHORT_NONE, SHORT_SELF, SHORT_ALL, SHORT_OTHERS };
struct target {
    uint32_t dest;
    bool logical;
    enum shorthand shorthand;
    const struct apic *sender;
};

static bool addressed(const struct apic *a, const struct target *t)
{
    switch (t->shorthand) {
    case SHORT_SELF:
        return a == t->sender;
    case SHORT_ALL:
        return true;
    case SHORT_OTHERS:
        return a != t->sender;
    default:
        return matches(a, t->dest, t->logical);
    }
}

/* Lowest priority: the smallest processor priority, ties to the lowest place on the bus: deterministic. */
static struct apic *arbitrate(struct apic_bus *bus, const struct target *t)
{
    struct apic *best = NULL;
    for (unsigned i = 0; i < bus->n; i++) {
        struct apic *a = bus->apic[i];
        if (addressed(a, t) && apic_enabled(a) && a->s.svr & SPURIOUS_ENABLE && (!best || apic_ppr(a) < apic_ppr(best)))
            best = a;
    }
    return best;
}

static bool send(struct apic_bus *bus, const struct target *t, enum apic_delivery mode, uint8_t vector, bool level)
{
    bool accepted = false;
    if (mode == APIC_LOWEST) {
        struct apic *a = arbitrate(bus, t);
        return a && deliver(a, APIC_FIXED, vector, level);
    }
    for (unsigned i = 0; i < bus->n; i++)
        if (addressed(bus->apic[i], t))
            accepted |= deliver(bus->apic[i], mode, vector, level);
    return accepted;
}

bool apic_bus_send(struct apic_bus *bus, uint32_t dest, bool logical, enum apic_delivery mode, uint8_t vector,
                   bool level)
{
    struct target t = { .dest = dest, .logical = logical };
    return send(bus, &t, mode, vector, level);
}

void apic_send_ipi(struct apic *a, uint32_t low, uint32_t dest)
{
    enum apic_delivery mode = (enum apic_delivery)(low >> 8 & 7);
    uint8_t vector = (uint8_t)low;
    bool level = low >> 15 & 1, assert_ = low >> 14 & 1;
    if (mode == APIC_INIT && level && !assert_)
        return;                           /* INIT level de-assert: arbitration ids only */
    if ((mode == APIC_FIXED || mode == APIC_LOWEST) && vector < 16) {
        apic_error(a, ESR_SEND_ILLEGAL);
        return;
    }
    struct target t = { dest, low >> 11 & 1, (enum shorthand)(low >> 18 & 3), a };
    send(a->bus, &t, mode, vector, false);
}
