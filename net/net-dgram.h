/*
 * A network whose frames are datagrams, one each: UDP to one other end, a group of IPv4 that many take part in, Unix
 * sockets, or a socket that was inherited. Main thread.
 *
 * Who takes part in a group does not get its own frames, as on a wire.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_NET_DGRAM_H
#define NET_NET_DGRAM_H

#include "net/net-address.h"
#include "net/net-int.h"

typedef struct NetDgram {
    Netdev *n;
    NetAddress local, remote;    /* options */
    /* The rest is net-dgram.c's. Descriptors are -1 for none. */
    int fd;                      /* receives, and sends if there is no sender */
    int sender;                  /* of a group */
    HostAddress to;              /* none: the one that the sending socket is connected to */
    HostAddress self;            /* of the sender */
    uint64_t file;               /* of local */
    GSource *readable, *retry;
} NetDgram;

/* Before anything else; options are all zero. */
void net_dgram_init(NetDgram *d, Netdev *n);
/* What options are worth, before anything is opened. what: for messages, "-netdev dgram". */
bool net_dgram_check(const NetDgram *d, const char *what, Error **errp);
bool net_dgram_start(NetDgram *d, Error **errp);
/* A socket that is there, which becomes d's; remote may say where to send. */
bool net_dgram_start_fd(NetDgram *d, int fd, Error **errp);
bool net_dgram_send(NetDgram *d, const uint8_t *frame, size_t length);
void net_dgram_accept(NetDgram *d);
void net_dgram_close(NetDgram *d);
void net_dgram_describe(const NetDgram *d, GString *out);

#endif
