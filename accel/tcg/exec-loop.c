/*
 * The execution loop: the machine thread.
 *
 * 1. One turn of the loop: closures and pauses; due timers; the replay safe point;
 *    requests (reset, shutdown); checks; then one slice of one vCPU, or idle time.
 * 2. A slice ends at the first of: the vCPU's turn, the next timer, the next recorded
 *    event, the next check. Where slices are cut is invisible to the guest.
 * 3. position = instructions executed + idle warps. All that replay needs to be the same
 *    is a function of the position.
 * 4. vCPUs take turns at fixed instruction counts, in order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop.h"
#include "accel/tcg/exec-loop-internal.h"
#include "util/host-clock.h"
#include "util/log.h"

/* Instructions a vCPU's turn, when there are several. */
#define TURN_INSNS 50000
/* Bounds a slice, so that pauses and closures are served soon. */
#define SLICE_INSNS 200000

/* ---- position ---- */

static uint64_t loop_icount(void *opaque)
{
    ExecLoop *l = opaque;

    return clock_icount(l->machine->clock);
}

static uint64_t loop_position(void *opaque)
{
    ExecLoop *l = opaque;

    return loop_icount(l) + l->warps;
}

static uint64_t loop_pc(void *opaque)
{
    return exec_loop_cpu(opaque)->pc;
}

static void loop_describe_cpu(void *opaque, GString *out)
{
    Vcpu *cpu = exec_loop_cpu(opaque);

    cpu->ops->dump(cpu, out);
}

Vcpu *exec_loop_cpu(ExecLoop *l)
{
    return l->machine->cpus[l->turn_cpu];
}

uint64_t exec_loop_position(ExecLoop *l)
{
    return loop_position(l);
}

/* ---- digests and checks ---- */

static void digest_cpus(ExecLoop *l, Digest *d)
{
    Machine *m = l->machine;

    for (unsigned n = 0; n < m->num_cpus; n++) {
        m->cpus[n]->ops->digest(m->cpus[n], d);
    }
    digest_u64(d, l->turn_cpu);
    digest_u64(d, l->turn_left);
    digest_u64(d, loop_icount(l));
    digest_u64(d, l->warps);
    if (clock_uses_icount(m->clock)) {
        digest_u64(d, clock_shift(m->clock));
        digest_u64(d, clock_bias(m->clock));
    }
    machine_digest_devices(m, d);
}

/* CPUs, devices and the pages written since the last check. */
static void check_digest(ExecLoop *l)
{
    digest_reset(l->digest);
    digest_cpus(l, l->digest);
    memory_digest_dirty(l->machine->memory, l->digest);
    tcg_clean_writes(l->tcg);
    replay_check_digest(l->replay, digest_value(l->digest));
}

static uint64_t final_digest(ExecLoop *l)
{
    digest_reset(l->digest);
    digest_cpus(l, l->digest);
    memory_digest_all(l->machine->memory, l->digest);
    return digest_value(l->digest);
}

static void exception_taken(void *opaque, unsigned vector, uint64_t pc)
{
    ExecLoop *l = opaque;

    replay_check_event(l->replay, vector, pc);
}

/* ---- ending ---- */

static void tell_stopped(ExecLoop *l, ExecStopReason reason)
{
    g_mutex_lock(&l->lock);
    l->run_wanted = false;
    g_mutex_unlock(&l->lock);
    for (unsigned n = 0; n < l->listeners->len; n++) {
        const ExecListener *listener = &g_array_index(l->listeners, ExecListener, n);

        listener->stopped(listener->opaque, reason, exec_loop_cpu(l));
    }
}

static void tell_event(ExecLoop *l, ExecEvent event, ShutdownCause cause)
{
    for (unsigned n = 0; n < l->listeners->len; n++) {
        const ExecListener *listener = &g_array_index(l->listeners, ExecListener, n);

        if (listener->event) {
            listener->event(listener->opaque, event, cause);
        }
    }
}

