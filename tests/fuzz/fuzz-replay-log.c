/*
 * Fuzz target: everything that reads a recording. The first byte of the input
 * says what the rest is:
 *   0  a whole file, as it is
 *   1  the records of a frame, put into a file with a valid header and CRCs, so that the
 *      decoder behind the CRCs gets its share
 *   2  the JSON of a header with valid CRC
 *   3  an index
 *   4  the compressed data of a frame, with a valid CRC
 *   5  the records of a frame, replayed by a machine that works and idles
 *   6  the head of a keyframe
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <sys/mman.h>
#include <unistd.h>
#include "tests/fuzz/fuzz.h"
#include "hw/core/clock.h"
#include "replay/replay-cursor.h"
#include "replay/replay-kinds.h"
#include "replay/replay.h"
#include "util/crc32c.h"

enum { WHOLE_FILE, RECORDS, HEADER, INDEX, COMPRESSED, REPLAY, KEYFRAME, NUM_FORMS };

static const uint8_t log_id[REPLAY_LOG_ID_SIZE] = "fuzz-replay-log";
/* Nothing of it goes from one input to the next. */
static ReplayPacker packer;

static ReplayDescription *description(void)
{
    static const ReplayPlace ancestor = { "another", 12, 3456 };
    ReplayDescription *d = replay_description_new();

    replay_description_add(d, "cpu", "cortex-a57");
    replay_description_add_source(d, REPLAY_KIND_CHAR, "uart0");
    replay_description_add_source(d, REPLAY_KIND_RANDOM, "rng");
    g_array_append_val(d->ancestors, ancestor);
    return d;
}

/* All that a replay, a report and the tool do with records. */
static void walk(const uint8_t *data, size_t size)
{
    ReplayLogReader *reader = replay_log_reader_open_memory(data, size, NULL);
    ReplayCursor *c = reader ? replay_cursor_new(reader, NULL) : NULL;
    GString *text = g_string_new(NULL);
    const ReplayRecord *rec;
    uint64_t pos = 0;

    while (c && (rec = replay_cursor_peek(c)) != NULL) {
        g_string_truncate(text, 0);
        replay_record_format(text, rec, replay_cursor_description(c));
        assert(rec->pos >= pos && replay_cursor_bound(c) >= rec->pos);
        pos = rec->pos;
        replay_cursor_advance(c);
    }
    if (c) {
        replay_cursor_history(c, text);
        assert(replay_cursor_status(c) != REPLAY_LOG_FRAME);
        replay_cursor_free(c);
    }
    g_string_free(text, true);
}

static void put_header(GByteArray *out)
{
    ReplayDescription *d = description();
    char *json = replay_description_to_json(d);

    replay_log_put_header(out, log_id, json);
    g_free(json);
    replay_description_free(d);
}

/* How many records a reader would find there. */
static uint32_t count_records(const uint8_t *data, size_t size)
{
    ReplayRecord rec;
    ByteReader in;
    uint32_t n = 0;

    byte_reader_init(&in, data, size);
    while (byte_reader_left(&in) && replay_record_get(&in, &rec, 0)) {
        n++;
    }
    return n;
}

static void walk_records(const uint8_t *data, size_t size)
{
    ReplayFrame frame = { .magic = REPLAY_FRAME_RECORDS, .count = count_records(data, size) };
    GByteArray *file = g_byte_array_new();

    if (size && size <= REPLAY_LOG_MAX_FRAME) {
        put_header(file);
        replay_frame_put(file, &packer, replay_log_seed(log_id), &frame, data, size, 1);
        walk(file->data, file->len);
    }
    g_byte_array_unref(file);
}

/* ---- a replay ---- */

#define MAX_STEPS 200
/* The machine idles whenever it has executed so many instructions. */
#define IDLE_PERIOD 1000

