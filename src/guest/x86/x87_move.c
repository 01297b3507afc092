/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x87 loads, stores, exchanges and conditional moves (SDM vol. 1, 8.3.3). */
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"
#include "guest/x86/x87_fast.h"

enum { STATE = HELPER_READS | HELPER_WRITES, STORES = STATE | HELPER_MAY_EXIT | HELPER_MEMORY };

/* ---- loads ------------------------------------------------------------------------- */

static uint64_t load(struct vcpu *v, uint64_t format, uint64_t raw)
{
    struct x86_cpu *c = x86_of(v);
    struct fp_env *e = x87_begin(c);
    if (!x87_empty(&c->s.x87, 7)) {
        x87_push(c, x87_indefinite());
        return 0;
    }
    f80 r;
    e->masks |= FP_DENORMAL;      /* a denormal is loaded even if that exception is unmasked */
    if (format == X87_M32)
        r = f32_to_f80(e, (f32)raw);
    else if (format == X87_M64)
        r = f64_to_f80(e, raw);
    else
        r = f80_from_i64(&(struct fp_env){ .masks = FP_ALL, .precision = 3, .nan_rule = FP_NAN_X87 }, (int64_t)raw);
    e->masks = c->s.x87.cw & FP_ALL;
    if (x87_end(c, FP_INVALID))
        x87_push(c, r);
    return 0;
}

/* Normal numbers and zero, onto a stack that has room. */
static inline bool fast_push(struct x86_cpu *c, f80 r)
{
    struct x86_x87 *x = &c->s.x87;
    if (unlikely(!x87_empty(x, 7)))
        return false;
    c->s.x87_env.raised = 0;
    x->sw &= (uint16_t)~SW_C1;
    x->top = (x->top - 1) & 7;
    x87_set(x, 0, r);
    return true;
}

static inline uint64_t load_real(struct vcpu *v, enum x87_format format, uint64_t raw)
{
    struct fp_normal n;
    unsigned sign = (unsigned)(raw >> (format == X87_M32 ? 31 : 63));
    bool normal = x87_normal_memory(format, raw, &n), zero = raw << (format == X87_M32 ? 33 : 1) == 0;
    f80 r = { zero ? 0 : n.sig, (uint16_t)(sign << 15 | (zero ? 0 : (unsigned)n.exp)) };
    return (normal | zero) && fast_push(x86_of(v), r) ? 0 : load(v, format, raw);
}

static uint64_t do_load_m32(struct vcpu *v, uint64_t raw) { return load_real(v, X87_M32, raw); }
static uint64_t do_load_m64(struct vcpu *v, uint64_t raw) { return load_real(v, X87_M64, raw); }

/* Integers are sign-extended already. */
static uint64_t do_load_int(struct vcpu *v, uint64_t raw)
{
    uint64_t magnitude = (int64_t)raw < 0 ? 0 - raw : raw;
    unsigned shift = magnitude ? (unsigned)__builtin_clzll(magnitude) : 0;
    f80 r = { magnitude << shift, (uint16_t)(raw >> 63 << 15 | (magnitude ? X87_BIAS + 63 - shift : 0)) };
    return fast_push(x86_of(v), r) ? 0 : load(v, X87_I64, raw);
}

/* FLD m80, and FBLD when se has bit 16 set: mant holds the low 8 bytes, se the high 2. */
static uint64_t do_load80(struct vcpu *v, uint64_t mant, uint64_t se)
{
    struct x86_cpu *c = x86_of(v);
    x87_begin(c);
    f80 r = { mant, (uint16_t)se };
    if (se >> 16) {
        uint8_t bcd[10];
        store_le(bcd, 8, mant);
        store_le(bcd + 8, 2, se & 0xffff);
        r = f80_from_bcd(bcd);
    }
    x87_push(c, r);
    return 0;
}

static uint64_t do_fld_st(struct vcpu *v, uint64_t i)
{
    struct x86_cpu *c = x86_of(v);
    x87_begin(c);
    f80 r = x87_get(&c->s.x87, (unsigned)i);
    if (x87_empty(&c->s.x87, (unsigned)i)) {
        if (!x87_stack_fault(c, false))
            return 0;
        c->s.x87.top = (c->s.x87.top - 1) & 7;
        x87_set(&c->s.x87, 0, x87_indefinite());
        return 0;
    }
    x87_push(c, r);
    return 0;
}

/* ---- stores --------------------------------------------------------------------------- */

static unsigned format_size(unsigned format)
{
    return format == X87_I16 ? 2 : format == X87_M32 || format == X87_I32 ? 4 : 8;
}

