/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The run loop: events, lookup, execution, exact stops. */
#include "engine/engine.h"

#include <stdlib.h>

#include "engine/impl.h"

static const struct engine_kind *const kinds[] = {
    &interp_kind,
#ifdef HAVE_X64
    &x64_kind,
#endif
};

static void close_tlbs(void *opaque)
{
    struct engine *e = opaque;
    for (unsigned i = 0; i < e->n_vcpus; i++)
        tlb_close(e->vcpu[i]);
}

static void protect(void *opaque, struct ram *ram, uint64_t offset)
{
    struct engine *e = opaque;
    tlb_protect(e->vcpu, e->n_vcpus, ram, offset);
}

/*
 * Chained blocks run on without asking the TLB.  So when the code that runs now may be mapped elsewhere from its
 * next instruction on, leave, and look up afresh.
 */
static void table_written(void *opaque, struct ram *ram, uint64_t offset, uint64_t len)
{
    struct engine *e = opaque;
    if (tlb_table_written(e->vcpu, e->n_vcpus, ram, offset, len) && e->n_vcpus && e->vcpu[0]->sim)
        sim_request_exit(e->vcpu[0]->sim);
    e->stats.table_writes++;
}

const char *engine_kind_name(unsigned i) { return i < ARRAY_LEN(kinds) ? kinds[i]->name : NULL; }

const char *engine_kind(const struct engine *e) { return e->kind->name; }

struct engine *engine_new(const struct engine_config *config, struct error *err)
{
    const struct engine_kind *kind = NULL;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (!strcmp(kinds[i]->name, config->kind))
            kind = kinds[i];
    if (!kind) {
        error_set(err, "there is no engine '%s' on this host", config->kind);
        return NULL;
    }
    struct engine *e = NEW(struct engine);
    e->kind = kind;
    e->config = *config;
    e->rng = config->perturb_seed;
    e->watch = (struct ram_watch){ .code_written = cache_code_written, .table_written = table_written,
                                   .table_added = protect, .epoch_started = close_tlbs, .opaque = e };
    if (config->code)
        e->pool = (struct pool){ .prepare = config->code->prepare, .opaque = config->code->opaque };
    e->scratch = alloc_zero(kind->scratch_bytes);
    ir_block_init(&e->ir);
    cache_init(e);
    if (kind->init && !kind->init(e, err)) {
        engine_free(e);
        return NULL;
    }
    return e;
}

void engine_free(struct engine *e)
{
    cache_fini(e);
    for (unsigned i = 0; i < e->n_rams; i++)
        e->ram[i]->watch = NULL;
    if (e->kind->fini)
        e->kind->fini(e);
    pool_fini(&e->pool);
    ir_block_free(&e->ir);
    free(e->scratch);
    free(e);
}

void engine_add_vcpu(struct engine *e, struct vcpu *v)
{
    require(e->n_vcpus < ENGINE_MAX_VCPUS);
    e->vcpu[e->n_vcpus++] = v;
    v->engine_data = e;
    if (e->kind->vcpu_added)
        e->kind->vcpu_added(e, v);
}

void engine_add_ram(struct engine *e, struct ram *ram)
{
    require(e->n_rams < ENGINE_MAX_RAMS);
    e->ram[e->n_rams++] = ram;
    ram->watch = &e->watch;
}

void engine_flush(struct engine *e)
{
    cache_flush(e);
    for (unsigned i = 0; i < e->n_vcpus; i++)
        tlb_flush(e->vcpu[i]);
}

/* Varies what must not matter. */
static void perturb(struct engine *e)
{
    e->rng = e->rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    if (e->rng >> 56 == 0)
        engine_flush(e);
    for (unsigned i = 0; e->rng >> 56 < 4 && i < e->n_vcpus; i++)
        tlb_perturb(e->vcpu[i], e->rng >> 16);
}

/*
 * The next block to run with what is left of the budget; NULL: a fetch fault is pending.  *target: the one that what is
 * chained to here leads to, which gives way to it.
 */
static struct block *next_block(struct engine *e, struct vcpu *v, unsigned limit, bool plain, struct block **target)
{
    struct block_key key;
    struct cache_place at;
    v->ops->block_key(v, &key);
    if (!cache_place(v, &key, &at))
        return NULL;
    struct block *whole = cache_find(e, v, &key, &at, limit), *b = whole;
    if (b && (int64_t)b->n_insns > v->pos.left && b->follows)
        b = beside_join(e, whole, cache_find(e, v, &key, &at, PLAIN));
    *target = plain ? b : whole;
    if (!b || (int64_t)b->n_insns <= v->pos.left)
        return b;
    return beside_join(e, whole, cache_find(e, v, &key, &at, e->kind->meters ? METERED : (unsigned)v->pos.left));
}

static enum vcpu_exit take_exit(struct vcpu *v)
{
    enum vcpu_exit exit = (enum vcpu_exit)v->exit;
    v->exit = EXIT_NONE;
    return exit;
}

enum engine_stop engine_run(struct engine *e, struct vcpu *v)
{
    unsigned limit = 0;                /* 1: run just the one instruction that must be last */
    struct block *chain_from = NULL;
    e->budget = v->pos.left;
    for (;;) {
        if (v->ops->pending(v)) {
            if (v->pos.left <= 0)
                return STOP_BUDGET;
            limit = 0;
            chain_from = NULL;
            v->pos.left -= v->ops->service(v);
            e->stats.events++;
            if (take_exit(v) == EXIT_SHUTDOWN)
                return STOP_SHUTDOWN;
            continue;
        }
        if (v->ops->halted(v)) {
            e->stats.halts++;
            return STOP_HALTED;
        }
        if (v->pos.left <= 0) {
            e->stats.budgets++;
            return STOP_BUDGET;
        }
        if (e->config.perturb_seed)
            perturb(e);
        if (chain_from && (chain_from->dead || cache_is_full(e) || e->config.trace.unchained))
            chain_from = NULL;
        cache_sweep(e);
        struct block *target, *b = next_block(e, v, limit, chain_from && chain_from->limit == PLAIN, &target);
        if (!b || v->pos.left <= 0) {      /* a walk that marks an entry beside code ends the run: cache_code_written */
            v->exit = EXIT_NONE;
            continue;
        }
        if (chain_from && !chain_from->dead && !limit)     /* finding b may have killed it */
            cache_chain(e, chain_from, e->leave_slot, target);
        chain_from = NULL;
        limit = 0;
        if (unlikely(e->config.trace.entered))
            e->config.trace.entered(e->config.trace.opaque, v, &b->key);
        v->pos.in_block = 1;
        enum leave why = e->kind->exec(e, v, b);
        v->pos.in_block = 0;
        e->stats.entered++;
        e->stats.left[why]++;
        e->left_by = why;
        if (why == LEAVE_CHAIN)
            chain_from = e->leave_block;
        if (why == LEAVE_FAULT) {
            enum vcpu_exit exit = take_exit(v);
            if (exit == EXIT_SHUTDOWN)
                return STOP_SHUTDOWN;
            if (exit == EXIT_RETRY_LAST) {
                limit = 1;
                e->stats.retries++;
            }
        }
    }
}
