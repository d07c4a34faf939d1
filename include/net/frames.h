/*
 * Frames in a stream of bytes, as network back ends of emulators send them to each other: of each its length, 32 bits,
 * big-endian, and then the frame.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_FRAMES_H
#define NET_FRAMES_H

#include <glib.h>

#define NET_FRAMES_HEADER 4

/* What has come of a frame that is not whole yet. */
typedef struct NetFrames {
    GByteArray *part;
} NetFrames;

void net_frames_init(NetFrames *f);
/* Forget the part: another stream begins. */
void net_frames_reset(NetFrames *f);
void net_frames_clear(NetFrames *f);

typedef void NetFrameFn(void *opaque, const uint8_t *frame, size_t length);
/*
 * The next bytes: fn gets each frame that is whole, of 0 to NET_MAX_FRAME bytes. False: a frame is said to be longer, so
 * nothing that follows can be told apart; *length, if so, is what it is said to be.
 */
bool net_frames_feed(NetFrames *f, const uint8_t *data, size_t size, NetFrameFn *fn, void *opaque, uint32_t *length);
/* The header of a frame. */
void net_frames_header(uint8_t header[NET_FRAMES_HEADER], size_t length);

#endif
