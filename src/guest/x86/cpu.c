/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creation, reset, state description, and what the engine asks of an x86 CPU. */
#include "guest/x86/cpu.h"

#include <stdio.h>
#include <stdlib.h>

#include "guest/x86/decode.h"
#include "guest/x86/flags.h"
#include "guest/x86/interrupt.h"
#include "guest/x86/lift.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mode.h"
#include "guest/x86/model.h"
#include "guest/x86/segment.h"
#include "guest/x86/simd.h"
#include "guest/x86/x87.h"
#include "sim/input.h"

/* ---- state ------------------------------------------------------------------------------- */

static const struct state_field segment_fields[] = {
    STATE_UINT(struct x86_segment, base),     STATE_UINT(struct x86_segment, limit),
    STATE_UINT(struct x86_segment, attr),     STATE_UINT(struct x86_segment, selector),
    STATE_PAD(struct x86_segment, pad0),      STATE_PAD(struct x86_segment, pad1),
};
static STATE_DESC(segment_desc, struct x86_segment, 1, segment_fields);

static const struct state_field table_fields[] = {
    STATE_UINT(struct x86_table, base),
    STATE_UINT(struct x86_table, limit),
    STATE_PAD(struct x86_table, pad0),
};
static STATE_DESC(table_desc, struct x86_table, 1, table_fields);

static const struct state_field x87_fields[] = {
    STATE_ARRAY(struct x86_x87, st, uint64_t), STATE_UINT(struct x86_x87, cw),  STATE_UINT(struct x86_x87, sw),
    STATE_UINT(struct x86_x87, top),           STATE_UINT(struct x86_x87, empty), STATE_UINT(struct x86_x87, fop),
    STATE_UINT(struct x86_x87, fip),           STATE_UINT(struct x86_x87, fdp), STATE_UINT(struct x86_x87, fcs),
    STATE_UINT(struct x86_x87, fds),           STATE_PAD(struct x86_x87, pad0),
};
static STATE_DESC(x87_desc, struct x86_x87, 1, x87_fields);

static const struct state_field fp_env_fields[] = {
    STATE_UINT(struct fp_env, rounding), STATE_UINT(struct fp_env, masks),    STATE_UINT(struct fp_env, flags),
    STATE_UINT(struct fp_env, raised),   STATE_UINT(struct fp_env, daz),      STATE_UINT(struct fp_env, ftz),
    STATE_UINT(struct fp_env, nan_rule), STATE_UINT(struct fp_env, precision),
};
static STATE_DESC(fp_env_desc, struct fp_env, 1, fp_env_fields);

static const struct state_field pending_fields[] = {
    STATE_UINT(struct x86_pending, valid), STATE_UINT(struct x86_pending, vector),
    STATE_UINT(struct x86_pending, has_error), STATE_UINT(struct x86_pending, kind),
    STATE_UINT(struct x86_pending, error), STATE_UINT(struct x86_pending, cr2), STATE_UINT(struct x86_pending, dr6),
};
static STATE_DESC(pending_desc, struct x86_pending, 1, pending_fields);

#define U(f) STATE_UINT(struct x86_state, f)
static const struct state_field x86_fields[] = {
    STATE_ARRAY(struct x86_state, gpr, uint64_t), U(cc_op), U(cpl), U(cc_dst), U(cc_src), U(cc_src2),
    U(cc_inc), U(cc_rot), U(cc_carry), U(cc_zero), U(rip), U(rflags),
    STATE_STRUCT(struct x86_state, seg, segment_desc, SEG_COUNT), STATE_STRUCT(struct x86_state, gdt, table_desc, 1),
    STATE_STRUCT(struct x86_state, idt, table_desc, 1), U(cr0), U(cr2), U(cr3), U(cr4), U(cr8), U(efer), U(xcr0),
    STATE_ARRAY(struct x86_state, pdpte, uint64_t), STATE_ARRAY(struct x86_state, dr, uint64_t), U(star), U(lstar),
    U(cstar), U(fmask), U(kernel_gs_base), U(sysenter_cs), U(sysenter_esp), U(sysenter_eip), U(pat), U(tsc_offset),
    U(tsc_aux), U(tsc_deadline), U(apic_base), U(misc_enable), U(mcg_status), U(mcg_ctl), U(spec_ctrl),
    U(mtrr_def_type), STATE_ARRAY(struct x86_state, mtrr_fixed, uint64_t),
    STATE_ARRAY(struct x86_state, mtrr_base, uint64_t), STATE_ARRAY(struct x86_state, mtrr_mask, uint64_t),
    STATE_ARRAY(struct x86_state, mc_bank, uint64_t), STATE_STRUCT(struct x86_state, x87, x87_desc, 1),
    STATE_ARRAY(struct x86_state, ymm, uint64_t), STATE_STRUCT(struct x86_state, sse_env, fp_env_desc, 1),
    STATE_STRUCT(struct x86_state, x87_env, fp_env_desc, 1), STATE_STRUCT(struct x86_state, pending, pending_desc, 1),
    U(irq), U(sipi_vector), U(halted), U(wait_sipi), U(nmi_blocked), U(shadow), U(a20), U(shutdown), U(step_armed),
    U(db_hits), STATE_ARRAY(struct x86_state, rng, uint64_t),
};
#undef U
STATE_DESC(x86_state_desc, struct x86_state, 1, x86_fields);

