/*
 * Record and replay, as the execution loop and system/ see it.
 *
 * Position: pos = instructions executed (taking an interrupt counts as one) + idle warps
 * passed. It only grows, is the same in recording and replay, and orders everything in the
 * log.
 *
 * 1. At a safe point the loop runs due timers, then calls replay_safe_point(),
 *    which delivers what belongs to this position: in record mode all that was
 *    posted; in replay mode the records whose pos is the current one.
 * 2. In replay mode the loop never runs past replay_next_pos().
 * 3. A synchronous record that does not match (kind, source, position) is a
 *    divergence: one central report, the VM stops, replay_failed() turns true.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include <glib.h>
#include "replay/sources.h"
#include "util/bytes.h"
#include "util/digest.h"

/*
 * The engine revision: raise it with every change after which an existing machine does something
 * else than before with the same input, so that its older recordings would diverge (length of
 * turns, timing of a device, a register's value). Recordings of another revision are refused.
 *
 * 1: the first. 2: timers and turns as of log format 3. 3: virt with a GICv2m frame, and empty
 * virtio transports as devices. 4: virtio devices have vectors in their state. 5: virt with a
 * platform bus and PCI Express. 6: root ports with hot-plug. 7: virtio devices have chains of
 * packed rings in their state, virt has an event device and ACPI tables.
 */
#define REPLAY_ENGINE_REVISION 8

typedef enum ReplayMode { REPLAY_MODE_NONE, REPLAY_MODE_RECORD, REPLAY_MODE_PLAY } ReplayMode;
typedef enum ReplayCheck { REPLAY_CHECK_OFF, REPLAY_CHECK_EVENTS, REPLAY_CHECK_DIGEST } ReplayCheck;

/* Numbers are part of the log format. */
typedef enum ReplayCheckpoint {
    CHECKPOINT_INIT = 0,
    CHECKPOINT_RESET = 1,
    CHECKPOINT_RESET_REQUESTED = 2,
} ReplayCheckpoint;

/* Sleep until woken or `until` ns have passed; returns the time to account, 0..until. */
typedef int64_t ReplaySleep(void *opaque, int64_t until);

typedef struct ReplayConfig {
    ReplayMode mode;
    const char *file;          /* rrfile=; NULL with RECORD: in memory */
    ReplayCheck check;         /* rrcheck= */
    uint64_t check_period;     /* rrcheckperiod=, instructions */
    bool keyframes;            /* rrkeyframe=: the recording gets them; PLAY: at its end */
    bool overwrite;            /* rroverwrite=: do not keep what is in the file */
} ReplayConfig;

/* What a report of divergence wants to know; set by the execution loop. */
typedef struct ReplayHost {
    uint64_t (*position)(void *opaque);
    uint64_t (*icount)(void *opaque);
    uint64_t (*pc)(void *opaque);
    void (*describe_cpu)(void *opaque, GString *out);
    /*
     * The digest differs: lines ("    cpu 0: ...\n") that say where, from the recorded details
     * and those of now. May be NULL.
     */
    void (*describe_digest)(void *opaque, const uint8_t *recorded, size_t length, GString *out);
    void *opaque;
    /* The digest that replay_end() would get now. May be NULL: replay_save_log() does without. */
    uint64_t (*digest)(void *opaque);
    /* How many pages of memory the machine has, as keyframes number them. NULL: none. */
    uint64_t (*pages)(void *opaque);
} ReplayHost;

/*
 * Create the module in the given mode. For replay the log's header is read and
 * checked here; errors name file and reason. The description is compared later.
 */
Replay *replay_new(const ReplayConfig *config, Error **errp);
/* Flush, close, free. In record mode without an end record the log stays replayable. */
void replay_free(Replay *r);
void replay_set_host(Replay *r, const ReplayHost *host);

/*
 * Self-description: name/value strings (cpu, ram, digests of kernel, initrd, dtb, ...),
 * each name once, before replay_start(). Names that begin with "info." (the command line
 * as it was typed) are stored for people and never compared.
 */
void replay_describe(Replay *r, const char *name, const char *value);
/* Names that begin so are of what states have with them: replay_machine_is() does not compare them. */
#define REPLAY_STATE_PREFIX "state."
/* The value stored in the log being replayed, or NULL. For "machine options left out". */
const char *replay_described(Replay *r, const char *name);

