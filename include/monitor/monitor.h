/*
 * The human monitor: commands typed on a chardev. Guest state is read and changed only
 * through machine_run_sync(), so a monitor never runs beside the machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include <glib.h>
#include "accel/tcg/exec-loop.h"
#include "chardev/chardev.h"

/* What commands work on; shared by all monitors and by gdb's "monitor" command. */
typedef struct MonitorEnv {
    ExecLoop *loop;
    ChardevSet *chardevs;
    const char *name;           /* of the guest, or NULL */
    const char *version;
    unsigned current_cpu;       /* "cpu N" */
    bool quitting;              /* "quit": no prompt any more */
    /* "gdbserver DEV"; NULL: not available. */
    bool (*gdbserver)(void *opaque, const char *device, Error **errp);
    void *opaque;
} MonitorEnv;

typedef struct Monitor Monitor;

/* A monitor on chr, which stays the caller's. env must outlive it. Main thread. */
Monitor *monitor_new(MonitorEnv *env, Chardev *chr);
void monitor_free(Monitor *m);

/* Run one command line; what it prints is appended to out. Main thread. */
void monitor_run(MonitorEnv *env, const char *line, GString *out);

#endif
