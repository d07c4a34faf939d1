/*
 * Sockets of the host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "util/host-socket.h"

/* ---- Unix sockets ---- */

bool host_socket_unix_address(const char *path, HostAddress *out, Error **errp)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(addr.sun_path)) {
        error_setg(errp, "socket path '%s' is too long: at most %zu characters", path,
                   sizeof(addr.sun_path) - 1);
        return false;
    }
    memcpy(addr.sun_path, path, strlen(path));
    memcpy(&out->addr, &addr, sizeof(addr));
    out->length = sizeof(addr);
    return true;
}

/* A socket file that a dead process left behind is in the way: nobody answers there. */
static bool unix_remove_stale(const char *path, const HostAddress *addr, Error **errp)
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
    alive = fd < 0 || connect(fd, (const struct sockaddr *)&addr->addr, addr->length) == 0 ||
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

static int bind_unix(const char *path, int type, Error **errp)
{
    HostAddress addr;
    bool bound = false;
    int fd;

    if (!host_socket_unix_address(path, &addr, errp) || !unix_remove_stale(path, &addr, errp)) {
        return -1;
    }
    fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        bound = bind(fd, (struct sockaddr *)&addr.addr, addr.length) == 0;
    }
    if (bound && (type != SOCK_STREAM || listen(fd, 1) == 0)) {
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

int host_socket_listen_unix(const char *path, Error **errp)
{
    return bind_unix(path, SOCK_STREAM, errp);
}

int host_socket_bind_unix(const char *path, Error **errp)
{
    return bind_unix(path, SOCK_DGRAM, errp);
}

int host_socket_connect_unix(const char *path, int flags, Error **errp)
{
    HostAddress addr;
    int fd;

    if (!host_socket_unix_address(path, &addr, errp)) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&addr.addr, addr.length) == 0) {
        return fd;
    }
    error_setg_errno(errp, errno, "cannot connect to '%s'", path);
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

uint64_t host_socket_file(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 ? st.st_ino : 0;
}

void host_socket_unlink(const char *path, uint64_t file)
{
    if (file && host_socket_file(path) == file) {
        unlink(path);
    }
}

/* ---- TCP and UDP ---- */

static struct addrinfo *look_up(const char *host, const char *port, int type, bool server, Error **errp)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = type, .ai_flags = server ? AI_PASSIVE : 0,
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

static int bind_inet(const char *host, const char *port, int type, Error **errp)
{
    struct addrinfo *list = look_up(host, port, type, true, errp);
    int on = 1, error = 0, bound = -1;

    if (!list) {
        return -1;
    }
    for (struct addrinfo *a = list; a && bound < 0; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0) {
            error = errno;
            continue;
        }
        if (type == SOCK_STREAM) {
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        }
        if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && (type != SOCK_STREAM || listen(fd, 1) == 0)) {
            bound = fd;
        } else {
            error = errno;
            close(fd);
        }
    }
    freeaddrinfo(list);
    if (bound < 0) {
        error_setg_errno(errp, error, "cannot listen on '%s:%s'", host, port);
    }
    return bound;
}

int host_socket_listen_tcp(const char *host, const char *port, Error **errp)
{
    return bind_inet(host, port, SOCK_STREAM, errp);
}

int host_socket_bind_udp(const char *host, const char *port, Error **errp)
{
    return bind_inet(host, port, SOCK_DGRAM, errp);
}

int host_socket_connect_tcp(const char *host, const char *port, int flags, Error **errp)
{
    struct addrinfo *list = look_up(host, port, SOCK_STREAM, false, errp);
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

bool host_socket_udp_address(const char *host, const char *port, HostAddress *out, Error **errp)
{
    struct addrinfo *list = look_up(host, port, SOCK_DGRAM, false, errp);

    if (!list) {
        return false;
    }
    memcpy(&out->addr, list->ai_addr, list->ai_addrlen);
    out->length = list->ai_addrlen;
    freeaddrinfo(list);
    return true;
}

int host_socket_outcome(int fd)
{
    socklen_t length = sizeof(int);
    int error = 0;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

unsigned host_socket_port(int fd)
{
    HostAddress a = { .length = sizeof(a.addr) };
    char port[16];

    if (getsockname(fd, (struct sockaddr *)&a.addr, &a.length) < 0 ||
        getnameinfo((struct sockaddr *)&a.addr, a.length, NULL, 0, port, sizeof(port), NI_NUMERICSERV)) {
        return 0;
    }
    return (unsigned)strtoul(port, NULL, 10);
}

/* ---- groups ---- */

/* The interface, by one of its addresses; NULL: any. */
static bool interface_address(const char *interface, struct in_addr *out, Error **errp)
{
    out->s_addr = htonl(INADDR_ANY);
    if (interface && inet_pton(AF_INET, interface, out) != 1) {
        error_setg(errp, "'%s' is no IPv4 address of this host", interface);
        return false;
    }
    return true;
}

/* Has errno for the message. */
static int group_failed(const HostAddress *group, int fd, Error **errp)
{
    char text[INET_ADDRSTRLEN] = "";

    error_setg_errno(errp, errno, "cannot take part in the group '%s'",
                     inet_ntop(AF_INET, &((const struct sockaddr_in *)&group->addr)->sin_addr, text, sizeof(text)));
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

int host_socket_join(const HostAddress *group, const char *interface, Error **errp)
{
    struct ip_mreq request = { .imr_multiaddr = ((const struct sockaddr_in *)&group->addr)->sin_addr };
    int on = 1, fd;

    if (!interface_address(interface, &request.imr_interface, errp)) {
        return -1;
    }
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (const struct sockaddr *)&group->addr, group->length) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)) < 0) {
        return group_failed(group, fd, errp);
    }
    return fd;
}

int host_socket_sender(const HostAddress *group, const char *interface, HostAddress *self, Error **errp)
{
    struct in_addr addr;
    int fd;

    if (!interface_address(interface, &addr, errp)) {
        return -1;
    }
    self->length = sizeof(self->addr);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &addr, sizeof(addr)) < 0 ||
        connect(fd, (const struct sockaddr *)&group->addr, group->length) < 0 ||
        getsockname(fd, (struct sockaddr *)&self->addr, &self->length) < 0) {
        return group_failed(group, fd, errp);
    }
    return fd;
}
