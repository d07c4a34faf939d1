/*
 * The back end "socket": what "stream" and "dgram" are, by the names that came first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <sys/socket.h>
#include "net/net-dgram.h"
#include "net/net-stream.h"

#define WHAT "-netdev socket"

typedef struct NetSocket {
    Netdev base;
    NetAddress inherited;      /* fd=, which may be either */
    bool is_dgram;
    NetStream stream;
    NetDgram dgram;
} NetSocket;

static NetSocket *socket_of(const Netdev *n)
{
    return container_of(n, NetSocket, base);
}

/* localaddr=ADDR of a group, else ADDR:PORT */
static bool parse_local(NetDgram *d, const char *text, bool group, Error **errp)
{
    if (!text) {
        return true;
    }
    if (!group) {
        return net_address_parse_inet(&d->local, WHAT, "localaddr", text, errp);
    }
    d->local.kind = NET_ADDRESS_INET;
    d->local.host = g_strdup(text);
    return true;
}

static bool parse_dgram(NetSocket *s, const char *key, const char *text, const char *local, Error **errp)
{
    bool group = !strcmp(key, "mcast");
    NetDgram *d = &s->dgram;

    s->is_dgram = true;
    if (!net_address_parse_inet(&d->remote, WHAT, key, text, errp) || !parse_local(d, local, group, errp)) {
        return false;
    }
    if (group && !net_address_is_group(&d->remote)) {
        error_setg(errp, WHAT ",mcast=%s: '%s' is no group of IPv4, as 230.0.0.1 is", text, d->remote.host);
        return false;
    }
    return s->inherited.kind != NET_ADDRESS_NONE || net_dgram_check(d, WHAT, errp);
}

static bool parse_stream(NetSocket *s, const char *key, const char *text, Error **errp)
{
    s->stream.server = !strcmp(key, "listen");
    return net_address_parse_inet(&s->stream.addr, WHAT, key, text, errp);
}

/* The one of the keys that is there; *key NULL: none. */
static bool find_one(KeyVal *kv, const char **key, Error **errp)
{
    static const char *const keys[] = { "listen", "connect", "mcast", "udp" };

    *key = NULL;
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keyval_has(kv, keys[i]) && *key) {
            error_setg(errp, WHAT ": %s= and %s= are two networks", *key, keys[i]);
            return false;
        }
        if (keyval_has(kv, keys[i])) {
            *key = keys[i];
        }
    }
    return true;
}

static bool parse_where(NetSocket *s, KeyVal *kv, Error **errp)
{
    const char *fd = keyval_get(kv, "fd"), *local = keyval_get(kv, "localaddr"), *key, *text;
    bool dgram;

    if (!find_one(kv, &key, errp) || (fd && !net_address_parse_fd(&s->inherited, WHAT, "fd", fd, errp))) {
        return false;
    }
    text = key ? keyval_get(kv, key) : NULL;
    dgram = text && (!strcmp(key, "mcast") || !strcmp(key, "udp"));
    if (!(text || (fd && !key)) || (fd && text && strcmp(key, "mcast"))) {
        error_setg(errp, WHAT " needs one of fd=N, listen=[HOST]:PORT, connect=[HOST]:PORT, mcast=ADDR:PORT and "
                   "udp=HOST:PORT,localaddr=[ADDR]:PORT");
        return false;
    }
    if (local && !dgram) {
        error_setg(errp, WHAT ",localaddr=%s goes with mcast= and udp=", local);
        return false;
    }
    return !text || (dgram ? parse_dgram(s, key, text, local, errp) : parse_stream(s, key, text, errp));
}

static bool socket_parse(Netdev *n, KeyVal *kv, Error **errp)
{
    NetSocket *s = socket_of(n);

    net_stream_init(&s->stream, n);
    net_dgram_init(&s->dgram, n);
    return parse_where(s, kv, errp);
}

static bool start_inherited(NetSocket *s, Error **errp)
{
    int type = s->is_dgram ? SOCK_DGRAM : 0, fd = net_address_take_socket(&s->inherited, &type, errp);

    if (fd < 0) {
        return false;
    }
    s->is_dgram = type == SOCK_DGRAM;
    if (s->is_dgram) {
        return net_dgram_start_fd(&s->dgram, fd, errp);
    }
    net_stream_start_fd(&s->stream, fd);
    return true;
}

static bool socket_start(Netdev *n, Error **errp)
{
    NetSocket *s = socket_of(n);

    if (s->inherited.kind != NET_ADDRESS_NONE) {
        return start_inherited(s, errp);
    }
    return s->is_dgram ? net_dgram_start(&s->dgram, errp) : net_stream_start(&s->stream, errp);
}

static bool socket_send(Netdev *n, const uint8_t *frame, size_t length)
{
    NetSocket *s = socket_of(n);

    return s->is_dgram ? net_dgram_send(&s->dgram, frame, length) : net_stream_send(&s->stream, frame, length);
}

static void socket_accept(Netdev *n)
{
    NetSocket *s = socket_of(n);

    if (s->is_dgram) {
        net_dgram_accept(&s->dgram);
    } else {
        net_stream_accept(&s->stream);
    }
}

static void socket_close(Netdev *n)
{
    NetSocket *s = socket_of(n);

    net_stream_close(&s->stream);
    net_dgram_close(&s->dgram);
}

static void socket_describe(const Netdev *n, GString *out)
{
    const NetSocket *s = socket_of(n);

    net_address_describe(&s->inherited, out);
    if (s->is_dgram) {
        net_dgram_describe(&s->dgram, out);
    } else {
        net_stream_describe(&s->stream, out);
    }
}

const NetKind net_socket_kind = {
    .name = "socket",
    .options = ",listen=[HOST]:PORT | ,connect=[HOST]:PORT | ,mcast=ADDR:PORT[,localaddr=ADDR] | "
               ",udp=HOST:PORT,localaddr=[ADDR]:PORT | ,fd=N",
    .size = sizeof(NetSocket),
    .parse = socket_parse,
    .start = socket_start,
    .send = socket_send,
    .accept = socket_accept,
    .close = socket_close,
    .describe = socket_describe,
};
