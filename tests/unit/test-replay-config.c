/*
 * The module before there is a machine: what replay_new() refuses, and the mutex.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "replay/replay-int.h"

/* Another engine revision is refused before anything is compared. */
static void test_other_engine(void)
{
    g_autofree char *path = g_strdup_printf("%s/rearm-engine-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    g_autofree char *expected = g_strdup_printf(
        "cannot replay '%s': it was recorded by engine revision 1 (build 0.9), this program has "
        "revision %d, whose guests do not run alike: replay it with that build, or record again",
        path, REPLAY_ENGINE_REVISION);
    ReplayConfig config = { .mode = REPLAY_MODE_PLAY, .file = path };
    ReplayDescription *d = replay_description_new();
    ReplayLogWriter *w = replay_log_writer_new(&replay_log_recording);
    g_autofree char *json = NULL;
    Error *err = NULL;

    d->engine = 1;
    g_free(d->build);
    d->build = g_strdup("0.9");
    json = replay_description_to_json(d);
    g_assert_true(replay_log_writer_open(w, path, json, true, NULL));
    replay_log_writer_free(w);
    g_assert_null(replay_new(&config, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, expected);
    error_free(err);
    replay_description_free(d);
    g_unlink(path);
}

static void test_config_errors(void)
{
    ReplayConfig config = { REPLAY_MODE_PLAY, NULL, REPLAY_CHECK_OFF, 0 };
    Error *err = NULL;

    g_assert_null(replay_new(&config, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "rrfile="));
    error_free(err);
    err = NULL;
    config = (ReplayConfig){ REPLAY_MODE_RECORD, "x", REPLAY_CHECK_DIGEST, 0 };
    g_assert_null(replay_new(&config, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "rrcheckperiod"));
    error_free(err);
    err = NULL;
    config = (ReplayConfig){ REPLAY_MODE_PLAY, "/nonexistent/log", REPLAY_CHECK_OFF, 0 };
    g_assert_null(replay_new(&config, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "/nonexistent/log"));
    error_free(err);
}

/* ---- mutex ---- */

static void *try_mutex(void *opaque)
{
    Replay *r = opaque;
    bool free_for_us = !replay_mutex_locked(r);

    replay_mutex_lock(r);
    replay_mutex_unlock(r);
    return GINT_TO_POINTER(free_for_us);
}

static void test_mutex(void)
{
    const ReplayConfig none = { .mode = REPLAY_MODE_NONE };
    Replay *r = replay_new(&none, NULL);
    GThread *thread;

    g_assert_false(replay_mutex_locked(r));
    replay_mutex_lock(r);
    replay_mutex_lock(r);
    g_assert_true(replay_mutex_locked(r));
    replay_mutex_unlock(r);
    g_assert_true(replay_mutex_locked(r));
    thread = g_thread_new("other", try_mutex, r);
    g_usleep(1000);
    replay_mutex_unlock(r);
    g_assert_true(GPOINTER_TO_INT(g_thread_join(thread)));
    g_assert_false(replay_mutex_locked(r));
    replay_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/replay/other-engine", test_other_engine);
    g_test_add_func("/replay/config-errors", test_config_errors);
    g_test_add_func("/replay/mutex", test_mutex);
    return g_test_run();
}
