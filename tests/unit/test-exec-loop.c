/*
 * The execution loop: timers at exact instruction counts in every shape of execution,
 * requests, pauses and steps that leave no trace, closures, idle time, the turns of two
 * CPUs, and recordings of a machine that gets input at random moments, replayed in
 * all shapes with equal digests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "loop-machine.h"
#include "rng.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "util/host-clock.h"

static const TcgConfig shapes[] = {
    { .unit_insns = 64 }, { .unit_insns = 1 }, { .unit_insns = 7, .no_link = true },
    { .unit_insns = 64, .no_opt = true }, { .interp = true, .unit_insns = 7 },
};

/* ---- timers ---- */

/* The device checks each moment itself. */
static void test_timers(void)
{
    for (unsigned shift = 0; shift <= 6; shift += 3) {
        ExecResult first = { 0 };

        for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
            RunConfig c = { .tcg = shapes[n], .exec = { .icount = true, .shift = shift } };
            ExecResult result = run_all(&c);

            if (n == 0) {
                first = result;
            }
            g_assert_cmpuint(result.icount, ==, first.icount);
            g_assert_cmphex(result.digest, ==, first.digest);
        }
        g_assert_cmpuint(first.icount, >, 1000);
    }
}

/* An interrupt is taken between the two instructions where the timer fired. */
static void test_interrupt_position(void)
{
    /* Counts in X20 until the interrupt; the handler is at 0x280 of the table at 0x800. */
    static const uint32_t program[0xb00 / 4] = {
        0x10004001,     /* 00: adr x1, 800 */
        0xd518c001,     /*     msr vbar_el1, x1 */
        0xd2a12009,     /*     mov x9, #0x09000000 */
        0xd50342ff,     /*     msr daifclr, #2 */
        0x52801901,     /* 10: mov w1, #200 */
        0xb9000521,     /*     str w1, [x9, #4]: now + 200 */
        0x91000694,     /* 18: add x20, x20, #1 */
        0x17ffffff,     /*     b 18 */
        [0xa80 / 4] = 0xd538402b,           /* mrs x11, elr_el1 */
        [0xa84 / 4] = 0xb9000d29,           /* str w9, [x9, #0xc]: the end */
        [0xa88 / 4] = 0x14000000,           /* b . */
    };

    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
        RunConfig c = { .tcg = shapes[n], .exec = { .icount = true }, .program = program,
                        .bytes = sizeof(program) };
        ExecResult result;
        Run r;

        run_open(&r, &c);
        run_start(&r);
        result = run_join(&r);
        /*
         * The store is instruction 5, at time 5: the timer is due after 205 instructions.
         * The entry is a step of its own.
         */
        g_assert_cmpuint(result.icount, ==, 205 + 1 + 2);
        g_assert_cmpuint(arm_x(&r.a, 20), ==, (205 - 6 + 1) / 2);
        g_assert_cmphex(arm_x(&r.a, 11), ==, RAM + 0x1c);
        run_close(&r);
    }
}

/* ---- requests ---- */

static void test_quit(void)
{
    for (unsigned paused = 0; paused < 2; paused++) {
        RunConfig c = { .exec = { .icount = true, .start_paused = paused },
                        .limit = UINT32_MAX };
        ExecResult result;
        Run r;

        run_open(&r, &c);
        run_start(&r);
        exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
        result = run_join(&r);
        g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_HOST_QUIT);
        g_assert_cmpint(result.exit_code, ==, 0);
        g_assert_true(!paused || result.icount == 0);
        run_close(&r);
    }
}

static void test_guest_reset(void)
{
    RunConfig c = { .exec = { .icount = true }, .guest_resets = 2, .limit = 5 };
    ExecResult result;
    Run r;

    run_open(&r, &c);
    run_start(&r);
    result = run_join(&r);
    g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    /* Power-on is a reset, too. */
    g_assert_cmpuint(r.dev.s.resets, ==, 1 + 2);
    g_assert_cmpuint(r.dev.fires, ==, 3 * 5);
    /* X23 began anew each time. */
    g_assert_cmpuint(arm_x(&r.a, 23), ==, 5);
    run_close(&r);
    c.exec.actions.reboot = EXEC_REBOOT_SHUTDOWN;
    run_open(&r, &c);
    run_start(&r);
    result = run_join(&r);
    g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_GUEST_RESET);
    g_assert_cmpuint(r.dev.s.resets, ==, 1);
    run_close(&r);
}

