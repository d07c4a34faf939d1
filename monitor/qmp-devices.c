/*
 * Commands of QMP that add and remove devices of a machine that runs. No bus that there is takes part
 * in that, so they check what is asked for, as those who ask expect it, and refuse by the bus's name.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/linkhash.h>
#include "monitor/commands.h"
#include "monitor/properties.h"
#include "monitor/qmp.h"
#include "monitor/qom-tree.h"

static void refuse_bus(const Bus *bus, const char *device, Error **errp)
{
    if (bus) {
        error_setg(errp, "Bus '%s' does not support hotplugging", bus->name);
    } else {
        error_setg(errp, "Device '%s' does not support hotplugging", device);
    }
}

static const DeviceType *choose_type(Machine *m, KeyVal *kv, Error **errp)
{
    const char *driver = keyval_get(kv, "driver");
    const DeviceType *type = driver ? device_type_find(m->device_types, driver) : NULL;

    if (!driver) {
        error_setg(errp, "Parameter 'driver' is missing");
    } else if (!type && device_missing(driver)) {
        error_setg(errp, "'%s' is not a valid device model name: %s", driver, device_missing(driver));
    } else if (!type) {
        error_setg(errp, "'%s' is not a valid device model name", driver);
    } else if (!type->pluggable) {
        error_setg(errp, "Parameter 'driver' expects a pluggable device type");
        return NULL;
    }
    return type;
}

/* The one by that name, or of the type's kind; NULL without an error: the device needs none. */
static const Bus *choose_bus(const Machine *m, const DeviceType *type, const char *name, Error **errp)
{
    const Bus *found = NULL;

    for (unsigned i = m->buses->len; i-- > 0 && !found; ) {
        const Bus *bus = g_ptr_array_index(m->buses, i);

        found = (name ? !strcmp(bus->name, name) : !g_strcmp0(bus->kind, type->bus)) ? bus : NULL;
    }
    if (!found && name) {
        error_setg(errp, "Bus '%s' not found", name);
    } else if (!found && type->bus) {
        error_setg(errp, "No '%s' bus found for device '%s'", type->bus, type->name);
    } else if (found && g_strcmp0(found->kind, type->bus)) {
        error_setg(errp, "Device '%s' can't go on %s bus", type->name, found->kind);
        return NULL;
    }
    return found;
}

static void refuse_device(Machine *m, KeyVal *kv, Error **errp)
{
    const DeviceType *type = choose_type(m, kv, errp);
    const char *id = keyval_get(kv, "id");
    const char *name = keyval_get(kv, "bus");
    Error *err = NULL;
    const Bus *bus;

    if (!type) {
        return;
    }
    if (id && machine_find_device(m, id)) {
        error_setg(errp, "Duplicate device ID '%s'", id);
        return;
    }
    bus = choose_bus(m, type, name, &err);
    if (err) {
        error_propagate(errp, err);
    } else if (properties_take(type->properties, NULL, kv, type->name, errp) &&
               keyval_check_unused(kv, type->name, errp)) {
        refuse_bus(bus, type->name, errp);
    }
}

/* "DRIVER,id=ID,KEY=VALUE,...", as -device has it. */
static bool add_device(MonitorEnv *env, const char *text, Error **errp)
{
    KeyVal *kv = keyval_parse(text, "driver", errp);

    if (kv) {
        refuse_device(exec_loop_machine(env->loop), kv, errp);
    }
    keyval_free(kv);
    return false;
}

bool qmp_device_add(QmpContext *ctx, json_object *args, Error **errp)
{
    g_autoptr(GString) text = g_string_new(NULL);
    bool has_driver = false;

    json_object_object_foreach(args, name, value) {
        g_autofree char *word = qmp_property_text(value);

        if (!word) {
            error_setg(errp, "Parameter '%s' is neither a boolean, a number nor a string", name);
            return false;
        }
        has_driver |= !strcmp(name, "driver");
        qmp_add_option(text, name, word);
    }
    if (!has_driver) {
        error_setg(errp, "Parameter 'driver' is missing");
        return false;
    }
    return add_device(ctx->env, text->str + 1, errp);
}

bool qmp_device_del(QmpContext *ctx, const QapiDeviceDelArgs *args, Error **errp)
{
    QomNode node;

    if (!qom_find(ctx->env, args->id, &node, errp)) {
        return false;
    }
    if (node.kind != QOM_DEVICE) {
        error_setg(errp, "%s is not a hotpluggable device", args->id);
        return false;
    }
    refuse_bus(node.device->bus, node.device->id, errp);
    return false;
}

bool hmp_device_add(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return add_device(env, hmp_text(args, "DRIVER[,KEY=VALUE...]"), errp);
}

bool hmp_device_del(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return qmp_device_del(&(QmpContext){ .env = env },
                          &(QapiDeviceDelArgs){ hmp_text(args, "ID") }, errp);
}
