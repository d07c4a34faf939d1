/*
 * The set of network back ends, and the way of frames between threads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/net-int.h"

struct NetSet {
    GMainContext *context;
    GPtrArray *netdevs;
    bool no_spawn;
};

static const NetKind *const kinds[] = {
    &net_bridge_kind, &net_dgram_kind, &net_hub_kind, &net_socket_kind, &net_stream_kind, &net_tap_kind, &net_user_kind,
};

NetSet *net_set_new(GMainContext *context)
{
    NetSet *set = g_new0(NetSet, 1);

    set->context = context;
    set->netdevs = g_ptr_array_new();
    return set;
}

/* ---- frames ---- */

/* The next frame; NULL: there is none. It stays where it is. */
static GBytes *first_frame(Netdev *n)
{
    GBytes *frame;

    g_mutex_lock(&n->lock);
    frame = g_queue_peek_head(&n->queue);
    g_mutex_unlock(&n->lock);
    return frame;
}

/* Nobody but the main thread does this. */
static void forget_first(Netdev *n)
{
    GBytes *frame;

    g_mutex_lock(&n->lock);
    frame = g_queue_pop_head(&n->queue);
    n->queued -= g_bytes_get_size(frame);
    g_mutex_unlock(&n->lock);
    g_bytes_unref(frame);
}

void netdev_flush(Netdev *n)
{
    GBytes *frame;

    while ((frame = first_frame(n)) != NULL) {
        if (n->started && !n->kind->send(n, g_bytes_get_data(frame, NULL), g_bytes_get_size(frame))) {
            break;
        }
        forget_first(n);
    }
}

static gboolean on_wake(void *opaque)
{
    Netdev *n = opaque;
    Error *err = NULL;
    bool start, accept;

    /* What comes from here on wakes again. */
    g_mutex_lock(&n->lock);
    g_clear_pointer(&n->wake, g_source_unref);
    start = n->starting;
    accept = n->accepting;
    n->starting = n->accepting = false;
    g_mutex_unlock(&n->lock);
    if (start && !netdev_start(n, &err)) {
        error_prepend(&err, "the machine is live, without this network: ");
        warn_report("%s", error_get_pretty(err));
        error_free(err);
    }
    netdev_flush(n);
    if (accept && n->started && n->kind->accept) {
        n->kind->accept(n);
    }
    return G_SOURCE_REMOVE;
}

/* With the lock. */
static void wake(Netdev *n)
{
    if (!n->wake) {
        n->wake = g_idle_source_new();
        g_source_set_priority(n->wake, G_PRIORITY_DEFAULT);
        g_source_set_callback(n->wake, on_wake, n, NULL);
        g_source_attach(n->wake, n->set->context);
    }
}

void netdev_send(Netdev *n, const uint8_t *frame, size_t length)
{
    assert(length >= NET_MIN_FRAME && length <= NET_MAX_FRAME);
    g_mutex_lock(&n->lock);
    if (n->started && n->queued + length <= NETDEV_MAX_QUEUE) {
        g_queue_push_tail(&n->queue, g_bytes_new(frame, length));
        n->queued += length;
        wake(n);
    }
    g_mutex_unlock(&n->lock);
}

void netdev_accept(Netdev *n)
{
    g_mutex_lock(&n->lock);
    n->accepting = true;
    wake(n);
    g_mutex_unlock(&n->lock);
}

void netdev_start_soon(Netdev *n)
{
    g_mutex_lock(&n->lock);
    n->starting = true;
    wake(n);
    g_mutex_unlock(&n->lock);
}

void netdev_receive(Netdev *n, const uint8_t *frame, size_t length)
{
    if (n->client && length >= NET_MIN_FRAME && length <= NET_MAX_FRAME) {
        n->client->receive(n->opaque, frame, length);
    }
}

bool netdev_can_receive(Netdev *n)
{
    return n->client && n->client->can_receive(n->opaque);
}

void netdev_set_client(Netdev *n, const NetdevClient *client, void *opaque)
{
    n->client = client;
    n->opaque = opaque;
}

/* ---- life ---- */

GMainContext *netdev_context(const Netdev *n)
{
    return n->set->context;
}

void net_set_no_spawn(NetSet *set)
{
    set->no_spawn = true;
}

bool netdev_may_spawn(const Netdev *n)
{
    return !n->set->no_spawn;
}

static void netdev_free(Netdev *n)
{
    if (n->wake) {
        g_source_destroy(n->wake);
        g_source_unref(n->wake);
    }
    netdev_flush(n);
    n->kind->close(n);
    g_queue_clear_full(&n->queue, (GDestroyNotify)g_bytes_unref);
    g_mutex_clear(&n->lock);
    g_free(n->user);
    g_free(n->id);
    g_free(n);
}

static void flush_one(Netdev *n, void *opaque)
{
    netdev_flush(n);
}

