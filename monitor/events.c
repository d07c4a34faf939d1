/*
 * Events: from the execution loop, on whatever thread they happen, to the QMP monitors on the
 * main thread, in the order in which they happened.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/qmp.h"
#include "monitor/qom-tree.h"
#include "replay/replay.h"
#include "util/host-clock.h"
#include "util/trace.h"

/* Events of which there are at most so many: others in between give way to the last of them. */
typedef struct Limit {
    const char *event;
    unsigned ms;                 /* from one to the next */
    guint timer;                 /* not 0: one was sent since, ... */
    json_object *held;           /* ... and this one has to wait; or NULL */
    MonitorEvents *events;
} Limit;

static const Limit limits[] = {
    { .event = "RTC_CHANGE", .ms = 1000 }, { .event = "BALLOON_CHANGE", .ms = 1000 },
};

struct MonitorEvents {
    QapiEventSink sink;
    ExecLoop *loop;
    Limit limit[ARRAY_SIZE(limits)];   /* main thread */
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

    trace_qmp_event(event);
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

static void send(MonitorEvents *e, json_object *message)
{
    for (unsigned i = 0; i < e->monitors->len; i++) {
        QmpMonitor *m = g_ptr_array_index(e->monitors, i);

        if (qmp_monitor_wants_events(m)) {
            qmp_monitor_send(m, message);
        }
    }
    json_object_put(message);
}

static gboolean limit_over(gpointer opaque)
{
    Limit *limit = opaque;
    json_object *held = g_steal_pointer(&limit->held);

    if (!held) {
        limit->timer = 0;
        return G_SOURCE_REMOVE;
    }
    send(limit->events, held);
    return G_SOURCE_CONTINUE;
}

/* The event's limit; NULL: it has none. */
static Limit *find_limit(MonitorEvents *e, json_object *message)
{
    json_object *name;

    json_object_object_get_ex(message, "event", &name);
    for (unsigned i = 0; i < ARRAY_SIZE(e->limit); i++) {
        if (!strcmp(e->limit[i].event, json_object_get_string(name))) {
            return &e->limit[i];
        }
    }
    return NULL;
}

/* Takes the message. */
static void send_or_hold(MonitorEvents *e, json_object *message)
{
    Limit *limit = find_limit(e, message);

    if (limit && limit->timer) {
        json_object_put(limit->held);
        limit->held = message;
        return;
    }
    if (limit) {
        limit->timer = g_timeout_add(limit->ms, limit_over, limit);
    }
    send(e, message);
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
        send_or_hold(e, message);
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

/* Machine thread. */
static bool is_break(ExecLoop *loop, uint64_t position)
{
    const GArray *breaks = exec_loop_breaks(loop);

    for (guint n = 0; n < breaks->len; n++) {
        if (g_array_index(breaks, uint64_t, n) == position) {
            return true;
        }
    }
    return false;
}

static void events_stopped(void *opaque, ExecStopReason reason, Vcpu *cpu)
{
    static const QapiRunState states[] = {
        [EXEC_STOP_PAUSED] = QAPI_RUN_STATE_PAUSED,
        [EXEC_STOP_BREAKPOINT] = QAPI_RUN_STATE_DEBUG,
        [EXEC_STOP_WATCHPOINT] = QAPI_RUN_STATE_DEBUG,
        [EXEC_STOP_STEPPED] = QAPI_RUN_STATE_DEBUG,
        [EXEC_STOP_POSITION] = QAPI_RUN_STATE_DEBUG,
        [EXEC_STOP_SHUTDOWN] = QAPI_RUN_STATE_SHUTDOWN,
        [EXEC_STOP_PANICKED] = QAPI_RUN_STATE_GUEST_PANICKED,
        [EXEC_STOP_WATCHDOG] = QAPI_RUN_STATE_WATCHDOG,
        [EXEC_STOP_IO_ERROR] = QAPI_RUN_STATE_IO_ERROR,
        [EXEC_STOP_REPLAY_END] = QAPI_RUN_STATE_DEBUG,
    };
    MonitorEvents *e = opaque;

    g_mutex_lock(&e->lock);
    e->stop_state = (unsigned)reason < ARRAY_SIZE(states) ? states[reason]
                                                          : QAPI_RUN_STATE_DEBUG;
    g_mutex_unlock(&e->lock);
    if (reason == EXEC_STOP_POSITION && is_break(e->loop, exec_loop_position(e->loop))) {
        QapiReplayBreakReachedEvent event = { exec_loop_position(e->loop) };

        qapi_event_replay_break_reached(&e->sink, &event);
    }
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

/* A diverging run may have bytes of the guest in its report. */
static void tell_diverged(MonitorEvents *e)
{
    const char *report = replay_report(exec_loop_machine(e->loop)->replay);
    g_autofree char *text = g_utf8_make_valid(report ? report : "", -1);

    qapi_event_replay_diverged(&e->sink, &(QapiReplayDivergedEvent){
        exec_loop_position(e->loop), text });
}

static void tell_rtc(MonitorEvents *e, const char *id, int64_t offset)
{
    const Device *dev = machine_find_device(exec_loop_machine(e->loop), id);
    g_autofree char *path = dev ? qom_device_path(dev) : g_strdup(id);

    qapi_event_rtc_change(&e->sink, &(QapiRtcChangeEvent){ offset, path });
}

static void events_deleted(void *opaque, const Device *dev)
{
    MonitorEvents *e = opaque;
    g_autofree char *path = qom_device_path(dev);

    qapi_event_device_deleted(&e->sink, &(QapiDeviceDeletedEvent){ .device = dev->id, .path = path });
}

static void events_notice(void *opaque, MachineNotice what, const char *id, int64_t value)
{
    MonitorEvents *e = opaque;

    switch (what) {
    case MACHINE_NOTICE_RTC:
        tell_rtc(e, id, value);
        break;
    case MACHINE_NOTICE_PORT:
        qapi_event_vserport_change(&e->sink, &(QapiVserportChangeEvent){
            .id = (char *)id, .open = value != 0 });
        break;
    case MACHINE_NOTICE_BALLOON:
        qapi_event_balloon_change(&e->sink, &(QapiBalloonChangeEvent){ value });
        break;
    }
}

/* The words of both sides are in the same order. */
#define SAME_ORDER(exec, qapi) _Static_assert((int)EXEC_##exec == (int)QAPI_##qapi, #exec)
SAME_ORDER(REBOOT_SHUTDOWN, REBOOT_ACTION_SHUTDOWN);
SAME_ORDER(SHUTDOWN_PAUSE, SHUTDOWN_ACTION_PAUSE);
SAME_ORDER(PANIC_NONE, PANIC_ACTION_NONE);
SAME_ORDER(WATCHDOG_NONE, WATCHDOG_ACTION_NONE);

static QapiGuestPanicAction panic_action(uint8_t action)
{
    return action == EXEC_PANIC_PAUSE ? QAPI_GUEST_PANIC_ACTION_PAUSE
         : action == EXEC_PANIC_NONE ? QAPI_GUEST_PANIC_ACTION_RUN
                                     : QAPI_GUEST_PANIC_ACTION_POWEROFF;
}

static void events_report(void *opaque, MachineReport report, const ExecActions *actions)
{
    MonitorEvents *e = opaque;

    switch (report) {
    case MACHINE_REPORT_PANICKED:
        qapi_event_guest_panicked(&e->sink, &(QapiGuestPanickedEvent){
            panic_action(actions->panic) });
        break;
    case MACHINE_REPORT_CRASHLOADED:
        qapi_event_guest_crashloaded(&e->sink, &(QapiGuestCrashloadedEvent){
            QAPI_GUEST_PANIC_ACTION_RUN });
        break;
    case MACHINE_REPORT_SHUTDOWN:
        qapi_event_guest_pvshutdown(&e->sink);
        break;
    case MACHINE_REPORT_WATCHDOG:
        qapi_event_watchdog(&e->sink, &(QapiWatchdogEvent){
            (QapiWatchdogAction)actions->watchdog });
        break;
    case MACHINE_REPORT_IO_ERROR:    /* events_disk_error() has said more */
    case MACHINE_NUM_REPORTS:
        break;
    }
}

#define SAME_VALUE(machine, qapi) _Static_assert((int)(machine) == (int)QAPI_##qapi, #machine)
SAME_VALUE(MACHINE_DISK_REPORT, BLOCK_ERROR_ACTION_REPORT);
SAME_VALUE(MACHINE_DISK_IGNORE, BLOCK_ERROR_ACTION_IGNORE);
SAME_VALUE(MACHINE_DISK_STOP, BLOCK_ERROR_ACTION_STOP);

static void events_disk_error(void *opaque, const MachineDiskError *error)
{
    MonitorEvents *e = opaque;
    const Device *dev = machine_find_device(exec_loop_machine(e->loop), error->device);
    g_autofree char *path = dev ? qom_device_path(dev) : g_strdup(error->device);

    qapi_event_block_io_error(&e->sink, &(QapiBlockIoErrorEvent){
        .qom_path = path, .device = (char *)error->drive, .node_name = (char *)error->drive,
        .operation = error->writing ? QAPI_IO_OPERATION_TYPE_WRITE : QAPI_IO_OPERATION_TYPE_READ,
        .action = (QapiBlockErrorAction)error->action, .has_nospace = true, .nospace = error->no_space,
        .reason = (char *)error->reason });
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
    case EXEC_EVENT_REPLAY_END:
        qapi_event_replay_end_reached(&e->sink, &(QapiReplayEndReachedEvent){
            exec_loop_position(e->loop) });
        break;
    case EXEC_EVENT_REPLAY_DIVERGED:
        tell_diverged(e);
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

void monitor_events_set_stop_state(MonitorEvents *e, QapiRunState state)
{
    g_mutex_lock(&e->lock);
    e->stop_state = state;
    g_mutex_unlock(&e->lock);
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
                                    .notice = events_notice, .report = events_report,
                                    .deleted = events_deleted, .disk_error = events_disk_error, .opaque = e };

    e->sink = (QapiEventSink){ events_emit, e };
    e->loop = loop;
    memcpy(e->limit, limits, sizeof(limits));
    for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
        e->limit[i].events = e;
    }
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
    for (unsigned i = 0; i < ARRAY_SIZE(e->limit); i++) {
        json_object_put(e->limit[i].held);
        if (e->limit[i].timer) {
            g_source_remove(e->limit[i].timer);
        }
    }
    g_mutex_clear(&e->lock);
    g_ptr_array_unref(e->monitors);
    g_free(e);
}
