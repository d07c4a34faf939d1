/*
 * Events: from the execution loop, on whatever thread they happen, to the QMP monitors on the
 * main thread, in the order in which they happened.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/qmp.h"
#include "util/host-clock.h"

struct MonitorEvents {
    QapiEventSink sink;
    GSource *source;             /* dispatches when made ready */
    GPtrArray *monitors;         /* QmpMonitor *; main thread */

    GMutex lock;                 /* guards what follows */
    GQueue queue;                /* json_object *: whole messages */
    QapiRunState stop_state;
    QapiShutdownCause quit_cause;
};

/* ---- the queue ---- */

static json_object *timestamp(void)
{
    int64_t us = host_realtime_ns() / 1000;
    json_object *out = json_object_new_object();

    json_object_object_add(out, "seconds", json_object_new_int64(us / 1000000));
    json_object_object_add(out, "microseconds", json_object_new_int64(us % 1000000));
    return out;
}

static void events_emit(void *opaque, const char *event, json_object *data)
{
    MonitorEvents *e = opaque;
    json_object *message = json_object_new_object();

    json_object_object_add(message, "timestamp", timestamp());
    json_object_object_add(message, "event", json_object_new_string(event));
    if (data) {
        json_object_object_add(message, "data", data);
    }
    g_mutex_lock(&e->lock);
    g_queue_push_tail(&e->queue, message);
    g_mutex_unlock(&e->lock);
    g_source_set_ready_time(e->source, 0);
}

void monitor_events_flush(MonitorEvents *e)
{
    for (;;) {
        json_object *message;

        g_mutex_lock(&e->lock);
        message = g_queue_pop_head(&e->queue);
        g_mutex_unlock(&e->lock);
        if (!message) {
            return;
        }
        for (unsigned i = 0; i < e->monitors->len; i++) {
            QmpMonitor *m = g_ptr_array_index(e->monitors, i);

            if (qmp_monitor_wants_events(m)) {
                qmp_monitor_send(m, message);
            }
        }
        json_object_put(message);
    }
}

static gboolean source_dispatch(GSource *source, GSourceFunc fn, gpointer opaque)
{
    g_source_set_ready_time(source, -1);
    return fn(opaque);
}

static GSourceFuncs source_funcs = { .dispatch = source_dispatch };

static gboolean source_run(gpointer opaque)
{
    monitor_events_flush(opaque);
    return G_SOURCE_CONTINUE;
}

void monitor_events_add(MonitorEvents *e, QmpMonitor *m)
{
    g_ptr_array_add(e->monitors, m);
}

void monitor_events_remove(MonitorEvents *e, QmpMonitor *m)
{
    g_ptr_array_remove(e->monitors, m);
}

QapiEventSink *monitor_events_sink(MonitorEvents *e)
{
    return &e->sink;
}

/* ---- from the execution loop ---- */

static void events_stopped(void *opaque, ExecStopReason reason, Vcpu *cpu)
{
    static const QapiRunState states[] = {
        [EXEC_STOP_PAUSED] = QAPI_RUN_STATE_PAUSED,
        [EXEC_STOP_BREAKPOINT] = QAPI_RUN_STATE_DEBUG,
        [EXEC_STOP_WATCHPOINT] = QAPI_RUN_STATE_DEBUG,
        [EXEC_STOP_STEPPED] = QAPI_RUN_STATE_DEBUG,
        [EXEC_STOP_POSITION] = QAPI_RUN_STATE_DEBUG,
        [EXEC_STOP_SHUTDOWN] = QAPI_RUN_STATE_SHUTDOWN,
        [EXEC_STOP_REPLAY_END] = QAPI_RUN_STATE_DEBUG,
    };
    MonitorEvents *e = opaque;

    g_mutex_lock(&e->lock);
    e->stop_state = (unsigned)reason < ARRAY_SIZE(states) ? states[reason]
                                                          : QAPI_RUN_STATE_DEBUG;
    g_mutex_unlock(&e->lock);
    /* A step begins without RESUME, too. */
    if (reason != EXEC_STOP_STEPPED) {
        qapi_event_stop(&e->sink);
    }
}

