/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two x86 CPUs over one RAM whose accesses tests make themselves: no code runs. */
#ifndef REPRISE_TESTS_MMU_MACHINE_H
#define REPRISE_TESTS_MMU_MACHINE_H

#include "engine/engine.h"
#include "guest/x86/cpu.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"

enum { MMU_RAM = 8 << 20, MMU_CPUS = 2 };

struct mmu_machine {
    struct sim *sim;
    struct input_port *port;
    struct space *mem, *io;
    struct ram *ram;
    struct engine *engine;        /* only for its watch over RAM */
    struct x86_cpu *cpu[MMU_CPUS];
};

struct mmu_machine *mmu_machine_new(void);
void mmu_machine_free(struct mmu_machine *m);

#endif