static void test_host_reset(void)
{
    RunConfig c = { .exec = { .icount = true, .start_paused = true }, .limit = 20 };
    ExecResult result;
    Run r;

    run_open(&r, &c);
    run_start(&r);
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_RESET);
    exec_loop_cont(r.loop);
    result = run_join(&r);
    g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    g_assert_cmpuint(r.dev.s.resets, ==, 1 + 1);
    run_close(&r);
}

static void test_powerdown(void)
{
    RunConfig c = { .exec = { .icount = true }, .limit = UINT32_MAX };
    ExecResult result;
    Run r;

    run_open(&r, &c);
    run_start(&r);
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_POWERDOWN);
    result = run_join(&r);
    g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    g_assert_cmpuint(r.powerdowns, ==, 1);
    run_close(&r);
}

static void test_no_shutdown(void)
{
    RunConfig c = { .exec = { .icount = true, .actions.shutdown = EXEC_SHUTDOWN_PAUSE } };
    ExecResult result;
    Run r;

    run_open(&r, &c);
    run_start(&r);
    g_assert_true(run_wait_stop(&r, 1));
    g_assert_cmpint(r.reason, ==, EXEC_STOP_SHUTDOWN);
    g_assert_false(exec_loop_running(r.loop));
    g_assert_cmpuint(arm_x(&r.a, 23), ==, 60);
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    result = run_join(&r);
    g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_HOST_QUIT);
    run_close(&r);
}

/* A change of actions, as a recording has it: what is not one is not delivered, and changes nothing. */
static void test_actions(void)
{
    static const struct {
        uint8_t payload[6], length;
        bool ok;
    } cases[] = {
        { { 64, 1, 1, 3, 5 }, 5, true }, { { 64, 255, 255, 1, 255 }, 5, true },
        { { 64, 2, 0, 0, 0 }, 5, false }, { { 64, 0, 2, 0, 0 }, 5, false },
        { { 64, 0, 0, 4, 0 }, 5, false }, { { 64, 0, 0, 0, 6 }, 5, false },
        { { 64, 0, 0, 0 }, 4, false }, { { 64, 0, 0, 0, 0, 0 }, 6, false },
        { { 65, 0, 0, 0, 0 }, 5, false }, { { 64 }, 1, false },
    };
    RunConfig c = { .exec = { .icount = true } };
    Run r;

    run_open(&r, &c);
    for (unsigned n = 0; n < ARRAY_SIZE(cases); n++) {
        g_assert_true(loop_deliver_request(r.loop, cases[n].payload, cases[n].length) ==
                      cases[n].ok);
        g_assert_cmpint(r.loop->actions.reboot, ==, EXEC_REBOOT_SHUTDOWN);
        g_assert_cmpint(r.loop->actions.panic, ==, n ? EXEC_PANIC_PAUSE : EXEC_PANIC_NONE);
        g_assert_cmpint(r.loop->actions.watchdog, ==, EXEC_WATCHDOG_NONE);
    }
    run_start(&r);
    run_wait_stop(&r, 1);
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    run_join(&r);
    run_close(&r);
}

/* ---- pauses, steps, breakpoints ---- */

/* Stop, take some steps of one CPU or another, go on; until the run ends. */
static void disturb(Run *r, Rng *rng)
{
    bool running = true;

    while (running) {
        unsigned steps = rng_below(rng, 4), stops;

        g_usleep(rng_below(rng, 200));
        exec_loop_stop(r->loop);
        while (steps-- > 0 && running) {
            ArmCpu *cpu = r->a.cpu[rng_below(rng, r->a.m->num_cpus)];

            g_mutex_lock(&r->lock);
            stops = r->stops;
            running = !r->ended;
            g_mutex_unlock(&r->lock);
            if (running) {
                exec_loop_step(r->loop, &cpu->vcpu);
                running = run_wait_stop(r, stops + 1);
            }
        }
        g_mutex_lock(&r->lock);
        running = !r->ended;
        g_mutex_unlock(&r->lock);
        exec_loop_cont(r->loop);
    }
}

