/*
 * The module's inside: one struct, and one table of functions a mode. What the
 * modes do differently is in replay-record.c (none and record), replay-play.c and
 * replay-travel.c; no other file knows which mode is on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_INT_H
#define REPLAY_REPLAY_INT_H

#include "replay/replay-add.h"
#include "replay/replay-cursor.h"
#include "replay/replay-describe.h"
#include "replay/replay-kinds.h"
#include "replay/replay-log.h"
#include "replay/replay-queue.h"
#include "replay/replay.h"

typedef struct ReplayModeOps {
    const char *name;
    ReplayMode mode;
    bool (*is_live)(Replay *r);
    void (*value)(ReplaySource *s, ReplayProduce *produce, void *opaque, void *out,
                  size_t length);
    /* Deliver what is due; see replay_safe_point(). */
    bool (*deliver)(Replay *r);
    bool (*due)(Replay *r);
    uint64_t (*next_pos)(Replay *r);
    /* A record of class MARK passes here, with exactly this payload. */
    void (*mark)(Replay *r, ReplayKind kind, const void *payload, size_t length);
    bool (*act)(ReplaySource *s, const void *payload, size_t length);
    bool (*idle)(Replay *r, int64_t until, ReplaySleep *sleep, void *opaque, int64_t *ns);
    bool (*may_stop)(Replay *r);
    bool (*start)(Replay *r, Error **errp);
    bool (*end)(Replay *r, const void *payload, size_t length);
    bool (*at_end)(Replay *r);
    void (*place)(Replay *r, ReplayPlace *out);
    bool (*go)(Replay *r, const ReplayPlace *place, Error **errp);
    void (*info)(Replay *r, GString *out);
} ReplayModeOps;

extern const ReplayModeOps replay_mode_none;
extern const ReplayModeOps replay_mode_record;
extern const ReplayModeOps replay_mode_play;
extern const ReplayModeOps replay_mode_travel;

typedef struct ReplayOutputs ReplayOutputs;

/* What the guest has put out once. */
typedef struct ReplayOutputEntry {
    uint64_t number;          /* from 0 */
    uint64_t pos;
    unsigned port;
    const uint8_t *bytes;
    size_t length;
} ReplayOutputEntry;

/* False: no more of them. */
typedef bool ReplayOutputFn(void *opaque, const ReplayOutputEntry *e);

struct ReplaySource {
    Replay *replay;
    ReplayKind kind;
    char *name;
    ReplayDeliver *deliver;
    void (*live)(void *opaque);
    void *opaque;
    uint32_t index;           /* in this run's table */
    uint32_t recorded;        /* in the log's table; REPLAY_NO_SOURCE: not there */
};

struct Replay {
    const ReplayModeOps *ops; /* machine thread, once it runs */
    char *file;               /* NULL: none, or a recording in memory */
    ReplayHost host;
    ReplayDescription *description;   /* of this run */
    const ReplayDescription *recorded; /* of the log that is replayed, the cursor's */
    ReplayCheck check;
    uint64_t check_period;
    GPtrArray *sources;
    GPtrArray *late_sources;  /* replay_source_add(): in no recording */
    ReplayOutputs *outputs;
    char *refusal;
    ReplayQueue *queue;
    bool overwrite;           /* record: what is in the file need not be kept */
    ReplayLogWriter *writer;  /* record, travelling */
    ReplayCursor *cursor;     /* play, travelling */
    bool keyframes;           /* record, play: the log gets them */
    ReplayAdder *adder;       /* play: until the end, where they are in the log */
    ReplayAdded added;        /* play: what became of that */
    uint64_t keyframe_outputs;    /* record: how many outputs they have by now */
    ReplayLogReader *keyframe_reader;   /* play: NULL until somebody asks */
    GArray *keyframe_list;    /* ReplayIndexEntry; as long as keyframe_reader is there */
    GArray *keyframes_usable; /* guint: numbers of those in the list that were not refused */
    unsigned keyframes_refused;
    guint keyframes_told;     /* those before this one have told what was put out up to them */

    /* What happened at position order_pos already: the order word of records. */
    uint64_t order_pos;
    uint32_t checkpoints;
    bool delivered;

    /* Travelling: where it is live again. Record: what that was last; the log leads up to there. */
    ReplayPlace newest;
    /* Recordings that this one began as (ReplayPlace), each with up to where. */
    GArray *ancestors;

