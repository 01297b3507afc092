/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcpu/tlb_impl.h"

static unsigned page_room(uint64_t va) { return PAGE_SIZE - (unsigned)(va & TLB_PAGE_MASK); }

/* Devices are entered, and code and page tables in use overwritten, from a block's last instruction only (vcpu.h). */
static bool must_be_last(struct vcpu *v)
{
    if (!v->pos.in_block || v->at_last_insn)
        return true;
    v->exit = EXIT_RETRY_LAST;
    return false;
}

bool mmu_may_mark(struct vcpu *v, const struct mmu_entry *entry, unsigned size)
{
    return !entry->ram || !ram_hits_code(entry->ram, entry->offset, size) || must_be_last(v);
}

static uint8_t *host_of(const struct tlb_side *s, uint64_t va)
{
    return s->ram->host + s->ram_offset + (va & TLB_PAGE_MASK);
}

/* One piece within a page whose translation is s. */
static bool load_piece(struct vcpu *v, const struct tlb_side *s, uint64_t va, void *out, unsigned len)
{
    if (s->ram) {
        memcpy(out, host_of(s, va), len);
        return true;
    }
    if (!must_be_last(v))
        return false;
    space_read(v->mem, s->pa + (va & TLB_PAGE_MASK), out, len);
    return true;
}

/* May a store to this piece go ahead now? */
static bool store_allowed(struct vcpu *v, const struct tlb_side *s, uint64_t va, unsigned len)
{
    uint64_t offset = s->ram_offset + (va & TLB_PAGE_MASK);
    bool plain = s->ram && s->writable && !ram_hits_code(s->ram, offset, len) && !ram_hits_table(s->ram, offset, len);
    return plain || must_be_last(v);
}

static void store_piece(struct vcpu *v, const struct tlb_side *s, unsigned mode, uint64_t va, const void *data,
                        unsigned len)
{
    if (!s->ram || !s->writable) {
        space_write(v->mem, s->pa + (va & TLB_PAGE_MASK), data, len);
        return;
    }
    ram_note_write(s->ram, s->ram_offset + (va & TLB_PAGE_MASK), len);
    memcpy(host_of(s, va), data, len);
    tlb_open_page(v, va, mode, s);
}

/* ---- any length up to a page -------------------------------------------------------- */

bool vcpu_load_bytes(struct vcpu *v, uint64_t va, void *out, unsigned len, unsigned mode)
{
    unsigned first = page_room(va) < len ? page_room(va) : len;
    struct tlb_side lower, upper;
    if (!tlb_resolve(v, va, ACCESS_READ, mode, &lower))
        return false;
    if (first == len)
        return load_piece(v, &lower, va, out, len);
    if (!tlb_resolve(v, va + first, ACCESS_READ, mode, &upper) || !((lower.ram && upper.ram) || must_be_last(v)))
        return false;
    return load_piece(v, &lower, va, out, first) && load_piece(v, &upper, va + first, (char *)out + first, len - first);
}

bool vcpu_store_bytes(struct vcpu *v, uint64_t va, const void *data, unsigned len, unsigned mode)
{
    unsigned first = page_room(va) < len ? page_room(va) : len;
    struct tlb_side lower, upper;
    if (!tlb_resolve(v, va, ACCESS_WRITE, mode, &lower) || !store_allowed(v, &lower, va, first))
        return false;
    if (first < len && (!tlb_resolve(v, va + first, ACCESS_WRITE, mode, &upper) ||
                        !store_allowed(v, &upper, va + first, len - first)))
        return false;
    store_piece(v, &lower, mode, va, data, first);
    if (first < len)
        store_piece(v, &upper, mode, va + first, (const char *)data + first, len - first);
    return true;
}

/* ---- integers -------------------------------------------------------------------------- */

