/*
 * Keyframes for a recording that is there already: a program that is killed in front of any of its
 * system calls leaves a whole recording.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "replay/replay-add.h"
#include "replay/replay-cursor.h"
#include "replay/replay-describe.h"

#define RECORDS 100
#define KEYFRAMES 3

/* ---- system calls that change a file, counted ---- */

static gint calls_left = G_MAXINT;

static void count_call(void)
{
    if (g_atomic_int_dec_and_test(&calls_left)) {
        kill(getpid(), SIGKILL);
    }
}

ssize_t write(int fd, const void *data, size_t length)
{
    count_call();
    return syscall(SYS_write, fd, data, length);
}

int ftruncate(int fd, off_t length)
{
    count_call();
    return (int)syscall(SYS_ftruncate, fd, length);
}

int fsync(int fd)
{
    count_call();
    return (int)syscall(SYS_fsync, fd);
}

int link(const char *from, const char *to)
{
    count_call();
    return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    count_call();
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int rename(const char *from, const char *to)
{
    count_call();
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- a recording ---- */

typedef struct Files {
    char *dir, *file, *old, *copy, *link;
    char *content;
    gsize length;
} Files;

static void put_record(ReplayLogWriter *w, unsigned n)
{
    const ReplayRecord rec = { .kind = n == RECORDS - 1 ? REPLAY_KIND_END : REPLAY_KIND_CHECK_EVENT,
                               .source = REPLAY_NO_SOURCE, .pos = n * 1000, .length = 9,
                               .payload = (const uint8_t *)"payload.." };

    replay_log_writer_put(w, &rec);
}

static void record(Files *f)
{
    ReplayLogWriter *w = replay_log_writer_new(&replay_log_recording);
    ReplayDescription *d = replay_description_new();
    g_autofree char *json = replay_description_to_json(d);

    g_assert_true(replay_log_writer_open(w, f->file, json, true, NULL));
    for (unsigned n = 0; n < RECORDS; n++) {
        put_record(w, n);
    }
    g_assert_true(replay_log_writer_finish(w));
    replay_log_writer_free(w);
    replay_description_free(d);
    g_assert_true(g_file_get_contents(f->file, &f->content, &f->length, NULL));
}

static void setup(Files *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("rearm-add-XXXXXX", NULL);
    f->file = g_build_filename(f->dir, "log", NULL);
    f->old = g_strconcat(f->file, ".old", NULL);
    f->copy = g_strconcat(f->file, ".keyframes", NULL);
    f->link = g_build_filename(f->dir, "link", NULL);
    record(f);
}

static void teardown(Files *f, gconstpointer data)
{
    char *const names[] = { f->file, f->old, f->copy, f->link, f->dir };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        g_remove(names[i]);
        g_free(names[i]);
    }
    g_free(f->content);
}

/* ---- adding ---- */

static void put_keyframe(ReplayAdder *a, unsigned n)
{
    static const uint8_t content[REPLAY_PAGE_SIZE] = "page";
    ReplayKeyframe *k = replay_keyframe_new();

    bytes_put_data(k->state, "state", 5);
    k->chain = n;
    for (uint64_t i = 0; i < 40; i++) {
        const ReplayPage page = { n + i, content };

        g_array_append_val(k->pages, page);
    }
    g_assert_true(replay_adder_copy(a, 10 * (n + 1)));
    replay_log_writer_put_keyframe(replay_adder_writer(a), 10000 * (n + 1), k);
}

static void add(const char *path)
{
    ReplayAdder *a = replay_adder_new(path, NULL);
    Error *err = NULL;

    for (unsigned n = 0; n < KEYFRAMES; n++) {
        put_keyframe(a, n);
    }
    if (!replay_adder_finish(a, &err)) {
        g_error("%s", error_get_pretty(err));
    }
    g_assert_cmpuint(replay_adder_count(a), ==, KEYFRAMES);
    replay_adder_free(a);
}

static bool is_original(const Files *f, const char *path)
{
    g_autofree char *content = NULL;
    gsize length;

    return g_file_get_contents(path, &content, &length, NULL) && length == f->length &&
           memcmp(content, f->content, length) == 0;
}

/* All records, the end, and keyframes behind the records that they belong behind. */
static void check_copy(const Files *f, const char *path)
{
    ReplayCursor *a = replay_cursor_open(f->old, NULL), *b = replay_cursor_open(path, NULL);
    ReplayLogReader *reader;
    GArray *keyframes;

    g_assert_nonnull(b);
    reader = replay_cursor_open_again(b, NULL);
    keyframes = replay_log_reader_keyframes(reader);
    g_assert_cmpmem(replay_cursor_id(a), REPLAY_LOG_ID_SIZE, replay_cursor_id(b),
                    REPLAY_LOG_ID_SIZE);
    g_assert_true(g_str_has_prefix(f->content + REPLAY_LOG_FILE_HEADER,
                                   replay_log_reader_json(reader)));
    for (unsigned n = 0; n < RECORDS; n++) {
        const ReplayRecord *ra = replay_cursor_peek(a), *rb = replay_cursor_peek(b);

        g_assert_cmpuint(ra->kind, ==, rb->kind);
        g_assert_cmpuint(ra->pos, ==, rb->pos);
        g_assert_cmpmem(ra->payload, ra->length, rb->payload, rb->length);
        replay_cursor_advance(a);
        replay_cursor_advance(b);
    }
    g_assert_null(replay_cursor_peek(b));
    g_assert_cmpint(replay_cursor_status(b), ==, REPLAY_LOG_FINISHED);
    g_assert_cmpuint(keyframes->len, ==, KEYFRAMES);
    for (guint n = 0; n < KEYFRAMES; n++) {
        const ReplayIndexEntry *e = &g_array_index(keyframes, ReplayIndexEntry, n);

        g_assert_cmpuint(e->first_record, ==, 10 * (n + 1));
        g_assert_cmpuint(e->first_pos, ==, 10000 * (n + 1));
    }
    g_array_unref(keyframes);
    replay_log_reader_free(reader);
    replay_cursor_free(a);
    replay_cursor_free(b);
}

/* A child that is killed in front of its n-th call. False: it came to its end before. */
static bool kill_at(const char *path, int n)
{
    int status;
    pid_t pid = fork();

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        g_atomic_int_set(&calls_left, n);
        add(path);
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : status == 0);
    return WIFSIGNALED(status);
}

