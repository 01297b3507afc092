/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * f32 and f64 against the host's SSE, with every exception flag: rounding modes, DAZ and
 * FTZ, special operands, and random sets of unmasked exceptions (what the host traps
 * with, by SIGFPE, must be what we raise).
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include <cmocka.h>
#include <cpuid.h>

#include "random.h"

enum { CASES = 300000 };

static sigjmp_buf trapped;
static volatile uint32_t trap_mxcsr;

static void on_fpe(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    trap_mxcsr = ((ucontext_t *)context)->uc_mcontext.fpregs->mxcsr;
    siglongjmp(trapped, 1);
}

enum op { ADD, SUB, MUL, DIV, SQRT, MIN, MAX, COMI, UCOMI, ROUND, TO32, TO64, TRUNC32, TRUNC64, FROM32, FROM64, WIDTH,
          N_OPS };
static const char *const op_name[] = { "add", "sub", "mul", "div", "sqrt", "min", "max", "comi", "ucomi", "round",
                                       "to i32", "to i64", "trunc i32", "trunc i64", "from i32", "from i64", "width" };

#define SSE(insn, x, y) __asm__ volatile(insn " %1, %0" : "+x"(x) : "x"(y))
#define COMPARE(insn, x, y, f) __asm__ volatile(insn " %2, %1\n\tpushfq\n\tpopq %0" : "=r"(f) : "x"(x), "x"(y) : "cc")

/* The compare's flags as our relation. */
static uint64_t relation(uint64_t flags)
{
    bool zf = flags >> 6 & 1, pf = flags >> 2 & 1, cf = flags & 1;
    return (uint64_t)(int64_t)(pf ? FP_UNORDERED : zf ? FP_EQUAL : cf ? FP_LESS : FP_GREATER);
}

#define DEFINE_HOST(T, C, s)                                                                                    \
    __attribute__((target("sse4.1"))) static uint64_t host_##T(enum op op, uint64_t xb, uint64_t yb)            \
    {                                                                                                           \
        C x, y;                                                                                                 \
        uint64_t r = 0;                                                                                         \
        int32_t w;                                                                                              \
        memcpy(&x, &xb, sizeof x);                                                                              \
        memcpy(&y, &yb, sizeof y);                                                                              \
        switch (op) {                                                                                           \
        case ADD: SSE("adds" s, x, y); break;                                                                   \
        case SUB: SSE("subs" s, x, y); break;                                                                   \
        case MUL: SSE("muls" s, x, y); break;                                                                   \
        case DIV: SSE("divs" s, x, y); break;                                                                   \
        case SQRT: SSE("sqrts" s, x, y); break;                                                                 \
        case MIN: SSE("mins" s, x, y); break;                                                                   \
        case MAX: SSE("maxs" s, x, y); break;                                                                   \
        case ROUND: __asm__ volatile("rounds" s " $4, %1, %0" : "+x"(x) : "x"(y)); break;                       \
        case COMI: COMPARE("comis" s, x, y, r); return relation(r);                                             \
        case UCOMI: COMPARE("ucomis" s, x, y, r); return relation(r);                                           \
        case TO32: __asm__ volatile("cvts" s "2si %1, %0" : "=r"(w) : "x"(x)); return (uint32_t)w;              \
        case TO64: __asm__ volatile("cvts" s "2siq %1, %0" : "=r"(r) : "x"(x)); return r;                       \
        case TRUNC32: __asm__ volatile("cvtts" s "2si %1, %0" : "=r"(w) : "x"(x)); return (uint32_t)w;          \
        case TRUNC64: __asm__ volatile("cvtts" s "2siq %1, %0" : "=r"(r) : "x"(x)); return r;                   \
        case FROM32: __asm__ volatile("cvtsi2s" s "l %1, %0" : "+x"(x) : "r"((uint32_t)xb)); break;             \
        case FROM64: __asm__ volatile("cvtsi2s" s "q %1, %0" : "+x"(x) : "r"(xb)); break;                       \
        default: break;                                                                                         \
        }                                                                                                       \
        memcpy(&r, &x, sizeof x);                                                                               \
        return r;                                                                                               \
    }
