/*
 * Recordings that are used while they are made: kept in memory, saved as far as they got, gone
 * back in and gone on with.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "replay/replay.h"
#include "util/host-random.h"

/* ---- a machine whose state depends on all that came in before ---- */

typedef struct Small {
    Replay *replay;
    ReplaySource *keys, *noise;
    uint64_t pos;
    uint64_t x;
    unsigned received;
} Small;

static void mix(Small *m, uint64_t v)
{
    m->x = (m->x ^ v) * 0x9e3779b97f4a7c15ull;
    m->x ^= m->x >> 29;
}

static uint64_t small_position(void *opaque)
{
    return ((Small *)opaque)->pos;
}

static bool small_deliver(void *opaque, const uint8_t *payload, size_t length)
{
    Small *m = opaque;

    for (size_t i = 0; i < length; i++) {
        mix(m, payload[i]);
    }
    m->received += (unsigned)length;
    return length > 0;
}

static void small_produce(void *opaque, void *out, size_t length)
{
    host_random_bytes(out, length);
}

static void small_step(Small *m)
{
    uint64_t noise = 0;

    mix(m, m->pos);
    if (m->pos % 10 == 3) {
        replay_value(m->noise, small_produce, NULL, &noise, sizeof(noise));
        mix(m, noise);
    }
    m->pos++;
}

/* Like the execution loop. False: the log has ended, or something is wrong. */
static bool run_to(Small *m, uint64_t target)
{
    while (!replay_failed(m->replay)) {
        uint64_t bound;

        if (replay_safe_point(m->replay)) {
            continue;
        }
        if (replay_at_end(m->replay)) {
            return false;
        }
        if (m->pos >= target) {
            return true;
        }
        bound = MIN(replay_next_pos(m->replay), target);
        do {
            small_step(m);
        } while (m->pos < bound);
    }
    return false;
}

static void key(Small *m, char c)
{
    replay_post(m->keys, &c, 1);
}

/* The order of sources is not part of a recording. */
static void small_open_as(Small *m, const ReplayConfig *config, bool swapped)
{
    const ReplayHost host = { .position = small_position, .opaque = m };
    Error *err = NULL;

    *m = (Small){ .replay = replay_new(config, &err) };
    g_assert_null(err);
    for (unsigned n = 0; n < 2; n++) {
        if (n == swapped) {
            m->keys = replay_source_new(m->replay, REPLAY_KIND_CHAR, "keys", small_deliver, m);
        } else {
            m->noise = replay_source_new(m->replay, REPLAY_KIND_RANDOM, "noise", NULL, NULL);
        }
    }
    replay_set_host(m->replay, &host);
    g_assert_true(replay_start(m->replay, &err));
}

static void small_open(Small *m, const ReplayConfig *config)
{
    small_open_as(m, config, false);
}

static void small_close(Small *m)
{
    replay_free(m->replay);
}

static const ReplayConfig in_memory = { .mode = REPLAY_MODE_RECORD };

/* Keys all along the way. */
static void busy_to(Small *m, uint64_t target)
{
    while (m->pos < target) {
        key(m, (char)('a' + m->pos % 26));
        g_assert_true(run_to(m, MIN(m->pos + 1 + m->pos % 50, target)));
    }
}

static char *temp_path(const char *name)
{
    return g_strdup_printf("%s/rearm-live-%d-%s.rr", g_get_tmp_dir(), (int)getpid(), name);
}

static void check_info(Replay *r, const char *expected)
{
    GString *text = g_string_new(NULL);

    replay_info(r, text);
    if (!strstr(text->str, expected)) {
        g_error("no '%s' in: %s", expected, text->str);
    }
    g_string_free(text, true);
}

/* Takes the error. */
static void check_error(Error *err, const char *expected)
{
    g_assert_nonnull(err);
    if (!strstr(error_get_pretty(err), expected)) {
        g_error("no '%s' in: %s", expected, error_get_pretty(err));
    }
    error_free(err);
}

