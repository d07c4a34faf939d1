/*
 * The execution loop's state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_EXEC_LOOP_INTERNAL_H
#define ACCEL_TCG_EXEC_LOOP_INTERNAL_H

#include "accel/tcg/exec-loop.h"
#include "replay/replay.h"

#define EXEC_MAX_SHIFT 10
#define ADAPT_PERIOD_NS 200000000
#define ADAPT_MIN_INSNS 1000000

typedef struct ExecClosure {
    void (*fn)(void *opaque);
    void *opaque;
    bool done;
} ExecClosure;

struct ExecLoop {
    Machine *machine;
    TcgContext *tcg;
    Replay *replay;
    ExecConfig config;
    GThread *thread;
    ReplaySource *request_source, *shift_source;

    /* Machine thread only. */
    int64_t icount;           /* instructions executed, between slices */
    int64_t zero;             /* what the clock subtracts between slices */
    uint64_t warps;
    uint64_t next_check;      /* icount of the next digest check; 0: none */
    unsigned turn_cpu;
    int64_t turn_left;        /* instructions left of its turn */
    int64_t adapt_time, adapt_idle, adapt_icount;
    Digest *digest;
    Vcpu *stepping;           /* what step_cpu was at the start of the turn */
    bool ended;
    ExecResult result;
    void (*ended_fn)(void *opaque);
    void *ended_opaque;
    GArray *listeners;        /* ExecListener */

    /* Under the lock. */
    GMutex lock;
    GCond wake;               /* the machine thread has something to look at */
    GCond state;              /* paused or a closure done */
    bool run_wanted, paused, woken, quit_wanted, thread_done;
    bool abandon;             /* leave without an end record */
    Vcpu *step_cpu;
    GList *closures;          /* ExecClosure * */
};

Vcpu *exec_loop_cpu(ExecLoop *l);
void exec_loop_wake(void *opaque);

#endif
