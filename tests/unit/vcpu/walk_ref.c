/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "walk_ref.h"

#include "base/bits.h"

uint64_t ref_read(const struct ref_memory *m, uint64_t pa, unsigned size)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)(pa + i < m->size ? m->byte[pa + i] : 0xff) << 8 * i;
    return v;
}

void ref_write(struct ref_memory *m, uint64_t pa, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        if (pa + i < m->size)
            m->byte[pa + i] = (uint8_t)(value >> 8 * i);
}

struct found {
    uint64_t at, value;
};

/* Bits that must be zero in an entry at this level (SDM vol. 3, 4.3 to 4.5), for 40 physical address bits. */
static uint64_t reserved(const struct ref_cpu *c, unsigned shift, bool large)
{
    if (c->kind == REF_32)
        return large ? 1 << 21 : 0;
    uint64_t r = UINT64_C(0xfff0000000000);
    if (!c->nxe)
        r |= UINT64_C(1) << 63;
    if (c->kind == REF_PAE)
        r |= UINT64_C(0x7ff) << 52;
    if (large)
        r |= shift == 30 ? 0x3fffe000 : 0x1fe000;
    if (shift == 39)
        r |= 0x80;
    return r;
}

int ref_walk(const struct ref_cpu *c, struct ref_memory *m, uint64_t va, unsigned access, bool user, bool smap,
             uint64_t *pa)
{
    static const unsigned first[] = { 22, 21, 39 };
    bool write = access == 1, exec = access == 2;
    unsigned size = c->kind == REF_32 ? 4 : 8, step = c->kind == REF_32 ? 10 : 9, n = 0;
    struct found found[4];
    int why = (write ? 2 : 0) | (user ? 4 : 0) | (exec && ((c->kind != REF_32 && c->nxe) || c->smep) ? 16 : 0);
    uint64_t table = c->cr3 & ~UINT64_C(0xfff), all = 6, nx = 0;
    if (c->kind == REF_PAE) {
        table = c->pdpte[va >> 30 & 3];
        if (!(table & 1))
            return why;
        table &= UINT64_C(0xffffffffff000);
    }
    for (unsigned shift = first[c->kind];; shift -= step) {
        uint64_t at = table + size * (va >> shift & ((1u << step) - 1));
        uint64_t e = ref_read(m, at, size);
        if (!(e & 1))
            return why;
        bool large = e & 0x80 && (c->kind == REF_32 ? shift == 22 && c->pse : shift == 21 || shift == 30);
        if (e & reserved(c, shift, large))
            return why | 9;
        found[n++] = (struct found){ at, e };
        all &= e;
        nx |= e >> 63;
        table = e & UINT64_C(0xffffffffff000);
        if (shift == 12 || large) {
            uint64_t within = va & ((UINT64_C(1) << shift) - 1);
            if (c->kind == REF_32 && large)
                table = (e & 0xffc00000) | (e >> 13 & 0xff) << 32;
            *pa = (table & ~((UINT64_C(1) << shift) - 1)) | within;
            break;
        }
    }
    bool user_page = all & 4, writable = all & 2;
    bool ok = user ? user_page : !(smap && user_page && !exec);
    if (write && !writable && (user || c->wp))
        ok = false;
    if (exec && ((c->nxe && nx) || (!user && user_page && c->smep)))
        ok = false;
    if (!ok)
        return why | 1;
    for (unsigned i = 0; i < n; i++)
        ref_write(m, found[i].at, size, found[i].value | 0x20 | (write && i == n - 1 ? 0x40 : 0));
    return -1;
}
