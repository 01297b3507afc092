/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From options to a machine_config: reads the input files, opens the character
 * devices.
 */
#ifndef REPRISE_CLI_MACHINE_SETUP_H
#define REPRISE_CLI_MACHINE_SETUP_H

#include <stdio.h>

#include "cli/options.h"
#include "debug/monitor.h"
#include "host/host.h"

/*
 * ROLE_FW_CFG and on: the files of -fw_cfg, by their places in the options; their role is "fw_cfg:NAME".
 * ROLE_MODULE and on: Multiboot modules; the first has the role "initrd" as well, the others "module1" to "module15".
 */
enum input_role {
    ROLE_KERNEL, ROLE_INITRD, ROLE_BIOS, ROLES,
    ROLE_FW_CFG = ROLES,
    ROLE_MODULE = ROLE_FW_CFG + MACHINE_FW_CFG_FILES,
    SETUP_FILES = ROLE_MODULE + MACHINE_MODULES,
};
extern const char *const role_names[ROLES];

struct setup {
    struct options *o;
    struct machine_config config;
    struct host_file file[SETUP_FILES];
    struct log_input_file listed[SETUP_FILES];   /* what is in file[], for the log */
    size_t n_listed;
    struct chardev *chardev[OPTIONS_CHARDEVS];
    struct monitor *monitor[OPTIONS_CHARDEVS];   /* of the chardev at the same index */
    struct trace *trace;                   /* -d, -perfmap; NULL: neither */
    struct host_perf_map *perf_map;        /* NULL: none */
    struct host_output trace_file;         /* -D */
    FILE *messages;                        /* stderr; or with -D memory at first, that file when the run has started */
    char *early;                           /* that memory */
    size_t early_len;
};

/* Reads the input files.  False: nothing is left open. */
bool setup_files(struct setup *s, struct options *o, struct error *err);
/* Opens -D, -d and -perfmap, if no output is a file that this run needs otherwise. */
bool setup_outputs(struct setup *s, struct error *err);
bool setup_chardevs(struct setup *s, struct error *err);
/* When the machine is wired.  fixed: struct monitor_config. */
void setup_monitors(struct setup *s, struct machine *machine, struct input_port *port, const char *fixed);
/* The machine has stopped and stays: why. */
void setup_stop_monitors(struct setup *s, const char *why);
/* The machine is wired and will run: what was in the file of -D goes. */
bool setup_start_outputs(struct setup *s, struct error *err);
/* started: the machine ran, so what it wrote is all there is. */
void setup_close_chardevs(struct setup *s, bool started);
/* started: the machine ran. */
void setup_free(struct setup *s, bool started);

#endif