typedef struct FuzzMachine {
    VirtualClock *clock;
    uint64_t warps;
    int64_t icount;
    int64_t left;             /* always 0: the clock counts whole slices */
} FuzzMachine;

static uint64_t machine_position(void *opaque)
{
    const FuzzMachine *m = opaque;

    return (uint64_t)m->icount + m->warps;
}

static bool take_char(void *opaque, const uint8_t *payload, size_t length)
{
    return true;
}

/* A replay never asks how long the host slept. */
static int64_t never_sleeps(void *opaque, int64_t until)
{
    abort();
}

/* What the execution loop does at a boundary, in small. Time never goes back. */
static void machine_step(FuzzMachine *m, Replay *r)
{
    int64_t before = clock_now(m->clock), ns = 0;
    int64_t until = m->warps % 2 ? 5000 : INT64_MAX;
    uint64_t room;

    if (replay_safe_point(r)) {
        return;
    }
    if (m->icount % IDLE_PERIOD == 0 && m->icount / IDLE_PERIOD == (int64_t)m->warps) {
        if (replay_idle(r, until, never_sleeps, NULL, &ns)) {
            assert(ns >= 0 && ns <= until);
            clock_warp(m->clock, ns);
            m->warps++;
        }
    } else {
        room = replay_next_pos(r) - machine_position(m);
        m->icount += (int64_t)CLAMP(room, 1, IDLE_PERIOD - (uint64_t)m->icount % IDLE_PERIOD);
        clock_set_slice(m->clock, m->icount, &m->left);
    }
    assert(clock_now(m->clock) >= before);
}

static void replay_whole_file(const char *path)
{
    ReplayConfig config = { .mode = REPLAY_MODE_PLAY, .file = path };
    Replay *r = replay_new(&config, NULL);
    FuzzMachine m = { .clock = clock_new() };
    ReplayHost host = { .position = machine_position, .opaque = &m };

    clock_use_icount(m.clock, CLOCK_MAX_SHIFT);
    if (r) {
        replay_set_host(r, &host);
        replay_describe(r, "cpu", "cortex-a57");
        replay_source_new(r, REPLAY_KIND_CHAR, "uart0", take_char, NULL);
        replay_source_new(r, REPLAY_KIND_RANDOM, "rng", NULL, NULL);
        if (replay_start(r, NULL)) {
            for (unsigned n = 0; n < MAX_STEPS && !replay_failed(r) && !replay_at_end(r); n++) {
                machine_step(&m, r);
            }
        }
        replay_free(r);
    }
    clock_free(m.clock);
}

static void replay_records(const uint8_t *data, size_t size)
{
    ReplayFrame frame = { .magic = REPLAY_FRAME_RECORDS, .count = count_records(data, size) };
    GByteArray *file = g_byte_array_new();
    g_autofree char *path = NULL;
    int fd = memfd_create("fuzz", 0);

    if (size && size <= REPLAY_LOG_MAX_FRAME) {
        put_header(file);
        replay_frame_put(file, &packer, replay_log_seed(log_id), &frame, data, size, 1);
        assert(fd >= 0 && write(fd, file->data, file->len) == (ssize_t)file->len);
        path = g_strdup_printf("/proc/self/fd/%d", fd);
        replay_whole_file(path);
    }
    close(fd);
    g_byte_array_unref(file);
}

static void walk_header(const uint8_t *data, size_t size)
{
    GByteArray *file = g_byte_array_new();
    char *json = g_strndup((const char *)data, size);

    if (strlen(json) <= REPLAY_LOG_MAX_HEADER) {
        replay_log_put_header(file, log_id, json);
        walk(file->data, file->len);
    }
    g_free(json);
    g_byte_array_unref(file);
}

static void unpack(const uint8_t *data, size_t size)
{
    ReplayFrame frame = { .raw_length = 65536, .stored_length = (uint32_t)size,
                          .data_crc = crc32c(0, data, size) };

    if (size && size < frame.raw_length) {
        g_free(replay_frame_unpack(&frame, &packer, 0, data));
    }
}

