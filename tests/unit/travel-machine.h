/*
 * For tests of time travel: replays that stand still, and what a straight run knows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_TRAVEL_MACHINE_H
#define TESTS_TRAVEL_MACHINE_H

#include "loop-machine.h"
#include "rng.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "replay/replay-log.h"

/* Where worker has its interrupt handler, and a place that it stores to now and then. */
#define PC_HANDLER 0x40000070
#define WATCHED 0x40010100

static const TcgConfig shapes[] = {
    { .unit_insns = 64 }, { .unit_insns = 1 }, { .unit_insns = 7, .no_link = true },
    { .interp = true, .unit_insns = 7 }, { .unit_insns = 64, .tlb_chaos = 5 },
};

/* ---- one replay ---- */

typedef struct Look {
    Run *r;
    uint64_t position, digest;
    int64_t time;
} Look;

static inline void do_look(void *opaque)
{
    Look *look = opaque;

    look->position = exec_loop_position(look->r->loop);
    look->digest = exec_loop_digest(look->r->loop);
    look->time = clock_now(look->r->a.m->clock);
}

static inline Look look(Run *r)
{
    Look l = { .r = r };

    machine_run_sync(r->loop, do_look, &l);
    return l;
}

static inline void open_replay(Run *r, const RunConfig *c, unsigned shape)
{
    RunConfig paused = *c;

    paused.tcg = shapes[shape % ARRAY_SIZE(shapes)];
    paused.exec.start_paused = true;
    paused.exec.stop_at_end = true;
    paused.exec.travel_memory = 64 << 20;
    paused.exec.snapshot_period = 3000;
    run_open(r, &paused);
    run_start(r);
}

static inline void wait_stop(Run *r, unsigned stops, ExecStopReason reason)
{
    g_assert_true(run_wait_stop(r, stops));
    g_assert_cmpint(r->reason, ==, reason);
}

static inline void seek(Run *r, uint64_t position, ExecStopReason reason)
{
    unsigned stops = r->stops;

    g_assert_true(exec_loop_seek(r->loop, position, NULL));
    wait_stop(r, stops + 1, reason);
}

static inline void run_on(Run *r, uint64_t position)
{
    unsigned stops = r->stops;

    exec_loop_run_until(r->loop, position);
    wait_stop(r, stops + 1, EXEC_STOP_POSITION);
}

static inline bool reverse_step(Run *r, unsigned cpu)
{
    unsigned stops = r->stops;

    g_assert_true(exec_loop_reverse_step(r->loop, r->a.m->cpus[cpu], NULL));
    g_assert_true(run_wait_stop(r, stops + 1));
    return r->reason == EXEC_STOP_STEPPED;
}

static inline void finish(Run *r, const ExecResult *recorded)
{
    unsigned stops = r->stops;

    exec_loop_cont(r->loop);
    wait_stop(r, stops + 1, EXEC_STOP_REPLAY_END);
    exec_loop_request(r->loop, SHUTDOWN_CAUSE_HOST_QUIT);
    run_join_equal(r, recorded);
    run_close(r);
}

/* ---- what a straight run knows ---- */

#define POINTS 24

typedef struct Straight {
    uint64_t total;
    uint64_t at[POINTS], digest[POINTS];
    int64_t time[POINTS];
    unsigned fires[POINTS];       /* how often the timer has fired */
    char said[POINTS][24];        /* what the device put out last */
    GArray *stops;                /* uint64_t: where breakpoints and watchpoints stop it */
} Straight;

static inline int compare_positions(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static inline void do_set_stops(void *opaque)
{
    Run *r = opaque;

    tcg_breakpoint_insert(r->a.tcg, PC_HANDLER);
    g_assert_true(tcg_watchpoint_insert(r->a.tcg, WATCH_WRITES, WATCHED, 8));
}

static inline void do_clear_stops(void *opaque)
{
    Run *r = opaque;

    g_assert_true(tcg_breakpoint_remove(r->a.tcg, PC_HANDLER));
    g_assert_true(tcg_watchpoint_remove(r->a.tcg, WATCH_WRITES, WATCHED, 8));
}

static inline void note_points(const RunConfig *c, Straight *s, Rng *rng)
{
    Run r;

    for (unsigned n = 0; n < POINTS; n++) {
        s->at[n] = rng_below(rng, (unsigned)s->total);
    }
    s->at[0] = 0;
    qsort(s->at, POINTS, sizeof(s->at[0]), compare_positions);
    open_replay(&r, c, 0);
    for (unsigned n = 0; n < POINTS; n++) {
        if (s->at[n]) {
            run_on(&r, s->at[n]);
        }
        s->digest[n] = look(&r).digest;
        s->fires[n] = r.dev.fires;
        s->time[n] = look(&r).time;
        memcpy(s->said[n], r.dev.said, sizeof(s->said[n]));
    }
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r.loop);
    run_close(&r);
}

