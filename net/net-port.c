/*
 * A guest's network port under record and replay. The rule: frames and changes of the link become visible to the
 * guest only in deliver(), on the machine thread, at the position of their record; on replay live ones are
 * dropped by replay/.
 *
 * The queue between delivery and the device's buffers belongs to the guest's state: when the device takes a
 * frame from it follows from what the guest does.
 *
 * A record is u8 what, then the frame, or nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <stdatomic.h>
#include "net/net-int.h"
#include "net/net-port.h"
#include "util/bytes.h"
#include "util/digest.h"

enum { NET_FRAME = 0, NET_LINK_DOWN = 1, NET_LINK_UP = 2 };

/* What the host side may have on its way; a back end that can wait does so. */
#define WINDOW (256u << 10)
/* Beyond this frames are dropped: a peer that cannot wait and a guest that never reads. */
#define MAX_QUEUE (512u << 10)
#define LENGTH_BYTES 4

typedef struct Tap {
    NetTap *tap;
    void *opaque;
} Tap;

struct NetPort {
    char *id;
    NetPortState *state;
    const NetPortClient *client;
    void *opaque;
    Netdev *netdev;
    ReplaySource *source;
    ReplayOutput *output;
    GArray *taps;
    bool pushing;             /* in push(): receive() may call net_port_accept_input() */
    /* For host_can_receive() alone; not below zero: on replay there are deliveries without a post. */
    _Atomic int64_t in_flight;
    _Atomic int64_t queued;
    _Atomic bool waiting;     /* the back end was told to wait */
};

/* ---- machine thread ---- */

static void tell_taps(NetPort *p, bool from_guest, bool is_new, const uint8_t *frame, size_t length)
{
    for (unsigned i = 0; i < p->taps->len; i++) {
        const Tap *t = &g_array_index(p->taps, Tap, i);

        t->tap(t->opaque, from_guest, is_new, frame, length);
    }
}

/* The outside may go on sending. */
static void wake_netdev(NetPort *p)
{
    if (p->netdev && atomic_load(&p->waiting) &&
        atomic_load(&p->in_flight) + atomic_load(&p->queued) < WINDOW / 2) {
        atomic_store(&p->waiting, false);
        netdev_accept(p->netdev);
    }
}

static void push(NetPort *p)
{
    GByteArray *queue = p->state->queue;
    guint done = 0;

    if (p->pushing) {
        return;
    }
    p->pushing = true;
    while (done < queue->len) {
        uint32_t length = (uint32_t)load_le(queue->data + done, LENGTH_BYTES);

        if (!p->client->receive(p->opaque, queue->data + done + LENGTH_BYTES, length)) {
            break;
        }
        done += LENGTH_BYTES + length;
    }
    g_byte_array_remove_range(queue, 0, done);
    p->pushing = false;
    atomic_store(&p->queued, queue->len);
    wake_netdev(p);
}

/* Any thread. */
static void land(NetPort *p, size_t length)
{
    int64_t n = atomic_load(&p->in_flight);

    while (!atomic_compare_exchange_weak(&p->in_flight, &n, n - MIN(n, (int64_t)length))) {
    }
}

static void deliver_frame(NetPort *p, const uint8_t *frame, size_t length)
{
    GByteArray *queue = p->state->queue;
    uint8_t header[LENGTH_BYTES];

    tell_taps(p, false, replay_output(p->output, "", 0), frame, length);
    if (p->state->link_down || queue->len + LENGTH_BYTES + length > MAX_QUEUE) {
        p->state->dropped++;
        return;
    }
    store_le(header, length, LENGTH_BYTES);
    g_byte_array_append(queue, header, LENGTH_BYTES);
    g_byte_array_append(queue, frame, (guint)length);
}

static void deliver_link(NetPort *p, bool down)
{
    if (p->state->link_down != down) {
        p->state->link_down = down;
        if (p->client->link_changed) {
            p->client->link_changed(p->opaque);
        }
    }
}

static bool deliver(void *opaque, const uint8_t *payload, size_t length)
{
    NetPort *p = opaque;

    if (length == 1 && (payload[0] == NET_LINK_DOWN || payload[0] == NET_LINK_UP)) {
        deliver_link(p, payload[0] == NET_LINK_DOWN);
        return true;
    }
    if (length < 1 + NET_MIN_FRAME || length > 1 + NET_MAX_FRAME || payload[0] != NET_FRAME) {
        return false;
    }
    deliver_frame(p, payload + 1, length - 1);
    land(p, length);
    push(p);
    return true;
}

