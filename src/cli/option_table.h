/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every option that there is, in the order of the help text. */
#ifndef REPRISE_CLI_OPTION_TABLE_H
#define REPRISE_CLI_OPTION_TABLE_H

#include "cli/options.h"

struct option_entry {
    const char *name;   /* without the dash; NULL ends the table */
    const char *arg;    /* how its value is written; NULL: it takes none */
    bool (*set)(struct options *o, const char *value, struct error *err);
    const char *help;   /* NULL: another spelling of the one before */
    bool not_recorded;  /* nothing that the guest could see: recordings leave it out */
};

extern const struct option_entry option_table[];

#endif
