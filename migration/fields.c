/*
 * Field tables: save, load, digest and dump.
 *
 * A saved state: name and version of the table, the number of fields, and each field as
 * name, size of an element (0: BYTES), number of elements, and the elements, little-endian.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/fields.h"

#define NAME_MAX_LENGTH 256

static const void *member(const Field *f, const void *state)
{
    return (const uint8_t *)state + f->offset;
}

static GByteArray *bytes_member(const Field *f, const void *state)
{
    return *(GByteArray *const *)member(f, state);
}

/* The number of elements now. */
static uint32_t field_count(const Field *f, const void *state)
{
    return f->size ? f->count : bytes_member(f, state)->len;
}

static uint64_t element_get(const Field *f, const void *state, uint32_t i)
{
    const uint8_t *p = (const uint8_t *)member(f, state) + (size_t)i * f->size;

    switch (f->size) {
    case 0: return bytes_member(f, state)->data[i];
    case 1: return *p;
    case 2: return *(const uint16_t *)p;
    case 4: return *(const uint32_t *)p;
    case 8: return *(const uint64_t *)p;
    default: g_assert_not_reached();
    }
}

static void put_field(const Field *f, const void *state, GByteArray *out)
{
    uint32_t count = field_count(f, state);

    if (f->size == 0) {
        bytes_put_data(out, bytes_member(f, state)->data, count);
    } else if (G_BYTE_ORDER == G_LITTLE_ENDIAN || f->size == 1) {
        bytes_put_data(out, member(f, state), (size_t)f->size * count);
    } else {
        for (uint32_t i = 0; i < count; i++) {
            uint64_t le = GUINT64_TO_LE(element_get(f, state, i));

            bytes_put_data(out, &le, f->size);
        }
    }
}

void fields_save(const FieldTable *table, const void *state, GByteArray *out)
{
    bytes_put_block(out, table->name, strlen(table->name));
    bytes_put_varint(out, table->version);
    bytes_put_varint(out, table->num_fields);
    for (uint32_t n = 0; n < table->num_fields; n++) {
        const Field *f = &table->fields[n];

        bytes_put_block(out, f->name, strlen(f->name));
        bytes_put_u8(out, f->size);
        bytes_put_varint(out, field_count(f, state));
        put_field(f, state, out);
    }
}

/* ---- load ---- */

static bool is_name(const uint8_t *name, size_t length, const char *expected)
{
    return length == strlen(expected) && memcmp(name, expected, length) == 0;
}

/* For messages: a name that was read. Free with g_free. */
static char *shown(const uint8_t *name, size_t length)
{
    g_autofree char *text = g_strndup((const char *)name, length);

    return g_strescape(text, NULL);
}

static bool cut_short(const FieldTable *table, Error **errp)
{
    error_setg(errp, "state of %s: the data is cut short or damaged", table->name);
    return false;
}

/* Compare the head with the table; the reader is then at the first field. */
static bool check_head(const FieldTable *table, ByteReader *in, uint64_t *version,
                       uint64_t *num_fields, Error **errp)
{
    size_t length;
    const uint8_t *name = bytes_get_block(in, NAME_MAX_LENGTH, &length);

    *version = bytes_get_varint(in);
    *num_fields = bytes_get_varint(in);
    if (in->failed) {
        return cut_short(table, errp);
    }
    if (!is_name(name, length, table->name)) {
        g_autofree char *found = shown(name, length);

        error_setg(errp, "state of %s: found the state of '%s'", table->name, found);
        return false;
    }
    if (*version < table->oldest || *version > table->version) {
        error_setg(errp, "state of %s: version %" PRIu64 ", this program loads %" PRIu32 " to %"
                   PRIu32, table->name, *version, table->oldest, table->version);
        return false;
    }
    return true;
}

/* A field as it was read: where its elements are. */
typedef struct Found {
    const uint8_t *data;
    uint32_t count;
} Found;

static bool read_field(const FieldTable *table, ByteReader *in, Found *found, Error **errp)
{
    size_t length;
    const uint8_t *name = bytes_get_block(in, NAME_MAX_LENGTH, &length);
    uint8_t size = bytes_get_u8(in);
    uint64_t count = bytes_get_varint(in);
    g_autofree char *label = in->failed ? NULL : shown(name, length);
    uint32_t n = 0;

    if (in->failed) {
        return cut_short(table, errp);
    }
    while (n < table->num_fields && !is_name(name, length, table->fields[n].name)) {
        n++;
    }
    if (n == table->num_fields || found[n].data) {
        error_setg(errp, "state of %s: field '%s' is %s", table->name, label,
                   n == table->num_fields ? "not known" : "there twice");
        return false;
    }
    if (size != table->fields[n].size ||
        (size ? count != table->fields[n].count : count > FIELD_BYTES_MAX)) {
        error_setg(errp, "state of %s: field '%s' has %" PRIu64 " elements of %u bytes, expected %"
                   PRIu32 " of %u", table->name, label, count, size ? size : 1,
                   size ? table->fields[n].count : FIELD_BYTES_MAX,
                   table->fields[n].size ? table->fields[n].size : 1);
        return false;
    }
    found[n].count = (uint32_t)count;
    found[n].data = bytes_get_data(in, (size_t)count * (size ? size : 1));
    return found[n].data || cut_short(table, errp);
}

