/*
 * Back end "socket": a Unix or TCP stream socket, as server or client.
 *
 * A server has one client at a time; when it leaves, the next one is accepted. A client
 * whose connection breaks stays closed, or tries again with reconnect=SECONDS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include "chardev/chardev-int.h"
#include "util/host-socket.h"

/* Descriptors in a message; the host gives at most as many as there is room for. */
#define MAX_PASSED 16

typedef struct CharSocket {
    Chardev chr;
    char *path, *host, *port;     /* path, or host and port, or neither: a socket that was inherited */
    int inherited;                /* its descriptor; -1: none */
    bool local;                   /* a Unix socket */
    bool server, nodelay;
    uint64_t reconnect;           /* seconds; 0: never */
    int listener;                 /* -1: none */
    int peer;                     /* -1: none */
    uint64_t path_file;           /* the socket file we made */
    GSource *listen_source;
    GSource *retry;               /* timer, or a watch on a connect under way */
    CharFd fd;
    int passed[MAX_PASSED];       /* descriptors that the peer sent with the last piece ... */
    unsigned num_passed;          /* ... as far as nobody has taken them */
} CharSocket;

static gboolean socket_accept(gint fd, GIOCondition condition, gpointer opaque);
static void socket_schedule_reconnect(CharSocket *s);

/* ---- descriptors that the peer sends ---- */

static void socket_close_passed(CharSocket *s)
{
    while (s->num_passed) {
        close(s->passed[--s->num_passed]);
    }
}

static ssize_t socket_read(Chardev *c, void *data, size_t length)
{
    CharSocket *s = container_of(c, CharSocket, chr);
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(s->passed))];
    } control;
    struct iovec iov = { data, length };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                          .msg_controllen = sizeof(control.bytes) };
    ssize_t n = recvmsg(s->peer, &msg, MSG_CMSG_CLOEXEC);

    if (n < 0) {
        return n;
    }
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&msg); h; h = CMSG_NXTHDR(&msg, h)) {
        if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS) {
            size_t bytes = MIN(h->cmsg_len - CMSG_LEN(0), sizeof(s->passed));

            /* What nobody took of an earlier message does not belong to this one. */
            socket_close_passed(s);
            memcpy(s->passed, CMSG_DATA(h), bytes);
            s->num_passed = (unsigned)(bytes / sizeof(int));
        }
    }
    return n;
}

static int socket_take_fd(Chardev *c)
{
    CharSocket *s = container_of(c, CharSocket, chr);
    int fd = s->num_passed ? s->passed[0] : -1;

    if (s->num_passed) {
        s->num_passed--;
        memmove(s->passed, s->passed + 1, s->num_passed * sizeof(int));
    }
    return fd;
}

/* ---- a connection ---- */

static void socket_disconnected(Chardev *c)
{
    CharSocket *s = container_of(c, CharSocket, chr);

    char_fd_stop(&s->fd);
    socket_close_passed(s);
    close(s->peer);
    s->peer = -1;
    chardev_event(c, CHAR_EVENT_CLOSED);
    if (s->server) {
        s->listen_source = watch_fd(c->set->context, s->listener, G_IO_IN, socket_accept, s);
    } else if (s->reconnect) {
        socket_schedule_reconnect(s);
    }
}

static void socket_connected(CharSocket *s, int fd)
{
    int on = 1;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (s->nodelay && !s->local) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    s->peer = fd;
    char_fd_start(&s->fd, &s->chr, fd, fd, socket_disconnected);
    s->fd.read = s->local ? socket_read : NULL;
    chardev_event(&s->chr, CHAR_EVENT_OPENED);
}

static gboolean socket_accept(gint listener, GIOCondition condition, gpointer opaque)
{
    CharSocket *s = opaque;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0) {
        watch_end(&s->listen_source);
        socket_connected(s, fd);
    }
    return G_SOURCE_CONTINUE;
}

static ssize_t socket_write(Chardev *c, const uint8_t *data, size_t length)
{
    CharSocket *s = container_of(c, CharSocket, chr);

    return s->peer >= 0 ? char_fd_write(&s->fd, data, length) : -1;
}

