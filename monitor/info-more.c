/*
 * "info" about what is beside the machine, and what there is not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"
#include "monitor/qom-tree.h"
#include "monitor/readline.h"

bool hmp_info_uuid(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiUuidInfo) info = NULL;

    if (!qmp_query_uuid(&(QmpContext){ .env = env }, &info, errp)) {
        return false;
    }
    g_string_append_printf(out, "%s\n", info->UUID);
    return true;
}

bool hmp_info_kvm(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiKvmInfo) info = NULL;

    if (!qmp_query_kvm(&(QmpContext){ .env = env }, &info, errp)) {
        return false;
    }
    g_string_append_printf(out, "kvm support: %s\n", !info->present ? "not compiled" :
                           info->enabled ? "enabled" : "disabled");
    return true;
}

bool hmp_info_balloon(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiBalloonInfo) info = NULL;

    if (!qmp_query_balloon(&(QmpContext){ .env = env }, &info, errp)) {
        return false;
    }
    g_string_append_printf(out, "balloon: actual=%" PRId64 "\n", info->actual >> 20);
    return true;
}

bool hmp_info_dump(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiDumpQueryResult) result = NULL;

    if (!qmp_query_dump(&(QmpContext){ .env = env }, &result, errp)) {
        return false;
    }
    g_string_append_printf(out, "Status: %s\n", qapi_type_DumpStatus.values[result->status]);
    if (result->total) {
        g_string_append_printf(out, "Finished: %.2f %%\n",
                               100.0 * (double)result->completed / (double)result->total);
    }
    return true;
}

bool hmp_info_iothreads(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiIOThreadInfoList) list = NULL;

    if (!qmp_query_iothreads(&(QmpContext){ .env = env }, &list, errp)) {
        return false;
    }
    for (const QapiIOThreadInfoList *node = list; node; node = node->next) {
        g_string_append_printf(out, "%s:\n  thread_id=%" PRId64 "\n", node->value->id,
                               node->value->thread_id);
    }
    if (!list) {
        g_string_append(out, "There is no I/O thread: devices are the machine thread's.\n");
    }
    return true;
}

/* ---- disks ---- */

bool hmp_info_block(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiBlockInfoList) list = NULL;

    if (!qmp_query_block(&(QmpContext){ .env = env }, &list, errp)) {
        return false;
    }
    for (const QapiBlockInfoList *node = list; node; node = node->next) {
        const QapiBlockInfo *info = node->value;

        g_string_append_printf(out, "%s: %s (%s%s)\n    Size:             %" PRId64 " bytes\n", *info->device ? info->device : info->inserted->node_name,
                               info->inserted->file, info->inserted->drv,
                               info->inserted->ro ? ", read-only" : "", info->inserted->image->virtual_size);
        if (info->qdev) {
            g_string_append_printf(out, "    Attached to:      %s\n", info->qdev);
        }
        if (info->inserted->backing_file) {
            g_string_append_printf(out, "    Backing file:     %s\n", info->inserted->backing_file);
        }
    }
    if (!list) {
        g_string_append(out, "There is no disk.\n");
    }
    return true;
}

bool hmp_info_blockstats(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const QapiQueryBlockstatsArgs a = { .has_query_nodes = false };
    g_autoptr(QapiBlockStatsList) list = NULL;

    if (!qmp_query_blockstats(&(QmpContext){ .env = env }, &a, &list, errp)) {
        return false;
    }
    for (QapiBlockStatsList *node = list; node; node = node->next) {
        const QapiBlockDeviceStats *s = node->value->stats;

        g_string_append_printf(out, "%s: rd_bytes=%" PRId64 " wr_bytes=%" PRId64 " rd_operations=%" PRId64
                               " wr_operations=%" PRId64 " flush_operations=%" PRId64 " rd_total_time_ns=%" PRId64
                               " wr_total_time_ns=%" PRId64 " flush_total_time_ns=%" PRId64 " failed=%" PRId64
                               " invalid=%" PRId64 "\n", node->value->node_name, s->rd_bytes, s->wr_bytes,
                               s->rd_operations, s->wr_operations, s->flush_operations, s->rd_total_time_ns,
                               s->wr_total_time_ns, s->flush_total_time_ns,
                               s->failed_rd_operations + s->failed_wr_operations + s->failed_flush_operations +
                               s->failed_unmap_operations, s->invalid_rd_operations + s->invalid_wr_operations +
                               s->invalid_flush_operations + s->invalid_unmap_operations);
    }
    if (!list) {
        g_string_append(out, "There is no disk.\n");
    }
    return true;
}

/* ---- none of it is there ---- */

bool hmp_info_numa(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_string_append(out, "0 nodes\n");
    return true;
}

/* ---- this monitor ---- */

bool hmp_info_history(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const GPtrArray *lines = env->readline ? readline_history(env->readline) : NULL;

    if (!lines) {
        error_setg(errp, "nobody types here, so there is no history");
        return false;
    }
    for (unsigned i = 0; i < lines->len; i++) {
        g_string_append_printf(out, "%u: '%s'\n", i, (const char *)g_ptr_array_index(lines, i));
    }
    return true;
}

/* ---- the tree of objects ---- */

typedef struct TreeWalk {
    MonitorEnv *env;
    GString *out;
    unsigned depth;
    const char *path;              /* that it begins at */
} TreeWalk;

static bool tree_line(void *opaque, const char *name, const QomNode *child)
{
    TreeWalk *w = opaque;
    g_autofree char *type = qom_type_name(w->env, child);

    g_string_append_printf(w->out, "%*s/%s (%s)\n", (int)w->depth * 2, "", name, type);
    w->depth++;
    qom_foreach_child(w->env, child, tree_line, w);
    w->depth--;
    return true;
}

static bool tree_run(void *opaque, Error **errp)
{
    TreeWalk *w = opaque;
    const char *path = w->path;
    QomNode node;

    if (!qom_find(w->env, path, &node, errp)) {
        return false;
    }
    while (*path == '/') {
        path++;
    }
    return tree_line(w, path, &node);
}

bool hmp_info_qom_tree(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const char *path = hmp_given(args, "PATH") ? hmp_text(args, "PATH") : "/machine";

    return monitor_on_machine(env, tree_run, &(TreeWalk){ env, out, 0, path }, errp);
}
