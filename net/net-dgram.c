/*
 * The back end "dgram", and what "socket" has of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <sys/socket.h>
#include <unistd.h>
#include "net/net-dgram.h"
#include "util/watch.h"

/* A Unix socket whose reader is slow does not tell when it is ready again. */
#define RETRY_MS 1
/* Frames of one turn of the main loop. */
#define MAX_TURN 64

/* ---- frames ---- */

static bool is_own(const NetDgram *d, const HostAddress *from)
{
    return d->self.length && from->length == d->self.length && !memcmp(&from->addr, &d->self.addr, from->length);
}

/* False: there is none now. */
static bool receive_one(NetDgram *d)
{
    uint8_t frame[NET_MAX_FRAME + 1];    /* one that is too long is seen to be */
    HostAddress from = { .length = sizeof(from.addr) };
    ssize_t n = recvfrom(d->fd, frame, sizeof(frame), MSG_DONTWAIT, (struct sockaddr *)&from.addr, &from.length);

    if (n < 0) {
        /* Else a frame of ours did not arrive: there may be more from others. */
        return errno != EAGAIN && errno != EWOULDBLOCK;
    }
    if (!is_own(d, &from)) {
        netdev_receive(d->n, frame, (size_t)n);
    }
    return true;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer opaque)
{
    NetDgram *d = opaque;
    unsigned frames = 0;

    while (frames < MAX_TURN && netdev_can_receive(d->n) && receive_one(d)) {
        frames++;
    }
    /* Until the guest has room; for good, if there is no other end any more. */
    if (!netdev_can_receive(d->n) || (!frames && (condition & G_IO_HUP))) {
        watch_end(&d->readable);
    }
    return G_SOURCE_CONTINUE;
}

void net_dgram_accept(NetDgram *d)
{
    if (d->fd >= 0 && !d->readable) {
        d->readable = watch_fd(netdev_context(d->n), d->fd, G_IO_IN, on_readable, d);
    }
}

static gboolean on_retry(gpointer opaque)
{
    NetDgram *d = opaque;

    watch_end(&d->retry);
    netdev_flush(d->n);
    return G_SOURCE_CONTINUE;
}

bool net_dgram_send(NetDgram *d, const uint8_t *frame, size_t length)
{
    const struct sockaddr *to = d->to.length ? (const struct sockaddr *)&d->to.addr : NULL;
    int fd = d->sender >= 0 ? d->sender : d->fd;

    if (sendto(fd, frame, length, MSG_DONTWAIT | MSG_NOSIGNAL, to, d->to.length) >= 0 ||
        (errno != EAGAIN && errno != EWOULDBLOCK)) {
        /* One that nobody takes, or that is too long, is lost. */
        return true;
    }
    if (!d->retry) {
        d->retry = watch_timeout(netdev_context(d->n), RETRY_MS, on_retry, d);
    }
    return false;
}

/* ---- life ---- */

void net_dgram_init(NetDgram *d, Netdev *n)
{
    d->n = n;
    d->fd = d->sender = -1;
}

bool net_dgram_check(const NetDgram *d, const char *what, Error **errp)
{
    bool group = net_address_is_group(&d->remote);

    if (d->remote.kind == NET_ADDRESS_FD) {
        error_setg(errp, "%s: a descriptor is what is here: local.type=fd,local.str=N", what);
    } else if (d->remote.kind == NET_ADDRESS_INET && !d->remote.port) {
        error_setg(errp, "%s: the other end '%s' needs a port", what, d->remote.host);
    } else if (group && d->local.kind != NET_ADDRESS_NONE && d->local.kind != NET_ADDRESS_FD &&
               (d->local.kind != NET_ADDRESS_INET || d->local.port)) {
        error_setg(errp, "%s: with the group '%s' only an address of this host, without a port, or fd= goes", what,
                   d->remote.host);
    } else if (!group && d->local.kind == NET_ADDRESS_NONE) {
        error_setg(errp, "%s: %s", what, d->remote.kind == NET_ADDRESS_NONE
                                             ? "there is neither an end here nor another one"
                                             : "this end has to be named, too, as the other one is no group");
    } else if (!group && d->local.kind == NET_ADDRESS_INET && !d->local.port) {
        error_setg(errp, "%s: the end here, '%s', needs a port", what, d->local.host);
    } else if (!group && d->remote.kind != NET_ADDRESS_NONE && d->remote.kind != d->local.kind) {
        error_setg(errp, "%s: both ends have to be of one type", what);
    } else {
        return true;
    }
    return false;
}

static bool find_remote(NetDgram *d, Error **errp)
{
    switch (d->remote.kind) {
    case NET_ADDRESS_INET:
        return host_socket_udp_address(d->remote.host, d->remote.port, &d->to, errp);
    case NET_ADDRESS_UNIX:
        return host_socket_unix_address(d->remote.path, &d->to, errp);
    default:
        return true;
    }
}

