/*
 * Commands of the human monitor: one table in commands.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_COMMANDS_H
#define MONITOR_COMMANDS_H

#include "monitor/monitor.h"

/*
 * args: the rest of the line, stripped; "/FORMAT" first where the command takes one.
 * Failing commands set the error, which is printed.
 */
typedef bool MonitorFn(MonitorEnv *env, const char *args, GString *out, Error **errp);

typedef struct MonitorCommand {
    const char *name, *alias;
    const char *args;          /* for help; "" when there are none */
    const char *help;
    MonitorFn *run;
} MonitorCommand;

extern const MonitorCommand monitor_info_commands[];   /* ends with a NULL name */

/* The command, or NULL with the nearest name in the error. */
const MonitorCommand *monitor_command_find(const MonitorCommand *table, const char *what,
                                           const char *name, Error **errp);
void monitor_command_help(const MonitorCommand *table, const char *prefix, const char *only,
                          GString *out);
/* The words a line that begins with prefix may become. */
void monitor_complete(const char *prefix, GPtrArray *words);

/* The CPU that commands look at. Machine thread. */
Vcpu *monitor_cpu(MonitorEnv *env);

/* monitor/memory.c */
MonitorFn monitor_x, monitor_xp, monitor_print;

/* monitor/travel.c */
MonitorFn monitor_info_replay, monitor_replay_break, monitor_replay_delete_break, monitor_replay_seek,
          monitor_replay_golive, monitor_replay_save, monitor_replay_console;

/* monitor/snapshots.c */
MonitorFn monitor_savevm, monitor_loadvm, monitor_delvm, monitor_info_snapshots;

#endif
