/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended precision against the host's x87: every exact instruction, with all rounding modes,
 * precisions, exception flags, C1, special encodings, masked and unmasked.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <cpuid.h>

#include "random.h"

#include "host_x87.h"

enum { CASES = 200000 };

HOST_X87(add, "fadd %%st(1), %%st")
HOST_X87(sub, "fsub %%st(1), %%st")
HOST_X87(mul, "fmul %%st(1), %%st")
HOST_X87(div, "fdiv %%st(1), %%st")
HOST_X87(sqrt, "fsqrt")
HOST_X87(round, "frndint")
HOST_X87(scale, "fscale")
HOST_X87(rem, "fprem")
HOST_X87(rem1, "fprem1")
HOST_X87(com, "fcom %%st(1)")
HOST_X87(ucom, "fucom %%st(1)")
HOST_X87(extract, "ffree %%st(1)\n\tffree %%st(7)\n\tfxtract")
HOST_X87(st32, "fsts (%[mem])")
HOST_X87(st64, "fstl (%[mem])")
HOST_X87(ist16, "fists (%[mem])")
HOST_X87(ist32, "fistl (%[mem])")
HOST_X87(ist64, "fld %%st(0)\n\tfistpll (%[mem])")
HOST_X87(istt64, "fld %%st(0)\n\tfisttpll (%[mem])")
HOST_X87(bst, "fld %%st(0)\n\tfbstp (%[mem])")
HOST_X87(ld32, "fstp %%st(0)\n\tflds (%[mem])")
HOST_X87(ld64, "fstp %%st(0)\n\tfldl (%[mem])")
HOST_X87(ild64, "fstp %%st(0)\n\tfildll (%[mem])")
HOST_X87(bld, "fstp %%st(0)\n\tfbld (%[mem])")

enum kind { ARITH, COMPARE, STORE, LOAD, PREM, EXTRACT };

static void our_compare(struct fp_env *e, f80 x, f80 y, bool quiet, uint64_t *mem)
{
    static const uint16_t codes[4] = { 0x100, 0x4000, 0, 0x4500 };       /* LESS, EQUAL, GREATER, UNORDERED */
    mem[0] = codes[f80_compare(e, x, y, quiet) + 1];
}

/* Results: the number in *r, or bytes in mem; quotient bits as in the status word for PREM. */
#define OURS(name, body)                                                                   \
    static void ours_##name(struct fp_env *e, f80 x, f80 y, uint64_t *mem, f80 *r, f80 *r2) \
    {                                                                                      \
        (void)x, (void)y, (void)mem, (void)r, (void)r2, (void)e;                           \
        body;                                                                              \
    }
typedef void our_fn(struct fp_env *e, f80 x, f80 y, uint64_t *mem, f80 *r, f80 *r2);

static f80 prem(struct fp_env *e, f80 x, f80 y, bool nearest, uint64_t *mem)
{
    uint64_t q;
    bool partial;
    f80 r = f80_rem(e, x, y, nearest, &q, &partial);
    mem[0] = (q >> 2 & 1) << 8 | (q >> 1 & 1) << 14 | (q & 1) << 9 | (uint64_t)partial << 10;
    return r;
}

OURS(add, *r = f80_add(e, x, y))
OURS(sub, *r = f80_sub(e, x, y))
OURS(mul, *r = f80_mul(e, x, y))
OURS(div, *r = f80_div(e, x, y))
OURS(sqrt, *r = f80_sqrt(e, x))
OURS(round, *r = f80_round(e, x, (enum fp_rounding)e->rounding, true))
OURS(scale, *r = f80_scale(e, x, y))
OURS(rem, *r = prem(e, x, y, false, mem))
OURS(rem1, *r = prem(e, x, y, true, mem))
OURS(com, our_compare(e, x, y, false, mem))
OURS(ucom, our_compare(e, x, y, true, mem))
OURS(extract, *r = f80_extract(e, x, r2))
OURS(st32, store_le(mem, 4, f80_to_f32(e, x)))
OURS(st64, store_le(mem, 8, f80_to_f64(e, x)))
OURS(ist16, store_le(mem, 2, (uint16_t)f80_to_i16(e, x, (enum fp_rounding)e->rounding)))
OURS(ist32, store_le(mem, 4, (uint32_t)f80_to_i32(e, x, (enum fp_rounding)e->rounding)))
OURS(ist64, store_le(mem, 8, (uint64_t)f80_to_i64(e, x, (enum fp_rounding)e->rounding)))
OURS(istt64, store_le(mem, 8, (uint64_t)f80_to_i64(e, x, FP_TO_ZERO)))
OURS(bst, f80_to_bcd(e, x, (uint8_t *)mem))
OURS(ld32, *r = f32_to_f80(e, (f32)mem[0]))
OURS(ld64, *r = f64_to_f80(e, mem[0]))
OURS(ild64, *r = f80_from_i64(e, (int64_t)mem[0]))
OURS(bld, *r = f80_from_bcd((uint8_t *)mem))

