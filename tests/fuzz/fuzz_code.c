/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code that may be anything, on two engines in step: they run slices of random length, are acted on from
 * outside between slices, and must be in the same state after each.
 *
 * A turn is a pair of worlds with one set of engine settings; it runs a number of episodes, each from a fresh
 * image of memory in one of the CPU's modes.  When the worlds differ, the turn is run again and again to find
 * the first position after which they do.
 *
 *     fuzz_code -n TURNS -s SEED | -r    -f FIRST -n 1 repeats one turn
 */
#include <stdio.h>
#include <stdlib.h>

#include "code_world.h"
#include "guest/x86/mmu.h"

enum { EPISODES = 12, SLICES = 60, SECONDS = 300, TRAIL = 8 };

static struct {
    uint64_t positions, blocks, insns, invalidations, tables, flushes, shutdowns, episodes[CODE_MODES];
} totals;

/* ---- a turn ----------------------------------------------------------------------------------- */

/* n positions into a slice. */
struct place {
    int episode, slice;
    uint64_t n;
};

struct turn {
    uint64_t seed;
    struct world *w[2];          /* the portable engine; the engine under test */
    struct engine_config config[2];
    struct isa_gen gen;
    struct place at;             /* where it is */
    const struct place *stop;
    bool long_mode;              /* the CPUs have it */
    bool stepping;               /* the first engine's blocks are single instructions, whatever was chosen */
    bool careful;                /* memory is compared after each slice, not now and then */
};

static void choose_engines(struct turn *t, struct fuzz_random *r, bool has_jit)
{
    static const unsigned lengths[] = { 0, 0, 1, 3, 20 };
    struct engine_config c[2] = { { .kind = "interp" }, { .kind = has_jit ? "jit" : "interp" } };
    c[0].max_block_insns = lengths[fuzz_below(r, ARRAY_LEN(lengths))];
    c[1].max_block_insns = lengths[fuzz_below(r, ARRAY_LEN(lengths))];
    c[1].verify = fuzz_below(r, 2);
    c[1].cache_bytes = fuzz_below(r, 2) ? 1300 << 10 : 8 << 20;
    for (unsigned i = !has_jit || fuzz_below(r, 3) ? 1 : 0; i < 2; i++)
        if (!has_jit || fuzz_below(r, 2))
            c[i].perturb_seed = fuzz_next(r) | 1;
    if (t->stepping) {
        c[0].max_block_insns = 1;
        c[0].perturb_seed = 0;
    }
    t->long_mode = fuzz_below(r, 4);
    for (unsigned i = 0; i < 2; i++) {
        t->config[i] = c[i];
        t->w[i] = world_new(&c[i], t->long_mode);
    }
    t->gen.decoder = t->w[0]->cpu->decoder;
    memcpy(t->gen.features, t->w[0]->cpu->features, sizeof t->gen.features);
}

static struct episode choose_episode(const struct turn *t, struct fuzz_random *r)
{
    struct episode e = { .mode = (enum code_mode)fuzz_below(r, t->long_mode ? CODE_MODES : LONG64),
                         .seed = fuzz_next(r) };
    e.paging = e.mode >= LONG64 ? PAGING_PAE :
               e.mode == REAL16 ? PAGING_OFF : (enum code_paging)fuzz_below(r, CODE_PAGINGS);
    e.cpl = e.mode == REAL16 ? 0 : e.mode == V86 || fuzz_below(r, 2) ? 3 : 0;
    return e;
}

static uint64_t choose_slice(struct fuzz_random *r)
{
    switch (fuzz_below(r, 8)) {
    case 0:
        return 1 + fuzz_below(r, 3);
    case 1:
        return 1 + fuzz_below(r, 600);
    default:
        return 1 + fuzz_below(r, 100);
    }
}

static bool same(struct turn *t)
{
    return world_hash(t->w[0]) == world_hash(t->w[1]) && world_is_narrow(t->w[0]) && world_is_narrow(t->w[1]);
}

/* Hashing begins a new round of tracking what is written; comparing leaves no trace at all. */
static bool same_memory(struct turn *t) { return ram_hash(t->w[0]->ram) == ram_hash(t->w[1]->ram); }
static bool equal_memory(const struct turn *t) { return !memcmp(t->w[0]->ram->host, t->w[1]->ram->host, RAM_SIZE); }

/* The same n positions, on the second engine in pieces. */
static enum engine_stop run_both(struct turn *t, uint64_t n, uint64_t seed)
{
    struct fuzz_random r = { seed };
    enum engine_stop why = world_run(t->w[0], n), why2 = STOP_BUDGET;
    while (n && why2 == STOP_BUDGET) {
        uint64_t piece = fuzz_below(&r, 3) ? n : 1 + fuzz_below(&r, n);
        why2 = world_run(t->w[1], piece);
        n -= piece;
    }
    if (why2 != why)
        t->w[1]->events++;        /* told by the hash */
    return why;
}

