/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for people that holds what others wrote (paths, logs): control characters become \xNN, so a line stays one. */
#ifndef REPRISE_CLI_SAY_H
#define REPRISE_CLI_SAY_H

#include <stdio.h>

#include "base/error.h"

void say_text(FILE *to, const char *text);

/* "who: sentence" on stderr; returns 1, the exit status that goes with it. */
int say_error(const char *who, const struct error *err);

#endif
