/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86 paging without a TLB, over a plain array of bytes: what is right. */
#ifndef REPRISE_TESTS_WALK_REF_H
#define REPRISE_TESTS_WALK_REF_H

#include <stdbool.h>
#include <stdint.h>

enum ref_kind { REF_32, REF_PAE, REF_LONG };

struct ref_cpu {
    enum ref_kind kind;
    bool wp, nxe, pse, smep;
    uint64_t cr3, pdpte[4];
};

struct ref_memory {
    uint8_t *byte;
    uint64_t size;
};

/* access: enum access; user: CPL 3; smap: supervisor with SMAP enforced.  -1: *pa is set, accessed and dirty
 * bits too; else the page-fault error code. */
int ref_walk(const struct ref_cpu *c, struct ref_memory *m, uint64_t va, unsigned access, bool user, bool smap,
             uint64_t *pa);

uint64_t ref_read(const struct ref_memory *m, uint64_t pa, unsigned size);
void ref_write(struct ref_memory *m, uint64_t pa, unsigned size, uint64_t value);

#endif
