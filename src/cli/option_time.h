/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options about time: -icount (with record and replay) and -rtc. */
#ifndef REPRISE_CLI_OPTION_TIME_H
#define REPRISE_CLI_OPTION_TIME_H

#include "cli/options.h"

bool set_icount(struct options *o, const char *value, struct error *err);
bool set_rtc(struct options *o, const char *value, struct error *err);

#endif