/* ---- saved as far as it got ---- */

/* The recording in the file leads to this state and ends there. */
static void check_replays_to(const char *path, const Small *expected, bool saved)
{
    const ReplayConfig config = { .mode = REPLAY_MODE_PLAY, .file = path };
    Small m;

    small_open(&m, &config);
    g_assert_false(run_to(&m, UINT64_MAX));
    g_assert_cmpstr(replay_report(m.replay), ==, NULL);
    g_assert_cmpuint(m.pos, ==, expected->pos);
    g_assert_cmphex(m.x, ==, expected->x);
    g_assert_cmpuint(m.received, ==, expected->received);
    g_assert_cmpint(replay_is_truncated(m.replay), ==, saved);
    g_assert_cmpint(replay_was_saved(m.replay), ==, saved);
    small_close(&m);
}

static void save(Small *m, const char *path, bool overwrite)
{
    Error *err = NULL;

    if (!replay_save_log(m->replay, path, overwrite, &err)) {
        g_error("%s", error_get_pretty(err));
    }
}

static void check_saving(const ReplayConfig *config)
{
    g_autofree char *path = temp_path("saved"), *old = g_strconcat(path, ".old", NULL);
    Small m, first;

    small_open(&m, config);
    save(&m, path, false);
    check_replays_to(path, &m, true);
    busy_to(&m, 1000);
    /* Saving changes nothing in the recording: the next ones are as good. */
    save(&m, path, true);
    first = m;
    check_replays_to(path, &first, true);
    busy_to(&m, 70000);
    g_assert_true(run_to(&m, 80000));
    save(&m, path, false);
    check_replays_to(path, &m, true);
    check_replays_to(old, &first, true);
    g_assert_true(run_to(&m, 80001));
    g_assert_true(replay_end(m.replay, 1, m.x));
    small_close(&m);
    g_unlink(path);
    g_unlink(old);
}

static void test_save(void)
{
    g_autofree char *path = temp_path("log");
    const ReplayConfig to_file = { .mode = REPLAY_MODE_RECORD, .file = path };

    check_saving(&in_memory);
    check_saving(&to_file);
    g_unlink(path);
}

/* The file of a recording that goes on, and one that is only named by it. */
static void test_save_refused(void)
{
    g_autofree char *path = temp_path("log"), *other = temp_path("other");
    const ReplayConfig to_file = { .mode = REPLAY_MODE_RECORD, .file = path };
    const ReplayConfig none = { 0 }, replay = { .mode = REPLAY_MODE_PLAY, .file = path };
    Error *err = NULL;
    Small m;

    small_open(&m, &to_file);
    busy_to(&m, 100);
    g_assert_false(replay_save_log(m.replay, path, true, &err));
    check_error(err, "is being written by another recorder");
    err = NULL;
    g_assert_false(replay_save_log(m.replay, "/nonexistent/dir/log", false, &err));
    check_error(err, "cannot create the recording '/nonexistent/dir/log'");
    err = NULL;
    /* The disk is full: nothing stays behind. */
    g_assert_false(replay_save_log(m.replay, "/dev/full", false, &err));
    check_error(err, "/dev/full");
    err = NULL;
    g_unlink(path);
    g_assert_false(replay_save_log(m.replay, other, false, &err));
    check_error(err, "was moved or removed");
    g_assert_false(g_file_test(other, G_FILE_TEST_EXISTS));
    err = NULL;
    small_close(&m);

    small_open(&m, &to_file);
    small_close(&m);
    small_open(&m, &replay);
    g_assert_false(replay_save_log(m.replay, other, false, &err));
    check_error(err, "its recording is");
    err = NULL;
    small_close(&m);
    small_open(&m, &none);
    g_assert_false(replay_save_log(m.replay, other, false, &err));
    check_error(err, "-rewind");
    small_close(&m);
    g_unlink(path);
}

