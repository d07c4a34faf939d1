/*
 * The QMP monitor: greeting, negotiation, requests and replies.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/linkhash.h>
#include "monitor/qmp.h"
#include "qapi/json.h"
#include "util/trace.h"

struct QmpMonitor {
    MonitorEnv *env;
    Chardev *chr;
    JsonStream *in;
    bool pretty;
    bool negotiated;
    bool oob;              /* out-of-band commands were switched on, so ... */
    GQueue waiting;        /* ... others wait here: Waiting * */
    guint dispatcher;      /* not 0: runs the first of them soon */
};

/* A message that waits for its turn. */
typedef struct Waiting {
    json_object *message;  /* a reference; NULL is JSON's null */
    Error *err;            /* instead of a message */
} Waiting;

/* Then nothing more is read: a client that does not read its replies does not fill our memory. */
#define MAX_WAITING 8u

void qmp_monitor_send(QmpMonitor *m, json_object *message)
{
    g_autoptr(GString) text = g_string_new("");

    json_write(text, message, m->pretty, "\r\n");
    g_string_append(text, "\r\n");
    chardev_write(m->chr, (const uint8_t *)text->str, text->len);
}

bool qmp_monitor_wants_events(const QmpMonitor *m)
{
    return m->negotiated;
}

int qmp_monitor_take_fd(QmpMonitor *m)
{
    return chardev_take_fd(m->chr);
}

static void greet(QmpMonitor *m)
{
    QmpContext ctx = { m->env, m };
    json_object *message = json_object_new_object(), *inner = json_object_new_object();
    json_object *capabilities = json_object_new_array();
    g_autoptr(QapiVersionInfo) version = NULL;

    qmp_query_version(&ctx, &version, NULL);
    json_object_object_add(inner, "version", qapi_to_json(&qapi_type_VersionInfo, &version));
    json_object_array_add(capabilities, json_object_new_string("oob"));
    json_object_object_add(inner, "capabilities", capabilities);
    json_object_object_add(message, "QMP", inner);
    qmp_monitor_send(m, message);
    json_object_put(message);
}

bool qmp_qmp_capabilities(QmpContext *ctx, const QapiQmpCapabilitiesArgs *args, Error **errp)
{
    if (!ctx->monitor || ctx->monitor->negotiated) {
        error_setg(errp, "Capabilities negotiation is already complete, command ignored");
        error_set_class(errp, ERROR_CLASS_COMMAND_NOT_FOUND);
        return false;
    }
    ctx->monitor->negotiated = true;
    for (const QapiQMPCapabilityList *c = args->enable; c; c = c->next) {
        ctx->monitor->oob |= c->value == QAPI_QMP_CAPABILITY_OOB;
    }
    return true;
}

/* ---- requests ---- */

typedef struct Request {
    const char *execute;
    json_object *arguments, *id;    /* parts of the message, or NULL */
    bool has_id;
    bool oob;                       /* "exec-oob" */
} Request;

static bool read_execute(const char *name, json_object *value, Request *r, Error **errp)
{
    if (r->execute) {
        error_setg(errp, "QMP input member '%s' clashes with '%s'", name,
                   r->oob ? "exec-oob" : "execute");
        return false;
    }
    if (!json_object_is_type(value, json_type_string)) {
        error_setg(errp, "QMP input member '%s' must be a string", name);
        return false;
    }
    r->execute = json_object_get_string(value);
    r->oob = !strcmp(name, "exec-oob");
    return true;
}

/* oob: "exec-oob" is allowed. */
static bool read_request(json_object *message, bool oob, Request *r, Error **errp)
{
    if (!json_object_is_type(message, json_type_object)) {
        error_setg(errp, "QMP input must be a JSON object");
        return false;
    }
    /* First, so that the reply to a request with other mistakes has it. */
    r->has_id = json_object_object_get_ex(message, "id", &r->id);
    json_object_object_foreach(message, name, value) {
        if (!strcmp(name, "execute") || (oob && !strcmp(name, "exec-oob"))) {
            if (!read_execute(name, value, r, errp)) {
                return false;
            }
        } else if (!strcmp(name, "arguments")) {
            if (!json_object_is_type(value, json_type_object)) {
                error_setg(errp, "QMP input member 'arguments' must be an object");
                return false;
            }
            r->arguments = value;
        } else if (strcmp(name, "id")) {
            error_setg(errp, "QMP input member '%s' is unexpected", name);
            return false;
        }
    }
    if (!r->execute) {
        error_setg(errp, "QMP input lacks member 'execute'");
    }
    return r->execute != NULL;
}

static bool run_request(QmpMonitor *m, const Request *r, json_object **result, Error **errp)
{
    const QapiCommand *command = qapi_command_find(qapi_commands, r->execute);
    QmpContext ctx = { m->env, m };

    trace_qmp_command(r->execute);
    if (!m->negotiated && strcmp(r->execute, "qmp_capabilities")) {
        error_setg(errp, "Expecting capabilities negotiation with 'qmp_capabilities'");
    } else if (!command) {
        error_setg(errp, "The command %s has not been found", r->execute);
    } else if (r->oob && !command->oob) {
        error_setg(errp, "The command %s does not support OOB", r->execute);
        return false;
    } else {
        return qapi_command_run(command, &ctx, r->arguments, result, errp);
    }
    error_set_class(errp, ERROR_CLASS_COMMAND_NOT_FOUND);
    return false;
}

