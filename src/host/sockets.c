/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/sockets.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* 0, or the errno of the failure. */
static int finish_connect(int fd, const struct sockets_patience *patience)
{
    enum { TICK_MS = 100 };
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int e = 0;
    socklen_t len = sizeof e;
    while (poll(&p, 1, TICK_MS) != 1)
        if (patience->over(patience->opaque))
            return ECANCELED;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len) < 0 ? errno : e;
}

/* 0, or the errno of the failure. */
static int bind_or_connect(int fd, const struct sockaddr *address, socklen_t len, bool server,
                           const struct sockets_patience *patience)
{
    if (server)
        return bind(fd, address, len) < 0 || listen(fd, 1) < 0 ? errno : 0;
    if (connect(fd, address, len) == 0)
        return 0;
    return errno == EINPROGRESS || errno == EINTR ? finish_connect(fd, patience) : errno;
}

static int open_tcp(const struct chardev_spec *spec, const struct sockets_patience *patience, struct error *err)
{
    const char *host = spec->host, *port = spec->port, *shown = host ? host : "";
    bool server = spec->server;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = server ? AI_PASSIVE : 0 }, *list;
    int e = getaddrinfo(host, port, &hints, &list);
    if (e) {
        error_set(err, "cannot find the address tcp:%s:%s: %s", shown, port, gai_strerror(e));
        return -1;
    }
    int fd = -1, why = 0;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        int one = 1;
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
        if (fd < 0) {
            why = errno;
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        why = bind_or_connect(fd, a->ai_addr, a->ai_addrlen, server, patience);
        if (why) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        error_set(err, "cannot %s tcp:%s:%s: %s", server ? "listen on" : "connect to", shown, port, strerror(why));
    return fd;
}

/* A socket left by a dead server is replaced; anything else at path is not. */
static void remove_stale(const struct sockaddr_un *address)
{
    struct stat st;
    if (stat(address->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED)
        unlink(address->sun_path);
    if (fd >= 0)
        close(fd);
}

static int open_unix(const struct chardev_spec *spec, const struct sockets_patience *patience, struct error *err)
{
    const char *path = spec->path;
    bool server = spec->server;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        error_set(err, "the socket path '%s' is longer than %zu bytes", path, sizeof address.sun_path - 1);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    if (server)
        remove_stale(&address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int why = fd < 0 ? errno : bind_or_connect(fd, (struct sockaddr *)&address, sizeof address, server, patience);
    if (why) {
        error_set(err, "cannot %s unix:%s: %s", server ? "listen on" : "connect to", path, strerror(why));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

int sockets_open(const struct chardev_spec *spec, const struct sockets_patience *patience, struct error *err)
{
    return spec->kind == CHARDEV_TCP ? open_tcp(spec, patience, err) : open_unix(spec, patience, err);
}

int sockets_accept(int listen_fd)
{
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int one = 1;
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);   /* harmless on a Unix socket */
    return fd;
}
