/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_emit_vec [BATCHES [SEED]]: every vector operation as host code against its reference function: results, what
 * floating point raises, and that nothing else changes.  Each batch is one piece of code, with its own registers,
 * immediate and way of passing operands, run on 256 operands.
 */
#include <xmmintrin.h>

#include "../fp/random.h"
#include "exec_memory.h"
#include "engine/x64/vec.h"

struct sample {
    union v128 x, y, z, r, x_after, y_after, z_after;
    uint64_t gpr;
    uint32_t mxcsr, mxcsr_after;
};
enum { N_SAMPLES = 256, N_REGS = 13 /* XMM13.. are scratch */, ARITHMETIC_FLAGS = 0x8d5 };

/* How the operands get there and back. */
enum way { IN_REGISTERS, FROM_MEMORY, TO_GPR, FROM_GPR, TO_FLAGS, N_WAYS };
static const char *const way_names[] = { "registers", "memory", "to gpr", "from gpr", "to flags" };

struct batch {
    bool is_float;
    unsigned op, n_args;
    const char *name;
    enum way way;
    unsigned dst, x, y, z, gpr;
    uint64_t imm;
};

static struct rng rng;
static struct x64_host host;
static struct exec_memory memory;
static struct sample samples[N_SAMPLES] __attribute__((aligned(16)));

/* ---- code ----------------------------------------------------------------------------------------------- */

#define FIELD(name) x64_base(HOST_RDI, (int32_t)offsetof(struct sample, name))

static bool emit_op(struct x64_asm *a, const struct batch *b)
{
    if (b->is_float) {
        enum fvec_op op = (enum fvec_op)b->op;
        switch (b->way) {
        case IN_REGISTERS:
            return x64_emit_fvec(a, &host, op, b->dst, b->x, b->y, b->z, b->imm);
        case FROM_MEMORY:
            return x64_emit_fvec_m(a, &host, op, b->dst, b->x, FIELD(y), b->imm);
        case TO_GPR:
            return x64_emit_fvec_to_gpr(a, &host, op, b->gpr, b->x, b->y);
        case FROM_GPR:
            return x64_emit_fvec_from_gpr(a, &host, op, b->dst, b->x, b->gpr);
        default:
            return x64_emit_fvec_to_flags(a, &host, op, b->x, b->y);
        }
    }
    enum vec_op op = (enum vec_op)b->op;
    switch (b->way) {
    case IN_REGISTERS:
        return x64_emit_vec(a, &host, op, b->dst, b->x, b->y, b->z, b->imm);
    case FROM_MEMORY:
        return b->n_args == 1 ? x64_emit_vec_m(a, &host, op, b->dst, 0, FIELD(x), b->z, b->imm)
                              : x64_emit_vec_m(a, &host, op, b->dst, b->x, FIELD(y), b->z, b->imm);
    case TO_GPR:
        return x64_emit_vec_to_gpr(a, &host, op, b->gpr, b->x, b->y, b->z, b->imm);
    case FROM_GPR:
        return x64_emit_vec_from_gpr(a, &host, op, b->dst, b->x, b->gpr, b->imm);
    default:
        return x64_emit_vec_to_flags(a, &host, op, b->x, b->y, b->z, b->imm);
    }
}

static bool in_use(const struct batch *b, unsigned r) { return r == b->dst || r == b->x || r == b->y || r == b->z; }

/* What an unused register holds. */
static uint64_t mark(unsigned r) { return UINT64_C(0x9e3779b97f4a7c15) * (r + 1); }

/* Which of RAX and RCX may change. */
static unsigned scratch(const struct batch *b)
{
    unsigned result = b->way == TO_GPR ? 1u << b->gpr : 0;
    if (b->way == FROM_MEMORY || b->way == FROM_GPR)
        return 0;
    return result | (b->is_float ? x64_fvec_scratch((enum fvec_op)b->op, b->way != IN_REGISTERS)
                                 : x64_vec_scratch((enum vec_op)b->op, b->way != IN_REGISTERS));
}

