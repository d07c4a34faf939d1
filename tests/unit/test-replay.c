/*
 * The module as a whole, on a tiny machine whose every step depends on all that came
 * in before: it runs under none, record and replay, with posts from another
 * thread, values, idle time, resets and checks, and must end in the same state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "replay/replay-int.h"
#include "util/host-clock.h"
#include "util/host-random.h"

/* What a run does otherwise than it should, for the tests of reports. */
typedef enum Quirk {
    QUIRK_NONE,
    QUIRK_EXTRA_VALUE,        /* asks for random bytes once more */
    QUIRK_SKIPPED_VALUE,
    QUIRK_SHORT_VALUE,
    QUIRK_STATE,              /* a state change that only a digest sees */
    QUIRK_EVENT_PC,
    QUIRK_LAZY,               /* never idle */
    QUIRK_END_DIGEST,
    QUIRK_NO_END,             /* goes on where the recorded machine shut down */
} Quirk;

#define QUIRK_AT 5000

typedef struct Fake {
    Replay *replay;
    Quirk quirk;
    ReplaySource *chars, *requests, *clock, *random;
    uint64_t icount, warps;
    uint64_t x;               /* the state */
    int64_t time_ns;
    unsigned received, resets;
    unsigned want;            /* chars after which it shuts down */
    bool reset, shutdown, idle;
    uint64_t checked;         /* position of the last digest */
    bool slow;
} Fake;

static uint64_t fake_position(void *opaque)
{
    Fake *f = opaque;

    return f->icount + f->warps;
}

static uint64_t fake_icount(void *opaque)
{
    return ((Fake *)opaque)->icount;
}

static uint64_t fake_pc(void *opaque)
{
    return 0x40000000 + ((Fake *)opaque)->icount * 4;
}

static void fake_describe_cpu(void *opaque, GString *out)
{
    g_string_append_printf(out, "    X00=%016" PRIx64 "\n", ((Fake *)opaque)->x);
}

static void mix(Fake *f, uint64_t v)
{
    f->x = (f->x ^ v) * 0x9e3779b97f4a7c15ull;
    f->x ^= f->x >> 29;
}

static bool deliver_char(void *opaque, const uint8_t *payload, size_t length)
{
    Fake *f = opaque;

    for (size_t i = 0; i < length; i++) {
        mix(f, payload[i] + 1);
        f->received++;
    }
    f->idle = false;
    f->shutdown |= f->received >= f->want;
    return length > 0;
}

static bool deliver_request(void *opaque, const uint8_t *payload, size_t length)
{
    Fake *f = opaque;

    f->reset = true;
    f->idle = false;
    return length == 1 && payload[0] == 5;
}

static void produce_random(void *opaque, void *out, size_t length)
{
    host_random_bytes(out, length);
}

static void produce_clock(void *opaque, void *out, size_t length)
{
    int64_t now = host_realtime_ns();

    g_assert_cmpuint(length, ==, 8);
    memcpy(out, &now, 8);
}

static void ask(Fake *f, ReplaySource *s, ReplayProduce *produce, size_t length)
{
    uint8_t out[16] = { 0 };

    replay_value(s, produce, f, out, length);
    for (size_t i = 0; i < length; i++) {
        mix(f, out[i]);
    }
}

static void step(Fake *f)
{
    bool quirky = f->icount == QUIRK_AT;

    mix(f, f->icount);
    if (f->icount % 97 == 0) {
        ask(f, f->clock, produce_clock, 8);
    }
    if (f->icount % 1000 == 0 && !(quirky && f->quirk == QUIRK_SKIPPED_VALUE)) {
        ask(f, f->random, produce_random, quirky && f->quirk == QUIRK_SHORT_VALUE ? 15 : 16);
    }
    if (quirky && f->quirk == QUIRK_EXTRA_VALUE) {
        ask(f, f->random, produce_random, 4);
    }
    if (quirky && f->quirk == QUIRK_STATE) {
        mix(f, 1);
    }
    if (f->icount % 333 == 0) {
        replay_check_event(f->replay, 0x80,
                           fake_pc(f) + (quirky && f->quirk == QUIRK_EVENT_PC));
    }
    /* Depends on icount, not on x: it comes about in the quirky runs, too. */
    f->idle = f->icount % 2003 == 2002 && f->quirk != QUIRK_LAZY;
    f->icount++;
}

