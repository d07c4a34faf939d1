/*
 * A recording that is gone back in while it is made: the machine comes to its newest place again,
 * is live there, and the recording that results replays to an equal end. Machines that go live out of a
 * replay, whose recordings do the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "loop-machine.h"
#include "rng.h"
#include <glib/gstdio.h>
#include <unistd.h>

static const TcgConfig shapes[] = {
    { .unit_insns = 64 }, { .unit_insns = 1 }, { .unit_insns = 7, .no_link = true },
    { .interp = true, .unit_insns = 7 },
};

/* ---- calls on the machine thread ---- */

typedef struct Call {
    Run *r;
    GByteArray *state;
    const char *file;
    uint64_t position, digest;
    bool ok, live;
    Error *err;
} Call;

static void do_save(void *opaque)
{
    Call *c = opaque;

    c->position = exec_loop_position(c->r->loop);
    c->ok = machine_save(c->r->loop, c->state, &c->err);
}

static void do_load(void *opaque)
{
    Call *c = opaque;

    c->ok = machine_load(c->r->loop, c->state->data, c->state->len, &c->err);
    c->live = c->ok && replay_is_live(c->r->replay);
}

static void do_look(void *opaque)
{
    Call *c = opaque;

    c->position = exec_loop_position(c->r->loop);
    c->digest = exec_loop_digest(c->r->loop);
    c->live = replay_is_live(c->r->replay);
}

static void do_save_log(void *opaque)
{
    Call *c = opaque;

    c->ok = replay_save_log(c->r->replay, c->file, true, &c->err);
}

static void do_go_live(void *opaque)
{
    Call *c = opaque;

    c->ok = exec_loop_go_live(c->r->loop, c->file, &c->err);
}

static void call_ok(Call *c, void (*fn)(void *opaque))
{
    machine_run_sync(c->r->loop, fn, c);
    if (!c->ok) {
        g_error("%s", error_get_pretty(c->err));
    }
}

static Call look(Run *r)
{
    Call c = { .r = r };

    machine_run_sync(r->loop, do_look, &c);
    return c;
}

static Call save(Run *r)
{
    Call c = { .r = r, .state = g_byte_array_new() };

    call_ok(&c, do_save);
    return c;
}

static bool go_to(Run *r, uint64_t position)
{
    unsigned stops = r->stops;

    exec_loop_run_until(r->loop, position);
    return run_wait_stop(r, stops + 1);
}

static void open_paused(Run *r, const RunConfig *c, unsigned shape)
{
    RunConfig paused = *c;

    paused.tcg = shapes[shape % ARRAY_SIZE(shapes)];
    paused.exec.start_paused = true;
    run_open(r, &paused);
    run_start(r);
}

/* ---- somebody types all the time ---- */

typedef struct Typist {
    Run *r;
    Rng rng;
    GThread *thread;
    GMutex gate;
    gint stop;
} Typist;

static gpointer post(gpointer opaque)
{
    Typist *p = opaque;

    while (!g_atomic_int_get(&p->stop)) {
        uint64_t value = rng_next(&p->rng);

        g_usleep(rng_below(&p->rng, 100));
        g_mutex_lock(&p->gate);
        replay_post(p->r->dev.input, &value, 1 + rng_below(&p->rng, 8));
        if (rng_percent(&p->rng, 1)) {
            exec_loop_request(p->r->loop, SHUTDOWN_CAUSE_HOST_RESET);
        }
        g_mutex_unlock(&p->gate);
    }
    return NULL;
}

static void typist_start(Typist *p, Run *r, uint64_t seed)
{
    *p = (Typist){ .r = r, .rng = { seed } };
    g_mutex_init(&p->gate);
    p->thread = g_thread_new("typist", post, p);
}

static void typist_stop(Typist *p)
{
    g_atomic_int_set(&p->stop, 1);
    g_thread_join(p->thread);
    g_mutex_clear(&p->gate);
}

/* ---- rounds ---- */

/*
 * To earlier places and back; the machine is then as it was, and live. What is typed meanwhile is
 * dropped; at the newest place nobody types, or it would come in at once.
 */
