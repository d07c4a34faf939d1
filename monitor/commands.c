/*
 * The command table of the human monitor, and the commands that act on the machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"
#include "util/keyval.h"

static MonitorFn cmd_help, cmd_info, cmd_stop, cmd_cont, cmd_quit, cmd_system_reset,
                 cmd_system_powerdown, cmd_cpu, cmd_gdbserver, cmd_log, cmd_memsave, cmd_pmemsave;

static const MonitorCommand commands[] = {
    { "help", "?", "[COMMAND]", "what commands there are", cmd_help },
    { "info", NULL, "[SUBJECT]", "show something; without a subject, lists them", cmd_info },
    { "stop", NULL, "", "pause the machine", cmd_stop },
    { "cont", "c", "", "let the machine go on", cmd_cont },
    { "quit", "q", "", "end the emulator", cmd_quit },
    { "system_reset", NULL, "", "reset the machine", cmd_system_reset },
    { "system_powerdown", NULL, "", "press the power button", cmd_system_powerdown },
    { "cpu", NULL, "N", "choose the CPU that commands look at", cmd_cpu },
    { "x", NULL, "/FMT ADDR", "memory at a virtual address; FMT is a count, a format\n"
      "(x d u o c i) and a size (b h w g), as in x/4xw $sp", monitor_x },
    { "xp", NULL, "/FMT ADDR", "memory at a physical address", monitor_xp },
    { "memsave", NULL, "ADDR SIZE FILE", "write virtual memory into a file", cmd_memsave },
    { "pmemsave", NULL, "ADDR SIZE FILE", "write physical memory into a file", cmd_pmemsave },
    { "print", "p", "/FMT EXPR", "an expression; registers are $x0, $sp, $pc", monitor_print },
    { "gdbserver", NULL, "[DEV]", "serve gdb (default tcp::1234)", cmd_gdbserver },
    { "replay_break", NULL, "POSITION", "stop there, forwards or backwards", monitor_replay_break },
    { "replay_delete_break", NULL, "[POSITION]", "stop there no more; without a position: anywhere",
      monitor_replay_delete_break },
    { "replay_seek", NULL, "PLACE", "go there, backwards or forwards, and stop: a position,\n"
      "50% of the recording, +1.5s or -200ms from now, or @\"TEXT\",\n"
      "the moment when that was on a console for the first time", monitor_replay_seek },
    { "replay_golive", NULL, "[FILE]",
      "from here on the machine is live, recorded to FILE if given", monitor_replay_golive },
    { "replay_save", NULL, "FILE", "write what is recorded so far to FILE", monitor_replay_save },
    { "replay_console", NULL, "[PORT]", "what the guest has put out up to the present place",
      monitor_replay_console },
    { "savevm", NULL, "NAME", "save the machine in the snapshot file", monitor_savevm },
    { "loadvm", NULL, "NAME", "go to a saved state; in a recording: to its place there",
      monitor_loadvm },
    { "delvm", NULL, "NAME", "remove a saved state", monitor_delvm },
    { "log", NULL, "ITEM[,ITEM...]", "what the log shows; 'none' switches it off", cmd_log },
    { NULL }
};

/* ---- the table ---- */

