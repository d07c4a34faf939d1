/*
 * The execution loop: shutdown, reset and powerdown, asked by the guest or from
 * outside, and the end of the run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "util/host-clock.h"

/* ---- ending ---- */

static void tell_end(ExecLoop *l)
{
    loop_tell_event(l, replay_failed(l->replay) ? EXEC_EVENT_REPLAY_DIVERGED
                                                : EXEC_EVENT_REPLAY_END, SHUTDOWN_CAUSE_NONE);
}

static void finish(ExecLoop *l, ShutdownCause cause)
{
    l->result.cause = cause;
    l->result.icount = loop_icount(l);
    if (l->config.icount && !replay_failed(l->replay)) {
        l->result.digest = exec_loop_digest(l);
        l->result.digest_valid = true;
        if (!replay_end(l->replay, cause, l->result.digest)) {
            l->result.exit_code = 1;   /* an incomplete recording; a divergence is below */
        }
    }
    if (replay_failed(l->replay)) {
        l->result.exit_code = 2;
    }
    l->over = replay_failed(l->replay) || replay_at_end(l->replay);
    l->ended = !l->over;
    if (l->over) {
        tell_end(l);
    }
}

void loop_finish_replay(ExecLoop *l)
{
    l->result.icount = loop_icount(l);
    l->result.cause = SHUTDOWN_CAUSE_NONE;
    if (replay_failed(l->replay)) {
        l->result.exit_code = 2;
    } else {
        l->result.digest = exec_loop_digest(l);
        l->result.digest_valid = true;
        l->result.exit_code = replay_check_end(l->replay, l->result.digest) ? 0 : 2;
    }
    l->over = true;
    tell_end(l);
}

/* At the end of a journey, or of a stage of it, what else stops the machine does not count. */
static bool has_arrived(ExecLoop *l)
{
    return l->travel.kind != TRAVEL_NONE && exec_loop_position(l) >= loop_next_stop(l);
}

void loop_stand_at_end(ExecLoop *l)
{
    bool watched, stopped;

    if (has_arrived(l)) {
        loop_travel_on(l);
        if (l->over) {
            loop_serve_outside(l);
        }
        return;
    }
    g_mutex_lock(&l->lock);
    watched = l->watchers || l->config.stop_at_end || l->travel.kind != TRAVEL_NONE;
    stopped = !l->run_wanted && !l->step_cpu;   /* a step led here, say, and has been told */
    g_mutex_unlock(&l->lock);
    loop_travel_ends(l);
    if (!watched) {
        l->ended = true;
        return;
    }
    if (!stopped) {
        loop_tell_stopped(l, EXEC_STOP_REPLAY_END, exec_loop_cpu(l));
    }
    loop_serve_outside(l);
}

bool exec_loop_go_live(ExecLoop *l, const char *file, Error **errp)
{
    if (l->ended) {
        error_setg(errp, "the machine has ended");
        return false;
    }
    if (l->travel.kind != TRAVEL_NONE) {
        error_setg(errp, "the machine is on its way to another place: wait until it is there, or "
                   "'stop' it");
        return false;
    }
    if (!replay_go_live(l->replay, file, errp)) {
        return false;
    }
    l->over = false;
    l->result = (ExecResult){ 0 };
    loop_start_checks(l);
    l->adapt_time = host_monotonic_ns();
    l->adapt_icount = loop_icount(l);
    l->adapt_idle = 0;
    l->config.snapshot_always = replay_is_recording(l->replay);
    if (!l->config.snapshot_always) {
        l->config.travel_memory = 0;
    }
    loop_cut_snapshots(l);
    loop_begin_keyframes(l);
    return true;
}

/* ---- reset ---- */

/* CPUs before devices: the boot loader, a device, sets where CPUs start. */
void loop_reset_state(ExecLoop *l)
{
    Machine *m = l->machine;

    for (unsigned n = 0; n < m->num_cpus; n++) {
        m->cpus[n]->ops->reset(m->cpus[n]);
    }
    machine_reset_devices(m);
    for (unsigned n = 0; n < m->num_cpus; n++) {
        vcpu_regime_changed(m->cpus[n]);
    }
    loop_sched_reset(l);
}

static void reset_machine(ExecLoop *l)
{
    ShutdownCause cause = l->machine->reset_request;

    l->machine->reset_request = SHUTDOWN_CAUSE_NONE;
    replay_checkpoint(l->replay, CHECKPOINT_RESET_REQUESTED);
    loop_reset_state(l);
    replay_checkpoint(l->replay, CHECKPOINT_RESET);
    loop_tell_event(l, EXEC_EVENT_RESET, cause);
}

/* ---- requests ---- */

bool loop_take_requests(ExecLoop *l)
{
    Machine *m = l->machine;
    ShutdownCause cause = m->shutdown_request;

    if (cause == SHUTDOWN_CAUSE_NONE && m->reset_request && l->config.no_reboot) {
        cause = m->reset_request;
    }
    if (cause != SHUTDOWN_CAUSE_NONE) {
        m->shutdown_request = m->reset_request = SHUTDOWN_CAUSE_NONE;
        loop_tell_event(l, EXEC_EVENT_SHUTDOWN, cause);
        if (!l->config.no_shutdown || cause == SHUTDOWN_CAUSE_HOST_QUIT) {
            finish(l, cause);
        } else if (replay_may_stop(l->replay) && !has_arrived(l)) {
            loop_tell_stopped(l, EXEC_STOP_SHUTDOWN, exec_loop_cpu(l));
        }
        return true;
    }
    if (m->reset_request) {
        reset_machine(l);
        return true;
    }
    return false;
}

bool loop_deliver_request(void *opaque, const uint8_t *payload, size_t length)
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
        loop_tell_event(l, EXEC_EVENT_POWERDOWN, SHUTDOWN_CAUSE_NONE);
        return true;
    default:
        return false;
    }
}

bool exec_loop_request(ExecLoop *l, ShutdownCause cause)
{
    uint8_t payload = cause;
    bool posted = replay_post(l->request_source, &payload, sizeof(payload));

    if (cause == SHUTDOWN_CAUSE_HOST_QUIT) {
        /* What will not be delivered is done without. */
        g_mutex_lock(&l->lock);
        l->quit_wanted = l->interrupted = true;
        l->abandon = !posted;
        g_mutex_unlock(&l->lock);
    }
    exec_loop_wake(l);
    return posted || cause == SHUTDOWN_CAUSE_HOST_QUIT;
}
