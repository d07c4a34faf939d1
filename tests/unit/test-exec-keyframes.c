/*
 * Keyframes: a new process goes to a place without running to it, and is in the state that a
 * straight run has there. Bad ones are done without.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "travel-machine.h"
#include <fcntl.h>
#include <sys/file.h>
#include "replay/replay-add.h"
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

/* And it gets no others. */
static void replay_it(RunConfig *c)
{
    c->replay.mode = REPLAY_MODE_PLAY;
    c->replay.keyframes = false;
}

/* The timer fires seldom on the way: most of it is not run. */
static void check_far(Run *r, const Straight *s, unsigned point)
{
    g_assert_cmpuint(r->dev.fires, <=, s->fires[point] / 2);
}

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
    check_far(&r, s, point);
    for (unsigned n = 0; n < 5; n++) {
        check_seek(&r, s, rng);
        check_step(&r, rng);
        check_reverse_cont(&r, s);
    }
    finish(&r, recorded);
}

static void quit(Run *r)
{
    exec_loop_request(r->loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r->loop);
    run_close(r);
}

/* Time grows with the position, so a moment is one place. */
static void check_far_time(const RunConfig *c, const Straight *s, unsigned shape, unsigned point)
{
    unsigned stops;
    Run r;

    open_replay(&r, c, shape);
    stops = r.stops;
    g_assert_true(exec_loop_seek_by(r.loop, s->time[point] - look(&r).time, NULL));
    wait_stop(&r, stops + 1, EXEC_STOP_POSITION);
    g_assert_cmpuint(look(&r).position, ==, s->at[point]);
    g_assert_cmphex(look(&r).digest, ==, s->digest[point]);
    check_far(&r, s, point);
    quit(&r);
}

/* In a straight run it is not said before this place, and is behind it. */
static void check_said(const RunConfig *c, const Look *there, const char *text)
{
    Run r;

    open_replay(&r, c, 0);
    run_on(&r, there->position - 2);
    g_assert_cmpstr(r.dev.said, !=, text);
    run_on(&r, there->position);
    g_assert_cmpstr(r.dev.said, ==, text);
    g_assert_cmphex(look(&r).digest, ==, there->digest);
    quit(&r);
}

static bool seek_text(ExecLoop *l, const char *text)
{
    return exec_loop_seek_text(l, text, EXEC_TEXT_FROM_START, 1, NULL);
}

static void check_far_text(const RunConfig *c, const Straight *s, unsigned shape, unsigned point)
{
    GString *all = g_string_new(NULL);
    unsigned stops;
    Look there;
    Run r;

    open_replay(&r, c, shape);
    stops = r.stops;
    g_assert_true(seek_text(r.loop, s->said[point]));
    wait_stop(&r, stops + 1, EXEC_STOP_POSITION);
    there = look(&r);
    check_far(&r, s, point);
    /* All that was said up to there is known, though not to this process. */
    g_assert_true(replay_output_text(r.replay, NULL, there.position, all, NULL));
    g_assert_true(g_str_has_suffix(all->str, s->said[point]));
    for (unsigned n = 0; n < point; n++) {
        g_assert_nonnull(strstr(all->str, s->said[n]));
    }
    g_assert_null(strstr(all->str, "not known here"));
    g_string_free(all, true);
    quit(&r);
    check_said(c, &there, s->said[point]);
}

/* What nobody said is not looked for in what was said. */
static void check_no_text(const RunConfig *c, const Straight *s, unsigned shape)
{
    unsigned stops;
    Run r;

    open_replay(&r, c, shape);
    stops = r.stops;
    g_assert_true(seek_text(r.loop, "[nobody]"));
    wait_stop(&r, stops + 1, EXEC_STOP_REPLAY_END);
    g_assert_cmpuint(look(&r).position, ==, s->total);
    check_far(&r, s, POINTS - 1);
    quit(&r);
}

typedef struct PageWriter {
    ExecLoop *loop;
    Rng rng;
} PageWriter;

/* Pages that only a debugger writes to: more than a keyframe takes along. */
static void do_write_pages(void *opaque)
{
    static const uint8_t zeros[PAGE_SIZE];
    PageWriter *w = opaque;

    for (unsigned n = 0; n < 40; n++) {
        hwaddr page = RAM + (1u << 20) + rng_below(&w->rng, 700) * PAGE_SIZE;
        uint64_t value = rng_next(&w->rng);

        if (rng_percent(&w->rng, 20)) {
            exec_loop_write_physical(w->loop, page, zeros, sizeof(zeros));
        } else {
            exec_loop_write_physical(w->loop, page + value % 512 * 8, &value, sizeof(value));
        }
    }
}

