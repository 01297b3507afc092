/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x87 control state, MXCSR, and FXSAVE. */
#include "guest/x86/x87.h"

#include "guest/x86/lift_x87.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"

enum { SW_ES = 1 << 7, SW_B = 1 << 15 };

void x86_x87_update_env(struct x86_cpu *c)
{
    struct x86_x87 *x = &c->s.x87;
    c->s.x87_env = (struct fp_env){ .rounding = x->cw >> 10 & 3, .masks = x->cw & 63, .nan_rule = FP_NAN_X87,
                                    .precision = x->cw >> 8 & 3 };
    bool error = x->sw & ~x->cw & 63;
    x->sw = (uint16_t)((x->sw & ~(SW_ES | SW_B)) | (error ? SW_ES | SW_B : 0));
}

void x86_x87_init(struct x86_cpu *c)
{
    struct x86_x87 *x = &c->s.x87;
    x->cw = 0x37f;
    x->sw = 0;
    x->top = 0;
    x->empty = 0xff;
    x->fop = x->fcs = x->fds = 0;
    x->fip = x->fdp = 0;
    x86_x87_update_env(c);
}

void x86_x87_reset(struct x86_cpu *c)
{
    c->s.x87 = (struct x86_x87){ .cw = 0x40 };
    x86_x87_update_env(c);
}

uint32_t x86_get_mxcsr(const struct x86_cpu *c)
{
    const struct fp_env *e = &c->s.sse_env;
    return e->flags | (uint32_t)e->daz << 6 | (uint32_t)e->masks << 7 | (uint32_t)e->rounding << 13 |
           (uint32_t)e->ftz << 15;
}

void x86_set_mxcsr(struct x86_cpu *c, uint32_t v)
{
    c->s.sse_env = (struct fp_env){ .flags = v & 63, .daz = v >> 6 & 1, .masks = v >> 7 & 63, .rounding = v >> 13 & 3,
                                    .ftz = v >> 15 & 1, .nan_rule = FP_NAN_SSE };
}

static uint64_t do_x87_check(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    if (!(c->s.x87.sw & SW_ES))
        return 0;
    if (c->s.cr0 & CR0_NE)
        x86_raise(v, EXC_MF, false, 0);
    else if (c->ferr)
        c->ferr(c->ferr_opaque, true);
    return 0;
}

static uint64_t do_mmx_enter(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    do_x87_check(v);
    if (!v->exit) {
        c->s.x87.top = 0;
        c->s.x87.empty = 0;
    }
    return 0;
}

const struct ir_helper x86_helper_x87_check = { "x87_check", 0, HELPER_MAY_EXIT | HELPER_READS, IR_VOID, { 0 },
                                                { .f0 = do_x87_check } };
const struct ir_helper x86_helper_mmx_enter = { "mmx_enter", 0, HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES,
                                                IR_VOID, { 0 }, { .f0 = do_mmx_enter } };

/* ---- FXSAVE, FXRSTOR (SDM vol. 1, 10.5.1) ------------------------------------------------------- */

static uint64_t do_fxsave(struct vcpu *v, uint64_t at, uint64_t wide)
{
    struct x86_cpu *c = x86_of(v);
    const struct x86_x87 *x = &c->s.x87;
    uint8_t m[416] = { 0 };
    if (at & 15) {
        x86_raise(v, EXC_GP, true, 0);
        return 0;
    }
    unsigned n_xmm = c->mode_flags & MODE_CS64 ? 16 : 8, mode = x86_data_mode(c);
    store_le(m, 2, x->cw);
    store_le(m + 2, 2, (uint64_t)(x->sw | x->top << 11));
    m[4] = (uint8_t)~x->empty;
    store_le(m + 6, 2, x->fop);
    store_le(m + 8, 8, wide ? x->fip : (x->fip & UINT32_MAX) | (uint64_t)x->fcs << 32);
    store_le(m + 16, 8, wide ? x->fdp : (x->fdp & UINT32_MAX) | (uint64_t)x->fds << 32);
    store_le(m + 24, 4, x86_get_mxcsr(c));
    store_le(m + 28, 4, MXCSR_MASK);
    for (unsigned i = 0; i < 8; i++) {
        store_le(m + 32 + 16 * i, 8, x->st[(x->top + i) & 7].mant);
        store_le(m + 40 + 16 * i, 2, x->st[(x->top + i) & 7].se);
    }
    for (unsigned i = 0; i < n_xmm; i++)
        memcpy(m + 160 + 16 * i, c->s.ymm[i], 16);
    if (vcpu_probe(v, at, 512, ACCESS_WRITE, mode))
        vcpu_store_bytes(v, at, m, 160 + 16 * n_xmm, mode);
    return 0;
}

