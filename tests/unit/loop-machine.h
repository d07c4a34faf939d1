/*
 * A small machine under the execution loop, for its tests: one or two Arm CPUs, RAM and
 * a device that is timer, interrupt source, input port and power switch. The guest
 * mixes all that it sees into its registers and memory, so every change of order
 * or moment shows in the final digest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_LOOP_MACHINE_H
#define TESTS_LOOP_MACHINE_H

#include "arm-machine.h"
#include "rng.h"
#include "accel/tcg/exec-loop-internal.h"
#include "replay/replay.h"

#define TESTER 0x09000000ull

/*
 * CPU 0 takes interrupts, and waits for one now and then; others only compute. Each
 * interrupt looks at the input port and at a value; when X23 of them are done, the
 * device's end register is written.
 */
static const uint32_t worker[] = {
    0x10004001,     /* 00: adr x1, 800 */
    0xd518c001,     /*     msr vbar_el1, x1 */
    0xd2a12009,     /*     mov x9, #0x09000000 */
    0xd2a8002a,     /*     mov x10, #0x40010000 */
    0x8b00414a,     /* 10: add x10, x10, x0, lsl #16 */
    0xaa0003f3,     /*     mov x19, x0 */
    0xb5000093,     /*     cbnz x19, 28 */
    0x52817701,     /*     mov w1, #3000 */
    0xb9000521,     /* 20: str w1, [x9, #4]: the timer */
    0xd50342ff,     /*     msr daifclr, #2 */
    0x91000694,     /* 28: add x20, x20, #1 */
    0xca1402b5,     /*     eor x21, x21, x20 */
    0x93d536b5,     /* 30: ror x21, x21, #13 */
    0x9b1452b5,     /*     madd x21, x21, x20, x20 */
    0x927d2281,     /*     and x1, x20, #0xff8 */
    0xf8216955,     /*     str x21, [x10, x1] */
    0xf8616942,     /* 40: ldr x2, [x10, x1] */
    0x8b0202b5,     /*     add x21, x21, x2 */
    0xf2402a9f,     /*     tst x20, #0x7ff */
    0x54fffee1,     /*     b.ne 28 */
    0xf9400523,     /* 50: ldr x3, [x9, #8]: the time */
    0xca0302b5,     /*     eor x21, x21, x3 */
    0xb9000133,     /*     str w19, [x9]: a note */
    0xf240329f,     /*     tst x20, #0x1fff */
    0x54fffe41,     /* 60: b.ne 28 */
    0xb5fffe33,     /*     cbnz x19, 28 */
    0xd503207f,     /*     wfi */
    0x17ffffef,     /*     b 28 */
    0xd538402b,     /* 70: mrs x11, elr_el1 */
    0xcad61d76,     /*     eor x22, x11, x22, ror #7 */
    0xb940112c,     /*     ldr w12, [x9, #0x10]: input */
    0x8b0c02d6,     /*     add x22, x22, x12 */
    0xb900113f,     /* 80: str wzr, [x9, #0x10]: lower the line */
    0xb940152d,     /*     ldr w13, [x9, #0x14]: a value */
    0xca0d02d6,     /*     eor x22, x22, x13 */
    0xd538400b,     /*     mrs x11, spsr_el1 */
    0x8b0b02d6,     /* 90: add x22, x22, x11 */
    0x910006f7,     /*     add x23, x23, #1 */
    0xb940192e,     /*     ldr w14, [x9, #0x18]: the limit */
    0x6b0e02ff,     /*     cmp w23, w14 */
    0x54000061,     /* a0: b.ne ac */
    0x5280002b,     /*     mov w11, #1 */
    0xb9000d2b,     /*     str w11, [x9, #0xc]: the end */
    0xd69f03e0,     /* ac: eret */
    [0xa80 / 4] = 0x17fffd7c,   /* b 70 */
};

/* ---- the device ---- */

typedef struct TesterState {
    uint64_t trace;
    uint64_t resets;        /* stays over a reset: what the end register does follows from it */
    int64_t deadline[2];
    uint32_t received;
    uint8_t last;
    uint8_t level;
    uint8_t fired[2];       /* low bits of the counts */
} TesterState;

#define TESTER_FIELDS(F, S) \
    F(S, U64, trace)        \
    F(S, U64, resets)       \
    F(S, ARRAY_U64, deadline) \
    F(S, U32, received)     \
    F(S, U8, last)          \
    F(S, U8, level)         \
    F(S, ARRAY_U8, fired)

