/*
 * The execution loop: what other threads ask of the machine thread. Closures,
 * pause and continue, steps, and telling listeners that the VM stopped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "util/trace.h"

/* ---- the machine thread ---- */

/* What is at this place does not stop who goes on from here. */
static void pass_here(ExecLoop *l)
{
    l->passed = exec_loop_position(l);
    if (exec_loop_cpu(l)) {
        exec_loop_cpu(l)->skip_breakpoint = true;
    }
}

void loop_tell_stopped(ExecLoop *l, ExecStopReason reason, Vcpu *cpu)
{
    if (l->searching) {
        return;
    }
    /* Now: who is told may go on before this thread gets to wait. */
    pass_here(l);
    trace_exec_stopped(reason, exec_loop_position(l));
    g_mutex_lock(&l->lock);
    l->run_wanted = false;
    l->stood = true;
    l->step_cpu = NULL;
    l->stop_at = l->stopping_at = UINT64_MAX;
    g_mutex_unlock(&l->lock);
    for (unsigned n = 0; n < l->listeners->len; n++) {
        const ExecListener *listener = &g_array_index(l->listeners, ExecListener, n);

        listener->stopped(listener->opaque, reason, cpu);
    }
}

/* To go on is told on whatever thread, and true during a search, too. */
void loop_tell_event(ExecLoop *l, ExecEvent event, ShutdownCause cause)
{
    if (event != EXEC_EVENT_RESUMED && l->searching) {
        return;
    }
    for (unsigned n = 0; n < l->listeners->len; n++) {
        const ExecListener *listener = &g_array_index(l->listeners, ExecListener, n);

        if (listener->event) {
            listener->event(listener->opaque, event, cause);
        }
    }
}

void loop_tell_notice(void *opaque, MachineNotice what, const char *id, int64_t value)
{
    ExecLoop *l = opaque;

    for (unsigned n = 0; !l->searching && n < l->listeners->len; n++) {
        const ExecListener *listener = &g_array_index(l->listeners, ExecListener, n);

        if (listener->notice) {
            listener->notice(listener->opaque, what, id, value);
        }
    }
}

void loop_tell_deleted(void *opaque, const Device *dev)
{
    ExecLoop *l = opaque;

    for (unsigned n = 0; !l->searching && n < l->listeners->len; n++) {
        const ExecListener *listener = &g_array_index(l->listeners, ExecListener, n);

        if (listener->deleted) {
            listener->deleted(listener->opaque, dev);
        }
    }
}

void loop_tell_disk_error(void *opaque, const MachineDiskError *error)
{
    ExecLoop *l = opaque;

    for (unsigned n = 0; !l->searching && n < l->listeners->len; n++) {
        const ExecListener *listener = &g_array_index(l->listeners, ExecListener, n);

        if (listener->disk_error) {
            listener->disk_error(listener->opaque, error);
        }
    }
}

void loop_tell_report(ExecLoop *l, MachineReport report)
{
    for (unsigned n = 0; !l->searching && n < l->listeners->len; n++) {
        const ExecListener *listener = &g_array_index(l->listeners, ExecListener, n);

        if (listener->report) {
            listener->report(listener->opaque, report, &l->actions);
        }
    }
}

bool loop_run_closures(ExecLoop *l)
{
    bool any = false;

    g_mutex_lock(&l->lock);
    while (l->closures) {
        ExecClosure *c = l->closures->data;

        l->closures = g_list_delete_link(l->closures, l->closures);
        l->interrupted = l->closures || l->stopping_threads || l->quit_wanted;
        l->in_closure = true;
        g_mutex_unlock(&l->lock);
        c->fn(c->opaque);
        g_mutex_lock(&l->lock);
        l->in_closure = false;
        c->done = true;
        any = true;
        if (c->posted) {
            g_free(c);
        }
        g_cond_broadcast(&l->state);
    }
    g_mutex_unlock(&l->lock);
    return any;
}

/* A replay is left. Before its end there is nothing to compare. */
static void abandon(ExecLoop *l)
{
    if (!l->over) {
        loop_tell_event(l, EXEC_EVENT_SHUTDOWN, SHUTDOWN_CAUSE_HOST_QUIT);
        l->result.cause = SHUTDOWN_CAUSE_HOST_QUIT;
        l->result.icount = loop_icount(l);
    }
    l->ended = true;
}

bool loop_serve_outside(ExecLoop *l)
{
    bool was_running = true, visited = false;

    for (;;) {
        visited |= loop_run_closures(l);
        g_mutex_lock(&l->lock);
        if (l->run_wanted || l->step_cpu || l->quit_wanted) {
            break;
        }
        if (was_running) {
            was_running = false;
            loop_time_paused(l);
            pass_here(l);   /* a journey that was ended has passed them, too */
        }
        /* Also a journey that a closure has just begun, and that was stopped before it went on. */
        l->travel.kind = TRAVEL_NONE;
        l->paused = true;
        g_cond_broadcast(&l->state);
        if (!l->closures) {
            g_cond_wait(&l->wake, &l->lock);
        }
        g_mutex_unlock(&l->lock);
    }
    if (!was_running) {
        loop_time_resumed(l);
        visited = true;
    }
    l->paused = false;
    l->stepping = l->step_cpu;
    l->stopping_at = l->stop_at;
    if (l->abandon) {
        abandon(l);
    }
    g_mutex_unlock(&l->lock);
    /* Who was told of a stop may have let it go on before it stood still here. */
    if (!was_running || l->stood) {
        l->stood = false;
        machine_resumed(l->machine);
    }
    return visited;
}

