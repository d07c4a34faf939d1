/*
 * Commands of QMP about the protocol, the program and the run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/json_tokener.h>
#include "monitor/qmp.h"
#include "replay/replay.h"
#include "util/log.h"

/* The QEMU whose protocol this is, as the board virt-7.2 is its board. */
#define QEMU_MAJOR 7
#define QEMU_MINOR 2
#define QEMU_MICRO 0

/* ---- protocol and program ---- */

bool qmp_query_version(QmpContext *ctx, QapiVersionInfo **ret, Error **errp)
{
    QapiVersionInfo *info = g_new0(QapiVersionInfo, 1);

    info->qemu = g_new0(QapiVersionTriple, 1);
    *info->qemu = (QapiVersionTriple){ QEMU_MAJOR, QEMU_MINOR, QEMU_MICRO };
    info->package = g_strdup_printf("Rearm %s", ctx->env->version);
    info->x_rearm = g_strdup(ctx->env->version);
    *ret = info;
    return true;
}

bool qmp_query_commands(QmpContext *ctx, QapiCommandInfoList **ret, Error **errp)
{
    for (const QapiCommand *command = qapi_commands; command->name; command++) {
        QapiCommandInfo *info = g_new0(QapiCommandInfo, 1);

        info->name = g_strdup(command->name);
        QAPI_APPEND(ret, info);
    }
    return true;
}

bool qmp_query_events(QmpContext *ctx, QapiEventInfoList **ret, Error **errp)
{
    for (const char *const *entry = qapi_introspection; *entry; entry++) {
        json_object *json = json_tokener_parse(*entry), *kind, *name;

        if (json_object_object_get_ex(json, "meta-type", &kind) &&
            json_object_object_get_ex(json, "name", &name) &&
            !strcmp(json_object_get_string(kind), "event")) {
            QapiEventInfo *info = g_new0(QapiEventInfo, 1);

            info->name = g_strdup(json_object_get_string(name));
            QAPI_APPEND(ret, info);
        }
        json_object_put(json);
    }
    return true;
}

bool qmp_query_qmp_schema(QmpContext *ctx, json_object **ret, Error **errp)
{
    *ret = json_object_new_array();
    for (const char *const *entry = qapi_introspection; *entry; entry++) {
        json_object_array_add(*ret, json_tokener_parse(*entry));
    }
    return true;
}

bool qmp_human_monitor_command(QmpContext *ctx, const QapiHumanMonitorCommandArgs *args,
                               char **ret, Error **errp)
{
    unsigned chosen = ctx->env->current_cpu;
    g_autoptr(GString) out = g_string_new("");
    g_auto(GStrv) lines = NULL;

    if (args->has_cpu_index) {
        Vcpu *cpu = qmp_cpu(ctx->env, true, args->cpu_index, errp);

        if (!cpu) {
            return false;
        }
        ctx->env->current_cpu = cpu->index;
    }
    monitor_run(ctx->env, args->command_line, out, NULL);
    if (args->has_cpu_index) {
        ctx->env->current_cpu = chosen;
    }
    /* Clients look for the ends of lines that a terminal gets. */
    lines = g_strsplit(out->str, "\n", -1);
    *ret = g_strjoinv("\r\n", lines);
    return true;
}

bool qmp_query_name(QmpContext *ctx, QapiNameInfo **ret, Error **errp)
{
    *ret = g_new0(QapiNameInfo, 1);
    (*ret)->name = g_strdup(ctx->env->name);
    return true;
}

bool qmp_query_uuid(QmpContext *ctx, QapiUuidInfo **ret, Error **errp)
{
    *ret = g_new0(QapiUuidInfo, 1);
    (*ret)->UUID = g_strdup(ctx->env->uuid ? ctx->env->uuid : "00000000-0000-0000-0000-000000000000");
    return true;
}

bool qmp_x_rearm_gdbserver(QmpContext *ctx, const QapiXRearmGdbserverArgs *args, Error **errp)
{
    if (!ctx->env->gdbserver) {
        error_setg(errp, "gdb cannot be served here");
        return false;
    }
    return ctx->env->gdbserver(ctx->env->opaque, args->device ? args->device : "tcp::1234", errp);
}

