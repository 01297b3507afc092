/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening stream sockets.  All return a non-blocking descriptor, or -1 with err set. */
#ifndef REPRISE_HOST_SOCKETS_H
#define REPRISE_HOST_SOCKETS_H

#include "base/error.h"

int sockets_open_tcp(const char *host, const char *port, bool server, struct error *err);
int sockets_open_unix(const char *path, bool server, struct error *err);
int sockets_accept(int listen_fd);

#endif
