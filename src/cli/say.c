/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/say.h"

void say_text(FILE *to, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            fprintf(to, "\\x%02x", *p);
        else
            fputc(*p, to);
    }
}

int say_error(const char *who, const struct error *err)
{
    fprintf(stderr, "%s: ", who);
    say_text(stderr, err->text);
    fputc('\n', stderr);
    return 1;
}
