/*
 * A keyframe in a log: the state of the machine at a position, so that a new process gets there without
 * running from the start.
 *
 * 1. Its memory is that behind the reset at power-on with the pages of the keyframes of its chain: those before
 *    it that it says it builds on, and its own. Whoever wants it goes through them, newest first, and
 *    so unpacks each page once.
 * 2. It is several frames: data frames with the state, with what was put out on consoles since the keyframe
 *    before, and with pages, REPLAY_KEYFRAME_CHUNK of them each; then the head, which names them. Without its
 *    head it does not exist.
 * 3. A page that is similar to what it was at power-on is stored as the difference to that.
 * 4. Numbers of pages mean something to the machine alone; here they are below a bound.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_KEYFRAME_H
#define REPLAY_REPLAY_KEYFRAME_H

#include <glib.h>
#include "replay/replay.h"

typedef struct ReplayLogReader ReplayLogReader;

/* Pages in a data frame: what is unpacked for one of them. */
#define REPLAY_KEYFRAME_CHUNK 32

/* Pages first..first+count-1. */
typedef struct ReplayPageRun {
    uint64_t first;
    uint64_t count;
} ReplayPageRun;

/* The head frame, decoded. */
typedef struct ReplayKeyframeHead {
    uint64_t number;          /* of the keyframe, from 0 */
    uint64_t records;         /* that come before it */
    int64_t time;             /* virtual, ns */
    uint64_t chain;           /* how many keyframes before it are needed; at most `number` */
    uint64_t outputs;         /* of all ports up to there */
    uint64_t state_offset;    /* of the data frame */
    GArray *text;             /* uint64_t offsets of data frames, ascending */
    GArray *pages;            /* ReplayPageRun, ascending: these have content */
    GArray *chunks;           /* uint64_t offsets of the data frames with it */
    GArray *differences;      /* ReplayPageRun: of `pages`, those that are stored as differences */
    GArray *zeros;            /* ReplayPageRun: these changed to zeros */
    GArray *marked;           /* ReplayPageRun */
    uint64_t num_pages;       /* in `pages` */
    uint64_t num_zeros;       /* in `zeros` */
    uint64_t bytes;           /* of the file, if it was read from one */
} ReplayKeyframeHead;

/* Write a data frame. False on an error. */
typedef bool ReplayKeyframeWrite(void *opaque, const GByteArray *data, uint64_t *offset);

/* Write the data frames of k and append its head's data. False: a write error. */
bool replay_keyframe_put(GByteArray *out, const ReplayKeyframe *k, uint64_t number,
                         uint64_t records, ReplayKeyframeWrite *write, void *opaque);
/* The head frame at `offset`; pages are below max_pages. NULL when malformed. */
ReplayKeyframeHead *replay_keyframe_head_get(const uint8_t *data, size_t length, uint64_t offset,
                                             uint64_t max_pages);
void replay_keyframe_head_free(ReplayKeyframeHead *h);

/* Reading one back. */
typedef struct ReplayKeyframeSink {
    /* Is this page wanted? NULL: all are. */
    bool (*wants)(void *opaque, uint64_t number);
    ReplayPageFn *page;
    void *opaque;
} ReplayKeyframeSink;

/* The head of the keyframe that a log's list names as its n-th. */
ReplayKeyframeHead *replay_keyframe_read_head(ReplayLogReader *reader, const GArray *keyframes,
                                              guint n, uint64_t max_pages, Error **errp);
/* Everything that it names is there. Takes no longer than to read that. */
bool replay_keyframe_check(ReplayLogReader *reader, const ReplayKeyframeHead *h, Error **errp);
/*
 * Write the data frames of a keyframe in another log, and append its new head's data. False without
 * an error: a write error; with one: the other log is damaged.
 */
bool replay_keyframe_copy(GByteArray *out, ReplayLogReader *reader, const ReplayKeyframeHead *from,
                          ReplayKeyframeWrite *write, void *opaque, Error **errp);
/* The pages that changed in it, and were asked for. */
bool replay_keyframe_read_pages(ReplayLogReader *reader, const ReplayKeyframeHead *h,
                                const ReplayKeyframeSink *sink, Error **errp);
/* The state and the marked pages (uint64_t), appended. */
bool replay_keyframe_read_state(ReplayLogReader *reader, const ReplayKeyframeHead *h,
                                GByteArray *state, GArray *marked, Error **errp);

#endif