static void write_pages(Run *r, void *opaque)
{
    PageWriter *w = opaque;

    w->loop = r->loop;
    machine_run_sync(r->loop, do_write_pages, w);
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

static void file_clear(File *f)
{
    replay_packer_clear(&f->packer);
    g_array_unref(f->frames);
    g_byte_array_unref(f->data);
}

static ReplayKeyframeHead *read_head(File *f, const ReplayFrame *frame)
{
    const uint8_t *stored = f->data->data + frame->offset + REPLAY_FRAME_HEADER;
    g_autofree uint8_t *raw = replay_frame_unpack(frame, &f->packer, f->seed, stored);

    g_assert_nonnull(raw);
    return replay_keyframe_head_get(raw, frame->raw_length, frame->offset, RAM_SIZE / PAGE_SIZE);
}

/* They do not grow with the recording. */
static void check_chains(const char *path)
{
    File f = { .path = g_strdup(path) };
    uint64_t count = 0;

    file_read(&f);
    for (guint i = 0; i < f.frames->len; i++) {
        const ReplayFrame *frame = &g_array_index(f.frames, ReplayFrame, i);
        ReplayKeyframeHead *h;

        if (frame->magic != REPLAY_FRAME_KEYFRAME) {
            continue;
        }
        h = read_head(&f, frame);
        g_assert_nonnull(h);
        g_assert_cmpuint(h->number, ==, count);
        g_assert_cmpuint(h->chain, <=, 40);
        count++;
        replay_keyframe_head_free(h);
    }
    g_free(f.path);
    file_clear(&f);
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
        PageWriter writer = { .rng = { 3 } };
        ExecResult recorded;
        Straight s;

        c.limit = n == 3 ? 300 : 50;
        recorded = record_also(&c, n % 2 ? write_pages : NULL, &writer);
        check_chains(path);
        replay_it(&c);
        note_stops(&c, &s);
        note_points(&c, &s, &rng);
        for (unsigned i = 0; i < 3; i++) {
            check_far_seek(&c, &recorded, &s, n + i, POINTS - 1 - i * 5, &rng);
        }
        check_far_time(&c, &s, n, POINTS - 2);
        check_far_text(&c, &s, n, POINTS - 3);
        check_no_text(&c, &s, n);
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

static void seek_somehow(Run *r, const Straight *s, Rng *rng)
{
    bool ok;

    switch (rng_below(rng, 3)) {
    case 0:
        ok = exec_loop_seek(r->loop, s->at[POINTS - 1], NULL);
        break;
    case 1:
        ok = exec_loop_seek_by(r->loop, s->time[POINTS - 1] - look(r).time, NULL);
        break;
    default:
        ok = seek_text(r->loop, s->said[POINTS - 1]);
    }
    g_assert_true(ok);
}

/*
 * Whatever the keyframes of a log hold, a replay gets to the place, or reports, and never crashes. An
 * honest one is in the state that it has to be in. Returns how many keyframes it did without.
 */
static guint seek_in(const RunConfig *c, const Straight *s, bool honest, Rng *rng)
{
    unsigned stops;
    guint before, after;
    Run r;

    open_replay(&r, c, 0);
    r.dev.any_state = true;
    before = count_keyframes(&r);
    stops = r.stops;
    if (honest) {
        g_assert_true(exec_loop_seek(r.loop, s->at[POINTS - 1], NULL));
        wait_stop(&r, stops + 1, EXEC_STOP_POSITION);
        g_assert_cmphex(look(&r).digest, ==, s->digest[POINTS - 1]);
    } else {
        seek_somehow(&r, s, rng);
        run_wait_stop(&r, stops + 1);
    }
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r.loop);
    after = count_keyframes(&r);
    run_close(&r);
    return before - after;
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
        refused += seek_in(c, s, true, rng);
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
            refused += seek_in(c, s, false, rng);
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
    quit(&r);
}

static void test_bad_keyframes(void)
{
    g_autofree char *path = keyframe_path();
    RunConfig c = keyframe_config(path, 0);
    File f = { .path = path };
    Rng rng = { 9 };
    Straight s;

    record(&c);
    replay_it(&c);
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
    g_assert_cmpuint(seek_in(&c, &s, true, &rng), ==, 0);
    check_old_format(&c, &s, &f);
    file_clear(&f);
    g_array_unref(s.stops);
    g_unlink(path);
}

/* ---- keyframes for a recording that is there already ---- */

typedef struct Names {
    char *file, *old, *copy;
} Names;

static void names_clear(Names *n)
{
    g_unlink(n->file);
    g_unlink(n->old);
    g_unlink(n->copy);
    g_free(n->file);
    g_free(n->old);
    g_free(n->copy);
}

/* Recorded without keyframes; *c is then a replay that adds them. */
static ExecResult record_without(RunConfig *c, Names *names, unsigned n)
{
    ExecResult recorded;

    names->file = keyframe_path();
    names->old = g_strconcat(names->file, ".old", NULL);
    names->copy = g_strconcat(names->file, ".keyframes", NULL);
    *c = keyframe_config(names->file, n);
    c->replay.keyframes = false;
    recorded = record(c);
    replay_it(c);
    return recorded;
}

static void check_same_bytes(const char *path, const char *data, gsize length)
{
    g_autofree char *now = NULL;
    gsize now_length;

    g_assert_true(g_file_get_contents(path, &now, &now_length, NULL));
    g_assert_cmpmem(now, now_length, data, length);
}

static void run_to_end(Run *r)
{
    unsigned stops = r->stops;

    exec_loop_cont(r->loop);
    wait_stop(r, stops + 1, EXEC_STOP_REPLAY_END);
}

/* A replay that also goes to and fro, up to the end. */
static void add_keyframes(const RunConfig *c, const Straight *s, Rng *rng)
{
    RunConfig adding = *c;
    Run r;

    adding.replay.keyframes = true;
    open_replay(&r, &adding, 0);
    g_assert_cmpuint(count_keyframes(&r), ==, 0);
    for (unsigned n = 0; n < 3; n++) {
        run_on(&r, s->at[POINTS - 4 + n]);
        check_seek(&r, s, rng);
        check_reverse_cont(&r, s);
        seek(&r, s->at[POINTS - 4 + n], EXEC_STOP_POSITION);
    }
    run_to_end(&r);
    check_seek(&r, s, rng);
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r.loop);
    g_assert_cmpuint(replay_added(r.replay)->keyframes, >, s->total / KEYFRAME_PERIOD / 2);
    g_assert_null(replay_added(r.replay)->failure);
    run_close(&r);
}

