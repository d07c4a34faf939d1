/*
 * Files of saved machines: what was put in comes out, and what somebody else put in is refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include "migration/snapshot-file.h"
#include "rng.h"

typedef struct Fixture {
    char *dir, *path;
    GByteArray *state;          /* more than a frame of it */
} Fixture;

static void fixture_set_up(Fixture *f, gconstpointer unused)
{
    Rng rng = { 3 };

    f->dir = g_dir_make_tmp("snapshot-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "s.snap", NULL);
    f->state = g_byte_array_new();
    g_byte_array_set_size(f->state, SNAPSHOT_FRAME_MAX + 12345);
    for (guint i = 0; i < f->state->len; i++) {
        f->state->data[i] = i % 64 < 32 ? (uint8_t)(i / 64) : (uint8_t)rng_below(&rng, 256);
    }
}

static unsigned count_files(const Fixture *f)
{
    GDir *dir = g_dir_open(f->dir, 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    g_dir_close(dir);
    return n;
}

static void fixture_tear_down(Fixture *f, gconstpointer unused)
{
    g_unlink(f->path);
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->dir);
    g_free(f->path);
    g_byte_array_unref(f->state);
}

static bool add(Fixture *f, const char *name, uint64_t bytes, Error **errp)
{
    const SavedMachine m = { .name = (char *)name, .description = (char *)"{\"cpu\": 1}",
                             .date_ns = 1700000000123456789, .time_ns = -5, .icount = 77,
                             .position = UINT64_MAX, .bytes = bytes };

    return snapshot_file_add(f->path, &m, f->state->data, errp);
}

static void check_state(Fixture *f, const char *name, uint64_t bytes)
{
    SavedMachine *m;
    GByteArray *state = snapshot_file_read(f->path, name, &m, NULL);

    g_assert_nonnull(state);
    g_assert_cmpmem(state->data, state->len, f->state->data, bytes);
    g_assert_cmpstr(m->name, ==, name);
    g_assert_cmpstr(m->description, ==, "{\"cpu\": 1}");
    g_assert_cmpint(m->date_ns, ==, 1700000000123456789);
    g_assert_cmpint(m->time_ns, ==, -5);
    g_assert_cmpuint(m->icount, ==, 77);
    g_assert_cmpuint(m->position, ==, UINT64_MAX);
    saved_machine_free(m);
    g_byte_array_unref(state);
}

/* "a:100 b:5". */
static void check_list(Fixture *f, const char *expected)
{
    GPtrArray *list = snapshot_file_list(f->path, NULL);
    GString *text = g_string_new("");

    g_assert_nonnull(list);
    for (guint i = 0; i < list->len; i++) {
        const SavedMachine *m = g_ptr_array_index(list, i);

        g_string_append_printf(text, "%s%s:%" PRIu64, i ? " " : "", m->name, m->bytes);
    }
    g_assert_cmpstr(text->str, ==, expected);
    g_string_free(text, true);
    g_ptr_array_unref(list);
}

static void expect_error(bool ok, Error **err, const char *part)
{
    g_assert_false(ok);
    if (!strstr(error_get_pretty(*err), part)) {
        g_error("'%s' does not tell '%s'", error_get_pretty(*err), part);
    }
    g_clear_pointer(err, error_free);
}

static void test_several(Fixture *f, gconstpointer unused)
{
    Error *err = NULL;

    check_list(f, "");
    g_assert_true(add(f, "a", 100, NULL));
    g_assert_true(add(f, "b and c", f->state->len, NULL));
    g_assert_true(add(f, "d", 1, NULL));
    check_list(f, "a:100 b and c:4206649 d:1");
    check_state(f, "a", 100);
    check_state(f, "b and c", f->state->len);
    check_state(f, "d", 1);
    /* A second one of a name takes the first one's place. */
    g_assert_true(add(f, "a", 50, NULL));
    check_list(f, "b and c:4206649 d:1 a:50");
    check_state(f, "a", 50);
    expect_error(snapshot_file_remove(f->path, "x", &err), &err, "there is no snapshot 'x' in '");
    expect_error(snapshot_file_read(f->path, "x", NULL, &err), &err,
                 "there is no snapshot 'x' in '");
    g_assert_true(snapshot_file_remove(f->path, "b and c", NULL));
    check_list(f, "d:1 a:50");
    g_assert_true(snapshot_file_remove(f->path, "d", NULL));
    check_state(f, "a", 50);
    g_assert_true(snapshot_file_remove(f->path, "a", NULL));
    g_assert_cmpuint(count_files(f), ==, 0);
    expect_error(add(f, "", 1, &err), &err, "cannot be the name of a snapshot");
}

/* What cannot be written changes nothing, and leaves nothing behind. */
static void test_full_disk(Fixture *f, gconstpointer unused)
{
    const struct rlimit small = { 100000, RLIM_INFINITY };
    struct rlimit before;
    Error *err = NULL;
    bool ok;

    signal(SIGXFSZ, SIG_IGN);
    g_assert_true(add(f, "a", 100, NULL));
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    ok = add(f, "b", f->state->len, &err);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
    expect_error(ok, &err, "cannot write the snapshot file '");
    check_list(f, "a:100");
    check_state(f, "a", 100);
    g_assert_cmpuint(count_files(f), ==, 1);
}

static void write_file(const Fixture *f, const char *data, gsize length)
{
    FILE *out = fopen(f->path, "wb");

    g_assert_nonnull(out);
    g_assert_cmpuint(fwrite(data, 1, length, out), ==, length);
    g_assert_cmpint(fclose(out), ==, 0);
}

/* Wherever a byte is wrong, or the file ends, it is noticed; a head that can be read is told. */
static void test_damage(Fixture *f, gconstpointer unused)
{
    g_autofree char *data = NULL;
    Error *err = NULL;
    gsize length;

    g_assert_true(add(f, "a", 3000, NULL));
    g_assert_true(g_file_get_contents(f->path, &data, &length, NULL));
    for (gsize i = 0; i < length; i++) {
        data[i] ^= 0x10;
        write_file(f, data, length);
        data[i] ^= 0x10;
        expect_error(snapshot_file_read(f->path, "a", NULL, &err), &err, f->path);
        if (i < 12) {
            expect_error(add(f, "b", 1, &err), &err, f->path);
        }
    }
    for (gsize i = 1; i < length; i += 7) {
        write_file(f, data, i);
        expect_error(snapshot_file_list(f->path, &err), &err, f->path);
    }
    g_assert_cmpuint(count_files(f), ==, 1);
}

static void test_wrong_files(Fixture *f, gconstpointer unused)
{
    Error *err = NULL;

    expect_error(snapshot_file_list(f->dir, &err), &err, "is not a regular file");
    g_assert_true(g_file_set_contents(f->path, "REARMLOG and so on", -1, NULL));
    expect_error(add(f, "a", 1, &err), &err, "is not a snapshot file (no REARMSNP at its start)");
    g_assert_true(g_file_set_contents(f->path, "REARMSNP\2\0\0\0", 12, NULL));
    expect_error(add(f, "a", 1, &err), &err, "has format 2, this program reads format 1");
    g_assert_cmpuint(count_files(f), ==, 1);
}

/* ---- streams ---- */

typedef struct Pipe {
    GByteArray *bytes;
    guint at;                  /* the reader's place */
    uint64_t done;
    unsigned writes, fail_at;  /* 0: never */
} Pipe;

static bool pipe_write(void *opaque, const uint8_t *data, size_t length, uint64_t done,
                       Error **errp)
{
    Pipe *p = opaque;

    g_assert_cmpuint(done, >=, p->done);
    p->done = done;
    if (++p->writes == p->fail_at) {
        error_setg(errp, "nobody takes it");
        return false;
    }
    g_byte_array_append(p->bytes, data, (guint)length);
    return true;
}

static bool pipe_read(void *opaque, void *data, size_t length, Error **errp)
{
    Pipe *p = opaque;

    if (p->bytes->len - p->at < length) {
        error_setg(errp, "it ends early");
        return false;
    }
    memcpy(data, p->bytes->data + p->at, length);
    p->at += (guint)length;
    return true;
}

static GByteArray *read_pipe(Pipe *p, uint64_t max, Error **errp)
{
    SavedMachine *m;
    GByteArray *state;

    p->at = 0;
    state = snapshot_stream_read("there", max, pipe_read, p, &m, errp);
    g_assert_true(!state == !m);
    if (m) {
        g_assert_cmpstr(m->name, ==, "s");
        saved_machine_free(m);
    }
    return state;
}

/* The bytes are a file's, what follows them is nobody's, and whatever was changed is found. */
static void test_stream(Fixture *f, gconstpointer unused)
{
    const SavedMachine m = { .name = (char *)"s", .description = (char *)"{}",
                             .bytes = f->state->len };
    Pipe p = { .bytes = g_byte_array_new() };
    GByteArray *state;
    Error *err = NULL;

    g_assert_true(snapshot_stream_write(&m, f->state->data, pipe_write, &p, NULL));
    g_assert_cmpuint(p.done, ==, m.bytes);
    g_assert_true(g_file_set_contents(f->path, (char *)p.bytes->data, p.bytes->len, NULL));
    check_list(f, "s:4206649");
    g_byte_array_append(p.bytes, (const uint8_t *)"more", 4);
    state = read_pipe(&p, m.bytes, NULL);
    g_assert_nonnull(state);
    g_assert_cmpmem(state->data, state->len, f->state->data, f->state->len);
    g_assert_cmpuint(p.at, ==, p.bytes->len - 4);
    g_byte_array_unref(state);
    expect_error(read_pipe(&p, m.bytes - 1, &err), &err, "the state from 'there' has 4206649 bytes, "
                 "more than this machine's can have (4206648)");
    for (guint i = 0; i < p.bytes->len - 4; i += i < 200 ? 1 : 99991) {
        p.bytes->data[i] ^= 0x10;
        expect_error(read_pipe(&p, m.bytes, &err), &err, "there");
        p.bytes->data[i] ^= 0x10;
    }
    g_byte_array_set_size(p.bytes, p.bytes->len - 5);
    expect_error(read_pipe(&p, m.bytes, &err), &err, "it ends early");
    for (p.fail_at = 1; p.fail_at <= 3; p.fail_at++) {
        p.writes = 0;
        p.done = 0;
        expect_error(snapshot_stream_write(&m, f->state->data, pipe_write, &p, &err), &err,
                     "nobody takes it");
    }
    g_byte_array_unref(p.bytes);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fn)(Fixture *f, gconstpointer unused);
    } tests[] = {
        { "several", test_several }, { "full-disk", test_full_disk }, { "damage", test_damage },
        { "wrong-files", test_wrong_files }, { "stream", test_stream },
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *path = g_strconcat("/snapshot-file/", tests[i].name, NULL);

        g_test_add(path, Fixture, NULL, fixture_set_up, tests[i].fn, fixture_tear_down);
    }
    return g_test_run();
}
