/*
 * Recordings of a machine under a debugger that acts: it stops and steps CPUs, sets and removes
 * breakpoints and watchpoints, writes registers, memory and code, while input comes in and
 * resets happen. Each is replayed in all shapes of execution, and under another debugger, with
 * equal digests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "loop-machine.h"
#include "rng.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "accel/tcg/gdb-target.h"

static const TcgConfig shapes[] = {
    { .unit_insns = 64 }, { .unit_insns = 1 }, { .unit_insns = 7, .no_link = true },
    { .unit_insns = 64, .no_opt = true }, { .interp = true, .unit_insns = 7 },
};

enum { REG_PC = 32, REG_CPSR = 33, REG_V0 = 34 };

/* Instructions of the worker where breakpoints are set and code is changed. */
static const unsigned break_offsets[] = { 0x28, 0x34, 0x44, 0x50, 0x68, 0x70, 0x9c, 0xa80 };

#define WATCHES 4

typedef struct Watch {
    WatchKind kind;           /* NONE: not set */
    uint64_t addr, length;
} Watch;

typedef struct Debugger {
    Run *r;
    Rng rng;
    bool breaks[ARRAY_SIZE(break_offsets)];
    Watch watches[WATCHES];
    bool may_write;
    unsigned done, failed, refused;
} Debugger;

static void count_write(Debugger *d, ExecWrite result)
{
    d->done += result == EXEC_WRITE_DONE;
    d->failed += result == EXEC_WRITE_FAILED;
    d->refused += result == EXEC_WRITE_REFUSED;
}

static void write_register(Debugger *d, Vcpu *cpu)
{
    uint64_t value[2] = { rng_next(&d->rng), rng_next(&d->rng) };
    unsigned reg = 20 + rng_below(&d->rng, 3);

    switch (rng_below(&d->rng, 8)) {
    case 0:
        reg = REG_V0 + rng_below(&d->rng, 32);
        break;
    case 1:
        /* The flags alone; or a mode that there is not. */
        reg = REG_CPSR;
        cpu->ops->gdb->read(cpu, reg, (uint8_t *)value);
        value[0] = rng_percent(&d->rng, 20) ? 0x1f : value[0] ^ (rng_below(&d->rng, 16) << 28);
        break;
    case 2:
        /* To the head of the loop, unless it is in the handler. */
        reg = REG_PC;
        value[0] = cpu->pc >= RAM + 0x28 && cpu->pc < RAM + 0x70 ? RAM + 0x28 : cpu->pc;
        break;
    default:
        break;
    }
    count_write(d, exec_loop_write_register(d->r->loop, cpu, reg, (uint8_t *)value));
}

/* Data of the guest, the immediate of its ROR, or nowhere. */
static void write_memory(Debugger *d, Vcpu *cpu)
{
    uint32_t ror = 0x93d502b5 | rng_below(&d->rng, 64) << 10;
    uint64_t addr = RAM + 0x10000 + rng_below(&d->rng, 0xff0), value = rng_next(&d->rng);
    ExecLoop *l = d->r->loop;

    switch (rng_below(&d->rng, 6)) {
    case 0:
        count_write(d, exec_loop_write_memory(l, cpu, RAM + 0x30, &ror, 4));
        break;
    case 1:
        count_write(d, exec_loop_write_memory(l, cpu, 0x1000, &value, 8));
        break;
    case 2:
        count_write(d, exec_loop_write_physical(l, addr, &value, 8));
        break;
    default:
        count_write(d, exec_loop_write_memory(l, cpu, addr, &value, 1 + rng_below(&d->rng, 8)));
        break;
    }
}

/* On a few words of a CPU's data, or registers of the device. */
static void change_watch(Debugger *d)
{
    TcgContext *t = d->r->a.tcg;
    Watch *w = &d->watches[rng_below(&d->rng, WATCHES)];

    if (w->kind) {
        g_assert_true(tcg_watchpoint_remove(t, w->kind, w->addr, w->length));
        w->kind = WATCH_NONE;
        return;
    }
    w->kind = WATCH_READS + rng_below(&d->rng, 3);
    w->length = 1 + rng_below(&d->rng, 40);
    if (rng_percent(&d->rng, 20)) {
        w->addr = TESTER + rng_below(&d->rng, 0x20);
    } else {
        w->addr = RAM + 0x10000 + rng_below(&d->rng, 0xff0) +
                  (rng_below(&d->rng, d->r->a.m->num_cpus) << 16);
    }
    g_assert_true(tcg_watchpoint_insert(t, w->kind, w->addr, w->length));
}

/* A closure: one thing or several at one position. */
static void act(void *opaque)
{
    Debugger *d = opaque;

    for (unsigned n = 1 + rng_below(&d->rng, 3); n > 0; n--) {
        Vcpu *cpu = d->r->a.m->cpus[rng_below(&d->rng, d->r->a.m->num_cpus)];
        unsigned b = rng_below(&d->rng, ARRAY_SIZE(break_offsets));

        if (rng_percent(&d->rng, 20)) {
            change_watch(d);
        } else if (rng_percent(&d->rng, 40)) {
            if (d->breaks[b]) {
                g_assert_true(tcg_breakpoint_remove(d->r->a.tcg, RAM + break_offsets[b]));
            } else {
                tcg_breakpoint_insert(d->r->a.tcg, RAM + break_offsets[b]);
            }
            d->breaks[b] = !d->breaks[b];
        } else if (!d->may_write) {
            vcpu_peek(cpu, cpu->pc, &(uint32_t){ 0 }, 4);
        } else if (rng_percent(&d->rng, 50)) {
            write_register(d, cpu);
        } else {
            write_memory(d, cpu);
        }
    }
}

