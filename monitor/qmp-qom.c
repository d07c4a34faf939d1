/*
 * QMP's commands about device types, their properties, and the tree of devices. Types,
 * buses and configs do not change once the machine is made, so any thread may read them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/virtio/virtio.h"
#include "monitor/properties.h"
#include "monitor/qmp.h"

#define BASE_TYPE "device"

static const DeviceType *const *all_types(QmpContext *ctx)
{
    return exec_loop_machine(ctx->env->loop)->device_types;
}

/* The types that no device is of, and what sits on which bus is of which of them. */
static const struct AbstractType {
    const char *name, *parent, *bus;
} abstract_types[] = {
    { BASE_TYPE, NULL, NULL },
    { "sys-bus-device", BASE_TYPE, SYSTEM_BUS },
    { "virtio-device", BASE_TYPE, VIRTIO_BUS },
    { "cpu", BASE_TYPE, NULL },
    { "arm-cpu", "cpu", NULL },
    { "aarch64-cpu", "arm-cpu", NULL },
};

static const char *parent_of(const DeviceType *type)
{
    if (type->parent) {
        return type->parent;
    }
    for (unsigned i = 0; type->bus && i < ARRAY_SIZE(abstract_types); i++) {
        if (!g_strcmp0(abstract_types[i].bus, type->bus)) {
            return abstract_types[i].name;
        }
    }
    return BASE_TYPE;
}

/* A name at or above `name`, whose parent is given, is `implements`. */
static bool is_a(const char *name, const char *parent, const char *implements)
{
    while (name && strcmp(name, implements) != 0) {
        name = parent;
        for (unsigned i = 0; i < ARRAY_SIZE(abstract_types); i++) {
            if (!g_strcmp0(name, abstract_types[i].name)) {
                parent = abstract_types[i].parent;
            }
        }
    }
    return name != NULL;
}

static QapiObjectTypeInfo *type_info(const char *name, const char *parent, bool abstract)
{
    QapiObjectTypeInfo *info = g_new0(QapiObjectTypeInfo, 1);

    info->name = g_strdup(name);
    info->parent = g_strdup(parent);
    info->has_abstract = info->abstract = abstract;
    return info;
}

bool qmp_qom_list_types(QmpContext *ctx, const QapiQomListTypesArgs *args,
                        QapiObjectTypeInfoList **ret, Error **errp)
{
    const char *implements = args->implements ? args->implements : BASE_TYPE;

    for (unsigned i = 0; args->has_abstract && args->abstract && i < ARRAY_SIZE(abstract_types);
         i++) {
        const struct AbstractType *type = &abstract_types[i];

        if (is_a(type->name, type->parent, implements)) {
            QAPI_APPEND(ret, type_info(type->name, type->parent, true));
        }
    }
    for (const DeviceType *const *type = all_types(ctx); *type; type++) {
        if (is_a((*type)->name, parent_of(*type), implements)) {
            QAPI_APPEND(ret, type_info((*type)->name, parent_of(*type), false));
        }
    }
    return true;
}

bool qmp_device_list_properties(QmpContext *ctx, const QapiDeviceListPropertiesArgs *args,
                                QapiObjectPropertyInfoList **ret, Error **errp)
{
    const DeviceType *type = device_type_need(all_types(ctx), args->typename,
                                              "device-list-properties", errp);

    if (!type) {
        return false;
    }
    for (; type; type = type->part) {
        for (const Property *p = type->properties; p && p->name; p++) {
            if (qmp_property_shown(p)) {
                QAPI_APPEND(ret, qmp_property_info(p));
            }
        }
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
    for (unsigned i = 0; i < DEVICE_MAX_REGIONS && dev->region[i]; i++) {
        g_string_append_printf(out, "%*smmio %016" PRIx64 "/%016" PRIx64 "\n", indent + 2, "",
                               dev->region[i]->base, dev->region[i]->size);
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
