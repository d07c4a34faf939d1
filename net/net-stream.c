/*
 * The back end "stream", and what "socket" has of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "net/net-stream.h"
#include "util/watch.h"

#define READ_BYTES 65536
/* How long a start waits for the other end: most that fail, fail at once. */
#define CONNECT_WAIT_MS 3000

static gboolean accept_client(gint fd, GIOCondition condition, gpointer opaque);
static gboolean try_again(gpointer opaque);

static bool try_later(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* ---- a connection ---- */

static void lost(NetStream *s)
{
    watch_end(&s->readable);
    watch_end(&s->writable);
    close(s->peer);
    s->peer = -1;
    s->connected = false;
    g_byte_array_set_size(s->rest, 0);
    net_frames_reset(&s->in);
    if (s->listener >= 0) {
        s->accept = watch_fd(netdev_context(s->n), s->listener, G_IO_IN, accept_client, s);
    } else if (s->reconnect_ms) {
        s->retry = watch_timeout(netdev_context(s->n), (unsigned)s->reconnect_ms, try_again, s);
    }
}

static void received(void *opaque, const uint8_t *frame, size_t length)
{
    netdev_receive(((NetStream *)opaque)->n, frame, length);
}

/* False: the connection has ended. */
static bool take_input(NetStream *s)
{
    uint8_t data[READ_BYTES];
    ssize_t n = read(s->peer, data, sizeof(data));
    uint32_t length;

    if (n <= 0) {
        return n < 0 && try_later(errno);
    }
    if (!net_frames_feed(&s->in, data, (size_t)n, received, s, &length)) {
        warn_report("-netdev %s,id=%s: the other end announces a frame of %" PRIu32 " bytes, and there are none of more "
                    "than %u: is it a network of this kind? The connection is closed", s->n->kind->name, s->n->id,
                    length, NET_MAX_FRAME);
        return false;
    }
    return true;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer opaque)
{
    NetStream *s = opaque;

    if (!netdev_can_receive(s->n)) {
        watch_end(&s->readable);
    } else if (!take_input(s)) {
        lost(s);
        netdev_flush(s->n);
    }
    return G_SOURCE_CONTINUE;
}

void net_stream_accept(NetStream *s)
{
    if (s->connected && !s->readable) {
        s->readable = watch_fd(netdev_context(s->n), s->peer, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, s);
    }
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer opaque)
{
    NetStream *s = opaque;
    ssize_t n = send(s->peer, s->rest->data, s->rest->len, MSG_NOSIGNAL);

    if (n < 0 && !try_later(errno)) {
        lost(s);
    } else if (n > 0) {
        g_byte_array_remove_range(s->rest, 0, (guint)n);
    }
    if (!s->rest->len) {
        watch_end(&s->writable);
        netdev_flush(s->n);
    }
    return G_SOURCE_CONTINUE;
}

/* What the socket has not taken; the first bytes may be of the header. */
static void keep_rest(NetStream *s, const struct iovec iov[2], size_t sent)
{
    for (unsigned i = 0; i < 2; i++) {
        size_t skip = MIN(sent, iov[i].iov_len);

        g_byte_array_append(s->rest, (const uint8_t *)iov[i].iov_base + skip, (guint)(iov[i].iov_len - skip));
        sent -= skip;
    }
    if (s->rest->len) {
        s->writable = watch_fd(netdev_context(s->n), s->peer, G_IO_OUT | G_IO_HUP | G_IO_ERR, on_writable, s);
    }
}

bool net_stream_send(NetStream *s, const uint8_t *frame, size_t length)
{
    uint8_t header[NET_FRAMES_HEADER];
    const struct iovec iov[2] = { { header, sizeof(header) }, { (void *)frame, length } };
    const struct msghdr message = { .msg_iov = (struct iovec *)iov, .msg_iovlen = 2 };
    ssize_t n;

    if (!s->connected) {
        return true;
    }
    if (s->rest->len) {
        return false;
    }
    net_frames_header(header, length);
    n = sendmsg(s->peer, &message, MSG_NOSIGNAL);
    if (n < 0 && !try_later(errno)) {
        lost(s);
        return true;
    }
    keep_rest(s, iov, (size_t)MAX(n, 0));
    return true;
}

static void connected(NetStream *s, int fd)
{
    int on = 1;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    /* Of another socket than TCP's this fails. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    s->peer = fd;
    s->connected = true;
    net_stream_accept(s);
}

/* ---- server ---- */

static gboolean accept_client(gint listener, GIOCondition condition, gpointer opaque)
{
    NetStream *s = opaque;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0) {
        watch_end(&s->accept);
        connected(s, fd);
    }
    return G_SOURCE_CONTINUE;
}

static int take_listener(const NetAddress *a, Error **errp)
{
    int type = SOCK_STREAM, listens = 0, fd = net_address_take_socket(a, &type, errp);
    socklen_t length = sizeof(listens);

    if (fd >= 0 && (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0 || !listens)) {
        error_setg(errp, "fd=%d is a socket that does not listen: server=on does not go with it", fd);
        close(fd);
        return -1;
    }
    return fd;
}

static bool start_server(NetStream *s, Error **errp)
{
    if (s->addr.kind == NET_ADDRESS_UNIX) {
        s->listener = host_socket_listen_unix(s->addr.path, errp);
        s->file = s->listener >= 0 ? host_socket_file(s->addr.path) : 0;
    } else if (s->addr.kind == NET_ADDRESS_INET) {
        s->listener = host_socket_listen_tcp(s->addr.host, s->addr.port, errp);
    } else {
        s->listener = take_listener(&s->addr, errp);
    }
    if (s->listener < 0) {
        return false;
    }
    s->accept = watch_fd(netdev_context(s->n), s->listener, G_IO_IN, accept_client, s);
    return true;
}

/* ---- client ---- */

static gboolean connection_decided(gint fd, GIOCondition condition, gpointer opaque)
{
    NetStream *s = opaque;

    int error = host_socket_outcome(fd);

    watch_end(&s->writable);
    if (!error) {
        connected(s, fd);
        return G_SOURCE_CONTINUE;
    }
    if (!s->reconnect_ms) {
        warn_report("-netdev %s,id=%s: no connection: %s", s->n->kind->name, s->n->id, g_strerror(error));
    }
    lost(s);
    return G_SOURCE_CONTINUE;
}

/* Begin, and go on in the main loop. */
static bool begin_to_connect(NetStream *s, Error **errp)
{
    s->peer = s->addr.kind == NET_ADDRESS_UNIX
                  ? host_socket_connect_unix(s->addr.path, SOCK_NONBLOCK, errp)
                  : host_socket_connect_tcp(s->addr.host, s->addr.port, SOCK_NONBLOCK, errp);
    if (s->peer < 0) {
        return false;
    }
    s->writable = watch_fd(netdev_context(s->n), s->peer, G_IO_OUT | G_IO_HUP | G_IO_ERR, connection_decided, s);
    return true;
}

static gboolean try_again(gpointer opaque)
{
    NetStream *s = opaque;

    watch_end(&s->retry);
    if (!begin_to_connect(s, NULL)) {
        s->retry = watch_timeout(netdev_context(s->n), (unsigned)s->reconnect_ms, try_again, s);
    }
    return G_SOURCE_CONTINUE;
}

static bool start_client(NetStream *s, Error **errp)
{
    struct pollfd wait = { .events = POLLOUT };
    int error;

    if (s->reconnect_ms) {
        s->retry = watch_timeout(netdev_context(s->n), 0, try_again, s);
        return true;
    }
    if (!begin_to_connect(s, errp)) {
        return false;
    }
    wait.fd = s->peer;
    error = poll(&wait, 1, CONNECT_WAIT_MS) == 1 ? host_socket_outcome(s->peer) : 0;
    if (error) {
        g_autoptr(GString) where = g_string_new(NULL);

        net_address_describe(&s->addr, where);
        error_setg_errno(errp, error, "cannot connect to '%s'", where->str);
        lost(s);
    }
    return !error;
}

/* ---- life ---- */

void net_stream_init(NetStream *s, Netdev *n)
{
    s->n = n;
    s->listener = s->peer = -1;
    s->rest = g_byte_array_new();
    net_frames_init(&s->in);
}

bool net_stream_start(NetStream *s, Error **errp)
{
    int type = SOCK_STREAM, fd;

    if (s->server) {
        return start_server(s, errp);
    }
    if (s->addr.kind != NET_ADDRESS_FD) {
        return start_client(s, errp);
    }
    fd = net_address_take_socket(&s->addr, &type, errp);
    if (fd >= 0) {
        connected(s, fd);
    }
    return fd >= 0;
}

void net_stream_start_fd(NetStream *s, int fd)
{
    connected(s, fd);
}

void net_stream_close(NetStream *s)
{
    watch_end(&s->accept);
    watch_end(&s->readable);
    watch_end(&s->writable);
    watch_end(&s->retry);
    if (s->peer >= 0) {
        close(s->peer);
    }
    if (s->listener >= 0) {
        close(s->listener);
    }
    if (s->addr.path) {
        host_socket_unlink(s->addr.path, s->file);
    }
    g_byte_array_unref(s->rest);
    net_frames_clear(&s->in);
    net_address_clear(&s->addr);
}

void net_stream_describe(const NetStream *s, GString *out)
{
    net_address_describe(&s->addr, out);
    if (s->listener >= 0 && s->addr.kind == NET_ADDRESS_INET) {
        g_string_append_printf(out, " (port %u)", host_socket_port(s->listener));
    }
    if (s->server) {
        g_string_append(out, ", server=on");
    }
    if (s->n->started) {
        g_string_append(out, s->connected ? ", connected" : ", not connected");
    }
}

/* ---- the back end ---- */

typedef struct NetStreamDev {
    Netdev base;
    NetStream stream;
} NetStreamDev;

static NetStream *stream_of(const Netdev *n)
{
    return &container_of(n, NetStreamDev, base)->stream;
}

static bool parse_reconnect(NetStream *s, KeyVal *kv, Error **errp)
{
    uint64_t seconds = 0;

    if (!keyval_get_u64(kv, "reconnect", &seconds, errp) ||
        !keyval_get_u64(kv, "reconnect-ms", &s->reconnect_ms, errp)) {
        return false;
    }
    if (seconds > 3600 || s->reconnect_ms > 3600000 || (seconds && s->reconnect_ms)) {
        error_setg(errp, "-netdev stream: reconnect=SECONDS or reconnect-ms=MILLISECONDS is at most an hour, and one of "
                   "them is enough");
        return false;
    }
    s->reconnect_ms += seconds * 1000;
    if (s->reconnect_ms && (s->server || s->addr.kind == NET_ADDRESS_FD)) {
        error_setg(errp, "-netdev stream: reconnect= is for clients, not with %s",
                   s->server ? "server=on" : "addr.type=fd");
        return false;
    }
    return true;
}

static bool stream_parse(Netdev *n, KeyVal *kv, Error **errp)
{
    NetStream *s = stream_of(n);

    net_stream_init(s, n);
    if (!keyval_get_bool(kv, "server", &s->server, errp) ||
        !net_address_parse(&s->addr, kv, "-netdev stream", "addr", errp)) {
        return false;
    }
    if (s->addr.kind == NET_ADDRESS_NONE || (s->addr.kind == NET_ADDRESS_INET && !s->addr.port)) {
        error_setg(errp, "-netdev stream needs addr.type=inet,addr.host=HOST,addr.port=PORT or addr.type=unix,addr.path=PATH "
                   "or addr.type=fd,addr.str=N");
        return false;
    }
    return parse_reconnect(s, kv, errp);
}

static bool stream_start(Netdev *n, Error **errp)
{
    return net_stream_start(stream_of(n), errp);
}

static bool stream_send(Netdev *n, const uint8_t *frame, size_t length)
{
    return net_stream_send(stream_of(n), frame, length);
}

static void stream_accept(Netdev *n)
{
    net_stream_accept(stream_of(n));
}

static void stream_close(Netdev *n)
{
    net_stream_close(stream_of(n));
}

static void stream_describe(const Netdev *n, GString *out)
{
    net_stream_describe(stream_of(n), out);
}

const NetKind net_stream_kind = {
    .name = "stream",
    .options = "[,server=on|off],addr.type=inet,addr.host=HOST,addr.port=PORT | addr.type=unix,addr.path=PATH | "
               "addr.type=fd,addr.str=N[,reconnect=SECONDS][,reconnect-ms=MILLISECONDS]",
    .size = sizeof(NetStreamDev),
    .parse = stream_parse,
    .start = stream_start,
    .send = stream_send,
    .accept = stream_accept,
    .close = stream_close,
    .describe = stream_describe,
};
