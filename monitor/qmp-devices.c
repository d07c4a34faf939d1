/*
 * Commands of QMP that add and remove devices of a machine that runs. They check what is asked for, as
 * those who ask expect it; what is right then is input of the guest (exec_loop_plug()).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/linkhash.h>
#include "hw/core/hotplug.h"
#include "monitor/commands.h"
#include "monitor/properties.h"
#include "monitor/qmp.h"
#include "monitor/qom-tree.h"

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

/* The first one where devices come and go that has none. */
static const Bus *free_place(const Machine *m, const DeviceType *type)
{
    for (unsigned i = 0; i < m->buses->len; i++) {
        const Bus *bus = g_ptr_array_index(m->buses, i);

        if (bus->hotplug && !bus->children->len && !g_strcmp0(bus->kind, type->bus)) {
            return bus;
        }
    }
    return NULL;
}

/* The one by that name, or of the type's kind; NULL without an error: the device needs none. */
static const Bus *choose_bus(const Machine *m, const DeviceType *type, const char *name, Error **errp)
{
    const Bus *found = name ? NULL : free_place(m, type);

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

static bool check_properties(const DeviceType *type, KeyVal *kv, const char *what, Error **errp)
{
    return properties_take(type->properties, NULL, kv, what, errp) &&
           (!type->part || check_properties(type->part, kv, what, errp));
}

/* What the guest does not come into; true: the bus, which takes part, is chosen. */
static bool check_device(Machine *m, KeyVal *kv, const Bus **bus, Error **errp)
{
    const DeviceType *type = choose_type(m, kv, errp);
    const char *id = keyval_get(kv, "id");
    const char *name = keyval_get(kv, "bus");
    Error *err = NULL;

    if (!type) {
        return false;
    }
    if (id && machine_find_device(m, id)) {
        error_setg(errp, "Duplicate device ID '%s'", id);
        return false;
    }
    *bus = choose_bus(m, type, name, &err);
    if (err) {
        error_propagate(errp, err);
        return false;
    }
    return check_properties(type, kv, type->name, errp) && keyval_check_unused(kv, type->name, errp) &&
           hotplug_check(*bus, type, type->name, errp);
}

typedef struct PlugCall {
    ExecLoop *loop;
    const char *text;              /* of the device, or its place in the tree */
    MonitorEnv *env;
} PlugCall;

static bool plug_run(void *opaque, Error **errp)
{
    const PlugCall *c = opaque;
    KeyVal *kv = keyval_parse(c->text, "driver", errp);
    const Bus *bus = NULL;
    bool ok = kv && check_device(exec_loop_machine(c->loop), kv, &bus, errp);

    if (ok) {
        /* Without bus= it is this one from now on. */
        g_autofree char *text = keyval_get(kv, "bus") ? g_strdup(c->text)
                                                      : g_strdup_printf("%s,bus=%s", c->text, bus->name);

        ok = exec_loop_plug(c->loop, text, errp);
    }
    keyval_free(kv);
    return ok;
}

/* "DRIVER,id=ID,KEY=VALUE,...", as -device has it. */
static bool add_device(MonitorEnv *env, const char *text, Error **errp)
{
    return monitor_on_machine(env, plug_run, &(PlugCall){ env->loop, text, env }, errp);
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

static bool unplug_run(void *opaque, Error **errp)
{
    const PlugCall *c = opaque;
    QomNode node = { .kind = QOM_DEVICE, .device = machine_find_device(exec_loop_machine(c->loop), c->text) };

    /* A port and its bus have one name. */
    if (!node.device && !qom_find(c->env, c->text, &node, errp)) {
        return false;
    }
    if (node.kind != QOM_DEVICE) {
        error_setg(errp, "%s is not a hotpluggable device", c->text);
        return false;
    }
    return hotplug_check(node.device->bus, node.device->type, node.device->id, errp) &&
           exec_loop_unplug(c->loop, node.device->id, errp);
}

bool qmp_device_del(QmpContext *ctx, const QapiDeviceDelArgs *args, Error **errp)
{
    return monitor_on_machine(ctx->env, unplug_run, &(PlugCall){ ctx->env->loop, args->id, ctx->env }, errp);
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
