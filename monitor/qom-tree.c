/*
 * The tree of objects.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/qom-tree.h"

static Machine *machine_of(MonitorEnv *env)
{
    return exec_loop_machine(env->loop);
}

/* ---- children ---- */

static bool root_children(MonitorEnv *env, QomChildFn *fn, void *opaque)
{
    return fn(opaque, "machine", &(QomNode){ .kind = QOM_MACHINE }) &&
           fn(opaque, "objects", &(QomNode){ .kind = QOM_OBJECTS }) &&
           fn(opaque, "chardevs", &(QomNode){ .kind = QOM_CHARDEVS });
}

static bool machine_children(MonitorEnv *env, QomChildFn *fn, void *opaque)
{
    return fn(opaque, "unattached", &(QomNode){ .kind = QOM_UNATTACHED }) &&
           fn(opaque, "peripheral", &(QomNode){ .kind = QOM_PERIPHERAL });
}

/* Whose part the device is: it made the bus that the part is on. NULL: a device of its own. */
static const Device *owner_of(const Device *dev)
{
    const Device *parent = dev->bus ? dev->bus->parent : NULL;

    return parent && parent->part == dev ? parent : NULL;
}

/* Devices on a bus are the user's, others the board's; parts are their owners' children. */
static bool device_children(MonitorEnv *env, bool plugged, QomChildFn *fn, void *opaque)
{
    const GPtrArray *devices = machine_of(env)->devices;

    for (unsigned i = 0; i < devices->len; i++) {
        Device *dev = g_ptr_array_index(devices, i);

        if ((dev->bus != NULL) == plugged && !owner_of(dev) &&
            !fn(opaque, dev->id, &(QomNode){ .kind = QOM_DEVICE, .device = dev })) {
            return false;
        }
    }
    return true;
}

typedef struct RunCall {
    MonitorRunFn *fn;
    void *opaque;
    Error **errp;
    bool ok;
} RunCall;

static void run(void *opaque)
{
    RunCall *c = opaque;

    c->ok = c->fn(c->opaque, c->errp);
}

bool monitor_on_machine(MonitorEnv *env, MonitorRunFn *fn, void *opaque, Error **errp)
{
    RunCall c = { fn, opaque, errp, false };

    machine_run_sync(env->loop, run, &c);
    return c.ok;
}

static bool cpu_children(MonitorEnv *env, QomChildFn *fn, void *opaque)
{
    const Machine *m = machine_of(env);

    for (unsigned i = 0; i < m->num_cpus; i++) {
        g_autofree char *name = g_strdup_printf("device[%u]", i);

        if (!fn(opaque, name, &(QomNode){ .kind = QOM_CPU, .cpu = m->cpus[i] })) {
            return false;
        }
    }
    return true;
}

static bool bus_children(MonitorEnv *env, const Device *dev, QomChildFn *fn, void *opaque)
{
    const GPtrArray *buses = machine_of(env)->buses;

    for (unsigned i = 0; i < buses->len; i++) {
        Bus *bus = g_ptr_array_index(buses, i);

        if (bus->parent == dev &&
            !fn(opaque, bus->name, &(QomNode){ .kind = QOM_BUS, .bus = bus })) {
            return false;
        }
    }
    return true;
}

static char *part_name(const Device *owner)
{
    return g_strdup_printf("%s-backend", owner->type->part_name);
}

static bool part_children(const Device *dev, QomChildFn *fn, void *opaque)
{
    g_autofree char *name = NULL;

    if (!dev->part || owner_of(dev->part) != dev) {
        return true;
    }
    name = part_name(dev);
    return fn(opaque, name, &(QomNode){ .kind = QOM_DEVICE, .device = dev->part });
}

static bool object_children(MonitorEnv *env, QomChildFn *fn, void *opaque)
{
    const GPtrArray *objects = machine_of(env)->objects;

    for (unsigned i = 0; i < objects->len; i++) {
        UserObject *o = g_ptr_array_index(objects, i);

        if (!fn(opaque, o->id, &(QomNode){ .kind = QOM_OBJECT, .object = o })) {
            return false;
        }
    }
    return true;
}

typedef struct ChardevWalk {
    QomChildFn *fn;
    void *opaque;
    bool ended;
} ChardevWalk;

static void walk_chardev(Chardev *c, void *opaque)
{
    ChardevWalk *w = opaque;

    w->ended = w->ended || !w->fn(w->opaque, chardev_id(c),
                                  &(QomNode){ .kind = QOM_CHARDEV, .chardev = c });
}

static bool chardev_children(MonitorEnv *env, QomChildFn *fn, void *opaque)
{
    ChardevWalk w = { fn, opaque, false };

    chardev_foreach(env->chardevs, walk_chardev, &w);
    return !w.ended;
}

