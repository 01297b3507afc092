/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an engine shows of its work.  Every callback may be NULL, and then costs
 * at most a branch outside translated code.  They run on the simulation thread and must not
 * touch the machine; what they are given lives as long as the call.
 */
#ifndef REPRISE_ENGINE_TRACE_H
#define REPRISE_ENGINE_TRACE_H

#include "vcpu/vcpu.h"

struct ir_block;

/* Host code: of a block, or of a piece of the engine's own. */
struct engine_code {
    uint64_t address;              /* where it runs */
    const uint8_t *bytes;          /* where it can be read */
    size_t size;
    const struct block_key *key;   /* of the block; NULL: the engine's own, called name */
    const char *name;              /* of a block: the part of it; NULL: its main path */
};

struct engine_trace {
    /* A block was translated: n_insns instructions in guest_bytes from key on. */
    void (*translated)(void *opaque, struct vcpu *v, const struct block_key *key, uint32_t n_insns,
                       uint32_t guest_bytes);
    /* A block's IR, as lifted and after optimisation. */
    void (*ir)(void *opaque, const struct block_key *key, const struct ir_block *ir, bool optimised);
    /* Host code was written; it may take the place of older code. */
    void (*code_added)(void *opaque, const struct engine_code *code);
    /* The run loop enters a block; blocks that it is chained to follow unseen, unless `unchained`. */
    void (*entered)(void *opaque, struct vcpu *v, const struct block_key *key);
    bool unchained;                /* every block is entered from the run loop (slow) */
    void *opaque;
};

#endif
