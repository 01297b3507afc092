/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is too long loses its middle: the end says why, and the beginning what. */
static void format(char *out, size_t size, const char *fmt, va_list ap)
{
    static const char gap[] = "...";
    va_list again;
    va_copy(again, ap);
    int need = vsnprintf(out, size, fmt, ap);
    char *whole = need < 0 || (size_t)need < size ? NULL : malloc((size_t)need + 1);
    if (whole) {
        size_t half = size / 2;
        vsnprintf(whole, (size_t)need + 1, fmt, again);
        memcpy(out + half, gap, sizeof gap - 1);
        size_t tail = size - half - (sizeof gap - 1);
        memcpy(out + size - tail, whole + (size_t)need + 1 - tail, tail);
        free(whole);
    }
    va_end(again);
}

bool error_set(struct error *err, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        format(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
    }
    return false;
}

bool error_prefix(struct error *err, const char *fmt, ...)
{
    if (err) {
        struct error old = *err;
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
        if (n >= 0 && (size_t)n < sizeof err->text)
            snprintf(err->text + n, sizeof err->text - (size_t)n, ": %.*s", (int)(sizeof err->text - (size_t)n),
                     old.text);
    }
    return false;
}

void panic(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("reprise: internal error: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    abort();
}
