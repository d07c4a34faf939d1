/*
 * PCI Express root ports: bridges from the root bus to a bus with one slot.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCIE_PORT_H
#define HW_PCI_PCIE_PORT_H

#include "hw/pci/pci.h"

extern const DeviceType pcie_root_port_type;

#endif