static void check_disturbed(unsigned num_cpus, uint32_t limit)
{
    Rng rng = { 7 };

    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
        RunConfig c = { .tcg = shapes[n], .exec = { .icount = true }, .num_cpus = num_cpus,
                        .limit = limit };
        ExecResult calm = run_all(&c), result;
        Run r;

        run_open(&r, &c);
        run_start(&r);
        disturb(&r, &rng);
        result = run_join(&r);
        g_assert_cmpuint(result.icount, ==, calm.icount);
        g_assert_cmphex(result.digest, ==, calm.digest);
        run_close(&r);
    }
}

static void test_pause(void)
{
    check_disturbed(1, 200);
}

typedef struct Look {
    Run *r;
    uint64_t position;
    uint32_t received;
} Look;

static void look(void *opaque)
{
    Look *l = opaque;

    l->position = exec_loop_position(l->r->loop);
    l->received = l->r->dev.s.received;
}

/* As a monitor does it. */
static Look look_now(Run *r)
{
    Look l = { .r = r };

    machine_run_sync(r->loop, look, &l);
    return l;
}

/* One step is one instruction, and the reports say where. */
static void test_step(void)
{
    RunConfig c = { .exec = { .icount = true, .start_paused = true } };
    static const uint64_t where[] = { 0x4, 0x8, 0xc, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28 };
    Run r;

    run_open(&r, &c);
    run_start(&r);
    for (unsigned n = 0; n < ARRAY_SIZE(where); n++) {
        exec_loop_step(r.loop, &r.a.cpu[0]->vcpu);
        g_assert_true(run_wait_stop(&r, n + 1));
        g_assert_cmpint(r.reason, ==, EXEC_STOP_STEPPED);
        g_assert_cmphex(r.stop_pc, ==, RAM + where[n]);
        g_assert_false(exec_loop_running(r.loop));
        g_assert_cmpuint(look_now(&r).position, ==, n + 1);
    }
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    g_assert_cmpuint(run_join(&r).icount, ==, ARRAY_SIZE(where));
    run_close(&r);
}

typedef struct Stepper {
    Run *r;
    unsigned stops;
    uint64_t position[4];
} Stepper;

/* Machine thread: it has not got to stand still yet. */
static void step_at_once(void *opaque, ExecStopReason reason, Vcpu *cpu)
{
    Stepper *s = opaque;

    s->position[s->stops++] = exec_loop_position(s->r->loop);
    if (s->stops < ARRAY_SIZE(s->position)) {
        exec_loop_step(s->r->loop, cpu);
    }
}

static void add_break(void *opaque)
{
    g_assert_true(exec_loop_add_break(((Run *)opaque)->loop, 2));
}

/* Who steps on as soon as he is told of a stop is not told of it once more, for a break that is there. */
static void test_step_at_once(void)
{
    RunConfig c = { .exec = { .icount = true, .start_paused = true } };
    Run r;
    Stepper s = { .r = &r };
    const ExecListener listener = { .stopped = step_at_once, .opaque = &s };

    run_open(&r, &c);
    exec_loop_add_listener(r.loop, &listener);
    run_start(&r);
    machine_run_sync(r.loop, add_break, &r);
    exec_loop_step(r.loop, &r.a.cpu[0]->vcpu);
    g_assert_true(run_wait_stop(&r, ARRAY_SIZE(s.position)));
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    run_join(&r);
    for (unsigned n = 0; n < ARRAY_SIZE(s.position); n++) {
        g_assert_cmpuint(s.position[n], ==, n + 1);
    }
    run_close(&r);
}

