/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 16550A against its data sheet (National Semiconductor PC16550D): FIFOs, interrupts, loopback, time-out. */
#include <string.h>

#include "dev.h"
#include "dev/uart.h"

enum { BASE = 0x3f8 };
enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };
enum { RDA = 1, THRE = 2, RLS = 4, MSI = 8 };
enum { DR = 1, OE = 2, BI = 16, EMPTY = 0x60, DLAB = 0x80, LOOP = 0x10, OUT2 = 8 };
enum { NONE = 1, ID_MSI = 0, ID_THRE = 2, ID_RDA = 4, ID_RLS = 6, ID_TIMEOUT = 12, FIFO = 0xc0 };

struct sink_chardev {
    struct chardev c;
    char text[64];
    size_t len;
    struct input_source *source;
};

static void written(struct chardev *c, const void *data, size_t len)
{
    struct sink_chardev *s = (struct sink_chardev *)(void *)c;
    assert_true(s->len + len <= sizeof s->text);
    memcpy(s->text + s->len, data, len);
    s->len += len;
}

static void attach(struct chardev *c, struct input_source *source)
{
    ((struct sink_chardev *)(void *)c)->source = source;
}

static const struct chardev_ops ops = { .write = written, .attach = attach };

struct fixture {
    struct bench *b;
    struct uart *u;
    struct sink_chardev c;
};

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .c.c = { .ops = &ops, .id = "test" } };
    f.b = bench_new();
    f.u = uart_new("serial0", f.b->sim, f.b->io, BASE, bench_wire(f.b, 4), &f.c.c);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    uart_free(f->u);
    bench_free(f->b);
    return 0;
}

static unsigned get(struct bench *b, unsigned reg) { return inb(b, BASE + reg); }
static void set(struct bench *b, unsigned reg, unsigned v) { outb(b, BASE + reg, v); }

/* Bytes from outside; what does not fit waits with the port. */
static void from_host(struct fixture *f, const char *text)
{
    assert_int_equal(input_post(f->c.source, text, strlen(text)), strlen(text));
    input_poll(f->b->port);
}

static void test_registers(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    set(b, LCR, DLAB | 3);
    set(b, RBR, 0x34);
    set(b, IER, 0x12);
    assert_int_equal(get(b, RBR) | get(b, IER) << 8, 0x1234);
    set(b, LCR, 3);
    assert_int_equal(get(b, LCR), 3);
    set(b, IER, 0xff);
    assert_int_equal(get(b, IER), 0x0f);
    set(b, SCR, 0x5a);
    assert_int_equal(get(b, SCR), 0x5a);
    set(b, MCR, 0xff);
    assert_int_equal(get(b, MCR), 0x1f);
    assert_int_equal(get(b, LSR), EMPTY);
    set(b, IIR, 1);
    assert_int_equal(get(b, IIR) & FIFO, FIFO);
    set(b, IIR, 0xc8);                   /* without the enable the other bits are not programmed */
    assert_int_equal(get(b, IIR) & FIFO, 0);
}

static void test_transmit(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    set(b, MCR, OUT2);
    assert_false(b->wire[4].level);
    set(b, IER, THRE);                   /* empty already: an interrupt at once */
    assert_true(b->wire[4].level);
    assert_int_equal(get(b, IIR), ID_THRE);
    assert_false(b->wire[4].level);      /* reading it took it away */
    assert_int_equal(get(b, IIR), NONE);
    set(b, RBR, 'h');
    assert_true(b->wire[4].level);
    unsigned rises = b->wire[4].rises;
    set(b, RBR, 'i');                    /* writing takes it away too, and it comes anew */
    assert_int_equal(b->wire[4].rises, rises + 1);
    assert_int_equal(f->c.len, 2);
    assert_memory_equal(f->c.text, "hi", 2);
    set(b, MCR, 0);                      /* OUT2 opens the PC's gate to the controller */
    assert_false(b->wire[4].level);
}

static void test_receive_without_fifo(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    set(b, MCR, OUT2);
    set(b, IER, RDA);
    from_host(f, "ab");                  /* one is taken, the other waits outside: nothing is lost */
    assert_true(b->wire[4].level);
    assert_int_equal(get(b, IIR), ID_RDA);
    assert_int_equal(get(b, LSR), EMPTY | DR);
    assert_int_equal(get(b, RBR), 'a');
    assert_false(b->wire[4].level);
    assert_int_equal(get(b, LSR), EMPTY);
    input_poll(b->port);
    assert_int_equal(get(b, RBR), 'b');
}

