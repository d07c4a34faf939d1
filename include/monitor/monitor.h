/*
 * Monitors: commands from people (HMP) and programs (QMP) on a chardev. Guest state is read
 * and changed only through machine_run_sync(), so a monitor never runs beside the machine.
 *
 * Commands are entries of qapi/schema, each with one function (qmp_NAME()); the human monitor
 * calls the same functions and prints what they give.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include <glib.h>
#include "accel/tcg/exec-loop.h"
#include "chardev/chardev.h"
#include "hw/core/board.h"

typedef struct MonitorDump MonitorDump;
typedef struct MonitorEvents MonitorEvents;
typedef struct MonitorMigration MonitorMigration;

/* Who asked, for commands whose answer comes later. Main thread. */
typedef struct MonitorLater {
    void (*answer)(void *opaque, const char *text);
    void *opaque;
} MonitorLater;

/* An option of the command line, as -help shows it. */
typedef struct MonitorCommandLine {
    const char *name;
    const char *argument;       /* NULL: none */
    const char *help;
} MonitorCommandLine;

/* What commands work on; shared by all monitors and by gdb's "monitor" command. */
typedef struct MonitorEnv {
    ExecLoop *loop;
    MonitorEvents *events;
    ChardevSet *chardevs;
    const char *name;           /* of the guest, or NULL */
    const char *uuid;           /* of the guest; NULL: all zero */
    const char *version;        /* "0.1.0" */
    const char *snapshot_file;  /* of savevm; NULL: the recording's name and ".snap" */
    const BoardType *board;                 /* what the machine is, and how; NULL: not known */
    const BoardConfig *board_config;
    const BoardType *const *boards;         /* the first is the default; NULL-terminated */
    const char *const *cpu_models;          /* NULL-terminated */
    const MonitorCommandLine *command_line; /* ends with a NULL name; NULL: not known */
    unsigned current_cpu;       /* "cpu N" */
    bool quitting;              /* "quit": no prompt any more */
    GPtrArray *fds;             /* that clients gave; monitor_env_clear() closes them */
    GPtrArray *jobs;            /* it gives up what they have not begun */
    MonitorDump *dump;          /* the last one, or NULL */
    MonitorMigration *migration;    /* the last one, or NULL */
    bool no_spawn;              /* commands of the host's shell are denied */
    const struct Readline *readline;   /* of the command that runs; NULL: nobody types */
    const MonitorLater *later;  /* of the command that runs; NULL: nobody waits */
    /* "gdbserver DEV"; NULL: not available. */
    bool (*gdbserver)(void *opaque, const char *device, Error **errp);
    /* The state that was to come into the machine does not; err is the function's. */
    void (*incoming_failed)(void *opaque, Error *err);
    void *opaque;
} MonitorEnv;

/*
 * What happens to the machine, as events of QMP. Listens to the loop: to be made before
 * exec_loop_start(), and freed after exec_loop_join() and all monitors. Main thread.
 */
MonitorEvents *monitor_events_new(ExecLoop *loop);
void monitor_events_free(MonitorEvents *e);
/* A signal asked for the end: the event SHUTDOWN tells so. */
void monitor_events_signal(MonitorEvents *e);
/* Hand what has happened so far to the QMP monitors, instead of soon. */
void monitor_events_flush(MonitorEvents *e);

/* Free what commands have put there. After all monitors. */
void monitor_env_clear(MonitorEnv *env);

typedef enum MonitorMode { MONITOR_HMP, MONITOR_QMP, MONITOR_QMP_PRETTY } MonitorMode;
typedef struct Monitor Monitor;

/* A monitor on chr, which stays the caller's. env must outlive it. Main thread. */
Monitor *monitor_new(MonitorEnv *env, Chardev *chr, MonitorMode mode);
void monitor_free(Monitor *m);

/* "savevm NAME" and "loadvm NAME". Main thread. */
bool monitor_save_snapshot(MonitorEnv *env, const char *name, Error **errp);
bool monitor_load_snapshot(MonitorEnv *env, const char *name, Error **errp);

/*
 * "-incoming URI": the machine, which stands still, waits for its state, and then runs on, or not. "defer":
 * the command migrate-incoming will tell where from. Main thread.
 */
bool monitor_start_incoming(MonitorEnv *env, const char *uri, bool run, Error **errp);

/*
 * Run one command line; what it prints is appended to out. False: that was not all, and
 * later->answer, which is copied, will be called with the rest, once. later may be NULL: then
 * commands that need it are refused. Main thread.
 */
bool monitor_run(MonitorEnv *env, const char *line, GString *out, const MonitorLater *later);

#endif