/* Where the CPU enters for an IRQ from EL1. */
#define VECTOR_IRQ (RAM + 0x800 + 0x280)

static void insert_breakpoint(void *opaque)
{
    tcg_breakpoint_insert(((Run *)opaque)->a.tcg, VECTOR_IRQ);
}

static void test_breakpoint(void)
{
    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
        RunConfig c = { .tcg = shapes[n], .exec = { .icount = true }, .limit = 20 };
        ExecResult calm = run_all(&c), result;
        unsigned hits = 0;
        Run r;

        c.exec.start_paused = true;
        run_open(&r, &c);
        run_start(&r);
        machine_run_sync(r.loop, insert_breakpoint, &r);
        exec_loop_cont(r.loop);
        while (run_wait_stop(&r, hits + 1)) {
            hits++;
            g_assert_cmpint(r.reason, ==, EXEC_STOP_BREAKPOINT);
            g_assert_cmphex(r.stop_pc, ==, VECTOR_IRQ);
            exec_loop_cont(r.loop);
        }
        result = run_join(&r);
        g_assert_cmpuint(hits, ==, 20);
        g_assert_cmpuint(result.icount, ==, calm.icount);
        g_assert_cmphex(result.digest, ==, calm.digest);
        run_close(&r);
    }
}

/* ---- closures ---- */

#define CLOSURES 300

typedef struct Caller {
    Run *r;
    GThread *machine;       /* where closures ran */
    unsigned calls;         /* touched on the machine thread alone */
} Caller;

static void nested_closure(void *opaque)
{
    ((Caller *)opaque)->calls++;
}

static void closure(void *opaque)
{
    Caller *c = opaque;

    g_assert_true(!c->machine || c->machine == g_thread_self());
    c->machine = g_thread_self();
    machine_run_sync(c->r->loop, nested_closure, c);
}

static gpointer call_often(gpointer opaque)
{
    Caller *c = opaque;

    for (unsigned n = 1; n <= CLOSURES; n++) {
        machine_run_sync(c->r->loop, closure, c);
        /* It has returned before we do. */
        g_assert_cmpuint(c->calls, ==, n);
    }
    return NULL;
}

static void test_closures(void)
{
    RunConfig c = { .exec = { .icount = true }, .limit = UINT32_MAX };
    GThread *thread[3];
    Caller caller[3], late;
    Run r;

    run_open(&r, &c);
    run_start(&r);
    for (unsigned n = 0; n < 3; n++) {
        caller[n] = (Caller){ .r = &r };
        thread[n] = g_thread_new("caller", call_often, &caller[n]);
    }
    for (unsigned n = 0; n < 20; n++) {
        exec_loop_stop(r.loop);
        exec_loop_cont(r.loop);
    }
    exec_loop_stop(r.loop);
    for (unsigned n = 0; n < 3; n++) {
        g_thread_join(thread[n]);
        g_assert_true(caller[n].machine == caller[0].machine);
        g_assert_true(caller[n].machine != g_thread_self());
    }
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    run_join(&r);
    /* Nobody else runs the machine any more. */
    late = (Caller){ .r = &r };
    machine_run_sync(r.loop, nested_closure, &late);
    g_assert_cmpuint(late.calls, ==, 1);
    run_close(&r);
}

/* ---- idle ---- */

/* A timer in 30 ms, or in 30 s; nothing to do until then. */
static const uint32_t sleeper[] = {
    0xd2a12009,     /* 00: mov x9, #0x09000000 */
    0xb9401921,     /*     ldr w1, [x9, #0x18]: the limit is the time here */
    0xb9000521,     /*     str w1, [x9, #4] */
    0xd503207f,     /*     wfi */
    0xf9400523,     /* 10: ldr x3, [x9, #8] */
    0xb9000d29,     /*     str w9, [x9, #0xc]: the end */
    0x14000000,     /*     b . */
};

