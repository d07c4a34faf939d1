/*
 * Who wrote to memory: searches through the recording that a machine travels in. They look at every
 * position of a stretch and leave the machine where it was; its user's breakpoints, watchpoints and
 * listeners notice nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_EXEC_HISTORY_H
#define ACCEL_TCG_EXEC_HISTORY_H

#include "accel/tcg/exec-loop.h"

#define EXEC_HISTORY_MAX_LENGTH 4096

typedef enum ExecWriter {
    EXEC_WRITER_CPU,
    EXEC_WRITER_DEVICE,
    EXEC_WRITER_DEBUGGER,     /* exec_loop_write_...() */
} ExecWriter;

/* What one instruction, device or debugger did to the memory at one position. */
typedef struct ExecMemoryWrite {
    uint64_t position;        /* in front of the instruction */
    ExecWriter writer;
    const char *device;       /* its region that was accessed; NULL: by itself, or no device */
    int cpu;                  /* whose instruction it was, or accessed the device; -1: none */
    uint64_t pc;              /* of that instruction */
    unsigned first, length;   /* which bytes, from the start of the memory asked for */
    uint8_t *before, *after;  /* length bytes each */
} ExecMemoryWrite;

typedef enum ExecHistoryKind {
    EXEC_HISTORY_LAST,        /* the last write before the present */
    EXEC_HISTORY_NEXT,        /* the first one from here on */
    EXEC_HISTORY_ALL,         /* those from `from` to `to`, the first `max` */
} ExecHistoryKind;

/* A question, and its answer. */
typedef struct ExecHistory {
    ExecHistoryKind kind;
    /*
     * The memory: what this CPU sees now at the virtual address `addr`; with NULL, at the physical
     * one. The answer is about this memory, by whatever address it was written.
     */
    Vcpu *cpu;
    uint64_t addr;
    unsigned length;          /* 1..EXEC_HISTORY_MAX_LENGTH */
    uint64_t from, to;        /* positions; a `to` of UINT64_MAX: the present */
    unsigned max;
    /* The answer is there. Machine thread. */
    void (*done)(struct ExecHistory *h);
    void *opaque;

    GArray *writes;           /* ExecMemoryWrite, by position */
    bool full;                /* there may be more than `max` */
    bool interrupted;         /* there may be more behind `searched` (LAST: before it) */
    uint64_t searched;
    Error *err;               /* or why there is no answer */
} ExecHistory;

ExecHistory *exec_history_new(ExecHistoryKind kind);
void exec_history_free(ExecHistory *h);
/*
 * Ask; any thread. The machine thread answers as soon as it comes to it, and serves nobody
 * meanwhile. So whoever wants something else of it (machine_run_sync(), exec_loop_stop(), the end)
 * interrupts the search.
 */
void exec_loop_ask_history(ExecLoop *l, ExecHistory *h);
/* Whatever is searched now is given up soon; any thread. */
void exec_loop_interrupt_history(ExecLoop *l);

#endif
