/*
 * The back end "user": a small network behind an address translator in this process (libslirp). It has a gateway,
 * a DHCP server, a forwarder to the host's name server, TFTP, and connections out that need no rights.
 * It lives on the host's time and the main thread; the guest sees it through recorded frames alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <arpa/inet.h>
#include <libslirp.h>
#include "net/net-int.h"
#include "util/host-clock.h"

/* Version 4 of the config struct is that of libslirp 4.7; 1 is what all have. */
#define CONFIG_VERSION 1
#define FRAME_MTU 1500

typedef struct NetUser {
    Netdev base;
    SlirpConfig config;
    GPtrArray *strings;           /* what config points to */
    GPtrArray *dnssearch;
    GPtrArray *hostfwd, *guestfwd;
    char net_text[INET_ADDRSTRLEN + 4];
    Slirp *slirp;
    GSource *source;
} NetUser;

/* ---- the event loop ---- */

/* A descriptor that slirp waits for. */
typedef struct SlirpPoll {
    int fd;
    GIOCondition condition;
    gpointer tag;
} SlirpPoll;

typedef struct SlirpSource {
    GSource source;
    NetUser *u;
    GArray *wanted, *polled;      /* SlirpPoll, in slirp's order: of this round, and what the loop polls */
    gint64 ready;                 /* when slirp's timers are due (g_source_get_time()); -1: never */
} SlirpSource;

static int add_poll(int fd, int events, void *opaque)
{
    SlirpSource *s = opaque;
    SlirpPoll poll = {
        .fd = fd,
        .condition = (events & SLIRP_POLL_IN ? G_IO_IN : 0) | (events & SLIRP_POLL_OUT ? G_IO_OUT : 0) |
                     (events & SLIRP_POLL_PRI ? G_IO_PRI : 0) | G_IO_ERR | G_IO_HUP,
    };

    g_array_append_val(s->wanted, poll);
    return (int)s->wanted->len - 1;
}

static SlirpPoll *polled(SlirpSource *s, unsigned i)
{
    return &g_array_index(s->polled, SlirpPoll, i);
}

static int get_revents(int index, void *opaque)
{
    SlirpSource *s = opaque;
    GIOCondition c = g_source_query_unix_fd(&s->source, polled(s, (unsigned)index)->tag);

    return (c & G_IO_IN ? SLIRP_POLL_IN : 0) | (c & G_IO_OUT ? SLIRP_POLL_OUT : 0) |
           (c & G_IO_PRI ? SLIRP_POLL_PRI : 0) | (c & (G_IO_ERR | G_IO_NVAL) ? SLIRP_POLL_ERR : 0) |
           (c & G_IO_HUP ? SLIRP_POLL_HUP : 0);
}

static bool same_polls(SlirpSource *s)
{
    bool same = s->wanted->len == s->polled->len;

    for (unsigned i = 0; same && i < s->wanted->len; i++) {
        const SlirpPoll *wanted = &g_array_index(s->wanted, SlirpPoll, i);

        same = wanted->fd == polled(s, i)->fd && wanted->condition == polled(s, i)->condition;
    }
    return same;
}

/*
 * The loop wakes up at once whenever a descriptor comes, goes or waits for something else, and when a ready time
 * is set. So it is told of descriptors when they differ from the last round's, and of the time by the time-out alone.
 */
static gboolean source_prepare(GSource *source, gint *timeout)
{
    SlirpSource *s = (SlirpSource *)source;
    uint32_t wait = UINT32_MAX;

    g_array_set_size(s->wanted, 0);
    slirp_pollfds_fill(s->u->slirp, &wait, add_poll, s);
    if (!same_polls(s)) {
        for (unsigned i = 0; i < s->polled->len; i++) {
            g_source_remove_unix_fd(source, polled(s, i)->tag);
        }
        g_array_set_size(s->polled, 0);
        g_array_append_vals(s->polled, s->wanted->data, s->wanted->len);
        for (unsigned i = 0; i < s->polled->len; i++) {
            polled(s, i)->tag = g_source_add_unix_fd(source, polled(s, i)->fd, polled(s, i)->condition);
        }
    }
    *timeout = wait == UINT32_MAX ? -1 : (gint)MIN(wait, G_MAXINT);
    s->ready = *timeout < 0 ? -1 : g_source_get_time(source) + (gint64)*timeout * 1000;
    return FALSE;
}