static void test_add(void)
{
    Rng rng = { 21 };

    for (unsigned n = 0; n < 4; n++) {
        g_autofree char *before = NULL;
        ExecResult recorded;
        Names names;
        RunConfig c;
        gsize length;
        Straight s;

        recorded = record_without(&c, &names, n);
        g_assert_true(g_file_get_contents(names.file, &before, &length, NULL));
        note_stops(&c, &s);
        note_points(&c, &s, &rng);
        add_keyframes(&c, &s, &rng);
        check_same_bytes(names.old, before, length);
        g_assert_false(g_file_test(names.copy, G_FILE_TEST_EXISTS));
        for (unsigned i = 0; i < 2; i++) {
            check_far_seek(&c, &recorded, &s, n + i, POINTS - 1 - i * 5, &rng);
        }
        g_array_unref(s.stops);
        names_clear(&names);
    }
}

static void start_adding(const RunConfig *c, Run *r)
{
    RunConfig adding = *c;

    adding.replay.keyframes = true;
    open_replay(r, &adding, 0);
    run_on(r, 3 * KEYFRAME_PERIOD);
}

/* What the program says. */
static void check_not_added(Run *r, const Names *names, const char *why)
{
    exec_loop_request(r->loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r->loop);
    g_assert_null(replay_added(r->replay)->old);
    g_assert_nonnull(strstr(replay_added(r->replay)->failure, why));
    run_close(r);
    g_assert_false(g_file_test(names->old, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(names->copy, G_FILE_TEST_EXISTS));
}

static void check_adder_refused(const Names *names, const char *why)
{
    Error *err = NULL;

    g_assert_null(replay_adder_new(names->file, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), why));
    error_free(err);
}

static void test_not_added(void)
{
    g_autofree char *before = NULL;
    RunConfig c;
    Names names;
    gsize length;
    Run r;
    int fd;

    record_without(&c, &names, 0);
    g_assert_true(g_file_get_contents(names.file, &before, &length, NULL));
    start_adding(&c, &r);
    check_adder_refused(&names, "is being written by another recorder");
    check_not_added(&r, &names, "did not come to its end");
    check_same_bytes(names.file, before, length);
    fd = open(names.file, O_WRONLY);
    g_assert_cmpint(flock(fd, LOCK_EX), ==, 0);
    check_adder_refused(&names, "it is still being recorded");
    close(fd);
    /* Somebody puts another file there. */
    start_adding(&c, &r);
    g_assert_true(g_file_set_contents(names.file, "another", -1, NULL));
    run_to_end(&r);
    check_not_added(&r, &names, "was moved or removed meanwhile");
    check_same_bytes(names.file, "another", strlen("another"));
    names_clear(&names);
}

/* ---- branches, and what is saved ---- */

typedef struct Call {
    Run *r;
    const char *file;
} Call;

