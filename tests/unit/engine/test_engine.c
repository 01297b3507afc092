/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engines against the toy's reference: random programs that fault, rewrite
 * their code and page tables, and talk to a device, run in slices of every
 * kind with every cache setting, must be in the reference's state at every stop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "toy.h"

enum { POSITIONS = 8000, PROGRAMS = 60, INTERRUPT_EVERY = 53 };

static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
    rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(rng >> 33) % n;
}

/* ---- programs ------------------------------------------------------------------------------ */

/* A place in one of the areas that registers 12 to 15 point to. */
static int32_t displacement(unsigned base)
{
    switch (base) {
    case 13:
        return (int32_t)rnd(0x4000);
    case 14:
        return (int32_t)(8 * (2 + rnd(62)) + (rnd(8) ? 0 : rnd(8)));
    case 15:
        return (int32_t)(rnd(8) ? rnd(256) : 0xffc);
    default:
        return (int32_t)(rnd(4) ? rnd(0x200) : rnd(8) ? rnd(0x8000) : 0xff0 + rnd(16));
    }
}

static unsigned base_register(void)
{
    uint32_t r = rnd(40);
    return r < 30 ? 12 : r < 33 ? 13 : r < 36 ? 14 : r < 39 ? 15 : rnd(12);
}

/* Mostly forwards: loops last until the next interrupt. */
static int32_t jump_distance(unsigned most)
{
    int32_t n = 1 + (int32_t)rnd(most);
    return TOY_LENGTH * (rnd(5) ? n : -n);
}

static void random_insn(struct toy_machine *m, uint64_t *at)
{
    static const int32_t area[] = { TOY_DATA, TOY_CODE, TOY_TABLE, TOY_DEVICE };
    static const uint8_t plain[] = { T_NOP, T_ADD, T_SUB, T_MUL, T_XOR, T_SHL, T_SARW, T_ADDW, T_MOV, T_VADD, T_VROT,
                                     T_DIVU, T_DIVS, T_DIVSW };
    unsigned rd = rnd(11), rs = rnd(12), kind = rnd(100);
    if (kind < 35) {
        toy_emit(m, at, (enum toy_op)plain[rnd(ARRAY_LEN(plain))], rd, rs, 0);
    } else if (kind < 50) {
        toy_emit(m, at, (enum toy_op)(T_ADDI + rnd(3)), rd, rs, (int32_t)rnd(64) - 8);
    } else if (kind < 78) {
        unsigned base = base_register();
        enum toy_op op = (enum toy_op)(T_LD8 + rnd(T_JMP - T_LD8));
        if (base == 14 && rnd(4))
            op = rnd(2) ? T_ST8 : T_LD64;       /* whole entries are rarely made garbage */
        if (base >= 12 && rnd(3) == 0)          /* the block knows the address, and those of what follows */
            toy_emit(m, at, T_MOVI, base, 0, area[base - 12]);
        toy_emit(m, at, op, rd, base, displacement(base));
    } else if (kind < 88) {
        toy_emit(m, at, (enum toy_op)(T_JNZ + rnd(2)), rd, rs, jump_distance(12));
    } else if (kind < 90) {
        toy_emit(m, at, T_JMP, 0, 0, jump_distance(300));
    } else if (kind < 92) {
        toy_emit(m, at, T_CMOV, rd, rs, (int32_t)rnd(1000));
    } else if (kind < 94) {
        toy_emit(m, at, T_MOVI, 10, 0, (int32_t)(TOY_CODE + TOY_LENGTH * rnd(TOY_CODE_SIZE / TOY_LENGTH)));
        toy_emit(m, at, T_JR, 10, 0, 0);
    } else if (kind < 96) {
        toy_emit(m, at, T_MOVI, 9, 0, (int32_t)rnd(200));
        toy_emit(m, at, T_MOVI, 8, 0, (int32_t)(TOY_DATA + rnd(0x8000)));
        toy_emit(m, at, T_FILL, 9, 8, 0);
    } else {
        static const uint8_t rare[] = { T_DIV, T_EI, T_TRAP, T_FLUSH, T_CLOCK };
        toy_emit(m, at, (enum toy_op)rare[rnd(ARRAY_LEN(rare))], rd, rs, 0);
    }
}

