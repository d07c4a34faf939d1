/*
 * The tables of the human monitor: finding a command, running it, help and completion.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "util/keyval.h"
#include "util/trace.h"

#define HMP_GROUP(title) { .group = title },
#define HMP(name, alias, args, handler, help) { NULL, name, alias, args, hmp_##handler, help },
const MonitorCommand monitor_commands[] = {
#include "monitor/hmp-commands.def"
    { NULL }
};
#undef HMP
#define HMP(name, alias, args, handler, help) { NULL, name, alias, args, hmp_info_##handler, help },
const MonitorCommand monitor_info_commands[] = {
#include "monitor/hmp-info.def"
    { NULL }
};

static bool is_row(const MonitorCommand *command)
{
    return command->name || command->group;
}

/* The command, or NULL with the nearest name in the error. */
static const MonitorCommand *find(const MonitorCommand *table, const char *what, const char *name,
                                  Error **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (; is_row(table); table++) {
        if (table->group) {
            continue;
        }
        if (!strcmp(table->name, name) || (table->alias && !strcmp(table->alias, name))) {
            return table;
        }
        g_ptr_array_add(names, (char *)table->name);
    }
    g_ptr_array_add(names, NULL);
    near = suggest_nearest(name, (const char *const *)names->pdata);
    if (near) {
        error_setg(errp, "unknown %s '%s'; did you mean '%s'?", what, name, near);
    } else {
        error_setg(errp, "unknown %s '%s'; try 'help'", what, name);
    }
    return NULL;
}

/* ---- help ---- */

static char *usage(const MonitorCommand *command, const char *prefix, bool with_alias)
{
    GString *out = g_string_new(prefix);

    g_string_append(out, command->name);
    if (command->alias && with_alias) {
        g_string_append_printf(out, "|%s", command->alias);
    }
    if (*command->args) {
        g_string_append(out, *command->args == '/' ? "" : " ");
        hmp_args_usage(command->args, out);
    }
    return g_string_free(out, FALSE);
}

static void help_row(const MonitorCommand *command, const char *prefix, GString *out)
{
    g_auto(GStrv) lines = g_strsplit(command->help, "\n", -1);
    g_autofree char *head = usage(command, prefix, true);

    g_string_append_printf(out, "%s -- %s\n", head, lines[0]);
    for (unsigned i = 1; lines[i]; i++) {
        g_string_append_printf(out, "        %s\n", lines[i]);
    }
}

static void help_table(const MonitorCommand *table, const char *prefix, GString *out)
{
    for (const MonitorCommand *row = table; is_row(row); row++) {
        if (row->group) {
            g_string_append_printf(out, "%s%s:\n", row == table ? "" : "\n", row->group);
        } else {
            help_row(row, prefix, out);
        }
    }
}

bool hmp_help(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const MonitorCommand *only;

    if (!hmp_given(args, "COMMAND")) {
        help_table(monitor_commands, "", out);
        return true;
    }
    only = find(monitor_commands, "command", hmp_text(args, "COMMAND"), errp);
    if (only) {
        help_row(only, "", out);
    }
    if (only && only->run == hmp_info) {
        help_table(monitor_info_commands, "info ", out);
    }
    return only != NULL;
}

void monitor_complete(const char *prefix, GPtrArray *words)
{
    bool info = g_str_has_prefix(prefix, "info ");

    for (const MonitorCommand *row = info ? monitor_info_commands : monitor_commands; is_row(row);
         row++) {
        if (row->group) {
            continue;
        }
        if (info && g_str_has_prefix(row->name, prefix + strlen("info "))) {
            g_autofree char *word = g_strdup_printf("info %s", row->name);

            g_ptr_array_add(words, (char *)g_intern_string(word));
        } else if (!info && g_str_has_prefix(row->name, prefix)) {
            g_ptr_array_add(words, (char *)row->name);
        }
    }
}

/* ---- running ---- */

const MonitorLater *monitor_answer_later(MonitorEnv *env, Error **errp)
{
    const MonitorLater *later = env->later;

    if (!later) {
        error_setg(errp, "the answer comes later than human-monitor-command waits: use "
                   "x-rearm-replay-find-writes");
    }
    env->later = NULL;
    return later;
}

static bool eval(void *opaque, const char *text, uint64_t *out, Error **errp)
{
    return monitor_eval(opaque, text, out, errp);
}

static bool run(MonitorEnv *env, const MonitorCommand *command, const char *prefix,
                const char *line, GString *out, Error **errp)
{
    g_autofree char *how = usage(command, prefix, false);
    g_auto(HmpArgs) args = { .num = 0 };

    return hmp_args_parse(&args, command->args, how, line, eval, env, errp) &&
           command->run(env, &args, out, errp);
}

/* "NAME ARGUMENTS", or "NAME/FORMAT ARGUMENTS"; *rest is behind the name. */
static const MonitorCommand *split(const MonitorCommand *table, const char *what, const char *line,
                                   const char **rest, Error **errp)
{
    size_t length = strcspn(line, " \t/");
    g_autofree char *name = g_strndup(line, length);
    const MonitorCommand *command = find(table, what, name, errp);

    *rest = line + length;
    if (command && **rest == '/' && command->args[0] != '/') {
        error_setg(errp, "'%s' takes no format", name);
        return NULL;
    }
    *rest += strspn(*rest, " \t");
    return command;
}

bool hmp_info(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const MonitorCommand *command;
    const char *rest;

    if (!hmp_given(args, "SUBJECT")) {
        help_table(monitor_info_commands, "info ", out);
        return true;
    }
    command = split(monitor_info_commands, "subject of info", hmp_text(args, "SUBJECT"), &rest,
                    errp);
    return command && run(env, command, "info ", rest, out, errp);
}

bool monitor_run(MonitorEnv *env, const char *line, GString *out, const MonitorLater *later)
{
    g_autofree char *copy = g_strstrip(g_strdup(line));
    const MonitorCommand *command;
    const char *rest;
    Error *err = NULL;

    if (!*copy) {
        return true;
    }
    trace_hmp_command(copy);
    env->later = later;
    command = split(monitor_commands, "command", copy, &rest, &err);
    if (command) {
        run(env, command, "", rest, out, &err);
    }
    if (err) {
        g_string_append_printf(out, "Error: %s\n", error_get_pretty(err));
        error_free(err);
    }
    return env->later == later;
}
