/*
 * Field tables.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/fields.h"

typedef struct SampleState {
    uint64_t wide;
    GByteArray *queue;
    uint32_t word;
    uint16_t halves[3];
    uint8_t flag;
    uint8_t bytes[5];
    uint64_t list[2];
} SampleState;

#define SAMPLE_FIELDS(F, S)  \
    F(S, U64, wide)          \
    F(S, BYTES, queue)       \
    F(S, U32, word)          \
    F(S, ARRAY_U16, halves)  \
    F(S, U8, flag)           \
    F(S, ARRAY_U8, bytes)    \
    F(S, ARRAY_U64, list)

FIELD_TABLE(sample_fields, "sample", 3, SampleState, SAMPLE_FIELDS);

/* The same, two versions later: `flag` was added, and what version 4 saved still loads. */
FIELD_TABLE_SINCE(later_fields, "sample", 5, 4, SampleState, SAMPLE_FIELDS);

static SampleState sample_new(void)
{
    SampleState state = {
        .wide = 0x0102030405060708, .word = 0x11223344, .halves = { 1, 2, 0xffff },
        .flag = 1, .bytes = "abcd", .list = { 5, UINT64_MAX }, .queue = g_byte_array_new(),
    };

    g_byte_array_append(state.queue, (const uint8_t *)"xyz", 3);
    return state;
}

static bool equal(const SampleState *a, const SampleState *b)
{
    SampleState copy = *a;

    copy.queue = b->queue;
    return memcmp(&copy, b, sizeof(copy)) == 0 && a->queue->len == b->queue->len &&
           memcmp(a->queue->data, b->queue->data, a->queue->len) == 0;
}

/* What an old program wrote has to be read for ever. */
static void test_layout(void)
{
    static const uint8_t head[] = {
        6, 's', 'a', 'm', 'p', 'l', 'e', 3, 7,
        4, 'w', 'i', 'd', 'e', 8, 1, 8, 7, 6, 5, 4, 3, 2, 1,
        5, 'q', 'u', 'e', 'u', 'e', 0, 3, 'x', 'y', 'z',
        4, 'w', 'o', 'r', 'd', 4, 1, 0x44, 0x33, 0x22, 0x11,
        6, 'h', 'a', 'l', 'v', 'e', 's', 2, 3, 1, 0, 2, 0, 0xff, 0xff,
    };
    GByteArray *out = g_byte_array_new();
    SampleState sample = sample_new();

    g_assert_cmpuint(sample_fields.num_fields, ==, 7);
    fields_save(&sample_fields, &sample, out);
    g_assert_cmpuint(out->len, >, sizeof(head));
    g_assert_cmpmem(out->data, sizeof(head), head, sizeof(head));
    g_byte_array_free(out, TRUE);
    g_byte_array_unref(sample.queue);
}

static void test_round_trip(void)
{
    GByteArray *out = g_byte_array_new();
    SampleState sample = sample_new(), loaded = { .queue = g_byte_array_new() };
    ByteReader r;

    g_byte_array_set_size(loaded.queue, 100);
    fields_save(&sample_fields, &sample, out);
    bytes_put_u8(out, 0x77);
    byte_reader_init(&r, out->data, out->len);
    g_assert_true(fields_load(&sample_fields, &loaded, &r, NULL));
    g_assert_true(equal(&loaded, &sample));
    /* Self-delimiting: what follows is still there. */
    g_assert_cmpuint(bytes_get_u8(&r), ==, 0x77);
    g_byte_array_free(out, TRUE);
    g_byte_array_unref(sample.queue);
    g_byte_array_unref(loaded.queue);
}

