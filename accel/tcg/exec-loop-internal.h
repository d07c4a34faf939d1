/*
 * Between the files of the execution loop. Everything here is the machine thread's, but
 * for what stands under the lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_EXEC_LOOP_INTERNAL_H
#define ACCEL_TCG_EXEC_LOOP_INTERNAL_H

#include "accel/tcg/exec-loop.h"
#include "hw/core/memory-snapshot.h"
#include "replay/replay.h"

#define EXEC_MAX_SHIFT 10
/*
 * Instructions of a turn, while other CPUs wait for theirs. A change of turns costs some 2 us:
 * eight busy CPUs need 12 % more host time with 20,000, and 25 % more with 10,000.
 */
#define TURN_INSNS 50000

#define EXEC_MAX_CPUS 64

/* Whose turn it is; exec-sched.c. */
typedef struct ExecSched {
    unsigned cpu;                     /* whose turn it is: the one that executed last */
    int64_t left;                     /* instructions left of its turn */
    uint64_t ran[EXEC_MAX_CPUS];      /* how far each CPU has come */
    uint8_t asleep[EXEC_MAX_CPUS];    /* had nothing to do when it was looked at last */
} ExecSched;

typedef struct ExecClosure {
    void (*fn)(void *opaque);
    void *opaque;
    bool done;
    bool posted;              /* nobody waits for it: freed when done */
} ExecClosure;

/* A moment that the machine can go back to. */
typedef struct Snapshot {
    uint64_t position;
    int64_t time;             /* virtual, ns */
    uint64_t outputs;         /* replay_output_count() */
    GByteArray *state;        /* loop_save_state() */
    MemSnapshot *memory;
    guint keyframes;          /* it is the recording's keyframe `keyframes` - 1; 0: none */
} Snapshot;

/* What is known of the keyframes that were taken; exec-keyframes.c. */
typedef struct KeyframeTaker {
    MemSnapshot *memory;      /* at the last one; NULL: there was none */
    uint64_t count;
    uint64_t position;        /* of the last one */
    int64_t cpu_ns;           /* CPU time of the machine thread behind it */
    int64_t cost_ns;          /* CPU time that those before took, of both threads ... */
    uint64_t cost_weight;     /* ... and their weight, as below */
    int64_t writer_ns;        /* what the writer's thread took for all */
    int64_t credit_ns;        /* what the next one may cost at once */
    int64_t look_ns;          /* host time before which none is due */
    uint64_t first;           /* where the chain begins */
    uint64_t weight;          /* of all in the chain: pages, and something for each keyframe */
    uint64_t live;            /* pages that differed from those at power-on, counted last */
    bool renewing;            /* so that the chain can begin with `next_first` */
    uint64_t next_first;
    uint64_t next_weight;     /* of those from it on */
    uint64_t renewed;         /* pages below this one are done */
} KeyframeTaker;

/* Where the machine is going; exec-travel.c. */
typedef enum TravelKind {
    TRAVEL_NONE,
    TRAVEL_GO,                /* to `end`, then stop there for `stop.reason` */
    TRAVEL_TIME,              /* the same, to the first position at or behind `time` */
    TRAVEL_TEXT,              /* on, until the awaited text was put out */
    TRAVEL_TEXT_BACK,         /* to `end`, and back to the last place where it was put out */
    TRAVEL_STEP,              /* to `end`, noting where `cpu` executes */
    TRAVEL_FIND,              /* to `end`, noting breakpoints and watchpoints */
    TRAVEL_SEARCH,            /* to `end`, within a closure: exec-history.c */
} TravelKind;

/* A place at which a debugger would have stopped. */
typedef struct TravelStop {
    ExecStopReason reason;
    Vcpu *cpu;
    WatchHit hit;
} TravelStop;

typedef struct Travel {
    TravelKind kind;
    Vcpu *cpu;
    uint64_t start, end;      /* positions: of the snapshot that was restored; of the goal */
    int64_t time;             /* virtual, ns */
    bool has_found;
    uint64_t found;           /* the last position noted */
    TravelStop stop;          /* what is there */
} Travel;

