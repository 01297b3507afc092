/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host provides to a machine; only cli/ and tests use it. */
#ifndef REPRISE_HOST_HOST_H
#define REPRISE_HOST_HOST_H

#include "base/error.h"
#include "board/machine.h"
#include "dev/chardev.h"
#include "mem/ram.h"
#include "sim/input.h"

/* Clocks, entropy, and a wait that notify() ends.  Lives until the process ends. */
const struct sim_host *host_sim(void);

/* Zero-filled pages that cost nothing until touched. */
extern const struct host_memory host_pages;

/* Reads a whole regular file; free() *data.  Errors name the role and the path. */
bool host_read_file(const char *role, const char *path, uint8_t **data, size_t *size, struct error *err);

/* The terminal or pipe on standard input and output.  Ctrl-A x quits through port. */
struct chardev *host_chardev_stdio(struct input_port *port);
/* Discards output, has no input. */
struct chardev *host_chardev_null(void);
/* Output to a file, which is replaced. */
struct chardev *host_chardev_file(const char *path, struct error *err);

/* SIGINT, SIGTERM and SIGHUP become quit requests; a second one ends the process. */
void host_signals_to(struct input_port *port);

#endif
