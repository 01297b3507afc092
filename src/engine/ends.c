/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions that must be the last of their block, by their places in RAM: what enters devices, and what overwrites
 * code or page tables in use, is begun again until it is (EXIT_RETRY_LAST); so from the first time on it is translated
 * that way.
 *
 * Whoever looks finds a bit by a hash of the place first, which is seldom set; then there is the list.  When that is
 * full the bit must do: two places that share it only make a block shorter than it need be.
 */
#include <stdlib.h>

#include "engine/impl.h"

enum { MAX_ENDS = 1 << 12 };

struct end_place {
    const struct ram *ram;
    uint64_t offset;
};

void ends_init(struct engine *e) { e->ends = NEW_ARRAY(struct end_place, MAX_ENDS); }
void ends_fini(struct engine *e) { free(e->ends); }

static uint64_t *bit_of(struct engine *e, const struct ram *ram, uint64_t offset, uint64_t *bit)
{
    uint64_t h = (offset + ram->size) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
    *bit = UINT64_C(1) << (h & 63);
    return &e->ends_bits[h >> 6 & (END_WORDS - 1)];
}

bool ends_has(struct engine *e, const struct ram *ram, uint64_t offset)
{
    uint64_t bit;
    if (!(*bit_of(e, ram, offset, &bit) & bit))
        return false;
    if (e->n_ends == MAX_ENDS)
        return true;
    for (size_t k = 0; k < e->n_ends; k++)
        if (e->ends[k].offset == offset && e->ends[k].ram == ram)
            return true;
    return false;
}

void ends_add(struct engine *e, const struct ram *ram, uint64_t offset)
{
    uint64_t bit;
    if (ends_has(e, ram, offset))
        return;
    if (e->n_ends < MAX_ENDS)
        e->ends[e->n_ends++] = (struct end_place){ ram, offset };
    *bit_of(e, ram, offset, &bit) |= bit;
}
