/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State is declared once.
 *
 * Guest-visible state lives in plain structs of unsigned integers and arrays
 * of them: no pointers, no bool bit-fields, no implicit padding.  A device
 * keeps them in a struct of their own (`struct pit_state`), which
 * its private struct embeds beside wires and caches that are derived.  One
 * table of field descriptors per struct gives snapshot encoding, state hash,
 * field-by-field diff and printing.
 *
 * Invariants
 *  1. A descriptor table covers every byte of its struct, in order, without
 *     overlap: state_desc_check() proves it and a unit test runs it over every
 *     registered struct.
 *  2. Encoding is little-endian, field by field, independent of the compiler.
 *  3. Hash and diff see exactly what encoding sees, except STATE_PAD fields.
 *  4. The registration order in a state_set is wiring order; it is the same
 *     for the same machine configuration.
 */
#ifndef REPRISE_STATE_STATE_H
#define REPRISE_STATE_STATE_H

#include "base/alloc.h"
#include "base/error.h"

enum state_kind {
    STATE_KIND_UINT,    /* count unsigned integers of elem_size bytes (1, 2, 4, 8) */
    STATE_KIND_STRUCT,  /* count structs described by sub */
    STATE_KIND_PAD,     /* explicit padding: not saved, zeroed on load */
};

struct state_desc;

struct state_field {
    const char *name;
    uint32_t offset;
    uint32_t elem_size;
    uint32_t count;
    uint8_t kind;
    uint8_t since;                  /* first version of the struct that has the field */
    const struct state_desc *sub;
};

struct state_desc {
    const char *name;
    uint32_t version;               /* raised whenever a field is added */
    uint32_t size;                  /* sizeof the struct */
    uint32_t n_fields;
    const struct state_field *fields;
};

#define STATE_SIZEOF(T, f) sizeof(((T *)0)->f)
/* A scalar unsigned integer field (uint8_t .. uint64_t). */
#define STATE_UINT(T, f) { #f, offsetof(T, f), STATE_SIZEOF(T, f), 1, STATE_KIND_UINT, 1, NULL }
/* An array of unsigned integers, any number of dimensions folded into one: E is the element type. */
#define STATE_ARRAY(T, f, E) \
    { #f, offsetof(T, f), sizeof(E), STATE_SIZEOF(T, f) / (sizeof(E)), STATE_KIND_UINT, 1, NULL }
/* An embedded struct, or an array of them (N elements), described by D. */
#define STATE_STRUCT(T, f, D, N) \
    { #f, offsetof(T, f), STATE_SIZEOF(T, f) / (N), (N), STATE_KIND_STRUCT, 1, &(D) }
#define STATE_PAD(T, f) { #f, offsetof(T, f), 1, STATE_SIZEOF(T, f), STATE_KIND_PAD, 1, NULL }

/* Defines `const struct state_desc NAME` (file scope) from a field table. */
#define STATE_DESC(NAME, T, VERSION, FIELDS) \
    const struct state_desc NAME = { #T, VERSION, sizeof(T), ARRAY_LEN(FIELDS), FIELDS }

/* Checks invariant 1.  False: err names the struct and the first uncovered or overlapping byte. */
bool state_desc_check(const struct state_desc *d, struct error *err);

/* ---- a machine's set of state -------------------------------------------------- */

struct state_set;

struct state_set *state_set_new(void);
void state_set_free(struct state_set *set);

/*
 * Registers the struct at data (lifetime: the set's).  `name` is unique in the
 * machine ("cpu0", "serial0"); it is copied.  before_save (may be NULL) runs
 * before encoding, hashing or diffing, to bring lazy fields up to date;
 * after_load (may be NULL) runs when every struct of the set is decoded, to
 * rebuild what is derived (TLBs, timer queue, wires).
 */
void state_set_add(struct state_set *set, const char *name, const struct state_desc *desc, void *data,
                   void (*before_save)(void *opaque), void (*after_load)(void *opaque), void *opaque);

/* Appends the encoding of the whole set to out.  RAM is not part of it (mem/ram.h). */
void state_set_encode(struct state_set *set, struct buf *out);

/*
 * Decodes what state_set_encode made, into a set with the same names.  Fields
 * newer than the encoding keep their current (reset) values.  On failure the
 * set is unchanged.
 */
bool state_set_decode(struct state_set *set, const void *data, size_t len, struct error *err);

/* A 64-bit XXH3 hash over names and field values. */
uint64_t state_set_hash(struct state_set *set);

/* The hash of one registered struct alone; used to name what diverged. */
size_t state_set_count(const struct state_set *set);
const char *state_set_name(const struct state_set *set, size_t i);
uint64_t state_set_hash_one(struct state_set *set, size_t i);

/*
 * Calls diff(path, a, b) for every field that differs between two encodings of
 * the same set; path is like "cpu0.regs[3]" or "pic.chip[1].imr".  Stops early when diff
 * returns false.  Returns false with err set when an encoding is malformed.
 */
typedef bool state_diff_fn(void *opaque, const char *path, uint64_t a, uint64_t b);
bool state_set_diff(struct state_set *set, const void *a, size_t a_len, const void *b, size_t b_len,
                    state_diff_fn *diff, void *opaque, struct error *err);

/* Calls print(path, value) for every field of the struct named `name`, or of all if NULL. */
typedef void state_print_fn(void *opaque, const char *path, uint64_t value);
void state_set_print(struct state_set *set, const char *name, state_print_fn *print, void *opaque);

#endif
