/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exits to other pages.  That the target's page is mapped as it was when the exit was chained need not be asked of the
 * TLB each time: it is asked once, and trusted until mappings change (struct recent).  All exits to one page share the
 * word that says so.
 *
 * Invariants
 *  1. A word is 0 (trusted) only while fetches in its mode find its page where it is expected.
 *  2. An exit that was never chained looks at the word of no page, which is never 0, and expects an addend that there
 *     is not; so it asks in vain, and leaves.
 */
#include "engine/x64/jit.h"

void x64_links_init(struct jit *j)
{
    for (unsigned k = 0; k < LINK_PAGES; k++)
        j->data->link[k] = j->recent->doubt;
    memset(j->link_page, 0, sizeof j->link_page);
    j->n_link_pages = 0;
}

/* What the TLB adds to addresses of the page at va while it maps that place in RAM. */
uint64_t x64_addend(const struct ram *ram, uint64_t offset, uint64_t va)
{
    return (uint64_t)(uintptr_t)(ram->host + align_down(offset, PAGE_SIZE)) - align_down(va, PAGE_SIZE);
}

/* The word of the page that b lies in; NULL: there are too many. */
static uint64_t *word_of(struct jit *j, const struct block *b)
{
    unsigned most = j->few_links ? 16 : LINK_PAGES / 4 * 3;
    uint64_t addend = x64_addend(b->ram, b->ram_offset, b->key.va), page = align_down(b->key.va, PAGE_SIZE);
    uint64_t key = page | b->key.fetch_mode | LINK_USED;
    unsigned at = (unsigned)((key + addend) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - LINK_BITS));
    for (;; at = (at + 1) % LINK_PAGES) {
        struct x64_link_page *p = &j->link_page[at];
        if (p->key == key && p->addend == addend)
            return &j->data->link[at];
        if (at && !p->key) {                           /* 0 is of no page */
            if (j->n_link_pages == most)
                return NULL;
            j->n_link_pages++;
            *p = (struct x64_link_page){ key, addend };
            return &j->data->link[at];
        }
    }
}

/* Points the operands that end there at the word. */
static void look_at(struct jit *j, uint8_t *start, const struct x64_exit *x, const uint64_t *word)
{
    const uint8_t *as_written = (const uint8_t *)word - j->exec_delta;
    x64_patch32(start + x->trusted - 1 - 4, as_written - 1);       /* a byte follows the operand */
    x64_patch32(start + x->trust - 4, as_written);
}

void x64_chained(struct engine *e, struct block *b, unsigned slot)
{
    struct jit *j = jit_of(e);
    struct x64_code *code = b->code;
    const struct block *to = b->link[slot].to;
    const struct x64_exit *x = &code->exit[slot];
    x64_memory_writes(e, code->start + x->field, 4);
    if (x->addend) {
        uint64_t *word = word_of(j, to);
        if (!word) {                                   /* once in a long while */
            cache_unchain_pages(e, &b->link[slot]);
            for (unsigned i = 0; i < e->n_vcpus; i++)
                tlb_drop_recent(e->vcpu[i]);
            x64_links_init(j);
            word = word_of(j, to);
        }
        x64_memory_writes(e, code->start + x->addend, 8);
        x64_memory_writes(e, code->start + x->trusted - 5, 4);
        x64_memory_writes(e, code->start + x->trust - 4, 4);
        store_le(code->start + x->addend, 8, x64_addend(to->ram, to->ram_offset, to->key.va));
        look_at(j, code->start, x, word);
    }
    x64_patch32(code->start + x->field, ((struct x64_code *)to->code)->start);
    j->modified = true;
}

void x64_unchained(struct engine *e, struct block *b, unsigned slot)
{
    struct x64_code *code = b->code;
    const struct x64_exit *x = &code->exit[slot];
    x64_memory_writes(e, code->start + x->field, 4);
    x64_patch32(code->start + x->field, code->start + x->stub);
    jit_of(e)->modified = true;
}
