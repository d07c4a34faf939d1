/*
 * Between the files of the QMP monitor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_QMP_H
#define MONITOR_QMP_H

#include "migration/snapshot-file.h"
#include "monitor/monitor.h"
#include "qapi/qapi-commands.h"

typedef struct QmpMonitor QmpMonitor;

/* What a command's function gets. */
struct QmpContext {
    MonitorEnv *env;
    QmpMonitor *monitor;        /* that the command came from; NULL: the human monitor */
};

/* ---- qmp-monitor.c ---- */

QmpMonitor *qmp_monitor_new(MonitorEnv *env, Chardev *chr, bool pretty);
void qmp_monitor_free(QmpMonitor *m);
/* Write an event or reply; events are for clients that are through with the negotiation. */
void qmp_monitor_send(QmpMonitor *m, json_object *message);
bool qmp_monitor_wants_events(const QmpMonitor *m);
/* The descriptor that came with the command, the caller's; -1: none. */
int qmp_monitor_take_fd(QmpMonitor *m);

/* ---- events.c ---- */

void monitor_events_add(MonitorEvents *e, QmpMonitor *m);
void monitor_events_remove(MonitorEvents *e, QmpMonitor *m);
/* Where events go, from any thread. */
QapiEventSink *monitor_events_sink(MonitorEvents *e);
/* The command quit asks for the end. */
void monitor_events_quit(MonitorEvents *e);
/* Why the machine stands still, if it does. */
QapiRunState monitor_events_stop_state(MonitorEvents *e);
void monitor_events_set_stop_state(MonitorEvents *e, QapiRunState state);

/* ---- qmp-balloon.c ---- */

/* A property of a balloon that its tables do not have, or not as it is now; false: it is none. */
bool monitor_balloon_get(MonitorEnv *env, Device *dev, const char *name, json_object **value);
bool monitor_balloon_is_settable(Device *dev, const char *name);
bool monitor_balloon_set(Device *dev, json_object *value, Error **errp);

/* ---- qmp-control.c ---- */

/* What would change the guest of a replay. */
void qmp_refuse_in_replay(Error **errp);

/* ---- qmp-dump.c ---- */

void monitor_dump_free(MonitorDump *d);

/* ---- qmp-fds.c ---- */

/* A new file, or a descriptor of a set (/dev/fdset/ID), to write to. */
FILE *monitor_create_file(MonitorEnv *env, const char *path, Error **errp);

/* The descriptor that getfd put there, the caller's from here on; -1: there is none. */
int monitor_take_fd(MonitorEnv *env, const char *name, Error **errp);

/* ---- qmp-snapshots.c ---- */

/* The machine's state, and what it is, under this name; NULL on failure. */
SavedMachine *monitor_take_state(MonitorEnv *env, const char *name, GByteArray **state,
                                 Error **errp);
/* Bring the machine into a state; on failure it stays in its own. */
bool monitor_put_state(MonitorEnv *env, const SavedMachine *m, const GByteArray *state,
                       Error **errp);

/* ---- qmp-migration.c ---- */

void monitor_migration_free(MonitorMigration *m);
/* later, if not NULL, is told when it has ended; it is copied. */
bool monitor_migrate(MonitorEnv *env, const char *uri, const MonitorLater *later, Error **errp);
/* Whether the machine stands still as its state is being written. */
bool monitor_migrating(MonitorEnv *env);
/* Whether it waits for its state. */
bool monitor_incoming(MonitorEnv *env);
/* Whether it will run on then, or when writing it has failed. */
void monitor_migration_run(MonitorEnv *env, bool run);

/* ---- qmp-objects.c ---- */

/* "TYPE,id=ID,NAME=VALUE,...", as object_add in the human monitor. */
bool monitor_object_add(MonitorEnv *env, const char *options, Error **errp);

/* ---- properties.c ---- */

/* Append ",NAME=VALUE" to the text of an option, commas doubled; NULL: nothing. */
void qmp_add_option(GString *out, const char *name, const char *value);

/* ---- qmp-machine.c ---- */

/* The CPU of that number; has false: of number 0. Fails with the text that clients know. */
Vcpu *qmp_cpu(MonitorEnv *env, bool has, int64_t index, Error **errp);

#endif
