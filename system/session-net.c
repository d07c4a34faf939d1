/*
 * The networks of a session: back ends that the options name, what listens to their cards, and opening them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/net-filter.h"
#include "net/net-dump.h"
#include "net/net-port.h"
#include "system/session.h"

bool session_make_net(Session *s, Error **errp)
{
    const GPtrArray *netdevs = s->options->netdevs;

    s->net = net_set_new(NULL);
    s->machine->net = s->net;
    for (unsigned i = 0; i < netdevs->len; i++) {
        if (!netdev_create(s->net, g_ptr_array_index(netdevs, i), errp)) {
            return false;
        }
    }
    return true;
}

/* ---- filters ---- */

typedef struct SessionDump {
    NetDump *dump;
    VirtualClock *clock;
} SessionDump;

static void dump_tap(void *opaque, bool from_guest, bool is_new, const uint8_t *frame, size_t length)
{
    SessionDump *d = opaque;

    if (is_new) {
        net_dump_frame(d->dump, clock_now(d->clock), frame, length);
    }
}

static void dump_free(void *opaque)
{
    SessionDump *d = opaque;

    net_dump_free(d->dump);
    g_free(d);
}

static NetPort *port_of(Session *s, const UserObject *o, const char *netdev, Error **errp)
{
    const GPtrArray *ports = s->machine->net_ports;

    if (!netdev) {
        error_setg(errp, "-object %s,id=%s needs netdev=ID", o->type->name, o->id);
        return NULL;
    }
    for (unsigned i = 0; i < ports->len; i++) {
        const Netdev *n = net_port_netdev(g_ptr_array_index(ports, i));

        if (n && !strcmp(netdev_id(n), netdev)) {
            return g_ptr_array_index(ports, i);
        }
    }
    error_setg(errp, "-object %s,id=%s: netdev=%s: there is no network card with this back end", o->type->name, o->id,
               netdev);
    return NULL;
}

static bool add_dump(Session *s, UserObject *o, Error **errp)
{
    const FilterDumpConfig *c = user_object_config(o);
    NetPort *port = port_of(s, o, c->netdev, errp);
    SessionDump *d;
    NetDump *dump;

    if (!port) {
        return false;
    }
    dump = net_dump_new(c->file, c->max_bytes, errp);
    if (!dump) {
        return false;
    }
    d = g_new0(SessionDump, 1);
    d->dump = dump;
    d->clock = s->machine->clock;
    g_ptr_array_add(s->dumps, d);
    net_port_add_tap(port, dump_tap, d);
    return true;
}

bool session_add_filters(Session *s, Error **errp)
{
    const GPtrArray *objects = s->machine->objects;

    s->dumps = g_ptr_array_new_with_free_func(dump_free);
    for (unsigned i = 0; i < objects->len; i++) {
        UserObject *o = g_ptr_array_index(objects, i);
        bool ok = true;

        if (o->type == &filter_dump) {
            ok = add_dump(s, o, errp);
        } else if (o->type == &filter_replay) {
            /* Recording and replaying need nothing in between. */
            ok = port_of(s, o, ((const FilterReplayConfig *)user_object_config(o))->netdev, errp) != NULL;
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* ---- opening ---- */

typedef struct Start {
    Error *err;
} Start;

static void start_one(Netdev *n, void *opaque)
{
    Start *start = opaque;

    if (!netdev_user(n)) {
        warn_report("-netdev %s,id=%s: no card uses it: -device virtio-net-pci,netdev=%s is one", netdev_kind(n),
                    netdev_id(n), netdev_id(n));
    }
    if (!start->err) {
        netdev_start(n, &start->err);
    }
}

/* In a replay, what came in is in the recording: nothing is opened until it goes live (net/net-port.c). */
bool session_start_net(Session *s, Error **errp)
{
    Start start = { NULL };

    if (replay_is_live(s->replay)) {
        netdev_foreach(s->net, start_one, &start);
    }
    if (start.err) {
        error_propagate(errp, start.err);
        return false;
    }
    return true;
}