static const struct {
    const char *name;
    host_fn *host;
    our_fn *ours;
    enum kind kind;
} ops[] = {
#define OP(name, kind) { #name, host_##name, ours_##name, kind }
    OP(add, ARITH), OP(sub, ARITH), OP(mul, ARITH), OP(div, ARITH), OP(sqrt, ARITH), OP(round, ARITH), OP(scale, ARITH),
    OP(com, COMPARE), OP(ucom, COMPARE), OP(rem, PREM), OP(rem1, PREM), OP(extract, EXTRACT), OP(st32, STORE),
    OP(st64, STORE), OP(ist16, STORE), OP(ist32, STORE), OP(ist64, STORE), OP(istt64, STORE), OP(bst, STORE),
    OP(ld32, LOAD), OP(ld64, LOAD), OP(ild64, LOAD), OP(bld, LOAD),
#undef OP
};

static bool same(f80 a, f80 b) { return a.mant == b.mant && a.se == b.se; }

struct sample {
    uint16_t cw;
    f80 x, y;
    uint64_t mem[2];
};

static bool matches(unsigned op, const struct sample *s, const struct host_result *h, struct fp_env *e, f80 *r, f80 *r2,
                    uint64_t *mem)
{
    enum kind kind = ops[op].kind;
    unsigned pre = e->raised & ~e->masks & (FP_INVALID | FP_DENORMAL | FP_DIVZERO);
    unsigned post = e->raised & ~e->masks & (FP_OVERFLOW | FP_UNDERFLOW);
    unsigned raised = e->raised & FP_ALL;
    if ((h->sw & 63) != raised)
        return false;
    bool up = h->sw >> 9 & 1;
    if (kind != PREM && kind != COMPARE && raised & FP_INEXACT && !pre && up != !!(e->raised & FP_ROUNDED_UP))
        return false;
    switch (kind) {
    case ARITH:
        return same(h->st0, pre ? s->x : *r);
    case PREM:
        return same(h->st0, pre ? s->x : *r) && (pre || mem[0] & 0x400 || (h->sw & 0x4700) == mem[0]) &&
               (pre || (h->sw & 0x400) == (mem[0] & 0x400));
    case COMPARE:
        return pre || (h->sw & 0x4500) == mem[0];
    case EXTRACT:       /* the significand is pushed above the exponent */
        return pre ? same(h->st0, s->x) : same(h->st0, *r) && same(h->st1, *r2);
    case STORE:
        return pre || post ? h->mem[0] == s->mem[0] && h->mem[1] == s->mem[1]
                           : h->mem[0] == mem[0] && h->mem[1] == mem[1];
    default:
        return pre || same(h->st0, *r);
    }
}

static bool host_is_intel;

/*
 * FSCALE by zero and FPREM by infinity leave a denormal as it is.  With underflow unmasked Intel's processors raise
 * nothing but #D then; AMD's, and ours, underflow.
 */
static bool vendors_differ(unsigned op, const struct sample *s)
{
    bool zero = !(s->y.se & 0x7fff) && !s->y.mant;
    bool infinity = (s->y.se & 0x7fff) == 0x7fff && s->y.mant == UINT64_C(1) << 63;
    bool keeps = (ops[op].host == host_scale && zero) || (ops[op].kind == PREM && infinity);
    return host_is_intel && keeps && !(s->cw & FP_UNDERFLOW) && !(s->x.se & 0x7fff);
}

static unsigned check(unsigned op, const struct sample *s)
{
    struct host_result h;
    struct fp_env e = x87_env(s->cw);
    uint64_t mem[2] = { s->mem[0], s->mem[1] };
    f80 r = { 0, 0 }, r2 = { 0, 0 };
    if (vendors_differ(op, s))
        return 0;
    ops[op].host(s->cw, s->x, s->y, s->mem, &h);
    ops[op].ours(&e, s->x, s->y, mem, &r, &r2);
    if (matches(op, s, &h, &e, &r, &r2, mem))
        return 0;
    print_error("%s cw %04x: x %04x.%016" PRIx64 " y %04x.%016" PRIx64 " mem %016" PRIx64 " %016" PRIx64 "\n"
                "  host %04x.%016" PRIx64 " %04x.%016" PRIx64 " sw %04x mem %016" PRIx64 " %016" PRIx64 "\n"
                "  ours %04x.%016" PRIx64 " %04x.%016" PRIx64 " raised %02x mem %016" PRIx64 " %016" PRIx64 "\n",
                ops[op].name, s->cw, s->x.se, s->x.mant, s->y.se, s->y.mant, s->mem[0], s->mem[1], h.st0.se, h.st0.mant,
                h.st1.se, h.st1.mant, h.sw, h.mem[0], h.mem[1], r.se, r.mant, r2.se, r2.mant, e.raised, mem[0], mem[1]);
    return 1;
}

