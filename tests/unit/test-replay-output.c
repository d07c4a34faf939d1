/*
 * What a guest puts out, under time travel: each output is new once, and its history is that of the
 * machine's one past.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "replay/replay.h"

typedef struct Printer {
    Replay *replay;
    ReplayOutput *uart[2];
    uint64_t pos;
} Printer;

static uint64_t printer_position(void *opaque)
{
    return ((Printer *)opaque)->pos;
}

static void printer_open_file(Printer *p, ReplayMode mode, const char *file)
{
    const ReplayConfig config = { .mode = mode, .file = file };
    const ReplayHost host = { .position = printer_position, .opaque = p };

    *p = (Printer){ .replay = replay_new(&config, NULL) };
    p->uart[0] = replay_output_new(p->replay, "uart0");
    p->uart[1] = replay_output_new(p->replay, "uart1");
    replay_set_host(p->replay, &host);
    g_assert_true(replay_start(p->replay, NULL));
}

static void printer_open(Printer *p, ReplayMode mode)
{
    printer_open_file(p, mode, NULL);
}

/* A byte an instruction. Returns how many were new. */
static unsigned print(Printer *p, unsigned uart, const char *text)
{
    unsigned is_new = 0;

    for (; *text; text++) {
        replay_safe_point(p->replay);
        is_new += replay_output(p->uart[uart], text, 1);
        p->pos++;
    }
    replay_safe_point(p->replay);
    return is_new;
}

static GByteArray *save(Printer *p)
{
    GByteArray *place = g_byte_array_new();

    replay_save(p->replay, place);
    return place;
}

static void load(Printer *p, const GByteArray *place, uint64_t pos)
{
    ByteReader in;

    byte_reader_init(&in, place->data, place->len);
    g_assert_true(replay_load(p->replay, &in, NULL));
    p->pos = pos;
}

static void check_text(Printer *p, const char *name, uint64_t upto, const char *expected)
{
    GString *text = g_string_new(NULL);

    g_assert_true(replay_output_text(p->replay, name, upto, text, NULL));
    g_assert_cmpstr(text->str, ==, expected);
    g_string_free(text, true);
}

static void check_found(Printer *p, const char *text, uint64_t from, int64_t expected)
{
    uint64_t position = 12345;
    bool found = replay_output_find(p->replay, text, from, &position);

    g_assert_cmpint(found ? (int64_t)position : -1, ==, expected);
}

static void test_once(void)
{
    GByteArray *start, *middle;
    Printer p;

    printer_open(&p, REPLAY_MODE_RECORD);
    start = save(&p);
    g_assert_cmpuint(print(&p, 0, "hello "), ==, 6);
    /* In front of the next instruction, by a timer: then a state, then an instruction's. */
    g_assert_true(replay_output(p.uart[0], "T", 1));
    middle = save(&p);
    g_assert_cmpuint(print(&p, 0, "world"), ==, 5);
    load(&p, middle, 6);
    g_assert_cmpuint(print(&p, 0, "wor"), ==, 0);
    load(&p, start, 0);
    g_assert_cmpuint(print(&p, 0, "hello "), ==, 0);
    g_assert_false(replay_output(p.uart[0], "T", 1));
    g_assert_cmpuint(print(&p, 0, "world"), ==, 0);
    g_assert_true(replay_is_live(p.replay));
    g_assert_cmpuint(print(&p, 0, "!"), ==, 1);
    check_text(&p, NULL, p.pos, "hello Tworld!");
    g_byte_array_unref(start);
    g_byte_array_unref(middle);
    replay_free(p.replay);
}

