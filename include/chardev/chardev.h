/*
 * A character back end (stdio, pty, socket, file, null, ...), as its one client
 * sees it: the guest's port (chardev/char-port.h), a monitor or a debugger stub.
 *
 * - Host to client: the back end calls the client on the main thread.
 * - Client to host: chardev_write() may be called from any thread. It copies the
 *   bytes, never blocks and never fails towards the caller: what the host does
 *   with output is invisible to the guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_CHARDEV_H
#define CHARDEV_CHARDEV_H

#include "util/error.h"

typedef struct Chardev Chardev;

/* Numbers reach the log (record kind CHAR_EVENT): never renumber. */
typedef enum CharEvent {
    CHAR_EVENT_OPENED = 0,
    CHAR_EVENT_CLOSED = 1,
    CHAR_EVENT_BREAK = 2,
} CharEvent;

typedef struct ChardevClient {
    /*
     * How many bytes the client would like to get now: a back end that can make
     * its peer wait reads no more than that from it, and asks again later. A hint:
     * receive() takes any amount. May be NULL: no limit.
     */
    size_t (*can_receive)(void *opaque);
    void (*receive)(void *opaque, const uint8_t *data, size_t length);
    void (*event)(void *opaque, CharEvent event);   /* may be NULL */
} ChardevClient;

/* Tie the one client; NULL unties it (bytes are then dropped). Main thread. */
void chardev_set_client(Chardev *chr, const ChardevClient *client, void *opaque);
void chardev_write(Chardev *chr, const uint8_t *data, size_t length);

#endif
