/*
 * Who wrote to memory: each answer is what a straight run has logged, whatever the shape of
 * execution and wherever one stands, and the machine is where and what it was before the question.
 * The log is made with a watchpoint for what CPUs store, and by the device for what it writes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "loop-machine.h"
#include "accel/tcg/exec-history.h"
#include "rng.h"
#include <glib/gstdio.h>
#include <unistd.h>

/* Each CPU stores here now and then, with 64 KiB between two of them; by this instruction. */
#define WATCHED(cpu) (0x40010100 + ((uint64_t)(cpu) << 16))
#define PC_STORE 0x4000003c
/* No CPU stores here. */
#define QUIET 0x40018000

static const TcgConfig shapes[] = {
    { .unit_insns = 64 }, { .unit_insns = 1 }, { .unit_insns = 7, .no_link = true },
    { .interp = true, .unit_insns = 7 }, { .unit_insns = 64, .tlb_chaos = 5 },
};

/* ---- the straight run ---- */

typedef struct Event {
    uint64_t position;
    int cpu;                      /* -1: the device */
    uint64_t before, after;
} Event;

typedef struct Straight {
    Run r;
    unsigned cpu;                 /* whose memory is watched */
    GArray *events;               /* Event */
    uint64_t last;                /* the content at the end */
    uint64_t total;
} Straight;

static uint64_t content(Run *r, unsigned cpu)
{
    uint64_t value;

    g_assert_true(memory_peek(r->a.m->memory, WATCHED(cpu), &value, sizeof(value)));
    return value;
}

/* Machine thread. What the device writes at one position is one write. */
static void add_event(Straight *s, int cpu)
{
    const Event e = { exec_loop_position(s->r.loop), cpu, content(&s->r, s->cpu), 0 };
    const Event *last = s->events->len ?
                        &g_array_index(s->events, Event, s->events->len - 1) : NULL;

    if (!last || cpu >= 0 || last->cpu >= 0 || last->position != e.position) {
        g_array_append_val(s->events, e);
    }
}

static void before_dma(void *opaque)
{
    Straight *s = opaque;

    if (s->cpu == 0) {
        add_event(s, -1);
    }
}

static void do_watch(void *opaque)
{
    Straight *s = opaque;

    g_assert_true(tcg_watchpoint_insert(s->r.a.tcg, WATCH_WRITES, WATCHED(s->cpu), 8));
}

static void do_store(void *opaque)
{
    add_event(opaque, (int)((Straight *)opaque)->cpu);
}

static void do_end(void *opaque)
{
    Straight *s = opaque;

    s->last = content(&s->r, s->cpu);
    s->total = exec_loop_position(s->r.loop);
}

static void open_replay(Run *r, const RunConfig *c, unsigned shape)
{
    RunConfig paused = *c;

    paused.replay.mode = REPLAY_MODE_PLAY;
    paused.tcg = shapes[shape % ARRAY_SIZE(shapes)];
    paused.exec.start_paused = true;
    paused.exec.stop_at_end = true;
    paused.exec.travel_memory = 64 << 20;
    paused.exec.snapshot_period = c->exec.snapshot_period ? c->exec.snapshot_period : 3000;
    run_open(r, &paused);
}

static void close_replay(Run *r)
{
    exec_loop_request(r->loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r->loop);
    run_close(r);
}

static void run_straight(const RunConfig *c, Straight *s, unsigned cpu)
{
    s->cpu = cpu;
    s->events = g_array_new(false, false, sizeof(Event));
    open_replay(&s->r, c, 0);
    s->r.dev.before_dma = before_dma;
    s->r.dev.before_dma_opaque = s;
    run_start(&s->r);
    machine_run_sync(s->r.loop, do_watch, s);
    for (;;) {
        unsigned stops = s->r.stops;

        exec_loop_cont(s->r.loop);
        g_assert_true(run_wait_stop(&s->r, stops + 1));
        if (s->r.reason == EXEC_STOP_REPLAY_END) {
            break;
        }
        g_assert_cmphex(s->r.stop_pc, ==, PC_STORE);
        machine_run_sync(s->r.loop, do_store, s);
    }
    machine_run_sync(s->r.loop, do_end, s);
    close_replay(&s->r);
    for (guint n = 0; n < s->events->len; n++) {
        Event *e = &g_array_index(s->events, Event, n);

        e->after = n + 1 < s->events->len ? e[1].before : s->last;
    }
}

/* ---- questions ---- */

