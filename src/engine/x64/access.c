/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: the TLB's fast path in line (vcpu/softmmu.h), the rest in a
 * stub that calls the soft MMU with all registers kept in the frame.
 */
#include "engine/x64/compiler.h"

/* The address: register + disp. */
static unsigned address(struct compiler *c, ir_ref v, int32_t *disp)
{
    struct x64_asm *a = &c->a;
    struct address at = x64_address(c, v);
    *disp = 0;
    unsigned base = x64_use(c, at.base);
    if (!at.index && !at.wrap) {
        *disp = at.disp;
        return base;
    }
    unsigned index = at.index ? x64_use(c, at.index) : HOST_NONE, t = x64_temp(c);
    if (!at.index && at.disp == 0)                 /* just cut */
        x64_mov_rr(a, 32, t, base);
    else
        x64_lea(a, at.wrap ? 32 : 64, t, x64_index(base, index, at.scale, at.disp));
    c->locked = 1u << t;                           /* the parts are done with */
    return t;
}

/*
 * Checks the TLB for reg + disp and leaves in e what makes it a host address: reg + e + disp.  Every register
 * that the op needs has been given by now: the stub finds them as they are here.
 */
static void check(struct compiler *c, struct stub *s, const struct ir_insn *i, unsigned size, unsigned access,
                  unsigned e, unsigned want)
{
    struct x64_asm *a = &c->a;
    unsigned mode = (unsigned)i->imm;
    struct x64_mem base = x64_state(offsetof(struct vcpu, view[mode].base));
    struct x64_mem mask = x64_state(offsetof(struct vcpu, view[mode].mask));
    x64_lea(a, 64, want, x64_base(s->address, s->disp + (int32_t)size - 1));
    if (s->disp) {
        x64_lea(a, 64, e, x64_base(s->address, s->disp));
        x64_shift_ri(a, X64_SHR, 64, e, PAGE_BITS - TLB_ENTRY_BITS);
    } else {
        x64_rorx(a, 64, e, s->address, PAGE_BITS - TLB_ENTRY_BITS);
    }
    x64_alu_ri(a, X64_AND, 64, want, -PAGE_SIZE);
    x64_alu_rm(a, X64_AND, 64, e, mask);
    x64_alu_rm(a, X64_ADD, 64, e, base);
    x64_alu_rm(a, X64_CMP, 64, want, x64_base(e, TLB_TAG(access)));
    x64_stub_pending(c, s);
    x64_jcc(a, X64_NE, &s->from);
    x64_mov_rm(a, 64, e, x64_base(e, TLB_ADDEND));
}

static struct stub *access_stub(struct compiler *c, const struct ir_insn *i, unsigned kind, unsigned size)
{
    struct stub *s = x64_stub(c, STUB_ACCESS);
    s->address = (uint8_t)address(c, i->arg[0], &s->disp);
    s->what = kind | i->imm << SLOW_MODE_SHIFT | (uint64_t)(size == 16 ? 0 : i->aux & IR_MEM_SIZE) << SLOW_SIZE_SHIFT |
              (c->insn + 1 == c->b->n_insns ? SLOW_LAST : 0);
    s->value = s->result = NO_REG;
    return s;
}

static void load(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    unsigned size = 1u << (i->aux & IR_MEM_SIZE);
    bool intent = i->aux & IR_MEM_WRITE_INTENT, is_signed = i->aux & IR_MEM_SIGNED && !(size == 4 && i->type == IR_W);
    struct stub *s = access_stub(c, i, SLOW_LOAD, size);
    s->what |= (is_signed ? SLOW_SIGNED : 0u) | (i->type == IR_X ? SLOW_X : 0u) | (intent ? SLOW_INTENT : 0u);
    unsigned e = x64_temp(c), want = x64_temp(c), d = x64_def(c, i->dst);
    struct x64_mem m = x64_index(s->address, e, 0, s->disp);
    /* What may be written may be read, in every guest. */
    check(c, s, i, size, intent ? ACCESS_WRITE : ACCESS_READ, e, want);
    if (is_signed && size < 8)
        x64_movsx_rm(a, width_of(i), d, 8 * size, m);
    else if (size < 4)
        x64_movzx_rm(a, 32, d, 8 * size, m);
    else
        x64_mov_rm(a, 8 * size, d, m);
    s->result = (uint8_t)d;
    x64_bind(a, &s->back);
}

static void store(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    unsigned size = 1u << (i->aux & IR_MEM_SIZE), w = 8 * size;
    int32_t imm;
    bool constant = imm_of(c, i->arg[1], i->type == IR_X ? 64 : 32, &imm) && c->place[i->arg[1]].reg == NO_REG;
    struct stub *s = access_stub(c, i, SLOW_STORE, size);
    if (!constant)
        s->value = (uint8_t)x64_use(c, i->arg[1]);
    else
        s->fn = (uint64_t)(int64_t)imm;
    unsigned e = x64_temp(c), want = x64_temp(c);
    check(c, s, i, size, ACCESS_WRITE, e, want);
    struct x64_mem m = x64_index(s->address, e, 0, s->disp);
    if (constant)
        x64_mov_mi(a, w, m, size == 8 ? imm : (int32_t)((uint32_t)imm & (uint32_t)mask64(w)));
    else
        x64_mov_mr(a, w, m, s->value);
    x64_bind(a, &s->back);
}

static void load_vector(struct compiler *c, const struct ir_insn *i)
{
    struct stub *s = access_stub(c, i, SLOW_LOADV, 16);
    unsigned e = x64_temp(c), want = x64_temp(c), d = x64_def_xmm(c, i->dst);
    check(c, s, i, 16, ACCESS_READ, e, want);
    x64_vmovups_xm(&c->a, d, x64_index(s->address, e, 0, s->disp));
    s->result = (uint8_t)d;
    x64_bind(&c->a, &s->back);
}

static void store_vector(struct compiler *c, const struct ir_insn *i)
{
    struct stub *s = access_stub(c, i, SLOW_STOREV, 16);
    s->value = (uint8_t)x64_use_xmm(c, i->arg[1]);
    unsigned e = x64_temp(c), want = x64_temp(c);
    check(c, s, i, 16, ACCESS_WRITE, e, want);
    x64_vmovups_mx(&c->a, x64_index(s->address, e, 0, s->disp), s->value);
    x64_bind(&c->a, &s->back);
}

void x64_op_memory(struct compiler *c, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_LD:
        load(c, i);
        break;
    case IR_ST:
        store(c, i);
        break;
    case IR_LDV:
        load_vector(c, i);
        break;
    default:
        store_vector(c, i);
    }
}
