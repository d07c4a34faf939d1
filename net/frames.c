/*
 * Frames in a stream of bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/frames.h"
#include "net/net.h"
#include "util/bytes.h"

void net_frames_init(NetFrames *f)
{
    f->part = g_byte_array_new();
}

void net_frames_reset(NetFrames *f)
{
    g_byte_array_set_size(f->part, 0);
}

void net_frames_clear(NetFrames *f)
{
    g_byte_array_unref(f->part);
}

bool net_frames_feed(NetFrames *f, const uint8_t *data, size_t size, NetFrameFn *fn, void *opaque, uint32_t *length)
{
    GByteArray *part = f->part;
    guint done = 0;

    g_byte_array_append(part, data, (guint)size);
    while (part->len - done >= NET_FRAMES_HEADER) {
        const uint8_t *p = part->data + done;

        *length = (uint32_t)load_be(p, NET_FRAMES_HEADER);
        if (*length > NET_MAX_FRAME) {
            return false;
        }
        if (part->len - done - NET_FRAMES_HEADER < *length) {
            break;
        }
        fn(opaque, p + NET_FRAMES_HEADER, *length);
        done += NET_FRAMES_HEADER + *length;
    }
    g_byte_array_remove_range(part, 0, done);
    return true;
}

void net_frames_header(uint8_t header[NET_FRAMES_HEADER], size_t length)
{
    store_be(header, length, NET_FRAMES_HEADER);
}
