/*
 * Stream sockets of the host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "util/host-socket.h"

/* ---- Unix sockets ---- */

static bool unix_address(const char *path, struct sockaddr_un *addr, Error **errp)
{
    *addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(addr->sun_path)) {
        error_setg(errp, "socket path '%s' is too long: at most %zu characters", path,
                   sizeof(addr->sun_path) - 1);
        return false;
    }
    memcpy(addr->sun_path, path, strlen(path));
    return true;
}

/* A socket file that a dead process left behind is in the way: nobody answers there. */
static bool unix_remove_stale(const char *path, const struct sockaddr_un *addr, Error **errp)
{
    struct stat st;
    bool alive;
    int fd;

    if (lstat(path, &st) < 0) {
        return true;
    }
    if (!S_ISSOCK(st.st_mode)) {
        error_setg(errp, "cannot listen on '%s': the file exists and is not a socket", path);
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    alive = fd < 0 || connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
            errno != ECONNREFUSED;
    if (fd >= 0) {
        close(fd);
    }
    if (alive) {
        error_setg(errp, "cannot listen on '%s': another process is listening there", path);
        return false;
    }
    unlink(path);
    return true;
}

int host_socket_listen_unix(const char *path, Error **errp)
{
    struct sockaddr_un addr;
    bool bound = false;
    int fd;

    if (!unix_address(path, &addr, errp) || !unix_remove_stale(path, &addr, errp)) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        bound = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
    }
    if (bound && listen(fd, 1) == 0) {
        return fd;
    }
    error_setg_errno(errp, errno, "cannot listen on '%s'", path);
    if (bound) {
        unlink(path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

int host_socket_connect_unix(const char *path, int flags, Error **errp)
{
    struct sockaddr_un addr;
    int fd;

    if (!unix_address(path, &addr, errp)) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0) {
        return fd;
    }
    error_setg_errno(errp, errno, "cannot connect to '%s'", path);
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

/* ---- TCP ---- */

static struct addrinfo *tcp_addresses(const char *host, const char *port, bool server,
                                      Error **errp)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = server ? AI_PASSIVE : 0,
    };
    const char *name = *host ? host : server ? NULL : "localhost";
    struct addrinfo *list = NULL;
    int error;

    if (!name) {
        hints.ai_family = AF_INET;   /* any address: as the other emulators do */
    }
    error = getaddrinfo(name, port, &hints, &list);
    if (error) {
        error_setg(errp, "cannot look up '%s:%s': %s", host, port, gai_strerror(error));
        return NULL;
    }
    return list;
}

int host_socket_listen_tcp(const char *host, const char *port, Error **errp)
{
    struct addrinfo *list = tcp_addresses(host, port, true, errp);
    int on = 1, error = 0, listener = -1;

    if (!list) {
        return -1;
    }
    for (struct addrinfo *a = list; a && listener < 0; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0) {
            error = errno;
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1) == 0) {
            listener = fd;
        } else {
            error = errno;
            close(fd);
        }
    }
    freeaddrinfo(list);
    if (listener < 0) {
        error_setg_errno(errp, error, "cannot listen on '%s:%s'", host, port);
    }
    return listener;
}

int host_socket_connect_tcp(const char *host, const char *port, int flags, Error **errp)
{
    struct addrinfo *list = tcp_addresses(host, port, false, errp);
    int fd = -1, error = 0;

    if (!list) {
        return -1;
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | flags, 0);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS) {
            error = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0) {
        error_setg_errno(errp, error, "cannot connect to '%s:%s'", host, port);
    }
    return fd;
}