/* Jumps to wrong unless general register r holds what RDI does. */
static void expect_rdi(struct x64_asm *a, unsigned r, struct x64_label *wrong)
{
    x64_alu_rr(a, X64_CMP, 64, r, HOST_RDI);
    x64_jcc(a, X64_NE, wrong);
}

/* One sample: RDI points to it, and so do RDX, which must stay, RAX and RCX. */
static bool emit_sample(struct x64_asm *a, const struct batch *b, struct x64_label *wrong)
{
    x64_mov_rr(a, 64, HOST_RAX, HOST_RDI);
    x64_mov_rr(a, 64, HOST_RCX, HOST_RDI);
    x64_mov_rr(a, 64, HOST_RDX, HOST_RDI);
    x64_ldmxcsr(a, FIELD(mxcsr));
    x64_vmovups_xm(a, b->x, FIELD(x));
    x64_vmovups_xm(a, b->y, FIELD(y));
    x64_vmovups_xm(a, b->z, FIELD(z));
    if (b->way == FROM_GPR)
        x64_mov_rm(a, 64, b->gpr, FIELD(y));
    if (!emit_op(a, b))
        return false;
    x64_stmxcsr(a, FIELD(mxcsr_after));
    if (b->way == TO_FLAGS)
        x64_pushfq(a), x64_pop(a, HOST_R8), x64_mov_mr(a, 64, FIELD(gpr), HOST_R8);
    for (unsigned r = HOST_RAX; r <= HOST_RDX; r++)
        if (r == HOST_RDX || (!(scratch(b) >> r & 1) && !(b->way == FROM_GPR && r == b->gpr)))
            expect_rdi(a, r, wrong);
    if (b->way == TO_GPR)
        x64_mov_mr(a, 64, FIELD(gpr), b->gpr);
    x64_vmovups_mx(a, FIELD(r), b->dst);
    x64_vmovups_mx(a, FIELD(x_after), b->x);
    x64_vmovups_mx(a, FIELD(y_after), b->y);
    x64_vmovups_mx(a, FIELD(z_after), b->z);
    return true;
}

/* uint64_t run(struct sample *RDI, size_t RSI): 1 if a register was changed.  False: there is no such form. */
static bool emit_batch(struct x64_asm *a, const struct batch *b)
{
    struct x64_label again = { 0 }, wrong = { 0 };
    for (unsigned r = 0; r < N_REGS; r++) {
        x64_mov_ri(a, HOST_RAX, mark(r));
        x64_movd_xr(a, 64, r, HOST_RAX);
    }
    x64_bind(a, &again);
    if (!emit_sample(a, b, &wrong))
        return false;
    x64_alu_ri(a, X64_ADD, 64, HOST_RDI, sizeof(struct sample));
    x64_unary_r(a, X64_DEC, 64, HOST_RSI);
    x64_jcc(a, X64_NE, &again);
    for (unsigned r = 0; r < N_REGS; r++) {
        if (in_use(b, r))
            continue;
        x64_mov_ri(a, HOST_RAX, mark(r));
        x64_movd_rx(a, 64, HOST_RCX, r);
        x64_alu_rr(a, X64_CMP, 64, HOST_RAX, HOST_RCX);
        x64_jcc(a, X64_NE, &wrong);
    }
    x64_zero(a, HOST_RAX);
    x64_ret(a);
    x64_bind(a, &wrong);
    x64_mov_ri(a, HOST_RAX, 1);
    x64_ret(a);
    return true;
}

/* ---- operands ------------------------------------------------------------------------------------------- */

static uint64_t edge(unsigned w)
{
    static const uint64_t edges[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
                                      0xffffffff, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX - 1,
                                      UINT64_MAX - 0x7f };
    uint64_t v = rng_below(&rng, 3) ? edges[rng_below(&rng, ARRAY_LEN(edges))] : rng_next(&rng) >> rng_below(&rng, 64);
    return v & mask64(w);
}

