/*
 * The execution loop: shutdown, reset and powerdown, asked by the guest or from
 * outside, and the end of the run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "hw/core/hotplug.h"
#include "util/host-clock.h"

/* In a REQUEST record, in front of an ExecActions; other numbers there are a ShutdownCause. */
#define REQUEST_ACTIONS 64

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

/* ---- what devices tell of the guest ---- */

/* The machine would stand still here, until somebody lets it go on. */
static void stand(ExecLoop *l, ExecStopReason reason)
{
    if (replay_may_stop(l->replay) && !has_arrived(l)) {
        loop_tell_stopped(l, reason, exec_loop_cpu(l));
    }
}

static void press_power_button(Machine *m)
{
    if (m->powerdown) {
        m->powerdown(m->powerdown_opaque);
    }
}

static void panicked(ExecLoop *l)
{
    switch (l->actions.panic) {
    case EXEC_PANIC_PAUSE:
        stand(l, EXEC_STOP_PANICKED);
        break;
    case EXEC_PANIC_NONE:
        break;
    default:
        machine_request_shutdown(l->machine, SHUTDOWN_CAUSE_GUEST_PANIC);
        break;
    }
}

static void watchdog_expired(ExecLoop *l)
{
    switch (l->actions.watchdog) {
    case EXEC_WATCHDOG_RESET:
        machine_request_reset(l->machine, SHUTDOWN_CAUSE_GUEST_RESET);
        break;
    case EXEC_WATCHDOG_SHUTDOWN:
        press_power_button(l->machine);
        break;
    case EXEC_WATCHDOG_POWEROFF:
        machine_request_shutdown(l->machine, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        break;
    case EXEC_WATCHDOG_PAUSE:
        stand(l, EXEC_STOP_WATCHDOG);
        break;
    case EXEC_WATCHDOG_DEBUG:
        if (!l->searching) {
            error_report("the guest's watchdog has expired, at position %" PRIu64,
                         exec_loop_position(l));
        }
        break;
    }
}

static void take_report(ExecLoop *l, MachineReport report)
{
    loop_tell_report(l, report);
    switch (report) {
    case MACHINE_REPORT_PANICKED:
        panicked(l);
        break;
    case MACHINE_REPORT_SHUTDOWN:
        machine_request_shutdown(l->machine, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        break;
    case MACHINE_REPORT_WATCHDOG:
        watchdog_expired(l);
        break;
    case MACHINE_REPORT_IO_ERROR:
        stand(l, EXEC_STOP_IO_ERROR);
        break;
    default:
        break;
    }
}

static bool take_reports(ExecLoop *l)
{
    uint32_t reports = l->machine->reports;

    l->machine->reports = 0;
    for (unsigned n = 0; n < MACHINE_NUM_REPORTS; n++) {
        if (reports & 1u << n) {
            take_report(l, n);
        }
    }
    return reports != 0;
}

/* ---- requests ---- */

bool loop_take_requests(ExecLoop *l)
{
    Machine *m = l->machine;
    bool reports = take_reports(l) | hotplug_take_ejected(m, loop_tell_deleted, l);
    ShutdownCause cause = m->shutdown_request;

    if (cause == SHUTDOWN_CAUSE_NONE && m->reset_request &&
        l->actions.reboot == EXEC_REBOOT_SHUTDOWN) {
        cause = m->reset_request;
    }
    if (cause != SHUTDOWN_CAUSE_NONE) {
        m->shutdown_request = m->reset_request = SHUTDOWN_CAUSE_NONE;
        loop_tell_event(l, EXEC_EVENT_SHUTDOWN, cause);
        if (l->actions.shutdown == EXEC_SHUTDOWN_POWEROFF || cause == SHUTDOWN_CAUSE_HOST_QUIT) {
            l->result.guest_failed = cause == SHUTDOWN_CAUSE_GUEST_PANIC &&
                                     l->actions.panic == EXEC_PANIC_EXIT_FAILURE;
            finish(l, cause);
        } else {
            stand(l, EXEC_STOP_SHUTDOWN);
        }
        return true;
    }
    if (m->reset_request) {
        reset_machine(l);
        return true;
    }
    return reports;
}

/* ---- from outside ---- */

bool loop_set_actions(ExecLoop *l, const uint8_t *actions)
{
    static const uint8_t last[] = {
        EXEC_REBOOT_SHUTDOWN, EXEC_SHUTDOWN_PAUSE, EXEC_PANIC_NONE, EXEC_WATCHDOG_NONE
    };
    uint8_t *now = (uint8_t *)&l->actions;

    _Static_assert(sizeof(last) == sizeof(ExecActions), "an action without its last value");
    for (unsigned n = 0; n < ARRAY_SIZE(last); n++) {
        if (actions[n] != EXEC_ACTION_KEEP && actions[n] > last[n]) {
            return false;
        }
    }
    for (unsigned n = 0; n < ARRAY_SIZE(last); n++) {
        now[n] = actions[n] == EXEC_ACTION_KEEP ? now[n] : actions[n];
    }
    return true;
}

bool loop_deliver_request(void *opaque, const uint8_t *payload, size_t length)
{
    ExecLoop *l = opaque;

    if (length == 1 + sizeof(ExecActions) && payload[0] == REQUEST_ACTIONS) {
        return loop_set_actions(l, payload + 1);
    }
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
        press_power_button(l->machine);
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

bool exec_loop_set_actions(ExecLoop *l, const ExecActions *actions)
{
    uint8_t payload[1 + sizeof(ExecActions)] = { REQUEST_ACTIONS };
    bool posted;

    memcpy(payload + 1, actions, sizeof(*actions));
    posted = replay_post(l->request_source, payload, sizeof(payload));
    exec_loop_wake(l);
    return posted;
}