static void check_idle(bool sleep, uint32_t ns)
{
    RunConfig c = { .exec = { .icount = true, .sleep = sleep }, .limit = ns,
                    .program = sleeper, .bytes = sizeof(sleeper) };
    int64_t start = host_monotonic_ns();
    ExecResult result;
    Run r;

    run_open(&r, &c);
    run_start(&r);
    result = run_join(&r);
    g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    g_assert_cmpuint(result.icount, ==, 6);
    /* Armed at time 2; WFI, the fourth instruction, went on at the deadline itself. */
    g_assert_cmpuint(arm_x(&r.a, 3), ==, 2 + (uint64_t)ns);
    if (sleep) {
        g_assert_cmpint(host_monotonic_ns() - start, >=, ns);
    }
    run_close(&r);
}

static void test_idle(void)
{
    check_idle(true, 30000000);
    check_idle(false, 4000000000u);
}

/* Asleep for good: input, a closure and a request still get through. */
static void test_idle_wake(void)
{
    static const uint32_t program[] = {
        0xd2a12009,     /* 00: mov x9, #0x09000000 */
        0xd503207f,     /* 04: wfi */
        0xb9401123,     /*     ldr w3, [x9, #0x10] */
        0xb900113f,     /*     str wzr, [x9, #0x10]: lower the line */
        0x17fffffd,     /* 10: b 4 */
    };

    for (unsigned sleep = 0; sleep < 2; sleep++) {
        RunConfig c = { .exec = { .icount = true, .sleep = sleep }, .program = program,
                        .bytes = sizeof(program) };
        Caller caller;
        Run r;

        run_open(&r, &c);
        run_start(&r);
        caller = (Caller){ .r = &r };
        for (uint8_t n = 1; n <= 20; n++) {
            machine_run_sync(r.loop, closure, &caller);
            g_assert_true(replay_post(r.dev.input, &n, 1));
        }
        while (look_now(&r).received < 20) {
            g_usleep(100);
        }
        exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
        g_assert_cmpint(run_join(&r).cause, ==, SHUTDOWN_CAUSE_HOST_QUIT);
        g_assert_cmpuint(arm_x(&r.a, 3) & 0xff, >, 0);
        g_assert_cmpuint(caller.calls, ==, 20);
        run_close(&r);
    }
}

static void look_at_shift(void *opaque)
{
    Run *r = opaque;

    r->shift = clock_shift(r->a.m->clock);
}

static unsigned shift_now(Run *r)
{
    machine_run_sync(r->loop, look_at_shift, r);
    return r->shift;
}

/* shift=auto: time in which the VM was stopped tells nothing about the host's speed. */
static void test_pause_shift_auto(void)
{
    RunConfig c = { .exec = { .icount = true, .shift_auto = true, .shift = 3, .sleep = true },
                    .limit = UINT32_MAX };
    unsigned before = 0, after = 0;
    Run r;

    run_open(&r, &c);
    run_start(&r);
    for (unsigned n = 0; n < 30; n++) {
        g_usleep(20000);
        before = n < 15 ? 0 : MAX(before, shift_now(&r));
    }
    exec_loop_stop(r.loop);
    g_usleep(3000000);
    exec_loop_cont(r.loop);
    for (unsigned n = 0; n < 30; n++) {
        g_usleep(20000);
        after = MAX(after, shift_now(&r));
    }
    g_test_message("shift %u, then %u", before, after);
    /* Counted as busy, three seconds would be four more. */
    g_assert_cmpuint(after, <=, before + 2);
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    run_join(&r);
    run_close(&r);
}

/* Without -icount the host's clock drives the timers; nothing can be the same then. */
static void test_host_clock(void)
{
    RunConfig c = { .limit = 40 };
    ExecResult result;
    Run r;

    run_open(&r, &c);
    run_start(&r);
    exec_loop_stop(r.loop);
    exec_loop_cont(r.loop);
    result = run_join(&r);
    g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    g_assert_false(result.digest_valid);
    g_assert_cmpuint(r.dev.fires, >=, 40);
    run_close(&r);
}

/* ---- two CPUs ---- */

