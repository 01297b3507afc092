/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a kernel without firmware: what a loader puts into guest memory and
 * the CPU state it asks for.
 *
 * The machine calls boot_load() after every reset, when devices and CPUs are
 * in their reset state.  The loader does the firmware's part in memory: the
 * kernel, its command line and initrd, the memory map, the ACPI tables.  The
 * board does the firmware's part in devices (PM base, interrupt wiring), so
 * that the kernel finds what the tables say.
 *
 * Sources: Documentation/x86/boot.rst of the Linux kernel (boot protocol
 * 2.15), Multiboot Specification 0.6.96, ACPI 6.4.
 */
#ifndef REPRISE_BOARD_BOOT_H
#define REPRISE_BOARD_BOOT_H

#include "board/acpi.h"
#include "board/machine.h"
#include "mem/space.h"

/* Where a direct boot puts things below 1 MiB. */
enum {
    BOOT_GDT = 0x1000,
    BOOT_INFO = 0x10000,         /* Linux zero page, or Multiboot information */
    BOOT_CMDLINE = 0x20000,
    BOOT_EBDA = 0x9fc00,         /* 1 KiB; holds the RSDP */
    BOOT_ACPI_BYTES = 0x10000,   /* reserved at the top of low RAM for ACPI tables */
};

/* E820 range types (ACPI 6.4, table 15.1). */
enum { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4, E820_MAX = 16 };

struct e820_entry {
    uint64_t base, size;
    uint32_t type;
};

struct boot_info {
    /* in */
    const struct machine_config *config;
    struct space *mem;
    uint64_t ram_below_4g, ram_above_4g;   /* bytes; the upper part starts at 4 GiB */
    struct acpi_config acpi;
    bool long_mode;              /* the boot CPU has it */
    /* out: the boot CPU's state.  Flat 32-bit protected mode, paging and interrupts off,
     * CS 0x10, DS/ES/SS/FS/GS 0x18, GDT at BOOT_GDT (limit gdt_limit). */
    uint32_t eip, eax, ebx, esi, esp;
    uint16_t gdt_limit;
};

/* Loads config->kernel (a Linux bzImage or a Multiboot image).  Called again at each reset. */
bool boot_load(struct boot_info *info, struct error *err);

/* Is there a Multiboot header in the image's first 8 KiB? */
bool multiboot_detect(const struct machine_blob *kernel);
bool multiboot_load(struct boot_info *info, struct error *err);

/* The memory map that both loaders and fw_cfg's "etc/e820" give.  Returns the number of entries.
 * direct: ACPI tables and EBDA are in RAM (no firmware). */
unsigned boot_e820(const struct boot_info *info, bool direct, struct e820_entry out[E820_MAX]);

#endif