static void sample(struct rng *g, unsigned op, bool unmasked, struct sample *s)
{
    s->cw = random_cw(g, unmasked);
    s->x = rng_f80(g);
    s->y = rng_below(g, 16) ? rng_f80(g) : s->x;
    s->mem[0] = rng_next(g);
    s->mem[1] = rng_next(g);
    if (ops[op].host == host_ld32)
        s->mem[0] = rng_ieee(g, 24, 8);
    if (ops[op].host == host_ld64)
        s->mem[0] = rng_ieee(g, 53, 11);
    if (ops[op].host == host_bld) {
        s->mem[0] = s->mem[1] = 0;
        for (unsigned i = 0; i < 18; i++)
            s->mem[i / 16] |= (uint64_t)rng_below(g, 10) << 4 * (i % 16);
        s->mem[1] |= (rng_next(g) & 1) << 15;
    }
    /* Scaling counts and exponents near each other make the interesting cases of these. */
    if (ops[op].host == host_scale && rng_below(g, 4))
        s->y.se = (uint16_t)((s->y.se & 0x8000) | (0x3ffc + rng_below(g, 20)));
    if (ops[op].kind == PREM && rng_below(g, 2) && (s->y.se & 0x7fff) < 0x7f00 && s->y.se & 0x7fff)
        s->x.se = (uint16_t)(s->y.se + rng_below(g, 140));
    if (ops[op].kind == STORE && rng_below(g, 2)) {
        unsigned bias = ops[op].host == host_st32 ? 0x3fff - 126 :
                        ops[op].host == host_st64 ? 0x3fff - 1022 : 0x3fff + 32;
        s->x.se = (uint16_t)((s->x.se & 0x8000) | (bias - 34 + rng_below(g, 68)));
    }
}

static void run(bool unmasked, uint64_t seed)
{
    struct rng g = { seed };
    unsigned failed = 0;
    for (unsigned op = 0; op < ARRAY_LEN(ops); op++) {
        unsigned bad = 0;
        for (unsigned i = 0; i < CASES && bad < 3; i++) {
            struct sample s;
            sample(&g, op, unmasked, &s);
            bad += check(op, &s);
        }
        failed += bad;
    }
    assert_int_equal(failed, 0);
}

static void test_masked(void **state)
{
    (void)state;
    run(false, 1);
}

static void test_unmasked(void **state)
{
    (void)state;
    run(true, 2);
}

static void test_constants(void **state)
{
    (void)state;
    for (unsigned rc = 0; rc < 4; rc++) {
        static const enum fp_constant which[] = { FP_CONST_1, FP_CONST_L2T, FP_CONST_L2E, FP_CONST_PI, FP_CONST_LG2,
                                                  FP_CONST_LN2, FP_CONST_0 };
        uint16_t cw = (uint16_t)(0x37f | rc << 10);
        struct fp_env e = x87_env(cw);
        struct host80 v[7];
        __asm__ volatile(
            "fninit\n\tfldcw %7\n\tfld1\n\tfstpt %0\n\tfldl2t\n\tfstpt %1\n\tfldl2e\n\tfstpt %2\n\tfldpi\n\t"
            "fstpt %3\n\tfldlg2\n\tfstpt %4\n\tfldln2\n\tfstpt %5\n\tfldz\n\tfstpt %6\n\tfninit"
            : "=m"(v[0]), "=m"(v[1]), "=m"(v[2]), "=m"(v[3]), "=m"(v[4]), "=m"(v[5]), "=m"(v[6])
            : "m"(cw));
        for (unsigned i = 0; i < 7; i++) {
            f80 c = f80_constant(&e, which[i]);
            assert_int_equal(c.mant, v[i].mant);
            assert_int_equal(c.se, v[i].se);
        }
        assert_int_equal(e.raised, 0);
    }
}

int main(void)
{
    uint32_t a, b, c, d;
    host_is_intel = __get_cpuid(0, &a, &b, &c, &d) && b == signature_INTEL_ebx;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masked),
        cmocka_unit_test(test_unmasked),
        cmocka_unit_test(test_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
