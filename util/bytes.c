/*
 * Byte buffers: growing writer, bounded reader.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/bytes.h"

#define VARINT_MAX_BYTES 10

void bytes_put_u8(GByteArray *out, uint8_t value)
{
    g_byte_array_append(out, &value, 1);
}

void bytes_put_le16(GByteArray *out, uint16_t value)
{
    uint16_t le = GUINT16_TO_LE(value);

    g_byte_array_append(out, (const uint8_t *)&le, sizeof(le));
}

void bytes_put_le32(GByteArray *out, uint32_t value)
{
    uint32_t le = GUINT32_TO_LE(value);

    g_byte_array_append(out, (const uint8_t *)&le, sizeof(le));
}

void bytes_put_le64(GByteArray *out, uint64_t value)
{
    uint64_t le = GUINT64_TO_LE(value);

    g_byte_array_append(out, (const uint8_t *)&le, sizeof(le));
}

void bytes_put_varint(GByteArray *out, uint64_t value)
{
    uint8_t buf[VARINT_MAX_BYTES];
    unsigned n = 0;

    while (value >= 0x80) {
        buf[n++] = (uint8_t)value | 0x80;
        value >>= 7;
    }
    buf[n++] = (uint8_t)value;
    g_byte_array_append(out, buf, n);
}

void bytes_put_svarint(GByteArray *out, int64_t value)
{
    bytes_put_varint(out, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

void bytes_put_data(GByteArray *out, const void *data, size_t length)
{
    assert(length <= G_MAXUINT - out->len);
    if (length) {
        g_byte_array_append(out, data, (guint)length);
    }
}

void bytes_put_block(GByteArray *out, const void *data, size_t length)
{
    bytes_put_varint(out, length);
    bytes_put_data(out, data, length);
}

void byte_reader_init(ByteReader *r, const void *data, size_t length)
{
    *r = (ByteReader) { .data = data, .length = length };
}

size_t byte_reader_left(const ByteReader *r)
{
    return r->failed ? 0 : r->length - r->pos;
}

const uint8_t *bytes_get_data(ByteReader *r, size_t length)
{
    const uint8_t *p;

    if (r->failed || length > r->length - r->pos) {
        r->failed = true;
        return NULL;
    }
    p = r->data + r->pos;
    r->pos += length;
    return p;
}

uint8_t bytes_get_u8(ByteReader *r)
{
    const uint8_t *p = bytes_get_data(r, 1);

    return p ? *p : 0;
}

/* A little-endian number of `size` bytes. */
static uint64_t get_le(ByteReader *r, unsigned size)
{
    const uint8_t *p = bytes_get_data(r, size);

    return p ? load_le(p, size) : 0;
}

uint16_t bytes_get_le16(ByteReader *r)
{
    return (uint16_t)get_le(r, 2);
}

uint32_t bytes_get_le32(ByteReader *r)
{
    return (uint32_t)get_le(r, 4);
}

uint64_t bytes_get_le64(ByteReader *r)
{
    return get_le(r, 8);
}

uint64_t bytes_get_varint(ByteReader *r)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < VARINT_MAX_BYTES; i++) {
        uint8_t byte = bytes_get_u8(r);

        if (r->failed) {
            return 0;
        }
        /* The tenth byte holds bit 63 alone. */
        if (i == VARINT_MAX_BYTES - 1 && byte > 1) {
            break;
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            return value;
        }
    }
    r->failed = true;
    return 0;
}

int64_t bytes_get_svarint(ByteReader *r)
{
    uint64_t coded = bytes_get_varint(r);

    return (int64_t)((coded >> 1) ^ -(coded & 1));
}

const uint8_t *bytes_get_block(ByteReader *r, size_t max, size_t *length)
{
    uint64_t n = bytes_get_varint(r);
    const uint8_t *p;

    *length = 0;
    if (r->failed || n > max) {
        r->failed = true;
        return NULL;
    }
    p = bytes_get_data(r, (size_t)n);
    if (p) {
        *length = (size_t)n;
    }
    return p;
}
