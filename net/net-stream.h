/*
 * A network whose frames go through a stream socket to one other end: a server, which takes one client after the other,
 * a client, which may try again, or a socket that was inherited. Main thread.
 *
 * Nothing is lost on the way while the other end is there: a frame that it cannot take waits in the back end's
 * queue, and one that the guest cannot take waits in the socket. Without another end frames are dropped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_NET_STREAM_H
#define NET_NET_STREAM_H

#include "net/frames.h"
#include "net/net-address.h"
#include "net/net-int.h"

typedef struct NetStream {
    Netdev *n;
    /* Options. */
    NetAddress addr;
    bool server;
    uint64_t reconnect_ms;    /* 0: never */
    /* The rest is net-stream.c's. Descriptors are -1 for none. */
    int listener;
    int peer;                 /* connected, or on its way ... */
    bool connected;           /* ... which it is not any more */
    uint64_t file;            /* the listener's */
    NetFrames in;
    GByteArray *rest;         /* of a frame that the socket has taken in part */
    GSource *accept, *readable, *writable, *retry;
} NetStream;

/* Before anything else; options are all zero. */
void net_stream_init(NetStream *s, Netdev *n);
bool net_stream_start(NetStream *s, Error **errp);
/* A socket that is there, which becomes s's. */
void net_stream_start_fd(NetStream *s, int fd);
bool net_stream_send(NetStream *s, const uint8_t *frame, size_t length);
void net_stream_accept(NetStream *s);
void net_stream_close(NetStream *s);
void net_stream_describe(const NetStream *s, GString *out);

#endif
