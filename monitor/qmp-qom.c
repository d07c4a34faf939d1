/*
 * QMP's commands about device types, their properties, and the tree of devices. Types,
 * buses and configs do not change once the machine is made, so any thread may read them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "monitor/qmp.h"

#define BASE_TYPE "device"

static const DeviceType *const *all_types(QmpContext *ctx)
{
    return exec_loop_machine(ctx->env->loop)->device_types;
}

bool qmp_qom_list_types(QmpContext *ctx, const QapiQomListTypesArgs *args,
                        QapiObjectTypeInfoList **ret, Error **errp)
{
    const char *implements = args->implements ? args->implements : BASE_TYPE;
    bool all = strcmp(implements, BASE_TYPE) == 0;

    if (all && args->has_abstract && args->abstract) {
        QapiObjectTypeInfo *info = g_new0(QapiObjectTypeInfo, 1);

        info->name = g_strdup(BASE_TYPE);
        info->has_abstract = info->abstract = true;
        QAPI_APPEND(ret, info);
    }
    for (const DeviceType *const *type = all_types(ctx); *type; type++) {
        QapiObjectTypeInfo *info;

        if (!all && strcmp((*type)->name, implements) != 0) {
            continue;
        }
        info = g_new0(QapiObjectTypeInfo, 1);
        info->name = g_strdup((*type)->name);
        info->parent = g_strdup(BASE_TYPE);
        QAPI_APPEND(ret, info);
    }
    return true;
}

static char *type_name(const Property *p)
{
    switch (p->type) {
    case PROPERTY_BOOL:
        return g_strdup("bool");
    case PROPERTY_UINT:
        return g_strdup_printf("uint%d", p->size * 8);
    case PROPERTY_SIZE:
        return g_strdup("size");
    case PROPERTY_STRING:
    case PROPERTY_ENUM:
        return g_strdup("str");
    }
    g_assert_not_reached();
}

/* NULL: it is no string. */
static json_object *default_value(const Property *p)
{
    const char *text = property_default(p);
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

bool qmp_device_list_properties(QmpContext *ctx, const QapiDeviceListPropertiesArgs *args,
                                QapiObjectPropertyInfoList **ret, Error **errp)
{
    const DeviceType *type = device_type_need(all_types(ctx), args->typename,
                                              "device-list-properties", errp);

    if (!type) {
        return false;
    }
    for (const Property *p = type->properties; p && p->name; p++) {
        QapiObjectPropertyInfo *info;

        if (p->refused && !p->values) {
            continue;
        }
        info = g_new0(QapiObjectPropertyInfo, 1);
        info->name = g_strdup(p->name);
        info->type = type_name(p);
        info->description = g_strdup(p->doc);
        info->default_value = default_value(p);
        QAPI_APPEND(ret, info);
    }
    return true;
}

/* ---- the tree ---- */

static void show_properties(Device *dev, int indent, GString *out)
{
    for (const Property *p = dev->type->properties; p && p->name; p++) {
        g_autofree char *value = p->size ? property_format(p, device_config(dev)) : NULL;

        if (value) {
            g_string_append_printf(out, "%*s%s = %s\n", indent, "", p->name, value);
        }
    }
}

static void show_device(Device *dev, int indent, GString *out)
{
    const GPtrArray *buses = dev->machine->buses;

    g_string_append_printf(out, "%*sdev: %s, id \"%s\"\n", indent, "", dev->type->name, dev->id);
    show_properties(dev, indent + 2, out);
    if (dev->type->window) {
        g_string_append_printf(out, "%*smmio %016" PRIx64 "/%016" PRIx64 "\n", indent + 2, "",
                               dev->base, dev->type->window);
    }
    for (unsigned i = 0; i < buses->len; i++) {
        const Bus *bus = g_ptr_array_index(buses, i);

        if (bus->parent != dev) {
            continue;
        }
        g_string_append_printf(out, "%*sbus: %s\n%*stype %s\n", indent + 2, "", bus->name,
                               indent + 4, "", bus->kind);
        for (unsigned n = 0; n < bus->children->len; n++) {
            show_device(g_ptr_array_index(bus->children, n), indent + 4, out);
        }
    }
}

bool qmp_x_rearm_query_qtree(QmpContext *ctx, QapiHumanReadableText **ret, Error **errp)
{
    const GPtrArray *devices = exec_loop_machine(ctx->env->loop)->devices;
    GString *out = g_string_new("bus: main-system-bus\n  type " SYSTEM_BUS "\n");

    for (unsigned i = 0; i < devices->len; i++) {
        Device *dev = g_ptr_array_index(devices, i);

        if (!dev->bus) {
            show_device(dev, 2, out);
        }
    }
    *ret = g_new0(QapiHumanReadableText, 1);
    (*ret)->human_readable_text = g_string_free(out, FALSE);
    return true;
}
