/*
 * Field tables: save, load, digest and dump.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/fields.h"

static uint64_t element_get(const Field *f, const void *state, uint32_t i)
{
    const uint8_t *p = (const uint8_t *)state + f->offset + (size_t)i * f->size;

    switch (f->size) {
    case 1: return *p;
    case 2: return *(const uint16_t *)p;
    case 4: return *(const uint32_t *)p;
    case 8: return *(const uint64_t *)p;
    default: g_assert_not_reached();
    }
}

static void element_set(const Field *f, void *state, uint32_t i, ByteReader *in)
{
    uint8_t *p = (uint8_t *)state + f->offset + (size_t)i * f->size;

    switch (f->size) {
    case 1: *p = bytes_get_u8(in); break;
    case 2: *(uint16_t *)p = bytes_get_le16(in); break;
    case 4: *(uint32_t *)p = bytes_get_le32(in); break;
    case 8: *(uint64_t *)p = bytes_get_le64(in); break;
    default: g_assert_not_reached();
    }
}

/* All fields in table order, little-endian. */
static void put_fields(const FieldTable *table, const void *state, GByteArray *out)
{
    for (uint32_t n = 0; n < table->num_fields; n++) {
        const Field *f = &table->fields[n];

        if (G_BYTE_ORDER == G_LITTLE_ENDIAN || f->size == 1) {
            bytes_put_data(out, (const uint8_t *)state + f->offset, (size_t)f->size * f->count);
            continue;
        }
        for (uint32_t i = 0; i < f->count; i++) {
            uint64_t le = GUINT64_TO_LE(element_get(f, state, i));

            bytes_put_data(out, &le, f->size);
        }
    }
}

void fields_save(const FieldTable *table, const void *state, GByteArray *out)
{
    bytes_put_block(out, table->name, strlen(table->name));
    bytes_put_varint(out, table->version);
    /* The struct has no padding, so its size is the fields' size. */
    bytes_put_varint(out, table->struct_size);
    put_fields(table, state, out);
}

/* Compare the head with the table; the reader is then at the first field. */
static bool check_head(const FieldTable *table, ByteReader *in, Error **errp)
{
    size_t name_length;
    const uint8_t *name = bytes_get_block(in, 256, &name_length);
    uint64_t version = bytes_get_varint(in);
    uint64_t size = bytes_get_varint(in);

    if (in->failed) {
        error_setg(errp, "state of %s: the data is cut short or damaged", table->name);
        return false;
    }
    if (name_length != strlen(table->name) || memcmp(name, table->name, name_length) != 0) {
        char *shown = g_strndup((const char *)name, name_length);
        char *safe = g_strescape(shown, NULL);

        error_setg(errp, "state of %s: found the state of '%s'", table->name, safe);
        g_free(safe);
        g_free(shown);
        return false;
    }
    if (version != table->version) {
        error_setg(errp, "state of %s: version %" PRIu64 ", expected %" PRIu32, table->name,
                   version, table->version);
        return false;
    }
    if (size != table->struct_size) {
        error_setg(errp, "state of %s: %" PRIu64 " bytes, expected %" PRIu32, table->name,
                   size, table->struct_size);
        return false;
    }
    if (byte_reader_left(in) < size) {
        error_setg(errp, "state of %s: %zu bytes left of %" PRIu64, table->name,
                   byte_reader_left(in), size);
        return false;
    }
    return true;
}

bool fields_load(const FieldTable *table, void *state, ByteReader *in, Error **errp)
{
    if (!check_head(table, in, errp)) {
        in->failed = true;
        return false;
    }
    for (uint32_t n = 0; n < table->num_fields; n++) {
        const Field *f = &table->fields[n];

        for (uint32_t i = 0; i < f->count; i++) {
            element_set(f, state, i, in);
        }
    }
    return true;
}

void fields_digest(const FieldTable *table, const void *state, Digest *digest)
{
    GByteArray *bytes = g_byte_array_sized_new(table->struct_size);

    put_fields(table, state, bytes);
    digest_update(digest, table->name, strlen(table->name));
    digest_update(digest, bytes->data, bytes->len);
    g_byte_array_free(bytes, TRUE);
}

void fields_dump(const FieldTable *table, const void *state, GString *out)
{
    for (uint32_t n = 0; n < table->num_fields; n++) {
        const Field *f = &table->fields[n];

        g_string_append_printf(out, "%s=", f->name);
        for (uint32_t i = 0; i < f->count; i++) {
            g_string_append_printf(out, "%s0x%" PRIx64, i ? " " : "",
                                   element_get(f, state, i));
        }
        g_string_append_c(out, '\n');
    }
}
