/*
 * Arguments of options as JSON objects, which programs like: -object '{"qom-type": "secret", ...}'.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/json.h>
#include "system/options-handlers.h"

static bool append_object(GString *out, const char *prefix, json_object *object, Error **errp);

static bool append_member(GString *out, const char *key, json_object *value, Error **errp)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        keyval_append(out, key, "");
        return true;
    case json_type_boolean:
        keyval_append(out, key, json_object_get_boolean(value) ? "on" : "off");
        return true;
    case json_type_int:
    case json_type_string:
        keyval_append(out, key, json_object_get_string(value));
        return true;
    case json_type_object:
        return append_object(out, key, value, errp);
    default:
        error_setg(errp, "'%s': expected a string, a whole number, true, false or null", key);
        return false;
    }
}

/*
 * Members of an object within an object are "OUTER.INNER". The first key of a list may go without its
 * name, so which one comes first makes no difference. json-c bounds the depth.
 */
static bool append_object(GString *out, const char *prefix, json_object *object, Error **errp)
{
    json_object_object_foreach(object, key, value) {
        g_autofree char *name = *prefix ? g_strdup_printf("%s.%s", prefix, key) : g_strdup(key);

        if (!append_member(out, name, value, errp)) {
            return false;
        }
    }
    return true;
}

static char *format(json_object *object, Error **errp)
{
    GString *out = g_string_new(NULL);

    return g_string_free(out, !append_object(out, "", object, errp));
}

char *options_from_json(const char *arg, Error **errp)
{
    enum json_tokener_error error;
    json_object *object;
    char *text = NULL;

    if (arg[0] != '{') {
        return g_strdup(arg);
    }
    object = json_tokener_parse_verbose(arg, &error);
    if (!object) {
        error_setg(errp, "%s: no JSON: %s", arg, json_tokener_error_desc(error));
    } else {
        text = format(object, errp);
    }
    json_object_put(object);
    return text;
}
