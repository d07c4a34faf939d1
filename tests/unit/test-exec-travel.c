/*
 * Time travel: wherever a journey leads, forwards or backwards, in whatever shape of execution, the
 * machine is in the state that a straight run has there; and it stands where the straight run
 * would have stopped last. A recording that was travelled in ends as it did.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "travel-machine.h"

/* ---- random journeys ---- */

/* Time grows with the position, so a moment is one place. */
static void check_seek_time(Run *r, const Straight *s, Rng *rng)
{
    unsigned n = 1 + rng_below(rng, POINTS - 1), stops = r->stops;
    int64_t early = rng_below(rng, 2);
    Look here;

    g_assert_true(exec_loop_seek_by(r->loop, s->time[n] - early - look(r).time, NULL));
    wait_stop(r, stops + 1, s->time[n] > early ? EXEC_STOP_POSITION : EXEC_STOP_REPLAY_BEGIN);
    here = look(r);
    if (here.position != s->at[n]) {
        g_assert_cmpint(early, ==, 1);
        g_assert_cmpuint(here.position, ==, s->at[n] - 1);
    } else {
        g_assert_cmphex(here.digest, ==, s->digest[n]);
    }
}

/* A step back over a watched access says so; any other does not. */
static void check_watched_step(Run *r, const Straight *s, Rng *rng)
{
    uint64_t at;
    unsigned stops;
    Vcpu *cpu;

    if (!s->stops->len) {
        return;
    }
    at = g_array_index(s->stops, uint64_t, rng_below(rng, s->stops->len));
    seek(r, at, EXEC_STOP_POSITION);
    machine_run_sync(r->loop, do_set_stops, r);
    cpu = loop_choose_cpu(r->loop);
    stops = r->stops;
    exec_loop_step(r->loop, cpu);
    g_assert_true(run_wait_stop(r, stops + 1));
    if (r->reason == EXEC_STOP_WATCHPOINT) {
        stops = r->stops;
        exec_loop_step(r->loop, cpu);
        wait_stop(r, stops + 1, EXEC_STOP_STEPPED);
        for (unsigned n = 0; n < 2; n++) {
            reverse_step(r, cpu->index);
            g_assert_cmpint(r->reason, ==, n ? EXEC_STOP_STEPPED : EXEC_STOP_WATCHPOINT);
            g_assert_true(n || look(r).position == at);
        }
    }
    machine_run_sync(r->loop, do_clear_stops, r);
}

typedef struct Break {
    Run *r;
    uint64_t at;
} Break;

static void do_add_break(void *opaque)
{
    Break *b = opaque;

    g_assert_true(exec_loop_add_break(b->r->loop, b->at));
    g_assert_false(exec_loop_add_break(b->r->loop, b->at));
}

static void do_remove_break(void *opaque)
{
    Break *b = opaque;

    g_assert_true(exec_loop_remove_break(b->r->loop, b->at));
    g_assert_false(exec_loop_remove_break(b->r->loop, b->at));
}

/* A break stops both ways, once. */
static void check_break(Run *r, const Straight *s, Rng *rng)
{
    unsigned n = 1 + rng_below(rng, POINTS - 1), stops;
    Break b = { r, s->at[n] };

    seek(r, s->at[n - 1], EXEC_STOP_POSITION);
    machine_run_sync(r->loop, do_add_break, &b);
    if (s->at[n - 1] != s->at[n]) {
        stops = r->stops;
        exec_loop_cont(r->loop);
        wait_stop(r, stops + 1, EXEC_STOP_POSITION);
        g_assert_cmphex(look(r).digest, ==, s->digest[n]);
    }
    seek(r, s->total, EXEC_STOP_POSITION);
    stops = r->stops;
    g_assert_true(exec_loop_reverse_cont(r->loop, NULL));
    wait_stop(r, stops + 1, EXEC_STOP_POSITION);
    g_assert_cmphex(look(r).digest, ==, s->digest[n]);
    machine_run_sync(r->loop, do_remove_break, &b);
}

