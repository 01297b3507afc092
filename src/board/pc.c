/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC (i440FX and PIIX3): wiring only. */
#include <stdio.h>
#include <stdlib.h>

#include "board/pc.h"
#include "guest/x86/cpuid.h"
#include "guest/x86/mode.h"

/* ---- interrupt lines ------------------------------------------------------------------------ */

/* A GSI reaches the 8259 and the I/O APIC; the 8254 is on pin 2 there. */
static void set_gsi(void *opaque, unsigned n, bool level)
{
    struct pc *pc = opaque;
    struct irq pic = pic_line(pc->pic, n);
    irq_set(&pic, level);
    ioapic_set_pin(pc->ioapic, n == 0 ? 2 : n, level);
}

static struct irq gsi(struct pc *pc, unsigned n) { return (struct irq){ set_gsi, pc, n }; }

/* The 8254 and the RTC are cut off while the HPET takes their lines. */
static void set_timer_gsi(void *opaque, unsigned n, bool level)
{
    struct pc *pc = opaque;
    if (!hpet_legacy(pc->hpet))
        set_gsi(pc, n, level);
}

/* The HPET's own routes name pins of the I/O APIC. */
static void set_hpet_pin(void *opaque, unsigned n, bool level)
{
    struct pc *pc = opaque;
    ioapic_set_pin(pc->ioapic, n, level);
}

static void pic_to_lint0(void *opaque, unsigned n, bool level)
{
    struct pc *pc = opaque;
    (void)n;
    if (pc->apic[0])
        apic_set_extint(pc->apic[0], level);
}

static void ferr(void *opaque, bool level) { set_gsi(opaque, 13, level); }

/* ---- ports of the chipset ---------------------------------------------------------------------- */

static uint64_t port92_read(void *opaque, uint64_t addr, unsigned size)
{
    struct pc *pc = opaque;
    (void)addr;
    (void)size;
    return pc->m->cpu[0]->s.a20 ? 2 : 0;
}

static void port92_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct pc *pc = opaque;
    (void)addr;
    (void)size;
    for (unsigned i = 0; i < pc->m->n_cpus; i++)
        x86_cpu_set_a20(pc->m->cpu[i], value & 2);
    if (value & 1)
        machine_request_reset(pc->m);
}

static void reset_control(void *opaque) { machine_request_reset(((struct pc *)opaque)->m); }
static bool get_a20(void *opaque) { return ((struct pc *)opaque)->m->cpu[0]->s.a20; }

static void set_a20(void *opaque, bool on)
{
    struct pc *pc = opaque;
    for (unsigned i = 0; i < pc->m->n_cpus; i++)
        x86_cpu_set_a20(pc->m->cpu[i], on);
}

static uint64_t post_read(void *opaque, uint64_t addr, unsigned size)
{
    (void)opaque;
    (void)addr;
    (void)size;
    return 0xff;
}

static void post_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    (void)opaque;
    (void)addr;
    (void)size;
    (void)value;
}

static void debug_exit(void *opaque, int status) { machine_request_exit(((struct pc *)opaque)->m, status); }

/* A crash kernel that is loaded will report for itself: the guest goes on. */
static void panic_reported(void *opaque, uint8_t events)
{
    struct pc *pc = opaque;
    struct machine *m = pc->m;
    bool panicked = events & PVPANIC_PANICKED;
    if (!(pc->panics_told & events))
        sink_printf(&m->config.sink, SINK_INFO, "the guest reported at position %llu that %s",
                    (unsigned long long)sim_position(m->sim),
                    panicked ? "it panicked" : "it crashed and that its crash kernel takes over");
    pc->panics_told |= events;
    if (panicked && m->config.panic_stops)
        machine_request_panic(m);
}

static const struct io_ops port92_ops = { port92_read, port92_write, 1, 1 };
static const struct io_ops post_ops = { post_read, post_write, 1, 1 };

/* ---- PCI ------------------------------------------------------------------------------------------ */

