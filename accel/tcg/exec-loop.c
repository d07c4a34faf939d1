/*
 * The execution loop: the machine thread.
 *
 * 1. One turn of the loop: settle the boundary between two instructions, that is due
 *    timers, the replay safe point and requests (exec-requests.c); then serve other threads,
 *    that is closures and pauses (exec-control.c); then run one slice of one vCPU
 *    (exec-sched.c) and its check (exec-check.c), or idle time (exec-time.c).
 * 2. position = instructions executed + idle warps. All that replay needs to be the same
 *    is a function of the position.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "util/host-clock.h"

/* ---- position ---- */

uint64_t loop_icount(ExecLoop *l)
{
    return clock_icount(l->machine->clock);
}

static uint64_t host_icount(void *opaque)
{
    return loop_icount(opaque);
}

uint64_t exec_loop_position(ExecLoop *l)
{
    return loop_icount(l) + l->warps;
}

static uint64_t host_position(void *opaque)
{
    ExecLoop *l = opaque;

    return l->scrambled ? l->scrambled_at : exec_loop_position(l);
}

static uint64_t host_digest(void *opaque)
{
    return exec_loop_digest(opaque);
}

static uint64_t host_pages(void *opaque)
{
    return memory_snapshot_pages(((ExecLoop *)opaque)->machine->memory);
}

static uint64_t host_pc(void *opaque)
{
    const Vcpu *cpu = exec_loop_cpu(opaque);

    return cpu ? cpu->pc : 0;
}

static void host_describe_cpu(void *opaque, GString *out)
{
    Vcpu *cpu = exec_loop_cpu(opaque);

    if (cpu) {
        cpu->ops->dump(cpu, out);
    }
}

Vcpu *exec_loop_cpu(ExecLoop *l)
{
    return l->machine->num_cpus ? l->machine->cpus[l->sched.cpu] : NULL;
}

/* ---- the thread ---- */

/* Due timers and input. */
static void safe_point(ExecLoop *l)
{
    VirtualClock *clock = l->machine->clock;

    if (l->config.shift_auto) {
        loop_adapt_shift(l);
    }
    for (;;) {
        clock_run_timers(clock);
        if (machine_has_request(l->machine) || replay_failed(l->replay) ||
            !replay_safe_point(l->replay)) {
            return;
        }
    }
}

bool loop_settle(ExecLoop *l)
{
    safe_point(l);
    if (replay_failed(l->replay)) {
        loop_finish_replay(l);
        return false;
    }
    return !loop_take_requests(l);
}

void loop_execute(ExecLoop *l)
{
    Vcpu *cpu;

    if (replay_at_end(l->replay)) {
        loop_finish_replay(l);
    } else if ((cpu = loop_choose_cpu(l)) == NULL) {
        loop_idle(l);
    } else if (l->stepping == cpu) {
        loop_take_step(l);
    } else {
        loop_run_slice(l, loop_slice_length(l));
        loop_run_check(l);
    }
}

/*
 * One turn; see the head of the file. Other threads find a settled boundary: what they
 * change comes behind what happens here by itself, in a recording and its replay alike.
 */
static void turn(ExecLoop *l)
{
    if (l->over) {
        loop_stand_at_end(l);
        return;
    }
    if (!loop_settle(l)) {
        return;
    }
    loop_take_snapshots(l);
    loop_take_keyframe(l);
    if (loop_serve_outside(l) && (l->ended || !loop_settle(l))) {
        return;
    }
    if (loop_stop_here(l)) {
        return;
    }
    loop_state_chaos(l);
    loop_execute(l);
}

static gpointer loop_thread(gpointer opaque)
{
    ExecLoop *l = opaque;

    /* Power-on first: input that is there already must not be lost in it. */
    loop_reset_state(l);
    loop_start_keyframes(l);
    replay_checkpoint(l->replay, CHECKPOINT_INIT);
    l->adapt_time = host_monotonic_ns();
    if (l->config.start_paused) {
        clock_pause(l->machine->clock);
    }
    /* Before anything comes in: what does at the first position can be gone back over, too. */
    loop_take_snapshots(l);
    while (!l->ended) {
        turn(l);
    }
    g_mutex_lock(&l->lock);
    l->thread_done = true;
    g_cond_broadcast(&l->state);
    g_mutex_unlock(&l->lock);
    loop_run_closures(l);
    l->ended_fn(l->ended_opaque);
    return NULL;
}

/* ---- life cycle ---- */

ExecLoop *exec_loop_new(Machine *m, TcgContext *tcg, const ExecConfig *config)
{
    ExecLoop *l = g_new0(ExecLoop, 1);
    const ReplayHost host = { host_position, host_icount, host_pc, host_describe_cpu,
                              loop_describe_digest, l, host_digest, host_pages };

    l->machine = m;
    m->notice = loop_tell_notice;
    m->notice_opaque = l;
    m->disk_error = loop_tell_disk_error;
    m->disk_error_opaque = l;
    l->tcg = tcg;
    l->replay = m->replay;
    l->config = *config;
    l->actions = config->actions;
    l->run_wanted = !config->start_paused;
    l->stop_at = l->stopping_at = UINT64_MAX;
    l->breaks = g_array_new(false, false, sizeof(uint64_t));
    loop_init_snapshots(l);
    l->chaos = config->state_chaos;
    l->digest = digest_new();
    l->details = g_byte_array_new();
    l->listeners = g_array_new(false, false, sizeof(ExecListener));
    g_mutex_init(&l->lock);
    g_cond_init(&l->wake);
    g_cond_init(&l->state);
    if (config->icount) {
        clock_use_icount(m->clock, config->shift);
    }
    clock_set_slice(m->clock, 0, &l->zero);
    l->request_source = replay_source_new(l->replay, REPLAY_KIND_REQUEST, "machine",
                                          loop_deliver_request, l);
    l->shift_source = replay_source_new(l->replay, REPLAY_KIND_SHIFT, "clock",
                                        loop_deliver_shift, l);
    l->write_source = replay_source_new(l->replay, REPLAY_KIND_MONITOR, "debugger",
                                        loop_deliver_write, l);
    replay_set_host(l->replay, &host);
    replay_set_wakeup(l->replay, exec_loop_wake, l);
    return l;
}

void exec_loop_free(ExecLoop *l)
{
    error_free(l->write_error);
    digest_free(l->digest);
    g_byte_array_unref(l->details);
    g_array_unref(l->breaks);
    loop_free_snapshots(l);
    loop_free_keyframes(l);
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
    l->ended_fn = ended;
    l->ended_opaque = opaque;
    loop_start_checks(l);
    l->thread = g_thread_new("machine", loop_thread, l);
}

ExecResult exec_loop_join(ExecLoop *l)
{
    g_thread_join(l->thread);
    return l->result;
}

Machine *exec_loop_machine(ExecLoop *l)
{
    return l->machine;
}

TcgContext *exec_loop_tcg(ExecLoop *l)
{
    return l->tcg;
}
