/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mmu_machine.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "../../still.h"

static void *memory_alloc(void *opaque, uint64_t size, struct error *err)
{
    return aligned_alloc(PAGE_SIZE, size);
}

static void memory_free(void *opaque, void *p, uint64_t size)
{
    free(p);
}

static const struct host_memory memory = { memory_alloc, memory_free, NULL };

struct mmu_machine *mmu_machine_new(void)
{
    static const struct sim_config sim_config = { .shift = 0 };
    static const struct engine_config engine_config = { .kind = "interp" };
    struct error err;
    struct mmu_machine *m = NEW(struct mmu_machine);
    m->sim = still_sim(&sim_config, &m->port);
    m->mem = space_new("memory", UINT64_C(1) << 40, NULL);
    m->io = space_new("io", 65536, NULL);
    m->ram = ram_new("ram", MMU_RAM, &memory, &err);
    memset(m->ram->host, 0, MMU_RAM);
    m->engine = engine_new(&engine_config, &err);
    space_map_ram(m->mem, "ram", 0, MMU_RAM, 0, m->ram, 0, true);
    engine_add_ram(m->engine, m->ram);
    for (unsigned i = 0; i < MMU_CPUS; i++) {
        m->cpu[i] = x86_cpu_new(i, "max", m->cpu[0], m->sim, m->mem, m->io, &err);
        if (!m->cpu[i]) {
            fprintf(stderr, "%s\n", err.text);
            exit(1);
        }
        engine_add_vcpu(m->engine, &m->cpu[i]->v);
    }
    return m;
}

void mmu_machine_free(struct mmu_machine *m)
{
    for (unsigned i = MMU_CPUS; i-- > 0;)
        x86_cpu_free(m->cpu[i]);
    engine_free(m->engine);
    space_free(m->mem);
    space_free(m->io);
    ram_free(m->ram);
    still_sim_free(m->sim, m->port);
    free(m);
}