static uint64_t do_fxrstor(struct vcpu *v, uint64_t at, uint64_t wide)
{
    struct x86_cpu *c = x86_of(v);
    struct x86_x87 *x = &c->s.x87;
    uint8_t m[416];
    unsigned n_xmm = c->mode_flags & MODE_CS64 ? 16 : 8;
    if (at & 15 || !vcpu_load_bytes(v, at, m, sizeof m, x86_data_mode(c))) {
        if (!v->exit)
            x86_raise(v, EXC_GP, true, 0);
        return 0;
    }
    uint32_t mxcsr = (uint32_t)load_le(m + 24, 4);
    if (mxcsr & ~(uint32_t)MXCSR_MASK) {
        x86_raise(v, EXC_GP, true, 0);
        return 0;
    }
    uint16_t sw = (uint16_t)load_le(m + 2, 2);
    x->cw = (uint16_t)load_le(m, 2);
    x->top = sw >> 11 & 7;
    x->sw = sw & (uint16_t)~0x3800;
    x->empty = (uint8_t)~m[4];
    x->fop = (uint16_t)load_le(m + 6, 2) & 0x7ff;
    x->fip = load_le(m + 8, wide ? 8 : 4);
    x->fdp = load_le(m + 16, wide ? 8 : 4);
    x->fcs = wide ? 0 : (uint16_t)load_le(m + 12, 2);
    x->fds = wide ? 0 : (uint16_t)load_le(m + 20, 2);
    for (unsigned i = 0; i < 8; i++) {
        x->st[(x->top + i) & 7].mant = load_le(m + 32 + 16 * i, 8);
        x->st[(x->top + i) & 7].se = load_le(m + 40 + 16 * i, 2);
    }
    for (unsigned i = 0; i < n_xmm; i++)
        memcpy(c->s.ymm[i], m + 160 + 16 * i, 16);
    x86_set_mxcsr(c, mxcsr);
    x86_x87_update_env(c);
    return 0;
}

#define ALL (HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES | HELPER_MEMORY)
static const struct ir_helper helper_fxsave = { "fxsave", 2, ALL, IR_VOID, { IR_X, IR_X }, { .f2 = do_fxsave } };
static const struct ir_helper helper_fxrstor = { "fxrstor", 2, ALL, IR_VOID, { IR_X, IR_X }, { .f2 = do_fxrstor } };

/* aux 0 saves, 1 restores.  CR0.EM is #UD, TS is #NM (ROW_MMX checks both). */
void lift_fxsave(struct x86_lift *L, const struct x86_insn *I)
{
    if (L->flags & (MODE_EM | MODE_TS)) {
        x86_lift_fault(L, L->flags & MODE_EM ? EXC_UD : EXC_NM, false, 0);
        return;
    }
    ir_ref at = x86_linear(L, I, 512, !I->row->aux);
    irb_call(L->b, I->row->aux ? &helper_fxrstor : &helper_fxsave, at, irb_x(L->b, I->osz == 8), IR_NONE, IR_NONE);
}

/* ---- control instructions -------------------------------------------------------------------------- */

static uint64_t do_fninit(struct vcpu *v)
{
    x86_x87_init(x86_of(v));
    return 0;
}

static uint64_t do_fnclex(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    c->s.x87.sw &= 0x7f00;
    x86_x87_update_env(c);
    if (c->ferr)
        c->ferr(c->ferr_opaque, false);
    return 0;
}

static uint64_t do_fldcw(struct vcpu *v, uint64_t cw)
{
    struct x86_cpu *c = x86_of(v);
    c->s.x87.cw = (uint16_t)((cw & 0x1f3f) | 0x40);
    x86_x87_update_env(c);
    return 0;
}

static uint64_t do_fnstsw(struct vcpu *v)
{
    const struct x86_x87 *x = &x86_of(v)->s.x87;
    return (uint64_t)(x->sw | x->top << 11);
}

static uint64_t do_emms(struct vcpu *v)
{
    x86_of(v)->s.x87.empty = 0xff;
    return 0;
}