typedef struct Look {
    Run *r;
    uint64_t position, digest;
} Look;

static void do_look(void *opaque)
{
    Look *look = opaque;

    look->position = exec_loop_position(look->r->loop);
    look->digest = exec_loop_digest(look->r->loop);
}

static Look look(Run *r)
{
    Look l = { .r = r };

    machine_run_sync(r->loop, do_look, &l);
    return l;
}

typedef struct Waiter {
    GMutex lock;
    GCond cond;
    bool done;
} Waiter;

static void answered(ExecHistory *h)
{
    Waiter *w = h->opaque;

    g_mutex_lock(&w->lock);
    w->done = true;
    g_cond_broadcast(&w->cond);
    g_mutex_unlock(&w->lock);
}

static void wait_answer(Waiter *w)
{
    g_mutex_lock(&w->lock);
    while (!w->done) {
        g_cond_wait(&w->cond, &w->lock);
    }
    g_mutex_unlock(&w->lock);
}

static ExecHistory *question(ExecHistoryKind kind, unsigned cpu, Waiter *w)
{
    ExecHistory *h = exec_history_new(kind);

    h->addr = WATCHED(cpu);
    h->length = 8;
    h->max = 10000;
    h->done = answered;
    h->opaque = w;
    return h;
}

static void ask(Run *r, ExecHistory *h)
{
    Look before = look(r), after;
    unsigned stops = r->stops;

    exec_loop_ask_history(r->loop, h);
    wait_answer(h->opaque);
    after = look(r);
    g_assert_cmpuint(after.position, ==, before.position);
    g_assert_cmphex(after.digest, ==, before.digest);
    g_assert_cmpuint(r->stops, ==, stops);
    g_assert_false(exec_loop_running(r->loop));
    g_assert_false(h->interrupted);
    g_assert_null(h->err);
}

/* The device writes behind what has arrived there, a CPU in front of the next instruction. */
static bool is_before(const Event *e, uint64_t position)
{
    return e->cpu < 0 ? e->position <= position : e->position < position;
}

/* The bytes of a write lie in the value as the guest has it: little-endian. */
static uint64_t part_of(uint64_t value, const ExecMemoryWrite *w)
{
    return w->length == 8 ? value : value >> 8 * w->first & ((1ull << 8 * w->length) - 1);
}

static void check_write(const ExecMemoryWrite *w, const Event *e)
{
    uint64_t before = 0, after = 0;

    g_assert_cmpuint(w->position, ==, e->position);
    g_assert_cmpint(w->cpu, ==, e->cpu);
    g_assert_cmpint(w->writer, ==, e->cpu < 0 ? EXEC_WRITER_DEVICE : EXEC_WRITER_CPU);
    g_assert_cmpuint(w->first + w->length, <=, 8);
    memcpy(&before, w->before, w->length);
    memcpy(&after, w->after, w->length);
    g_assert_cmphex(before, ==, part_of(e->before, w));
    g_assert_cmphex(after, ==, part_of(e->after, w));
    if (e->cpu >= 0) {
        g_assert_cmphex(w->pc, ==, PC_STORE);
        g_assert_cmpuint(w->length, ==, 8);
    }
}

static void check_writes(const ExecHistory *h, const Straight *s, guint first, guint end)
{
    g_assert_cmpuint(h->writes->len, ==, end - first);
    for (guint n = first; n < end; n++) {
        check_write(&g_array_index(h->writes, ExecMemoryWrite, n - first),
                    &g_array_index(s->events, Event, n));
    }
}

static guint events_before(const Straight *s, uint64_t position)
{
    guint n = 0;

    while (n < s->events->len && is_before(&g_array_index(s->events, Event, n), position)) {
        n++;
    }
    return n;
}

static void check_last_and_next(Run *r, const Straight *s)
{
    guint past = events_before(s, look(r).position);
    Waiter w[2] = { 0 };
    ExecHistory *last = question(EXEC_HISTORY_LAST, s->cpu, &w[0]);
    ExecHistory *next = question(EXEC_HISTORY_NEXT, s->cpu, &w[1]);

    ask(r, last);
    check_writes(last, s, past ? past - 1 : 0, past);
    ask(r, next);
    check_writes(next, s, past, MIN(past + 1, s->events->len));
    exec_history_free(last);
    exec_history_free(next);
}