static void act(struct turn *t, struct fuzz_random *r, enum engine_stop why)
{
    uint64_t steer = fuzz_next(r), interrupt = fuzz_next(r);
    bool must = why == STOP_HALTED && fuzz_below(r, 2);
    if (must || !fuzz_below(r, 4))
        for (unsigned i = 0; i < 2; i++)
            world_steer(t->w[i], steer);
    if (!fuzz_below(r, 4))
        for (unsigned i = 0; i < 2; i++)
            world_interrupt(t->w[i], interrupt);
}

/* False: the worlds differ.  True with *stopped: t->stop was reached. */
static bool run_episode(struct turn *t, uint64_t seed, bool *stopped)
{
    struct fuzz_random r = { seed };
    struct episode e = choose_episode(t, &r);
    enum engine_stop why = STOP_BUDGET;
    for (unsigned i = 0; i < 2; i++)
        world_begin(t->w[i], &t->gen, &e);
    totals.episodes[e.mode] += !t->stop;
    for (t->at.slice = 0; t->at.slice < SLICES && why != STOP_SHUTDOWN; t->at.slice++) {
        uint64_t n = choose_slice(&r), pieces = fuzz_next(&r);
        act(t, &r, why);
        bool stop = t->stop && t->stop->episode == t->at.episode && t->stop->slice == t->at.slice;
        t->at.n = n;
        why = run_both(t, stop ? t->stop->n : n, pieces);
        if (stop) {
            *stopped = true;
            return same(t) && equal_memory(t);
        }
        if (!same(t) || (!fuzz_below(&r, 16) && !same_memory(t)) || (t->careful && !equal_memory(t)))
            return false;
    }
    totals.shutdowns += !t->stop && why == STOP_SHUTDOWN;
    t->at.slice--;
    return same_memory(t);
}

static void count(const struct turn *t)
{
    struct engine_stats s;
    engine_get_stats(t->w[1]->engine, &s);
    totals.positions += sim_position(t->w[1]->sim);
    totals.blocks += s.blocks_translated;
    totals.insns += s.insns_translated;
    totals.invalidations += s.code_invalidations;
    totals.tables += s.table_writes;
    totals.flushes += s.flushes;
}

enum { STEPPING = 1, CAREFUL = 2 };

/* The worlds stay for a look at them. */
static bool run_turn(struct turn *t, uint64_t seed, const struct place *stop, unsigned how)
{
    struct fuzz_random r = { seed };
    bool ok = true, stopped = false;
    *t = (struct turn){ .seed = seed, .stop = stop, .stepping = how & STEPPING, .careful = how & CAREFUL };
    choose_engines(t, &r, engine_kind_name(1) != NULL);
    for (; ok && !stopped && t->at.episode < EPISODES; t->at.episode++)
        ok = run_episode(t, fuzz_next(&r), &stopped);
    t->at.episode--;
    return ok;
}

static void end_turn(struct turn *t)
{
    world_free(t->w[0]);
    world_free(t->w[1]);
}

/* ---- what went wrong, and where ------------------------------------------------------------------ */

static bool print_field(void *opaque, const char *path, uint64_t a, uint64_t b)
{
    unsigned *left = opaque;
    fprintf(stderr, "  %s: %llx and %llx\n", path, (unsigned long long)a, (unsigned long long)b);
    return --*left;
}

static void print_difference(struct turn *t)
{
    struct buf a = { 0 }, b = { 0 };
    struct error err;
    unsigned left = 12;
    state_set_encode(sim_state(t->w[0]->sim), &a);
    state_set_encode(sim_state(t->w[1]->sim), &b);
    state_set_diff(sim_state(t->w[0]->sim), a.data, a.len, b.data, b.len, print_field, &left, &err);
    buf_free(&a);
    buf_free(&b);
    fprintf(stderr, "  positions %llu and %llu, device events %llx and %llx\n",
            (unsigned long long)sim_position(t->w[0]->sim), (unsigned long long)sim_position(t->w[1]->sim),
            (unsigned long long)t->w[0]->events, (unsigned long long)t->w[1]->events);
    if (!world_is_narrow(t->w[0]) || !world_is_narrow(t->w[1]))
        fprintf(stderr, "  a register or an address in the TLB has an upper half\n");
    for (uint64_t i = 0, shown = 0; i < RAM_SIZE && shown < 8; i++)
        if (t->w[0]->ram->host[i] != t->w[1]->ram->host[i] && ++shown)
            fprintf(stderr, "  memory at %llx: %02x and %02x\n", (unsigned long long)i, t->w[0]->ram->host[i],
                    t->w[1]->ram->host[i]);
}

