/*
 * The rearm-replay program, run as users run it. Its path is the first argument.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <sys/wait.h>
#include "replay/replay.h"

typedef struct Fixture {
    const char *tool;
    char *dir;
    char *a, *b, *out, *old;
} Fixture;

static uint64_t position_of(void *opaque)
{
    return *(uint64_t *)opaque;
}

static bool deliver(void *opaque, const uint8_t *payload, size_t length)
{
    return true;
}

static int64_t slept(void *opaque, int64_t until)
{
    return 1500000000;
}

/* 2000 keys; in one of them the record `odd` differs. */
static void record(const char *path, int odd)
{
    ReplayConfig config = { REPLAY_MODE_RECORD, path, REPLAY_CHECK_OFF, 0 };
    Replay *r = replay_new(&config, NULL);
    uint64_t pos = 0;
    ReplayHost host = { .position = position_of, .opaque = &pos };
    ReplaySource *uart = replay_source_new(r, REPLAY_KIND_CHAR, "uart0", deliver, NULL);
    int64_t ns;

    replay_describe(r, "cpu", "cortex-a57");
    replay_set_host(r, &host);
    g_assert_true(replay_start(r, NULL));
    for (int i = 0; i < 2000; i++) {
        char key = (char)('a' + i % 26);

        pos += 1000;
        if (i == odd) {
            key = '#';
        }
        replay_post(uart, &key, 1);
        replay_safe_point(r);
    }
    replay_idle(r, INT64_MAX, slept, NULL, &ns);
    pos++;
    replay_end(r, 1, 0x1234);
    replay_free(r);
}

static void setup(Fixture *f, gconstpointer tool)
{
    f->tool = tool;
    f->dir = g_dir_make_tmp("rearm-replay-XXXXXX", NULL);
    f->a = g_build_filename(f->dir, "a", NULL);
    f->b = g_build_filename(f->dir, "b", NULL);
    f->out = g_build_filename(f->dir, "out", NULL);
    f->old = g_build_filename(f->dir, "out.old", NULL);
    record(f->a, -1);
    record(f->b, 1000);
}

static void teardown(Fixture *f, gconstpointer tool)
{
    g_unlink(f->a);
    g_unlink(f->b);
    g_unlink(f->out);
    g_rmdir(f->dir);
    g_free(f->a);
    g_free(f->b);
    g_free(f->out);
    g_free(f->old);
    g_free(f->dir);
}

static void cut(const char *path, gsize keep, gsize flip)
{
    char *data;
    gsize length;

    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    g_assert_cmpuint(MAX(keep, flip), <, length);
    data[flip] ^= (char)(flip != 0);
    g_assert_true(g_file_set_contents(path, data, keep ? (gssize)keep : (gssize)length, NULL));
    g_free(data);
}

/* Run the tool; check its exit status and that its output has `words` in it. */
static void run(Fixture *f, int want, const char *words, const char *a1, const char *a2,
                const char *a3)
{
    const char *argv[] = { f->tool, a1, a2, a3, NULL };
    char *out = NULL, *err = NULL;
    char *all;
    int status;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out,
                               &err, &status, NULL));
    all = g_strconcat(out, err, NULL);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != want || !strstr(all, words)) {
        g_error("rearm-replay %s: status %d, want %d and '%s', output:\n%s", a1 ? a1 : "",
                WEXITSTATUS(status), want, words, all);
    }
    g_free(out);
    g_free(err);
    g_free(all);
}

static void test_info(Fixture *f, gconstpointer tool)
{
    run(f, 0, "cpu = cortex-a57", "info", f->a, NULL);
    run(f, 0, "CHAR uart0", "info", f->a, NULL);
    run(f, 0, "CHAR               2000        2000 bytes", "info", f->a, NULL);
    run(f, 0, "idle time: 1.500000000 s", "info", f->a, NULL);
    run(f, 0, "format:    6\nid:        ", "info", f->a, NULL);
    run(f, 0, "end:       cause 1", "info", f->a, NULL);
    run(f, 0, "keyframes: 0", "info", f->a, NULL);
    run(f, 2, "/nonexistent", "info", "/nonexistent", NULL);
}

static void test_dump(Fixture *f, gconstpointer tool)
{
    run(f, 0, "#25 position 26000 CHAR 'uart0': 1 bytes 7a  \"z\"\n", "dump", f->a, NULL);
    run(f, 0, "#2000 position 2000000 WARP: 1500000000 ns\n", "dump", f->a, NULL);
    run(f, 0, "{\"number\":25,\"position\":26000,\"kind\":\"CHAR\",\"source\":\"uart0\"", "dump",
        f->a, "--json");
}

static void test_verify(Fixture *f, gconstpointer tool)
{
    run(f, 0, "good, 2002 records", "verify", f->a, NULL);
    cut(f->b, 0, 250);
    run(f, 2, "frame 0 at offset", "verify", f->b, NULL);
    cut(f->a, 250, 0);
    run(f, 1, "was cut off; its 0 records can be replayed", "verify", f->a, NULL);
}

static void test_compare(Fixture *f, gconstpointer tool)
{
    run(f, 0, "2002 equal records", "compare", f->a, f->a);
    run(f, 1, "after 1000 equal records", "compare", f->a, f->b);
    run(f, 1, "CHAR 'uart0': 1 bytes 23", "compare", f->a, f->b);
    run(f, 2, "a file is missing", "compare", f->a, NULL);
}

static void test_pack(Fixture *f, gconstpointer tool)
{
    run(f, 2, "are the same file", "pack", f->a, f->a);
    run(f, 0, "2002 records in", "pack", f->a, f->out);
    run(f, 0, "2002 equal records", "compare", f->a, f->out);
    run(f, 0, "the old file is now", "pack", f->a, f->out);
    g_assert_cmpint(g_rename(f->old, f->out), ==, 0);
    cut(f->b, 0, 250);
    g_unlink(f->out);
    run(f, 2, "is not written", "pack", f->b, f->out);
    g_assert_false(g_file_test(f->out, G_FILE_TEST_EXISTS));
}

static void test_usage(Fixture *f, gconstpointer tool)
{
    run(f, 2, "usage: rearm-replay", NULL, NULL, NULL);
    run(f, 0, "compare A B", "--help", NULL, NULL);
    run(f, 2, "unknown command frobnicate", "frobnicate", NULL, NULL);
    run(f, 2, "unknown option --json", "verify", f->a, "--json");
    run(f, 2, "one file too many", "verify", f->a, f->b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, ==, 2);
    g_test_add("/rearm-replay/info", Fixture, argv[1], setup, test_info, teardown);
    g_test_add("/rearm-replay/dump", Fixture, argv[1], setup, test_dump, teardown);
    g_test_add("/rearm-replay/verify", Fixture, argv[1], setup, test_verify, teardown);
    g_test_add("/rearm-replay/compare", Fixture, argv[1], setup, test_compare, teardown);
    g_test_add("/rearm-replay/pack", Fixture, argv[1], setup, test_pack, teardown);
    g_test_add("/rearm-replay/usage", Fixture, argv[1], setup, test_usage, teardown);
    return g_test_run();
}
