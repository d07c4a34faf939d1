/*
 * Keyframes that no recorder has made, in an otherwise good recording with right CRCs: what cannot
 * be is refused with a message, and the replay gets to the place in another way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "travel-machine.h"
#include "log-builder.h"
#include "replay/replay-keyframe.h"

#define KEYFRAME_PERIOD 1000
#define LENGTH 40000
/* Some way behind the last keyframe. */
#define GOAL 39900

/* ---- a good recording ---- */

typedef struct Good {
    RunConfig config;         /* of a replay */
    char *path;
    GByteArray *file;
    guint keyframes;
    uint64_t digest;          /* at GOAL */
} Good;

static ReplayLogReader *good_reader(const Good *g)
{
    return replay_log_reader_open_memory(g->file->data, g->file->len, NULL);
}

static void count_keyframes(Good *g)
{
    ReplayLogReader *reader = good_reader(g);
    GArray *list = replay_log_reader_keyframes(reader);

    g->keyframes = list->len;
    g_assert_cmpuint(g->keyframes, >, 9);
    g_array_unref(list);
    replay_log_reader_free(reader);
}

static void quit(Run *r)
{
    exec_loop_request(r->loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_cont(r->loop);
    exec_loop_join(r->loop);
    run_close(r);
}

static void setup(Good *g, gconstpointer data)
{
    char *content;
    gsize length;
    Run r;

    g->path = g_strdup_printf("%s/rearm-keyframes-bad-%d.rr", g_get_tmp_dir(), (int)getpid());
    g->config = (RunConfig){ .exec = { .icount = true, .start_paused = true,
                                       .keyframe_positions = KEYFRAME_PERIOD },
                             .replay = { .mode = REPLAY_MODE_RECORD, .file = g->path,
                                         .keyframes = true, .overwrite = true } };
    run_open(&r, &g->config);
    run_start(&r);
    run_on(&r, GOAL);
    g->digest = look(&r).digest;
    run_on(&r, LENGTH);
    quit(&r);
    g->config.replay = (ReplayConfig){ .mode = REPLAY_MODE_PLAY, .file = g->path };
    g_assert_true(g_file_get_contents(g->path, &content, &length, NULL));
    g->file = g_byte_array_new_take((guint8 *)content, length);
    count_keyframes(g);
}

static void teardown(Good *g, gconstpointer data)
{
    g_unlink(g->path);
    g_free(g->path);
    g_byte_array_unref(g->file);
}

/* ---- a bad one ---- */

static void write_changed(const Good *g, void (*frame)(void *opaque, guint keyframe,
                                                       BuilderPart part, GByteArray *data),
                          void *opaque)
{
    const BuilderChange change = { .frame = frame, .opaque = opaque };
    ReplayLogReader *reader = good_reader(g);
    LogBuilder b;
    FILE *f;

    builder_copy(&b, reader, &change);
    /* g_file_set_contents() waits for the disk, which takes longer than all else. */
    f = fopen(g->path, "wb");
    g_assert_nonnull(f);
    g_assert_cmpuint(fwrite(b.file->data, 1, b.file->len, f), ==, b.file->len);
    g_assert_cmpint(fclose(f), ==, 0);
    builder_clear(&b);
    replay_log_reader_free(reader);
}

typedef struct Outcome {
    guint left;               /* keyframes that are used still */
    bool arrived;
    uint64_t digest;
    unsigned fires;
} Outcome;

static Outcome go_to_goal(const Good *g)
{
    Outcome o;
    Run r;

    open_replay(&r, &g->config, 0);
    r.dev.any_state = true;
    g_assert_true(exec_loop_seek(r.loop, GOAL, NULL));
    g_assert_true(run_wait_stop(&r, 1));
    o.arrived = r.reason == EXEC_STOP_POSITION;
    o.digest = look(&r).digest;
    o.fires = r.dev.fires;
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r.loop);
    o.left = replay_num_keyframes(r.replay);
    run_close(&r);
    return o;
}

/* So many are not used any more, and the state is right. */
static void check_refused(const Good *g, guint refused)
{
    Outcome o = go_to_goal(g);

    g_assert_true(o.arrived);
    g_assert_cmphex(o.digest, ==, g->digest);
    g_assert_cmpuint(o.left, ==, g->keyframes - refused);
}

static void change_nothing(void *opaque, guint keyframe, BuilderPart part, GByteArray *data)
{
}

/* The copy is as good as the recording, or nothing here would show anything. */
static void test_unchanged(Good *g, gconstpointer data)
{
    Outcome o;

    write_changed(g, change_nothing, NULL);
    check_refused(g, 0);
    o = go_to_goal(g);
    g_assert_cmpuint(o.fires, <=, 3);
}

