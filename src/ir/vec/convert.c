/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversions between integers and floating point, and between precisions. */
#include "ir/vec/functions.h"

#define UNUSED ((void)a, (void)b, (void)c, (void)imm)
#define RC ((enum fp_rounding)env->rounding)

/* n lanes of b; the rest is zero. */
#define CONVERT(NAME, to, from, n, T, expr)  \
    FVEC(NAME)                               \
    {                                        \
        UNUSED;                              \
        r->d[0] = r->d[1] = 0;               \
        for (unsigned i = 0; i < (n); i++) { \
            T y = (T)b->from[i];             \
            r->to[i] = (expr);               \
        }                                    \
        fvec_settle(env);                    \
    }

/* The low n lanes of b into a. */
#define CONVERT_INTO(NAME, to, from, n, T, expr) \
    FVEC(NAME)                                   \
    {                                            \
        UNUSED;                                  \
        *r = *a;                                 \
        for (unsigned i = 0; i < (n); i++) {     \
            T y = (T)b->from[i];                 \
            r->to[i] = (expr);                   \
        }                                        \
        fvec_settle(env);                        \
    }

CONVERT(CVT_I32F32_4, w, w, 4, int32_t, f32_from_i32(env, y))
CONVERT(CVT_I32F64_2, d, w, 2, int32_t, f64_from_i32(env, y))
CONVERT(CVT_F32F64_2, d, w, 2, f32, f32_to_f64(env, y))
CONVERT(CVT_F64F32_2, w, d, 2, f64, f64_to_f32(env, y))
CONVERT(CVT_F32I32_4, w, w, 4, f32, (uint32_t)f32_to_i32(env, y, RC))
CONVERT(CVTT_F32I32_4, w, w, 4, f32, (uint32_t)f32_to_i32(env, y, FP_TO_ZERO))
CONVERT(CVT_F32I32_2, w, w, 2, f32, (uint32_t)f32_to_i32(env, y, RC))
CONVERT(CVTT_F32I32_2, w, w, 2, f32, (uint32_t)f32_to_i32(env, y, FP_TO_ZERO))
CONVERT(CVT_F64I32_2, w, d, 2, f64, (uint32_t)f64_to_i32(env, y, RC))
CONVERT(CVTT_F64I32_2, w, d, 2, f64, (uint32_t)f64_to_i32(env, y, FP_TO_ZERO))
CONVERT(CVT_F16F32_4, w, h, 4, f16, f16_to_f32(env, y))
CONVERT(CVT_F32F16_4, h, w, 4, f32, f32_to_f16(env, y, fvec_rounding(env, imm)))

CONVERT_INTO(CVT_I32F32_2, w, w, 2, int32_t, f32_from_i32(env, y))
CONVERT_INTO(CVT_F32F64_1, d, w, 1, f32, f32_to_f64(env, y))
CONVERT_INTO(CVT_F64F32_1, w, d, 1, f64, f64_to_f32(env, y))
CONVERT_INTO(CVT_I32F32_1, w, w, 1, int32_t, f32_from_i32(env, y))
CONVERT_INTO(CVT_I64F32_1, w, d, 1, int64_t, f32_from_i64(env, y))
CONVERT_INTO(CVT_I32F64_1, d, w, 1, int32_t, f64_from_i32(env, y))
CONVERT_INTO(CVT_I64F64_1, d, d, 1, int64_t, f64_from_i64(env, y))

CONVERT(CVT_F32I32_1, w, w, 1, f32, (uint32_t)f32_to_i32(env, y, RC))
CONVERT(CVT_F32I64_1, d, w, 1, f32, (uint64_t)f32_to_i64(env, y, RC))
CONVERT(CVT_F64I32_1, w, d, 1, f64, (uint32_t)f64_to_i32(env, y, RC))
CONVERT(CVT_F64I64_1, d, d, 1, f64, (uint64_t)f64_to_i64(env, y, RC))
CONVERT(CVTT_F32I32_1, w, w, 1, f32, (uint32_t)f32_to_i32(env, y, FP_TO_ZERO))
CONVERT(CVTT_F32I64_1, d, w, 1, f32, (uint64_t)f32_to_i64(env, y, FP_TO_ZERO))
CONVERT(CVTT_F64I32_1, w, d, 1, f64, (uint32_t)f64_to_i32(env, y, FP_TO_ZERO))
CONVERT(CVTT_F64I64_1, d, d, 1, f64, (uint64_t)f64_to_i64(env, y, FP_TO_ZERO))
