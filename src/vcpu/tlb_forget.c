/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the TLB must take back: translations whose page-table entries are
 * written, and the right to store unseen: to pages that came to hold code or
 * page tables, and to all when who follows stores begins anew.  Nothing else is
 * ever required.
 */
#include "vcpu/tlb_impl.h"

enum { PROBES = 64 };     /* up to so many pages are looked for one by one */

static bool within(uint64_t page, uint64_t lo, uint64_t hi) { return page >= lo && page <= hi; }

/* ---- what translated code found ------------------------------------------------------------------ */

static void drop_trusted(struct vcpu *v)
{
    struct recent *r = v->recent;
    for (uint32_t i = 0; r && i < r->n_trusted; i++)
        *r->trusted[i] = r->doubt;
    if (!r)
        return;
    r->n_trusted = 0;
    r->changed = 1;
}

static void drop_pages(struct vcpu *v)
{
    struct recent *r = v->recent;
    for (uint32_t i = 0; r && i < r->n; i++)
        r->at[r->list[i]].span = 0;
    if (!r)
        return;
    r->n_dropped += r->n;
    r->n = 0;
}

void tlb_drop_recent(struct vcpu *v)
{
    drop_pages(v);
    drop_trusted(v);
}

/* Looking at the list costs, too: about as much as dropping so many. */
static void note_search(struct recent *r)
{
    enum { LOOKS = 16 };
    if (r)
        r->n_dropped += r->n / LOOKS;
}

/* Bytes of the pages that it goes to. */
static uint64_t reach(const struct recent_page *p) { return align_up(p->span, PAGE_SIZE); }

/* Those of the pages [lo, hi]; all when there are many, which costs less than to look. */
static void drop_range(struct vcpu *v, uint64_t lo, uint64_t hi)
{
    enum { MANY = 512 };
    struct recent *r = v->recent;
    if (r && r->n > MANY)
        drop_pages(v);
    note_search(r);
    for (uint32_t i = 0; r && i < r->n;) {
        struct recent_page *p = &r->at[r->list[i]];
        if (!within(p->page, lo, hi) && lo - p->page >= reach(p)) {
            i++;
            continue;
        }
        p->span = 0;
        r->list[i] = r->list[--r->n];
    }
}

/* Those that let stores through to the page of RAM at host, and loads with them. */
static void drop_host_page(struct vcpu *v, uint64_t host)
{
    struct recent *r = v->recent;
    note_search(r);
    for (uint32_t i = 0; r && i < r->n;) {
        struct recent_page *p = &r->at[r->list[i]];
        if (host - (p->page + p->addend) >= reach(p)) {
            i++;
            continue;
        }
        p->span = 0;
        r->list[i] = r->list[--r->n];
    }
}

/* ---- translations ------------------------------------------------------------------------------ */

static void forget_in_table(struct tlb_table *t, uint64_t lo, uint64_t hi)
{
    if (!t->memory)
        return;
    uint64_t mask = (UINT64_C(1) << t->bits) - 1;
    if ((hi - lo) >> PAGE_BITS < PROBES) {
        for (uint64_t page = lo; page <= hi && page >= lo; page += PAGE_SIZE) {
            struct tlb_entry *e = &t->entry[page >> PAGE_BITS & mask];
            if (tlb_entry_page(e) == page)
                tlb_invalidate(e);
        }
        return;
    }
    for (uint64_t i = 0; i <= mask; i++)
        if (within(tlb_entry_page(&t->entry[i]), lo, hi))
            tlb_invalidate(&t->entry[i]);
}

