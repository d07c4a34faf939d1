/*
 * The command line. One table (options.def) holds every option; options_parse() fills
 * an Options with what was asked for and checks each value by itself. What depends on
 * the machine (does the CPU exist, does the image open) is found out by those who know.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_OPTIONS_H
#define SYSTEM_OPTIONS_H

#include <glib.h>
#include "accel/tcg/exec-loop.h"
#include "hw/core/topology.h"
#include "monitor/monitor.h"
#include "replay/replay.h"
#include "util/keyval.h"

typedef enum OptionsAction {
    ACTION_RUN,
    ACTION_HELP,
    ACTION_VERSION,
    ACTION_MACHINE_HELP,
    ACTION_CPU_HELP,
    ACTION_DEVICE_HELP,
    ACTION_MACHINE_PROPERTIES,   /* of help_topic */
    ACTION_DEVICE_PROPERTIES,
    ACTION_CHARDEV_HELP,
    ACTION_LOG_HELP,
    ACTION_ACCEL_HELP,
} OptionsAction;

/* -monitor, -qmp, -mon. */
typedef struct MonitorOption {
    char *device;                /* as for -serial */
    MonitorMode mode;
} MonitorOption;

typedef struct Options {
    OptionsAction action;
    char *help_topic;            /* the board or device type whose properties are listed */
    char *command_line;          /* as typed, for the log */
    bool machine_required;       /* started under a name that has no default machine */

    /* Machine. NULL or 0: not given. */
    char *machine;               /* "type=virt,key=value,..." */
    char *cpu;
    uint64_t ram_size;
    CpuTopology smp;             /* cpus is 0: not given */
    char *kernel, *initrd, *append, *dtb, *bios;
    GPtrArray *devices;          /* -device strings */
    GPtrArray *globals;          /* -global strings */
    GPtrArray *firmware_dirs;    /* -L */

    /* Execution. */
    TcgConfig tcg;
    ExecConfig exec;
    bool shift_given, sleep_given;
    bool rewind;                 /* -rewind: record, if nothing else was said */
    ReplayConfig replay;         /* file owned here */
    char *loadvm, *rrsnapshot;   /* names of snapshots */
    char *snapshot_file;

    /* Back ends. */
    GPtrArray *chardevs;         /* -chardev strings */
    GPtrArray *serials;          /* -serial strings */
    bool serial_default;         /* ... of which the only one was not asked for */
    GPtrArray *monitors;         /* MonitorOption *: -monitor, -qmp and -mon */
    bool nographic;
    bool display_none;
    bool nodefaults;
    int escape;                  /* -echr; -1: the default */
    char *gdb;

    /* Process. */
    char *name;
    char *pidfile;
    char *log_items, *log_file, *log_filter;
} Options;

/*
 * Parse argv (argv[0] decides the program's defaults). Fails with a message that names
 * the option, the value and what is allowed.
 */
Options *options_parse(int argc, char **argv, Error **errp);
void options_free(Options *o);

/* The argument of -smp, complete, and back to text: the same for all spellings of it. */
bool options_parse_smp(const char *arg, CpuTopology *t, Error **errp);
char *options_format_smp(const CpuTopology *t);

/* system/help.c: carry out an action other than ACTION_RUN, on stdout. */
bool options_print_topic(const Options *o, Error **errp);

/* The options as a monitor tells of them. */
extern const MonitorCommandLine options_command_line[];

/* -help: every option, by group. */
void options_print_help(FILE *out);

#endif
