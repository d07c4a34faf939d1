/*
 * Sockets of the host: Unix sockets by path, TCP and UDP by host and port. All descriptors are closed
 * in children; errors name the address.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_HOST_SOCKET_H
#define UTIL_HOST_SOCKET_H

#include <sys/socket.h>
#include "util/error.h"

/*
 * A socket that listens and does not block; -1 on failure. A socket file that a dead process left
 * behind is replaced, nothing else is. The file is the caller's to remove. host: "" is any address.
 */
int host_socket_listen_unix(const char *path, Error **errp);
int host_socket_listen_tcp(const char *host, const char *port, Error **errp);

/*
 * A socket that is connected, or, with flags SOCK_NONBLOCK, on its way: it can be written to once that
 * is decided, and SO_ERROR tells how. -1 on failure. host: "" is this machine.
 */
int host_socket_connect_unix(const char *path, int flags, Error **errp);
int host_socket_connect_tcp(const char *host, const char *port, int flags, Error **errp);

/* How a connection that was on its way has ended: 0, or its errno. */
int host_socket_outcome(int fd);
/* The port that a socket is bound to, for one that the host chose; 0: none. */
unsigned host_socket_port(int fd);

/* The socket file that was just made at path: what host_socket_unlink() knows it by. 0: there is none. */
uint64_t host_socket_file(const char *path);
/* Remove it, unless another one has taken its place. */
void host_socket_unlink(const char *path, uint64_t file);

/* ---- datagrams ---- */

typedef struct HostAddress {
    struct sockaddr_storage addr;
    socklen_t length;             /* 0: none */
} HostAddress;

bool host_socket_unix_address(const char *path, HostAddress *out, Error **errp);
bool host_socket_udp_address(const char *host, const char *port, HostAddress *out, Error **errp);
/* A bound socket that does not block; -1 on failure. As above of a file, and of host. */
int host_socket_bind_unix(const char *path, Error **errp);
int host_socket_bind_udp(const char *host, const char *port, Error **errp);
/*
 * A socket that gets what is sent to a group of IPv4, beside others on this host that do; -1 on failure. interface: an
 * address of this host; NULL: the host's choice.
 */
int host_socket_join(const HostAddress *group, const char *interface, Error **errp);
/* One that sends to it from an address of its own, which *self becomes. */
int host_socket_sender(const HostAddress *group, const char *interface, HostAddress *self, Error **errp);

#endif
