/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC's registers, priorities and local vectors. */
#include "dev/apic.h"

#include <stdio.h>
#include <stdlib.h>

#include "dev/apic_impl.h"

static const struct state_field fields[] = {
#define U(f) STATE_UINT(struct apic_state, f)
#define ARR(f) STATE_ARRAY(struct apic_state, f, uint32_t)
    U(id), U(ldr), U(dfr), U(svr), U(tpr), U(esr), U(esr_pending), ARR(icr), ARR(lvt), U(timer_initial),
    U(timer_divide), ARR(isr), ARR(tmr), ARR(irr), U(extint), U(extint_message), U(base),
    U(timer_start), U(tsc_deadline),
#undef U
#undef ARR
};
static STATE_DESC(apic_desc, struct apic_state, 2, fields);

/* ---- priorities (10.8.3) ----------------------------------------------------------------------- */

unsigned apic_ppr(const struct apic *a)
{
    int isr = apic_highest(a->s.isr);
    unsigned isrv = isr < 0 ? 0 : (unsigned)isr & 0xf0;
    return (a->s.tpr & 0xf0) >= isrv ? a->s.tpr & 0xff : isrv;
}

static int deliverable(const struct apic *a)
{
    int irr = apic_highest(a->s.irr);
    return irr >= 0 && ((unsigned)irr & 0xf0) > (apic_ppr(a) & 0xf0) ? irr : -1;
}

static bool extint_accepted(const struct apic *a)
{
    uint32_t lint0 = a->s.lvt[LVT_LINT0];
    if (!apic_enabled(a))
        return true;
    return !(lint0 & LVT_MASKED) && (lint0 >> 8 & 7) == APIC_EXTINT;
}

void apic_update(struct apic *a)
{
    bool fixed = apic_enabled(a) && a->s.svr & SPURIOUS_ENABLE && deliverable(a) >= 0;
    bool ext = a->s.extint_message || (a->s.extint && extint_accepted(a));
    x86_cpu_set_irq(a->cpu, X86_IRQ_INTR, fixed || ext);
}

/* A new error raises the error interrupt; the ESR shows it after software's next write to it (10.5.3). */
void apic_error(struct apic *a, uint32_t bit)
{
    if (a->s.esr_pending & bit)
        return;
    a->s.esr_pending |= bit;
    apic_local(a, LVT_ERROR);
}

bool apic_accept(struct apic *a, uint8_t vector, bool level)
{
    if (!(a->s.svr & SPURIOUS_ENABLE))
        return false;
    if (vector < 16) {
        apic_error(a, ESR_RECEIVED_ILLEGAL);
        return true;
    }
    apic_set_bit(a->s.irr, vector);
    if (level)
        apic_set_bit(a->s.tmr, vector);
    else
        apic_clear_bit(a->s.tmr, vector);
    apic_update(a);
    return true;
}

/* LINT pins may be level triggered: then remote IRR holds the next request back until the EOI. */
void apic_local(struct apic *a, unsigned n)
{
    uint32_t lvt = a->s.lvt[n];
    bool level = (n == LVT_LINT0 || n == LVT_LINT1) && lvt & LVT_LEVEL;
    if (lvt & LVT_MASKED)
        return;
    switch (lvt >> 8 & 7) {
    case APIC_FIXED:
        if (level && lvt & LVT_REMOTE_IRR)
            break;
        if (level)
            a->s.lvt[n] |= LVT_REMOTE_IRR;
        apic_accept(a, (uint8_t)lvt, level);
        break;
    case APIC_NMI:
        x86_cpu_set_irq(a->cpu, X86_IRQ_NMI, true);
        break;
    default:
        break;
    }
}

void apic_set_extint(struct apic *a, bool level)
{
    bool rises = level && !a->s.extint;
    a->s.extint = level;
    if (apic_enabled(a) && (rises || (level && a->s.lvt[LVT_LINT0] & LVT_LEVEL)))
        apic_local(a, LVT_LINT0);
    apic_update(a);
}