static void check_journeys(const RunConfig *c, const ExecResult *recorded, const Straight *s,
                           unsigned shape, Rng *rng)
{
    Run r;

    open_replay(&r, c, shape);
    for (unsigned n = 0; n < 25; n++) {
        switch (rng_below(rng, 7)) {
        case 0: check_step(&r, rng); break;
        case 1: check_reverse_cont(&r, s); break;
        case 2: check_watched_step(&r, s, rng); break;
        case 3: check_break(&r, s, rng); break;
        case 4: check_seek_time(&r, s, rng); break;
        default: check_seek(&r, s, rng); break;
        }
    }
    finish(&r, recorded);
}

/* ---- journeys that are not left alone ---- */

static void do_clear_all(void *opaque)
{
    Run *r = opaque;

    tcg_breakpoint_clear(r->a.tcg);
    tcg_watchpoint_clear(r->a.tcg);
}

/* What monitors and gdb may do at any time, whether the machine travels or not. */
static void meddle(Run *r, const Straight *s, Rng *rng, bool may_reset)
{
    Vcpu *cpu = r->a.m->cpus[rng_below(rng, r->a.m->num_cpus)];

    switch (rng_below(rng, 8)) {
    case 0: exec_loop_stop(r->loop); break;
    case 1: exec_loop_cont(r->loop); break;
    case 2: exec_loop_step(r->loop, cpu); break;
    case 3: g_assert_true(exec_loop_reverse_step(r->loop, cpu, NULL)); break;
    case 4: g_assert_true(exec_loop_reverse_cont(r->loop, NULL)); break;
    case 5: exec_loop_run_until(r->loop, s->at[rng_below(rng, POINTS)]); break;
    case 6:
        g_assert_false(may_reset && exec_loop_request(r->loop, SHUTDOWN_CAUSE_HOST_RESET));
        break;
    default:
        g_assert_true(exec_loop_seek(r->loop, s->at[rng_below(rng, POINTS)], NULL));
        break;
    }
}

/* However the last journey is, the machine stands still after a stop, and a seek arrives. */
static void check_meddled(const RunConfig *c, const ExecResult *recorded, const Straight *s,
                          unsigned shape, Rng *rng)
{
    Run r;

    open_replay(&r, c, shape);
    machine_run_sync(r.loop, do_set_stops, &r);
    for (unsigned n = 0; n < 300; n++) {
        meddle(&r, s, rng, true);
        if (rng_below(rng, 3) == 0) {
            g_usleep(rng_below(rng, 300));
        }
        if (n % 10 == 9) {
            exec_loop_stop(r.loop);
            g_assert_false(exec_loop_running(r.loop));
            g_assert_false(exec_loop_travelling(r.loop));
            g_assert_cmpuint(look(&r).position, ==, look(&r).position);
            check_seek(&r, s, rng);
        }
    }
    exec_loop_stop(r.loop);
    machine_run_sync(r.loop, do_clear_all, &r);
    finish(&r, recorded);
}

/* Who quits on a journey need not wait for its end. */
static void check_quit(const RunConfig *c, const Straight *s, Rng *rng)
{
    Run r;

    open_replay(&r, c, 0);
    seek(&r, s->total, EXEC_STOP_POSITION);
    g_assert_true(exec_loop_seek(r.loop, s->at[rng_below(rng, POINTS)], NULL));
    g_usleep(rng_below(rng, 1000));
    g_assert_true(exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT));
    g_assert_cmpint(exec_loop_join(r.loop).cause, ==, SHUTDOWN_CAUSE_HOST_QUIT);
    g_assert_false(exec_loop_travelling(r.loop));
    run_close(&r);
}

/* ---- recordings ---- */