DEFINE_HOST(f32, float, "s")
DEFINE_HOST(f64, double, "d")

static uint64_t host_width(bool wide, uint64_t x)
{
    uint64_t r = 0;
    double d;
    float f;
    if (wide) {
        memcpy(&d, &x, 8);
        f = 0;
        __asm__ volatile("cvtsd2ss %1, %0" : "+x"(f) : "x"(d));
        memcpy(&r, &f, 4);
    } else {
        memcpy(&f, &x, 4);
        d = 0;
        __asm__ volatile("cvtss2sd %1, %0" : "+x"(d) : "x"(f));
        memcpy(&r, &d, 8);
    }
    return r;
}

#define DEFINE_OURS(T)                                                                                          \
    static uint64_t ours_##T(struct fp_env *e, enum op op, uint64_t x, uint64_t y)                              \
    {                                                                                                           \
        T a = (T)x, b = (T)y;                                                                                   \
        enum fp_rounding rm = (enum fp_rounding)e->rounding;                                                    \
        switch (op) {                                                                                           \
        case ADD: return T##_add(e, a, b);                                                                      \
        case SUB: return T##_sub(e, a, b);                                                                      \
        case MUL: return T##_mul(e, a, b);                                                                      \
        case DIV: return T##_div(e, a, b);                                                                      \
        case SQRT: return T##_sqrt(e, b);                                                                       \
        case MIN: return T##_min_sse(e, a, b);                                                                  \
        case MAX: return T##_max_sse(e, a, b);                                                                  \
        case COMI: return (uint64_t)(int64_t)T##_compare(e, a, b, false);                                       \
        case UCOMI: return (uint64_t)(int64_t)T##_compare(e, a, b, true);                                       \
        case ROUND: return T##_round(e, b, rm, true);                                                           \
        case TO32: return (uint32_t)T##_to_i32(e, a, rm);                                                       \
        case TO64: return (uint64_t)T##_to_i64(e, a, rm);                                                       \
        case TRUNC32: return (uint32_t)T##_to_i32(e, a, FP_TO_ZERO);                                            \
        case TRUNC64: return (uint64_t)T##_to_i64(e, a, FP_TO_ZERO);                                            \
        case FROM32: return T##_from_i32(e, (int32_t)x);                                                        \
        case FROM64: return T##_from_i64(e, (int64_t)x);                                                        \
        default: return 0;                                                                                      \
        }                                                                                                       \
    }
DEFINE_OURS(f32)
DEFINE_OURS(f64)

static struct fp_env env_of(uint32_t mxcsr)
{
    return (struct fp_env){ .rounding = mxcsr >> 13 & 3, .masks = mxcsr >> 7 & 63, .daz = mxcsr >> 6 & 1,
                            .ftz = mxcsr >> 15 & 1, .nan_rule = FP_NAN_SSE };
}

/* True if the host trapped; *flags are its exception flags. */
static bool run_host(enum op op, bool wide, uint64_t x, uint64_t y, uint32_t mxcsr, uint64_t *r, unsigned *flags)
{
    uint32_t after, normal = 0x1f80;
    if (sigsetjmp(trapped, 1)) {
        __asm__ volatile("ldmxcsr %0" ::"m"(normal));
        *flags = trap_mxcsr & 63;
        return true;
    }
    __asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
    *r = op == WIDTH ? host_width(wide, x) : wide ? host_f64(op, x, y) : host_f32(op, x, y);
    __asm__ volatile("stmxcsr %0" : "=m"(after));
    __asm__ volatile("ldmxcsr %0" ::"m"(normal));
    *flags = after & 63;
    return false;
}

static uint64_t operand(struct rng *g, enum op op, bool wide)
{
    if (op == FROM32 || op == FROM64)
        return rng_next(g) >> rng_below(g, 64);
    return wide ? rng_ieee(g, 53, 11) : rng_ieee(g, 24, 8);
}