static gboolean source_check(GSource *source)
{
    SlirpSource *s = (SlirpSource *)source;

    for (unsigned i = 0; i < s->polled->len; i++) {
        if (g_source_query_unix_fd(source, polled(s, i)->tag)) {
            return TRUE;
        }
    }
    return s->ready >= 0 && g_source_get_time(source) >= s->ready;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    SlirpSource *s = (SlirpSource *)source;

    slirp_pollfds_poll(s->u->slirp, 0, get_revents, s);
    return G_SOURCE_CONTINUE;
}

static void source_finalize(GSource *source)
{
    SlirpSource *s = (SlirpSource *)source;

    g_array_unref(s->wanted);
    g_array_unref(s->polled);
}

static GSourceFuncs source_funcs = {
    .prepare = source_prepare, .check = source_check, .dispatch = source_dispatch, .finalize = source_finalize,
};

/* ---- what libslirp asks of us ---- */

static ssize_t send_packet(const void *frame, size_t length, void *opaque)
{
    NetUser *u = opaque;

    netdev_receive(&u->base, frame, length);
    return (ssize_t)length;
}

static void guest_error(const char *message, void *opaque)
{
    warn_report("-netdev user,id=%s: the guest's packets: %s", ((NetUser *)opaque)->base.id, message);
}

static int64_t clock_get_ns(void *opaque)
{
    return host_monotonic_ns();
}

typedef struct UserTimer {
    SlirpTimerCb cb;
    void *cb_opaque;
    GSource *source;
} UserTimer;

static gboolean timer_fired(void *opaque)
{
    UserTimer *t = opaque;

    g_source_set_ready_time(t->source, -1);
    t->cb(t->cb_opaque);
    return G_SOURCE_CONTINUE;
}

static void *timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
    NetUser *u = opaque;
    UserTimer *t = g_new0(UserTimer, 1);

    t->cb = cb;
    t->cb_opaque = cb_opaque;
    t->source = g_timeout_source_new(G_MAXINT);
    g_source_set_ready_time(t->source, -1);
    g_source_set_callback(t->source, timer_fired, t, NULL);
    g_source_attach(t->source, netdev_context(&u->base));
    return t;
}

static void timer_free(void *timer, void *opaque)
{
    UserTimer *t = timer;

    g_source_destroy(t->source);
    g_source_unref(t->source);
    g_free(t);
}

/* Both clocks are the host's monotonic one. */
static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
    g_source_set_ready_time(((UserTimer *)timer)->source, expire_ms * 1000);
}

/* The source asks for all descriptors each time round. */
static void register_poll_fd(int fd, void *opaque)
{
}

static void notify(void *opaque)
{
    g_main_context_wakeup(netdev_context(&((NetUser *)opaque)->base));
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = register_poll_fd,
    .unregister_poll_fd = register_poll_fd,
    .notify = notify,
};

/* ---- forwarding ---- */

typedef struct Rule {
    bool udp;
    struct in_addr from, to;
    uint16_t from_port, to_port;
} Rule;

/* "[ADDR]:PORT" */
static bool parse_end(const char *text, struct in_addr *addr, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    g_autofree char *host = colon ? g_strndup(text, (gsize)(colon - text)) : NULL;
    uint64_t number;

    if (!colon || !parse_u64(colon + 1, &number) || number > UINT16_MAX) {
        return false;
    }
    *port = (uint16_t)number;
    return !*host || inet_pton(AF_INET, host, addr) == 1;
}

/* "PROTO:[ADDR]:PORT" of a rule, and "-[ADDR]:PORT" with to. */
static bool parse_rule(const char *text, bool to, Rule *r)
{
    g_autofree char *copy = NULL;
    char *dash;

    if (g_str_has_prefix(text, "tcp:") || g_str_has_prefix(text, "udp:")) {
        r->udp = text[0] == 'u';
        text += 4;
    } else if (text[0] == ':') {
        text++;
    } else {
        return false;
    }
    copy = g_strdup(text);
    dash = strchr(copy, '-');
    if (!dash) {
        return !to && parse_end(copy, &r->from, &r->from_port);
    }
    *dash = 0;
    return to && parse_end(copy, &r->from, &r->from_port) && parse_end(dash + 1, &r->to, &r->to_port) && r->to_port;
}

static bool hostfwd_rule(const NetUser *u, const char *text, bool to, Rule *r, Error **errp)
{
    *r = (Rule) { .to = u->config.vdhcp_start };
    if (!parse_rule(text, to, r)) {
        error_setg(errp, "hostfwd '%s': expected %s, for example %s", text,
                   to ? "tcp|udp:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT" : "tcp|udp:[HOSTADDR]:HOSTPORT",
                   to ? "tcp:127.0.0.1:2222-:22" : "tcp:127.0.0.1:2222");
        return false;
    }
    return true;
}

