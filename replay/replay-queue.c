/*
 * The queue of posted input.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib.h>
#include "replay/replay-queue.h"

struct ReplayQueue {
    GMutex mutex;
    ReplayPosted *first;
    ReplayPosted **last;
    bool open;
    gint pending;             /* atomic: the fast path of a safe point */
    void (*wakeup)(void *opaque);
    void *wakeup_opaque;
};

ReplayQueue *replay_queue_new(void)
{
    ReplayQueue *q = g_new0(ReplayQueue, 1);

    g_mutex_init(&q->mutex);
    q->last = &q->first;
    q->open = true;
    return q;
}

void replay_queue_free(ReplayQueue *q)
{
    for (ReplayPosted *p = replay_queue_take(q), *next; p; p = next) {
        next = p->next;
        g_free(p);
    }
    g_mutex_clear(&q->mutex);
    g_free(q);
}

void replay_queue_set_wakeup(ReplayQueue *q, void (*wakeup)(void *opaque), void *opaque)
{
    g_mutex_lock(&q->mutex);
    q->wakeup = wakeup;
    q->wakeup_opaque = opaque;
    g_mutex_unlock(&q->mutex);
}

void replay_queue_set_open(ReplayQueue *q, bool open)
{
    g_mutex_lock(&q->mutex);
    q->open = open;
    g_mutex_unlock(&q->mutex);
}

static ReplayPosted *posted_new(ReplaySource *source, const void *payload, size_t length)
{
    ReplayPosted *p = g_malloc(sizeof(*p) + length);

    p->next = NULL;
    p->source = source;
    p->length = (uint32_t)length;
    if (length) {
        memcpy(p->payload, payload, length);
    }
    return p;
}

bool replay_queue_push(ReplayQueue *q, ReplaySource *source, const void *payload,
                       size_t length)
{
    void (*wakeup)(void *opaque);
    void *opaque;
    ReplayPosted *p;

    g_mutex_lock(&q->mutex);
    if (!q->open) {
        g_mutex_unlock(&q->mutex);
        return false;
    }
    p = posted_new(source, payload, length);
    *q->last = p;
    q->last = &p->next;
    g_atomic_int_set(&q->pending, 1);
    wakeup = q->wakeup;
    opaque = q->wakeup_opaque;
    g_mutex_unlock(&q->mutex);
    if (wakeup) {
        wakeup(opaque);
    }
    return true;
}

bool replay_queue_pending(ReplayQueue *q)
{
    return g_atomic_int_get(&q->pending) != 0;
}

ReplayPosted *replay_queue_take(ReplayQueue *q)
{
    ReplayPosted *first;

    g_mutex_lock(&q->mutex);
    first = q->first;
    q->first = NULL;
    q->last = &q->first;
    g_atomic_int_set(&q->pending, 0);
    g_mutex_unlock(&q->mutex);
    return first;
}

void replay_queue_forget(ReplayQueue *q, const ReplaySource *source)
{
    ReplayPosted **link = &q->first, *p;

    g_mutex_lock(&q->mutex);
    while ((p = *link) != NULL) {
        if (p->source == source) {
            *link = p->next;
            g_free(p);
        } else {
            link = &p->next;
        }
    }
    q->last = link;
    g_mutex_unlock(&q->mutex);
}
