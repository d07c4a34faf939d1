/*
 * Copies of recordings with their keyframes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "log-builder.h"
#include "replay/replay-copy.h"
#include "rng.h"

#define RECORDS 30
#define KEYFRAMES 6
#define PAGES 500

static char *sample_json(void)
{
    ReplayDescription *d = replay_description_new();
    char *json = replay_description_to_json(d);

    replay_description_free(d);
    return json;
}

static void put_record(LogBuilder *b, uint64_t n)
{
    builder_record(b, &(ReplayRecord){ .kind = REPLAY_KIND_CHECK_EVENT, .source = REPLAY_NO_SOURCE,
                                       .pos = n * 1000, .length = 9,
                                       .payload = (const uint8_t *)"payload.." });
}

static ReplayKeyframe *sample_keyframe(Rng *rng, unsigned n)
{
    static uint8_t content[PAGES][REPLAY_PAGE_SIZE], start[REPLAY_PAGE_SIZE];
    ReplayKeyframe *k = replay_keyframe_new();

    k->time = n * 1000000;
    k->chain = n % 3;
    k->outputs = 10 * n;
    g_byte_array_append(k->state, (const uint8_t *)"statestatestate", 5 + n);
    for (uint64_t i = rng_below(rng, 3); i < PAGES; i += 1 + rng_below(rng, 5)) {
        const ReplayPage page = { i, rng_percent(rng, 20) ? NULL : content[i],
                                  rng_percent(rng, 50) ? start : NULL };

        content[i][n] = (uint8_t)rng_next(rng);
        g_array_append_val(k->pages, page);
        g_array_append_val(k->marked, i);
    }
    for (unsigned i = 0; i < n; i++) {
        g_ptr_array_add(k->text, g_byte_array_append(g_byte_array_new(),
                                                     (const uint8_t *)"text of a port", 5 + i));
    }
    return k;
}

static void build_sample(LogBuilder *b)
{
    g_autofree char *json = sample_json();
    Rng rng = { 3 };

    builder_begin(b, json);
    for (unsigned n = 0; n < RECORDS; n++) {
        put_record(b, n);
        if (n % 5 == 2) {
            builder_keyframe(b, n * 1000 + 500, sample_keyframe(&rng, n / 5));
        }
    }
    builder_end(b);
}

/* ---- a keyframe as text: all that it holds ---- */

static void add_page(void *opaque, uint64_t number, const uint8_t *bytes, bool difference)
{
    g_autofree char *sum = bytes ? g_compute_checksum_for_data(G_CHECKSUM_MD5, bytes,
                                                               REPLAY_PAGE_SIZE) : NULL;

    g_string_append_printf(opaque, "page %" PRIu64 " %s%s\n", number, sum ? sum : "zeros",
                           difference ? " difference" : "");
}

static void add_data(GString *out, ReplayLogReader *reader, const GArray *offsets)
{
    for (guint n = 0; n < offsets->len; n++) {
        uint64_t offset = g_array_index(offsets, uint64_t, n);
        ReplayFrame f;
        g_autofree uint8_t *data =
            replay_log_reader_frame_at(reader, offset, REPLAY_FRAME_KEYFRAME_DATA, &f);

        g_assert_nonnull(data);
        g_string_append_printf(out, "data %.*s\n", (int)f.raw_length, data);
    }
}

static char *keyframe_text(ReplayLogReader *reader, const GArray *keyframes, guint n)
{
    const ReplayIndexEntry *e = &g_array_index(keyframes, ReplayIndexEntry, n);
    ReplayKeyframeHead *h = replay_keyframe_read_head(reader, keyframes, n, PAGES, NULL);
    GArray *marked = g_array_new(false, false, sizeof(uint64_t));
    GByteArray *state = g_byte_array_new();
    GString *text = g_string_new(NULL);
    const ReplayKeyframeSink sink = { .page = add_page, .opaque = text };

    g_assert_nonnull(h);
    g_string_append_printf(text, "number %" PRIu64 " chain %" PRIu64 " outputs %" PRIu64, h->number,
                           h->chain, h->outputs);
    g_string_append_printf(text, "records %" PRIu64 " position %" PRIu64 " time %" PRId64 "\n",
                           h->records, e->first_pos, h->time);
    add_data(text, reader, h->text);
    g_assert_true(replay_keyframe_read_pages(reader, h, &sink, NULL));
    g_assert_true(replay_keyframe_read_state(reader, h, state, marked, NULL));
    g_assert_true(replay_keyframe_check(reader, h, NULL));
    g_string_append_printf(text, "state %.*s\nmarked", (int)state->len, state->data);
    for (guint i = 0; i < marked->len; i++) {
        g_string_append_printf(text, " %" PRIu64, g_array_index(marked, uint64_t, i));
    }
    g_byte_array_unref(state);
    g_array_unref(marked);
    replay_keyframe_head_free(h);
    return g_string_free(text, false);
}

/* ---- a copy ---- */

typedef struct Copied {
    char *path;
    ReplayCursor *cursor;
    ReplayLogReader *reader;
    GArray *keyframes;
} Copied;

static ReplayCursor *open_log(const LogBuilder *b)
{
    ReplayLogReader *reader = replay_log_reader_open_memory(b->file->data, b->file->len, NULL);

    return replay_cursor_new(reader, NULL);
}