static unsigned check(struct rng *g, enum op op, bool wide, uint32_t mxcsr)
{
    uint64_t x = operand(g, op, wide), y = rng_below(g, 16) ? operand(g, op, wide) : x, want = 0;
    unsigned flags;
    bool trap = run_host(op, wide, x, y, mxcsr, &want, &flags);
    struct fp_env e = env_of(mxcsr);
    uint64_t got = op != WIDTH ? (wide ? ours_f64(&e, op, x, y) : ours_f32(&e, op, x, y)) :
                   wide ? f64_to_f32(&e, (f64)x) : f32_to_f64(&e, (f32)x);
    bool ours_trap = e.raised & ~e.masks & FP_ALL;
    if (trap == ours_trap && flags == e.raised && (trap || got == want))
        return 0;
    print_error("%s %s mxcsr %04x: %016" PRIx64 " %016" PRIx64 "\n  host %016" PRIx64 " flags %02x trap %d\n"
                "  ours %016" PRIx64 " flags %02x trap %d\n",
                wide ? "f64" : "f32", op_name[op], mxcsr, x, y, want, flags, trap, got, e.raised, ours_trap);
    return 1;
}

static uint32_t random_mxcsr(struct rng *g)
{
    return 0x1f80 | rng_below(g, 4) << 13 | (rng_below(g, 3) ? 0 : (uint32_t)rng_next(g) & 0x8040);
}

static void test_masked(void **state)
{
    (void)state;
    struct rng g = { 1 };
    for (enum op op = 0; op < N_OPS; op++) {
        unsigned bad = 0;
        for (unsigned i = 0; i < CASES && bad < 3; i++)
            bad += check(&g, op, i & 1, random_mxcsr(&g));
        assert_int_equal(bad, 0);
    }
}

static void test_unmasked(void **state)
{
    (void)state;
    struct rng g = { 2 };
    struct sigaction act = { .sa_sigaction = on_fpe, .sa_flags = SA_SIGINFO | SA_NODEFER };
    assert_int_equal(sigaction(SIGFPE, &act, NULL), 0);
    for (enum op op = 0; op < N_OPS; op++) {
        unsigned bad = 0;
        for (unsigned i = 0; i < CASES / 20 && bad < 3; i++)
            bad += check(&g, op, i & 1, random_mxcsr(&g) & ~(rng_below(&g, 64) << 7));
        assert_int_equal(bad, 0);
    }
    signal(SIGFPE, SIG_DFL);
}

