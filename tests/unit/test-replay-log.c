/*
 * The log file: round trips, bounds, and what becomes of logs that were cut off
 * or changed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include "replay/replay-cursor.h"
#include "replay/replay-describe.h"
#include "replay/replay-log.h"
#include "util/crc32c.h"

typedef struct Log {
    char *path;
    uint8_t *data;
    gsize length;
    unsigned records;
} Log;

static void log_read(Log *log)
{
    g_assert_true(g_file_get_contents(log->path, (char **)&log->data, &log->length, NULL));
}

static void log_clear(Log *log)
{
    g_unlink(log->path);
    g_free(log->path);
    g_free(log->data);
}

/* The id follows magic, version and length. */
static uint32_t log_seed(const Log *log)
{
    return replay_log_seed(log->data + 16);
}

static char *temp_path(void)
{
    char *path = NULL;
    int fd = g_file_open_tmp("rearm-log-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_close(fd, NULL);
    return path;
}

static const ReplayPlace sample_ancestor = { .id = { 0x12, 0x34, [15] = 0xfe }, .records = 77,
                                             .pos = 1ull << 40 };

static char *sample_json(void)
{
    ReplayDescription *d = replay_description_new();
    char *json;

    replay_description_add(d, "cpu", "cortex-a57");
    replay_description_add(d, "ram", "1073741824");
    replay_description_add_source(d, REPLAY_KIND_CHAR, "uart0");
    replay_description_add_source(d, REPLAY_KIND_RANDOM, "rng");
    g_array_append_val(d->ancestors, sample_ancestor);
    json = replay_description_to_json(d);
    replay_description_free(d);
    return json;
}

/* Record i of a sample; payload must hold 64 bytes. */
static ReplayRecord sample_record(unsigned i, uint8_t *payload)
{
    ReplayRecord rec = { .kind = REPLAY_KIND_RANDOM, .source = 1, .pos = (uint64_t)i * i * 1000,
                         .payload = payload };

    if (i % 3 == 0) {
        rec.kind = REPLAY_KIND_CHAR;
        rec.source = 0;
        rec.checkpoints = i % 5;
        rec.again = i & 1;
    } else if (i % 3 == 1) {
        rec.kind = REPLAY_KIND_CHECKPOINT;
        rec.source = REPLAY_NO_SOURCE;
    }
    rec.length = i % 40 + 1;
    for (unsigned k = 0; k < rec.length; k++) {
        payload[k] = (uint8_t)(i * 7 + k * k);
    }
    return rec;
}

/* Many small frames. */
static void write_sample(Log *log, unsigned records, size_t frame_bytes)
{
    ReplayLogOptions options = { frame_bytes, 3, false };
    ReplayLogWriter *w = replay_log_writer_new(&options);
    char *json = sample_json();
    uint8_t payload[64];

    log->path = temp_path();
    log->records = records;
    for (unsigned i = 0; i < records; i++) {
        ReplayRecord rec = sample_record(i, payload);

        if (i == records / 4) {
            g_assert_true(replay_log_writer_open(w, log->path, json, false, NULL));
        }
        replay_log_writer_put(w, &rec);
    }
    g_assert_cmpuint(replay_log_writer_records(w), ==, records);
    g_assert_true(replay_log_writer_finish(w));
    replay_log_writer_free(w);
    g_free(json);
    log_read(log);
}

/* Walk a log in memory. -1: refused at once. Otherwise the number of good records. */
static int walk(const uint8_t *data, size_t length, ReplayLogStatus *status, char **why)
{
    Error *err = NULL;
    ReplayLogReader *reader = replay_log_reader_open_memory(data, length, &err);
    ReplayCursor *c = reader ? replay_cursor_new(reader, &err) : NULL;
    const ReplayRecord *rec;
    uint64_t pos = 0;
    int n = 0;

    if (!c) {
        g_assert_nonnull(err);
        *why = g_strdup(error_get_pretty(err));
        error_free(err);
        return -1;
    }
    while ((rec = replay_cursor_peek(c)) != NULL) {
        g_assert_cmpuint(rec->pos, >=, pos);
        g_assert_cmpuint(replay_cursor_bound(c), >=, rec->pos);
        pos = rec->pos;
        replay_cursor_advance(c);
        n++;
    }
    *status = replay_cursor_status(c);
    *why = g_strdup(replay_cursor_damage(c));
    replay_cursor_free(c);
    return n;
}

static void test_crc(void)
{
    /* RFC 3720 B.4: 32 bytes of zeros, of ones; and the usual check value. */
    static const char text[] = "the quick brown fox jumps over the lazy dog, and so on and on";
    uint8_t block[32] = { 0 };

    g_assert_cmphex(crc32c(0, block, 32), ==, 0x8a9136aa);
    memset(block, 0xff, 32);
    g_assert_cmphex(crc32c(0, block, 32), ==, 0x62a8ab43);
    g_assert_cmphex(crc32c(0, "123456789", 9), ==, 0xe3069283);
    g_assert_cmphex(crc32c(crc32c(0, "1234", 4), "56789", 5), ==, 0xe3069283);
    /* At any address and in any pieces it is the same. */
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        uint32_t crc = crc32c(0, text, i);

        g_assert_cmphex(crc32c(crc, text + i, sizeof(text) - 1 - i), ==,
                        crc32c(0, text, sizeof(text) - 1));
    }
}

