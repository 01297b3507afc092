/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one error convention.
 *
 * A function that can fail because of something outside the program (a file,
 * an option, a log) takes `struct error *err` as its last parameter and
 * returns bool (true: success) or a pointer (NULL: failure).  On failure it
 * has called error_set() exactly once, with one sentence that names what and
 * where, no newline, no final period; on success it has not touched *err.
 * `err` may be NULL when the caller does not want the sentence.  The caller
 * owns the struct; nothing is allocated.
 *
 * A broken invariant of our own is not an error: it is a panic, in release
 * builds too, because a wrong replay is worse than none.
 */
#ifndef REPRISE_BASE_ERROR_H
#define REPRISE_BASE_ERROR_H

#include "base/bits.h"

struct error {
    char text[512];
};

/* Sets the sentence; text that is too long loses its middle.  Always returns false. */
bool error_set(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "prefix: " before the sentence already in err.  Always returns false. */
bool error_prefix(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Prints to stderr and aborts.  For broken invariants only. */
_Noreturn void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* An assertion that stays in release builds. */
#define require(cond)                                                         \
    do {                                                                      \
        if (unlikely(!(cond)))                                                \
            panic("%s:%d: broken invariant: %s", __FILE__, __LINE__, #cond);  \
    } while (0)

#endif
