/*
 * The back ends "tap" and "bridge": an interface of the host's network whose other side is here. It is made, or was
 * inherited, or comes from a helper with rights of its own, which puts it on a bridge.
 *
 * Linux: Documentation/networking/tuntap.rst; the helper's protocol is "--fd=N --br=BRIDGE", and one descriptor (SCM_RIGHTS)
 * on the Unix socket N.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "net/net-address.h"
#include "net/net-helper.h"
#include "net/net-int.h"
#include "util/watch.h"

#define DEFAULT_SCRIPT "/etc/qemu-ifup"
#define DEFAULT_DOWN_SCRIPT "/etc/qemu-ifdown"
#define DEFAULT_HELPER "/usr/lib/qemu/qemu-bridge-helper"
/* Frames of one turn of the main loop. */
#define MAX_TURN 64
/* struct virtio_net_hdr, in front of frames on interfaces that somebody else has made so. */
#define MAX_HEADER 64

typedef struct NetTapDev {
    Netdev base;
    /* Options. */
    NetAddress inherited;
    char *ifname, *script, *downscript;    /* scripts NULL: none */
    char *helper, *bridge;                 /* helper NULL: none */
    /* What is open. */
    int fd;                                /* -1: nothing */
    char name[IFNAMSIZ];                   /* "": it has none */
    int header;                            /* bytes */
    GSource *readable, *writable;
} NetTapDev;

static NetTapDev *tap_of(const Netdev *n)
{
    return container_of(n, NetTapDev, base);
}

/* ---- frames ---- */

/* False: there is none now. */
static bool receive_one(NetTapDev *t)
{
    uint8_t data[MAX_HEADER + NET_MAX_FRAME + 1];
    ssize_t n = read(t->fd, data, sizeof(data));

    if (n > t->header) {
        netdev_receive(&t->base, data + t->header, (size_t)(n - t->header));
    }
    return n > 0;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer opaque)
{
    NetTapDev *t = opaque;
    unsigned frames = 0;

    while (frames < MAX_TURN && netdev_can_receive(&t->base) && receive_one(t)) {
        frames++;
    }
    /* Until the guest has room; for good, if the interface has been removed. */
    if (!netdev_can_receive(&t->base) || (!frames && (condition & (G_IO_ERR | G_IO_HUP)))) {
        watch_end(&t->readable);
    }
    return G_SOURCE_CONTINUE;
}

static void tap_accept(Netdev *n)
{
    NetTapDev *t = tap_of(n);

    if (t->fd >= 0 && !t->readable) {
        t->readable = watch_fd(netdev_context(n), t->fd, G_IO_IN, on_readable, t);
    }
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer opaque)
{
    NetTapDev *t = opaque;

    watch_end(&t->writable);
    netdev_flush(&t->base);
    return G_SOURCE_CONTINUE;
}

static bool tap_send(Netdev *n, const uint8_t *frame, size_t length)
{
    static const uint8_t header[MAX_HEADER];
    NetTapDev *t = tap_of(n);
    const struct iovec iov[2] = { { (void *)header, (size_t)t->header }, { (void *)frame, length } };

    if (writev(t->fd, iov, 2) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
        /* One that an interface does not take, as it is down, is lost. */
        return true;
    }
    if (!t->writable) {
        t->writable = watch_fd(netdev_context(n), t->fd, G_IO_OUT, on_writable, t);
    }
    return false;
}

/* ---- where it comes from ---- */

