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
#include "hw/virtio/virtio-serial.h"
#include "virtio-pci-internal.h"

/* "STEM-pci", or STEM for short, has a device of type part_ in it. */
#define VIRTIO_PCI(var, stem, part_, doc_)                                            \
    const DeviceType var = {                                                          \
        .name = stem "-pci", .alias = stem, .doc = doc_, .bus = PCI_BUS,              \
        .pluggable = true, .size = sizeof(VirtioPci),                                 \
        .part = &part_, .part_name = "virtio",                                        \
        .fields = &virtio_pci_fields, .state_offset = offsetof(VirtioPci, state),     \
        .properties = virtio_pci_properties,                                          \
        .config_offset = offsetof(VirtioPci, config), .realize = virtio_pci_realize,  \
        .reset = virtio_pci_reset, .post_load = pci_device_post_load,                 \
        .free = pci_device_free,                                                      \
    }

VIRTIO_PCI(virtio_balloon_pci_type, "virtio-balloon", virtio_balloon_type, "memory that the guest gives back");
VIRTIO_PCI(virtio_blk_pci_type, "virtio-blk", virtio_blk_type, "a disk");
VIRTIO_PCI(virtio_net_pci_type, "virtio-net", virtio_net_type, "a network card");
VIRTIO_PCI(virtio_rng_pci_type, "virtio-rng", virtio_rng_type, "random bytes from the host");
VIRTIO_PCI(virtio_serial_pci_type, "virtio-serial", virtio_serial_type, "a bus of consoles and serial ports");