static void do_go_live(void *opaque)
{
    const Call *c = opaque;

    g_assert_true(exec_loop_go_live(c->r->loop, c->file, NULL));
}

static void do_save_log(void *opaque)
{
    const Call *c = opaque;

    g_assert_true(replay_save_log(c->r->replay, c->file, true, NULL));
}

/* Typed at on the way to its end. */
static ExecResult run_live(Run *r, Rng *rng)
{
    bool ended = false;

    exec_loop_cont(r->loop);
    while (!ended) {
        uint64_t value = rng_next(rng);

        g_usleep(rng_below(rng, 300));
        replay_post(r->dev.input, &value, 1 + rng_below(rng, 8));
        g_mutex_lock(&r->lock);
        ended = r->ended;
        g_mutex_unlock(&r->lock);
    }
    return run_join(r);
}

/* In a new process, which does not run most of the way. */
static void check_far_place(const RunConfig *c, const ExecResult *recorded, uint64_t at,
                            unsigned shape)
{
    unsigned fires;
    Look straight;
    Run r;

    open_replay(&r, c, 0);
    run_on(&r, at);
    straight = look(&r);
    fires = r.dev.fires;
    quit(&r);
    open_replay(&r, c, shape);
    seek(&r, at, EXEC_STOP_POSITION);
    g_assert_cmphex(look(&r).digest, ==, straight.digest);
    g_assert_cmpuint(r.dev.fires, <=, fires / 2);
    if (recorded) {
        finish(&r, recorded);
    } else {
        quit(&r);
    }
}

static void test_branch(void)
{
    g_autofree char *path = keyframe_path();
    g_autofree char *first = g_strconcat(path, ".first", NULL);
    g_autofree char *second = g_strconcat(path, ".second", NULL);
    Rng rng = { 31 };

    for (unsigned n = 0; n < 4; n++) {
        RunConfig c = keyframe_config(path, n);
        uint64_t at = 50000;
        ExecResult recorded;
        Straight s;

        c.limit = 60u << c.exec.shift;     /* as far for each shift */
        record(&c);
        c.replay = (ReplayConfig){ .mode = REPLAY_MODE_PLAY, .keyframes = true };
        /* A branch, and one of that; the keyframes of all three are in it. */
        for (unsigned i = 0; i < 2; i++, at *= 2) {
            const char *branch = i ? second : first;
            Run r;

            c.replay.file = i ? first : path;
            open_replay(&r, &c, n + i);
            seek(&r, at, EXEC_STOP_POSITION);
            machine_run_sync(r.loop, do_go_live, &(Call){ &r, branch });
            recorded = run_live(&r, &rng);
            run_close(&r);
        }
        c.replay.file = second;
        c.replay.keyframes = false;
        check_chains(second);
        for (at = 49000; at < 130000; at += 13000) {
            check_far_place(&c, &recorded, at, n);
        }
        note_stops(&c, &s);
        note_points(&c, &s, &rng);
        check_far_text(&c, &s, n, POINTS - 2);
        g_array_unref(s.stops);
    }
    g_unlink(path);
    g_unlink(first);
    g_unlink(second);
}

/* Recorded in memory, saved in mid-run. */
static void test_saved(void)
{
    g_autofree char *path = keyframe_path();

    for (unsigned n = 0; n < 3; n++) {
        RunConfig c = keyframe_config(NULL, n);
        unsigned stops;
        Run r;

        c.limit = 60u << c.exec.shift;
        c.exec.travel_memory = 64 << 20;
        c.exec.start_paused = c.exec.snapshot_always = true;
        run_open(&r, &c);
        run_start(&r);
        run_on(&r, 80000);
        /* The second time it is in the past, and the recording goes on to what was newest. */
        for (unsigned i = 0; i < 2; i++) {
            machine_run_sync(r.loop, do_save_log, &(Call){ &r, path });
            stops = r.stops;
            g_assert_true(exec_loop_seek(r.loop, 30000, NULL));
            wait_stop(&r, stops + 1, EXEC_STOP_POSITION);
        }
        quit(&r);
        c.replay = (ReplayConfig){ .mode = REPLAY_MODE_PLAY, .file = path };
        check_far_place(&c, NULL, 79999, n);
        check_far_place(&c, NULL, 41000, n);
    }
    g_unlink(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exec-keyframes/good", test_keyframes);
    g_test_add_func("/exec-keyframes/bad", test_bad_keyframes);
    g_test_add_func("/exec-keyframes/add", test_add);
    g_test_add_func("/exec-keyframes/not-added", test_not_added);
    g_test_add_func("/exec-keyframes/branch", test_branch);
    g_test_add_func("/exec-keyframes/saved", test_saved);
    return g_test_run();
}