static void test_killed(Files *f, gconstpointer data)
{
    int n = 1;

    /* What the next one finds is what the one before has left. */
    for (; kill_at(f->file, n); n++) {
        if (!is_original(f, f->file)) {
            g_assert_true(is_original(f, f->old));
            check_copy(f, f->file);
            g_assert_cmpint(g_rename(f->old, f->file), ==, 0);
        }
    }
    g_assert_cmpint(n, >, 10);
    g_assert_true(is_original(f, f->old));
    check_copy(f, f->file);
    g_assert_false(g_file_test(f->copy, G_FILE_TEST_EXISTS));
}

/* The link stays a link, and an older .old goes. */
static void test_linked(Files *f, gconstpointer data)
{
    g_assert_true(g_file_set_contents(f->old, "older", -1, NULL));
    g_assert_cmpint(symlink("log", f->link), ==, 0);
    add(f->link);
    g_assert_true(g_file_test(f->link, G_FILE_TEST_IS_SYMLINK));
    g_assert_true(is_original(f, f->old));
    check_copy(f, f->file);
}

/* Nothing is left of one that was not finished, or could not be. */
static void test_unfinished(Files *f, gconstpointer data)
{
    ReplayAdder *a = replay_adder_new(f->file, NULL);
    g_autofree char *damaged = g_memdup2(f->content, f->length);
    Error *err = NULL;

    put_keyframe(a, 0);
    replay_adder_free(a);
    g_assert_true(is_original(f, f->file));
    g_assert_false(g_file_test(f->copy, G_FILE_TEST_EXISTS));
    damaged[REPLAY_LOG_FILE_HEADER + load_le(damaged + 12, 4) + REPLAY_FRAME_HEADER] ^= 1;
    g_assert_true(g_file_set_contents(f->file, damaged, (gssize)f->length, NULL));
    a = replay_adder_new(f->file, NULL);
    g_assert_false(replay_adder_finish(a, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "is damaged"));
    error_free(err);
    replay_adder_free(a);
    g_assert_false(g_file_test(f->copy, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(f->old, G_FILE_TEST_EXISTS));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/replay-add/killed", Files, NULL, setup, test_killed, teardown);
    g_test_add("/replay-add/linked", Files, NULL, setup, test_linked, teardown);
    g_test_add("/replay-add/unfinished", Files, NULL, setup, test_unfinished, teardown);
    return g_test_run();
}