static int socket_write_fd(Chardev *c)
{
    return container_of(c, CharSocket, chr)->peer;
}

/* ---- server ---- */

static bool unix_listen(CharSocket *s, Error **errp)
{
    s->listener = host_socket_listen_unix(s->path, errp);
    if (s->listener >= 0) {
        s->path_file = host_socket_file(s->path);
    }
    return s->listener >= 0;
}

static bool tcp_listen(CharSocket *s, Error **errp)
{
    s->listener = host_socket_listen_tcp(s->host, s->port, errp);
    return s->listener >= 0;
}

/* ---- client ---- */

/* Start to connect; -1 on failure, else a socket that may still be on its way. */
static int socket_connect(CharSocket *s, int flags, Error **errp)
{
    return s->path ? host_socket_connect_unix(s->path, flags, errp)
                   : host_socket_connect_tcp(s->host, s->port, flags, errp);
}

static gboolean socket_connect_done(gint fd, GIOCondition condition, gpointer opaque)
{
    CharSocket *s = opaque;

    watch_end(&s->retry);
    if (host_socket_outcome(fd) == 0) {
        socket_connected(s, fd);
    } else {
        close(fd);
        s->peer = -1;
        socket_schedule_reconnect(s);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean socket_reconnect(gpointer opaque)
{
    CharSocket *s = opaque;
    int fd = socket_connect(s, SOCK_NONBLOCK, NULL);

    watch_end(&s->retry);
    if (fd < 0) {
        socket_schedule_reconnect(s);
    } else {
        s->peer = fd;
        s->retry = watch_fd(s->chr.set->context, fd, G_IO_OUT | G_IO_HUP | G_IO_ERR,
                            socket_connect_done, s);
    }
    return G_SOURCE_CONTINUE;
}

static void socket_schedule_reconnect(CharSocket *s)
{
    s->retry = watch_timeout(s->chr.set->context, (unsigned)s->reconnect * 1000, socket_reconnect, s);
}

/* ---- inherited sockets ---- */

/*
 * The number of a socket that whoever started the program has made: one that listens, for a server, so
 * that nobody has to wait until it does; else one that is connected.
 */
static bool inherited_options(CharSocket *s, const char *text, Error **errp)
{
    socklen_t length = sizeof(int);
    int domain = 0, listens = 0;
    uint64_t fd;

    if (!parse_u64(text, &fd) || fd > INT_MAX || fd <= STDERR_FILENO) {
        error_setg(errp, "-chardev socket: fd=%s: expected the number of an inherited descriptor, 3 or "
                   "more", text);
        return false;
    }
    if (getsockopt((int)fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 ||
        getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0) {
        error_setg_errno(errp, errno, "-chardev socket: fd=%s", text);
        return false;
    }
    if (s->reconnect || s->server != (listens != 0)) {
        error_setg(errp, "-chardev socket: fd=%s is a socket that %s", text,
                   listens ? "listens: server=on goes with it"
                           : "does not listen: neither server=on nor reconnect= goes with it");
        return false;
    }
    s->inherited = (int)fd;
    s->local = domain == AF_UNIX;
    return true;
}

/* It is ours from now on, and no child's. */
static int take_inherited(CharSocket *s)
{
    int fd = s->inherited;

    s->inherited = -1;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

/* ---- open and close ---- */

static bool socket_options(CharSocket *s, KeyVal *options, bool *wait, Error **errp)
{
    const char *inherited = keyval_get(options, "fd");
    bool delay = true;
    uint64_t port;

    s->path = g_strdup(keyval_get(options, "path"));
    s->port = g_strdup(keyval_get(options, "port"));
    s->host = g_strdup(keyval_get(options, "host"));
    if (!s->host) {
        s->host = g_strdup("");
    }
    *wait = true;
    /* "nodelay" is also read as delay=off. */
    if (!keyval_get_bool(options, "server", &s->server, errp) ||
        !keyval_get_bool(options, "wait", wait, errp) ||
        !keyval_get_bool(options, "delay", &delay, errp) ||
        !keyval_get_bool(options, "nodelay", &s->nodelay, errp) ||
        !keyval_get_u64(options, "reconnect", &s->reconnect, errp) ||
        !keyval_check_unused(options, "-chardev socket", errp)) {
        return false;
    }
    s->nodelay |= !delay;
    if (!!s->path + !!s->port + !!inherited != 1) {
        error_setg(errp, "-chardev socket needs either path=PATH or host=HOST,port=PORT or fd=N");
        return false;
    }
    s->local = s->path != NULL;
    if (s->port && (!parse_u64(s->port, &port) || port > 65535)) {
        error_setg(errp, "-chardev socket: port=%s: expected a number, 0..65535", s->port);
        return false;
    }
    if (s->server && s->reconnect) {
        error_setg(errp, "-chardev socket: reconnect=%" PRIu64 " is for clients, not with "
                   "server=on", s->reconnect);
        return false;
    }
    if (s->reconnect > 3600) {
        error_setg(errp, "-chardev socket: reconnect=%" PRIu64 " is out of range: 0..3600 "
                   "seconds", s->reconnect);
        return false;
    }
    return !inherited || inherited_options(s, inherited, errp);
}

static bool socket_listen(CharSocket *s, Error **errp)
{
    if (s->path || s->port) {
        return s->path ? unix_listen(s, errp) : tcp_listen(s, errp);
    }
    s->listener = take_inherited(s);
    fcntl(s->listener, F_SETFL, O_NONBLOCK);
    return true;
}

static bool socket_open(Chardev *c, KeyVal *options, Error **errp)
{
    CharSocket *s = container_of(c, CharSocket, chr);
    const char *suffix;
    bool wait;
    int fd;

    s->listener = s->peer = s->inherited = -1;
    s->fd.in = s->fd.out = -1;
    if (!socket_options(s, options, &wait, errp)) {
        return false;
    }
    fd = s->inherited;
    if (s->server && !socket_listen(s, errp)) {
        return false;
    }
    suffix = s->server ? ",server=on" : "";
    if (s->path) {
        chardev_set_label(c, "unix:%s%s", s->path, suffix);
    } else if (!s->port) {
        chardev_set_label(c, "fd:%d%s", fd, suffix);
    } else if (s->server) {
        /* port=0 lets the host choose: show what it chose. */
        chardev_set_label(c, "tcp:%s:%u%s", s->host, host_socket_port(s->listener), suffix);
    } else {
        chardev_set_label(c, "tcp:%s:%s", s->host, s->port);
    }
    if (s->server) {
        c->wait = wait;
        s->listen_source = watch_fd(c->set->context, s->listener, G_IO_IN, socket_accept, s);
    } else if (s->reconnect) {
        s->retry = watch_timeout(c->set->context, 0, socket_reconnect, s);
    } else {
        fd = s->inherited >= 0 ? take_inherited(s) : socket_connect(s, 0, errp);
        if (fd < 0) {
            return false;
        }
        socket_connected(s, fd);
    }
    return true;
}

static void socket_close(Chardev *c)
{
    CharSocket *s = container_of(c, CharSocket, chr);

    watch_end(&s->listen_source);
    watch_end(&s->retry);
    char_fd_stop(&s->fd);
    socket_close_passed(s);
    if (s->peer >= 0) {
        close(s->peer);
    }
    if (s->listener >= 0) {
        close(s->listener);
    }
    if (s->path) {
        host_socket_unlink(s->path, s->path_file);
    }
    g_free(s->path);
    g_free(s->host);
    g_free(s->port);
}

const ChardevType chardev_socket_type = {
    .name = "socket",
    .help = "a stream socket: path=PATH or host=HOST,port=PORT or fd=N;\n"
            "[,server=on|off][,wait=on|off][,nodelay=on|off][,reconnect=SECONDS]",
    .size = sizeof(CharSocket),
    .open = socket_open,
    .close = socket_close,
    .write = socket_write,
    .write_fd = socket_write_fd,
    .take_fd = socket_take_fd,
};
