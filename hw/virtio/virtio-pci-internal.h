/*
 * Between the files of the PCI transport.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_PCI_INTERNAL_H
#define HW_VIRTIO_VIRTIO_PCI_INTERNAL_H

#include "hw/virtio/virtio-pci.h"

enum { DISABLE_OFF, DISABLE_ON, DISABLE_AUTO };

#define VECTORS_AUTO UINT32_MAX

typedef struct VirtioPciState {
    PciState pci;
    uint32_t device_features_sel;
    uint32_t driver_features_sel;
    uint32_t queue_sel;
} VirtioPciState;

#define VIRTIO_PCI_FIELDS(F, S)    \
    PCI_FIELDS(F, S)               \
    F(S, U32, device_features_sel) \
    F(S, U32, driver_features_sel) \
    F(S, U32, queue_sel)

typedef struct VirtioPciConfig {
    PciConfig pci;
    unsigned disable_legacy;
    bool disable_modern;
    uint32_t vectors;
} VirtioPciConfig;

typedef struct VirtioPci {
    PciDevice pci;
    VirtioPciState state;
    VirtioPciConfig config;
    PciDeviceType ptype;            /* as the virtio device says */
    unsigned cap_pci;               /* where the window in configuration space is; 0: nowhere */
} VirtioPci;

extern const FieldTable virtio_pci_fields;
extern const Property virtio_pci_properties[], virtio_pci_transitional_properties[],
    virtio_pci_non_transitional_properties[];
bool virtio_pci_realize(Device *dev, Error **errp);
void virtio_pci_reset(Device *dev);

#endif
