/*
 * Commands of the human monitor: their tables are hmp-commands.def and hmp-info.def.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_COMMANDS_H
#define MONITOR_COMMANDS_H

#include "monitor/hmp-args.h"
#include "monitor/monitor.h"

/* Failing commands set the error, which is printed. */
typedef bool MonitorFn(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp);

typedef struct MonitorCommand {
    const char *group;         /* a title, or NULL for a command */
    const char *name, *alias;
    const char *args;          /* monitor/hmp-args.h; "" when there are none */
    MonitorFn *run;
    const char *help;
} MonitorCommand;

extern const MonitorCommand monitor_commands[];        /* end with a row of NULLs */
extern const MonitorCommand monitor_info_commands[];

#define HMP_GROUP(title)
#define HMP(name, alias, args, handler, help) MonitorFn hmp_##handler;
#include "monitor/hmp-commands.def"
#undef HMP
#define HMP(name, alias, args, handler, help) MonitorFn hmp_info_##handler;
#include "monitor/hmp-info.def"
#undef HMP
#undef HMP_GROUP

/* The words a line that begins with prefix may become. */
void monitor_complete(const char *prefix, GPtrArray *words);

/* The CPU that commands look at. Machine thread. */
Vcpu *monitor_cpu(MonitorEnv *env);
/* The same for commands that need one; NULL: this machine has none, and the error says so. */
Vcpu *monitor_need_cpu(MonitorEnv *env, Error **errp);

/* The value of an expression, with the registers of that CPU. */
bool monitor_eval(MonitorEnv *env, const char *text, uint64_t *out, Error **errp);
/* The running command takes it on itself to answer later. NULL: whoever asked cannot wait. */
const MonitorLater *monitor_answer_later(MonitorEnv *env, Error **errp);

#endif
