/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 8254 against its data sheet (Intel 231164): modes, gates, latches, read-back, and port 0x61. */
#include "dev.h"
#include "dev/pit.h"

enum { COUNTER0 = 0x40, COUNTER2 = 0x42, CONTROL = 0x43, PORT61 = 0x61 };
enum { GATE2 = 1, OUT2 = 0x20 };
enum { STATUS_OUT = 0x80, STATUS_NULL = 0x40 };

struct fixture {
    struct bench *b;
    struct pit *pit;
};

static int setup(void **state)
{
    static struct fixture f;
    f.b = bench_new();
    f.pit = pit_new(f.b->sim, f.b->io, bench_wire(f.b, 0));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pit_free(f->pit);
    bench_free(f->b);
    return 0;
}

/* The middle of tick k: what happened at its edge has happened, whatever the rounding. */
static uint64_t middle(uint64_t k) { return (2 * k + 1) * NS_PER_SEC / (2 * (uint64_t)PIT_HZ); }
static void to_tick(struct bench *b, uint64_t k) { advance_to(b, middle(k)); }

static void write_count(struct bench *b, unsigned i, unsigned control, unsigned n)
{
    outb(b, CONTROL, i << 6 | 0x30 | control);
    outb(b, COUNTER0 + i, n & 0xff);
    outb(b, COUNTER0 + i, n >> 8);
}

static unsigned latched(struct bench *b, unsigned i)
{
    outb(b, CONTROL, i << 6);
    unsigned low = inb(b, COUNTER0 + i);
    return low | inb(b, COUNTER0 + i) << 8;
}

static unsigned status(struct bench *b, unsigned i)
{
    outb(b, CONTROL, 0xe0 | 2u << i);
    return inb(b, COUNTER0 + i);
}

static bool out2(struct bench *b) { return inb(b, PORT61) & OUT2; }

/* An output at a tick. */
#define assert_out0(k, high) (to_tick(b, k), assert_int_equal(b->wire[0].level, high))
#define assert_out2(k, high) (to_tick(b, k), assert_int_equal(out2(b), high))

/* Output low with the control word, high N + 1 clocks behind the count; then it counts on from the top. */
static void test_mode0(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    to_tick(b, 100);
    write_count(b, 0, 0 << 1, 10);
    assert_int_equal(status(b, 0), STATUS_NULL | 0x30);
    assert_false(b->wire[0].level);
    to_tick(b, 101);
    assert_int_equal(latched(b, 0), 10);
    assert_int_equal(status(b, 0), 0x30);
    to_tick(b, 110);
    assert_int_equal(latched(b, 0), 1);
    assert_false(b->wire[0].level);
    assert_out0(111, true);
    assert_int_equal(b->wire[0].rose * PIT_HZ / NS_PER_SEC, 111);
    assert_int_equal(latched(b, 0), 0);
    to_tick(b, 112);
    assert_int_equal(latched(b, 0), 0xffff);
    /* The first byte of a new count stops it and takes the output down; the second starts it. */
    outb(b, COUNTER0, 3);
    assert_false(b->wire[0].level);
    assert_out0(200, false);
    outb(b, COUNTER0, 0);
    assert_out0(203, false);
    assert_out0(204, true);
}

static void test_mode0_gate(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    to_tick(b, 10);
    outb(b, PORT61, GATE2);
    write_count(b, 2, 0 << 1, 100);
    to_tick(b, 41);
    assert_int_equal(latched(b, 2), 70);
    outb(b, PORT61, 0);
    to_tick(b, 500);
    assert_int_equal(latched(b, 2), 70);
    assert_false(out2(b));
    outb(b, PORT61, GATE2);
    assert_out2(569, false);
    assert_out2(570, true);
}

/* A one-shot begins with the gate's rising edge, again and again; a count written meanwhile waits for the next. */
static void test_mode1(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    write_count(b, 2, 1 << 1, 20);
    assert_true(out2(b));
    assert_out2(50, true);
    outb(b, PORT61, GATE2);
    assert_true(out2(b));
    assert_out2(51, false);
    to_tick(b, 60);
    outb(b, COUNTER2, 5);
    outb(b, COUNTER2, 0);
    outb(b, PORT61, 0);                  /* the gate's level has no effect */
    assert_out2(70, false);
    assert_out2(71, true);
    outb(b, PORT61, GATE2);
    assert_out2(76, false);
    assert_out2(77, true);
    /* Retriggered before its end it is longer. */
    outb(b, PORT61, 0);
    outb(b, PORT61, GATE2);
    to_tick(b, 80);
    outb(b, PORT61, 0);
    outb(b, PORT61, GATE2);
    assert_out2(85, false);
    assert_out2(86, true);
}

static void test_mode2(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    write_count(b, 0, 2 << 1, 10);       /* loaded at tick 1 */
    assert_true(b->wire[0].level);
    assert_out0(9, true);
    assert_int_equal(latched(b, 0), 2);
    assert_out0(10, false);
    assert_int_equal(latched(b, 0), 1);
    assert_out0(11, true);
    assert_int_equal(latched(b, 0), 10);
    unsigned rises = b->wire[0].rises;
    to_tick(b, 11 + 10 * 100);
    assert_int_equal(b->wire[0].rises, rises + 100);
    /* A new count takes over at the period's end. */
    to_tick(b, 1013);
    outb(b, COUNTER0, 4);
    outb(b, COUNTER0, 0);
    assert_int_equal(status(b, 0) & STATUS_NULL, STATUS_NULL);
    assert_int_equal(latched(b, 0), 8);
    to_tick(b, 1021);
    assert_int_equal(latched(b, 0), 4);
    assert_int_equal(status(b, 0), STATUS_OUT | 0x34);
    rises = b->wire[0].rises;
    to_tick(b, 1021 + 4 * 50);
    assert_int_equal(b->wire[0].rises, rises + 50);
}