static void finish(ExecLoop *l, ShutdownCause cause)
{
    l->result.cause = cause;
    l->result.icount = loop_icount(l);
    if (l->config.icount && !replay_failed(l->replay)) {
        l->result.digest = final_digest(l);
        l->result.digest_valid = true;
        if (!replay_end(l->replay, cause, l->result.digest)) {
            l->result.exit_code = 1;   /* an incomplete recording; a divergence is below */
        }
    }
    if (replay_failed(l->replay)) {
        l->result.exit_code = 2;
    }
    l->ended = true;
}

/* The log has nothing more to say, or something is wrong with it. */
static void finish_replay(ExecLoop *l)
{
    l->result.icount = loop_icount(l);
    l->result.cause = SHUTDOWN_CAUSE_NONE;
    if (replay_failed(l->replay)) {
        l->result.exit_code = 2;
    } else {
        l->result.digest = final_digest(l);
        l->result.digest_valid = true;
    }
    l->ended = true;
}

/* CPUs before devices: the boot loader, a device, sets where CPUs start. */
static void reset_state(ExecLoop *l)
{
    Machine *m = l->machine;

    for (unsigned n = 0; n < m->num_cpus; n++) {
        m->cpus[n]->ops->reset(m->cpus[n]);
    }
    machine_reset_devices(m);
    for (unsigned n = 0; n < m->num_cpus; n++) {
        vcpu_tlb_flush_all(m->cpus[n]);
        vcpu_space_changed(m->cpus[n]);
    }
}

static void reset_machine(ExecLoop *l)
{
    ShutdownCause cause = l->machine->reset_request;

    l->machine->reset_request = SHUTDOWN_CAUSE_NONE;
    replay_checkpoint(l->replay, CHECKPOINT_RESET_REQUESTED);
    reset_state(l);
    replay_checkpoint(l->replay, CHECKPOINT_RESET);
    tell_event(l, EXEC_EVENT_RESET, cause);
}

/* True when the loop must not go on as it was about to. */
static bool take_requests(ExecLoop *l)
{
    Machine *m = l->machine;
    ShutdownCause cause = m->shutdown_request;

    if (cause == SHUTDOWN_CAUSE_NONE && m->reset_request && l->config.no_reboot) {
        cause = m->reset_request;
    }
    if (cause != SHUTDOWN_CAUSE_NONE) {
        m->shutdown_request = m->reset_request = SHUTDOWN_CAUSE_NONE;
        tell_event(l, EXEC_EVENT_SHUTDOWN, cause);
        if (!l->config.no_shutdown || cause == SHUTDOWN_CAUSE_HOST_QUIT) {
            finish(l, cause);
        } else if (replay_sleeps(l->replay)) {
            tell_stopped(l, EXEC_STOP_SHUTDOWN);
        }
        /* Else somebody went on from here in the recording: so does its replay. */
        return true;
    }
    if (m->reset_request) {
        reset_machine(l);
        return true;
    }
    return false;
}

/* ---- requests from outside ---- */

static bool deliver_request(void *opaque, const uint8_t *payload, size_t length)
{
    ExecLoop *l = opaque;

    if (length != 1) {
        return false;
    }
    switch (payload[0]) {
    case SHUTDOWN_CAUSE_HOST_QUIT:
        machine_request_shutdown(l->machine, payload[0]);
        return true;
    case SHUTDOWN_CAUSE_HOST_RESET:
        machine_request_reset(l->machine, payload[0]);
        return true;
    case SHUTDOWN_CAUSE_HOST_POWERDOWN:
        if (l->machine->powerdown) {
            l->machine->powerdown(l->machine->powerdown_opaque);
        }
        tell_event(l, EXEC_EVENT_POWERDOWN, SHUTDOWN_CAUSE_NONE);
        return true;
    default:
        return false;
    }
}

static bool deliver_shift(void *opaque, const uint8_t *payload, size_t length)
{
    ExecLoop *l = opaque;

    if (length != 1 || payload[0] > EXEC_MAX_SHIFT) {
        return false;
    }
    clock_set_shift(l->machine->clock, payload[0]);
    return true;
}

