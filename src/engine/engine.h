/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engines run IR.  One engine serves all vCPUs of a machine (they share its
 * block cache); several engines may exist in one process.
 */
#ifndef REPRISE_ENGINE_ENGINE_H
#define REPRISE_ENGINE_ENGINE_H

#include "base/error.h"
#include "vcpu/vcpu.h"

struct engine;

/* Memory that holds code: written through one mapping, run through the other. */
struct code_memory {
    uint8_t *write;
    const uint8_t *exec;
    size_t size;
};

/* Where it comes from: declared here, implemented by host/code_memory.c. */
struct host_code {
    /* Zero-filled.  False and err: the host gives none. */
    bool (*alloc)(void *opaque, size_t size, struct code_memory *out, struct error *err);
    void (*free)(void *opaque, struct code_memory *m);
    void *opaque;
};

struct engine_config {
    const char *kind;          /* "interp": any host; "jit": x86-64 hosts */
    const struct host_code *code; /* jit: borrowed */
    size_t cache_bytes;        /* of translated code; 0: default */
    unsigned max_block_insns;  /* 0: default; at most IR_MAX_INSNS */
    uint64_t perturb_seed;     /* != 0: vary what must not matter: block lengths, registers, flushes, TLBs */
    bool verify;               /* run the IR verifier on every block */
    void (*trace)(void *opaque, const char *text);  /* -d in_asm,op..: may be NULL */
    void *trace_opaque;
};

/* The kinds of this build, slowest first: the i-th, or NULL behind the last. */
const char *engine_kind_name(unsigned i);

struct engine *engine_new(const struct engine_config *config, struct error *err);
void engine_free(struct engine *e);

/* Makes v one of the engine's vCPUs and watches the ram block for code writes.  Wiring time. */
void engine_add_vcpu(struct engine *e, struct vcpu *v);
void engine_add_ram(struct engine *e, struct ram *ram);

enum engine_stop {
    STOP_BUDGET,     /* the budget is used up, or sim_request_exit() was called */
    STOP_HALTED,     /* the vCPU sleeps, nothing pending */
    STOP_SHUTDOWN,   /* EXIT_SHUTDOWN */
};

/*
 * Runs v until the position counter (begun with sim_run_begin on &v->pos) has
 * nothing left, exactly; takes pending exceptions and interrupts.  May stop
 * early with STOP_BUDGET after sim_request_exit().
 */
enum engine_stop engine_run(struct engine *e, struct vcpu *v);

/* Which kind it is: engine_config.kind. */
const char *engine_kind(const struct engine *e);

/* Drops every translation (after a snapshot load). */
void engine_flush(struct engine *e);

struct engine_stats {
    uint64_t blocks_translated, insns_translated, ir_ops, lookups, code_invalidations, table_writes, retries,
        flushes;
};
void engine_get_stats(const struct engine *e, struct engine_stats *out);

#endif