static const struct ir_helper helper_fninit = { "fninit", 0, HELPER_WRITES, IR_VOID, { 0 }, { .f0 = do_fninit } };
static const struct ir_helper helper_fnclex = { "fnclex", 0, HELPER_WRITES, IR_VOID, { 0 }, { .f0 = do_fnclex } };
static const struct ir_helper helper_fldcw = { "fldcw", 1, HELPER_WRITES, IR_VOID, { IR_W }, { .f1 = do_fldcw } };
static const struct ir_helper helper_fnstsw = { "fnstsw", 0, HELPER_READS, IR_W, { 0 }, { .f0 = do_fnstsw } };
static const struct ir_helper helper_emms = { "emms", 0, HELPER_WRITES, IR_VOID, { 0 }, { .f0 = do_emms } };

static void call0(struct x86_lift *L, const struct ir_helper *h) { irb_call(L->b, h, IR_NONE, IR_NONE, IR_NONE, IR_NONE); }

void lift_fninit(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    call0(L, &helper_fninit);
}

void lift_fnclex(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    call0(L, &helper_fnclex);
}

void lift_fldcw(struct x86_lift *L, const struct x86_insn *I)
{
    call0(L, &x86_helper_x87_check);
    irb_call(L->b, &helper_fldcw, x86_rd(L, I, 0), IR_NONE, IR_NONE, IR_NONE);
}

/* ---- integer loads ------------------------------------------------------------------------------- */

enum { SW_IE = 1, SW_SF = 1 << 6, SW_C1 = 1 << 9 };

/* A push.  Onto a full stack: invalid with C1, and the default NaN if that is masked (SDM vol. 1, 8.5.1.1). */
static void push(struct x86_cpu *c, uint64_t mant, uint64_t se)
{
    struct x86_x87 *x = &c->s.x87;
    unsigned top = (x->top - 1) & 7;
    x->sw &= (uint16_t)~SW_C1;
    if (!(x->empty >> top & 1)) {
        x->sw |= SW_IE | SW_SF | SW_C1;
        x86_x87_update_env(c);
        if (!(x->cw & SW_IE))
            return;
        mant = UINT64_C(0xc000000000000000);
        se = 0xffff;
    }
    x->top = (uint8_t)top;
    x->empty &= (uint8_t) ~(1u << top);
    x->st[top].mant = mant;
    x->st[top].se = se;
}

/* Every integer of up to 64 bits is exact in the extended format. */
static uint64_t do_fild(struct vcpu *v, uint64_t value)
{
    bool negative = value >> 63;
    uint64_t magnitude = negative ? 0 - value : value;
    unsigned shift = magnitude ? (unsigned)__builtin_clzll(magnitude) : 0;
    uint64_t se = magnitude ? (16383 + 63 - shift) | (uint64_t)negative << 15 : 0;
    push(x86_of(v), magnitude << shift, se);
    return 0;
}

static const struct ir_helper helper_fild = { "fild", 1, HELPER_WRITES, IR_VOID, { IR_X }, { .f1 = do_fild } };

void lift_fild(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->op[0].size;
    call0(L, &x86_helper_x87_check);
    ir_ref x = irb_cast(L->b, x86_rd(L, I, 0), IR_X);
    if (size < 8)
        x = irb_sextract(L->b, x, 0, 8 * size);
    irb_call(L->b, &helper_fild, x, IR_NONE, IR_NONE, IR_NONE);
}

void lift_fnstcw(struct x86_lift *L, const struct x86_insn *I) { x86_wr(L, I, 0, irb_get(L->b, 2, X86_OFF(x87.cw))); }

void lift_fnstsw(struct x86_lift *L, const struct x86_insn *I)
{
    x86_wr(L, I, 0, irb_call(L->b, &helper_fnstsw, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
}

/* FWAIT waits only with MP for TS (SDM vol. 2, WAIT). */
void lift_fwait(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    if ((L->flags & (MODE_MP | MODE_TS)) == (MODE_MP | MODE_TS))
        x86_lift_fault(L, EXC_NM, false, 0);
    else
        call0(L, &x86_helper_x87_check);
}

void lift_fnop(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    call0(L, &x86_helper_x87_check);
}

void lift_emms(struct x86_lift *L, const struct x86_insn *I)
{
    (void)I;
    call0(L, &helper_emms);
}