static void test_fifo_trigger_and_timeout(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    set(b, LCR, DLAB);
    set(b, RBR, 12);                     /* 9600 baud */
    set(b, IER, 0);
    set(b, LCR, 3);                      /* 8N1: ten bits a character */
    uint64_t four = 4 * UINT64_C(12) * 16 * 10 * NS_PER_SEC / 1843200;
    set(b, MCR, OUT2);
    set(b, IIR, 0x81);                   /* eight bytes */
    set(b, IER, RDA);
    from_host(f, "1234567");
    assert_false(b->wire[4].level);
    advance(b, four - 1000);
    assert_false(b->wire[4].level);
    advance(b, 1000);
    assert_true(b->wire[4].level);
    assert_int_equal(get(b, IIR), FIFO | ID_TIMEOUT);
    assert_int_equal(get(b, RBR), '1');  /* a read ends it and begins another wait */
    assert_false(b->wire[4].level);
    advance(b, four);
    assert_int_equal(get(b, IIR), FIFO | ID_TIMEOUT);
    from_host(f, "89");
    assert_int_equal(get(b, IIR), FIFO | ID_RDA);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(get(b, RBR), '2' + i);
    assert_int_equal(get(b, LSR), EMPTY);
    advance(b, 10 * four);
    assert_false(b->wire[4].level);
    /* Clearing the receiver empties it. */
    from_host(f, "xyz");
    set(b, IIR, 0x83);
    assert_int_equal(get(b, LSR), EMPTY);
    advance(b, 10 * four);
    assert_false(b->wire[4].level);
}

static void test_room(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    set(b, IIR, 1);
    from_host(f, "0123456789abcdefghij");
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(get(b, RBR), "0123456789abcdef"[i]);
    assert_int_equal(get(b, LSR), EMPTY);
    input_poll(b->port);
    assert_int_equal(get(b, RBR), 'g');
    assert_int_equal(get(b, LSR) & OE, 0);
}

static void test_loopback(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    get(b, MSR);
    set(b, MCR, LOOP | OUT2);
    set(b, IER, RDA | RLS | MSI);
    from_host(f, "no");                  /* the line is cut off */
    assert_int_equal(get(b, LSR), EMPTY);
    set(b, RBR, 'A');
    assert_int_equal(f->c.len, 0);
    assert_int_equal(get(b, IIR) & 0xf, ID_RDA);
    set(b, RBR, 'B');                    /* overrun: the lone buffer has the new byte */
    assert_int_equal(get(b, IIR) & 0xf, ID_RLS);
    assert_int_equal(get(b, LSR), EMPTY | DR | OE);
    assert_int_equal(get(b, LSR), EMPTY | DR);
    assert_int_equal(get(b, RBR), 'B');
    set(b, IIR, 1);
    for (unsigned i = 0; i < 17; i++)
        set(b, RBR, 'a' + i);
    assert_int_equal(get(b, LSR) & OE, OE);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(get(b, RBR), 'a' + i);
    assert_int_equal(get(b, LSR), EMPTY);
    /* RTS, DTR, OUT1, OUT2 come back as CTS, DSR, RI, DCD, with their changes. */
    get(b, MSR);
    static const struct {
        unsigned mcr, msr;
    } lines[] = { { 2, 0x10 | 0x8 | 0x1 },
                  { 1, 0x20 | 0x1 | 0x2 }, { 4, 0x40 | 0x2 }, { 8, 0x80 | 0x4 | 0x8 }, { 0, 0x8 } };
    for (unsigned i = 0; i < 5; i++) {
        set(b, MCR, LOOP | lines[i].mcr);
        assert_int_equal(get(b, IIR) & 0xf, ID_MSI);
        assert_int_equal(get(b, MSR), lines[i].msr);
        assert_int_equal(get(b, IIR) & 0xf, NONE);
    }
    set(b, MCR, 0);
    assert_int_equal(get(b, MSR) & 0xf0, 0xb0);
    input_poll(b->port);
    assert_int_equal(get(b, RBR), 'n');
}

/* A break from outside: a zero byte that the line status explains, once the bytes before it are read. */
static void test_break(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    set(b, IIR, 1);
    set(b, MCR, OUT2);
    set(b, IER, RLS);
    from_host(f, "x");
    assert_int_equal(input_post(f->c.c.line_break, "", 1), 1);
    input_poll(b->port);
    assert_int_equal(get(b, LSR), EMPTY | DR);
    assert_int_equal(get(b, RBR), 'x');
    input_poll(b->port);
    assert_true(b->wire[4].level);
    assert_int_equal(get(b, IIR) & 0xf, ID_RLS);
    assert_int_equal(get(b, LSR), EMPTY | DR | BI);
    assert_int_equal(get(b, LSR), EMPTY | DR);
    assert_int_equal(get(b, RBR), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_registers), TEST(test_transmit), TEST(test_receive_without_fifo), TEST(test_fifo_trigger_and_timeout),
        TEST(test_room), TEST(test_loopback), TEST(test_break),
    };
    return cmocka_run_group_tests_name("uart", tests, NULL, NULL);
}
