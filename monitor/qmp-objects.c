/*
 * Commands of QMP about the tree of objects, and objects that users make.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/properties.h"
#include "monitor/qmp.h"
#include "monitor/qom-tree.h"
#include "replay/replay.h"

/* ---- lists ---- */

static QapiObjectPropertyInfo *plain_info(const char *name, char *type)
{
    QapiObjectPropertyInfo *info = g_new0(QapiObjectPropertyInfo, 1);

    info->name = g_strdup(name);
    info->type = type;
    return info;
}

static QapiObjectPropertyInfoList **append_table(QapiObjectPropertyInfoList **tail,
                                                 const Property *table)
{
    for (const Property *p = table; p && p->name; p++) {
        if (qmp_property_shown(p)) {
            QAPI_APPEND(tail, qmp_property_info(p));
        }
    }
    return tail;
}

static bool is_device(const QomNode *node)
{
    return node->kind == QOM_CPU || node->kind == QOM_DEVICE;
}

typedef struct ListWalk {
    MonitorEnv *env;
    QapiObjectPropertyInfoList **tail;
    const char *path;
} ListWalk;

static bool list_child(void *opaque, const char *name, const QomNode *child)
{
    ListWalk *w = opaque;
    g_autofree char *type = qom_type_name(w->env, child);

    QAPI_APPEND(w->tail, plain_info(name, g_strdup_printf("child<%s>", type)));
    return true;
}

/* A device and the bus that it is on lead to each other. */
static void list_links(const QomNode *node, ListWalk *w)
{
    if (node->kind == QOM_DEVICE && node->device->bus) {
        QAPI_APPEND(w->tail, plain_info("parent_bus",
                                        g_strdup_printf("link<%s>", node->device->bus->kind)));
    }
    for (unsigned i = 0; node->kind == QOM_BUS && i < node->bus->children->len; i++) {
        const Device *dev = g_ptr_array_index(node->bus->children, i);
        g_autofree char *name = g_strdup_printf("child[%u]", i);

        QAPI_APPEND(w->tail, plain_info(name, g_strdup_printf("link<%s>", dev->type->name)));
    }
}

static bool list_run(void *opaque, Error **errp)
{
    ListWalk *w = opaque;
    const Property *table;
    QomNode node;

    if (!qom_find(w->env, w->path, &node, errp)) {
        return false;
    }
    QAPI_APPEND(w->tail, plain_info("type", g_strdup("str")));
    if (is_device(&node)) {
        QAPI_APPEND(w->tail, plain_info("realized", g_strdup("bool")));
    }
    for (unsigned n = 0; (table = qom_properties(w->env, &node, n)); n++) {
        w->tail = append_table(w->tail, table);
    }
    list_links(&node, w);
    qom_foreach_child(w->env, &node, list_child, w);
    return true;
}

bool qmp_qom_list(QmpContext *ctx, const QapiQomListArgs *args, QapiObjectPropertyInfoList **ret,
                  Error **errp)
{
    return monitor_on_machine(ctx->env, list_run, &(ListWalk){ ctx->env, ret, args->path }, errp);
}

static const BoardType *find_machine(MonitorEnv *env, const char *typename)
{
    for (const BoardType *const *b = env->boards; *b; b++) {
        g_autofree char *name = g_strdup_printf("%s-machine", (*b)->name);
        g_autofree char *alias = g_strdup_printf("%s-machine", (*b)->alias ? (*b)->alias : "");

        if (!strcmp(typename, name) || !strcmp(typename, alias)) {
            return *b;
        }
    }
    return NULL;
}

bool qmp_qom_list_properties(QmpContext *ctx, const QapiQomListPropertiesArgs *args,
                             QapiObjectPropertyInfoList **ret, Error **errp)
{
    const Machine *m = exec_loop_machine(ctx->env->loop);
    const DeviceType *device = device_type_find(m->device_types, args->typename);
    const UserObjectType *object = user_object_type_find(args->typename);
    const BoardType *board = find_machine(ctx->env, args->typename);

    if (!device && !object && !board) {
        error_setg(errp, "Class '%s' not found", args->typename);
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND);
        return false;
    }
    QAPI_APPEND(ret, plain_info("type", g_strdup("str")));
    if (device) {
        QAPI_APPEND(ret, plain_info("realized", g_strdup("bool")));
    }
    ret = append_table(ret, device ? device->properties :
                            object ? object->properties : board->properties);
    if (board) {
        append_table(ret, board_common_properties);
    } else if (device && device->part) {
        append_table(ret, device->part->properties);
    }
    return true;
}