static bool add_hostfwd(NetUser *u, const char *text, Error **errp)
{
    Rule r;

    if (!hostfwd_rule(u, text, true, &r, errp)) {
        return false;
    }
    if (slirp_add_hostfwd(u->slirp, r.udp, r.from, r.from_port, r.to, r.to_port) < 0) {
        error_setg(errp, "hostfwd '%s': the host's port %u cannot be listened on: %s", text, r.from_port,
                   g_strerror(errno));
        return false;
    }
    return true;
}

static bool guestfwd_rule(const char *text, Rule *r, const char **command, Error **errp)
{
    const char *dash = strchr(text, '-');
    g_autofree char *from = dash ? g_strndup(text, (gsize)(dash - text)) : NULL;

    *r = (Rule) { 0 };
    if (!dash || !g_str_has_prefix(dash + 1, "cmd:") || !parse_rule(from, false, r) || r->udp || !r->from.s_addr) {
        error_setg(errp, "guestfwd '%s': expected tcp:ADDR:PORT-cmd:COMMAND, which runs the command for each "
                   "connection of the guest to that address", text);
        return false;
    }
    *command = dash + 5;
    return true;
}

static bool add_guestfwd(NetUser *u, const char *text, Error **errp)
{
    const char *command;
    Rule r;

    if (!guestfwd_rule(text, &r, &command, errp)) {
        return false;
    }
    if (slirp_add_exec(u->slirp, command, &r.from, r.from_port) < 0) {
        error_setg(errp, "guestfwd '%s': the address is not in the guest's network, or taken", text);
        return false;
    }
    return true;
}

/* ---- options ---- */

static const char *keep(NetUser *u, const char *text)
{
    char *copy = g_strdup(text);

    if (copy) {
        g_ptr_array_add(u->strings, copy);
    }
    return copy;
}

static bool get_addr(KeyVal *kv, const char *key, struct in_addr *out, Error **errp)
{
    const char *text = keyval_get(kv, key);

    if (text && inet_pton(AF_INET, text, out) != 1) {
        error_setg(errp, "-netdev user,%s=%s: this is no IPv4 address", key, text);
        return false;
    }
    return true;
}

static bool get_addr6(KeyVal *kv, const char *key, struct in6_addr *out, Error **errp)
{
    const char *text = keyval_get(kv, key);

    if (text && inet_pton(AF_INET6, text, out) != 1) {
        error_setg(errp, "-netdev user,%s=%s: this is no IPv6 address", key, text);
        return false;
    }
    return true;
}

/* net=ADDR[/BITS], and what it makes of the other addresses. */
static bool parse_net(NetUser *u, const char *text, Error **errp)
{
    g_autofree char *addr = g_strdup(text);
    char *slash = strchr(addr, '/');
    uint64_t bits = 24;
    SlirpConfig *c = &u->config;
    uint32_t mask;

    if (slash) {
        *slash = 0;
    }
    if ((slash && !parse_u64(slash + 1, &bits)) || bits < 8 || bits > 29 ||
        inet_pton(AF_INET, addr, &c->vnetwork) != 1) {
        error_setg(errp, "-netdev user,net=%s: expected ADDRESS/BITS with 8 to 29 bits, for example 10.0.2.0/24", text);
        return false;
    }
    mask = ~0u << (32 - bits);
    c->vnetmask.s_addr = htonl(mask);
    c->vnetwork.s_addr &= c->vnetmask.s_addr;
    c->vhost.s_addr = c->vnetwork.s_addr | htonl(2 & ~mask);
    c->vnameserver.s_addr = c->vnetwork.s_addr | htonl(3 & ~mask);
    c->vdhcp_start.s_addr = c->vnetwork.s_addr | htonl((bits > 27 ? 4 : 15) & ~mask);
    inet_ntop(AF_INET, &c->vnetwork, addr, (socklen_t)strlen(addr) + 1);
    inet_ntop(AF_INET, &c->vnetwork, u->net_text, sizeof(u->net_text));
    g_snprintf(u->net_text + strlen(u->net_text), sizeof(u->net_text) - strlen(u->net_text), "/%u", (unsigned)bits);
    return true;
}

static bool is_inside(const SlirpConfig *c, struct in_addr a)
{
    return (a.s_addr & c->vnetmask.s_addr) == c->vnetwork.s_addr;
}