static void test_text_and_search(void)
{
    GString *text = g_string_new(NULL);
    GByteArray *state;
    Error *err = NULL;
    Printer p;

    printer_open(&p, REPLAY_MODE_RECORD);
    print(&p, 0, "Free");
    p.pos = 1000;
    print(&p, 1, "other port");
    p.pos = 2000;
    print(&p, 0, "ing aabaabaac");
    state = save(&p);
    p.pos = 3000;
    print(&p, 0, " Freeing");
    check_text(&p, NULL, UINT64_MAX, "Freeother porting aabaabaac Freeing");
    check_text(&p, "uart0", UINT64_MAX, "Freeing aabaabaac Freeing");
    check_text(&p, "uart1", UINT64_MAX, "other port");
    check_text(&p, "uart0", 2003, "Freeing");
    check_text(&p, "uart0", 0, "");
    /* Each port for itself. */
    check_found(&p, "Freeing", 0, 2002);
    check_found(&p, "Freeing", 2002, 2002);
    check_found(&p, "Freeing", 2003, 3007);
    check_found(&p, "Freeing", 3008, -1);
    check_found(&p, "aabaac", 0, 2012);
    check_found(&p, "aa", 2006, 2008);
    check_found(&p, "port", 0, 1009);
    check_found(&p, "porting", 0, -1);
    check_found(&p, "", 0, -1);
    /* In the past, the future is known, and up to the present place is asked for by position. */
    load(&p, state, 2013);
    check_text(&p, "uart0", p.pos, "Freeing aabaabaac");
    check_found(&p, "Freeing", p.pos, 3007);
    g_assert_false(replay_output_text(p.replay, "uart7", 1, text, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "there is no character port 'uart7'");
    error_free(err);
    g_string_free(text, true);
    g_byte_array_unref(state);
    replay_free(p.replay);
}

static uint64_t await_first(Printer *p, const char *text)
{
    const ReplayWanted wanted = { text, 0, UINT64_MAX, 1 };

    return replay_output_await(p->replay, &wanted);
}

static void check_awaited(Printer *p, int64_t expected)
{
    uint64_t position = 12345;
    bool found = replay_output_awaited(p->replay, &position);

    g_assert_cmpint(found ? (int64_t)position : -1, ==, expected);
}

/* A text that is known, that comes later, that is half known; only of one past. */
static void test_await(void)
{
    GByteArray *state;
    Printer p;

    printer_open(&p, REPLAY_MODE_RECORD);
    check_awaited(&p, -1);
    print(&p, 0, "one tw");
    await_first(&p, "one");
    check_awaited(&p, 2);
    await_first(&p, "two");
    check_awaited(&p, -1);
    state = save(&p);
    print(&p, 1, "o");
    check_awaited(&p, -1);
    print(&p, 0, "o two");
    check_awaited(&p, 7);
    await_first(&p, "one two two t");
    check_awaited(&p, -1);
    load(&p, state, 6);
    print(&p, 1, "o");
    g_assert_true(replay_go_live(p.replay, NULL, NULL));
    print(&p, 0, " two");
    check_awaited(&p, -1);
    await_first(&p, "tw two t");
    load(&p, state, 6);
    print(&p, 1, "o");
    g_assert_true(replay_go_live(p.replay, NULL, NULL));
    print(&p, 0, " two two");
    check_awaited(&p, 12);
    await_first(&p, "");
    print(&p, 0, "x");
    check_awaited(&p, -1);
    g_byte_array_unref(state);
    replay_free(p.replay);
}

/* Other ones than the first: what they are is known when all before them is. */
static void test_await_other(void)
{
    const ReplayWanted third = { "ab", 0, UINT64_MAX, 3 }, next = { "ab", 2, UINT64_MAX, 1 },
                       second_next = { "ab", 2, UINT64_MAX, 2 }, last = { "ab", 0, 7, 0 },
                       last_of_all = { "ab", 0, 100, 0 }, none = { "ab", 0, 1, 0 };
    GByteArray *start;
    Printer p;

    printer_open(&p, REPLAY_MODE_RECORD);
    start = save(&p);
    print(&p, 0, "ab ab a");
    replay_output_await(p.replay, &next);
    check_awaited(&p, 4);
    replay_output_await(p.replay, &third);
    check_awaited(&p, -1);
    print(&p, 1, "b");
    check_awaited(&p, -1);
    print(&p, 0, "b aab");
    check_awaited(&p, 8);
    replay_output_await(p.replay, &second_next);
    check_awaited(&p, 8);
    /* What comes behind the end that was given is none of it. */
    g_assert_cmpuint(replay_output_await(p.replay, &last), ==, UINT64_MAX);
    check_awaited(&p, 4);
    g_assert_cmpuint(replay_output_await(p.replay, &none), ==, UINT64_MAX);
    check_awaited(&p, -1);
    g_assert_cmpuint(replay_output_await(p.replay, &last_of_all), ==, 13);
    check_awaited(&p, 12);
    print(&p, 0, "ab");
    check_awaited(&p, 14);
    /* The same question to another future. */
    replay_output_await(p.replay, &third);
    load(&p, start, 0);
    print(&p, 0, "ab ab ");
    g_assert_true(replay_go_live(p.replay, NULL, NULL));
    check_awaited(&p, -1);
    print(&p, 0, "xab");
    check_awaited(&p, 8);
    g_byte_array_unref(start);
    replay_free(p.replay);
}

/* What is before a state of another process is not known until the machine was there. */
static void test_gap(void)
{
    const char *text = "0123456789";
    g_autofree char *file = g_strdup_printf("%s/rearm-output-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    GByteArray *start, *end;
    Printer p;

    printer_open_file(&p, REPLAY_MODE_RECORD, file);
    start = save(&p);
    print(&p, 0, text);
    end = save(&p);
    print(&p, 0, "ab");
    g_assert_true(replay_end(p.replay, 1, 2));
    replay_free(p.replay);
    printer_open_file(&p, REPLAY_MODE_PLAY, file);
    load(&p, end, 10);
    check_text(&p, NULL, 10, "[what came before position 10 is not known here]\n");
    g_assert_cmpuint(replay_output_count(p.replay), ==, 10);
    g_assert_cmpuint(print(&p, 0, "ab"), ==, 2);
    check_text(&p, NULL, 12, "[what came before position 10 is not known here]\nab");
    g_assert_cmpuint(await_first(&p, "89a"), ==, 0);
    load(&p, start, 0);
    print(&p, 0, text);
    check_awaited(&p, -1);
    print(&p, 0, "a");
    check_awaited(&p, 10);
    /* All of it is known now. */
    check_text(&p, NULL, 12, "0123456789ab");
    check_found(&p, "9a", 0, 10);
    g_assert_cmpuint(await_first(&p, "789"), ==, 10);
    check_awaited(&p, 9);
    g_byte_array_unref(start);
    g_byte_array_unref(end);
    replay_free(p.replay);
    g_assert_cmpint(g_unlink(file), ==, 0);
}

/* Another future: what it puts out is new, and the old one is forgotten. */
static void test_branch(void)
{
    GByteArray *state;
    Printer p;

    printer_open(&p, REPLAY_MODE_RECORD);
    print(&p, 0, "common ");
    state = save(&p);
    print(&p, 0, "old future");
    load(&p, state, 7);
    g_assert_cmpuint(print(&p, 0, "old"), ==, 0);
    g_assert_true(replay_go_live(p.replay, NULL, NULL));
    check_found(&p, "future", 0, -1);
    g_assert_cmpuint(print(&p, 0, " news"), ==, 5);
    check_text(&p, NULL, p.pos, "common old news");
    check_found(&p, "news", 0, 14);
    load(&p, state, 7);
    g_assert_cmpuint(print(&p, 0, "old news"), ==, 0);
    g_assert_cmpuint(print(&p, 0, "!"), ==, 1);
    g_byte_array_unref(state);
    replay_free(p.replay);
    /* Without a recording there is no travelling: a state that is loaded begins another future. */
    printer_open(&p, REPLAY_MODE_NONE);
    print(&p, 0, "common");
    state = save(&p);
    print(&p, 0, "future");
    load(&p, state, 6);
    g_assert_cmpuint(print(&p, 0, "future"), ==, 6);
    check_text(&p, NULL, p.pos, "");
    g_byte_array_unref(state);
    replay_free(p.replay);
}

/* What is kept is bounded, and says so. */
static void test_bounded(void)
{
    const ReplayWanted gone = { "\n10 ", 0, 400000, 0 }, second = { "\n3", 0, UINT64_MAX, 2 },
                       kept = { "\n39999 ", 0, 400000, 0 };
    GString *text = g_string_new(NULL);
    char line[1001], *huge = g_strnfill(1 << 20, 'h');
    Printer p;

    printer_open(&p, REPLAY_MODE_RECORD);
    for (unsigned n = 0; n < 40000; n++) {
        snprintf(line, sizeof(line), "%-999u\n", n);
        g_assert_true(replay_output(p.uart[0], line, 1000));
        p.pos += 10;
    }
    g_assert_true(replay_output_text(p.replay, NULL, UINT64_MAX, text, NULL));
    g_assert_cmpuint(text->len, <, 17u << 20);
    g_assert_cmpuint(text->len, >, 15u << 20);
    g_assert_true(g_str_has_prefix(text->str, "[what came before position "));
    g_assert_true(g_str_has_suffix(text->str, line));
    check_found(&p, "\n39998 ", 0, 399980);
    check_found(&p, "\n10 ", 0, -1);
    /* Of an output that is longer than that is worth, the end is kept. */
    for (unsigned n = 0; n < 50; n++) {
        g_assert_true(replay_output(p.uart[1], huge, 1 << 20));
    }
    check_found(&p, "\n39999 ", 0, 399990);
    /* What is gone may be the last one, and counts: it has to be put out again. */
    g_assert_cmpuint(await_first(&p, "\n10 "), ==, replay_output_count(p.replay));
    g_assert_cmpuint(replay_output_await(p.replay, &gone), ==, 0);
    g_assert_cmpuint(replay_output_await(p.replay, &second), ==, 0);
    g_assert_cmpuint(replay_output_await(p.replay, &kept), ==, UINT64_MAX);
    check_awaited(&p, 399990);
    g_free(huge);
    g_string_free(text, true);
    replay_free(p.replay);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/replay-output/once", test_once);
    g_test_add_func("/replay-output/text-and-search", test_text_and_search);
    g_test_add_func("/replay-output/await", test_await);
    g_test_add_func("/replay-output/await-other", test_await_other);
    g_test_add_func("/replay-output/gap", test_gap);
    g_test_add_func("/replay-output/branch", test_branch);
    g_test_add_func("/replay-output/bounded", test_bounded);
    return g_test_run();
}