void net_set_free(NetSet *set)
{
    /* Twice: what waits at a hub goes on to what is behind it. */
    netdev_foreach(set, flush_one, NULL);
    netdev_foreach(set, flush_one, NULL);
    /* What is behind a hub was made before. */
    while (set->netdevs->len) {
        netdev_free(g_ptr_array_steal_index(set->netdevs, set->netdevs->len - 1));
    }
    g_ptr_array_unref(set->netdevs);
    g_free(set);
}

/* QEMU's others. */
static const char *const missing[] = {
    "af-xdp", "l2tpv3", "netmap", "passt", "vde", "vhost-user", "vhost-vdpa", NULL
};

static const NetKind *find_kind(const char *name, Error **errp)
{
    g_autoptr(GString) known = g_string_new(NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!strcmp(kinds[i]->name, name)) {
            return kinds[i];
        }
        g_string_append_printf(known, "%s%s", i ? ", " : "", kinds[i]->name);
    }
    if (g_strv_contains(missing, name)) {
        error_setg(errp, "-netdev %s: such a network back end is not there yet; 'user' is, and needs no rights", name);
        return NULL;
    }
    error_setg(errp, "-netdev '%s': there is no such network back end; there are: %s", name, known->str);
    return NULL;
}

static Netdev *create(NetSet *set, KeyVal *kv, Error **errp)
{
    const char *name = keyval_get(kv, "type"), *id = keyval_get(kv, "id");
    const NetKind *kind;
    Netdev *n;

    if (!name || !id || !*id) {
        error_setg(errp, "-netdev needs a kind and an id: -netdev user,id=net0");
        return NULL;
    }
    if (netdev_find(set, id)) {
        error_setg(errp, "-netdev %s,id=%s: another network back end has this id", name, id);
        return NULL;
    }
    kind = find_kind(name, errp);
    if (!kind) {
        return NULL;
    }
    n = g_malloc0(kind->size);
    n->kind = kind;
    n->set = set;
    n->id = g_strdup(id);
    g_mutex_init(&n->lock);
    g_queue_init(&n->queue);
    if (!kind->parse(n, kv, errp) || !keyval_check_unused(kv, "-netdev", errp)) {
        netdev_free(n);
        return NULL;
    }
    g_ptr_array_add(set->netdevs, n);
    return n;
}

Netdev *netdev_create(NetSet *set, const char *options, Error **errp)
{
    KeyVal *kv = keyval_parse(options, "type", errp);
    Netdev *n = kv ? create(set, kv, errp) : NULL;

    keyval_free(kv);
    return n;
}

Netdev *netdev_find(NetSet *set, const char *id)
{
    for (unsigned i = 0; i < set->netdevs->len; i++) {
        Netdev *n = g_ptr_array_index(set->netdevs, i);

        if (!strcmp(n->id, id)) {
            return n;
        }
    }
    return NULL;
}

void netdev_foreach(NetSet *set, void (*fn)(Netdev *n, void *opaque), void *opaque)
{
    for (unsigned i = 0; i < set->netdevs->len; i++) {
        fn(g_ptr_array_index(set->netdevs, i), opaque);
    }
}

bool netdev_remove(Netdev *n, Error **errp)
{
    /* A plug of a hub has what it leads to as its user. */
    if (n->client) {
        error_setg(errp, "network back end '%s' is in use by '%s'", n->id, n->user);
        return false;
    }
    g_ptr_array_remove(n->set->netdevs, n);
    netdev_free(n);
    return true;
}

bool netdev_start(Netdev *n, Error **errp)
{
    if (n->started) {
        return true;
    }
    if (!n->kind->start(n, errp)) {
        error_prepend(errp, "-netdev %s,id=%s: ", n->kind->name, n->id);
        return false;
    }
    g_mutex_lock(&n->lock);
    n->started = true;
    g_mutex_unlock(&n->lock);
    return true;
}

bool netdev_is_started(const Netdev *n)
{
    return n->started;
}

Netdev *netdev_take(NetSet *set, const char *id, const char *user, Error **errp)
{
    Netdev *n = set ? netdev_find(set, id) : NULL;

    if (!n) {
        error_setg(errp, "%s: there is no network back end '%s': -netdev user,id=%s makes one", user, id, id);
    } else if (n->user) {
        error_setg(errp, "%s: network back end '%s' is that of '%s' already", user, id, n->user);
        n = NULL;
    } else {
        n->user = g_strdup(user);
    }
    return n;
}

void netdev_release(Netdev *n)
{
    netdev_set_client(n, NULL, NULL);
    g_clear_pointer(&n->user, g_free);
}

const char *netdev_id(const Netdev *n)
{
    return n->id;
}

const char *netdev_kind(const Netdev *n)
{
    return n->kind->name;
}

const char *netdev_user(const Netdev *n)
{
    return n->user;
}

void netdev_describe(const Netdev *n, GString *out)
{
    g_string_append_printf(out, "%s: ", n->kind->name);
    n->kind->describe(n, out);
}

void netdev_print_kinds(FILE *out)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        fprintf(out, "%s,id=ID%s\n", kinds[i]->name, kinds[i]->options);
    }
}