/* Lanes of f16, f32, f64, integers of a width, few different bytes, or anything. */
enum kind { F16, F32, F64, I8, I16, I32, I64, TEXT, ANY, N_KINDS };

static void fill(union v128 *v, enum kind kind)
{
    v->d[0] = rng_next(&rng);
    v->d[1] = rng_next(&rng);
    for (unsigned i = 0; i < 16; i++) {
        if (kind == F16 && i < 8)
            v->h[i] = (uint16_t)rng_ieee(&rng, 11, 5);
        else if (kind == F32 && i < 4)
            v->w[i] = (uint32_t)rng_ieee(&rng, 24, 8);
        else if (kind == F64 && i < 2)
            v->d[i] = rng_ieee(&rng, 53, 11);
        else if (kind == I8)
            v->b[i] = (uint8_t)edge(8);
        else if (kind == I16 && i < 8)
            v->h[i] = (uint16_t)edge(16);
        else if (kind == I32 && i < 4)
            v->w[i] = (uint32_t)edge(32);
        else if (kind == I64 && i < 2)
            v->d[i] = edge(64);
        else if (kind == TEXT)
            v->b[i] = (uint8_t)(rng_below(&rng, 12) ? 0x7e + rng_below(&rng, 4) : 0);
    }
}

/* Some lanes of v nearly those of `like`, so that sums cancel and compares are equal. */
static void relate(union v128 *v, const union v128 *like)
{
    unsigned bytes = 1u << rng_below(&rng, 4);
    uint64_t sign = (uint64_t)rng_below(&rng, 2) << (8 * bytes - 1), step = rng_below(&rng, 3);
    if (rng_below(&rng, 3))
        return;
    for (unsigned i = 0; i < 16; i += bytes)
        if (rng_below(&rng, 2))
            store_le(v->b + i, bytes, (load_le(like->b + i, bytes) ^ sign) + (step == 2 ? UINT64_MAX : step));
}

static enum kind kind_of(const struct batch *b)
{
    if (rng_below(&rng, 8) == 0)
        return rng_below(&rng, N_KINDS);
    if (strncmp(b->name, "CMPI", 4) == 0 || strncmp(b->name, "CMPE", 4) == 0)
        return TEXT;
    if (!b->is_float)
        return I8 + rng_below(&rng, N_KINDS - I8);
    if (strncmp(b->name, "CVT_F16", 7) == 0)
        return F16;
    if (strncmp(b->name, "CVT_I", 5) == 0)
        return strstr(b->name, "I64") ? I64 : I32;
    return strstr(b->name, "_W") || strstr(b->name, "F32I") || strstr(b->name, "F32F") ? F32 : F64;
}

static void make_samples(const struct batch *b)
{
    for (unsigned i = 0; i < N_SAMPLES; i++) {
        struct sample *s = &samples[i];
        enum { MASKED = 0x1f80, DAZ = 0x40, RC = 13, FTZ = 0x8000 };
        fill(&s->x, kind_of(b));
        fill(&s->y, kind_of(b));
        fill(&s->z, kind_of(b));
        relate(&s->y, &s->x);
        if (rng_below(&rng, 4) == 0) /* a shift count, or a length */
            s->y.d[0] = rng_below(&rng, 70);
        if (rng_below(&rng, 4))
            s->z.d[0] = (uint64_t)rng_below(&rng, 40) - 20, s->z.d[1] = (uint64_t)rng_below(&rng, 40) - 20;
        /* What shares a register is loaded last to first. */
        if (b->y == b->x)
            s->x = s->y;
        if (b->z == b->x)
            s->x = s->z;
        if (b->z == b->y)
            s->y = s->z;
        s->mxcsr = MASKED | (rng_below(&rng, 4) ? 0 : DAZ) | rng_below(&rng, 4) << RC | (rng_below(&rng, 4) ? 0 : FTZ);
    }
}

