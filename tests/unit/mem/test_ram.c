/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host is told of RAM that is about to be written: each chunk once, none beyond the end, none that is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mem/ram.h"

enum { CHUNK = 1 << RAM_CHUNK_BITS, SIZE = 70 * CHUNK + 3 * PAGE_SIZE, MAX_CALLS = 80 };

/* Gives memory, and notes what it was told to prepare. */
struct host {
    uint8_t *base;
    unsigned n;
    struct {
        uint64_t offset, size;
    } call[MAX_CALLS];
};

static void *give(void *opaque, uint64_t size, struct error *err)
{
    struct host *h = opaque;
    return h->base = calloc(1, size);
}

static void take_back(void *opaque, void *p, uint64_t size) { free(p); }

static void prepare(void *opaque, void *p, uint64_t size)
{
    struct host *h = opaque;
    assert_true(h->n < MAX_CALLS);
    h->call[h->n].offset = (uint64_t)((uint8_t *)p - h->base);
    h->call[h->n++].size = size;
}

static void expect(const struct host *h, unsigned i, uint64_t offset, uint64_t size)
{
    assert_true(i < h->n);
    assert_int_equal(h->call[i].offset, offset);
    assert_int_equal(h->call[i].size, size);
}

static void test_prepare(void **state)
{
    struct host h = { .n = 0 };
    struct host_memory memory = { .alloc = give, .free = take_back, .prepare = prepare, .opaque = &h };
    struct error err;
    struct ram *r = ram_new("ram", SIZE, &memory, &err);
    assert_non_null(r);
    (void)ram_hash(r);
    assert_int_equal(h.n, 0);
    ram_note_write(r, 5 * CHUNK + 100, 8);
    assert_int_equal(h.n, 1);
    expect(&h, 0, 5 * CHUNK, CHUNK);
    ram_note_write(r, 5 * CHUNK, CHUNK);
    ram_note_walk(r, 6 * CHUNK - 8, 8);
    assert_int_equal(h.n, 1);
    ram_note_write(r, 64 * CHUNK - 4, 8);              /* into two, whose bits are in two words */
    assert_int_equal(h.n, 3);
    expect(&h, 1, 63 * CHUNK, CHUNK);
    expect(&h, 2, 64 * CHUNK, CHUNK);
    ram_note_walk(r, SIZE - 8, 8);                     /* the last one is short */
    assert_int_equal(h.n, 4);
    expect(&h, 3, 70 * CHUNK, 3 * PAGE_SIZE);
    (void)ram_hash(r);                                 /* an epoch begins; what is prepared stays so */
    ram_note_write(r, 0, SIZE);
    assert_int_equal(h.n, 71);
    ram_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_prepare) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
