/*
 * The PCI transport of virtio devices (virtio 1.2 4.1). A device type X-device of VIRTIO_BUS becomes the
 * PCI function X-pci by one row in hw/virtio/virtio-pci-types.c; its identity on the bus follows from
 * the virtio device's, so nothing of PCI goes into the device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_PCI_H
#define HW_VIRTIO_VIRTIO_PCI_H

#include "hw/pci/pci.h"
#include "hw/virtio/virtio.h"

extern const DeviceType virtio_balloon_pci_type, virtio_blk_pci_type, virtio_net_pci_type, virtio_rng_pci_type,
                        virtio_serial_pci_type;

#endif