FIELD_TABLE(tester_fields, "tester", 1, TesterState, TESTER_FIELDS);

typedef struct Tester {
    Device dev;
    TesterState s;
    Timer timer[2];         /* always armed for the same moment: order of creation */
    Timer spare;            /* never armed, but by a test */
    ReplaySource *input, *values;
    ReplayOutput *output;
    char said[24];          /* what it put out last */
    IrqLine irq;
    uint32_t limit;         /* interrupts before the guest writes the end register */
    hwaddr dma;             /* what it receives it writes there, too; 0: not */
    void (*before_dma)(void *opaque);       /* told, if not NULL */
    void *before_dma_opaque;
    unsigned guest_resets;  /* what the end register does that often before it shuts down */
    unsigned fires, notes, turns_wrong;
    bool any_state;         /* a damaged one may be loaded: its deadlines and timers may differ */
    bool check_turns;       /* notes come from the CPU whose turn it is by the icount */
} Tester;

static inline void tester_mix(Tester *t, uint64_t value)
{
    t->s.trace = (t->s.trace ^ value) * 0x9e3779b97f4a7c15u;
    t->s.trace ^= t->s.trace >> 31;
}

static inline void tester_raise(Tester *t, bool level)
{
    t->s.level = level;
    irq_set(&t->irq, level);
}

static inline void tester_arm(Tester *t, int64_t ns)
{
    t->s.deadline[0] = t->s.deadline[1] = clock_now(t->dev.machine->clock) + ns;
    /* The later one first: only its creation puts the other before it. */
    timer_mod(&t->timer[1], t->s.deadline[1]);
    timer_mod(&t->timer[0], t->s.deadline[0]);
}

/* At the first instruction boundary at or behind the deadline. */
static inline void tester_check_time(Tester *t, unsigned n)
{
    VirtualClock *clock = t->dev.machine->clock;
    int64_t late = clock_now(clock) - t->s.deadline[n];

    g_assert_true(late >= 0 || t->any_state);
    g_assert_true(late < 1ll << clock_shift(clock) || !clock_uses_icount(clock) || t->any_state);
    tester_mix(t, clock_icount(clock));
    t->s.fired[n]++;
}

static void tester_first(void *opaque)
{
    Tester *t = opaque;

    tester_check_time(t, 0);
    g_assert_true((uint8_t)(t->s.fired[1] + 1) == t->s.fired[0] || t->any_state);
    t->fires++;
}

/* Never the same twice. */
static inline void tester_say(Tester *t)
{
    g_snprintf(t->said, sizeof(t->said), "[%016" PRIx64 "]\n", t->s.trace);
    replay_output(t->output, t->said, strlen(t->said));
}

static void tester_second(void *opaque)
{
    Tester *t = opaque;

    tester_check_time(t, 1);
    g_assert_true(t->s.fired[0] == t->s.fired[1] || t->any_state);
    tester_say(t);
    tester_raise(t, true);
    tester_arm(t, 2000 + (int64_t)(t->s.trace & 2047));
}

static bool tester_deliver(void *opaque, const uint8_t *payload, size_t length)
{
    Tester *t = opaque;

    for (size_t n = 0; n < length; n++) {
        tester_mix(t, payload[n]);
        t->s.last = payload[n];
        t->s.received++;
    }
    if (t->dma && length) {
        if (t->before_dma) {
            t->before_dma(t->before_dma_opaque);
        }
        memory_write(t->dev.machine->memory, t->dma, &t->s.trace, 1 + t->s.last % 8);
    }
    tester_raise(t, true);
    return length > 0;
}

static void tester_produce(void *opaque, void *out, size_t length)
{
    /* Without a recording a run has to be the same each time. */
    memset(out, (uint8_t)((Tester *)opaque)->s.trace, length);
}

static uint64_t tester_read(void *opaque, hwaddr offset, unsigned size)
{
    Tester *t = opaque;
    uint8_t value;

    switch (offset) {
    case 0x08: return (uint64_t)clock_now(t->dev.machine->clock);
    case 0x10: return t->s.received << 8 | t->s.last;
    case 0x14:
        replay_value(t->values, tester_produce, t, &value, 1);
        return value;
    case 0x18: return t->limit;
    default: return 0;
    }
}