static uint64_t indefinite_of(unsigned format)
{
    switch (format) {
    case X87_M32:
        return 0xffc00000;
    case X87_M64:
        return UINT64_C(0xfff8000000000000);
    default:
        return UINT64_C(1) << (8 * format_size(format) - 1);
    }
}

static uint64_t narrow(struct fp_env *e, unsigned format, bool truncate, f80 a)
{
    enum fp_rounding rm = truncate ? FP_TO_ZERO : (enum fp_rounding)e->rounding;
    switch (format) {
    case X87_M32:
        return f80_to_f32(e, a);
    case X87_M64:
        return f80_to_f64(e, a);
    case X87_I16:
        return (uint16_t)f80_to_i16(e, a, rm);
    case X87_I32:
        return (uint32_t)f80_to_i32(e, a, rm);
    default:
        return (uint64_t)f80_to_i64(e, a, rm);
    }
}

/* FST, FIST, FISTTP to memory.  Nothing is stored, and nothing popped, when the result's exception is unmasked. */
static uint64_t store(struct vcpu *v, uint64_t desc, uint64_t at)
{
    struct x86_cpu *c = x86_of(v);
    unsigned format = desc >> X87_FORMAT_SHIFT & 15, size = format_size(format), mode = x86_data_mode(c);
    if (!vcpu_probe(v, at, size, ACCESS_WRITE, mode))
        return 0;
    struct fp_env *e = x87_begin(c);
    uint64_t r = indefinite_of(format);
    if (x87_empty(&c->s.x87, 0)) {
        if (!x87_stack_fault(c, false))
            return 0;
    } else {
        r = narrow(e, format, desc & X87_TRUNCATE, x87_get(&c->s.x87, 0));
        if (!x87_end(c, FP_ALL & ~FP_INEXACT))
            return 0;
    }
    if (vcpu_store(v, at, size, mode, r) && desc & X87_POP)
        x87_pop(&c->s.x87);
    return 0;
}

/* ST(0) in that format, if it is a normal number and, or an integer well inside. */
static inline bool fast_narrow(const struct x86_cpu *c, struct fp_env *e, enum x87_format format, uint64_t desc,
                               uint64_t *r)
{
    const struct x86_x87 *x = &c->s.x87;
    struct fp_normal n;
    if (unlikely(!x87_normal_in(x, x->top, &n)))
        return false;
    if (format == X87_M32)
        return fp_fast_narrow(e, n, X87_BIAS, 24, 8, r);
    if (format == X87_M64)
        return fp_fast_narrow(e, n, X87_BIAS, 53, 11, r);
    return fp_fast_to_int(e, n, X87_BIAS, desc & X87_TRUNCATE ? FP_TO_ZERO : e->rounding, 8 * format_size(format), r);
}

static inline __attribute__((always_inline)) uint64_t store_as(struct vcpu *v, uint64_t desc, uint64_t at,
                                                               enum x87_format format)
{
    struct x86_cpu *c = x86_of(v);
    struct fp_env e = x87_fast_env(c);
    uint8_t *to = tlb_host(v, at, format_size(format), ACCESS_WRITE, x86_data_mode(c));
    uint64_t r;
    if (unlikely(!to) || unlikely(!fast_narrow(c, &e, format, desc, &r)) || unlikely(!x87_fast_end(c, &e)))
        return store(v, desc, at);
    store_le(to, format_size(format), r);
    if (desc & X87_POP)
        x87_pop(&c->s.x87);
    return 0;
}

static uint64_t do_store_m32(struct vcpu *v, uint64_t desc, uint64_t at) { return store_as(v, desc, at, X87_M32); }
static uint64_t do_store_m64(struct vcpu *v, uint64_t desc, uint64_t at) { return store_as(v, desc, at, X87_M64); }
static uint64_t do_store_i16(struct vcpu *v, uint64_t desc, uint64_t at) { return store_as(v, desc, at, X87_I16); }
static uint64_t do_store_i32(struct vcpu *v, uint64_t desc, uint64_t at) { return store_as(v, desc, at, X87_I32); }
static uint64_t do_store_i64(struct vcpu *v, uint64_t desc, uint64_t at) { return store_as(v, desc, at, X87_I64); }

