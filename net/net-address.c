/*
 * Where the other end of a network is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>
#include "net/net-address.h"

static bool is_port(const char *text)
{
    uint64_t port;

    return parse_u64(text, &port) && port <= UINT16_MAX;
}

bool net_address_parse_inet(NetAddress *a, const char *what, const char *key, const char *text, Error **errp)
{
    const char *colon = strrchr(text, ':');

    if (!colon || !is_port(colon + 1)) {
        error_setg(errp, "%s,%s=%s: expected [HOST]:PORT, for example 127.0.0.1:4444", what, key, text);
        return false;
    }
    a->kind = NET_ADDRESS_INET;
    a->port = g_strdup(colon + 1);
    /* An address with colons of its own stands in brackets. */
    if (text[0] == '[' && colon > text + 1 && colon[-1] == ']') {
        a->host = g_strndup(text + 1, (gsize)(colon - text) - 2);
    } else {
        a->host = g_strndup(text, (gsize)(colon - text));
    }
    return true;
}

bool net_address_parse_fd(NetAddress *a, const char *what, const char *key, const char *text, Error **errp)
{
    uint64_t fd;

    if (!parse_u64(text, &fd) || fd > INT_MAX || fd <= STDERR_FILENO) {
        error_setg(errp, "%s,%s=%s: expected the number of an inherited descriptor, 3 or more", what, key, text);
        return false;
    }
    a->kind = NET_ADDRESS_FD;
    a->fd = (int)fd;
    return true;
}

static const char *member(KeyVal *kv, const char *prefix, const char *name)
{
    g_autofree char *key = g_strdup_printf("%s.%s", prefix, name);

    return keyval_get(kv, key);
}

static bool parse_inet_members(NetAddress *a, KeyVal *kv, const char *what, const char *prefix, Error **errp)
{
    const char *host = member(kv, prefix, "host"), *port = member(kv, prefix, "port");

    if (!host || (port && !is_port(port))) {
        error_setg(errp, "%s,%s.type=inet: expected %s.host=HOST,%s.port=NUMBER", what, prefix, prefix, prefix);
        return false;
    }
    a->kind = NET_ADDRESS_INET;
    a->host = g_strdup(host);
    a->port = g_strdup(port);
    return true;
}

bool net_address_parse(NetAddress *a, KeyVal *kv, const char *what, const char *prefix, Error **errp)
{
    const char *type = member(kv, prefix, "type"), *text;
    g_autofree char *key = NULL;

    if (!type) {
        return true;
    }
    if (!strcmp(type, "inet")) {
        return parse_inet_members(a, kv, what, prefix, errp);
    }
    if (strcmp(type, "unix") && strcmp(type, "fd")) {
        error_setg(errp, "%s,%s.type=%s: there are inet, unix and fd", what, prefix, type);
        return false;
    }
    text = member(kv, prefix, type[0] == 'u' ? "path" : "str");
    if (!text) {
        error_setg(errp, "%s,%s.type=%s: expected %s.%s=", what, prefix, type, prefix,
                   type[0] == 'u' ? "path" : "str");
        return false;
    }
    if (type[0] == 'f') {
        key = g_strdup_printf("%s.str", prefix);
        return net_address_parse_fd(a, what, key, text, errp);
    }
    a->kind = NET_ADDRESS_UNIX;
    a->path = g_strdup(text);
    return true;
}

void net_address_clear(NetAddress *a)
{
    g_free(a->host);
    g_free(a->port);
    g_free(a->path);
}

bool net_address_is_group(const NetAddress *a)
{
    struct in_addr addr;

    return a->kind == NET_ADDRESS_INET && inet_pton(AF_INET, a->host, &addr) == 1 && IN_MULTICAST(ntohl(addr.s_addr));
}

void net_address_describe(const NetAddress *a, GString *out)
{
    if (a->kind == NET_ADDRESS_INET) {
        g_string_append_printf(out, strchr(a->host, ':') ? "[%s]:%s" : "%s:%s", a->host, a->port ? a->port : "");
    } else if (a->kind == NET_ADDRESS_UNIX) {
        g_string_append(out, a->path);
    } else if (a->kind == NET_ADDRESS_FD) {
        g_string_append_printf(out, "fd %d", a->fd);
    }
}

int net_address_take_fd(const NetAddress *a, Error **errp)
{
    int flags = fcntl(a->fd, F_GETFD);

    /* All that the program opened itself is closed in children. */
    if (flags < 0 || flags & FD_CLOEXEC) {
        error_setg(errp, "fd=%d: whoever started the program has left no such descriptor open", a->fd);
        return -1;
    }
    fcntl(a->fd, F_SETFD, FD_CLOEXEC);
    fcntl(a->fd, F_SETFL, fcntl(a->fd, F_GETFL) | O_NONBLOCK);
    return a->fd;
}

int net_address_take_socket(const NetAddress *a, int *type, Error **errp)
{
    socklen_t length = sizeof(int);
    int found = 0;

    if (getsockopt(a->fd, SOL_SOCKET, SO_TYPE, &found, &length) < 0 && errno == ENOTSOCK) {
        error_setg(errp, "fd=%d is no socket", a->fd);
        return -1;
    }
    if (found && (*type ? found != *type : found != SOCK_STREAM && found != SOCK_DGRAM)) {
        error_setg(errp, "fd=%d is a socket of another type: expected %s", a->fd,
                   *type == SOCK_STREAM ? "a stream" : *type == SOCK_DGRAM ? "datagrams" : "a stream or datagrams");
        return -1;
    }
    *type = found;
    return net_address_take_fd(a, errp);
}
