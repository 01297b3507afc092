/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/sink.h"

#include <stdarg.h>
#include <stdio.h>

void sink_printf(const struct sink *s, enum sink_level level, const char *fmt, ...)
{
    if (!s || !s->line)
        return;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    s->line(s->opaque, level, text);
}
