/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pending PUTs: noted when they are translated, written when somebody may look.
 *
 * Invariants
 *  1. No two of them overlap.
 *  2. place[root].pending counts those of a root; while it is not 0 the value stays in a register or spill slot.
 *     Constants have neither.
 */
#include "engine/x64/compiler.h"

/* PUT k of the list is gone; what nobody wants any more gives its register back. */
static void drop_pending(struct compiler *c, unsigned k)
{
    ir_ref root = root_of(c, c->pending[k].value);
    c->pending[k] = c->pending[--c->n_pending];
    if (c->plan[root].is_const)
        return;
    struct place *p = &c->place[root];
    if (--p->pending == 0 && c->plan[root].last_use <= c->at)
        x64_release(c, root);
}

static void store_const(struct compiler *c, uint32_t offset, unsigned size, uint64_t value)
{
    struct x64_asm *a = &c->a;
    if (size == 8 && !fits32(value)) {
        x64_mov_mi(a, 32, x64_state(offset), (int32_t)value);
        x64_mov_mi(a, 32, x64_state(offset + 4), (int32_t)(value >> 32));
    } else {
        x64_mov_mi(a, 8 * size, x64_state(offset), (int32_t)value);
    }
}

static struct x64_pending describe(const struct compiler *c, unsigned k)
{
    ir_ref v = c->pending[k].value, root = root_of(c, v);
    struct x64_pending p = { .offset = c->pending[k].offset, .size = c->pending[k].size };
    const struct place *at = &c->place[root];
    uint64_t value;
    if (const_of(c, v, &value)) {
        p.where = IN_CONST;
        p.value = (int32_t)value;
    } else if (at->reg != NO_REG) {
        p.where = x64_is_vector(c, root) ? IN_XMM : IN_REG;
        p.value = at->reg;
    } else {
        require(at->spill);
        p.where = x64_is_vector(c, root) ? IN_VSPILL : IN_SPILL;
        p.value = at->spill - 1;
    }
    return p;
}

/* Needs no register but XMM13. */
static void store(struct compiler *c, const struct x64_pending *p)
{
    struct x64_asm *a = &c->a;
    switch (p->where) {
    case IN_CONST:
        store_const(c, p->offset, p->size, (uint64_t)(int64_t)p->value);
        break;
    case IN_REG:
        x64_mov_mr(a, 8 * p->size, x64_state(p->offset), (unsigned)p->value);
        break;
    case IN_XMM:
        x64_vmovups_mx(a, x64_state(p->offset), (unsigned)p->value);
        break;
    case IN_SPILL:
        x64_vmovd_xm(a, 64, HOST_XMM13, x64_spill_at(c, (unsigned)p->value));
        x64_vmovd_mx(a, 8 * p->size, x64_state(p->offset), HOST_XMM13);
        break;
    default:
        x64_vmovups_xm(a, HOST_XMM13, x64_vspill_at(c, (unsigned)p->value));
        x64_vmovups_mx(a, x64_state(p->offset), HOST_XMM13);
    }
}

static void write_one(struct compiler *c, unsigned k)
{
    struct x64_pending p = describe(c, k);
    store(c, &p);
    drop_pending(c, k);
}

static bool overlaps(const struct compiler *c, unsigned k, uint64_t offset, unsigned size)
{
    return c->pending[k].offset < offset + size && offset < c->pending[k].offset + (uint64_t)c->pending[k].size;
}

void x64_write_pending(struct compiler *c, uint64_t offset, unsigned size)
{
    for (unsigned k = 0; k < c->n_pending;)
        if (overlaps(c, k, offset, size))
            write_one(c, k);
        else
            k++;
}

void x64_write_all_pending(struct compiler *c)
{
    while (c->n_pending)
        write_one(c, c->n_pending - 1);
}

uint32_t x64_list_pending(struct compiler *c, uint32_t *n)
{
    uint32_t first = c->n_site_pending;
    if (first + c->n_pending > MAX_SITE_PENDING) {
        c->a.failed = true;
        *n = 0;
        return 0;
    }
    *n = c->n_pending;
    for (unsigned k = 0; k < *n; k++)
        c->site_pending[first + k] = describe(c, k);
    size_t bytes = *n * sizeof *c->site_pending;
    if (*n == c->n_last_list && !memcmp(&c->site_pending[first], &c->site_pending[c->last_list], bytes))
        return c->last_list;
    c->n_site_pending += *n;
    c->n_last_list = *n;
    return c->last_list = first;
}

void x64_emit_pending(struct compiler *c, uint32_t first, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++)
        store(c, &c->site_pending[first + k]);
}

/* Only pending PUTs want it: they are written now. */
void x64_write_pending_of(struct compiler *c, ir_ref root)
{
    for (unsigned k = c->n_pending; k-- > 0;)
        if (root_of(c, c->pending[k].value) == root && !c->plan[root].is_const)
            write_one(c, k);
}

void x64_discard(struct compiler *c, uint32_t offset, unsigned mask)
{
    for (unsigned k = c->n_pending; k-- > 0;) {
        uint32_t word = (c->pending[k].offset - offset) / 8;      /* beyond all bits if it lies before offset */
        if (word < 16 && mask >> word & 1)
            drop_pending(c, k);
    }
}

void x64_put(struct compiler *c, uint32_t offset, unsigned size, ir_ref v)
{
    for (unsigned k = 0; k < c->n_pending;) {
        if (c->pending[k].offset == offset && c->pending[k].size == size)
            drop_pending(c, k);
        else if (overlaps(c, k, offset, size))
            write_one(c, k);
        else
            k++;
    }
    uint64_t value;
    if (size == 8 && const_of(c, v, &value) && !fits32(value)) {
        store_const(c, offset, size, value);
        return;
    }
    if (c->n_pending == MAX_PENDING)
        write_one(c, 0);
    c->pending[c->n_pending].offset = offset;
    c->pending[c->n_pending].size = (uint8_t)size;
    c->pending[c->n_pending++].value = v;
    if (!c->plan[v].is_const)
        c->place[root_of(c, v)].pending++;
}
