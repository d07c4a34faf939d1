/*
 * The execution loop: the machine thread. Runs vCPUs round-robin in
 * deterministic slices, virtual timers at exact instruction counts, safe points,
 * idle time, resets and shutdown.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_EXEC_LOOP_H
#define ACCEL_TCG_EXEC_LOOP_H

#include "accel/tcg/tcg.h"

typedef struct ExecLoop ExecLoop;

/*
 * What becomes of the machine when its guest does something: -action and set-action. They are part of
 * its state, and numbers reach files: never renumber.
 */
typedef enum ExecRebootAction { EXEC_REBOOT_RESET = 0, EXEC_REBOOT_SHUTDOWN = 1 } ExecRebootAction;
typedef enum ExecShutdownAction {
    EXEC_SHUTDOWN_POWEROFF = 0, EXEC_SHUTDOWN_PAUSE = 1
} ExecShutdownAction;
typedef enum ExecPanicAction {
    EXEC_PANIC_SHUTDOWN = 0, EXEC_PANIC_PAUSE = 1, EXEC_PANIC_EXIT_FAILURE = 2, EXEC_PANIC_NONE = 3
} ExecPanicAction;
typedef enum ExecWatchdogAction {
    EXEC_WATCHDOG_RESET = 0,
    EXEC_WATCHDOG_SHUTDOWN = 1,   /* press the power button */
    EXEC_WATCHDOG_POWEROFF = 2,
    EXEC_WATCHDOG_PAUSE = 3,
    EXEC_WATCHDOG_DEBUG = 4,      /* say so on stderr */
    EXEC_WATCHDOG_NONE = 5,
} ExecWatchdogAction;

#define EXEC_ACTION_KEEP 255      /* of a change of actions: this one stays what it is */

typedef struct ExecActions {
    uint8_t reboot, shutdown, panic, watchdog;
} ExecActions;

typedef struct ExecConfig {
    bool icount;              /* -icount given (implied by record and replay) */
    bool shift_auto;
    unsigned shift;           /* initial, 0..10 */
    bool sleep;               /* idle time passes in real time */
    ExecActions actions;      /* at the start */
    /*
     * For tests. Not 0: at random positions, every so many instructions on average, save the
     * machine, scramble all state, and load it again. The seed of these positions.
     */
    uint64_t state_chaos, state_chaos_period;
    /*
     * rrmem=: bytes for snapshots, the moments to go back to; 0: there are none, and no travelling.
     * They are taken while somebody watches or the machine travels, or with snapshot_always all the
     * time.
     */
    uint64_t travel_memory;
    bool snapshot_always;
    uint64_t snapshot_period; /* for tests: positions from one to the next; 0: by their cost */
    /*
     * rrkeyframe=: the host time in which a replay in a new process gets to any place, as far as it
     * depends on how many keyframes the recording has.
     */
    int64_t keyframe_ns;
    uint64_t keyframe_positions; /* for tests: instead of it, positions, whatever that costs */
    bool stop_at_end;         /* the end of a replay is a stop, as if somebody looked */
    bool start_paused;        /* -S */
} ExecConfig;

typedef enum ExecStopReason {
    EXEC_STOP_PAUSED,         /* exec_loop_stop() */
    EXEC_STOP_BREAKPOINT,
    EXEC_STOP_WATCHPOINT,     /* cpu->watch_hit, until the VM goes on, says which */
    EXEC_STOP_STEPPED,
    EXEC_STOP_POSITION,       /* exec_loop_run_until(), exec_loop_seek(), exec_loop_add_break() */
    EXEC_STOP_SHUTDOWN,       /* with -no-shutdown */
    EXEC_STOP_PANICKED,       /* -action panic=pause */
    EXEC_STOP_WATCHDOG,       /* -action watchdog=pause */
    EXEC_STOP_IO_ERROR,       /* werror=stop, rerror=stop */
    EXEC_STOP_REPLAY_BEGIN,   /* there is nothing to go back to before this */
    EXEC_STOP_REPLAY_END,     /* the log is at its end (or diverged) */
} ExecStopReason;

typedef enum ExecEvent {
    EXEC_EVENT_RESUMED,       /* exec_loop_cont() while it stood still */
    EXEC_EVENT_RESET,
    EXEC_EVENT_POWERDOWN,
    EXEC_EVENT_SHUTDOWN,
    EXEC_EVENT_REPLAY_END,    /* the replay has come to the end of its log ... */
    EXEC_EVENT_REPLAY_DIVERGED,   /* ... or cannot go on: replay_report() says why */
} ExecEvent;

