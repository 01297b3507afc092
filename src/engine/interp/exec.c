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
#define WORD(n) ((uint64_t *)(void *)v)[n]
#define VECTOR(n) (*(union v128 *)(void *)&WORD(n))
#define A WORD(op->a)
#define B WORD(op->b)
#define D WORD(op->dst)
#define STATE(T, offset) (*(T *)(void *)((char *)v + (offset)))

/* Arithmetic in type U (S: its signed twin, WIDTH bits) of x and y. */
#define OP_ADD(U, S, N, x, y) (U)((U)(x) + (U)(y))
#define OP_SUB(U, S, N, x, y) (U)((U)(x) - (U)(y))
#define OP_MUL(U, S, N, x, y) (U)((U)(x) * (U)(y))
#define OP_MULHU(U, S, N, x, y) (U)((u128)(U)(x) * (U)(y) >> N)
#define OP_MULHS(U, S, N, x, y) (U)((s128)(S)(x) * (S)(y) >> N)
#define OP_DIVU(U, S, N, x, y) ((U)(y) ? (U)((U)(x) / (U)(y)) : 0)
#define OP_DIVS(U, S, N, x, y) ((S)(y) == -1 ? (U)(0 - (U)(x)) : (U)(y) ? (U)((S)(x) / (S)(y)) : 0)
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

