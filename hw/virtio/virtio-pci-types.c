/*
 * The virtio devices that there are as PCI functions: one row each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-balloon.h"
#include "hw/virtio/virtio-blk.h"
#include "hw/virtio/virtio-net.h"
#include "hw/virtio/virtio-rng.h"
#include "hw/virtio/virtio-scsi.h"
#include "hw/virtio/virtio-serial.h"
#include "virtio-pci-internal.h"

#define VIRTIO_PCI_TYPE(var, name_, alias_, part_, properties_, doc_)                 \
    const DeviceType var = {                                                          \
        .name = name_, .alias = alias_, .doc = doc_, .bus = PCI_BUS,                  \
        .pluggable = true, .size = sizeof(VirtioPci),                                 \
        .part = &part_, .part_name = "virtio",                                        \
        .fields = &virtio_pci_fields, .state_offset = offsetof(VirtioPci, state),     \
        .properties = properties_,                                                    \
        .config_offset = offsetof(VirtioPci, config), .realize = virtio_pci_realize,  \
        .reset = virtio_pci_reset, .post_load = pci_device_post_load,                 \
        .free = pci_device_free,                                                      \
    }

/*
 * A device of type part_ in a function: "STEM-pci", or STEM for short, has the legacy interface too where
 * that is of use; "STEM-pci-transitional" has both interfaces, and "STEM-pci-non-transitional" the modern one.
 */
#define VIRTIO_PCI(var, stem, part_, doc_)                                                        \
    VIRTIO_PCI_TYPE(var, stem "-pci", stem, part_, virtio_pci_properties, doc_);                  \
    VIRTIO_PCI_TYPE(var##_transitional, stem "-pci-transitional", NULL, part_,                    \
                    virtio_pci_transitional_properties, doc_);                                    \
    VIRTIO_PCI_TYPE(var##_non_transitional, stem "-pci-non-transitional", NULL, part_,            \
                    virtio_pci_non_transitional_properties, doc_)

VIRTIO_PCI(virtio_balloon_pci_type, "virtio-balloon", virtio_balloon_type, "memory that the guest gives back");
VIRTIO_PCI(virtio_blk_pci_type, "virtio-blk", virtio_blk_type, "a disk");
VIRTIO_PCI(virtio_net_pci_type, "virtio-net", virtio_net_type, "a network card");
VIRTIO_PCI(virtio_rng_pci_type, "virtio-rng", virtio_rng_type, "random bytes from the host");
VIRTIO_PCI(virtio_scsi_pci_type, "virtio-scsi", virtio_scsi_type, "a SCSI controller");
VIRTIO_PCI(virtio_serial_pci_type, "virtio-serial", virtio_serial_type, "a bus of consoles and serial ports");
