/*
 * Between net/net.c and the kinds of back ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_NET_INT_H
#define NET_NET_INT_H

#include "net/net.h"
#include "util/keyval.h"

typedef struct NetKind {
    const char *name;
    const char *options;     /* "PATH[,x=]", for -netdev help */
    size_t size;             /* of its struct, which has a Netdev as its first member */
    /*
     * Check options and keep them; opens nothing. Each option that is used is asked for: what is left is
     * refused by net.c. close() is called after a failure, too.
     */
    bool (*parse)(Netdev *n, KeyVal *options, Error **errp);
    /* All of these are on the main thread. */
    bool (*start)(Netdev *n, Error **errp);
    /* False: not now. The frame waits with those behind it, and the kind calls netdev_flush() when it may be taken. */
    bool (*send)(Netdev *n, const uint8_t *frame, size_t length);
    /* The guest takes frames again, or is there at last; may be NULL. */
    void (*accept)(Netdev *n);
    void (*close)(Netdev *n);
    void (*describe)(const Netdev *n, GString *out);
} NetKind;

struct Netdev {
    const NetKind *kind;
    NetSet *set;
    char *id;
    char *user;
    bool started;
    /* The rest is net.c's. */
    const NetdevClient *client;
    void *opaque;
    GMutex lock;             /* guards what follows */
    GQueue queue;            /* GBytes: frames from the guest */
    size_t queued;
    bool accepting;          /* netdev_accept() is to be told */
    bool starting;           /* netdev_start_soon() */
    GSource *wake;           /* is to hand them on */
};

GMainContext *netdev_context(const Netdev *n);
/* Whether programs may be started. */
bool netdev_may_spawn(const Netdev *n);
/* A frame from outside for the client; frames that are too short or too long are dropped. */
void netdev_receive(Netdev *n, const uint8_t *frame, size_t length);
/* A hint, for kinds that can make the other side wait. */
bool netdev_can_receive(Netdev *n);
/* Hand on what waits. Not from within send(). */
void netdev_flush(Netdev *n);

extern const NetKind net_bridge_kind, net_dgram_kind, net_hub_kind, net_socket_kind, net_stream_kind, net_tap_kind,
    net_user_kind;

#endif