#define CLASS(c) [9] = 0, [10] = (c) & 0xff, [11] = (c) >> 8
/* By this firmware knows an emulator, and asks fw_cfg. */
#define SUBSYSTEM [0x2c] = 0xf4, 0x1a, 0x00, 0x11
static const uint8_t host_reset[PCI_CONFIG_BYTES] = { 0x86, 0x80, 0x37, 0x12, 0x06, 0, 0x80, 0x02, 0x02, CLASS(0x0600),
                                                      SUBSYSTEM };
static const uint8_t host_writable[PCI_CONFIG_BYTES] = { [0x59] = 0x30, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33,
                                                         [0x72] = 0x7f };
static const uint8_t isa_reset[PCI_CONFIG_BYTES] = { 0x86, 0x80, 0x00, 0x70, 0x07, 0, 0x00, 0x02, 0x00, CLASS(0x0601),
                                                     [14] = 0x80, SUBSYSTEM, [0x60] = 0x80, 0x80, 0x80, 0x80 };
static const uint8_t isa_writable[PCI_CONFIG_BYTES] = { [0x60] = 0x8f, 0x8f, 0x8f, 0x8f };
static const uint8_t pm_reset[PCI_CONFIG_BYTES] = { 0x86, 0x80, 0x13, 0x71, 0x00, 0, 0x80, 0x02, 0x03, CLASS(0x0680),
                                                    SUBSYSTEM,
                                                    [0x3c] = 9, [0x3d] = 1, [0x40] = 1, [0x5b] = 0x02 };
static const uint8_t pm_writable[PCI_CONFIG_BYTES] = { [4] = 1, [0x3c] = 0xff, [0x40] = 0xc0, 0xff, [0x58] = 0xff, 0xff,
                                                       0xff, 0xff, [0x80] = 1 };

static void pm_written(void *opaque, unsigned offset, unsigned size)
{
    struct pc *pc = opaque;
    const uint8_t *c = pc->pm_function.config;
    (void)offset;
    (void)size;
    if (pc->pm)
        acpi_pm_map(pc->pm, (uint16_t)(load_le(c + 0x40, 2) & 0xffc0), c[0x80] & 1);
}

static void add_pci(struct pc *pc, struct sim *sim, struct space *io)
{
    pc->pci = pci_new(sim, io, reset_control, pc);
    pc->host_bridge = (struct pci_function){ .reset = host_reset, .writable = host_writable,
                                             .written = pc_host_bridge_written, .opaque = pc };
    pc->isa_bridge = (struct pci_function){ .reset = isa_reset, .writable = isa_writable };
    pc->pm_function = (struct pci_function){ .reset = pm_reset, .writable = pm_writable, .written = pm_written,
                                             .opaque = pc };
    pci_add(pc->pci, "i440fx", 0, 0, &pc->host_bridge);
    pci_add(pc->pci, "piix3", 1, 0, &pc->isa_bridge);
    pci_add(pc->pci, "piix4-pm", 1, 3, &pc->pm_function);
}

/* ---- creation -------------------------------------------------------------------------------------- */

static bool add_cpus(struct machine *m, struct error *err)
{
    const char *model = m->config.cpu ? m->config.cpu : m->config.is_64bit ? "qemu64" : "qemu32";
    if (m->config.cpus < 1 || m->config.cpus > MACHINE_MAX_CPUS)
        return error_set(err, "-smp: %u CPUs, this machine takes 1 to %u", m->config.cpus, MACHINE_MAX_CPUS);
    for (unsigned i = 0; i < m->config.cpus; i++) {
        struct x86_cpu *c = x86_cpu_new(i, model, i ? m->cpu[0] : NULL, m->sim, m->mem, m->io, err);
        if (!c)
            return false;
        c->n_cpus = m->config.cpus;
        m->cpu[m->n_cpus++] = c;
        engine_add_vcpu(m->engine, &c->v);
        m->pc->apic[i] = apic_new(m->sim, c, &m->pc->bus, m->mem, m->pc->pic);
    }
    m->cpu[0]->ferr = ferr;
    m->cpu[0]->ferr_opaque = m->pc;
    return true;
}

