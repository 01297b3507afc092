/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where messages go.  Folders below cli/ never print: they hand a line to the
 * sink their machine was given.  Lines carry no newline.  A sink may be called
 * from the simulation thread only.
 */
#ifndef REPRISE_BASE_SINK_H
#define REPRISE_BASE_SINK_H

#include "base/bits.h"

enum sink_level {
    SINK_ERROR,  /* the run cannot go on as asked */
    SINK_WARN,   /* the user should know */
    SINK_INFO,   /* what a user may want to know: "triple fault at ...: reset" */
    SINK_GUEST,  /* the guest did something odd: unassigned access, unknown MSR (-d guest_errors) */
    SINK_DEBUG,
};

struct sink {
    void (*line)(void *opaque, enum sink_level level, const char *text);
    void *opaque;
};

/* Formats one line (cut at 1 KiB) and hands it on; a NULL sink or line drops it. */
void sink_printf(const struct sink *s, enum sink_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
