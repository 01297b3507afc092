/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MC146818 against its data sheet (Motorola, 1984): time, formats, update cycle, and the three interrupts. */
#include "dev.h"
#include "dev/rtc.h"

enum { INDEX = 0x70, DATA = 0x71 };
enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH, YEAR,
       A, B, C, D, CENTURY = 0x32 };
enum { SET = 0x80, PIE = 0x40, AIE = 0x20, UIE = 0x10, BINARY = 4, H24 = 2 };
enum { IRQF = 0x80, PF = 0x40, AF = 0x20, UF = 0x10, UIP = 0x80 };
#define START UINT64_C(1709251198)      /* Thursday 2024-02-29 23:59:58 UTC */
#define MS UINT64_C(1000000)

struct fixture {
    struct bench *b;
    struct rtc *rtc;
};

static int setup(void **state)
{
    static const struct rtc_config config = { .virtual_clock = true, .start_seconds = START };
    static struct fixture f;
    f.b = bench_new();
    f.rtc = rtc_new(f.b->sim, f.b->io, bench_wire(f.b, 8), &config);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    rtc_free(f->rtc);
    bench_free(f->b);
    return 0;
}

static unsigned get(struct bench *b, unsigned reg)
{
    outb(b, INDEX, reg);
    return inb(b, DATA);
}

static void set(struct bench *b, unsigned reg, unsigned v)
{
    outb(b, INDEX, reg);
    outb(b, DATA, v);
}

static void assert_time(struct bench *b, unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                        unsigned second)
{
    assert_int_equal(get(b, CENTURY) << 8 | get(b, YEAR), year);
    assert_int_equal(get(b, MONTH), month);
    assert_int_equal(get(b, DAY), day);
    assert_int_equal(get(b, HOURS), hour);
    assert_int_equal(get(b, MINUTES), minute);
    assert_int_equal(get(b, SECONDS), second);
}

static void test_time(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    assert_time(b, 0x2024, 0x02, 0x29, 0x23, 0x59, 0x58);
    assert_int_equal(get(b, WEEKDAY), 5);
    assert_int_equal(get(b, D), 0x80);
    advance(b, 2000 * MS);
    assert_time(b, 0x2024, 0x03, 0x01, 0x00, 0x00, 0x00);
    assert_int_equal(get(b, WEEKDAY), 6);
    set(b, B, BINARY | H24);
    advance(b, 13 * 3600 * NS_PER_SEC);
    assert_int_equal(get(b, HOURS), 13);
    set(b, B, BINARY);
    assert_int_equal(get(b, HOURS), 0x80 | 1);
    set(b, B, 0);
    assert_int_equal(get(b, HOURS), 0x81);
    advance(b, 11 * 3600 * NS_PER_SEC);
    assert_int_equal(get(b, HOURS), 0x12);       /* midnight is 12 AM */
    advance(b, 12 * 3600 * NS_PER_SEC);
    assert_int_equal(get(b, HOURS), 0x92);
}

/* UIP warns 244 us before an update, and is down while SET or the divider hold it. */
static void test_update_in_progress(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    advance(b, NS_PER_SEC - 244001);
    assert_int_equal(get(b, A) & UIP, 0);
    advance(b, 1);
    assert_int_equal(get(b, A) & UIP, UIP);
    set(b, B, SET | H24);
    assert_int_equal(get(b, A) & UIP, 0);
    set(b, B, H24);
    assert_int_equal(get(b, A) & UIP, UIP);
    advance(b, 244000);
    assert_int_equal(get(b, A) & UIP, 0);
}

/* Setting under SET keeps the fraction of the second; releasing the divider begins half a second before an update. */
static void test_set_time(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    advance(b, 300 * MS);
    set(b, B, SET | H24);
    set(b, SECONDS, 0x59);
    set(b, MINUTES, 0x59);
    set(b, HOURS, 0x23);
    set(b, DAY, 0x31);
    set(b, MONTH, 0x12);
    set(b, YEAR, 0x99);
    set(b, CENTURY, 0x19);
    advance(b, 5000 * MS);
    assert_time(b, 0x1999, 0x12, 0x31, 0x23, 0x59, 0x59);
    set(b, B, H24);
    advance(b, 699 * MS);
    assert_time(b, 0x1999, 0x12, 0x31, 0x23, 0x59, 0x59);
    advance(b, 1 * MS);
    assert_time(b, 0x2000, 0x01, 0x01, 0x00, 0x00, 0x00);

    set(b, A, 0x76);
    advance(b, 7000 * MS);
    set(b, SECONDS, 0x30);
    assert_int_equal(get(b, SECONDS), 0x30);
    set(b, A, 0x26);
    advance(b, 499 * MS);
    assert_int_equal(get(b, SECONDS), 0x30);
    advance(b, 1 * MS);
    assert_int_equal(get(b, SECONDS), 0x31);
}