static void check_round(Run *r, Typist *p, GPtrArray *states, Rng *rng)
{
    Call newest, again;

    g_mutex_lock(&p->gate);
    g_assert_true(go_to(r, look(r).position));
    newest = look(r);
    g_assert_true(newest.live);
    for (unsigned n = 1 + rng_below(rng, 3); n; n--) {
        Call c = { .r = r, .state = g_ptr_array_index(states, rng_below(rng, states->len)) };

        call_ok(&c, do_load);
        g_mutex_unlock(&p->gate);
        c = look(r);
        if (c.position < newest.position) {
            g_assert_false(c.live);
            g_assert_true(go_to(r, c.position + rng_below(rng,
                                                          (uint32_t)(newest.position - c.position))));
        }
        g_mutex_lock(&p->gate);
    }
    g_assert_true(go_to(r, newest.position));
    again = look(r);
    g_mutex_unlock(&p->gate);
    g_assert_true(again.live);
    g_assert_cmpuint(again.position, ==, newest.position);
    g_assert_cmphex(again.digest, ==, newest.digest);
}

static void do_damage(void *opaque)
{
    Call *c = opaque;

    g_assert_true(memory_write(c->r->a.m->memory, RAM + 0x234567, "x", 1));
}

/* The state at its end is compared: one that is not the recording's is found. */
static void check_replay_compares(const RunConfig *c, const char *path, uint64_t position)
{
    RunConfig replay = *c;
    Call call = { 0 };
    Run r;

    replay.replay = (ReplayConfig){ .mode = REPLAY_MODE_PLAY, .file = path };
    open_paused(&r, &replay, 0);
    call.r = &r;
    g_assert_true(go_to(&r, position - 1));
    machine_run_sync(r.loop, do_damage, &call);
    exec_loop_cont(r.loop);
    g_assert_cmpint(exec_loop_join(r.loop).exit_code, ==, 2);
    g_assert_nonnull(strstr(replay_report(r.replay), "END: saved, digest "));
    run_close(&r);
}

static void check_replay(const RunConfig *c, const char *path, const Call *expected, unsigned shape,
                         bool compared)
{
    RunConfig replay = *c;
    ExecResult result;
    Run r;

    replay.tcg = shapes[shape % ARRAY_SIZE(shapes)];
    replay.replay = (ReplayConfig){ .mode = REPLAY_MODE_PLAY, .file = path };
    run_open(&r, &replay);
    run_start(&r);
    result = run_join(&r);
    g_assert_true(replay_was_saved(r.replay));
    g_assert_cmpint(replay_is_truncated(r.replay), ==, !compared);
    g_assert_cmpuint(exec_loop_position(r.loop), ==, expected->position);
    g_assert_cmphex(result.digest, ==, expected->digest);
    run_close(&r);
}

static void save_log(Run *r, const char *path)
{
    Call c = { .r = r, .file = path };

    call_ok(&c, do_save_log);
}