/* ---- one byte ---- */

typedef struct Flip {
    guint keyframe;
    BuilderPart part;
    guint at;
    uint8_t bits;
    guint length;             /* of what the part is */
} Flip;

static void flip(void *opaque, guint keyframe, BuilderPart part, GByteArray *data)
{
    Flip *f = opaque;

    if (keyframe == f->keyframe && part == f->part && !f->length) {
        f->length = data->len;
        data->data[f->at % data->len] ^= f->bits;
    }
}

/* Every so many bytes. Returns how often the keyframe was refused. */
static guint flip_all(const Good *g, guint keyframe, BuilderPart part, guint every)
{
    guint refused = 0, length = 1;

    for (guint at = 0; at < length; at += every) {
        Flip f = { .keyframe = keyframe, .part = part, .at = at,
                   .bits = (uint8_t)(1u << at % 8) };

        write_changed(g, flip, &f);
        refused += go_to_goal(g).left < g->keyframes;
        length = f.length;
    }
    return refused;
}

static void test_flips(Good *g, gconstpointer data)
{
    guint last = g->keyframes - 1;

    g_assert_cmpuint(flip_all(g, last, BUILDER_HEAD, 1), >, 5);
    g_assert_cmpuint(flip_all(g, last, BUILDER_STATE, 1), >, 100);
    /* Of one that the last one needs. */
    g_assert_cmpuint(flip_all(g, last - 1, BUILDER_HEAD, 1), >, 5);
    /* These could be anything. */
    g_assert_cmpuint(flip_all(g, last, BUILDER_PAGES, 997), ==, 0);
}

/* ---- whole parts ---- */

typedef struct Swap {
    guint keyframe;
    BuilderPart part;
    GByteArray *other;        /* what takes its place, and that of those behind it */
    bool only;                /* not of those */
} Swap;

static void swap(void *opaque, guint keyframe, BuilderPart part, GByteArray *data)
{
    const Swap *s = opaque;

    if ((s->only ? keyframe == s->keyframe : keyframe >= s->keyframe) && part == s->part) {
        g_byte_array_set_size(data, 0);
        g_byte_array_append(data, s->other->data, s->other->len);
    }
}

static void find(void *opaque, guint keyframe, BuilderPart part, GByteArray *data)
{
    Swap *s = opaque;

    if (keyframe == s->keyframe && part == s->part) {
        g_byte_array_set_size(s->other, 0);
        g_byte_array_append(s->other, data->data, data->len);
    }
}

/* The state of another keyframe: it says of itself that it is of another place. */
static void test_other_state(Good *g, gconstpointer data)
{
    Swap s = { .keyframe = g->keyframes - 2, .part = BUILDER_STATE, .other = g_byte_array_new() };

    write_changed(g, find, &s);
    s.keyframe = g->keyframes - 1;
    write_changed(g, swap, &s);
    check_refused(g, 1);
    g_byte_array_unref(s.other);
}

/* What is behind the offset of the state in a head, in this order; the lists of runs are empty. */
enum { TEXTS, PAGES, DIFFERENCES, ZEROS, MARKED, NUM_LISTS };

typedef struct Huge {
    guint keyframe;
    unsigned list;            /* this one is not */
    uint64_t runs, first, count;
} Huge;

static void put_lists(GByteArray *out, const Huge *huge)
{
    for (unsigned i = 0; i < NUM_LISTS; i++) {
        if (i == huge->list) {
            bytes_put_varint(out, huge->runs);
            bytes_put_varint(out, huge->first);
            bytes_put_varint(out, huge->count);
        } else {
            bytes_put_varint(out, 0);
        }
    }
}

static void put_huge(void *opaque, guint keyframe, BuilderPart part, GByteArray *data)
{
    const Huge *huge = opaque;
    ByteReader in;

    if (keyframe == huge->keyframe && part == BUILDER_HEAD) {
        byte_reader_init(&in, data->data, data->len);
        for (unsigned i = 0; i < 6; i++) {
            bytes_get_varint(&in);
        }
        g_byte_array_set_size(data, (guint)(data->len - byte_reader_left(&in)));
        put_lists(data, huge);
    }
}