static void tester_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Tester *t = opaque;
    Machine *m = t->dev.machine;
    uint64_t icount = (uint64_t)clock_icount(m->clock);

    switch (offset) {
    case 0x00:
        t->notes++;
        t->turns_wrong += t->check_turns && icount / TURN_INSNS % m->num_cpus != value;
        g_assert_cmpuint(m->current_cpu, ==, value);
        tester_mix(t, value);
        tester_mix(t, icount);
        break;
    case 0x04:
        tester_arm(t, (int64_t)value);
        break;
    case 0x0c:
        if (t->s.resets <= t->guest_resets) {
            machine_request_reset(m, SHUTDOWN_CAUSE_GUEST_RESET);
        } else {
            machine_request_shutdown(m, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        }
        break;
    case 0x10:
        tester_raise(t, false);
        break;
    default:
        break;
    }
}

static const MmioOps tester_ops = { .read = tester_read, .write = tester_write, .min_size = 4,
                                    .max_size = 8 };

static void tester_reset(Device *dev)
{
    Tester *t = container_of(dev, Tester, dev);

    timer_del(&t->timer[0]);
    timer_del(&t->timer[1]);
    t->s = (TesterState){ .resets = t->s.resets + 1 };
    tester_raise(t, false);
}

static void tester_free(Device *dev)
{
}

static const DeviceType tester_type = {
    .name = "tester",
    .fields = &tester_fields,
    .state_offset = offsetof(Tester, s),
    .reset = tester_reset,
    .free = tester_free,
};

/* ---- a run ---- */

typedef struct RunConfig {
    TcgConfig tcg;
    ExecConfig exec;
    ReplayConfig replay;
    unsigned num_cpus;              /* 0: one */
    uint32_t limit;                 /* 0: 60 */
    unsigned guest_resets;
    hwaddr dma;                     /* of the device */
    const uint32_t *program;        /* NULL: worker */
    size_t bytes;
} RunConfig;

typedef struct Run {
    ArmMachine a;
    Tester dev;
    Replay *replay;
    ExecLoop *loop;
    GMutex lock;
    GCond changed;
    unsigned stops;                 /* how often the listener was called */
    ExecStopReason reason;          /* ... last */
    unsigned watch_stops;           /* ... for a watchpoint */
    uint64_t stop_pc;
    bool ended;
    unsigned powerdowns;
    unsigned shift;                 /* looked at by a test */
} Run;

static void run_stopped(void *opaque, ExecStopReason reason, Vcpu *cpu)
{
    Run *r = opaque;

    g_mutex_lock(&r->lock);
    r->stops++;
    r->reason = reason;
    r->watch_stops += reason == EXEC_STOP_WATCHPOINT;
    r->stop_pc = cpu->pc;
    g_cond_broadcast(&r->changed);
    g_mutex_unlock(&r->lock);
}

static void run_ended(void *opaque)
{
    Run *r = opaque;

    g_mutex_lock(&r->lock);
    r->ended = true;
    g_cond_broadcast(&r->changed);
    g_mutex_unlock(&r->lock);
}

