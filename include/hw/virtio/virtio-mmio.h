/*
 * The memory-mapped virtio transport (virtio 1.2 4.2): a window of 0x200 bytes
 * and one interrupt line for one device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_MMIO_H
#define HW_VIRTIO_VIRTIO_MMIO_H

#include "hw/virtio/virtio.h"

#define VIRTIO_MMIO_SIZE 0x200

/* Its bus, "virtio-mmio-bus.N", has room for one device. */
extern const DeviceType virtio_mmio_type;

#endif