static void check_equal(const ReplayRecord *a, const ReplayRecord *b)
{
    g_assert_cmpuint(a->kind, ==, b->kind);
    g_assert_cmpuint(a->source, ==, b->source);
    g_assert_cmpuint(a->pos, ==, b->pos);
    g_assert_cmpuint(a->checkpoints, ==, b->checkpoints);
    g_assert_cmpint(a->again, ==, b->again);
    g_assert_cmpmem(a->payload, a->length, b->payload, b->length);
}

static void test_round_trip(void)
{
    Log log;
    Error *err = NULL;
    ReplayCursor *c;
    const ReplayRecord *rec;
    uint8_t payload[64];
    unsigned n = 0;

    write_sample(&log, 5000, 4096);
    c = replay_cursor_open(log.path, &err);
    g_assert_null(err);
    g_assert_cmpstr(replay_description_get(replay_cursor_description(c), "cpu"), ==,
                    "cortex-a57");
    while ((rec = replay_cursor_peek(c)) != NULL) {
        ReplayRecord want = sample_record(n, payload);

        check_equal(rec, &want);
        g_assert_cmpuint(rec->number, ==, n);
        replay_cursor_advance(c);
        n++;
    }
    g_assert_cmpuint(n, ==, 5000);
    g_assert_cmpint(replay_cursor_status(c), ==, REPLAY_LOG_FINISHED);
    replay_cursor_free(c);
    log_clear(&log);
}

/* ---- going back and forth ---- */

static void check_at(ReplayCursor *c, unsigned n)
{
    uint8_t payload[64];
    ReplayRecord want = sample_record(n, payload);
    const ReplayRecord *rec = replay_cursor_peek(c);

    g_assert_nonnull(rec);
    check_equal(rec, &want);
    g_assert_cmpuint(rec->number, ==, n);
    g_assert_cmpuint(replay_cursor_count(c), ==, n);
}

static ReplayCursor *open_part(const Log *log, gsize length)
{
    ReplayLogReader *reader = replay_log_reader_open_memory(log->data, length, NULL);

    g_assert_nonnull(reader);
    return replay_cursor_new(reader, NULL);
}

/* A step on after each jump, sometimes over the end of a frame. */
static void check_jumps(ReplayCursor *c, unsigned records, unsigned jumps)
{
    for (unsigned i = 0; i < jumps; i++) {
        unsigned n = i * 7919u % records;
        g_autoptr(GString) history = g_string_new(NULL);
        g_autofree char *before = g_strdup_printf("#%u position", n - 1);

        g_assert_true(replay_cursor_go(c, n, NULL));
        check_at(c, n);
        replay_cursor_history(c, history);
        g_assert_true(n == 0 || strstr(history->str, before) || history->len == 0);
        for (unsigned k = 0; k < i % 90 && n + k + 1 < records; k++) {
            replay_cursor_advance(c);
            check_at(c, n + k + 1);
        }
    }
}

