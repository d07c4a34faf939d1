/*
 * Commands of both monitors about trace events.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"
#include "util/trace.h"

/* A name has to be there; of a pattern nobody knows what it will fit. */
static bool check_name(const char *name, bool has_vcpu, Error **errp)
{
    bool found = strpbrk(name, "*?") != NULL;

    if (has_vcpu) {
        error_setg(errp, "Parameter 'vcpu' is not for these events: none is of a single CPU");
        return false;
    }
    for (unsigned n = 0; n < TRACE_NUM_EVENTS && !found; n++) {
        found = trace_matches(n, name);
    }
    if (!found) {
        error_setg(errp, "unknown event \"%s\"", name);
    }
    return found;
}

bool qmp_trace_event_get_state(QmpContext *ctx, const QapiTraceEventGetStateArgs *args,
                               QapiTraceEventInfoList **ret, Error **errp)
{
    if (!check_name(args->name, args->has_vcpu, errp)) {
        return false;
    }
    for (unsigned n = 0; n < TRACE_NUM_EVENTS; n++) {
        if (trace_matches(n, args->name)) {
            QapiTraceEventInfo *info = g_new0(QapiTraceEventInfo, 1);

            info->name = g_strdup(trace_name(n));
            info->state = trace_is_on(n) ? QAPI_TRACE_EVENT_STATE_ENABLED
                                         : QAPI_TRACE_EVENT_STATE_DISABLED;
            QAPI_APPEND(ret, info);
        }
    }
    return true;
}

bool qmp_trace_event_set_state(QmpContext *ctx, const QapiTraceEventSetStateArgs *args, Error **errp)
{
    if (!check_name(args->name, args->has_vcpu, errp)) {
        return false;
    }
    for (unsigned n = 0; n < TRACE_NUM_EVENTS; n++) {
        if (trace_matches(n, args->name)) {
            trace_set(n, args->enable);
        }
    }
    return true;
}

/* ---- the human monitor ---- */

bool hmp_trace_event(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiTraceEventSetStateArgs a = { .name = hmp_text(args, "NAME"),
                                     .enable = !strcmp(hmp_text(args, "on|off"), "on") };

    return qmp_trace_event_set_state(&(QmpContext){ .env = env }, &a, errp);
}

bool hmp_info_trace_events(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiTraceEventGetStateArgs a = { hmp_given(args, "NAME") ? hmp_text(args, "NAME") : (char *)"*" };
    g_autoptr(QapiTraceEventInfoList) list = NULL;

    if (!qmp_trace_event_get_state(&(QmpContext){ .env = env }, &a, &list, errp)) {
        return false;
    }
    for (const QapiTraceEventInfoList *l = list; l; l = l->next) {
        g_string_append_printf(out, "%s : state %d\n", l->value->name,
                               l->value->state == QAPI_TRACE_EVENT_STATE_ENABLED);
    }
    return true;
}