/* Both make notes without end; CPU 0, when it is past a number, writes the end. */
static void test_turns(void)
{
    static const uint32_t program[] = {
        0xd2a12009,     /* 00: mov x9, #0x09000000 */
        0xb9401924,     /*     ldr w4, [x9, #0x18] */
        0xb9000120,     /* 08: str w0, [x9] */
        0x91000694,     /*     add x20, x20, #1 */
        0xf9000534,     /* 10: str x20, [x9, #8]: nothing */
        0xb5ffffa0,     /*     cbnz x0, 8 */
        0xeb04029f,     /*     cmp x20, x4 */
        0x54ffff61,     /*     b.ne 8 */
        0xb9000d29,     /* 20: str w9, [x9, #0xc] */
        0x17fffff9,     /*     b 8 */
    };
    ExecResult first = { 0 };

    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
        RunConfig c = { .tcg = shapes[n], .exec = { .icount = true }, .num_cpus = 2,
                        .limit = 30000, .program = program, .bytes = sizeof(program) };
        ExecResult result;
        Run r;

        run_open(&r, &c);
        r.dev.check_turns = true;
        run_start(&r);
        result = run_join(&r);
        g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        g_assert_cmpuint(r.dev.turns_wrong, ==, 0);
        g_assert_cmpuint(r.dev.notes, >, 60000);
        if (n == 0) {
            first = result;
        }
        g_assert_cmphex(result.digest, ==, first.digest);
        run_close(&r);
    }
    g_assert_cmpuint(first.icount / TURN_INSNS, >=, 6);
}

static const uint32_t sleeper_among_busy[0xb00 / 4] = {
    0x10004001,     /* 00: adr x1, 800 */
    0xd518c001,     /*     msr vbar_el1, x1 */
    0xd2a12009,     /*     mov x9, #0x09000000 */
    0xb4000080,     /*     cbz x0, 1c */
    0x91000694,     /* 10: add x20, x20, #1 */
    0x9b147e95,     /*     mul x21, x20, x20 */
    0x17fffffe,     /*     b 10 */
    0xd2a00038,     /* 1c: mov x24, #0x10000: rounds are the device's limit */
    0xd2820003,     /* 20: mov x3, #0x1000 */
    0xb9000523,     /*     str w3, [x9, #4]: an interrupt then */
    0xf9400524,     /*     ldr x4, [x9, #8]: the time */
    0x8b030084,     /*     add x4, x4, x3 */
    0xd503207f,     /* 30: wfi */
    0xf9400525,     /*     ldr x5, [x9, #8] */
    0xcb0400a5,     /*     sub x5, x5, x4 */
    0xeb1600bf,     /*     cmp x5, x22 */
    0x9a96c0b6,     /* 40: csel x22, x5, x22, gt: the longest wait */
    0xb900113f,     /*     str wzr, [x9, #0x10]: lower the line */
    0x910006f7,     /*     add x23, x23, #1 */
    0xb940192e,     /*     ldr w14, [x9, #0x18] */
    0x6b0e02ff,     /* 50: cmp w23, w14 */
    0x54fffe61,     /*     b.ne 20 */
    0xb9000d29,     /*     str w9, [x9, #0xc]: the end */
    0x14000000,     /*     b . */
};

/* Who wakes up among busy CPUs runs at once; the busy ones keep side by side. */
static void test_wake_latency(void)
{
    ExecResult first = { 0 };

    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
        RunConfig c = { .tcg = shapes[n], .exec = { .icount = true }, .num_cpus = 8,
                        .limit = 300, .program = sleeper_among_busy,
                        .bytes = sizeof(sleeper_among_busy) };
        uint64_t least = UINT64_MAX, most = 0;
        ExecResult result;
        Run r;

        run_open(&r, &c);
        run_start(&r);
        result = run_join(&r);
        g_assert_cmpuint(arm_x(&r.a, 23), ==, 300);
        g_assert_cmpuint(arm_x(&r.a, 22), <, 10);
        for (unsigned cpu = 1; cpu < 8; cpu++) {
            uint64_t rounds = r.a.cpu[cpu]->vcpu.slot[20];

            least = MIN(least, rounds);
            most = MAX(most, rounds);
        }
        g_assert_cmpuint(least, >, 0);
        g_assert_cmpuint(3 * (most - least), <=, 2 * TURN_INSNS);
        if (n == 0) {
            first = result;
        }
        g_assert_cmphex(result.digest, ==, first.digest);
        run_close(&r);
    }
}

