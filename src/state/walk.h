/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internal to state/: visiting every integer of a described struct, in declaration order. */
#ifndef REPRISE_STATE_WALK_H
#define REPRISE_STATE_WALK_H

#include "state/state.h"

struct state_entry {
    char *name;
    const struct state_desc *desc;
    void *data;
    void (*before_save)(void *opaque);
    void (*after_load)(void *opaque);
    void *opaque;
};

struct state_set {
    struct state_entry *entry;
    size_t n, cap;
};

enum { STATE_PATH_MAX = 160 };

/* Visits the struct at data; path is extended field by field.  Stops when visit returns false. */
typedef bool state_visit_fn(void *opaque, const char *path, const struct state_field *f, void *elem);
bool state_walk(const struct state_desc *d, void *data, const char *path, state_visit_fn *visit, void *opaque);

/* Bytes of one encoded struct of the descriptor's current version. */
size_t state_encoded_size(const struct state_desc *d);
void state_encode_struct(const struct state_desc *d, const void *data, struct buf *out);

#endif
