/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Execution of threaded code.  Every handler ends by jumping to the next
 * operation's; leaving goes through `fault` (positions given back, state
 * restored) or through one of the exits.
 */
#include "engine/interp/interp.h"

#include "fp/fp.h"

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 s128;

#define NEXT goto *(++op)->handler
#define A t[op->a]
#define B t[op->b]
#define D t[op->dst]
#define STATE(T, offset) (*(T *)(void *)((char *)v + (offset)))

/* Arithmetic in type U (S: its signed twin, WIDTH bits) of x and y. */
#define OP_ADD(U, S, N, x, y) (U)((U)(x) + (U)(y))
#define OP_SUB(U, S, N, x, y) (U)((U)(x) - (U)(y))
#define OP_MUL(U, S, N, x, y) (U)((U)(x) * (U)(y))
#define OP_MULHU(U, S, N, x, y) (U)((u128)(U)(x) * (U)(y) >> N)
#define OP_MULHS(U, S, N, x, y) (U)((s128)(S)(x) * (S)(y) >> N)
#define OP_AND(U, S, N, x, y) (U)((x) & (y))
#define OP_OR(U, S, N, x, y) (U)((x) | (y))
#define OP_XOR(U, S, N, x, y) (U)((x) ^ (y))
#define OP_ANDN(U, S, N, x, y) (U)((x) & ~(y))
#define OP_SHL(U, S, N, x, y) (U)((U)(x) << ((y) & (N - 1)))
#define OP_SHR(U, S, N, x, y) (U)((U)(x) >> ((y) & (N - 1)))
#define OP_SAR(U, S, N, x, y) (U)((S)(x) >> ((y) & (N - 1)))
#define OP_ROTL(U, S, N, x, y) (U)((U)(x) << ((y) & (N - 1)) | (U)(x) >> (-(y) & (N - 1)))
#define OP_ROTR(U, S, N, x, y) (U)((U)(x) >> ((y) & (N - 1)) | (U)(x) << (-(y) & (N - 1)))
#define OP_NOT(U, N, x) (U)~(x)
#define OP_NEG(U, N, x) (U)(0 - (U)(x))
#define OP_CLZ(U, N, x) ((U)(x) ? (U)(__builtin_clzll((U)(x)) - (64 - N)) : N)
#define OP_CTZ(U, N, x) ((U)(x) ? (U)__builtin_ctzll((U)(x)) : N)
#define OP_POPCNT(U, N, x) (U)__builtin_popcountll((U)(x))
#define OP_BSWAP(U, N, x) (U)(__builtin_bswap64((U)(x)) >> (64 - N))
#define CMP_EQ(U, S, x, y) ((U)(x) == (U)(y))
#define CMP_NE(U, S, x, y) ((U)(x) != (U)(y))
#define CMP_LTU(U, S, x, y) ((U)(x) < (U)(y))
#define CMP_GEU(U, S, x, y) ((U)(x) >= (U)(y))
#define CMP_LEU(U, S, x, y) ((U)(x) <= (U)(y))
#define CMP_GTU(U, S, x, y) ((U)(x) > (U)(y))
#define CMP_LTS(U, S, x, y) ((S)(x) < (S)(y))
#define CMP_GES(U, S, x, y) ((S)(x) >= (S)(y))
#define CMP_LES(U, S, x, y) ((S)(x) <= (S)(y))
#define CMP_GTS(U, S, x, y) ((S)(x) > (S)(y))

/* The TLB's fast path (vcpu/softmmu.h). */
#define TLB_HIT(access, va, size)                                                                     \
    (e_ = tlb_slot(v->tlb, (unsigned)op->imm, va),                                                    \
     likely(e_->tag[access] == (((va) + (size)-1) & ~(uint64_t)TLB_PAGE_MASK)))
#define HOST(T, va) (*(T *)(uintptr_t)((va) + e_->addend))

struct packed64 {
    uint64_t v;
} __attribute__((packed));
struct packed32 {
    uint32_t v;
} __attribute__((packed));
struct packed16 {
    uint16_t v;
} __attribute__((packed));
struct packed8 {
    uint8_t v;
} __attribute__((packed));

static bool slow_load(struct vcpu *v, const struct block *b, const struct iop *op, uint64_t va, unsigned size,
                      unsigned flags, uint64_t *out)
{
    v->at_last_insn = op->aux + 1u == b->n_insns;
    return vcpu_load(v, va, size, (unsigned)op->imm, flags, out);
}

