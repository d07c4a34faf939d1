/*
 * Networks: cards and their back ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"
#include "net/net-port.h"
#include "util/keyval.h"

/* By its own name, or by that of its back end. */
static NetPort *find_port(MonitorEnv *env, const char *name)
{
    const GPtrArray *ports = exec_loop_machine(env->loop)->net_ports;

    for (unsigned i = 0; i < ports->len; i++) {
        NetPort *p = g_ptr_array_index(ports, i);
        const Netdev *n = net_port_netdev(p);

        if (!strcmp(net_port_id(p), name) || (n && !strcmp(netdev_id(n), name))) {
            return p;
        }
    }
    return NULL;
}

bool qmp_set_link(QmpContext *ctx, const QapiSetLinkArgs *args, Error **errp)
{
    NetPort *p = find_port(ctx->env, args->name);

    if (!p) {
        error_setg(errp, "Device '%s' not found", args->name);
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND);
        return false;
    }
    if (!net_port_set_link(p, args->up)) {
        qmp_refuse_in_replay(errp);
        return false;
    }
    return true;
}

bool hmp_set_link(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiSetLinkArgs a = { hmp_text(args, "ID"), false };

    if (!parse_bool(hmp_text(args, "STATE"), &a.up)) {
        error_setg(errp, "set_link: '%s': on or off is expected", hmp_text(args, "STATE"));
        return false;
    }
    return qmp_set_link(&(QmpContext){ .env = env }, &a, errp);
}

/* ---- info network ---- */

static void print_unused(Netdev *n, void *opaque)
{
    if (!netdev_user(n)) {
        g_string_append_printf(opaque, "%s: ", netdev_id(n));
        netdev_describe(n, opaque);
        g_string_append(opaque, " (no card)\n");
    }
}

bool hmp_info_network(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    Machine *m = exec_loop_machine(env->loop);

    for (unsigned i = 0; i < m->net_ports->len; i++) {
        const NetPort *p = g_ptr_array_index(m->net_ports, i);
        const Netdev *n = net_port_netdev(p);

        g_string_append_printf(out, "%s:%s\n", net_port_id(p), net_port_is_up(p) ? "" : " link down");
        if (n) {
            g_string_append_printf(out, " \\ %s: ", netdev_id(n));
            netdev_describe(n, out);
            g_string_append(out, netdev_is_started(n) ? "\n" : " (not open: what came in is in the recording)\n");
        }
    }
    if (m->net) {
        netdev_foreach(m->net, print_unused, out);
    }
    if (!out->len) {
        g_string_append(out, "There is no network card.\n");
    }
    return true;
}

/* ---- user networks ---- */

typedef struct FirstUser {
    Netdev *found;
} FirstUser;

static void look_for_user(Netdev *n, void *opaque)
{
    FirstUser *f = opaque;

    if (!f->found && !strcmp(netdev_kind(n), "user")) {
        f->found = n;
    }
}

/* "RULE": the back end, the first one unless it is named; *rule is the rest. */
static Netdev *user_of(MonitorEnv *env, const char *text, const char **rule, Error **errp)
{
    NetSet *set = exec_loop_machine(env->loop)->net;
    const char *space = strchr(text, ' ');
    g_autofree char *id = space ? g_strndup(text, (gsize)(space - text)) : NULL;
    FirstUser first = { NULL };

    *rule = space ? space + 1 : text;
    if (id) {
        first.found = netdev_find(set, id);
    } else {
        netdev_foreach(set, look_for_user, &first);
    }
    if (!first.found) {
        error_setg(errp, "there is no network back end '%s'", id ? id : "user");
    }
    return first.found;
}

bool hmp_hostfwd_add(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const char *rule;
    Netdev *n = user_of(env, hmp_text(args, "RULE"), &rule, errp);

    return n && netdev_hostfwd_add(n, rule, errp);
}

bool hmp_hostfwd_remove(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const char *rule;
    Netdev *n = user_of(env, hmp_text(args, "RULE"), &rule, errp);

    return n && netdev_hostfwd_remove(n, rule, errp);
}

static void print_user(Netdev *n, void *opaque)
{
    if (!strcmp(netdev_kind(n), "user")) {
        g_string_append_printf(opaque, "%s:\n", netdev_id(n));
        if (!netdev_user_info(n, opaque)) {
            g_string_append(opaque, "  not open\n");
        }
    }
}

bool hmp_info_usernet(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    netdev_foreach(exec_loop_machine(env->loop)->net, print_user, out);
    if (!out->len) {
        g_string_append(out, "There is no user network.\n");
    }
    return true;
}
