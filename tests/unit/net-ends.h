/*
 * What tests of network back ends share: ends of networks, each with a client in the place of a guest, on one main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_NET_ENDS_H
#define TESTS_UNIT_NET_ENDS_H

#include <sys/socket.h>
#include "net/net.h"

#define FRAME_BYTES 1000
#define DEADLINE_US 20000000

typedef struct End {
    NetSet *set;
    Netdev *n;
    GMainContext *context;
    GPtrArray *frames;        /* GBytes *: what came in */
    bool stuck;               /* takes nothing */
} End;

static bool end_can_receive(void *opaque)
{
    return !((End *)opaque)->stuck;
}

static void end_receive(void *opaque, const uint8_t *frame, size_t length)
{
    g_ptr_array_add(((End *)opaque)->frames, g_bytes_new(frame, length));
}

static const NetdevClient end_client = { .can_receive = end_can_receive, .receive = end_receive };

static Error *take_error(Error **err)
{
    Error *e = *err;

    *err = NULL;
    return e;
}

/* In a set of its own, or, with set, in that. Not opened. */
static void end_make(End *e, NetSet *set, GMainContext *context, const char *options)
{
    Error *err = NULL;

    *e = (End){ .set = set ? set : net_set_new(context), .context = context,
                .frames = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref) };
    e->n = netdev_create(e->set, options, &err);
    if (!e->n) {
        g_error("%s: %s", options, error_get_pretty(take_error(&err)));
    }
    netdev_set_client(e->n, &end_client, e);
}

static void end_open(End *e, NetSet *set, GMainContext *context, const char *options)
{
    Error *err = NULL;

    end_make(e, set, context, options);
    if (!netdev_start(e->n, &err)) {
        g_error("%s: %s", options, error_get_pretty(take_error(&err)));
    }
}

/* Two that a socket of this type joins. */
static inline void ends_open(End *a, End *b, GMainContext *context, int type)
{
    g_autofree char *a_options = NULL, *b_options = NULL;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, type, 0, fds), ==, 0);
    a_options = g_strdup_printf("socket,id=n,fd=%d", fds[0]);
    b_options = g_strdup_printf("socket,id=n,fd=%d", fds[1]);
    end_open(a, NULL, context, a_options);
    end_open(b, NULL, context, b_options);
}

/* Of a set of its own. */
static void end_free(End *e)
{
    net_set_free(e->set);
    g_ptr_array_unref(e->frames);
}

static gboolean on_time(void *opaque)
{
    return G_SOURCE_CONTINUE;
}

/* The main loop for so long. */
static void run_for(GMainContext *context, unsigned ms)
{
    gint64 end = g_get_monotonic_time() + (gint64)ms * 1000;
    GSource *tick = g_timeout_source_new(5);

    g_source_set_callback(tick, on_time, NULL, NULL);
    g_source_attach(tick, context);
    while (g_get_monotonic_time() < end) {
        g_main_context_iteration(context, TRUE);
    }
    g_source_destroy(tick);
    g_source_unref(tick);
}

/* Until so many frames are there. */
static void expect_frames(End *e, unsigned count)
{
    gint64 end = g_get_monotonic_time() + DEADLINE_US;

    while (e->frames->len < count) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        run_for(e->context, 5);
    }
    g_assert_cmpuint(e->frames->len, ==, count);
}

static void send_frame(End *e, unsigned number, size_t length)
{
    g_autofree uint8_t *frame = g_malloc(length);

    memset(frame, (int)(number * 7 + 1), length);
    memcpy(frame, &number, sizeof(number));
    netdev_send(e->n, frame, length);
}

/* The one at index is what send_frame() has sent. */
static void check_frame(End *e, unsigned index, unsigned number, size_t length)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(g_ptr_array_index(e->frames, index), &size);

    g_assert_cmpuint(size, ==, length);
    g_assert_cmpint(memcmp(data, &number, sizeof(number)), ==, 0);
    for (size_t i = sizeof(number); i < size; i++) {
        g_assert_cmpuint(data[i], ==, (uint8_t)(number * 7 + 1));
    }
}

/* One frame in each direction. */
static inline void check_joined(End *a, End *b)
{
    unsigned at_a = a->frames->len, at_b = b->frames->len;

    send_frame(a, 1, FRAME_BYTES);
    expect_frames(b, at_b + 1);
    check_frame(b, at_b, 1, FRAME_BYTES);
    send_frame(b, 2, FRAME_BYTES);
    expect_frames(a, at_a + 1);
    check_frame(a, at_a, 2, FRAME_BYTES);
}

#endif
