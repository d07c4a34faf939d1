/*
 * virtio-net: the network device (virtio 1.2 5.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_NET_H
#define HW_VIRTIO_VIRTIO_NET_H

#include "hw/virtio/virtio.h"

extern const DeviceType virtio_net_type;

#endif