/* INTA: fixed interrupts first, then the 8259's. */
static int take_vector(void *opaque)
{
    struct apic *a = opaque;
    int v = apic_enabled(a) && a->s.svr & SPURIOUS_ENABLE ? deliverable(a) : -1;
    if (v >= 0) {
        apic_clear_bit(a->s.irr, (unsigned)v);
        apic_set_bit(a->s.isr, (unsigned)v);
        apic_update(a);
        return v;
    }
    if (a->s.extint_message || (a->s.extint && extint_accepted(a))) {
        a->s.extint_message = 0;
        v = pic_acknowledge(a->pic);
        apic_update(a);
        return v;
    }
    apic_update(a);
    return apic_enabled(a) && a->s.svr & SPURIOUS_ENABLE ? (int)(a->s.svr & 0xff) : -1;
}

static void end_of_interrupt(struct apic *a)
{
    int v = apic_highest(a->s.isr);
    if (v < 0)
        return;
    apic_clear_bit(a->s.isr, (unsigned)v);
    if (apic_test_bit(a->s.tmr, (unsigned)v)) {
        if (a->s.lvt[LVT_LINT0] & LVT_REMOTE_IRR && (uint8_t)a->s.lvt[LVT_LINT0] == v) {
            a->s.lvt[LVT_LINT0] &= ~(uint32_t)LVT_REMOTE_IRR;
            if (a->s.extint)
                apic_local(a, LVT_LINT0);
        }
        if (a->bus->eoi)
            a->bus->eoi(a->bus->eoi_opaque, (uint8_t)v);
    }
    apic_update(a);
}

/* ---- registers (table 10-1; offset >> 4) --------------------------------------------------------------- */

enum { REG_ID = 0x02, REG_VERSION = 0x03, REG_TPR = 0x08, REG_APR = 0x09, REG_PPR = 0x0a, REG_EOI = 0x0b,
       REG_LDR = 0x0d, REG_DFR = 0x0e, REG_SVR = 0x0f, REG_ISR = 0x10, REG_TMR = 0x18, REG_IRR = 0x20, REG_ESR = 0x28,
       REG_CMCI = 0x2f, REG_ICR0 = 0x30, REG_ICR1 = 0x31, REG_LVT = 0x32, REG_TICR = 0x38, REG_TCCR = 0x39,
       REG_TDCR = 0x3e, REG_SELF = 0x3f };
enum { VERSION = 0x14 | (LVT_COUNT - 2) << 16 };

static uint32_t read_reg(struct apic *a, unsigned reg)
{
    const struct apic_state *s = &a->s;
    if (reg >= REG_ISR && reg < REG_ISR + 8)
        return s->isr[reg - REG_ISR];
    if (reg >= REG_TMR && reg < REG_TMR + 8)
        return s->tmr[reg - REG_TMR];
    if (reg >= REG_IRR && reg < REG_IRR + 8)
        return s->irr[reg - REG_IRR];
    if (reg >= REG_LVT && reg < REG_LVT + 6)
        return s->lvt[LVT_TIMER + reg - REG_LVT];
    switch (reg) {
    case REG_ID:
        return apic_x2(a) ? s->id : s->id << 24;
    case REG_VERSION:
        return VERSION;
    case REG_TPR:
        return s->tpr;
    case REG_PPR:
        return apic_ppr(a);
    case REG_LDR:
        return apic_x2(a) ? (s->id & 0xffff0) << 12 | 1u << (s->id & 15) : s->ldr;
    case REG_DFR:
        return s->dfr;
    case REG_SVR:
        return s->svr;
    case REG_ESR:
        return s->esr;
    case REG_CMCI:
        return s->lvt[LVT_CMCI];
    case REG_ICR0:
        return s->icr[0];
    case REG_ICR1:
        return s->icr[1];
    case REG_TICR:
        return s->timer_initial;
    case REG_TCCR:
        return apic_timer_count(a);
    case REG_TDCR:
        return s->timer_divide;
    case REG_APR:
    case REG_EOI:
        return 0;
    default:
        apic_error(a, ESR_ILLEGAL_REGISTER);
        return 0;
    }
}

static void write_lvt(struct apic *a, unsigned n, uint32_t v)
{
    static const uint32_t valid[LVT_COUNT] = { 0x107ff, 0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff };
    v &= valid[n];
    if (!(a->s.svr & SPURIOUS_ENABLE))
        v |= LVT_MASKED;
    uint32_t old = a->s.lvt[n];
    if (v & LVT_LEVEL)
        v |= old & LVT_REMOTE_IRR;
    a->s.lvt[n] = v;
    if (n == LVT_TIMER)
        apic_timer_mode_written(a, old);
    if (n == LVT_LINT0 && a->s.extint && v & LVT_LEVEL && apic_enabled(a))
        apic_local(a, LVT_LINT0);
    apic_update(a);
}