static void power_off(void *opaque) { machine_request_poweroff(((struct pc *)opaque)->m); }

static void add_serial(struct pc *pc, struct sim *sim, struct space *io)
{
    static const struct {
        uint16_t base;
        uint8_t irq;
    } place[MACHINE_SERIALS] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };
    char name[16];
    for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
        if (!pc->m->config.serial[i])
            continue;
        snprintf(name, sizeof name, "serial%u", i);
        pc->uart[i] = uart_new(name, sim, io, place[i].base, gsi(pc, place[i].irq), pc->m->config.serial[i]);
    }
}

static void add_debug_devices(struct pc *pc, struct space *io)
{
    const struct machine_config *c = &pc->m->config;
    if (c->debug_exit_port)
        pc->debug_exit = debug_exit_new(io, c->debug_exit_port, c->debug_exit_size, debug_exit, pc);
    if (c->debugcon)
        pc->debugcon = debugcon_new(io, c->debugcon_port, c->debugcon_readback, c->debugcon);
    if (c->pvpanic_port)
        pc->pvpanic = pvpanic_new(io, c->pvpanic_port, c->pvpanic_events, panic_reported, pc);
}

static void add_input(struct pc *pc, struct sim *sim, struct space *io)
{
    struct i8042_config c = { .keyboard = gsi(pc, 1), .mouse = gsi(pc, 12), .set_a20 = set_a20, .get_a20 = get_a20,
                              .reset = reset_control, .opaque = pc };
    pc->keyboard = ps2_keyboard_new(sim);
    pc->mouse = ps2_mouse_new(sim);
    pc->i8042 = i8042_new(sim, io, &c, ps2_keyboard_port(pc->keyboard), ps2_mouse_port(pc->mouse));
}

bool pc_create(struct machine *m, struct error *err)
{
    struct pc *pc = m->pc = NEW(struct pc);
    struct rtc_config rtc = { m->config.rtc_clock_vm, m->config.rtc_start };
    pc->m = m;
    if (!pc_add_memory(m, err) || !pc_add_bios(m, err))
        return false;
    pc->pic = pic_new(m->sim, m->io, (struct irq){ pic_to_lint0, pc, 0 });
    if (!add_cpus(m, err))
        return false;
    pc->ioapic = ioapic_new(m->sim, m->mem, &pc->bus);
    pc->hpet = hpet_new(m->sim, m->mem, ACPI_HPET_ADDR, (struct irq){ set_hpet_pin, pc, 0 }, gsi(pc, 0));
    pc->pit = pit_new(m->sim, m->io, (struct irq){ set_timer_gsi, pc, 0 });
    pc->rtc = rtc_new(m->sim, m->io, (struct irq){ set_timer_gsi, pc, 8 }, &rtc);
    pc_set_cmos(pc);
    add_pci(pc, m->sim, m->io);
    pc->pm = acpi_pm_new(m->sim, m->io, gsi(pc, ACPI_SCI), power_off, pc);
    add_serial(pc, m->sim, m->io);
    add_input(pc, m->sim, m->io);
    space_map_io(m->io, "port92", 0x92, 1, 0, &port92_ops, pc);
    space_map_io(m->io, "post", 0x80, 1, 0, &post_ops, pc);
    add_debug_devices(pc, m->io);
    pc_add_fw_cfg(pc);
    return pc_reset(m, err);
}

/* ---- reset --------------------------------------------------------------------------------------------- */

