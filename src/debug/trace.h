/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -d: what the emulator shows of its work, as text, by QEMU's names; and names for its code, for -perfmap.
 *
 * Everything runs on the simulation thread and only looks: a run with traces has the
 * positions and the state hashes of one without.  What is not asked for is not wired, so it costs nothing.
 */
#ifndef REPRISE_DEBUG_TRACE_H
#define REPRISE_DEBUG_TRACE_H

#include "board/machine.h"

enum trace_items {
    TRACE_IN_ASM = 1 << 0,
    TRACE_OP = 1 << 1,
    TRACE_OP_OPT = 1 << 2,
    TRACE_OUT_ASM = 1 << 3,
    TRACE_EXEC = 1 << 4,
    TRACE_CPU = 1 << 5,
    TRACE_INT = 1 << 6,
    TRACE_NOCHAIN = 1 << 7,
    TRACE_STATS = 1 << 8,
    TRACE_GUEST_ERRORS = 1 << 9,   /* the sink's (base/sink.h); here by name only */
    TRACE_HASH = 1 << 10,
};

enum { TRACE_RANGES = 16 };

struct trace_config {
    unsigned items;                /* enum trace_items */
    /* Blocks that are shown (nothing to int, stats, hash, guest_errors): pc in one of these; n_ranges 0: all. */
    struct trace_range {
        uint64_t first, last;
    } range[TRACE_RANGES];
    unsigned n_ranges;
};

/* The i-th item of -d, or NULL behind the last. */
struct trace_item_info {
    const char *name;
    unsigned bit;
    const char *help;
};
const struct trace_item_info *trace_item(unsigned i);

/* "in_asm,int": adds them to config.  False: there is no such item. */
bool trace_parse_items(const char *text, struct trace_config *config, struct error *err);

/* -dfilter: "FIRST..LAST", "START+SIZE" or "END-SIZE", several separated by commas.  Replaces config's ranges. */
bool trace_parse_filter(const char *text, struct trace_config *config, struct error *err);

/* Where it goes. */
struct trace_output {
    void (*put)(void *opaque, const char *text, size_t len);   /* whole lines, as they come */
    /*
     * -perfmap, or NULL: host code and its name, "guest:PC:FLAGS" in hexadecimal ("guest:CSBASE+PC:FLAGS",
     * "jit:PIECE").
     */
    void (*code_named)(void *opaque, uint64_t address, size_t size, const char *name);
    void *opaque;
};

struct trace;
struct trace *trace_new(const struct trace_config *config, const struct trace_output *out);
void trace_free(struct trace *t);

/* Fills in the callbacks that the items need; before the engine is made. */
void trace_wire_engine(struct trace *t, struct engine_trace *out);
/* Interrupts and exceptions; when the machine is wired.  The trace must outlive its run. */
void trace_wire_machine(struct trace *t, struct machine *m);
/* When the run is over: the statistics, the state's hash. */
void trace_end(struct trace *t, struct machine *m);

#endif
