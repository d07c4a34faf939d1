/*
 * From JSON to C and back, by descriptors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/linkhash.h>
#include "qapi/type.h"

const QapiType qapi_type_null = { .name = "null", .kind = QAPI_NULL };
const QapiType qapi_type_bool = { .name = "bool", .kind = QAPI_BOOL };
const QapiType qapi_type_str = { .name = "str", .kind = QAPI_STR };
const QapiType qapi_type_any = { .name = "any", .kind = QAPI_ANY };
const QapiType qapi_type_number = { .name = "number", .kind = QAPI_NUMBER };
const QapiType qapi_type_int = { .name = "int", .kind = QAPI_INT, .bits = 64 };
const QapiType qapi_type_int8 = { .name = "int8", .kind = QAPI_INT, .bits = 8 };
const QapiType qapi_type_int16 = { .name = "int16", .kind = QAPI_INT, .bits = 16 };
const QapiType qapi_type_int32 = { .name = "int32", .kind = QAPI_INT, .bits = 32 };
const QapiType qapi_type_int64 = { .name = "int64", .kind = QAPI_INT, .bits = 64 };
const QapiType qapi_type_size = { .name = "size", .kind = QAPI_UINT, .bits = 64 };
const QapiType qapi_type_uint8 = { .name = "uint8", .kind = QAPI_UINT, .bits = 8 };
const QapiType qapi_type_uint16 = { .name = "uint16", .kind = QAPI_UINT, .bits = 16 };
const QapiType qapi_type_uint32 = { .name = "uint32", .kind = QAPI_UINT, .bits = 32 };
const QapiType qapi_type_uint64 = { .name = "uint64", .kind = QAPI_UINT, .bits = 64 };

/* A node of any list. The value's type differs, its place does not: no type of the table
 * needs more than eight bytes. */
typedef struct ListNode {
    struct ListNode *next;
    uint64_t value;
} ListNode;

/* Where in the JSON a value stands. */
typedef struct Place {
    const struct Place *outer;
    const char *name;      /* NULL: element `index` of an array */
    unsigned index;
} Place;

static bool read_value(const Place *place, const QapiType *type, json_object *json, void *slot,
                       Error **errp);

/* ---- errors ---- */

static void place_text(const Place *place, GString *out)
{
    if (place->outer) {
        place_text(place->outer, out);
    }
    if (!place->name) {
        g_string_append_printf(out, "[%u]", place->index);
    } else {
        g_string_append_printf(out, "%s%s", out->len ? "." : "", place->name);
    }
}

static char *place_name(const Place *place)
{
    GString *out = g_string_new("");

    if (place) {
        place_text(place, out);
    } else {
        g_string_append(out, "value");   /* the whole has no name */
    }
    return g_string_free(out, FALSE);
}

static bool fail_type(const Place *place, const char *expected, Error **errp)
{
    g_autofree char *name = place_name(place);

    error_setg(errp, "Invalid parameter type for '%s', expected: %s", name, expected);
    return false;
}

static bool fail(const Place *place, const char *what, Error **errp)
{
    g_autofree char *name = place_name(place);

    error_setg(errp, "Parameter '%s' %s", name, what);
    return false;
}

/* ---- scalars ---- */

/* False: the integer is not in the range of the type's bits. */
static bool in_range(const QapiType *type, json_object *json)
{
    int64_t value = json_object_get_int64(json);
    int64_t top = type->bits < 64 ? (1ll << (type->bits - 1)) - 1 : INT64_MAX;

    if (type->kind == QAPI_UINT) {
        uint64_t max = type->bits < 64 ? (1ull << type->bits) - 1 : UINT64_MAX;

        /* json-c clamps: a negative value reads as 0. */
        return value >= 0 && json_object_get_uint64(json) <= max;
    }
    return json_object_get_uint64(json) <= INT64_MAX && value <= top && value >= -top - 1;
}

static bool read_int(const Place *place, const QapiType *type, json_object *json, void *slot,
                     Error **errp)
{
    if (!json_object_is_type(json, json_type_int)) {
        return fail_type(place, "integer", errp);
    }
    if (!in_range(type, json)) {
        g_autofree char *what = g_strdup_printf("is not in the range of %s", type->name);

        return fail(place, what, errp);
    }
    if (type->kind == QAPI_INT) {
        *(int64_t *)slot = json_object_get_int64(json);
    } else {
        *(uint64_t *)slot = json_object_get_uint64(json);
    }
    return true;
}

static bool read_str(const Place *place, json_object *json, char **slot, Error **errp)
{
    const char *text;

    if (!json_object_is_type(json, json_type_string)) {
        return fail_type(place, "string", errp);
    }
    text = json_object_get_string(json);
    if (strlen(text) != (size_t)json_object_get_string_len(json)) {
        return fail(place, "must not contain \\u0000", errp);
    }
    *slot = g_strdup(text);
    return true;
}

int qapi_enum_find(const QapiType *type, const char *name)
{
    for (int i = 0; type->values[i]; i++) {
        if (!strcmp(type->values[i], name)) {
            return i;
        }
    }
    return -1;
}