/* It is a recording like any other, without a file. */
static void test_in_memory(void)
{
    Small m;

    small_open(&m, &in_memory);
    g_assert_null(replay_file(m.replay));
    g_assert_cmpstr(replay_mode_name(m.replay), ==, "record");
    busy_to(&m, 1000);
    check_info(m.replay, "file: none, the recording is in memory");
    check_info(m.replay, "bytes in memory: ");
    g_assert_true(replay_end(m.replay, 1, m.x));
    small_close(&m);
}

/* ---- travelling ---- */

/* A machine as it was. */
typedef struct Snapshot {
    Small m;
    GByteArray *place;
} Snapshot;

static Snapshot take(Small *m)
{
    Snapshot s = { *m, g_byte_array_new() };

    replay_save(m->replay, s.place);
    return s;
}

static void drop(Snapshot *s)
{
    g_byte_array_unref(s->place);
}

/* The place first: until it is loaded the machine is where it was. */
static bool try_back(Small *m, const Snapshot *s, Error **errp)
{
    ByteReader in;

    byte_reader_init(&in, s->place->data, s->place->len);
    if (!replay_load(m->replay, &in, errp)) {
        return false;
    }
    m->pos = s->m.pos;
    m->x = s->m.x;
    m->received = s->m.received;
    return true;
}

static void back(Small *m, const Snapshot *s)
{
    Error *err = NULL;

    if (!try_back(m, s, &err)) {
        g_error("%s", error_get_pretty(err));
    }
}

static void check_at(const Small *m, const Small *expected)
{
    g_assert_cmpuint(m->pos, ==, expected->pos);
    g_assert_cmphex(m->x, ==, expected->x);
    g_assert_cmpuint(m->received, ==, expected->received);
}

static void check_past(Small *m)
{
    g_assert_false(replay_is_live(m->replay));
    g_assert_cmpstr(replay_mode_name(m->replay), ==, "travelling");
    g_assert_true(replay_is_recording(m->replay));
    g_assert_false(replay_post(m->keys, "x", 1));
    g_assert_false(replay_act(m->keys, "x", 1));
    g_assert_false(replay_may_stop(m->replay));
    g_assert_false(replay_at_end(m->replay));
}

/* Back, and on until it is live. */
static void check_round(Small *m, const Snapshot *s)
{
    const Small newest = *m;

    back(m, s);
    check_past(m);
    check_info(m->replay, "mode: travelling\n");
    /* It goes no further than to the newest place by itself. */
    while (!replay_is_live(m->replay)) {
        g_assert_cmpuint(replay_next_pos(m->replay), <=, newest.pos);
        g_assert_true(run_to(m, MAX(m->pos + (m->pos < newest.pos), replay_next_pos(m->replay))));
    }
    check_at(m, &newest);
    g_assert_false(replay_at_end(m->replay));
    g_assert_cmpuint(replay_next_pos(m->replay), ==, UINT64_MAX);
}

