/*
 * Values of the schema's types in C, and how they become JSON and back.
 *
 * scripts/qapigen makes a C type and a descriptor (QapiType) of each type in qapi/schema; the
 * functions here walk values by their descriptors. How a value looks in C:
 *
 *   str                  char *, UTF-8
 *   bool, number         bool, double
 *   int, intN            int64_t, whatever N is; size, uintN: uint64_t
 *   an enum              the C enum
 *   any                  json_object *, a reference
 *   struct, union,       a pointer to the C struct. A union's struct has the members of its
 *   alternate            base, and a C union `u` of its branches
 *   ['T']                a pointer to the first node {next, value}; NULL: empty
 *
 * An optional member that is not a pointer, or is a list, has a flag has_NAME; another one
 * that is not there is NULL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QAPI_TYPE_H
#define QAPI_TYPE_H

#include <glib.h>
#include <json-c/json_object.h>
#include "util/error.h"

typedef struct QapiType QapiType;

typedef enum QapiKind {
    QAPI_NULL, QAPI_BOOL, QAPI_INT, QAPI_UINT, QAPI_NUMBER, QAPI_STR, QAPI_ANY, QAPI_ENUM,
    QAPI_LIST, QAPI_OBJECT, QAPI_ALTERNATE,
} QapiKind;

typedef struct QapiMember {
    const char *name;
    const QapiType *type;
    size_t offset;
    int has;                          /* offset of has_NAME; -1: none */
    bool optional;
} QapiMember;

typedef struct QapiBranch {
    int value;                        /* the tag's */
    const QapiType *type;
} QapiBranch;

struct QapiType {
    const char *name;
    QapiKind kind;
    unsigned bits;                    /* QAPI_INT, QAPI_UINT: of the values allowed */
    const char *const *values;        /* QAPI_ENUM: ends with NULL */
    const QapiType *element;          /* QAPI_LIST */
    size_t size;                      /* QAPI_OBJECT, QAPI_ALTERNATE: of the C struct */
    const QapiMember *members;        /* QAPI_OBJECT */
    unsigned num_members;
    const QapiBranch *branches;       /* a union's or alternate's */
    unsigned num_branches;
    unsigned tag;                     /* which member is a union's tag */
    size_t tag_offset;                /* an alternate's: of `branch` */
    size_t branch_offset;             /* of the C union u */
};

extern const QapiType qapi_type_null, qapi_type_bool, qapi_type_str, qapi_type_any,
    qapi_type_number, qapi_type_int, qapi_type_int8, qapi_type_int16, qapi_type_int32,
    qapi_type_int64, qapi_type_size, qapi_type_uint8, qapi_type_uint16, qapi_type_uint32,
    qapi_type_uint64;

/*
 * Make a C value of JSON; slot points to where it goes (a char *, an int64_t, ...), which is
 * zero before and after a failure. json NULL is JSON's null. The value is the caller's, to be
 * freed with qapi_free(). Anything that the type does not have is an error whose message
 * names the place ("Parameter 'a.b[2]' is unexpected").
 */
bool qapi_from_json(const QapiType *type, json_object *json, void *slot, Error **errp);
/* The other way round; the caller gets the reference. */
json_object *qapi_to_json(const QapiType *type, const void *slot);
/* Free what hangs on the slot, and zero it. */
void qapi_free(const QapiType *type, void *slot);

/* The number of an enum's value; -1: it has none of that name. */
int qapi_enum_find(const QapiType *type, const char *name);

/*
 * Append a value to a list: `tail` is the place of the last NULL link, as in
 *     QapiFooList *list = NULL, **tail = &list;
 *     QAPI_APPEND(tail, foo);
 */
#define QAPI_APPEND(tail, v) do {                      \
        *(tail) = g_malloc0(sizeof(**(tail)));         \
        (*(tail))->value = (v);                        \
        (tail) = &(*(tail))->next;                     \
    } while (0)

#endif
