/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static int bind_or_connect(int fd, const struct sockaddr *address, socklen_t len, bool server)
{
    if (server)
        return bind(fd, address, len) < 0 || listen(fd, 1) < 0 ? -1 : 0;
    return connect(fd, address, len);
}

int sockets_open_tcp(const char *host, const char *port, bool server, struct error *err)
{
    const char *shown = host ? host : "";
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = server ? AI_PASSIVE : 0 }, *list;
    int e = getaddrinfo(host, port, &hints, &list);
    if (e) {
        error_set(err, "cannot find the address tcp:%s:%s: %s", shown, port, gai_strerror(e));
        return -1;
    }
    int fd = -1, why = 0;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        int one = 1;
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0) {
            why = errno;
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (bind_or_connect(fd, a->ai_addr, a->ai_addrlen, server) < 0) {
            why = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        error_set(err, "cannot %s tcp:%s:%s: %s", server ? "listen on" : "connect to", shown, port, strerror(why));
    else
        set_nonblocking(fd);
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

int sockets_open_unix(const char *path, bool server, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        error_set(err, "the socket path '%s' is longer than %zu bytes", path, sizeof address.sun_path - 1);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    if (server)
        remove_stale(&address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind_or_connect(fd, (struct sockaddr *)&address, sizeof address, server) < 0) {
        error_set(err, "cannot %s unix:%s: %s", server ? "listen on" : "connect to", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    set_nonblocking(fd);
    return fd;
}

int sockets_accept(int listen_fd)
{
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int one = 1;
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);   /* harmless on a Unix socket */
    return fd;
}
