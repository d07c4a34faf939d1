/*
 * virtio-balloon: the memory balloon (virtio 1.2 5.5); monitors have it as hw/core/balloon.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_BALLOON_H
#define HW_VIRTIO_VIRTIO_BALLOON_H

#include "hw/virtio/virtio.h"

/* The device's id is also the name of its replay source. */
extern const DeviceType virtio_balloon_type;

#endif
