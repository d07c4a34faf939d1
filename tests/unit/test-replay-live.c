/*
 * Recordings that are used while they are made: kept in memory, saved as far as they got.
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

static void small_open(Small *m, const ReplayConfig *config)
{
    const ReplayHost host = { .position = small_position, .opaque = m };
    Error *err = NULL;

    *m = (Small){ .replay = replay_new(config, &err) };
    g_assert_null(err);
    m->keys = replay_source_new(m->replay, REPLAY_KIND_CHAR, "keys", small_deliver, m);
    m->noise = replay_source_new(m->replay, REPLAY_KIND_RANDOM, "noise", NULL, NULL);
    replay_set_host(m->replay, &host);
    g_assert_true(replay_start(m->replay, &err));
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/replay-live/in-memory", test_in_memory);
    g_test_add_func("/replay-live/save", test_save);
    g_test_add_func("/replay-live/save-refused", test_save_refused);
    return g_test_run();
}