static void test_journeys(void)
{
    static const unsigned num_cpus[] = { 1, 2, 4, 8 };
    g_autofree char *path = g_strdup_printf("%s/rearm-travel-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    Rng rng = { 5 };

    for (unsigned n = 0; n < 8; n++) {
        RunConfig c = { .exec = { .icount = true, .shift = n % 3, .sleep = n / 4 == 1,
                                  .shift_auto = n == 5 },
                        .num_cpus = num_cpus[n % 4], .limit = 50, .guest_resets = n % 3,
                        .replay = { .mode = REPLAY_MODE_RECORD, .file = path,
                                    .check_period = 7777 } };
        ExecResult recorded;
        Straight s;

        c.replay.check = n % 3 == 0 ? REPLAY_CHECK_EVENTS : n % 3 == 1 ? REPLAY_CHECK_DIGEST :
                                                                        REPLAY_CHECK_OFF;
        recorded = record(&c);
        c.replay.mode = REPLAY_MODE_PLAY;
        note_stops(&c, &s);
        note_points(&c, &s, &rng);
        for (unsigned i = 0; i < 2; i++) {
            check_journeys(&c, &recorded, &s, n + i, &rng);
        }
        check_meddled(&c, &recorded, &s, n, &rng);
        check_quit(&c, &s, &rng);
        g_array_unref(s.stops);
        g_unlink(path);
    }
}

/* ---- a machine recorded in memory ---- */

static void end_of_live(Run *r)
{
    exec_loop_stop(r->loop);
    g_assert_true(exec_loop_request(r->loop, SHUTDOWN_CAUSE_HOST_QUIT));
    g_assert_cmpint(exec_loop_join(r->loop).exit_code, ==, 0);
    run_close(r);
}

/* It stands where it was switched off, goes back from there, and is not left alone. */
static void test_switched_off(void)
{
    Rng rng = { 9 };

    for (unsigned n = 0; n < 4; n++) {
        RunConfig c = { .exec = { .icount = true, .shift = n % 3, .actions.shutdown = EXEC_SHUTDOWN_PAUSE,
                                  .start_paused = true, .snapshot_always = true,
                                  .travel_memory = 64 << 20, .snapshot_period = 3000 },
                        .num_cpus = 1 + n, .limit = 30, .tcg = shapes[n],
                        .replay = { .mode = REPLAY_MODE_RECORD } };
        Straight s;
        Look off;
        Run r;

        run_open(&r, &c);
        run_start(&r);
        exec_loop_cont(r.loop);
        wait_stop(&r, 1, EXEC_STOP_SHUTDOWN);
        off = look(&r);
        machine_run_sync(r.loop, do_set_stops, &r);
        g_assert_true(exec_loop_reverse_cont(r.loop, NULL));
        g_assert_true(run_wait_stop(&r, 2));
        g_assert_true(r.reason == EXEC_STOP_BREAKPOINT || r.reason == EXEC_STOP_WATCHPOINT);
        g_assert_cmpuint(look(&r).position, <, off.position);
        for (unsigned i = 0; i < POINTS; i++) {
            s.at[i] = rng_below(&rng, (unsigned)off.position);
        }
        for (unsigned i = 0; i < 100; i++) {
            meddle(&r, &s, &rng, false);
        }
        exec_loop_stop(r.loop);
        machine_run_sync(r.loop, do_clear_all, &r);
        seek(&r, off.position, EXEC_STOP_POSITION);
        g_assert_cmphex(look(&r).digest, ==, off.digest);
        end_of_live(&r);
    }
}

/* ---- live, recorded in memory ---- */

#define LIVE_PLACES 12

/* A session, and the states that it was in when it was there for the first time. */
typedef struct Live {
    Run r;
    Rng rng;
    Look place[LIVE_PLACES];
    unsigned num_places;
} Live;

static bool has_stopped(Run *r, unsigned stops)
{
    bool stopped;

    g_mutex_lock(&r->lock);
    stopped = r->stops >= stops;
    g_mutex_unlock(&r->lock);
    return stopped;
}

/*
 * Live up to a position, typed at on the way, and reset now and then. Nothing comes in at the position
 * where this begins, whose state is known; all that was posted has come in where it ends.
 */
static void run_typed(Live *s, uint64_t position)
{
    Run *r = &s->r;
    unsigned stops;

    run_on(r, look(r).position + 1);
    stops = r->stops;
    exec_loop_run_until(r->loop, position);
    while (!has_stopped(r, stops + 1)) {
        uint64_t value = rng_next(&s->rng);

        replay_post(r->dev.input, &value, 1 + rng_below(&s->rng, 8));
        if (rng_percent(&s->rng, 1)) {
            exec_loop_request(r->loop, SHUTDOWN_CAUSE_HOST_RESET);
        }
        g_usleep(rng_below(&s->rng, 100));
    }
    run_on(r, look(r).position);
}

static void open_live(Live *s, const RunConfig *c, unsigned shape, uint64_t seed)
{
    RunConfig live = *c;

    *s = (Live){ .rng = { seed } };
    live.tcg = shapes[shape % ARRAY_SIZE(shapes)];
    live.exec.start_paused = live.exec.snapshot_always = true;
    live.exec.travel_memory = c->exec.travel_memory ? c->exec.travel_memory : 64 << 20;
    live.exec.snapshot_period = c->exec.snapshot_period ? c->exec.snapshot_period : 700;
    run_open(&s->r, &live);
    run_start(&s->r);
    s->place[s->num_places++] = look(&s->r);
}

static void record_on(Live *s)
{
    run_typed(s, look(&s->r).position + 300 + rng_below(&s->rng, 5000));
    g_assert_cmpuint(s->num_places, <, LIVE_PLACES);
    s->place[s->num_places++] = look(&s->r);
}

static void go_to_place(Live *s, unsigned n)
{
    uint64_t value = 1;
    Look here;

    seek(&s->r, s->place[n].position, EXEC_STOP_POSITION);
    here = look(&s->r);
    g_assert_cmpuint(here.position, ==, s->place[n].position);
    g_assert_cmphex(here.digest, ==, s->place[n].digest);
    if (n + 1 < s->num_places && here.position < s->place[n + 1].position) {
        g_assert_false(replay_post(s->r.dev.input, &value, 1));
    }
}

/* Any of them, with steps back and forth there; at last the newest, which is live. */
static void look_around(Live *s)
{
    for (unsigned n = 0; n < 6; n++) {
        go_to_place(s, rng_below(&s->rng, s->num_places - 1));
        if (rng_percent(&s->rng, 40)) {
            check_step(&s->r, &s->rng);
        }
    }
    go_to_place(s, s->num_places - 1);
}

static void do_go_live(void *opaque)
{
    Run *r = *(Run **)opaque;
    const char *file = ((const char **)opaque)[1];

    g_assert_true(exec_loop_go_live(r->loop, file, NULL));
}

/* From one of its places on, something else happens. */
static void branch_off(Live *s, const char *file)
{
    unsigned n = rng_below(&s->rng, s->num_places - 1);
    const void *call[] = { &s->r, file };

    go_to_place(s, n);
    machine_run_sync(s->r.loop, do_go_live, call);
    s->num_places = n + 1;
    g_assert_cmphex(look(&s->r).digest, ==, s->place[n].digest);
}

static void do_save_log(void *opaque)
{
    const void **call = opaque;

    g_assert_true(replay_save_log(((Run *)call[0])->replay, call[1], true, NULL));
}

/* Quit; what is in the file is the session, and can be travelled in. */
static void close_live(Live *s, const RunConfig *c, const char *file, unsigned shape)
{
    RunConfig play = *c;
    Live again = { .rng = s->rng };

    exec_loop_request(s->r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_cont(s->r.loop);
    run_join(&s->r);
    run_close(&s->r);
    play.replay = (ReplayConfig){ .mode = REPLAY_MODE_PLAY, .file = file };
    open_replay(&again.r, &play, shape);
    memcpy(again.place, s->place, sizeof(s->place));
    again.num_places = s->num_places;
    for (unsigned n = 0; n < 6; n++) {
        go_to_place(&again, rng_below(&again.rng, again.num_places));
    }
    seek(&again.r, UINT64_MAX - 1, EXEC_STOP_REPLAY_END);
    g_assert_false(replay_failed(again.r.replay));
    exec_loop_request(again.r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    g_assert_cmpint(run_join(&again.r).exit_code, ==, 0);
    run_close(&again.r);
}

static void check_live(const RunConfig *c, const char *file, unsigned n)
{
    const void *save[] = { NULL, file };
    Live s;

    open_live(&s, c, n, n + 1);
    save[0] = &s.r;
    for (unsigned i = 0; i < 3; i++) {
        record_on(&s);
        look_around(&s);
    }
    if (n % 3) {
        branch_off(&s, n % 3 == 1 ? NULL : file);
        for (unsigned i = 0; i < 2; i++) {
            record_on(&s);
            look_around(&s);
        }
    }
    if (n % 3 != 2) {
        machine_run_sync(s.r.loop, do_save_log, save);
    }
    close_live(&s, c, file, n + 2);
    g_unlink(file);
}

static RunConfig live_config(unsigned n)
{
    static const unsigned num_cpus[] = { 1, 2, 4, 8 };

    return (RunConfig){
        .exec = { .icount = true, .shift = n % 3, .sleep = n / 4 % 2, .shift_auto = n % 5 == 4 },
        .num_cpus = num_cpus[n % 4], .limit = 1000000,
        .replay = { .mode = REPLAY_MODE_RECORD, .check_period = 777,
                    .check = n % 2 ? REPLAY_CHECK_DIGEST : REPLAY_CHECK_OFF },
    };
}

static void test_live(void)
{
    g_autofree char *path = g_strdup_printf("%s/rearm-travel-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());

    for (unsigned n = 0; n < 15; n++) {
        RunConfig c = live_config(n);

        check_live(&c, path, n);
    }
}

/* ---- the memory that it takes ---- */

static void do_measure(void *opaque)
{
    const Live *s = opaque;
    ExecSnapshotInfo info;

    exec_loop_snapshot_info(s->r.loop, &info);
    g_assert_cmpuint(info.bytes, <=, info.budget);
    g_assert_cmpuint(memory_snapshot_bytes(s->r.a.m->memory), <, info.bytes);
}

/* Whatever the budget, the beginning stays, all other places can be gone to, and it is kept to. */
static void check_budget(uint64_t budget, unsigned n)
{
    RunConfig c = live_config(n);
    Live s;

    c.exec.travel_memory = budget;
    open_live(&s, &c, n, n);
    for (unsigned i = 0; i < LIVE_PLACES - 1; i++) {
        record_on(&s);
        machine_run_sync(s.r.loop, do_measure, &s);
    }
    for (unsigned i = 0; i < LIVE_PLACES; i++) {
        go_to_place(&s, i);
        machine_run_sync(s.r.loop, do_measure, &s);
    }
    exec_loop_request(s.r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_cont(s.r.loop);
    run_join(&s.r);
    run_close(&s.r);
}

static void test_budget(void)
{
    for (unsigned n = 0; n < 6; n++) {
        check_budget(n % 2 ? 300 << 10 : 1 << 20, n);
    }
}

/* ---- edges ---- */

static void test_no_recording(void)
{
    RunConfig c = { .exec = { .icount = true, .start_paused = true } };
    Error *err = NULL;
    Run r;

    run_open(&r, &c);
    run_start(&r);
    g_assert_false(exec_loop_reverse_cont(r.loop, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "there is no recording to travel in"));
    error_free(err);
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r.loop);
    run_close(&r);
}

static void do_search(void *opaque)
{
    Run *r = opaque;

    /* It is never executed, so the whole recording is searched for it. */
    tcg_breakpoint_insert(r->a.tcg, PC_HANDLER + 4096);
}

/* A journey that was ended on the way leaves no break behind that stops the machine where it stands. */
static void test_interrupted(void)
{
    RunConfig c = live_config(0);
    Live s;

    c.exec.snapshot_period = 100000;
    open_live(&s, &c, 0, 1);
    run_typed(&s, 400000);
    machine_run_sync(s.r.loop, do_search, &s.r);
    for (unsigned n = 0; n < 60; n++) {
        Break b = { .r = &s.r };
        unsigned stops;

        run_on(&s.r, 400000);
        g_assert_true(exec_loop_reverse_cont(s.r.loop, NULL));
        g_usleep(rng_below(&s.rng, 2000));
        exec_loop_stop(s.r.loop);
        b.at = look(&s.r).position;
        machine_run_sync(s.r.loop, do_add_break, &b);
        stops = s.r.stops;
        exec_loop_step(s.r.loop, s.r.a.m->cpus[0]);
        wait_stop(&s.r, stops + 1, EXEC_STOP_STEPPED);
        machine_run_sync(s.r.loop, do_remove_break, &b);
    }
    exec_loop_request(s.r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_cont(s.r.loop);
    run_join(&s.r);
    run_close(&s.r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exec-travel/journeys", test_journeys);
    g_test_add_func("/exec-travel/switched-off", test_switched_off);
    g_test_add_func("/exec-travel/live", test_live);
    g_test_add_func("/exec-travel/budget", test_budget);
    g_test_add_func("/exec-travel/interrupted", test_interrupted);
    g_test_add_func("/exec-travel/no-recording", test_no_recording);
    return g_test_run();
}
