/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fw_cfg: how firmware asks an emulator about its machine (QEMU's docs/specs/fw_cfg.rst).
 * Items by key, and files found by a directory; read at port 0x511 or by DMA.
 */
#ifndef REPRISE_DEV_FW_CFG_H
#define REPRISE_DEV_FW_CFG_H

#include "base/alloc.h"
#include "mem/space.h"
#include "sim/sim.h"

enum { /* keys that SeaBIOS asks for */
    FW_CFG_SIGNATURE = 0, FW_CFG_ID = 1, FW_CFG_UUID = 2, FW_CFG_RAM_SIZE = 3, FW_CFG_NB_CPUS = 5, FW_CFG_NUMA = 0xd,
    FW_CFG_BOOT_MENU = 0xe, FW_CFG_MAX_CPUS = 0xf, FW_CFG_FILE_DIR = 0x19, FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_FILES = 32, FW_CFG_IRQ0_OVERRIDE = 0x8002,
};

struct fw_cfg;
/* Ports 0x510 to 0x51b; DMA goes to mem. */
struct fw_cfg *fw_cfg_new(struct sim *sim, struct space *io, struct space *mem);
void fw_cfg_free(struct fw_cfg *f);
void fw_cfg_reset(struct fw_cfg *f);

/* Wiring time; data is copied. */
void fw_cfg_add(struct fw_cfg *f, uint16_t key, const void *data, size_t len);
/* A little-endian number of len bytes. */
void fw_cfg_add_number(struct fw_cfg *f, uint16_t key, uint64_t v, unsigned len);
/* name: at most 55 characters. */
void fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data, size_t len);

#endif
