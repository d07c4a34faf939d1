/*
 * Commands of the human monitor about states of the machine in a file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"

bool hmp_savevm(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return monitor_save_snapshot(env, hmp_text(args, "NAME"), errp);
}

bool hmp_loadvm(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return monitor_load_snapshot(env, hmp_text(args, "NAME"), errp);
}

bool hmp_delvm(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiXRearmDelvmArgs a = { hmp_text(args, "NAME") };

    return qmp_x_rearm_delvm(&(QmpContext){ .env = env }, &a, errp);
}

static void print_snapshot(const QapiXRearmSnapshot *s, GString *out)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(s->date / 1000000000);
    g_autofree char *when = date ? g_date_time_format(date, "%Y-%m-%d %H:%M:%S") : g_strdup("?");
    int64_t ms = s->vm_clock / 1000000;

    g_string_append_printf(out, "%-20s %7.1f MiB %s %02" PRId64 ":%02d:%02d.%03d %12" PRId64 " %12"
                           PRIu64 "\n", s->name, (double)s->vm_state_size / (1 << 20), when,
                           ms / 3600000, (int)(ms / 60000 % 60), (int)(ms / 1000 % 60),
                           (int)(ms % 1000), s->icount, s->position);
}

bool hmp_info_snapshots(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiXRearmSnapshotList) list = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_x_rearm_query_snapshots(&ctx, &list, errp)) {
        return false;
    }
    if (!list) {
        g_string_append(out, "There is no snapshot available.\n");
        return true;
    }
    g_string_append_printf(out, "%-20s %11s %-19s %12s %12s %12s\n", "TAG", "VM SIZE", "DATE",
                           "VM CLOCK", "ICOUNT", "POSITION");
    for (const QapiXRearmSnapshotList *node = list; node; node = node->next) {
        print_snapshot(node->value, out);
    }
    return true;
}