static bool parse_ipv4(NetUser *u, KeyVal *kv, Error **errp)
{
    const char *net = keyval_get(kv, "net");
    SlirpConfig *c = &u->config;

    c->in_enabled = true;
    if (!keyval_get_bool(kv, "ipv4", &c->in_enabled, errp) || !parse_net(u, net ? net : "10.0.2.0/24", errp) ||
        !get_addr(kv, "host", &c->vhost, errp) || !get_addr(kv, "dns", &c->vnameserver, errp) ||
        !get_addr(kv, "dhcpstart", &c->vdhcp_start, errp)) {
        return false;
    }
    if (!is_inside(c, c->vhost) || !is_inside(c, c->vnameserver) || !is_inside(c, c->vdhcp_start)) {
        error_setg(errp, "-netdev user: host=, dns= and dhcpstart= have to be in the network %s", u->net_text);
        return false;
    }
    return true;
}

static bool parse_ipv6(NetUser *u, KeyVal *kv, Error **errp)
{
    SlirpConfig *c = &u->config;
    uint64_t length = 64;

    c->in6_enabled = true;
    inet_pton(AF_INET6, "fec0::", &c->vprefix_addr6);
    if (!keyval_get_bool(kv, "ipv6", &c->in6_enabled, errp) ||
        !get_addr6(kv, "ipv6-prefix", &c->vprefix_addr6, errp) ||
        !keyval_get_u64(kv, "ipv6-prefixlen", &length, errp)) {
        return false;
    }
    if (length > 126) {
        error_setg(errp, "-netdev user,ipv6-prefixlen=%" PRIu64 ": at most 126", length);
        return false;
    }
    c->vprefix_len = (uint8_t)length;
    c->vhost6 = c->vnameserver6 = c->vprefix_addr6;
    c->vhost6.s6_addr[15] |= 2;
    c->vnameserver6.s6_addr[15] |= 3;
    return get_addr6(kv, "ipv6-host", &c->vhost6, errp) && get_addr6(kv, "ipv6-dns", &c->vnameserver6, errp);
}

typedef struct Lists {
    NetUser *u;
    Error *err;
} Lists;

static void take_list(const char *key, const char *value, void *opaque)
{
    Lists *l = opaque;
    const char *command;
    Rule r;

    if (l->err || !value) {
        return;
    }
    if (!strcmp(key, "hostfwd") && hostfwd_rule(l->u, value, true, &r, &l->err)) {
        g_ptr_array_add(l->u->hostfwd, (char *)keep(l->u, value));
    } else if (!strcmp(key, "guestfwd") && guestfwd_rule(value, &r, &command, &l->err)) {
        g_ptr_array_add(l->u->guestfwd, (char *)keep(l->u, value));
    } else if (!strcmp(key, "dnssearch")) {
        g_ptr_array_add(l->u->dnssearch, (char *)keep(l->u, value));
    }
}

static bool user_parse(Netdev *n, KeyVal *kv, Error **errp)
{
    static const char *const lists[] = { "hostfwd", "guestfwd", "dnssearch" };
    NetUser *u = container_of(n, NetUser, base);
    SlirpConfig *c = &u->config;
    Lists l = { .u = u };
    bool restricted = false;

    u->strings = g_ptr_array_new_with_free_func(g_free);
    u->hostfwd = g_ptr_array_new();
    u->guestfwd = g_ptr_array_new();
    u->dnssearch = g_ptr_array_new();
    c->version = CONFIG_VERSION;
    c->if_mtu = c->if_mru = FRAME_MTU;
    if (keyval_has(kv, "smb") || keyval_has(kv, "smbserver")) {
        error_setg(errp, "-netdev user,smb=: there is no SMB server; tftp=FOLDER and guestfwd= bring files in");
        return false;
    }
    if (!keyval_get_bool(kv, "restrict", &restricted, errp) || !parse_ipv4(u, kv, errp) || !parse_ipv6(u, kv, errp)) {
        return false;
    }
    c->restricted = restricted;
    c->vhostname = keep(u, keyval_get(kv, "hostname"));
    c->tftp_server_name = keep(u, keyval_get(kv, "tftp-server-name"));
    c->tftp_path = keep(u, keyval_get(kv, "tftp"));
    c->bootfile = keep(u, keyval_get(kv, "bootfile"));
    c->vdomainname = keep(u, keyval_get(kv, "domainname"));
    for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
        keyval_get(kv, lists[i]);
    }
    keyval_foreach(kv, take_list, &l);
    if (l.err) {
        error_propagate(errp, l.err);
        return false;
    }
    if (u->dnssearch->len) {
        g_ptr_array_add(u->dnssearch, NULL);
        c->vdnssearch = (const char **)u->dnssearch->pdata;
    }
    return true;
}

/* ---- life ---- */