struct ExecLoop {
    Machine *machine;
    TcgContext *tcg;
    Replay *replay;
    ExecConfig config;
    GThread *thread;
    ReplaySource *request_source, *shift_source, *write_source;

    /* Machine thread only. */
    int64_t icount;           /* instructions executed, between slices */
    int64_t zero;             /* what the clock subtracts between slices */
    uint64_t warps;
    ExecActions actions;
    uint64_t next_check;      /* icount of the next digest check; 0: none */
    ExecSched sched;
    ExecSched chosen;         /* what sched becomes when the chosen CPU executes */
    int64_t adapt_time, adapt_icount;
    int64_t adapt_idle;       /* host time since adapt_time in which no CPU was to run */
    int64_t pause_time;
    uint64_t chaos;           /* state of the generator of ExecConfig.state_chaos; 0: off */
    uint64_t chaos_at;        /* position of the next round; 0: not chosen yet */
    GPtrArray *snapshots;     /* Snapshot *, by position */
    uint64_t take_at;         /* the position of the next one; UINT64_MAX: none */
    uint64_t take_period;     /* positions from one to the next */
    uint64_t take_from;       /* the position since which it is waited for ... */
    int64_t take_time;        /* ... and the thread's CPU time there */
    MemSnapshot *start_memory;    /* what keyframes begin with; NULL: there are none */
    KeyframeTaker keyframe;
    Travel travel;
    GArray *breaks;           /* uint64_t positions to stop at, ascending */
    uint64_t passed;          /* breaks up to this position are behind */
    bool searching;           /* exec-history.c moves the machine: nobody is told of anything */
    Vcpu *executing;          /* within a slice */
    bool debugger_writes;     /* within loop_deliver_write() */
    bool scrambled;           /* within a round: the machine's state is a mess */
    uint64_t scrambled_at;    /* its position */
    Digest *digest;
    GByteArray *details;      /* of the last check */
    guint num_parts;          /* how much of it is not about pages */
    Vcpu *stepping;           /* what step_cpu was at the start of the turn */
    uint64_t stopping_at;     /* what stop_at was then */
    bool written;             /* whether the last debugger's write succeeded */
    Error *write_error;       /* why a device could not be plugged or unplugged; or NULL */
    bool over;                /* a replay is at its end, and the result is known */
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
    bool in_closure;          /* the machine moves perhaps, though it is paused */
    bool stood;               /* listeners were told of a stop; machine thread */
    bool interrupted;         /* somebody has come since a closure began, or waits already */
    unsigned stopping_threads; /* in exec_loop_stop() */
    bool abandon;             /* leave without an end record */
    unsigned watchers;        /* exec_loop_watch() */
    Vcpu *step_cpu;
    uint64_t stop_at;         /* position to stop at; UINT64_MAX: none */
    GList *closures;          /* ExecClosure * */
};

/* ---- exec-loop.c: position, and the turn ---- */

/* The CPU that executes, or did last; NULL on a machine without CPUs. */
Vcpu *exec_loop_cpu(ExecLoop *l);
uint64_t loop_icount(ExecLoop *l);
/* All that happens at this position by itself. False: not yet, or the run has ended. */
bool loop_settle(ExecLoop *l);
/* Go on from a settled boundary: a slice, idle time, or the end of the replay. */
void loop_execute(ExecLoop *l);

/* ---- exec-sched.c: turns and slices ---- */

/* All CPUs have been reset: none is behind. */
void loop_sched_reset(ExecLoop *l);
/* The CPU that goes next from this position; NULL when all wait. Changes no state. */
Vcpu *loop_choose_cpu(ExecLoop *l);
/* For the chosen CPU: instructions to where the loop has to look around; at least 1. */
int64_t loop_slice_length(ExecLoop *l);
/* Run the chosen CPU. True when it came to a breakpoint or watchpoint; listeners know. */
bool loop_run_slice(ExecLoop *l, int64_t length);