static void test_mode2_gate(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    outb(b, PORT61, GATE2);
    write_count(b, 2, 2 << 1, 10);
    assert_out2(10, false);
    outb(b, PORT61, 0);                  /* output up at once, counting inhibited */
    assert_true(out2(b));
    to_tick(b, 50);
    outb(b, PORT61, GATE2);
    to_tick(b, 51);
    assert_int_equal(latched(b, 2), 10);
    assert_out2(60, false);
}

/* Square wave: an odd count is high one clock longer, and the element falls by two from an even number. */
static void test_mode3(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    static const unsigned odd[7] = { 6, 4, 2, 0, 6, 4, 2 };
    write_count(b, 0, 3 << 1, 7);
    for (unsigned k = 0; k < 21; k++) {
        to_tick(b, 1 + k);
        assert_int_equal(b->wire[0].level, k % 7 < 4);
        assert_int_equal(latched(b, 0), odd[k % 7]);
    }
    write_count(b, 0, 7 << 1, 8);        /* mode 7 is mode 3; loaded at tick 22 */
    for (unsigned k = 0; k < 16; k++) {
        to_tick(b, 22 + k);
        assert_int_equal(b->wire[0].level, k % 8 < 4);
        assert_int_equal(latched(b, 0), 8 - 2 * (k % 4));
    }
    /* A count written in the first half begins with the second. */
    to_tick(b, 39);                      /* 22 + 2 * 8 + 1 */
    outb(b, COUNTER0, 20);
    outb(b, COUNTER0, 0);
    assert_out0(41, true);
    assert_out0(42, false);
    assert_int_equal(latched(b, 0), 20);
    assert_out0(51, false);
    assert_out0(52, true);
    assert_out0(62, false);
}

static void test_strobes(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    write_count(b, 0, 4 << 1, 5);        /* software triggered: low for one clock */
    assert_out0(5, true);
    assert_out0(6, false);
    assert_out0(7, true);
    write_count(b, 2, 5 << 1, 5);        /* triggered by the gate */
    assert_out2(30, true);
    outb(b, PORT61, GATE2);
    assert_out2(35, true);
    assert_out2(36, false);
    assert_out2(37, true);
}

static void test_latches(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    outb(b, PORT61, GATE2);
    write_count(b, 2, 0 << 1, 0x1234);
    to_tick(b, 1);
    outb(b, CONTROL, 0x80);
    to_tick(b, 100);
    outb(b, CONTROL, 0x80);              /* ignored until the first is read */
    assert_int_equal(inb(b, COUNTER2), 0x34);
    assert_int_equal(inb(b, COUNTER2), 0x12);
    assert_int_equal(inb(b, COUNTER2), (0x1234 - 99) & 0xff);
    assert_int_equal(inb(b, COUNTER2), (0x1234 - 99) >> 8);
    /* Read-back of status and count: status first. */
    outb(b, CONTROL, 0xc0 | 8);
    assert_int_equal(inb(b, COUNTER2), 0x30);
    assert_int_equal(inb(b, COUNTER2), (0x1234 - 99) & 0xff);
    assert_int_equal(inb(b, COUNTER2), (0x1234 - 99) >> 8);
    /* One byte only. */
    outb(b, CONTROL, 0x80 | 0x20);
    outb(b, COUNTER2, 2);
    to_tick(b, 111);
    assert_int_equal(inb(b, COUNTER2), (0x200 - 10) >> 8);
    assert_int_equal(inb(b, COUNTER2), (0x200 - 10) >> 8);
}

static void test_bcd(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    write_count(b, 0, 0 << 1 | 1, 0x1000);
    to_tick(b, 2);
    assert_int_equal(latched(b, 0), 0x0999);
    assert_out0(1000, false);
    assert_out0(1001, true);
    to_tick(b, 1002);
    assert_int_equal(latched(b, 0), 0x9999);
    write_count(b, 0, 2 << 1 | 1, 0);    /* 10000 */
    assert_out0(11002, false);
    assert_out0(11003, true);
}

static void test_reset(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    write_count(b, 0, 2 << 1, 10);
    to_tick(b, 3);
    pit_reset(f->pit);
    unsigned rises = b->wire[0].rises;
    to_tick(b, 300);
    assert_int_equal(b->wire[0].rises, rises);
    assert_int_equal(inb(b, PORT61) & 0xf, 0);
    unsigned before = inb(b, PORT61);
    advance(b, 15085);                   /* a refresh period */
    assert_int_equal((inb(b, PORT61) ^ before) & 0x10, 0x10);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_mode0), TEST(test_mode0_gate), TEST(test_mode1), TEST(test_mode2), TEST(test_mode2_gate),
        TEST(test_mode3), TEST(test_strobes), TEST(test_latches), TEST(test_bcd), TEST(test_reset),
    };
    return cmocka_run_group_tests_name("pit", tests, NULL, NULL);
}
