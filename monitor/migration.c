/*
 * Commands of the human monitor about migration.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"
#include "util/keyval.h"

bool hmp_migrate(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const MonitorLater *later = hmp_given(args, "-d") ? NULL : env->later;

    if (!monitor_migrate(env, hmp_text(args, "URI"), later, errp)) {
        return false;
    }
    if (later) {
        monitor_answer_later(env, NULL);
    } else if (!hmp_given(args, "-d")) {
        g_string_append(out, "the command does not wait here: see 'info migrate'\n");
    }
    return true;
}

bool hmp_migrate_cancel(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return qmp_migrate_cancel(&(QmpContext){ .env = env }, errp);
}

bool hmp_migrate_incoming(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiMigrateIncomingArgs a = { hmp_text(args, "URI") };

    return qmp_migrate_incoming(&(QmpContext){ .env = env }, &a, errp);
}

bool hmp_migrate_set_capability(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const char *name = hmp_text(args, "CAPABILITY");
    QapiMigrationCapabilityStatus status = { .state = !strcmp(hmp_text(args, "on|off"), "on") };
    QapiMigrationCapabilityStatusList list = { NULL, &status };
    QapiMigrateSetCapabilitiesArgs a = { &list };

    while (strcmp(name, qapi_type_MigrationCapability.values[status.capability]) != 0) {
        if (++status.capability == QAPI_MIGRATION_CAPABILITY__MAX) {
            error_setg(errp, "there is no capability '%s': see 'info migrate_capabilities'", name);
            return false;
        }
    }
    return qmp_migrate_set_capabilities(&(QmpContext){ .env = env }, &a, errp);
}

bool hmp_migrate_set_parameter(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const char *name = hmp_text(args, "PARAMETER"), *value = hmp_text(args, "VALUE");
    QapiMigrationParameters a = { .has_max_bandwidth = true };

    if (strcmp(name, "max-bandwidth") != 0) {
        error_setg(errp, "there is no parameter '%s': see 'info migrate_parameters'", name);
        return false;
    }
    if (!parse_size(value, 1u << 20, &a.max_bandwidth)) {
        error_setg(errp, "max-bandwidth %s: expected a number of MiB a second, or one with K, M or G",
                   value);
        return false;
    }
    return qmp_migrate_set_parameters(&(QmpContext){ .env = env }, &a, errp);
}

bool hmp_info_migrate(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiMigrationInfo) info = NULL;

    if (!qmp_query_migrate(&(QmpContext){ .env = env }, &info, errp)) {
        return false;
    }
    if (!info->has_status) {
        g_string_append(out, "There was no migration.\n");
        return true;
    }
    g_string_append_printf(out, "Migration status: %s%s%s\n",
                           qapi_type_MigrationStatus.values[info->status],
                           info->error_desc ? ": " : "", info->error_desc ? info->error_desc : "");
    g_string_append_printf(out, "total time: %" PRId64 " ms\n", info->total_time);
    if (info->ram) {
        g_string_append_printf(out, "transferred: %" PRId64 " KiB\nremaining: %" PRId64 " KiB of %" PRId64
                               " KiB, before compression\nthroughput: %.2f Mbit/s\n",
                               info->ram->transferred >> 10, info->ram->remaining >> 10,
                               info->ram->total >> 10, info->ram->mbps);
    }
    return true;
}

bool hmp_info_migrate_capabilities(MonitorEnv *env, const HmpArgs *args, GString *out,
                                   Error **errp)
{
    g_autoptr(QapiMigrationCapabilityStatusList) list = NULL;

    if (!qmp_query_migrate_capabilities(&(QmpContext){ .env = env }, &list, errp)) {
        return false;
    }
    for (const QapiMigrationCapabilityStatusList *node = list; node; node = node->next) {
        g_string_append_printf(out, "%s: %s\n",
                               qapi_type_MigrationCapability.values[node->value->capability],
                               node->value->state ? "on" : "off");
    }
    return true;
}

bool hmp_info_migrate_parameters(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiMigrationParameters) p = NULL;

    if (!qmp_query_migrate_parameters(&(QmpContext){ .env = env }, &p, errp)) {
        return false;
    }
    g_string_append_printf(out, "max-bandwidth: %" PRIu64 " bytes/second\n", p->max_bandwidth);
    return true;
}
