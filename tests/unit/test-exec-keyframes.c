/*
 * Keyframes: a new process goes to a place without running to it, and is in the state that a
 * straight run has there. Bad ones are done without.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "travel-machine.h"
#include "util/crc32c.h"

#define KEYFRAME_PERIOD 5000

static RunConfig keyframe_config(const char *path, unsigned n)
{
    static const ReplayCheck checks[] = { REPLAY_CHECK_EVENTS, REPLAY_CHECK_DIGEST,
                                          REPLAY_CHECK_OFF };
    RunConfig c = { .exec = { .icount = true, .shift = n % 3, .sleep = n % 2,
                              .keyframe_positions = KEYFRAME_PERIOD },
                    .num_cpus = n % 4 + 1, .limit = 50,
                    .replay = { .mode = REPLAY_MODE_RECORD, .file = path, .keyframes = true,
                                .overwrite = true, .check = checks[n % ARRAY_SIZE(checks)],
                                .check_period = 7777 } };

    return c;
}

/* The timer fires seldom on the way: most of it is not run. */
static void check_far_seek(const RunConfig *c, const ExecResult *recorded, const Straight *s,
                           unsigned shape, unsigned point, Rng *rng)
{
    Look here;
    Run r;

    open_replay(&r, c, shape);
    seek(&r, s->at[point], EXEC_STOP_POSITION);
    here = look(&r);
    g_assert_cmpuint(here.position, ==, s->at[point]);
    g_assert_cmphex(here.digest, ==, s->digest[point]);
    g_assert_cmpuint(r.dev.fires, <=, s->fires[point] / 2);
    for (unsigned n = 0; n < 5; n++) {
        check_seek(&r, s, rng);
        check_step(&r, rng);
        check_reverse_cont(&r, s);
    }
    finish(&r, recorded);
}

static char *keyframe_path(void)
{
    return g_strdup_printf("%s/rearm-keyframes-%d.rr", g_get_tmp_dir(), (int)getpid());
}

static void test_keyframes(void)
{
    g_autofree char *path = keyframe_path();
    Rng rng = { 7 };

    for (unsigned n = 0; n < 8; n++) {
        RunConfig c = keyframe_config(path, n);
        ExecResult recorded = record(&c);
        Straight s;

        c.replay.mode = REPLAY_MODE_PLAY;
        note_stops(&c, &s);
        note_points(&c, &s, &rng);
        for (unsigned i = 0; i < 3; i++) {
            check_far_seek(&c, &recorded, &s, n + i, POINTS - 1 - i * 5, &rng);
        }
        g_array_unref(s.stops);
    }
    g_unlink(path);
}

typedef struct KeyframeCount {
    Run *r;
    guint count;
} KeyframeCount;

static void do_count_keyframes(void *opaque)
{
    KeyframeCount *k = opaque;

    k->count = replay_num_keyframes(k->r->replay);
}

/* They are the machine thread's. */
static guint count_keyframes(Run *r)
{
    KeyframeCount k = { .r = r };

    machine_run_sync(r->loop, do_count_keyframes, &k);
    return k.count;
}

/*
 * Whatever the keyframes of a log hold, a replay gets to the place, or reports, and never crashes. An
 * honest one is in the state that it has to be in. Returns how many keyframes it did without.
 */
static guint seek_in(const RunConfig *c, const Straight *s, bool honest)
{
    unsigned stops;
    guint before, after;
    Run r;

    open_replay(&r, c, 0);
    r.dev.any_state = true;
    before = count_keyframes(&r);
    stops = r.stops;
    g_assert_true(exec_loop_seek(r.loop, s->at[POINTS - 1], NULL));
    if (honest) {
        wait_stop(&r, stops + 1, EXEC_STOP_POSITION);
        g_assert_cmphex(look(&r).digest, ==, s->digest[POINTS - 1]);
    } else {
        run_wait_stop(&r, stops + 1);
    }
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r.loop);
    after = count_keyframes(&r);
    run_close(&r);
    return before - after;
}

typedef struct File {
    char *path;
    GByteArray *data;
    uint32_t seed;
    ReplayPacker packer;
    GArray *frames;           /* ReplayFrame: of keyframes */
} File;

static void file_write(const File *f)
{
    g_assert_true(g_file_set_contents(f->path, (const char *)f->data->data, f->data->len, NULL));
}

static void file_read(File *f)
{
    char *data;
    gsize length;
    uint64_t offset;
    ReplayFrame frame;

    g_assert_true(g_file_get_contents(f->path, &data, &length, NULL));
    f->data = g_byte_array_new_take((guint8 *)data, length);
    f->seed = replay_log_seed(f->data->data + 16);
    f->frames = g_array_new(false, false, sizeof(ReplayFrame));
    offset = REPLAY_LOG_FILE_HEADER + load_le(data + 12, 4);
    while (offset < length &&
           replay_frame_get_header(f->data->data + offset, f->seed, &frame)) {
        frame.offset = offset;
        if (frame.magic == REPLAY_FRAME_KEYFRAME || frame.magic == REPLAY_FRAME_KEYFRAME_DATA) {
            g_array_append_val(f->frames, frame);
        }
        offset += REPLAY_FRAME_HEADER + frame.stored_length;
    }
    g_assert_cmpuint(offset, ==, length);
}

