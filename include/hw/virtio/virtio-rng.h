/*
 * virtio-rng: the entropy device (virtio 1.2 5.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_RNG_H
#define HW_VIRTIO_VIRTIO_RNG_H

#include "hw/virtio/virtio.h"

/* The device's id is also the name of its replay source. */
extern const DeviceType virtio_rng_type;

#endif
