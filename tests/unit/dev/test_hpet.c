/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HPET against IA-PC HPET 1.0a: counter, one-shot and periodic comparators, levels, legacy replacement. */
#include "dev.h"
#include "dev/hpet.h"

#define BASE UINT64_C(0xfed00000)
enum { CAPABILITY = 0, CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0 };
enum { TIMER0 = 0x100, TIMER1 = 0x120, TIMER2 = 0x140, COMPARATOR = 8 };
enum { ENABLE = 1, LEGACY = 2 };
enum { LEVEL = 2, INT_ENABLE = 4, PERIODIC = 8, SET_VALUE = 0x40, MODE_32 = 0x100 };
enum { ROUTE_20 = 20 << 9, ROUTE_21 = 21 << 9, TICK = 10 };

struct fixture {
    struct bench *b;
    struct hpet *h;
};

/* Wires 0 and 8 are the legacy ones; pins of the I/O APIC have their own numbers, 16 and up here. */
static int setup(void **state)
{
    static struct fixture f;
    f.b = bench_new();
    f.h = hpet_new(f.b->sim, f.b->mem, BASE, bench_wire(f.b, 0), bench_wire(f.b, 0));
    hpet_reset(f.h);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    hpet_free(f->h);
    bench_free(f->b);
    return 0;
}

static uint64_t get(struct bench *b, unsigned reg) { return space_load(b->mem, BASE + reg, 8); }
static void set(struct bench *b, unsigned reg, uint64_t v) { space_store(b->mem, BASE + reg, 8, v); }

static void test_counter(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    assert_int_equal(get(b, CAPABILITY) >> 32, TICK * 1000000);           /* the period in fs */
    assert_int_equal((uint32_t)get(b, CAPABILITY), HPET_ID);
    assert_int_equal(space_load(b->mem, BASE + 4, 4), TICK * 1000000);
    advance(b, 1000);
    assert_int_equal(get(b, COUNTER), 0);
    set(b, COUNTER, 500);
    set(b, CONFIG, ENABLE);
    advance(b, 1000);
    assert_int_equal(get(b, COUNTER), 600);
    set(b, COUNTER, 7);                                                    /* not while it runs */
    assert_int_equal(get(b, COUNTER), 600);
    set(b, CONFIG, 0);
    advance(b, 1000);
    assert_int_equal(get(b, COUNTER), 600);
    space_store(b->mem, BASE + COUNTER + 4, 4, 1);
    assert_true(get(b, COUNTER) == (UINT64_C(1) << 32 | 600));
    set(b, CONFIG, ENABLE);
    advance(b, TICK);
    assert_int_equal(space_load(b->mem, BASE + COUNTER, 4), 601);
    assert_int_equal(space_load(b->mem, BASE + COUNTER + 4, 4), 1);
}

static void test_one_shot(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    set(b, TIMER0, INT_ENABLE | ROUTE_20);
    set(b, CONFIG, ENABLE);
    uint64_t begin = now(b);
    set(b, TIMER0 + COMPARATOR, 1000);
    advance_to(b, begin + 1000 * TICK - 1);
    assert_int_equal(b->wire[20].rises, 0);
    advance_to(b, begin + 1000 * TICK);
    assert_int_equal(b->wire[20].rises, 1);
    assert_int_equal(get(b, STATUS), 0);                                   /* edges have no status */
    advance(b, NS_PER_SEC);
    assert_int_equal(b->wire[20].rises, 1);
    set(b, TIMER0 + COMPARATOR, get(b, COUNTER) + 10);
    advance(b, 10 * TICK);
    assert_int_equal(b->wire[20].rises, 2);
    /* Not enabled: it matches in silence. */
    set(b, TIMER0, ROUTE_20);
    set(b, TIMER0 + COMPARATOR, get(b, COUNTER) + 10);
    advance(b, 20 * TICK);
    assert_int_equal(b->wire[20].rises, 2);
    /* Pin 20 may be chosen, 3 may not: nothing happens there. */
    assert_int_equal(get(b, TIMER0) >> 32 & 1u << 20, 1u << 20);
    set(b, TIMER0, INT_ENABLE | 3 << 9);
    set(b, TIMER0 + COMPARATOR, get(b, COUNTER) + 10);
    advance(b, 20 * TICK);
    assert_int_equal(b->wire[3].rises, 0);
}

