/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/acpi_pm.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 u128;

enum { PM1_STATUS = 0, PM1_ENABLE = 2, PM1_CONTROL = 4, PM_TIMER = 8 };
enum { STS_TIMER = 1, STS_POWER_BUTTON = 1 << 8, STS_RTC = 1 << 10, STS_WAKE = 1 << 15 };
enum { CNT_SCI_EN = 1, CNT_SLP_TYP = 10, CNT_SLP_EN = 1 << 13 };
enum { SMI_CMD_PORT = 0xb2, GPE0_PORT = 0xafe0, ENABLE_ACPI = 0xf1, DISABLE_ACPI = 0xf0 };

struct pm_state {
    uint16_t status, enable, control, pad;
    uint64_t overflow;            /* number of MSB changes of the timer already reported */
    uint8_t gpe[4], smi_command, smi_data, pad2[2];
};

static const struct state_field fields[] = {
    STATE_UINT(struct pm_state, status),      STATE_UINT(struct pm_state, enable),
    STATE_UINT(struct pm_state, control),     STATE_PAD(struct pm_state, pad),
    STATE_UINT(struct pm_state, overflow),    STATE_ARRAY(struct pm_state, gpe, uint8_t),
    STATE_UINT(struct pm_state, smi_command), STATE_UINT(struct pm_state, smi_data),
    STATE_PAD(struct pm_state, pad2),
};
static STATE_DESC(pm_desc, struct pm_state, 1, fields);

struct acpi_pm {
    struct pm_state s;
    struct sim *sim;
    struct irq sci;
    struct sim_timer timer;
    struct space_map *map;
    void (*power_off)(void *opaque);
    void *opaque;
};

static uint64_t ticks(const struct acpi_pm *p) { return (uint64_t)((u128)sim_now(p->sim) * PM_TIMER_HZ / NS_PER_SEC); }

/* TMR_STS is set whenever bit 23 changes (ACPI 6.4, 4.8.3.1.1). */
static void catch_up(struct acpi_pm *p)
{
    uint64_t changes = ticks(p) >> 23;
    if (changes != p->s.overflow)
        p->s.status |= STS_TIMER;
    p->s.overflow = changes;
}

static void update(struct acpi_pm *p)
{
    bool raise = p->s.control & CNT_SCI_EN && p->s.status & p->s.enable & (STS_TIMER | STS_POWER_BUTTON | STS_RTC);
    irq_set(&p->sci, raise);
    timer_cancel(&p->timer);
    if (p->s.enable & STS_TIMER && !(p->s.status & STS_TIMER)) {
        uint64_t next = (p->s.overflow + 1) << 23;
        timer_arm(&p->timer, (uint64_t)(((u128)next * NS_PER_SEC + PM_TIMER_HZ - 1) / PM_TIMER_HZ));
    }
}

static void fired(void *opaque)
{
    catch_up(opaque);
    update(opaque);
}

static uint64_t pm_read(void *opaque, uint64_t addr, unsigned size)
{
    struct acpi_pm *p = opaque;
    uint8_t regs[16] = { 0 };
    catch_up(p);
    store_le(regs + PM1_STATUS, 2, p->s.status);
    store_le(regs + PM1_ENABLE, 2, p->s.enable);
    store_le(regs + PM1_CONTROL, 2, p->s.control);
    store_le(regs + PM_TIMER, 4, ticks(p) & 0xffffff);
    return addr + size <= sizeof regs ? load_le(regs + addr, size) : 0;
}

/* SCI_EN is the SMI command port's; SLP_EN reads as 0. */
static void write_control(struct acpi_pm *p, uint16_t v)
{
    p->s.control = (uint16_t)((v & ~(CNT_SLP_EN | CNT_SCI_EN)) | (p->s.control & CNT_SCI_EN));
    if (v & CNT_SLP_EN && (v >> CNT_SLP_TYP & 7) == 0)
        p->power_off(p->opaque);
}

/* Byte by byte, since any width is allowed (4.8.1). */
static void pm_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct acpi_pm *p = opaque;
    uint8_t control[2];
    bool controls = false;
    catch_up(p);
    store_le(control, 2, p->s.control);
    for (unsigned i = 0; i < size; i++) {
        uint64_t at = addr + i;
        uint16_t byte = (uint8_t)(value >> 8 * i), shift = 8 * (at & 1);
        if (at < PM1_ENABLE) {
            p->s.status &= (uint16_t)~(byte << shift);
        } else if (at < PM1_CONTROL) {
            p->s.enable = (uint16_t)((p->s.enable & ~(0xff << shift)) | byte << shift);
        } else if (at < PM1_CONTROL + 2) {
            control[at & 1] = (uint8_t)byte;
            controls = true;
        }
    }
    if (controls)
        write_control(p, (uint16_t)load_le(control, 2));
    update(p);
}

static uint64_t gpe_read(void *opaque, uint64_t addr, unsigned size)
{
    (void)size;
    return ((struct acpi_pm *)opaque)->s.gpe[addr & 3];
}

static void gpe_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct acpi_pm *p = opaque;
    (void)size;
    if (addr < 2)
        p->s.gpe[addr] &= (uint8_t)~value;
    else
        p->s.gpe[addr & 3] = (uint8_t)value;
}

static uint64_t smi_read(void *opaque, uint64_t addr, unsigned size)
{
    struct acpi_pm *p = opaque;
    (void)size;
    return addr ? p->s.smi_data : p->s.smi_command;
}

static void smi_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct acpi_pm *p = opaque;
    (void)size;
    if (addr) {
        p->s.smi_data = (uint8_t)value;
        return;
    }
    p->s.smi_command = (uint8_t)value;
    if (value == ENABLE_ACPI)
        p->s.control |= CNT_SCI_EN;
    if (value == DISABLE_ACPI)
        p->s.control &= (uint16_t)~CNT_SCI_EN;
    update(p);
}

static const struct io_ops pm_ops = { pm_read, pm_write, 1, 4 };
static const struct io_ops gpe_ops = { gpe_read, gpe_write, 1, 1 };
static const struct io_ops smi_ops = { smi_read, smi_write, 1, 1 };

void acpi_pm_map(struct acpi_pm *p, uint16_t base, bool enabled)
{
    if (base)
        space_map_move(p->map, base);
    space_map_enable(p->map, enabled && base);
}

void acpi_pm_power_button(struct acpi_pm *p)
{
    p->s.status |= STS_POWER_BUTTON;
    update(p);
}

void acpi_pm_reset(struct acpi_pm *p)
{
    p->s = (struct pm_state){ .overflow = ticks(p) >> 23 };
    update(p);
}

struct acpi_pm *acpi_pm_new(struct sim *sim, struct space *io, struct irq sci, void (*power_off)(void *opaque),
                            void *opaque)
{
    struct acpi_pm *p = NEW(struct acpi_pm);
    p->sim = sim;
    p->sci = sci;
    p->power_off = power_off;
    p->opaque = opaque;
    state_set_add(sim_state(sim), "acpi_pm", &pm_desc, &p->s, NULL, NULL, NULL);
    timer_init(&p->timer, sim, SIM_CLOCK_VIRTUAL, "acpi_pm", fired, p);
    p->map = space_map_io(io, "pm", 0x600, 64, 1, &pm_ops, p);
    space_map_enable(p->map, false);
    space_map_io(io, "gpe0", GPE0_PORT, 4, 0, &gpe_ops, p);
    space_map_io(io, "smi", SMI_CMD_PORT, 2, 0, &smi_ops, p);
    acpi_pm_reset(p);
    return p;
}

void acpi_pm_free(struct acpi_pm *p) { free(p); }
