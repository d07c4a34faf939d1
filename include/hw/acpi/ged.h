/*
 * The generic event device of a hardware-reduced machine (ACPI 6.4 5.6.9), as far as its registers go; the method that
 * reads them is in the machine's AML.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_GED_H
#define HW_ACPI_GED_H

#include "hw/core/machine.h"

#define GED_SIZE 4

/* Bits of its register. */
enum { GED_POWER_DOWN = 1 << 1 };

extern const DeviceType ged_type;
/* An event: its bit, and an edge on the interrupt. */
void ged_event(Device *ged, uint32_t bits);

#endif
