/*
 * The educational PCI device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_EDU_H
#define HW_MISC_EDU_H

#include "hw/pci/pci.h"

extern const DeviceType edu_type;

#endif
