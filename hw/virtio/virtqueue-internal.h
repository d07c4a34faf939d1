/*
 * Shared by hw/virtio/virtqueue.c and the two kinds of rings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTQUEUE_INTERNAL_H
#define HW_VIRTIO_VIRTQUEUE_INTERNAL_H

#include "virtio-internal.h"

enum DescFlags {
    DESC_F_NEXT = 1,
    DESC_F_WRITE = 2,
    DESC_F_INDIRECT = 4,
};

#define DESC_SIZE 16

/* The wrap counter in a position of a packed ring; it begins set (2.8.1). */
#define VIRTQ_PACKED_WRAP 0x8000

/*
 * What one kind of ring does differently. The queue is set up and the device is not broken; a function that
 * finds the ring broken stops the device and returns false.
 */
typedef struct VirtqRing {
    /* The next available chain; with take, it is out from now on. */
    bool (*next)(VirtioDevice *v, unsigned q, VirtqElement *e, bool take);
    /* A chain that is out, once more. */
    bool (*again)(VirtioDevice *v, unsigned q, uint16_t head, VirtqElement *e);
    /* The last n that were taken are available again. */
    void (*rewind)(VirtioDevice *v, unsigned q, unsigned n);
    /* Write it as used. */
    bool (*push)(VirtioDevice *v, unsigned q, uint16_t head, uint32_t written);
    /* Whether the driver wants an interrupt for what was used since this was asked last. */
    bool (*should_notify)(VirtioDevice *v, unsigned q);
} VirtqRing;

extern const VirtqRing split_ring, packed_ring;

/* Accesses to rings; false: not in RAM, and the device stops. */
bool virtq_read16(VirtioDevice *v, hwaddr addr, uint16_t *out);
bool virtq_write16(VirtioDevice *v, hwaddr addr, uint16_t value);

/* Begin a chain, and add a buffer to it; flags: DESC_F_WRITE or not. */
void virtq_begin(VirtqElement *e, uint16_t head);
bool virtq_add_segment(VirtioDevice *v, VirtqElement *e, hwaddr addr, uint32_t length, uint16_t flags);
/*
 * How many descriptors an indirect table of so many bytes has, each of 16 as in the ring. 0: it is malformed for a
 * chain that has come as far as e, or was not negotiated; the device stops.
 */
unsigned virtq_indirect_entries(VirtioDevice *v, const VirtqElement *e, uint32_t length);

/* With packed rings, for a state that was loaded: whether the chains that are out are possible ones. */
bool virtq_packed_chains_ok(const VirtioDevice *v);
/* None of queue q is out any more. */
void virtq_packed_forget(VirtioDevice *v, unsigned q);

#endif