static void print_instruction(struct turn *t, unsigned which)
{
    struct x86_cpu *c = t->w[which]->cpu;
    struct block_key key;
    c->v.ops->block_key(&c->v, &key);
    fprintf(stderr, "  cs:ip %x:%llx (linear %llx), mode %llx, next bytes", c->s.seg[SEG_CS].selector,
            (unsigned long long)c->s.rip, (unsigned long long)key.va, (unsigned long long)key.flags);
    for (unsigned i = 0; i < 15; i++) {
        uint64_t pa;
        if (!c->v.ops->debug_walk(&c->v, (key.va + i) & key.va_mask, &pa))
            fprintf(stderr, " --");
        else if (space_lookup(t->w[which]->mem, pa).ram)
            fprintf(stderr, " %02x", (unsigned)space_load(t->w[which]->mem, pa, 1));
        else
            fprintf(stderr, " io");
    }
    fprintf(stderr, "\n");
}

static void print_engines(const struct turn *t)
{
    for (unsigned i = 0; i < 2; i++)
        fprintf(stderr, "  %s, blocks of %u, perturbed by %llx, cache of %zu\n", t->config[i].kind,
                t->config[i].max_block_insns, (unsigned long long)t->config[i].perturb_seed, t->config[i].cache_bytes);
}

/* found: where it was noticed, which may be long after it went wrong. */
static void report(uint64_t number, uint64_t seed, struct place found)
{
    struct turn t;
    bool vanished = run_turn(&t, seed, NULL, CAREFUL);
    struct place at = vanished ? found : t.at;
    end_turn(&t);
    struct place low = { at.episode, at.slice, 0 }, high = at;
    fprintf(stderr, "fuzz_code: turn %llu, episode %d, slice %d (%llu positions): the engines differ\n",
            (unsigned long long)number, at.episode, at.slice, (unsigned long long)at.n);
    while (high.n > low.n + 1) {
        struct place mid = { at.episode, at.slice, low.n + (high.n - low.n) / 2 };
        if (run_turn(&t, seed, &mid, 0))
            low = mid;
        else
            high = mid;
        end_turn(&t);
    }
    for (uint64_t n = high.n > TRAIL ? high.n - TRAIL : 0; n < high.n; n++) {
        struct place step = { at.episode, at.slice, n };
        bool equal = run_turn(&t, seed, &step, 0);
        fprintf(stderr, "%s after %llu positions of the slice:\n", equal ? "equal" : "different",
                (unsigned long long)n);
        print_instruction(&t, 0);
        if (n + 1 == high.n)
            print_engines(&t);
        end_turn(&t);
    }
    run_turn(&t, seed, &high, 0);
    fprintf(stderr, "different after %llu:\n", (unsigned long long)high.n);
    print_difference(&t);
    print_instruction(&t, 0);
    print_instruction(&t, 1);
    end_turn(&t);
    bool equal = run_turn(&t, seed, &high, STEPPING);
    fprintf(stderr, "with one instruction a block, the first engine %s the second\n",
            equal ? "agrees with" : "differs from");
    if (!equal)
        print_difference(&t);
    end_turn(&t);
}

int main(int argc, char **argv)
{
    static const char *const modes[CODE_MODES] = { "real", "protected 16", "protected 32", "segmented", "v86",
                                                   "long 64", "long 32", "long 16" };
    struct fuzz_options o = fuzz_parse("fuzz_code", argc, argv);
    unsigned bad = 0;
    uint64_t turn_number = o.first;
    for (; turn_number < o.first + o.times && bad < 5; turn_number++) {
        struct turn t;
        fuzz_turn("fuzz_code", turn_number, SECONDS);
        struct fuzz_random r = { o.seed + turn_number };
        uint64_t seed = fuzz_next(&r);
        bool ok = run_turn(&t, seed, NULL, 0);
        count(&t);
        end_turn(&t);
        if (!ok)
            report(turn_number, seed, t.at);
        bad += !ok;
    }
    printf("%llu turns, %llu positions, %llu blocks translated (%llu instructions), %llu invalidated, "
           "%llu stores to page tables, %llu flushes, %llu shutdowns\nepisodes:",
           (unsigned long long)(turn_number - o.first), (unsigned long long)totals.positions,
           (unsigned long long)totals.blocks, (unsigned long long)totals.insns,
           (unsigned long long)totals.invalidations, (unsigned long long)totals.tables,
           (unsigned long long)totals.flushes, (unsigned long long)totals.shutdowns);
    for (unsigned i = 0; i < CODE_MODES; i++)
        printf(" %s %llu%s", modes[i], (unsigned long long)totals.episodes[i], i + 1 < CODE_MODES ? "," : "\n");
    return bad ? 1 : 0;
}