/* CPU 1 spins on a flag that CPU 0 sets after a long time: WFE and YIELD give way. */
static void check_yield(uint32_t hint)
{
    const uint32_t program[] = {
        0xd2a12009,     /* 00: mov x9, #0x09000000 */
        0xd2a8002a,     /*     mov x10, #0x40010000 */
        0xb5000120,     /*     cbnz x0, 2c */
        0xd2a00061,     /*     mov x1, #0x30000 */
        0xd1000421,     /* 10: sub x1, x1, #1 */
        0xb5ffffe1,     /*     cbnz x1, 10 */
        0xb900014a,     /*     str w10, [x10]: the flag */
        hint,           /* 1c: */
        0xb9400541,     /*     ldr w1, [x10, #4] */
        0x34ffffc1,     /*     cbz w1, 1c */
        0xb9000d29,     /* 28: str w9, [x9, #0xc]: the end */
        0x91000694,     /* 2c: add x20, x20, #1 */
        hint,
        0xb9400141,     /*     ldr w1, [x10] */
        0x34ffffa1,     /*     cbz w1, 2c */
        0xb900054a,     /*     str w10, [x10, #4] */
        0xd503207f,     /* 40: wfi */
        0x17ffffff,     /*     b 40 */
    };
    ExecResult first = { 0 };

    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
        RunConfig c = { .tcg = shapes[n], .exec = { .icount = true }, .num_cpus = 2,
                        .program = program, .bytes = sizeof(program) };
        ExecResult result;
        Run r;

        run_open(&r, &c);
        run_start(&r);
        result = run_join(&r);
        /* Once a turn of the other one; 393,216 instructions are seven of them and a bit. */
        g_assert_cmpuint(r.a.cpu[1]->vcpu.slot[20], >=, 7);
        g_assert_cmpuint(r.a.cpu[1]->vcpu.slot[20], <=, 10);
        if (n == 0) {
            first = result;
        }
        g_assert_cmphex(result.digest, ==, first.digest);
        run_close(&r);
    }
}

static void test_yield(void)
{
    check_yield(0xd503205f);    /* wfe */
    check_yield(0xd503203f);    /* yield */
}

/* One waits for interrupts, the other goes on; steps keep to the turns. */
static void test_two_disturbed(void)
{
    check_disturbed(2, 40);
}

/* ---- record and replay ---- */

static ExecResult record(const RunConfig *c, uint64_t seed, uint32_t *received)
{
    ExecResult result;
    Run r;

    run_open(&r, c);
    result = run_posted(&r, seed, NULL, NULL);
    g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    *received = r.dev.s.received;
    run_close(&r);
    return result;
}

static void check_replay(RunConfig *c, const ExecResult *recorded, bool disturbed)
{
    Rng rng = { 99 };
    Run r;

    run_open(&r, c);
    run_start(&r);
    if (disturbed) {
        disturb(&r, &rng);
    }
    run_join_equal(&r, recorded);
    run_close(&r);
}

static void check_record_replay(RunConfig c, uint64_t seed)
{
    char *path = g_strdup_printf("%s/rearm-loop-%d.rr", g_get_tmp_dir(), (int)getpid());
    ExecResult recorded;
    uint32_t received;

    c.replay.mode = REPLAY_MODE_RECORD;
    c.replay.file = path;
    recorded = record(&c, seed, &received);
    g_assert_true(recorded.digest_valid);
    g_test_message("%" PRIu64 " instructions, %u bytes received", recorded.icount, received);
    c.replay.mode = REPLAY_MODE_PLAY;
    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
        c.tcg = shapes[n];
        check_replay(&c, &recorded, false);
        check_replay(&c, &recorded, true);
    }
    g_unlink(path);
    g_free(path);
}

