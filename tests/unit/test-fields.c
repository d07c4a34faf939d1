/*
 * Field tables.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/fields.h"

typedef struct SampleState {
    uint64_t wide;
    uint32_t word;
    uint16_t halves[3];
    uint8_t flag;
    uint8_t bytes[5];
    uint64_t list[2];
} SampleState;

#define SAMPLE_FIELDS(F, S)  \
    F(S, U64, wide)          \
    F(S, U32, word)          \
    F(S, ARRAY_U16, halves)  \
    F(S, U8, flag)           \
    F(S, ARRAY_U8, bytes)    \
    F(S, ARRAY_U64, list)

FIELD_TABLE(sample_fields, "sample", 3, SampleState, SAMPLE_FIELDS);

static const SampleState sample = {
    .wide = 0x0102030405060708, .word = 0x11223344, .halves = { 1, 2, 0xffff },
    .flag = 1, .bytes = "abcd", .list = { 5, UINT64_MAX },
};

static void test_layout(void)
{
    static const uint8_t head[] = { 6, 's', 'a', 'm', 'p', 'l', 'e', 3, 40, 8, 7, 6, 5, 4, 3, 2, 1,
                                    0x44, 0x33, 0x22, 0x11, 1, 0, 2, 0, 0xff, 0xff, 1, 'a' };
    GByteArray *out = g_byte_array_new();

    g_assert_cmpuint(sample_fields.num_fields, ==, 6);
    fields_save(&sample_fields, &sample, out);
    g_assert_cmpuint(out->len, ==, 9 + sizeof(SampleState));
    g_assert_cmpmem(out->data, sizeof(head), head, sizeof(head));
    g_byte_array_free(out, TRUE);
}

static void test_round_trip(void)
{
    GByteArray *out = g_byte_array_new();
    SampleState loaded = { 0 };
    ByteReader r;

    fields_save(&sample_fields, &sample, out);
    bytes_put_u8(out, 0x77);
    byte_reader_init(&r, out->data, out->len);
    g_assert_true(fields_load(&sample_fields, &loaded, &r, NULL));
    g_assert_cmpmem(&loaded, sizeof(loaded), &sample, sizeof(sample));
    /* Self-delimiting: what follows is still there. */
    g_assert_cmpuint(bytes_get_u8(&r), ==, 0x77);
    g_byte_array_free(out, TRUE);
}

static void check_refused(const uint8_t *data, size_t length, const char *message)
{
    SampleState state = sample;
    Error *err = NULL;
    ByteReader r;

    byte_reader_init(&r, data, length);
    g_assert_false(fields_load(&sample_fields, &state, &r, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    g_assert_cmpmem(&state, sizeof(state), &sample, sizeof(sample));
    error_free(err);
}

static void test_refused(void)
{
    GByteArray *out = g_byte_array_new();

    fields_save(&sample_fields, &sample, out);
    check_refused(out->data, out->len - 1, "state of sample: 39 bytes left of 40");
    check_refused(out->data, 4, "state of sample: the data is cut short or damaged");
    check_refused(out->data, 0, "state of sample: the data is cut short or damaged");
    out->data[1] = 'S';
    check_refused(out->data, out->len, "state of sample: found the state of 'Sample'");
    out->data[1] = 's';
    out->data[7] = 4;
    check_refused(out->data, out->len, "state of sample: version 4, expected 3");
    out->data[7] = 3;
    out->data[8] = 39;
    check_refused(out->data, out->len, "state of sample: 39 bytes, expected 40");
    g_byte_array_free(out, TRUE);
}

static uint64_t digest_of(const SampleState *state)
{
    Digest *d = digest_new();
    uint64_t value;

    fields_digest(&sample_fields, state, d);
    value = digest_value(d);
    digest_free(d);
    return value;
}

static void test_digest(void)
{
    SampleState state = sample;
    uint64_t before = digest_of(&sample);

    g_assert_cmphex(digest_of(&state), ==, before);
    /* Every byte of the struct counts. */
    for (unsigned i = 0; i < sizeof(state); i++) {
        ((uint8_t *)&state)[i] ^= 1;
        g_assert_cmphex(digest_of(&state), !=, before);
        ((uint8_t *)&state)[i] ^= 1;
    }
}

static void test_dump(void)
{
    GString *out = g_string_new(NULL);

    fields_dump(&sample_fields, &sample, out);
    g_assert_cmpstr(out->str, ==,
                    "wide=0x102030405060708\nword=0x11223344\nhalves=0x1 0x2 0xffff\nflag=0x1\n"
                    "bytes=0x61 0x62 0x63 0x64 0x0\nlist=0x5 0xffffffffffffffff\n");
    g_string_free(out, TRUE);
}

/* Digests reach disk: these are XXH3's published values. */
static void test_digest_values(void)
{
    Digest *d = digest_new();
    uint8_t data[16];

    g_assert_cmphex(digest_value(d), ==, 0x2d06800538d394c2);
    g_assert_cmphex(digest_block(NULL, 0), ==, 0x2d06800538d394c2);
    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = i < 8 ? (uint8_t)(i + 1) : 0;
    }
    digest_u64(d, 0x0807060504030201);
    digest_u64(d, 0);
    g_assert_cmphex(digest_value(d), ==, digest_block(data, sizeof(data)));
    digest_reset(d);
    g_assert_cmphex(digest_value(d), ==, 0x2d06800538d394c2);
    digest_free(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fields/layout", test_layout);
    g_test_add_func("/fields/round-trip", test_round_trip);
    g_test_add_func("/fields/refused", test_refused);
    g_test_add_func("/fields/digest", test_digest);
    g_test_add_func("/fields/dump", test_dump);
    g_test_add_func("/fields/digest-values", test_digest_values);
    return g_test_run();
}