typedef struct LogCall {
    const char *items;
    Error **errp;
    bool ok;
} LogCall;

static void log_run(void *opaque)
{
    LogCall *c = opaque;

    c->ok = log_set_items(c->items, c->errp);
}

/* The machine thread looks at the mask all the time. */
bool qmp_x_rearm_log(QmpContext *ctx, const QapiXRearmLogArgs *args, Error **errp)
{
    LogCall c = { .items = args->items, .errp = errp };

    machine_run_sync(ctx->env->loop, log_run, &c);
    return c.ok;
}

/* ---- the run ---- */

bool qmp_query_status(QmpContext *ctx, QapiStatusInfo **ret, Error **errp)
{
    *ret = g_new0(QapiStatusInfo, 1);
    (*ret)->running = exec_loop_running(ctx->env->loop);
    (*ret)->status = (*ret)->running ? QAPI_RUN_STATE_RUNNING
                                     : monitor_events_stop_state(ctx->env->events);
    return true;
}

bool qmp_stop(QmpContext *ctx, Error **errp)
{
    if (monitor_incoming(ctx->env) || monitor_migrating(ctx->env)) {
        monitor_migration_run(ctx->env, false);
    } else {
        exec_loop_stop(ctx->env->loop);
    }
    return true;
}

bool qmp_cont(QmpContext *ctx, Error **errp)
{
    if (monitor_migrating(ctx->env)) {
        error_setg(errp, "Migration is not finalized yet");
        return false;
    }
    if (monitor_incoming(ctx->env)) {
        monitor_migration_run(ctx->env, true);
    } else {
        exec_loop_cont(ctx->env->loop);
    }
    return true;
}

bool qmp_quit(QmpContext *ctx, Error **errp)
{
    ctx->env->quitting = true;
    monitor_events_quit(ctx->env->events);
    exec_loop_request(ctx->env->loop, SHUTDOWN_CAUSE_HOST_QUIT);
    return true;
}

void qmp_refuse_in_replay(Error **errp)
{
    error_setg(errp, "this has no effect in a replay, where only what was recorded happens: "
               "'replay_golive [FILE]' makes the machine live from here on");
}

static bool request(QmpContext *ctx, ShutdownCause cause, Error **errp)
{
    bool done = exec_loop_request(ctx->env->loop, cause);

    if (!done) {
        qmp_refuse_in_replay(errp);
    }
    return done;
}

bool qmp_system_reset(QmpContext *ctx, Error **errp)
{
    return request(ctx, SHUTDOWN_CAUSE_HOST_RESET, errp);
}

bool qmp_system_powerdown(QmpContext *ctx, Error **errp)
{
    return request(ctx, SHUTDOWN_CAUSE_HOST_POWERDOWN, errp);
}

bool qmp_set_action(QmpContext *ctx, const QapiSetActionArgs *args, Error **errp)
{
    const ExecActions change = {
        .reboot = args->has_reboot ? args->reboot : EXEC_ACTION_KEEP,
        .shutdown = args->has_shutdown ? args->shutdown : EXEC_ACTION_KEEP,
        .panic = args->has_panic ? args->panic : EXEC_ACTION_KEEP,
        .watchdog = args->has_watchdog ? args->watchdog : EXEC_ACTION_KEEP,
    };

    if (args->has_watchdog && args->watchdog == QAPI_WATCHDOG_ACTION_INJECT_NMI) {
        return qmp_inject_nmi(ctx, errp);   /* which says why not */
    }
    if (!exec_loop_set_actions(ctx->env->loop, &change)) {
        qmp_refuse_in_replay(errp);
        return false;
    }
    return true;
}

bool qmp_watchdog_set_action(QmpContext *ctx, const QapiWatchdogSetActionArgs *args, Error **errp)
{
    return qmp_set_action(ctx, &(QapiSetActionArgs){ .has_watchdog = true, .watchdog = args->action },
                          errp);
}
