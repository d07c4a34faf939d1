/*
 * A guest's character port under record and replay. The rule: bytes and events from
 * the host become visible to the guest only in deliver_bytes() and deliver_event(), on
 * the machine thread, at the position of their record; on replay live ones are
 * dropped by replay/.
 *
 * The input queue between delivery and the device's buffer belongs to the guest's state:
 * when the device takes a byte from it follows from what the guest does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <stdatomic.h>
#include "chardev/char-port.h"

/* What the host side may have on its way; a back end that can wait does so. */
#define WINDOW 65536
/* Beyond this the line overruns: a peer that cannot wait and a guest that never reads. */
#define MAX_QUEUE (1u << 20)

struct CharPort {
    const CharPortClient *client;
    void *opaque;
    ReplaySource *bytes;
    ReplaySource *events;
    ReplayOutput *output;
    Chardev *chr;
    GByteArray *queue;
    bool pushing;             /* in push(): receive() may call accept_input() */
    /* For host_can_receive() alone; not below zero: on replay there are deliveries without a post. */
    _Atomic int64_t in_flight;
    _Atomic int64_t queued;
};

/* ---- machine thread ---- */

static void push(CharPort *p)
{
    if (p->pushing) {
        return;
    }
    p->pushing = true;
    while (p->queue->len) {
        unsigned room = p->client->can_receive(p->opaque);
        guint n = MIN(room, p->queue->len);

        if (n == 0) {
            break;
        }
        p->client->receive(p->opaque, p->queue->data, n);
        g_byte_array_remove_range(p->queue, 0, n);
    }
    p->pushing = false;
    atomic_store(&p->queued, p->queue->len);
}

/* Any thread. */
static void land(CharPort *p, size_t length)
{
    int64_t n = atomic_load(&p->in_flight);

    while (!atomic_compare_exchange_weak(&p->in_flight, &n, n - MIN(n, (int64_t)length))) {
    }
}

static bool deliver_bytes(void *opaque, const uint8_t *payload, size_t length)
{
    CharPort *p = opaque;
    guint room = MAX_QUEUE - p->queue->len;

    g_byte_array_append(p->queue, payload, (guint)MIN(length, room));
    land(p, length);
    push(p);
    return length > 0;
}

static bool deliver_event(void *opaque, const uint8_t *payload, size_t length)
{
    CharPort *p = opaque;

    if (length != 1 || payload[0] > CHAR_EVENT_BREAK) {
        return false;
    }
    if (p->client->event) {
        p->client->event(p->opaque, (CharEvent)payload[0]);
    }
    return true;
}

void char_port_write(CharPort *p, const uint8_t *data, size_t length)
{
    if (replay_output(p->output, data, length) && p->chr) {
        chardev_write(p->chr, data, length);
    }
}

void char_port_accept_input(CharPort *p)
{
    push(p);
}

/* ---- main thread ---- */

static size_t host_can_receive(void *opaque)
{
    CharPort *p = opaque;
    int64_t n = atomic_load(&p->in_flight) + atomic_load(&p->queued);

    return n < WINDOW ? (size_t)(WINDOW - n) : 0;
}

static void host_receive(void *opaque, const uint8_t *data, size_t length)
{
    CharPort *p = opaque;

    while (length) {
        size_t n = MIN(length, REPLAY_MAX_PAYLOAD);

        /* Before it can be delivered. */
        atomic_fetch_add(&p->in_flight, (int64_t)n);
        if (!replay_post(p->bytes, data, n)) {
            land(p, n);
        }
        data += n;
        length -= n;
    }
}

static void host_event(void *opaque, CharEvent event)
{
    CharPort *p = opaque;
    uint8_t payload = (uint8_t)event;

    replay_post(p->events, &payload, 1);
}

static const ChardevClient host_client = {
    .can_receive = host_can_receive,
    .receive = host_receive,
    .event = host_event,
};

CharPort *char_port_new(Replay *r, const char *id, const CharPortClient *client, void *opaque)
{
    CharPort *p = g_new0(CharPort, 1);

    p->client = client;
    p->opaque = opaque;
    p->queue = g_byte_array_new();
    p->bytes = replay_source_new(r, REPLAY_KIND_CHAR, id, deliver_bytes, p);
    p->events = replay_source_new(r, REPLAY_KIND_CHAR_EVENT, id, deliver_event, p);
    p->output = replay_output_new(r, id);
    return p;
}

void char_port_free(CharPort *p)
{
    char_port_attach(p, NULL);
    g_byte_array_unref(p->queue);
    g_free(p);
}

void char_port_attach(CharPort *p, Chardev *chr)
{
    if (p->chr) {
        chardev_set_client(p->chr, NULL, NULL);
    }
    p->chr = chr;
    if (chr) {
        chardev_set_client(chr, &host_client, p);
    }
}

/* ---- state ---- */

GByteArray *char_port_queue(CharPort *p)
{
    return p->queue;
}

void char_port_queue_loaded(CharPort *p)
{
    atomic_store(&p->queued, p->queue->len);
}
