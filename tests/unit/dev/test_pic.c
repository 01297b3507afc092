/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two 8259A (Intel 231468) with the PIIX's edge/level registers. */
#include "dev.h"
#include "dev/pic.h"

enum { MASTER = 0x20, SLAVE = 0xa0, ELCR = 0x4d0, EOI = 0x20, SPECIFIC = 0x60 };

struct fixture {
    struct bench *b;
    struct pic *pic;
};

static void init(struct bench *b, unsigned icw4)
{
    outb(b, MASTER, 0x11), outb(b, MASTER + 1, 0x20), outb(b, MASTER + 1, 4), outb(b, MASTER + 1, icw4);
    outb(b, SLAVE, 0x11), outb(b, SLAVE + 1, 0x28), outb(b, SLAVE + 1, 2), outb(b, SLAVE + 1, 1);
}

static int setup(void **state)
{
    static struct fixture f;
    f.b = bench_new();
    f.pic = pic_new(f.b->sim, f.b->io, bench_wire(f.b, 0));
    init(f.b, 1);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pic_free(f->pic);
    bench_free(f->b);
    return 0;
}

static void line(struct fixture *f, unsigned n, bool level)
{
    struct irq w = pic_line(f->pic, n);
    irq_set(&w, level);
}

static void edge(struct fixture *f, unsigned n)
{
    line(f, n, false);
    line(f, n, true);
}

static bool out(struct fixture *f) { return f->b->wire[0].level; }

static unsigned isr(struct bench *b, unsigned chip)
{
    outb(b, chip, 0x0b);
    unsigned v = inb(b, chip);
    outb(b, chip, 0x0a);
    return v;
}

static void test_nesting(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    assert_int_equal(inb(b, MASTER + 1), 0);         /* ICW1 clears the mask */
    edge(f, 4);
    assert_true(out(f));
    assert_int_equal(inb(b, MASTER), 0x10);
    assert_int_equal(pic_acknowledge(f->pic), 0x24);
    assert_int_equal(isr(b, MASTER), 0x10);
    edge(f, 6);
    assert_false(out(f));                            /* lower */
    edge(f, 1);
    assert_true(out(f));                             /* higher */
    assert_int_equal(pic_acknowledge(f->pic), 0x21);
    assert_int_equal(isr(b, MASTER), 0x12);
    outb(b, MASTER, EOI);                            /* ends the highest */
    assert_int_equal(isr(b, MASTER), 0x10);
    outb(b, MASTER, SPECIFIC | 4);
    assert_int_equal(pic_acknowledge(f->pic), 0x26);
    outb(b, MASTER, EOI);
    assert_int_equal(isr(b, MASTER), 0);
    outb(b, MASTER + 1, 0x20);                       /* masked requests wait */
    edge(f, 5);
    assert_false(out(f));
    outb(b, MASTER + 1, 0);
    assert_true(out(f));
    assert_int_equal(pic_acknowledge(f->pic), 0x25);
}

static void test_cascade(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    edge(f, 12);
    assert_int_equal(pic_acknowledge(f->pic), 0x2c);
    assert_int_equal(isr(b, MASTER), 4);
    assert_int_equal(isr(b, SLAVE), 0x10);
    edge(f, 9);                                      /* higher at the slave, but the master waits for its EOI */
    assert_false(out(f));
    outb(b, MASTER, EOI);
    assert_true(out(f));
    assert_int_equal(pic_acknowledge(f->pic), 0x29);
    outb(b, SLAVE, EOI), outb(b, MASTER, EOI);
    outb(b, SLAVE, EOI), outb(b, MASTER, EOI);
    /* Special fully nested: the slave's higher one comes through at once. */
    init(b, 0x11);
    line(f, 12, false), line(f, 9, false);
    edge(f, 12);
    assert_int_equal(pic_acknowledge(f->pic), 0x2c);
    edge(f, 9);
    assert_true(out(f));
    assert_int_equal(pic_acknowledge(f->pic), 0x29);
}

static void test_spurious(void **state)
{
    struct fixture *f = *state;
    edge(f, 3);
    line(f, 3, false);                               /* gone before the acknowledge */
    assert_int_equal(pic_acknowledge(f->pic), 0x27);
    assert_int_equal(isr(f->b, MASTER), 0);
    assert_int_equal(inb(f->b, MASTER), 0);
}

static void test_levels(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    outb(b, ELCR, 0xff);
    outb(b, ELCR + 1, 0xff);
    assert_int_equal(inb(b, ELCR), 0xf8);            /* 0, 1, 2, 8 and 13 are edges for ever */
    assert_int_equal(inb(b, ELCR + 1), 0xde);
    line(f, 10, true);
    assert_int_equal(pic_acknowledge(f->pic), 0x2a);
    outb(b, SLAVE, EOI), outb(b, MASTER, EOI);
    assert_true(out(f));                             /* still up: again */
    assert_int_equal(pic_acknowledge(f->pic), 0x2a);
    line(f, 10, false);
    outb(b, SLAVE, EOI), outb(b, MASTER, EOI);
    assert_false(out(f));
    line(f, 0, true);
    assert_int_equal(pic_acknowledge(f->pic), 0x20);
    outb(b, MASTER, EOI);
    assert_false(out(f));
}

static void test_rotation(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    outb(b, MASTER, 0xc0 | 4);                       /* 4 is lowest, so 5 is highest */
    edge(f, 0), edge(f, 4), edge(f, 5);
    assert_int_equal(pic_acknowledge(f->pic), 0x25);
    outb(b, MASTER, 0xa0);                           /* rotate on EOI: 5 becomes lowest */
    assert_int_equal(pic_acknowledge(f->pic), 0x20);
    outb(b, MASTER, 0xe0);                           /* rotate on the specific EOI of 0 */
    edge(f, 0);
    assert_int_equal(pic_acknowledge(f->pic), 0x24);
    outb(b, MASTER, EOI);
    assert_int_equal(pic_acknowledge(f->pic), 0x20);
}

static void test_auto_eoi_and_poll(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    init(b, 3);
    edge(f, 4);
    assert_int_equal(pic_acknowledge(f->pic), 0x24);
    assert_int_equal(isr(b, MASTER), 0);
    outb(b, MASTER, 0x80);                           /* rotate in automatic EOI */
    edge(f, 4);
    pic_acknowledge(f->pic);
    edge(f, 4), edge(f, 5);
    assert_int_equal(pic_acknowledge(f->pic), 0x25);
    init(b, 1);
    line(f, 5, false);
    edge(f, 6);
    outb(b, MASTER, 0x0c);
    assert_int_equal(inb(b, MASTER), 0x86);          /* polled: acknowledged by the read */
    assert_int_equal(isr(b, MASTER), 0x40);
    outb(b, MASTER, 0x0c);
    assert_int_equal(inb(b, MASTER), 0);
}

static void test_special_mask(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    edge(f, 1);
    pic_acknowledge(f->pic);
    outb(b, MASTER, 0x68);                           /* special mask mode: what is masked does not hold others back */
    outb(b, MASTER + 1, 2);
    edge(f, 7);
    assert_true(out(f));
    assert_int_equal(pic_acknowledge(f->pic), 0x27);
    outb(b, MASTER, 0x48);
    outb(b, MASTER, SPECIFIC | 7);
    edge(f, 6);
    assert_false(out(f));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_nesting), TEST(test_cascade), TEST(test_spurious), TEST(test_levels), TEST(test_rotation),
        TEST(test_auto_eoi_and_poll), TEST(test_special_mask),
    };
    return cmocka_run_group_tests_name("pic", tests, NULL, NULL);
}