typedef struct ExecListener {
    /* The VM stopped on cpu: called on the machine thread, which then waits. */
    void (*stopped)(void *opaque, ExecStopReason reason, Vcpu *cpu);
    /*
     * Called on the machine thread or the one that calls exec_loop_cont(); must not call the
     * loop. cause is the one of a reset or shutdown, else NONE. May be NULL.
     */
    void (*event)(void *opaque, ExecEvent event, ShutdownCause cause);
    /* A device has something to tell of. Machine thread; may be NULL. */
    void (*notice)(void *opaque, MachineNotice what, const char *id, int64_t value);
    /* A device told something of the guest; actions say what comes of it. Machine thread; may be NULL. */
    void (*report)(void *opaque, MachineReport report, const ExecActions *actions);
    /* The guest has let go of a device, which is about to go. Machine thread; may be NULL. */
    void (*deleted)(void *opaque, const Device *dev);
    /* The image of a disk failed. Machine thread; may be NULL. */
    void (*disk_error)(void *opaque, const MachineDiskError *error);
    void *opaque;
} ExecListener;

/* What the run ended with. */
typedef struct ExecResult {
    ShutdownCause cause;
    int exit_code;            /* 0; 1: incomplete recording; 2: divergence or damaged log */
    bool guest_failed;        /* it panicked, and -action panic=exit-failure wants that told */
    uint64_t icount;
    uint64_t digest;          /* final state; valid with record or replay */
    bool digest_valid;
} ExecResult;

/* m and tcg must outlive the loop; config is copied. */
ExecLoop *exec_loop_new(Machine *m, TcgContext *tcg, const ExecConfig *config);
/* After exec_loop_join(), or when it was never started. */
void exec_loop_free(ExecLoop *l);
/* Before exec_loop_start(). The listener is copied, its opaque is not. */
void exec_loop_add_listener(ExecLoop *l, const ExecListener *listener);

/* Start the machine thread. `ended` is called on the machine thread, last. */
void exec_loop_start(ExecLoop *l, void (*ended)(void *opaque), void *opaque);
/* Wait for its end. */
ExecResult exec_loop_join(ExecLoop *l);

/* Any thread but the machine thread from here on. */

/* Run fn on the machine thread at a safe point and wait until it returned. */
void machine_run_sync(ExecLoop *l, void (*fn)(void *opaque), void *opaque);

/* Pause at a safe point and wait; continue. Neither changes guest state. */
void exec_loop_stop(ExecLoop *l);
void exec_loop_cont(ExecLoop *l);
bool exec_loop_running(ExecLoop *l);
/*
 * Somebody looks at the machine (a debugger connects), or does no longer. While anybody does, and
 * with stop_at_end, the end of a replay is a stop (EXEC_STOP_REPLAY_END): one may look around,
 * or load an earlier state; to continue there stops again. Else a replay's end is the run's.
 */
void exec_loop_watch(ExecLoop *l, bool watch);
/*
 * Run until cpu has executed exactly one instruction, then stop with EXEC_STOP_STEPPED. The
 * order of turns is kept, so that stepping never changes what the guest does.
 */
void exec_loop_step(ExecLoop *l, Vcpu *cpu);
/* Continue, and stop with EXEC_STOP_POSITION at this position, or at once when it is behind. */
void exec_loop_run_until(ExecLoop *l, uint64_t position);

/*
 * Time travel: go to another position of the recording and stop there. These return at once; that
 * the machine has arrived is told as any stop. exec_loop_stop() ends a journey where it is.
 * False: it stays where it is, as no recording is there to travel in, or it has ended.
 */

/* Whether there is anything to travel in, for as long as the machine runs. */
bool exec_loop_can_travel(ExecLoop *l);
/* Whether it is on a journey now. */
bool exec_loop_travelling(ExecLoop *l);
/*
 * To a position, whatever breakpoints and watchpoints there are: EXEC_STOP_POSITION, or
 * EXEC_STOP_REPLAY_END when the recording ends before.
 */
bool exec_loop_seek(ExecLoop *l, uint64_t position, Error **errp);
/* By so many ns of virtual time: to the first position at or behind that moment. */
bool exec_loop_seek_by(ExecLoop *l, int64_t ns, Error **errp);
/*
 * To where the guest had just put out the text, at one port: for the first time (number 1) or a
 * later one, from power-on or from here on, or for the last time before it came here (number is 1
 * then). What this process has not seen put out is run through, a live machine included, until the
 * text comes.
 */
typedef enum ExecTextFrom {
    EXEC_TEXT_FROM_START,
    EXEC_TEXT_FROM_HERE,
    EXEC_TEXT_BEFORE_HERE,
} ExecTextFrom;
bool exec_loop_seek_text(ExecLoop *l, const char *text, ExecTextFrom from, uint64_t number,
                         Error **errp);
