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
    ACTION_OBJECT_HELP,
    ACTION_OBJECT_PROPERTIES,
    ACTION_FIRMWARE_DIRS,
    ACTION_CHARDEV_HELP,
    ACTION_NETDEV_HELP,
    ACTION_LOG_HELP,
    ACTION_TRACE_HELP,
    ACTION_ACCEL_HELP,
} OptionsAction;

/* -monitor, -qmp, -mon. */
typedef struct MonitorOption {
    char *device;                /* as for -serial */
    MonitorMode mode;
} MonitorOption;

/* -rtc: what the guest's clock shows when the machine starts, and what makes it go on. */
typedef enum RtcBase { RTC_BASE_UTC, RTC_BASE_LOCALTIME, RTC_BASE_DATE } RtcBase;
typedef struct RtcOptions {
    RtcBase base;
    int64_t date;                /* seconds since 1970, with RTC_BASE_DATE */
    RtcClock clock;
} RtcOptions;

/* -numa: the one node that there may be. */
typedef struct NumaOptions {
    bool node;
    uint64_t last_cpu;           /* the greatest number of a CPU that was named */
    uint64_t mem;                /* 0: not given */
    char *memdev;
} NumaOptions;

/* -sandbox: which calls of the host's kernel end the process. */
typedef struct SandboxOptions {
    bool enable;
    bool deny_obsolete, deny_privileges, deny_spawn, deny_resources;
    bool no_new_privileges;
} SandboxOptions;

/* An option that -writeconfig writes. */
typedef struct ConfigEntry {
    const struct ConfigGroup *group;
    char *text;                  /* its argument, each element with its key */
} ConfigEntry;

typedef struct Options {
    OptionsAction action;
    char *help_topic;            /* the board, device or object type whose properties are listed */
    char *command_line;          /* as typed, for the log */
    bool machine_required;       /* started under a name that has no default machine */

    /* Machine. NULL or 0: not given. */
    char *machine;               /* "type=virt,key=value,..." */
    char *cpu;
    uint64_t ram_size;
    CpuTopology smp;             /* cpus is 0: not given */
    char *flash[2];              /* -drive if=pflash: the ids of the board's flash drives; NULL: none */
    char *memory_backend;        /* -machine memory-backend=: the id of an object */
    char *mem_path;
    bool mem_prealloc;
    char *kernel, *initrd, *append, *dtb, *bios;
    GPtrArray *objects;          /* -object strings */
    GPtrArray *devices;          /* -device strings */
    GPtrArray *netdevs;          /* options of network back ends, with id= */
    char *net_card, *net_kind;   /* -net nic, -net KIND, until they are joined */
    GPtrArray *drives;           /* options of block nodes, with id= and more (options-drives.c) */
    bool disk_snapshot;          /* -snapshot */
    GPtrArray *globals;          /* -global strings */
    GPtrArray *smbios;           /* -smbios strings, path= as a whole path */
    GPtrArray *fw_cfg;           /* -fw_cfg strings, file= with a whole path */
    GPtrArray *firmware_dirs;    /* -L */
    RtcOptions rtc;
    NumaOptions numa;
    char *uuid;                  /* as uuid_format() gives it */
    bool boot_menu;
    char *accel_missing;         /* what -accel named first, and nothing that is there */
    bool accel_there;

    /* Execution. */
    TcgConfig tcg;
    ExecConfig exec;
    bool shift_given, sleep_given;
    bool panic_given, watchdog_given;   /* by -action */
    bool rewind;                 /* -rewind: record, if nothing else was said */
    ReplayConfig replay;         /* file owned here */
    GPtrArray *rrpaths;          /* "OLD=NEW" */
    bool rrimage_full;           /* rrimage=full */
    char *loadvm, *rrsnapshot;   /* names of snapshots */
    char *snapshot_file;
    char *incoming;              /* where the state comes from, or "defer" */

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
    char *name, *process_name;
    char *pidfile;
    bool daemonize;
    int daemon_fd;               /* in the background: where to tell that it is ready ... */
    int daemon_output;           /* ... and where messages go from then on */
    char *chroot, *runas;
    SandboxOptions sandbox;
    bool mem_lock;
    bool msg_timestamp, msg_guest_name;
    GArray *config;              /* ConfigEntry: what -writeconfig writes ... */
    char *writeconfig;           /* ... where; NULL: nowhere */
    char *log_items, *log_file, *log_filter;
    GPtrArray *traces;           /* -trace strings */
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

/* -rtc in one spelling: "base=utc,clock=host". To be freed. */
char *options_format_rtc(const RtcOptions *rtc);
/* The argument of an option as a list; what is no JSON object is one already. To be freed. */
char *options_from_json(const char *arg, Error **errp);

/* What -action says of an event, as it is written there. */
const char *options_action_text(const ExecActions *chosen, const char *event);

/* Carry -writeconfig out, if it is there. */
bool options_config_write(const Options *o, Error **errp);

/* system/help.c: carry out an action other than ACTION_RUN, on stdout. */
bool options_print_topic(const Options *o, Error **errp);

/* The options as a monitor tells of them. */
extern const MonitorCommandLine options_command_line[];

/* -help: every option, by group. */
void options_print_help(FILE *out);

#endif