bool qom_foreach_child(MonitorEnv *env, const QomNode *node, QomChildFn *fn, void *opaque)
{
    switch (node->kind) {
    case QOM_ROOT:
        return root_children(env, fn, opaque);
    case QOM_MACHINE:
        return machine_children(env, fn, opaque);
    case QOM_UNATTACHED:
        return cpu_children(env, fn, opaque) && device_children(env, false, fn, opaque);
    case QOM_PERIPHERAL:
        return device_children(env, true, fn, opaque);
    case QOM_DEVICE:
        return part_children(node->device, fn, opaque) && bus_children(env, node->device, fn, opaque);
    case QOM_OBJECTS:
        return object_children(env, fn, opaque);
    case QOM_CHARDEVS:
        return chardev_children(env, fn, opaque);
    default:
        return true;
    }
}

/* ---- paths ---- */

typedef struct Search {
    MonitorEnv *env;
    const char *name;              /* of the child that is looked for */
    const char *const *parts;      /* of a partial path */
    QomNode found;
    unsigned number;
} Search;

static bool match_child(void *opaque, const char *name, const QomNode *child)
{
    Search *s = opaque;

    if (strcmp(name, s->name) != 0) {
        return true;
    }
    s->found = *child;
    s->number++;
    return false;
}

/* Down from node by the names; true when they are all there. */
static bool descend(MonitorEnv *env, QomNode *node, const char *const *parts)
{
    for (; *parts; parts++) {
        Search s = { .env = env, .name = *parts };

        if (**parts && qom_foreach_child(env, node, match_child, &s)) {
            return false;
        }
        *node = **parts ? s.found : *node;
    }
    return true;
}

/* At each place of the tree. */
static bool search_partial(void *opaque, const char *name, const QomNode *child)
{
    Search *s = opaque;
    QomNode node = *child;

    if (!strcmp(name, s->parts[0]) && descend(s->env, &node, s->parts + 1)) {
        s->found = node;
        s->number++;
    }
    return qom_foreach_child(s->env, child, search_partial, s);
}

bool qom_find(MonitorEnv *env, const char *path, QomNode *out, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Search s = { .env = env, .parts = (const char *const *)parts, .found = { .kind = QOM_ROOT } };

    if (*path == '/') {
        s.number = descend(env, &s.found, s.parts);
    } else if (*path) {
        qom_foreach_child(env, &(QomNode){ .kind = QOM_ROOT }, search_partial, &s);
    }
    if (s.number > 1) {
        error_setg(errp, "Path '%s' does not uniquely identify an object", path);
    } else if (!s.number) {
        error_setg(errp, "Device '%s' not found", path);
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND);
    }
    *out = s.found;
    return s.number == 1;
}

char *qom_device_path(const Device *dev)
{
    const Device *owner = owner_of(dev);

    if (owner) {
        g_autofree char *above = qom_device_path(owner), *name = part_name(owner);

        return g_strdup_printf("%s/%s", above, name);
    }
    return g_strdup_printf("/machine/%s/%s", dev->bus ? "peripheral" : "unattached", dev->id);
}

/* ---- types and properties ---- */

char *qom_type_name(MonitorEnv *env, const QomNode *node)
{
    switch (node->kind) {
    case QOM_MACHINE:
        return g_strdup_printf("%s-machine", env->board ? env->board->name : "none");
    case QOM_CPU:
        return g_strdup(node->cpu->type ? node->cpu->type->name : "cpu");
    case QOM_DEVICE:
        return g_strdup(node->device->type->name);
    case QOM_BUS:
        return g_strdup(node->bus->kind);
    case QOM_OBJECT:
        return g_strdup(node->object->type->name);
    case QOM_CHARDEV:
        return g_strdup_printf("chardev-%s", chardev_kind_of(node->chardev));
    default:
        return g_strdup("container");
    }
}

const Property *qom_properties(MonitorEnv *env, const QomNode *node, unsigned table)
{
    static const Property none[] = { PROP_END };
    const Property *p = NULL;

    if (node->kind == QOM_MACHINE && env->board && table < 2) {
        p = table ? board_common_properties : env->board->properties;
        return p ? p : none;
    }
    if (table) {
        return NULL;
    }
    switch (node->kind) {
    case QOM_CPU:
        return node->cpu->type ? node->cpu->type->properties : NULL;
    case QOM_DEVICE:
        return node->device->type->properties;
    case QOM_OBJECT:
        return node->object->type->properties;
    default:
        return NULL;
    }
}

static char *machine_property(MonitorEnv *env, unsigned table, const Property *p)
{
    const BoardConfig *c = env->board_config;
    const char *text = c->machine_options ? keyval_get(c->machine_options, p->name) : NULL;

    /* Those of all boards that are options of their own, too, are in the config. */
    if (table && p->size) {
        text = *(const char *const *)((const char *)c + p->offset);
    }
    return g_strdup(text ? text : property_default(p));
}

char *qom_property_text(MonitorEnv *env, const QomNode *node, unsigned table, const Property *p)
{
    switch (node->kind) {
    case QOM_MACHINE:
        return machine_property(env, table, p);
    case QOM_CPU:
        return property_format(p, (const char *)node->cpu + node->cpu->type->config_offset);
    case QOM_DEVICE:
        return property_format(p, device_config(node->device));
    case QOM_OBJECT:
        return property_format(p, user_object_config(node->object));
    default:
        g_assert_not_reached();
    }
}
