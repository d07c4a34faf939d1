/*
 * The PCI transport of virtio devices (virtio 1.2 4.1). A device type X-device of VIRTIO_BUS becomes the
 * PCI functions X-pci by one row in hw/virtio/virtio-pci-types.c; its identity on the bus follows from
 * the virtio device's, so nothing of PCI goes into the device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_PCI_H
#define HW_VIRTIO_VIRTIO_PCI_H

#include "hw/pci/pci.h"
#include "hw/virtio/virtio.h"

/* X-pci, X-pci-transitional and X-pci-non-transitional; the same names as QEMU's. */
#define VIRTIO_PCI_TYPES(var) var, var##_transitional, var##_non_transitional

extern const DeviceType VIRTIO_PCI_TYPES(virtio_balloon_pci_type), VIRTIO_PCI_TYPES(virtio_blk_pci_type),
                        VIRTIO_PCI_TYPES(virtio_net_pci_type), VIRTIO_PCI_TYPES(virtio_rng_pci_type),
                        VIRTIO_PCI_TYPES(virtio_scsi_pci_type), VIRTIO_PCI_TYPES(virtio_serial_pci_type);

#endif
