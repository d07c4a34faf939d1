/*
 * Commands and events between JSON and C.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/linkhash.h>
#include "qapi/dispatch.h"

const QapiCommand *qapi_command_find(const QapiCommand *table, const char *name)
{
    for (; table->name; table++) {
        if (!strcmp(table->name, name)) {
            return table;
        }
    }
    return NULL;
}

static bool call(const QapiCommand *command, QmpContext *ctx, json_object *arguments, void *ret,
                 Error **errp)
{
    void *args = NULL;
    bool ok;

    if (!command->args) {
        json_object_object_foreach(arguments, name, value) {
            (void)value;
            error_setg(errp, "Parameter '%s' is unexpected", name);
            return false;
        }
    } else if (!qapi_from_json(command->args, arguments, &args, errp)) {
        return false;
    }
    ok = command->call(ctx, args, ret, errp);
    if (command->args) {
        qapi_free(command->args, &args);
    }
    return ok;
}

bool qapi_command_run(const QapiCommand *command, QmpContext *ctx, json_object *arguments,
                      json_object **result, Error **errp)
{
    json_object *given = arguments ? json_object_get(arguments) : json_object_new_object();
    uint64_t ret = 0;          /* room for a value of any type */
    bool ok = call(command, ctx, given, &ret, errp);

    json_object_put(given);
    if (!ok) {
        return false;
    }
    *result = command->ret ? qapi_to_json(command->ret, &ret) : json_object_new_object();
    if (command->ret) {
        qapi_free(command->ret, &ret);
    }
    return true;
}

void qapi_event_emit(const QapiEventSink *sink, const char *event, const QapiType *type,
                     const void *data)
{
    sink->emit(sink->opaque, event, type ? qapi_to_json(type, &data) : NULL);
}
