/*
 * Commands of QMP about dumps of the guest's memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <unistd.h>
#include "monitor/dump.h"
#include "monitor/qmp.h"

/* Of the last dump. */
struct MonitorDump {
    MonitorEnv *env;
    QapiDumpStatus status;
    Dump dump;
    bool kdump;              /* its format */
    FILE *file;
    guint source;            /* not 0: it has not begun */
    Error **errp;
    bool ok;
};

void monitor_dump_free(MonitorDump *d)
{
    if (d && d->source) {
        g_source_remove(d->source);
        fclose(d->file);
    }
    g_free(d);
}

static MonitorDump *dump_of(MonitorEnv *env)
{
    if (!env->dump) {
        env->dump = g_new0(MonitorDump, 1);
        env->dump->env = env;
    }
    return env->dump;
}

/* ---- one dump ---- */

static void write_run(void *opaque)
{
    MonitorDump *d = opaque;

    d->ok = d->kdump ? dump_kdump_write(&d->dump, d->file, d->errp)
                     : dump_elf_write(&d->dump, d->file, d->errp);
}

static bool write_dump(MonitorDump *d, Error **errp)
{
    d->errp = errp;
    machine_run_sync(d->env->loop, write_run, d);
    if (fclose(d->file) != 0 && d->ok) {
        error_setg_errno(errp, errno, "dump: failed to save memory");
        d->ok = false;
    }
    d->status = d->ok ? QAPI_DUMP_STATUS_COMPLETED : QAPI_DUMP_STATUS_FAILED;
    return d->ok;
}

static QapiDumpQueryResult result_of(const MonitorDump *d)
{
    return (QapiDumpQueryResult){ d->status, (int64_t)d->dump.written, (int64_t)d->dump.total };
}

static gboolean write_detached(gpointer opaque)
{
    MonitorDump *d = opaque;
    Error *err = NULL;
    QapiDumpQueryResult result;
    QapiDumpCompletedEvent event = { .result = &result };

    d->source = 0;
    if (!write_dump(d, &err)) {
        event.error = (char *)error_get_pretty(err);
    }
    result = result_of(d);
    qapi_event_dump_completed(monitor_events_sink(d->env->events), &event);
    if (err) {
        error_free(err);
    }
    return G_SOURCE_REMOVE;
}

static FILE *open_protocol(MonitorEnv *env, const char *protocol, Error **errp)
{
    int fd;

    if (g_str_has_prefix(protocol, "file:")) {
        return monitor_create_file(env, protocol + strlen("file:"), errp);
    }
    if (!g_str_has_prefix(protocol, "fd:")) {
        error_setg(errp, "Invalid parameter 'protocol': expected file:PATH or fd:NAME");
        return NULL;
    }
    fd = monitor_take_fd(env, protocol + strlen("fd:"), errp);
    return fd < 0 ? NULL : fdopen(fd, "wb");
}

static bool check_range(const QapiDumpGuestMemoryArgs *args, Error **errp)
{
    if (args->has_begin != args->has_length) {
        error_setg(errp, "Parameter '%s' is missing", args->has_begin ? "length" : "begin");
        return false;
    }
    if (args->has_begin && args->paging) {
        error_setg(errp, "Parameter 'begin' is not for a dump with paging");
        return false;
    }
    if (args->has_begin && (args->begin < 0 || args->length <= 0)) {
        error_setg(errp, "Parameter '%s' expects %s", args->begin < 0 ? "begin" : "length",
                   args->begin < 0 ? "an address" : "a positive number");
        return false;
    }
    return true;
}

static bool check_format(const QapiDumpGuestMemoryArgs *args, Error **errp)
{
    bool kdump = args->has_format && args->format != QAPI_DUMP_GUEST_MEMORY_FORMAT_ELF;

    if (kdump && (args->paging || args->has_begin)) {
        error_setg(errp, "kdump-compressed format doesn't support paging or filter");
        return false;
    }
    return true;
}

bool qmp_dump_guest_memory(QmpContext *ctx, const QapiDumpGuestMemoryArgs *args, Error **errp)
{
    MonitorDump *d = dump_of(ctx->env);

    if (d->source) {
        error_setg(errp, "There is a dump in process, please wait.");
        return false;
    }
    if (!check_range(args, errp) || !check_format(args, errp)) {
        return false;
    }
    d->file = open_protocol(ctx->env, args->protocol, errp);
    if (!d->file) {
        return false;
    }
    d->dump = (Dump){
        .machine = exec_loop_machine(ctx->env->loop), .paging = args->paging,
        .flat = args->has_format && args->format == QAPI_DUMP_GUEST_MEMORY_FORMAT_KDUMP_ZLIB,
        .begin = (uint64_t)args->begin, .length = args->has_begin ? (uint64_t)args->length : 0,
    };
    d->kdump = args->has_format && args->format != QAPI_DUMP_GUEST_MEMORY_FORMAT_ELF;
    if (args->has_detach && args->detach) {
        d->status = QAPI_DUMP_STATUS_ACTIVE;
        d->source = g_idle_add(write_detached, d);
        return true;
    }
    return write_dump(d, errp);
}

/* ---- queries ---- */

bool qmp_query_dump(QmpContext *ctx, QapiDumpQueryResult **ret, Error **errp)
{
    *ret = g_new0(QapiDumpQueryResult, 1);
    **ret = result_of(dump_of(ctx->env));
    return true;
}

bool qmp_query_dump_guest_memory_capability(QmpContext *ctx, QapiDumpGuestMemoryCapability **ret,
                                            Error **errp)
{
    QapiDumpGuestMemoryFormatList **tail;

    *ret = g_new0(QapiDumpGuestMemoryCapability, 1);
    tail = &(*ret)->formats;
    for (int format = 0; format < QAPI_DUMP_GUEST_MEMORY_FORMAT__MAX; format++) {
        QAPI_APPEND(tail, (QapiDumpGuestMemoryFormat)format);
    }
    return true;
}