/* Each third time up to the next timer. */
static int64_t fake_sleep(void *opaque, int64_t until)
{
    Fake *f = opaque;

    if (f->slow) {
        g_usleep(50);
    }
    return f->warps % 3 == 0 ? until : 1000 + (f->slow ? host_monotonic_ns() % 1000 : 0);
}

static void idle(Fake *f)
{
    int64_t until = 5000 + (int64_t)(f->x % 5000), ns;

    if (replay_idle(f->replay, until, fake_sleep, f, &ns)) {
        f->time_ns += ns;
        mix(f, (uint64_t)ns);
        f->warps++;
        f->idle = false;
    }
}

static void execute(Fake *f)
{
    uint64_t pos = fake_position(f);
    uint64_t bound = replay_next_pos(f->replay);
    uint64_t n;

    g_assert_cmpuint(bound, >=, pos);
    n = CLAMP(bound - pos, 1, 50);
    for (uint64_t i = 0; i < n && !f->idle; i++) {
        step(f);
        if (fake_position(f) % 1000 == 0) {
            return;
        }
    }
}

/* The boundary's work. False: go round again. */
static bool boundary(Fake *f)
{
    uint64_t pos = fake_position(f);

    if (replay_safe_point(f->replay)) {
        return false;
    }
    if (f->reset) {
        f->reset = false;
        f->x = 1;
        f->resets++;
        replay_checkpoint(f->replay, CHECKPOINT_RESET);
        return false;
    }
    if (pos % 1000 == 0 && f->checked != pos) {
        f->checked = pos;
        replay_check_digest(f->replay, f->x, NULL, 0);
        return false;
    }
    return true;
}

/* Until the shutdown, the end of the log or a failure. */
static void fake_run(Fake *f)
{
    while (!replay_failed(f->replay)) {
        if (!boundary(f)) {
            continue;
        }
        if (f->shutdown && f->quirk != QUIRK_NO_END) {
            replay_end(f->replay, 1, f->x + (f->quirk == QUIRK_END_DIGEST));
            return;
        }
        if (replay_at_end(f->replay)) {
            replay_check_end(f->replay, f->x);
            return;
        }
        if (f->idle) {
            idle(f);
        } else {
            execute(f);
        }
    }
}

static Replay *new_replay(ReplayMode mode, const char *path, ReplayCheck check)
{
    ReplayConfig config = { mode, path, check, 1000 };
    Error *err = NULL;
    Replay *r = replay_new(&config, &err);

    if (!r) {
        g_error("%s", error_get_pretty(err));
    }
    return r;
}

static void fake_init(Fake *f, Replay *r)
{
    ReplayHost host = { fake_position, fake_icount, fake_pc, fake_describe_cpu, NULL, f };

    memset(f, 0, sizeof(*f));
    f->replay = r;
    f->want = 400;
    f->slow = true;
    f->checked = UINT64_MAX;
    f->chars = replay_source_new(r, REPLAY_KIND_CHAR, "uart0", deliver_char, f);
    f->requests = replay_source_new(r, REPLAY_KIND_REQUEST, "machine", deliver_request, f);
    f->random = replay_source_new(r, REPLAY_KIND_RANDOM, "rng", NULL, NULL);
    f->clock = replay_source_new(r, REPLAY_KIND_HOST_CLOCK, "rtc", NULL, NULL);
    replay_set_host(r, &host);
    replay_describe(r, "cpu", "cortex-a57");
    replay_describe(r, "kernel", "xxh3:0123 4096");
    /* As a board does for its DTB's seeds: before the start. */
    ask(f, f->random, produce_random, 16);
}

static void start(Replay *r)
{
    Error *err = NULL;

    if (!replay_start(r, &err)) {
        g_error("%s", error_get_pretty(err));
    }
}

static void *poster(void *opaque)
{
    Fake *f = opaque;

    for (unsigned i = 0; i < 200; i++) {
        uint8_t payload[2] = { (uint8_t)i, (uint8_t)(i * 3) };
        uint8_t cause = 5;

        replay_post(f->chars, payload, 2);
        if (i % 50 == 25) {
            replay_post(f->requests, &cause, 1);
        }
        g_usleep(i % 10 == 0 ? 500 : 20);
    }
    return NULL;
}

typedef struct Outcome {
    uint64_t x, icount, warps;
    int64_t time_ns;
    unsigned received, resets;
    bool failed, truncated, at_end;
    char *report;
} Outcome;