static void set_field(const Field *f, void *state, const Found *found)
{
    uint8_t *p = (uint8_t *)state + f->offset;

    if (f->size == 0) {
        g_byte_array_set_size(bytes_member(f, state), 0);
        bytes_put_data(bytes_member(f, state), found->data, found->count);
        return;
    }
    for (uint32_t i = 0; i < found->count; i++) {
        uint64_t value = load_le(found->data + (size_t)i * f->size, f->size);

        switch (f->size) {
        case 1: p[i] = (uint8_t)value; break;
        case 2: ((uint16_t *)p)[i] = (uint16_t)value; break;
        case 4: ((uint32_t *)p)[i] = (uint32_t)value; break;
        default: ((uint64_t *)p)[i] = value; break;
        }
    }
}

/* All fields, before any is set. */
static bool read_fields(const FieldTable *table, ByteReader *in, Found *found, Error **errp)
{
    uint64_t version, num_fields;

    if (!check_head(table, in, &version, &num_fields, errp)) {
        return false;
    }
    for (uint64_t n = 0; n < num_fields; n++) {
        if (!read_field(table, in, found, errp)) {
            return false;
        }
    }
    for (uint32_t n = 0; n < table->num_fields && version == table->version; n++) {
        if (!found[n].data) {
            error_setg(errp, "state of %s: field '%s' is missing", table->name,
                       table->fields[n].name);
            return false;
        }
    }
    return true;
}

bool fields_load(const FieldTable *table, void *state, ByteReader *in, Error **errp)
{
    g_autofree Found *found = g_new0(Found, table->num_fields);

    if (!read_fields(table, in, found, errp)) {
        in->failed = true;
        return false;
    }
    for (uint32_t n = 0; n < table->num_fields; n++) {
        if (found[n].data) {
            set_field(&table->fields[n], state, &found[n]);
        }
    }
    return true;
}

/* ---- scramble ---- */

/* A xorshift generator (Marsaglia 2003). */
static uint8_t random_byte(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint8_t)(*seed >> 32);
}

void fields_scramble(const FieldTable *table, void *state, uint64_t *seed)
{
    assert(*seed);
    for (uint32_t n = 0; n < table->num_fields; n++) {
        const Field *f = &table->fields[n];
        uint8_t *p = (uint8_t *)state + f->offset;
        uint32_t length = f->size * f->count;

        if (f->size == 0) {
            length = random_byte(seed);
            g_byte_array_set_size(bytes_member(f, state), length);
            p = bytes_member(f, state)->data;
        }
        for (uint32_t i = 0; i < length; i++) {
            p[i] = random_byte(seed);
        }
    }
}

/* ---- digest and dump ---- */

void fields_digest(const FieldTable *table, const void *state, Digest *digest)
{
    GByteArray *bytes = g_byte_array_sized_new(table->struct_size);

    for (uint32_t n = 0; n < table->num_fields; n++) {
        if (table->fields[n].size == 0) {
            bytes_put_varint(bytes, field_count(&table->fields[n], state));
        }
        put_field(&table->fields[n], state, bytes);
    }
    digest_update(digest, table->name, strlen(table->name));
    digest_update(digest, bytes->data, bytes->len);
    g_byte_array_free(bytes, TRUE);
}

void fields_dump(const FieldTable *table, const void *state, GString *out)
{
    for (uint32_t n = 0; n < table->num_fields; n++) {
        const Field *f = &table->fields[n];

        g_string_append_printf(out, "%s=", f->name);
        for (uint32_t i = 0; i < field_count(f, state); i++) {
            g_string_append_printf(out, "%s0x%" PRIx64, i ? " " : "",
                                   element_get(f, state, i));
        }
        g_string_append_c(out, '\n');
    }
}

/* ---- parts ---- */

/* Longer arrays are one part. */
#define MAX_ELEMENT_PARTS 64

static uint32_t field_parts(const Field *f)
{
    return f->size && f->count <= MAX_ELEMENT_PARTS ? f->count : 1;
}

void fields_parts(const FieldTable *table, const void *state, GByteArray *out)
{
    GByteArray *bytes = g_byte_array_new();

    for (uint32_t n = 0; n < table->num_fields; n++) {
        uint32_t parts = field_parts(&table->fields[n]);
        size_t length;

        g_byte_array_set_size(bytes, 0);
        put_field(&table->fields[n], state, bytes);
        length = bytes->len / parts;
        for (uint32_t i = 0; i < parts; i++) {
            bytes_put_u8(out, (uint8_t)digest_block(bytes->data + i * length, length));
        }
    }
    g_byte_array_unref(bytes);
}

void fields_part_dump(const FieldTable *table, const void *state, unsigned n, GString *out)
{
    const Field *f = table->fields;

    while (n >= field_parts(f)) {
        n -= field_parts(f);
        f++;
        assert(f < table->fields + table->num_fields);
    }
    g_string_append(out, f->name);
    if (field_parts(f) < field_count(f, state)) {
        g_string_append_printf(out, " (%" PRIu32 " elements)", field_count(f, state));
        return;
    }
    if (f->count > 1) {
        g_string_append_printf(out, "[%u]", n);
    }
    if (field_count(f, state)) {
        g_string_append_printf(out, " = 0x%" PRIx64, element_get(f, state, n));
    }
}