/* ---- exec-time.c: virtual time against host time ---- */

/* All CPUs wait. One step; the loop comes back here if that woke nobody. */
void loop_idle(ExecLoop *l);
void loop_adapt_shift(ExecLoop *l);
/* The VM stands still for a user: that host time is neither busy nor idle. */
void loop_time_paused(ExecLoop *l);
void loop_time_resumed(ExecLoop *l);
bool loop_deliver_shift(void *opaque, const uint8_t *payload, size_t length);

/* ---- exec-control.c: what other threads ask for ---- */

/*
 * Run closures, and pause until somebody wants the VM to run, take a step, or quit. True when
 * any of it happened: there may be more to do at this position.
 */
bool loop_serve_outside(ExecLoop *l);
/* True when there were any. */
bool loop_run_closures(ExecLoop *l);
/* Any thread: as machine_run_sync(), without waiting. */
void loop_post_closure(ExecLoop *l, void (*fn)(void *opaque), void *opaque);
/* Stop at the position that exec_loop_run_until() named. False: it is not reached. */
bool loop_stop_here(ExecLoop *l);
/* Steps keep to the order of turns: other CPUs run until it is this one's. */
void loop_take_step(ExecLoop *l);
void loop_tell_stopped(ExecLoop *l, ExecStopReason reason, Vcpu *cpu);
void loop_tell_event(ExecLoop *l, ExecEvent event, ShutdownCause cause);
void loop_tell_notice(void *opaque, MachineNotice what, const char *id, int64_t value);
void loop_tell_disk_error(void *opaque, const MachineDiskError *error);
void loop_tell_report(ExecLoop *l, MachineReport report);
void loop_tell_deleted(void *opaque, const Device *dev);
/* Any thread. */
void exec_loop_wake(void *opaque);

/* ---- exec-requests.c: shutdown, reset, powerdown ---- */

void loop_reset_state(ExecLoop *l);
/* True when the loop must not go on as it was about to. */
bool loop_take_requests(ExecLoop *l);
/* The log has nothing more to say, or something is wrong with it. */
void loop_finish_replay(ExecLoop *l);
/* Called with l->over set: end the run, or stop if a debugger or monitor watches the end. */
void loop_stand_at_end(ExecLoop *l);
/* In the order of ExecActions. False: one of them has no such value. */
bool loop_set_actions(ExecLoop *l, const uint8_t *actions);
bool loop_deliver_request(void *opaque, const uint8_t *payload, size_t length);

/* ---- exec-state.c: save and load ---- */

/* The loop's own state, as fn takes it. */
void loop_visit_state(ExecLoop *l, MachineStateFn *fn, void *opaque);
/* The same state without the content of memory, as snapshots have it. */
void loop_save_state(ExecLoop *l, GByteArray *out);
bool loop_load_state(ExecLoop *l, const uint8_t *data, size_t length, const MemSnapshot *memory,
                     Error **errp);
/* ExecConfig.state_chaos, at a settled boundary, if it is due. */
void loop_state_chaos(ExecLoop *l);

/* ---- exec-snapshots.c: moments to go back to ---- */

void loop_init_snapshots(ExecLoop *l);
/* At a settled boundary, or at power-on: take one, if it is due. */
void loop_take_snapshots(ExecLoop *l);
/* The newest one before that virtual time; NULL: none. */
const Snapshot *loop_find_snapshot_before(ExecLoop *l, int64_t time);
/* The newest one with at most so many outputs; the first one has none. */
const Snapshot *loop_find_snapshot_with(ExecLoop *l, uint64_t outputs);
/* The newest one at or before the position; NULL: none. */
const Snapshot *loop_find_snapshot(ExecLoop *l, uint64_t position);
/* The first one behind the position; NULL: none. */
const Snapshot *loop_snapshot_behind(ExecLoop *l, uint64_t position);
/* One that is not among those: of the present, which is settled. NULL can be freed. */
Snapshot *loop_make_snapshot(ExecLoop *l);
void loop_free_snapshot(Snapshot *s);
/* A failure leaves a machine that must not run on. */
bool loop_restore_snapshot(ExecLoop *l, const Snapshot *s, Error **errp);
/*
 * Go to the newest one at a position from..to, the recording's keyframes included. False with *err
 * NULL: there is none. With an error the machine must not run on.
 */