/* A comparator of 32 bits matches again at each turn of the counter's low half. */
static void test_32_bits(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    set(b, TIMER2, INT_ENABLE | MODE_32 | ROUTE_21);
    set(b, TIMER2 + COMPARATOR, 100);
    set(b, COUNTER, UINT64_C(0xfffffff0));
    set(b, CONFIG, ENABLE);
    advance(b, 115 * TICK);
    assert_int_equal(b->wire[21].rises, 0);
    advance(b, TICK);
    assert_int_equal(b->wire[21].rises, 1);
    advance(b, (UINT64_C(1) << 32) * TICK);
    assert_int_equal(b->wire[21].rises, 2);
}

static void test_periodic(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    set(b, TIMER0, INT_ENABLE | PERIODIC | SET_VALUE | ROUTE_20);
    set(b, TIMER0 + COMPARATOR, 5000);                                     /* the accumulator */
    set(b, TIMER0 + COMPARATOR, 1000);                                     /* the period */
    assert_int_equal(get(b, TIMER0 + COMPARATOR), 5000);
    set(b, CONFIG, ENABLE);
    uint64_t begin = now(b);
    advance_to(b, begin + 5000 * TICK);
    assert_int_equal(b->wire[20].rises, 1);
    assert_int_equal(get(b, TIMER0 + COMPARATOR), 6000);
    advance_to(b, begin + 15000 * TICK);
    assert_int_equal(b->wire[20].rises, 11);
    assert_int_equal(b->wire[20].rose, begin + 15000 * TICK);
    set(b, CONFIG, 0);
    advance(b, NS_PER_SEC);
    assert_int_equal(b->wire[20].rises, 11);
}

static void test_level(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    set(b, TIMER0, INT_ENABLE | LEVEL | ROUTE_20);
    set(b, TIMER0 + COMPARATOR, 10);
    set(b, CONFIG, ENABLE);
    advance(b, 10 * TICK);
    assert_true(b->wire[20].level);
    assert_int_equal(get(b, STATUS), 1);
    set(b, STATUS, 2);
    assert_true(b->wire[20].level);
    set(b, STATUS, 1);                                                     /* a one clears it */
    assert_false(b->wire[20].level);
    assert_int_equal(get(b, STATUS), 0);
    /* The status comes without the enable; the line follows when it is given, and falls with the whole block's. */
    set(b, TIMER0, LEVEL | ROUTE_20);
    set(b, TIMER0 + COMPARATOR, get(b, COUNTER) + 10);
    advance(b, 10 * TICK);
    assert_int_equal(get(b, STATUS), 1);
    assert_false(b->wire[20].level);
    set(b, TIMER0, INT_ENABLE | LEVEL | ROUTE_20);
    assert_true(b->wire[20].level);
    set(b, CONFIG, 0);
    assert_false(b->wire[20].level);
    set(b, CONFIG, ENABLE);
    assert_true(b->wire[20].level);
    set(b, TIMER0, INT_ENABLE | LEVEL | ROUTE_21);                         /* it moves with its route */
    assert_false(b->wire[20].level);
    assert_true(b->wire[21].level);
}

static void test_legacy(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    struct irq pit = bench_wire(b, 0);
    irq_set(&pit, true);                                                   /* the 8254 leaves its output up */
    set(b, TIMER0, INT_ENABLE | PERIODIC | SET_VALUE | ROUTE_20);
    set(b, TIMER0 + COMPARATOR, 100);
    set(b, TIMER0 + COMPARATOR, 100);
    set(b, TIMER1, INT_ENABLE | ROUTE_21);
    set(b, TIMER1 + COMPARATOR, 150);
    assert_false(hpet_legacy(f->h));
    set(b, CONFIG, LEGACY);
    assert_false(hpet_legacy(f->h));                                       /* not while the block is off */
    set(b, CONFIG, ENABLE | LEGACY);
    assert_true(hpet_legacy(f->h));
    unsigned rises = b->wire[0].rises;
    advance(b, 1000 * TICK);
    assert_int_equal(b->wire[0].rises, rises + 10);
    assert_int_equal(b->wire[8].rises, 1);
    assert_int_equal(b->wire[20].rises + b->wire[21].rises, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_counter), TEST(test_one_shot), TEST(test_32_bits), TEST(test_periodic), TEST(test_level),
        TEST(test_legacy),
    };
    return cmocka_run_group_tests_name("hpet", tests, NULL, NULL);
}