/* Version 0x14 has neither focus processors (bit 9) nor a switch for the EOI broadcast (bit 12). */
static void write_svr(struct apic *a, uint32_t v)
{
    a->s.svr = v & (SPURIOUS_ENABLE | 0xff);
    if (!(v & SPURIOUS_ENABLE))
        for (unsigned i = 0; i < LVT_COUNT; i++)
            a->s.lvt[i] |= LVT_MASKED;
    apic_update(a);
}

static void write_reg(struct apic *a, unsigned reg, uint32_t v)
{
    struct apic_state *s = &a->s;
    if (reg >= REG_LVT && reg < REG_LVT + 6) {
        write_lvt(a, LVT_TIMER + reg - REG_LVT, v);
        return;
    }
    switch (reg) {
    case REG_ID:
        s->id = v >> 24;
        break;
    case REG_TPR:
        s->tpr = v & 0xff;
        apic_update(a);
        break;
    case REG_EOI:
        end_of_interrupt(a);
        break;
    case REG_LDR:
        s->ldr = v & 0xff000000;
        break;
    case REG_DFR:
        s->dfr = v | 0x0fffffff;
        break;
    case REG_SVR:
        write_svr(a, v);
        break;
    case REG_ESR:
        s->esr = s->esr_pending;
        s->esr_pending = 0;
        break;
    case REG_CMCI:
        write_lvt(a, LVT_CMCI, v);
        break;
    case REG_ICR0:
        s->icr[0] = v & ~(1u << 12);
        apic_send_ipi(a, v, s->icr[1] >> 24);
        break;
    case REG_ICR1:
        s->icr[1] = v & 0xff000000;
        break;
    case REG_TICR:
        apic_timer_start(a, v);
        break;
    case REG_TDCR:
        apic_timer_divide(a, v & 11);
        break;
    case REG_VERSION:
    case REG_PPR:
    case REG_APR:
    case REG_TCCR:
        break;                           /* read-only */
    default:
        if (reg < REG_ISR || reg >= REG_IRR + 8)
            apic_error(a, ESR_ILLEGAL_REGISTER);
    }
}

/* Every CPU sees its own registers at the same address: the access is the running vCPU's. */
static struct apic *accessed(struct apic *any)
{
    for (unsigned i = 0; i < any->bus->n; i++)
        if (any->bus->apic[i]->cpu->v.pos.in_block)
            return any->bus->apic[i];
    return any;
}

static uint64_t mmio_read(void *opaque, uint64_t addr, unsigned size)
{
    struct apic *a = accessed(opaque);
    (void)size;
    return addr & 15 || apic_x2(a) || !apic_enabled(a) ? 0 : read_reg(a, (unsigned)addr >> 4);
}

static void mmio_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct apic *a = accessed(opaque);
    (void)size;
    if (!(addr & 15) && !apic_x2(a) && apic_enabled(a))
        write_reg(a, (unsigned)addr >> 4, (uint32_t)value);
}

static const struct io_ops mmio_ops = { mmio_read, mmio_write, 4, 4 };

/* ---- what the CPU asks ------------------------------------------------------------------------------------ */

static uint64_t get_base(void *opaque) { return ((struct apic *)opaque)->s.base; }

static void set_base(void *opaque, uint64_t value)
{
    struct apic *a = opaque;
    a->s.base = value;
    if (a->map)
        space_map_move(a->map, value & ~UINT64_C(0xfff) & mask64(40));
    if (!(value >> 11 & 1))
        apic_init_reset(a);
    apic_update(a);
}

static uint8_t get_tpr(void *opaque) { return (uint8_t)(((struct apic *)opaque)->s.tpr >> 4); }

static void set_tpr(void *opaque, uint8_t cr8)
{
    struct apic *a = opaque;
    a->s.tpr = (uint32_t)cr8 << 4;
    apic_update(a);
}