/*
 * All sources and descriptions are in: record writes the header to disk, replay
 * compares it with the log's. Fails naming the option and both values.
 */
bool replay_start(Replay *r, Error **errp);
/*
 * The description of this run's machine as text, and whether a text is that of the same machine:
 * false says what differs, as replay_start() would. After replay_start(); the text is for g_free.
 */
char *replay_machine_text(Replay *r);
bool replay_machine_is(Replay *r, const char *text, Error **errp);
/* Where replay_start() has put the file that had the recording's name, or NULL. */
const char *replay_old_file(Replay *r);

/*
 * Deliver what belongs to this safe point; true when something was delivered: the
 * loop then does its work at this boundary again (due timers, requests, safe point)
 * before it executes an instruction. Calls in which nothing is delivered are free
 * and need not be the same in recording and replay.
 */
bool replay_safe_point(Replay *r);

/*
 * Another safe point at this very position would deliver something (replay only):
 * the loop goes back there instead of executing. For loops that call checks
 * or checkpoints between their safe point and execution.
 */
bool replay_due(Replay *r);

/*
 * The position of the next record that bounds execution, or UINT64_MAX (live). It is the current
 * position when a synchronous record is due in the next instruction: the loop then runs exactly one
 * instruction. At the end of the log and after a divergence, too: ask replay_at_end() and
 * replay_failed() before running.
 */
uint64_t replay_next_pos(Replay *r);

/*
 * The named checkpoint is passed: drains like a safe point, a record when checking.
 * What is delivered after a checkpoint stays behind it on replay even if no
 * instruction ran in between. So call it wherever the loop changes guest state between
 * two safe points without moving the position: a reset above all. CHECKPOINT_INIT drains nothing:
 * the machine can be saved as it is at power-on, before anything comes in at the first safe point.
 */
void replay_checkpoint(Replay *r, ReplayCheckpoint checkpoint);

/*
 * A change that somebody makes to the guest from outside, a debugger's write: like a posted
 * payload of s, but delivered before this call returns. The loop calls it between a safe
 * point that delivered nothing more and the next instruction, with no request pending. True
 * when deliver() has run; false when the change is refused, because the guest of a replay
 * does what it did in the recording.
 */
bool replay_act(ReplaySource *s, const void *payload, size_t length);

/*
 * Idle: all CPUs wait. Either sleep() lets time pass, and what it returns is recorded, or, on
 * replay, the recorded amount comes back and nobody sleeps. True: *ns has to be added
 * to the virtual clock, and one to the position. False: no idle time was accounted here,
 * because something is delivered at this position, or the log ends; the loop goes on to
 * its safe point. `until` is how far the next timer is away (INT64_MAX: none); an amount
 * of just that length costs a few bits in the log, as `until` is the same on replay. Idle
 * time that follows from guest state (sleep=off) needs no call and costs no record.
 */
bool replay_idle(Replay *r, int64_t until, ReplaySleep *sleep, void *opaque, int64_t *ns);

/*
 * The machine would stop here of its own accord (-no-shutdown) until somebody lets it go on.
 * True: it stops. False: it goes on at once, since in the recording somebody did so.
 */
bool replay_may_stop(Replay *r);

/* Checks. On replay, kind and period are the recording's. */
ReplayCheck replay_check_kind(Replay *r);
uint64_t replay_check_period(Replay *r);
/*
 * details: what follows from the state, too, and makes it possible to say where two states
 * differ; at most REPLAY_MAX_DETAILS bytes, copied.
 */
#define REPLAY_MAX_DETAILS (REPLAY_MAX_PAYLOAD - 8)
void replay_check_digest(Replay *r, uint64_t digest, const uint8_t *details, size_t length);
void replay_check_event(Replay *r, unsigned vector, uint64_t pc);

/*
 * The machine ends. Record: write the end record (cause, position, digest) and finish
 * the file; false when it is not all there (disk full). Replay: compare; false on a
 * mismatch. Not for a user who leaves a replay early: then just stop.
 */
bool replay_end(Replay *r, unsigned cause, uint64_t digest);

/*
 * Replay reached the end of the log: its end record, or, in a recording that was cut
 * off, the last whole frame. A guest's own shutdown request at this
 * position goes first, so that replay_end() can compare it.
 */
bool replay_at_end(Replay *r);
/*
 * The replay stands at the end of its log, and the machine has not ended. Where the recording was
 * saved, its digest is compared. False: it differs, and that was reported.
 */