static void make_program(struct toy_machine *m, uint64_t seed, bool paging)
{
    rng = seed;
    uint64_t at = TOY_VECTOR;
    toy_emit(m, &at, T_MOVI, 12, 0, TOY_DATA);
    toy_emit(m, &at, T_MOVI, 13, 0, TOY_CODE);
    toy_emit(m, &at, T_MOVI, 14, 0, TOY_TABLE);
    toy_emit(m, &at, T_MOVI, 15, 0, TOY_DEVICE);
    toy_emit(m, &at, T_ADDI, 11, 0, 1);
    toy_emit(m, &at, T_ERET, 0, 0, 0);
    for (at = TOY_CODE; at < TOY_CODE + TOY_CODE_SIZE - 4 * TOY_LENGTH;)
        random_insn(m, &at);
    toy_emit(m, &at, T_JMP, 0, 0, -2000 * TOY_LENGTH);
    struct toy_state *s = &m->cpu.s;
    for (unsigned i = 0; i < 12; i++)
        s->r[i] = rnd(256);
    s->enabled = 1;
    s->r[12] = TOY_DATA;
    s->r[13] = TOY_CODE;
    s->r[14] = TOY_TABLE;
    s->r[15] = TOY_DEVICE;
    if (paging)
        toy_enable_paging(m);
}

/* ---- comparing -------------------------------------------------------------------------------- */

struct golden {
    struct toy_machine *m;
    uint64_t hash[POSITIONS + 1];
};

static void interrupt_at(struct toy_machine *m, uint64_t position)
{
    if (position % INTERRUPT_EVERY == 50)
        toy_raise_irq(m);
}

/* Programs may write a HLT for themselves: it lasts no time. */
static void run_on(struct toy_machine *m, uint64_t n)
{
    for (uint64_t end = toy_position(m) + n; toy_position(m) < end;) {
        toy_run(m, end - toy_position(m));
        if (toy_position(m) < end)
            m->cpu.s.halted = 0;
    }
}

static void make_golden(struct golden *g, uint64_t seed, bool paging)
{
    g->m = toy_machine_new(NULL);
    make_program(g->m, seed, paging);
    for (uint64_t p = 0; p < POSITIONS; p++) {
        interrupt_at(g->m, p);
        g->hash[p] = toy_hash(g->m);
        run_on(g->m, 1);
    }
    g->hash[POSITIONS] = toy_hash(g->m);
}

/* Up to the next place where the test itself acts. */
static uint64_t next_stop(uint64_t position, uint64_t slice)
{
    uint64_t interrupt = position - position % INTERRUPT_EVERY + 50;
    if (interrupt <= position)
        interrupt += INTERRUPT_EVERY;
    uint64_t to = position + slice < interrupt ? position + slice : interrupt;
    return to < POSITIONS ? to : POSITIONS;
}

static void check_end(const struct golden *g, const struct toy_machine *m, const char *what, uint64_t seed)
{
    for (unsigned i = 0; i < m->n_events || i < g->m->n_events; i++)
        if (memcmp(&m->event[i], &g->m->event[i], sizeof m->event[i]))
            fail_msg("%s, program %llu: device event %u differs: position %llu, address %llx; %llu, %llx expected",
                     what, (unsigned long long)seed, i, (unsigned long long)m->event[i].position,
                     (unsigned long long)m->event[i].address, (unsigned long long)g->m->event[i].position,
                     (unsigned long long)g->m->event[i].address);
    for (uint64_t i = 0; i < TOY_RAM; i += 8)
        if (memcmp(m->ram->host + i, g->m->ram->host + i, 8))
            fail_msg("%s, program %llu: memory at 0x%llx is %llx, not %llx", what, (unsigned long long)seed,
                     (unsigned long long)i, (unsigned long long)load_le(m->ram->host + i, 8),
                     (unsigned long long)load_le(g->m->ram->host + i, 8));
    assert_true(ram_hash(m->ram) == ram_hash(g->m->ram));
}