static void check_all(Run *r, const Straight *s, Rng *rng)
{
    uint64_t a = rng_below(rng, (unsigned)s->total), b = rng_below(rng, (unsigned)s->total);
    Waiter w = { 0 };
    ExecHistory *h = question(EXEC_HISTORY_ALL, s->cpu, &w);
    guint first = 0;

    h->from = MIN(a, b);
    h->to = MAX(a, b);
    while (first < s->events->len &&
           g_array_index(s->events, Event, first).position < h->from) {
        first++;
    }
    ask(r, h);
    check_writes(h, s, first, MAX(events_before(s, h->to), first));
    exec_history_free(h);
}

static void seek(Run *r, uint64_t position)
{
    unsigned stops = r->stops;

    g_assert_true(exec_loop_seek(r->loop, position, NULL));
    g_assert_true(run_wait_stop(r, stops + 1));
}

static void check_shape(const RunConfig *c, const ExecResult *recorded, const Straight *s,
                        unsigned shape, Rng *rng)
{
    unsigned stops;
    Run r;

    open_replay(&r, c, shape);
    run_start(&r);
    for (unsigned n = 0; n < 4; n++) {
        seek(&r, 1 + rng_below(rng, (unsigned)s->total));
        check_last_and_next(&r, s);
        check_all(&r, s, rng);
    }
    /* At the end, too, which comes again behind the answers. */
    stops = r.stops;
    exec_loop_cont(r.loop);
    g_assert_true(run_wait_stop(&r, stops + 1));
    g_assert_cmpint(r.reason, ==, EXEC_STOP_REPLAY_END);
    check_last_and_next(&r, s);
    exec_loop_cont(r.loop);
    g_assert_true(run_wait_stop(&r, stops + 2));
    g_assert_cmpint(r.reason, ==, EXEC_STOP_REPLAY_END);
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    run_join_equal(&r, recorded);
    run_close(&r);
}