bool vcpu_load(struct vcpu *v, uint64_t va, unsigned size, unsigned mode, unsigned flags, uint64_t *value)
{
    unsigned char bytes[8] = { 0 };
    if (flags & MEM_WRITE_INTENT && !vcpu_probe(v, va, size, ACCESS_WRITE, mode))
        return false;
    const struct tlb_entry *e = tlb_slot(v, mode, va);
    if (e->tag[ACCESS_READ] == ((va + size - 1) & ~(uint64_t)TLB_PAGE_MASK)) {
        *value = load_le((const void *)(uintptr_t)(va + e->addend), size);
        return true;
    }
    /* A device register is read in one access of its size, not byte by byte. */
    struct tlb_side s;
    if (!tlb_resolve(v, va, ACCESS_READ, mode, &s))
        return false;
    if (likely(s.ram && page_room(va) >= size)) {
        *value = load_le(host_of(&s, va), size);
        return true;
    }
    if (!s.ram && page_room(va) >= size) {
        if (!must_be_last(v))
            return false;
        *value = space_load(v->mem, s.pa + (va & TLB_PAGE_MASK), size);
        return true;
    }
    if (!vcpu_load_bytes(v, va, bytes, size, mode))
        return false;
    *value = load_le(bytes, 8);
    return true;
}

bool vcpu_store(struct vcpu *v, uint64_t va, unsigned size, unsigned mode, uint64_t value)
{
    unsigned char bytes[8];
    const struct tlb_entry *e = tlb_slot(v, mode, va);
    if (e->tag[ACCESS_WRITE] == ((va + size - 1) & ~(uint64_t)TLB_PAGE_MASK)) {
        store_le((void *)(uintptr_t)(va + e->addend), size, value);
        return true;
    }
    struct tlb_side s;
    if (!tlb_resolve(v, va, ACCESS_WRITE, mode, &s))
        return false;
    if (!s.ram && page_room(va) >= size) {
        if (!must_be_last(v))
            return false;
        space_store(v->mem, s.pa + (va & TLB_PAGE_MASK), size, value);
        return true;
    }
    if (likely(page_room(va) >= size)) {
        if (!store_allowed(v, &s, va, size))
            return false;
        store_le(bytes, 8, value);
        store_piece(v, &s, mode, va, bytes, size);
        return true;
    }
    store_le(bytes, 8, value);
    return vcpu_store_bytes(v, va, bytes, size, mode);
}

/* ---- probes, bulk access, fetches ------------------------------------------------------- */

static bool probe_piece(struct vcpu *v, uint64_t va, unsigned len, enum access access, unsigned mode)
{
    struct tlb_side s;
    if (!tlb_resolve(v, va, access, mode, &s))
        return false;
    return access == ACCESS_WRITE ? store_allowed(v, &s, va, len) : s.ram || must_be_last(v);
}

bool vcpu_probe(struct vcpu *v, uint64_t va, unsigned len, enum access access, unsigned mode)
{
    unsigned first = page_room(va) < len ? page_room(va) : len;
    return probe_piece(v, va, first, access, mode) &&
           (first == len || probe_piece(v, va + first, len - first, access, mode));
}

void *vcpu_host_ptr(struct vcpu *v, uint64_t va, unsigned len, enum access access, unsigned mode)
{
    struct tlb_side s;
    if (page_room(va) < len || !tlb_resolve(v, va, access, mode, &s) || !s.ram)
        return NULL;
    if (access == ACCESS_WRITE) {
        uint64_t offset = s.ram_offset + (va & TLB_PAGE_MASK);
        if (!s.writable || ram_hits_code(s.ram, offset, len) || ram_hits_table(s.ram, offset, len))
            return NULL;
        ram_note_write(s.ram, s.ram_offset + (va & TLB_PAGE_MASK), len);
        tlb_open_page(v, va, mode, &s);
    }
    return host_of(&s, va);
}

bool vcpu_fetch(struct vcpu *v, uint64_t va, unsigned mode, void *out, unsigned len, uint64_t *pa)
{
    struct tlb_side s;
    if (!tlb_resolve(v, va, ACCESS_EXEC, mode, &s))
        return false;
    unsigned first = page_room(va) < len ? page_room(va) : len;
    if (pa)
        *pa = s.pa + (va & TLB_PAGE_MASK);
    if (s.ram)
        memcpy(out, host_of(&s, va), first);
    else
        space_read(v->mem, s.pa + (va & TLB_PAGE_MASK), out, first);
    return first == len || vcpu_fetch(v, va + first, mode, (char *)out + first, len - first, NULL);
}
