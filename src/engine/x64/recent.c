/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recent pages (struct recent, vcpu/vcpu.h): which blocks are worth them, and
 * whose they are.
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

void x64_recent_init(struct jit *j)
{
    for (unsigned k = RECENT_PAGES; k-- > 0;) {
        j->recent_next[k] = j->recent_free;
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
    while (j->recent_next[last - 1])
        last = j->recent_next[last - 1];
    j->recent_next[last - 1] = j->recent_free;
    j->recent_free = list;
}

unsigned x64_recent_take(struct compiler *c)
{
    struct jit *j = c->j;
    uint16_t n = j->recent_free;
    if (!n || (c->b->ram && x64_has_place(j->wandering, c->b->ram, c->b->ram_offset + c->b->insn[c->insn].from_start)))
        return 0;
    /* What it holds may be of an access of another size. */
    for (unsigned i = 0; j->recent_freed && i < c->e->n_vcpus; i++)
        tlb_drop_recent(c->e->vcpu[i]);
    j->recent_freed = false;
    j->recent_free = j->recent_next[n - 1];
    j->recent_next[n - 1] = c->recent;
    j->recent_insn[n - 1] = (uint8_t)c->insn;
    j->recent->at[n - 1].wanders = 0;
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

/*
 * Does b have accesses that look at their recent pages in vain?  From one sample of a block to the next it runs about
 * as often as it would if it alone ran for one budget.
 */
static bool wanders(struct engine *e, struct block *b)
{
    struct jit *j = jit_of(e);
    uint64_t many = (uint64_t)e->budget / b->n_insns / WANDERING_SHARE;
    bool found = false;
    for (unsigned n = ((struct x64_code *)b->code)->recent; n; n = j->recent_next[n - 1]) {
        struct recent_page *p = &j->recent->at[n - 1];
        if (p->wanders > many && p->wanders > MANY_MISSES) {
            x64_add_place(j->wandering, b->ram, b->ram_offset + b->insn[j->recent_insn[n - 1]].from_start);
            found = true;
        }
        p->wanders = 0;
    }
    return found;
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
    if (wanted == code->hot && !(wanted && wanders(e, b)))
        return;
    if (wanted && !code->hot)
        rethink(e, b);
    if (wanted)
        x64_add_place(j->hot, b->ram, b->ram_offset);
    else
        x64_remove_place(j->hot, b->ram, b->ram_offset);
    cache_kill(e, b);
}