static void test_muladd(void **state)
{
    (void)state;
    if (!__builtin_cpu_supports("fma"))
        skip();
    struct rng g = { 3 };
    unsigned bad = 0;
    for (unsigned i = 0; i < CASES && bad < 3; i++) {
        uint32_t mxcsr = random_mxcsr(&g), normal = 0x1f80, after;
        bool wide = i & 1;
        uint64_t v[3], want = 0;
        for (unsigned k = 0; k < 3; k++)
            v[k] = operand(&g, ADD, wide);
        if (rng_below(&g, 4) == 0)      /* near cancellation: c = -(a * b) rounded, and a little beside it */
            v[2] = (wide ? ours_f64(&(struct fp_env){ .masks = 63 }, MUL, v[0], v[1]) ^ UINT64_C(1) << 63
                         : ours_f32(&(struct fp_env){ .masks = 63 }, MUL, v[0], v[1]) ^ UINT64_C(1) << 31) ^
                   rng_below(&g, 2);
        double a, b, c;
        memcpy(&a, &v[0], 8), memcpy(&b, &v[1], 8), memcpy(&c, &v[2], 8);
        __asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
        if (wide)
            __asm__ volatile("vfmadd213sd %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
        else
            __asm__ volatile("vfmadd213ss %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
        __asm__ volatile("stmxcsr %0" : "=m"(after));
        __asm__ volatile("ldmxcsr %0" ::"m"(normal));
        memcpy(&want, &a, wide ? 8 : 4);
        struct fp_env e = env_of(mxcsr);
        uint64_t got = wide ? f64_muladd(&e, v[1], v[0], v[2]) : f32_muladd(&e, (f32)v[1], (f32)v[0], (f32)v[2]);
        if (got == want && e.raised == (after & 63))
            continue;
        bad++;
        print_error("muladd %s mxcsr %04x: %016" PRIx64 " %016" PRIx64 " %016" PRIx64 "\n  host %016" PRIx64 " "
                    "flags %02x\n  ours %016" PRIx64 " flags %02x\n",
                    wide ? "f64" : "f32", mxcsr, v[0], v[1], v[2], want, after & 63, got, e.raised);
    }
    assert_int_equal(bad, 0);
}

static void test_half(void **state)
{
    (void)state;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 29 & 1))   /* F16C */
        skip();
    struct rng g = { 4 };
    unsigned bad = 0;
    for (unsigned i = 0; i < CASES && bad < 3; i++) {
        uint32_t mxcsr = random_mxcsr(&g), normal = 0x1f80, after;
        uint64_t x = i & 1 ? (rng_ieee(&g, 24, 8) & 0x807fffff) | (90 + rng_below(&g, 60)) << 23 : rng_ieee(&g, 11, 5);
        uint64_t want;
        __asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
        if (i & 1)
            __asm__ volatile("vmovq %1, %%xmm0\n\tvcvtps2ph $4, %%xmm0, %%xmm0\n\tvmovq %%xmm0, %0"
                             : "=r"(want) : "r"(x) : "xmm0");
        else
            __asm__ volatile("vmovq %1, %%xmm0\n\tvcvtph2ps %%xmm0, %%xmm0\n\tvmovq %%xmm0, %0"
                             : "=r"(want) : "r"(x) : "xmm0");
        __asm__ volatile("stmxcsr %0" : "=m"(after));
        __asm__ volatile("ldmxcsr %0" ::"m"(normal));
        struct fp_env e = env_of(mxcsr);
        uint64_t got = i & 1 ? f32_to_f16(&e, (f32)x, (enum fp_rounding)e.rounding) : f16_to_f32(&e, (f16)x);
        if (got == (want & (i & 1 ? 0xffff : UINT32_MAX)) && e.raised == (after & 63))
            continue;
        bad++;
        print_error("%s mxcsr %04x: %08" PRIx64 "\n  host %08" PRIx64 " flags %02x\n  ours %08" PRIx64 " flags %02x\n",
                    i & 1 ? "to half" : "from half", mxcsr, x, want, after & 63, got, e.raised);
    }
    assert_int_equal(bad, 0);
}

static double value(f32 v)
{
    float f;
    memcpy(&f, &v, 4);
    return f;
}

static void test_approximations(void **state)
{
    (void)state;
    struct rng g = { 5 };
    for (unsigned i = 0; i < CASES; i++) {
        f32 x = ((uint32_t)rng_next(&g) & 0x7fffff) | (1 + rng_below(&g, 252)) << 23;
        double r = value(f32_recip_approx(x)) * value(x) - 1, s = value(f32_rsqrt_approx(x));
        double bound = 1.5 / 4096;
        assert_true(r < bound && -r < bound);
        s = s * s * value(x) - 1;               /* twice the relative error, nearly */
        assert_true(s < 2 * bound && -s < 2 * bound);
    }
    assert_int_equal(f32_recip_approx(0x80000000), 0xff800000);
    assert_int_equal(f32_recip_approx(0x80000001), 0xff800000);
    assert_int_equal(f32_recip_approx(0x7f800000), 0);
    assert_int_equal(f32_recip_approx(0x7f000001), 0);
    assert_int_equal(f32_recip_approx(0x7f800001), 0x7fc00001);
    assert_int_equal(f32_rsqrt_approx(0x80000001), 0xff800000);
    assert_int_equal(f32_rsqrt_approx(0xbf800000), 0xffc00000);
    assert_int_equal(f32_rsqrt_approx(0x7f800000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masked),   cmocka_unit_test(test_unmasked), cmocka_unit_test(test_muladd),
        cmocka_unit_test(test_half),     cmocka_unit_test(test_approximations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