static bool add_rules(NetUser *u, Error **errp)
{
    for (unsigned i = 0; i < u->hostfwd->len; i++) {
        if (!add_hostfwd(u, g_ptr_array_index(u->hostfwd, i), errp)) {
            return false;
        }
    }
    for (unsigned i = 0; i < u->guestfwd->len; i++) {
        if (!add_guestfwd(u, g_ptr_array_index(u->guestfwd, i), errp)) {
            return false;
        }
    }
    return true;
}

static bool user_start(Netdev *n, Error **errp)
{
    NetUser *u = container_of(n, NetUser, base);
    SlirpSource *s;

    u->slirp = slirp_new(&u->config, &callbacks, u);
    if (!u->slirp) {
        error_setg(errp, "libslirp takes none of this network");
        return false;
    }
    if (!add_rules(u, errp)) {
        g_clear_pointer(&u->slirp, slirp_cleanup);
        return false;
    }
    u->source = g_source_new(&source_funcs, sizeof(SlirpSource));
    s = (SlirpSource *)u->source;
    s->u = u;
    s->wanted = g_array_new(FALSE, TRUE, sizeof(SlirpPoll));
    s->polled = g_array_new(FALSE, TRUE, sizeof(SlirpPoll));
    g_source_attach(u->source, netdev_context(n));
    return true;
}

static bool user_send(Netdev *n, const uint8_t *frame, size_t length)
{
    slirp_input(container_of(n, NetUser, base)->slirp, frame, (int)length);
    return true;
}

static void user_close(Netdev *n)
{
    NetUser *u = container_of(n, NetUser, base);

    if (u->source) {
        g_source_destroy(u->source);
        g_source_unref(u->source);
    }
    if (u->slirp) {
        slirp_cleanup(u->slirp);
    }
    g_ptr_array_unref(u->dnssearch);
    g_ptr_array_unref(u->guestfwd);
    g_ptr_array_unref(u->hostfwd);
    g_ptr_array_unref(u->strings);
}

static void user_describe(const Netdev *n, GString *out)
{
    const NetUser *u = container_of(n, NetUser, base);

    g_string_append_printf(out, "net %s, restrict=%s", u->net_text, u->config.restricted ? "on" : "off");
}

const NetKind net_user_kind = {
    .name = "user",
    .options = "[,net=ADDR/BITS][,host=ADDR][,dns=ADDR][,dhcpstart=ADDR][,ipv4=on|off][,ipv6=on|off]"
               "[,ipv6-prefix=ADDR][,ipv6-prefixlen=N][,ipv6-host=ADDR][,ipv6-dns=ADDR][,restrict=on|off][,hostname=NAME]"
               "[,domainname=NAME][,dnssearch=NAME]...[,tftp=FOLDER][,tftp-server-name=NAME][,bootfile=FILE]"
               "[,hostfwd=tcp|udp:[ADDR]:PORT-[ADDR]:PORT]...[,guestfwd=tcp:ADDR:PORT-cmd:COMMAND]...",
    .size = sizeof(NetUser),
    .parse = user_parse,
    .start = user_start,
    .send = user_send,
    .close = user_close,
    .describe = user_describe,
};

/* ---- commands ---- */

static NetUser *running_user(Netdev *n, Error **errp)
{
    if (n->kind != &net_user_kind) {
        error_setg(errp, "network back end '%s' is of kind '%s'; this is for 'user'", n->id, n->kind->name);
        return NULL;
    }
    if (!n->started) {
        error_setg(errp, "network back end '%s' is not open: a replay takes what came in from its recording", n->id);
        return NULL;
    }
    return container_of(n, NetUser, base);
}

bool netdev_hostfwd_add(Netdev *n, const char *rule, Error **errp)
{
    NetUser *u = running_user(n, errp);

    return u && add_hostfwd(u, rule, errp);
}

bool netdev_hostfwd_remove(Netdev *n, const char *rule, Error **errp)
{
    NetUser *u = running_user(n, errp);
    Rule r;

    if (!u || !hostfwd_rule(u, rule, false, &r, errp)) {
        return false;
    }
    if (slirp_remove_hostfwd(u->slirp, r.udp, r.from, r.from_port) < 0) {
        error_setg(errp, "hostfwd '%s': there is no such rule", rule);
        return false;
    }
    return true;
}

bool netdev_user_info(Netdev *n, GString *out)
{
    NetUser *u = running_user(n, NULL);
    char *info = u ? slirp_connection_info(u->slirp) : NULL;

    if (info) {
        g_string_append(out, info);
        g_free(info);
    }
    return info != NULL;
}