void exec_loop_request(ExecLoop *l, ShutdownCause cause)
{
    uint8_t payload = cause;

    bool posted = replay_post(l->request_source, &payload, sizeof(payload));

    if (cause == SHUTDOWN_CAUSE_HOST_QUIT) {
        g_mutex_lock(&l->lock);
        l->quit_wanted = true;
        l->abandon = !posted;
        g_mutex_unlock(&l->lock);
    }
    exec_loop_wake(l);
}

/* ---- shift=auto ---- */

/*
 * Choose the shift that makes an instruction take as long in virtual time as it
 * does on the host. The decision is host-dependent, so it is posted.
 */
static void adapt_shift(ExecLoop *l)
{
    int64_t now = host_monotonic_ns(), insns, busy;
    unsigned shift = 0;
    uint8_t payload;

    if (now - l->adapt_time < ADAPT_PERIOD_NS) {
        return;
    }
    insns = loop_icount(l) - l->adapt_icount;
    busy = now - l->adapt_time - l->adapt_idle;
    l->adapt_time = now;
    l->adapt_icount = loop_icount(l);
    l->adapt_idle = 0;
    if (insns < ADAPT_MIN_INSNS || busy <= 0) {
        return;
    }
    /* The power of two nearest below 1.5 times the time of an instruction. */
    while (shift < EXEC_MAX_SHIFT && (2ll << shift) * insns <= busy + busy / 2) {
        shift++;
    }
    if (shift != clock_shift(l->machine->clock)) {
        payload = shift;
        replay_post(l->shift_source, &payload, sizeof(payload));
    }
}

/* ---- safe points ---- */

/* Everything that happens at this position before the next instruction. */
static void safe_point(ExecLoop *l)
{
    VirtualClock *clock = l->machine->clock;

    if (l->config.shift_auto) {
        adapt_shift(l);
    }
    for (;;) {
        clock_run_timers(clock);
        (void)clock_deadline_moved(clock);
        if (machine_has_request(l->machine) || replay_failed(l->replay) ||
            !replay_safe_point(l->replay)) {
            return;
        }
    }
}

/* ---- slices ---- */

static bool cpu_runnable(Vcpu *cpu)
{
    if (cpu->powered_off) {
        return false;
    }
    if (cpu->halted && cpu->ops->has_work(cpu)) {
        cpu->halted = 0;
    }
    return !cpu->halted;
}

/* The CPU whose turn it is; false when all wait. */
static bool choose_cpu(ExecLoop *l)
{
    Machine *m = l->machine;

    if (l->turn_left > 0 && cpu_runnable(exec_loop_cpu(l))) {
        return true;
    }
    for (unsigned n = 1; n <= m->num_cpus; n++) {
        unsigned next = (l->turn_cpu + n) % m->num_cpus;

        if (cpu_runnable(m->cpus[next])) {
            l->turn_cpu = next;
            l->turn_left = TURN_INSNS;
            return true;
        }
    }
    return false;
}

static int64_t slice_length(ExecLoop *l)
{
    VirtualClock *clock = l->machine->clock;
    uint64_t position = loop_position(l), next = replay_next_pos(l->replay);
    int64_t length = SLICE_INSNS, deadline = clock_next_deadline(clock);

    if (l->machine->num_cpus > 1) {
        length = MIN(length, l->turn_left);
    }
    if (clock_uses_icount(clock) && deadline != CLOCK_NO_DEADLINE) {
        length = MIN(length, clock_icount_until(clock, deadline));
    }
    if (next != UINT64_MAX) {
        length = MIN(length, MAX((int64_t)(next - position), 1));
    }
    if (l->next_check) {
        length = MIN(length, (int64_t)(l->next_check - loop_icount(l)));
    }
    return MAX(length, 1);
}

