/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CPU's registers as text, from its state descriptors. */
#ifndef REPRISE_DEBUG_REGISTERS_H
#define REPRISE_DEBUG_REGISTERS_H

#include "vcpu/vcpu.h"

/* The values shown last, so that only changes are shown.  Zero-initialise; registers_forget() releases. */
struct registers {
    uint64_t *value;
    size_t n;
};

/*
 * Appends "name=value" items to out, several a line: every field of v's state, or with `last` only those that
 * differ from it (all the first time).  Fields of arrays that are zero are left out unless they changed.
 */
void registers_print(struct vcpu *v, struct registers *last, struct buf *out);
void registers_forget(struct registers *r);

#endif