static void start_flat(struct x86_cpu *c, const struct boot_info *b)
{
    struct x86_state *s = &c->s;
    for (int i = 0; i < SEG_LDTR; i++)
        s->seg[i] = (struct x86_segment){ .limit = UINT32_MAX, .selector = 0x18, .attr = 0xc093 };
    s->seg[SEG_CS].selector = 0x10;
    s->seg[SEG_CS].attr = 0xc09b;
    s->gdt = (struct x86_table){ .base = BOOT_GDT, .limit = b->gdt_limit };
    s->cr0 = CR0_PE | CR0_ET;
    s->rip = b->eip;
    s->gpr[R_AX] = b->eax;
    s->gpr[R_BX] = b->ebx;
    s->gpr[R_SI] = b->esi;
    s->gpr[R_SP] = b->esp;
    x86_update_mode(c);
}

/* What firmware would have set up in devices when a kernel starts without it. */
static bool direct_boot(struct machine *m, struct error *err)
{
    struct pc *pc = m->pc;
    uint64_t low = pc_low_ram(m->config.ram_bytes);
    struct boot_info b = { .config = &m->config, .mem = m->mem, .ram_below_4g = low,
                           .ram_above_4g = m->config.ram_bytes - low, .acpi = pc_acpi_config(pc),
                           .long_mode = x86_has(m->cpu[0]->features, F_LM) };
    pc_memory_firmware_setup(pc);
    if (!boot_load(&b, err))
        return false;
    store_le(pc->pm_function.config + 0x40, 2, ACPI_PM_BASE | 1);
    pc->pm_function.config[0x80] = 1;
    acpi_pm_map(pc->pm, ACPI_PM_BASE, true);
    apic_firmware_setup(pc->apic[0]);
    i8042_firmware_setup(pc->i8042);
    start_flat(m->cpu[0], &b);
    return true;
}

bool pc_reset(struct machine *m, struct error *err)
{
    struct pc *pc = m->pc;
    pic_reset(pc->pic);
    hpet_reset(pc->hpet);
    pit_reset(pc->pit);
    rtc_reset(pc->rtc);
    pc_set_boot_order(pc);
    ioapic_reset(pc->ioapic);
    acpi_pm_reset(pc->pm);
    pci_reset(pc->pci);
    fw_cfg_reset(pc->fw_cfg);
    ps2_keyboard_reset(pc->keyboard);
    ps2_mouse_reset(pc->mouse);
    i8042_reset(pc->i8042);
    for (unsigned i = 0; i < MACHINE_SERIALS; i++)
        if (pc->uart[i])
            uart_reset(pc->uart[i]);
    for (unsigned i = 0; i < m->n_cpus; i++) {
        x86_cpu_reset(m->cpu[i]);
        apic_reset(pc->apic[i]);
    }
    return m->config.kernel.size ? direct_boot(m, err) : true;
}

void pc_power_button(struct machine *m) { acpi_pm_power_button(m->pc->pm); }

void pc_free(struct machine *m)
{
    struct pc *pc = m->pc;
    if (!pc)
        return;
    for (unsigned i = 0; i < m->n_cpus; i++)
        apic_free(pc->apic[i]);
    for (unsigned i = m->n_cpus; i-- > 0;)
        x86_cpu_free(m->cpu[i]);
    for (unsigned i = 0; i < MACHINE_SERIALS; i++)
        if (pc->uart[i])
            uart_free(pc->uart[i]);
    if (pc->pic)
        pic_free(pc->pic);
    if (pc->hpet)
        hpet_free(pc->hpet);
    if (pc->i8042) {
        i8042_free(pc->i8042);
        ps2_mouse_free(pc->mouse);
        ps2_keyboard_free(pc->keyboard);
    }
    if (pc->pit)
        pit_free(pc->pit);
    if (pc->rtc)
        rtc_free(pc->rtc);
    if (pc->ioapic)
        ioapic_free(pc->ioapic);
    if (pc->pm)
        acpi_pm_free(pc->pm);
    if (pc->pci)
        pci_free(pc->pci);
    if (pc->fw_cfg)
        fw_cfg_free(pc->fw_cfg);
    isa_debug_free(pc->debug_exit);
    isa_debug_free(pc->debugcon);
    isa_debug_free(pc->pvpanic);
    free(pc);
}