static void run_slice(ExecLoop *l, int64_t length)
{
    Vcpu *cpu = exec_loop_cpu(l);
    int64_t start = loop_icount(l);
    TcgStop stop;

    cpu->left = length;
    l->machine->current_cpu = cpu->index;
    clock_set_slice(l->machine->clock, start + length, &cpu->left);
    stop = tcg_run(l->tcg, cpu);
    l->icount = start + length - cpu->left;
    clock_set_slice(l->machine->clock, l->icount, &l->zero);
    if (l->machine->num_cpus > 1) {
        /* A lone CPU's slices are not cut by turns: their shape must leave no trace. */
        l->turn_left -= l->icount - start;
    }
    if (stop == TCG_STOP_DEBUG) {
        /* Now: who is told may continue before this thread gets to wait. */
        cpu->skip_breakpoint = true;
        tell_stopped(l, EXEC_STOP_BREAKPOINT);
    }
}

static void run_check(ExecLoop *l)
{
    if (l->next_check && (uint64_t)l->icount >= l->next_check) {
        l->next_check += replay_check_period(l->replay);
        check_digest(l);
    }
}

/* ---- idle ---- */

/* Sleep until woken, or until virtual time would reach the deadline. */
static int64_t sleep_until(ExecLoop *l, int64_t ns)
{
    int64_t start = host_monotonic_ns(), elapsed;

    g_mutex_lock(&l->lock);
    while (!l->woken && (l->run_wanted || l->step_cpu) && !l->closures) {
        if (ns == CLOCK_NO_DEADLINE) {
            g_cond_wait(&l->wake, &l->lock);
        } else {
            int64_t left = ns - (host_monotonic_ns() - start);

            if (left <= 0 ||
                !g_cond_wait_until(&l->wake, &l->lock, (host_monotonic_ns() + left + 999) / 1000)) {
                break;
            }
        }
    }
    l->woken = false;
    g_mutex_unlock(&l->lock);
    elapsed = host_monotonic_ns() - start;
    l->adapt_idle += elapsed;
    return elapsed;
}

static void idle_warp(ExecLoop *l, int64_t ns)
{
    clock_warp(l->machine->clock, ns);
    l->warps++;
}

/* All CPUs wait. One step; the loop comes back here if that woke nobody. */
static void idle(ExecLoop *l)
{
    VirtualClock *clock = l->machine->clock;
    int64_t deadline = clock_next_deadline(clock), until = CLOCK_NO_DEADLINE, ns;

    if (deadline != CLOCK_NO_DEADLINE) {
        until = MAX(deadline - clock_now(clock), 0);
    }
    if (!clock_uses_icount(clock)) {
        sleep_until(l, until);
    } else if (!l->config.sleep && until != CLOCK_NO_DEADLINE) {
        idle_warp(l, until);
    } else if (!replay_sleeps(l->replay)) {
        ns = 0;
        if (replay_warp(l->replay, &ns, until)) {
            idle_warp(l, ns);
        }
    } else {
        ns = sleep_until(l, until);
        ns = MIN(ns, until);   /* a macro: its arguments may be evaluated twice */
        if (l->config.sleep && ns > 0 && replay_warp(l->replay, &ns, until)) {
            idle_warp(l, ns);
        }
    }
}

/* ---- the thread ---- */

static void run_closures(ExecLoop *l)
{
    g_mutex_lock(&l->lock);
    while (l->closures) {
        ExecClosure *c = l->closures->data;

        l->closures = g_list_delete_link(l->closures, l->closures);
        g_mutex_unlock(&l->lock);
        c->fn(c->opaque);
        g_mutex_lock(&l->lock);
        c->done = true;
        g_cond_broadcast(&l->state);
    }
    g_mutex_unlock(&l->lock);
}

typedef enum LoopTask {
    TASK_TURN,
    TASK_QUIT_PAUSED,   /* must not need the guest to run */
    TASK_ABANDON,       /* leave a replay before its end: nothing to compare */
} LoopTask;

