/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FXSAVE and the XSAVE family (Intel SDM vol. 1, 10.5 and chapter 13).
 *
 * The area is made of parts at fixed places (AVX is the only extended component, so that
 * the compacted form puts it where the standard form does).  A component is in
 * use when its registers differ from their initial values: that is a function of
 * the state alone, as determinism wants it.
 */
#include "guest/x86/cpuid.h"
#include "guest/x86/lift_x87.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"
#include "guest/x86/x87_impl.h"

enum {
    AREA_MXCSR = 24, AREA_ST = 32, AREA_XMM = 160, AREA_LEGACY = 512, AREA_HEADER = 512, AREA_AVX = 576,
    AREA_END = 832, HEADER_SIZE = 64,
};
#define COMPACTED (UINT64_C(1) << 63)

static unsigned n_xmm(const struct x86_cpu *c) { return c->mode_flags & MODE_CS64 ? 16 : 8; }

/* ---- parts ------------------------------------------------------------------------ */

static void put_x87(const struct x86_cpu *c, uint8_t *m, bool wide)
{
    const struct x86_x87 *x = &c->s.x87;
    store_le(m, 2, x->cw);
    store_le(m + 2, 2, (uint64_t)(x->sw | x->top << 11));
    store_le(m + 4, 2, (uint8_t)~x->empty);
    store_le(m + 6, 2, x->fop);
    store_le(m + 8, 8, wide ? x->fip : (x->fip & UINT32_MAX) | (uint64_t)x->fcs << 32);
    store_le(m + 16, 8, wide ? x->fdp : (x->fdp & UINT32_MAX) | (uint64_t)x->fds << 32);
    for (unsigned i = 0; i < 8; i++) {
        f80 r = x87_get(x, i);
        store_le(m + AREA_ST + 16 * i, 8, r.mant);
        store_le(m + AREA_ST + 16 * i + 8, 8, r.se);
    }
}

static void get_x87(struct x86_cpu *c, const uint8_t *m, bool wide)
{
    struct x86_x87 *x = &c->s.x87;
    uint16_t sw = (uint16_t)load_le(m + 2, 2);
    x->cw = (uint16_t)((load_le(m, 2) & 0x1f3f) | 0x40);
    x->top = sw >> 11 & 7;
    x->sw = sw & (uint16_t)~0x3800;
    x->empty = (uint8_t)~m[4];
    x->fop = (uint16_t)load_le(m + 6, 2) & 0x7ff;
    x->fip = load_le(m + 8, wide ? 8 : 4);
    x->fdp = load_le(m + 16, wide ? 8 : 4);
    x->fcs = x->fds = 0;
    for (unsigned i = 0; i < 8; i++) {
        unsigned p = x87_phys(x, i);
        x->st[p].mant = load_le(m + AREA_ST + 16 * i, 8);
        x->st[p].se = load_le(m + AREA_ST + 16 * i + 8, 2);
    }
    x86_x87_update_env(c);
}

static void put_mxcsr(const struct x86_cpu *c, uint8_t *m)
{
    store_le(m + AREA_MXCSR, 4, x86_get_mxcsr(c));
    store_le(m + AREA_MXCSR + 4, 4, MXCSR_MASK);
}

static void put_xmm(const struct x86_cpu *c, uint8_t *m)
{
    for (unsigned i = 0; i < n_xmm(c); i++) {
        store_le(m + AREA_XMM + 16 * i, 8, c->s.ymm[i][0]);
        store_le(m + AREA_XMM + 16 * i + 8, 8, c->s.ymm[i][1]);
    }
}

/* Half 0 is XMM, half 1 the upper 128 bits; m NULL: zero. */
static void set_half(struct x86_cpu *c, unsigned half, const uint8_t *m)
{
    for (unsigned i = 0; i < n_xmm(c); i++) {
        c->s.ymm[i][2 * half] = m ? load_le(m + 16 * i, 8) : 0;
        c->s.ymm[i][2 * half + 1] = m ? load_le(m + 16 * i + 8, 8) : 0;
    }
}