/* Counts and lengths that would need more memory, or time, than there is. */
static void test_huge_numbers(Good *g, gconstpointer data)
{
    static const uint64_t numbers[] = { RAM_SIZE / PAGE_SIZE + 1, 1ull << 32, 1ull << 50,
                                        UINT64_MAX };

    for (unsigned n = 0; n < ARRAY_SIZE(numbers); n++) {
        for (unsigned list = 0; list < NUM_LISTS; list++) {
            Huge huge[] = { { g->keyframes - 1, list, 1, 0, numbers[n] },
                            { g->keyframes - 1, list, 1, numbers[n], 1 },
                            { g->keyframes - 1, list, numbers[n], 0, 1 } };

            for (unsigned i = 0; i < ARRAY_SIZE(huge); i++) {
                write_changed(g, put_huge, &huge[i]);
                check_refused(g, 1);
            }
        }
    }
}

/* All of memory became zeros, says the keyframe, and that is possible: it has to be no more. */
static void test_all_zeros(Good *g, gconstpointer data)
{
    Huge all = { g->keyframes - 1, ZEROS, 1, 0, RAM_SIZE / PAGE_SIZE };
    Outcome o;

    write_changed(g, put_huge, &all);
    o = go_to_goal(g);
    g_assert_cmpuint(o.left, ==, g->keyframes);
    g_assert_cmphex(o.digest, !=, g->digest);
}

/* ---- what builds on it, and what does not ---- */

/* The number of the first one of a chain that keyframe n is of. */
static guint chain_of(const Good *g, guint n)
{
    ReplayLogReader *reader = good_reader(g);
    GArray *list = replay_log_reader_keyframes(reader);
    ReplayKeyframeHead *h = replay_keyframe_read_head(reader, list, n, RAM_SIZE / PAGE_SIZE, NULL);
    guint first = n - (guint)h->chain;

    replay_keyframe_head_free(h);
    g_array_unref(list);
    replay_log_reader_free(reader);
    return first;
}

/* The last one of the chain before the one that the last keyframe is of. */
static guint last_of_chain_before(const Good *g)
{
    guint first = chain_of(g, g->keyframes - 1);

    g_assert_cmpuint(first, >, 2);
    return first - 1;
}

/* One in the middle of a chain is bad. The chain that comes behind it is used as before. */
static void test_chains(Good *g, gconstpointer data)
{
    guint last = last_of_chain_before(g), first = chain_of(g, last), bad;
    Swap s = { .part = BUILDER_HEAD, .other = g_byte_array_new() };
    uint64_t middle;
    Run r;

    g_assert_cmpuint(first, <, last);
    bad = (first + last) / 2;
    s.keyframe = bad;
    s.only = true;
    g_byte_array_append(s.other, (const uint8_t *)"no head", 7);
    write_changed(g, swap, &s);
    open_replay(&r, &g->config, 0);
    r.dev.any_state = true;
    /* The machine thread asks for them as it starts, and only one thread may at a time. */
    look(&r);
    g_assert_cmpuint(replay_num_keyframes(r.replay), ==, g->keyframes);
    middle = replay_keyframe_position(r.replay, bad) + 1;
    g_assert_true(exec_loop_seek(r.loop, middle, NULL));
    g_assert_true(run_wait_stop(&r, 1));
    g_assert_cmpuint(look(&r).position, ==, middle);
    /* Itself, and those of its chain that come behind it. */
    g_assert_cmpuint(replay_num_keyframes(r.replay), ==, g->keyframes - (last + 1 - bad));
    for (guint n = 0; n < g->keyframes; n++) {
        g_assert_true(replay_keyframe_is_usable(r.replay, n) == (n < bad || n > last));
    }
    r.dev.fires = 0;
    g_assert_true(exec_loop_seek(r.loop, GOAL, NULL));
    g_assert_true(run_wait_stop(&r, 2));
    g_assert_cmphex(look(&r).digest, ==, g->digest);
    g_assert_cmpuint(r.dev.fires, <=, 3);
    quit(&r);
    g_byte_array_unref(s.other);
}

/* ---- many ---- */

/* All from the third one on: the first two would do, but to find that out would take too long. */
static void test_many(Good *g, gconstpointer data)
{
    Swap s = { .keyframe = 2, .part = BUILDER_STATE, .other = g_byte_array_new() };

    g_byte_array_append(s.other, (const uint8_t *)"no state", 8);
    write_changed(g, swap, &s);
    check_refused(g, g->keyframes);
    /* Some, and it goes to the one before them. */
    s.keyframe = g->keyframes - 5;
    write_changed(g, swap, &s);
    check_refused(g, 5);
    g_byte_array_unref(s.other);
}

#define TEST(name) \
    g_test_add("/exec-keyframes-bad/" #name, Good, NULL, setup, test_##name, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST(unchanged);
    TEST(flips);
    TEST(other_state);
    TEST(huge_numbers);
    TEST(all_zeros);
    TEST(chains);
    TEST(many);
    return g_test_run();
}