/* slice 0: random. */
static void check(const struct golden *g, uint64_t seed, bool paging, const struct engine_config *config,
                  unsigned slice, const char *what)
{
    struct toy_machine *m = toy_machine_new(config);
    make_program(m, seed, paging);
    uint64_t last = 0;
    for (uint64_t p = 0; p < POSITIONS;) {
        interrupt_at(m, p);
        if (toy_hash(m) != g->hash[p])
            fail_msg("%s, program %llu: state differs between positions %llu and %llu (pc %llx)", what,
                     (unsigned long long)seed, (unsigned long long)last, (unsigned long long)p,
                     (unsigned long long)m->cpu.s.pc);
        last = p;
        uint64_t to = next_stop(p, slice ? slice : 1 + rnd(100));
        run_on(m, to - p);
        p = to;
        if (!slice && !rnd(10))
            (void)ram_hash(m->ram);          /* a client's epoch: TLBs let no store through */
    }
    if (toy_hash(m) != g->hash[POSITIONS])
        fail_msg("%s, program %llu: state differs at the end", what, (unsigned long long)seed);
    check_end(g, m, what, seed);
    toy_machine_free(m);
}

static void programs(const char *kind, bool paging, uint64_t first)
{
    static const struct {
        const char *what;
        unsigned slice;
        struct engine_config config;
    } runs[] = {
        { "whole", 100000, { .verify = true } },
        { "slices of 1", 1, { .verify = true } },
        { "slices of 7", 7, { 0 } },
        { "slices of 64", 64, { 0 } },
        { "random slices", 0, { 0 } },
        { "blocks of 1", 100000, { .max_block_insns = 1 } },
        { "blocks of 3", 64, { .max_block_insns = 3 } },
        { "tiny cache", 100000, { .cache_bytes = 20000 } },
        { "perturbed", 100000, { .perturb_seed = 99 } },
        { "perturbed, random slices", 0, { .perturb_seed = 7, .cache_bytes = 50000 } },
    };
    for (uint64_t seed = first; seed < first + PROGRAMS; seed++) {
        struct golden *g = NEW(struct golden);
        make_golden(g, seed, paging);
        for (size_t r = 0; r < ARRAY_LEN(runs); r++) {
            struct engine_config config = runs[r].config;
            config.kind = kind;
            if (config.cache_bytes && !strcmp(kind, "jit"))
                config.cache_bytes += 1200 << 10;
            check(g, seed, paging, &config, runs[r].slice, runs[r].what);
        }
        toy_machine_free(g->m);
        free(g);
    }
}

static const char *kind_of(void **state) { return *state; }
static void test_physical(void **state) { programs(kind_of(state), false, 1); }
static void test_paging(void **state) { programs(kind_of(state), true, 1000); }

/* ---- directed -------------------------------------------------------------------------------------- */

static struct toy_machine *new_machine(void **state)
{
    const struct engine_config config = { .kind = kind_of(state), .verify = true };
    return toy_machine_new(&config);
}

static void test_unknown_kind(void **state)
{
    struct error err;
    struct engine_config config = { .kind = "none" };
    assert_null(engine_new(&config, &err));
    assert_non_null(strstr(err.text, "none"));
}

/* A loop runs chained: few lookups for many positions. */
static void test_chaining(void **state)
{
    struct toy_machine *m = new_machine(state);
    struct engine_stats s;
    uint64_t at = TOY_CODE;
    toy_emit(m, &at, T_MOVI, 1, 0, 10000);
    toy_emit(m, &at, T_ADDI, 1, 0, -1);
    toy_emit(m, &at, T_JNZ, 0, 0, -TOY_LENGTH);
    toy_emit(m, &at, T_HLT, 0, 0, 0);
    assert_int_equal(toy_run(m, 100000), 20002);
    engine_get_stats(m->engine, &s);
    assert_true(s.lookups < 20);
    assert_int_equal(s.retries, 0);
    toy_machine_free(m);
}

/* Device access in the middle of a block: run again as a last instruction, at the exact position. */
static void test_device(void **state)
{
    struct toy_machine *m = new_machine(state);
    struct engine_stats s;
    uint64_t at = TOY_CODE;
    m->cpu.s.r[15] = TOY_DEVICE;
    for (int i = 0; i < 5; i++)
        toy_emit(m, &at, T_NOP, 0, 0, 0);
    toy_emit(m, &at, T_LD32, 3, 15, 0);
    toy_emit(m, &at, T_ST32, 0, 15, 4);
    toy_emit(m, &at, T_HLT, 0, 0, 0);
    toy_run(m, 100);
    assert_int_equal(m->cpu.s.r[3], 5);
    assert_int_equal(m->n_events, 1);
    assert_int_equal(m->event[0].position, 6);
    assert_int_equal(toy_position(m), 8);
    engine_get_stats(m->engine, &s);
    assert_int_equal(s.retries, 2);
    toy_machine_free(m);
}

