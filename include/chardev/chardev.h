/*
 * Character back ends: where the bytes of serial ports, monitors and gdb come from
 * and go to. All run on the main thread's GLib main loop.
 *
 * 1. chardev_write() may be called from any thread and never blocks: bytes are
 *    queued and the main loop hands them on. Nothing is lost while the other end is
 *    slow; past CHARDEV_MAX_QUEUE bytes new output is dropped, with one warning.
 *    Output without a peer (a socket nobody is connected to) is dropped, as a serial
 *    cable that is not plugged in would.
 * 2. A client's callbacks run on the main thread.
 * 3. A chardev has one client. A multiplexed one (mux=on) hands out a port per
 *    client; keys after the escape character (Ctrl-a) choose who has the focus.
 * 4. chardev_set_free() writes out what is queued before it closes anything.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_CHARDEV_H
#define CHARDEV_CHARDEV_H

#include <glib.h>
#include "util/error.h"

#define CHARDEV_MAX_QUEUE (256u << 20)

typedef struct ChardevSet ChardevSet;
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
    /* May be NULL. OPENED comes at once when the other end is already there. */
    void (*event)(void *opaque, CharEvent event);
    /* A multiplexed port gained or lost the focus; may be NULL. */
    void (*focus)(void *opaque, bool in);
} ChardevClient;

/* client NULL: nothing is read, the peer waits. client must outlive its use. Main thread. */
void chardev_set_client(Chardev *c, const ChardevClient *client, void *opaque);
/* Any thread. */
void chardev_write(Chardev *c, const uint8_t *data, size_t length);
void chardev_puts(Chardev *c, const char *text);

const char *chardev_id(const Chardev *c);
/* "stdio", "unix:/tmp/x,server=on", ...: for info chardev. */
const char *chardev_label(const Chardev *c);
/* "stdio", "mux-port", ... */
const char *chardev_kind_of(const Chardev *c);
/*
 * A descriptor that the peer of a Unix socket sent along with what was received last; the caller's.
 * -1: there is none, or no more.
 */
int chardev_take_fd(Chardev *c);
/* Whether a device or monitor listens. */
bool chardev_has_client(const Chardev *c);
/* Whether the other end is there. */
bool chardev_is_open(const Chardev *c);

/* ---- the set of back ends of one machine ---- */

/* context NULL: the default main context. */
ChardevSet *chardev_set_new(GMainContext *context);
/* Write out what is queued (giving up on a peer that takes nothing), close all. */
void chardev_set_free(ChardevSet *set);
/* What Ctrl-a x calls. */
void chardev_set_quit_hook(ChardevSet *set, void (*quit)(void *opaque), void *opaque);
/* The escape character of multiplexers created from here on; 0x01 is the default. */
void chardev_set_escape(ChardevSet *set, uint8_t escape);

/* "-chardev KIND,id=ID,..." */
Chardev *chardev_create(ChardevSet *set, const char *options, Error **errp);
Chardev *chardev_find(ChardevSet *set, const char *id);
void chardev_foreach(ChardevSet *set, void (*fn)(Chardev *c, void *opaque), void *opaque);
/*
 * Close it, with what is still to be written, and forget it. Fails when somebody uses it: a port, a
 * monitor, a client of its multiplexer.
 */
bool chardev_remove(Chardev *c, Error **errp);
/* As if the other end had sent a break; to the client of a multiplexer that has the focus. */
void chardev_send_break(Chardev *c);
/* The kinds and their options, for -chardev help. */
void chardev_print_kinds(FILE *out);
/* The name of the n-th kind; NULL: there are not so many. */
const char *chardev_kind(unsigned n);

/* The back end "ringbuf": take up to `most` bytes from its start, appended to out. */
bool chardev_is_ringbuf(const Chardev *c);
void chardev_ringbuf_read(Chardev *c, size_t most, GByteArray *out);

/*
 * Claim a chardev for one client: a new port of a multiplexer, else c itself. Fails
 * when it is taken.
 */
Chardev *chardev_claim(Chardev *c, Error **errp);

/* What the argument of -serial, -monitor or -gdb names. */
typedef struct ChardevSpec {
    Chardev *chr;        /* claimed for the caller; NULL with "none" */
    Chardev *monitor;    /* claimed for a monitor ("mon:..."), else NULL */
} ChardevSpec;

/*
 * "stdio", "mon:stdio", "null", "none", "file:PATH", "pty", "tcp:HOST:PORT,server=on",
 * "unix:PATH,server=on", "chardev:ID". A back end it creates is called `id`.
 */
bool chardev_open(ChardevSet *set, const char *spec, const char *id, ChardevSpec *out,
                  Error **errp);

/* Give the input focus of c's multiplexer to c; nothing for others. */
void chardev_take_focus(Chardev *c);
/* Whether input goes to c now: false for a port that another one hides. */
bool chardev_has_focus(Chardev *c);

/*
 * Run the main loop until every server with wait=on has its client; false when
 * chardev_set_cancel_wait() was called meanwhile (from the main loop).
 */
bool chardev_set_wait_connected(ChardevSet *set);
void chardev_set_cancel_wait(ChardevSet *set);

#endif
