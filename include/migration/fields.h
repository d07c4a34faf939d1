/*
 * Field tables: the one description of a guest-visible state struct. Save,
 * load, digest and dump are all derived from it, and a static assertion makes
 * sure that no byte of the struct is left out.
 *
 *     #define PL031_FIELDS(F, S)      \
 *         F(S, U32, dr_offset)        \
 *         F(S, U32, mr)               \
 *         F(S, ARRAY_U8, fifo)
 *
 *     typedef struct Pl031State { ... } Pl031State;    plain, fixed width
 *     FIELD_TABLE(pl031_fields, "pl031", 1, Pl031State, PL031_FIELDS);
 *
 * State structs hold fixed-width integers and arrays of them, no pointers, no
 * implicit padding (add an explicit `pad` array field where one is needed).
 * bool is stored as uint8_t.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_FIELDS_H
#define MIGRATION_FIELDS_H

#include <glib.h>
#include "util/bytes.h"
#include "util/digest.h"
#include "util/error.h"

typedef struct Field {
    const char *name;
    uint32_t offset;
    uint32_t count;    /* elements */
    uint8_t size;      /* bytes an element: 1, 2, 4 or 8 */
} Field;

typedef struct FieldTable {
    const char *name;      /* stable: it reaches disk */
    uint32_t version;
    uint32_t struct_size;
    const Field *fields;
    uint32_t num_fields;
} FieldTable;

#define FIELD_SIZE_U8 1
#define FIELD_SIZE_U16 2
#define FIELD_SIZE_U32 4
#define FIELD_SIZE_U64 8
#define FIELD_SIZE_ARRAY_U8 1
#define FIELD_SIZE_ARRAY_U16 2
#define FIELD_SIZE_ARRAY_U32 4
#define FIELD_SIZE_ARRAY_U64 8

#define FIELD_MEMBER_SIZE(S, f) sizeof(((S *)0)->f)
#define FIELD_SUM(S, kind, f) +FIELD_MEMBER_SIZE(S, f)
#define FIELD_ROW(S, kind, f)                                             \
    { .name = #f, .offset = offsetof(S, f), .size = FIELD_SIZE_##kind,    \
      .count = FIELD_MEMBER_SIZE(S, f) / FIELD_SIZE_##kind },

/* Define `const FieldTable var` from an X-macro list that covers struct S. */
#define FIELD_TABLE(var, table_name, table_version, S, LIST)               \
    _Static_assert(sizeof(S) == 0 LIST(FIELD_SUM, S),                      \
                   "the field table of " #S " does not cover the struct"); \
    static const Field var##_rows[] = { LIST(FIELD_ROW, S) };              \
    const FieldTable var = {                                               \
        .name = table_name, .version = table_version,                      \
        .struct_size = sizeof(S), .fields = var##_rows,                    \
        .num_fields = ARRAY_SIZE(var##_rows) }

/* Append the state, self-delimiting: name, version, each field little-endian. */
void fields_save(const FieldTable *table, const void *state, GByteArray *out);

/*
 * Read what fields_save wrote. Fails, naming the table and what differs, and
 * leaves state untouched when name, version or length do not match.
 */
bool fields_load(const FieldTable *table, void *state, ByteReader *in,
                 Error **errp);

/* Add each field's value to the digest, in the table's order. */
void fields_digest(const FieldTable *table, const void *state, Digest *digest);

/* "name=0x...\n" lines, for monitors and divergence reports. */
void fields_dump(const FieldTable *table, const void *state, GString *out);

#endif
