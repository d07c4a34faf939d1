/*
 * The QMP monitor: greeting, negotiation, requests and replies.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/linkhash.h>
#include "monitor/qmp.h"
#include "qapi/json.h"

struct QmpMonitor {
    MonitorEnv *env;
    Chardev *chr;
    JsonStream *in;
    bool pretty;
    bool negotiated;
};

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
    g_autoptr(QapiVersionInfo) version = NULL;

    qmp_query_version(&ctx, &version, NULL);
    json_object_object_add(inner, "version", qapi_to_json(&qapi_type_VersionInfo, &version));
    json_object_object_add(inner, "capabilities", json_object_new_array());
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
    return true;
}

/* ---- requests ---- */

typedef struct Request {
    const char *execute;
    json_object *arguments, *id;    /* parts of the message, or NULL */
    bool has_id;
} Request;

static bool read_request(json_object *message, Request *r, Error **errp)
{
    if (!json_object_is_type(message, json_type_object)) {
        error_setg(errp, "QMP input must be a JSON object");
        return false;
    }
    /* First, so that the reply to a request with other mistakes has it. */
    r->has_id = json_object_object_get_ex(message, "id", &r->id);
    json_object_object_foreach(message, name, value) {
        if (!strcmp(name, "execute")) {
            if (!json_object_is_type(value, json_type_string)) {
                error_setg(errp, "QMP input member 'execute' must be a string");
                return false;
            }
            r->execute = json_object_get_string(value);
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

    if (!m->negotiated && strcmp(r->execute, "qmp_capabilities")) {
        error_setg(errp, "Expecting capabilities negotiation with 'qmp_capabilities'");
    } else if (!command) {
        error_setg(errp, "The command %s has not been found", r->execute);
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

static void monitor_message(void *opaque, json_object *message, Error *err)
{
    json_object *reply = json_object_new_object(), *result = NULL;
    QmpMonitor *m = opaque;
    Request r = { NULL };

    /* Now, so that a client does not get what happened before its qmp_capabilities. */
    monitor_events_flush(m->env->events);
    if (!err && read_request(message, &r, &err) && run_request(m, &r, &result, &err)) {
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

/* ---- the chardev ---- */

static void monitor_receive(void *opaque, const uint8_t *data, size_t length)
{
    json_stream_feed(((QmpMonitor *)opaque)->in, data, length);
}

static void monitor_event(void *opaque, CharEvent event)
{
    QmpMonitor *m = opaque;

    if (event == CHAR_EVENT_OPENED || event == CHAR_EVENT_CLOSED) {
        m->negotiated = false;
        json_stream_reset(m->in);
    }
    if (event == CHAR_EVENT_OPENED) {
        greet(m);
    }
}

static const ChardevClient monitor_client = {
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
    monitor_events_add(env->events, m);
    chardev_set_client(chr, &monitor_client, m);
    return m;
}

void qmp_monitor_free(QmpMonitor *m)
{
    chardev_set_client(m->chr, NULL, NULL);
    monitor_events_remove(m->env->events, m);
    json_stream_free(m->in);
    g_free(m);
}
