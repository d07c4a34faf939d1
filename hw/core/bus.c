/*
 * Buses, -device and -global.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/hotplug.h"

/* ---- buses ---- */

Bus *bus_new(Device *parent, const char *kind, const char *name, unsigned room,
             void (*attach)(Bus *bus, Device *dev))
{
    Bus *bus = g_new0(Bus, 1);

    bus->kind = kind;
    bus->name = g_strdup(name);
    bus->parent = parent;
    bus->room = room;
    bus->children = g_ptr_array_new();
    bus->attach = attach;
    g_ptr_array_add(parent->machine->buses, bus);
    return bus;
}

void bus_attach(Bus *bus, Device *dev)
{
    assert(bus->children->len < bus->room && strcmp(dev->type->bus, bus->kind) == 0);
    dev->bus = bus;
    g_ptr_array_add(bus->children, dev);
    bus->attach(bus, dev);
}

static void remove_buses(Device *dev)
{
    GPtrArray *buses = dev->machine->buses;

    for (unsigned i = buses->len; i-- > 0; ) {
        Bus *bus = g_ptr_array_index(buses, i);

        if (bus->parent != dev) {
            continue;
        }
        while (bus->children->len) {
            device_remove(g_ptr_array_index(bus->children, bus->children->len - 1));
        }
        g_ptr_array_remove_index(buses, i);
    }
}

void device_remove(Device *dev)
{
    Device *part = dev->part;

    if (dev->bus && dev->bus->detach) {
        dev->bus->detach(dev->bus, dev);
    }
    if (part && !part->bus) {
        device_remove(part);    /* its whole was not realized so far as to put it on a bus */
    }
    remove_buses(dev);
    if (dev->bus) {
        g_ptr_array_remove(dev->bus->children, dev);
    }
    for (unsigned i = 0; i < DEVICE_MAX_REGIONS && dev->region[i]; i++) {
        memory_remove(dev->machine->memory, dev->region[i]);
    }
    g_ptr_array_remove(dev->machine->devices, dev);
    device_free(dev);
}

void bus_free(void *opaque)
{
    Bus *bus = opaque;

    g_ptr_array_unref(bus->children);
    g_free(bus->name);
    g_free(bus);
}

/* The bus of the kind by that name, or why there is none. */
static Bus *find_bus(Machine *m, const DeviceType *type, const char *name, Error **errp)
{
    const char *first = NULL, *last = NULL;

    for (unsigned i = 0; i < m->buses->len; i++) {
        Bus *bus = g_ptr_array_index(m->buses, i);
        const Device *there = bus->children->len ? g_ptr_array_index(bus->children, 0) : NULL;

        if (strcmp(bus->kind, type->bus) != 0) {
            continue;
        }
        first = first ? first : bus->name;
        last = bus->name;
        if (strcmp(bus->name, name) == 0) {
            if (bus->children->len < bus->room) {
                return bus;
            }
            if (bus->room > 1) {
                error_setg(errp, "-device %s: bus '%s' is full: it has %u devices", type->name, name, bus->room);
            } else {
                error_setg(errp, "-device %s: bus '%s' has a device already ('%s')", type->name, name,
                           there->id);
            }
            return NULL;
        }
    }
    if (first) {
        error_setg(errp, "-device %s: no bus '%s'; there are %s to %s", type->name, name, first,
                   last);
    } else {
        error_setg(errp, "-device %s: this machine has no %s", type->name, type->bus);
    }
    return NULL;
}

static Bus *find_room(Machine *m, const DeviceType *type, Error **errp)
{
    unsigned num = 0;

    for (unsigned i = m->buses->len; i-- > 0; ) {
        Bus *bus = g_ptr_array_index(m->buses, i);

        if (strcmp(bus->kind, type->bus) != 0 || bus->by_name_only) {
            continue;
        }
        if (bus->children->len < bus->room) {
            return bus;
        }
        num++;
    }
    if (num) {
        error_setg(errp, "-device %s: each %s has a device already (all %u of them)", type->name,
                   type->bus, num);
    } else {
        error_setg(errp, "-device %s: this machine has no %s", type->name, type->bus);
    }
    return NULL;
}

/* ---- types ---- */

const DeviceType *device_type_find(const DeviceType *const *types, const char *name)
{
    for (; *types; types++) {
        if (strcmp((*types)->name, name) == 0 || !g_strcmp0((*types)->alias, name)) {
            return *types;
        }
    }
    return NULL;
}

