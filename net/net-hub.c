/*
 * The back end "hubport": a plug of a hub. What comes in at one plug goes out at all others of the hub with that number.
 * On a plug is a card, as with any back end, or another back end that the plug has taken (netdev=).
 *
 * A hub makes whoever sends wait while one of its cards takes nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/net-int.h"

typedef struct NetHubPort {
    Netdev base;
    uint64_t hub;
    Netdev *behind;          /* netdev=; NULL: a card */
} NetHubPort;

static NetHubPort *port_of(const Netdev *n)
{
    return container_of(n, NetHubPort, base);
}

/* ---- frames ---- */

typedef struct Frame {
    const NetHubPort *from;
    const uint8_t *data;
    size_t length;
} Frame;

/* Whether it is another plug of the same hub, which is in use. */
static bool is_other(const NetHubPort *from, const Netdev *n)
{
    return n->kind == &net_hub_kind && n != &from->base && port_of(n)->hub == from->hub && n->started;
}

static void pass_on(Netdev *n, void *opaque)
{
    const Frame *f = opaque;

    if (!is_other(f->from, n)) {
        return;
    }
    if (port_of(n)->behind) {
        netdev_send(port_of(n)->behind, f->data, f->length);
    } else {
        netdev_receive(n, f->data, f->length);
    }
}

static bool hub_send(Netdev *n, const uint8_t *frame, size_t length)
{
    netdev_foreach(n->set, pass_on, &(Frame){ port_of(n), frame, length });
    return true;
}

typedef struct Room {
    const NetHubPort *from;
    bool none;
} Room;

static void look_for_room(Netdev *n, void *opaque)
{
    Room *r = opaque;

    r->none |= is_other(r->from, n) && !port_of(n)->behind && n->client && !netdev_can_receive(n);
}

static bool behind_can_receive(void *opaque)
{
    NetHubPort *p = opaque;
    Room r = { .from = p };

    netdev_foreach(p->base.set, look_for_room, &r);
    return !r.none;
}

static void behind_receive(void *opaque, const uint8_t *frame, size_t length)
{
    hub_send(&((NetHubPort *)opaque)->base, frame, length);
}

static const NetdevClient behind_client = { .can_receive = behind_can_receive, .receive = behind_receive };

static void let_go_on(Netdev *n, void *opaque)
{
    if (is_other(opaque, n) && port_of(n)->behind) {
        netdev_accept(port_of(n)->behind);
    }
}

static void hub_accept(Netdev *n)
{
    netdev_foreach(n->set, let_go_on, port_of(n));
}

/* ---- life ---- */

/* A hub behind a hub could be a ring, in which frames go round for ever. */
static bool take_behind(NetHubPort *p, const char *id, Error **errp)
{
    g_autofree char *user = g_strdup_printf("hubport '%s'", p->base.id);
    Netdev *behind = netdev_find(p->base.set, id);

    if (behind && behind->kind == &net_hub_kind) {
        error_setg(errp, "-netdev hubport,id=%s,netdev=%s: that is a plug of a hub itself; give both one hubid=", p->base.id,
                   id);
        return false;
    }
    p->behind = netdev_take(p->base.set, id, user, errp);
    if (!p->behind) {
        return false;
    }
    netdev_set_client(p->behind, &behind_client, p);
    /* No card takes this plug. */
    p->base.user = g_strdup(id);
    return true;
}

static bool hub_parse(Netdev *n, KeyVal *kv, Error **errp)
{
    NetHubPort *p = port_of(n);
    const char *behind = keyval_get(kv, "netdev");

    if (!keyval_get_u64(kv, "hubid", &p->hub, errp)) {
        return false;
    }
    if (!keyval_has(kv, "hubid") || p->hub > INT32_MAX) {
        error_setg(errp, "-netdev hubport,id=%s needs the number of its hub: hubid=0", n->id);
        return false;
    }
    return !behind || take_behind(p, behind, errp);
}

typedef struct HubStart {
    const NetHubPort *from;
    Error *err;
} HubStart;

static void start_plug(Netdev *n, void *opaque)
{
    HubStart *s = opaque;

    if (n->kind == &net_hub_kind && port_of(n)->hub == s->from->hub && port_of(n)->behind && !s->err) {
        netdev_start(n, &s->err);
    }
}

/* A machine that becomes live starts the back ends of its cards: those behind the hub come with them. */
static bool hub_start(Netdev *n, Error **errp)
{
    HubStart s = { .from = port_of(n) };

    if (s.from->behind) {
        return netdev_start(s.from->behind, errp);
    }
    netdev_foreach(n->set, start_plug, &s);
    error_propagate(errp, s.err);
    return !s.err;
}

static void hub_close(Netdev *n)
{
    if (port_of(n)->behind) {
        netdev_release(port_of(n)->behind);
    }
}

static void hub_describe(const Netdev *n, GString *out)
{
    const NetHubPort *p = port_of(n);

    g_string_append_printf(out, "hub %" PRIu64, p->hub);
    if (p->behind) {
        g_string_append_printf(out, ", %s: ", p->behind->id);
        netdev_describe(p->behind, out);
    }
}

const NetKind net_hub_kind = {
    .name = "hubport",
    .options = ",hubid=N[,netdev=ID]",
    .size = sizeof(NetHubPort),
    .parse = hub_parse,
    .start = hub_start,
    .send = hub_send,
    .accept = hub_accept,
    .close = hub_close,
    .describe = hub_describe,
};