static void test_periodic(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    get(b, C);
    set(b, A, 0x20 | 6);                         /* 1024 Hz */
    uint64_t begin = now(b), period = NS_PER_SEC / 1024;
    set(b, B, H24 | PIE);
    advance_to(b, begin + period - 1);
    assert_false(b->wire[8].level);
    advance_to(b, begin + period);
    assert_true(b->wire[8].level);
    assert_int_equal(get(b, C), IRQF | PF);
    assert_false(b->wire[8].level);
    assert_int_equal(get(b, C), 0);
    /* Once a period if it is served, once in all if it is not. */
    for (unsigned i = 0; i < 1024; i++) {
        advance(b, period);
        if (i < 100)
            get(b, C);
    }
    assert_int_equal(b->wire[8].rises, 102);
    /* Without PIE the flag comes all the same, without an interrupt. */
    set(b, B, H24);
    assert_false(b->wire[8].level);
    get(b, C);
    advance(b, period);
    assert_int_equal(get(b, C), PF);
    assert_int_equal(b->wire[8].rises, 102);
    /* Rates 1 and 2 are 256 and 128 Hz, 15 is 2 Hz, 0 is none; a held divider gives none. */
    static const struct {
        unsigned rate, hz;
    } rates[] = { { 1, 256 }, { 2, 128 }, { 3, 8192 }, { 15, 2 } };
    for (unsigned i = 0; i < 4; i++) {
        set(b, A, 0x20 | rates[i].rate);
        get(b, C);
        advance(b, NS_PER_SEC / rates[i].hz - 1000);
        assert_int_equal(get(b, C) & PF, 0);
        advance(b, 1000);
        assert_int_equal(get(b, C) & PF, PF);
    }
    set(b, A, 0x20);
    advance(b, NS_PER_SEC);
    assert_int_equal(get(b, C) & PF, 0);
    set(b, A, 0x76);
    set(b, B, H24 | PIE);
    advance(b, NS_PER_SEC);
    assert_int_equal(get(b, C), 0);
}

static void test_update_interrupt(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    advance(b, 400 * MS);
    get(b, C);
    set(b, B, H24 | UIE);
    advance(b, 600 * MS - 1);
    assert_false(b->wire[8].level);
    advance(b, 1);
    assert_true(b->wire[8].level);
    assert_int_equal(get(b, C) & (IRQF | UF), IRQF | UF);
    for (unsigned i = 0; i < 10; i++) {
        advance(b, NS_PER_SEC);
        get(b, C);
    }
    assert_int_equal(b->wire[8].rises, 11);
    set(b, B, SET | UIE | H24);                  /* SET clears UIE */
    assert_int_equal(get(b, B), SET | H24);
    set(b, B, H24);
    get(b, C);
    advance(b, NS_PER_SEC);
    assert_int_equal(get(b, C) & (UF | IRQF), UF);
    assert_int_equal(b->wire[8].rises, 11);
}

static void test_alarm(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    set(b, HOURS_ALARM, 0x00);
    set(b, MINUTES_ALARM, 0x01);
    set(b, SECONDS_ALARM, 0x05);                 /* 67 s from now */
    get(b, C);
    set(b, B, H24 | AIE);
    advance(b, 67 * NS_PER_SEC - 1);
    assert_false(b->wire[8].level);
    advance(b, 1);
    assert_true(b->wire[8].level);
    assert_int_equal(get(b, C) & (IRQF | AF), IRQF | AF);
    advance(b, 86400 * NS_PER_SEC - 1);
    assert_false(b->wire[8].level);
    advance(b, 1);
    assert_true(b->wire[8].level);
    get(b, C);
    set(b, MINUTES_ALARM, 0xff);                 /* every hour, then every minute, then every second */
    advance(b, 60 * NS_PER_SEC);
    assert_true(b->wire[8].level);
    get(b, C);
    set(b, SECONDS_ALARM, 0xc0);
    advance(b, NS_PER_SEC);
    assert_true(b->wire[8].level);
    /* Polled: the flag tells of an alarm that went by. */
    set(b, B, H24);
    set(b, SECONDS_ALARM, 0x30);
    get(b, C);
    advance(b, 10 * NS_PER_SEC);
    assert_int_equal(get(b, C) & AF, 0);
    advance(b, 60 * NS_PER_SEC);
    assert_int_equal(get(b, C) & AF, AF);
}

/* Enabling an interrupt whose flag is up raises it; RESET clears enables and flags and leaves time and memory. */
static void test_enable_and_reset(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    set(b, 0x40, 0xa5);
    get(b, C);
    advance(b, NS_PER_SEC);
    set(b, B, H24 | PIE);
    assert_true(b->wire[8].level);
    rtc_reset(f->rtc);
    assert_false(b->wire[8].level);
    assert_int_equal(get(b, B), H24);
    assert_int_equal(get(b, 0x40), 0xa5);
    assert_int_equal(get(b, SECONDS), 0x59);
}

/* With the host's clock the time follows it. */
static void test_host_clock(void **state)
{
    (void)state;
    static const struct rtc_config config = { .virtual_clock = false };
    struct bench *b = bench_new();
    b->wall_ns = START * NS_PER_SEC;
    struct rtc *rtc = rtc_new(b->sim, b->io, bench_wire(b, 8), &config);
    assert_time(b, 0x2024, 0x02, 0x29, 0x23, 0x59, 0x58);
    b->wall_ns += 10 * NS_PER_SEC;
    assert_time(b, 0x2024, 0x03, 0x01, 0x00, 0x00, 0x08);
    rtc_free(rtc);
    bench_free(b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_time), TEST(test_update_in_progress), TEST(test_set_time), TEST(test_periodic),
        TEST(test_update_interrupt), TEST(test_alarm), TEST(test_enable_and_reset), cmocka_unit_test(test_host_clock),
    };
    return cmocka_run_group_tests_name("rtc", tests, NULL, NULL);
}