const DeviceType *device_type_need(const DeviceType *const *types, const char *name,
                                   const char *what, Error **errp)
{
    const DeviceType *type = device_type_find(types, name);
    g_autoptr(GPtrArray) names = g_ptr_array_new(), pluggable = g_ptr_array_new();
    const char *near;

    if (type) {
        return type;
    }
    if (device_missing(name)) {
        error_setg(errp, "%s %s: %s", what, name, device_missing(name));
        return NULL;
    }
    for (; *types; types++) {
        g_ptr_array_add(names, (char *)(*types)->name);
        if ((*types)->pluggable) {
            g_ptr_array_add(pluggable, (char *)(*types)->name);
        }
    }
    g_ptr_array_add(names, NULL);
    g_ptr_array_add(pluggable, NULL);
    near = suggest_nearest(name, (const char *const *)names->pdata);
    if (near) {
        error_setg(errp, "%s: unknown device '%s', did you mean '%s'?", what, name, near);
    } else {
        g_autofree char *list = g_strjoinv(", ", (char **)pluggable->pdata);

        error_setg(errp, "%s: unknown device '%s'; -device takes: %s", what, name, list);
    }
    return NULL;
}

static void help_some(const DeviceType *const *types, bool pluggable, GString *out)
{
    for (; *types; types++) {
        const DeviceType *type = *types;

        if (type->pluggable == pluggable) {
            g_string_append_printf(out, "name \"%s\"%s%s%s%s%s, desc \"%s\"\n", type->name,
                                   type->bus ? ", bus " : "", type->bus ? type->bus : "",
                                   type->alias ? ", alias \"" : "", type->alias ? type->alias : "",
                                   type->alias ? "\"" : "", type->doc);
        }
    }
}

void device_types_help(const DeviceType *const *types, GString *out)
{
    g_string_append(out, "Devices to add:\n");
    help_some(types, true, out);
    g_string_append(out, "\nDevices of boards, for -global:\n");
    help_some(types, false, out);
}

/* ---- -device ---- */

static bool is_taken(Machine *m, const DeviceType *type, const char *id)
{
    g_autofree char *part = type->part ? g_strdup_printf("%s.%s", id, type->part_name) : NULL;

    return machine_find_device(m, id) || (part && machine_find_device(m, part));
}

/* The user's id, or the type's name without "-device" and a number: a name in recordings. */
static char *choose_id(Machine *m, const DeviceType *type, KeyVal *kv, Error **errp)
{
    const char *given = keyval_get(kv, "id");
    size_t stem = strlen(type->name) - (g_str_has_suffix(type->name, "-device") ? 7 : 0);

    if (given) {
        size_t most = DEVICE_ID_MAX - (type->part ? strlen(type->part_name) + 1 : 0);

        if (!*given || strlen(given) > most || is_taken(m, type, given)) {
            error_setg(errp, "-device %s: id '%s' is %s", type->name, given,
                       !*given ? "empty" : strlen(given) > most ? "too long" : "taken");
            return NULL;
        }
        return g_strdup(given);
    }
    for (unsigned n = 0; ; n++) {
        char *id = g_strdup_printf("%.*s%u", (int)stem, type->name, n);

        if (!is_taken(m, type, id)) {
            return id;
        }
        g_free(id);
    }
}

static const DeviceType *choose_type(const DeviceType *const *types, KeyVal *kv,
                                     const char *text, Error **errp)
{
    const char *driver = keyval_get(kv, "driver");
    const DeviceType *type;

    if (!driver) {
        error_setg(errp, "-device '%s' names no driver; -device help lists them", text);
        return NULL;
    }
    type = device_type_need(types, driver, "-device", errp);
    if (type && !type->pluggable) {
        error_setg(errp, "-device %s: this device comes with a board and cannot be added; %s",
                   driver, type->instead ? type->instead : "-device help lists those that can");
        return NULL;
    }
    return type;
}

static bool choose_bus(Machine *m, const DeviceType *type, KeyVal *kv, Bus **bus, Error **errp)
{
    const char *name = keyval_get(kv, "bus");

    if (!type->bus) {
        if (name) {
            error_setg(errp, "-device %s: bus=%s: this device sits on no bus", type->name, name);
        }
        return !name;
    }
    *bus = name ? find_bus(m, type, name, errp) : find_room(m, type, errp);
    return *bus != NULL;
}

/* All properties that kv has, the part's included; dev NULL: check only. */
static bool take_properties(const DeviceType *type, Device *dev, KeyVal *kv, const char *what,
                            Error **errp)
{
    return properties_take(type->properties, dev ? device_config(dev) : NULL, kv, what, errp) &&
           (!type->part || take_properties(type->part, dev ? dev->part : NULL, kv, what, errp));
}

/* As it was given, with the id that was chosen for it. */
static char *text_with_id(KeyVal *kv, const char *text, const char *id)
{
    return keyval_get(kv, "id") ? g_strdup(text) : g_strdup_printf("%s,id=%s", text, id);
}

