/*
 * Commands of QMP about character back ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/qmp.h"
#include "replay/replay.h"

static Chardev *find(QmpContext *ctx, const char *what, const char *id, Error **errp)
{
    Chardev *c = chardev_find(ctx->env->chardevs, id);

    if (!c) {
        error_setg(errp, "%s '%s' not found", what, id);
    }
    return c;
}

/* ---- what there is ---- */

static void add_chardev(Chardev *c, void *opaque)
{
    QapiChardevInfoList ***tail = opaque;
    QapiChardevInfo *info = g_new0(QapiChardevInfo, 1);
    /* A terminal has its name, whoever is there: clients read it here. */
    bool connected = chardev_is_open(c) || !strcmp(chardev_kind_of(c), "pty");

    info->label = g_strdup(chardev_id(c));
    info->filename = g_strconcat(connected ? "" : "disconnected:", chardev_label(c), NULL);
    info->frontend_open = chardev_has_client(c);
    QAPI_APPEND(*tail, info);
}

bool qmp_query_chardev(QmpContext *ctx, QapiChardevInfoList **ret, Error **errp)
{
    chardev_foreach(ctx->env->chardevs, add_chardev, &ret);
    return true;
}

bool qmp_query_chardev_backends(QmpContext *ctx, QapiChardevBackendInfoList **ret, Error **errp)
{
    for (unsigned n = 0; chardev_kind(n); n++) {
        QapiChardevBackendInfo *info = g_new0(QapiChardevBackendInfo, 1);

        info->name = g_strdup(chardev_kind(n));
        QAPI_APPEND(ret, info);
    }
    return true;
}

/* ---- make and remove: -chardev's options out of QMP's ---- */

static void add_flag(GString *out, const char *name, bool has, bool on)
{
    if (has) {
        qmp_add_option(out, name, on ? "on" : "off");
    }
}

static bool add_socket(GString *out, const QapiChardevSocket *s, Error **errp)
{
    bool server = !s->has_server || s->server;

    if (server && s->has_wait && s->wait) {
        error_setg(errp, "Chardev socket: the machine runs already and cannot wait for a client: "
                   "leave 'wait' out");
        return false;
    }
    if (s->addr->type == QAPI_SOCKET_ADDRESS_TYPE_UNIX) {
        qmp_add_option(out, "path", s->addr->u.q_unix.data->path);
    } else {
        qmp_add_option(out, "host", s->addr->u.inet.data->host);
        qmp_add_option(out, "port", s->addr->u.inet.data->port);
    }
    add_flag(out, "server", true, server);
    add_flag(out, "wait", server, false);
    add_flag(out, "nodelay", s->has_nodelay, s->nodelay);
    if (s->has_reconnect) {
        g_string_append_printf(out, ",reconnect=%" PRId64, s->reconnect);
    }
    return true;
}

static bool add_backend(GString *out, const QapiChardevBackend *b, Error **errp)
{
    switch (b->type) {
    case QAPI_CHARDEV_BACKEND_KIND_FILE:
        qmp_add_option(out, "path", b->u.file.data->out);
        qmp_add_option(out, "input-path", b->u.file.data->in);
        add_flag(out, "append", b->u.file.data->has_append, b->u.file.data->append);
        return true;
    case QAPI_CHARDEV_BACKEND_KIND_RINGBUF:
        if (b->u.ringbuf.data->has_size) {
            g_string_append_printf(out, ",size=%" PRId64, b->u.ringbuf.data->size);
        }
        return true;
    case QAPI_CHARDEV_BACKEND_KIND_SOCKET:
        return add_socket(out, b->u.socket.data, errp);
    case QAPI_CHARDEV_BACKEND_KIND_STDIO:
        add_flag(out, "signal", b->u.stdio.data->has_signal, b->u.stdio.data->signal);
        return true;
    default:
        return true;
    }
}

bool qmp_chardev_add(QmpContext *ctx, const QapiChardevAddArgs *args, QapiChardevReturn **ret,
                     Error **errp)
{
    g_autoptr(GString) options = g_string_new(NULL);
    Chardev *c;

    if (!*args->id || strchr(args->id, ',')) {
        error_setg(errp, "Parameter 'id' expects an identifier");
        return false;
    }
    if (chardev_find(ctx->env->chardevs, args->id)) {
        error_setg(errp, "Chardev with id '%s' already exists", args->id);
        return false;
    }
    g_string_append(options, qapi_type_ChardevBackendKind.values[args->backend->type]);
    qmp_add_option(options, "id", args->id);
    if (!add_backend(options, args->backend, errp)) {
        return false;
    }
    c = chardev_create(ctx->env->chardevs, options->str, errp);
    if (!c) {
        return false;
    }
    *ret = g_new0(QapiChardevReturn, 1);
    if (args->backend->type == QAPI_CHARDEV_BACKEND_KIND_PTY) {
        (*ret)->pty = g_strdup(chardev_label(c) + strlen("pty:"));
    }
    return true;
}

bool qmp_chardev_remove(QmpContext *ctx, const QapiChardevRemoveArgs *args, Error **errp)
{
    Chardev *c = find(ctx, "Chardev", args->id, errp);

    return c && chardev_remove(c, errp);
}

typedef struct LiveCall {
    Replay *replay;
    bool live;
} LiveCall;

static void live_run(void *opaque)
{
    LiveCall *c = opaque;

    c->live = replay_is_live(c->replay);
}

bool qmp_chardev_send_break(QmpContext *ctx, const QapiChardevSendBreakArgs *args, Error **errp)
{
    Chardev *c = find(ctx, "Chardev", args->id, errp);
    LiveCall call = { .replay = exec_loop_machine(ctx->env->loop)->replay };

    if (!c) {
        return false;
    }
    machine_run_sync(ctx->env->loop, live_run, &call);
    if (!call.live) {
        qmp_refuse_in_replay(errp);
        return false;
    }
    chardev_send_break(c);
    return true;
}

/* ---- ring buffers ---- */

static Chardev *find_ring(QmpContext *ctx, const char *id, Error **errp)
{
    Chardev *c = find(ctx, "Device", id, errp);

    if (c && !chardev_is_ringbuf(c)) {
        error_setg(errp, "%s is not a ringbuf device", id);
        return NULL;
    }
    return c;
}

bool qmp_ringbuf_write(QmpContext *ctx, const QapiRingbufWriteArgs *args, Error **errp)
{
    Chardev *c = find_ring(ctx, args->device, errp);
    g_autofree guchar *data = NULL;
    gsize length;

    if (!c) {
        return false;
    }
    if (args->has_format && args->format == QAPI_DATA_FORMAT_BASE64) {
        data = g_base64_decode(args->data, &length);
        if (strlen(args->data) % 4 || (*args->data && !length)) {
            error_setg(errp, "Base64 data '%s' is not valid", args->data);
            return false;
        }
        chardev_write(c, data, length);
    } else {
        chardev_puts(c, args->data);
    }
    return true;
}

bool qmp_ringbuf_read(QmpContext *ctx, const QapiRingbufReadArgs *args, char **ret, Error **errp)
{
    Chardev *c = find_ring(ctx, args->device, errp);
    g_autoptr(GByteArray) out = g_byte_array_new();

    if (!c) {
        return false;
    }
    if (args->size <= 0) {
        error_setg(errp, "size must be greater than zero");
        return false;
    }
    chardev_ringbuf_read(c, (size_t)args->size, out);
    *ret = args->has_format && args->format == QAPI_DATA_FORMAT_BASE64
           ? g_base64_encode(out->data, out->len)
           : g_utf8_make_valid((const char *)out->data, out->len);
    return true;
}
