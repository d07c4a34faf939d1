/*
 * replay_last_write, replay_next_write and replay_history: who wrote to memory.
 *
 * A search may take as long as the recording took. So the machine thread searches, the main thread
 * goes on, and the answer comes later: as an event of QMP, or as the output of the command to a
 * person's monitor, which shows no prompt until then.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/history.h"
#include "monitor/qmp.h"
#include "util/keyval.h"

#define DEFAULT_LENGTH 8
#define DEFAULT_MAX 1000
/* Of values that are no numbers: bytes shown. */
#define MAX_SHOWN 32

/* ---- questions ---- */

static ExecHistory *new_history(QmpContext *ctx, const QapiXRearmReplayFindWritesArgs *args,
                                Error **errp)
{
    static const ExecHistoryKind kinds[] = {
        [QAPI_X_REARM_HISTORY_KIND_LAST] = EXEC_HISTORY_LAST,
        [QAPI_X_REARM_HISTORY_KIND_NEXT] = EXEC_HISTORY_NEXT,
        [QAPI_X_REARM_HISTORY_KIND_ALL] = EXEC_HISTORY_ALL,
    };
    int64_t length = args->has_length ? args->length : DEFAULT_LENGTH;
    int64_t max = args->has_max ? args->max : DEFAULT_MAX;
    bool physical = args->has_physical && args->physical;
    Vcpu *cpu = physical ? NULL : qmp_cpu(ctx->env, args->has_cpu_index, args->cpu_index, errp);
    ExecHistory *h;

    if (!physical && !cpu) {
        return NULL;
    }
    if (length < 1 || length > EXEC_HISTORY_MAX_LENGTH) {
        error_setg(errp, "%" PRId64 " bytes: expected 1 to %u", length, EXEC_HISTORY_MAX_LENGTH);
        return NULL;
    }
    if (max < 1 || max > 1000000) {
        error_setg(errp, "%" PRId64 " writes: expected 1 to 1000000", max);
        return NULL;
    }
    h = exec_history_new(kinds[args->kind]);
    h->cpu = cpu;
    h->addr = args->address;
    h->length = (unsigned)length;
    h->max = (unsigned)max;
    h->from = args->has_from ? args->from : 0;
    h->to = args->has_to ? args->to : UINT64_MAX;
    return h;
}

/* ---- QMP ---- */

static char *hex(const uint8_t *data, unsigned length)
{
    GString *out = g_string_new("");

    for (unsigned n = 0; n < length; n++) {
        g_string_append_printf(out, "%02x", data[n]);
    }
    return g_string_free(out, FALSE);
}

static QapiXRearmMemoryWrite *to_qapi(const ExecHistory *h, const ExecMemoryWrite *w)
{
    static const QapiXRearmWriter writers[] = {
        [EXEC_WRITER_CPU] = QAPI_X_REARM_WRITER_CPU,
        [EXEC_WRITER_DEVICE] = QAPI_X_REARM_WRITER_DEVICE,
        [EXEC_WRITER_DEBUGGER] = QAPI_X_REARM_WRITER_DEBUGGER,
    };
    QapiXRearmMemoryWrite *out = g_new0(QapiXRearmMemoryWrite, 1);

    out->position = w->position;
    out->writer = writers[w->writer];
    out->device = g_strdup(w->device);
    out->has_cpu_index = out->has_pc = w->cpu >= 0;
    out->cpu_index = w->cpu;
    out->pc = w->pc;
    out->address = h->addr + w->first;
    out->before = hex(w->before, w->length);
    out->after = hex(w->after, w->length);
    return out;
}

/* Machine thread. */
static void send_event(ExecHistory *h)
{
    QapiXRearmReplayWritesEvent event = { .full = h->full, .interrupted = h->interrupted,
                                          .searched = h->searched };
    QapiXRearmMemoryWriteList *list = NULL;
    QmpContext *ctx = h->opaque;

    for (guint n = h->writes->len; n-- > 0; ) {
        QapiXRearmMemoryWriteList *node = g_new0(QapiXRearmMemoryWriteList, 1);

        node->value = to_qapi(h, &g_array_index(h->writes, ExecMemoryWrite, n));
        node->next = list;
        list = node;
    }
    event.writes = list;
    event.error = h->err ? (char *)error_get_pretty(h->err) : NULL;
    qapi_event_x_rearm_replay_writes(monitor_events_sink(ctx->env->events), &event);
    qapi_free_XRearmMemoryWriteList(list);
    g_free(ctx);
    exec_history_free(h);
}

bool qmp_x_rearm_replay_find_writes(QmpContext *ctx, const QapiXRearmReplayFindWritesArgs *args,
                                    Error **errp)
{
    ExecHistory *h = new_history(ctx, args, errp);

    if (!h) {
        return false;
    }
    h->done = send_event;
    h->opaque = g_memdup2(ctx, sizeof(*ctx));
    exec_loop_ask_history(ctx->env->loop, h);
    return true;
}

/* ---- what people see ---- */

static void print_value(const uint8_t *data, unsigned length, GString *out)
{
    uint64_t value = 0;

    if (length == 1 || length == 2 || length == 4 || length == 8) {
        memcpy(&value, data, length);
        g_string_append_printf(out, "0x%0*" PRIx64, (int)(2 * length), GUINT64_FROM_LE(value));
        return;
    }
    for (unsigned n = 0; n < MIN(length, MAX_SHOWN); n++) {
        g_string_append_printf(out, "%s%02x", n ? " " : "", data[n]);
    }
    g_string_append(out, length > MAX_SHOWN ? " ..." : "");
}