/*
 * Finding the next block marks the page-table entry, beside which there is code: that ends the run, before a block for
 * what was left of it is begun.
 */
static void test_marked_beside_code(void **state)
{
    enum { TARGET = 0x30, BESIDE = TOY_TABLE + 8 * (TARGET + 1) };
    struct toy_machine *m = new_machine(state);
    toy_enable_paging(m);
    uint64_t at = TOY_CODE;
    toy_emit(m, &at, T_MOVI, 2, 0, TARGET << PAGE_BITS);
    toy_emit(m, &at, T_JMP, 0, 0, BESIDE - TOY_CODE - TOY_LENGTH);
    at = BESIDE;
    toy_emit(m, &at, T_JR, 2, 0, 0);                     /* nobody but the run loop can know where it leads */
    at = TARGET << PAGE_BITS;
    for (int i = 0; i < 10; i++)
        toy_emit(m, &at, T_ADDI, 1, 0, 1);
    toy_emit(m, &at, T_HLT, 0, 0, 0);
    assert_int_equal(toy_run(m, 6), 6);
    assert_int_equal(m->cpu.s.r[1], 3);
    assert_int_equal(toy_run(m, 100), 8);
    assert_int_equal(m->cpu.s.r[1], 10);
    toy_machine_free(m);
}

/* A store over the next instruction takes effect at once; a store beside code costs nothing. */
static void test_self_modifying(void **state)
{
    struct toy_machine *m = new_machine(state);
    struct engine_stats s;
    uint64_t at = TOY_CODE;
    m->cpu.s.r[13] = TOY_CODE;
    m->cpu.s.r[1] = T_NOP;
    toy_emit(m, &at, T_ST8, 1, 13, 18);            /* over the opcode of TRAP */
    toy_emit(m, &at, T_ST8, 1, 13, 0x800);         /* the same page, no code */
    toy_emit(m, &at, T_ST8, 1, 13, 0x808);
    toy_emit(m, &at, T_TRAP, 0, 0, 0);
    toy_emit(m, &at, T_HLT, 0, 0, 0);
    toy_run(m, 100);
    assert_int_equal(m->cpu.s.cause, 0);
    assert_int_equal(toy_position(m), 5);
    engine_get_stats(m->engine, &s);
    assert_int_equal(s.retries, 1);                /* of the first store; the block was given up for it */
    toy_machine_free(m);
}

/* A cache of next to nothing still runs, and stays small. */
static void test_eviction(void **state)
{
    struct engine_config config = { .kind = "interp", .cache_bytes = 4096 };
    struct toy_machine *m = toy_machine_new(&config);
    struct engine_stats s;
    uint64_t at = TOY_CODE;
    for (int i = 0; i < 300; i++) {
        toy_emit(m, &at, T_ADDI, 2, 0, 1);
        toy_emit(m, &at, T_JMP, 0, 0, 6);
    }
    toy_emit(m, &at, T_HLT, 0, 0, 0);
    toy_run(m, 10000);
    assert_int_equal(m->cpu.s.r[2], 300);
    engine_get_stats(m->engine, &s);
    assert_true(s.flushes > 5);
    toy_machine_free(m);
}

/*
 * Every state hash sees what was stored since the one before, also by blocks that know their pages: those at which
 * runs often end.  A run that ends with a turn of the loop stores by those alone.
 */
static void test_hashes(void **state)
{
    enum { TURN = 5, SHORT = 37, RUNS = 5 * TURN, HASHES = 20 };
    const struct engine_config config = { .kind = kind_of(state) };
    struct toy_machine *m = toy_machine_new(&config), *reference = toy_machine_new(NULL);
    struct toy_machine *both[] = { m, reference };
    for (unsigned k = 0; k < ARRAY_LEN(both); k++) {
        uint64_t at = TOY_CODE;
        both[k]->cpu.s.r[12] = TOY_DATA;
        toy_emit(both[k], &at, T_ADDI, 1, 0, 1);
        toy_emit(both[k], &at, T_ST32, 1, 12, 0x10);
        toy_emit(both[k], &at, T_ST8, 1, 12, 5 * PAGE_SIZE);
        toy_emit(both[k], &at, T_ADDI, 2, 0, 3);
        toy_emit(both[k], &at, T_JMP, 0, 0, -4 * TOY_LENGTH);
        for (unsigned i = 0; i < RUNS; i++)
            toy_run(both[k], SHORT);
    }
    for (unsigned i = 0; i < HASHES; i++) {
        toy_run(m, 10 * TURN);
        toy_run(reference, 10 * TURN);
        assert_true(ram_hash(m->ram) == ram_hash(reference->ram));
    }
    toy_machine_free(m);
    toy_machine_free(reference);
}

