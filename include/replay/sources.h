/*
 * How the outside world enters the machine: two verbs (docs/determinism.md, rule 3).
 * This is the only replay header that back ends and devices may include.
 *
 * - replay_post(): asynchronous input. Callable from any thread; the payload is
 *   delivered on the machine thread, at a safe point, by the source's deliver().
 *   While recording, delivery writes it to the log; while replaying, what
 *   is posted is dropped, and deliver() gets the recorded payload at the recorded
 *   position.
 * - replay_value(): a synchronous value that the host chooses. Machine thread
 *   only. produce() runs in modes none and record; on replay the recorded
 *   bytes are returned.
 *
 * Nobody outside replay/ asks which mode is on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_SOURCES_H
#define REPLAY_SOURCES_H

#include "util/error.h"

typedef struct Replay Replay;
typedef struct ReplaySource ReplaySource;

/* Record kinds, from the table; numbers are the log's and never change. */
typedef enum ReplayKind {
#define REPLAY_KIND(number, name, class_, payload, doc) REPLAY_KIND_##name = number,
#include "replay/replay-kinds.def"
#undef REPLAY_KIND
} ReplayKind;

#define REPLAY_MAX_PAYLOAD 65536

/*
 * Deliver one payload (valid during the call) on the machine thread. Returns
 * false when a recorded payload is malformed: the log is then reported as damaged.
 */
typedef bool ReplayDeliver(void *opaque, const uint8_t *payload, size_t length);

/*
 * Register a source under a stable name ("uart0", "rtc"), unique within its
 * kind; creation order must be the same in every run of one configuration. Before the
 * machine starts. deliver is NULL for sources that only use replay_value().
 */
ReplaySource *replay_source_new(Replay *r, ReplayKind kind, const char *name,
                                ReplayDeliver *deliver, void *opaque);

/* One that was made, or NULL: for a device that comes later, and uses what was made for its place. */
ReplaySource *replay_source_find(Replay *r, ReplayKind kind, const char *name);

/*
 * One of a kind with deliver that comes while the machine runs (a disk's image). Machine thread. NULL: the run is
 * recorded or replayed, and a recording has the sources that it began with.
 */
ReplaySource *replay_source_add(Replay *r, ReplayKind kind, const char *name, ReplayDeliver *deliver,
                                void *opaque);
/*
 * Machine thread: what it posted is not delivered any more, and nobody posts to it from now on. One of
 * replay_source_add() is freed. False, and nothing happened: the run is recorded or replayed.
 */
bool replay_source_remove(ReplaySource *s);

/*
 * Called on the machine thread when the machine becomes live after a replay, or has come back to the
 * newest place of its recording. What was posted meanwhile was dropped, so whoever owes the guest an
 * answer (a disk, for its requests in flight) has to post it again. Before the machine starts.
 */
void replay_source_on_live(ReplaySource *s, void (*live)(void *opaque));

/*
 * A source whose input cannot be reproduced: recording and replaying refuse
 * to start, with `name` and `why` in the message.
 */
void replay_source_refuse(Replay *r, const char *name, const char *why);

/*
 * Post one payload of at most REPLAY_MAX_PAYLOAD bytes (copied). Returns whether
 * it will be delivered; a caller that keeps count of what is on its way, or has somebody to
 * tell that what he asked for will not happen, needs that, nobody else.
 */
bool replay_post(ReplaySource *s, const void *payload, size_t length);

typedef void ReplayProduce(void *opaque, void *out, size_t length);
/* Fill out with exactly `length` (<= REPLAY_MAX_PAYLOAD) bytes. */
void replay_value(ReplaySource *s, ReplayProduce *produce, void *opaque,
                  void *out, size_t length);

/*
 * What the guest puts out, bytes of a character port. No verb of its own: it enters nothing. But a
 * machine that went back in time puts it out once more, and who watches has seen it. Under the stable
 * name of the port, before the machine starts; freed with r.
 */
typedef struct ReplayOutput ReplayOutput;
ReplayOutput *replay_output_new(Replay *r, const char *name);
/* Machine thread: for each output, whether anybody is there to see it or not. True: it is new. */
bool replay_output(ReplayOutput *o, const void *data, size_t length);

/*
 * Called from any thread when something was posted, to wake the machine thread.
 * Set once by the execution loop.
 */
void replay_set_wakeup(Replay *r, void (*wakeup)(void *opaque), void *opaque);

#endif