static void test_go(void)
{
    unsigned records = 5000;
    ReplayCursor *c;
    Error *err = NULL;
    Log log;

    write_sample(&log, records, 4096);
    c = open_part(&log, log.length);
    /* At once to the end: a new process that goes on from a saved state. */
    g_assert_true(replay_cursor_go(c, records - 1, NULL));
    check_at(c, records - 1);
    check_jumps(c, records, 400);
    g_assert_true(replay_cursor_go(c, records, NULL));
    g_assert_null(replay_cursor_peek(c));
    g_assert_cmpint(replay_cursor_status(c), ==, REPLAY_LOG_FINISHED);
    g_assert_false(replay_cursor_go(c, records + 1, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "cannot go to record 5001: the recording has 5000");
    error_free(err);
    check_jumps(c, records, 3);
    replay_cursor_free(c);
    log_clear(&log);
}

/* Cut off, so without an index; and with damage behind the place that is wanted. */
static void test_go_incomplete(void)
{
    Error *err = NULL;
    ReplayCursor *c;
    uint64_t good;
    Log log;

    write_sample(&log, 5000, 4096);
    c = open_part(&log, log.length / 2);
    g_assert_true(replay_cursor_go(c, 1500, NULL));
    check_jumps(c, 1500, 100);
    g_assert_false(replay_cursor_go(c, 4999, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "the recording has"));
    g_clear_pointer(&err, error_free);
    replay_cursor_free(c);
    log.data[log.length / 2] ^= 1;
    c = open_part(&log, log.length);
    g_assert_true(replay_cursor_go(c, 1500, NULL));
    check_at(c, 1500);
    while (replay_cursor_peek(c)) {
        replay_cursor_advance(c);
    }
    g_assert_cmpint(replay_cursor_status(c), ==, REPLAY_LOG_DAMAGED);
    good = replay_cursor_count(c);
    check_jumps(c, 1500, 100);
    g_assert_false(replay_cursor_go(c, good + 1, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "damaged"));
    error_free(err);
    replay_cursor_free(c);
    log_clear(&log);
}

/* Cut at every byte: what is whole is read, and it is never called damage. */
static void test_truncation(void)
{
    Log log;
    int last = -1;
    unsigned growths = 0;

    write_sample(&log, 60, 100);
    for (gsize n = 0; n <= log.length; n++) {
        /* An exact allocation, for address sanitizers. */
        uint8_t *copy = g_memdup2(log.data, n);
        ReplayLogStatus status = REPLAY_LOG_FRAME;
        char *why = NULL;
        int records = walk(copy, n, &status, &why);

        g_assert_cmpint(records, >=, last);
        growths += records > last;
        last = records;
        if (records >= 0) {
            g_assert_cmpint(status, ==, n == log.length ? REPLAY_LOG_FINISHED :
                                                          REPLAY_LOG_TRUNCATED);
        }
        g_free(why);
        g_free(copy);
    }
    g_assert_cmpint(last, ==, 60);
    g_assert_cmpuint(growths, >, 10);
    log_clear(&log);
}

/* Change each byte: always noticed, with the place named. */
static void test_flipped_byte(void)
{
    Log log;
    unsigned refused = 0, damaged = 0;

    write_sample(&log, 60, 100);
    for (gsize n = 0; n < log.length; n++) {
        for (unsigned flip = 0; flip < 3; flip++) {
            static const uint8_t masks[] = { 0x01, 0x80, 0xff };
            ReplayLogStatus status = REPLAY_LOG_FRAME;
            char *why = NULL;

            log.data[n] ^= masks[flip];
            if (walk(log.data, log.length, &status, &why) < 0) {
                refused++;
            } else {
                g_assert_cmpint(status, ==, REPLAY_LOG_DAMAGED);
                g_assert_nonnull(strstr(why, "frame "));
                g_assert_nonnull(strstr(why, "offset "));
                damaged++;
            }
            log.data[n] ^= masks[flip];
            g_free(why);
        }
    }
    g_assert_cmpuint(refused, >, 60);
    g_assert_cmpuint(damaged, >, 1000);
    log_clear(&log);
}

/* Bytes behind the end frame, a frame left out. */
static void test_order(void)
{
    Log log;
    ReplayLogStatus status = REPLAY_LOG_FRAME;
    char *why = NULL;
    GByteArray *bytes = g_byte_array_new();
    ReplayFrame frame;
    gsize first;
    uint32_t json_length;

    write_sample(&log, 60, 100);
    g_byte_array_append(bytes, log.data, (guint)log.length);
    g_byte_array_append(bytes, (const uint8_t *)"x", 1);
    g_assert_cmpint(walk(bytes->data, bytes->len, &status, &why), ==, 60);
    g_assert_cmpint(status, ==, REPLAY_LOG_DAMAGED);
    g_free(why);

    memcpy(&json_length, log.data + 12, 4);
    first = REPLAY_LOG_FILE_HEADER + json_length;
    g_assert_true(replay_frame_get_header(log.data + first, log_seed(&log), &frame));
    g_assert_cmphex(frame.magic, ==, REPLAY_FRAME_RECORDS);
    g_byte_array_set_size(bytes, 0);
    g_byte_array_append(bytes, log.data, (guint)log.length);
    g_byte_array_remove_range(bytes, (guint)first, REPLAY_FRAME_HEADER + frame.stored_length);
    g_assert_cmpint(walk(bytes->data, bytes->len, &status, &why), ==, 0);
    g_assert_cmpint(status, ==, REPLAY_LOG_DAMAGED);
    g_assert_nonnull(strstr(why, "out of sequence"));
    g_free(why);
    g_byte_array_unref(bytes);
    log_clear(&log);
}

/* Two recordings of equal machines with equal records: only their ids differ. */
static void test_foreign_frame(void)
{
    Log a, b;
    ReplayLogStatus status = REPLAY_LOG_FRAME;
    char *why = NULL;
    ReplayFrame frame;
    uint32_t json_length;
    gsize first, length;

    write_sample(&a, 60, 100);
    write_sample(&b, 60, 100);
    g_assert_cmpuint(a.length, ==, b.length);
    memcpy(&json_length, a.data + 12, 4);
    first = REPLAY_LOG_FILE_HEADER + json_length;
    g_assert_true(replay_frame_get_header(a.data + first, log_seed(&a), &frame));
    length = REPLAY_FRAME_HEADER + frame.stored_length;
    memcpy(a.data + first + length, b.data + first + length, a.length - first - length);
    g_assert_cmpint(walk(a.data, a.length, &status, &why), ==, (int)frame.count);
    g_assert_cmpint(status, ==, REPLAY_LOG_DAMAGED);
    g_assert_nonnull(strstr(why, "of another recording"));
    g_free(why);
    log_clear(&a);
    log_clear(&b);
}

static void test_old_version(void)
{
    Log log;
    ReplayLogStatus status;
    char *why = NULL;

    write_sample(&log, 60, 100);
    log.data[8] = 1;
    g_assert_cmpint(walk(log.data, log.length, &status, &why), ==, -1);
    g_assert_nonnull(strstr(why, "log format 1"));
    g_free(why);
    log_clear(&log);
}

/* ---- the file ---- */

static ReplayLogWriter *start_writer(const char *path, bool overwrite, Error **errp)
{
    ReplayLogWriter *w = replay_log_writer_new(&replay_log_recording);
    char *json = sample_json();
    bool ok = replay_log_writer_open(w, path, json, overwrite, errp);

    g_free(json);
    if (!ok) {
        g_clear_pointer(&w, replay_log_writer_free);
    }
    return w;
}

static void assert_content(const char *path, const char *want)
{
    char *text;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, want);
    g_free(text);
}

