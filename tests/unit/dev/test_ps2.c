/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 8042, the keyboard and the mouse (IBM PS/2 Technical Reference; Microsoft's and Logitech's extensions). */
#include "dev.h"
#include "dev/input/ps2.h"

enum { DATA = 0x60, COMMAND = 0x64, IRQ1 = 1, IRQ12 = 12 };
enum { FULL = 1, SYS = 4, TO_COMMAND = 8, UNLOCKED = 16, MOUSE = 32, ACK = 0xfa, RESEND = 0xfe };
#define MS UINT64_C(1000000)

struct fixture {
    struct bench *b;
    struct ps2_keyboard *k;
    struct ps2_mouse *m;
    struct i8042 *c;
    bool a20;
    unsigned resets;
};

static void set_a20(void *opaque, bool on) { ((struct fixture *)opaque)->a20 = on; }
static bool get_a20(void *opaque) { return ((struct fixture *)opaque)->a20; }
static void reset(void *opaque) { ((struct fixture *)opaque)->resets++; }

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .b = bench_new() };
    struct i8042_config config = { bench_wire(f.b, IRQ1), bench_wire(f.b, IRQ12), set_a20, get_a20, reset, &f };
    f.k = ps2_keyboard_new(f.b->sim);
    f.m = ps2_mouse_new(f.b->sim);
    f.c = i8042_new(f.b->sim, f.b->io, &config, ps2_keyboard_port(f.k), ps2_mouse_port(f.m));
    ps2_keyboard_reset(f.k);
    ps2_mouse_reset(f.m);
    i8042_reset(f.c);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    i8042_free(f->c);
    ps2_mouse_free(f->m);
    ps2_keyboard_free(f->k);
    bench_free(f->b);
    return 0;
}

static unsigned status(struct fixture *f) { return inb(f->b, COMMAND); }
static void command(struct fixture *f, unsigned v) { outb(f->b, COMMAND, v); }
static void data(struct fixture *f, unsigned v) { outb(f->b, DATA, v); }

/* The next byte, which must be there. */
static unsigned next(struct fixture *f)
{
    assert_true(status(f) & FULL);
    return inb(f->b, DATA);
}

static unsigned ask(struct fixture *f, unsigned v)
{
    command(f, v);
    return next(f);
}

static void to_mouse(struct fixture *f, unsigned v)
{
    command(f, 0xd4);
    data(f, v);
}

static void assert_bytes(struct fixture *f, const char *hex)
{
    for (; *hex; hex += 2) {
        unsigned v = 0;
        for (unsigned i = 0; i < 2; i++)
            v = v << 4 | (unsigned)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
        assert_int_equal(next(f), v);
    }
    assert_false(status(f) & FULL);
}

/* ---- controller ---------------------------------------------------------------------------------- */

static void test_controller(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(status(f), UNLOCKED);
    assert_int_equal(ask(f, 0xaa), 0x55);            /* self test */
    assert_true(status(f) & SYS);
    assert_int_equal(ask(f, 0xab), 0);
    assert_int_equal(ask(f, 0xa9), 0);
    assert_int_equal(ask(f, 0xa4), 0xf1);            /* no password */
    assert_int_equal(ask(f, 0xc0) & 0x80, 0x80);
    assert_int_equal(ask(f, 0xe0), 3);
    command(f, 0x60);
    assert_true(status(f) & TO_COMMAND);
    data(f, 0x47);
    assert_false(status(f) & TO_COMMAND);
    assert_int_equal(ask(f, 0x20), 0x47);
    command(f, 0x65);
    data(f, 0x5a);
    assert_int_equal(ask(f, 0x25), 0x5a);            /* the controller's RAM */
    command(f, 0xad);
    assert_int_equal(ask(f, 0x20), 0x57);
    command(f, 0xae);
    command(f, 0xa7);
    assert_int_equal(ask(f, 0x20), 0x67);
    command(f, 0xa8);
    assert_int_equal(ask(f, 0x20), 0x47);
}

static void test_output_port(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ask(f, 0xd0) & 3, 1);
    command(f, 0xdf);
    assert_true(f->a20);
    assert_int_equal(ask(f, 0xd0) & 3, 3);
    command(f, 0xdd);
    assert_false(f->a20);
    command(f, 0xd1);
    data(f, 0xdf);
    assert_true(f->a20);
    assert_int_equal(f->resets, 0);
    command(f, 0xd1);
    data(f, 0xde);
    assert_int_equal(f->resets, 1);
    command(f, 0xfe);
    assert_int_equal(f->resets, 2);
    command(f, 0xff);                                /* pulses nothing */
    assert_int_equal(f->resets, 2);
}

