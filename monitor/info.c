/*
 * "info SUBJECT": what queries of QMP give, as text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"

static MonitorFn info_status, info_registers, info_mtree, info_version, info_jit,
                 info_cpus, info_chardev, info_name, info_qdm, info_qtree;

const MonitorCommand monitor_info_commands[] = {
    { "chardev", NULL, "", "character back ends", info_chardev },
    { "cpus", NULL, "", "the CPUs and where they are", info_cpus },
    { "jit", NULL, "", "the translation cache", info_jit },
    { "mtree", NULL, "[-f]", "the physical memory map, or who answers where in it", info_mtree },
    { "name", NULL, "", "the name given by -name", info_name },
    { "qdm", NULL, "", "the devices that there are", info_qdm },
    { "qtree", NULL, "", "the machine's devices by their buses", info_qtree },
    { "registers", NULL, "[-a]", "registers of the current CPU, or of all", info_registers },
    { "replay", NULL, "", "recording or replay, and where in it the machine is",
      monitor_info_replay },
    { "snapshots", NULL, "", "the states that savevm saved", monitor_info_snapshots },
    { "status", NULL, "", "whether the machine runs", info_status },
    { "version", NULL, "", "Rearm's version", info_version },
    { NULL }
};

Vcpu *monitor_cpu(MonitorEnv *env)
{
    Machine *m = exec_loop_machine(env->loop);

    return m->num_cpus ? m->cpus[env->current_cpu < m->num_cpus ? env->current_cpu : 0] : NULL;
}

static bool info_status(MonitorEnv *env, const char *args, GString *out, Error **errp)
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

static bool info_version(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    g_autoptr(QapiVersionInfo) version = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_query_version(&ctx, &version, errp)) {
        return false;
    }
    g_string_append_printf(out, "%s\n", version->x_rearm);
    return true;
}

static bool info_name(MonitorEnv *env, const char *args, GString *out, Error **errp)
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

static bool info_chardev(MonitorEnv *env, const char *args, GString *out, Error **errp)
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

static bool info_registers(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    g_autoptr(QapiHumanReadableText) text = NULL;
    const Vcpu *cpu = monitor_cpu(env);
    QapiXRearmQueryRegistersArgs a = { .has_cpu_index = !*args,
                                       .cpu_index = cpu ? cpu->index : 0 };
    QmpContext ctx = { .env = env };

    if (!cpu) {
        error_setg(errp, "this machine has no CPU; -cpu MODEL gives it one");
        return false;
    }
    if (*args && strcmp(args, "-a")) {
        error_setg(errp, "unexpected argument '%s'; only -a is known", args);
        return false;
    }
    if (!qmp_x_rearm_query_registers(&ctx, &a, &text, errp)) {
        return false;
    }
    g_string_append(out, text->human_readable_text);
    return true;
}

static bool info_cpus(MonitorEnv *env, const char *args, GString *out, Error **errp)
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

static bool info_qdm(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    device_types_help(exec_loop_machine(env->loop)->device_types, out);
    return true;
}

static bool info_qtree(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    g_autoptr(QapiHumanReadableText) text = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_x_rearm_query_qtree(&ctx, &text, errp)) {
        return false;
    }
    g_string_append(out, text->human_readable_text);
    return true;
}

static bool info_mtree(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    static const char *const kinds[] = {
        [QAPI_X_REARM_REGION_KIND_RAM] = "ram", [QAPI_X_REARM_REGION_KIND_ROM] = "rom",
        [QAPI_X_REARM_REGION_KIND_ROMD] = "romd", [QAPI_X_REARM_REGION_KIND_MMIO] = "i/o",
    };
    g_autoptr(QapiXRearmRegionList) list = NULL;
    QapiXRearmQueryMtreeArgs a = { .has_flat = true, .flat = *args };
    QmpContext ctx = { .env = env };

    if (*args && strcmp(args, "-f")) {
        error_setg(errp, "unexpected argument '%s'; only -f is known", args);
        return false;
    }
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

static bool info_jit(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    g_autoptr(QapiHumanReadableText) text = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_x_query_jit(&ctx, &text, errp)) {
        return false;
    }
    g_string_append(out, text->human_readable_text);
    return true;
}