bool loop_go_to_snapshot(ExecLoop *l, uint64_t from, uint64_t to, Error **err);
/* Somebody watches, or does no longer; a journey begins: when the next one is due. */
void loop_plan_snapshots(ExecLoop *l);
/* What comes behind the present is not what it was. */
void loop_cut_snapshots(ExecLoop *l);
void loop_free_snapshots(ExecLoop *l);

/* ---- exec-keyframes.c: snapshots in the recording ---- */

/* At power-on, behind the reset. */
void loop_start_keyframes(ExecLoop *l);
void loop_free_keyframes(ExecLoop *l);
/* The next one is the first that this machine takes for its log: it needs none before it. */
void loop_begin_keyframes(ExecLoop *l);
/* At a settled boundary: put one into the recording, if it is due. */
void loop_take_keyframe(ExecLoop *l);
/* The recording's newest keyframe at a position from..to as a snapshot; NULL: none is good. */
Snapshot *loop_read_keyframe(ExecLoop *l, uint64_t from, uint64_t to);
/*
 * The position of the newest one before that virtual time, or with at most so many outputs, as
 * keyframes say; 0: there is none.
 */
uint64_t loop_keyframe_before(ExecLoop *l, int64_t time);
uint64_t loop_keyframe_with(ExecLoop *l, uint64_t outputs);

/* ---- exec-travel.c: where the machine is going ---- */

/* Whether there is anything to travel in now. */
bool loop_may_travel(ExecLoop *l, Error **errp);
/* A good snapshot cannot be restored any more: the recording has changed. Takes err. */
void loop_travel_failed(ExecLoop *l, Error *err);
/* The nearest position at which the loop has to stop; UINT64_MAX: none. */
uint64_t loop_next_stop(ExecLoop *l);
/* A journey has come to where it led: next stage, or stop. */
bool loop_travel_on(ExecLoop *l);
/* The machine is somewhere else now, and no journey goes on. */
void loop_arrived(ExecLoop *l);
/* The recording ends before. */
void loop_travel_ends(ExecLoop *l);
/* Virtual ns from now to the time that the journey leads to; CLOCK_NO_DEADLINE: to none. */
int64_t loop_travel_ns(ExecLoop *l);
/* Execution came to a breakpoint or watchpoint. True: it is noted, and execution goes on. */
bool loop_travel_hit(ExecLoop *l, ExecStopReason reason, Vcpu *cpu);
/* The CPU has executed up to the present position. */
void loop_travel_ran(ExecLoop *l, Vcpu *cpu);

/* ---- exec-debug.c: what a debugger writes ---- */

bool loop_deliver_write(void *opaque, const uint8_t *payload, size_t length);
/* One that writes `text`, a device to plug or the id of one to unplug. */
ExecWrite loop_write_plug(ExecLoop *l, bool plug, const char *text);

/* ---- exec-hotplug.c ---- */

/* The rest of such a write's payload. */
bool loop_deliver_plug(ExecLoop *l, ByteReader *in);
bool loop_deliver_unplug(ExecLoop *l, ByteReader *in);

/* ---- exec-check.c: what rrcheck= compares ---- */

/* From the current instruction count on: when the next one is. */
void loop_start_checks(ExecLoop *l);
/* The digest check, if it is due here. */
void loop_run_check(ExecLoop *l);

/* ---- exec-details.c: where two states differ ---- */

/* l->details = those of the state now; pages as memory_digest_dirty() makes them. */
void loop_make_details(ExecLoop *l, const GByteArray *pages);
/* ReplayHost.describe_digest: what was recorded against l->details. */
void loop_describe_digest(void *opaque, const uint8_t *recorded, size_t length, GString *out);

#endif