static bool x2_legal(const struct apic *a, unsigned reg, bool write)
{
    if (!apic_x2(a) || reg == REG_DFR || reg == REG_ICR1 || reg == REG_APR)
        return false;
    if (write)
        return reg == REG_TPR || reg == REG_EOI || reg == REG_SVR || reg == REG_ESR || reg == REG_CMCI ||
               reg == REG_ICR0 || (reg >= REG_LVT && reg <= REG_TICR) || reg == REG_TDCR || reg == REG_SELF;
    return reg == REG_ID || reg == REG_VERSION || reg == REG_TPR || reg == REG_PPR || reg == REG_LDR ||
           reg == REG_SVR || (reg >= REG_ISR && reg <= REG_ESR) || reg == REG_CMCI || reg == REG_ICR0 ||
           (reg >= REG_LVT && reg <= REG_TCCR) || reg == REG_TDCR;
}

static bool x2_read(void *opaque, uint32_t msr, uint64_t *value)
{
    struct apic *a = opaque;
    unsigned reg = msr - 0x800;
    if (!x2_legal(a, reg, false))
        return false;
    *value = reg == REG_ICR0 ? (uint64_t)a->s.icr[1] << 32 | a->s.icr[0] : read_reg(a, reg);
    return true;
}

static bool x2_write(void *opaque, uint32_t msr, uint64_t value)
{
    struct apic *a = opaque;
    unsigned reg = msr - 0x800;
    if (!x2_legal(a, reg, true))
        return false;
    if (reg == REG_ICR0) {
        a->s.icr[0] = (uint32_t)value;
        a->s.icr[1] = (uint32_t)(value >> 32);
        apic_send_ipi(a, (uint32_t)value, (uint32_t)(value >> 32));
        return true;
    }
    if (value >> 32 || ((reg == REG_EOI || reg == REG_ESR) && value))
        return false;
    if (reg == REG_SELF)
        apic_accept(a, (uint8_t)value, false);
    else
        write_reg(a, reg, (uint32_t)value);
    return true;
}

static const struct x86_apic_ops cpu_ops = { take_vector, get_base, set_base, get_tpr, set_tpr, x2_read, x2_write,
                                             apic_set_tsc_deadline, apic_get_tsc_deadline };

/* ---- life ---------------------------------------------------------------------------------------------------- */

void apic_init_reset(struct apic *a)
{
    struct apic_state *s = &a->s;
    uint32_t id = s->id, extint = s->extint;
    uint64_t base = s->base;
    timer_cancel(&a->timer);
    *s = (struct apic_state){ .id = id, .base = base, .extint = extint, .dfr = UINT32_MAX, .svr = 0xff };
    for (unsigned i = 0; i < LVT_COUNT; i++)
        s->lvt[i] = LVT_MASKED;
    apic_update(a);
}

void apic_reset(struct apic *a)
{
    a->s.id = a->cpu->v.index;
    a->s.base = a->cpu->s.apic_base;
    a->s.extint = 0;
    apic_init_reset(a);
    if (a->map)
        space_map_move(a->map, 0xfee00000);
}

void apic_firmware_setup(struct apic *a)
{
    a->s.svr = SPURIOUS_ENABLE | 0xff;
    a->s.lvt[LVT_LINT0] = APIC_EXTINT << 8;
    a->s.lvt[LVT_LINT1] = APIC_NMI << 8;
}

static void loaded(void *opaque)
{
    struct apic *a = opaque;
    if (a->map)
        space_map_move(a->map, a->s.base & ~UINT64_C(0xfff) & mask64(40));
}

struct apic *apic_new(struct sim *sim, struct x86_cpu *cpu, struct apic_bus *bus, struct space *mem, struct pic *pic)
{
    struct apic *a = NEW(struct apic);
    char name[16];
    a->sim = sim;
    a->cpu = cpu;
    a->bus = bus;
    a->pic = pic;
    require(bus->n < ARRAY_LEN(bus->apic));
    snprintf(name, sizeof name, "apic%u", cpu->v.index);
    state_set_add(sim_state(sim), name, &apic_desc, &a->s, NULL, loaded, a);
    apic_timer_init(a, name);
    if (bus->n == 0)
        a->map = space_map_io(mem, "lapic", 0xfee00000, 0x1000, 1, &mmio_ops, a);
    bus->apic[bus->n++] = a;
    cpu->apic = &cpu_ops;
    cpu->apic_opaque = a;
    apic_reset(a);
    return a;
}

void apic_free(struct apic *a) { free(a); }
