/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out of translated code and, mostly, back: accesses that the TLB's fast path
 * could not do, reference functions of vector operations, and faults.
 */
#include "engine/x64/jit.h"

/* Pins and pending PUTs of the faulting instruction go to the state, as they were before it. */
static void write_state(struct vcpu *v, const struct x64_frame *f, const struct x64_code *code,
                        const struct x64_site *site)
{
    char *state = (char *)v;
    for (unsigned k = 0; k < N_PINS && k < v->ops->n_hot; k++)
        memcpy(state + v->ops->hot[k], &f->reg[x64_pins[k]], 8);
    for (uint32_t k = 0; k < site->n_pending; k++) {
        const struct x64_pending *p = &code->pending[site->pending + k];
        uint64_t constant = (uint64_t)(int64_t)p->value;
        const void *from = p->where == IN_CONST   ? (const void *)&constant
                           : p->where == IN_REG   ? (const void *)&f->reg[p->value]
                           : p->where == IN_XMM   ? (const void *)&f->xmm[p->value]
                           : p->where == IN_SPILL ? (const void *)&f->spill[p->value]
                                                  : (const void *)&f->vspill[p->value];
        memcpy(state + p->offset, from, p->size);
    }
}

static void fault(struct vcpu *v, const struct block *b, const struct x64_site *site)
{
    v->pos.left += b->n_insns - site->index;
    v->ops->restore(v, block_insn_pc(b, site->index), b->insn[site->index].meta);
}

static bool load(struct vcpu *v, struct x64_frame *f)
{
    unsigned size = 1u << (f->what >> SLOW_SIZE_SHIFT & 3), mode = f->what >> SLOW_MODE_SHIFT & 15;
    uint64_t value;
    if (!vcpu_load(v, f->address, size, mode, f->what & SLOW_INTENT ? MEM_WRITE_INTENT : 0, &value))
        return false;
    if (f->what & SLOW_SIGNED)
        value = (uint64_t)sign_extend(value, 8 * size);
    f->result = f->what & SLOW_X ? value : (uint32_t)value;
    return true;
}

static bool store(struct vcpu *v, const struct x64_frame *f)
{
    unsigned size = 1u << (f->what >> SLOW_SIZE_SHIFT & 3), mode = f->what >> SLOW_MODE_SHIFT & 15;
    return vcpu_store(v, f->address, size, mode, f->value & mask64(8 * size));
}

static void vector(struct x64_frame *f)
{
    union v128 r;
    vec_fn *fn = (vec_fn *)(uintptr_t)f->fn;
    fn(&r, &f->vec[0], &f->vec[1], &f->vec[2], f->value);
    f->vec[0] = r;
}

static bool vector_fp(struct vcpu *v, struct x64_frame *f, enum ir_fvec_part part)
{
    return engine_fvec(v, (fvec_fn *)(uintptr_t)f->fn, part, &f->vec[0], &f->vec[0], &f->vec[1], &f->vec[2], f->value);
}

/* A group's range is one page that may be accessed directly: the TLB says so from now on.  False: not so, or faults. */
static bool fill(struct vcpu *v, const struct x64_frame *f)
{
    unsigned mode = f->what >> SLOW_MODE_SHIFT & 15;
    enum access access = f->what & SLOW_WRITE ? ACCESS_WRITE : ACCESS_READ;
    uint64_t lo = f->address - (uint32_t)f->value, last = lo + (f->value >> 32) - 1;
    struct tlb_side side;
    if ((lo ^ last) >> PAGE_BITS)
        return false;
    if (access == ACCESS_WRITE ? !vcpu_host_ptr(v, f->address, 1, access, mode)
                               : !tlb_resolve(v, f->address, access, mode, &side))
        return false;
    return tlb_slot(v, mode, lo)->tag[access] == align_down(last, PAGE_SIZE);
}

static bool run(struct vcpu *v, struct x64_frame *f)
{
    switch ((enum x64_slow_kind)(f->what & 0xff)) {
    case SLOW_LOAD:
        return load(v, f);
    case SLOW_STORE:
        return store(v, f);
    case SLOW_LOADV:
        return vcpu_load_bytes(v, f->address, &f->vec[0], 16, f->what >> SLOW_MODE_SHIFT & 15);
    case SLOW_STOREV:
        return vcpu_store_bytes(v, f->address, &f->vec[0], 16, f->what >> SLOW_MODE_SHIFT & 15);
    case SLOW_FILL:
        return fill(v, f);
    case SLOW_VEC:
        vector(f);
        return true;
    case SLOW_FVEC:
    case SLOW_FVEC_FIRST:
    case SLOW_FVEC_LAST:
        return vector_fp(v, f, (enum ir_fvec_part)((f->what & 0xff) - SLOW_FVEC));
    default:                         /* SLOW_TRAP wants the state first */
        return false;
    }
}

/* False: there is none after all, and the state is what it was. */
static bool trap(struct vcpu *v, const struct x64_frame *f)
{
    ((const struct ir_helper *)(uintptr_t)f->fn)->f1(v, f->value);
    return v->exit;
}

/*
 * As run(), where translated code keeps addresses for stores: if finding the access's page takes such a
 * page from direct stores (it holds page-table entries now), nothing is done, and the instruction must start again.
 */