/*
 * Back to where cpu is about to execute the instruction that it executed last: EXEC_STOP_STEPPED,
 * or EXEC_STOP_WATCHPOINT when that makes a watched access. If it has executed none: to the
 * beginning, EXEC_STOP_REPLAY_BEGIN. What others executed since has stopped nobody.
 */
bool exec_loop_reverse_step(ExecLoop *l, Vcpu *cpu, Error **errp);
/*
 * Back to the last moment at which a breakpoint, a watchpoint or a position of
 * exec_loop_add_break() would have stopped the machine; else to the beginning,
 * EXEC_STOP_REPLAY_BEGIN. At a watchpoint the access has not been made yet.
 */
bool exec_loop_reverse_cont(ExecLoop *l, Error **errp);

/*
 * Requests from outside; recorded through replay_post(). Also usable while paused. False: the
 * request has no effect, as in a replay only what was recorded happens. To quit always has.
 */
bool exec_loop_request(ExecLoop *l, ShutdownCause cause);
/* Other actions from now on, but for those that are EXEC_ACTION_KEEP. The same in everything else. */
bool exec_loop_set_actions(ExecLoop *l, const ExecActions *actions);

/* For monitors: call through machine_run_sync(). */

/* Positions at which the machine stops, in either direction. False: it is there already, or not. */
bool exec_loop_add_break(ExecLoop *l, uint64_t position);
bool exec_loop_remove_break(ExecLoop *l, uint64_t position);
/* uint64_t, ascending; the loop's. */
const GArray *exec_loop_breaks(ExecLoop *l);
/* Of the whole state: CPUs, devices and memory. What ExecResult has at the end. */
uint64_t exec_loop_digest(ExecLoop *l);

/* The moments in memory that journeys begin at. */
typedef struct ExecSnapshotInfo {
    unsigned number;
    uint64_t bytes, budget;   /* a budget of 0: there are none */
} ExecSnapshotInfo;

void exec_loop_snapshot_info(ExecLoop *l, ExecSnapshotInfo *out);

/*
 * What a debugger's user changes in the guest goes through these alone: it is recorded, and
 * delivered at the same position on replay. In a replay it is refused, as its guest does what
 * it did in the recording; tell the user to make it live.
 */
typedef enum ExecWrite {
    EXEC_WRITE_DONE,
    EXEC_WRITE_FAILED,        /* no memory there, or a value that is not possible */
    EXEC_WRITE_REFUSED,       /* in a replay; nothing was written */
} ExecWrite;

#define EXEC_WRITE_REFUSAL "the guest of a replay cannot be changed: make it live first " \
                           "(replay_golive)"
/* Bytes at once. */
#define EXEC_MAX_WRITE 32768

/* reg in gdb's numbering (VcpuOps.gdb); data has as many bytes as the register. */
ExecWrite exec_loop_write_register(ExecLoop *l, Vcpu *cpu, unsigned reg, const uint8_t *data);
/* RAM and ROM, 1..EXEC_MAX_WRITE bytes. Bytes in front of a hole may have been written. */
ExecWrite exec_loop_write_memory(ExecLoop *l, Vcpu *cpu, uint64_t vaddr, const void *data,
                                 size_t length);
ExecWrite exec_loop_write_physical(ExecLoop *l, hwaddr addr, const void *data, size_t length);

/*
 * device_add, `text` as -device has it, and device_del: input of the same kind, recorded, and refused in a
 * replay. Call through machine_run_sync(). What could not be plugged has left nothing behind.
 */
bool exec_loop_plug(ExecLoop *l, const char *text, Error **errp);
bool exec_loop_unplug(ExecLoop *l, const char *id, Error **errp);

/*
 * The state of the whole machine: guest, clock, turns, and the place in the recording. Call
 * through machine_run_sync(). Saving changes nothing and appends to out. What is loaded has to
 * come from a machine of the same configuration, and in a replay from the same recording; a
 * failure says what differs, and the machine must not run on then. Loading leaves translations
 * of unchanged pages in place.
 */
bool machine_save(ExecLoop *l, GByteArray *out, Error **errp);
bool machine_load(ExecLoop *l, const uint8_t *data, size_t length, Error **errp);

/*
 * machine_load() for whoever looks at the machine, which stays what it was when the state does not
 * fit. Through machine_run_sync(). A journey ends; whether the machine runs stays as it is.
 */
bool exec_loop_load(ExecLoop *l, const uint8_t *data, size_t length, Error **errp);

/*
 * replay_go_live() for the whole machine; through machine_run_sync(). At the end of a recording that
 * has no end record, too; not on a journey, whose end is the place that is meant.
 */
bool exec_loop_go_live(ExecLoop *l, const char *file, Error **errp);

Machine *exec_loop_machine(ExecLoop *l);
TcgContext *exec_loop_tcg(ExecLoop *l);
uint64_t exec_loop_position(ExecLoop *l);

#endif