static void before_save(void *opaque) { x86_flatten_flags(opaque); }

static void after_load(void *opaque)
{
    struct x86_cpu *c = opaque;
    for (unsigned i = 0; i < ARRAY_LEN(c->s.gpr) && !x86_has(c->features, F_LM); i++)
        c->s.gpr[i] &= UINT32_MAX;                     /* translation relies on it (ir_block.narrow) */
    tlb_flush(&c->v);
    x86_mmu_context(c);
    x86_update_mode(c);
}

/* ---- creation and reset (SDM vol. 3, table 9-1) ----------------------------------------------- */

/* INIT leaves the caches' MSRs, x87, SSE and TSC alone; RESET sets everything. */
static void init_core(struct x86_cpu *c)
{
    struct x86_state *s = &c->s;
    memset(s->gpr, 0, sizeof s->gpr);
    s->gpr[R_DX] = c->signature;
    s->rip = 0xfff0;
    s->rflags = s->cc_dst = s->cc_src = s->cc_src2 = s->cc_inc = s->cc_rot = s->cc_carry = s->cc_zero = 0;
    s->cc_op = CC_EFLAGS;
    s->cpl = 0;
    for (int i = 0; i < SEG_COUNT; i++) {
        s->seg[i] = (struct x86_segment){ .limit = 0xffff, .attr = ATTR_P | ATTR_S | ATTR_RW | ATTR_ACCESSED };
        if (i == SEG_LDTR)
            s->seg[i].attr = ATTR_P | 2;
        if (i == SEG_TR)
            s->seg[i].attr = ATTR_P | 11;
    }
    s->seg[SEG_CS].selector = 0xf000;
    s->seg[SEG_CS].base = 0xffff0000;
    s->seg[SEG_CS].attr |= ATTR_CODE;
    s->gdt = s->idt = (struct x86_table){ .limit = 0xffff };
    s->cr0 = (s->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
    s->cr2 = s->cr3 = s->cr4 = s->cr8 = s->efer = 0;
    memset(s->dr, 0, sizeof s->dr);
    s->dr[6] = 0xffff0ff0;
    s->dr[7] = 0x400;
    s->pending = (struct x86_pending){ 0 };
    s->irq &= X86_IRQ_INTR | X86_IRQ_SIPI;     /* a start-up IPI after the INIT is still to come */
    s->halted = s->nmi_blocked = s->shadow = s->shutdown = s->step_armed = s->db_hits = 0;
    s->wait_sipi = c->v.index != 0;
}

void x86_cpu_reset(struct x86_cpu *c)
{
    struct x86_state *s = &c->s;
    uint64_t rng[2] = { s->rng[0], s->rng[1] };
    uint64_t tsc_offset = 0;
    memset(s, 0, sizeof *s);
    s->rng[0] = rng[0];
    s->rng[1] = rng[1];
    s->cr0 = CR0_CD | CR0_NW;
    init_core(c);
    s->irq = 0;
    s->a20 = 1;
    s->xcr0 = XSAVE_X87;
    s->pat = UINT64_C(0x0007040600070406);
    s->tsc_offset = tsc_offset - sim_now(c->v.sim);
    s->apic_base = 0xfee00000 | 1 << 11 | (c->v.index == 0 ? 1 << 8 : 0);
    s->misc_enable = 1;
    x86_x87_reset(c);
    x86_set_mxcsr(c, MXCSR_RESET);
    x86_mmu_context(c);
    x86_update_mode(c);
}

struct x86_cpu *x86_cpu_new(unsigned index, const char *model, struct x86_cpu *shared, struct sim *sim,
                            struct space *mem, struct space *io, struct error *err)
{
    uint64_t features[CPUID_WORDS];
    char name[16];
    const struct x86_model *m = x86_model_parse(model, features, err);
    if (!m)
        return NULL;
    struct x86_cpu *c = NEW(struct x86_cpu);
    vcpu_init(&c->v, index, &x86_guest_ops, sim, mem, io);
    c->model = m;
    c->n_cpus = 1;
    memcpy(c->features, features, sizeof features);
    c->decoder = shared ? shared->decoder : x86_decoder_new();
    c->owns_decoder = !shared;
    uint32_t r[4];
    x86_cpuid(c, 1, 0, r);
    c->signature = r[0];
    snprintf(name, sizeof name, "cpu%u", index);
    input_seed(sim_port(sim), name, c->s.rng, sizeof c->s.rng);
    state_set_add(sim_state(sim), name, &x86_state_desc, &c->s, before_save, after_load, c);
    x86_cpu_reset(c);
    return c;
}

void x86_cpu_free(struct x86_cpu *c)
{
    if (c->owns_decoder)
        x86_decoder_free((struct x86_decoder *)c->decoder);
    vcpu_fini(&c->v);
    free(c);
}

/* ---- lines -------------------------------------------------------------------------------------- */

void x86_cpu_set_irq(struct x86_cpu *c, uint32_t line, bool level)
{
    uint32_t before = c->s.irq;
    if (line == X86_IRQ_INIT)
        c->s.irq &= ~(uint32_t)X86_IRQ_SIPI;   /* it begins anew */
    c->s.irq = level ? c->s.irq | line : c->s.irq & ~line;
    if (c->s.irq & ~before)
        sim_request_exit(c->v.sim);
}

void x86_cpu_sipi(struct x86_cpu *c, uint8_t vector)
{
    if (!c->s.wait_sipi && !(c->s.irq & X86_IRQ_INIT))
        return;
    c->s.sipi_vector = vector;
    x86_cpu_set_irq(c, X86_IRQ_SIPI, true);
}

void x86_cpu_set_a20(struct x86_cpu *c, bool enabled)
{
    if (c->s.a20 == enabled)
        return;
    c->s.a20 = enabled;
    x86_mmu_context(c);
    sim_request_exit(c->v.sim);
}

/* One tick a nanosecond of virtual time since reset. */
uint64_t x86_read_tsc(struct x86_cpu *c) { return sim_now(c->v.sim) + c->s.tsc_offset; }

/* ---- what the engine asks --------------------------------------------------------------------------- */

static void block_key(struct vcpu *v, struct block_key *key)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t f = c->mode_flags;
    f |= (c->s.rflags & FLAG_TF ? MODE_TF : 0) | (c->s.rflags & FLAG_RF ? MODE_RF : 0) |
         (c->s.shadow ? MODE_SHADOW : 0);
    bool m64 = f & MODE_CS64;
    *key = (struct block_key){ .pc = c->s.rip, .flags = f, .cs_base = m64 ? 0 : c->s.seg[SEG_CS].base,
                               .va_mask = m64 ? UINT64_MAX : UINT32_MAX };
    require(!key->cs_base == !(f & MODE_CS_BASE));   /* whoever changes CS calls x86_update_mode() */
    key->va = (key->pc + key->cs_base) & key->va_mask;
    unsigned mmu = f >> MODE_MMU_SHIFT & 3;
    key->fetch_mode = mmu == MMU_KERNEL_SMAP ? MMU_KERNEL : mmu;
}