/* The header's CRC is right. */
static void set_version(File *f, uint32_t version)
{
    uint32_t length = (uint32_t)load_le(f->data->data + 12, 4);
    uint32_t crc;

    store_le(f->data->data + 8, version, 4);
    crc = crc32c(0, f->data->data, 32);
    crc = crc32c(crc, f->data->data + REPLAY_LOG_FILE_HEADER, length);
    store_le(f->data->data + 32, crc, 4);
}

/* The bytes of a frame of the last keyframes, and what is right for them. */
static ReplayFrame choose_frame(const File *f, Rng *rng)
{
    return g_array_index(f->frames, ReplayFrame, f->frames->len - 1 - rng_below(rng, 12));
}

/* A byte is changed, and the CRCs are those of an honest frame. False: it does not fit in its place. */
static bool forge(File *f, const ReplayFrame *at, Rng *rng)
{
    uint8_t *place = f->data->data + at->offset;
    g_autofree uint8_t *raw = replay_frame_unpack(at, &f->packer, f->seed,
                                                  place + REPLAY_FRAME_HEADER);
    GByteArray *out = g_byte_array_new();
    ReplayFrame frame = *at;
    bool fits;

    g_assert_nonnull(raw);
    raw[rng_below(rng, at->raw_length)] ^= (uint8_t)(1u << rng_below(rng, 8));
    replay_frame_put(out, &f->packer, f->seed, &frame, raw, at->raw_length,
                     at->magic == REPLAY_FRAME_KEYFRAME ? replay_log_recording.level :
                     replay_log_recording.keyframe_level);
    fits = out->len == REPLAY_FRAME_HEADER + at->stored_length;
    if (fits) {
        memcpy(place, out->data, out->len);
    }
    g_byte_array_unref(out);
    return fits;
}

static void check_damaged(const RunConfig *c, const Straight *s, File *f, Rng *rng)
{
    guint refused = 0;

    for (unsigned n = 0; n < 40; n++) {
        ReplayFrame frame = choose_frame(f, rng);
        uint8_t *byte = f->data->data + frame.offset + REPLAY_FRAME_HEADER +
                        rng_below(rng, frame.stored_length);

        *byte ^= 1;
        file_write(f);
        refused += seek_in(c, s, true);
        *byte ^= 1;
    }
    g_assert_cmpuint(refused, >, 0);
}

static void check_forged(const RunConfig *c, const Straight *s, File *f, Rng *rng)
{
    g_autofree uint8_t *good = g_memdup2(f->data->data, f->data->len);
    guint refused = 0;

    for (unsigned n = 0; n < 150; n++) {
        ReplayFrame frame = choose_frame(f, rng);

        if (forge(f, &frame, rng)) {
            file_write(f);
            refused += seek_in(c, s, false);
            memcpy(f->data->data, good, f->data->len);
        }
    }
    g_assert_cmpuint(refused, >, 0);
}

/* Keyframes had another form before, and are not looked at. */
static void check_old_format(const RunConfig *c, const Straight *s, File *f)
{
    Run r;

    set_version(f, 5);
    file_write(f);
    open_replay(&r, c, 0);
    g_assert_cmpuint(count_keyframes(&r), ==, 0);
    seek(&r, s->at[POINTS - 1], EXEC_STOP_POSITION);
    g_assert_cmphex(look(&r).digest, ==, s->digest[POINTS - 1]);
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r.loop);
    run_close(&r);
}

static void test_bad_keyframes(void)
{
    g_autofree char *path = keyframe_path();
    RunConfig c = keyframe_config(path, 0);
    File f = { .path = path };
    Rng rng = { 9 };
    Straight s;

    record(&c);
    c.replay.mode = REPLAY_MODE_PLAY;
    note_stops(&c, &s);
    note_points(&c, &s, &rng);
    file_read(&f);
    check_damaged(&c, &s, &f, &rng);
    check_forged(&c, &s, &f, &rng);
    /* Cut off: no index, and not the last keyframe's head. */
    g_byte_array_set_size(f.data, (guint)g_array_index(f.frames, ReplayFrame, f.frames->len - 1).offset);
    file_write(&f);
    s.at[POINTS - 1] = s.at[POINTS - 4];
    s.digest[POINTS - 1] = s.digest[POINTS - 4];
    g_assert_cmpuint(seek_in(&c, &s, true), ==, 0);
    check_old_format(&c, &s, &f);
    replay_packer_clear(&f.packer);
    g_array_unref(f.frames);
    g_byte_array_unref(f.data);
    g_array_unref(s.stops);
    g_unlink(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exec-keyframes/good", test_keyframes);
    g_test_add_func("/exec-keyframes/bad", test_bad_keyframes);
    return g_test_run();
}
