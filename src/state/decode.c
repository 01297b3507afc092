/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading encodings back.  They may come from a file, so nothing in them is
 * trusted: lengths are checked against what is left, and a set is only
 * changed when everything has been understood.
 */
#include <stdlib.h>

#include "state/walk.h"

struct reader {
    const unsigned char *p;
    size_t left;
};

static bool take_u32(struct reader *r, uint32_t *v)
{
    if (r->left < 4)
        return false;
    *v = (uint32_t)load_le(r->p, 4);
    r->p += 4;
    r->left -= 4;
    return true;
}

static const unsigned char *take(struct reader *r, size_t n)
{
    if (r->left < n)
        return NULL;
    const unsigned char *p = r->p;
    r->p += n;
    r->left -= n;
    return p;
}

/* One encoded struct, located. */
struct section {
    uint32_t version;
    const unsigned char *data;
    size_t size;
};

static bool locate(struct state_set *set, struct reader *r, size_t i, struct section *out, struct error *err)
{
    const struct state_entry *e = &set->entry[i];
    uint32_t name_len, size;
    const unsigned char *name = NULL;
    if (take_u32(r, &name_len))
        name = take(r, name_len);
    if (!name)
        return error_set(err, "saved state ends in the middle of struct %zu", i);
    if (name_len != strlen(e->name) || memcmp(name, e->name, name_len) != 0)
        return error_set(err, "saved state has '%.*s' where this machine has '%s'", name_len < 64 ? (int)name_len : 64,
                         (const char *)name, e->name);
    if (!take_u32(r, &out->version) || !take_u32(r, &size) || !(out->data = take(r, size)))
        return error_set(err, "saved state of '%s' is cut short", e->name);
    if (out->version > e->desc->version)
        return error_set(err, "saved state of '%s' has version %u, this program knows %u", e->name, out->version,
                         e->desc->version);
    out->size = size;
    return true;
}

/* Decodes into a copy; false when the data's length does not fit the fields of that version. */
static bool decode_struct(const struct state_desc *d, uint32_t version, struct reader *r, void *data)
{
    for (uint32_t i = 0; i < d->n_fields; i++) {
        const struct state_field *f = &d->fields[i];
        char *at = (char *)data + f->offset;
        size_t bytes = (size_t)f->elem_size * f->count;
        if (f->kind == STATE_KIND_PAD) {
            memset(at, 0, bytes);
        } else if (f->since > version) {
            continue;
        } else if (f->kind == STATE_KIND_UINT) {
            const unsigned char *p = take(r, bytes);
            if (!p)
                return false;
            memcpy(at, p, bytes);
        } else {
            for (uint32_t k = 0; k < f->count; k++)
                if (!decode_struct(f->sub, f->sub->version, r, at + (size_t)f->elem_size * k))
                    return false;
        }
    }
    return true;
}

static bool decode_all(struct state_set *set, struct reader *r, void **copies, struct error *err)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct state_entry *e = &set->entry[i];
        struct section s;
        if (!locate(set, r, i, &s, err))
            return false;
        copies[i] = alloc_zero(e->desc->size);
        memcpy(copies[i], e->data, e->desc->size);
        struct reader fields = { s.data, s.size };
        if (!decode_struct(e->desc, s.version, &fields, copies[i]) || fields.left)
            return error_set(err, "saved state of '%s' has %zu bytes, which its version %u does not", e->name, s.size,
                             s.version);
    }
    if (r->left)
        return error_set(err, "saved state has %zu bytes behind its end", r->left);
    return true;
}

bool state_set_decode(struct state_set *set, const void *data, size_t len, struct error *err)
{
    struct reader r = { data, len };
    uint32_t n;
    if (!take_u32(&r, &n) || n != set->n)
        return error_set(err, "saved state does not have the %zu structs of this machine", set->n);
    void **copies = NEW_ARRAY(void *, set->n);
    bool ok = decode_all(set, &r, copies, err);
    for (size_t i = 0; ok && i < set->n; i++)
        memcpy(set->entry[i].data, copies[i], set->entry[i].desc->size);
    for (size_t i = 0; i < set->n; i++)
        free(copies[i]);
    free(copies);
    for (size_t i = 0; ok && i < set->n; i++)
        if (set->entry[i].after_load)
            set->entry[i].after_load(set->entry[i].opaque);
    return ok;
}

/* ---- diff ------------------------------------------------------------------------ */

struct diff_context {
    struct reader a, b;
    state_diff_fn *diff;
    void *opaque;
    bool short_read;
};

static bool diff_visit(void *opaque, const char *path, const struct state_field *f, void *elem)
{
    struct diff_context *c = opaque;
    const unsigned char *a = take(&c->a, f->elem_size), *b = take(&c->b, f->elem_size);
    (void)elem;
    if (!a || !b) {
        c->short_read = true;
        return false;
    }
    return !memcmp(a, b, f->elem_size) ||
           c->diff(c->opaque, path, load_le(a, f->elem_size), load_le(b, f->elem_size));
}

bool state_set_diff(struct state_set *set, const void *a, size_t a_len, const void *b, size_t b_len,
                    state_diff_fn *diff, void *opaque, struct error *err)
{
    struct reader ra = { a, a_len }, rb = { b, b_len };
    uint32_t na, nb;
    if (!take_u32(&ra, &na) || !take_u32(&rb, &nb) || na != set->n || nb != set->n)
        return error_set(err, "saved state does not have the %zu structs of this machine", set->n);
    for (size_t i = 0; i < set->n; i++) {
        const struct state_entry *e = &set->entry[i];
        struct section sa, sb;
        if (!locate(set, &ra, i, &sa, err) || !locate(set, &rb, i, &sb, err))
            return false;
        struct diff_context c = { { sa.data, sa.size }, { sb.data, sb.size }, diff, opaque, false };
        if (sa.version != e->desc->version || sb.version != e->desc->version)
            return error_set(err, "saved state of '%s' is of an older version and cannot be compared", e->name);
        if (!state_walk(e->desc, e->data, e->name, diff_visit, &c))
            return c.short_read ? error_set(err, "saved state of '%s' is cut short", e->name) : true;
    }
    return true;
}
