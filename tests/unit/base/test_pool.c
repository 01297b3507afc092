/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of all sizes, taken and given back in random order: none overlaps another, all lie in what was prepared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

enum { N_PIECES = 4000, TURNS = 200000, MAX_RANGES = 4096 };

struct piece {
    unsigned char *p;
    size_t size;
    unsigned char fill;
};

static struct piece piece[N_PIECES];
static struct {
    char *p;
    size_t size;
} prepared[MAX_RANGES];
static unsigned n_prepared;
static uint32_t seed = 1;

static uint32_t next_random(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

static void prepare(void *opaque, void *p, uint64_t size)
{
    assert_ptr_equal(opaque, piece);
    assert_int_equal((uintptr_t)p % 4096, 0);
    assert_true(n_prepared < MAX_RANGES);
    prepared[n_prepared].p = p;
    prepared[n_prepared++].size = size;
}

static bool is_prepared(const struct piece *x)
{
    for (unsigned k = 0; k < n_prepared; k++) {
        char *p = prepared[k].p, *end = p + prepared[k].size;
        /* What lies across two of them was prepared in two calls. */
        if ((char *)x->p >= p && (char *)x->p < end)
            return (char *)x->p + x->size <= end || is_prepared(&(struct piece){ (unsigned char *)end, 1, 0 });
    }
    return false;
}

static void take(struct pool *pool, struct piece *x)
{
    x->size = 1 + next_random() % (next_random() % 16 ? 600 : 2 * POOL_MAX);
    x->p = pool_alloc(pool, x->size);
    x->fill = (unsigned char)next_random();
    assert_int_equal((uintptr_t)x->p % POOL_ALIGN, 0);
#ifndef __SANITIZE_ADDRESS__
    assert_true(x->size > POOL_MAX || is_prepared(x));
#endif
    memset(x->p, x->fill, x->size);
}

static void give_back(struct pool *pool, struct piece *x)
{
    for (size_t k = 0; k < x->size; k++)
        assert_int_equal(x->p[k], x->fill);
    pool_free(pool, x->p, x->size);
    x->p = NULL;
}

static void test_random(void **state)
{
    struct pool pool = { .prepare = prepare, .opaque = piece };
    for (unsigned round = 0; round < 2; round++) {      /* a pool may be used again */
        for (unsigned k = 0; k < TURNS; k++) {
            struct piece *x = &piece[next_random() % N_PIECES];
            if (x->p)
                give_back(&pool, x);
            else
                take(&pool, x);
        }
        for (unsigned k = 0; k < N_PIECES; k++)
            if (piece[k].p)
                give_back(&pool, &piece[k]);
        pool_fini(&pool);
        n_prepared = 0;
    }
}

/* What is given back is used again before more is asked for. */
static void test_reuse(void **state)
{
    struct pool pool = { 0 };
    void *first = pool_alloc(&pool, 100), *other = pool_alloc(&pool, 100);
    assert_ptr_not_equal(first, other);
#ifndef __SANITIZE_ADDRESS__
    pool_free(&pool, first, 100);
    assert_ptr_equal(pool_alloc(&pool, 97), first);     /* of the same class */
#endif
    pool_free(&pool, first, 97);
    pool_free(&pool, other, 100);
    pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random), cmocka_unit_test(test_reuse) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