static void test_replay(void)
{
    static const unsigned num_cpus[] = { 1, 2, 4, 8 };

    for (unsigned n = 0; n < 12; n++) {
        RunConfig c = { .tcg = shapes[n % ARRAY_SIZE(shapes)],
                        .exec = { .icount = true, .shift = n % 3, .sleep = n / 4 == 1 },
                        .num_cpus = num_cpus[n % 4], .limit = n % 4 ? 100 : 400 };

        c.replay.check = n & 1 ? REPLAY_CHECK_EVENTS : REPLAY_CHECK_DIGEST;
        c.replay.check_period = 7777;
        check_record_replay(c, n + 1);
    }
}

/*
 * Stopped on the vector of the interrupt that was just taken, with input typed there: the
 * exception, the stop and the input have an order that the log keeps.
 */
static void test_input_on_vector(void)
{
    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
        g_autofree char *path = g_strdup_printf("%s/rearm-loop-%d.rr", g_get_tmp_dir(),
                                                (int)getpid());
        RunConfig c = { .tcg = shapes[n], .exec = { .icount = true, .start_paused = true },
                        .replay = { .mode = REPLAY_MODE_RECORD, .file = path,
                                    .check = REPLAY_CHECK_EVENTS }, .limit = 40 };
        ExecResult recorded;
        uint8_t typed = 0;
        Run r;

        run_open(&r, &c);
        run_start(&r);
        machine_run_sync(r.loop, insert_breakpoint, &r);
        exec_loop_cont(r.loop);
        while (run_wait_stop(&r, typed + 1u)) {
            g_assert_cmphex(r.stop_pc, ==, VECTOR_IRQ);
            typed++;
            replay_post(r.dev.input, &typed, 1);
            exec_loop_cont(r.loop);
        }
        recorded = run_join(&r);
        g_assert_cmpuint(typed, >=, 40);
        g_assert_cmpuint(r.dev.s.received, ==, typed);
        run_close(&r);
        c.replay.mode = REPLAY_MODE_PLAY;
        c.exec.start_paused = false;
        for (unsigned shape = 0; shape < ARRAY_SIZE(shapes); shape++) {
            c.tcg = shapes[shape];
            check_replay(&c, &recorded, false);
        }
        g_unlink(path);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exec-loop/timers", test_timers);
    g_test_add_func("/exec-loop/interrupt-position", test_interrupt_position);
    g_test_add_func("/exec-loop/quit", test_quit);
    g_test_add_func("/exec-loop/guest-reset", test_guest_reset);
    g_test_add_func("/exec-loop/host-reset", test_host_reset);
    g_test_add_func("/exec-loop/powerdown", test_powerdown);
    g_test_add_func("/exec-loop/no-shutdown", test_no_shutdown);
    g_test_add_func("/exec-loop/actions", test_actions);
    g_test_add_func("/exec-loop/pause", test_pause);
    g_test_add_func("/exec-loop/step", test_step);
    g_test_add_func("/exec-loop/step-at-once", test_step_at_once);
    g_test_add_func("/exec-loop/breakpoint", test_breakpoint);
    g_test_add_func("/exec-loop/closures", test_closures);
    g_test_add_func("/exec-loop/idle", test_idle);
    g_test_add_func("/exec-loop/idle-wake", test_idle_wake);
    g_test_add_func("/exec-loop/pause-shift-auto", test_pause_shift_auto);
    g_test_add_func("/exec-loop/host-clock", test_host_clock);
    g_test_add_func("/exec-loop/turns", test_turns);
    g_test_add_func("/exec-loop/wake-latency", test_wake_latency);
    g_test_add_func("/exec-loop/yield", test_yield);
    g_test_add_func("/exec-loop/two-disturbed", test_two_disturbed);
    g_test_add_func("/exec-loop/replay", test_replay);
    g_test_add_func("/exec-loop/input-on-vector", test_input_on_vector);
    return g_test_run();
}
