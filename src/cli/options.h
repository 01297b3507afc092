/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of the machine programs, in QEMU's spelling. */
#ifndef REPRISE_CLI_OPTIONS_H
#define REPRISE_CLI_OPTIONS_H

#include "board/machine.h"
#include "sim/sim.h"

struct options {
    struct machine_config machine;
    struct sim_config sim;
    const char *serial[MACHINE_SERIALS];
    unsigned n_serial;
    const char *debugcon;
    const char *kernel, *initrd, *bios;
    bool help, version, cpu_help, guest_errors;
};

/* False: err is the one sentence. */
bool options_parse(int argc, char **argv, struct options *out, struct error *err);
void options_help(const char *program);

#endif
