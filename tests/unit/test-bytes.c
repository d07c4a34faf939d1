/*
 * Byte buffers: what the writer puts, the reader gets, and nothing beyond.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/bytes.h"

static void test_layout(void)
{
    static const uint8_t expected[] = {
        0x12, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12,
        0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
        0xac, 0x02, 0x01, 0x02, 0x02, 'h', 'i',
    };
    GByteArray *out = g_byte_array_new();

    bytes_put_u8(out, 0x12);
    bytes_put_le16(out, 0x1234);
    bytes_put_le32(out, 0x12345678);
    bytes_put_le64(out, 0x0123456789abcdef);
    bytes_put_varint(out, 300);
    bytes_put_svarint(out, -1);
    bytes_put_svarint(out, 1);
    bytes_put_block(out, "hi", 2);
    g_assert_cmpmem(out->data, out->len, expected, sizeof(expected));
    g_byte_array_free(out, TRUE);
}

static void test_round_trip(void)
{
    static const uint64_t values[] = {
        0, 1, 127, 128, 16383, 16384, UINT32_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX,
    };
    GByteArray *out = g_byte_array_new();
    ByteReader r;
    size_t length;

    for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
        bytes_put_u8(out, (uint8_t)values[i]);
        bytes_put_le16(out, (uint16_t)values[i]);
        bytes_put_le32(out, (uint32_t)values[i]);
        bytes_put_le64(out, values[i]);
        bytes_put_varint(out, values[i]);
        bytes_put_svarint(out, (int64_t)values[i]);
    }
    bytes_put_block(out, NULL, 0);
    byte_reader_init(&r, out->data, out->len);
    for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
        g_assert_cmpuint(bytes_get_u8(&r), ==, (uint8_t)values[i]);
        g_assert_cmpuint(bytes_get_le16(&r), ==, (uint16_t)values[i]);
        g_assert_cmpuint(bytes_get_le32(&r), ==, (uint32_t)values[i]);
        g_assert_cmpuint(bytes_get_le64(&r), ==, values[i]);
        g_assert_cmpuint(bytes_get_varint(&r), ==, values[i]);
        g_assert_cmpint(bytes_get_svarint(&r), ==, (int64_t)values[i]);
    }
    g_assert_nonnull(bytes_get_block(&r, 0, &length));
    g_assert_cmpuint(length, ==, 0);
    g_assert_cmpuint(byte_reader_left(&r), ==, 0);
    g_assert_false(r.failed);
    g_byte_array_free(out, TRUE);
}

static void test_end(void)
{
    static const uint8_t data[] = { 1, 2, 3 };
    ByteReader r;

    byte_reader_init(&r, data, sizeof(data));
    g_assert_cmpuint(bytes_get_le16(&r), ==, 0x0201);
    g_assert_cmpuint(bytes_get_le32(&r), ==, 0);
    g_assert_true(r.failed);
    /* One byte is there, but a failed reader stays failed. */
    g_assert_cmpuint(bytes_get_u8(&r), ==, 0);
    g_assert_cmpuint(byte_reader_left(&r), ==, 0);
    byte_reader_init(&r, data, sizeof(data));
    g_assert_null(bytes_get_data(&r, SIZE_MAX));
    g_assert_true(r.failed);
    byte_reader_init(&r, NULL, 0);
    g_assert_cmpuint(bytes_get_varint(&r), ==, 0);
    g_assert_true(r.failed);
}

static void test_load_store(void)
{
    uint8_t bytes[9] = { 0 };

    store_le(bytes + 1, 0x1122334455667788ull, 8);
    g_assert_cmphex(bytes[0], ==, 0);
    g_assert_cmphex(bytes[1], ==, 0x88);
    g_assert_cmphex(bytes[8], ==, 0x11);
    g_assert_cmphex(load_le(bytes + 1, 8), ==, 0x1122334455667788ull);
    g_assert_cmphex(load_le(bytes + 1, 3), ==, 0x667788);
    store_le(bytes, 0xabcd, 1);
    g_assert_cmphex(load_le(bytes, 2), ==, 0x88cd);
}

static void check_bad_varint(const uint8_t *data, size_t length)
{
    ByteReader r;

    byte_reader_init(&r, data, length);
    g_assert_cmpuint(bytes_get_varint(&r), ==, 0);
    g_assert_true(r.failed);
}

static void test_bad_varint(void)
{
    static const uint8_t cut[] = { 0x80, 0x80 };
    static const uint8_t eleven[] = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                      0x00 };
    static const uint8_t too_big[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0x02 };

    check_bad_varint(cut, sizeof(cut));
    check_bad_varint(eleven, sizeof(eleven));
    check_bad_varint(too_big, sizeof(too_big));
}

static void test_bad_block(void)
{
    static const uint8_t data[] = { 3, 'a', 'b', 'c' };
    ByteReader r;
    size_t length = 99;

    byte_reader_init(&r, data, sizeof(data));
    g_assert_null(bytes_get_block(&r, 2, &length));
    g_assert_cmpuint(length, ==, 0);
    g_assert_true(r.failed);
    byte_reader_init(&r, data, 3);
    g_assert_null(bytes_get_block(&r, 100, &length));
    g_assert_true(r.failed);
    byte_reader_init(&r, data, sizeof(data));
    g_assert_cmpint(memcmp(bytes_get_block(&r, 3, &length), "abc", 3), ==, 0);
    g_assert_cmpuint(length, ==, 3);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bytes/layout", test_layout);
    g_test_add_func("/bytes/round-trip", test_round_trip);
    g_test_add_func("/bytes/end", test_end);
    g_test_add_func("/bytes/load-store", test_load_store);
    g_test_add_func("/bytes/bad-varint", test_bad_varint);
    g_test_add_func("/bytes/bad-block", test_bad_block);
    return g_test_run();
}
