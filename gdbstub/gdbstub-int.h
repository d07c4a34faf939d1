/*
 * Between the files of gdbstub/: the connection and run control (gdbstub.c), commands
 * on state (gdb-state.c), queries (gdb-query.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GDBSTUB_INT_H
#define GDBSTUB_INT_H

#include "gdbstub/gdbstub.h"
#include "gdbstub/packet.h"

enum GdbSignal { GDB_SIGNAL_INT = 2, GDB_SIGNAL_TRAP = 5 };

typedef struct GdbWatch {
    WatchKind kind;
    uint64_t addr, length;
} GdbWatch;

typedef struct GdbStop {
    ExecStopReason reason;
    unsigned cpu;
    WatchHit hit;
} GdbStop;

struct GdbStub {
    GdbEnv env;
    Chardev *chr;
    ExecListener listener;
    GdbParser parser;
    bool connected;
    bool watching;             /* exec_loop_watch() */
    bool no_ack;
    bool swbreak;              /* gdb understands the stop reason */
    bool multiprocess;         /* thread ids are "pPID.TID"; there is one process, 1 */
    bool physical;             /* m, M and X mean physical addresses */
    bool asking;               /* gdb waits for the answer to "monitor" */
    bool running;              /* gdb waits for a stop reply */
    bool commanding;           /* gdb waits for the end of a journey that "monitor" began */
    bool interrupted;          /* Ctrl-C, and gdb's user has not been told of a stop since */
    bool stepping;             /* what runs, or ran last, is a step of step_cpu */
    bool backwards;            /* what runs, or ran last, is "bs" or "bc" */
    WatchHit undone;           /* the access that the machine went back over; kind NONE: none */
    unsigned cpu;              /* of "Hg": what state commands look at */
    unsigned step_cpu;         /* of "Hc" */
    unsigned stop_cpu;         /* that the last stop was on */
    GHashTable *breakpoints;   /* addresses, uint64_t* */
    GArray *watches;           /* GdbWatch */
    GByteArray *last;          /* the last packet sent, for a NAK */

    GMainContext *context;
    GSource *patience;         /* runs now and then while gdb waits for "monitor"; or NULL */
    GSource *notify;           /* made ready by the machine thread */
    GMutex lock;               /* guards the two below */
    bool stop_pending;
    GdbStop stop;
};

/*
 * A command's arguments follow its letter or name. It appends its reply (empty: not
 * supported, as the protocol has it); false: no reply at all.
 */
typedef bool GdbCommand(GdbStub *g, const char *args, size_t length, GString *reply);

Vcpu *gdb_vcpu(GdbStub *g, unsigned index);
unsigned gdb_num_cpus(GdbStub *g);
/* "E.." */
void gdb_error(GString *reply, unsigned number);
void gdb_send(GdbStub *g, const char *data, size_t length);
/*
 * The CPU of a thread id: "1", "p1.1", or any of them ("-1", "0", "p1", "p1.-1", "p-1"); false: no
 * such thread.
 */
bool gdb_parse_thread(GdbStub *g, const char **text, bool *any, unsigned *cpu);
/* Forget that the machine stopped: what it does next is waited for. */
void gdb_forget_stop(GdbStub *g);
void gdb_put_thread(GdbStub *g, GString *out, unsigned cpu);
/* "monitor" has not been answered yet: let gdb know that it will be. */
void gdb_ask_patience(GdbStub *g);

/* gdb-state.c */
GdbCommand gdb_read_registers, gdb_write_registers, gdb_read_register, gdb_write_register,
           gdb_read_memory, gdb_write_memory, gdb_write_memory_binary,
           gdb_insert_breakpoint, gdb_remove_breakpoint;
void gdb_clear_breakpoints(GdbStub *g);
/* False, and the error in reply, when it cannot be set. */
bool gdb_set_pc(GdbStub *g, unsigned cpu, uint64_t pc, GString *reply);

/* gdb-query.c */
GdbCommand gdb_query, gdb_set;

#endif