static void check_travels(const ReplayConfig *config)
{
    g_autofree char *path = temp_path("saved");
    Snapshot s[12];
    Small m;

    small_open(&m, config);
    s[0] = take(&m);
    for (unsigned n = 1; n < ARRAY_SIZE(s); n++) {
        busy_to(&m, n * 3000);
        g_assert_true(replay_act(m.keys, "act", 3));
        s[n] = take(&m);
        /* At one position with the state that was saved, and behind it. */
        key(&m, 'k');
        g_assert_true(run_to(&m, m.pos));
        check_round(&m, &s[n]);
        check_round(&m, &s[n / 2]);
        check_round(&m, &s[0]);
        /* From past to past, both ways, some of it run. */
        back(&m, &s[n - 1]);
        if (n > 1) {
            g_assert_true(run_to(&m, m.pos + 500));
            back(&m, &s[n / 3]);
            check_past(&m);
            g_assert_true(run_to(&m, s[n - 1].m.pos));
            back(&m, &s[n - 1]);
            save(&m, path, true);
        }
        g_assert_true(run_to(&m, n * 3000 + 17));
        g_assert_true(replay_is_live(m.replay));
    }
    save(&m, path, true);
    check_replays_to(path, &m, true);
    g_assert_true(replay_end(m.replay, 1, m.x));
    small_close(&m);
    if (config->file) {
        const ReplayConfig replay = { .mode = REPLAY_MODE_PLAY, .file = config->file };
        Small again;

        /* What was saved then is a place in the replay, too. */
        small_open(&again, &replay);
        back(&again, &s[7]);
        g_assert_false(run_to(&again, UINT64_MAX));
        check_at(&again, &m);
        g_assert_true(replay_end(again.replay, 1, again.x));
        small_close(&again);
    }
    for (unsigned n = 0; n < ARRAY_SIZE(s); n++) {
        drop(&s[n]);
    }
    g_unlink(path);
}

static void test_travel(void)
{
    g_autofree char *path = temp_path("log");
    ReplayConfig to_file = { .mode = REPLAY_MODE_RECORD, .file = path };

    check_travels(&in_memory);
    check_travels(&to_file);
    g_unlink(path);
}

/* Left in the past: the recording is what it was at its newest place. */
static void test_left_in_the_past(void)
{
    g_autofree char *path = temp_path("log");
    const ReplayConfig to_file = { .mode = REPLAY_MODE_RECORD, .file = path };
    Snapshot s;
    Small m, newest;

    small_open(&m, &to_file);
    busy_to(&m, 1000);
    s = take(&m);
    busy_to(&m, 2000);
    newest = m;
    back(&m, &s);
    g_assert_true(run_to(&m, 1500));
    small_close(&m);
    check_replays_to(path, &newest, true);
    drop(&s);
    g_unlink(path);
}

/* Something is wrong with what was recorded: nothing changes, and the machine is still live. */
static void check_refused(Small *m, const Snapshot *s, const char *expected)
{
    const Small newest = *m;
    Error *err = NULL;

    g_assert_false(try_back(m, s, &err));
    check_error(err, expected);
    check_at(m, &newest);
    g_assert_cmpstr(replay_report(m->replay), ==, NULL);
    g_assert_true(replay_is_live(m->replay));
    busy_to(m, m->pos + 100);
    g_assert_cmpuint(m->received, >, newest.received);
}

static void damage(const char *path, gsize at)
{
    g_autofree char *data = NULL;
    gsize length;
    FILE *f = fopen(path, "r+b");

    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    g_assert_cmpuint(length, >, at);
    fseek(f, (long)at, SEEK_SET);
    fputc(data[at] ^ 1, f);
    fclose(f);
}

static void test_travel_refused(void)
{
    g_autofree char *path = temp_path("log");
    const ReplayConfig to_file = { .mode = REPLAY_MODE_RECORD, .file = path };
    const ReplayConfig none = { 0 };
    Snapshot s, other;
    Small m;

    small_open(&m, &none);
    other = take(&m);
    small_close(&m);
    small_open(&m, &to_file);
    busy_to(&m, 1000);
    s = take(&m);
    check_refused(&m, &other, "a recording begins at power-on");
    busy_to(&m, 3000);
    back(&m, &s);
    g_assert_true(run_to(&m, 3000));
    /* A byte of what is on disk already: it is noticed before the machine moves. */
    damage(path, 2000);
    check_refused(&m, &s, "cannot go back in the recording");
    g_unlink(path);
    check_refused(&m, &s, "was moved or removed");
    small_close(&m);
    drop(&s);
    drop(&other);
}

/* ---- live from a place in the past ---- */

static void go_live(Small *m, const char *file)
{
    Error *err = NULL;

    g_assert_false(replay_is_live(m->replay));
    if (!replay_go_live(m->replay, file, &err)) {
        g_error("%s", error_get_pretty(err));
    }
    g_assert_true(replay_is_live(m->replay));
}