    /* Record: a busy machine without input writes how far it got, this often. */
    int64_t progress_period_ns;
    int64_t put_ns;           /* host time of the last record */

    bool started;
    bool ended;               /* an end record was written or compared */
    bool told_truncated;
    bool told_saved;          /* the end is none of the machine's: its recorder went on, or left */
    bool digest_differs;      /* play: the report is about a CHECK_DIGEST */
    char *early;              /* play: what did not match before replay_start() */
    gint failed;              /* atomic; report is set before */
    char *report;

    GRecMutex mutex;
    void *owner;              /* atomic: GThread * that holds the mutex */
    unsigned depth;
};

static inline uint64_t replay_position(const Replay *r)
{
    return r->host.position ? r->host.position(r->host.opaque) : 0;
}

/* The recording in messages. */
static inline const char *replay_name(const Replay *r)
{
    return r->file ? r->file : REPLAY_LOG_IN_MEMORY;
}

/* Forget what happened at another position. */
static inline void replay_order_sync(Replay *r, uint64_t pos)
{
    if (pos != r->order_pos) {
        r->order_pos = pos;
        r->checkpoints = 0;
        r->delivered = false;
    }
}

/* The queue is open again: sources post once more what was dropped and has to come. */
void replay_tell_live(Replay *r);

/* This run's source for a source of the log's table. */
ReplaySource *replay_recorded_source(Replay *r, uint32_t recorded);

/* The head of the log, or NULL at its end or after a report. Bounds at this position are passed. */
const ReplayRecord *replay_play_head(Replay *r);

/* replay_check_end(), of a replay. */
bool replay_play_check_end(Replay *r, uint64_t digest);

/* Whether a machine that is at `newest` was at this place before, or is there. */
bool replay_place_is_before(const Replay *r, const ReplayPlace *place, const ReplayPlace *newest);
/* Record mode: go to an earlier place. Otherwise nothing has changed. */
bool replay_travel_begin(Replay *r, const ReplayPlace *place, Error **errp);

/* What the guest puts out (replay-output.c). */
ReplayOutputs *replay_outputs_new(void);
void replay_outputs_free(ReplayOutputs *h);
/* How many outputs there were up to this place, and going to a place with so many. */
uint64_t replay_outputs_made(const ReplayOutputs *h);
void replay_outputs_go(ReplayOutputs *h, uint64_t made);
/* Append outputs from the one with that number on as a keyframe's data frames (GByteArray). */
void replay_outputs_put(ReplayOutputs *h, uint64_t from, GPtrArray *out);
/*
 * What is in such a frame, which is untrusted input: `outputs` and `pos` are the keyframe's. False
 * when it is malformed.
 */
bool replay_outputs_get(const ReplayOutputs *h, const uint8_t *data, size_t length,
                        uint64_t outputs, uint64_t pos, ReplayOutputFn *fn, void *opaque);
/* The future is another one than before: what it puts out is new. */
void replay_outputs_cut(ReplayOutputs *h);

/*
 * The outputs in keyframe n, if the last one has a number from `from` on: maybe some of smaller
 * numbers, and not those that its recorder did not keep. False: it is refused.
 */
bool replay_keyframe_text(Replay *r, guint n, uint64_t from, ReplayOutputFn *fn, void *opaque);
/* The log is no longer the one that was asked for its keyframes. */
void replay_forget_keyframes(Replay *r);
/* The log that is replayed gets keyframes: at the end of an equal replay, or not. */
bool replay_begin_adding(Replay *r, Error **errp);
void replay_finish_adding(Replay *r);
void replay_stop_adding(Replay *r);

/* The header of a recording of this run, JSON. */
char *replay_record_description(Replay *r, Error **errp);
/* Record mode: all up to the present position gets into the log, and that to where it is kept. */
bool replay_record_flush(Replay *r, Error **errp);

/*
 * The one central report (replay-check.c): printed once; replay_failed() is true from
 * here on. `expected` and `found` are sentences without a full stop.
 */
void replay_diverged(Replay *r, const char *expected, const char *found);
/* The log itself is wrong. */
void replay_damaged(Replay *r, const char *what);

/* The next record as text, for `expected`. Free with g_free. */
char *replay_expected(Replay *r);

#endif