/* A memory operation's address and mmu mode (interp.h), and the TLB's fast path (vcpu/softmmu.h). */
#define ADDRESS (A + (uint64_t)((int64_t)op->imm >> 8))
#define MODE(op) ((unsigned)(op)->imm & 0xff)
#define TLB_HIT(access, va, size)                                                                     \
    (e_ = tlb_slot(v, MODE(op), va),                                                             \
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

/* The slow paths.  False: the block is to be left. */
static __attribute__((noinline)) bool slow_load(struct vcpu *v, const struct block *b, const struct iop *op,
                                                uint64_t va, unsigned size, unsigned flags)
{
    v->at_last_insn = op->aux + 1u == b->n_insns;
    return vcpu_load(v, va, size, MODE(op), flags, &D);
}

static __attribute__((noinline)) bool slow_store(struct vcpu *v, const struct block *b, const struct iop *op,
                                                 uint64_t va, unsigned size)
{
    v->at_last_insn = op->aux + 1u == b->n_insns;
    return vcpu_store(v, va, size, MODE(op), B & mask64(8 * size));
}

static __attribute__((noinline)) bool slow_load_vector(struct vcpu *v, const struct block *b, const struct iop *op,
                                                       uint64_t va)
{
    v->at_last_insn = op->aux + 1u == b->n_insns;
    return vcpu_load_bytes(v, va, &D, 16, MODE(op));
}

static __attribute__((noinline)) bool slow_store_vector(struct vcpu *v, const struct block *b, const struct iop *op,
                                                        uint64_t va)
{
    v->at_last_insn = op->aux + 1u == b->n_insns;
    return vcpu_store_bytes(v, va, &B, 16, MODE(op));
}

static bool vector_fp(struct vcpu *v, const struct iop *op)
{
    const struct ivec *i = (const struct ivec *)(uintptr_t)op->imm;
    return engine_fvec(v, i->ffn, i->part, &VECTOR(op->dst), &VECTOR(i->arg[0]), &VECTOR(i->arg[1]),
                       &VECTOR(i->arg[2]), i->imm);
}

static __attribute__((noinline)) enum leave fault(struct vcpu *v, struct block *b, unsigned insn)
{
    if (v->exit == EXIT_RETRY_LAST)
        cache_ends_block(v->engine_data, b, insn);
    v->pos.left += b->n_insns - insn;
    v->ops->restore(v, block_insn_pc(b, insn), b->insn[insn].meta);
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
#define X(n) &&n, &&n##_WRAP,
                    INTERP_MEMORY(X)
#undef X
#define X(n) &&n,
                        INTERP_PLAIN(X)
#undef X
    };
    if (!e) {
        *table = handlers;
        return LEAVE_LOOP;
    }
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
SET:
    D = op->imm;
    NEXT;
MOVE:
    D = A;
    NEXT;
MOVE2:
    D = A;
    WORD(op->aux) = B;
    NEXT;
MOVEC:
    D = A;
    STATE(uint32_t, op->imm & 0xffff) = (uint32_t)(op->imm >> 32);
    NEXT;
MOVE2C:
    D = A;
    WORD(op->aux) = B;
    STATE(uint32_t, op->imm & 0xffff) = (uint32_t)(op->imm >> 32);
    NEXT;
SETC:
    D = (uint64_t)(int64_t)(int32_t)op->imm;
    STATE(uint32_t, op->b) = (uint32_t)(op->imm >> 32);
    NEXT;
MOVESETC:
    D = A;
    WORD(op->aux) = (uint64_t)(int64_t)(int32_t)op->imm;
    STATE(uint32_t, op->b) = (uint32_t)(op->imm >> 32);
    NEXT;
LEA:
    D = A + (B << op->imm);
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
    VECTOR(op->dst) = STATE(union v128, op->imm);
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
    STATE(union v128, op->imm) = VECTOR(op->a);
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
SELECT_W:
    D = (uint32_t)((uint32_t)A ? B : WORD(op->imm));
    NEXT;
SELECT_X:
    D = (uint32_t)A ? B : WORD(op->imm);
    NEXT;
SEXT:
    D = (uint64_t)(int64_t)(int32_t)A;
    NEXT;
TRUNC:
    D = (uint32_t)A;
    NEXT;
VFROM64:
    x = A;
    WORD(op->dst + 1) = B;
    D = x;
    NEXT;
VLO:
    D = A;
    NEXT;
VHI:
    D = WORD(op->a + 1);
    NEXT;
VEC : {
    const struct ivec *i = (const struct ivec *)(uintptr_t)op->imm;
    union v128 r;
    i->fn(&r, &VECTOR(i->arg[0]), &VECTOR(i->arg[1]), &VECTOR(i->arg[2]), i->imm);
    VECTOR(op->dst) = r;
    NEXT;
}
FVEC:
    if (unlikely(!vector_fp(v, op)))
        return fault(v, b, op->aux);
    NEXT;

/* Loads of `bits` bits into type U through the signed or unsigned type S; FLAGS as for vcpu_load. */
#define LOAD_AT(name, access, bits, U, S, flags, address)                             \
    name : x = address;                                                               \
    if (TLB_HIT(access, x, bits / 8))                                                 \
        D = (U)(S)HOST(struct packed##bits, x).v;                                     \
    else if (slow_load(v, b, op, x, bits / 8, flags))                                 \
        D = (U)(S)D;                                                                  \
    else                                                                              \
        return fault(v, b, op->aux);                                                  \
    NEXT;
#define LOAD(name, access, bits, U, S, flags)                                         \
    LOAD_AT(name, access, bits, U, S, flags, ADDRESS)                                 \
    LOAD_AT(name##_WRAP, access, bits, U, S, flags, (uint32_t)ADDRESS)
#define STORE_AT(name, bits, address)                                                 \
    name : x = address;                                                               \
    if (TLB_HIT(ACCESS_WRITE, x, bits / 8))                                           \
        HOST(struct packed##bits, x).v = (uint##bits##_t)B;                           \
    else if (!slow_store(v, b, op, x, bits / 8))                                      \
        return fault(v, b, op->aux);                                                  \
    NEXT;
#define STORE(bits)                                                                   \
    STORE_AT(ST##bits, bits, ADDRESS)                                                 \
    STORE_AT(ST##bits##_WRAP, bits, (uint32_t)ADDRESS)
#define VECTOR_AT(suffix, address)                                                    \
    LDV##suffix : x = address;                                                        \
    if (TLB_HIT(ACCESS_READ, x, 16))                                                  \
        memcpy(&D, (const void *)(uintptr_t)(x + e_->addend), 16);                    \
    else if (!slow_load_vector(v, b, op, x))                                          \
        return fault(v, b, op->aux);                                                  \
    NEXT;                                                                             \
    STV##suffix : x = address;                                                        \
    if (TLB_HIT(ACCESS_WRITE, x, 16))                                                 \
        memcpy((void *)(uintptr_t)(x + e_->addend), &B, 16);                          \
    else if (!slow_store_vector(v, b, op, x))                                         \
        return fault(v, b, op->aux);                                                  \
    NEXT;
    LOAD(LD8, ACCESS_READ, 8, uint64_t, uint8_t, 0)
    LOAD(LD16, ACCESS_READ, 16, uint64_t, uint16_t, 0)
    LOAD(LD32, ACCESS_READ, 32, uint64_t, uint32_t, 0)
    LOAD(LD64, ACCESS_READ, 64, uint64_t, uint64_t, 0)
    /* What may be written may be read, in every guest. */
    LOAD(LDI8, ACCESS_WRITE, 8, uint64_t, uint8_t, MEM_WRITE_INTENT)
    LOAD(LDI16, ACCESS_WRITE, 16, uint64_t, uint16_t, MEM_WRITE_INTENT)
    LOAD(LDI32, ACCESS_WRITE, 32, uint64_t, uint32_t, MEM_WRITE_INTENT)
    LOAD(LDI64, ACCESS_WRITE, 64, uint64_t, uint64_t, MEM_WRITE_INTENT)
    LOAD(LDS8W, ACCESS_READ, 8, uint32_t, int8_t, 0)
    LOAD(LDS16W, ACCESS_READ, 16, uint32_t, int16_t, 0)
    LOAD(LDS8X, ACCESS_READ, 8, uint64_t, int8_t, 0)
    LOAD(LDS16X, ACCESS_READ, 16, uint64_t, int16_t, 0)
    LOAD(LDS32X, ACCESS_READ, 32, uint64_t, int32_t, 0)
    STORE(8)
    STORE(16)
    STORE(32)
    STORE(64)
    VECTOR_AT(, ADDRESS)
    VECTOR_AT(_WRAP, (uint32_t)ADDRESS)

#define ARG(k) WORD(call->arg[k])
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
EXIT_SIDE:                                /* aux: the last instruction that retires */
    v->pos.left += b->n_insns - op->aux - 1;
EXIT_JUMP:
    next = b->link[op->a].to;
    if (likely(next != NULL)) {
        b = next;
        goto enter;
    }
    next = cache_guess(e, v, b, op->imm);
    if (next) {
        cache_chain(e, b, op->a, next);
        b = next;
        goto enter;
    }
    STATE(uint64_t, v->ops->pc_offset) = op->imm;
    if (!b->ram)
        return LEAVE_LOOKUP;              /* not cached: it is freed by the next translation */
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
