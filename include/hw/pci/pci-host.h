/*
 * The generic PCI Express host bridge, whose configuration space is memory (ECAM).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_HOST_H
#define HW_PCI_PCI_HOST_H

#include "hw/pci/pci.h"

/* The host bridge, which the board maps, and its own function, which comes with it. */
extern const DeviceType pci_host_type;
extern const DeviceType pci_root_type;

/* Its root bus; NULL: dev is no host bridge. */
PciBus *pci_host_bus(Device *dev);

#endif