static void clear_breaks(void *opaque)
{
    Debugger *d = opaque;

    tcg_breakpoint_clear(d->r->a.tcg);
    tcg_watchpoint_clear(d->r->a.tcg);
    memset(d->breaks, 0, sizeof(d->breaks));
    memset(d->watches, 0, sizeof(d->watches));
}

static bool run_ends(Run *r)
{
    bool ended;

    g_mutex_lock(&r->lock);
    ended = r->ended;
    g_mutex_unlock(&r->lock);
    return ended;
}

static unsigned run_stops(Run *r)
{
    unsigned stops;

    g_mutex_lock(&r->lock);
    stops = r->stops;
    g_mutex_unlock(&r->lock);
    return stops;
}

/* Go on, until something stops it or for a while; then it stands. */
static void debugger_run(Debugger *d)
{
    unsigned stops = run_stops(d->r), turns = rng_below(&d->rng, 4);

    exec_loop_cont(d->r->loop);
    for (unsigned n = 0; n < turns && run_stops(d->r) == stops && !run_ends(d->r); n++) {
        g_usleep(50);
    }
    exec_loop_stop(d->r->loop);
}

static void debugger_step(Debugger *d)
{
    unsigned stops = run_stops(d->r);

    exec_loop_step(d->r->loop, d->r->a.m->cpus[rng_below(&d->rng, d->r->a.m->num_cpus)]);
    run_wait_stop(d->r, stops + 1);
}

/* What a person with gdb does, for a while; then the machine goes on alone. */
static void debug_session(Debugger *d, unsigned actions)
{
    for (unsigned n = 0; n < actions && !run_ends(d->r); n++) {
        uint8_t key = (uint8_t)rng_next(&d->rng);

        if (rng_percent(&d->rng, 30)) {
            replay_post(d->r->dev.input, &key, 1);
        }
        if (rng_percent(&d->rng, 2)) {
            exec_loop_request(d->r->loop, SHUTDOWN_CAUSE_HOST_RESET);
        }
        machine_run_sync(d->r->loop, act, d);
        if (rng_percent(&d->rng, 60)) {
            debugger_step(d);
        } else {
            debugger_run(d);
        }
    }
    machine_run_sync(d->r->loop, clear_breaks, d);
    exec_loop_cont(d->r->loop);
}

static ExecResult record_debugged(const RunConfig *c, uint64_t seed, unsigned *watch_stops)
{
    Debugger d = { .rng = { seed }, .may_write = true };
    ExecResult result;
    Run r;

    run_open(&r, c);
    d.r = &r;
    run_start(&r);
    debug_session(&d, 100);
    result = run_join(&r);
    g_assert_cmpuint(d.refused, ==, 0);
    g_test_message("seed %" PRIu64 ": %u writes, %u failed, %u stops, %u at watchpoints, %" PRIu64
                   " instructions", seed, d.done, d.failed, r.stops, r.watch_stops, result.icount);
    *watch_stops += r.watch_stops;
    run_close(&r);
    return result;
}

/* The debugger looks, stops and steps in the replay, too; what it writes is refused. */
static void replay_debugged(const RunConfig *c, const ExecResult *recorded, uint64_t seed)
{
    Debugger d = { .rng = { seed }, .may_write = seed % 2 };
    Run r;

    run_open(&r, c);
    d.r = &r;
    run_start(&r);
    debug_session(&d, 50);
    run_join_equal(&r, recorded);
    g_assert_cmpuint(d.done + d.failed, ==, 0);
    g_assert_true(d.refused > 0 || !d.may_write);
    run_close(&r);
}

static void check_debugged(unsigned num_cpus, uint64_t seed, unsigned *watch_stops)
{
    static const ReplayCheck checks[] = {
        REPLAY_CHECK_OFF, REPLAY_CHECK_EVENTS, REPLAY_CHECK_DIGEST,
    };
    g_autofree char *path = g_strdup_printf("%s/rearm-loop-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    RunConfig c = { .tcg = shapes[seed % ARRAY_SIZE(shapes)],
                    .exec = { .icount = true, .shift = seed % 3, .sleep = seed % 5 == 0,
                              .start_paused = true },
                    .num_cpus = num_cpus, .limit = num_cpus == 1 ? 1000 : 100 };
    ExecResult recorded;
    Run r;

    c.replay = (ReplayConfig){ REPLAY_MODE_RECORD, path, checks[seed % 3], 7777 };
    recorded = record_debugged(&c, seed, watch_stops);
    c.replay.mode = REPLAY_MODE_PLAY;
    c.exec.start_paused = false;
    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
        c.tcg = shapes[n];
        run_open(&r, &c);
        run_start(&r);
        run_join_equal(&r, &recorded);
        run_close(&r);
    }
    c.exec.start_paused = true;
    replay_debugged(&c, &recorded, seed + 1000);
    g_unlink(path);
}

/* REARM_SLOW_SUITE=1: 50 sessions instead of 5. */
static void test_debugged(gconstpointer num_cpus)
{
    const char *slow = g_getenv("REARM_SLOW_SUITE");
    unsigned sessions = slow && *slow == '1' ? 50 : 5, watch_stops = 0;

    for (unsigned n = 1; n <= sessions; n++) {
        check_debugged(GPOINTER_TO_UINT(num_cpus), n, &watch_stops);
    }
    g_assert_cmpuint(watch_stops, >, sessions);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/exec-debug/debugged/1", GUINT_TO_POINTER(1), test_debugged);
    g_test_add_data_func("/exec-debug/debugged/4", GUINT_TO_POINTER(4), test_debugged);
    return g_test_run();
}