/* ---- values ---- */

/* A property of a place: in one of its tables, or a child or link, or what each place has. */
typedef struct Found {
    MonitorEnv *env;
    const char *name;
    json_object *value;      /* NULL is a value, too */
    bool found;
} Found;

static bool child_value(void *opaque, const char *name, const QomNode *child)
{
    Found *f = opaque;

    f->found = !strcmp(name, f->name);
    return !f->found;
}

static void find_child(const QomNode *node, const char *path, Found *f)
{
    g_autofree char *full = NULL;

    qom_foreach_child(f->env, node, child_value, f);
    if (f->found) {
        full = g_strdup_printf("%s/%s", strcmp(path, "/") ? path : "", f->name);
        f->value = json_object_new_string(full);
    }
}

static void find_link(const QomNode *node, Found *f)
{
    g_autofree char *path = NULL, *parent = NULL;
    unsigned index;
    int end = 0;

    if (node->kind == QOM_DEVICE && node->device->bus && !strcmp(f->name, "parent_bus")) {
        parent = qom_device_path(node->device->bus->parent);
        path = g_strdup_printf("%s/%s", parent, node->device->bus->name);
    } else if (node->kind == QOM_BUS && sscanf(f->name, "child[%u]%n", &index, &end) == 1 &&
               end && !f->name[end] && index < node->bus->children->len) {
        path = qom_device_path(g_ptr_array_index(node->bus->children, index));
    }
    f->found = path != NULL;
    f->value = path ? json_object_new_string(path) : NULL;
}

static void find_in_tables(const QomNode *node, Found *f)
{
    const Property *table;

    for (unsigned n = 0; (table = qom_properties(f->env, node, n)); n++) {
        const Property *p = property_find(table, f->name);
        g_autofree char *text = NULL;

        if (p && qmp_property_shown(p)) {
            text = qom_property_text(f->env, node, n, p);
            f->value = text ? qmp_property_json(p, text) : json_object_new_string("");
            f->found = true;
            return;
        }
    }
}

static void find_value(const QomNode *node, const char *path, Found *f)
{
    g_autofree char *type = NULL;

    if (!strcmp(f->name, "type")) {
        type = qom_type_name(f->env, node);
        f->value = json_object_new_string(type);
        f->found = true;
    } else if (is_device(node) && !strcmp(f->name, "realized")) {
        f->value = json_object_new_boolean(true);
        f->found = true;
    } else if (node->kind == QOM_DEVICE && monitor_balloon_get(f->env, node->device, f->name, &f->value)) {
        f->found = true;
    } else {
        find_in_tables(node, f);
    }
    if (!f->found) {
        find_link(node, f);
    }
    if (!f->found) {
        find_child(node, path, f);
    }
}

typedef struct PropertyCall {
    MonitorEnv *env;
    const char *path, *property;
    json_object *change;      /* what it is to become */
    json_object *value;
} PropertyCall;

static bool get(PropertyCall *c, QomNode *node, Error **errp)
{
    Found f = { .env = c->env, .name = c->property };
    g_autofree char *type = NULL;

    if (!qom_find(c->env, c->path, node, errp)) {
        return false;
    }
    find_value(node, c->path, &f);
    if (!f.found) {
        type = qom_type_name(c->env, node);
        error_setg(errp, "Property '%s.%s' not found", type, c->property);
    }
    c->value = f.value;
    return f.found;
}

static bool get_run(void *opaque, Error **errp)
{
    QomNode node;

    return get(opaque, &node, errp);
}

bool qmp_qom_get(QmpContext *ctx, const QapiQomGetArgs *args, json_object **ret, Error **errp)
{
    PropertyCall c = { .env = ctx->env, .path = args->path, .property = args->property };
    bool ok = monitor_on_machine(ctx->env, get_run, &c, errp);

    *ret = c.value;
    return ok;
}

static bool set_run(void *opaque, Error **errp)
{
    PropertyCall *c = opaque;
    g_autofree char *type = NULL;
    QomNode node;

    if (!get(c, &node, errp)) {
        return false;
    }
    json_object_put(c->value);
    if (node.kind == QOM_DEVICE && monitor_balloon_is_settable(node.device, c->property)) {
        return monitor_balloon_set(node.device, c->change, errp);
    }
    type = qom_type_name(c->env, &node);
    if (node.kind == QOM_DEVICE && strcmp(c->property, "type") != 0) {
        error_setg(errp, "Attempt to set property '%s' on device '%s' (type '%s') after it was "
                   "realized", c->property, node.device->id, type);
    } else {
        error_setg(errp, "Property '%s.%s' is not writable", type, c->property);
    }
    return false;
}