/* Pause until somebody wants the VM to run, take a step, or quit. */
static LoopTask serve_outside(ExecLoop *l)
{
    bool was_running = true;
    LoopTask task;

    for (;;) {
        run_closures(l);
        g_mutex_lock(&l->lock);
        if (l->run_wanted || l->step_cpu || l->quit_wanted) {
            break;
        }
        if (was_running) {
            was_running = false;
            clock_pause(l->machine->clock);
        }
        l->paused = true;
        g_cond_broadcast(&l->state);
        if (!l->closures) {
            g_cond_wait(&l->wake, &l->lock);
        }
        g_mutex_unlock(&l->lock);
    }
    if (!was_running) {
        clock_resume(l->machine->clock);
        exec_loop_cpu(l)->skip_breakpoint = true;
    }
    l->paused = false;
    l->stepping = l->step_cpu;
    task = l->abandon ? TASK_ABANDON :
           l->quit_wanted && !l->run_wanted ? TASK_QUIT_PAUSED : TASK_TURN;
    g_mutex_unlock(&l->lock);
    return task;
}

/* Steps keep to the order of turns: other CPUs run until it is this one's. */
static void take_step(ExecLoop *l)
{
    run_slice(l, 1);
    run_check(l);
    g_mutex_lock(&l->lock);
    l->step_cpu = NULL;
    g_mutex_unlock(&l->lock);
    tell_stopped(l, EXEC_STOP_STEPPED);
}

/* One turn; see the head of the file. */
static void turn(ExecLoop *l)
{
    safe_point(l);
    if (replay_failed(l->replay)) {
        finish_replay(l);
    } else if (take_requests(l)) {
        return;
    } else if (replay_at_end(l->replay)) {
        finish_replay(l);
    } else if (!choose_cpu(l)) {
        idle(l);
    } else if (l->stepping == exec_loop_cpu(l)) {
        take_step(l);
    } else {
        run_slice(l, slice_length(l));
        run_check(l);
    }
}

static gpointer loop_thread(gpointer opaque)
{
    ExecLoop *l = opaque;

    /* Power-on first: input that is there already must not be lost in it. */
    reset_state(l);
    replay_checkpoint(l->replay, CHECKPOINT_INIT);
    l->adapt_time = host_monotonic_ns();
    if (l->config.start_paused) {
        clock_pause(l->machine->clock);
    }
    while (!l->ended) {
        switch (serve_outside(l)) {
        case TASK_TURN:
            turn(l);
            break;
        case TASK_QUIT_PAUSED:
            safe_point(l);
            take_requests(l);
            break;
        case TASK_ABANDON:
            tell_event(l, EXEC_EVENT_SHUTDOWN, SHUTDOWN_CAUSE_HOST_QUIT);
            l->result.cause = SHUTDOWN_CAUSE_HOST_QUIT;
            l->result.icount = loop_icount(l);
            l->ended = true;
            break;
        }
    }
    g_mutex_lock(&l->lock);
    l->thread_done = true;
    g_cond_broadcast(&l->state);
    g_mutex_unlock(&l->lock);
    run_closures(l);
    l->ended_fn(l->ended_opaque);
    return NULL;
}

/* ---- public ---- */

void exec_loop_wake(void *opaque)
{
    ExecLoop *l = opaque;

    g_mutex_lock(&l->lock);
    l->woken = true;
    g_cond_broadcast(&l->wake);
    g_mutex_unlock(&l->lock);
}

ExecLoop *exec_loop_new(Machine *m, TcgContext *tcg, const ExecConfig *config)
{
    ExecLoop *l = g_new0(ExecLoop, 1);
    const ReplayHost host = { loop_position, loop_icount, loop_pc, loop_describe_cpu, l };

    l->machine = m;
    l->tcg = tcg;
    l->replay = m->replay;
    l->config = *config;
    l->run_wanted = !config->start_paused;
    l->digest = digest_new();
    l->listeners = g_array_new(false, false, sizeof(ExecListener));
    l->turn_left = TURN_INSNS;
    g_mutex_init(&l->lock);
    g_cond_init(&l->wake);
    g_cond_init(&l->state);
    if (config->icount) {
        clock_use_icount(m->clock, config->shift);
    }
    clock_set_slice(m->clock, 0, &l->zero);
    l->request_source = replay_source_new(l->replay, REPLAY_KIND_REQUEST, "machine",
                                          deliver_request, l);
    l->shift_source = replay_source_new(l->replay, REPLAY_KIND_SHIFT, "clock", deliver_shift, l);
    replay_set_host(l->replay, &host);
    replay_set_wakeup(l->replay, exec_loop_wake, l);
    return l;
}

