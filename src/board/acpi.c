/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "board/acpi.h"

#include "base/error.h"

static const uint8_t dsdt_aml[] = {
#include "acpi_dsdt.inc"
};
static const uint8_t pvpanic_aml[] = {
#include "acpi_pvpanic.inc"
};

/* ---- writing tables ------------------------------------------------------------ */

static void put(struct acpi_tables *t, unsigned size, uint64_t v)
{
    uint8_t bytes[8];
    store_le(bytes, size, v);
    buf_put(&t->tables, bytes, size);
}

static void put_zeros(struct acpi_tables *t, unsigned n)
{
    while (n--)
        buf_put_byte(&t->tables, 0);
}

static void align(struct acpi_tables *t, size_t to)
{
    while (t->tables.len % to)
        buf_put_byte(&t->tables, 0);
}

static void add_pointer(struct acpi_tables *t, bool in_rsdp, size_t offset)
{
    require(t->n_pointers < ACPI_MAX_FIXUPS);
    t->pointer[t->n_pointers++] = (struct acpi_pointer){ in_rsdp, (uint32_t)offset };
}

static void add_checksum(struct acpi_tables *t, bool in_rsdp, size_t offset, size_t start, size_t len)
{
    require(t->n_checksums < ACPI_MAX_FIXUPS);
    t->checksum[t->n_checksums++] =
        (struct acpi_checksum){ in_rsdp, (uint32_t)offset, (uint32_t)start, (uint32_t)len };
}

/* A pointer field that holds the offset `to` until relocated. */
static void put_pointer(struct acpi_tables *t, uint32_t to)
{
    add_pointer(t, false, t->tables.len);
    put(t, 4, to);
}

/* ACPI 6.4, 5.2.6: the common header; length and checksum are filled in by end_table. */
static uint32_t begin_table(struct acpi_tables *t, const char *signature, unsigned revision)
{
    align(t, 16);
    uint32_t start = (uint32_t)t->tables.len;
    buf_put(&t->tables, signature, 4);
    put(t, 4, 0);
    put(t, 1, revision);
    put(t, 1, 0);
    buf_put(&t->tables, "RPRISE", 6);
    buf_put(&t->tables, "RPPC    ", 8);
    put(t, 4, 1);
    buf_put(&t->tables, "RPRS", 4);
    put(t, 4, 1);
    return start;
}

static void end_table(struct acpi_tables *t, uint32_t start)
{
    store_le(t->tables.data + start + 4, 4, t->tables.len - start);
    add_checksum(t, false, start + 9, start, t->tables.len - start);
}

/* ---- the tables ---------------------------------------------------------------- */

/* ACPI 6.4, 5.2.10.  64 bytes, 64-byte aligned; no header checksum. */
static uint32_t build_facs(struct acpi_tables *t)
{
    align(t, 64);
    uint32_t start = (uint32_t)t->tables.len;
    buf_put(&t->tables, "FACS", 4);
    put(t, 4, 64);
    put_zeros(t, 56);
    return start;
}

/* A table that iasl made. */
static uint32_t put_compiled(struct acpi_tables *t, const uint8_t *aml, size_t size)
{
    align(t, 16);
    uint32_t start = (uint32_t)t->tables.len;
    buf_put(&t->tables, aml, size);
    t->tables.data[start + 9] = 0;
    add_checksum(t, false, start + 9, start, size);
    return start;
}

/* The port of acpi_pvpanic.asl's I/O descriptor (6.4.2.5: tag, decode, minimum, maximum) becomes the real one. */
static uint32_t build_pvpanic(struct acpi_tables *t, uint16_t port)
{
    static const uint8_t descriptor[6] = { 0x47, 1, 0x05, 0x05, 0x05, 0x05 };
    uint32_t start = put_compiled(t, pvpanic_aml, sizeof pvpanic_aml);
    for (size_t i = 0; i + sizeof descriptor <= sizeof pvpanic_aml; i++) {
        if (!memcmp(pvpanic_aml + i, descriptor, sizeof descriptor)) {
            store_le(t->tables.data + start + i + 2, 2, port);
            store_le(t->tables.data + start + i + 4, 2, port);
            return start;
        }
    }
    panic("acpi_pvpanic.asl has no I/O descriptor");
}

/* A Generic Address Structure in I/O space (5.2.3.2). */
static void put_gas_io(struct acpi_tables *t, unsigned bits, uint64_t address)
{
    put(t, 1, 1);
    put(t, 1, bits);
    put(t, 1, 0);
    put(t, 1, 0);
    put(t, 8, address);
}

