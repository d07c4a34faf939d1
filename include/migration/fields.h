/*
 * Field tables: the one description of a guest-visible state struct. Save,
 * load, digest and dump are all derived from it, and assertions make sure that every
 * byte of the struct is listed, and none twice.
 *
 *     #define PL031_FIELDS(F, S)      \
 *         F(S, U32, dr_offset)        \
 *         F(S, U32, mr)               \
 *         F(S, ARRAY_U8, fifo)        \
 *         F(S, BYTES, queue)
 *
 *     typedef struct Pl031State { ... } Pl031State;    plain, fixed width
 *     FIELD_TABLE(pl031_fields, "pl031", 1, Pl031State, PL031_FIELDS);
 *
 * State structs hold fixed-width integers, arrays of them, and, for what has no fixed
 * length, GByteArray pointers (kind BYTES; made by the owner, never NULL). No other pointers, no
 * implicit padding (add an explicit `pad` array field where one is needed).
 * bool is stored as uint8_t.
 *
 * What is saved is self-describing: each field has its name, type and count. A field that a
 * later version adds is missing in what an older one saved; with FIELD_TABLE_SINCE such
 * a state can be loaded, and the field keeps the value that it has, that of a reset.
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
    uint8_t size;      /* bytes an element: 1, 2, 4 or 8; 0: BYTES */
} Field;

typedef struct FieldTable {
    const char *name;      /* stable: it reaches disk */
    uint32_t version;
    uint32_t oldest;       /* the first version whose states can be loaded */
    uint32_t struct_size;
    const Field *fields;
    uint32_t num_fields;
} FieldTable;

/* What a BYTES field may hold when it is loaded. */
#define FIELD_BYTES_MAX (1u << 20)

#define FIELD_SIZE_U8 1
#define FIELD_SIZE_U16 2
#define FIELD_SIZE_U32 4
#define FIELD_SIZE_U64 8
#define FIELD_SIZE_ARRAY_U8 1
#define FIELD_SIZE_ARRAY_U16 2
#define FIELD_SIZE_ARRAY_U32 4
#define FIELD_SIZE_ARRAY_U64 8
#define FIELD_SIZE_BYTES 0

#define FIELD_MEMBER_SIZE(S, f) sizeof(((S *)0)->f)
#define FIELD_COUNT_SCALAR(S, f, size) 1
#define FIELD_COUNT_ARRAY(S, f, size) (FIELD_MEMBER_SIZE(S, f) / (size))
#define FIELD_COUNT_U8 FIELD_COUNT_SCALAR
#define FIELD_COUNT_U16 FIELD_COUNT_SCALAR
#define FIELD_COUNT_U32 FIELD_COUNT_SCALAR
#define FIELD_COUNT_U64 FIELD_COUNT_SCALAR
#define FIELD_COUNT_ARRAY_U8 FIELD_COUNT_ARRAY
#define FIELD_COUNT_ARRAY_U16 FIELD_COUNT_ARRAY
#define FIELD_COUNT_ARRAY_U32 FIELD_COUNT_ARRAY
#define FIELD_COUNT_ARRAY_U64 FIELD_COUNT_ARRAY
#define FIELD_COUNT_BYTES FIELD_COUNT_SCALAR

/* Whether the member is what the row says: its size, and the alignment of its elements. */
#define FIELD_FITS_SCALAR(S, f, size) \
    (FIELD_MEMBER_SIZE(S, f) == (size) && _Alignof(__typeof__(((S *)0)->f)) == (size))
#define FIELD_FITS_ARRAY(S, f, size)                       \
    (_Alignof(__typeof__(((S *)0)->f)) == (size) ||        \
     ((size) == 8 && _Alignof(__typeof__(((S *)0)->f)) > 8))
#define FIELD_FITS_BYTES(S, f, size) \
    __builtin_types_compatible_p(__typeof__(((S *)0)->f), GByteArray *)
#define FIELD_FITS_U8 FIELD_FITS_SCALAR
#define FIELD_FITS_U16 FIELD_FITS_SCALAR
#define FIELD_FITS_U32 FIELD_FITS_SCALAR
#define FIELD_FITS_U64 FIELD_FITS_SCALAR
#define FIELD_FITS_ARRAY_U8 FIELD_FITS_ARRAY
#define FIELD_FITS_ARRAY_U16 FIELD_FITS_ARRAY
#define FIELD_FITS_ARRAY_U32 FIELD_FITS_ARRAY
#define FIELD_FITS_ARRAY_U64 FIELD_FITS_ARRAY

#define FIELD_SUM(S, kind, f) +FIELD_MEMBER_SIZE(S, f)
#define FIELD_ROW(S, kind, f)                                             \
    { .name = #f, .offset = offsetof(S, f), .size = FIELD_SIZE_##kind,    \
      .count = FIELD_COUNT_##kind(S, f, FIELD_SIZE_##kind) },
/* A case label twice is an error: no member can stand in for another of its size. */
#define FIELD_ONCE(S, kind, f)                                            \
    case offsetof(S, f):;                                                 \
        _Static_assert(FIELD_FITS_##kind(S, f, FIELD_SIZE_##kind),        \
                       #S "." #f " is not of kind " #kind);               \
        break;

/* Define `const FieldTable var` from an X-macro list that covers struct S. */
#define FIELD_TABLE(var, table_name, table_version, S, LIST)              \
    FIELD_TABLE_SINCE(var, table_name, table_version, table_version, S, LIST)

/* The same; states that versions from oldest_version on have saved can be loaded. */
#define FIELD_TABLE_SINCE(var, table_name, table_version, oldest_version, S, LIST) \
    _Static_assert(sizeof(S) == 0 LIST(FIELD_SUM, S),                      \
                   "the field table of " #S " does not cover the struct"); \
    static inline void var##_check(size_t offset)                          \
    {                                                                      \
        switch (offset) {                                                  \
            LIST(FIELD_ONCE, S)                                            \
        }                                                                  \
    }                                                                      \
    static const Field var##_rows[] = { LIST(FIELD_ROW, S) };              \
    const FieldTable var = {                                               \
        .name = table_name, .version = table_version,                      \
        .oldest = oldest_version,                                          \
        .struct_size = sizeof(S), .fields = var##_rows,                    \
        .num_fields = ARRAY_SIZE(var##_rows) }

/* Append the state, self-delimiting: name, version, each field little-endian. */
void fields_save(const FieldTable *table, const void *state, GByteArray *out);

/*
 * Read what fields_save wrote. Fails, naming the table and what differs, and
 * leaves state untouched when anything does not match the table.
 */
bool fields_load(const FieldTable *table, void *state, ByteReader *in,
                 Error **errp);

/* Add each field's value to the digest, in the table's order. */
void fields_digest(const FieldTable *table, const void *state, Digest *digest);

/*
 * For tests: fill the state with pseudo-random bytes from *seed, which moves on, so that a load
 * has to restore every byte.
 */
void fields_scramble(const FieldTable *table, void *state, uint64_t *seed);

/*
 * A hash of one byte for each part of the state: a field, or, in arrays of up to 64 elements, an
 * element. Two states of one table that differ in a part nearly always differ in its hash.
 */
void fields_parts(const FieldTable *table, const void *state, GByteArray *out);
/* "name[2] = 0x..." of part n < the number of bytes that fields_parts() appends. */
void fields_part_dump(const FieldTable *table, const void *state, unsigned n, GString *out);

/* "name=0x...\n" lines, for monitors and divergence reports. */
void fields_dump(const FieldTable *table, const void *state, GString *out);

#endif
