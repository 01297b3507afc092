/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fw_cfg tells firmware about this machine (QEMU's docs/specs/fw_cfg.rst; SeaBIOS's src/fw/paravirt.c asks). */
#include "board/pc.h"

static void add_number_file(struct fw_cfg *f, const char *name, uint64_t v, unsigned len)
{
    uint8_t bytes[8];
    store_le(bytes, len, v);
    fw_cfg_add_file(f, name, bytes, len);
}

static void add_memory_map(struct pc *pc)
{
    const struct machine_config *c = &pc->m->config;
    uint64_t low = pc_low_ram(c->ram_bytes);
    struct boot_info info = { .config = c, .ram_below_4g = low, .ram_above_4g = c->ram_bytes - low };
    struct e820_entry map[E820_MAX];
    unsigned n = boot_e820(&info, false, map);
    uint8_t bytes[20 * E820_MAX];
    for (unsigned i = 0; i < n; i++) {
        store_le(bytes + 20 * i, 8, map[i].base);
        store_le(bytes + 20 * i + 8, 8, map[i].size);
        store_le(bytes + 20 * i + 16, 4, map[i].type);
    }
    fw_cfg_add_file(pc->fw_cfg, "etc/e820", bytes, 20 * n);
}

static void add_acpi(struct pc *pc)
{
    struct acpi_config c = { .cpus = pc->m->n_cpus, .hpet = true, .hpet_id = HPET_ID };
    struct acpi_tables t = { 0 };
    struct buf script = { 0 };
    acpi_build(&c, &t);
    acpi_loader_script(&t, &script);
    fw_cfg_add_file(pc->fw_cfg, "etc/acpi/rsdp", t.rsdp.data, t.rsdp.len);
    fw_cfg_add_file(pc->fw_cfg, "etc/acpi/tables", t.tables.data, t.tables.len);
    fw_cfg_add_file(pc->fw_cfg, "etc/table-loader", script.data, script.len);
    buf_free(&script);
    acpi_free(&t);
}

/* How long the boot menu's prompt stays when -boot menu=on asks for it. */
enum { MENU_WAIT_MS = 3000, SERIAL_CONSOLE = 0x3f8 };

void pc_add_fw_cfg(struct pc *pc)
{
    struct machine *m = pc->m;
    struct fw_cfg *f = pc->fw_cfg = fw_cfg_new(m->sim, m->io, m->mem);
    fw_cfg_add(f, FW_CFG_UUID, m->config.uuid, sizeof m->config.uuid);
    fw_cfg_add_number(f, FW_CFG_RAM_SIZE, m->config.ram_bytes, 8);
    fw_cfg_add_number(f, FW_CFG_NB_CPUS, m->n_cpus, 2);
    fw_cfg_add_number(f, FW_CFG_MAX_CPUS, m->n_cpus, 2);
    fw_cfg_add_number(f, FW_CFG_BOOT_MENU, m->config.boot_menu, 2);
    fw_cfg_add_number(f, FW_CFG_NUMA, 0, 8);
    fw_cfg_add_number(f, FW_CFG_IRQ0_OVERRIDE, 1, 1);
    add_memory_map(pc);
    add_acpi(pc);
    if (m->config.boot_menu)
        add_number_file(f, "etc/boot-menu-wait", MENU_WAIT_MS, 2);
    /* Without a display the firmware's screen is the first serial port. */
    if (pc->uart[0])
        add_number_file(f, "etc/sercon-port", SERIAL_CONSOLE, 2);
}