static uint64_t make_imm(void)
{
    unsigned r = rng_below(&rng, 8);
    return r == 0 ? rng_next(&rng) : r == 1 ? rng_below(&rng, 300) : r < 5 ? rng_below(&rng, 40) : rng_below(&rng, 256);
}

/* ---- compare ---------------------------------------------------------------------------------------------- */

static void print_v128(const char *name, const union v128 *v)
{
    printf("  %s %016llx%016llx\n", name, (unsigned long long)v->d[1], (unsigned long long)v->d[0]);
}

static bool same(const union v128 *a, const union v128 *b) { return a->d[0] == b->d[0] && a->d[1] == b->d[1]; }

static bool result_is(const struct batch *b, const struct sample *s, const union v128 *r)
{
    if (b->way == TO_GPR)
        return s->gpr == r->d[0];
    if (b->way == TO_FLAGS)
        return (s->gpr & ARITHMETIC_FLAGS) == r->d[!b->is_float && (b->op == VEC_CMPISTR || b->op == VEC_CMPESTR)];
    return same(&s->r, r);
}

static bool kept(const struct batch *b, unsigned reg, const union v128 *before, const union v128 *after)
{
    bool written = reg == b->dst && b->way != TO_GPR && b->way != TO_FLAGS;
    return written || same(before, after);
}

