/*
 * A server for gdb's remote protocol. It stops the machine when gdb connects, shows
 * each CPU as a thread, and runs "monitor" commands. Guest state is reached through
 * machine_run_sync() and observer accesses alone, so a debugger changes nothing that
 * a recording would notice, except what its user writes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GDBSTUB_GDBSTUB_H
#define GDBSTUB_GDBSTUB_H

#include "accel/tcg/exec-loop.h"
#include "accel/tcg/gdb-target.h"
#include "chardev/chardev.h"

typedef struct GdbStub GdbStub;

typedef struct GdbEnv {
    ExecLoop *loop;
    const GdbTarget *target;
    /*
     * gdb's "monitor LINE"; what it prints is appended to out. False: answer(answer_opaque) will be
     * called with the rest, on the main thread. May be NULL.
     */
    bool (*monitor)(void *opaque, const char *line, GString *out,
                    void (*answer)(void *opaque, const char *text), void *answer_opaque);
    void *opaque;
} GdbEnv;

/* Serve gdb on chr (claimed by the caller). env is copied. After exec_loop_start(). */
GdbStub *gdbstub_new(const GdbEnv *env, GMainContext *context, Chardev *chr);
/* After the machine thread has ended. */
void gdbstub_free(GdbStub *g);

#endif
