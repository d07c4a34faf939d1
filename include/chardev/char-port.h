/*
 * A guest device's connection to a character back end, either side:
 *
 * - host side (main thread): char_port_attach() ties a Chardev to the port. Its
 *   bytes are posted through replay/ and become visible to the guest on the machine
 *   thread at a safe point, in an input queue that the port owns.
 * - device side (machine thread): the port hands over queued bytes whenever
 *   can_receive() says there is room; the device calls char_port_accept_input()
 *   when room appears. Output is buffered by the back end and never blocks.
 *
 * The input queue is guest-visible state: it is digested and saved.
 *
 * The implementation (chardev/char-port.c) is the record/replay adapter of character
 * devices. It stands beside the back ends and not in replay/ because it calls both a
 * Chardev and replay/sources.h, and no arrow leads from replay/ to chardev/.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_CHAR_PORT_H
#define CHARDEV_CHAR_PORT_H

#include <glib.h>
#include "chardev/chardev.h"
#include "replay/sources.h"

typedef struct CharPort CharPort;

typedef struct CharPortClient {
    unsigned (*can_receive)(void *opaque);   /* bytes of room now */
    void (*receive)(void *opaque, const uint8_t *data, size_t length);
    void (*event)(void *opaque, CharEvent event);   /* may be NULL */
} CharPortClient;

/* id is the stable source name ("uart0"), copied. Before the machine starts. */
CharPort *char_port_new(Replay *r, const char *id, const CharPortClient *client, void *opaque);
/* The machine thread has ended, and replay_free() comes later. Detaches. */
void char_port_free(CharPort *p);
void char_port_write(CharPort *p, const uint8_t *data, size_t length);
void char_port_accept_input(CharPort *p);

/* Main thread, before the machine starts or while it stands still. NULL: detach. */
void char_port_attach(CharPort *p, Chardev *chr);

/*
 * The input queue, the port's, for a field (kind BYTES) of the device's state. The device tells
 * the port when that was loaded, in its post_load.
 */
GByteArray *char_port_queue(CharPort *p);
void char_port_queue_loaded(CharPort *p);

#endif