static bool can_take_intr(const struct x86_cpu *c)
{
    return c->s.irq & X86_IRQ_INTR && c->s.rflags & FLAG_IF && !c->s.shadow && !c->s.wait_sipi;
}

static bool can_take_nmi(const struct x86_cpu *c)
{
    return c->s.irq & X86_IRQ_NMI && !c->s.nmi_blocked && c->s.shadow != X86_SHADOW_SS && !c->s.wait_sipi;
}

static bool pending(struct vcpu *v)
{
    const struct x86_cpu *c = x86_of(v);
    if (likely(!c->s.pending.valid && !c->s.irq))
        return false;
    return c->s.pending.valid || can_take_intr(c) || can_take_nmi(c) || c->s.irq & (X86_IRQ_INIT | X86_IRQ_SIPI);
}

static void start_up(struct x86_cpu *c)
{
    c->s.irq &= ~(uint32_t)X86_IRQ_SIPI;
    if (!c->s.wait_sipi)
        return;
    c->s.wait_sipi = 0;
    c->s.halted = 0;
    c->s.rip = 0;
    c->s.seg[SEG_CS].selector = (uint16_t)(c->s.sipi_vector << 8);
    c->s.seg[SEG_CS].base = c->s.sipi_vector << 12;
    x86_update_mode(c);
}