static inline void note_stops(const RunConfig *c, Straight *s)
{
    Run r;

    s->stops = g_array_new(false, false, sizeof(uint64_t));
    open_replay(&r, c, 0);
    machine_run_sync(r.loop, do_set_stops, &r);
    for (;;) {
        unsigned stops = r.stops;
        uint64_t at;

        exec_loop_cont(r.loop);
        g_assert_true(run_wait_stop(&r, stops + 1));
        if (r.reason == EXEC_STOP_REPLAY_END) {
            break;
        }
        at = look(&r).position;
        g_array_append_val(s->stops, at);
    }
    s->total = look(&r).position;
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r.loop);
    run_close(&r);
}

/* ---- recordings ---- */

/* `also` is as run_posted() has it. */
static inline ExecResult record_also(const RunConfig *c, void (*also)(Run *r, void *opaque),
                                     void *opaque)
{
    ExecResult result;
    Run r;

    run_open(&r, c);
    result = run_posted(&r, 11, also, opaque);
    run_close(&r);
    return result;
}

static inline ExecResult record(const RunConfig *c)
{
    return record_also(c, NULL, NULL);
}

/* ---- one journey ---- */

static inline void check_seek(Run *r, const Straight *s, Rng *rng)
{
    unsigned n = rng_below(rng, POINTS);
    Look here;

    seek(r, s->at[n], EXEC_STOP_POSITION);
    here = look(r);
    g_assert_cmpuint(here.position, ==, s->at[n]);
    g_assert_cmphex(here.digest, ==, s->digest[n]);
}

/* One back and one forth is where one was, or where the CPU has not executed since. */
static inline void check_step(Run *r, Rng *rng)
{
    unsigned cpu = rng_below(rng, r->a.m->num_cpus), stops;
    Look before = look(r), back, forth;

    if (!reverse_step(r, cpu)) {
        g_assert_cmpint(r->reason, ==, EXEC_STOP_REPLAY_BEGIN);
        g_assert_cmpuint(look(r).position, ==, 0);
        return;
    }
    back = look(r);
    g_assert_cmpuint(back.position, <, before.position);
    stops = r->stops;
    exec_loop_step(r->loop, r->a.m->cpus[cpu]);
    wait_stop(r, stops + 1, EXEC_STOP_STEPPED);
    forth = look(r);
    g_assert_cmpuint(forth.position, ==, back.position + 1);
    if (forth.position == before.position) {
        g_assert_cmphex(forth.digest, ==, before.digest);
    }
    g_assert_true(reverse_step(r, cpu));
    g_assert_cmphex(look(r).digest, ==, back.digest);
    seek(r, before.position, EXEC_STOP_POSITION);
    g_assert_cmphex(look(r).digest, ==, before.digest);
}

/* The last stop of the straight run before this position. */
static inline void check_reverse_cont(Run *r, const Straight *s)
{
    uint64_t from = look(r).position, expected = 0;
    unsigned stops = r->stops;
    bool found = false;

    for (guint n = 0; n < s->stops->len && g_array_index(s->stops, uint64_t, n) < from; n++) {
        expected = g_array_index(s->stops, uint64_t, n);
        found = true;
    }
    machine_run_sync(r->loop, do_set_stops, r);
    g_assert_true(exec_loop_reverse_cont(r->loop, NULL));
    g_assert_true(run_wait_stop(r, stops + 1));
    g_assert_cmpuint(look(r).position, ==, expected);
    if (!found) {
        g_assert_cmpint(r->reason, ==, EXEC_STOP_REPLAY_BEGIN);
    } else if (r->reason == EXEC_STOP_BREAKPOINT) {
        g_assert_cmphex(r->stop_pc, ==, PC_HANDLER);
    } else {
        g_assert_cmpint(r->reason, ==, EXEC_STOP_WATCHPOINT);
    }
    machine_run_sync(r->loop, do_clear_stops, r);
}

#endif
