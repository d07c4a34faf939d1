/*
 * Writing AML.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/aml.h"
#include "util/bytes.h"

enum {
    AML_ZERO = 0x00, AML_ONE = 0x01, AML_NAME = 0x08, AML_BYTE = 0x0a, AML_WORD = 0x0b, AML_DWORD = 0x0c,
    AML_STRING = 0x0d, AML_QWORD = 0x0e, AML_SCOPE = 0x10, AML_BUFFER = 0x11, AML_PACKAGE = 0x12, AML_METHOD = 0x14,
    AML_DUAL_NAME = 0x2e, AML_MULTI_NAME = 0x2f, AML_EXTENDED = 0x5b, AML_IF = 0xa0, AML_ELSE = 0xa1,

    AML_EXT_REGION = 0x80, AML_EXT_FIELD = 0x81, AML_EXT_DEVICE = 0x82,
    AML_SYSTEM_MEMORY = 0,
    /* DWordAcc, NoLock, WriteAsZeros */
    AML_FIELD_FLAGS = 0x03 | 2 << 5,
    AML_METHOD_SERIALIZED = 1 << 3,
};

#define NAME_SEGMENT 4

static void put(GByteArray *bytes, uint64_t value, unsigned size)
{
    uint8_t raw[8];

    store_le(raw, value, size);
    g_byte_array_append(bytes, raw, size);
}

static void put8(Aml *a, unsigned value)
{
    put(a->bytes, value, 1);
}

void aml_op(Aml *a, enum AmlOp op)
{
    put8(a, op);
}

/* ---- names ---- */

static void put_segment(Aml *a, const char *segment)
{
    size_t length = strlen(segment);

    assert(length >= 1 && length <= NAME_SEGMENT);
    g_byte_array_append(a->bytes, (const uint8_t *)"____", NAME_SEGMENT);
    memcpy(a->bytes->data + a->bytes->len - NAME_SEGMENT, segment, length);
}

void aml_ref(Aml *a, const char *name)
{
    g_auto(GStrv) segments = NULL;
    unsigned n;

    while (*name == '\\' || *name == '^') {
        put8(a, (unsigned char)*name++);
    }
    segments = g_strsplit(name, ".", -1);
    n = g_strv_length(segments);
    assert(n >= 1 && n < 256);
    if (n == 2) {
        put8(a, AML_DUAL_NAME);
    } else if (n > 2) {
        put8(a, AML_MULTI_NAME);
        put8(a, n);
    }
    for (unsigned i = 0; i < n; i++) {
        put_segment(a, segments[i]);
    }
}

/* ---- data ---- */

void aml_int(Aml *a, uint64_t value)
{
    if (value <= 1) {
        put8(a, value ? AML_ONE : AML_ZERO);
    } else if (value <= UINT8_MAX) {
        put8(a, AML_BYTE);
        put(a->bytes, value, 1);
    } else if (value <= UINT16_MAX) {
        put8(a, AML_WORD);
        put(a->bytes, value, 2);
    } else if (value <= UINT32_MAX) {
        put8(a, AML_DWORD);
        put(a->bytes, value, 4);
    } else {
        put8(a, AML_QWORD);
        put(a->bytes, value, 8);
    }
}

void aml_string(Aml *a, const char *text)
{
    put8(a, AML_STRING);
    g_byte_array_append(a->bytes, (const uint8_t *)text, (guint)strlen(text) + 1);
}

void aml_unicode(Aml *a, const char *text)
{
    unsigned n = (unsigned)strlen(text) + 1;
    g_autofree uint8_t *wide = g_malloc0(2 * n);

    for (unsigned i = 0; i < n; i++) {
        wide[2 * i] = (uint8_t)text[i];
    }
    aml_buffer(a, wide, 2 * n);
}

/* 6.1.5: three letters of five bits, and four hexadecimal digits, with the bytes turned around. */
void aml_eisa_id(Aml *a, const char *id)
{
    uint32_t value = 0;

    assert(strlen(id) == 7);
    for (unsigned i = 0; i < 3; i++) {
        value = value << 5 | ((uint32_t)(id[i] - '@') & 0x1f);
    }
    value = value << 16 | (uint32_t)g_ascii_strtoull(id + 3, NULL, 16);
    put8(a, AML_DWORD);
    put(a->bytes, GUINT32_SWAP_LE_BE(value), 4);
}

/* 19.6.142: the first three groups are little-endian. */
void aml_uuid(Aml *a, const char *text)
{
    static const uint8_t order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    uint8_t raw[16], mixed[16];
    unsigned n = 0;

    for (const char *p = text; *p; p += *p == '-' ? 1 : 2) {
        if (*p != '-') {
            assert(n < sizeof(raw));
            raw[n++] = (uint8_t)(g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1]));
        }
    }
    assert(n == sizeof(raw));
    for (unsigned i = 0; i < sizeof(raw); i++) {
        mixed[i] = raw[order[i]];
    }
    aml_buffer(a, mixed, sizeof(mixed));
}

/* ---- what has a length ---- */

static void begin(Aml *a, unsigned op)
{
    assert(a->depth < AML_MAX_DEPTH);
    put8(a, op);
    a->open[a->depth++] = a->bytes->len;
}

static void begin_extended(Aml *a, unsigned op)
{
    put8(a, AML_EXTENDED);
    begin(a, op);
}

