/*
 * Properties of devices, CPUs and boards as QMP shows them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/properties.h"
#include "monitor/qmp.h"

char *qmp_property_type(const Property *p)
{
    switch (p->type) {
    case PROPERTY_BOOL:
        return g_strdup("bool");
    case PROPERTY_UINT:
        return g_strdup_printf("uint%d", p->size ? p->size * 8 : 32);
    case PROPERTY_SIZE:
        return g_strdup("size");
    case PROPERTY_STRING:
    case PROPERTY_ENUM:
        return g_strdup("str");
    }
    g_assert_not_reached();
}

json_object *qmp_property_json(const Property *p, const char *text)
{
    uint64_t number = 0;
    bool on = false, ok = true;

    if (!text) {
        return NULL;
    }
    switch (p->type) {
    case PROPERTY_BOOL:
        ok = parse_bool(text, &on);
        break;
    case PROPERTY_UINT:
        ok = parse_u64(text, &number);
        break;
    case PROPERTY_SIZE:
        ok = parse_size(text, 1, &number);
        break;
    case PROPERTY_STRING:
    case PROPERTY_ENUM:
        return json_object_new_string(text);
    }
    assert(ok);
    return p->type == PROPERTY_BOOL ? json_object_new_boolean(on)
                                    : json_object_new_uint64(number);
}

char *qmp_property_text(json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_boolean:
        return g_strdup(json_object_get_boolean(value) ? "on" : "off");
    case json_type_int:
        return json_object_get_int64(value) < 0
               ? g_strdup_printf("%" PRId64, json_object_get_int64(value))
               : g_strdup_printf("%" PRIu64, json_object_get_uint64(value));
    case json_type_string:
        return g_strdup(json_object_get_string(value));
    default:
        return NULL;
    }
}

bool qmp_property_shown(const Property *p)
{
    return !p->refused || p->values;
}

QapiObjectPropertyInfo *qmp_property_info(const Property *p)
{
    QapiObjectPropertyInfo *info = g_new0(QapiObjectPropertyInfo, 1);

    info->name = g_strdup(p->name);
    info->type = qmp_property_type(p);
    info->description = g_strdup(p->doc);
    info->default_value = qmp_property_json(p, property_default(p));
    return info;
}

void qmp_add_option(GString *out, const char *name, const char *value)
{
    g_auto(GStrv) parts = value ? g_strsplit(value, ",", -1) : NULL;
    g_autofree char *escaped = value ? g_strjoinv(",,", parts) : NULL;

    if (value) {
        g_string_append_printf(out, ",%s=%s", name, escaped);
    }
}