bool qmp_qom_set(QmpContext *ctx, const QapiQomSetArgs *args, Error **errp)
{
    PropertyCall c = {
        .env = ctx->env, .path = args->path, .property = args->property, .change = args->value,
    };

    return monitor_on_machine(ctx->env, set_run, &c, errp);
}

/* ---- objects that users make ---- */

typedef struct ModeCall {
    Replay *replay;
    bool plain;              /* nothing is recorded or replayed */
} ModeCall;

static void mode_run(void *opaque)
{
    ModeCall *c = opaque;

    c->plain = !strcmp(replay_mode_name(c->replay), "none");
}

bool monitor_object_add(MonitorEnv *env, const char *options, Error **errp)
{
    Machine *m = exec_loop_machine(env->loop);
    ModeCall c = { .replay = m->replay };
    UserObject *o = user_object_add(m, options, errp);

    if (!o) {
        return false;
    }
    if (o->type->with_machine) {
        error_setg(errp, "object '%s' of type %s is made with the machine: -object", o->id, o->type->name);
        user_object_del(m, o->id, NULL);
        return false;
    }
    machine_run_sync(env->loop, mode_run, &c);
    if (o->type->unrecordable && !c.plain) {
        error_setg(errp, "object '%s' of type %s is not possible while a run is recorded or "
                   "replayed: %s; rng-builtin is", o->id, o->type->name, o->type->unrecordable);
        user_object_del(m, o->id, NULL);
        return false;
    }
    return true;
}

static void add_memory_options(GString *out, const QapiMemoryBackendProperties *p, const char *path)
{
    g_autofree char *size = g_strdup_printf("%" PRIu64, p->size);

    qmp_add_option(out, "size", size);
    if (p->has_share) {
        qmp_add_option(out, "share", p->share ? "on" : "off");
    }
    if (p->has_prealloc) {
        qmp_add_option(out, "prealloc", p->prealloc ? "on" : "off");
    }
    qmp_add_option(out, "mem-path", path);
}

static void add_secret_options(GString *out, const QapiSecretProperties *s)
{
    qmp_add_option(out, "data", s->data);
    qmp_add_option(out, "file", s->file);
    if (s->has_format) {
        qmp_add_option(out, "format", qapi_type_QCryptoSecretFormat.values[s->format]);
    }
}

static void add_branch_options(GString *out, const QapiObjectOptions *args)
{
    const QapiMemoryBackendFileProperties *file = &args->u.memory_backend_file;

    switch (args->qom_type) {
    case QAPI_OBJECT_TYPE_MEMORY_BACKEND_FILE:
        add_memory_options(out, &(QapiMemoryBackendProperties){
            file->size, file->has_share, file->share, file->has_prealloc, file->prealloc },
            file->mem_path);
        break;
    case QAPI_OBJECT_TYPE_MEMORY_BACKEND_MEMFD:
    case QAPI_OBJECT_TYPE_MEMORY_BACKEND_RAM:
        add_memory_options(out, &args->u.memory_backend_ram, NULL);
        break;
    case QAPI_OBJECT_TYPE_RNG_RANDOM:
        qmp_add_option(out, "filename", args->u.rng_random.filename);
        break;
    case QAPI_OBJECT_TYPE_SECRET:
        add_secret_options(out, &args->u.secret);
        break;
    default:
        break;
    }
}

bool qmp_object_add(QmpContext *ctx, const QapiObjectOptions *args, Error **errp)
{
    g_autoptr(GString) text = g_string_new(qapi_type_ObjectType.values[args->qom_type]);

    if (!*args->id) {
        error_setg(errp, "Parameter 'id' expects an identifier");
        return false;
    }
    qmp_add_option(text, "id", args->id);
    add_branch_options(text, args);
    return monitor_object_add(ctx->env, text->str, errp);
}

bool qmp_object_del(QmpContext *ctx, const QapiObjectDelArgs *args, Error **errp)
{
    return user_object_del(exec_loop_machine(ctx->env->loop), args->id, errp);
}
