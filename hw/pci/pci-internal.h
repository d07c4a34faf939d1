/*
 * Between the files of PCI's core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_INTERNAL_H
#define HW_PCI_PCI_INTERNAL_H

#include "hw/pci/pci.h"

/* The header, once ptype is set. */
void pci_init_config(PciDevice *d);

/* Derive again where BARs are: the function's own, and those behind a bridge. */
void pci_update(PciDevice *d);
/* The host's interrupt lines, after what they depend on has changed. */
void pci_update_intx(PciBus *bus);

/* Reset the device as a whole. */
void pci_reset_function(PciDevice *d);

/* The messages that have been waiting and are masked no more. */
void pci_msi_flush(PciDevice *d);
void pci_msix_reset(PciDevice *d);
void pci_msix_post_load(PciDevice *d);

/* Whether a bridge lets [first, last] of memory, or of ports, through to what is behind it. */
bool pci_bridge_forwards(const PciDevice *bridge, bool io, uint64_t first, uint64_t last);

#endif