static QapiShutdownCause shutdown_cause(MonitorEvents *e, ShutdownCause cause)
{
    QapiShutdownCause quit;

    switch (cause) {
    case SHUTDOWN_CAUSE_GUEST_SHUTDOWN:
        return QAPI_SHUTDOWN_CAUSE_GUEST_SHUTDOWN;
    case SHUTDOWN_CAUSE_GUEST_RESET:
        return QAPI_SHUTDOWN_CAUSE_GUEST_RESET;
    case SHUTDOWN_CAUSE_GUEST_PANIC:
        return QAPI_SHUTDOWN_CAUSE_GUEST_PANIC;
    case SHUTDOWN_CAUSE_HOST_RESET:
        return QAPI_SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET;
    default:
        g_mutex_lock(&e->lock);
        quit = e->quit_cause;
        g_mutex_unlock(&e->lock);
        return quit;
    }
}

static void events_event(void *opaque, ExecEvent event, ShutdownCause cause)
{
    MonitorEvents *e = opaque;
    QapiShutdownCause reason = shutdown_cause(e, cause);
    bool guest = cause == SHUTDOWN_CAUSE_GUEST_SHUTDOWN || cause == SHUTDOWN_CAUSE_GUEST_RESET ||
                 cause == SHUTDOWN_CAUSE_GUEST_PANIC;

    switch (event) {
    case EXEC_EVENT_RESUMED:
        qapi_event_resume(&e->sink);
        break;
    case EXEC_EVENT_RESET:
        qapi_event_reset(&e->sink, &(QapiResetEvent){ .guest = guest, .reason = reason });
        break;
    case EXEC_EVENT_POWERDOWN:
        qapi_event_powerdown(&e->sink);
        break;
    case EXEC_EVENT_SHUTDOWN:
        qapi_event_shutdown(&e->sink, &(QapiShutdownEvent){ .guest = guest, .reason = reason });
        break;
    }
}

/* ---- state ---- */

QapiRunState monitor_events_stop_state(MonitorEvents *e)
{
    QapiRunState state;

    g_mutex_lock(&e->lock);
    state = e->stop_state;
    g_mutex_unlock(&e->lock);
    return state;
}

/* Who asked first is who is told of. */
static void set_quit_cause(MonitorEvents *e, QapiShutdownCause cause)
{
    g_mutex_lock(&e->lock);
    if (e->quit_cause == QAPI_SHUTDOWN_CAUSE_HOST_UI) {
        e->quit_cause = cause;
    }
    g_mutex_unlock(&e->lock);
}

void monitor_events_quit(MonitorEvents *e)
{
    set_quit_cause(e, QAPI_SHUTDOWN_CAUSE_HOST_QMP_QUIT);
}

void monitor_events_signal(MonitorEvents *e)
{
    set_quit_cause(e, QAPI_SHUTDOWN_CAUSE_HOST_SIGNAL);
}

MonitorEvents *monitor_events_new(ExecLoop *loop)
{
    MonitorEvents *e = g_new0(MonitorEvents, 1);
    const ExecListener listener = { .stopped = events_stopped, .event = events_event,
                                    .opaque = e };

    e->sink = (QapiEventSink){ events_emit, e };
    e->monitors = g_ptr_array_new();
    e->stop_state = QAPI_RUN_STATE_PRELAUNCH;
    e->quit_cause = QAPI_SHUTDOWN_CAUSE_HOST_UI;
    g_mutex_init(&e->lock);
    g_queue_init(&e->queue);
    e->source = g_source_new(&source_funcs, sizeof(GSource));
    g_source_set_callback(e->source, source_run, e, NULL);
    g_source_attach(e->source, NULL);
    exec_loop_add_listener(loop, &listener);
    return e;
}

void monitor_events_free(MonitorEvents *e)
{
    if (!e) {
        return;
    }
    g_source_destroy(e->source);
    g_source_unref(e->source);
    monitor_events_flush(e);     /* frees what nobody is there to get */
    g_mutex_clear(&e->lock);
    g_ptr_array_unref(e->monitors);
    g_free(e);
}