static void check_refused(const FieldTable *table, const uint8_t *data, size_t length,
                          const char *message)
{
    SampleState sample = sample_new(), state = sample_new();
    Error *err = NULL;
    ByteReader r;

    byte_reader_init(&r, data, length);
    g_assert_false(fields_load(table, &state, &r, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    g_assert_true(equal(&state, &sample));
    error_free(err);
    g_byte_array_unref(sample.queue);
    g_byte_array_unref(state.queue);
}

static void test_refused(void)
{
    GByteArray *out = g_byte_array_new();
    SampleState sample = sample_new();

    fields_save(&sample_fields, &sample, out);
    for (guint n = 0; n < out->len; n++) {
        check_refused(&sample_fields, out->data, n,
                      "state of sample: the data is cut short or damaged");
    }
    out->data[1] = 'S';
    check_refused(&sample_fields, out->data, out->len,
                  "state of sample: found the state of 'Sample'");
    out->data[1] = 's';
    out->data[7] = 4;
    check_refused(&sample_fields, out->data, out->len,
                  "state of sample: version 4, this program loads 3 to 3");
    out->data[7] = 3;
    out->data[10] = 'W';
    check_refused(&sample_fields, out->data, out->len,
                  "state of sample: field 'Wide' is not known");
    out->data[10] = 'w';
    out->data[14] = 4;
    check_refused(&sample_fields, out->data, out->len, "state of sample: field 'wide' has 1 "
                  "elements of 4 bytes, expected 1 of 8");
    out->data[14] = 8;
    out->data[8] = 6;
    check_refused(&sample_fields, out->data, out->len,
                  "state of sample: field 'list' is missing");
    g_byte_array_free(out, TRUE);
    g_byte_array_unref(sample.queue);
}

/* Flip every bit: whatever comes out, nothing is read or written outside, and no half is loaded. */
static void test_damaged(void)
{
    GByteArray *out = g_byte_array_new();
    SampleState sample = sample_new();

    fields_save(&sample_fields, &sample, out);
    for (guint bit = 0; bit < out->len * 8; bit++) {
        SampleState state = sample_new();
        ByteReader r;

        out->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        byte_reader_init(&r, out->data, out->len);
        if (!fields_load(&sample_fields, &state, &r, NULL)) {
            g_assert_true(equal(&state, &sample));
        }
        out->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        g_byte_array_unref(state.queue);
    }
    g_byte_array_free(out, TRUE);
    g_byte_array_unref(sample.queue);
}

/* A state in which a field did not exist yet: the field keeps its value. */
static void test_older_version(void)
{
    static const uint8_t old[] = {
        6, 's', 'a', 'm', 'p', 'l', 'e', 4, 2,
        4, 'w', 'o', 'r', 'd', 4, 1, 9, 0, 0, 0,
        4, 'w', 'i', 'd', 'e', 8, 1, 7, 0, 0, 0, 0, 0, 0, 0,
    };
    uint8_t twice[sizeof(old)];
    SampleState state = sample_new();
    ByteReader r;

    byte_reader_init(&r, old, sizeof(old));
    g_assert_true(fields_load(&later_fields, &state, &r, NULL));
    g_assert_cmpuint(state.word, ==, 9);
    g_assert_cmpuint(state.wide, ==, 7);
    g_assert_cmpuint(state.flag, ==, 1);
    g_assert_cmpuint(state.queue->len, ==, 3);
    g_byte_array_unref(state.queue);
    memcpy(twice, old, sizeof(old));
    twice[7] = 5;
    check_refused(&later_fields, twice, sizeof(twice), "state of sample: field 'queue' is missing");
    twice[7] = 3;
    check_refused(&later_fields, twice, sizeof(twice),
                  "state of sample: version 3, this program loads 4 to 5");
    twice[7] = 4;
    memcpy(twice + 20 + 1, "word", 4);
    check_refused(&later_fields, twice, sizeof(twice),
                  "state of sample: field 'word' is there twice");
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
    SampleState state = sample_new();
    uint64_t before = digest_of(&state);

    g_assert_cmphex(digest_of(&state), ==, before);
    /* Every byte of the struct counts, and what is behind the pointer. */
    for (unsigned i = 0; i < sizeof(state); i++) {
        if (i - offsetof(SampleState, queue) < sizeof(state.queue)) {
            continue;
        }
        ((uint8_t *)&state)[i] ^= 1;
        g_assert_cmphex(digest_of(&state), !=, before);
        ((uint8_t *)&state)[i] ^= 1;
    }
    state.queue->data[1] ^= 1;
    g_assert_cmphex(digest_of(&state), !=, before);
    state.queue->data[1] ^= 1;
    g_byte_array_set_size(state.queue, 2);
    g_assert_cmphex(digest_of(&state), !=, before);
    g_byte_array_unref(state.queue);
}

/* Each byte changes sooner or later, and a load brings all of it back. */
static void test_scramble(void)
{
    SampleState state = sample_new(), changed = { 0 }, sample = sample_new();
    GByteArray *out = g_byte_array_new();
    uint64_t seed = 1;
    ByteReader r;

    fields_save(&sample_fields, &sample, out);
    for (unsigned n = 0; n < 20; n++) {
        fields_scramble(&sample_fields, &state, &seed);
        for (unsigned i = 0; i < sizeof(state); i++) {
            ((uint8_t *)&changed)[i] |= ((uint8_t *)&state)[i] ^ ((uint8_t *)&sample)[i];
        }
        byte_reader_init(&r, out->data, out->len);
        g_assert_true(fields_load(&sample_fields, &state, &r, NULL));
        g_assert_true(equal(&state, &sample));
    }
    for (unsigned i = 0; i < sizeof(changed); i++) {
        g_assert_true(((uint8_t *)&changed)[i] ||
                      i - offsetof(SampleState, queue) < sizeof(state.queue));
    }
    g_byte_array_unref(out);
    g_byte_array_unref(state.queue);
    g_byte_array_unref(sample.queue);
}

static void test_dump(void)
{
    GString *out = g_string_new(NULL);
    SampleState sample = sample_new();

    fields_dump(&sample_fields, &sample, out);
    g_assert_cmpstr(out->str, ==,
                    "wide=0x102030405060708\nqueue=0x78 0x79 0x7a\nword=0x11223344\n"
                    "halves=0x1 0x2 0xffff\nflag=0x1\n"
                    "bytes=0x61 0x62 0x63 0x64 0x0\nlist=0x5 0xffffffffffffffff\n");
    g_string_free(out, TRUE);
    g_byte_array_unref(sample.queue);
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
    g_test_add_func("/fields/damaged", test_damaged);
    g_test_add_func("/fields/older-version", test_older_version);
    g_test_add_func("/fields/digest", test_digest);
    g_test_add_func("/fields/scramble", test_scramble);
    g_test_add_func("/fields/dump", test_dump);
    g_test_add_func("/fields/digest-values", test_digest_values);
    return g_test_run();
}