static bool slow_store(struct vcpu *v, const struct block *b, const struct iop *op, uint64_t va, unsigned size,
                       uint64_t value)
{
    v->at_last_insn = op->aux + 1u == b->n_insns;
    return vcpu_store(v, va, size, (unsigned)op->imm, value);
}

/* LD with a sign or with write intent: size and width in op->b. */
static bool odd_load(struct vcpu *v, const struct block *b, const struct iop *op, uint64_t va, bool is_signed,
                     uint64_t *out)
{
    unsigned size = 1u << (op->b & 3);
    if (!slow_load(v, b, op, va, size, is_signed ? 0 : MEM_WRITE_INTENT, out))
        return false;
    if (is_signed) {
        uint64_t x = (uint64_t)sign_extend(*out, 8 * size);
        *out = op->b & 8 ? x : (uint32_t)x;
    }
    return true;
}

static bool vector_fp(struct vcpu *v, const struct ivec *i, union v128 *vec, union v128 *dst)
{
    struct fp_env *env = &STATE(struct fp_env, v->ops->fp_env_offset);
    union v128 r;
    env->raised = 0;
    i->ffn(env, &r, &vec[i->arg[0]], &vec[i->arg[1]], &vec[i->arg[2]], i->imm);
    if (unlikely(env->raised & ~env->masks & FP_ALL)) {
        v->ops->fp_trap(v);
        return false;
    }
    env->flags |= env->raised;
    env->raised = 0;
    *dst = r;
    return true;
}

static enum leave fault(struct vcpu *v, const struct block *b, unsigned insn)
{
    v->pos.left += b->n_insns - insn;
    v->ops->restore(v, b->insn[insn].pc, b->insn[insn].meta);
    return LEAVE_FAULT;
}