static bool plug_parsed(Machine *m, KeyVal *kv, const char *text, Error **errp)
{
    const DeviceType *type = choose_type(m->device_types, kv, text, errp);
    g_autofree char *id = NULL, *what = NULL;
    Bus *bus = NULL;
    Device *dev;
    bool ok;

    if (!type) {
        return false;
    }
    what = g_strdup_printf("-device %s", type->name);
    if (!choose_bus(m, type, kv, &bus, errp) ||
        !take_properties(type, NULL, kv, what, errp)) {
        return false;
    }
    id = choose_id(m, type, kv, errp);
    if (!id || !keyval_check_unused(kv, what, errp)) {
        return false;
    }
    dev = device_new(type, m, id);
    ok = take_properties(type, dev, kv, what, errp);
    assert(ok);
    if (bus) {
        bus_attach(bus, dev);
    }
    if (!device_realize(dev, errp)) {
        if (!m->plugging) {
            error_prepend(errp, "%s: ", what);
        }
        device_remove(dev);
        return false;
    }
    hotplug_note(dev, text_with_id(kv, text, id));
    return true;
}

bool device_plug(Machine *m, const char *text, Error **errp)
{
    KeyVal *kv = keyval_parse(text, "driver", errp);
    bool ok = kv && plug_parsed(m, kv, text, errp);

    keyval_free(kv);
    return ok;
}

/* ---- -global ---- */

typedef struct Global {
    const DeviceType *type;
    char *property, *value;
} Global;

void global_free(void *opaque)
{
    Global *g = opaque;

    g_free(g->property);
    g_free(g->value);
    g_free(g);
}

/* Either form of the text into {type, property, value}; NULL when it is neither. */
static GStrv split_global(const char *text)
{
    const char *equals = strchr(text, '=');
    const char *dot = equals ? g_strrstr_len(text, equals - text, ".") : NULL;
    const char *driver, *property, *value;
    GStrv parts = NULL;
    KeyVal *kv;

    if (dot) {
        parts = g_new0(char *, 4);
        parts[0] = g_strndup(text, (gsize)(dot - text));
        parts[1] = g_strndup(dot + 1, (gsize)(equals - dot - 1));
        parts[2] = g_strdup(equals + 1);
        return parts;
    }
    kv = keyval_parse(text, NULL, NULL);
    driver = kv ? keyval_get(kv, "driver") : NULL;
    property = kv ? keyval_get(kv, "property") : NULL;
    value = kv ? keyval_get(kv, "value") : NULL;
    if (driver && property && value && keyval_check_unused(kv, "-global", NULL)) {
        parts = g_new0(char *, 4);
        parts[0] = g_strdup(driver);
        parts[1] = g_strdup(property);
        parts[2] = g_strdup(value);
    }
    keyval_free(kv);
    return parts;
}

/* The table of the type's properties, or of its part's, that has the property. */
static const Property *table_with(const DeviceType *type, const char *property)
{
    const Property *own = type->properties;

    return type->part && !(own && property_find(own, property)) ? type->part->properties : own;
}

bool globals_add(Machine *m, const char *text, Error **errp)
{
    g_auto(GStrv) parts = split_global(text);
    g_autofree char *what = g_strdup_printf("-global %s", text);
    const DeviceType *type;
    Global *g;

    if (!parts) {
        error_setg(errp, "%s: expected DRIVER.PROPERTY=VALUE or driver=DRIVER,"
                   "property=NAME,value=VALUE", what);
        return false;
    }
    type = device_type_need(m->device_types, parts[0], what, errp);
    if (!type || !property_set(table_with(type, parts[1]), NULL, parts[1], parts[2], what, errp)) {
        return false;
    }
    g = g_new0(Global, 1);
    g->type = type;
    g->property = g_strdup(parts[1]);
    g->value = g_strdup(parts[2]);
    g_ptr_array_add(m->globals, g);
    return true;
}

void globals_apply(Machine *m, const DeviceType *type, const Property *table, void *config)
{
    for (unsigned i = 0; i < m->globals->len; i++) {
        const Global *g = g_ptr_array_index(m->globals, i);

        if (g->type == type && property_find(table, g->property)) {
            bool ok = property_set(table, config, g->property, g->value, "-global", NULL);

            assert(ok);
        }
    }
}

const char *globals_find(Machine *m, const DeviceType *type, const char *property)
{
    for (unsigned i = m->globals->len; i-- > 0; ) {
        const Global *g = g_ptr_array_index(m->globals, i);

        if (g->type == type && strcmp(g->property, property) == 0) {
            return g->value;
        }
    }
    return NULL;
}