/* Bytes put into the buffer as if from the devices, with their interrupts. */
static void test_interrupts(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    command(f, 0xd2);
    data(f, 0x12);
    assert_true(b->wire[IRQ1].level && !b->wire[IRQ12].level);
    assert_int_equal(status(f) & (FULL | MOUSE), FULL);
    assert_int_equal(next(f), 0x12);
    assert_false(b->wire[IRQ1].level);
    command(f, 0xd3);
    data(f, 0x34);
    assert_true(!b->wire[IRQ1].level && b->wire[IRQ12].level);
    assert_int_equal(status(f) & (FULL | MOUSE), FULL | MOUSE);
    assert_int_equal(next(f), 0x34);
    command(f, 0x60);
    data(f, 0);
    command(f, 0xd2);
    data(f, 0x12);
    assert_false(b->wire[IRQ1].level);
    command(f, 0x60);
    data(f, 1);
    assert_true(b->wire[IRQ1].level);
    assert_int_equal(next(f), 0x12);
}

/* ---- keyboard -------------------------------------------------------------------------------------- */

static void test_keyboard_commands(void **state)
{
    struct fixture *f = *state;
    data(f, 0xff);
    assert_bytes(f, "faaa");
    data(f, 0xee);
    assert_bytes(f, "ee");
    data(f, 0xf2);
    assert_bytes(f, "faab83");
    data(f, 0xfe);
    assert_bytes(f, "83");                           /* the last byte again */
    data(f, 0xed);
    assert_bytes(f, "fa");
    data(f, 5);
    assert_bytes(f, "fa");
    assert_int_equal(ps2_keyboard_leds(f->k), 5);
    data(f, 0xf0);
    assert_bytes(f, "fa");
    data(f, 0);
    assert_bytes(f, "fa02");
    data(f, 0xf0), next(f);
    data(f, 4);
    assert_bytes(f, "fe");
    data(f, 0xf5);                                   /* no scanning */
    assert_bytes(f, "fa");
    ps2_keyboard_key(f->k, KEY_A, true);
    assert_false(status(f) & FULL);
    data(f, 0xf4);
    assert_bytes(f, "fa");
    data(f, 0x01);
    assert_bytes(f, "fe");
}

static void press(struct fixture *f, enum key key, const char *make, const char *break_)
{
    ps2_keyboard_key(f->k, key, true);
    assert_bytes(f, make);
    ps2_keyboard_key(f->k, key, false);
    assert_bytes(f, break_);
}

static void choose_set(struct fixture *f, unsigned set)
{
    data(f, 0xf0), next(f);
    data(f, set), next(f);
}

static void test_scan_codes(void **state)
{
    struct fixture *f = *state;
    press(f, KEY_A, "1c", "f01c");
    press(f, KEY_UP, "e075", "e0f075");
    press(f, KEY_PAUSE, "e11477e1f014f077", "");
    press(f, KEY_PRINT_SCREEN, "e012e07c", "e0f07ce0f012");
    choose_set(f, 1);
    press(f, KEY_A, "1e", "9e");
    press(f, KEY_UP, "e048", "e0c8");
    press(f, KEY_F7, "41", "c1");
    press(f, KEY_PAUSE, "e11d45e19dc5", "");
    choose_set(f, 3);
    press(f, KEY_A, "1c", "f01c");
    press(f, KEY_UP, "63", "f063");
    /* The controller translates set 2 to set 1. */
    choose_set(f, 2);
    command(f, 0x60);
    data(f, 0x45);
    press(f, KEY_A, "1e", "9e");
    press(f, KEY_RIGHT_CTRL, "e01d", "e09d");
    press(f, KEY_F7, "41", "c1");
}

/* Half a second, then 10.9 a second; by command a quarter, then 30. */
static void test_typematic(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    ps2_keyboard_key(f->k, KEY_B, true);
    ps2_keyboard_key(f->k, KEY_B, true);             /* it is down already */
    assert_bytes(f, "32");
    advance(b, 500 * MS - 1);
    assert_false(status(f) & FULL);
    advance(b, 1);
    assert_bytes(f, "32");
    unsigned n = 0;
    for (uint64_t end = now(b) + NS_PER_SEC; now(b) < end; advance(b, MS))
        while (status(f) & FULL)
            n++, inb(b, DATA);
    assert_int_equal(n, 10);
    ps2_keyboard_key(f->k, KEY_B, false);
    assert_bytes(f, "f032");
    advance(b, NS_PER_SEC);
    assert_false(status(f) & FULL);
    data(f, 0xf3), next(f);
    data(f, 0x00), next(f);
    ps2_keyboard_key(f->k, KEY_C, true);
    assert_bytes(f, "21");
    advance(b, 250 * MS);
    assert_bytes(f, "21");
    advance(b, 34 * MS);
    assert_bytes(f, "21");
    ps2_keyboard_key(f->k, KEY_D, true);             /* the last key repeats */
    assert_bytes(f, "23");
    advance(b, 250 * MS);
    assert_bytes(f, "23");
}