/* e NULL: returns the handler table through *table. */
static enum leave run(struct engine *e, struct vcpu *v, struct block *b, const void *const **table)
{
    static const void *const handlers[] = {
#define X(n) &&n##_WR, &&n##_WI, &&n##_XR, &&n##_XI,
        INTERP_BINARY(X)
#undef X
#define X(n) &&n##_W, &&n##_X,
            INTERP_UNARY(X)
#undef X
#define X(n) &&SET##n##_WR, &&SET##n##_WI, &&SET##n##_XR, &&SET##n##_XI, &&BR##n##_WR, &&BR##n##_WI, &&BR##n##_XR, \
    &&BR##n##_XI,
                INTERP_CONDS(X)
#undef X
#define X(n) &&n,
                    INTERP_PLAIN(X)
#undef X
    };
    if (!e) {
        *table = handlers;
        return LEAVE_LOOP;
    }
    uint64_t *const t = e->temps;
    union v128 *const vec = e->vectors;
    const struct iop *op;
    const struct tlb_entry *e_;
    const struct icall *call;
    uint64_t x;
    struct block *next;

enter:
    v->pos.left -= b->n_insns;
    if (unlikely(v->pos.left < 0)) {
        v->pos.left += b->n_insns;
        STATE(uint64_t, v->ops->pc_offset) = b->key.pc;
        return LEAVE_SHORT;
    }
    op = b->code;
    goto *op->handler;

#define X(n)                                                    \
    n##_WR : D = OP_##n(uint32_t, int32_t, 32, A, B);           \
    NEXT;                                                       \
    n##_WI : D = OP_##n(uint32_t, int32_t, 32, A, op->imm);     \
    NEXT;                                                       \
    n##_XR : D = OP_##n(uint64_t, int64_t, 64, A, B);           \
    NEXT;                                                       \
    n##_XI : D = OP_##n(uint64_t, int64_t, 64, A, op->imm);     \
    NEXT;
    INTERP_BINARY(X)
#undef X
#define X(n)                                 \
    n##_W : D = OP_##n(uint32_t, 32, A);     \
    NEXT;                                    \
    n##_X : D = OP_##n(uint64_t, 64, A);     \
    NEXT;
    INTERP_UNARY(X)
#undef X
#define BRANCH_IF(c)                                                          \
    if (c) {                                                                  \
        op = (const struct iop *)b->code + op->dst;                           \
        goto *op->handler;                                                    \
    }                                                                         \
    NEXT;
#define X(n)                                                                  \
    SET##n##_WR : D = CMP_##n(uint32_t, int32_t, A, B);                       \
    NEXT;                                                                     \
    SET##n##_WI : D = CMP_##n(uint32_t, int32_t, A, op->imm);                 \
    NEXT;                                                                     \
    SET##n##_XR : D = CMP_##n(uint64_t, int64_t, A, B);                       \
    NEXT;                                                                     \
    SET##n##_XI : D = CMP_##n(uint64_t, int64_t, A, op->imm);                 \
    NEXT;                                                                     \
    BR##n##_WR : BRANCH_IF(CMP_##n(uint32_t, int32_t, A, B))                  \
    BR##n##_WI : BRANCH_IF(CMP_##n(uint32_t, int32_t, A, op->imm))            \
    BR##n##_XR : BRANCH_IF(CMP_##n(uint64_t, int64_t, A, B))                  \
    BR##n##_XI : BRANCH_IF(CMP_##n(uint64_t, int64_t, A, op->imm))
    INTERP_CONDS(X)
#undef X
CONST:
    D = op->imm;
    NEXT;
COPY:
    D = A;
    NEXT;
VCOPY:
    vec[op->dst] = vec[op->a];
    NEXT;
GET8:
    D = STATE(uint8_t, op->imm);
    NEXT;
GET16:
    D = STATE(uint16_t, op->imm);
    NEXT;
GET32:
    D = STATE(uint32_t, op->imm);
    NEXT;
GET64:
    D = STATE(uint64_t, op->imm);
    NEXT;
GETV:
    vec[op->dst] = STATE(union v128, op->imm);
    NEXT;
PUT8:
    STATE(uint8_t, op->imm) = (uint8_t)A;
    NEXT;
PUT16:
    STATE(uint16_t, op->imm) = (uint16_t)A;
    NEXT;
PUT32:
    STATE(uint32_t, op->imm) = (uint32_t)A;
    NEXT;
PUT64:
    STATE(uint64_t, op->imm) = A;
    NEXT;
PUTV:
    STATE(union v128, op->imm) = vec[op->a];
    NEXT;
PUT8I:
    STATE(uint8_t, op->aux) = (uint8_t)op->imm;
    NEXT;
PUT16I:
    STATE(uint16_t, op->aux) = (uint16_t)op->imm;
    NEXT;
PUT32I:
    STATE(uint32_t, op->aux) = (uint32_t)op->imm;
    NEXT;
PUT64I:
    STATE(uint64_t, op->aux) = op->imm;
    NEXT;
EXTRACT:
    D = bits_get(A, op->imm & 0xff, (unsigned)(op->imm >> 8));
    NEXT;
SEXTRACT_W:
    D = (uint32_t)sign_extend(A >> (op->imm & 0xff), (unsigned)(op->imm >> 8));
    NEXT;
SEXTRACT_X:
    D = (uint64_t)sign_extend(A >> (op->imm & 0xff), (unsigned)(op->imm >> 8));
    NEXT;
DEPOSIT_W:
    D = (uint32_t)bits_set(A, op->imm & 0xff, (unsigned)(op->imm >> 8), B);
    NEXT;
DEPOSIT_X:
    D = bits_set(A, op->imm & 0xff, (unsigned)(op->imm >> 8), B);
    NEXT;
SELECT:
    D = A ? B : t[op->imm];
    NEXT;
SEXT:
    D = (uint64_t)(int64_t)(int32_t)A;
    NEXT;
TRUNC:
    D = (uint32_t)A;
    NEXT;
VFROM64:
    vec[op->dst].d[0] = A;
    vec[op->dst].d[1] = B;
    NEXT;
VLO:
    D = vec[op->a].d[0];
    NEXT;
VHI:
    D = vec[op->a].d[1];
    NEXT;
VEC : {
    const struct ivec *i = (const struct ivec *)(uintptr_t)op->imm;
    union v128 r;
    i->fn(&r, &vec[i->arg[0]], &vec[i->arg[1]], &vec[i->arg[2]], i->imm);
    vec[op->dst] = r;
    NEXT;
}
FVEC:
    if (unlikely(!vector_fp(v, (const struct ivec *)(uintptr_t)op->imm, vec, &vec[op->dst])))
        return fault(v, b, op->aux);
    NEXT;

#define LOAD(bits)                                                                    \
    LD##bits : x = A;                                                                 \
    if (TLB_HIT(ACCESS_READ, x, bits / 8))                                            \
        D = HOST(struct packed##bits, x).v;                                           \
    else if (!slow_load(v, b, op, x, bits / 8, 0, &D))                                \
        return fault(v, b, op->aux);                                                  \
    NEXT;
#define STORE(bits)                                                                   \
    ST##bits : x = A;                                                                 \
    if (TLB_HIT(ACCESS_WRITE, x, bits / 8))                                           \
        HOST(struct packed##bits, x).v = (uint##bits##_t)B;                           \
    else if (!slow_store(v, b, op, x, bits / 8, B))                                   \
        return fault(v, b, op->aux);                                                  \
    NEXT;
    LOAD(8)
    LOAD(16)
    LOAD(32)
    LOAD(64)
    STORE(8)
    STORE(16)
    STORE(32)
    STORE(64)
LDS:
    if (!odd_load(v, b, op, A, true, &D))
        return fault(v, b, op->aux);
    NEXT;
LDI:
    x = A;
    if (TLB_HIT(ACCESS_WRITE, x, 1u << (op->b & 3)) && e_->tag[ACCESS_READ] == e_->tag[ACCESS_WRITE])
        D = load_le((const void *)(uintptr_t)(x + e_->addend), 1u << (op->b & 3));
    else if (!odd_load(v, b, op, x, false, &D))
        return fault(v, b, op->aux);
    NEXT;
LDV:
    x = A;
    v->at_last_insn = op->aux + 1u == b->n_insns;
    if (TLB_HIT(ACCESS_READ, x, 16))
        memcpy(&vec[op->dst], (const void *)(uintptr_t)(x + e_->addend), 16);
    else if (!vcpu_load_bytes(v, x, &vec[op->dst], 16, (unsigned)op->imm))
        return fault(v, b, op->aux);
    NEXT;
STV:
    x = A;
    v->at_last_insn = op->aux + 1u == b->n_insns;
    if (TLB_HIT(ACCESS_WRITE, x, 16))
        memcpy((void *)(uintptr_t)(x + e_->addend), &vec[op->b], 16);
    else if (!vcpu_store_bytes(v, x, &vec[op->b], 16, (unsigned)op->imm))
        return fault(v, b, op->aux);
    NEXT;

#define ARG(k) t[call->arg[k]]
#define CALL(n, expr)                                                                 \
    CALL##n : call = (const struct icall *)(uintptr_t)op->imm;                        \
    v->at_last_insn = call->last;                                                     \
    x = (expr);                                                                       \
    if (call->may_exit && unlikely(v->exit))                                          \
        return fault(v, b, op->aux);                                                  \
    D = call->helper->ret == IR_W ? (uint32_t)x : x;                                  \
    NEXT;
    CALL(0, call->helper->f0(v))
    CALL(1, call->helper->f1(v, ARG(0)))
    CALL(2, call->helper->f2(v, ARG(0), ARG(1)))
    CALL(3, call->helper->f3(v, ARG(0), ARG(1), ARG(2)))
    CALL(4, call->helper->f4(v, ARG(0), ARG(1), ARG(2), ARG(3)))

BR:
    op = (const struct iop *)b->code + op->dst;
    goto *op->handler;
EXIT_JUMP:
    next = b->link[op->a].to;
    if (likely(next != NULL)) {
        b = next;
        goto enter;
    }
    next = cache_guess(e, v, b, op->imm);
    if (next && (next->key.va ^ b->key.va) >> PAGE_BITS) {
        b = next;
        goto enter;
    }
    STATE(uint64_t, v->ops->pc_offset) = op->imm;
    e->leave_block = b;
    e->leave_slot = op->a;
    return LEAVE_CHAIN;
EXIT_INDIRECT:
    next = cache_guess(e, v, b, A);
    if (likely(next != NULL)) {
        b = next;
        goto enter;
    }
    STATE(uint64_t, v->ops->pc_offset) = A;
    return LEAVE_LOOKUP;
EXIT_LOOKUP:
    return LEAVE_LOOKUP;
EXIT_LOOP:
    return LEAVE_LOOP;
}

const void *const *interp_handlers(void)
{
    const void *const *table;
    run(NULL, NULL, NULL, &table);
    return table;
}

enum leave interp_exec(struct engine *e, struct vcpu *v, struct block *b) { return run(e, v, b, NULL); }

const struct engine_kind interp_kind = { "interp", interp_compile, interp_exec };
