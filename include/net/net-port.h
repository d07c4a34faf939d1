/*
 * A guest device's connection to a network back end, either side:
 *
 * - host side (main thread): frames from the netdev are posted through replay/ and become visible to the guest
 *   on the machine thread at a safe point, in a queue that the port owns.
 * - device side (machine thread): the port hands over queued frames while the device takes them; the device calls
 *   net_port_accept_input() when it has room again. Output is queued by the back end and never blocks.
 *
 * What is queued, whether the link is up, and a digest of what went out are guest-visible or follow from what the guest
 * did: NetPortState is part of the device's state. So packets that go out are compared wherever digests are.
 *
 * The implementation (net/net-port.c) is the record/replay adapter of network devices (record kind NET).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_NET_PORT_H
#define NET_NET_PORT_H

#include "net/net.h"
#include "replay/sources.h"

typedef struct NetPort NetPort;

/* In the device's state struct, called `net`. */
typedef struct NetPortState {
    GByteArray *queue;        /* the port's: u32 length, frame, and so on */
    uint64_t sent;            /* frames */
    uint64_t sent_digest;     /* of all of them */
    uint64_t dropped;         /* frames from outside that found the queue full */
    uint8_t link_down;        /* set_link */
    uint8_t pad[7];
} NetPortState;

#define NET_PORT_FIELDS(F, S)       \
    F(S, BYTES, net.queue)          \
    F(S, U64, net.sent)             \
    F(S, U64, net.sent_digest)      \
    F(S, U64, net.dropped)          \
    F(S, U8, net.link_down)         \
    F(S, ARRAY_U8, net.pad)

typedef struct NetPortClient {
    /*
     * Take a frame, or drop it. False: there is no room for it now, and the device calls
     * net_port_accept_input() when there may be.
     */
    bool (*receive)(void *opaque, const uint8_t *frame, size_t length);
    void (*link_changed)(void *opaque);   /* may be NULL */
} NetPortClient;

/*
 * Before the machine starts. id is the stable source name, the device's, copied. state is the device's, zeroed; its
 * queue is made here. netdev may be NULL: a card without a cable.
 */
NetPort *net_port_new(Replay *r, const char *id, NetPortState *state, const NetPortClient *client, void *opaque,
                      Netdev *netdev);
/* The machine thread has ended, and replay_free() comes later. */
void net_port_free(NetPort *p);

/* Machine thread. A frame of NET_MIN_FRAME to NET_MAX_FRAME bytes; others are dropped. */
void net_port_send(NetPort *p, const uint8_t *frame, size_t length);
void net_port_accept_input(NetPort *p);
/* The device was reset: what was queued is lost, as the frames in a card are. The link stays as it is. */
void net_port_reset(NetPort *p);
/* The state was loaded: from the device's post_load. */
void net_port_loaded(NetPort *p);
bool net_port_is_up(const NetPort *p);
const char *net_port_id(const NetPort *p);
/* NULL: there is none. */
Netdev *net_port_netdev(const NetPort *p);

/*
 * A tap sees each frame when it goes out, and when it is handed to the device's queue; at which
 * virtual time follows from the machine. is_new: this process has not seen it yet (a machine that went back in time
 * sees frames again).
 */
typedef void NetTap(void *opaque, bool from_guest, bool is_new, const uint8_t *frame, size_t length);
/* Before the machine starts. */
void net_port_add_tap(NetPort *p, NetTap *tap, void *opaque);

/* set_link. Any thread; what it changes is recorded, and false: in a replay, in which nothing can be changed. */
bool net_port_set_link(NetPort *p, bool up);

#endif