static void run_powerdown(void *opaque)
{
    Run *r = opaque;

    r->powerdowns++;
    machine_request_shutdown(r->a.m, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
}

static inline void run_add_device(Run *r, const RunConfig *c)
{
    Tester *t = &r->dev;
    Machine *m = r->a.m;

    device_init(&t->dev, &tester_type, m, "tester");
    g_assert_true(device_realize(&t->dev, NULL));
    memory_add_mmio(m->memory, "tester", TESTER, PAGE_SIZE, &tester_ops, t);
    timer_init(&t->timer[0], m->clock, tester_first, t, "first");
    timer_init(&t->timer[1], m->clock, tester_second, t, "second");
    timer_init(&t->spare, m->clock, tester_second, t, "spare");
    t->input = replay_source_new(r->replay, REPLAY_KIND_CHAR, "tester", tester_deliver, t);
    t->values = replay_source_new(r->replay, REPLAY_KIND_RANDOM, "tester", NULL, NULL);
    t->output = replay_output_new(r->replay, "tester");
    t->limit = c->limit ? c->limit : 60;
    t->guest_resets = c->guest_resets;
    t->dma = c->dma;
}

static inline void run_open(Run *r, const RunConfig *c)
{
    const ExecListener listener = { .stopped = run_stopped, .opaque = r };
    Error *err = NULL;

    memset(r, 0, sizeof(*r));
    g_mutex_init(&r->lock);
    g_cond_init(&r->changed);
    r->replay = replay_new(&c->replay, &err);
    g_assert_nonnull(r->replay);
    arm_machine_new(&r->a, r->replay, c->program ? c->program : worker,
                    c->program ? c->bytes : sizeof(worker));
    run_add_device(r, c);
    arm_machine_start(&r->a, &c->tcg, c->num_cpus ? c->num_cpus : 1);
    r->dev.irq = r->a.cpu[0]->irq_in;
    r->a.m->powerdown = run_powerdown;
    r->a.m->powerdown_opaque = r;
    r->loop = exec_loop_new(r->a.m, r->a.tcg, &c->exec);
    exec_loop_add_listener(r->loop, &listener);
    g_assert_true(replay_start(r->replay, &err));
}

static inline void run_start(Run *r)
{
    exec_loop_start(r->loop, run_ended, r);
}

static inline ExecResult run_join(Run *r)
{
    ExecResult result = exec_loop_join(r->loop);

    g_assert_true(r->ended);
    g_assert_cmpstr(replay_report(r->replay), ==, NULL);
    return result;
}

/* A replay's end: as the recording's. */
static inline void run_join_equal(Run *r, const ExecResult *recorded)
{
    ExecResult result = run_join(r);

    g_assert_false(replay_failed(r->replay));
    g_assert_cmpint(result.exit_code, ==, 0);
    g_assert_cmpint(result.cause, ==, recorded->cause);
    g_assert_cmpuint(result.icount, ==, recorded->icount);
    g_assert_true(result.digest_valid);
    g_assert_cmphex(result.digest, ==, recorded->digest);
}

static inline void run_close(Run *r)
{
    exec_loop_free(r->loop);
    timer_del(&r->dev.timer[0]);
    timer_del(&r->dev.timer[1]);
    arm_machine_free(&r->a);
    replay_free(r->replay);
    g_mutex_clear(&r->lock);
    g_cond_clear(&r->changed);
}

/* Wait until the listener was called `stops` times in all; false: the run has ended. */
static inline bool run_wait_stop(Run *r, unsigned stops)
{
    bool stopped;

    g_mutex_lock(&r->lock);
    while (r->stops < stops && !r->ended) {
        g_cond_wait(&r->changed, &r->lock);
    }
    stopped = r->stops >= stops;
    g_mutex_unlock(&r->lock);
    return stopped;
}

/* Undisturbed, to the guest's own end. */
static inline ExecResult run_all(const RunConfig *c)
{
    ExecResult result;
    Run r;

    run_open(&r, c);
    run_start(&r);
    result = run_join(&r);
    g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    g_assert_cmpint(result.exit_code, ==, 0);
    g_assert_true(result.digest_valid);
    run_close(&r);
    return result;
}

/* Another thread, which posts input at random, and resets now and then. */
typedef struct Poster {
    Run *r;
    Rng rng;
    void (*also)(Run *r, void *opaque);
    void *opaque;
} Poster;

static inline gpointer run_poster(gpointer opaque)
{
    Poster *p = opaque;
    unsigned resets = 0;
    bool ended = false;

    while (!ended) {
        uint64_t value = rng_next(&p->rng);

        g_usleep(rng_below(&p->rng, 300));
        replay_post(p->r->dev.input, &value, 1 + rng_below(&p->rng, 8));
        /* Few: on a slow host the guest would never get to its end. */
        if (resets < 2 && rng_percent(&p->rng, 4)) {
            resets++;
            exec_loop_request(p->r->loop, SHUTDOWN_CAUSE_HOST_RESET);
        }
        if (p->also) {
            p->also(p->r, p->opaque);
        }
        g_mutex_lock(&p->r->lock);
        ended = p->r->ended;
        g_mutex_unlock(&p->r->lock);
    }
    return NULL;
}

/* Run with a poster, which calls `also`, if there is one, after each of its posts. */
static inline ExecResult run_posted(Run *r, uint64_t seed, void (*also)(Run *r, void *opaque),
                                    void *opaque)
{
    Poster poster = { .r = r, .rng = { seed }, .also = also, .opaque = opaque };
    ExecResult result;
    GThread *thread;

    run_start(r);
    thread = g_thread_new("poster", run_poster, &poster);
    result = run_join(r);
    g_thread_join(thread);
    return result;
}

#endif