static void check_go_live_fails(Small *m, const char *file, const char *expected)
{
    const char *mode = replay_mode_name(m->replay);
    Error *err = NULL;

    g_assert_false(replay_go_live(m->replay, file, &err));
    check_error(err, expected);
    g_assert_cmpstr(replay_mode_name(m->replay), ==, mode);
}

/* A finished recording; `s` gets states at three places. Returns how it ended. */
static Small record(const char *path, Snapshot s[3])
{
    const ReplayConfig to_file = { .mode = REPLAY_MODE_RECORD, .file = path };
    Small m;

    small_open(&m, &to_file);
    for (unsigned n = 0; n < 3; n++) {
        busy_to(&m, 1000 + n * 4000);
        s[n] = take(&m);
    }
    busy_to(&m, 12000);
    g_assert_true(replay_end(m.replay, 1, m.x));
    small_close(&m);
    return m;
}

static void check_replay_ends(const char *path, const Small *expected)
{
    const ReplayConfig replay = { .mode = REPLAY_MODE_PLAY, .file = path };
    Small m;

    small_open(&m, &replay);
    g_assert_false(run_to(&m, UINT64_MAX));
    check_at(&m, expected);
    g_assert_true(replay_end(m.replay, 1, m.x));
    small_close(&m);
}

/* A replay of a branch goes to states of what it began as, up to where it left that. */
static void check_states(const char *branch, const Snapshot s[3], const Small *expected)
{
    const ReplayConfig replay = { .mode = REPLAY_MODE_PLAY, .file = branch };
    Error *err = NULL;
    Small m;

    small_open(&m, &replay);
    g_assert_false(try_back(&m, &s[2], &err));
    check_error(err, "was not saved in the recording");
    for (unsigned n = 0; n < 2; n++) {
        back(&m, &s[n]);
        g_assert_false(run_to(&m, UINT64_MAX));
        check_at(&m, expected);
    }
    small_close(&m);
}

/* Out of a replay, with a file: the branch replays from the start, and can be travelled in. */
static void test_branch(void)
{
    g_autofree char *path = temp_path("log"), *branch = temp_path("branch");
    const ReplayConfig replay = { .mode = REPLAY_MODE_PLAY, .file = path };
    Snapshot s[3], own;
    Small m, recorded = record(path, s);

    small_open_as(&m, &replay, true);
    check_go_live_fails(&m, "/nonexistent/dir/log", "cannot create the recording");
    check_go_live_fails(&m, "/dev/full", "/dev/full");
    g_assert_true(run_to(&m, 6000));
    g_assert_false(replay_post(m.keys, "x", 1));
    go_live(&m, branch);
    g_assert_cmpstr(replay_mode_name(m.replay), ==, "record");
    g_assert_cmpstr(replay_file(m.replay), ==, branch);
    check_go_live_fails(&m, branch, "the machine is live already");
    g_assert_true(replay_act(m.keys, "act", 3));
    busy_to(&m, 7000);
    own = take(&m);
    busy_to(&m, 11000);
    /* States from before the branch lead here, too; those from behind it lead elsewhere. */
    check_round(&m, &own);
    check_round(&m, &s[1]);
    check_refused(&m, &s[2], "was not saved in this very recording");
    check_round(&m, &s[0]);
    busy_to(&m, 12000);
    g_assert_true(replay_end(m.replay, 1, m.x));
    small_close(&m);
    g_assert_cmphex(m.x, !=, recorded.x);
    check_replay_ends(branch, &m);
    check_replay_ends(path, &recorded);
    check_states(branch, s, &m);
    g_unlink(path);
    g_unlink(branch);
    for (unsigned n = 0; n < 3; n++) {
        drop(&s[n]);
    }
    drop(&own);
}

