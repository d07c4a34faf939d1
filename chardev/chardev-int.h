/*
 * What a character back end is made of. A kind is one const ChardevType; its struct
 * embeds Chardev first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_INT_H
#define CHARDEV_INT_H

#include <sys/types.h>
#include "chardev/chardev.h"
#include "util/keyval.h"
#include "util/watch.h"

typedef struct ChardevType {
    const char *name;
    const char *help;      /* what it is: its options; for -chardev help */
    size_t size;           /* of the struct */
    bool (*open)(Chardev *c, KeyVal *options, Error **errp);
    void (*close)(Chardev *c);
    /*
     * Main thread: write without blocking. Returns the bytes taken, 0 when the peer is
     * busy (the kind then calls chardev_flush() when it is ready), -1 when there is no
     * peer.
     */
    ssize_t (*write)(Chardev *c, const uint8_t *data, size_t length);
    /* Any thread: takes everything at once, instead of write(). */
    void (*write_now)(Chardev *c, const uint8_t *data, size_t length);
    /* The descriptor that tells when write() makes sense again, for the end; or -1. */
    int (*write_fd)(Chardev *c);
    int (*take_fd)(Chardev *c);   /* chardev_take_fd(); may be NULL */
} ChardevType;

struct Chardev {
    const ChardevType *type;
    ChardevSet *set;
    char *id;
    char *label;
    const ChardevClient *client;
    void *client_opaque;
    bool is_open;
    bool claimed;
    bool wait;             /* wait_connected: still without its client */

    GMutex lock;           /* guards what follows */
    GByteArray *out;
    size_t out_pos;        /* bytes of out already written */
    bool overflowed;
    GSource *flusher;      /* dispatches when made ready */
};

struct ChardevSet {
    GMainContext *context;
    GPtrArray *chardevs;   /* creation order */
    void (*quit)(void *opaque);
    void *quit_opaque;
    uint8_t escape;
    bool cancelled;
};

extern const ChardevType chardev_stdio_type;
extern const ChardevType chardev_file_type;
extern const ChardevType chardev_null_type;
extern const ChardevType chardev_socket_type;
extern const ChardevType chardev_pty_type;
extern const ChardevType chardev_mux_type;
extern const ChardevType chardev_ringbuf_type;

/* Allocate, open and add to the set. options may be NULL where the type needs none. */
Chardev *chardev_new(ChardevSet *set, const ChardevType *type, const char *id,
                     KeyVal *options, Error **errp);
/*
 * Append the -chardev form of a short one ("file:PATH" as in -serial), without an id; more
 * options may follow it. "mon:", "none" and "chardev:ID" are not for here.
 */
bool chardev_rewrite(GString *out, const char *spec, Error **errp);
/* Wrap base in a multiplexer that takes over its id. */
Chardev *chardev_mux_new(Chardev *base);
Chardev *chardev_mux_port(Chardev *mux);
Chardev *chardev_mux_base(Chardev *mux);
bool chardev_mux_has_ports(Chardev *mux);

/* For the kinds, on the main thread. */
void chardev_set_label(Chardev *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Bytes the client wants now. */
size_t chardev_room(Chardev *c);
void chardev_received(Chardev *c, const uint8_t *data, size_t length);
void chardev_event(Chardev *c, CharEvent event);
void chardev_flush(Chardev *c);
bool chardev_has_output(Chardev *c);

/*
 * A pair of descriptors with their watches. Descriptors stay in whatever blocking mode
 * they have (stdin's mode is shared with the shell): a write follows a poll and is at
 * most PIPE_BUF bytes, which never blocks then.
 */
typedef struct CharFd {
    Chardev *chr;
    int in, out;               /* -1: none */
    GSource *in_source, *out_source;
    void (*hangup)(Chardev *c);    /* end of file or error; may be NULL */
    /* Instead of read(2); may be NULL. */
    ssize_t (*read)(Chardev *c, void *data, size_t length);
} CharFd;

void char_fd_start(CharFd *fd, Chardev *c, int in, int out, void (*hangup)(Chardev *c));
/* Remove the watches; the descriptors stay open. */
void char_fd_stop(CharFd *fd);
ssize_t char_fd_write(CharFd *fd, const uint8_t *data, size_t length);

#endif