static void gp0(struct vcpu *v) { x86_raise(v, EXC_GP, true, 0); }

/*
 * Areas are aligned: #GP(0).  (Where alignment is checked, CPUs choose between that and #AC.)  An address that is
 * not canonical faults for that first, which x86_restore may have to make #SS.
 */
static bool aligned(struct vcpu *v, uint64_t at, unsigned to)
{
    struct x86_cpu *c = x86_of(v);
    if (!(at & (to - 1)))
        return true;
    if (c->mode_flags & MODE_CS64 && !x86_canonical(at))
        x86_raise_astray(v, at, false);
    else
        gp0(v);
    return false;
}

/* ---- FXSAVE, FXRSTOR ------------------------------------------------------------------ */

static uint64_t do_fxsave(struct vcpu *v, uint64_t at, uint64_t wide)
{
    struct x86_cpu *c = x86_of(v);
    unsigned mode = x86_data_mode(c), len = AREA_XMM + 16 * n_xmm(c);
    uint8_t m[AREA_LEGACY] = { 0 };
    if (!aligned(v, at, 16))
        return 0;
    put_x87(c, m, wide);
    put_mxcsr(c, m);
    put_xmm(c, m);
    if (vcpu_probe(v, at, AREA_LEGACY, ACCESS_WRITE, mode))
        vcpu_store_bytes(v, at, m, len, mode);
    return 0;
}

static uint64_t do_fxrstor(struct vcpu *v, uint64_t at, uint64_t wide)
{
    struct x86_cpu *c = x86_of(v);
    uint8_t m[AREA_LEGACY];
    if (!aligned(v, at, 16))
        return 0;
    if (!vcpu_load_bytes(v, at, m, sizeof m, x86_data_mode(c)))
        return 0;
    uint32_t mxcsr = (uint32_t)load_le(m + AREA_MXCSR, 4);
    if (mxcsr & ~(uint32_t)MXCSR_MASK) {
        gp0(v);
        return 0;
    }
    get_x87(c, m, wide);
    set_half(c, 0, m + AREA_XMM);
    x86_set_mxcsr(c, mxcsr);
    return 0;
}

/* ---- XSAVE, XSAVEOPT, XSAVEC, XRSTOR --------------------------------------------------- */

static uint64_t requested(const struct x86_cpu *c)
{
    return (c->s.gpr[R_DX] << 32 | (uint32_t)c->s.gpr[R_AX]) & c->s.xcr0;
}

static bool half_in_use(const struct x86_cpu *c, unsigned half)
{
    for (unsigned i = 0; i < n_xmm(c); i++)
        if (c->s.ymm[i][2 * half] | c->s.ymm[i][2 * half + 1])
            return true;
    return false;
}

static bool x87_in_use(const struct x86_cpu *c)
{
    const struct x86_x87 *x = &c->s.x87;
    uint64_t any = x->sw | x->top | (uint8_t)~x->empty | x->fop | x->fip | x->fdp | (uint64_t)(x->cw ^ 0x37f);
    for (unsigned p = 0; p < 8; p++)
        any |= x->st[p].mant | x->st[p].se;
    return any;
}

uint64_t x86_xinuse(const struct x86_cpu *c)
{
    return (x87_in_use(c) ? XSAVE_X87 : 0) | (half_in_use(c, 0) ? XSAVE_SSE : 0) | (half_in_use(c, 1) ? XSAVE_AVX : 0);
}

static bool xsave_allowed(struct vcpu *v, uint64_t at)
{
    if (!(x86_of(v)->s.cr4 & CR4_OSXSAVE)) {
        x86_raise(v, EXC_UD, false, 0);
        return false;
    }
    return aligned(v, at, 64);
}

