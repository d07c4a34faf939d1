/*
 * Stream sockets of the host: Unix sockets by path, TCP by host and port. All descriptors are closed
 * in children; errors name the address.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_HOST_SOCKET_H
#define UTIL_HOST_SOCKET_H

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

#endif
