/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ir/fold.h"

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 s128;

static unsigned width(enum ir_type t) { return t == IR_W ? 32 : 64; }

bool ir_compare(enum ir_cond c, enum ir_type t, uint64_t x, uint64_t y)
{
    int64_t sx = sign_extend(x, width(t)), sy = sign_extend(y, width(t));
    switch (c) {
    case IR_EQ:
        return x == y;
    case IR_NE:
        return x != y;
    case IR_LTU:
        return x < y;
    case IR_GEU:
        return x >= y;
    case IR_LEU:
        return x <= y;
    case IR_GTU:
        return x > y;
    case IR_LTS:
        return sx < sy;
    case IR_GES:
        return sx >= sy;
    case IR_LES:
        return sx <= sy;
    case IR_GTS:
        return sx > sy;
    }
    return false;
}

static bool fold_shift(enum ir_op op, unsigned w, uint64_t x, uint64_t n, uint64_t *out)
{
    uint64_t m = mask64(w);
    n &= w - 1;
    switch (op) {
    case IR_SHL:
        *out = x << n & m;
        return true;
    case IR_SHR:
        *out = (x & m) >> n;
        return true;
    case IR_SAR:
        *out = (uint64_t)(sign_extend(x, w) >> n) & m;
        return true;
    case IR_ROTL:
        *out = n ? (x << n | (x & m) >> (w - n)) & m : x;
        return true;
    case IR_ROTR:
        *out = n ? ((x & m) >> n | x << (w - n)) & m : x;
        return true;
    default:
        return false;
    }
}

/* Division by 0 gives 0; by -1 it is negation, which cannot overflow. */
static uint64_t divide(bool is_signed, unsigned w, uint64_t x, uint64_t y)
{
    int64_t sx = sign_extend(x, w), sy = sign_extend(y, w);
    if (!y)
        return 0;
    if (!is_signed)
        return x / y;
    return (sy == -1 ? 0 - x : (uint64_t)(sx / sy)) & mask64(w);
}

static bool fold_binary(enum ir_op op, unsigned w, uint64_t x, uint64_t y, uint64_t *out)
{
    uint64_t m = mask64(w);
    switch (op) {
    case IR_ADD:
        *out = (x + y) & m;
        return true;
    case IR_SUB:
        *out = (x - y) & m;
        return true;
    case IR_MUL:
        *out = x * y & m;
        return true;
    case IR_MULHU:
        *out = (uint64_t)((u128)x * y >> w) & m;
        return true;
    case IR_MULHS:
        *out = (uint64_t)((s128)sign_extend(x, w) * sign_extend(y, w) >> w) & m;
        return true;
    case IR_DIVU:
    case IR_DIVS:
        *out = divide(op == IR_DIVS, w, x, y);
        return true;
    case IR_AND:
        *out = x & y;
        return true;
    case IR_OR:
        *out = x | y;
        return true;
    case IR_XOR:
        *out = x ^ y;
        return true;
    case IR_ANDN:
        *out = x & ~y & m;
        return true;
    default:
        return fold_shift(op, w, x, y, out);
    }
}

static uint64_t bswap(uint64_t x, unsigned w) { return __builtin_bswap64(x) >> (64 - w); }

static bool fold_unary(enum ir_op op, unsigned w, uint64_t x, uint64_t *out)
{
    uint64_t m = mask64(w);
    switch (op) {
    case IR_ZEXT:
        *out = x;
        return true;
    case IR_NOT:
        *out = ~x & m;
        return true;
    case IR_NEG:
        *out = (0 - x) & m;
        return true;
    case IR_CLZ:
        *out = x ? (uint64_t)__builtin_clzll(x) - (64 - w) : w;
        return true;
    case IR_CTZ:
        *out = x ? (uint64_t)__builtin_ctzll(x) : w;
        return true;
    case IR_POPCNT:
        *out = (uint64_t)__builtin_popcountll(x);
        return true;
    case IR_BSWAP:
        *out = bswap(x, w);
        return true;
    case IR_SEXT:
        *out = (uint64_t)sign_extend(x, 32);
        return true;
    case IR_TRUNC:
        *out = (uint32_t)x;
        return true;
    default:
        return false;
    }
}

bool ir_fold(const struct ir_insn *i, const uint64_t v[4], uint64_t *out)
{
    enum ir_type t = (enum ir_type)i->type;
    unsigned w = width(t);
    switch (i->op) {
    case IR_EXTRACT:
        *out = bits_get(v[0], i->aux, (unsigned)i->imm);
        return true;
    case IR_SEXTRACT:
        *out = (uint64_t)sign_extend(v[0] >> i->aux, (unsigned)i->imm) & mask64(w);
        return true;
    case IR_DEPOSIT:
        *out = bits_set(v[0], i->aux, (unsigned)i->imm, v[1]) & mask64(w);
        return true;
    case IR_SETCOND:
        *out = ir_compare((enum ir_cond)i->aux, t, v[0], v[1]);
        return true;
    case IR_SELECT:
        *out = v[0] ? v[1] : v[2];
        return true;
    default:
        return i->arg[1] ? fold_binary((enum ir_op)i->op, w, v[0], v[1], out)
                         : fold_unary((enum ir_op)i->op, w, v[0], out);
    }
}
