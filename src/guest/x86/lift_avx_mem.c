/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Masked moves and gathers: memory is touched for the elements that are chosen, and only they
 * can fault.  A masked move that faults changes nothing; a gather keeps the elements before the
 * one that faulted and clears their masks, so that it goes on from there (SDM vol. 2, VPGATHERDD; the masks
 * behind that element stay as they are, as on AMD's processors).
 */
#include "guest/x86/debug.h"
#include "guest/x86/lift_avx.h"
#include "guest/x86/mode.h"
#include "guest/x86/segment.h"

/* One element's linear address, with the checks of an access, but not of its alignment.  False: a fault is pending. */
static bool element_address(struct x86_cpu *c, unsigned seg, uint64_t offset, unsigned size, bool write,
                            uint64_t *linear)
{
    if (!x86_seg_linear(c, (int)seg, offset, size, write, linear))
        return false;
    if (c->mode_flags & MODE_CS64 && !x86_canonical(*linear + size - 1)) {
        x86_fault(c, seg == SEG_SS ? EXC_SS : EXC_GP, 0);
        return false;
    }
    if (c->mode_flags & MODE_DEBUG)
        x86_check_watch(c, *linear, size, write);
    return true;
}

/* ---- VMASKMOVPS/PD, VPMASKMOVD/Q ------------------------------------------------------------- */

/* The helpers' third argument. */
struct masked {
    unsigned reg, size, n, seg;
};

static uint64_t pack_masked(const struct masked *m)
{
    return m->reg | (uint64_t)m->size << 8 | (uint64_t)m->n << 16 | (uint64_t)m->seg << 24;
}

static struct masked unpack_masked(uint64_t v)
{
    return (struct masked){ v & 0xff, v >> 8 & 0xff, v >> 16 & 0xff, v >> 24 & 0xff };
}

/*
 * Element i is at i * size behind the operand's linear address: it is within the operand that an access goes past the
 * end of what 16 bits address, as every other vector access does.
 */
static uint64_t element_offset(const struct x86_cpu *c, const struct masked *m, uint64_t offset, unsigned i)
{
    offset += (uint64_t)i * m->size;
    return c->mode_flags & MODE_CS64 ? offset : (uint32_t)offset;
}

static uint64_t do_mask_load(struct vcpu *v, uint64_t offset, uint64_t mask, uint64_t packed)
{
    struct x86_cpu *c = x86_of(v);
    struct masked m = unpack_masked(packed);
    uint8_t bytes[32] = { 0 };
    uint64_t linear, value;
    for (unsigned i = 0; i < m.n; i++) {
        if (!(mask >> i & 1))
            continue;
        if (!element_address(c, m.seg, element_offset(c, &m, offset, i), m.size, false, &linear) ||
            !vcpu_load(v, linear, m.size, x86_data_mode(c), 0, &value))
            return 0;
        store_le(bytes + i * m.size, m.size, value);
    }
    for (unsigned w = 0; w < 4; w++)
        c->s.ymm[m.reg][w] = load_le(bytes + 8 * w, 8);
    return 0;
}

static uint64_t do_mask_store(struct vcpu *v, uint64_t offset, uint64_t mask, uint64_t packed)
{
    struct x86_cpu *c = x86_of(v);
    struct masked m = unpack_masked(packed);
    uint64_t linear[8];
    for (unsigned i = 0; i < m.n; i++)
        if (mask >> i & 1)
            if (!element_address(c, m.seg, element_offset(c, &m, offset, i), m.size, true, &linear[i]) ||
                !vcpu_probe(v, linear[i], m.size, ACCESS_WRITE, x86_data_mode(c)))
                return 0;
    for (unsigned i = 0; i < m.n; i++) {
        uint64_t value = c->s.ymm[m.reg][i * m.size / 8] >> 8 * (i * m.size % 8) & mask64(8 * m.size);
        if (mask >> i & 1 && !vcpu_store(v, linear[i], m.size, x86_data_mode(c), value))
            return 0;
    }
    return 0;
}

static const struct ir_helper helper_mask_load = { "mask_load", 3, HELPER_MAY_EXIT | HELPER_WRITES | HELPER_MEMORY,
                                                   IR_VOID, { IR_X, IR_X, IR_X }, { .f3 = do_mask_load } };
static const struct ir_helper helper_mask_store = { "mask_store", 3, HELPER_MAY_EXIT | HELPER_READS | HELPER_MEMORY,
                                                    IR_VOID, { IR_X, IR_X, IR_X }, { .f3 = do_mask_store } };

/* aux: the elements' size; mask and data are operands' numbers. */
static void lift_masked(struct x86_lift *L, const struct x86_insn *I, unsigned mask, unsigned data,
                        const struct ir_helper *h)
{
    struct ir_block *b = L->b;
    unsigned size = vex_op(I), lanes = 16 / size, op = size == 8 ? VEC_MASK_D : VEC_MASK_W;
    struct ymm v = x86_rdy(L, I, mask);
    ir_ref bits = irb_un(b, IR_VLO, irb_vec(b, op, v.lo, IR_NONE, IR_NONE, 0));
    if (v.hi) {
        ir_ref high = irb_un(b, IR_VLO, irb_vec(b, op, v.hi, IR_NONE, IR_NONE, 0));
        bits = irb_bin(b, IR_OR, bits, irb_bini(b, IR_SHL, high, lanes));
    }
    const struct masked m = { I->op[data].reg, size, v.hi ? 2 * lanes : lanes, (unsigned)I->seg };
    irb_call(b, h, x86_ea(L, I), bits, irb_x(b, pack_masked(&m)), IR_NONE);
}

void lift_vex_maskload(struct x86_lift *L, const struct x86_insn *I) { lift_masked(L, I, 1, 0, &helper_mask_load); }
void lift_vex_maskstore(struct x86_lift *L, const struct x86_insn *I) { lift_masked(L, I, 1, 2, &helper_mask_store); }

/* ---- gathers ------------------------------------------------------------------------------------ */

struct gather {
    unsigned dest, index, mask;     /* vector registers */
    unsigned size, index_size;      /* bytes of an element and of an index */
    unsigned n, scale, seg, asz;
};

static uint64_t pack_gather(const struct gather *g)
{
    return g->dest | g->index << 4 | g->mask << 8 | (uint64_t)(g->size == 8) << 12 |
           (uint64_t)(g->index_size == 8) << 13 | (uint64_t)g->n << 16 | (uint64_t)g->scale << 20 |
           (uint64_t)g->seg << 24 | (uint64_t)g->asz << 28;
}

static struct gather unpack_gather(uint64_t v)
{
    return (struct gather){ v & 15,           v >> 4 & 15,  v >> 8 & 15,  v >> 12 & 1 ? 8 : 4, v >> 13 & 1 ? 8 : 4,
                            v >> 16 & 15,     v >> 20 & 3,  v >> 24 & 15, v >> 28 & 15 };
}

static uint64_t get_lane(const uint64_t *reg, unsigned i, unsigned size)
{
    return size == 8 ? reg[i] : (uint32_t)(reg[i / 2] >> 32 * (i & 1));
}

static void set_lane(uint64_t *reg, unsigned i, unsigned size, uint64_t v)
{
    if (size == 8)
        reg[i] = v;
    else
        reg[i / 2] = bits_set(reg[i / 2], 32 * (i & 1), 32, v);
}

static uint64_t wrap(uint64_t offset, unsigned asz) { return asz == 8 ? offset : offset & mask64(8 * asz); }

static bool gather_one(struct x86_cpu *c, const struct gather *g, uint64_t base, unsigned i)
{
    uint64_t index = get_lane(c->s.ymm[g->index], i, g->index_size), linear, value;
    if (g->index_size == 4)
        index = (uint64_t)(int64_t)(int32_t)index;
    if (!element_address(c, g->seg, wrap(base + (index << g->scale), g->asz), g->size, false, &linear) ||
        !vcpu_load(&c->v, linear, g->size, x86_data_mode(c), 0, &value))
        return false;
    set_lane(c->s.ymm[g->dest], i, g->size, value);
    return true;
}

static uint64_t do_gather(struct vcpu *v, uint64_t base, uint64_t packed)
{
    struct x86_cpu *c = x86_of(v);
    struct gather g = unpack_gather(packed);
    uint64_t *mask = c->s.ymm[g.mask], *dest = c->s.ymm[g.dest];
    for (unsigned i = 0; i < g.n; i++) {
        bool chosen = get_lane(mask, i, g.size) >> (8 * g.size - 1);
        if (chosen && !gather_one(c, &g, base, i))
            return 0;
        set_lane(mask, i, g.size, 0);
    }
    memset(mask, 0, sizeof c->s.ymm[0]);
    for (unsigned w = g.n * g.size / 8; w < 4; w++)
        dest[w] = 0;
    return 0;
}

static const struct ir_helper helper_gather = {
    "gather", 2, HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES | HELPER_MEMORY, IR_VOID, { IR_X, IR_X },
    { .f2 = do_gather }
};

/* aux: the elements' size; extra: the indices'. */
void lift_vex_gather(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = vex_op(I), index_size = vex_extra(I), bytes = I->vex_l ? 32 : 16;
    const struct gather g = { .dest = I->op[0].reg, .index = (unsigned)I->vsib, .mask = I->op[2].reg, .size = size,
                              .index_size = index_size, .n = bytes / (size > index_size ? size : index_size),
                              .scale = I->scale, .seg = (unsigned)I->seg, .asz = I->asz };
    irb_call(L->b, &helper_gather, x86_ea(L, I), irb_x(L->b, pack_gather(&g)), IR_NONE, IR_NONE);
}
