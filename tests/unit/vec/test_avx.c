/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations that AVX and FMA brought, by the manual's rules, and operations in two
 * parts.  (tests/isa compares every instruction made of them with the host.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ir/build.h"
#include "ir/vec/vec.h"

#define ALL_MASKED                              \
    {                                           \
        .masks = FP_ALL, .nan_rule = FP_NAN_SSE \
    }
enum { ONE = 0x3f800000, TWO = 0x40000000, QNAN = 0x7fc00001, SNAN = 0x7f800001, INF = 0x7f800000, MINUS = 0x80000000 };

static const union v128 none;

static union v128 vec(enum vec_op op, union v128 a, union v128 b)
{
    union v128 r;
    memset(&r, 0xa5, sizeof r);
    vec_info[op].fn(&r, &a, &b, &none, 0);
    return r;
}

static union v128 fvec(struct fp_env *env, enum fvec_op op, union v128 a, union v128 b, union v128 c, uint64_t imm)
{
    union v128 r;
    memset(&r, 0xa5, sizeof r);
    env->raised = 0;
    fvec_info[op].fn(env, &r, &a, &b, &c, imm);
    return r;
}

/* ---- FMA ------------------------------------------------------------------------------------------ */

/* (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: rounding the product first would lose the last term. */
static void test_one_rounding(void **state)
{
    struct fp_env env = ALL_MASKED;
    union v128 a = { .w = { ONE | 1 << 11, ONE, 0, INF } }, c = { .w = { MINUS | ONE | 1 << 12, ONE, ONE, ONE } };
    union v128 b = { .w = { ONE | 1 << 11, TWO, ONE, 0 } };
    (void)state;
    union v128 r = fvec(&env, FVEC_MADD_W4, a, b, c, 0);
    assert_int_equal(r.w[0], (127 - 24) << 23);
    assert_int_equal(r.w[1], 0x40400000);
    assert_int_equal(r.w[2], ONE);
    assert_int_equal(r.w[3], 0xffc00000);
    assert_int_equal(env.raised, FP_INVALID);
    union v128 d = { .d = { UINT64_C(0x3ff0000004000000), 0 } }, e = { .d = { UINT64_C(0xbff0000008000000), 0 } };
    r = fvec(&env, FVEC_MADD_D1, d, d, e, 0);
    assert_true(r.d[0] == (uint64_t)(1023 - 52) << 52);
    assert_int_equal(env.raised, 0);
}

static void test_signs(void **state)
{
    struct fp_env env = ALL_MASKED;
    union v128 x = { .w = { TWO, TWO, TWO, TWO } }, one = { .w = { ONE, ONE, ONE, ONE } };
    static const struct {
        enum fvec_op op;
        uint32_t even, odd;
    } expected[] = {
        { FVEC_MADD_W4, 0x40400000, 0x40400000 },    { FVEC_MSUB_W4, ONE, ONE },
        { FVEC_NMADD_W4, MINUS | ONE, MINUS | ONE }, { FVEC_NMSUB_W4, 0xc0400000, 0xc0400000 },
        { FVEC_MADDSUB_W4, ONE, 0x40400000 },        { FVEC_MSUBADD_W4, 0x40400000, ONE },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        union v128 r = fvec(&env, expected[i].op, x, one, one, 0);
        assert_int_equal(r.w[0], expected[i].even);
        assert_int_equal(r.w[1], expected[i].odd);
    }
    /* An exact zero is negative when rounding down; -(1 * 1) + 1. */
    assert_int_equal(fvec(&env, FVEC_NMADD_W4, one, one, one, 0).w[0], 0);
    env.rounding = FP_DOWN;
    assert_int_equal(fvec(&env, FVEC_NMADD_W4, one, one, one, 0).w[0], MINUS);
}

/* The first NaN of a, b, c with its own sign; a scalar operation leaves a's other lanes. */
static void test_nans(void **state)
{
    struct fp_env env = ALL_MASKED;
    union v128 a = { .w = { QNAN + 1, ONE, ONE, INF } }, b = { .w = { QNAN + 2, QNAN + 2, ONE, 0 } };
    union v128 c = { .w = { QNAN + 3, QNAN + 3, SNAN, QNAN + 3 } };
    (void)state;
    union v128 r = fvec(&env, FVEC_NMSUB_W4, a, b, c, 0);
    assert_int_equal(r.w[0], QNAN + 1);
    assert_int_equal(r.w[1], QNAN + 2);
    assert_int_equal(r.w[2], SNAN | 0x400000);
    assert_int_equal(r.w[3], QNAN + 3);
    assert_int_equal(env.raised, FP_INVALID);
    r = fvec(&env, FVEC_MADD_W1, a, b, c, 0);
    assert_int_equal(env.raised, 0);
    assert_true(r.w[1] == a.w[1] && r.w[2] == a.w[2] && r.w[3] == a.w[3]);
}

/* ---- compares ---------------------------------------------------------------------------------------- */

/* By number (EQ_OQ .. ORD_Q, EQ_UQ .. TRUE_UQ, EQ_OS .. ORD_S, EQ_US .. TRUE_US): bits of the lanes less, equal,
 * greater, unordered; signals quiet NaNs. */
static void test_predicates(void **state)
{
    static const struct {
        uint8_t lanes, signals;
    } expected[32] = {
        { 0x2, 0 }, { 0x1, 1 }, { 0x3, 1 }, { 0x8, 0 }, { 0xd, 0 }, { 0xe, 1 }, { 0xc, 1 }, { 0x7, 0 },
        { 0xa, 0 }, { 0x9, 1 }, { 0xb, 1 }, { 0x0, 0 }, { 0x5, 0 }, { 0x6, 1 }, { 0x4, 1 }, { 0xf, 0 },
        { 0x2, 1 }, { 0x1, 0 }, { 0x3, 0 }, { 0x8, 1 }, { 0xd, 1 }, { 0xe, 0 }, { 0xc, 0 }, { 0x7, 1 },
        { 0xa, 1 }, { 0x9, 0 }, { 0xb, 0 }, { 0x0, 1 }, { 0x5, 1 }, { 0x6, 0 }, { 0x4, 0 }, { 0xf, 1 },
    };
    struct fp_env env = ALL_MASKED;
    union v128 a = { .w = { ONE, ONE, TWO, QNAN } }, b = { .w = { TWO, ONE, ONE, ONE } };
    (void)state;
    for (unsigned p = 0; p < 32; p++) {
        union v128 r = fvec(&env, FVEC_CMP_W4, a, b, none, p);
        assert_int_equal(vec(VEC_MASK_W, r, none).d[0], expected[p].lanes);
        assert_int_equal(env.raised, expected[p].signals ? FP_INVALID : 0);
    }
}

/* ---- F16C -------------------------------------------------------------------------------------------- */

static void test_half_precision(void **state)
{
    struct fp_env env = ALL_MASKED;
    /* 1, the smallest denormal, -infinity, a signalling NaN; the upper four are not looked at. */
    union v128 h = { .h = { 0x3c00, 0x0001, 0xfc00, 0x7d00, 0x7d00, 0, 0, 0 } };
    (void)state;
    union v128 r = fvec(&env, FVEC_CVT_F16F32_4, h, h, none, 0);
    assert_int_equal(r.w[0], ONE);
    assert_int_equal(r.w[1], (127 - 24) << 23);
    assert_int_equal(r.w[2], 0xff800000);
    assert_int_equal(r.w[3], 0x7fe00000);
    assert_int_equal(env.raised, FP_INVALID);
    /* 1 + 2^-11, halfway; 65520 overflows to nearest, not towards zero; 2^-24. */
    union v128 f = { .w = { ONE | 1 << 12, 0x477ff000, (127 - 24) << 23, MINUS } };
    r = fvec(&env, FVEC_CVT_F32F16_4, f, f, none, 4);
    assert_int_equal(r.h[0], 0x3c00);
    assert_int_equal(r.h[1], 0x7c00);
    assert_int_equal(r.h[2], 1);
    assert_int_equal(r.h[3], 0x8000);
    assert_int_equal(r.d[1], 0);
    assert_int_equal(env.raised, FP_OVERFLOW | FP_INEXACT);
    r = fvec(&env, FVEC_CVT_F32F16_4, f, f, none, FP_UP);
    assert_int_equal(r.h[0], 0x3c01);
    r = fvec(&env, FVEC_CVT_F32F16_4, f, f, none, FP_TO_ZERO);
    assert_int_equal(r.h[1], 0x7bff);
}

/* ---- lanes ------------------------------------------------------------------------------------------- */

static void test_lanes(void **state)
{
    union v128 a = { .w = { 0x80000001, 0x10203040, 0xfffffff0, 7 } }, n = { .w = { 31, 32, 4, 0xffffffff } };
    (void)state;
    union v128 r = vec(VEC_SHLV_W, a, n);
    assert_true(r.w[0] == 0x80000000 && r.w[1] == 0 && r.w[2] == 0xffffff00 && r.w[3] == 0);
    r = vec(VEC_SHRV_W, a, n);
    assert_true(r.w[0] == 1 && r.w[1] == 0 && r.w[2] == 0x0fffffff && r.w[3] == 0);
    r = vec(VEC_SARV_W, a, n);
    assert_true(r.w[0] == 0xffffffff && r.w[1] == 0 && r.w[2] == 0xffffffff && r.w[3] == 0);
    union v128 far = { .d = { 63, 64 } };
    assert_true(vec(VEC_SHRV_D, a, far).d[0] == 0 && vec(VEC_SHLV_D, a, far).d[0] == UINT64_C(1) << 63);
    assert_true(vec(VEC_SHRV_D, a, far).d[1] == 0 && vec(VEC_SHLV_D, a, far).d[1] == 0);
    union v128 by = { .w = { 7, 2, 5, 0 } };
    r = vec(VEC_PERM_W, a, by);
    assert_true(r.w[0] == 7 && r.w[1] == 0xfffffff0 && r.w[2] == 0x10203040 && r.w[3] == 0x80000001);
    by.d[0] = 2, by.d[1] = 1;
    r = vec(VEC_PERM_D, a, by);
    assert_true(r.d[0] == a.d[1] && r.d[1] == a.d[0]);
    assert_true(vec(VEC_BCAST_B, a, none).d[1] == UINT64_C(0x0101010101010101));
    assert_true(vec(VEC_BCAST_H, a, none).d[1] == UINT64_C(0x0001000100010001));
    assert_true(vec(VEC_BCAST_W, a, none).w[3] == 0x80000001 && vec(VEC_BCAST_D, a, none).d[1] == a.d[0]);
    assert_true(vec(VEC_ZERO, none, none).d[0] == 0 && vec(VEC_ZERO, none, none).d[1] == 0);
    union v128 sign = { .w = { MINUS, 0, 0, 0 } }, other = { .w = { 0, MINUS, 0, 0 } };
    assert_int_equal(vec(VEC_TEST_W, sign, sign).d[0], 1);
    assert_int_equal(vec(VEC_TEST_W, sign, other).d[0], 0x40);
    assert_int_equal(vec(VEC_TEST_D, sign, other).d[0], 0x40);
    assert_int_equal(vec(VEC_TEST_D, other, other).d[0], 1);
}

/* ---- two parts of one operation ------------------------------------------------------------------------ */

/* An unmasked division by zero in either part is all that is told; masked, everything of both is. */
static void test_parts_settle_together(void **state)
{
    union v128 one = { .w = { ONE, ONE, ONE, ONE } }, three = { .w = { 0x40400000, ONE, ONE, ONE } };
    union v128 zero = { .w = { ONE, 0, ONE, ONE } }, r;
    (void)state;
    for (unsigned unmasked = 0; unmasked < 2; unmasked++) {
        for (unsigned order = 0; order < 2; order++) {
            struct fp_env env = ALL_MASKED;
            if (unmasked)
                env.masks &= (uint8_t)~FP_DIVZERO;
            fvec_info[FVEC_DIV_W4].fn(&env, &r, &one, order ? &zero : &three, &none, 0);
            fvec_info[FVEC_DIV_W4].fn(&env, &r, &one, order ? &three : &zero, &none, 0);
            assert_int_equal(env.raised, unmasked ? FP_DIVZERO : FP_DIVZERO | FP_INEXACT);
        }
    }
}

static bool verifies(const enum ir_fvec_part *parts, unsigned n, bool get_between)
{
    static struct ir_block b;
    struct error err;
    ir_block_init(&b);
    irb_insn_start(&b, 0, 0);
    ir_ref v = irb_getv(&b, 0);
    for (unsigned i = 0; i < n; i++) {
        irb_fvec_part(&b, parts[i], FVEC_ADD_W4, v, v, IR_NONE, 0);
        v = get_between ? irb_getv(&b, 16) : irb_vec(&b, VEC_XOR, v, v, IR_NONE, 0);
    }
    irb_exit_loop(&b);
    bool ok = ir_verify(&b, &err);
    ir_block_free(&b);
    return ok;
}

static void test_parts_verify(void **state)
{
    static const enum ir_fvec_part pair[] = { IR_FVEC_FIRST, IR_FVEC_LAST, IR_FVEC_WHOLE }, alone[] = { IR_FVEC_FIRST },
                                   last[] = { IR_FVEC_LAST }, mixed[] = { IR_FVEC_FIRST, IR_FVEC_WHOLE };
    (void)state;
    assert_true(verifies(pair, 3, false));
    assert_false(verifies(pair, 2, true));
    assert_false(verifies(alone, 1, false));
    assert_false(verifies(last, 1, false));
    assert_false(verifies(mixed, 2, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_rounding), cmocka_unit_test(test_signs),
        cmocka_unit_test(test_nans),         cmocka_unit_test(test_predicates),
        cmocka_unit_test(test_half_precision), cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_parts_settle_together), cmocka_unit_test(test_parts_verify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
