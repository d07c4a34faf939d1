/*
 * The rearm-replay program, run as users run it. Its path is the first argument.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <sys/wait.h>
#include "log-builder.h"
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
static void run_with(Fixture *f, int want, const char *words, const char *const *arguments)
{
    const char *argv[6] = { f->tool };
    const char *a1 = arguments[0];
    char *out = NULL, *err = NULL;
    char *all;
    int status;

    for (unsigned i = 0; arguments[i]; i++) {
        argv[i + 1] = arguments[i];
    }
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

static void run(Fixture *f, int want, const char *words, const char *a1, const char *a2,
                const char *a3)
{
    run_with(f, want, words, (const char *[]){ a1, a2, a3, NULL });
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
    run(f, 0, "2002 records and 0 keyframes in", "pack", f->a, f->out);
    run(f, 0, "2002 equal records", "compare", f->a, f->out);
    run(f, 0, "the old file is now", "pack", f->a, f->out);
    g_assert_cmpint(g_rename(f->old, f->out), ==, 0);
    cut(f->b, 0, 250);
    g_unlink(f->out);
    run(f, 2, "is not written", "pack", f->b, f->out);
    g_assert_false(g_file_test(f->out, G_FILE_TEST_EXISTS));
}

/* Two, behind the first and the second of four records; takes three pages each. */
static void write_keyframes(const char *path)
{
    static const uint8_t content[REPLAY_PAGE_SIZE] = "page";
    static const ReplayPlace ancestor = { "another", 12, 3456 };
    ReplayDescription *d = replay_description_new();
    g_autofree char *json = NULL;
    LogBuilder b;

    g_array_append_val(d->ancestors, ancestor);
    json = replay_description_to_json(d);
    builder_begin(&b, json);
    for (unsigned n = 0; n < 4; n++) {
        builder_record(&b, &(ReplayRecord){ .kind = REPLAY_KIND_PROGRESS,
                                            .source = REPLAY_NO_SOURCE, .pos = 1000 * n });
        if (n < 2) {
            ReplayKeyframe *k = replay_keyframe_new();

            k->chain = n;
            k->time = 2500000000 * (n + 1);
            g_byte_array_append(k->state, (const uint8_t *)"state", 5);
            for (unsigned i = 0; i < 3; i++) {
                const ReplayPage page = { 10 * n + i, i == 1 ? NULL : content };

                g_array_append_val(k->pages, page);
            }
            builder_keyframe(&b, 1000 * n + 500, k);
        }
    }
    builder_end(&b);
    g_assert_true(g_file_set_contents(path, (char *)b.file->data, (gssize)b.file->len, NULL));
    builder_clear(&b);
    replay_description_free(d);
}

static void damage_keyframe(const char *path, guint n)
{
    ReplayLogReader *reader = replay_log_reader_open(path, NULL);
    GArray *keyframes = replay_log_reader_keyframes(reader);

    cut(path, 0, g_array_index(keyframes, ReplayIndexEntry, n).offset + REPLAY_FRAME_HEADER);
    g_array_unref(keyframes);
    replay_log_reader_free(reader);
}

static void test_keyframes(Fixture *f, gconstpointer tool)
{
    write_keyframes(f->a);
    run(f, 0, "branch of: 616e6f74686572000000000000000000, from position 3456, record 12 on\n",
        "info", f->a, NULL);
    run(f, 0, "keyframes: 2 in ", "info", f->a, NULL);
    run(f, 0, " bytes, with 6 pages\n", "info", f->a, NULL);
    run(f, 0, "#0 position 0 PROGRESS: 0 bytes\n"
        "keyframe #0 position 500: time 2.500000000 s, ", "dump", f->a, NULL);
    run(f, 0, " bytes, 3 pages changed, 1 of them to zeros, needs those from #0 on\n"
        "#2 position 2000", "dump", f->a, NULL);
    run(f, 0, "{\"keyframe\":1,\"position\":1500,\"records\":2,\"time-ns\":5000000000,\"bytes\":",
        "dump", f->a, "--json");
    run(f, 0, ",\"pages\":3,\"zero-pages\":1,\"first-needed\":0}\n", "dump", f->a, "--json");
    run(f, 0, "good, 4 records", "verify", f->a, NULL);
    run(f, 0, "4 records and 2 keyframes in", "pack", f->a, f->out);
    run(f, 0, "keyframes: 2 in ", "info", f->out, NULL);
    run(f, 0, "good, 4 records", "verify", f->out, NULL);
    run(f, 0, "4 equal records", "compare", f->a, f->out);
    g_unlink(f->out);
    run_with(f, 0, "4 records and 0 keyframes in",
             (const char *[]){ "pack", "--no-keyframes", f->a, f->out, NULL });
    run(f, 0, "keyframes: 0\n", "info", f->out, NULL);
    g_unlink(f->out);
    damage_keyframe(f->a, 1);
    run(f, 2, "keyframe 1, at offset ", "verify", f->a, NULL);
    run(f, 2, "a replay does without it", "dump", f->a, NULL);
    run(f, 2, "and damaged ones behind them", "info", f->a, NULL);
    run(f, 0, "4 records and 1 keyframes in", "pack", f->a, f->out);
    run(f, 0, "good, 4 records", "verify", f->out, NULL);
}

static void test_usage(Fixture *f, gconstpointer tool)
{
    run(f, 2, "usage: rearm-replay", NULL, NULL, NULL);
    run(f, 0, "compare   A B", "--help", NULL, NULL);
    run(f, 2, "unknown command frobnicate", "frobnicate", NULL, NULL);
    run(f, 2, "unknown option --json", "verify", f->a, "--json");
    run(f, 2, "unknown option --no-keyframes", "verify", f->a, "--no-keyframes");
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
    g_test_add("/rearm-replay/keyframes", Fixture, argv[1], setup, test_keyframes, teardown);
    g_test_add("/rearm-replay/usage", Fixture, argv[1], setup, test_usage, teardown);
    return g_test_run();
}