void net_port_send(NetPort *p, const uint8_t *frame, size_t length)
{
    uint64_t chain[2] = { p->state->sent_digest };
    bool is_new;

    if (length < NET_MIN_FRAME || length > NET_MAX_FRAME || p->state->link_down) {
        return;
    }
    chain[1] = digest_block(frame, length);
    p->state->sent_digest = digest_block(chain, sizeof(chain));
    p->state->sent++;
    is_new = replay_output(p->output, "", 0);
    tell_taps(p, true, is_new, frame, length);
    if (is_new && p->netdev) {
        netdev_send(p->netdev, frame, length);
    }
}

void net_port_accept_input(NetPort *p)
{
    push(p);
}

void net_port_reset(NetPort *p)
{
    g_byte_array_set_size(p->state->queue, 0);
    atomic_store(&p->queued, 0);
    wake_netdev(p);
}

bool net_port_is_up(const NetPort *p)
{
    return !p->state->link_down;
}

const char *net_port_id(const NetPort *p)
{
    return p->id;
}

Netdev *net_port_netdev(const NetPort *p)
{
    return p->netdev;
}

/* Whole frames of lengths that there can be, or none of it. */
static bool is_whole(const GByteArray *queue)
{
    guint at = 0;

    while (queue->len - at >= LENGTH_BYTES) {
        uint64_t length = load_le(queue->data + at, LENGTH_BYTES);

        if (length < NET_MIN_FRAME || length > NET_MAX_FRAME || length > queue->len - at - LENGTH_BYTES) {
            return false;
        }
        at += LENGTH_BYTES + (guint)length;
    }
    return at == queue->len && at <= MAX_QUEUE;
}

void net_port_loaded(NetPort *p)
{
    if (!is_whole(p->state->queue)) {
        g_byte_array_set_size(p->state->queue, 0);
    }
    p->state->link_down = p->state->link_down != 0;
    atomic_store(&p->queued, p->state->queue->len);
    wake_netdev(p);
}

static void on_live(void *opaque)
{
    NetPort *p = opaque;

    netdev_start_soon(p->netdev);
}

/* ---- main thread ---- */

static bool host_can_receive(void *opaque)
{
    NetPort *p = opaque;
    bool room = atomic_load(&p->in_flight) + atomic_load(&p->queued) < WINDOW;

    if (!room) {
        atomic_store(&p->waiting, true);
        wake_netdev(p);       /* if all of it has landed meanwhile */
    }
    return room;
}

static void host_receive(void *opaque, const uint8_t *frame, size_t length)
{
    NetPort *p = opaque;
    uint8_t payload[1 + NET_MAX_FRAME];

    payload[0] = NET_FRAME;
    memcpy(payload + 1, frame, length);
    /* Before it can be delivered. */
    atomic_fetch_add(&p->in_flight, (int64_t)length + 1);
    if (!replay_post(p->source, payload, length + 1)) {
        land(p, length + 1);
    }
}

static const NetdevClient host_client = {
    .can_receive = host_can_receive,
    .receive = host_receive,
};

bool net_port_set_link(NetPort *p, bool up)
{
    uint8_t payload = up ? NET_LINK_UP : NET_LINK_DOWN;

    return replay_post(p->source, &payload, 1);
}

/* ---- life ---- */

NetPort *net_port_new(Replay *r, const char *id, NetPortState *state, const NetPortClient *client, void *opaque,
                      Netdev *netdev)
{
    NetPort *p = g_new0(NetPort, 1);

    p->id = g_strdup(id);
    p->state = state;
    p->client = client;
    p->opaque = opaque;
    p->netdev = netdev;
    state->queue = g_byte_array_new();
    p->taps = g_array_new(FALSE, FALSE, sizeof(Tap));
    p->source = replay_source_new(r, REPLAY_KIND_NET, id, deliver, p);
    p->output = replay_output_new(r, id);
    if (netdev) {
        replay_source_on_live(p->source, on_live);
        netdev_set_client(netdev, &host_client, p);
    }
    return p;
}

void net_port_free(NetPort *p)
{
    if (p->netdev) {
        netdev_release(p->netdev);
    }
    g_byte_array_unref(p->state->queue);
    g_array_unref(p->taps);
    g_free(p->id);
    g_free(p);
}

void net_port_add_tap(NetPort *p, NetTap *tap, void *opaque)
{
    Tap t = { tap, opaque };

    g_array_append_val(p->taps, t);
}