/* Onto the file that is being replayed: it is kept. */
static void test_branch_over_its_origin(void)
{
    g_autofree char *path = temp_path("log"), *old = g_strconcat(path, ".old", NULL);
    const ReplayConfig replay = { .mode = REPLAY_MODE_PLAY, .file = path };
    Snapshot s[3];
    Small m, recorded = record(path, s);

    small_open(&m, &replay);
    g_assert_true(run_to(&m, 10000));
    go_live(&m, path);
    g_assert_cmpstr(replay_old_file(m.replay), ==, old);
    busy_to(&m, 11000);
    g_assert_true(replay_end(m.replay, 1, m.x));
    small_close(&m);
    check_replay_ends(path, &m);
    check_replay_ends(old, &recorded);
    g_unlink(path);
    g_unlink(old);
    for (unsigned n = 0; n < 3; n++) {
        drop(&s[n]);
    }
}

/* Without a file nothing is recorded; at the end of a recording that was saved, it goes on. */
static void test_live_unrecorded(void)
{
    g_autofree char *path = temp_path("saved");
    const ReplayConfig replay = { .mode = REPLAY_MODE_PLAY, .file = path };
    Small m;

    small_open(&m, &in_memory);
    busy_to(&m, 3000);
    save(&m, path, false);
    small_close(&m);
    small_open(&m, &replay);
    g_assert_false(run_to(&m, UINT64_MAX));
    g_assert_true(replay_was_saved(m.replay));
    go_live(&m, NULL);
    g_assert_cmpstr(replay_mode_name(m.replay), ==, "none");
    g_assert_null(replay_file(m.replay));
    g_assert_false(replay_is_truncated(m.replay));
    busy_to(&m, 5000);
    g_assert_true(replay_act(m.keys, "act", 3));
    g_assert_true(replay_end(m.replay, 1, m.x));
    small_close(&m);
    g_unlink(path);
}

/* Where the machine itself has ended, there is nothing to go on with. */
static void test_live_after_the_end(void)
{
    g_autofree char *path = temp_path("log");
    const ReplayConfig replay = { .mode = REPLAY_MODE_PLAY, .file = path };
    Snapshot s[3];
    Small m, recorded = record(path, s);

    small_open(&m, &replay);
    g_assert_false(run_to(&m, UINT64_MAX));
    g_assert_true(replay_end(m.replay, 1, recorded.x));
    check_go_live_fails(&m, NULL, "has come to its end");
    back(&m, &s[1]);
    go_live(&m, NULL);
    busy_to(&m, 6000);
    small_close(&m);
    for (unsigned n = 0; n < 3; n++) {
        drop(&s[n]);
    }
    g_unlink(path);
}

/* A recording in memory is cut and goes on; one in a file is not cut, but left whole. */
static void check_branch_of_live(const char *file, const char *branch)
{
    g_autofree char *saved = temp_path("saved");
    const ReplayConfig config = { .mode = REPLAY_MODE_RECORD, .file = file };
    Snapshot early, middle, late;
    Small m, newest;

    small_open(&m, &config);
    busy_to(&m, 2000);
    early = take(&m);
    busy_to(&m, 4000);
    middle = take(&m);
    busy_to(&m, 8000);
    late = take(&m);
    busy_to(&m, 9000);
    newest = m;
    back(&m, &early);
    g_assert_true(run_to(&m, 5000));
    if (file) {
        check_go_live_fails(&m, NULL, "give the new recording a file of its own");
        check_go_live_fails(&m, file, "is being written by another recorder");
    }
    go_live(&m, branch);
    g_assert_cmpstr(replay_mode_name(m.replay), ==, "record");
    g_assert_cmpstr(replay_file(m.replay), ==, branch);
    busy_to(&m, 8500);
    check_round(&m, &early);
    check_round(&m, &middle);
    check_refused(&m, &late, "was not saved in this very recording");
    /* And a branch of the branch, before where that began: it knows what is common to all three. */
    drop(&late);
    late = take(&m);
    busy_to(&m, 9000);
    back(&m, &early);
    if (!branch) {
        g_assert_true(run_to(&m, 3000));
        go_live(&m, NULL);
        busy_to(&m, 9000);
        check_refused(&m, &late, "was not saved in this very recording");
        check_refused(&m, &middle, "was not saved in this very recording");
        check_round(&m, &early);
    } else {
        g_assert_true(run_to(&m, 9000));
    }
    save(&m, saved, true);
    check_replays_to(saved, &m, true);
    g_assert_true(replay_end(m.replay, 1, m.x));
    small_close(&m);
    if (branch) {
        check_replay_ends(branch, &m);
    }
    if (file) {
        check_replays_to(file, &newest, true);
    }
    drop(&early);
    drop(&middle);
    drop(&late);
    g_unlink(saved);
}