/* What an open descriptor is. */
static bool look_at(NetTapDev *t, Error **errp)
{
    struct ifreq request = { .ifr_flags = 0 };
    int type = 0;
    socklen_t length = sizeof(type);

    if (ioctl(t->fd, TUNGETIFF, &request) < 0) {
        /* Whoever keeps frames apart will do. */
        if (getsockopt(t->fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 ||
            (type != SOCK_DGRAM && type != SOCK_SEQPACKET)) {
            error_setg(errp, "fd=%d is neither a tap interface nor a socket for datagrams", t->fd);
            return false;
        }
        return true;
    }
    memcpy(t->name, request.ifr_name, sizeof(t->name) - 1);
    if (!(request.ifr_flags & IFF_TAP) || !(request.ifr_flags & IFF_NO_PI)) {
        error_setg(errp, "the interface '%s' is not for plain frames: it has to be made with IFF_TAP and IFF_NO_PI", t->name);
        return false;
    }
    if ((request.ifr_flags & IFF_VNET_HDR) &&
        (ioctl(t->fd, TUNGETVNETHDRSZ, &t->header) < 0 || t->header < 0 || t->header > MAX_HEADER ||
         ioctl(t->fd, TUNSETOFFLOAD, 0) < 0)) {
        error_setg(errp, "the interface '%s' has headers in front of frames, which cannot be kept empty", t->name);
        return false;
    }
    return true;
}

static bool make_interface(NetTapDev *t, Error **errp)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    int error;

    g_strlcpy(request.ifr_name, t->ifname, sizeof(request.ifr_name));
    t->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (t->fd < 0) {
        error_setg_errno(errp, errno, "cannot open /dev/net/tun");
    } else if (ioctl(t->fd, TUNSETIFF, &request) < 0) {
        error = errno;
        error_setg_errno(errp, error, "cannot make or open the interface '%s'", t->ifname);
        if (error == EPERM) {
            error_prepend(errp, "it takes rights (CAP_NET_ADMIN), or an interface of your own ('ip tuntap add dev NAME mode tap "
                          "user YOU' as root, then ifname=NAME,script=no), or helper=; 'user' needs none: ");
        }
    } else {
        return true;
    }
    return false;
}

static bool open_tap(NetTapDev *t, Error **errp)
{
    if (t->inherited.kind == NET_ADDRESS_FD) {
        t->fd = net_address_take_fd(&t->inherited, errp);
    } else if (t->helper) {
        t->fd = net_helper_run(t->helper, t->bridge, errp);
    } else if (!make_interface(t, errp)) {
        return false;
    }
    return t->fd >= 0 && look_at(t, errp);
}

static bool start_failed(NetTapDev *t)
{
    if (t->fd >= 0) {
        close(t->fd);
        t->fd = -1;
    }
    return false;
}

static bool tap_start(Netdev *n, Error **errp)
{
    NetTapDev *t = tap_of(n);

    if (!netdev_may_spawn(n) && (t->helper || t->script)) {
        error_setg(errp, "'%s' cannot be run: this process may start no others", t->helper ? t->helper : t->script);
        return false;
    }
    if (!open_tap(t, errp) || (t->script && !net_script_run(t->script, t->name, errp))) {
        return start_failed(t);
    }
    tap_accept(n);
    return true;
}

static void tap_close(Netdev *n)
{
    NetTapDev *t = tap_of(n);
    Error *err = NULL;

    watch_end(&t->readable);
    watch_end(&t->writable);
    if (n->started && t->downscript) {
        if (!netdev_may_spawn(n)) {
            error_setg(&err, "'%s' is not run: this process may start no others", t->downscript);
        } else {
            net_script_run(t->downscript, t->name, &err);
        }
    }
    if (err) {
        warn_report("-netdev %s,id=%s: %s", n->kind->name, n->id, error_get_pretty(err));
        error_free(err);
    }
    if (t->fd >= 0) {
        close(t->fd);
    }
    net_address_clear(&t->inherited);
    g_free(t->ifname);
    g_free(t->script);
    g_free(t->downscript);
    g_free(t->helper);
    g_free(t->bridge);
}

static void tap_describe(const Netdev *n, GString *out)
{
    const NetTapDev *t = tap_of(n);

    if (t->name[0] || t->ifname) {
        g_string_append_printf(out, "interface %s", t->name[0] ? t->name : t->ifname);
    } else if (t->helper) {
        g_string_append_printf(out, "bridge %s", t->bridge);
    } else {
        net_address_describe(&t->inherited, out);
    }
}

/* ---- options ---- */

