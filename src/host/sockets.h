/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stream sockets by name.  Descriptors are non-blocking and closed on exec. */
#ifndef REPRISE_HOST_SOCKETS_H
#define REPRISE_HOST_SOCKETS_H

#include "host/chardev.h"

/* Asked now and then while a connection is being made: is it to be given up? */
struct sockets_patience {
    bool (*over)(void *opaque);
    void *opaque;
};

/* The socket that the spec (kind tcp or unix) describes: a listening one (server) or a connected one.  -1 and err. */
int sockets_open(const struct chardev_spec *spec, const struct sockets_patience *patience, struct error *err);

/* The next client of a listening socket; -1: none. */
int sockets_accept(int listen_fd);

#endif
