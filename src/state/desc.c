/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors: the coverage proof, and the one walk that everything else is made of. */
#include <stdio.h>

#include "state/walk.h"

static bool check_field(const struct state_desc *d, const struct state_field *f, uint64_t at, struct error *err)
{
    if (f->offset != at)
        return error_set(err, "%s: %s %u before field %s at %u", d->name,
                         f->offset > at ? "no field covers byte" : "fields overlap at byte",
                         (unsigned)(f->offset > at ? at : f->offset), f->name, (unsigned)f->offset);
    if (f->kind == STATE_KIND_UINT && f->elem_size != 1 && f->elem_size != 2 && f->elem_size != 4 && f->elem_size != 8)
        return error_set(err, "%s.%s: an element of %u bytes is not an integer", d->name, f->name,
                         (unsigned)f->elem_size);
    if (f->kind == STATE_KIND_STRUCT) {
        if (f->sub->size != f->elem_size)
            return error_set(err, "%s.%s: elements of %u bytes described by %s of %u", d->name, f->name,
                             (unsigned)f->elem_size, f->sub->name, (unsigned)f->sub->size);
        return state_desc_check(f->sub, err);
    }
    return true;
}

bool state_desc_check(const struct state_desc *d, struct error *err)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < d->n_fields; i++) {
        const struct state_field *f = &d->fields[i];
        if (!check_field(d, f, at, err))
            return false;
        at += (uint64_t)f->elem_size * f->count;
    }
    if (at != d->size)
        return error_set(err, "%s: no field covers byte %llu of %u", d->name, (unsigned long long)at,
                         (unsigned)d->size);
    return true;
}

bool state_walk(const struct state_desc *d, void *data, const char *path, state_visit_fn *visit, void *opaque)
{
    char sub[STATE_PATH_MAX];
    for (uint32_t i = 0; i < d->n_fields; i++) {
        const struct state_field *f = &d->fields[i];
        if (f->kind == STATE_KIND_PAD)
            continue;
        for (uint32_t k = 0; k < f->count; k++) {
            void *elem = (char *)data + f->offset + (size_t)f->elem_size * k;
            if (f->count > 1)
                snprintf(sub, sizeof sub, "%s.%s[%u]", path, f->name, (unsigned)k);
            else
                snprintf(sub, sizeof sub, "%s.%s", path, f->name);
            if (f->kind == STATE_KIND_STRUCT ? !state_walk(f->sub, elem, sub, visit, opaque)
                                             : !visit(opaque, sub, f, elem))
                return false;
        }
    }
    return true;
}

size_t state_encoded_size(const struct state_desc *d)
{
    size_t n = 0;
    for (uint32_t i = 0; i < d->n_fields; i++) {
        const struct state_field *f = &d->fields[i];
        if (f->kind == STATE_KIND_UINT)
            n += (size_t)f->elem_size * f->count;
        else if (f->kind == STATE_KIND_STRUCT)
            n += state_encoded_size(f->sub) * f->count;
    }
    return n;
}

/* The host is little-endian (base/bits.h), so an array of integers is its own encoding. */
void state_encode_struct(const struct state_desc *d, const void *data, struct buf *out)
{
    for (uint32_t i = 0; i < d->n_fields; i++) {
        const struct state_field *f = &d->fields[i];
        const char *at = (const char *)data + f->offset;
        if (f->kind == STATE_KIND_UINT)
            buf_put(out, at, (size_t)f->elem_size * f->count);
        else if (f->kind == STATE_KIND_STRUCT)
            for (uint32_t k = 0; k < f->count; k++)
                state_encode_struct(f->sub, at + (size_t)f->elem_size * k, out);
    }
}
