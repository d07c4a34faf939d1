/*
 * -netdev, -nic and -net: each becomes a text in Options.netdevs, the options of a network back end with its id, and one
 * in Options.devices where a card comes along.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/options-handlers.h"

static const char default_card[] = "virtio-net-pci";

typedef struct NicText {
    GString *netdev, *device;
} NicText;

static bool no_model(const char *option, const char *model, Error **errp)
{
    if (!strcmp(model, "virtio") || g_str_has_prefix(model, "virtio-net")) {
        return true;
    }
    error_setg(errp, "%s model=%s: the card of this machine is %s; others are added with -device", option, model,
               default_card);
    return false;
}

/* Options of the card go there, the rest is the back end's. */
static void split(const char *key, const char *value, void *opaque)
{
    NicText *t = opaque;

    if (!strcmp(key, "model") || !strcmp(key, "id") || !strcmp(key, "netdev")) {
        return;
    }
    if (!strcmp(key, "mac") || !strcmp(key, "macaddr")) {
        keyval_append(t->device, "mac", value);
    } else if (!strcmp(key, "addr") || !strcmp(key, "vectors")) {
        keyval_append(t->device, key, value);
    } else {
        keyval_append(t->netdev, key, value);
    }
}

static void add_text(GPtrArray *list, GString *text)
{
    g_ptr_array_add(list, g_string_free(text, FALSE));
}

bool opt_netdev(Options *o, const char *arg, Error **errp)
{
    g_autofree char *text = options_from_json(arg, errp);
    KeyVal *kv = text ? keyval_parse(text, "type", errp) : NULL;
    const char *kind = kv ? keyval_get(kv, "type") : NULL;
    bool ok = kind && *kind;

    if (ok && !strcmp(kind, "help")) {
        o->action = ACTION_NETDEV_HELP;
    } else if (ok) {
        g_ptr_array_add(o->netdevs, keyval_format(kv));
    } else if (kv) {
        error_setg(errp, "-netdev '%s' names no kind: -netdev user,id=net0; -netdev help lists them", arg);
    }
    keyval_free(kv);
    return ok;
}

/* -nic KIND,...: a back end and its card. */
static bool nic(Options *o, KeyVal *kv, const char *kind, Error **errp)
{
    const char *model = keyval_get(kv, "model"), *id = keyval_get(kv, "id");
    g_autofree char *name = id ? g_strdup(id) : g_strdup_printf("nic%u", o->netdevs->len);
    NicText t;

    if (model && !no_model("-nic", model, errp)) {
        return false;
    }
    t.netdev = g_string_new(NULL);
    t.device = g_string_new(model && strchr(model, '-') ? model : default_card);
    keyval_append(t.device, "netdev", name);
    keyval_foreach(kv, split, &t);
    keyval_append(t.netdev, "id", name);
    add_text(o->netdevs, t.netdev);
    add_text(o->devices, t.device);
    return true;
}

bool opt_nic(Options *o, const char *arg, Error **errp)
{
    g_autofree char *text = options_from_json(arg, errp);
    KeyVal *kv = text ? keyval_parse(text, "type", errp) : NULL;
    const char *kind = kv ? keyval_get(kv, "type") : NULL;
    bool ok = kind && *kind;

    if (kv && !ok) {
        error_setg(errp, "-nic '%s' names no kind: -nic user, or -nic none", arg);
    } else if (ok && strcmp(kind, "none")) {
        ok = nic(o, kv, kind, errp);
    }
    keyval_free(kv);
    return ok;
}

/* The old way: -net nic and -net KIND, which are joined. */
static bool net_nic(Options *o, KeyVal *kv, Error **errp)
{
    const char *model = keyval_get(kv, "model"), *netdev = keyval_get(kv, "netdev");
    GString *device;
    NicText t;

    if (model && !no_model("-net nic", model, errp)) {
        return false;
    }
    device = g_string_new(default_card);
    t = (NicText){ .netdev = g_string_new(NULL), .device = device };
    keyval_foreach(kv, split, &t);
    g_string_free(t.netdev, TRUE);
    if (netdev) {
        keyval_append(device, "netdev", netdev);
        add_text(o->devices, device);
        return true;
    }
    if (o->net_card) {
        error_setg(errp, "-net nic: cards are joined in pairs, this is a second one; use -nic KIND for each");
        g_string_free(device, TRUE);
        return false;
    }
    o->net_card = g_string_free(device, FALSE);
    return true;
}

static bool net_kind(Options *o, KeyVal *kv, Error **errp)
{
    if (o->net_kind) {
        error_setg(errp, "-net %s: this is a second network; use -nic KIND for each", keyval_get(kv, "type"));
        return false;
    }
    keyval_remove(kv, "vlan");
    o->net_kind = keyval_format(kv);
    return true;
}

bool opt_net(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, "type", errp);
    const char *kind = kv ? keyval_get(kv, "type") : NULL;
    bool ok = kind && *kind;

    if (kv && !ok) {
        error_setg(errp, "-net '%s' names no kind: -net nic -net user, or -net none", arg);
    } else if (ok && !strcmp(kind, "nic")) {
        ok = net_nic(o, kv, errp);
    } else if (ok && strcmp(kind, "none")) {
        ok = net_kind(o, kv, errp);
    }
    keyval_free(kv);
    return ok;
}

void options_join_net(Options *o)
{
    if (o->net_kind) {
        GString *netdev = g_string_new(o->net_kind);

        keyval_append(netdev, "id", "net");
        add_text(o->netdevs, netdev);
    }
    if (o->net_card) {
        GString *device = g_string_new(o->net_card);

        if (o->net_kind) {
            keyval_append(device, "netdev", "net");
        }
        add_text(o->devices, device);
    }
}