static void take_fd(NetDgram *d, int fd)
{
    d->fd = fd;
    net_dgram_accept(d);
}

/* d->to is the group. */
static bool join(NetDgram *d, Error **errp)
{
    const char *interface = d->local.host && *d->local.host ? d->local.host : NULL;
    int fd = host_socket_join(&d->to, interface, errp);

    if (fd < 0) {
        return false;
    }
    d->sender = host_socket_sender(&d->to, interface, &d->self, errp);
    if (d->sender < 0) {
        close(fd);
        return false;
    }
    d->to.length = 0;
    take_fd(d, fd);
    return true;
}

bool net_dgram_start_fd(NetDgram *d, int fd, Error **errp)
{
    if (!find_remote(d, errp)) {
        close(fd);
        return false;
    }
    take_fd(d, fd);
    return true;
}

bool net_dgram_start(NetDgram *d, Error **errp)
{
    int type = SOCK_DGRAM, fd;

    if (d->local.kind == NET_ADDRESS_FD) {
        fd = net_address_take_socket(&d->local, &type, errp);
        return fd >= 0 && net_dgram_start_fd(d, fd, errp);
    }
    if (!find_remote(d, errp)) {
        return false;
    }
    if (net_address_is_group(&d->remote)) {
        return join(d, errp);
    }
    if (d->local.kind == NET_ADDRESS_UNIX) {
        fd = host_socket_bind_unix(d->local.path, errp);
        d->file = fd >= 0 ? host_socket_file(d->local.path) : 0;
    } else {
        fd = host_socket_bind_udp(d->local.host, d->local.port, errp);
    }
    if (fd >= 0) {
        take_fd(d, fd);
    }
    return fd >= 0;
}

void net_dgram_close(NetDgram *d)
{
    watch_end(&d->readable);
    watch_end(&d->retry);
    if (d->fd >= 0) {
        close(d->fd);
    }
    if (d->sender >= 0) {
        close(d->sender);
    }
    if (d->local.path) {
        host_socket_unlink(d->local.path, d->file);
    }
    net_address_clear(&d->local);
    net_address_clear(&d->remote);
}

void net_dgram_describe(const NetDgram *d, GString *out)
{
    if (d->local.kind != NET_ADDRESS_NONE) {
        g_string_append(out, "at ");
        net_address_describe(&d->local, out);
        if (d->fd >= 0 && d->local.kind == NET_ADDRESS_INET) {
            g_string_append_printf(out, " (port %u)", host_socket_port(d->fd));
        }
    }
    if (d->remote.kind != NET_ADDRESS_NONE) {
        g_string_append(out, d->local.kind == NET_ADDRESS_NONE ? "to " : ", to ");
        net_address_describe(&d->remote, out);
    }
}

/* ---- the back end ---- */

typedef struct NetDgramDev {
    Netdev base;
    NetDgram dgram;
} NetDgramDev;

static NetDgram *dgram_of(const Netdev *n)
{
    return &container_of(n, NetDgramDev, base)->dgram;
}

static bool dgram_parse(Netdev *n, KeyVal *kv, Error **errp)
{
    NetDgram *d = dgram_of(n);

    net_dgram_init(d, n);
    return net_address_parse(&d->local, kv, "-netdev dgram", "local", errp) &&
           net_address_parse(&d->remote, kv, "-netdev dgram", "remote", errp) &&
           net_dgram_check(d, "-netdev dgram", errp);
}

static bool dgram_start(Netdev *n, Error **errp)
{
    return net_dgram_start(dgram_of(n), errp);
}

static bool dgram_send(Netdev *n, const uint8_t *frame, size_t length)
{
    return net_dgram_send(dgram_of(n), frame, length);
}

static void dgram_accept(Netdev *n)
{
    net_dgram_accept(dgram_of(n));
}

static void dgram_close(Netdev *n)
{
    net_dgram_close(dgram_of(n));
}

static void dgram_describe(const Netdev *n, GString *out)
{
    net_dgram_describe(dgram_of(n), out);
}

const NetKind net_dgram_kind = {
    .name = "dgram",
    .options = "[,local.type=inet,local.host=HOST,local.port=PORT | ,local.type=unix,local.path=PATH | "
               ",local.type=fd,local.str=N][,remote.type=inet,remote.host=HOST,remote.port=PORT | "
               ",remote.type=unix,remote.path=PATH]",
    .size = sizeof(NetDgramDev),
    .parse = dgram_parse,
    .start = dgram_start,
    .send = dgram_send,
    .accept = dgram_accept,
    .close = dgram_close,
    .describe = dgram_describe,
};