/* Quit; what was recorded to the file replays to an equal end. */
static void finish(Run *r, const RunConfig *c, const char *file)
{
    RunConfig replay = *c;
    ExecResult recorded;
    Run again;

    exec_loop_request(r->loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_cont(r->loop);
    recorded = run_join(r);
    g_assert_true(recorded.digest_valid);
    g_assert_cmpint(recorded.cause, ==, SHUTDOWN_CAUSE_HOST_QUIT);
    run_close(r);
    if (file) {
        replay.replay = (ReplayConfig){ .mode = REPLAY_MODE_PLAY, .file = file };
        run_open(&again, &replay);
        run_start(&again);
        run_join_equal(&again, &recorded);
        run_close(&again);
    }
}

static void free_state(gpointer data)
{
    g_byte_array_unref(data);
}

/* Record in `rounds` pieces, gone back in after each. Typed at all the time. */
static void check_session(const RunConfig *c, const char *saved, unsigned rounds, uint64_t seed)
{
    GPtrArray *states = g_ptr_array_new_with_free_func(free_state);
    Rng rng = { seed };
    Typist typist;
    Call end, past;
    Run r;

    open_paused(&r, c, (unsigned)seed);
    typist_start(&typist, &r, seed);
    for (unsigned n = 0; n < rounds; n++) {
        g_ptr_array_add(states, save(&r).state);
        g_assert_true(go_to(&r, look(&r).position + 200 + rng_below(&rng, 5000)));
        check_round(&r, &typist, states, &rng);
    }
    typist_stop(&typist);
    /* What came in last is in it as well. */
    g_assert_true(go_to(&r, look(&r).position + 100));
    save_log(&r, saved);
    end = look(&r);
    check_replay(c, saved, &end, (unsigned)seed + 1, true);
    if (!c->exec.state_chaos) {
        check_replay_compares(c, saved, end.position);
    }
    /* Saved from the past, it is the same recording. */
    past = (Call){ .r = &r, .state = g_ptr_array_index(states, 0) };
    call_ok(&past, do_load);
    save_log(&r, saved);
    check_replay(c, saved, &end, (unsigned)seed + 2, false);
    g_assert_true(go_to(&r, end.position));
    g_ptr_array_unref(states);
    finish(&r, c, c->replay.file);
}

static RunConfig config(unsigned n)
{
    static const unsigned num_cpus[] = { 1, 2, 4, 8 };
    static const ReplayCheck checks[] = { REPLAY_CHECK_OFF, REPLAY_CHECK_EVENTS,
                                          REPLAY_CHECK_DIGEST };

    return (RunConfig){
        .exec = { .icount = true, .shift = n % 3, .sleep = n / 4 == 1, .shift_auto = n == 5 },
        .num_cpus = num_cpus[n % 4], .limit = 1000000,
        .replay = { .mode = REPLAY_MODE_RECORD, .check = checks[n % 3], .check_period = 777 },
    };
}

static void test_session(void)
{
    g_autofree char *path = g_strdup_printf("%s/rearm-exec-live-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    g_autofree char *saved = g_strconcat(path, ".saved", NULL);

    for (unsigned n = 0; n < 16; n++) {
        RunConfig c = config(n);

        c.exec.state_chaos = n >= 12 ? n : 0;
        c.exec.state_chaos_period = 300;
        c.replay.file = n & 1 ? path : NULL;
        c.replay.overwrite = n & 1;
        check_session(&c, saved, 10, n + 1);
    }
    g_unlink(path);
    g_unlink(saved);
}

/* ---- live out of a replay ---- */

/* A recording that was typed at, and quit. */
static uint64_t make_recording(const RunConfig *c, uint64_t seed)
{
    uint64_t positions;
    Typist typist;
    Run r;

    open_paused(&r, c, 0);
    typist_start(&typist, &r, seed);
    for (unsigned n = 0; n < 20; n++) {
        g_assert_true(go_to(&r, look(&r).position + 500));
    }
    typist_stop(&typist);
    positions = look(&r).position;
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_cont(r.loop);
    run_join(&r);
    run_close(&r);
    return positions;
}

/* At `at`, or, behind the end, where that is; typed at, gone back in, and left. */
static void check_branch(const RunConfig *c, const char *branch, uint64_t at, uint64_t seed)
{
    GPtrArray *states = g_ptr_array_new_with_free_func(free_state);
    RunConfig replay = *c;
    Rng rng = { seed };
    Typist typist;
    Call call;
    Run r;

    replay.replay = (ReplayConfig){ .mode = REPLAY_MODE_PLAY, .file = c->replay.file };
    replay.exec.stop_at_end = true;
    open_paused(&r, &replay, (unsigned)seed);
    g_assert_true(go_to(&r, at / 2));
    g_ptr_array_add(states, save(&r).state);
    g_assert_true(go_to(&r, at));
    call = (Call){ .r = &r, .file = branch };
    call_ok(&call, do_go_live);
    g_assert_true(look(&r).live);
    typist_start(&typist, &r, seed);
    for (unsigned n = 0; n < 4; n++) {
        g_assert_true(go_to(&r, look(&r).position + 200 + rng_below(&rng, 2000)));
        if (branch) {
            check_round(&r, &typist, states, &rng);
            g_ptr_array_add(states, save(&r).state);
        }
    }
    typist_stop(&typist);
    g_ptr_array_unref(states);
    finish(&r, c, branch);
}

static void test_branch(void)
{
    g_autofree char *path = g_strdup_printf("%s/rearm-exec-live-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    g_autofree char *branch = g_strconcat(path, ".branch", NULL);
    Rng rng = { 5 };

    for (unsigned n = 0; n < 12; n++) {
        RunConfig c = config(n);
        uint64_t positions;

        c.replay.file = path;
        positions = make_recording(&c, n + 1);
        for (unsigned i = 0; i < 3; i++) {
            check_branch(&c, i ? branch : NULL, rng_below(&rng, (uint32_t)positions), n + i + 1);
            g_unlink(branch);
        }
        g_unlink(path);
    }
}

/* Where a recording that was saved ends, the machine goes on. */
static void test_branch_at_the_end(void)
{
    g_autofree char *path = g_strdup_printf("%s/rearm-exec-live-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    g_autofree char *branch = g_strconcat(path, ".branch", NULL);
    RunConfig c = config(2);
    Run r;

    open_paused(&r, &c, 0);
    g_assert_true(go_to(&r, 5000));
    save_log(&r, path);
    finish(&r, &c, NULL);
    c.replay.file = path;
    check_branch(&c, branch, 5001, 1);
    g_unlink(branch);
    g_unlink(path);
}

/* A seek, and live at once: at the place where it leads, not where the machine happens to be. */
static void do_seek_and_go_live(void *opaque)
{
    Call *c = opaque;

    g_assert_true(exec_loop_seek(c->r->loop, c->position, NULL));
    do_go_live(c);
}

static void test_not_on_a_journey(void)
{
    RunConfig c = config(0);
    Call call, past;
    unsigned stops;
    Run r;

    c.exec.travel_memory = 64 << 20;
    open_paused(&r, &c, 0);
    g_assert_true(go_to(&r, 3000));
    past = save(&r);
    g_assert_true(go_to(&r, 9000));
    call_ok(&past, do_load);
    stops = r.stops;
    call = (Call){ .r = &r, .position = 5000 };
    machine_run_sync(r.loop, do_seek_and_go_live, &call);
    g_assert_false(call.ok);
    g_assert_nonnull(strstr(error_get_pretty(call.err), "on its way"));
    error_free(call.err);
    call.err = NULL;
    g_assert_true(run_wait_stop(&r, stops + 1));
    g_assert_false(look(&r).live);
    call_ok(&call, do_go_live);
    g_assert_true(look(&r).live);
    g_assert_cmpuint(look(&r).position, ==, 5000);
    g_byte_array_unref(past.state);
    finish(&r, &c, NULL);
}

/* Who quits in the past leaves a recording up to the newest place. */
static void test_quit_in_the_past(void)
{
    g_autofree char *path = g_strdup_printf("%s/rearm-exec-live-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    RunConfig c = config(0);
    ExecResult left;
    Call past, newest;
    Run r;

    c.replay.file = path;
    open_paused(&r, &c, 0);
    g_assert_true(go_to(&r, 3000));
    past = save(&r);
    g_assert_true(go_to(&r, 9000));
    newest = look(&r);
    call_ok(&past, do_load);
    g_assert_true(go_to(&r, 5000));
    g_assert_true(exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT));
    left = run_join(&r);
    g_assert_cmpint(left.exit_code, ==, 0);
    g_assert_false(left.digest_valid);
    g_byte_array_unref(past.state);
    run_close(&r);
    check_replay(&c, path, &newest, 1, false);
    g_unlink(path);
}

/* -no-shutdown: a machine that stands where it was switched off gets there again, and stands. */
static void test_no_shutdown(void)
{
    for (unsigned n = 0; n < 4; n++) {
        RunConfig c = config(n);
        Call past, newest, again;
        unsigned stops;
        Run r;

        c.exec.actions.shutdown = EXEC_SHUTDOWN_PAUSE;
        c.limit = 30;
        open_paused(&r, &c, n);
        g_assert_true(go_to(&r, 3000));
        past = save(&r);
        stops = r.stops;
        exec_loop_cont(r.loop);
        g_assert_true(run_wait_stop(&r, stops + 1));
        g_assert_cmpint(r.reason, ==, EXEC_STOP_SHUTDOWN);
        newest = look(&r);
        for (unsigned i = 0; i < 2; i++) {
            call_ok(&past, do_load);
            g_assert_true(go_to(&r, 4000));
            g_assert_false(look(&r).live);
            stops = r.stops;
            exec_loop_cont(r.loop);
            g_assert_true(run_wait_stop(&r, stops + 1));
            g_assert_cmpint(r.reason, ==, EXEC_STOP_SHUTDOWN);
            again = look(&r);
            g_assert_true(again.live);
            g_assert_cmpuint(again.position, ==, newest.position);
            g_assert_cmphex(again.digest, ==, newest.digest);
        }
        g_byte_array_unref(past.state);
        finish(&r, &c, NULL);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exec-live/session", test_session);
    g_test_add_func("/exec-live/branch", test_branch);
    g_test_add_func("/exec-live/branch-at-the-end", test_branch_at_the_end);
    g_test_add_func("/exec-live/no-shutdown", test_no_shutdown);
    g_test_add_func("/exec-live/not-on-a-journey", test_not_on_a_journey);
    g_test_add_func("/exec-live/quit-in-the-past", test_quit_in_the_past);
    return g_test_run();
}
