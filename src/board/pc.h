/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internal to the PC board: its parts, and what its files call in each other. */
#ifndef REPRISE_BOARD_PC_H
#define REPRISE_BOARD_PC_H

#include "board/acpi.h"
#include "board/board.h"
#include "board/boot.h"
#include "dev/acpi_pm.h"
#include "dev/apic.h"
#include "dev/fw_cfg.h"
#include "dev/hpet.h"
#include "dev/input/ps2.h"
#include "dev/ioapic.h"
#include "dev/isa_debug.h"
#include "dev/pci.h"
#include "dev/pic.h"
#include "dev/pit.h"
#include "dev/rtc.h"
#include "dev/uart.h"

#define GIB (UINT64_C(1) << 30)
enum { PAM_SEGMENTS = 13 };

/* RAM below 4 GiB: up to 3.5 GiB in one piece, else 3 GiB and the rest above. */
static inline uint64_t pc_low_ram(uint64_t bytes) { return bytes <= 7 * GIB / 2 ? bytes : 3 * GIB; }

struct pc {
    struct machine *m;
    struct pic *pic;
    struct pit *pit;
    struct rtc *rtc;
    struct apic_bus bus;
    struct apic *apic[MACHINE_MAX_CPUS];
    struct ioapic *ioapic;
    struct hpet *hpet;
    struct i8042 *i8042;
    struct ps2_keyboard *keyboard;
    struct ps2_mouse *mouse;
    struct pci *pci;
    struct acpi_pm *pm;
    struct uart *uart[MACHINE_SERIALS];
    struct pci_function host_bridge, isa_bridge, pm_function;
    struct fw_cfg *fw_cfg;
    struct isa_debug *debug_exit, *debugcon, *pvpanic;   /* NULL: absent */
    uint8_t panics_told;       /* events that the user has been told of: once is enough */
    /* 82441FX: what lies over RAM between 640 KiB and 1 MiB (pc_memory.c) */
    struct space_map *pam_closed[PAM_SEGMENTS], *pam_ram[PAM_SEGMENTS], *smram_closed;
};

/* pc_memory.c: RAM, firmware image, and the host bridge's registers that route between them. */
bool pc_add_memory(struct machine *m, struct error *err);
bool pc_add_bios(struct machine *m, struct error *err);
/* After the host bridge's configuration bytes [offset, offset + size) were written. */
void pc_host_bridge_written(void *opaque, unsigned offset, unsigned size);
/* As firmware leaves the area: RAM everywhere. */
void pc_memory_firmware_setup(struct pc *pc);

/* pc_firmware.c: what CMOS and fw_cfg tell; the boot order anew at each reset, since `once` ends with the first. */
void pc_set_cmos(struct pc *pc);
void pc_set_boot_order(struct pc *pc);
void pc_add_fw_cfg(struct pc *pc);
struct acpi_config pc_acpi_config(const struct pc *pc);

#endif
