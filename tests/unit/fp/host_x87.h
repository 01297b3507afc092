/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One x87 instruction on the host, with any control word: unmasked exceptions are read and cleared before they trap. */
#ifndef REPRISE_TESTS_FP_HOST_X87_H
#define REPRISE_TESTS_FP_HOST_X87_H

#include "fp/fp.h"

struct host80 {
    uint64_t mant;
    uint16_t se;
} __attribute__((packed));

struct host_result {
    f80 st0, st1;
    uint64_t mem[2];       /* what a store wrote; else as before */
    uint16_t sw;
};

/* Runs INSN with ST(0) = x, ST(1) = y (and mem as its memory operand); two registers are read back. */
#define HOST_X87(name, insn)                                                                               \
    static void host_##name(uint16_t cw, f80 x, f80 y, const uint64_t *mem, struct host_result *r)          \
    {                                                                                                      \
        struct host80 a = { x.mant, x.se }, b = { y.mant, y.se }, s0, s1;                                  \
        uint16_t sw;                                                                                       \
        r->mem[0] = mem[0];                                                                                \
        r->mem[1] = mem[1];                                                                                \
        __asm__ volatile("fninit\n\tfldt %[b]\n\tfldt %[a]\n\tfnclex\n\tfldcw %[cw]\n\t" insn "\n\t"         \
                         "fnstsw %[sw]\n\tfnclex\n\tfldcw %[full]\n\tfstpt %[s0]\n\tfstpt %[s1]\n\tfninit" \
                         : [sw] "=m"(sw), [s0] "=m"(s0), [s1] "=m"(s1), [m] "+m"(*r)                       \
                         : [a] "m"(a), [b] "m"(b), [cw] "m"(cw), [full] "m"((const uint16_t){ 0x37f }),    \
                           [mem] "r"(r->mem)                                                               \
                         : "memory", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"); \
        r->st0 = (f80){ s0.mant, s0.se };                                                                  \
        r->st1 = (f80){ s1.mant, s1.se };                                                                  \
        r->sw = sw;                                                                                        \
    }

typedef void host_fn(uint16_t cw, f80 x, f80 y, const uint64_t *mem, struct host_result *r);

/* What the x87 would hand to us under this control word. */
static inline struct fp_env x87_env(uint16_t cw)
{
    return (struct fp_env){ .rounding = cw >> 10 & 3, .masks = cw & 63, .nan_rule = FP_NAN_X87,
                            .precision = cw >> 8 & 3 };
}

static inline uint16_t random_cw(struct rng *g, bool unmasked)
{
    static const unsigned precision[] = { 0, 2, 3, 3 };
    return (uint16_t)(0x40 | precision[rng_below(g, 4)] << 8 | rng_below(g, 4) << 10 |
                      (unmasked ? rng_next(g) & 63 : 63));
}

#endif
