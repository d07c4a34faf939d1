/*
 * What a network card does for its driver: the checksum of a packet, and cutting a long TCP segment into frames.
 * Pure functions of the frame.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_OFFLOAD_H
#define NET_OFFLOAD_H

#include <glib.h>

/* As virtio 1.2 5.1.6 has them; offsets in the frame. */
typedef struct NetOffload {
    bool checksum;            /* fill in the one at checksum_start + checksum_offset */
    uint16_t checksum_start, checksum_offset;
    bool tcp4, tcp6;          /* cut into frames of segment_bytes of data each */
    uint16_t segment_bytes;
} NetOffload;

typedef void NetOffloadSend(void *opaque, const uint8_t *frame, size_t length);

/*
 * Do what o asks, in place, and send what comes of it. False, and nothing is sent: the frame is not what o says of it.
 */
bool net_offload(const NetOffload *o, uint8_t *frame, size_t length, NetOffloadSend *send, void *opaque);

#endif