/* Everything about the pages [lo, hi]; regions too if entries above the last level changed. */
static void forget(struct tlb_set *s, uint64_t lo, uint64_t hi, bool regions)
{
    for (unsigned m = 0; m < MMU_MODES; m++)
        forget_in_table(&s->table[m], lo, hi);
    for (unsigned i = 0; i < TLB_VICTIMS; i++)
        if (within(align_down(s->victim[i].key, PAGE_SIZE), lo, hi))
            s->victim[i].key = UINT64_MAX;
    for (unsigned i = 0; regions && i < TLB_REGIONS; i++)
        if (within(s->region[i].tag, lo >> MMU_REGION_BITS, hi >> MMU_REGION_BITS))
            s->region[i].tag = UINT64_MAX;
}

/*
 * Entries above the last level change one after the other when an address space is made or freed.  It is not the
 * current one then, and emptying it once when it is selected again is less work than a search each time.
 */
static void forget_in_set(struct vcpu *v, struct tlb_set *s, uint64_t lo, uint64_t hi, bool above)
{
    if (above && s != v->tlb->now)
        s->live = false;
    else
        forget(s, lo, hi, above);
}

static void forget_unit(struct vcpu *const *vcpu, unsigned n, const struct ram_table *t, unsigned unit)
{
    for (unsigned u = 0; u < t->n_uses; u++) {
        const struct table_use *use = &t->use[u];
        uint64_t index = (uint64_t)unit << TABLE_UNIT_BITS >> use->entry_bits;
        uint64_t lo = use->base + (index << use->shift);
        uint64_t hi = lo + (UINT64_C(1) << (TABLE_UNIT_BITS - use->entry_bits) << use->shift) - PAGE_SIZE;
        for (unsigned i = 0; i < n; i++)
            if (t->users & tlb_user_bit(vcpu[i], vcpu[i]->tlb->now))
                drop_range(vcpu[i], lo, hi);
        for (unsigned i = 0; i < n; i++)
            for (unsigned k = 0; k < TLB_SETS; k++) {
                struct tlb_set *s = &vcpu[i]->tlb->set[k];
                if (s->live && t->users & tlb_user_bit(vcpu[i], s))
                    forget_in_set(vcpu[i], s, lo, hi, use->shift > PAGE_BITS);
            }
    }
}

static bool above_last_level(const struct ram_table *t)
{
    for (unsigned u = 0; u < t->n_uses; u++)
        if (t->use[u].shift > PAGE_BITS)
            return true;
    return false;
}

/* Does what runs depend on the table?  The sets of other contexts are looked up afresh when they are selected. */
static bool used_now(struct vcpu *const *vcpu, unsigned n, const struct ram_table *t)
{
    for (unsigned i = 0; i < n; i++)
        if (t->users & tlb_user_bit(vcpu[i], vcpu[i]->tlb->now))
            return true;
    return false;
}

bool tlb_table_written(struct vcpu *const *vcpu, unsigned n, struct ram *ram, uint64_t offset, uint64_t len)
{
    const struct ram_table *t = ram->table[offset >> PAGE_BITS];
    unsigned first = (unsigned)(offset & (PAGE_SIZE - 1)) >> TABLE_UNIT_BITS;
    unsigned last = (unsigned)((offset + len - 1) & (PAGE_SIZE - 1)) >> TABLE_UNIT_BITS;
    bool ambiguous = t->n_uses > TABLE_USES, now = used_now(vcpu, n, t);
    bool code = ambiguous || (now && above_last_level(t));
    for (unsigned i = 0; ambiguous && i < n; i++)
        tlb_flush(vcpu[i]);
    for (unsigned unit = first; unit <= last; unit++) {
        if (!table_unit_marked(t, unit))
            continue;
        code |= now && table_unit_exec(t, unit);
        if (!ambiguous)
            forget_unit(vcpu, n, t, unit);
        ram_clear_unit(ram, offset, unit);
    }
    for (unsigned i = 0; i < n; i++) {
        if (code)
            drop_trusted(vcpu[i]);
        vcpu[i]->tlb->stats.forgotten++;
    }
    return code;
}

/* ---- stores --------------------------------------------------------------------------------------- */

