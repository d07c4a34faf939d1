/*
 * The queue of posted input under several threads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib.h>
#include "replay/replay-queue.h"

#define THREADS 4
#define POSTS 5000

typedef struct Poster {
    ReplayQueue *queue;
    uint32_t id;
} Poster;

static void *poster(void *opaque)
{
    Poster *p = opaque;

    for (uint32_t i = 0; i < POSTS; i++) {
        uint32_t payload[2] = { p->id, i };

        replay_queue_push(p->queue, NULL, payload, sizeof(payload));
        if (i % 512 == 0) {
            g_thread_yield();
        }
    }
    return NULL;
}

static void count_wakeup(void *opaque)
{
    g_atomic_int_inc((gint *)opaque);
}

/* Nothing is lost, each thread's posts stay in order, each post wakes. */
static void test_threads(void)
{
    ReplayQueue *q = replay_queue_new();
    Poster posters[THREADS];
    GThread *threads[THREADS];
    uint32_t next[THREADS] = { 0 };
    unsigned total = 0;
    gint wakeups = 0;

    replay_queue_set_wakeup(q, count_wakeup, &wakeups);
    for (unsigned i = 0; i < THREADS; i++) {
        posters[i] = (Poster){ q, i };
        threads[i] = g_thread_new("poster", poster, &posters[i]);
    }
    while (total < THREADS * POSTS) {
        ReplayPosted *p;

        if (!replay_queue_pending(q)) {
            g_thread_yield();
            continue;
        }
        p = replay_queue_take(q);
        g_assert_nonnull(p);
        while (p) {
            ReplayPosted *done = p;
            uint32_t payload[2];

            g_assert_cmpuint(p->length, ==, sizeof(payload));
            memcpy(payload, p->payload, sizeof(payload));
            g_assert_cmpuint(payload[0], <, THREADS);
            g_assert_cmpuint(payload[1], ==, next[payload[0]]++);
            total++;
            p = p->next;
            g_free(done);
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
    }
    g_assert_false(replay_queue_pending(q));
    g_assert_null(replay_queue_take(q));
    g_assert_cmpint(g_atomic_int_get(&wakeups), ==, THREADS * POSTS);
    replay_queue_free(q);
}

static void test_empty_payload_and_free(void)
{
    ReplayQueue *q = replay_queue_new();
    ReplayPosted *p;

    g_assert_false(replay_queue_pending(q));
    replay_queue_push(q, NULL, NULL, 0);
    g_assert_true(replay_queue_pending(q));
    p = replay_queue_take(q);
    g_assert_cmpuint(p->length, ==, 0);
    g_assert_null(p->next);
    g_free(p);
    /* What is left is freed with the queue (leak checkers look). */
    replay_queue_push(q, NULL, "abc", 3);
    replay_queue_push(q, NULL, "def", 3);
    replay_queue_free(q);
}

/* The last one goes, too: what is pushed next comes behind what is left. */
static void test_forget(void)
{
    ReplaySource *one = (ReplaySource *)"1", *two = (ReplaySource *)"2";
    ReplayQueue *q = replay_queue_new();
    ReplayPosted *p;

    for (unsigned i = 0; i < 4; i++) {
        replay_queue_push(q, i % 2 ? one : two, "x", 1);
    }
    replay_queue_forget(q, one);
    replay_queue_push(q, one, "y", 1);
    p = replay_queue_take(q);
    for (unsigned i = 0; i < 3; i++) {
        ReplayPosted *done = p;

        g_assert_true(p->source == (i < 2 ? two : one));
        p = p->next;
        g_free(done);
    }
    g_assert_null(p);
    replay_queue_free(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/replay/queue/threads", test_threads);
    g_test_add_func("/replay/queue/empty-payload-and-free", test_empty_payload_and_free);
    g_test_add_func("/replay/queue/forget", test_forget);
    return g_test_run();
}
