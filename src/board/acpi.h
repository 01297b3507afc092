/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's ACPI tables: RSDP, RSDT, FADT, FACS, DSDT, MADT, HPET, SSDT.
 *
 * They are built once as a relocatable blob: a list of pointer fields and of
 * checksums that become right when the base is known.  A direct boot places
 * the blob itself; firmware gets the same lists as a loader script
 * ("etc/table-loader", the format SeaBIOS reads).
 */
#ifndef REPRISE_BOARD_ACPI_H
#define REPRISE_BOARD_ACPI_H

#include "base/alloc.h"
#include "base/bits.h"

/* What the tables promise and the board must wire so. */
enum {
    ACPI_PM_BASE = 0x600,        /* PM1a event +0, control +4, timer +8 */
    ACPI_GPE0_BASE = 0xafe0,     /* 4 bytes: status 2, enable 2 */
    ACPI_SMI_CMD = 0xb2,
    ACPI_ENABLE = 0xf1,          /* values written to SMI_CMD */
    ACPI_DISABLE = 0xf0,
    ACPI_SCI = 9,                /* GSI, level, active high */
    ACPI_RESET_PORT = 0xcf9,
    ACPI_RESET_VALUE = 0x0f,
    ACPI_IOAPIC_ADDR = 0xfec00000,
    ACPI_LAPIC_ADDR = 0xfee00000,
    ACPI_HPET_ADDR = 0xfed00000,
};

struct acpi_config {
    unsigned cpus;               /* APIC ids 0..cpus-1, ids 0..cpus-1 in the MADT */
    uint8_t ioapic_id;
    bool hpet;
    uint16_t pvpanic_port;       /* 0: absent */
    uint32_t hpet_id;            /* low half of the HPET's capability register */
};

enum { ACPI_MAX_FIXUPS = 32 };

/* A 4-byte little-endian pointer field: holds an offset into `tables` until relocated. */
struct acpi_pointer {
    bool in_rsdp;                /* the field lies in rsdp rather than in tables */
    uint32_t offset;
};

/* A byte that makes [start, start+len) sum to 0. */
struct acpi_checksum {
    bool in_rsdp;
    uint32_t offset, start, len;
};

struct acpi_tables {
    struct buf tables;           /* FACS first, 64-byte aligned */
    struct buf rsdp;             /* 20 bytes, ACPI 1.0 form: everything lies below 4 GiB */
    struct acpi_pointer pointer[ACPI_MAX_FIXUPS];
    struct acpi_checksum checksum[ACPI_MAX_FIXUPS];
    unsigned n_pointers, n_checksums;
};

void acpi_build(const struct acpi_config *config, struct acpi_tables *out);
void acpi_free(struct acpi_tables *t);

/* Applies pointers and checksums for tables at `base` (below 4 GiB). */
void acpi_relocate(struct acpi_tables *t, uint32_t base);

/* Appends the loader script for the unrelocated tables, for fw_cfg's "etc/table-loader";
 * the blobs go beside it as "etc/acpi/tables" and "etc/acpi/rsdp". */
void acpi_loader_script(const struct acpi_tables *t, struct buf *out);

#endif
