/*
 * Byte buffers for everything that reaches disk or wire. The writer grows
 * (GByteArray underneath); the reader is bounded: after the first read past
 * the end or malformed varint, `failed` is set, and all reads return zero.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_BYTES_H
#define UTIL_BYTES_H

#include <glib.h>
#include "util/osdep.h"

/* A little-endian number of `size` bytes, 1 to 8, at any address. */
static inline uint64_t load_le(const void *p, unsigned size)
{
    const uint8_t *bytes = p;
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

static inline void store_le(void *p, uint64_t value, unsigned size)
{
    uint8_t *bytes = p;

    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}

/* The same, big-endian. */
static inline uint64_t load_be(const void *p, unsigned size)
{
    const uint8_t *bytes = p;
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static inline void store_be(void *p, uint64_t value, unsigned size)
{
    uint8_t *bytes = p;

    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
}

/* Exclusive or into `to`. They do not overlap. */
static inline void bytes_xor(uint8_t *restrict to, const uint8_t *restrict from, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        to[i] ^= from[i];
    }
}

void bytes_put_u8(GByteArray *out, uint8_t value);
void bytes_put_le16(GByteArray *out, uint16_t value);
void bytes_put_le32(GByteArray *out, uint32_t value);
void bytes_put_le64(GByteArray *out, uint64_t value);
/* LEB128: seven bits a byte, low first, at most ten bytes. */
void bytes_put_varint(GByteArray *out, uint64_t value);
/* Signed values, zigzag-coded. */
void bytes_put_svarint(GByteArray *out, int64_t value);
void bytes_put_data(GByteArray *out, const void *data, size_t length);
/* A varint length and then the bytes. */
void bytes_put_block(GByteArray *out, const void *data, size_t length);

typedef struct ByteReader {
    const uint8_t *data;
    size_t length;
    size_t pos;
    bool failed;
} ByteReader;

/* data is not copied: it must outlive the reader and what bytes_get_data() returns. */
void byte_reader_init(ByteReader *r, const void *data, size_t length);
/* Bytes not read yet. */
size_t byte_reader_left(const ByteReader *r);
/* Each undoes its bytes_put_...(). */
uint8_t bytes_get_u8(ByteReader *r);
uint16_t bytes_get_le16(ByteReader *r);
uint32_t bytes_get_le32(ByteReader *r);
uint64_t bytes_get_le64(ByteReader *r);
uint64_t bytes_get_varint(ByteReader *r);
int64_t bytes_get_svarint(ByteReader *r);
/* A pointer to `length` bytes inside the buffer, or NULL (and failed). */
const uint8_t *bytes_get_data(ByteReader *r, size_t length);
/* A length-prefixed block of at most `max` bytes; NULL on failure. */
const uint8_t *bytes_get_block(ByteReader *r, size_t max, size_t *length);

#endif
