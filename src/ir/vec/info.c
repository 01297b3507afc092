/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ir/vec/functions.h"

const struct vec_info vec_info[VEC_OP_COUNT] = {
#define X(NAME, n) { #NAME, n, vec_##NAME },
    VEC_OPS(X)
#undef X
};

const struct fvec_info fvec_info[FVEC_OP_COUNT + 1] = {
#define X(NAME, n) { #NAME, n, fvec_##NAME },
    FVEC_OPS(X)
#undef X
    { 0 },
};