static Outcome run(ReplayMode mode, const char *path, ReplayCheck check, Quirk quirk)
{
    Fake f;
    Replay *r = new_replay(mode, path, check);
    GThread *thread;
    Outcome o;

    fake_init(&f, r);
    f.quirk = quirk;
    start(r);
    thread = g_thread_new("poster", poster, &f);
    fake_run(&f);
    g_thread_join(thread);
    o = (Outcome){ f.x, f.icount, f.warps, f.time_ns, f.received, f.resets,
                   replay_failed(r), replay_is_truncated(r), replay_at_end(r),
                   g_strdup(replay_report(r)) };
    replay_free(r);
    return o;
}

static char *temp_path(void)
{
    char *path = NULL;
    int fd = g_file_open_tmp("rearm-replay-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_close(fd, NULL);
    return path;
}

static void drop(char *path)
{
    g_unlink(path);
    g_free(path);
}

static void check_same(const Outcome *a, const Outcome *b)
{
    g_assert_cmphex(a->x, ==, b->x);
    g_assert_cmpuint(a->icount, ==, b->icount);
    g_assert_cmpuint(a->warps, ==, b->warps);
    g_assert_cmpint(a->time_ns, ==, b->time_ns);
    g_assert_cmpuint(a->received, ==, b->received);
    g_assert_cmpuint(a->resets, ==, b->resets);
}

static void record_and_replay(ReplayCheck check)
{
    char *path = temp_path();
    Outcome rec = run(REPLAY_MODE_RECORD, path, check, QUIRK_NONE);

    g_assert_false(rec.failed);
    g_assert_cmpuint(rec.received, ==, 400);
    g_assert_cmpuint(rec.resets, >, 0);
    g_assert_cmpuint(rec.warps, >, 0);
    g_assert_cmpuint(rec.icount, >, QUIRK_AT);
    for (unsigned i = 0; i < 3; i++) {
        Outcome play = run(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF, QUIRK_NONE);

        g_assert_false(play.failed);
        g_assert_true(play.at_end);
        g_assert_false(play.truncated);
        check_same(&rec, &play);
    }
    drop(path);
}

static void test_off(void)
{
    record_and_replay(REPLAY_CHECK_OFF);
}

static void test_events(void)
{
    record_and_replay(REPLAY_CHECK_EVENTS);
}

static void test_digest(void)
{
    record_and_replay(REPLAY_CHECK_DIGEST);
}

static void test_none(void)
{
    Outcome a = run(REPLAY_MODE_NONE, NULL, REPLAY_CHECK_OFF, QUIRK_NONE);

    g_assert_false(a.failed);
    g_assert_false(a.at_end);
    g_assert_cmpuint(a.received, ==, 400);
    g_assert_null(a.report);
}

/* Replaying otherwise than recorded fails, with a report that says what and where. */
static void diverge(ReplayCheck check, Quirk quirk, const char *const *words)
{
    char *path = temp_path();
    Outcome o = run(REPLAY_MODE_RECORD, path, check, QUIRK_NONE);

    g_assert_false(o.failed);
    o = run(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF, quirk);
    g_assert_true(o.failed);
    g_assert_nonnull(o.report);
    for (unsigned i = 0; words[i]; i++) {
        if (!strstr(o.report, words[i])) {
            g_error("no '%s' in: %s", words[i], o.report);
        }
    }
    /* What every report has. */
    g_assert_nonnull(strstr(o.report, path));
    g_assert_nonnull(strstr(o.report, "(icount "));
    g_assert_nonnull(strstr(o.report, "PC 0x4"));
    g_assert_nonnull(strstr(o.report, "X00="));
    g_assert_nonnull(strstr(o.report, "next record: "));
    g_assert_nonnull(strstr(o.report, "last records replayed:\n    #"));
    g_free(o.report);
    drop(path);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_divergence(void)
{
    diverge(REPLAY_CHECK_OFF, QUIRK_EXTRA_VALUE, WORDS("'rng' asked for RANDOM, 4 bytes"));
    diverge(REPLAY_CHECK_OFF, QUIRK_SHORT_VALUE,
            WORDS("RANDOM 'rng': 16 bytes", "'rng' asked for RANDOM, 15 bytes"));
    diverge(REPLAY_CHECK_OFF, QUIRK_SKIPPED_VALUE, WORDS("RANDOM 'rng': 16 bytes"));
    diverge(REPLAY_CHECK_DIGEST, QUIRK_STATE, WORDS("CHECK_DIGEST", "found: CHECK_DIGEST: "));
    diverge(REPLAY_CHECK_OFF, QUIRK_LAZY, WORDS("WARP"));
    diverge(REPLAY_CHECK_OFF, QUIRK_END_DIGEST, WORDS("END: cause 1 digest", "found: END"));
    diverge(REPLAY_CHECK_OFF, QUIRK_NO_END,
            WORDS("END: cause 1 digest", "found: the machine does not end here"));
}

/* QUIRK_AT is no multiple of 333: a run of its own. */
static void test_event_divergence(void)
{
    char *path = temp_path();
    Replay *r = new_replay(REPLAY_MODE_RECORD, path, REPLAY_CHECK_EVENTS);
    Fake f;

    fake_init(&f, r);
    start(r);
    replay_check_event(r, 0x80, 0x1234);
    replay_end(r, 1, 0);
    replay_free(r);
    r = new_replay(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF);
    fake_init(&f, r);
    start(r);
    g_assert_cmpint(replay_check_kind(r), ==, REPLAY_CHECK_EVENTS);
    replay_check_event(r, 0x80, 0x1238);
    g_assert_true(replay_failed(r));
    g_assert_nonnull(strstr(replay_report(r), "vector 128 pc 0x1234"));
    g_assert_nonnull(strstr(replay_report(r), "vector 128 pc 0x1238"));
    replay_free(r);
    drop(path);
}

/* A loop that runs past the bound is told at its next safe point. */
static void test_passed_record(void)
{
    char *path = temp_path();
    Replay *r = new_replay(REPLAY_MODE_RECORD, path, REPLAY_CHECK_OFF);
    Fake f;

    fake_init(&f, r);
    start(r);
    f.icount = 100;
    replay_post(f.chars, "x", 1);
    g_assert_true(replay_safe_point(r));
    f.icount = 200;
    replay_end(r, 1, 0);
    replay_free(r);
    r = new_replay(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF);
    fake_init(&f, r);
    start(r);
    g_assert_cmpuint(replay_next_pos(r), ==, 100);
    f.icount = 150;
    g_assert_false(replay_safe_point(r));
    g_assert_true(replay_failed(r));
    g_assert_nonnull(strstr(replay_report(r), "position 100 CHAR 'uart0': 1 bytes 78"));
    g_assert_nonnull(strstr(replay_report(r), "execution went past it"));
    g_assert_nonnull(strstr(replay_report(r), "passed 50 ago"));
    g_assert_cmpuint(f.received, ==, 0);
    g_assert_cmpuint(replay_next_pos(r), ==, 150);
    replay_free(r);
    drop(path);
}

/* ---- order at one position ---- */

/* A reset that was asked for and a key behind it: the key must stay behind the reset,
 * though no instruction ran in between; so for two deliveries with work between them. */
static void order_run(ReplayMode mode, const char *path, uint64_t *x)
{
    Replay *r = new_replay(mode, path, REPLAY_CHECK_OFF);
    Fake f;

    fake_init(&f, r);
    start(r);
    replay_post(f.requests, "\5", 1);
    g_assert_true(replay_safe_point(r));
    g_assert_true(f.reset);
    /* Arrives before the reset was carried out. */
    replay_post(f.chars, "a", 1);
    f.x = 1;
    replay_checkpoint(r, CHECKPOINT_RESET);
    g_assert_cmpuint(f.received, ==, 1);
    mix(&f, 77);
    replay_post(f.chars, "b", 1);
    g_assert_true(replay_due(r) == (mode == REPLAY_MODE_PLAY));
    g_assert_true(replay_safe_point(r));
    g_assert_cmpuint(f.received, ==, 2);
    mix(&f, 78);
    replay_post(f.chars, "c", 1);
    g_assert_true(replay_safe_point(r));
    g_assert_cmpuint(f.received, ==, 3);
    g_assert_false(replay_safe_point(r));
    g_assert_false(replay_due(r));
    g_assert_true(replay_end(r, 1, f.x));
    *x = f.x;
    replay_free(r);
}

static void test_order(void)
{
    char *path = temp_path();
    uint64_t recorded, played;

    order_run(REPLAY_MODE_RECORD, path, &recorded);
    order_run(REPLAY_MODE_PLAY, path, &played);
    g_assert_cmphex(recorded, ==, played);
    drop(path);
}

/* ---- refusals ---- */

static void check_start_fails(Replay *r, const char *const *words)
{
    Error *err = NULL;

    g_assert_false(replay_start(r, &err));
    for (unsigned i = 0; words[i]; i++) {
        if (!strstr(error_get_pretty(err), words[i])) {
            g_error("no '%s' in: %s", words[i], error_get_pretty(err));
        }
    }
    error_free(err);
    replay_free(r);
}

static void test_refused_source(void)
{
    char *path = temp_path();
    Replay *r;

    g_file_set_contents(path, "precious", -1, NULL);
    r = new_replay(REPLAY_MODE_RECORD, path, REPLAY_CHECK_OFF);
    replay_source_refuse(r, "-device host-camera", "its pictures cannot be reproduced");
    check_start_fails(r, WORDS("-device host-camera", "its pictures cannot be reproduced"));
    /* A refused recording has not touched the file. */
    {
        char *content = NULL;

        g_file_get_contents(path, &content, NULL, NULL);
        g_assert_cmpstr(content, ==, "precious");
        g_free(content);
    }
    r = new_replay(REPLAY_MODE_NONE, NULL, REPLAY_CHECK_OFF);
    replay_source_refuse(r, "-device host-camera", "its pictures cannot be reproduced");
    g_assert_true(replay_start(r, NULL));
    replay_free(r);
    drop(path);
}

/* A recording with one value before the start. */
static void record_short(const char *path)
{
    Replay *r = new_replay(REPLAY_MODE_RECORD, path, REPLAY_CHECK_OFF);
    Fake f;

    fake_init(&f, r);
    replay_describe(r, "info.command-line", "rearm -M virt");
    start(r);
    replay_end(r, 1, f.x);
    replay_free(r);
}

/* Sources and names as given; an empty value leaves the name out. */
static Replay *play_with(const char *path, const char *cpu, const char *kernel,
                         const char *uart, const char *extra)
{
    Replay *r = new_replay(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF);

    replay_source_new(r, REPLAY_KIND_CHAR, uart, deliver_char, NULL);
    replay_source_new(r, REPLAY_KIND_REQUEST, "machine", deliver_request, NULL);
    replay_source_new(r, REPLAY_KIND_RANDOM, "rng", NULL, NULL);
    replay_source_new(r, REPLAY_KIND_HOST_CLOCK, "rtc", NULL, NULL);
    replay_describe(r, "cpu", cpu);
    if (*kernel) {
        replay_describe(r, "kernel", kernel);
    }
    if (*extra) {
        replay_describe(r, extra, "1");
    }
    return r;
}

static void test_mismatch(void)
{
    char *path = temp_path();
    const char *kernel = "xxh3:0123 4096";
    Replay *r;

    record_short(path);
    r = play_with(path, "cortex-a57", kernel, "uart0", "");
    g_assert_cmpstr(replay_described(r, "cpu"), ==, "cortex-a57");
    g_assert_cmpstr(replay_described(r, "info.command-line"), ==, "rearm -M virt");
    g_assert_null(replay_described(r, "machine"));
    g_assert_true(replay_start(r, NULL));
    replay_free(r);
    r = play_with(path, "cortex-a72", kernel, "uart0", "");
    check_start_fails(r, WORDS(path, "'cpu'", "'cortex-a57'", "'cortex-a72'"));
    r = play_with(path, "cortex-a57", "xxh3:ffff 4096", "uart0", "");
    check_start_fails(r, WORDS("'kernel'", "'xxh3:0123 4096'", "'xxh3:ffff 4096'"));
    r = play_with(path, "cortex-a57", "", "uart0", "");
    check_start_fails(r, WORDS("'kernel'", "'xxh3:0123 4096'", "absent now"));
    r = play_with(path, "cortex-a57", kernel, "uart0", "initrd");
    check_start_fails(r, WORDS("'initrd'", "absent when recording"));
    r = play_with(path, "cortex-a57", kernel, "uart0", "info.other");
    g_assert_true(replay_start(r, NULL));
    replay_free(r);
    r = play_with(path, "cortex-a57", kernel, "uart1", "");
    check_start_fails(r, WORDS("CHAR source 'uart0'", "this one has none"));
    r = play_with(path, "cortex-a57", kernel, "uart0", "");
    replay_source_new(r, REPLAY_KIND_CHAR_EVENT, "uart0", deliver_char, NULL);
    check_start_fails(r, WORDS("CHAR_EVENT source 'uart0'", "recorded one had none"));
    drop(path);
}

/* A value of another length before the start, though the descriptions agree. */
static void test_early_mismatch(void)
{
    char *path = temp_path();
    Replay *r;
    ReplaySource *rng;
    uint8_t out[8];

    record_short(path);
    r = new_replay(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF);
    replay_source_new(r, REPLAY_KIND_CHAR, "uart0", deliver_char, NULL);
    replay_source_new(r, REPLAY_KIND_REQUEST, "machine", deliver_request, NULL);
    rng = replay_source_new(r, REPLAY_KIND_RANDOM, "rng", NULL, NULL);
    replay_source_new(r, REPLAY_KIND_HOST_CLOCK, "rtc", NULL, NULL);
    replay_describe(r, "cpu", "cortex-a57");
    replay_describe(r, "kernel", "xxh3:0123 4096");
    replay_value(rng, produce_random, NULL, out, sizeof(out));
    g_assert_false(replay_failed(r));
    check_start_fails(r, WORDS("before the start", "8 bytes", "16 bytes"));
    drop(path);
}

/* ---- truncated and damaged logs ---- */

/* The end record and both tail frames cut off, then more and more. */
static void test_truncated(void)
{
    char *path = temp_path();
    Outcome rec = run(REPLAY_MODE_RECORD, path, REPLAY_CHECK_EVENTS, QUIRK_NONE);
    char *data;
    gsize length;

    g_file_get_contents(path, &data, &length, NULL);
    for (unsigned i = 1; i < 6; i++) {
        Outcome o;

        g_file_set_contents(path, data, (gssize)(length - i * 61), NULL);
        o = run(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF, QUIRK_NONE);
        g_assert_false(o.failed);
        g_assert_true(o.at_end);
        g_assert_true(o.truncated || o.icount == rec.icount);
        g_assert_cmpuint(o.icount, <=, rec.icount);
        if (i == 1) {
            /* Only the end frame is missing: all records are there. */
            check_same(&rec, &o);
        }
    }
    g_free(data);
    drop(path);
}

static void test_damaged(void)
{
    char *path = temp_path();
    char *data;
    gsize length;
    Outcome o;

    run(REPLAY_MODE_RECORD, path, REPLAY_CHECK_DIGEST, QUIRK_NONE);
    g_file_get_contents(path, &data, &length, NULL);
    data[length / 2] ^= 4;
    g_file_set_contents(path, data, (gssize)length, NULL);
    o = run(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF, QUIRK_NONE);
    g_assert_true(o.failed);
    g_assert_nonnull(strstr(o.report, "is damaged: frame "));
    g_assert_nonnull(strstr(o.report, "at offset "));
    g_free(o.report);
    g_free(data);
    drop(path);
}

/* A log with this one idle time, as no recorder writes it. */
static void check_hostile_warp(int64_t recorded, int64_t until, bool good)
{
    char *path = temp_path();
    Replay *r = new_replay(REPLAY_MODE_RECORD, path, REPLAY_CHECK_OFF);
    GByteArray *payload = g_byte_array_new();
    int64_t ns;

    start(r);
    bytes_put_svarint(payload, recorded);
    r->ops->mark(r, REPLAY_KIND_WARP, payload->data, payload->len);
    g_byte_array_unref(payload);
    replay_free(r);
    r = new_replay(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF);
    start(r);
    ns = 0;
    g_assert_cmpint(replay_idle(r, until, NULL, NULL, &ns), ==, good);
    g_assert_cmpint(replay_failed(r), ==, !good);
    if (good) {
        g_assert_cmpint(ns, ==, recorded);
    } else {
        g_assert_nonnull(strstr(replay_report(r),
                                "is damaged: record 0 has a malformed idle time"));
    }
    replay_free(r);
    drop(path);
}

static void test_hostile_warp(void)
{
    int64_t year = 365ll * 86400 * 1000000000;

    check_hostile_warp(year, INT64_MAX, true);
    check_hostile_warp(5000, 5000, true);
    check_hostile_warp(5001, 5000, false);
    check_hostile_warp(-1, 5000, false);
    check_hostile_warp(100 * year, INT64_MAX, false);
    check_hostile_warp(INT64_MAX, INT64_MAX, false);
}

/* A recording process that is killed while its machine is idle. */
static void test_killed(void)
{
    char *path = temp_path();
    pid_t child = fork();
    Replay *r;
    Fake f;
    int status;

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        r = new_replay(REPLAY_MODE_RECORD, path, REPLAY_CHECK_OFF);
        fake_init(&f, r);
        start(r);
        for (unsigned i = 0; i < 10; i++) {
            replay_post(f.chars, "x", 1);
            replay_safe_point(r);
            f.icount += 100;
        }
        for (;;) {
            pause();
        }
    }
    /* Longer than the second that a record may wait. */
    g_usleep(1700000);
    kill(child, SIGKILL);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    r = new_replay(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF);
    fake_init(&f, r);
    start(r);
    for (unsigned i = 0; i < 10; i++) {
        g_assert_false(replay_at_end(r));
        g_assert_cmpuint(replay_next_pos(r), ==, i * 100);
        g_assert_true(replay_safe_point(r));
        f.icount += 100;
    }
    g_assert_true(replay_at_end(r));
    g_assert_true(replay_is_truncated(r));
    g_assert_false(replay_failed(r));
    g_assert_cmpuint(f.received, ==, 10);
    replay_free(r);
    drop(path);
}

/* A guest that computes without input, killed: the replay still gets there. */
static void test_progress(void)
{
    char *path = temp_path();
    Replay *r = new_replay(REPLAY_MODE_RECORD, path, REPLAY_CHECK_OFF);
    uint8_t value[4];
    Fake f;

    fake_init(&f, r);
    start(r);
    r->progress_period_ns = 0;
    f.icount = 1000;
    g_assert_false(replay_safe_point(r));
    r->progress_period_ns = INT64_MAX;
    replay_value(f.random, produce_random, NULL, value, sizeof(value));
    f.icount = 1500;
    g_assert_false(replay_safe_point(r));
    r->progress_period_ns = 0;
    f.icount = 2000;
    g_assert_false(replay_safe_point(r));
    replay_free(r);

    r = new_replay(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF);
    fake_init(&f, r);
    start(r);
    g_assert_cmpuint(replay_next_pos(r), ==, 1000);
    f.icount = 1000;
    g_assert_false(replay_safe_point(r));
    g_assert_false(replay_due(r));
    g_assert_cmpuint(replay_next_pos(r), ==, 2000);
    replay_value(f.random, produce_random, NULL, value, sizeof(value));
    g_assert_cmpuint(replay_next_pos(r), ==, 2000);
    f.icount = 2000;
    g_assert_false(replay_safe_point(r));
    g_assert_true(replay_at_end(r));
    g_assert_true(replay_is_truncated(r));
    g_assert_false(replay_failed(r));
    replay_free(r);
    drop(path);
}

/* ---- info ---- */

static void test_info(void)
{
    char *path = temp_path();
    GString *text = g_string_new(NULL);
    Replay *r;
    Fake f;

    record_short(path);
    r = new_replay(REPLAY_MODE_PLAY, path, REPLAY_CHECK_OFF);
    fake_init(&f, r);
    start(r);
    replay_info(r, text);
    g_assert_nonnull(strstr(text->str, "mode: replay\n"));
    g_assert_nonnull(strstr(text->str, "records replayed: 1\n"));
    g_assert_nonnull(strstr(text->str, "next record: #1 position 0 END: cause 1 digest "));
    replay_free(r);
    g_string_free(text, true);
    drop(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* First: it forks, and there are no threads yet. */
    g_test_add_func("/replay/killed", test_killed);
    g_test_add_func("/replay/none", test_none);
    g_test_add_func("/replay/record-replay/off", test_off);
    g_test_add_func("/replay/record-replay/events", test_events);
    g_test_add_func("/replay/record-replay/digest", test_digest);
    g_test_add_func("/replay/divergence", test_divergence);
    g_test_add_func("/replay/event-divergence", test_event_divergence);
    g_test_add_func("/replay/passed-record", test_passed_record);
    g_test_add_func("/replay/order", test_order);
    g_test_add_func("/replay/refused-source", test_refused_source);
    g_test_add_func("/replay/mismatch", test_mismatch);
    g_test_add_func("/replay/early-mismatch", test_early_mismatch);
    g_test_add_func("/replay/truncated", test_truncated);
    g_test_add_func("/replay/damaged", test_damaged);
    g_test_add_func("/replay/hostile-warp", test_hostile_warp);
    g_test_add_func("/replay/progress", test_progress);
    g_test_add_func("/replay/info", test_info);
    return g_test_run();
}
