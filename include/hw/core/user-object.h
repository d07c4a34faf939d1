/*
 * Objects that users make by themselves, apart from devices: -object, object-add. A type is a
 * name, a property table and what to check when the object is made; none of it is guest state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_USER_OBJECT_H
#define HW_CORE_USER_OBJECT_H

#include "hw/core/machine.h"

typedef struct UserObject UserObject;

typedef struct UserObjectType {
    const char *name;
    const char *doc;                /* half a line, for help */
    const Property *properties;     /* NULL: none */
    size_t size;                    /* of the struct, UserObject first, config included */
    size_t config_offset;
    /* Why nothing that it gives can be in a recording; NULL: it may be there while one is made. */
    const char *unrecordable;
    bool with_machine;              /* it is made with the machine (-object), not later */
    bool (*complete)(UserObject *o, Error **errp);   /* once the properties are set; may be NULL */
} UserObjectType;

struct UserObject {
    const UserObjectType *type;
    char *id;
    unsigned users;                 /* who refers to it: it cannot be deleted */
};

/* All types there are, NULL-terminated. */
extern const UserObjectType *const user_object_types[];

const UserObjectType *user_object_type_find(const char *name);
/* "TYPE,id=ID,PROPERTY=VALUE,...". NULL on failure; the machine's to free. */
UserObject *user_object_add(Machine *m, const char *text, Error **errp);
UserObject *user_object_find(Machine *m, const char *id);
bool user_object_del(Machine *m, const char *id, Error **errp);
void user_object_free(void *object);

static inline void *user_object_config(UserObject *o)
{
    return (char *)o + o->type->config_offset;
}

#endif
