/*
 * The queue of posted input: filled by any thread, emptied by the machine thread at
 * safe points, in the order of arrival. While it is closed, nothing more gets in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_QUEUE_H
#define REPLAY_REPLAY_QUEUE_H

#include "replay/sources.h"

typedef struct ReplayQueue ReplayQueue;

typedef struct ReplayPosted {
    struct ReplayPosted *next;
    ReplaySource *source;
    uint32_t length;
    uint8_t payload[];
} ReplayPosted;

ReplayQueue *replay_queue_new(void);
/* Frees what is still queued. No thread may push any more. */
void replay_queue_free(ReplayQueue *q);
void replay_queue_set_wakeup(ReplayQueue *q, void (*wakeup)(void *opaque), void *opaque);

/* It is open at first. What is queued stays. */
void replay_queue_set_open(ReplayQueue *q, bool open);

/*
 * Any thread. The payload is copied; the wake-up runs afterwards, without a lock. False, and
 * nothing happened, when the queue is closed.
 */
bool replay_queue_push(ReplayQueue *q, ReplaySource *source, const void *payload,
                       size_t length);
/* Without a lock: false only if nothing was pushed before this call. */
bool replay_queue_pending(ReplayQueue *q);
/* Everything that is queued, oldest first, or NULL; g_free each. */
ReplayPosted *replay_queue_take(ReplayQueue *q);
/* Machine thread, of a source to which nobody pushes any more: what is queued of it is dropped. */
void replay_queue_forget(ReplayQueue *q, const ReplaySource *source);

#endif