static void copy(const LogBuilder *b, uint64_t records, uint64_t upto, Copied *out)
{
    ReplayLogWriter *w = replay_log_writer_new(&replay_log_packing);
    ReplayCursor *from = open_log(b);
    ReplayCopier *copier = replay_copier_new(from, w);
    g_autofree char *json = sample_json();

    out->path = g_strdup_printf("%s/rearm-copy-%d.rr", g_get_tmp_dir(), (int)getpid());
    g_assert_true(replay_log_writer_open(w, out->path, json, true, NULL));
    replay_copier_with_keyframes(copier);
    g_assert_true(replay_copier_run(copier, MIN(records, RECORDS) / 2, upto));
    g_assert_cmpint(replay_copier_run(copier, records, upto), ==, records <= RECORDS);
    replay_copier_free(copier);
    g_assert_true(replay_log_writer_finish(w));
    replay_log_writer_free(w);
    replay_cursor_free(from);
    out->cursor = replay_cursor_open(out->path, NULL);
    out->reader = replay_cursor_open_again(out->cursor, NULL);
    out->keyframes = replay_log_reader_keyframes(out->reader);
}

static void copied_clear(Copied *c)
{
    g_array_unref(c->keyframes);
    replay_log_reader_free(c->reader);
    replay_cursor_free(c->cursor);
    g_unlink(c->path);
    g_free(c->path);
}

static void check_records(Copied *c, unsigned records)
{
    for (unsigned n = 0; n < records; n++) {
        g_assert_cmpuint(replay_cursor_peek(c->cursor)->pos, ==, n * 1000);
        replay_cursor_advance(c->cursor);
    }
    g_assert_null(replay_cursor_peek(c->cursor));
    g_assert_cmpint(replay_cursor_status(c->cursor), ==, REPLAY_LOG_FINISHED);
}

static void check_keyframes(const LogBuilder *b, Copied *c, guint keyframes)
{
    ReplayLogReader *from = replay_log_reader_open_memory(b->file->data, b->file->len, NULL);
    GArray *list = replay_log_reader_keyframes(from);

    g_assert_cmpuint(c->keyframes->len, ==, keyframes);
    for (guint n = 0; n < keyframes; n++) {
        g_autofree char *expected = keyframe_text(from, list, n);
        g_autofree char *found = keyframe_text(c->reader, c->keyframes, n);

        g_assert_cmpstr(found, ==, expected);
    }
    g_array_unref(list);
    replay_log_reader_free(from);
}

static void test_whole(void)
{
    LogBuilder b;
    Copied c;

    build_sample(&b);
    copy(&b, UINT64_MAX, UINT64_MAX, &c);
    check_records(&c, RECORDS);
    check_keyframes(&b, &c, KEYFRAMES);
    copied_clear(&c);
    builder_clear(&b);
}

/* As far as a branch goes. */
static void test_part(void)
{
    LogBuilder b;
    Copied c;

    build_sample(&b);
    for (unsigned n = 0; n < 3; n++) {
        const uint64_t upto[] = { 12499, 12500, 12800 };

        copy(&b, 13, upto[n], &c);
        check_records(&c, 13);
        check_keyframes(&b, &c, n ? 3 : 2);
        copied_clear(&c);
    }
    builder_clear(&b);
}

/* ---- bad ones ---- */

/* Records are copied all the same. */
static void check_left_out(const LogBuilder *b, guint keyframes)
{
    Copied c;

    copy(b, UINT64_MAX, UINT64_MAX, &c);
    check_records(&c, RECORDS);
    check_keyframes(b, &c, keyframes);
    copied_clear(&c);
}

static void test_damaged(void)
{
    LogBuilder b;
    ReplayIndexEntry *e;

    build_sample(&b);
    e = &g_array_index(b.index->keyframes, ReplayIndexEntry, 4);
    for (unsigned n = 0; n < 2; n++) {
        /* The head; what stands in front of it, a frame of its pages. */
        uint8_t *byte = b.file->data + e->offset + (n ? -1 : REPLAY_FRAME_HEADER);

        *byte ^= 1;
        check_left_out(&b, 4);
        *byte ^= 1;
    }
    check_left_out(&b, KEYFRAMES);
    builder_clear(&b);
}

/* An index that says something else than the frames, or frames that no writer puts there. */
static void test_misplaced(void)
{
    for (unsigned n = 0; n < 4; n++) {
        g_autofree char *json = sample_json();
        GArray *entries;
        LogBuilder b;
        Rng rng = { 4 };

        builder_begin(&b, json);
        for (unsigned i = 0; i < RECORDS; i++) {
            put_record(&b, i);
            if (i == 5) {
                builder_keyframe(&b, 5500, sample_keyframe(&rng, 0));
            } else if (i == 10) {
                builder_keyframe(&b, n == 0 ? 15000 : 10500, sample_keyframe(&rng, 1));
            }
        }
        entries = b.index->keyframes;
        if (n == 1) {
            g_array_index(entries, ReplayIndexEntry, 1).first_pos = 20000;
        } else if (n == 2) {
            g_array_index(entries, ReplayIndexEntry, 1).first_record = 8;
        } else if (n == 3) {
            g_array_index(entries, ReplayIndexEntry, 1).offset--;
        }
        builder_end(&b);
        check_left_out(&b, 1);
        builder_clear(&b);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/replay-copy/whole", test_whole);
    g_test_add_func("/replay-copy/part", test_part);
    g_test_add_func("/replay-copy/damaged", test_damaged);
    g_test_add_func("/replay-copy/misplaced", test_misplaced);
    return g_test_run();
}