/* A full queue drops whole keys, and a disabled interface keeps them. */
static void test_queue(void **state)
{
    struct fixture *f = *state;
    command(f, 0xad);
    ps2_keyboard_key(f->k, KEY_A, true);
    assert_false(status(f) & FULL);
    command(f, 0xae);
    assert_bytes(f, "1c");
    command(f, 0xad);
    for (unsigned i = 0; i < 20; i++) {
        ps2_keyboard_key(f->k, KEY_A, false);
        ps2_keyboard_key(f->k, KEY_A, true);
    }
    command(f, 0xae);
    unsigned n = 0, last = 0;
    while (status(f) & FULL)
        n++, last = inb(f->b, DATA);
    assert_true(n <= PS2_QUEUE);
    assert_int_not_equal(last, 0xf0);                /* no half of a release */
}

/* ---- mouse ----------------------------------------------------------------------------------------------- */

static void knock(struct fixture *f, unsigned a, unsigned b, unsigned c)
{
    unsigned rates[3] = { a, b, c };
    for (unsigned i = 0; i < 3; i++) {
        to_mouse(f, 0xf3), assert_int_equal(next(f), ACK);
        to_mouse(f, rates[i]), assert_int_equal(next(f), ACK);
    }
}

static void test_mouse_commands(void **state)
{
    struct fixture *f = *state;
    to_mouse(f, 0xff);
    assert_true(f->b->wire[IRQ12].level);
    assert_bytes(f, "faaa00");
    to_mouse(f, 0xe9);
    assert_bytes(f, "fa000264");
    to_mouse(f, 0xe8), next(f), to_mouse(f, 3), next(f);
    to_mouse(f, 0xf3), next(f), to_mouse(f, 40), next(f);
    to_mouse(f, 0xe7), next(f);
    to_mouse(f, 0xf4), next(f);
    ps2_mouse_buttons(f->m, 1);
    for (unsigned i = 0; i < 3; i++)
        next(f);
    to_mouse(f, 0xe9);
    assert_bytes(f, "fa340328");
    to_mouse(f, 0xf6);
    assert_bytes(f, "fa");
    to_mouse(f, 0xe9);
    assert_bytes(f, "fa040264");
    to_mouse(f, 0xee), next(f);                      /* wrap: everything comes back */
    to_mouse(f, 0x55);
    assert_bytes(f, "55");
    to_mouse(f, 0xec);
    assert_bytes(f, "fa");
    to_mouse(f, 0x55);
    assert_bytes(f, "fe");
}

static void test_mouse_packets(void **state)
{
    struct fixture *f = *state;
    ps2_mouse_move(f->m, 5, 5, 0);                   /* not enabled: it gathers, and is dropped by defaults */
    assert_false(status(f) & FULL);
    to_mouse(f, 0xf6), next(f);
    to_mouse(f, 0xf4), next(f);
    ps2_mouse_move(f->m, 3, -2, 0);
    assert_bytes(f, "2803fe");
    ps2_mouse_buttons(f->m, 6);
    assert_bytes(f, "0e0000");
    ps2_mouse_move(f->m, -300, 0, 0);                /* more than a packet holds */
    assert_bytes(f, "1e81001e81001ed200");
    ps2_mouse_buttons(f->m, 0);
    assert_bytes(f, "080000");
    to_mouse(f, 0xf0), next(f);                      /* remote: only when asked */
    ps2_mouse_move(f->m, 1, 1, 0);
    assert_false(status(f) & FULL);
    to_mouse(f, 0xeb);
    assert_bytes(f, "fa080101");
}

static void test_mouse_extensions(void **state)
{
    struct fixture *f = *state;
    to_mouse(f, 0xf2);
    assert_bytes(f, "fa00");
    knock(f, 200, 100, 80);
    to_mouse(f, 0xf2);
    assert_bytes(f, "fa03");
    to_mouse(f, 0xf4), next(f);
    ps2_mouse_move(f->m, 0, 0, -1);
    assert_bytes(f, "080000ff");
    knock(f, 200, 200, 80);
    to_mouse(f, 0xf2);
    assert_bytes(f, "fa04");
    ps2_mouse_buttons(f->m, 8 | 16);
    assert_bytes(f, "08000030");
    ps2_mouse_move(f->m, 0, 0, 1);
    assert_bytes(f, "08000031");
    to_mouse(f, 0xff);
    assert_bytes(f, "faaa00");                       /* reset forgets it */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_controller), TEST(test_output_port), TEST(test_interrupts), TEST(test_keyboard_commands),
        TEST(test_scan_codes), TEST(test_typematic), TEST(test_queue), TEST(test_mouse_commands),
        TEST(test_mouse_packets), TEST(test_mouse_extensions),
    };
    return cmocka_run_group_tests_name("ps2", tests, NULL, NULL);
}