/* Does it let stores through? */
static bool is_open(const struct tlb_entry *e) { return !(e->tag[ACCESS_WRITE] & TLB_PAGE_MASK); }

static void close_entry(struct tlb_entry *e, uint64_t host)
{
    if (is_open(e) && e->tag[ACCESS_WRITE] + e->addend == host)
        e->tag[ACCESS_WRITE] |= TLB_SLOW;
}

static void close_in_set(struct tlb_set *s, uint64_t host, uint64_t by_page)
{
    for (unsigned m = 0; m < MMU_MODES; m++) {
        struct tlb_table *t = &s->table[m];
        if (!t->memory)
            continue;
        for (uint64_t left = by_page; left; left &= left - 1)
            for (unsigned i = (unsigned)__builtin_ctzll(left); i < 1u << t->bits; i += 64)
                close_entry(&t->entry[i], host);
    }
    for (unsigned i = 0; i < TLB_VICTIMS; i++)
        if (s->victim[i].key != UINT64_MAX)
            close_entry(&s->victim[i].entry, host);
}

void tlb_protect(struct vcpu *const *vcpu, unsigned n, struct ram *ram, uint64_t ram_offset)
{
    struct ram_open *o = &ram->open[ram_offset >> PAGE_BITS];
    uint64_t host = (uint64_t)(uintptr_t)(ram->host + align_down(ram_offset, PAGE_SIZE));
    for (unsigned i = 0; i < n; i++) {
        vcpu[i]->stores_narrowed++;
        if (o->by_user)
            drop_host_page(vcpu[i], host);
        for (unsigned k = 0; k < TLB_SETS; k++) {
            struct tlb_set *s = &vcpu[i]->tlb->set[k];
            if (s->live && o->by_user & tlb_user_bit(vcpu[i], s))
                close_in_set(s, host, o->by_page);
        }
    }
    *o = (struct ram_open){ 0 };
}

static void close_all_in_set(struct tlb_set *s)
{
    for (unsigned m = 0; m < MMU_MODES; m++) {
        struct tlb_table *t = &s->table[m];
        for (unsigned i = 0; t->memory && t->life && i < 1u << t->bits; i++)
            if (is_open(&t->entry[i]))
                t->entry[i].tag[ACCESS_WRITE] |= TLB_SLOW;
    }
    for (unsigned i = 0; i < TLB_VICTIMS; i++)
        if (s->victim[i].key != UINT64_MAX && is_open(&s->victim[i].entry))
            s->victim[i].entry.tag[ACCESS_WRITE] |= TLB_SLOW;
}

void tlb_close(struct vcpu *v)
{
    v->stores_narrowed++;
    drop_pages(v);
    for (unsigned k = 0; k < TLB_SETS; k++)
        if (v->tlb->set[k].live)
            close_all_in_set(&v->tlb->set[k]);
}

/* ---- perturbation ---------------------------------------------------------------------------------- */

void tlb_perturb(struct vcpu *v, uint64_t random)
{
    struct tlb_set *s = &v->tlb->set[random % TLB_SETS];
    tlb_drop_recent(v);
    unsigned mode = (unsigned)(random >> 8) % MMU_MODES;
    switch (random >> 16 & 7) {
    case 0:
        tlb_flush(v);
        break;
    case 1:
        if (s->live)
            tlb_set_empty(v, s);
        break;
    case 2:
        if (s != v->tlb->now)
            s->live = false;
        break;
    case 3:
        for (unsigned i = 0; i < TLB_VICTIMS; i++)
            v->tlb->now->victim[i].key = UINT64_MAX;
        break;
    case 4:
        for (unsigned i = 0; i < TLB_REGIONS; i++)
            v->tlb->now->region[i].tag = UINT64_MAX;
        break;
    default:
        if (s->live && s->table[mode].memory)
            tlb_table_resize(v, s, mode, TLB_MIN_BITS + (unsigned)(random >> 24) % 4);
        break;
    }
}
