/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of options: "key=value,key=value" lists, numbers, sizes, on/off.
 *
 * A list is parsed whole, its handler takes the keys it knows, and
 * optlist_done() turns what is left into an error: nothing is ignored.
 * A comma within a value is written twice.
 */
#ifndef REPRISE_CLI_OPTVALUE_H
#define REPRISE_CLI_OPTVALUE_H

#include "base/error.h"

enum { OPTLIST_MAX = 24 };

struct optlist {
    const char *option;   /* "-icount", for messages */
    char *text;           /* owned; keys and values point into it */
    unsigned n;
    struct {
        const char *key, *value;
        bool taken;
    } item[OPTLIST_MAX];
};

/*
 * implied: the key of a first item that has no "=", or NULL.  Another item
 * without "=" means "=on", and with "no" before it ("nowait") "=off".
 */
bool optlist_parse(struct optlist *l, const char *option, const char *text, const char *implied, struct error *err);

/* The value of the key (the last one, if given twice), or NULL. */
const char *optlist_take(struct optlist *l, const char *key);

/* Typed takes: leave *out alone when the key is missing. */
bool optlist_take_bool(struct optlist *l, const char *key, bool *out, struct error *err);
bool optlist_take_number(struct optlist *l, const char *key, uint64_t max, uint64_t *out, struct error *err);

/* False if a key was not taken: the error names it.  Frees the list either way. */
bool optlist_done(struct optlist *l, struct error *err);

/* Frees without a check; returns false, to end an error path. */
bool optlist_fail(struct optlist *l);

/* Whole strings: decimal, 0x hexadecimal or 0 octal up to max; and sizes with K, M, G or T (default: MiB). */
bool parse_number(const char *s, uint64_t max, uint64_t *out);
bool parse_size(const char *s, uint64_t *bytes);

#endif
