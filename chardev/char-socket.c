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
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "chardev/chardev-int.h"

/* Descriptors in a message; the host gives at most as many as there is room for. */
#define MAX_PASSED 16

typedef struct CharSocket {
    Chardev chr;
    char *path, *host, *port;     /* path, or host and port */
    bool server, nodelay;
    uint64_t reconnect;           /* seconds; 0: never */
    int listener;                 /* -1: none */
    int peer;                     /* -1: none */
    ino_t path_inode;             /* of the socket file we made */
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
        s->listen_source = char_watch(c->set, s->listener, G_IO_IN, socket_accept, s);
    } else if (s->reconnect) {
        socket_schedule_reconnect(s);
    }
}

static void socket_connected(CharSocket *s, int fd)
{
    int on = 1;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (s->nodelay && !s->path) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    s->peer = fd;
    char_fd_start(&s->fd, &s->chr, fd, fd, socket_disconnected);
    s->fd.read = s->path ? socket_read : NULL;
    chardev_event(&s->chr, CHAR_EVENT_OPENED);
}

static gboolean socket_accept(gint listener, GIOCondition condition, gpointer opaque)
{
    CharSocket *s = opaque;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0) {
        char_unwatch(&s->listen_source);
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

/* ---- Unix sockets ---- */

static bool unix_address(const CharSocket *s, struct sockaddr_un *addr, Error **errp)
{
    *addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(s->path) >= sizeof(addr->sun_path)) {
        error_setg(errp, "socket path '%s' is too long: at most %zu characters", s->path,
                   sizeof(addr->sun_path) - 1);
        return false;
    }
    memcpy(addr->sun_path, s->path, strlen(s->path));
    return true;
}

/* A socket file that a dead process left behind is in the way: nobody answers there. */
static bool unix_remove_stale(const CharSocket *s, const struct sockaddr_un *addr, Error **errp)
{
    struct stat st;
    bool alive;
    int fd;

    if (lstat(s->path, &st) < 0) {
        return true;
    }
    if (!S_ISSOCK(st.st_mode)) {
        error_setg(errp, "cannot listen on '%s': the file exists and is not a socket", s->path);
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    alive = fd < 0 || connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
            errno != ECONNREFUSED;
    if (fd >= 0) {
        close(fd);
    }
    if (alive) {
        error_setg(errp, "cannot listen on '%s': another process is listening there", s->path);
        return false;
    }
    unlink(s->path);
    return true;
}

static bool unix_listen(CharSocket *s, Error **errp)
{
    struct sockaddr_un addr;
    struct stat st;

    if (!unix_address(s, &addr, errp) || !unix_remove_stale(s, &addr, errp)) {
        return false;
    }
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        error_setg_errno(errp, errno, "cannot listen on '%s'", s->path);
        return false;
    }
    if (lstat(s->path, &st) == 0) {
        s->path_inode = st.st_ino;
    }
    if (listen(s->listener, 1) < 0) {
        error_setg_errno(errp, errno, "cannot listen on '%s'", s->path);
        return false;
    }
    return true;
}

/* ---- TCP ---- */

static struct addrinfo *tcp_addresses(const CharSocket *s, Error **errp)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
        .ai_flags = s->server ? AI_PASSIVE : 0,
    };
    const char *host = *s->host ? s->host : s->server ? NULL : "localhost";
    struct addrinfo *list = NULL;
    int error;

    if (!host) {
        hints.ai_family = AF_INET;   /* any address: as the other emulators do */
    }
    error = getaddrinfo(host, s->port, &hints, &list);
    if (error) {
        error_setg(errp, "cannot look up '%s:%s': %s", s->host, s->port, gai_strerror(error));
        return NULL;
    }
    return list;
}

static bool tcp_listen(CharSocket *s, Error **errp)
{
    struct addrinfo *list = tcp_addresses(s, errp);
    int on = 1, error = 0;

    if (!list) {
        return false;
    }
    for (struct addrinfo *a = list; a && s->listener < 0; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0) {
            error = errno;
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1) == 0) {
            s->listener = fd;
        } else {
            error = errno;
            close(fd);
        }
    }
    freeaddrinfo(list);
    if (s->listener < 0) {
        error_setg_errno(errp, error, "cannot listen on '%s:%s'", s->host, s->port);
    }
    return s->listener >= 0;
}

