/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcpu/vcpu.h"

#include "vcpu/softmmu.h"

/* The code that runs now may be mapped elsewhere from its next instruction on: leave, and look up afresh. */
static void map_changed(void *opaque)
{
    struct vcpu *v = opaque;
    tlb_flush(v);
    if (v->sim)
        sim_request_exit(v->sim);
}

void vcpu_init(struct vcpu *v, unsigned index, const struct guest_ops *ops, struct sim *sim, struct space *mem,
               struct space *io)
{
    *v = (struct vcpu){ .index = index, .ops = ops, .mem = mem, .io = io, .sim = sim };
    tlb_init(v);
    space_listen(mem, map_changed, v);
}

void vcpu_fini(struct vcpu *v) { tlb_fini(v); }
