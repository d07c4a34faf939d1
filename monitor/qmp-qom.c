/*
 * QMP's commands about device types, their properties, and the tree of devices. Types,
 * buses and configs do not change once the machine is made, so any thread may read them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/user-object.h"
#include "hw/virtio/virtio.h"
#include "monitor/properties.h"
#include "monitor/qmp.h"

#define BASE_TYPE "object"
#define DEVICE_TYPE "device"

static const DeviceType *const *all_types(QmpContext *ctx)
{
    return exec_loop_machine(ctx->env->loop)->device_types;
}

/* The types that nothing is of itself, and what sits on which bus is of which of them. */
static const struct AbstractType {
    const char *name, *parent, *bus;
} abstract_types[] = {
    { BASE_TYPE, NULL, NULL },
    { "accel", BASE_TYPE, NULL },
    { "machine", BASE_TYPE, NULL },
    { DEVICE_TYPE, BASE_TYPE, NULL },
    { "sys-bus-device", DEVICE_TYPE, SYSTEM_BUS },
    { "virtio-device", DEVICE_TYPE, VIRTIO_BUS },
    { "cpu", DEVICE_TYPE, NULL },
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
    return DEVICE_TYPE;
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

typedef struct TypeList {
    const char *implements;
    QapiObjectTypeInfoList **tail;
} TypeList;

static void list_type(TypeList *list, const char *name, const char *parent, bool abstract)
{
    QapiObjectTypeInfo *info;

    if (!is_a(name, parent, list->implements)) {
        return;
    }
    info = g_new0(QapiObjectTypeInfo, 1);
    info->name = g_strdup(name);
    info->parent = g_strdup(parent);
    info->has_abstract = info->abstract = abstract;
    QAPI_APPEND(list->tail, info);
}

bool qmp_qom_list_types(QmpContext *ctx, const QapiQomListTypesArgs *args,
                        QapiObjectTypeInfoList **ret, Error **errp)
{
    TypeList list = { args->implements ? args->implements : BASE_TYPE, ret };

    for (unsigned i = 0; args->has_abstract && args->abstract && i < ARRAY_SIZE(abstract_types);
         i++) {
        list_type(&list, abstract_types[i].name, abstract_types[i].parent, true);
    }
    for (const DeviceType *const *type = all_types(ctx); *type; type++) {
        list_type(&list, (*type)->name, parent_of(*type), false);
    }
    for (const UserObjectType *const *type = user_object_types; *type; type++) {
        list_type(&list, (*type)->name, BASE_TYPE, false);
    }
    for (const BoardType *const *board = ctx->env->boards; *board; board++) {
        g_autofree char *name = g_strdup_printf("%s-machine", (*board)->name);

        list_type(&list, name, "machine", false);
    }
    /* Guests run on the translator, whatever -accel says about it. */
    list_type(&list, "tcg-accel", "accel", false);
    return true;
}

bool qmp_device_list_properties(QmpContext *ctx, const QapiDeviceListPropertiesArgs *args,
                                QapiObjectPropertyInfoList **ret, Error **errp)
{
    const DeviceType *type = device_type_need(all_types(ctx), args->typename,
                                              "device-list-properties", errp);

    if (!type) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND);
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

typedef struct QtreeCall {
    const GPtrArray *devices;
    GString *out;
} QtreeCall;

/* Machine thread: where a device is in memory is guest state. */
static void qtree_run(void *opaque)
{
    const QtreeCall *c = opaque;

    for (unsigned i = 0; i < c->devices->len; i++) {
        Device *dev = g_ptr_array_index(c->devices, i);

        if (!dev->bus) {
            show_device(dev, 2, c->out);
        }
    }
}

bool qmp_x_rearm_query_qtree(QmpContext *ctx, QapiHumanReadableText **ret, Error **errp)
{
    QtreeCall c = {
        exec_loop_machine(ctx->env->loop)->devices,
        g_string_new("bus: main-system-bus\n  type " SYSTEM_BUS "\n"),
    };

    machine_run_sync(ctx->env->loop, qtree_run, &c);
    *ret = g_new0(QapiHumanReadableText, 1);
    (*ret)->human_readable_text = g_string_free(c.out, FALSE);
    return true;
}
