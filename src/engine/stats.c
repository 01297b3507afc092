/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine counted, for people. */
#include <stdio.h>

#include "engine/impl.h"

void engine_get_stats(const struct engine *e, struct engine_stats *out)
{
    *out = e->stats;
    out->code_bytes_now = e->bytes;
    out->code_bytes_limit = e->config.cache_bytes;
    if (e->kind->count)
        e->kind->count(e, out);
}

struct printer {
    void (*line)(void *opaque, const char *text);
    void *opaque;
};

/* "name                     1234567  (12.3 an X)": a ratio to `whole` is left out if that is 0. */
static void put(const struct printer *p, const char *name, uint64_t n, uint64_t whole, const char *of)
{
    char text[160];
    int len = snprintf(text, sizeof text, "%-24s %14llu", name, (unsigned long long)n);
    if (whole) {
        uint64_t tenths = n / whole * 10 + n % whole * 10 / whole;
        snprintf(text + len, sizeof text - (size_t)len, "  %llu.%llu %s", (unsigned long long)(tenths / 10),
                 (unsigned long long)(tenths % 10), of);
    }
    p->line(p->opaque, text);
}

/* The same with how many per cent of the whole it is. */
static void put_part(const struct printer *p, const char *name, uint64_t n, uint64_t whole)
{
    char text[160];
    snprintf(text, sizeof text, "%-24s %14llu  %llu%%", name, (unsigned long long)n,
             (unsigned long long)(whole ? (n * 100 + whole / 2) / whole : 0));
    p->line(p->opaque, text);
}

static void put_translation(const struct printer *p, const struct engine_stats *s)
{
    put(p, "blocks translated", s->blocks_translated, 0, "");
    put(p, "  guest instructions", s->insns_translated, s->blocks_translated, "a block");
    put(p, "  IR operations", s->ir_ops, s->insns_translated, "an instruction");
    put(p, "blocks in the cache", s->blocks_now, 0, "");
    put_part(p, "  bytes", s->code_bytes_now, s->code_bytes_limit);
    put(p, "  evicted", s->evictions, 0, "");
    put(p, "  overwritten by the guest", s->code_invalidations, 0, "");
    put(p, "  flushes", s->flushes, 0, "");
    put(p, "page-table writes", s->table_writes, 0, "");
}

static void put_run_loop(const struct printer *p, const struct engine_stats *s)
{
    static const char *const why[ENGINE_LEFT_REASONS] = {
        [LEFT_LOOKUP] = "  left to look up", [LEFT_UNCHAINED] = "  left by a new way",
        [LEFT_LOOP] = "  left to ask for events", [LEFT_SHORT] = "  left at budget's end",
        [LEFT_FAULT] = "  left by a fault",
    };
    put(p, "translated code entered", s->entered, 0, "");
    for (unsigned k = 0; k < ENGINE_LEFT_REASONS; k++)
        put_part(p, why[k], s->left[k], s->entered);
    put(p, "exits chained", s->chained, 0, "");
    put(p, "lookups", s->lookups, 0, "");
    put(p, "run alone (device access)", s->retries, 0, "");
    put(p, "events taken", s->events, 0, "");
    put(p, "budgets used up", s->budgets, 0, "");
    put(p, "halts", s->halts, 0, "");
}

static void put_memory(const struct printer *p, const struct engine *e, const struct engine_stats *s)
{
    struct tlb_stats t = { 0 };
    for (unsigned i = 0; i < e->n_vcpus; i++) {
        struct tlb_stats one;
        tlb_get_stats(e->vcpu[i], &one);
        t.fills += one.fills;
        t.walks += one.walks;
        t.victim_hits += one.victim_hits;
        t.flushes += one.flushes;
        t.contexts += one.contexts;
        t.resizes += one.resizes;
        t.forgotten += one.forgotten;
    }
    put(p, "slow loads", s->slow[SLOWLY_LOADED], 0, "");
    put(p, "slow stores", s->slow[SLOWLY_STORED], 0, "");
    put(p, "slow groups of accesses", s->slow[SLOWLY_FILLED], 0, "");
    put(p, "slow vector operations", s->slow[SLOWLY_COMPUTED], 0, "");
    put(p, "TLB fills", t.fills, 0, "");
    put(p, "  page walks", t.walks, 0, "");
    put(p, "  victims taken back", t.victim_hits, 0, "");
    put(p, "TLB flushes", t.flushes, 0, "");
    put(p, "  new contexts", t.contexts, 0, "");
    put(p, "  tables resized", t.resizes, 0, "");
    put(p, "  pages forgotten", t.forgotten, 0, "");
}

void engine_print_stats(const struct engine *e, void (*line)(void *opaque, const char *text), void *opaque)
{
    const struct printer p = { line, opaque };
    struct engine_stats s;
    char text[80];
    engine_get_stats(e, &s);
    snprintf(text, sizeof text, "engine %s", e->kind->name);
    line(opaque, text);
    put_translation(&p, &s);
    put_run_loop(&p, &s);
    put_memory(&p, e, &s);
}
