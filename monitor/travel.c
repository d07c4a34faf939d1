/*
 * Commands of the human monitor about recordings, and travelling in them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"
#include "util/keyval.h"

/* ---- info replay ---- */

static void print_place(const QapiXRearmReplayState *s, GString *out)
{
    g_string_append_printf(out, "instructions: %" PRId64 ", position: %" PRIu64, s->icount,
                           s->position);
    if (s->has_end && s->end) {
        g_string_append_printf(out, " of %" PRIu64 " (%.1f%%)", s->end,
                               100.0 * (double)s->position / (double)s->end);
    }
    g_string_append_printf(out, ", virtual time: %" PRId64 ".%09" PRId64 " s\n",
                           s->time / 1000000000, s->time % 1000000000);
}

static void print_breaks(const QapiXRearmReplayState *s, GString *out)
{
    if (s->breaks) {
        g_string_append(out, "breaks:");
        for (const QapiUint64List *node = s->breaks; node; node = node->next) {
            g_string_append_printf(out, " %" PRIu64, node->value);
        }
        g_string_append_c(out, '\n');
    }
}

bool hmp_info_replay(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiXRearmReplayState) s = NULL;
    QmpContext ctx = { .env = env };

    if (!qmp_x_rearm_query_replay(&ctx, &s, errp)) {
        return false;
    }
    g_string_append(out, s->detail);
    print_place(s, out);
    print_breaks(s, out);
    if (s->has_snapshot_budget) {
        g_string_append_printf(out, "snapshots in memory: %" PRId64 ", %" PRIu64 " of %" PRIu64
                               " MiB\n", s->snapshots, s->snapshot_bytes >> 20,
                               s->snapshot_budget >> 20);
    }
    return true;
}

/* ---- travelling ---- */

static bool parse_position(const char *args, int64_t *position, Error **errp)
{
    uint64_t number;

    if (!parse_u64(args, &number) || number > INT64_MAX) {
        error_setg(errp, "'%s' is not a position: give a number as 'info replay' shows it", args);
        return false;
    }
    *position = (int64_t)number;
    return true;
}

bool hmp_replay_break(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiReplayBreakArgs a = { 0 };
    QmpContext ctx = { .env = env };

    return parse_position(hmp_text(args, "POSITION"), &a.icount, errp) &&
           qmp_replay_break(&ctx, &a, errp);
}

bool hmp_replay_delete_break(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const char *position = hmp_text(args, "POSITION");
    QapiReplayDeleteBreakArgs a = { .has_icount = position != NULL };
    QmpContext ctx = { .env = env };

    return (!position || parse_position(position, &a.icount, errp)) &&
           qmp_replay_delete_break(&ctx, &a, errp);
}

bool hmp_replay_seek(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiXRearmReplaySeekArgs a = { hmp_text(args, "PLACE") };
    QmpContext ctx = { .env = env };

    return qmp_x_rearm_replay_seek(&ctx, &a, errp);
}

/* ---- what becomes of a recording ---- */

bool hmp_replay_golive(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiXRearmReplayGoliveArgs a = { hmp_text(args, "FILE") };
    QmpContext ctx = { .env = env };

    return qmp_x_rearm_replay_golive(&ctx, &a, errp);
}

bool hmp_replay_save(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiXRearmReplaySaveArgs a = { hmp_text(args, "FILE") };
    QmpContext ctx = { .env = env };

    return qmp_x_rearm_replay_save(&ctx, &a, errp);
}

bool hmp_replay_console(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiHumanReadableText) text = NULL;
    QapiXRearmReplayConsoleArgs a = { hmp_text(args, "PORT") };
    QmpContext ctx = { .env = env };

    if (!qmp_x_rearm_replay_console(&ctx, &a, &text, errp)) {
        return false;
    }
    g_string_append(out, text->human_readable_text);
    if (out->len && out->str[out->len - 1] != '\n') {
        g_string_append_c(out, '\n');
    }
    return true;
}
