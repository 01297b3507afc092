/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations that every width has, from its T_unpack(env, v, num) and
 * T_finish(env, num) (round and pack), and for fast.h's common case from its T_BIAS, T_normal(v, normal) and
 * T_fast_finish(env, normal, &result).
 */
#ifndef REPRISE_FP_WIDTH_H
#define REPRISE_FP_WIDTH_H

#include "fp/fast.h"

#define FP_DEFINE_TWO(T, name, call)                                                     \
    static __attribute__((noinline)) T T##_general_##name(struct fp_env *e, T x, T y)     \
    {                                                                                    \
        struct fp_num a, b;                                                              \
        T##_unpack(e, x, &a);                                                            \
        T##_unpack(e, y, &b);                                                            \
        call;                                                                            \
        return T##_finish(e, &a);                                                        \
    }                                                                                    \
    T T##_##name(struct fp_env *e, T x, T y)                                             \
    {                                                                                    \
        struct fp_normal a, b;                                                           \
        struct fp_wide_normal n;                                                         \
        T r;                                                                             \
        if (likely((int)T##_normal(x, &a) & (int)T##_normal(y, &b)) &&                   \
            likely(fp_fast_##name(&n, a, b, T##_BIAS)) && likely(T##_fast_finish(e, &n, &r))) \
            return r;                                                                    \
        return T##_general_##name(e, x, y);                                              \
    }

#define FP_DEFINE_TO_INT(T, R, name, bits, is_signed)                                    \
    R T##_to_##name(struct fp_env *e, T x, enum fp_rounding rm)                          \
    {                                                                                    \
        struct fp_num a;                                                                 \
        struct fp_normal n;                                                              \
        uint64_t r;                                                                      \
        if (is_signed && likely(T##_normal(x, &n)) &&                                    \
            likely(fp_fast_to_int(e, n, T##_BIAS, rm, bits, &r)))                        \
            return (R)r;                                                                 \
        T##_unpack(e, x, &a);                                                            \
        return (R)fp_to_int(e, &a, rm, bits, is_signed);                                 \
    }

#define FP_DEFINE_WIDTH(T)                                                               \
    FP_DEFINE_TWO(T, add, fp_add(e, &a, &a, &b, false))                                  \
    FP_DEFINE_TWO(T, sub, fp_add(e, &a, &a, &b, true))                                   \
    FP_DEFINE_TWO(T, mul, fp_mul(e, &a, &a, &b))                                         \
    FP_DEFINE_TWO(T, div, fp_div(e, &a, &a, &b))                                         \
    T T##_sqrt(struct fp_env *e, T x)                                                    \
    {                                                                                    \
        struct fp_num a;                                                                 \
        struct fp_normal m;                                                              \
        struct fp_wide_normal n;                                                         \
        T r;                                                                             \
        if (likely(T##_normal(x, &m)) && likely(fp_fast_sqrt(&n, m, T##_BIAS)) &&        \
            likely(T##_fast_finish(e, &n, &r)))                                          \
            return r;                                                                    \
        T##_unpack(e, x, &a);                                                            \
        fp_sqrt(e, &a, &a);                                                              \
        return T##_finish(e, &a);                                                        \
    }                                                                                    \
    enum fp_relation T##_compare(struct fp_env *e, T x, T y, bool quiet)                 \
    {                                                                                    \
        struct fp_num a, b;                                                              \
        struct fp_normal m, n;                                                           \
        if (likely((int)T##_normal(x, &m) & (int)T##_normal(y, &n)))                     \
            return fp_fast_compare(m, n);                                                \
        T##_unpack(e, x, &a);                                                            \
        T##_unpack(e, y, &b);                                                            \
        return fp_compare(e, &a, &b, quiet);                                             \
    }                                                                                    \
    FP_DEFINE_TO_INT(T, int32_t, i32, 32, true)                                          \
    FP_DEFINE_TO_INT(T, int64_t, i64, 64, true)                                          \
    FP_DEFINE_TO_INT(T, uint32_t, u32, 32, false)                                        \
    FP_DEFINE_TO_INT(T, uint64_t, u64, 64, false)

/* finish: FILD is exact whatever the precision control says. */
#define FP_DEFINE_FROM_INT(T, finish)                                                    \
    T T##_from_i64(struct fp_env *e, int64_t x)                                          \
    {                                                                                    \
        struct fp_num a;                                                                 \
        fp_from_int(&a, x < 0 ? 0 - (uint64_t)x : (uint64_t)x, x < 0);                   \
        return finish(e, &a)    ;                                                        \
    }                                                                                    \
    T T##_from_i32(struct fp_env *e, int32_t x) { return T##_from_i64(e, x); }           \
    T T##_from_u64(struct fp_env *e, uint64_t x)                                         \
    {                                                                                    \
        struct fp_num a;                                                                 \
        fp_from_int(&a, x, false);                                                       \
        return finish(e, &a)    ;                                                        \
    }

/* What the interchange formats have beyond that; x87's FRNDINT differs in the denormal exception. */
#define FP_DEFINE_IEEE(T)                                                                \
    FP_DEFINE_WIDTH(T)                                                                   \
    FP_DEFINE_FROM_INT(T, T##_finish)                                                    \
    T T##_round(struct fp_env *e, T x, enum fp_rounding rm, bool report)                 \
    {                                                                                    \
        struct fp_num a;                                                                 \
        T##_unpack(e, x, &a);                                                            \
        if (!fp_nan1(e, &a, &a))                                                         \
            fp_round_integral(e, &a, rm, report);                                        \
        return T##_pack(&a);                                                             \
    }                                                                                    \
    T T##_muladd(struct fp_env *e, T x, T y, T z)                                        \
    {                                                                                    \
        struct fp_num a, b, c;                                                           \
        T##_unpack(e, x, &a);                                                            \
        T##_unpack(e, y, &b);                                                            \
        T##_unpack(e, z, &c);                                                            \
        fp_muladd(e, &a, &a, &b, &c);                                                    \
        return T##_finish(e, &a);                                                        \
    }                                                                                    \
    T T##_min_sse(struct fp_env *e, T x, T y)                                            \
    {                                                                                    \
        struct fp_num a, b;                                                              \
        T##_unpack(e, x, &a);                                                            \
        T##_unpack(e, y, &b);                                                            \
        return fp_max_is_first(e, &a, &b, true) ? flush(e, x, &a) : flush(e, y, &b);     \
    }                                                                                    \
    T T##_max_sse(struct fp_env *e, T x, T y)                                            \
    {                                                                                    \
        struct fp_num a, b;                                                              \
        T##_unpack(e, x, &a);                                                            \
        T##_unpack(e, y, &b);                                                            \
        return fp_max_is_first(e, &a, &b, false) ? flush(e, x, &a) : flush(e, y, &b);    \
    }

#endif
