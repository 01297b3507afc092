/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine's registered structs: registration, encoding, hashing, printing. */
#include <stdlib.h>

#include <xxhash.h>

#include "state/walk.h"

struct state_set *state_set_new(void) { return NEW(struct state_set); }

void state_set_free(struct state_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        free(set->entry[i].name);
    free(set->entry);
    free(set);
}

void state_set_add(struct state_set *set, const char *name, const struct state_desc *desc, void *data,
                   void (*before_save)(void *opaque), void (*after_load)(void *opaque), void *opaque)
{
    for (size_t i = 0; i < set->n; i++)
        if (!strcmp(set->entry[i].name, name))
            panic("state '%s' is registered twice", name);
    if (set->n == set->cap) {
        set->cap = set->cap ? set->cap * 2 : 32;
        set->entry = alloc_resize(set->entry, set->cap, sizeof *set->entry);
    }
    set->entry[set->n++] = (struct state_entry){ alloc_string(name), desc, data, before_save, after_load, opaque };
}

size_t state_set_count(const struct state_set *set) { return set->n; }

const char *state_set_name(const struct state_set *set, size_t i) { return set->entry[i].name; }

static void prepare(const struct state_entry *e)
{
    if (e->before_save)
        e->before_save(e->opaque);
}

static void put_u32(struct buf *out, uint32_t v)
{
    unsigned char bytes[4];
    store_le(bytes, 4, v);
    buf_put(out, bytes, 4);
}

/*
 * count, then for each struct: name length, name, version, byte count, fields.
 * All numbers are 32-bit little-endian.
 */
void state_set_encode(struct state_set *set, struct buf *out)
{
    put_u32(out, (uint32_t)set->n);
    for (size_t i = 0; i < set->n; i++) {
        const struct state_entry *e = &set->entry[i];
        size_t name_len = strlen(e->name);
        prepare(e);
        put_u32(out, (uint32_t)name_len);
        buf_put(out, e->name, name_len);
        put_u32(out, e->desc->version);
        put_u32(out, (uint32_t)state_encoded_size(e->desc));
        state_encode_struct(e->desc, e->data, out);
    }
}

static uint64_t hash_entry(const struct state_entry *e, struct buf *scratch, uint64_t seed)
{
    prepare(e);
    scratch->len = 0;
    buf_put(scratch, e->name, strlen(e->name) + 1);
    state_encode_struct(e->desc, e->data, scratch);
    return XXH3_64bits_withSeed(scratch->data, scratch->len, seed);
}

uint64_t state_set_hash(struct state_set *set)
{
    struct buf scratch = { 0 };
    uint64_t h = 0;
    for (size_t i = 0; i < set->n; i++)
        h = hash_entry(&set->entry[i], &scratch, h);
    buf_free(&scratch);
    return h;
}

uint64_t state_set_hash_one(struct state_set *set, size_t i)
{
    struct buf scratch = { 0 };
    uint64_t h = hash_entry(&set->entry[i], &scratch, 0);
    buf_free(&scratch);
    return h;
}

struct print_context {
    state_print_fn *print;
    void *opaque;
};

static bool print_visit(void *opaque, const char *path, const struct state_field *f, void *elem)
{
    struct print_context *c = opaque;
    c->print(c->opaque, path, load_le(elem, f->elem_size));
    return true;
}

void state_set_print(struct state_set *set, const char *name, state_print_fn *print, void *opaque)
{
    struct print_context c = { print, opaque };
    for (size_t i = 0; i < set->n; i++) {
        const struct state_entry *e = &set->entry[i];
        if (name && strcmp(name, e->name) != 0)
            continue;
        prepare(e);
        state_walk(e->desc, e->data, e->name, print_visit, &c);
    }
}