static bool check(const struct batch *b, const struct sample *s)
{
    struct fp_env env = { .rounding = s->mxcsr >> 13 & 3, .masks = FP_ALL, .daz = s->mxcsr >> 6 & 1,
                          .ftz = s->mxcsr >> 15 & 1, .nan_rule = FP_NAN_SSE };
    union v128 r;
    if (b->is_float)
        fvec_info[b->op].fn(&env, &r, &s->x, &s->y, &s->z, b->imm);
    else
        vec_info[b->op].fn(&r, &s->x, &s->y, &s->z, b->imm);
    unsigned raised = env.raised & FP_ALL;
    bool regs = kept(b, b->x, &s->x, &s->x_after) && kept(b, b->y, &s->y, &s->y_after) &&
                kept(b, b->z, &s->z, &s->z_after);
    if (result_is(b, s, &r) && regs && s->mxcsr_after == (s->mxcsr | raised))
        return true;
    printf("%s (%s), imm %llx, dst %u, x %u, y %u, z %u, gpr %u, mxcsr %x%s:\n", b->name, way_names[b->way],
           (unsigned long long)b->imm, b->dst, b->x, b->y, b->z, b->gpr, s->mxcsr, regs ? "" : ", an operand changed");
    print_v128("x       ", &s->x);
    print_v128("y       ", &s->y);
    print_v128("z       ", &s->z);
    print_v128("emitted ", &s->r);
    print_v128("expected", &r);
    printf("  gpr %llx, raised %x, expected %x\n", (unsigned long long)s->gpr, s->mxcsr_after & FP_ALL, raised);
    return false;
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

enum outcome { NO_FORM, AGREES, DIFFERS };

static enum outcome run_batch(struct batch *b)
{
    static const unsigned gprs[] = { HOST_RAX, HOST_RCX, HOST_R8, HOST_R9, HOST_R10, HOST_R11 };
    struct x64_asm a = exec_memory_asm(&memory);
    unsigned saved = _mm_getcsr();
    b->dst = rng_below(&rng, N_REGS), b->x = rng_below(&rng, 3) ? rng_below(&rng, N_REGS) : b->dst;
    b->y = rng_below(&rng, 4) ? rng_below(&rng, N_REGS) : rng_below(&rng, 2) ? b->dst : b->x;
    b->z = rng_below(&rng, 4) ? rng_below(&rng, N_REGS) : rng_below(&rng, 2) ? b->dst : b->y;
    b->gpr = gprs[rng_below(&rng, ARRAY_LEN(gprs))];
    b->imm = make_imm();
    if (!emit_batch(&a, b))
        return NO_FORM;
    if (a.failed) {
        printf("%s: the code does not fit\n", b->name);
        return DIFFERS;
    }
    make_samples(b);
    uint64_t changed = ((uint64_t (*)(struct sample *, size_t))(uintptr_t)memory.run)(samples, N_SAMPLES);
    _mm_setcsr(saved);
    if (changed) {
        printf("%s (%s) changes a register that it must not\n", b->name, way_names[b->way]);
        return DIFFERS;
    }
    for (unsigned i = 0; i < N_SAMPLES; i++)
        if (!check(b, &samples[i]))
            return DIFFERS;
    return AGREES;
}

static unsigned forms_of_way[N_WAYS];

/* Every way there is; the operands are many where there is a form. */
static enum outcome run_op(struct batch *b, unsigned batches)
{
    enum outcome first = NO_FORM;
    for (unsigned way = 0; way < N_WAYS; way++) {
        b->way = (enum way)way;
        for (unsigned i = 0; i < (way == IN_REGISTERS ? batches : batches / 4 + 1); i++) {
            enum outcome o = run_batch(b);
            if (o == DIFFERS)
                return o;
            if (o == NO_FORM)
                break;
            forms_of_way[way] += i == 0;
            first = way == IN_REGISTERS ? o : first;
        }
    }
    return first;
}

static unsigned count_of_ops(void) { return VEC_OP_COUNT + FVEC_OP_COUNT; }

static struct batch op_at(unsigned i)
{
    struct batch b = { .is_float = i >= VEC_OP_COUNT, .op = i >= VEC_OP_COUNT ? i - VEC_OP_COUNT : i };
    b.name = b.is_float ? fvec_info[b.op].name : vec_info[b.op].name;
    b.n_args = b.is_float ? fvec_info[b.op].n_args : vec_info[b.op].n_args;
    return b;
}

/* Every operation as `host` has it; returns how many are wrong. */
static unsigned run_ops(const char *title, unsigned batches)
{
    unsigned bad = 0, n = 0;
    for (unsigned i = 0; i < count_of_ops(); i++) {
        struct batch b = op_at(i);
        enum outcome o = run_op(&b, batches);
        if (o == NO_FORM)
            printf("no inline form: %s\n", b.name);
        bad += o == DIFFERS;
        n += o == AGREES;
    }
    printf("%s: %u of %u operations inline, %u wrong\n", title, n, count_of_ops(), bad);
    return bad;
}

/* A host without AVX gets no code. */
static unsigned run_nothing(void)
{
    struct x64_host none = { .x64 = true };
    unsigned bad = 0;
    for (unsigned i = 0; i < count_of_ops(); i++) {
        struct batch b = op_at(i);
        struct x64_asm a = exec_memory_asm(&memory);
        bool done = b.is_float ? x64_emit_fvec(&a, &none, b.op, 0, 1, 2, 3, 0)
                               : x64_emit_vec(&a, &none, b.op, 0, 1, 2, 3, 0);
        if (done || a.p != memory.write)
            printf("%s: emitted for a host without AVX\n", b.name), bad++;
    }
    return bad;
}

int main(int argc, char **argv)
{
    unsigned batches = argc > 1 ? (unsigned)atoi(argv[1]) : 120;
    rng.s = argc > 2 ? (uint64_t)atoll(argv[2]) : 1;
    memory = exec_memory_new(1 << 16);
    x64_host_probe(&host);
    if (!host.avx) {
        printf("this host has no AVX\n");
        return 77;
    }
    unsigned bad = run_nothing() + run_ops("this host", batches);
    bool every_way = true;
    for (unsigned way = 0; way < N_WAYS; way++) {
        printf("%s: %u forms\n", way_names[way], forms_of_way[way]);
        every_way &= forms_of_way[way] > 0;
    }
    host = (struct x64_host){ .x64 = true, .avx = true };
    bad += run_ops("one with AVX alone", batches / 8 + 1);
    return bad || !every_way;
}