static bool read_enum(const Place *place, const QapiType *type, json_object *json, int *slot,
                      Error **errp)
{
    g_autofree char *what = NULL;
    g_autofree char *name = NULL;
    int value;

    if (!read_str(place, json, &name, errp)) {
        return false;
    }
    value = qapi_enum_find(type, name);
    if (value < 0) {
        what = g_strdup_printf("does not accept value '%s'", name);
        return fail(place, what, errp);
    }
    *slot = value;
    return true;
}

/* ---- lists and objects ---- */

static bool read_list(const Place *place, const QapiType *type, json_object *json,
                      ListNode **slot, Error **errp)
{
    ListNode **tail = slot;

    if (!json_object_is_type(json, json_type_array)) {
        return fail_type(place, "array", errp);
    }
    for (unsigned i = 0; i < json_object_array_length(json); i++) {
        const Place here = { place, NULL, i };

        *tail = g_new0(ListNode, 1);
        if (!read_value(&here, type->element, json_object_array_get_idx(json, i),
                        &(*tail)->value, errp)) {
            return false;
        }
        tail = &(*tail)->next;
    }
    return true;
}

/* The struct of the branch that the tag chooses, or NULL. */
static const QapiType *chosen(const QapiType *type, const uint8_t *object)
{
    int tag;

    if (!type->num_branches) {
        return NULL;
    }
    memcpy(&tag, object + type->members[type->tag].offset, sizeof(tag));
    for (unsigned i = 0; i < type->num_branches; i++) {
        if (type->branches[i].value == tag) {
            return type->branches[i].type;
        }
    }
    return NULL;
}

static bool has_member(const QapiType *type, const char *name)
{
    for (unsigned i = 0; type && i < type->num_members; i++) {
        if (!strcmp(type->members[i].name, name)) {
            return true;
        }
    }
    return false;
}

static bool read_members(const Place *place, const QapiType *type, json_object *json,
                         uint8_t *object, Error **errp)
{
    for (unsigned i = 0; i < type->num_members; i++) {
        const QapiMember *m = &type->members[i];
        const Place here = { place, m->name, 0 };
        json_object *value;

        if (!json_object_object_get_ex(json, m->name, &value)) {
            if (m->optional) {
                continue;
            }
            return fail(&here, "is missing", errp);
        }
        if (!read_value(&here, m->type, value, object + m->offset, errp)) {
            return false;
        }
        if (m->has >= 0) {
            *(bool *)(object + m->has) = true;
        }
    }
    return true;
}

static bool read_object(const Place *place, const QapiType *type, json_object *json,
                        uint8_t **slot, Error **errp)
{
    const QapiType *branch;

    if (!json_object_is_type(json, json_type_object)) {
        return fail_type(place, "object", errp);
    }
    *slot = g_malloc0(type->size);
    if (!read_members(place, type, json, *slot, errp)) {
        return false;
    }
    branch = chosen(type, *slot);
    if (branch && !read_members(place, branch, json, *slot + type->branch_offset, errp)) {
        return false;
    }
    json_object_object_foreach(json, name, value) {
        (void)value;
        if (!has_member(type, name) && !has_member(branch, name)) {
            const Place here = { place, name, 0 };

            return fail(&here, "is unexpected", errp);
        }
    }
    return true;
}

static bool matches(const QapiType *type, json_type json)
{
    switch (type->kind) {
    case QAPI_NULL: return json == json_type_null;
    case QAPI_BOOL: return json == json_type_boolean;
    case QAPI_INT:
    case QAPI_UINT: return json == json_type_int;
    case QAPI_NUMBER: return json == json_type_int || json == json_type_double;
    case QAPI_STR:
    case QAPI_ENUM: return json == json_type_string;
    case QAPI_LIST: return json == json_type_array;
    case QAPI_OBJECT: return json == json_type_object;
    default: return false;
    }
}

static bool read_alternate(const Place *place, const QapiType *type, json_object *json,
                           uint8_t **slot, Error **errp)
{
    for (unsigned i = 0; i < type->num_branches; i++) {
        if (matches(type->branches[i].type, json_object_get_type(json))) {
            *slot = g_malloc0(type->size);
            memcpy(*slot + type->tag_offset, &i, sizeof(i));
            return read_value(place, type->branches[i].type, json, *slot + type->branch_offset,
                              errp);
        }
    }
    return fail_type(place, type->name, errp);
}

