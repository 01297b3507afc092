/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is this the machine that was recorded?  The first difference becomes one sentence. */
#ifndef REPRISE_CLI_COMPARE_H
#define REPRISE_CLI_COMPARE_H

#include "cli/machine_setup.h"

/* Options that the guest can see. */
bool compare_options(const struct options *here, const struct log_machine *recorded, struct error *err);

/* Input files by size and contents. */
bool compare_files(const struct setup *s, const struct log_machine *recorded, struct error *err);

/* Parses the options in a log's header. */
bool parse_recorded(const struct log_machine *recorded, struct options *o, struct error *err);

#endif
