/*
 * virtio-blk: the block device (virtio 1.2 5.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_BLK_H
#define HW_VIRTIO_VIRTIO_BLK_H

#include "hw/virtio/virtio.h"

extern const DeviceType virtio_blk_type;

#endif