static bool run_keeping(struct vcpu *v, struct x64_frame *f, bool *again)
{
    unsigned kind = f->what & 0xff;
    bool is_store = kind == SLOW_STORE || kind == SLOW_STOREV || f->what & SLOW_INTENT;
    unsigned size = kind == SLOW_LOADV || kind == SLOW_STOREV ? 16 : 1u << (f->what >> SLOW_SIZE_SHIFT & 3);
    uint64_t narrowed = v->stores_narrowed;
    if (kind != SLOW_FILL &&
        !vcpu_probe(v, f->address, size, is_store ? ACCESS_WRITE : ACCESS_READ, f->what >> SLOW_MODE_SHIFT & 15))
        return false;
    if (kind == SLOW_FILL && !fill(v, f))
        return false;
    *again = v->stores_narrowed != narrowed;
    return !*again && (kind == SLOW_FILL || run(v, f));
}

/* The instruction could not do with the group that it began: it is to be in none, and what comes later begins it. */
static void ungroup(struct engine *e, struct block *b, unsigned insn)
{
    x64_add_place(jit_of(e)->ungrouped, b->ram, x64_insn_place(b, insn));
    if (!b->dead)
        cache_kill(e, b);
}

bool x64_find_page(struct vcpu *v)
{
    struct block_key key;
    struct tlb_side side;
    if (v->pos.left <= 0)
        return false;                                 /* the run ends before the fetch, and before its fault */
    v->ops->block_key(v, &key);
    bool found = tlb_resolve(v, key.va, ACCESS_EXEC, key.fetch_mode, &side) &&
                 tlb_slot(v, key.fetch_mode, key.va)->tag[ACCESS_EXEC] == align_down(key.va, PAGE_SIZE);
    v->exit = EXIT_NONE;                              /* the run loop finds what is pending */
    return found;
}

bool x64_slow(struct vcpu *v, struct x64_frame *f, uint64_t ret)
{
    static const uint8_t counted_as[] = {
        [SLOW_LOAD] = SLOWLY_LOADED, [SLOW_STORE] = SLOWLY_STORED, [SLOW_LOADV] = SLOWLY_LOADED,
        [SLOW_STOREV] = SLOWLY_STORED, [SLOW_FILL] = SLOWLY_FILLED, [SLOW_VEC] = SLOWLY_COMPUTED,
        [SLOW_FVEC] = SLOWLY_COMPUTED,
    };
    struct engine *e = v->engine_data;
    bool again = false;
    if ((f->what & 0xff) < ARRAY_LEN(counted_as))
        e->stats.slow[counted_as[f->what & 0xff]]++;
    /* What may have to start again must not have changed its own code by then: page walks set bits, too. */
    v->at_last_insn = f->what & SLOW_LAST && !(f->what & SLOW_KEEPS) && (f->what & 0xff) != SLOW_FILL;
    if (f->what & SLOW_KEEPS ? run_keeping(v, f, &again) : run(v, f))
        return false;
    struct block *b = x64_find_block(e, ret);
    const struct x64_site *site = x64_find_site(e, b, ret);
    write_state(v, f, b->code, site);
    if (v->exit == EXIT_RETRY_LAST)
        cache_ends_block(e, b, site->index);
    if ((f->what & 0xff) == SLOW_TRAP && !trap(v, f))
        return false;
    if ((f->what & 0xff) == SLOW_FILL && !v->exit && !again)
        ungroup(e, b, site->index);
    fault(v, b, site);
    return true;
}

bool x64_fault(struct vcpu *v, struct x64_frame *f, uint64_t at)
{
    struct engine *e = v->engine_data;
    struct fault_mark mark;
    memcpy(&mark, (const void *)(uintptr_t)at, sizeof mark);
    struct block *b = mark.block;
    const struct x64_code *code = b->code;
    const struct x64_site *site = &code->site[mark.site];
    write_state(v, f, code, site);
    if (v->exit == EXIT_RETRY_LAST)
        cache_ends_block(e, b, site->index);
    if (!v->exit) {
        require(b->limit == METERED);
        jit_of(e)->ended = b;
    }
    fault(v, b, site);
    return true;
}

bool x64_access(struct vcpu *v, struct x64_frame *f, uint64_t ret)
{
    struct access_mark mark;
    memcpy(&mark, (const void *)(uintptr_t)(ret - sizeof mark), sizeof mark);
    unsigned kind = mark.what & 0xff, operand = mark.what >> SLOW_OPERAND_SHIFT & 15;
    f->what = mark.what;
    uint64_t base = mark.what & SLOW_ABSOLUTE ? 0 : f->reg[mark.what >> SLOW_ADDRESS_SHIFT & 15];
    f->address = base + (uint64_t)(int64_t)mark.disp;
    if (mark.what & SLOW_CUT && kind != SLOW_FILL)       /* a range that must be cut is no page of the TLB's */
        f->address = (uint32_t)f->address;
    if (kind == SLOW_FILL)
        f->value = ((uint32_t)mark.value & 0xffff) | (uint64_t)((uint32_t)mark.value >> 16) << 32;
    else if (kind == SLOW_STOREV)
        f->vec[0] = f->xmm[operand];
    else
        f->value = mark.what & SLOW_CONST ? (uint64_t)(int64_t)mark.value : f->reg[operand];
    if (x64_slow(v, f, ret))
        return true;
    if (kind == SLOW_LOAD)
        f->reg[operand] = f->result;
    else if (kind == SLOW_LOADV)
        f->xmm[operand] = f->vec[0];
    return false;
}
