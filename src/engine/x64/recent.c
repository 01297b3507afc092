/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recent pages (struct recent, vcpu/vcpu.h): which blocks are worth them, whose
 * they are, and which accesses have several.
 *
 * A block at which budgets end often is hot: it is translated again, its accesses get a recent page each, and it goes
 * on where its branches mostly lead (ir_guide).  The samples come by themselves, as timers end budgets.  Nothing here
 * can be seen by the guest.
 *
 * Invariants
 *  1. A recent page belongs to one access of one block, or is on the list of free ones.
 *  2. Only the vCPU that runs has them (vcpu.recent); when another one's turn comes they are dropped.
 */
#include "engine/x64/compiler.h"
#include "vcpu/softmmu.h"

void x64_recent_init(struct jit *j)
{
    for (unsigned k = RECENT_PAGES; k-- > 0;) {
        j->recent_of[k].next = j->recent_free;
        j->recent_free = (uint16_t)(k + 1);
    }
}

/* ---- whose ------------------------------------------------------------------------------------ */

void x64_recent_free(struct engine *e, uint16_t list)
{
    struct jit *j = jit_of(e);
    if (!list)
        return;
    j->recent_freed = true;
    uint16_t last = list;
    while (j->recent_of[last - 1].next)
        last = j->recent_of[last - 1].next;
    j->recent_of[last - 1].next = j->recent_free;
    j->recent_free = list;
}

unsigned x64_recent_take(struct compiler *c, const struct asked *q)
{
    struct jit *j = c->j;
    uint16_t n = j->recent_free;
    uint64_t place = x64_insn_place(c->b, c->insn);
    bool wide = !q->is_const && c->b->ram && x64_has_place(j->wide, c->b->ram, place);
    if (!n || (c->b->ram && x64_has_place(j->wandering, c->b->ram, place)))
        return 0;
    /* What it holds may be of an access of another size. */
    for (unsigned i = 0; j->recent_freed && i < c->e->n_vcpus; i++)
        tlb_drop_recent(c->e->vcpu[i]);
    j->recent_freed = false;
    j->recent_free = j->recent_of[n - 1].next;
    j->recent_of[n - 1] = (struct x64_recent){ .next = c->recent, .size = (uint16_t)(q->hi - q->lo),
                                               .insn = (uint8_t)c->insn, .mode = (uint8_t)q->mode,
                                               .access = (uint8_t)q->access, .wide = wide };
    j->recent->at[n - 1].wanders = 0;
    j->recent->missed[n - 1] = UINT64_MAX;
    c->recent = n;
    return n;
}

void x64_recent_turn(struct engine *e, struct vcpu *v)
{
    for (unsigned i = 0; i < e->n_vcpus; i++) {
        tlb_drop_recent(e->vcpu[i]);
        e->vcpu[i]->recent = NULL;
    }
    v->recent = jit_of(e)->recent;
}

/* ---- which blocks ------------------------------------------------------------------------------ */

enum { HOT_STOPS = 4, HOT_WITHIN = 32, MANY_MISSES = 32, WANDERING_SHARE = 8 };

/* Is it outside of its several pages often, sample after sample? */
static bool strays(struct jit *j, unsigned n, uint64_t many)
{
    enum { STRIKES = 8 };
    struct x64_recent *r = &j->recent_of[n];
    const struct recent_page *p = &j->recent->at[n];
    if (p->span)                                   /* else it could not but miss */
        r->strikes = p->wanders > many ? (uint8_t)(r->strikes + 1) : 0;
    return r->strikes >= STRIKES;
}

/*
 * Does b have accesses that look at their recent pages in vain?  They get several pages next time, and none if that was
 * no better.  From one sample of a block to the next it runs about as often as it would if it alone ran for one budget.
 */
static bool wanders(struct engine *e, struct block *b)
{
    struct jit *j = jit_of(e);
    uint64_t many = (uint64_t)e->budget / b->n_insns / WANDERING_SHARE;
    bool found = false;
    for (unsigned n = ((struct x64_code *)b->code)->recent; n; n = j->recent_of[n - 1].next) {
        struct recent_page *p = &j->recent->at[n - 1];
        const struct x64_recent *r = &j->recent_of[n - 1];
        if (r->wide ? strays(j, n - 1, many) : p->wanders > many && p->wanders > MANY_MISSES) {
            x64_add_place(r->wide ? j->wandering : j->wide, b->ram, x64_insn_place(b, r->insn));
            found = true;
        }
        p->wanders = 0;
    }
    return found;
}

/* ---- several pages ---------------------------------------------------------------------------- */

/* Is the page where the one with this addend has it, for such accesses, by the TLB? */
static bool is_neighbour(const struct vcpu *v, const struct x64_recent *r, uint64_t page, uint64_t addend)
{
    const struct tlb_entry *t = tlb_slot(v, r->mode, page);
    return t->tag[r->access] == page && t->addend == addend;
}

