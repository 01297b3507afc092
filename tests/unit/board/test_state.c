/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's state is what its descriptors say, and nothing else:
 *  - every byte of every registered struct is covered, and every bit of it reaches the hash;
 *  - a fresh machine that is given the encoded state and the RAM of another goes on exactly as that one does, at any
 *    moment of a firmware's start.  A device that hides state from its descriptor fails here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/board.h"
#include "state/walk.h"

#define FIRMWARE "/usr/share/seabios/bios-256k.bin"
enum { RAM_BYTES = 32 << 20 };

static void *host_alloc(void *opaque, uint64_t size, struct error *err) { return alloc_zero(size); }
static void host_free(void *opaque, void *p, uint64_t size) { free(p); }
static uint64_t host_clock(void *opaque, enum sim_clock clock) { return UINT64_C(1700000000) * NS_PER_SEC; }
static void host_wait(void *opaque, uint64_t timeout_ns) {}
static void host_notify(void *opaque) {}
static void host_random(void *opaque, void *out, size_t len) { memset(out, 0x5a, len); }
static const struct sim_host host = { host_clock, host_wait, host_notify, host_random, NULL };
static const struct sink silent;

static void drop(struct chardev *c, const void *data, size_t len) {}
static void attach(struct chardev *c, struct input_source *source) {}
static const struct chardev_ops ops = { .write = drop, .attach = attach };
static struct chardev chardev = { &ops, "test" };

static uint8_t firmware[256 << 10];

struct running {
    struct sim *sim;
    struct input_port *port;
    struct machine *m;
};

static struct running start(void)
{
    static const struct sim_config sim_config = { .shift = 7 };
    struct machine_config c = {
        .machine = "pc", .cpu = "max", .is_64bit = true, .cpus = 2, .ram_bytes = RAM_BYTES,
        .bios = { "bios", firmware, sizeof firmware }, .serial = { &chardev, &chardev, &chardev, &chardev },
        .debugcon = &chardev, .debugcon_port = 0x402, .debugcon_readback = 0xe9, .debug_exit_port = 0x501,
        .debug_exit_size = 2, .pvpanic_port = 0x505, .pvpanic_events = 3,
        .engine = { .kind = "interp" }, .memory = { host_alloc, host_free, NULL },
    };
    struct running r;
    struct error err = { "" };
    r.sim = sim_new(&sim_config, &silent);
    r.port = input_live_new(r.sim, &host);
    sim_set_port(r.sim, r.port);
    r.m = machine_new(&c, r.sim, r.port, &err);
    if (!r.m)
        fail_msg("%s", err.text);
    return r;
}

static void stop(struct running *r)
{
    input_port_close(r->port, "the test ended");
    machine_free(r->m);
    sim_free(r->sim);
}

static int setup(void **state)
{
    FILE *f = fopen(FIRMWARE, "rb");
    (void)state;
    assert_non_null(f);
    assert_int_equal(fread(firmware, 1, sizeof firmware, f), sizeof firmware);
    fclose(f);
    return 0;
}

/* ---- coverage -------------------------------------------------------------------------------------- */

/* Which bytes are explicit padding? */
static void mark_padding(const struct state_desc *d, bool *padding)
{
    for (uint32_t i = 0; i < d->n_fields; i++) {
        const struct state_field *f = &d->fields[i];
        for (uint32_t k = 0; k < f->count; k++) {
            bool *at = padding + f->offset + (size_t)f->elem_size * k;
            if (f->kind == STATE_KIND_PAD)
                *at = true;
            if (f->kind == STATE_KIND_STRUCT)
                mark_padding(f->sub, at);
        }
    }
}

/* The encoding follows each bit: before_save could undo a flip, so it is left out. */
static void check_bits(const struct state_entry *e)
{
    bool *padding = NEW_ARRAY(bool, e->desc->size);
    struct buf plain = { 0 }, flipped = { 0 };
    mark_padding(e->desc, padding);
    state_encode_struct(e->desc, e->data, &plain);
    for (uint32_t at = 0; at < e->desc->size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t *p = (uint8_t *)e->data + at;
            *p ^= (uint8_t)(1u << bit);
            flipped.len = 0;
            state_encode_struct(e->desc, e->data, &flipped);
            *p ^= (uint8_t)(1u << bit);
            if ((memcmp(plain.data, flipped.data, plain.len) == 0) != padding[at])
                fail_msg("%s: byte %u of %s is %s", e->name, (unsigned)at, e->desc->name,
                         padding[at] ? "padding, and encoded" : "not encoded");
        }
    }
    buf_free(&plain);
    buf_free(&flipped);
    free(padding);
}

static void test_coverage(void **state)
{
    (void)state;
    struct running r = start();
    struct state_set *set = sim_state(r.sim);
    struct error err;
    assert_true(state_set_count(set) > 30);
    for (size_t i = 0; i < state_set_count(set); i++) {
        if (!state_desc_check(set->entry[i].desc, &err))
            fail_msg("%s: %s", set->entry[i].name, err.text);
        check_bits(&set->entry[i]);
    }
    stop(&r);
}

/* ---- nothing is hidden ------------------------------------------------------------------------------- */

static void take_state(struct running *to, struct running *from)
{
    struct buf b = { 0 };
    struct error err = { "" };
    state_set_encode(sim_state(from->sim), &b);
    if (!state_set_decode(sim_state(to->sim), b.data, b.len, &err))
        fail_msg("%s", err.text);
    ram_note_write(to->m->ram, 0, RAM_BYTES);
    memcpy(to->m->ram->host, from->m->ram->host, RAM_BYTES);
    engine_flush(to->m->engine);
    buf_free(&b);
}

static bool say(void *opaque, const char *path, uint64_t a, uint64_t b)
{
    unsigned *n = opaque;
    print_error("%s: %llx and %llx\n", path, (unsigned long long)a, (unsigned long long)b);
    return ++*n < 10;
}

static void assert_same(struct running *a, struct running *b)
{
    struct buf x = { 0 }, y = { 0 };
    struct error err;
    unsigned n = 0;
    state_set_encode(sim_state(a->sim), &x);
    state_set_encode(sim_state(b->sim), &y);
    assert_true(state_set_diff(sim_state(a->sim), x.data, x.len, y.data, y.len, say, &n, &err));
    assert_int_equal(n, 0);
    assert_true(machine_hash(a->m) == machine_hash(b->m));
    buf_free(&x);
    buf_free(&y);
}

/* SeaBIOS finds memory, CPUs, timers, ACPI and disks in some 20 million positions. */
static void test_restore(void **state)
{
    (void)state;
    struct running a = start();
    for (unsigned i = 0; i < 24; i++) {
        machine_run(a.m, sim_position(a.sim) + 900001);
        struct running b = start();
        take_state(&b, &a);
        assert_same(&a, &b);
        uint64_t to = sim_position(a.sim) + 300000;
        assert_int_equal(machine_run(a.m, to), MACHINE_LIMIT);
        assert_int_equal(machine_run(b.m, to), MACHINE_LIMIT);
        assert_same(&a, &b);
        stop(&b);
    }
    stop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_coverage), cmocka_unit_test(test_restore) };
    return cmocka_run_group_tests_name("state", tests, setup, NULL);
}