/* NULL: none. Without the option it is the usual one, if that is there. */
static char *script_of(KeyVal *kv, const char *key, const char *usual)
{
    const char *path = keyval_get(kv, key);

    if (path) {
        return *path && strcmp(path, "no") ? g_strdup(path) : NULL;
    }
    return g_file_test(usual, G_FILE_TEST_IS_EXECUTABLE) ? g_strdup(usual) : NULL;
}

static bool refuse_others(KeyVal *kv, Error **errp)
{
    static const char *const queues[] = { "fds", "queues", "vhostfds" };
    bool vhost = false;

    if (!keyval_get_bool(kv, "vhost", &vhost, errp)) {
        return false;
    }
    if (vhost) {
        error_setg(errp, "-netdev tap,vhost=on: the card is in this process, so that it can be recorded");
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(queues); i++) {
        if (keyval_has(kv, queues[i])) {
            error_setg(errp, "-netdev tap,%s=: a card has one pair of queues; fd=N is one interface", queues[i]);
            return false;
        }
    }
    return true;
}

static bool parse_interface(NetTapDev *t, KeyVal *kv, Error **errp)
{
    const char *ifname = keyval_get(kv, "ifname");

    if (ifname && (!*ifname || strlen(ifname) >= IFNAMSIZ || strchr(ifname, '/'))) {
        error_setg(errp, "-netdev tap,ifname=%s: expected 1 to %u characters, as in tap0", ifname, IFNAMSIZ - 1);
        return false;
    }
    t->ifname = g_strdup(ifname ? ifname : "tap%d");    /* the kernel finds a number */
    t->script = script_of(kv, "script", DEFAULT_SCRIPT);
    t->downscript = script_of(kv, "downscript", DEFAULT_DOWN_SCRIPT);
    return true;
}

static bool tap_parse(Netdev *n, KeyVal *kv, Error **errp)
{
    static const char *const others[] = { "ifname", "script", "downscript", "helper", "br" };
    NetTapDev *t = tap_of(n);
    const char *fd = keyval_get(kv, "fd"), *helper = keyval_get(kv, "helper"), *bridge = keyval_get(kv, "br");

    t->fd = -1;
    if (!refuse_others(kv, errp)) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        if (keyval_has(kv, others[i]) && (fd || (helper && i < 3))) {
            error_setg(errp, "-netdev tap: %s= does not go with %s=, where the interface is there already", others[i],
                       fd ? "fd" : "helper");
            return false;
        }
    }
    if (fd) {
        return net_address_parse_fd(&t->inherited, "-netdev tap", "fd", fd, errp);
    }
    if (helper) {
        t->helper = g_strdup(helper);
        t->bridge = g_strdup(bridge ? bridge : "br0");
        return true;
    }
    if (bridge) {
        error_setg(errp, "-netdev tap,br=%s: it is helper=PROGRAM that puts an interface on a bridge; or -netdev bridge", bridge);
        return false;
    }
    return parse_interface(t, kv, errp);
}

static bool bridge_parse(Netdev *n, KeyVal *kv, Error **errp)
{
    NetTapDev *t = tap_of(n);
    const char *helper = keyval_get(kv, "helper"), *bridge = keyval_get(kv, "br");

    t->fd = -1;
    t->helper = g_strdup(helper ? helper : DEFAULT_HELPER);
    t->bridge = g_strdup(bridge ? bridge : "br0");
    return true;
}

const NetKind net_tap_kind = {
    .name = "tap",
    .options = "[,ifname=NAME][,script=FILE|no][,downscript=FILE|no] | ,fd=N | ,helper=PROGRAM[,br=BRIDGE]",
    .size = sizeof(NetTapDev),
    .parse = tap_parse,
    .start = tap_start,
    .send = tap_send,
    .accept = tap_accept,
    .close = tap_close,
    .describe = tap_describe,
};

const NetKind net_bridge_kind = {
    .name = "bridge",
    .options = "[,br=BRIDGE][,helper=PROGRAM]",
    .size = sizeof(NetTapDev),
    .parse = bridge_parse,
    .start = tap_start,
    .send = tap_send,
    .accept = tap_accept,
    .close = tap_close,
    .describe = tap_describe,
};