static void insert(GByteArray *bytes, guint at, const uint8_t *data, unsigned length)
{
    guint behind = bytes->len - at;

    g_byte_array_append(bytes, data, length);
    memmove(bytes->data + at + length, bytes->data + at, behind);
    memcpy(bytes->data + at, data, length);
}

/* 20.2.4: the length counts itself; one byte with six bits, or four bits and up to three bytes more. */
void aml_end(Aml *a)
{
    guint at;
    uint32_t length;
    uint8_t raw[4];
    unsigned n = 1;

    assert(a->depth > 0);
    at = a->open[--a->depth];
    length = a->bytes->len - at;
    if (length + 1 < 1u << 6) {
        raw[0] = (uint8_t)(length + 1);
    } else {
        for (n = 2; length + n >= 1u << (8 * n - 4); n++) {
            assert(n < sizeof(raw));
        }
        length += n;
        raw[0] = (uint8_t)((n - 1) << 6 | (length & 0xf));
        store_le(raw + 1, length >> 4, n - 1);
    }
    insert(a->bytes, at, raw, n);
}

void aml_buffer(Aml *a, const uint8_t *data, unsigned length)
{
    begin(a, AML_BUFFER);
    aml_int(a, length);
    g_byte_array_append(a->bytes, data, length);
    aml_end(a);
}

void aml_scope(Aml *a, const char *name)
{
    begin(a, AML_SCOPE);
    aml_ref(a, name);
}

void aml_device(Aml *a, const char *name)
{
    begin_extended(a, AML_EXT_DEVICE);
    aml_ref(a, name);
}

void aml_method(Aml *a, const char *name, unsigned args, bool serialized)
{
    begin(a, AML_METHOD);
    aml_ref(a, name);
    put8(a, args | (serialized ? AML_METHOD_SERIALIZED : 0));
}

void aml_if(Aml *a)
{
    begin(a, AML_IF);
}

void aml_else(Aml *a)
{
    begin(a, AML_ELSE);
}

void aml_package(Aml *a, unsigned elements)
{
    assert(elements < 256);
    begin(a, AML_PACKAGE);
    put8(a, elements);
}

void aml_name(Aml *a, const char *name)
{
    put8(a, AML_NAME);
    aml_ref(a, name);
}

void aml_memory_register(Aml *a, const char *region, const char *field, uint32_t address)
{
    put8(a, AML_EXTENDED);
    put8(a, AML_EXT_REGION);
    aml_ref(a, region);
    put8(a, AML_SYSTEM_MEMORY);
    aml_int(a, address);
    aml_int(a, 4);

    begin_extended(a, AML_EXT_FIELD);
    aml_ref(a, region);
    put8(a, AML_FIELD_FLAGS);
    put_segment(a, field);
    put8(a, 32);                    /* bits, as a PkgLength of one byte */
    aml_end(a);
}

/* ---- resources ---- */

enum {
    RES_END = 0x79, RES_MEMORY32_FIXED = 0x86, RES_DWORD = 0x87, RES_WORD = 0x88, RES_INTERRUPT = 0x89,
    RES_QWORD = 0x8a,

    RES_WRITABLE = 1,
    RES_CONSUMER = 1, RES_EDGE = 1 << 1,
    RES_MIN_FIXED = 1 << 2, RES_MAX_FIXED = 1 << 3,
    RES_IO_ENTIRE_RANGE = 3,
};

void aml_res_memory32(GByteArray *res, uint32_t base, uint32_t size)
{
    put(res, RES_MEMORY32_FIXED, 1);
    put(res, 9, 2);
    put(res, RES_WRITABLE, 1);
    put(res, base, 4);
    put(res, size, 4);
}

void aml_res_interrupt(GByteArray *res, uint32_t gsi, bool edge)
{
    put(res, RES_INTERRUPT, 1);
    put(res, 6, 2);
    put(res, RES_CONSUMER | (edge ? RES_EDGE : 0), 1);
    put(res, 1, 1);
    put(res, gsi, 4);
}

/* 6.4.3.5.1 to .3: granularity, minimum, maximum, translation, length, of `bytes` each. */
static void put_address(GByteArray *res, unsigned bytes, enum AmlSpace space, unsigned general, uint64_t base,
                        uint64_t size, uint64_t translated)
{
    put(res, bytes == 8 ? RES_QWORD : bytes == 4 ? RES_DWORD : RES_WORD, 1);
    put(res, 3 + 5 * bytes, 2);
    put(res, space, 1);
    put(res, general | RES_MIN_FIXED | RES_MAX_FIXED, 1);
    put(res, space == AML_SPACE_IO ? RES_IO_ENTIRE_RANGE : space == AML_SPACE_MEMORY ? RES_WRITABLE : 0, 1);
    put(res, 0, bytes);
    put(res, base, bytes);
    put(res, base + size - 1, bytes);
    put(res, translated, bytes);
    put(res, size, bytes);
}

void aml_res_window(GByteArray *res, unsigned bytes, enum AmlSpace space, uint64_t base, uint64_t size,
                    uint64_t translated)
{
    put_address(res, bytes, space, 0, base, size, translated);
}

void aml_res_memory64(GByteArray *res, uint64_t base, uint64_t size)
{
    put_address(res, 8, AML_SPACE_MEMORY, RES_CONSUMER, base, size, 0);
}

void aml_resources(Aml *a, GByteArray *res)
{
    put(res, RES_END, 1);
    put(res, 0, 1);                 /* no checksum */
    aml_buffer(a, res->data, res->len);
    g_byte_array_unref(res);
}