/* The pending exception: #PF sets CR2, #DB sets DR6 and clears DR7.GD. */
static void deliver_pending(struct x86_cpu *c)
{
    struct x86_pending p = c->s.pending;
    if (p.vector == EXC_PF)
        c->s.cr2 = p.cr2;
    if (p.vector == EXC_DB) {
        c->s.dr[6] = (c->s.dr[6] & ~UINT64_C(0xf)) | p.dr6;
        c->s.dr[7] &= ~(UINT64_C(1) << 13);
    }
    x86_deliver(c, p.vector, (enum x86_event)p.kind, p.has_error, p.error);
}

static unsigned service(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    if (c->s.irq & X86_IRQ_INIT) {
        init_core(c);
        x86_mmu_context(c);
        x86_update_mode(c);
        return 0;
    }
    if (c->s.irq & X86_IRQ_SIPI) {
        start_up(c);
        return 0;
    }
    if (c->s.pending.valid) {
        deliver_pending(c);
        return 1;
    }
    if (can_take_nmi(c)) {
        c->s.irq &= ~(uint32_t)X86_IRQ_NMI;
        c->s.nmi_blocked = 1;
        x86_deliver(c, EXC_NMI, EVENT_EXTERNAL, false, 0);
        return 1;
    }
    int vector = c->apic->take_vector(c->apic_opaque);
    if (vector < 0)
        return 0;
    x86_deliver(c, (unsigned)vector, EVENT_EXTERNAL, false, 0);
    return 1;
}

static bool halted(struct vcpu *v)
{
    const struct x86_cpu *c = x86_of(v);
    return c->s.halted || c->s.wait_sipi;
}

#define BITS(field, mask) { (uint32_t)(offsetof(struct x86_cpu, s) + offsetof(struct x86_state, field)), (mask) }
_Static_assert(offsetof(struct x86_state, wait_sipi) == offsetof(struct x86_state, halted) + 1 &&
                   offsetof(struct x86_state, shadow) == offsetof(struct x86_state, halted) + 3 &&
                   offsetof(struct x86_state, halted) % 4 == 0 && offsetof(struct x86_state, pending) % 4 == 0,
               "calm looks at these as words");
static const struct guest_bits calm[] = { BITS(irq, UINT32_MAX), BITS(halted, 0xff00ffff), BITS(pending, 0xff),
                                          BITS(rflags, FLAG_TF | FLAG_RF) };

#define GPR(n) (uint32_t)(offsetof(struct x86_cpu, s) + offsetof(struct x86_state, gpr) + 8 * (n))
static const uint32_t hot[] = { GPR(R_AX), GPR(R_CX), GPR(R_DX), GPR(R_SP),
                                GPR(R_SI), GPR(R_DI), GPR(R_BX), GPR(R_BP) };

const struct guest_ops x86_guest_ops = {
    .name = "x86",
    .cpu_size = sizeof(struct x86_cpu),
    .pc_offset = (uint32_t)(offsetof(struct x86_cpu, s) + offsetof(struct x86_state, rip)),
    .fp_env_offset = (uint32_t)(offsetof(struct x86_cpu, s) + offsetof(struct x86_state, sse_env)),
    .hot = hot,
    .n_hot = ARRAY_LEN(hot),
    .calm = calm,
    .n_calm = ARRAY_LEN(calm),
    .key_flags_offset = (uint32_t)offsetof(struct x86_cpu, mode_flags),
    .block_key = block_key,
    .translate = x86_translate,
    .restore = x86_restore,
    .mmu_walk = x86_mmu_walk,
    .pending = pending,
    .service = service,
    .halted = halted,
    .fp_trap = x86_fp_trap,
    .debug_walk = x86_debug_walk,
};