/* The pages around the one that was missed become the recent ones, if they are more than those are. */
static void widen(struct vcpu *v, struct recent *recent, const struct x64_recent *r, uint32_t n)
{
    enum { MAX_SIDE = 512 };
    struct recent_page *p = &recent->at[n];
    uint64_t page = recent->missed[n], lo = page, hi = page;
    if (page == UINT64_MAX)
        return;
    recent->missed[n] = UINT64_MAX;
    uint64_t addend = tlb_slot(v, r->mode, page)->addend;
    if (!is_neighbour(v, r, page, addend))             /* the TLB has lost it since */
        return;
    while (page - lo < MAX_SIDE * PAGE_SIZE && lo && is_neighbour(v, r, lo - PAGE_SIZE, addend))
        lo -= PAGE_SIZE;
    while (hi - page < MAX_SIDE * PAGE_SIZE && hi + PAGE_SIZE && is_neighbour(v, r, hi + PAGE_SIZE, addend))
        hi += PAGE_SIZE;
    uint64_t span = hi + PAGE_SIZE - lo - r->size + 1;
    if (span <= p->span)
        return;
    if (!p->span)
        recent->list[recent->n++] = n;
    p->page = lo;
    p->addend = addend;
    p->span = span;
}

static void widen_all(struct engine *e, const struct block *b)
{
    struct jit *j = jit_of(e);
    for (unsigned i = 0; i < e->n_vcpus; i++) {
        struct vcpu *v = e->vcpu[i];
        if (v->recent != j->recent)
            continue;
        for (unsigned n = ((struct x64_code *)b->code)->recent; n; n = j->recent_of[n - 1].next)
            if (j->recent_of[n - 1].wide)
                widen(v, j->recent, &j->recent_of[n - 1], n - 1);
    }
}

/*
 * Is b met often?  Each time soon after the one before, so only what takes a percent or more of the time: a page for
 * each access is more memory than the TLB's entries, which accesses share.
 */
static bool is_met_often(struct jit *j, struct x64_code *code)
{
    uint64_t now = j->n_samples;
    code->stops = now - code->stopped_at <= HOT_WITHIN ? code->stops + 1u : 1;
    code->stopped_at = now;
    return code->stops >= HOT_STOPS;
}

enum { WINDOW = 64, REST = 4096, MAX_REST_BITS = 8, HITS_TO_PAY = 64 };

/*
 * Do recent pages pay at present?  Where page tables and address spaces change all the time they are dropped before
 * they have been of use.  Then blocks do without them for some thousand samples, the longer the more often that turned
 * out so.
 */
static bool recent_pages_pay(struct engine *e)
{
    struct jit *j = jit_of(e);
    struct x64_window *w = &j->window;
    w->positions += (uint64_t)e->budget;
    if (j->n_samples - w->began >= WINDOW) {
        bool pay = (j->recent->n_dropped - w->dropped) * HITS_TO_PAY < w->positions;
        if (!pay && w->rest_until <= j->n_samples) {
            w->rest_until = j->n_samples + (REST << w->rest_bits);
            w->rest_bits += w->rest_bits < MAX_REST_BITS;
        }
        *w = (struct x64_window){ j->n_samples, w->rest_until, w->rest_bits, 0, j->recent->n_dropped };
    }
    return w->rest_until <= j->n_samples;
}

/* Hot blocks with a way to b are translated again: it may be the way that they mostly take (ir_guide). */
static void rethink(struct engine *e, struct block *b)
{
    for (struct block_link *l = b->incoming, *next; l; l = next) {
        next = l->next;
        struct block *from = l->from;
        if (from == b || from->limit || !((struct x64_code *)from->code)->hot)
            continue;
        cache_kill(e, from);
        next = b->incoming;
    }
}

/* Old samples count half of what new ones do. */
static void note_often(struct jit *j, const struct block *b, unsigned n_insns)
{
    if (j->n_samples % OFTEN_PLACES == 0)
        for (unsigned k = 0; k < OFTEN_PLACES; k++)
            j->often[k] /= 2;
    j->often[x64_often_index(b->ram, b->ram_offset)] += OFTEN_SAMPLE / n_insns;
}

void x64_recent_sample(struct engine *e, struct block *b, unsigned n_insns)
{
    struct x64_code *code = b->code;
    if (!b->ram || b->limit || b->dead)
        return;
    struct jit *j = jit_of(e);
    j->n_samples++;
    note_often(j, b, n_insns);
    bool pay = recent_pages_pay(e);
    bool wanted = pay && (code->hot || is_met_often(j, code));
    if (wanted == code->hot && !(wanted && wanders(e, b))) {
        widen_all(e, b);
        return;
    }
    if (wanted && !code->hot)
        rethink(e, b);
    if (wanted)
        x64_add_place(j->hot, b->ram, b->ram_offset);
    else
        x64_remove_place(j->hot, b->ram, b->ram_offset);
    cache_kill(e, b);
}