static void assert_recording(const char *path)
{
    ReplayLogReader *r = replay_log_reader_open(path, NULL);

    g_assert_nonnull(r);
    replay_log_reader_free(r);
}

static void test_two_recorders(void)
{
    char *path = temp_path();
    ReplayLogWriter *w = start_writer(path, false, NULL);
    Error *err = NULL;

    g_assert_nonnull(w);
    for (int overwrite = 0; overwrite < 2; overwrite++) {
        g_assert_null(start_writer(path, overwrite, &err));
        g_assert_nonnull(strstr(error_get_pretty(err), path));
        g_assert_nonnull(strstr(error_get_pretty(err), "another file"));
        g_clear_pointer(&err, error_free);
    }
    g_assert_true(replay_log_writer_finish(w));
    replay_log_writer_free(w);
    assert_recording(path);
    g_unlink(path);
    g_free(path);
}

static void test_old_file(void)
{
    char *path = temp_path();
    char *old = g_strconcat(path, ".old", NULL);
    ReplayLogWriter *w;

    /* An empty file is no recording: nothing to keep. */
    w = start_writer(path, false, NULL);
    g_assert_null(replay_log_writer_old(w));
    replay_log_writer_free(w);
    g_assert_true(g_file_set_contents(path, "precious", -1, NULL));
    w = start_writer(path, false, NULL);
    g_assert_cmpstr(replay_log_writer_old(w), ==, old);
    assert_content(old, "precious");
    /* Discarded: as if it had never been. */
    replay_log_writer_discard(w);
    replay_log_writer_free(w);
    assert_content(path, "precious");
    g_assert_false(g_file_test(old, G_FILE_TEST_EXISTS));

    w = start_writer(path, true, NULL);
    g_assert_null(replay_log_writer_old(w));
    replay_log_writer_free(w);
    g_assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
    assert_recording(path);
    g_unlink(path);
    g_free(path);
    g_free(old);
}

