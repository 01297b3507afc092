/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engines run IR.  One engine serves all vCPUs of a machine (they share its
 * block cache); several engines may exist in one process.
 */
#ifndef REPRISE_ENGINE_ENGINE_H
#define REPRISE_ENGINE_ENGINE_H

#include "base/error.h"
#include "engine/trace.h"
#include "vcpu/vcpu.h"

struct engine;

/* Memory that holds code: written through one mapping, run through the other; and data that code can reach. */
struct code_memory {
    uint8_t *write;
    const uint8_t *exec;
    void *data;            /* page-aligned, behind exec */
    size_t size, data_size;
};

/* Where it comes from: declared here, implemented by host/code_memory.c. */
struct host_code {
    /* Zero-filled.  False and err: the host gives none. */
    bool (*alloc)(void *opaque, size_t size, size_t data_size, struct code_memory *out, struct error *err);
    void (*free)(void *opaque, struct code_memory *m);
    /*
     * Nothing of it is written for a while.  What is in it stays; but the host counts a page as resident in each
     * mapping through which it was touched, and forgets those through which code is written.  NULL: it does not.
     */
    void (*written)(void *opaque, const struct code_memory *m);
    /* size bytes at p, of the written mapping or of what the engine has beside it, are about to be written: the host
       may give them all at once.  p is page-aligned.  NULL: it does not. */
    void (*prepare)(void *opaque, void *p, uint64_t size);
    void *opaque;
};

struct engine_config {
    const char *kind;          /* "interp": any host; "jit": x86-64 hosts */
    const struct host_code *code; /* jit: borrowed */
    size_t cache_bytes;        /* of translated code; 0: default */
    unsigned max_block_insns;  /* 0: default; at most IR_MAX_INSNS */
    uint64_t perturb_seed;     /* != 0: vary what must not matter: block lengths, registers, flushes, TLBs */
    bool verify;               /* run the IR verifier on every block */
    struct engine_trace trace; /* zero: nothing is shown */
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

/* Why translated code returned to the run loop. */
enum engine_left {
    LEFT_LOOKUP,     /* an indirect jump whose target was not at hand, or a mapping that has changed */
    LEFT_UNCHAINED,  /* a direct jump that is not chained (yet) */
    LEFT_LOOP,       /* the guest's state has changed such that events must be asked for */
    LEFT_SHORT,      /* the budget ends within the next block, or somebody asked to leave */
    LEFT_FAULT,      /* an exception, or an instruction that must be the last of its block */
    ENGINE_LEFT_REASONS
};

/* What the JIT's code could not do inline. */
enum engine_slow {
    SLOWLY_LOADED, SLOWLY_STORED, SLOWLY_FILLED /* the TLB, for a group of accesses */,
    SLOWLY_COMPUTED /* a vector operation, by its reference function */, ENGINE_SLOW_KINDS
};

/* Counts since the engine was made, except where they say "now". */
struct engine_stats {
    uint64_t blocks_translated, insns_translated, ir_ops, lookups, code_invalidations, table_writes, retries,
        flushes;
    uint64_t blocks_now, code_bytes_now, code_bytes_limit, evictions, chained;
    uint64_t entered, left[ENGINE_LEFT_REASONS], events, budgets, halts, slow[ENGINE_SLOW_KINDS];
};
void engine_get_stats(const struct engine *e, struct engine_stats *out);

/* Statistics of the engine and of its vCPUs' TLBs as text, line by line. */
void engine_print_stats(const struct engine *e, void (*line)(void *opaque, const char *text), void *opaque);

#endif