static void test_straight(void)
{
    g_autofree char *path = g_strdup_printf("%s/rearm-history-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    Rng rng = { 5 };

    for (unsigned n = 0; n < 8; n++) {
        RunConfig c = { .exec = { .icount = true, .shift = 1 + n % 2, .sleep = n / 4 == 1 },
                        .num_cpus = 1 + n % 4, .limit = 50 + 150 * (n % 4), .dma = WATCHED(0) + 2,
                        .replay = { .mode = REPLAY_MODE_RECORD, .file = path,
                                    .check_period = 7777 } };
        ExecResult recorded;
        Straight s;
        Run r;

        c.replay.check = n % 3 == 0 ? REPLAY_CHECK_EVENTS : n % 3 == 1 ? REPLAY_CHECK_DIGEST :
                                                                        REPLAY_CHECK_OFF;
        run_open(&r, &c);
        recorded = run_posted(&r, 11, NULL, NULL);
        run_close(&r);
        run_straight(&c, &s, n / 4 ? 0 : n % 4);
        g_assert_cmpuint(s.events->len, >, 5);
        for (unsigned i = 0; i < 2; i++) {
            check_shape(&c, &recorded, &s, n + i, &rng);
        }
        g_array_unref(s.events);
        g_unlink(path);
    }
}

/* ---- both ends of a window ---- */

/* How many writes there are, all by the device. */
static void ask_device(Run *r, ExecHistoryKind kind, uint64_t from, uint64_t to, guint writes)
{
    Waiter w = { 0 };
    ExecHistory *h = question(kind, 0, &w);

    h->addr = QUIET;
    h->from = from;
    h->to = to;
    ask(r, h);
    g_assert_cmpuint(h->writes->len, ==, writes);
    for (guint n = 0; n < writes; n++) {
        g_assert_cmpint(g_array_index(h->writes, ExecMemoryWrite, n).writer, ==,
                        EXEC_WRITER_DEVICE);
    }
    exec_history_free(h);
}

static void stop_at(Run *r, uint64_t position)
{
    unsigned stops = r->stops;

    exec_loop_run_until(r->loop, position);
    g_assert_true(run_wait_stop(r, stops + 1));
}

/* A write of the device before the first instruction, and one where a snapshot is. */
static ExecResult record_ends(const RunConfig *c, uint64_t position)
{
    RunConfig paused = *c;
    ExecResult recorded;
    Run r;

    paused.exec.start_paused = true;
    run_open(&r, &paused);
    g_assert_true(replay_post(r.dev.input, "\7", 1));
    run_start(&r);
    stop_at(&r, position);
    g_assert_true(replay_post(r.dev.input, "\7", 1));
    exec_loop_cont(r.loop);
    recorded = run_join(&r);
    run_close(&r);
    return recorded;
}

static void test_ends(void)
{
    g_autofree char *path = g_strdup_printf("%s/rearm-history-ends-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    RunConfig c = { .exec = { .icount = true, .shift = 1, .snapshot_period = 300 }, .dma = QUIET,
                    .replay = { .mode = REPLAY_MODE_RECORD, .file = path } };
    const uint64_t kept = 1500;   /* of a snapshot on the way to 3000 */
    ExecResult recorded = record_ends(&c, kept);
    unsigned stops;
    Run r;

    open_replay(&r, &c, 0);
    run_start(&r);
    ask_device(&r, EXEC_HISTORY_LAST, 0, UINT64_MAX, 1);
    ask_device(&r, EXEC_HISTORY_ALL, 0, UINT64_MAX, 1);
    ask_device(&r, EXEC_HISTORY_ALL, 0, 0, 1);
    ask_device(&r, EXEC_HISTORY_NEXT, 0, UINT64_MAX, 1);
    seek(&r, 400);
    ask_device(&r, EXEC_HISTORY_LAST, 0, UINT64_MAX, 1);
    ask_device(&r, EXEC_HISTORY_ALL, 0, UINT64_MAX, 1);
    ask_device(&r, EXEC_HISTORY_ALL, 1, kept - 1, 0);
    seek(&r, 2 * kept);
    ask_device(&r, EXEC_HISTORY_ALL, 0, 2 * kept, 2);
    ask_device(&r, EXEC_HISTORY_ALL, 1, kept, 1);
    ask_device(&r, EXEC_HISTORY_ALL, kept, kept, 1);
    ask_device(&r, EXEC_HISTORY_ALL, kept, 2 * kept, 1);
    ask_device(&r, EXEC_HISTORY_ALL, kept + 1, 2 * kept, 0);
    seek(&r, kept);
    ask_device(&r, EXEC_HISTORY_LAST, 0, UINT64_MAX, 1);
    ask_device(&r, EXEC_HISTORY_ALL, 1, UINT64_MAX, 1);
    seek(&r, 0);
    ask_device(&r, EXEC_HISTORY_ALL, 0, UINT64_MAX, 1);
    stops = r.stops;
    exec_loop_cont(r.loop);
    g_assert_true(run_wait_stop(&r, stops + 1));
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    run_join_equal(&r, &recorded);
    run_close(&r);
    g_unlink(path);
}

/* ---- a live machine, and its debugger ---- */

static void poke(void *opaque, hwaddr addr)
{
    static const uint32_t value = 0x11223344;

    g_assert_cmpint(exec_loop_write_physical(((Run *)opaque)->loop, addr, &value, 4), ==,
                    EXEC_WRITE_DONE);
}

static void do_poke(void *opaque)
{
    poke(opaque, WATCHED(0) + 4);
}

static void do_poke_quiet(void *opaque)
{
    poke(opaque, QUIET);
}

/* A machine that is recorded in memory, paused there. */
static void open_live(Run *r, uint64_t position)
{
    RunConfig c = { .exec = { .icount = true, .start_paused = true, .travel_memory = 64 << 20,
                              .snapshot_always = true },
                    .replay = { .mode = REPLAY_MODE_RECORD } };

    run_open(r, &c);
    run_start(r);
    if (position) {
        exec_loop_run_until(r->loop, position);
        g_assert_true(run_wait_stop(r, 1));
    }
}

static void test_debugger(void)
{
    const ExecMemoryWrite *w;
    Waiter waiter = { 0 };
    ExecHistory *h = question(EXEC_HISTORY_LAST, 0, &waiter);
    Run r;

    open_live(&r, 20);
    machine_run_sync(r.loop, do_poke, &r);
    exec_loop_run_until(r.loop, 100);
    g_assert_true(run_wait_stop(&r, 2));
    h->cpu = r.a.m->cpus[0];
    ask(&r, h);
    g_assert_cmpuint(h->writes->len, ==, 1);
    w = &g_array_index(h->writes, ExecMemoryWrite, 0);
    g_assert_cmpint(w->writer, ==, EXEC_WRITER_DEBUGGER);
    g_assert_cmpuint(w->position, ==, 20);
    g_assert_cmpint(w->cpu, ==, -1);
    g_assert_cmpuint(w->first, ==, 4);
    g_assert_cmpmem(w->before, w->length, "\0\0\0\0", 4);
    g_assert_cmpmem(w->after, w->length, "\x44\x33\x22\x11", 4);
    exec_history_free(h);
    close_replay(&r);
}

/* The snapshots at these positions are older than what the debugger writes there. */
static void test_debugger_at_snapshots(void)
{
    RunConfig c = { .exec = { .icount = true, .start_paused = true, .travel_memory = 64 << 20,
                              .snapshot_always = true, .snapshot_period = 300 },
                    .replay = { .mode = REPLAY_MODE_RECORD } };
    Run r;

    run_open(&r, &c);
    run_start(&r);
    for (uint64_t position = 0; position <= 600; position += 300) {
        Waiter w[2] = { 0 };
        ExecHistory *last = question(EXEC_HISTORY_LAST, 0, &w[0]);
        ExecHistory *all = question(EXEC_HISTORY_ALL, 0, &w[1]);

        last->addr = all->addr = QUIET;
        machine_run_sync(r.loop, do_poke_quiet, &r);
        ask(&r, last);
        g_assert_cmpuint(last->writes->len, ==, 1);
        g_assert_cmpuint(g_array_index(last->writes, ExecMemoryWrite, 0).position, ==, position);
        ask(&r, all);
        g_assert_cmpuint(all->writes->len, ==, 1 + position / 300);
        exec_history_free(last);
        exec_history_free(all);
        stop_at(&r, position + 300);
    }
    close_replay(&r);
}

/* ---- what is refused, and giving up ---- */

static void nothing(void *opaque)
{
}

typedef struct Interrupt {
    Run *r;
    ExecHistory *h;
} Interrupt;

static void do_interrupt(void *opaque)
{
    Interrupt *i = opaque;

    exec_loop_ask_history(i->r->loop, i->h);
    loop_post_closure(i->r->loop, nothing, NULL);
}

static void test_interrupted(void)
{
    Waiter waiter = { 0 };
    Interrupt i = { .h = question(EXEC_HISTORY_LAST, 0, &waiter) };
    Look before, after;
    Run r;

    open_live(&r, 50000);
    i.r = &r;
    before = look(&r);
    machine_run_sync(r.loop, do_interrupt, &i);
    wait_answer(&waiter);
    g_assert_true(i.h->interrupted);
    g_assert_cmpuint(i.h->searched, ==, 50000);
    after = look(&r);
    g_assert_cmpuint(after.position, ==, before.position);
    g_assert_cmphex(after.digest, ==, before.digest);
    exec_history_free(i.h);
    close_replay(&r);
}

/* Until somebody waits in exec_loop_stop(). */
static void linger(void *opaque)
{
    ExecLoop *l = opaque;
    bool awaited = false;

    while (!awaited) {
        g_usleep(1000);
        g_mutex_lock(&l->lock);
        awaited = l->stopping_threads > 0;
        g_mutex_unlock(&l->lock);
    }
}

/* A stop waits for a search that a paused machine makes, and ends it, be it still to begin. */
static void test_stopped(void)
{
    Waiter waiter = { 0 };
    ExecHistory *h = question(EXEC_HISTORY_LAST, 0, &waiter);
    Run r;

    open_live(&r, 50000);
    loop_post_closure(r.loop, linger, r.loop);
    exec_loop_ask_history(r.loop, h);
    exec_loop_stop(r.loop);
    g_mutex_lock(&waiter.lock);
    g_assert_true(waiter.done);
    g_mutex_unlock(&waiter.lock);
    g_assert_true(h->interrupted);
    g_assert_cmpuint(look(&r).position, ==, 50000);
    exec_history_free(h);
    close_replay(&r);
}

static void test_refused(void)
{
    Waiter waiter = { 0 };
    ExecHistory *h = question(EXEC_HISTORY_LAST, 0, &waiter);
    Run r;

    open_live(&r, 0);
    h->addr = TESTER;
    exec_loop_ask_history(r.loop, h);
    wait_answer(&waiter);
    g_assert_nonnull(strstr(error_get_pretty(h->err), "no memory at physical address 0x9000000"));
    exec_history_free(h);
    close_replay(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exec-history/straight", test_straight);
    g_test_add_func("/exec-history/ends", test_ends);
    g_test_add_func("/exec-history/debugger", test_debugger);
    g_test_add_func("/exec-history/debugger-at-snapshots", test_debugger_at_snapshots);
    g_test_add_func("/exec-history/interrupted", test_interrupted);
    g_test_add_func("/exec-history/stopped", test_stopped);
    g_test_add_func("/exec-history/refused", test_refused);
    return g_test_run();
}