void exec_loop_free(ExecLoop *l)
{
    digest_free(l->digest);
    g_array_free(l->listeners, true);
    g_mutex_clear(&l->lock);
    g_cond_clear(&l->wake);
    g_cond_clear(&l->state);
    g_free(l);
}

void exec_loop_add_listener(ExecLoop *l, const ExecListener *listener)
{
    g_array_append_val(l->listeners, *listener);
}

void exec_loop_start(ExecLoop *l, void (*ended)(void *opaque), void *opaque)
{
    ReplayCheck check = replay_check_kind(l->replay);

    l->ended_fn = ended;
    l->ended_opaque = opaque;
    if (check == REPLAY_CHECK_DIGEST) {
        l->next_check = replay_check_period(l->replay);
    } else if (check == REPLAY_CHECK_EVENTS) {
        for (unsigned n = 0; n < l->machine->num_cpus; n++) {
            l->machine->cpus[n]->exception_hook = exception_taken;
            l->machine->cpus[n]->exception_hook_opaque = l;
        }
    }
    l->thread = g_thread_new("machine", loop_thread, l);
}

ExecResult exec_loop_join(ExecLoop *l)
{
    g_thread_join(l->thread);
    return l->result;
}

void machine_run_sync(ExecLoop *l, void (*fn)(void *opaque), void *opaque)
{
    ExecClosure c = { fn, opaque, false };

    if (g_thread_self() == l->thread) {
        fn(opaque);
        return;
    }
    g_mutex_lock(&l->lock);
    if (!l->thread_done) {
        l->closures = g_list_append(l->closures, &c);
        g_cond_broadcast(&l->wake);
        while (!c.done) {
            g_cond_wait(&l->state, &l->lock);
        }
        g_mutex_unlock(&l->lock);
        return;
    }
    g_mutex_unlock(&l->lock);
    /* Nobody runs the machine any more. */
    fn(opaque);
}

void exec_loop_stop(ExecLoop *l)
{
    bool told;

    g_mutex_lock(&l->lock);
    told = l->run_wanted || l->step_cpu;
    l->run_wanted = false;
    l->step_cpu = NULL;
    g_cond_broadcast(&l->wake);
    while (!l->paused && !l->thread_done) {
        g_cond_wait(&l->state, &l->lock);
    }
    g_mutex_unlock(&l->lock);
    for (unsigned n = 0; told && n < l->listeners->len; n++) {
        const ExecListener *listener = &g_array_index(l->listeners, ExecListener, n);

        listener->stopped(listener->opaque, EXEC_STOP_PAUSED, exec_loop_cpu(l));
    }
}

void exec_loop_cont(ExecLoop *l)
{
    g_mutex_lock(&l->lock);
    if (!l->run_wanted) {
        tell_event(l, EXEC_EVENT_RESUMED, SHUTDOWN_CAUSE_NONE);   /* before it can stop again */
    }
    l->run_wanted = true;
    g_cond_broadcast(&l->wake);
    g_mutex_unlock(&l->lock);
}

bool exec_loop_running(ExecLoop *l)
{
    bool running;

    g_mutex_lock(&l->lock);
    running = l->run_wanted;
    g_mutex_unlock(&l->lock);
    return running;
}

void exec_loop_step(ExecLoop *l, Vcpu *cpu)
{
    g_mutex_lock(&l->lock);
    l->step_cpu = cpu;
    g_cond_broadcast(&l->wake);
    g_mutex_unlock(&l->lock);
}

Machine *exec_loop_machine(ExecLoop *l)
{
    return l->machine;
}

TcgContext *exec_loop_tcg(ExecLoop *l)
{
    return l->tcg;
}