bool loop_stop_here(ExecLoop *l)
{
    uint64_t position = exec_loop_position(l);
    bool here = position >= loop_next_stop(l);

    if (l->travel.kind != TRAVEL_NONE) {
        return here && loop_travel_on(l);
    }
    l->passed = position;
    if (here) {
        loop_tell_stopped(l, EXEC_STOP_POSITION, exec_loop_cpu(l));
    }
    return here;
}

void loop_take_step(ExecLoop *l)
{
    bool stopped = loop_run_slice(l, 1);

    loop_run_check(l);
    if (!stopped) {
        loop_tell_stopped(l, EXEC_STOP_STEPPED, exec_loop_cpu(l));
    }
}

/* ---- other threads ---- */

void exec_loop_wake(void *opaque)
{
    ExecLoop *l = opaque;

    g_mutex_lock(&l->lock);
    l->woken = true;
    g_cond_broadcast(&l->wake);
    g_mutex_unlock(&l->lock);
}

void loop_post_closure(ExecLoop *l, void (*fn)(void *opaque), void *opaque)
{
    ExecClosure *c = g_new0(ExecClosure, 1);
    bool late;

    c->fn = fn;
    c->opaque = opaque;
    c->posted = true;
    g_mutex_lock(&l->lock);
    late = l->thread_done;
    if (!late) {
        l->closures = g_list_append(l->closures, c);
        l->interrupted = true;
        g_cond_broadcast(&l->wake);
    }
    g_mutex_unlock(&l->lock);
    if (late) {
        g_free(c);
        fn(opaque);
    }
}

void machine_run_sync(ExecLoop *l, void (*fn)(void *opaque), void *opaque)
{
    ExecClosure c = { .fn = fn, .opaque = opaque };

    if (g_thread_self() == l->thread) {
        fn(opaque);
        return;
    }
    g_mutex_lock(&l->lock);
    if (!l->thread_done) {
        l->closures = g_list_append(l->closures, &c);
        l->interrupted = true;
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
    Vcpu *cpu;
    bool told;

    g_mutex_lock(&l->lock);
    told = l->run_wanted || l->step_cpu;
    l->run_wanted = false;
    l->step_cpu = NULL;
    l->interrupted = true;
    g_cond_broadcast(&l->wake);
    l->stopping_threads++;
    /* A closure that waits to be run may move a paused machine as well as one that runs. */
    while ((!l->paused || l->in_closure || l->closures) && !l->thread_done) {
        g_cond_wait(&l->state, &l->lock);
    }
    l->stopping_threads--;
    cpu = exec_loop_cpu(l);
    g_mutex_unlock(&l->lock);
    for (unsigned n = 0; told && n < l->listeners->len; n++) {
        const ExecListener *listener = &g_array_index(l->listeners, ExecListener, n);

        listener->stopped(listener->opaque, EXEC_STOP_PAUSED, cpu);
    }
}

void exec_loop_cont(ExecLoop *l)
{
    g_mutex_lock(&l->lock);
    if (!l->run_wanted) {
        /* Before it can stop again. */
        loop_tell_event(l, EXEC_EVENT_RESUMED, SHUTDOWN_CAUSE_NONE);
    }
    l->run_wanted = true;
    g_cond_broadcast(&l->wake);
    g_mutex_unlock(&l->lock);
}

static void plan_snapshots(void *opaque)
{
    loop_plan_snapshots(opaque);
}

void exec_loop_watch(ExecLoop *l, bool watch)
{
    g_mutex_lock(&l->lock);
    assert(watch || l->watchers);
    l->watchers += watch ? 1 : -1;
    g_mutex_unlock(&l->lock);
    machine_run_sync(l, plan_snapshots, l);
}

bool exec_loop_running(ExecLoop *l)
{
    bool running;

    g_mutex_lock(&l->lock);
    running = l->run_wanted;
    g_mutex_unlock(&l->lock);
    return running;
}

void exec_loop_run_until(ExecLoop *l, uint64_t position)
{
    g_mutex_lock(&l->lock);
    l->stop_at = position;
    g_mutex_unlock(&l->lock);
    exec_loop_cont(l);
}

void exec_loop_step(ExecLoop *l, Vcpu *cpu)
{
    g_mutex_lock(&l->lock);
    l->step_cpu = cpu;
    g_cond_broadcast(&l->wake);
    g_mutex_unlock(&l->lock);
}