/* how: bit 3 FIP and FDP are 64 bits; low bits 0 XSAVE, 1 XSAVEOPT, 2 XSAVEC. */
static uint64_t do_xsave(struct vcpu *v, uint64_t at, uint64_t how)
{
    struct x86_cpu *c = x86_of(v);
    unsigned mode = x86_data_mode(c), kind = how & 7;
    uint64_t rfbm = requested(c), used = x86_xinuse(c), old;
    uint8_t m[AREA_END] = { 0 }, header[16];
    if (!xsave_allowed(v, at))
        return 0;
    unsigned end = rfbm & XSAVE_AVX ? AREA_END : AREA_AVX;
    if (!vcpu_probe(v, at, end, ACCESS_WRITE, mode) || !vcpu_load(v, at + AREA_HEADER, 8, mode, 0, &old))
        return 0;
    if (kind == 2 && x86_get_mxcsr(c) != MXCSR_RESET)
        used |= XSAVE_SSE;
    uint64_t written = kind ? rfbm & used : rfbm;
    if (written & XSAVE_X87) {
        put_x87(c, m, how & 8);
        vcpu_store_bytes(v, at, m, AREA_MXCSR, mode);
        vcpu_store_bytes(v, at + AREA_ST, m + AREA_ST, 128, mode);
    }
    if (kind == 2 ? written & XSAVE_SSE : rfbm & (XSAVE_SSE | XSAVE_AVX)) {
        put_mxcsr(c, m);
        vcpu_store_bytes(v, at + AREA_MXCSR, m + AREA_MXCSR, 8, mode);
    }
    if (written & XSAVE_SSE) {
        put_xmm(c, m);
        vcpu_store_bytes(v, at + AREA_XMM, m + AREA_XMM, 16 * n_xmm(c), mode);
    }
    if (written & XSAVE_AVX) {
        for (unsigned i = 0; i < n_xmm(c); i++) {
            store_le(m + AREA_AVX + 16 * i, 8, c->s.ymm[i][2]);
            store_le(m + AREA_AVX + 16 * i + 8, 8, c->s.ymm[i][3]);
        }
        vcpu_store_bytes(v, at + AREA_AVX, m + AREA_AVX, 16 * n_xmm(c), mode);
    }
    store_le(header, 8, kind == 2 ? used & rfbm : (old & ~rfbm) | (used & rfbm));
    store_le(header + 8, 8, rfbm | COMPACTED);
    vcpu_store_bytes(v, at + AREA_HEADER, header, kind == 2 ? 16 : 8, mode);
    return 0;
}

/* SDM vol. 1, 13.8.1: what the header must not say. */
static bool header_valid(const struct x86_cpu *c, const uint8_t *header)
{
    uint64_t bv = load_le(header, 8), comp = load_le(header + 8, 8), reserved = 0;
    for (unsigned i = comp & COMPACTED ? 16 : 8; i < (comp & COMPACTED ? HEADER_SIZE : 24); i += 8)
        reserved |= load_le(header + i, 8);
    if (reserved)
        return false;
    if (comp & COMPACTED)
        return x86_has(c->features, F_XSAVEC) && !(comp & ~COMPACTED & ~c->s.xcr0) && !(bv & ~comp);
    return !(bv & ~c->s.xcr0);
}

