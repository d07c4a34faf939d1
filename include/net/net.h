/*
 * Network back ends: where a guest's Ethernet frames go to and come from. All run on the main thread's GLib
 * main loop; frames are whole Ethernet frames without checksum (FCS), of at most NET_MAX_FRAME bytes.
 *
 * 1. netdev_send() may be called from any thread and never blocks: frames are queued and the main loop hands them on.
 *    Past NETDEV_MAX_QUEUE bytes a frame is dropped, as a busy wire drops it.
 * 2. A client's callbacks run on the main thread.
 * 3. A netdev has one client: a guest's port (net/net-port.h), or a port of a hub.
 * 4. netdev_create() checks options and opens nothing; netdev_start() opens sockets, devices and the like. A machine that
 *    is replayed never starts its netdevs: what came in is in the recording, what goes out has gone out already.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <glib.h>
#include "util/error.h"

/* What fits one record with its header (REPLAY_MAX_PAYLOAD). */
#define NET_MAX_FRAME 65535
#define NET_MIN_FRAME 14           /* two addresses and a type */
#define NETDEV_MAX_QUEUE (16u << 20)

typedef struct NetSet NetSet;
typedef struct Netdev Netdev;

typedef struct NetdevClient {
    /* Whether more frames would be taken now: a hint for back ends that can make the other side wait. */
    bool (*can_receive)(void *opaque);
    /* Takes any frame of NET_MIN_FRAME to NET_MAX_FRAME bytes, or drops it. */
    void (*receive)(void *opaque, const uint8_t *frame, size_t length);
} NetdevClient;

/* ---- the set of back ends of one machine ---- */

/* context NULL: the default main context. */
NetSet *net_set_new(GMainContext *context);
/* Hands on what is queued, closes all. Main thread. */
void net_set_free(NetSet *set);
/* From now on this process starts no others (-sandbox spawn=deny): who needs to fails, with a message. */
void net_set_no_spawn(NetSet *set);
/* "-netdev KIND,id=ID,..."; also type=KIND. The set's. */
Netdev *netdev_create(NetSet *set, const char *options, Error **errp);
Netdev *netdev_find(NetSet *set, const char *id);
void netdev_foreach(NetSet *set, void (*fn)(Netdev *n, void *opaque), void *opaque);
/* Close and forget it. Fails while a device or hub uses it. */
bool netdev_remove(Netdev *n, Error **errp);
/* The kinds and their options, for -netdev help. */
void netdev_print_kinds(FILE *out);

/* Open what it stands for; once. Main thread. */
bool netdev_start(Netdev *n, Error **errp);
/* The same from any thread, later on the main thread; a failure is a warning, and the netdev stays as it is. */
void netdev_start_soon(Netdev *n);
bool netdev_is_started(const Netdev *n);

/* For a device or hub that is made: the one it names, which has no other user. user: whose, for messages. */
Netdev *netdev_take(NetSet *set, const char *id, const char *user, Error **errp);
/* No longer used; frames from outside are dropped. Any time. */
void netdev_release(Netdev *n);
/* client NULL: frames from outside are dropped. client must outlive its use. */
void netdev_set_client(Netdev *n, const NetdevClient *client, void *opaque);

/* A frame from the guest, NET_MIN_FRAME to NET_MAX_FRAME bytes. Any thread. */
void netdev_send(Netdev *n, const uint8_t *frame, size_t length);
/* The client takes frames again, after can_receive() was false. Any thread. */
void netdev_accept(Netdev *n);

const char *netdev_id(const Netdev *n);
const char *netdev_kind(const Netdev *n);
/* The device that uses it; NULL: none. */
const char *netdev_user(const Netdev *n);
/* "user: net 10.0.2.0/24, restrict=off": for info network. */
void netdev_describe(const Netdev *n, GString *out);

/* ---- the back end "user" (libslirp) ---- */

/* rule: "tcp:[ADDR]:PORT-[ADDR]:PORT". Fails for another kind, and where nothing has been started. Main thread. */
bool netdev_hostfwd_add(Netdev *n, const char *rule, Error **errp);
/* rule: "tcp:[ADDR]:PORT" */
bool netdev_hostfwd_remove(Netdev *n, const char *rule, Error **errp);
/* Connections, for info usernet. */
bool netdev_user_info(Netdev *n, GString *out);

#endif