static bool read_value(const Place *place, const QapiType *type, json_object *json, void *slot,
                       Error **errp)
{
    switch (type->kind) {
    case QAPI_NULL:
        return json_object_is_type(json, json_type_null) || fail_type(place, "null", errp);
    case QAPI_BOOL:
        if (!json_object_is_type(json, json_type_boolean)) {
            return fail_type(place, "boolean", errp);
        }
        *(bool *)slot = json_object_get_boolean(json);
        return true;
    case QAPI_NUMBER:
        if (!matches(type, json_object_get_type(json))) {
            return fail_type(place, "number", errp);
        }
        *(double *)slot = json_object_get_double(json);
        return true;
    case QAPI_ANY:
        *(json_object **)slot = json_object_get(json);
        return true;
    case QAPI_INT:
    case QAPI_UINT:
        return read_int(place, type, json, slot, errp);
    case QAPI_STR:
        return read_str(place, json, slot, errp);
    case QAPI_ENUM:
        return read_enum(place, type, json, slot, errp);
    case QAPI_LIST:
        return read_list(place, type, json, slot, errp);
    case QAPI_OBJECT:
        return read_object(place, type, json, slot, errp);
    case QAPI_ALTERNATE:
        return read_alternate(place, type, json, slot, errp);
    }
    return false;
}

bool qapi_from_json(const QapiType *type, json_object *json, void *slot, Error **errp)
{
    if (!read_value(NULL, type, json, slot, errp)) {
        qapi_free(type, slot);
        return false;
    }
    return true;
}

/* ---- C to JSON ---- */

static bool is_present(const QapiMember *m, const uint8_t *object)
{
    void *pointer;

    if (!m->optional) {
        return true;
    }
    if (m->has >= 0) {
        return *(const bool *)(object + m->has);
    }
    memcpy(&pointer, object + m->offset, sizeof(pointer));
    return pointer != NULL;
}

static void write_members(const QapiType *type, const uint8_t *object, json_object *out)
{
    for (unsigned i = 0; i < type->num_members; i++) {
        const QapiMember *m = &type->members[i];

        if (is_present(m, object)) {
            json_object_object_add(out, m->name, qapi_to_json(m->type, object + m->offset));
        }
    }
}

static json_object *write_object(const QapiType *type, const uint8_t *object)
{
    const QapiType *branch = chosen(type, object);
    json_object *out = json_object_new_object();

    write_members(type, object, out);
    if (branch) {
        write_members(branch, object + type->branch_offset, out);
    }
    return out;
}

static json_object *write_list(const QapiType *type, const ListNode *node)
{
    json_object *out = json_object_new_array();

    for (; node; node = node->next) {
        json_object_array_add(out, qapi_to_json(type->element, &node->value));
    }
    return out;
}

static const QapiBranch *alternate_branch(const QapiType *type, const uint8_t *object)
{
    unsigned branch;

    memcpy(&branch, object + type->tag_offset, sizeof(branch));
    assert(branch < type->num_branches);
    return &type->branches[branch];
}

json_object *qapi_to_json(const QapiType *type, const void *slot)
{
    const uint8_t *object;
    const char *text;

    switch (type->kind) {
    case QAPI_NULL:
        return NULL;
    case QAPI_BOOL:
        return json_object_new_boolean(*(const bool *)slot);
    case QAPI_INT:
        return json_object_new_int64(*(const int64_t *)slot);
    case QAPI_UINT:
        return json_object_new_uint64(*(const uint64_t *)slot);
    case QAPI_NUMBER:
        return json_object_new_double(*(const double *)slot);
    case QAPI_STR:
        text = *(char *const *)slot;
        return json_object_new_string(text ? text : "");
    case QAPI_ANY:
        return json_object_get(*(json_object *const *)slot);
    case QAPI_ENUM:
        return json_object_new_string(type->values[*(const int *)slot]);
    case QAPI_LIST:
        return write_list(type, *(ListNode *const *)slot);
    case QAPI_OBJECT:
        return write_object(type, *(uint8_t *const *)slot);
    case QAPI_ALTERNATE:
        object = *(uint8_t *const *)slot;
        return qapi_to_json(alternate_branch(type, object)->type, object + type->branch_offset);
    }
    return NULL;
}

/* ---- free ---- */

static void free_members(const QapiType *type, uint8_t *object)
{
    for (unsigned i = 0; i < type->num_members; i++) {
        qapi_free(type->members[i].type, object + type->members[i].offset);
    }
}

static void free_object(const QapiType *type, uint8_t *object)
{
    if (type->kind == QAPI_ALTERNATE) {
        qapi_free(alternate_branch(type, object)->type, object + type->branch_offset);
    } else {
        const QapiType *branch = chosen(type, object);

        if (branch) {
            free_members(branch, object + type->branch_offset);
        }
        free_members(type, object);
    }
    g_free(object);
}

void qapi_free(const QapiType *type, void *slot)
{
    void **pointer = slot;

    switch (type->kind) {
    case QAPI_STR:
        g_free(*pointer);
        break;
    case QAPI_ANY:
        json_object_put(*pointer);
        break;
    case QAPI_LIST:
        for (ListNode *node = *pointer, *next; node; node = next) {
            next = node->next;
            qapi_free(type->element, &node->value);
            g_free(node);
        }
        break;
    case QAPI_OBJECT:
    case QAPI_ALTERNATE:
        if (*pointer) {
            free_object(type, *pointer);
        }
        break;
    default:
        return;
    }
    *pointer = NULL;
}