/* The link stays a link, and the file behind it is the one that is kept. */
static void test_linked_file(void)
{
    char *path = temp_path();
    char *old = g_strconcat(path, ".old", NULL);
    char *link = g_strconcat(path, ".link", NULL);
    ReplayLogWriter *w;

    g_assert_true(g_file_set_contents(path, "precious", -1, NULL));
    g_assert_cmpint(symlink(path, link), ==, 0);
    w = start_writer(link, false, NULL);
    g_assert_cmpstr(replay_log_writer_old(w), ==, old);
    replay_log_writer_free(w);
    assert_content(old, "precious");
    assert_recording(path);
    g_assert_true(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
    g_unlink(path);
    g_unlink(old);
    g_unlink(link);
    g_free(path);
    g_free(old);
    g_free(link);
}

/* What is no regular file is written to as it is, by any number of recorders. */
static void test_special_file(void)
{
    ReplayLogWriter *a = start_writer("/dev/null", false, NULL);
    ReplayLogWriter *b = start_writer("/dev/null", false, NULL);

    g_assert_nonnull(a);
    g_assert_nonnull(b);
    g_assert_null(replay_log_writer_old(b));
    replay_log_writer_discard(a);
    replay_log_writer_free(a);
    replay_log_writer_free(b);
    g_assert_true(g_file_test("/dev/null", G_FILE_TEST_EXISTS));
}

static bool decode(const uint8_t *data, size_t length, uint64_t prev, ReplayRecord *rec)
{
    ByteReader in;

    byte_reader_init(&in, data, length);
    return replay_record_get(&in, rec, prev);
}

/* Records that no writer makes. */
static void test_bad_records(void)
{
    ReplayRecord rec;
    GByteArray *b = g_byte_array_new();

    /* A checkpoint, as the good case: head, delta, length, payload. */
    g_assert_true(decode((const uint8_t[]){ 18, 5, 1, 2 }, 4, 10, &rec));
    g_assert_cmpuint(rec.kind, ==, REPLAY_KIND_CHECKPOINT);
    g_assert_cmpuint(rec.pos, ==, 15);
    /* Payload cut short. */
    g_assert_false(decode((const uint8_t[]){ 18, 5, 2, 2 }, 4, 10, &rec));
    /* Unknown kinds 0 and 63. */
    g_assert_false(decode((const uint8_t[]){ 0, 5, 1, 2 }, 4, 10, &rec));
    g_assert_false(decode((const uint8_t[]){ 126, 5, 1, 2 }, 4, 10, &rec));
    /* An order word on a mark. */
    g_assert_false(decode((const uint8_t[]){ 19, 1, 5, 1, 2 }, 5, 10, &rec));
    /* The position would wrap. */
    g_assert_false(decode((const uint8_t[]){ 18, 5, 1, 2 }, 4, UINT64_MAX - 4, &rec));
    /* A source beyond every table. */
    bytes_put_u8(b, REPLAY_KIND_RANDOM << 1);
    bytes_put_varint(b, 0);
    bytes_put_varint(b, REPLAY_LOG_MAX_SOURCES);
    bytes_put_varint(b, 0);
    g_assert_false(decode(b->data, b->len, 0, &rec));
    /* A payload longer than any. */
    g_byte_array_set_size(b, 0);
    bytes_put_u8(b, REPLAY_KIND_CHECKPOINT << 1);
    bytes_put_varint(b, 0);
    bytes_put_varint(b, REPLAY_MAX_PAYLOAD + 1);
    g_byte_array_set_size(b, b->len + REPLAY_MAX_PAYLOAD + 1);
    g_assert_false(decode(b->data, b->len, 0, &rec));
    g_byte_array_unref(b);
}

static void assert_same_entries(const GArray *a, const GArray *b)
{
    g_assert_cmpuint(a->len, ==, b->len);
    for (unsigned i = 0; i < a->len; i++) {
        ReplayIndexEntry x = g_array_index(a, ReplayIndexEntry, i);
        ReplayIndexEntry y = g_array_index(b, ReplayIndexEntry, i);

        g_assert_cmpuint(x.sequence, ==, y.sequence);
        g_assert_cmpuint(x.offset, ==, y.offset);
        g_assert_cmpuint(x.first_pos, ==, y.first_pos);
        g_assert_cmpuint(x.first_record, ==, y.first_record);
    }
}

static void test_index(void)
{
    ReplayIndex *index = replay_index_new(), *back;
    GByteArray *raw = g_byte_array_new();

    for (unsigned i = 0; i < 100; i++) {
        ReplayIndexEntry e = { i * 2, 1000 + i * 77, (uint64_t)i << 33, i * 5 };

        g_array_append_val(index->frames, e);
    }
    /* With keyframes, and without. */
    for (unsigned n = 0; n < 2; n++) {
        g_byte_array_set_size(raw, 0);
        replay_index_put(raw, index);
        back = replay_index_get(raw->data, raw->len);
        g_assert_nonnull(back);
        assert_same_entries(index->frames, back->frames);
        assert_same_entries(index->keyframes, back->keyframes);
        g_assert_null(replay_index_get(raw->data, raw->len - 1));
        replay_index_free(back);
        g_array_append_val(index->keyframes, g_array_index(index->frames, ReplayIndexEntry, 7));
    }
    replay_index_free(index);
    g_byte_array_unref(raw);
}

/* The disk is full in mid-recording: one message, and what is there replays. */
static void test_disk_full(void)
{
    ReplayLogWriter *w = replay_log_writer_new(&(ReplayLogOptions){ 512, 3, false });
    struct rlimit old, limit;
    char *json = sample_json();
    ReplayLogStatus status = REPLAY_LOG_FRAME;
    char *why = NULL;
    uint8_t payload[64];
    Log log = { .path = temp_path() };
    int n;

    g_assert_true(replay_log_writer_open(w, log.path, json, false, NULL));
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
    limit = old;
    limit.rlim_cur = 5000;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    for (unsigned i = 0; i < 2000; i++) {
        ReplayRecord rec = sample_record(i, payload);

        replay_log_writer_put(w, &rec);
    }
    g_assert_false(replay_log_writer_finish(w));
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
    g_assert_true(replay_log_writer_failed(w));
    log_read(&log);
    g_assert_cmpuint(log.length, <=, 5000);
    g_assert_cmpuint(log.length, ==, replay_log_writer_bytes(w));
    n = walk(log.data, log.length, &status, &why);
    g_assert_cmpint(n, >, 50);
    g_assert_cmpint(status, ==, REPLAY_LOG_TRUNCATED);
    replay_log_writer_free(w);
    log_clear(&log);
    g_free(json);
}

static void test_open_errors(void)
{
    ReplayLogWriter *w = replay_log_writer_new(&replay_log_recording);
    Error *err = NULL;

    g_assert_false(replay_log_writer_open(w, "/nonexistent/dir/log", "{}", false, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "/nonexistent/dir/log"));
    error_free(err);
    replay_log_writer_free(w);
    err = NULL;
    g_assert_null(replay_log_reader_open("/nonexistent/log", &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "/nonexistent/log"));
    error_free(err);
    err = NULL;
    g_assert_null(replay_log_reader_open("/", &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "regular file"));
    error_free(err);
    err = NULL;
    g_assert_null(replay_log_reader_open_memory(
        (const uint8_t *)"not a log, but long enough to be one", 36, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "not a Rearm recording"));
    error_free(err);
}

static void check_bad_json(const char *json)
{
    Error *err = NULL;

    g_assert_null(replay_description_from_json(json, &err));
    g_assert_nonnull(err);
    error_free(err);
}

#define ID "0123456789abcdef0123456789abcdef"

static ReplayDescription *with_ancestors(const char *ancestors)
{
    g_autofree char *json = g_strdup_printf(
        "{\"build\":\"x\",\"engine\":1,\"check\":\"off\",\"check-period\":0,\"machine\":{},"
        "\"sources\":[],\"ancestors\":%s}", ancestors);

    return replay_description_from_json(json, NULL);
}

static void check_bad_ancestors(const char *ancestors)
{
    ReplayDescription *d = with_ancestors("[]");

    g_assert_nonnull(d);
    replay_description_free(d);
    g_assert_null(with_ancestors(ancestors));
}

static void test_description(void)
{
    char *json = sample_json();
    ReplayDescription *d = replay_description_from_json(json, NULL);
    char *again;

    g_assert_nonnull(d);
    again = replay_description_to_json(d);
    g_assert_cmpstr(again, ==, json);
    g_assert_cmpuint(replay_description_find_source(d, REPLAY_KIND_RANDOM, "rng"), ==, 1);
    g_assert_cmpuint(replay_description_find_source(d, REPLAY_KIND_CHAR, "rng"), ==,
                     REPLAY_NO_SOURCE);
    g_assert_cmpuint(d->ancestors->len, ==, 1);
    g_assert_cmpmem(d->ancestors->data, sizeof(ReplayPlace), &sample_ancestor,
                    sizeof(ReplayPlace));
    replay_description_free(d);
    g_free(again);
    g_free(json);

    check_bad_json("");
    check_bad_json("[]");
    check_bad_json("{\"build\":\"x\"}");
    check_bad_json("{\"build\":\"x\",\"check\":\"sometimes\",\"check-period\":0,"
                   "\"machine\":{},\"sources\":[]}");
    check_bad_json("{\"build\":\"x\",\"check\":\"off\",\"check-period\":0,"
                   "\"machine\":{\"cpu\":1},\"sources\":[]}");
    check_bad_json("{\"build\":\"x\",\"check\":\"off\",\"check-period\":0,"
                   "\"machine\":{},\"sources\":[{\"kind\":\"WARP\",\"name\":\"x\"}]}");
    check_bad_json("{\"build\":\"x\",\"check\":\"digest\",\"check-period\":0,"
                   "\"machine\":{},\"sources\":[]}");
    check_bad_ancestors("{}");
    check_bad_ancestors("[1]");
    check_bad_ancestors("[{\"id\":\"12\",\"records\":1,\"position\":1}]");
    check_bad_ancestors("[{\"id\":\"" ID "0\",\"records\":1,\"position\":1}]");
    check_bad_ancestors("[{\"id\":\"x" ID "\",\"records\":1,\"position\":1}]");
    check_bad_ancestors("[{\"id\":\"" ID "\",\"records\":-1,\"position\":1}]");
    check_bad_ancestors("[{\"id\":\"" ID "\",\"records\":1}]");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/replay/log/crc32c", test_crc);
    g_test_add_func("/replay/log/round-trip", test_round_trip);
    g_test_add_func("/replay/log/truncation", test_truncation);
    g_test_add_func("/replay/log/flipped-byte", test_flipped_byte);
    g_test_add_func("/replay/log/order", test_order);
    g_test_add_func("/replay/log/foreign-frame", test_foreign_frame);
    g_test_add_func("/replay/log/old-version", test_old_version);
    g_test_add_func("/replay/log/two-recorders", test_two_recorders);
    g_test_add_func("/replay/log/old-file", test_old_file);
    g_test_add_func("/replay/log/linked-file", test_linked_file);
    g_test_add_func("/replay/log/special-file", test_special_file);
    g_test_add_func("/replay/log/bad-records", test_bad_records);
    g_test_add_func("/replay/log/index", test_index);
    g_test_add_func("/replay/log/go", test_go);
    g_test_add_func("/replay/log/go-incomplete", test_go_incomplete);
    g_test_add_func("/replay/log/disk-full", test_disk_full);
    g_test_add_func("/replay/log/open-errors", test_open_errors);
    g_test_add_func("/replay/log/description", test_description);
    return g_test_run();
}