static void test_branch_of_live(void)
{
    g_autofree char *path = temp_path("log"), *branch = temp_path("branch");

    check_branch_of_live(NULL, NULL);
    check_branch_of_live(NULL, branch);
    g_unlink(branch);
    check_branch_of_live(path, branch);
    g_unlink(path);
    g_unlink(branch);
}

/* ---- with other threads ---- */

typedef struct Typist {
    Small *m;
    gint stop;
    gint accepted;
} Typist;

static void *typist(void *opaque)
{
    Typist *t = opaque;

    while (!g_atomic_int_get(&t->stop)) {
        if (replay_post(t->m->keys, "k", 1)) {
            g_atomic_int_inc(&t->accepted);
        }
        g_usleep(5);
    }
    return NULL;
}

/* Whether it was accepted is the truth: it is delivered exactly then. */
static void test_threads(void)
{
    GThread *threads[2];
    Typist t = { 0 };
    Snapshot s;
    Small m;

    small_open(&m, &in_memory);
    t.m = &m;
    s = take(&m);
    for (unsigned n = 0; n < ARRAY_SIZE(threads); n++) {
        threads[n] = g_thread_new("typist", typist, &t);
    }
    for (unsigned n = 1; n <= 100; n++) {
        Small newest;

        g_assert_true(run_to(&m, n * 100));
        newest = m;
        back(&m, &s);
        g_assert_true(run_to(&m, newest.pos / 2));
        while (m.pos < newest.pos) {
            g_assert_true(run_to(&m, m.pos + 1));
        }
        if (n % 10 == 0) {
            drop(&s);
            s = take(&m);
        }
    }
    g_atomic_int_set(&t.stop, 1);
    for (unsigned n = 0; n < ARRAY_SIZE(threads); n++) {
        g_thread_join(threads[n]);
    }
    while (replay_safe_point(m.replay)) {
    }
    g_assert_true(replay_is_live(m.replay));
    g_assert_cmpuint(m.received, >, 0);
    g_assert_cmpuint(m.received, ==, (unsigned)g_atomic_int_get(&t.accepted));
    drop(&s);
    small_close(&m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/replay-live/in-memory", test_in_memory);
    g_test_add_func("/replay-live/save", test_save);
    g_test_add_func("/replay-live/save-refused", test_save_refused);
    g_test_add_func("/replay-live/travel", test_travel);
    g_test_add_func("/replay-live/left-in-the-past", test_left_in_the_past);
    g_test_add_func("/replay-live/travel-refused", test_travel_refused);
    g_test_add_func("/replay-live/branch", test_branch);
    g_test_add_func("/replay-live/branch-over-its-origin", test_branch_over_its_origin);
    g_test_add_func("/replay-live/live-unrecorded", test_live_unrecorded);
    g_test_add_func("/replay-live/live-after-the-end", test_live_after_the_end);
    g_test_add_func("/replay-live/branch-of-live", test_branch_of_live);
    g_test_add_func("/replay-live/threads", test_threads);
    return g_test_run();
}