bool replay_check_end(Replay *r, uint64_t digest);
/* The log has no end record: what it holds ends in mid-run. */
bool replay_is_truncated(Replay *r);
/* What it holds ends in mid-run, and it is whole: saved or left, not killed or cut off. */
bool replay_was_saved(Replay *r);
/* A divergence or damage was reported: the loop stops, the exit code is 2. */
bool replay_failed(Replay *r);
/* The text of that report, or NULL. */
const char *replay_report(Replay *r);

/*
 * Where this run is in its recording, as part of a machine's state: appended to out, or taken
 * from there. To load, a replay goes to that place of its log, backwards or forwards; a state of
 * another recording is refused. Call both where replay_act() may be called.
 *
 * A machine that is being recorded goes back in its own recording: it is travelling, which is
 * like a replay, until it comes to the newest place again. There it is live, and the recording goes
 * on as if nothing had been. Input that is posted meanwhile is dropped. Nothing changes when that
 * is refused, because what leads to the newest place cannot be read back.
 */
void replay_save(Replay *r, GByteArray *out);
bool replay_load(Replay *r, ByteReader *in, Error **errp);

/*
 * What the guest has put out, as far as this process was there and it is kept (16 MiB, not without
 * recording or replay): at the port, or, with NULL, all ports, in front of position `upto`; at the
 * present one, what was put out before this call. Where something is missing, a line says so.
 */
bool replay_output_text(Replay *r, const char *name, uint64_t upto, GString *out, Error **errp);
/* The position of the instruction that put out the last byte of `text`, the first time from `from` on. */
bool replay_output_find(Replay *r, const char *text, uint64_t from, uint64_t *position);
/* Which one of the times that a text was put out, its last byte at positions from..before - 1. */
typedef struct ReplayWanted {
    const char *text;
    uint64_t from, before;
    uint64_t number;          /* from 1 on; 0: the last one */
} ReplayWanted;

/*
 * Look for a text among all outputs from the first one on, in their order: the known ones now, and
 * others as soon as the machine makes them, again or for the first time. Returns how many were
 * searched: from a place with at most so many (replay_output_count()) on the machine comes to all
 * the others. UINT64_MAX: the last one is wanted, and all before `before` are searched.
 * replay_output_awaited() is false until the text is found; a last one may be followed by another
 * until the machine has come to `before`. One text at a time. Machine thread.
 */
uint64_t replay_output_await(Replay *r, const ReplayWanted *wanted);
uint64_t replay_output_count(const Replay *r);
bool replay_output_awaited(const Replay *r, uint64_t *position);

/*
 * While recording, to a file or in memory: write what is recorded up to the newest position to
 * `file`, as a recording of its own. Replayed, it ends there: with an end record, to compare the
 * state, or, when the machine is in the past now, without one. What is in the
 * file already is kept as FILE.old, or, with `overwrite`, is not. Nothing is left behind on
 * failure. A place in the recording (replay_save()) is one in the copy. Call it where replay_act()
 * may be.
 */
bool replay_save_log(Replay *r, const char *file, bool overwrite, Error **errp);

/*
 * In a replay, or travelling: from this place on the machine is live. What the log has from here on
 * is not replayed. With a file it is recorded there, and that is a complete recording from the very
 * start (an older file is kept as FILE.old). Without one it is not recorded, unless it was when it
 * went back in its recording: one in memory then goes on from here, and one in a file refuses,
 * since it would lose what it has. States that were saved up to this place stay good, in both
 * directions. Call it where replay_act() may be. On failure nothing has changed.
 */
bool replay_go_live(Replay *r, const char *file, Error **errp);

/*
 * Keyframes: states of the machine in the recording, so that a replay in a new process gets to a
 * place without running from the start. Only the recorder decides where they are; a replay without
 * them does the same. Machine thread, where replay_act() may be called.
 */
#define REPLAY_PAGE_SIZE 4096

typedef struct ReplayPage {
    uint64_t number;          /* the machine's own numbering */
    const uint8_t *content;   /* NULL: zeros */
    const uint8_t *start;     /* its content behind the reset at power-on; NULL: zeros */
} ReplayPage;