/* What a reader relies on: pages below the bound, a data frame for each chunk of them before the head. */
static void decode_keyframe(const uint8_t *data, size_t size)
{
    enum { MAX_PAGES = 1000, OFFSET = 100000 };
    ReplayKeyframeHead *h = replay_keyframe_head_get(data, size, OFFSET, MAX_PAGES);
    uint64_t total = 0;

    if (!h) {
        return;
    }
    for (guint n = 0; n < h->pages->len; n++) {
        const ReplayPageRun *run = &g_array_index(h->pages, ReplayPageRun, n);

        assert(run->first + run->count <= MAX_PAGES);
        total += run->count;
    }
    assert(total == h->num_pages);
    assert(h->chain <= h->number && h->time >= 0);
    for (guint n = 0; n < h->text->len; n++) {
        assert(g_array_index(h->text, uint64_t, n) < OFFSET);
    }
    assert(h->chunks->len == (total + REPLAY_KEYFRAME_CHUNK - 1) / REPLAY_KEYFRAME_CHUNK);
    for (guint n = 0; n < h->chunks->len; n++) {
        assert(g_array_index(h->chunks, uint64_t, n) < OFFSET);
    }
    replay_keyframe_head_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ReplayIndex *index;

    if (!size) {
        return 0;
    }
    switch (data[0] % NUM_FORMS) {
    case WHOLE_FILE:
        walk(data + 1, size - 1);
        break;
    case RECORDS:
        walk_records(data + 1, size - 1);
        break;
    case HEADER:
        walk_header(data + 1, size - 1);
        break;
    case REPLAY:
        replay_records(data + 1, size - 1);
        break;
    case KEYFRAME:
        decode_keyframe(data + 1, size - 1);
        break;
    case INDEX:
        index = replay_index_get(data + 1, size - 1);
        if (index) {
            replay_index_free(index);
        }
        break;
    default:
        unpack(data + 1, size - 1);
        break;
    }
    return 0;
}

/* ---- seeds ---- */

static void put_records(GByteArray *out)
{
    uint8_t payload[40] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    uint64_t pos = 0;

    /* END comes last: nothing may follow it. */
    for (unsigned i = 2; i <= 20; i++) {
        unsigned kind = i == 20 ? REPLAY_KIND_END : i;
        ReplayRecord rec = { .kind = kind, .source = kind == REPLAY_KIND_RANDOM,
                             .pos = pos + i * 100, .length = kind, .payload = payload };

        if (!replay_kind_info(kind)) {
            continue;
        }
        if (!replay_kind_has_source(kind) || rec.kind == REPLAY_KIND_CHAR ||
            rec.kind == REPLAY_KIND_RANDOM) {
            rec.again = kind == REPLAY_KIND_CHAR;
            replay_record_put(out, &rec, pos);
            pos = rec.pos;
        }
    }
}

/* Idle times where machine_step() has them, two of them far too long; and keys. */
static void put_warps(GByteArray *out)
{
    GByteArray *payload = g_byte_array_new();
    uint64_t last = 0;

    for (unsigned i = 0; i < 6; i++) {
        ReplayRecord rec = { .kind = REPLAY_KIND_WARP, .source = REPLAY_NO_SOURCE,
                             .pos = i * (IDLE_PERIOD + 1) };

        g_byte_array_set_size(payload, 0);
        bytes_put_svarint(payload, i % 2 || !i ? 4000 : INT64_MAX / 2);
        rec.payload = payload->data;
        rec.length = payload->len;
        replay_record_put(out, &rec, last);
        last = rec.pos + 500;
        rec = (ReplayRecord){ .kind = REPLAY_KIND_CHAR, .pos = last, .length = 1,
                              .payload = (const uint8_t *)"k" };
        replay_record_put(out, &rec, last - 500);
    }
    g_byte_array_unref(payload);
}

