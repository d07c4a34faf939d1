/*
 * One run of the emulator, from the parsed options to the exit code.
 *
 * Set up in this order, taken down in the reverse one: back ends, replay, machine,
 * engine, execution loop, monitors. Nothing reaches the disk that a failed start would
 * leave half made: the recording's file is created last.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_SESSION_H
#define SYSTEM_SESSION_H

#include "gdbstub/gdbstub.h"
#include "hw/core/board.h"
#include "monitor/monitor.h"
#include "system/options.h"

/* Exit code: a replay did not reproduce its recording, or refused to try. */
#define EXIT_REPLAY 2

typedef struct SessionMonitor {
    Chardev *chr;
    MonitorMode mode;
} SessionMonitor;

typedef struct Session {
    Options *options;
    ChardevSet *chardevs;
    Replay *replay;
    const BoardType *board;
    KeyVal *machine_options;
    BoardConfig config;
    GPtrArray *strings;           /* owned by the session, used in config */
    Machine *machine;
    TcgContext *tcg;
    ExecLoop *loop;
    NetSet *net;
    GPtrArray *dumps;             /* of -object filter-dump (session-net.c) */
    GPtrArray *serial;            /* Chardev *, as -serial gives them; may be NULL */
    GArray *monitor_chrs;         /* SessionMonitor */
    Chardev *gdb_chr;
    MonitorEnv monitor_env;
    GPtrArray *monitors;          /* Monitor * */
    GdbStub *gdb;
    bool refused;                 /* the recording to replay is damaged, or of another machine */
    Error *incoming_error;        /* the state that -incoming waits for has not come */
    char *pidfile;                /* to remove */
    int pidfile_fd;               /* locked; -1: none */
    GSource *signals[3];
    gint ended;                   /* atomic: the machine thread is done */
    gint quit;                    /* atomic: asked to end before the loop ran */
    int64_t signal_ns;            /* host time of the first signal that asked; 0: none */
} Session;

/*
 * Build everything; options are the session's from here on. NULL on failure; *exit_code
 * is then what the program ends with.
 */
Session *session_new(Options *options, int *exit_code, Error **errp);
/* Run until the machine ends; prints what became of a recording. Returns the exit code. */
int session_run(Session *s);
void session_free(Session *s);

/* session-chardevs.c: create back ends, and tie them to the machine's ports. */
bool session_open_chardevs(Session *s, Error **errp);
bool session_open_gdb(Session *s, Error **errp);
/* Whether the machine has what they are for. */
bool session_check_gdb(const Session *s, Error **errp);
bool session_check_serial(const Session *s, Error **errp);
/* Claim what devices name as chardev=. */
bool session_claim_chardevs(Session *s, Error **errp);
void session_attach_serial(Session *s);
void session_detach_serial(Session *s);

/* session-machine.c: replay, board and what a recording has to know about them. */
bool session_make_machine(Session *s, Error **errp);
/* session-drives.c: images for the machine's disks, before its devices are made. */
bool session_open_drives(Session *s, Error **errp);
/* session-net.c: back ends before the devices are made, what listens to their cards afterwards; at last, open them. */
bool session_make_net(Session *s, Error **errp);
bool session_add_filters(Session *s, Error **errp);
bool session_start_net(Session *s, Error **errp);
/* Where -bios NAME is looked for, in this order. */
void session_print_firmware_dirs(const Options *o, FILE *out);

/* session-guest.c: parts of that. */
bool session_add_objects(Session *s, Error **errp);
bool session_choose_memory(Session *s, Error **errp);
bool session_check_numa(const Session *s, Error **errp);
void session_set_rtc(Session *s);
void session_set_uuid(Session *s);

/*
 * session-process.c: what the process is to the host. session_daemonize() returns in the background
 * process, and the other one waits there until that is told to be ready, or ends.
 */
bool session_daemonize(Options *o, Error **errp);
bool session_daemon_ready(const Options *o, Error **errp);
bool session_write_pidfile(Session *s, Error **errp);
/* Once all is open: keep memory, change root and user, enter the sandbox. */
bool session_confine(Options *o, Error **errp);

/* session-sandbox.c: before there are threads that do what is denied. */
bool session_enter_sandbox(const SandboxOptions *options, Error **errp);

/* session-report.c: what became of a recording or replay, on stderr. Returns the exit code. */
int session_report(Session *s, const ExecResult *result);

#endif