const MonitorCommand *monitor_command_find(const MonitorCommand *table, const char *what,
                                           const char *name, Error **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (; table->name; table++) {
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

void monitor_command_help(const MonitorCommand *table, const char *prefix, const char *only,
                          GString *out)
{
    for (; table->name; table++) {
        const char *slash = table->args[0] == '/' ? "" : " ";
        g_auto(GStrv) lines = NULL;

        if (only && strcmp(only, table->name)) {
            continue;
        }
        lines = g_strsplit(table->help, "\n", -1);
        g_string_append_printf(out, "%s%s%s%s%s%s -- %s\n", prefix, table->name,
                               table->alias ? "|" : "", table->alias ? table->alias : "",
                               *table->args ? slash : "", table->args, lines[0]);
        for (unsigned i = 1; lines[i]; i++) {
            g_string_append_printf(out, "        %s\n", lines[i]);
        }
    }
}

void monitor_complete(const char *prefix, GPtrArray *words)
{
    const MonitorCommand *table = commands;
    bool info = g_str_has_prefix(prefix, "info ");

    for (table = info ? monitor_info_commands : commands; table->name; table++) {
        if (info && g_str_has_prefix(table->name, prefix + strlen("info "))) {
            g_autofree char *word = g_strdup_printf("info %s", table->name);

            g_ptr_array_add(words, (char *)g_intern_string(word));
        } else if (!info && g_str_has_prefix(table->name, prefix)) {
            g_ptr_array_add(words, (char *)table->name);
        }
    }
}

void monitor_run(MonitorEnv *env, const char *line, GString *out)
{
    g_autofree char *copy = g_strstrip(g_strdup(line));
    size_t length = strcspn(copy, " \t/");
    g_autofree char *name = g_strndup(copy, length);
    const MonitorCommand *command;
    Error *err = NULL;

    if (!*copy) {
        return;
    }
    command = monitor_command_find(commands, "command", name, &err);
    if (command) {
        const char *args = copy + length;

        if (*args == '/' && command->args[0] != '/') {
            error_setg(&err, "'%s' takes no format", name);
        } else {
            command->run(env, args + strspn(args, " \t"), out, &err);
        }
    }
    if (err) {
        g_string_append_printf(out, "Error: %s\n", error_get_pretty(err));
        error_free(err);
    }
}

static bool no_args(const char *args, Error **errp)
{
    if (*args) {
        error_setg(errp, "unexpected argument '%s'", args);
    }
    return !*args;
}

static bool cmd_help(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    const MonitorCommand *only = NULL;

    if (*args) {
        only = monitor_command_find(commands, "command", args, errp);
        if (!only) {
            return false;
        }
    }
    monitor_command_help(commands, "", only ? only->name : NULL, out);
    if (only && only->run == cmd_info) {
        monitor_command_help(monitor_info_commands, "info ", NULL, out);
    }
    return true;
}

static bool cmd_info(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    size_t length = strcspn(args, " \t");
    g_autofree char *name = g_strndup(args, length);
    const MonitorCommand *command;

    if (!*args) {
        monitor_command_help(monitor_info_commands, "info ", NULL, out);
        return true;
    }
    command = monitor_command_find(monitor_info_commands, "subject of info", name, errp);
    args += length;
    return command && command->run(env, args + strspn(args, " \t"), out, errp);
}

/* ---- commands that have nothing to print ---- */

static bool simple(MonitorEnv *env, const char *args, bool (*run)(QmpContext *ctx, Error **errp),
                   Error **errp)
{
    QmpContext ctx = { .env = env };

    return no_args(args, errp) && run(&ctx, errp);
}

static bool cmd_stop(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    return simple(env, args, qmp_stop, errp);
}

static bool cmd_cont(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    return simple(env, args, qmp_cont, errp);
}

static bool cmd_quit(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    return simple(env, args, qmp_quit, errp);
}

static bool cmd_system_reset(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    return simple(env, args, qmp_system_reset, errp);
}

static bool cmd_system_powerdown(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    return simple(env, args, qmp_system_powerdown, errp);
}

/* ---- others ---- */

static bool cmd_cpu(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    unsigned num_cpus = exec_loop_machine(env->loop)->num_cpus;
    uint64_t n;

    if (!num_cpus) {
        error_setg(errp, "this machine has no CPU; -cpu MODEL gives it one");
        return false;
    }
    if (!parse_u64(args, &n) || n >= num_cpus) {
        error_setg(errp, "'%s' is no CPU; expected 0..%u", args, num_cpus - 1);
        return false;
    }
    env->current_cpu = (unsigned)n;
    return true;
}

static bool cmd_gdbserver(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    const char *device = *args ? args : "tcp::1234";
    QmpContext ctx = { .env = env };

    if (!qmp_x_rearm_gdbserver(&ctx, &(QapiXRearmGdbserverArgs){ (char *)device }, errp)) {
        return false;
    }
    g_string_append_printf(out, "Waiting for gdb connection on device '%s'\n", device);
    return true;
}

static bool cmd_log(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    const char *items = strcmp(args, "none") ? args : "";
    QmpContext ctx = { .env = env };

    if (!*args) {
        error_setg(errp, "an item is missing, such as int; 'none' switches the log off");
        return false;
    }
    return qmp_x_rearm_log(&ctx, &(QapiXRearmLogArgs){ (char *)items }, errp);
}

/* "ADDR SIZE FILE" */
static bool save_args(const char *args, uint64_t *addr, uint64_t *size, char **file, Error **errp)
{
    g_auto(GStrv) words = g_strsplit_set(args, " \t", 3);

    if (g_strv_length(words) < 3 || !parse_u64(words[0], addr) || !parse_u64(words[1], size)) {
        error_setg(errp, "'%s': expected an address, a size in bytes and a file", args);
        return false;
    }
    *file = g_strdup(words[2]);
    return true;
}

static bool cmd_memsave(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    g_autofree char *file = NULL;
    QapiMemsaveArgs a = { .has_cpu_index = true, .cpu_index = env->current_cpu };
    QmpContext ctx = { .env = env };

    if (!save_args(args, &a.val, &a.size, &file, errp)) {
        return false;
    }
    a.filename = file;
    return qmp_memsave(&ctx, &a, errp);
}

static bool cmd_pmemsave(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    g_autofree char *file = NULL;
    QapiPmemsaveArgs a = { 0 };
    QmpContext ctx = { .env = env };

    if (!save_args(args, &a.val, &a.size, &file, errp)) {
        return false;
    }
    a.filename = file;
    return qmp_pmemsave(&ctx, &a, errp);
}