static void put_file(GByteArray *out)
{
    ReplayFrame frame = { .magic = REPLAY_FRAME_RECORDS };
    GByteArray *raw = g_byte_array_new();

    put_header(out);
    /* A checkpoint record: head, delta, length, payload. */
    g_byte_array_append(raw, (const uint8_t[]){ 18, 5, 1, 2 }, 4);
    frame.count = 1;
    replay_frame_put(out, &packer, replay_log_seed(log_id), &frame, raw->data, raw->len, 3);
    g_byte_array_set_size(raw, 0);
    put_records(raw);
    frame.sequence = 1;
    frame.first_pos = 1u << 20;
    frame.count = count_records(raw->data, raw->len);
    replay_frame_put(out, &packer, replay_log_seed(log_id), &frame, raw->data, raw->len, 3);
    g_byte_array_unref(raw);
}

static void put_index(GByteArray *out)
{
    ReplayIndex *index = replay_index_new();

    for (unsigned i = 0; i < 20; i++) {
        ReplayIndexEntry e = { i, 200 + i * 1000, (uint64_t)i * 50000, i };

        g_array_append_val(i % 3 ? index->frames : index->keyframes, e);
    }
    replay_index_put(out, index);
    replay_index_free(index);
}

static void put_compressed(GByteArray *out)
{
    GByteArray *frame_bytes = g_byte_array_new();
    ReplayFrame frame = { .magic = REPLAY_FRAME_RECORDS, .count = 1 };
    uint8_t *raw = g_malloc(65536);

    for (unsigned i = 0; i < 65536; i++) {
        raw[i] = (uint8_t)(i / 7 % 50);
    }
    replay_frame_put(frame_bytes, &packer, 0, &frame, raw, 65536, 3);
    g_byte_array_append(out, frame_bytes->data + REPLAY_FRAME_HEADER, frame.stored_length);
    g_free(raw);
    g_byte_array_unref(frame_bytes);
}

static bool put_nowhere(void *opaque, const GByteArray *data, uint64_t *offset)
{
    *offset = *(uint64_t *)opaque += 1000;
    return true;
}

static void put_keyframe(GByteArray *out)
{
    static const uint8_t content[REPLAY_PAGE_SIZE];
    ReplayKeyframe *k = replay_keyframe_new();
    uint64_t offset = 0;

    k->chain = 2;
    k->time = 1ll << 40;
    k->outputs = 1000;
    for (unsigned i = 0; i < 3; i++) {
        g_ptr_array_add(k->text, g_byte_array_new());
    }
    for (uint64_t i = 0; i < 200; i++) {
        const ReplayPage page = { i * i / 50 + i, i % 4 ? content : NULL };

        g_array_append_val(k->pages, page);
        g_array_append_val(k->marked, page.number);
    }
    replay_keyframe_put(out, k, 3, 77, put_nowhere, &offset);
    replay_keyframe_free(k);
}

GByteArray *fuzz_seed(unsigned n)
{
    GByteArray *out = g_byte_array_new();
    uint8_t form = (uint8_t)n;
    ReplayDescription *d;
    char *json;

    g_byte_array_append(out, &form, 1);
    switch (n) {
    case WHOLE_FILE:
        put_file(out);
        break;
    case RECORDS:
        put_records(out);
        break;
    case HEADER:
        d = description();
        json = replay_description_to_json(d);
        g_byte_array_append(out, (const uint8_t *)json, (guint)strlen(json));
        g_free(json);
        replay_description_free(d);
        break;
    case INDEX:
        put_index(out);
        break;
    case COMPRESSED:
        put_compressed(out);
        break;
    case REPLAY:
        put_warps(out);
        break;
    case KEYFRAME:
        put_keyframe(out);
        break;
    default:
        g_byte_array_unref(out);
        return NULL;
    }
    return out;
}