static json_object *error_object(const Error *err)
{
    static const char *const classes[] = {
        [ERROR_CLASS_GENERIC] = "GenericError",
        [ERROR_CLASS_COMMAND_NOT_FOUND] = "CommandNotFound",
        [ERROR_CLASS_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
        [ERROR_CLASS_DEVICE_NOT_FOUND] = "DeviceNotFound",
    };
    json_object *out = json_object_new_object();

    json_object_object_add(out, "class",
                           json_object_new_string(classes[error_get_class(err)]));
    json_object_object_add(out, "desc", json_object_new_string(error_get_pretty(err)));
    return out;
}

/* Takes err. */
static void answer(QmpMonitor *m, json_object *message, Error *err)
{
    json_object *reply = json_object_new_object(), *result = NULL;
    Request r = { NULL };

    /* Now, so that a client does not get what happened before its qmp_capabilities. */
    monitor_events_flush(m->env->events);
    if (!err && read_request(message, m->oob, &r, &err) && run_request(m, &r, &result, &err)) {
        json_object_object_add(reply, "return", result);
    } else {
        json_object_object_add(reply, "error", error_object(err));
        error_free(err);
    }
    if (r.has_id) {
        json_object_object_add(reply, "id", json_object_get(r.id));
    }
    /* What the command caused comes before its reply. */
    monitor_events_flush(m->env->events);
    qmp_monitor_send(m, reply);
    json_object_put(reply);
}

/* ---- whose turn it is ---- */

static void waiting_free(Waiting *w)
{
    json_object_put(w->message);
    if (w->err) {
        error_free(w->err);
    }
    g_free(w);
}

static gboolean answer_first(gpointer opaque)
{
    QmpMonitor *m = opaque;
    Waiting *w = g_queue_pop_head(&m->waiting);

    answer(m, w->message, g_steal_pointer(&w->err));
    waiting_free(w);
    if (m->waiting.length) {
        return G_SOURCE_CONTINUE;
    }
    m->dispatcher = 0;
    return G_SOURCE_REMOVE;
}

static void forget_waiting(QmpMonitor *m)
{
    while (m->waiting.length) {
        waiting_free(g_queue_pop_head(&m->waiting));
    }
    if (m->dispatcher) {
        g_source_remove(m->dispatcher);
        m->dispatcher = 0;
    }
}

static bool is_oob(json_object *message)
{
    return json_object_is_type(message, json_type_object) &&
           json_object_object_get_ex(message, "exec-oob", NULL);
}

static void monitor_message(void *opaque, json_object *message, Error *err)
{
    QmpMonitor *m = opaque;
    Waiting *w;

    if (!m->oob || is_oob(message)) {
        answer(m, message, err);
        return;
    }
    /* By the main loop: between two of them it reads, and so finds what may overtake them. */
    w = g_new0(Waiting, 1);
    w->message = json_object_get(message);
    w->err = err;
    g_queue_push_tail(&m->waiting, w);
    if (!m->dispatcher) {
        m->dispatcher = g_idle_add_full(G_PRIORITY_DEFAULT, answer_first, m, NULL);
    }
}

/* ---- the chardev ---- */

static size_t monitor_can_receive(void *opaque)
{
    return ((QmpMonitor *)opaque)->waiting.length < MAX_WAITING ? SIZE_MAX : 0;
}

static void monitor_receive(void *opaque, const uint8_t *data, size_t length)
{
    json_stream_feed(((QmpMonitor *)opaque)->in, data, length);
}

static void monitor_event(void *opaque, CharEvent event)
{
    QmpMonitor *m = opaque;

    if (event == CHAR_EVENT_OPENED || event == CHAR_EVENT_CLOSED) {
        m->negotiated = m->oob = false;
        forget_waiting(m);
        json_stream_reset(m->in);
    }
    if (event == CHAR_EVENT_OPENED) {
        greet(m);
    }
}

static const ChardevClient monitor_client = {
    .can_receive = monitor_can_receive,
    .receive = monitor_receive,
    .event = monitor_event,
};

QmpMonitor *qmp_monitor_new(MonitorEnv *env, Chardev *chr, bool pretty)
{
    QmpMonitor *m = g_new0(QmpMonitor, 1);

    m->env = env;
    m->chr = chr;
    m->pretty = pretty;
    m->in = json_stream_new(monitor_message, m);
    g_queue_init(&m->waiting);
    monitor_events_add(env->events, m);
    chardev_set_client(chr, &monitor_client, m);
    return m;
}

void qmp_monitor_free(QmpMonitor *m)
{
    chardev_set_client(m->chr, NULL, NULL);
    monitor_events_remove(m->env->events, m);
    forget_waiting(m);
    json_stream_free(m->in);
    g_free(m);
}
