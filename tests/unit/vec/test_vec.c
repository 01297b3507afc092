/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector operations against published vectors and against the manual's rules.
 * (tests/isa compares every instruction made of them with the host.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ir/vec/vec.h"

#define ALL_MASKED                              \
    {                                           \
        .masks = FP_ALL, .nan_rule = FP_NAN_SSE \
    }

static union v128 from_hex(const char *hex)
{
    union v128 v = { .d = { 0, 0 } };
    for (unsigned i = 0; i < 32; i++) {
        unsigned digit = hex[i] <= '9' ? (unsigned)(hex[i] - '0') : (unsigned)(hex[i] - 'a' + 10);
        v.b[i / 2] |= (uint8_t)(digit << (i & 1 ? 0 : 4));
    }
    return v;
}

static union v128 vec(enum vec_op op, union v128 a, union v128 b, union v128 c, uint64_t imm)
{
    union v128 r;
    memset(&r, 0xa5, sizeof r);
    vec_info[op].fn(&r, &a, &b, &c, imm);
    return r;
}

static union v128 vec2(enum vec_op op, union v128 a, union v128 b, uint64_t imm)
{
    return vec(op, a, b, (union v128){ .d = { 0, 0 } }, imm);
}

static union v128 fvec2(struct fp_env *env, enum fvec_op op, union v128 a, union v128 b, uint64_t imm)
{
    union v128 r, none = { .d = { 0, 0 } };
    memset(&r, 0xa5, sizeof r);
    env->raised = 0;
    fvec_info[op].fn(env, &r, &a, &b, &none, imm);
    return r;
}

static void assert_same(union v128 v, union v128 expected)
{
    assert_memory_equal(&v, &expected, sizeof v);
}

/* ---- AES, carry-less products ------------------------------------------------------------------ */

/* FIPS 197, appendix B: round 1, and its way back; appendix A.1: the first step of the key's expansion. */
static void test_aes(void **state)
{
    (void)state;
    union v128 before = from_hex("193de3bea0f4e22b9ac68d2ae9f84808"),
               key = from_hex("a0fafe1788542cb123a339392a6c7605");
    union v128 after = from_hex("a49c7ff2689f352b6b5bea43026a5049"), none = { .d = { 0, 0 } };
    assert_same(vec2(VEC_AESENC, before, key, 0), after);
    /* InvMixColumns(after ^ key) is what ShiftRows and SubBytes gave: decrypting that without a key is `before`. */
    union v128 mixed = vec2(VEC_XOR, after, key, 0);
    union v128 substituted = vec2(VEC_AESIMC, mixed, none, 0);
    assert_same(vec2(VEC_AESDECLAST, substituted, none, 0), before);
    assert_same(vec2(VEC_AESENCLAST, before, none, 0), substituted);
    assert_same(vec2(VEC_AESDEC, substituted, none, 0), vec2(VEC_AESIMC, before, none, 0));

    union v128 words = vec2(VEC_AESKEYGEN, from_hex("2b7e151628aed2a6abf7158809cf4f3c"), none, 1);
    assert_int_equal(words.w[3], 0x01eb848b); /* after Rcon, as bytes 8b 84 eb 01 */
    assert_int_equal(words.w[2], 0xeb848a01); /* SubWord alone: 01 8a 84 eb */
}

static void test_clmul(void **state)
{
    (void)state;
    union v128 a = { .d = { UINT64_C(0x63746f725d53475d), UINT64_C(0x7b5b546573745665) } };
    union v128 b = { .d = { UINT64_C(0x5b477565726f6e5d), UINT64_C(0x4869285368617929) } };
    union v128 low = { .d = { UINT64_C(0x929633d5d36f0451), UINT64_C(0x1d4d84c85c3440c0) } };
    assert_same(vec2(VEC_CLMUL, a, b, 0), low);
    /* (x + 1)(x + 1) = x^2 + 1; and the halves are chosen one by one. */
    union v128 x = { .d = { 3, 1 } }, square = { .d = { 5, 0 } }, one = { .d = { 3, 0 } };
    assert_same(vec2(VEC_CLMUL, x, x, 0), square);
    assert_same(vec2(VEC_CLMUL, x, x, 0x01), one);
    assert_same(vec2(VEC_CLMUL, x, x, 0x10), one);
    union v128 top = { .d = { UINT64_C(1) << 63, 0 } }, product = { .d = { 0, UINT64_C(1) << 62 } };
    assert_same(vec2(VEC_CLMUL, top, top, 0), product);
}

/* ---- strings --------------------------------------------------------------------------------------- */

static union v128 text(const char *s)
{
    union v128 v = { .d = { 0, 0 } };
    memcpy(v.b, s, strlen(s) < 16 ? strlen(s) : 16);
    return v;
}

static void test_strings(void **state)
{
    (void)state;
    enum {
        CF = 1,
        ZF = 0x40,
        SF = 0x80,
        OF = 0x800,
        ANY = 0,
        RANGES = 4,
        EACH = 8,
        ORDERED = 12,
        NEGATE = 0x10
    };
    union v128 r = vec2(VEC_CMPISTR, text("bd"), text("abcde"), ANY);
    assert_int_equal(r.d[0], 0x0a);
    assert_int_equal(r.d[1], CF | ZF | SF);
    r = vec2(VEC_CMPISTR, text("azAZ"), text("x1Y_zzzzzzzzzzzz"), RANGES);
    assert_int_equal(r.d[0], 0xfff5);
    assert_int_equal(r.d[1], CF | SF | OF);
    r = vec2(VEC_CMPISTR, text("abcX"), text("abcY"), EACH);
    assert_int_equal(r.d[0], 0xfff7); /* both ended: equal */
    r = vec2(VEC_CMPISTR, text("abcX"), text("abcY"), EACH | 0x30);
    assert_int_equal(r.d[0], 0xfff8); /* negated within the second's length */
    /* A match that the register's end cuts off counts. */
    r = vec2(VEC_CMPISTR, text("needle"), text("0needle6789012ne"), ORDERED);
    assert_int_equal(r.d[0], 0x4002);
    /* Nothing sought is found everywhere, and a set without members nowhere. */
    assert_int_equal(vec2(VEC_CMPISTR, text(""), text("abc"), ORDERED).d[0], 0xffff);
    assert_int_equal(vec2(VEC_CMPISTR, text(""), text("abc"), ANY | NEGATE).d[0], 0xffff);
    /* Explicit lengths saturate, negative ones count as positive. */
    union v128 lengths = { .d = { (uint64_t)-2, UINT64_C(1) << 63 } };
    r = vec(VEC_CMPESTR, text("abz"), text("zab"), lengths, ANY);
    assert_int_equal(r.d[0], 0x0006);
    assert_int_equal(r.d[1], CF | SF);
}

/* ---- floating point -------------------------------------------------------------------------------- */

enum {
    ONE = 0x3f800000,
    TINY = 0x00800000,
    DENORMAL = 1,
    SNAN = 0x7f800001,
    QNAN = 0x7fc00001,
    HUGE = 0x7f7fffff
};

/* SDM vol. 1, 11.5.2.3: an unmasked exception found before any computation keeps the others' results and flags back. */
static void test_unmasked(void **state)
{
    (void)state;
    struct fp_env env = ALL_MASKED;
    union v128 a = { .w = { HUGE, ONE, DENORMAL, SNAN } }, b = { .w = { HUGE, 0, ONE, ONE } };
    fvec2(&env, FVEC_DIV_W4, a, b, 0);
    assert_int_equal(env.raised, FP_DIVZERO | FP_DENORMAL | FP_INVALID);
    union v128 overflows = { .w = { HUGE, 0, 0, 0 } };
    fvec2(&env, FVEC_ADD_W4, overflows, overflows, 0);
    assert_int_equal(env.raised, FP_OVERFLOW | FP_INEXACT);
    overflows.w[3] = SNAN;
    fvec2(&env, FVEC_ADD_W4, overflows, overflows, 0);
    assert_int_equal(env.raised, FP_OVERFLOW | FP_INEXACT | FP_INVALID);
    env.masks = FP_ALL & ~FP_INVALID;
    fvec2(&env, FVEC_ADD_W4, overflows, overflows, 0);
    assert_int_equal(env.raised, FP_INVALID);
    /* In the scalar form lane 3 takes no part. */
    union v128 r = fvec2(&env, FVEC_ADD_W1, overflows, overflows, 0);
    assert_int_equal(env.raised, FP_OVERFLOW | FP_INEXACT);
    assert_int_equal(r.w[0], 0x7f800000);
    assert_int_equal(r.w[3], SNAN);
}

static void test_compare(void **state)
{
    (void)state;
    struct fp_env env = ALL_MASKED;
    static const uint8_t expected[8] = { 0x2, 0x1, 0x3, 0x8, 0xd, 0xe, 0xc, 0x7 }; /* less, equal, greater, unordered */
    union v128 a = { .w = { ONE, 0, ONE, QNAN } }, b = { .w = { ONE + 1, 0x80000000, 0, ONE } };
    for (unsigned predicate = 0; predicate < 8; predicate++) {
        union v128 r = fvec2(&env, FVEC_CMP_W4, a, b, predicate);
        assert_int_equal(vec2(VEC_MASK_W, r, r, 0).d[0], expected[predicate]);
        assert_int_equal(env.raised, (predicate & 3) == 1 || (predicate & 3) == 2 ? FP_INVALID : 0);
    }
    union v128 nan = { .w = { QNAN, 0, 0, 0 } };
    assert_int_equal(fvec2(&env, FVEC_UCOMI_W, a, nan, 0).d[0], FVEC_UNORDERED);
    assert_int_equal(env.raised, 0);
    assert_int_equal(fvec2(&env, FVEC_COMI_W, a, nan, 0).d[0], FVEC_UNORDERED);
    assert_int_equal(env.raised, FP_INVALID);
    assert_int_equal(fvec2(&env, FVEC_COMI_W, a, b, 0).d[0], FVEC_LESS);
}

/* Steps of the dot product: the flags of the products stay when a sum stops the instruction. */
static void test_dot(void **state)
{
    (void)state;
    struct fp_env env = ALL_MASKED;
    union v128 a = { .w = { ONE, ONE, ONE, ONE } };
    union v128 r = fvec2(&env, FVEC_DOT_W4, a, a, 0x75);
    assert_int_equal(r.w[0], 0x40400000);
    assert_int_equal(r.w[1], 0);
    assert_int_equal(r.w[2], 0x40400000);
    union v128 x = { .w = { TINY + 1, ONE, 0, 0 } }, y = { .w = { 0x3f000000, 0x40000000, 0, 0 } };
    env.masks = FP_ALL & ~FP_DENORMAL;
    fvec2(&env, FVEC_DOT_W4, x, y, 0x31);
    assert_int_equal(env.raised, FP_UNDERFLOW | FP_INEXACT | FP_DENORMAL);
}

static void test_convert(void **state)
{
    (void)state;
    struct fp_env env = ALL_MASKED;
    union v128 b = { .w = { 0x3fc00000, 0x40200000, 0x4f000000, SNAN } }; /* 1.5, 2.5, 2^31 */
    union v128 r = fvec2(&env, FVEC_CVT_F32I32_4, b, b, 0);
    assert_int_equal(r.w[0], 2);
    assert_int_equal(r.w[1], 2);
    assert_int_equal(r.w[2], 0x80000000);
    assert_int_equal(r.w[3], 0x80000000);
    assert_int_equal(env.raised, FP_INEXACT | FP_INVALID);
    env.rounding = FP_UP;
    r = fvec2(&env, FVEC_CVT_F32I32_2, b, b, 0);
    assert_int_equal(r.w[1], 3);
    assert_int_equal(r.d[1], 0);
    r = fvec2(&env, FVEC_CVTT_F32I64_1, b, b, 0);
    assert_int_equal(r.d[0], 1);
    union v128 i = { .d = { UINT64_C(0xffffffff00000001), 0 } };
    assert_true(fvec2(&env, FVEC_CVT_I64F64_1, b, i, 0).d[0] == UINT64_C(0xc1efffffffe00000));
    assert_int_equal(fvec2(&env, FVEC_CVT_I32F32_1, b, i, 0).w[0], ONE);
}

static void test_round(void **state)
{
    (void)state;
    struct fp_env env = ALL_MASKED;
    union v128 b = { .w = { 0x3fc00000, 0xbfc00000, 0x40200000, 0x3e800000 } };
    env.rounding = FP_UP;
    assert_int_equal(fvec2(&env, FVEC_ROUND_W4, b, b, 1).w[1], 0xc0000000); /* imm: down */
    assert_int_equal(env.raised, FP_INEXACT);
    assert_int_equal(fvec2(&env, FVEC_ROUND_W4, b, b, 0xc).w[3], ONE); /* the environment's, quietly */
    assert_int_equal(env.raised, 0);
}

/* ---- approximations ------------------------------------------------------------------------------------ */

/* |1 - x * approximation| < 1.5 * 2^-12, in integers: x = m * 2^-23, approximation = n * 2^-24 with 1/2 < n * 2^-24. */
static void test_reciprocal(void **state)
{
    (void)state;
    for (uint32_t m = 1 << 23; m < 1 << 24; m += 5) {
        union v128 b = { .w = { ONE | (m & 0x7fffff), 0, 0x80000000, 0x7f800000 } }, r = vec2(VEC_RCP_W4, b, b, 0);
        uint64_t n = r.w[0] == ONE ? 1 << 24 : 0x800000 | (r.w[0] & 0x7fffff);
        uint64_t product = m * n, one = UINT64_C(1) << 47, error = product > one ? product - one : one - product;
        assert_true(r.w[0] == ONE || r.w[0] >> 23 == 126);
        assert_true(error < UINT64_C(3) << (47 - 13));
        assert_int_equal(r.w[1], 0x7f800000);
        assert_int_equal(r.w[2], 0xff800000);
        assert_int_equal(r.w[3], 0);
    }
}

/* The same of x * approximation^2, whose error is twice as large. */
static void test_reciprocal_root(void **state)
{
    (void)state;
    for (uint32_t m = 1 << 23; m < 1 << 24; m += 5) {
        union v128 b = { .w = { ONE | (m & 0x7fffff), 0, 0xbf800000, 0x7f800000 } }, r = vec2(VEC_RSQRT_W4, b, b, 0);
        uint64_t n = r.w[0] == ONE ? 1 << 24 : 0x800000 | (r.w[0] & 0x7fffff);
        n >>= 11; /* only 13 bits are not zero */
        uint64_t product = m * n * n, one = UINT64_C(1) << 49, error = product > one ? product - one : one - product;
        assert_int_equal(r.w[0] & 0x7ff, 0);
        assert_true(error < UINT64_C(3) << (49 - 12));
        assert_int_equal(r.w[1], 0x7f800000);
        assert_int_equal(r.w[2], 0xffc00000);
        assert_int_equal(r.w[3], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aes),        cmocka_unit_test(test_clmul),
        cmocka_unit_test(test_strings),    cmocka_unit_test(test_unmasked),
        cmocka_unit_test(test_compare),    cmocka_unit_test(test_dot),
        cmocka_unit_test(test_convert),    cmocka_unit_test(test_round),
        cmocka_unit_test(test_reciprocal), cmocka_unit_test(test_reciprocal_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