/* FSTP m80, and FBSTP when desc is not 0. */
static uint64_t do_store80(struct vcpu *v, uint64_t bcd, uint64_t at)
{
    struct x86_cpu *c = x86_of(v);
    unsigned mode = x86_data_mode(c);
    if (!vcpu_probe(v, at, 10, ACCESS_WRITE, mode))
        return 0;
    struct fp_env *e = x87_begin(c);
    f80 a = x87_get(&c->s.x87, 0);
    uint8_t out[10];
    bool empty = x87_empty(&c->s.x87, 0);
    if (empty && !x87_stack_fault(c, false))
        return 0;
    if (empty)
        a = x87_indefinite();
    store_le(out, 8, a.mant);
    store_le(out + 8, 2, a.se);
    if (bcd) {
        struct fp_env quiet = { .masks = FP_ALL, .nan_rule = FP_NAN_X87, .precision = 3 };
        f80_to_bcd(empty ? &quiet : e, a, out);
        if (!x87_end(c, FP_ALL & ~FP_INEXACT))
            return 0;
    }
    if (vcpu_store_bytes(v, at, out, sizeof out, mode))
        x87_pop(&c->s.x87);
    return 0;
}

/* how: bit 0 pops, bit 1 leaves ST(i) alone when ST(0) is empty (FSTPNCE). */
static uint64_t do_fst_st(struct vcpu *v, uint64_t i, uint64_t how)
{
    struct x86_cpu *c = x86_of(v);
    x87_begin(c);
    f80 r = x87_get(&c->s.x87, 0);
    bool empty = x87_empty(&c->s.x87, 0), quiet = how & 2;
    if (empty && !quiet) {
        if (!x87_stack_fault(c, false))
            return 0;
        r = x87_indefinite();
    }
    if (!empty || !quiet)
        x87_set(&c->s.x87, (unsigned)i, r);
    if (how & 1)
        x87_pop(&c->s.x87);
    return 0;
}

/* ---- within the stack -------------------------------------------------------------------- */

static uint64_t do_fxch(struct vcpu *v, uint64_t i64)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    unsigned i = (unsigned)i64;
    x87_begin(c);
    bool empty0 = x87_empty(x, 0), empty1 = x87_empty(x, i);
    if ((empty0 || empty1) && !x87_stack_fault(c, false))
        return 0;
    f80 a = empty0 ? x87_indefinite() : x87_get(x, 0), b = empty1 ? x87_indefinite() : x87_get(x, i);
    x87_set(x, 0, b);
    x87_set(x, i, a);
    return 0;
}

static uint64_t do_cmov(struct vcpu *v, uint64_t condition, uint64_t i)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    if (x87_empty(x, 0) || x87_empty(x, (unsigned)i)) {
        if (x87_stack_fault(c, false))
            x87_set(x, 0, x87_indefinite());
    } else if (condition) {
        x87_set(x, 0, x87_get(x, (unsigned)i));
    }
    return 0;
}

static uint64_t do_free(struct vcpu *v, uint64_t i, uint64_t pop)
{
    struct x86_x87 *x = x87_of(v);
    x->sw &= (uint16_t)~SW_C1;
    x->empty |= (uint8_t)(1u << x87_phys(x, (unsigned)i));
    if (pop)
        x87_pop(x);
    return 0;
}

#define H1(name, fn, flags, a) \
    const struct ir_helper x86_helper_x87_##name = { "x87_" #name, 1, flags, IR_VOID, { a }, { .f1 = fn }, X87_PART };
#define H2(name, fn, flags, a, b) \
    const struct ir_helper x86_helper_x87_##name = { "x87_" #name, 2, flags, IR_VOID, { a, b }, { .f2 = fn }, \
                                                     X87_PART };
H1(load_m32, do_load_m32, STATE, IR_X)
H1(load_m64, do_load_m64, STATE, IR_X)
H1(load_int, do_load_int, STATE, IR_X)
H2(load80, do_load80, STATE, IR_X, IR_X)
H1(fld_st, do_fld_st, STATE, IR_X)
H2(store_m32, do_store_m32, STORES, IR_X, IR_X)
H2(store_m64, do_store_m64, STORES, IR_X, IR_X)
H2(store_i16, do_store_i16, STORES, IR_X, IR_X)
H2(store_i32, do_store_i32, STORES, IR_X, IR_X)
H2(store_i64, do_store_i64, STORES, IR_X, IR_X)
H2(store80, do_store80, STORES, IR_X, IR_X)
H2(fst_st, do_fst_st, STATE, IR_X, IR_X)
H1(fxch, do_fxch, STATE, IR_X)
H2(cmov, do_cmov, STATE, IR_W, IR_X)
H2(free, do_free, STATE, IR_X, IR_X)