/* ACPI 6.4, 5.2.9, in its revision 3 layout (244 bytes). */
static uint32_t build_fadt(struct acpi_tables *t, uint32_t facs, uint32_t dsdt)
{
    uint32_t start = begin_table(t, "FACP", 3);
    put_pointer(t, facs);
    put_pointer(t, dsdt);
    put(t, 1, 0);                    /* reserved (was: interrupt model) */
    put(t, 1, 0);                    /* preferred profile: unspecified */
    put(t, 2, ACPI_SCI);
    put(t, 4, ACPI_SMI_CMD);
    put(t, 1, ACPI_ENABLE);
    put(t, 1, ACPI_DISABLE);
    put(t, 2, 0);                    /* S4BIOS_REQ, PSTATE_CNT */
    put(t, 4, ACPI_PM_BASE);         /* PM1a_EVT_BLK */
    put(t, 4, 0);
    put(t, 4, ACPI_PM_BASE + 4);     /* PM1a_CNT_BLK */
    put(t, 4, 0);
    put(t, 4, 0);                    /* PM2_CNT_BLK */
    put(t, 4, ACPI_PM_BASE + 8);     /* PM_TMR_BLK */
    put(t, 4, ACPI_GPE0_BASE);
    put(t, 4, 0);
    put(t, 1, 4);                    /* lengths: PM1_EVT, PM1_CNT, PM2_CNT, PM_TMR, GPE0, GPE1 */
    put(t, 1, 2);
    put(t, 1, 0);
    put(t, 1, 4);
    put(t, 1, 4);
    put(t, 1, 0);
    put(t, 2, 0);                    /* GPE1_BASE, CST_CNT */
    put(t, 2, 0xfff);                /* P_LVL2_LAT, P_LVL3_LAT: not supported */
    put(t, 2, 0xfff);
    put(t, 4, 0);                    /* FLUSH_SIZE, FLUSH_STRIDE */
    put(t, 2, 0);                    /* DUTY_OFFSET, DUTY_WIDTH */
    put(t, 2, 0);                    /* DAY_ALRM, MON_ALRM */
    put(t, 1, 0x32);                 /* CENTURY: RTC register */
    put(t, 2, 0x03);                 /* IAPC_BOOT_ARCH: legacy devices, 8042 */
    put(t, 1, 0);
    /* Flags: WBINVD, PROC_C1, SLP_BUTTON (no such button as fixed hardware), RESET_REG_SUP; 32-bit timer not set. */
    put(t, 4, 1u << 0 | 1u << 2 | 1u << 5 | 1u << 10);
    put_gas_io(t, 8, ACPI_RESET_PORT);
    put(t, 1, ACPI_RESET_VALUE);
    put_zeros(t, 3);
    put(t, 8, 0);                    /* X_FIRMWARE_CTRL, X_DSDT: the 32-bit fields hold */
    put(t, 8, 0);
    put_gas_io(t, 32, ACPI_PM_BASE);
    put_zeros(t, 12);
    put_gas_io(t, 16, ACPI_PM_BASE + 4);
    put_zeros(t, 12);
    put_zeros(t, 12);
    put_gas_io(t, 32, ACPI_PM_BASE + 8);
    put_gas_io(t, 32, ACPI_GPE0_BASE);
    put_zeros(t, 12);
    end_table(t, start);
    return start;
}

/* MADT interrupt source override (5.2.12.5). */
static void put_override(struct acpi_tables *t, unsigned irq, unsigned gsi, unsigned flags)
{
    put(t, 1, 2);
    put(t, 1, 10);
    put(t, 1, 0);
    put(t, 1, irq);
    put(t, 4, gsi);
    put(t, 2, flags);
}

/* ACPI 6.4, 5.2.12. */
static uint32_t build_madt(struct acpi_tables *t, const struct acpi_config *config)
{
    static const uint8_t level_irqs[] = { 5, 9, 10, 11 };
    uint32_t start = begin_table(t, "APIC", 1);
    put(t, 4, ACPI_LAPIC_ADDR);
    put(t, 4, 1);                    /* PCAT_COMPAT: there are 8259s */
    for (unsigned i = 0; i < config->cpus; i++) {
        put(t, 1, 0);                /* processor local APIC (5.2.12.2) */
        put(t, 1, 8);
        put(t, 1, i);
        put(t, 1, i);
        put(t, 4, 1);
    }
    put(t, 1, 1);                    /* I/O APIC (5.2.12.3) */
    put(t, 1, 12);
    put(t, 1, config->ioapic_id);
    put(t, 1, 0);
    put(t, 4, ACPI_IOAPIC_ADDR);
    put(t, 4, 0);
    put_override(t, 0, 2, 0);        /* the 8254 is on pin 2 */
    for (unsigned i = 0; i < ARRAY_LEN(level_irqs); i++)
        put_override(t, level_irqs[i], level_irqs[i], 0xd); /* active high, level */
    put(t, 1, 4);                    /* local APIC NMI (5.2.12.7): LINT1 of all */
    put(t, 1, 6);
    put(t, 1, 0xff);
    put(t, 2, 0);
    put(t, 1, 1);
    end_table(t, start);
    return start;
}