/* port=0 lets the host choose: show what it chose. */
static unsigned tcp_bound_port(const CharSocket *s)
{
    struct sockaddr_storage addr;
    socklen_t length = sizeof(addr);
    char port[16];

    if (getsockname(s->listener, (struct sockaddr *)&addr, &length) < 0 ||
        getnameinfo((struct sockaddr *)&addr, length, NULL, 0, port, sizeof(port),
                    NI_NUMERICSERV)) {
        return 0;
    }
    return (unsigned)strtoul(port, NULL, 10);
}

/* ---- client ---- */

/* Start to connect; -1 and errno on failure, else a socket that may still be on its way. */
static int socket_connect(CharSocket *s, int flags, Error **errp)
{
    struct addrinfo *list;
    int fd = -1, error = 0;

    if (s->path) {
        struct sockaddr_un addr;

        if (!unix_address(s, &addr, errp)) {
            return -1;
        }
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
            error_setg_errno(errp, errno, "cannot connect to '%s'", s->path);
            if (fd >= 0) {
                close(fd);
            }
            return -1;
        }
        return fd;
    }
    list = tcp_addresses(s, errp);
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
        error_setg_errno(errp, error, "cannot connect to '%s:%s'", s->host, s->port);
    }
    return fd;
}

static gboolean socket_connect_done(gint fd, GIOCondition condition, gpointer opaque)
{
    CharSocket *s = opaque;
    socklen_t length = sizeof(int);
    int error = 0;

    char_unwatch(&s->retry);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0) {
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

    char_unwatch(&s->retry);
    if (fd < 0) {
        socket_schedule_reconnect(s);
    } else {
        s->peer = fd;
        s->retry = char_watch(s->chr.set, fd, G_IO_OUT | G_IO_HUP | G_IO_ERR,
                              socket_connect_done, s);
    }
    return G_SOURCE_CONTINUE;
}

static void socket_schedule_reconnect(CharSocket *s)
{
    s->retry = char_timeout(s->chr.set, (unsigned)s->reconnect * 1000, socket_reconnect, s);
}

/* ---- open and close ---- */

static bool socket_options(CharSocket *s, KeyVal *options, bool *wait, Error **errp)
{
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
    if (!s->path == !s->port) {
        error_setg(errp, "-chardev socket needs either path=PATH or host=HOST,port=PORT");
        return false;
    }
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
    return true;
}

static bool socket_open(Chardev *c, KeyVal *options, Error **errp)
{
    CharSocket *s = container_of(c, CharSocket, chr);
    const char *suffix;
    bool wait;
    int fd;

    s->listener = s->peer = -1;
    s->fd.in = s->fd.out = -1;
    if (!socket_options(s, options, &wait, errp)) {
        return false;
    }
    if (s->server && !(s->path ? unix_listen(s, errp) : tcp_listen(s, errp))) {
        return false;
    }
    suffix = s->server ? ",server=on" : "";
    if (s->path) {
        chardev_set_label(c, "unix:%s%s", s->path, suffix);
    } else if (s->server) {
        chardev_set_label(c, "tcp:%s:%u%s", s->host, tcp_bound_port(s), suffix);
    } else {
        chardev_set_label(c, "tcp:%s:%s", s->host, s->port);
    }
    if (s->server) {
        c->wait = wait;
        s->listen_source = char_watch(c->set, s->listener, G_IO_IN, socket_accept, s);
    } else if (s->reconnect) {
        s->retry = char_timeout(c->set, 0, socket_reconnect, s);
    } else {
        fd = socket_connect(s, 0, errp);
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
    struct stat st;

    char_unwatch(&s->listen_source);
    char_unwatch(&s->retry);
    char_fd_stop(&s->fd);
    socket_close_passed(s);
    if (s->peer >= 0) {
        close(s->peer);
    }
    if (s->listener >= 0) {
        close(s->listener);
    }
    if (s->path_inode && lstat(s->path, &st) == 0 && st.st_ino == s->path_inode) {
        unlink(s->path);
    }
    g_free(s->path);
    g_free(s->host);
    g_free(s->port);
}

const ChardevType chardev_socket_type = {
    .name = "socket",
    .help = "a stream socket: path=PATH or host=HOST,port=PORT;\n"
            "[,server=on|off][,wait=on|off][,nodelay=on|off][,reconnect=SECONDS]",
    .size = sizeof(CharSocket),
    .open = socket_open,
    .close = socket_close,
    .write = socket_write,
    .write_fd = socket_write_fd,
    .take_fd = socket_take_fd,
};