/*
 * Runs that end anywhere in a loop are entered once each, when all that they may end in is there.  (The toy follows no
 * jumps, so there are no plain blocks.)
 */
static void test_ends_of_runs(void **state)
{
    enum { TURN = 5, SHORT = 37, WARM = 400, RUNS = 50 };
    const struct engine_config config = { .kind = kind_of(state) };
    struct toy_machine *m = toy_machine_new(&config), *reference = toy_machine_new(NULL);
    struct toy_machine *both[] = { m, reference };
    struct engine_stats before, after;
    for (unsigned k = 0; k < ARRAY_LEN(both); k++) {
        uint64_t at = TOY_CODE;
        both[k]->cpu.s.r[12] = TOY_DATA;
        toy_emit(both[k], &at, T_ADDI, 1, 0, 1);
        toy_emit(both[k], &at, T_ST32, 1, 12, 0x10);
        toy_emit(both[k], &at, T_JNZ, 0, 0, TOY_LENGTH);
        toy_emit(both[k], &at, T_NOP, 0, 0, 0);
        toy_emit(both[k], &at, T_JMP, 0, 0, -4 * TOY_LENGTH);
        for (unsigned i = 0; i < WARM; i++)
            toy_run(both[k], SHORT);
    }
    engine_get_stats(m->engine, &before);
    for (unsigned i = 0; i < RUNS; i++) {
        assert_int_equal(toy_run(m, SHORT), toy_run(reference, SHORT));
        assert_memory_equal(m->cpu.s.r, reference->cpu.s.r, sizeof m->cpu.s.r);
    }
    engine_get_stats(m->engine, &after);
    assert_int_equal(after.entered - before.entered, RUNS);
    toy_machine_free(m);
    toy_machine_free(reference);
}

/* Halted with an interrupt to come. */
static void test_halt(void **state)
{
    struct toy_machine *m = new_machine(state);
    uint64_t at = TOY_VECTOR;
    toy_emit(m, &at, T_ADDI, 5, 0, 1);
    toy_emit(m, &at, T_HLT, 0, 0, 0);
    at = TOY_CODE;
    toy_emit(m, &at, T_EI, 0, 0, 0);
    toy_emit(m, &at, T_HLT, 0, 0, 0);
    assert_int_equal(toy_run(m, 100), 2);
    assert_int_equal(toy_run(m, 100), 0);
    toy_raise_irq(m);
    assert_int_equal(toy_run(m, 100), 3);
    assert_int_equal(m->cpu.s.r[5], 1);
    assert_int_equal(m->cpu.s.cause, CAUSE_IRQ);
    assert_int_equal(m->cpu.s.epc, TOY_CODE + 2 * TOY_LENGTH);
    toy_machine_free(m);
}

#define EACH(name, kind) { #name " " kind, name, NULL, NULL, (void *)(uintptr_t)kind }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_kind),
        EACH(test_chaining, "interp"),
        EACH(test_device, "interp"),
        EACH(test_eviction, "interp"),
        EACH(test_self_modifying, "interp"),
        EACH(test_marked_beside_code, "interp"),
        EACH(test_halt, "interp"),
        EACH(test_hashes, "interp"),
        EACH(test_physical, "interp"),
        EACH(test_paging, "interp"),
#if defined(__x86_64__)
        EACH(test_chaining, "jit"),
        EACH(test_device, "jit"),
        EACH(test_self_modifying, "jit"),
        EACH(test_marked_beside_code, "jit"),
        EACH(test_halt, "jit"),
        EACH(test_hashes, "jit"),
        EACH(test_ends_of_runs, "jit"),
        EACH(test_physical, "jit"),
        EACH(test_paging, "jit"),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
