/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fw_cfg tells firmware about this machine (QEMU's docs/specs/fw_cfg.rst; SeaBIOS's src/fw/paravirt.c asks). */
#include "board/pc.h"

/* ---- CMOS ------------------------------------------------------------------------------------------ */

void pc_set_cmos(struct pc *pc)
{
    uint64_t bytes = pc->m->config.ram_bytes, low = pc_low_ram(bytes), high = bytes - low;
    uint64_t kib = low / 1024 - 1024, above16 = low > 16 << 20 ? (low - (16 << 20)) / 65536 : 0, upper = high / 65536;
    rtc_set_cmos(pc->rtc, 0x15, 640 & 0xff);
    rtc_set_cmos(pc->rtc, 0x16, 640 >> 8);
    kib = kib > 65535 ? 65535 : kib;
    above16 = above16 > 65535 ? 65535 : above16;
    for (unsigned i = 0; i < 2; i++) {
        rtc_set_cmos(pc->rtc, 0x17 + i, (uint8_t)(kib >> 8 * i));
        rtc_set_cmos(pc->rtc, 0x30 + i, (uint8_t)(kib >> 8 * i));
        rtc_set_cmos(pc->rtc, 0x34 + i, (uint8_t)(above16 >> 8 * i));
    }
    for (unsigned i = 0; i < 3; i++)
        rtc_set_cmos(pc->rtc, 0x5b + i, (uint8_t)(upper >> 8 * i));
    rtc_set_cmos(pc->rtc, 0x5f, (uint8_t)(pc->m->config.cpus - 1));
}

/* Where SeaBIOS looks for it: first and second in 0x3d, third in 0x38, whose bit 0 skips the floppy's boot mark. */
enum { CMOS_ORDER = 0x3d, CMOS_ORDER_THIRD = 0x38 };

void pc_set_boot_order(struct pc *pc)
{
    static const char letters[] = "acdn";            /* 1 floppy, 2 disk, 3 CD-ROM, 4 network */
    const struct machine_boot *b = &pc->m->config.boot;
    const char *order = b->once && !pc->m->s.resets ? b->once : b->order ? b->order : "cad";
    uint8_t code[3] = { 0 };
    for (unsigned i = 0; i < 3 && order[i]; i++)
        code[i] = (uint8_t)(strchr(letters, order[i]) - letters + 1);
    rtc_set_cmos(pc->rtc, CMOS_ORDER, (uint8_t)(code[1] << 4 | code[0]));
    rtc_set_cmos(pc->rtc, CMOS_ORDER_THIRD, (uint8_t)(code[2] << 4 | 1));
}

/* ---- fw_cfg ------------------------------------------------------------------------------------------ */


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

struct acpi_config pc_acpi_config(const struct pc *pc)
{
    return (struct acpi_config){ .cpus = pc->m->n_cpus, .hpet = true, .hpet_id = HPET_ID,
                                 .pvpanic_port = pc->m->config.pvpanic_port };
}

static void add_acpi(struct pc *pc)
{
    struct acpi_config c = pc_acpi_config(pc);
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

enum { SERIAL_CONSOLE = 0x3f8 };

void pc_add_fw_cfg(struct pc *pc)
{
    struct machine *m = pc->m;
    struct fw_cfg *f = pc->fw_cfg = fw_cfg_new(m->sim, m->io, m->mem);
    fw_cfg_add(f, FW_CFG_UUID, m->config.uuid, sizeof m->config.uuid);
    fw_cfg_add_number(f, FW_CFG_RAM_SIZE, m->config.ram_bytes, 8);
    fw_cfg_add_number(f, FW_CFG_NB_CPUS, m->n_cpus, 2);
    fw_cfg_add_number(f, FW_CFG_MAX_CPUS, m->n_cpus, 2);
    fw_cfg_add_number(f, FW_CFG_BOOT_MENU, m->config.boot.menu, 2);
    fw_cfg_add_number(f, FW_CFG_NUMA, 0, 8);
    fw_cfg_add_number(f, FW_CFG_IRQ0_OVERRIDE, 1, 1);
    add_memory_map(pc);
    add_acpi(pc);
    if (m->config.boot.has_menu_wait)
        add_number_file(f, "etc/boot-menu-wait", m->config.boot.menu_wait_ms, 2);
    add_number_file(f, "etc/boot-fail-wait", m->config.boot.fail_wait_ms, 4);
    if (m->config.boot.strict)
        fw_cfg_add_file(f, "bootorder", "HALT", 5);
    /* Without a display the firmware's screen is the first serial port. */
    if (pc->uart[0])
        add_number_file(f, "etc/sercon-port", SERIAL_CONSOLE, 2);
    for (unsigned i = 0; i < m->config.n_fw_cfg; i++)
        fw_cfg_add_file(f, m->config.fw_cfg[i].name, m->config.fw_cfg[i].data, m->config.fw_cfg[i].size);
}
