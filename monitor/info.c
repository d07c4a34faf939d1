/*
 * "info SUBJECT": what queries of QMP give, as text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"

Vcpu *monitor_cpu(MonitorEnv *env)
{
    Machine *m = exec_loop_machine(env->loop);

    return m->num_cpus ? m->cpus[env->current_cpu < m->num_cpus ? env->current_cpu : 0] : NULL;
}

bool hmp_info_status(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiStatusInfo) status = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_query_status(&ctx, &status, errp)) {
        return false;
    }
    g_string_append_printf(out, "VM status: %s", status->running ? "running" : "paused");
    if (status->status != (status->running ? QAPI_RUN_STATE_RUNNING : QAPI_RUN_STATE_PAUSED)) {
        g_string_append_printf(out, " (%s)", qapi_type_RunState.values[status->status]);
    }
    g_string_append_c(out, '\n');
    return true;
}

bool hmp_info_version(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiVersionInfo) version = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_query_version(&ctx, &version, errp)) {
        return false;
    }
    g_string_append_printf(out, "%s\n", version->x_rearm);
    return true;
}

bool hmp_info_name(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiNameInfo) info = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_query_name(&ctx, &info, errp)) {
        return false;
    }
    if (info->name) {
        g_string_append_printf(out, "%s\n", info->name);
    }
    return true;
}

bool hmp_info_chardev(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiChardevInfoList) list = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_query_chardev(&ctx, &list, errp)) {
        return false;
    }
    for (QapiChardevInfoList *node = list; node; node = node->next) {
        const char *name = node->value->filename;
        bool away = g_str_has_prefix(name, "disconnected:");

        g_string_append_printf(out, "%s: filename=%s%s\n", node->value->label,
                               away ? name + strlen("disconnected:") : name,
                               away ? " (disconnected)" : "");
    }
    return true;
}

bool hmp_info_registers(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiHumanReadableText) text = NULL;
    const Vcpu *cpu = monitor_need_cpu(env, errp);
    QapiXRearmQueryRegistersArgs a = { .has_cpu_index = !hmp_given(args, "-a"),
                                       .cpu_index = cpu ? cpu->index : 0 };
    QmpContext ctx = { .env = env };

    if (!cpu || !qmp_x_rearm_query_registers(&ctx, &a, &text, errp)) {
        return false;
    }
    g_string_append(out, text->human_readable_text);
    return true;
}

bool hmp_info_cpus(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiXRearmCpuStateList) list = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_x_rearm_query_cpus(&ctx, &list, errp)) {
        return false;
    }
    for (QapiXRearmCpuStateList *node = list; node; node = node->next) {
        const QapiXRearmCpuState *cpu = node->value;

        g_string_append_printf(out, "%c CPU #%" PRId64 ": pc=0x%016" PRIx64 "%s\n",
                               cpu->cpu_index == monitor_cpu(env)->index ? '*' : ' ',
                               cpu->cpu_index, cpu->pc,
                               cpu->powered_off ? " (off)" : cpu->halted ? " (halted)" : "");
    }
    return true;
}

bool hmp_info_qdm(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    device_types_help(exec_loop_machine(env->loop)->device_types, out);
    return true;
}

bool hmp_info_qtree(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiHumanReadableText) text = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_x_rearm_query_qtree(&ctx, &text, errp)) {
        return false;
    }
    g_string_append(out, text->human_readable_text);
    return true;
}

bool hmp_info_mtree(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    static const char *const kinds[] = {
        [QAPI_X_REARM_REGION_KIND_RAM] = "ram", [QAPI_X_REARM_REGION_KIND_ROM] = "rom",
        [QAPI_X_REARM_REGION_KIND_ROMD] = "romd", [QAPI_X_REARM_REGION_KIND_MMIO] = "i/o",
    };
    g_autoptr(QapiXRearmRegionList) list = NULL;
    QapiXRearmQueryMtreeArgs a = { .has_flat = true, .flat = hmp_given(args, "-f") };
    QmpContext ctx = { .env = env };

    if (!qmp_x_rearm_query_mtree(&ctx, &a, &list, errp)) {
        return false;
    }
    g_string_append(out, a.flat ? "flat view\n" : "memory\n");
    for (QapiXRearmRegionList *node = list; node; node = node->next) {
        const QapiXRearmRegion *r = node->value;

        g_string_append_printf(out, "  %016" PRIx64 "-%016" PRIx64 " (prio %" PRId64 ", %s): %s",
                               r->start, r->end, r->priority, kinds[r->kind], r->name);
        if (r->offset) {
            g_string_append_printf(out, " @%016" PRIx64, r->offset);
        }
        g_string_append(out, r->enabled ? "\n" : " [disabled]\n");
    }
    return true;
}

bool hmp_info_jit(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiHumanReadableText) text = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_x_query_jit(&ctx, &text, errp)) {
        return false;
    }
    g_string_append(out, text->human_readable_text);
    return true;
}