typedef struct ReplayKeyframe {
    uint64_t chain;           /* how many keyframes before this one its memory builds on */
    int64_t time;             /* virtual, ns */
    GByteArray *state;        /* all but the content of memory */
    GArray *pages;            /* ReplayPage, ascending: those that changed since the keyframe before, at least */
    GArray *marked;           /* uint64_t page numbers, ascending, with a meaning of the machine's */
    uint64_t outputs;         /* replay_output_count(), filled by replay_put_keyframe() ... */
    GPtrArray *text;          /* ... as are the outputs since the keyframe before (replay-output.c) */
    void (*release)(void *opaque);   /* contents are not needed any more; another thread; or NULL */
    void *opaque;
} ReplayKeyframe;

ReplayKeyframe *replay_keyframe_new(void);
void replay_keyframe_free(ReplayKeyframe *k);

/*
 * rrkeyframe=: this machine is being recorded with them, and is live; or it is a replay, whose
 * recording has not got them yet. They are put in the order of their positions.
 */
bool replay_has_keyframe_writer(Replay *r);
/* One may be put: those before are written, at this cost of another thread's CPU time. */
bool replay_keyframe_writer_ready(Replay *r, int64_t *cost_ns);
/*
 * The machine is in this state at the present position. Takes k; the pages' contents must stay as
 * they are until replay_keyframe_writer_ready() or replay_wait_keyframes().
 */
void replay_put_keyframe(Replay *r, ReplayKeyframe *k);
void replay_wait_keyframes(Replay *r);

/* What became of the keyframes that a replay's recording was to get. */
typedef struct ReplayAdded {
    unsigned keyframes;       /* how many it has now */
    char *old;                /* the name of the recording without them; or NULL: */
    char *failure;            /* why it is what it was */
} ReplayAdded;

/* NULL: it was not to get any, or the machine went live instead. After the machine thread. */
const ReplayAdded *replay_added(Replay *r);

typedef struct ReplayKeyframeAbout {
    int64_t time;             /* virtual, ns */
    uint64_t outputs;         /* replay_output_count() */
    guint first;              /* whose pages are needed, if no other memory is there */
} ReplayKeyframeAbout;

/*
 * How many the log has that is being replayed, and the number of the i-th of them, by which the
 * others know it. What they hold is untrusted input. One that is damaged is refused, with those
 * that build on it: functions return false then, and there are less.
 */
guint replay_num_keyframes(Replay *r);
guint replay_keyframe_number(Replay *r, guint i);
bool replay_keyframe_is_usable(Replay *r, guint n);
uint64_t replay_keyframe_position(Replay *r, guint n);
bool replay_keyframe_about(Replay *r, guint n, ReplayKeyframeAbout *out);
/*
 * Keyframe n: its state, its marked pages, and the newest content of the pages that keyframes from
 * `base` on have, each one once, in any order: those in which memory differs from that at keyframe
 * `base` - 1, or, if that is ReplayKeyframeAbout.first, from that at power-on, and maybe others.
 *
 * bytes: the page's content, NULL: zeros; or, with `difference`, its exclusive or with the content
 * behind the reset at power-on, as most of a kernel's pages differ in a few bytes from what was
 * loaded.
 */
typedef void ReplayPageFn(void *opaque, uint64_t number, const uint8_t *bytes, bool difference);
bool replay_read_keyframe(Replay *r, guint n, guint base, GByteArray *state, GArray *marked,
                          ReplayPageFn *fn, void *opaque);
/*
 * What is wrong with keyframe n: it and those that build on it are not used any more; and none at
 * all, if many were wrong.
 */
void replay_refuse_keyframe(Replay *r, guint n, const Error *why);

/* The one mutex of the log. replay_mutex_locked() is true when this thread holds it. */
void replay_mutex_lock(Replay *r);
void replay_mutex_unlock(Replay *r);
bool replay_mutex_locked(Replay *r);

/* Machine thread, between two instructions: input from outside is let in (none, record). */
bool replay_is_live(Replay *r);
/* "none", "record", "replay", or, in the past of a machine that is being recorded, "travelling". */
const char *replay_mode_name(const Replay *r);
/* A recording is being made, be the machine live or in its past. */
bool replay_is_recording(const Replay *r);
/*
 * The recording's last position: where a replay will end, and where a machine in the past of its
 * recording is live again. Of a live one, the present. False: nothing is recorded or replayed.
 * Machine thread.
 */
bool replay_last_position(Replay *r, uint64_t *position);
/* The recording's path; NULL in mode none, and of a recording in memory. */
const char *replay_file(const Replay *r);
/* "info replay". */
void replay_info(Replay *r, GString *out);

#endif