/* IA-PC HPET Specification 1.0a, 3.2.4. */
static uint32_t build_hpet(struct acpi_tables *t, const struct acpi_config *config)
{
    uint32_t start = begin_table(t, "HPET", 1);
    put(t, 4, config->hpet_id);
    put(t, 4, 0);                    /* GAS: system memory, width and offset 0 */
    put(t, 8, ACPI_HPET_ADDR);
    put(t, 1, 0);
    put(t, 2, 0);
    put(t, 1, 0);
    end_table(t, start);
    return start;
}

void acpi_build(const struct acpi_config *config, struct acpi_tables *out)
{
    *out = (struct acpi_tables){ 0 };
    uint32_t table[4];
    unsigned n = 0;
    uint32_t facs = build_facs(out);
    uint32_t dsdt = put_compiled(out, dsdt_aml, sizeof dsdt_aml);
    table[n++] = build_fadt(out, facs, dsdt);
    table[n++] = build_madt(out, config);
    if (config->hpet)
        table[n++] = build_hpet(out, config);
    if (config->pvpanic_port)
        table[n++] = build_pvpanic(out, config->pvpanic_port);
    uint32_t rsdt = begin_table(out, "RSDT", 1);
    for (unsigned i = 0; i < n; i++)
        put_pointer(out, table[i]);
    end_table(out, rsdt);

    /* ACPI 1.0 RSDP (5.2.5.3, first 20 bytes). */
    buf_put(&out->rsdp, "RSD PTR \0RPRISE\0", 16);
    uint8_t address[4];
    store_le(address, 4, rsdt);
    buf_put(&out->rsdp, address, 4);
    add_pointer(out, true, 16);
    add_checksum(out, true, 8, 0, 20);
}

void acpi_free(struct acpi_tables *t)
{
    buf_free(&t->tables);
    buf_free(&t->rsdp);
}

void acpi_relocate(struct acpi_tables *t, uint32_t base)
{
    for (unsigned i = 0; i < t->n_pointers; i++) {
        uint8_t *p = (t->pointer[i].in_rsdp ? t->rsdp.data : t->tables.data) + t->pointer[i].offset;
        store_le(p, 4, load_le(p, 4) + base);
    }
    for (unsigned i = 0; i < t->n_checksums; i++) {
        const struct acpi_checksum *c = &t->checksum[i];
        uint8_t *data = c->in_rsdp ? t->rsdp.data : t->tables.data;
        uint8_t sum = 0;
        data[c->offset] = 0;
        for (uint32_t k = 0; k < c->len; k++)
            sum = (uint8_t)(sum + data[c->start + k]);
        data[c->offset] = (uint8_t)-sum;
    }
}

/* ---- the loader script --------------------------------------------------------- */

/*
 * fw_cfg's table loader: 128-byte little-endian commands; file names are 56
 * bytes.  1 allocate, 2 add pointer, 3 add checksum (QEMU's
 * docs/specs/acpi_... and SeaBIOS's romfile loader read this format).
 */
enum { LOADER_ENTRY = 128, LOADER_NAME = 56, LOADER_ALLOCATE = 1, LOADER_POINTER = 2, LOADER_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_FSEG = 2 };

static const char *loader_file(bool in_rsdp)
{
    return in_rsdp ? "etc/acpi/rsdp" : "etc/acpi/tables";
}

static void loader_name(uint8_t *at, const char *name)
{
    memcpy(at, name, strlen(name));
}

static void loader_allocate(struct buf *out, bool rsdp, uint32_t alignment, unsigned zone)
{
    uint8_t e[LOADER_ENTRY] = { LOADER_ALLOCATE };
    loader_name(e + 4, loader_file(rsdp));
    store_le(e + 4 + LOADER_NAME, 4, alignment);
    e[4 + LOADER_NAME + 4] = (uint8_t)zone;
    buf_put(out, e, sizeof e);
}

void acpi_loader_script(const struct acpi_tables *t, struct buf *out)
{
    loader_allocate(out, false, 64, ZONE_HIGH);
    loader_allocate(out, true, 16, ZONE_FSEG);
    for (unsigned i = 0; i < t->n_pointers; i++) {
        uint8_t e[LOADER_ENTRY] = { LOADER_POINTER };
        loader_name(e + 4, loader_file(t->pointer[i].in_rsdp));
        loader_name(e + 4 + LOADER_NAME, loader_file(false));
        store_le(e + 4 + 2 * LOADER_NAME, 4, t->pointer[i].offset);
        e[4 + 2 * LOADER_NAME + 4] = 4;
        buf_put(out, e, sizeof e);
    }
    for (unsigned i = 0; i < t->n_checksums; i++) {
        const struct acpi_checksum *c = &t->checksum[i];
        uint8_t e[LOADER_ENTRY] = { LOADER_CHECKSUM };
        loader_name(e + 4, loader_file(c->in_rsdp));
        store_le(e + 4 + LOADER_NAME, 4, c->offset);
        store_le(e + 4 + LOADER_NAME + 4, 4, c->start);
        store_le(e + 4 + LOADER_NAME + 8, 4, c->len);
        buf_put(out, e, sizeof e);
    }
}