static uint64_t do_xrstor(struct vcpu *v, uint64_t at, uint64_t how)
{
    struct x86_cpu *c = x86_of(v);
    unsigned mode = x86_data_mode(c);
    uint64_t rfbm = requested(c);
    uint8_t m[AREA_END] = { 0 };
    if (!xsave_allowed(v, at) || !vcpu_load_bytes(v, at, m, AREA_AVX, mode))
        return 0;
    const uint8_t *header = m + AREA_HEADER;
    uint64_t bv = load_le(header, 8);
    if (rfbm & bv & XSAVE_AVX && !vcpu_load_bytes(v, at + AREA_AVX, m + AREA_AVX, 16 * n_xmm(c), mode))
        return 0;
    bool compact = load_le(header + 8, 8) & COMPACTED, sets_mxcsr = rfbm & (XSAVE_SSE | XSAVE_AVX);
    uint32_t mxcsr = compact && !(bv & XSAVE_SSE) ? MXCSR_RESET : (uint32_t)load_le(m + AREA_MXCSR, 4);
    if (compact)
        sets_mxcsr = rfbm & XSAVE_SSE;
    if (!header_valid(c, header) || (sets_mxcsr && mxcsr & ~(uint32_t)MXCSR_MASK)) {
        gp0(v);
        return 0;
    }
    if (rfbm & bv & XSAVE_X87) {
        get_x87(c, m, how & 8);
    } else if (rfbm & XSAVE_X87) {
        memset(c->s.x87.st, 0, sizeof c->s.x87.st);
        x86_x87_init(c);
    }
    if (rfbm & XSAVE_SSE)
        set_half(c, 0, bv & XSAVE_SSE ? m + AREA_XMM : NULL);
    if (rfbm & XSAVE_AVX)
        set_half(c, 1, bv & XSAVE_AVX ? m + AREA_AVX : NULL);
    if (sets_mxcsr)
        x86_set_mxcsr(c, mxcsr);
    return 0;
}

/* ---- lifting ------------------------------------------------------------------------------ */

#define ALL (HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES | HELPER_MEMORY | HELPER_FP)
static const struct ir_helper helper_fxsave = { "fxsave", 2, ALL, IR_VOID, { IR_X, IR_X }, { .f2 = do_fxsave } };
static const struct ir_helper helper_fxrstor = { "fxrstor", 2, ALL, IR_VOID, { IR_X, IR_X }, { .f2 = do_fxrstor } };
static const struct ir_helper helper_xsave = { "xsave", 2, ALL, IR_VOID, { IR_X, IR_X }, { .f2 = do_xsave } };
static const struct ir_helper helper_xrstor = { "xrstor", 2, ALL, IR_VOID, { IR_X, IR_X }, { .f2 = do_xrstor } };

/* aux 0 saves, 1 restores.  CR0.EM and CR0.TS are #NM (SDM vol. 2, FXSAVE). */
void lift_fxsave(struct x86_lift *L, const struct x86_insn *I)
{
    if (L->flags & (MODE_EM | MODE_TS)) {
        x86_lift_fault(L, EXC_NM, false, 0);
        return;
    }
    ir_ref at = x86_linear(L, I, AREA_LEGACY, !I->row->aux);
    irb_call(L->b, I->row->aux ? &helper_fxrstor : &helper_fxsave, at, irb_x(L->b, I->osz == 8), IR_NONE, IR_NONE);
}

/* CR0.TS: #NM, unless the instruction is not enabled at all. */
static uint64_t do_xarea_fault(struct vcpu *v)
{
    x86_raise(v, x86_of(v)->s.cr4 & CR4_OSXSAVE ? EXC_NM : EXC_UD, false, 0);
    return 0;
}

static const struct ir_helper helper_xarea_fault = { "xarea_fault", 0, HELPER_MAY_EXIT, IR_VOID, { 0 },
                                                     { .f0 = do_xarea_fault } };

static void lift_xarea(struct x86_lift *L, const struct x86_insn *I, const struct ir_helper *h, bool write)
{
    if (L->flags & MODE_TS)
        irb_call(L->b, &helper_xarea_fault, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_ref at = x86_linear(L, I, AREA_AVX, write);
    irb_call(L->b, h, at, irb_x(L->b, I->row->aux | (I->osz == 8 ? 8 : 0)), IR_NONE, IR_NONE);
}

/* aux: 0 XSAVE, 1 XSAVEOPT, 2 XSAVEC. */
void lift_xsave(struct x86_lift *L, const struct x86_insn *I) { lift_xarea(L, I, &helper_xsave, true); }
void lift_xrstor(struct x86_lift *L, const struct x86_insn *I) { lift_xarea(L, I, &helper_xrstor, false); }
