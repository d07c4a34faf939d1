/*
 * Property tables: what a user can choose about a device or a board. One row says a
 * property's name, type, default and purpose, and where in a config struct its value is
 * stored. -device, -global, -machine, their help and the monitors read the same rows, so a
 * property is declared once.
 *
 * A config struct is filled before the machine runs and does not change then: it is no
 * guest-visible state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_PROPERTY_H
#define HW_CORE_PROPERTY_H

#include <glib.h>
#include "util/keyval.h"

typedef enum PropertyType {
    PROPERTY_BOOL,      /* bool: on or off, in any spelling that options take */
    PROPERTY_UINT,      /* uint8_t to uint64_t: decimal, or hexadecimal after 0x */
    PROPERTY_SIZE,      /* uint64_t: bytes, with an optional suffix K, M, G, T */
    PROPERTY_STRING,    /* char *, owned by the struct: properties_clear() */
    PROPERTY_ENUM,      /* unsigned: the index into `values` */
} PropertyType;

typedef struct Property {
    const char *name;
    PropertyType type;
    const char *initial;            /* as a user would write it; NULL: zero, or no string */
    size_t offset;                  /* of the value in the config struct */
    uint8_t size;                   /* of the value; 0: it is checked and not stored */
    uint64_t min, max;              /* of PROPERTY_UINT and PROPERTY_SIZE */
    const char *const *values;      /* of PROPERTY_ENUM, NULL-terminated */
    /*
     * Why a value that others know is refused here. With `values`, those that are not among
     * them (a bool's spelling does not matter); without, all values.
     */
    const char *refused;
    const char *doc;                /* half a line, for help */
} Property;

/* A row whose value is `member` of the struct S; a member of another type does not compile. */
#define PROPERTY_MEMBER(S, member, T)                                          \
    .offset = offsetof(S, member) + 0 * _Generic(((S *)0)->member, T: 1),      \
    .size = sizeof(((S *)0)->member)
#define PROP_BOOL(label, S, member, initial_, doc_)                            \
    { .name = label, .type = PROPERTY_BOOL, .initial = initial_, .doc = doc_,  \
      PROPERTY_MEMBER(S, member, bool) }
#define PROP_UINT(label, S, member, initial_, min_, max_, doc_)                \
    { .name = label, .type = PROPERTY_UINT, .initial = initial_, .doc = doc_,  \
      .min = min_, .max = max_, .size = sizeof(((S *)0)->member),              \
      .offset = offsetof(S, member) + 0 * _Generic(((S *)0)->member,           \
          uint8_t: 1, uint16_t: 1, uint32_t: 1, uint64_t: 1) }
#define PROP_SIZE(label, S, member, initial_, min_, max_, doc_)                \
    { .name = label, .type = PROPERTY_SIZE, .initial = initial_, .doc = doc_,  \
      .min = min_, .max = max_, PROPERTY_MEMBER(S, member, uint64_t) }
#define PROP_STRING(label, S, member, initial_, doc_)                          \
    { .name = label, .type = PROPERTY_STRING, .initial = initial_, .doc = doc_, \
      PROPERTY_MEMBER(S, member, char *) }
#define PROP_ENUM(label, S, member, initial_, doc_, ...)                       \
    { .name = label, .type = PROPERTY_ENUM, .initial = initial_, .doc = doc_,  \
      .values = (const char *const[]){ __VA_ARGS__, NULL },                    \
      PROPERTY_MEMBER(S, member, unsigned) }

/* Known elsewhere, and here only as the values given; the others are refused with the reason. */
#define PROP_FIXED(label, type_, refused_, doc_, ...)                          \
    { .name = label, .type = type_, .refused = refused_, .doc = doc_,          \
      .values = (const char *const[]){ __VA_ARGS__, NULL } }
/* Known elsewhere, and refused here. */
#define PROP_REFUSED(label, refused_)                                          \
    { .name = label, .type = PROPERTY_STRING, .refused = refused_ }

/* All tables end with this row. */
#define PROP_END { .name = NULL }

const Property *property_find(const Property *table, const char *name);

/* Every property to its initial value. The struct is zero, or was cleared. */
void properties_init(const Property *table, void *config);
/* Free the strings. */
void properties_clear(const Property *table, void *config);

/*
 * Set one property from text. `what` opens the message of a failure ("-device pl011"): an
 * unknown name, a value that does not parse or is out of range, one that is refused.
 * config NULL: check only.
 */
bool property_set(const Property *table, void *config, const char *name, const char *value,
                  const char *what, Error **errp);

/*
 * Set all properties that kv has, each key once and the last value of it. Keys that are no
 * properties stay unused: keyval_check_unused() tells of them.
 */
bool properties_take(const Property *table, void *config, KeyVal *kv, const char *what,
                     Error **errp);

/* The value that nobody has to set, as a user would write it; NULL: no string. */
const char *property_default(const Property *p);
/* The value as a user would write it; NULL for a string that is not set. To be freed. */
char *property_format(const Property *p, const void *config);

/* What a value looks like ("bool", "0..255", "on|off"), for help and introspection. To be freed. */
char *property_type_text(const Property *p);
/* One line a property that is not refused, in the table's order, each behind two blanks. */
void properties_help(const Property *table, GString *out);

#endif