static void print_write(const ExecHistory *h, const ExecMemoryWrite *w, GString *out)
{
    g_string_append_printf(out, "position %" PRIu64 ": ", w->position);
    if (w->writer == EXEC_WRITER_DEBUGGER) {
        g_string_append(out, "a debugger");
    } else if (w->writer == EXEC_WRITER_DEVICE) {
        g_string_append(out, w->device ? "device " : "a device");
        g_string_append(out, w->device ? w->device : "");
    }
    if (w->cpu >= 0) {
        g_string_append_printf(out, "%sCPU %d at pc 0x%" PRIx64,
                               w->writer == EXEC_WRITER_CPU ? "" : ", accessed by ", w->cpu, w->pc);
    }
    g_string_append_printf(out, ", %u byte%s at 0x%" PRIx64 ": ", w->length,
                           w->length == 1 ? "" : "s", h->addr + w->first);
    print_value(w->before, w->length, out);
    g_string_append(out, " -> ");
    print_value(w->after, w->length, out);
    g_string_append_c(out, '\n');
}

/* What is to be known about the writes that are not there. */
static void print_rest(const ExecHistory *h, GString *out)
{
    const ExecMemoryWrite *last =
        h->writes->len ? &g_array_index(h->writes, ExecMemoryWrite, h->writes->len - 1) : NULL;
    bool back = h->kind == EXEC_HISTORY_LAST;

    if (h->interrupted) {
        g_string_append_printf(out, "interrupted: what comes %s position %" PRIu64
                               " has not been searched\n", back ? "before" : "behind", h->searched);
    } else if (h->full && h->kind == EXEC_HISTORY_ALL) {
        g_string_append_printf(out, "and more: ask again from position %" PRIu64 " on\n",
                               last->position + 1);
    } else if (!last) {
        g_string_append_printf(out, "nobody wrote there %s position %" PRIu64 "\n",
                               back ? "since" : "up to", h->searched);
    }
}

/* Main thread. */
static gboolean print_answer(gpointer opaque)
{
    g_autoptr(GString) out = g_string_new("");
    ExecHistory *h = opaque;
    MonitorLater *later = h->opaque;

    if (h->err) {
        g_string_append_printf(out, "Error: %s\n", error_get_pretty(h->err));
    } else {
        for (guint n = 0; n < h->writes->len; n++) {
            print_write(h, &g_array_index(h->writes, ExecMemoryWrite, n), out);
        }
        print_rest(h, out);
    }
    exec_history_free(h);
    later->answer(later->opaque, out->str);
    g_free(later);
    return G_SOURCE_REMOVE;
}

/* Machine thread. */
static void answered(ExecHistory *h)
{
    g_idle_add(print_answer, h);
}

/* ---- what people type: "[/p] ADDR[,LEN]" and, of a history, "[FROM [TO]]" ---- */

static bool parse_memory(MonitorEnv *env, const char *text, QapiXRearmReplayFindWritesArgs *a,
                         Error **errp)
{
    const char *comma = strrchr(text, ',');
    g_autofree char *addr = comma ? g_strndup(text, (gsize)(comma - text)) : g_strdup(text);
    uint64_t length = 0;

    a->has_length = comma != NULL;
    if (comma && !monitor_eval(env, comma + 1, &length, errp)) {
        return false;
    }
    a->length = (int64_t)MIN(length, INT64_MAX);
    return monitor_eval(env, addr, &a->address, errp);
}

static bool parse_args(MonitorEnv *env, const HmpArgs *args, QapiXRearmReplayFindWritesArgs *a,
                       Error **errp)
{
    a->has_physical = a->physical = hmp_given(args, "/p");
    a->has_cpu_index = !a->physical;
    a->cpu_index = env->current_cpu;
    if (a->kind == QAPI_X_REARM_HISTORY_KIND_ALL) {
        a->has_from = hmp_given(args, "FROM");
        a->from = hmp_number(args, "FROM");
        a->has_to = hmp_given(args, "TO");
        a->to = hmp_number(args, "TO");
    }
    return parse_memory(env, hmp_text(args, "ADDR[,LEN]"), a, errp);
}

static bool ask(MonitorEnv *env, QapiXRearmHistoryKind kind, const HmpArgs *args, Error **errp)
{
    QapiXRearmReplayFindWritesArgs a = { .kind = kind };
    QmpContext ctx = { .env = env };
    const MonitorLater *later;
    ExecHistory *h;

    if (!parse_args(env, args, &a, errp)) {
        return false;
    }
    h = new_history(&ctx, &a, errp);
    if (!h) {
        return false;
    }
    later = monitor_answer_later(env, errp);
    if (!later) {
        exec_history_free(h);
        return false;
    }
    h->done = answered;
    h->opaque = g_memdup2(later, sizeof(*later));
    exec_loop_ask_history(env->loop, h);
    return true;
}

bool hmp_replay_last_write(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return ask(env, QAPI_X_REARM_HISTORY_KIND_LAST, args, errp);
}

bool hmp_replay_next_write(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return ask(env, QAPI_X_REARM_HISTORY_KIND_NEXT, args, errp);
}

bool hmp_replay_history(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return ask(env, QAPI_X_REARM_HISTORY_KIND_ALL, args, errp);
}
