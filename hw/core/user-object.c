/*
 * Objects that users make by themselves.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/user-object.h"

const UserObjectType *user_object_type_find(const char *name)
{
    for (const UserObjectType *const *t = user_object_types; *t; t++) {
        if (!strcmp((*t)->name, name)) {
            return *t;
        }
    }
    return NULL;
}

UserObject *user_object_find(Machine *m, const char *id)
{
    for (unsigned i = 0; i < m->objects->len; i++) {
        UserObject *o = g_ptr_array_index(m->objects, i);

        if (!strcmp(o->id, id)) {
            return o;
        }
    }
    return NULL;
}

void user_object_free(void *object)
{
    UserObject *o = object;

    properties_clear(o->type->properties, user_object_config(o));
    g_free(o->id);
    g_free(o);
}

static const UserObjectType *find_type(const char *name, Error **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const UserObjectType *type = user_object_type_find(name);
    const char *near;

    if (type) {
        return type;
    }
    for (const UserObjectType *const *t = user_object_types; *t; t++) {
        g_ptr_array_add(names, (char *)(*t)->name);
    }
    g_ptr_array_add(names, NULL);
    near = suggest_nearest(name, (const char *const *)names->pdata);
    if (near) {
        error_setg(errp, "there is no object type '%s'; did you mean '%s'?", name, near);
    } else {
        g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);

        error_setg(errp, "there is no object type '%s'; known are %s", name, all);
    }
    return NULL;
}

static bool fill(UserObject *o, KeyVal *kv, Error **errp)
{
    g_autofree char *what = g_strdup_printf("object '%s'", o->type->name);

    properties_init(o->type->properties, user_object_config(o));
    return properties_take(o->type->properties, user_object_config(o), kv, what, errp) &&
           keyval_check_unused(kv, what, errp) &&
           (!o->type->complete || o->type->complete(o, errp));
}

static UserObject *add(Machine *m, KeyVal *kv, Error **errp)
{
    const char *name = keyval_get(kv, "qom-type"), *id = keyval_get(kv, "id");
    const UserObjectType *type;
    UserObject *o;

    if (!name || !id || !*id) {
        error_setg(errp, "Parameter '%s' is missing", name ? "id" : "qom-type");
        return NULL;
    }
    type = find_type(name, errp);
    if (!type) {
        return NULL;
    }
    if (user_object_find(m, id)) {
        error_setg(errp, "attempt to add duplicate property '%s' to object (type 'container')", id);
        return NULL;
    }
    o = g_malloc0(type->size);
    o->type = type;
    o->id = g_strdup(id);
    if (!fill(o, kv, errp)) {
        user_object_free(o);
        return NULL;
    }
    g_ptr_array_add(m->objects, o);
    return o;
}

UserObject *user_object_add(Machine *m, const char *text, Error **errp)
{
    KeyVal *kv = keyval_parse(text, "qom-type", errp);
    UserObject *o = kv ? add(m, kv, errp) : NULL;

    keyval_free(kv);
    return o;
}

bool user_object_del(Machine *m, const char *id, Error **errp)
{
    UserObject *o = user_object_find(m, id);

    if (!o) {
        error_setg(errp, "object '%s' not found", id);
        return false;
    }
    if (o->users) {
        error_setg(errp, "object '%s' is in use, can not be deleted", id);
        return false;
    }
    g_ptr_array_remove(m->objects, o);
    return true;
}
