/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block cache: lookup by physical place and key, chaining, invalidation. */
#include <stdlib.h>

#include "engine/impl.h"
#include "ir/opt/opt.h"

enum { DEFAULT_CACHE_BYTES = 64 << 20 };

void cache_init(struct engine *e)
{
    e->hash = NEW_ARRAY(struct block *, HASH_SIZE);
    e->jump = NEW_ARRAY(struct block *, JUMP_SIZE);
    e->pages = NEW_ARRAY(struct page_blocks *, PAGE_HASH_SIZE);
    ends_init(e);
    if (!e->config.cache_bytes && !e->kind->bounded)
        e->config.cache_bytes = DEFAULT_CACHE_BYTES;
}

static uint64_t mix(uint64_t h)
{
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static uint64_t hash(const struct block_key *key, uint64_t ram_offset)
{
    return mix(ram_offset ^ mix(key->pc) ^ mix(key->flags + 1) ^ mix(key->cs_base + 2));
}

/* A place's whole, plain and metered blocks are looked for together: their slots share a line of the host's cache. */
static struct block **hash_slot(struct engine *e, uint64_t hash, unsigned limit)
{
    unsigned beside = limit > IR_MAX_INSNS ? limit - IR_MAX_INSNS : 0;
    uint64_t h = beside ? hash : hash + limit * UINT64_C(0x9e3779b97f4a7c15);
    return &e->hash[(h >> 20 ^ beside) & (HASH_SIZE - 1)];
}

static bool same_key(const struct block_key *a, const struct block_key *b)
{
    return a->pc == b->pc && a->flags == b->flags && a->cs_base == b->cs_base;
}

/* ---- pages ------------------------------------------------------------------------------ */

static struct page_blocks **page_slot(struct engine *e, const struct ram *ram, uint64_t page)
{
    struct page_blocks **p = &e->pages[page & (PAGE_HASH_SIZE - 1)];
    while (*p && ((*p)->ram != ram || (*p)->page != page))
        p = &(*p)->next;
    return p;
}

/* Stores to [offset, offset + bytes), as far as it lies in one page, are noticed from now on. */
static void mark_code(struct engine *e, struct ram *ram, uint64_t offset, uint64_t bytes)
{
    uint64_t room = PAGE_SIZE - (offset & (PAGE_SIZE - 1));
    if (!(ram->page_flags[offset >> PAGE_BITS] & RAM_CODE))
        tlb_protect(e->vcpu, e->n_vcpus, ram, align_down(offset, PAGE_SIZE));
    ram_mark_code(ram, offset, bytes < room ? bytes : room);
}

static void add_to_page(struct engine *e, struct block *b, unsigned which)
{
    struct ram *ram = which ? b->ram2 : b->ram;
    uint64_t offset = which ? b->ram2_offset : b->ram_offset;
    uint64_t bytes = which ? b->guest_bytes - (PAGE_SIZE - (b->ram_offset & (PAGE_SIZE - 1))) : b->guest_bytes;
    struct page_blocks **slot = page_slot(e, ram, offset >> PAGE_BITS);
    if (!*slot) {
        *slot = NEW(struct page_blocks);
        (*slot)->ram = ram;
        (*slot)->page = offset >> PAGE_BITS;
    }
    b->page_next[which] = (*slot)->first;
    (*slot)->first = b;
    mark_code(e, ram, offset, bytes);
}

static unsigned which_page(const struct block *b, const struct page_blocks *p)
{
    return !(b->ram == p->ram && b->ram_offset >> PAGE_BITS == p->page);
}

static void remove_from_page(struct page_blocks *p, struct block *b)
{
    struct block **at = &p->first;
    while (*at != b)
        at = &(*at)->page_next[which_page(*at, p)];
    *at = b->page_next[which_page(b, p)];
}

/* ---- chaining ----------------------------------------------------------------------------- */

static void unchain(struct engine *e, struct block_link *l)
{
    if (!l->to)
        return;
    if (e->kind->unchained && !e->ending)
        e->kind->unchained(e, l->from, (unsigned)(l - l->from->link));
    *l->prev = l->next;
    if (l->next)
        l->next->prev = l->prev;
    l->to = NULL;
}

void cache_unchain_pages(struct engine *e, const struct block_link *except)
{
    for (size_t i = 0; i < PAGE_HASH_SIZE; i++)
        for (const struct page_blocks *p = e->pages[i]; p; p = p->next)
            for (struct block *b = p->first; b; b = b->page_next[which_page(b, p)])
                for (unsigned k = 0; k < b->n_exits; k++) {
                    struct block_link *l = &b->link[k];
                    if (l != except && l->to && (b->key.va ^ l->to->key.va) >> PAGE_BITS)
                        unchain(e, l);
                }
}

void cache_chain(struct engine *e, struct block *from, unsigned slot, struct block *to)
{
    struct block_link *l = &from->link[slot];
    bool same_page = !((from->key.va ^ to->key.va) >> PAGE_BITS);
    bool same_ram = from->ram == to->ram && !((from->ram_offset ^ to->ram_offset) >> PAGE_BITS);
    /* From one plain block to another: both run where the budget ends soon. */
    bool limited = to->limit && !(to->limit == PLAIN && from->limit == PLAIN);
    if (from->dead || to->dead || limited || !from->ram || !to->ram || l->to == to)
        return;
    if ((from->ram2 || to->ram2) && !e->kind->checks_mapping)
        return;
    if (same_page ? !same_ram : !e->kind->checks_mapping)
        return;
    unchain(e, l);
    *l = (struct block_link){ from, to, to->incoming, &to->incoming };
    e->stats.chained++;
    if (to->incoming)
        to->incoming->prev = &l->next;
    to->incoming = l;
    if (e->kind->chained)
        e->kind->chained(e, from, slot);
}

/* ---- death ---------------------------------------------------------------------------------- */

/* A block is one allocation: the struct, its links and its instructions. */
static size_t block_bytes(uint32_t n_exits, uint32_t n_insns)
{
    return sizeof(struct block) + n_exits * sizeof(struct block_link) + n_insns * sizeof(struct insn_info);
}

static void free_block(struct engine *e, struct block *b)
{
    e->kind->free_code(e, b);
    pool_free(&e->pool, b, block_bytes(b->n_exits, b->n_insns));
}

void cache_kill(struct engine *e, struct block *b)
{
    struct block **at = hash_slot(e, hash(&b->key, b->ram_offset), b->limit);
    while (*at != b)
        at = &(*at)->hash_next;
    *at = b->hash_next;
    while (b->incoming)
        unchain(e, b->incoming);
    for (unsigned i = 0; i < b->n_exits; i++)
        unchain(e, &b->link[i]);
    if (e->jump[jump_slot(b->key.va)] == b)
        e->jump[jump_slot(b->key.va)] = NULL;
    remove_from_page(*page_slot(e, b->ram, b->ram_offset >> PAGE_BITS), b);
    if (b->ram2)
        remove_from_page(*page_slot(e, b->ram2, b->ram2_offset >> PAGE_BITS), b);
    beside_leave(e, b);
    if (e->kind->killed)
        e->kind->killed(e, b);
    b->dead = true;
    e->bytes -= b->bytes;
    e->stats.blocks_now--;
    b->hash_next = e->graveyard;
    e->graveyard = b;
}

static bool overlaps(const struct block *b, const struct page_blocks *p, uint64_t offset, uint64_t len)
{
    if (which_page(b, p))
        return offset < b->ram2_offset + b->guest_bytes;   /* its second part starts the page */
    return b->ram_offset < offset + len && offset < b->ram_offset + b->guest_bytes;
}

static void remark(struct page_blocks *p)
{
    ram_clear_code(p->ram, p->page << PAGE_BITS);
    for (struct block *b = p->first; b; b = b->page_next[which_page(b, p)]) {
        uint64_t offset = which_page(b, p) ? b->ram2_offset : b->ram_offset;
        uint64_t room = PAGE_SIZE - (offset & (PAGE_SIZE - 1));
        ram_mark_code(p->ram, offset, b->guest_bytes < room ? b->guest_bytes : room);
    }
}

/*
 * The instruction that runs now may be one of those written.  A repeating one must then be fetched
 * again before its next iteration, as it would be if the budget ended here: leave.
 */
void cache_code_written(void *opaque, struct ram *ram, uint64_t offset, uint64_t len)
{
    struct engine *e = opaque;
    struct page_blocks *p = *page_slot(e, ram, offset >> PAGE_BITS);
    if (e->vcpu[0]->sim)
        sim_request_exit(e->vcpu[0]->sim);
    if (!p) {
        ram_clear_code(ram, offset);
        return;
    }
    for (struct block *b = p->first, *next; b; b = next) {
        next = b->page_next[which_page(b, p)];
        if (overlaps(b, p, offset, len)) {
            cache_kill(e, b);
            e->stats.code_invalidations++;
        }
    }
    remark(p);
}

void cache_flush(struct engine *e)
{
    for (size_t i = 0; i < PAGE_HASH_SIZE; i++) {
        while (e->pages[i]) {
            struct page_blocks *p = e->pages[i];
            while (p->first)
                cache_kill(e, p->first);
            ram_clear_code(p->ram, p->page << PAGE_BITS);
            e->pages[i] = p->next;
            free(p);
        }
    }
    e->stats.flushes++;
}

bool cache_is_full(const struct engine *e) { return !e->kind->bounded && e->bytes > e->config.cache_bytes; }

void cache_sweep(struct engine *e)
{
    if (cache_is_full(e))
        cache_flush(e);
    while (e->graveyard) {
        struct block *b = e->graveyard;
        e->graveyard = b->hash_next;
        free_block(e, b);
    }
}

void cache_fini(struct engine *e)
{
    e->ending = true;
    cache_flush(e);
    cache_sweep(e);
    if (e->uncached)
        free_block(e, e->uncached);
    free(e->hash);
    free(e->jump);
    free(e->pages);
    ends_fini(e);
}

/* ---- finding and translating ------------------------------------------------------------------ */

static void record_insns(struct block *b, const struct ir_block *ir)
{
    for (uint32_t n = 0; n < ir->n_insns; n++)
        b->insn[n] = (struct insn_info){ (uint16_t)(ir->start[n].pc - b->key.pc), ir->start[n].meta };
}

static void optimise(struct engine *e, const struct block_key *key)
{
    const struct engine_trace *trace = &e->config.trace;
    struct error err;
    if (trace->ir)
        trace->ir(trace->opaque, key, &e->ir, false);
    if (e->config.verify && !ir_verify(&e->ir, &err))
        panic("a front end made invalid IR: %s", err.text);
    ir_opt_dead(&e->ir);
    if (e->config.verify && !ir_verify(&e->ir, &err))
        panic("an optimisation made invalid IR: %s", err.text);
    if (trace->ir)
        trace->ir(trace->opaque, key, &e->ir, true);
}

static unsigned insn_limit(struct engine *e, unsigned limit, bool follow)
{
    enum { DEFAULT_INSNS = 64 };
    unsigned max = e->config.max_block_insns ? e->config.max_block_insns : follow ? IR_MAX_INSNS : DEFAULT_INSNS;
    if (e->config.perturb_seed) {
        e->rng = e->rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        max = 1 + (unsigned)(e->rng >> 33) % max;
    }
    return limit && limit < max ? limit : max;
}

/* A block of e->ir. */
static struct block *new_block(struct engine *e, const struct block_key *key, unsigned limit,
                               const struct tlb_side *at)
{
    size_t head = sizeof(struct block) + e->ir.n_exits * sizeof(struct block_link);
    size_t bytes = block_bytes(e->ir.n_exits, e->ir.n_insns);
    struct block *b = pool_alloc(&e->pool, bytes);
    memset(b, 0, head);
    b->insn = (struct insn_info *)(void *)((char *)b + head);
    b->bytes = (uint32_t)bytes;
    b->beside = b;
    b->key = *key;
    b->limit = limit;
    b->follows = e->ir.followed;
    b->n_insns = e->ir.n_insns;
    b->guest_bytes = e->ir.guest_bytes;
    b->ram = at->ram;
    b->ram_offset = at->ram_offset + (key->va & TLB_PAGE_MASK);
    b->n_exits = e->ir.n_exits;
    record_insns(b, &e->ir);
    return b;
}

/* ---- instructions that end their block ---------------------------------------------------------- */

void cache_ends_block(struct engine *e, struct block *b, unsigned insn)
{
    if (!b->ram || insn + 1 == b->n_insns)
        return;
    ends_add(e, b->ram, b->ram_offset + b->insn[insn].from_start);
    if (!b->dead)
        cache_kill(e, b);
}

/* The number of instructions up to the first of e->ir that is marked; 0: none before the last. */
static unsigned marked_end(struct engine *e, const struct block_key *key, const struct tlb_side *at)
{
    for (uint32_t n = 0; at->ram && n + 1 < e->ir.n_insns; n++) {
        if (ends_has(e, at->ram, at->ram_offset + (key->va & TLB_PAGE_MASK) + (e->ir.start[n].pc - key->pc)))
            return n + 1;
    }
    return 0;
}

struct guide {
    struct ir_guide base;
    struct engine *e;
    const struct block_key *key;
    const struct tlb_side *at;
};

static bool is_likely(const struct ir_guide *base, uint64_t begin, uint64_t target)
{
    const struct guide *g = (const struct guide *)(const void *)base;
    if (g->e->config.perturb_seed)
        return mix(g->e->rng ^ target) >> 63;
    uint64_t page = g->at->ram_offset, cs_base = g->key->cs_base;
    return g->e->kind->is_likely && g->e->kind->is_likely(g->e, g->at->ram, page + ((begin + cs_base) & TLB_PAGE_MASK),
                                                          page + ((target + cs_base) & TLB_PAGE_MASK));
}

/* Lifts up to max instructions into e->ir. */
static bool lift(struct engine *e, struct vcpu *v, const struct block_key *key, unsigned max, bool follow,
                 const struct tlb_side *at)
{
    const struct guide guide = { { is_likely }, e, key, at };
    ir_block_reset(&e->ir);
    e->ir.guide = follow ? &guide.base : NULL;
    bool lifted = v->ops->translate(v, key, max, &e->ir);
    unsigned end = lifted ? marked_end(e, key, at) : 0;
    if (end) {
        ir_block_reset(&e->ir);
        e->ir.guide = follow ? &guide.base : NULL;
        lifted = v->ops->translate(v, key, end, &e->ir);
    }
    e->ir.guide = NULL;
    return lifted;
}

static bool may_follow(struct engine *e, const struct block_key *key, const struct tlb_side *at)
{
    if (e->config.perturb_seed)
        return at->ram && e->rng >> 62;
    return at->ram && e->kind->follows && e->kind->follows(e, at->ram, at->ram_offset + (key->va & TLB_PAGE_MASK));
}

static struct block *translate(struct engine *e, struct vcpu *v, const struct block_key *key, unsigned limit,
                               const struct tlb_side *at)
{
    bool follow = !limit && may_follow(e, key, at);
    for (unsigned max = insn_limit(e, limit, follow);; max = e->ir.n_insns / 2) {
        if (!lift(e, v, key, max, follow, at))
            return NULL;
        if (e->config.trace.translated)
            e->config.trace.translated(e->config.trace.opaque, v, key, e->ir.n_insns, e->ir.guest_bytes);
        e->ir.stops = limit == METERED;
        optimise(e, key);
        struct block *b = new_block(e, key, limit, at);
        if (e->kind->compile(e, b, &e->ir)) {
            e->stats.blocks_translated++;
            e->stats.insns_translated += b->n_insns;
            e->stats.ir_ops += e->ir.n;
            return b;
        }
        require(e->ir.n_insns > 1);
        pool_free(&e->pool, b, block_bytes(b->n_exits, b->n_insns));
    }
}

/* A block of one instruction that crosses a page depends on the second page's mapping too. */
static bool second_page(struct vcpu *v, const struct block_key *key, uint32_t bytes, struct tlb_side *out)
{
    uint64_t next = align_down(key->va + bytes - 1, PAGE_SIZE) & key->va_mask;   /* where a fault is reported */
    return tlb_resolve(v, next, ACCESS_EXEC, key->fetch_mode, out);
}

static bool crosses(const struct block_key *key, uint32_t bytes)
{
    return (key->va & TLB_PAGE_MASK) + bytes > PAGE_SIZE;
}

/* Not cached: code outside RAM, and what crosses into a page outside RAM or into the same page again. */
static bool cacheable(struct vcpu *v, const struct block *b, bool two, struct tlb_side *second)
{
    if (!b->ram || !two)
        return b->ram;
    return second_page(v, &b->key, b->guest_bytes, second) && second->ram &&
           (second->ram != b->ram || second->ram_offset != align_down(b->ram_offset, PAGE_SIZE));
}

static struct block *insert(struct engine *e, struct vcpu *v, struct block *b)
{
    struct tlb_side second = { 0 };
    bool two = crosses(&b->key, b->guest_bytes);
    if (!cacheable(v, b, two, &second)) {
        if (b->ram)
            mark_code(e, b->ram, b->ram_offset, b->guest_bytes);
        if (second.ram)
            mark_code(e, second.ram, second.ram_offset, b->guest_bytes);
        if (e->uncached)
            free_block(e, e->uncached);
        b->ram = NULL;
        return e->uncached = b;
    }
    if (two) {
        b->ram2 = second.ram;
        b->ram2_offset = second.ram_offset;
    }
    struct block **slot = hash_slot(e, hash(&b->key, b->ram_offset), b->limit);
    b->hash_next = *slot;
    *slot = b;
    add_to_page(e, b, 0);
    if (two)
        add_to_page(e, b, 1);
    e->bytes += b->bytes;
    e->stats.blocks_now++;
    return b;
}

/* Does the second page still map where the block was translated from?  *fault: it cannot be fetched. */
static bool second_page_matches(struct vcpu *v, const struct block *b, bool *fault)
{
    struct tlb_side second;
    if (!b->ram2)
        return true;
    *fault = !second_page(v, &b->key, b->guest_bytes, &second);
    return !*fault && second.ram == b->ram2 && second.ram_offset == b->ram2_offset;
}

/* Does the TLB say that b, which lies in one page, is where it was? */
static bool still_mapped(struct vcpu *v, const struct block *b)
{
    struct tlb_side s;
    return tlb_peek(v, b->key.va, ACCESS_EXEC, b->key.fetch_mode, &s) && s.ram == b->ram &&
           s.ram_offset == align_down(b->ram_offset, PAGE_SIZE);
}

bool cache_place(struct vcpu *v, const struct block_key *key, struct cache_place *at)
{
    if (!tlb_resolve(v, key->va, ACCESS_EXEC, key->fetch_mode, &at->side))
        return false;
    at->offset = at->side.ram_offset + (key->va & TLB_PAGE_MASK);
    at->hash = hash(key, at->offset);
    return true;
}

struct block *cache_find(struct engine *e, struct vcpu *v, const struct block_key *key, const struct cache_place *at,
                         unsigned limit)
{
    bool fault = false;
    e->stats.lookups++;
    struct block *b = at->side.ram ? *hash_slot(e, at->hash, limit) : NULL;
    for (; b; b = b->hash_next)
        if (b->ram_offset == at->offset && same_key(&b->key, key) && b->ram == at->side.ram && b->limit == limit &&
            second_page_matches(v, b, &fault))
            break;
    if (fault)
        return NULL;
    if (!b) {
        b = translate(e, v, key, at->side.ram ? limit : 1, &at->side);
        if (!b)
            return NULL;
        b = insert(e, v, b);
    }
    if (!limit && b->ram && !b->ram2)
        e->jump[jump_slot(key->va)] = b;
    return b;
}

struct block *cache_guess(struct engine *e, struct vcpu *v, const struct block *from, uint64_t pc)
{
    uint64_t va = (pc + from->key.cs_base) & from->key.va_mask;
    struct block *b = e->config.trace.unchained ? NULL : e->jump[jump_slot(va)];
    if (!b || b->key.pc != pc || b->key.flags != from->key.flags || b->key.cs_base != from->key.cs_base)
        return NULL;
    return still_mapped(v, b) ? b : NULL;
}
